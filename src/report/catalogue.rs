//! The page of all schedules: picture, formula, keys and source of each.

use super::code;
use crate::grid::parse_schedule;
use crate::schedule::{KeyInfo, KindInfo, MODIFIERS, ScheduleSpec, kinds};
use std::fmt::Write as _;

/// Steps for which the formulas are made; none of them shows the number.
const STEPS: usize = 1000;

/// A schedule of this kind to show over `steps`: its defaults, but where
/// they would not show what it is. `None` where none can be without a file
/// or a run.
pub(crate) fn sample(kind: &KindInfo, steps: usize) -> Option<ScheduleSpec> {
    let defaults = || ScheduleSpec::of_kind(kind.name).ok();
    match kind.name {
        "piecewise" => {
            Some(ScheduleSpec::piecewise([[0.0, 0.2], [0.3, 1.0], [1.0, 0.0]]))
        }
        "sgdr" => defaults()?.with("cycles", 3).ok(),
        "inverse-sqrt" => defaults()?.with("timescale", steps / 10).ok(),
        "noam" => defaults()?.with("warmup_steps", steps / 8).ok(),
        _ => kind.stands_alone().then(defaults)?,
    }
}

/// The keys of a kind with their defaults: `power=2, end_ratio=0`.
pub(crate) fn keys(kind: &KindInfo, between: &str) -> String {
    let key = |KeyInfo { name, default }: &KeyInfo| {
        if default.is_empty() {
            (*name).to_owned()
        } else {
            format!("{name}={default}")
        }
    };
    kind.keys.iter().map(key).collect::<Vec<_>>().join(between)
}

/// The page, in Markdown.
pub(crate) fn markdown() -> String {
    let mut page = String::from(HEAD);
    for kind in kinds() {
        let KindInfo { name, about, source, .. } = kind;
        let _ = write!(page, "\n### `{name}`\n\n{}. ", sentence(about));
        let _ = writeln!(page, "Source: {source}.\n");
        page += &block(&of_kind(kind));
        let forms = FORMS.iter().filter(|form| form.0 == *name);
        for (_, keys) in forms {
            page += &other(name, keys);
        }
        if *name == "schedule-free" {
            page += SCHEDULE_FREE;
        }
        if !kind.keys.is_empty() {
            let _ = writeln!(page, "\nKeys: `{}`.", keys(kind, "`, `"));
        }
    }
    page += "\n## On every kind\n\n| key | default |\n|---|---|\n";
    for (name, default) in MODIFIERS {
        let _ = writeln!(page, "| `{name}` | {default} |");
    }
    page += WARMUP;
    page += &of_spec(Some(ScheduleSpec::cosine().warmup(STEPS / 20)));
    let start = "warmup = 50, warmup_start_ratio = 0.1";
    page += &other("cosine", start);
    for shape in ["cosine", "exponential"] {
        let keys = format!("{start}, warmup_shape = {shape:?}");
        page += &other("cosine", &keys);
    }
    page += COOLDOWN;
    page += &of_spec(Some(ScheduleSpec::cosine().cooldown(0.2)));
    page + AVERAGE + JOIN
}

/// The keys and values that give a kind another form than its defaults do.
const FORMS: &[(&str, &str)] = &[
    ("wsd", "shape = \"one-minus-sqrt\""),
    ("wsd", "shape = \"cosine\""),
    ("wsd", "shape = \"square\""),
    ("wsd", "shape = \"exponential\""),
    ("one-cycle", "anneal = \"linear\""),
    ("one-cycle", "three_phase = true"),
    ("cyclical", "mode = \"triangular2\""),
    ("cyclical", "mode = \"exp-range\""),
    ("sgdr", "cycles = 3, t_mult = 2"),
];

/// What stands for the formula of a kind.
fn of_kind(kind: &KindInfo) -> String {
    match sample(kind, STEPS).and_then(|spec| spec.formula(STEPS).ok()) {
        Some(formula) => code::formula(&formula),
        None => match kind.name {
            "refined" => REFINED,
            "plateau" => PLATEAU,
            _ => "f = row t of the file",
        }
        .to_owned(),
    }
}

/// The formula of a kind with these `keys`, under them.
fn other(kind: &str, keys: &str) -> String {
    let spec = parse_schedule(&format!("{{ kind = {kind:?}, {keys} }}"));
    format!("\nWith `{keys}`:\n\n{}", of_spec(spec.ok()))
}

/// The formula of a schedule, as it stands in the page.
fn of_spec(spec: Option<ScheduleSpec>) -> String {
    let formula = spec.and_then(|spec| spec.formula(STEPS).ok());
    block(&formula.map(|formula| code::formula(&formula)).unwrap_or_default())
}

