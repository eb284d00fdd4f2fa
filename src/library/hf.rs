//! `transformers.optimization`: factors of the rate in the Trainer, by
//! `TrainingArguments`, `get_scheduler` or their own functions.

mod shapes;

use super::diffusers::{
    Factor, constant, cosine, linear, polynomial, restarts,
};
use super::{Arguments, Call, Entry, Literal, Notes, Package, Run};
use crate::error::Problem;
use shapes::{inverse_sqrt, min_lr, min_lr_from_first, stable};

pub(super) const PACKAGE: Package = Package {
    name: "hf",
    title: "transformers",
    version: "5.24.0",
    frame: "Update t has the value after t calls of `scheduler.step()`: the \
            first update of a warm-up has a rate of 0. The Trainer steps it \
            once an update, also under gradient accumulation.",
    entries: ENTRIES,
    flags: None,
    torch: None,
};

const RISE: &str = "lr * t / num_warmup_steps, then lr";
const RESUME: &str = "A run resumed with a longer plan has the rate of the old \
                      plan once, which is 0 where that had ended, and follows \
                      the new one from the second update on.";
const MIN_LR: &str = "min_lr is a rate, min_lr_rate a ratio; one of them is \
                      needed.";

const ENTRIES: &[Entry] = &[
    entry!(
        scaled,
        "TrainingArguments",
        "output_dir=None, lr_scheduler_type='linear', \
         lr_scheduler_kwargs=None, warmup_steps=0, max_steps=-1, \
         learning_rate=None, deepspeed=None, **others",
        "lr_scheduler_type='cosine', warmup_steps=0.1",
        "that of the function for the type, over the updates of the training",
        frame: "warmup_steps below 1 is a share of the updates, rounded up \
                after a product of floats: 0.07 of 100 is 8. From 1 on it is \
                a number of updates. 'constant' has no warm-up, also where it \
                is given, and 'constant_with_warmup' takes no \
                lr_scheduler_kwargs: they are passed over.",
        absolute: "'polynomial' ends at the rate 1e-7 and refuses an lr that \
                   is not above it.",
        after: "The Trainer stops there.",
        resume: RESUME,
        versions: "5.24 has no warmup_ratio."
    ),
    entry!(
        scaled,
        "get_scheduler",
        "name, optimizer=None, num_warmup_steps=None, \
         num_training_steps=None, scheduler_specific_kwargs=None",
        "'cosine', num_warmup_steps=5, num_training_steps=100",
        "that of the function for the name"
    ),
    entry!(scaled, "get_constant_schedule", "last_epoch=-1", "", "lr"),
    entry!(
        scaled,
        "get_constant_schedule_with_warmup",
        "num_warmup_steps, last_epoch=-1",
        "num_warmup_steps=5",
        RISE
    ),
    entry!(
        scaled,
        "get_linear_schedule_with_warmup",
        "num_warmup_steps, num_training_steps, last_epoch=-1",
        "num_warmup_steps=5, num_training_steps=100",
        "lr * t / num_warmup_steps, then lr * share left",
        after: "Stays at 0."
    ),
    entry!(
        scaled,
        "get_cosine_schedule_with_warmup",
        "num_warmup_steps, num_training_steps, num_cycles=0.5, last_epoch=-1",
        "num_warmup_steps=5, num_training_steps=100",
        "lr * t / num_warmup_steps, then lr * (1 + cos(2 * pi * num_cycles * \
         progress)) / 2",
        after: "Goes on along the cosine: it rises again."
    ),
    entry!(
        scaled,
        "get_cosine_with_hard_restarts_schedule_with_warmup",
        "num_warmup_steps, num_training_steps, num_cycles=1, last_epoch=-1",
        "num_warmup_steps=5, num_training_steps=100, num_cycles=3",
        "lr * t / num_warmup_steps, then lr * (1 + cos(pi * (num_cycles * \
         progress % 1))) / 2",
        after: "Stays at 0."
    ),
    entry!(
        scaled,
        "get_polynomial_decay_schedule_with_warmup",
        "num_warmup_steps, num_training_steps, lr_end=1e-7, power=1.0, \
         last_epoch=-1",
        "num_warmup_steps=5, num_training_steps=100",
        "lr * t / num_warmup_steps, then lr_end + (lr - lr_end) * share left \
         ** power",
        absolute: "lr_end is a rate. An lr that is not above it is refused.",
        after: "Stays at lr_end."
    ),
    entry!(
        scaled,
        "get_inverse_sqrt_schedule",
        "num_warmup_steps, timescale=None, last_epoch=-1",
        "num_warmup_steps=5",
        "lr * t / num_warmup_steps, then lr / sqrt((t + timescale - \
         num_warmup_steps) / timescale), with timescale = num_warmup_steps \
         where it is not given, 10000 without a warm-up",
        after: "Goes on."
    ),
    entry!(
        scaled,
        "get_cosine_with_min_lr_schedule_with_warmup",
        "num_warmup_steps, num_training_steps, num_cycles=0.5, \
         last_epoch=-1, min_lr=None, min_lr_rate=None",
        "num_warmup_steps=5, num_training_steps=100, min_lr_rate=0.1",
        "lr * t / num_warmup_steps, then the cosine from lr to min_lr",
        absolute: MIN_LR,
        after: "Goes on along the cosine: it rises again."
    ),
    entry!(
        scaled,
        "get_cosine_with_min_lr_schedule_with_warmup_lr_rate",
        "num_warmup_steps, num_training_steps, num_cycles=0.5, \
         last_epoch=-1, min_lr=None, min_lr_rate=None, warmup_lr_rate=None",
        "num_warmup_steps=5, num_training_steps=100, min_lr_rate=0.1",
        "lr * (t + 1) / num_warmup_steps, or from lr * warmup_lr_rate to lr \
         over num_warmup_steps - 1; then the cosine from lr to min_lr at t + 1",
        frame: "One update earlier than \
                get_cosine_with_min_lr_schedule_with_warmup: the first update \
                is above 0, and the end comes at the last update.",
        absolute: MIN_LR,
        after: "Goes on along the cosine: it rises again."
    ),
    entry!(
        scaled,
        "get_wsd_schedule",
        "num_warmup_steps, num_decay_steps, num_training_steps=None, \
         num_stable_steps=None, warmup_type='linear', decay_type='cosine', \
         min_lr_ratio=0, num_cycles=0.5, last_epoch=-1",
        "num_warmup_steps=5, num_decay_steps=20, num_training_steps=100",
        "from lr * min_lr_ratio to lr over num_warmup_steps, lr over \
         num_stable_steps, back over num_decay_steps",
        after: "Stays at lr * min_lr_ratio."
    ),
];