fn block(formula: &str) -> String {
    format!("```\n{formula}\n```\n")
}

fn sentence(about: &str) -> String {
    let mut letters = about.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

const HEAD: &str = "\
# The schedules

`lrscout schedules list --format markdown` wrote this page; `make docs` does
so again.

![All shapes, the factor on the peak over the steps](schedules.svg)

`f` is the factor on the peak learning rate at update `t`, counted from 0, of
a run of `steps` updates; `p` is the share of them that has passed. A value is
reached at `t = steps`, after the last update, unless the source says
otherwise; from there on the last one holds. Shares are of the steps, ratios
of the peak. The formula of a kind is that of its defaults; where a key gives
it another form, that one follows.

A share or a ratio may stand in per cent: `decay = \"20%\"` is `decay = 0.2`.

`lrscout schedules values SPEC --peak P --steps N` prints a schedule step by
step, `--compat torch|hf|optax|timm|timm-prefix|keras|mxnet` with another
library's conventions; `lrscout export` writes it as source code.

With `--compat`, too, `N` are all updates of the training, those of the warm-up
among them. So

- keras: `decay_steps` is N less `warmup_steps`, as whoever trains N updates
  gives it. For the rates of a `decay_steps` of D ask for N = D + `warmup_steps`.
- timm: the warm-up takes the place of the first updates of a schedule with
  `t_initial` = N; timm-prefix has timm's `warmup_prefix = True` and a `t_initial`
  of N less the warm-up.
- hf, optax: N is `num_training_steps` or, for optax, `decay_steps` with the
  warm-up in it.
- hf rounds a warm-up in per cent up to a whole step, as its `TrainingArguments`
  do; everywhere else it is the nearest one, at least 1.

## Kinds
";

const REFINED: &str = "\
G = gradient norms of the run, median over a share `tau` of the steps
w = G^-2 (SGD, L2 norms) or G^-1 (other optimizers, L1 norms)
f = w_t * (sum of the later w), divided by its highest value";

const PLATEAU: &str = "\
f = 1 first; f * factor, at least min_ratio, whenever the validation loss has
    not fallen by a ten-thousandth for more than `patience` evaluations";

const WARMUP: &str = "
A warm-up comes first; then the kind starts at its own `t = 0` with the steps
that are left:

";

const COOLDOWN: &str = "
A cooldown replaces the last share of any kind, from the factor `begin` that
it has reached there; `cooldown_shape` is one of the shapes of `wsd`, with
their `x`:

";

const SCHEDULE_FREE: &str = "
It is no shape but another form of the optimizer, of `sgd` and `adamw` alone.
The gradient is taken at y, and a run is evaluated at x (`beta` is the
`momentum` of `sgd` or the `beta1` of `adamw`, `step` the gradient or Adam's
step without its first moment, both with the weight decay at y):

```
y = (1 - beta) * z + beta * x
z = z - lr * step(y)
c = highest lr so far ^ 2, divided by the sum of these over all updates so far
x = (1 - c) * x + c * z
```

This is the package schedulefree 1.4.1 with its defaults; its `warmup_steps` of
W are a `warmup` of W - 1 here. With momentum, SGD moves the weights by
1 / (1 - momentum) times the rate for each gradient in all; in this form by the
rate alone. So the best rate is higher: the authors advise 10 to 50 times the
usual one for SGD and 1 to 10 times for AdamW. Give `lr_ratio` as an axis, or
find a rate for each schedule (`per = \"schedule\"` in `[lr_find]`). Other optimizers, `nesterov` and a beta of 0 are refused.
Statistics of batch norm are computed as below.
";

const AVERAGE: &str = "
`average` evaluates a run at an average of its weights, and changes no update:

```
average = \"ema\"    a = average_decay * a + (1 - average_decay) * w after each update
average = \"swa\"    a = mean of w after each update beyond the share average_from
```

The first average is the weights themselves, and before `average_from` the run
is evaluated at them. `ema` and `swa` are `get_ema_multi_avg_fn` and
`get_swa_multi_avg_fn` of torch.optim.swa_utils. Before each evaluation the
running statistics of batch norm are computed anew for the average, as
`update_bn` does: their mean over the batches of one pass over the training
part, at most 50 of them. `plateau` still follows the loss of the last weights.
An `ema` of 0.999 remembers about 1000 updates: too many for a short run.
Sources: Polyak & Juditsky 1992; Izmailov et al. 2018.
";

const JOIN: &str = "
`{ join = [{ kind = ..., steps = n }, { kind = ..., share = s }, ...] }` puts
schedules one after the other. Each starts at its own `t = 0` and has its own
steps; together they fill the budget.
";