/// The types of `SchedulerType` with their functions.
const TYPES: [(&str, &str); 10] = [
    ("linear", "get_linear_schedule_with_warmup"),
    ("cosine", "get_cosine_schedule_with_warmup"),
    (
        "cosine_with_restarts",
        "get_cosine_with_hard_restarts_schedule_with_warmup",
    ),
    ("polynomial", "get_polynomial_decay_schedule_with_warmup"),
    ("constant", "get_constant_schedule"),
    ("constant_with_warmup", "get_constant_schedule_with_warmup"),
    ("inverse_sqrt", "get_inverse_sqrt_schedule"),
    ("cosine_with_min_lr", "get_cosine_with_min_lr_schedule_with_warmup"),
    (
        "cosine_warmup_with_min_lr",
        "get_cosine_with_min_lr_schedule_with_warmup_lr_rate",
    ),
    ("warmup_stable_decay", "get_wsd_schedule"),
];

/// The factor of a call of this name; `None` where it is none of a schedule
/// that loops step.
///
/// # Errors
///
/// If the function does not take the arguments.
pub(super) fn scheduler(
    call: &Call,
    run: &Run,
) -> Result<Option<Factor>, Problem> {
    if !steps(&call.name) {
        return Ok(None);
    }
    let entry = PACKAGE.entry(&call.name)?;
    let arguments = Arguments::bind(entry.signature, call)?;
    factor(entry.name, &arguments, run).map(Some)
}

/// Whether `name` is a function that makes a scheduler.
pub(super) fn steps(name: &str) -> bool {
    let known = ENTRIES.iter().any(|entry| entry.name == name);
    known && name != "TrainingArguments"
}

/// The peak times the factor of a function.
fn scaled(
    name: &str,
    arguments: &Arguments,
    run: &Run,
) -> Result<Vec<f64>, Problem> {
    let factor = factor(name, arguments, run)?;
    Ok(run.each(|update| run.peak * factor(update)))
}

fn factor(
    name: &str,
    arguments: &Arguments,
    run: &Run,
) -> Result<Factor, Problem> {
    if arguments.has("last_epoch") && arguments.whole("last_epoch")? != -1 {
        let why = "a scheduler that resumes is not read here, only -1";
        return Err(arguments.refused("last_epoch", why));
    }
    match name {
        "TrainingArguments" => trained(arguments, run),
        "get_scheduler" => {
            let given = |key| arguments.literal(key).ok().cloned();
            let number = |key| given(key).filter(|v| *v != Literal::None);
            typed(
                ("name", "scheduler_specific_kwargs"),
                arguments,
                number("num_warmup_steps"),
                number("num_training_steps"),
                run,
            )
        }
        "get_constant_schedule" | "get_constant_schedule_with_warmup" => {
            constant(arguments, run)
        }
        "get_linear_schedule_with_warmup" => linear(arguments, run),
        "get_cosine_schedule_with_warmup" => {
            cosine(arguments, arguments.number("num_cycles")?)
        }
        "get_cosine_with_hard_restarts_schedule_with_warmup" => {
            restarts(arguments, run)
        }
        "get_polynomial_decay_schedule_with_warmup" => {
            polynomial(arguments, run, arguments.number("lr_end")?)
        }
        "get_inverse_sqrt_schedule" => inverse_sqrt(arguments),
        "get_cosine_with_min_lr_schedule_with_warmup" => min_lr(arguments, run),
        "get_wsd_schedule" => stable(arguments),
        _ => min_lr_from_first(arguments, run),
    }
}

/// What the Trainer makes of its arguments.
fn trained(arguments: &Arguments, run: &Run) -> Result<Factor, Problem> {
    if arguments.given("deepspeed") {
        let why = "DeepSpeed's configuration may have a scheduler: read that \
                   with `--compat deepspeed`, or leave `deepspeed` out";
        return Err(arguments.refused("deepspeed", why));
    }
    let given = arguments.number_or_none("learning_rate")?;
    if given.is_some_and(|rate| rate != run.peak) {
        let why = "`learning_rate` is the rate that the optimizer is made \
                   with: leave it out, or give the same as the peak";
        return Err(arguments.refused("learning_rate", why));
    }
    let plan = match arguments.whole("max_steps")? {
        none if none <= 0 => run.steps as f64,
        steps => steps as f64,
    };
    if run.steps as f64 > plan {
        let message =
            format!("the Trainer stops after {plan} updates, its `max_steps`");
        return Err(Problem::at("steps", message));
    }
    let warmup = arguments.number("warmup_steps")?;
    if warmup < 0.0 {
        let why = "`warmup_steps` must be 0 or more";
        return Err(arguments.refused("warmup_steps", why));
    }
    let warmup =
        if warmup >= 1.0 { warmup.trunc() } else { (plan * warmup).ceil() };
    typed(
        ("lr_scheduler_type", "lr_scheduler_kwargs"),
        arguments,
        Some(Literal::Real(warmup)),
        Some(Literal::Real(plan)),
        run,
    )
}

/// The factor of the function for a type, called as `get_scheduler` does.
fn typed(
    (kind, others): (&str, &str),
    arguments: &Arguments,
    warmup: Option<Literal>,
    training: Option<Literal>,
    run: &Run,
) -> Result<Factor, Problem> {
    let reacts = ["reduce_lr_on_plateau", "greedy"];
    if reacts.contains(&arguments.text(kind)?) {
        let why = "this schedule follows the loss: it has no rates before the \
                   training";
        return Err(arguments.refused(kind, why));
    }
    let types = TYPES.map(|(name, _)| name);
    let (name, function) = TYPES[arguments.word(kind, &types)?];
    let mut call = Call { name: function.to_owned(), ..Call::default() };
    let mut pass = |key: &str, value: Option<Literal>| {
        call.keyword.extend(value.map(|value| (key.to_owned(), value)));
    };
    if name != "constant" {
        pass("num_warmup_steps", warmup);
    }
    if !["constant", "constant_with_warmup", "inverse_sqrt"].contains(&name) {
        pass("num_training_steps", training);
    }
    let takes = !["constant", "constant_with_warmup"].contains(&name);
    match arguments.literal(others)? {
        Literal::None => {}
        Literal::Dict(_) if !takes => {}
        Literal::Dict(pairs) => {
            for (key, value) in pairs {
                let Literal::Text(key) = key else {
                    return Err(arguments.wrong(others, "text as its keys"));
                };
                call.keyword.push((key.clone(), value.clone()));
            }
        }
        _ => return Err(arguments.wrong(others, "a dictionary")),
    }
    let entry = PACKAGE.entry(function)?;
    factor(function, &Arguments::bind(entry.signature, &call)?, run)
}
