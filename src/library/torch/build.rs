//! From calls to schedulers, with the checks of torch's constructors.

use super::super::{Arguments, Call};
use super::scheduler::{Group, Mode, Phase, Rule, Scheduler};
use super::{ENTRIES, PACKAGE};
use crate::error::Problem;

/// The scheduler of `call` on `group`, after its constructor.
///
/// # Errors
///
/// If torch has no such scheduler or refuses its arguments.
pub(in super::super) fn scheduler(
    call: &Call,
    group: &mut Group,
) -> Result<Scheduler, Problem> {
    if ["LambdaLR", "MultiplicativeLR"].contains(&call.name.as_str()) {
        let message = format!(
            "`{}` calls a function of the script, which cannot be read here: \
             write its rates to a file and use `kind = \"table\"`",
            call.name
        );
        return Err(Problem::whole(message));
    }
    let entry = PACKAGE.entry(&call.name)?;
    let arguments = Arguments::bind(entry.signature, call)?;
    made(entry.name, &arguments, group)
}

/// The scheduler `name`, which is one of the entries.
pub(super) fn made(
    name: &str,
    arguments: &Arguments,
    group: &mut Group,
) -> Result<Scheduler, Problem> {
    debug_assert!(ENTRIES.iter().any(|entry| entry.name == name));
    let parts = match name {
        "SequentialLR" | "ChainedScheduler" => {
            let calls = arguments.calls("schedulers")?;
            if calls.is_empty() {
                return Err(arguments.wrong("schedulers", "a list of calls"));
            }
            let part = |call| scheduler(call, group);
            calls.into_iter().map(part).collect::<Result<Vec<_>, _>>()?
        }
        _ => vec![],
    };
    match name {
        "SequentialLR" => return sequential(arguments, parts, group),
        "ChainedScheduler" => {
            let rule = Rule::Chained { parts };
            return Ok(Scheduler { rule, base: group.lr, last: 0, made: 1 });
        }
        _ => {}
    }
    arguments.anew("last_epoch")?;
    let rule = rule(name, arguments, group)?;
    let base = *group.initial.get_or_insert(group.lr);
    let mut made = Scheduler { rule, base, last: -1, made: 0 };
    made.begin(group);
    // CyclicLR has its own base only after the constructor's step.
    if let Rule::Cyclic { .. } = made.rule {
        made.base = arguments.number("base_lr")?;
    }
    Ok(made)
}

fn sequential(
    arguments: &Arguments,
    mut parts: Vec<Scheduler>,
    group: &mut Group,
) -> Result<Scheduler, Problem> {
    let milestones = arguments.wholes("milestones")?;
    if milestones.len() + 1 != parts.len() {
        let why = "`milestones` must be one less than `schedulers`";
        return Err(arguments.refused("milestones", why));
    }
    let nests = |part: &Scheduler| {
        matches!(part.rule, Rule::Sequential { .. } | Rule::Chained { .. })
    };
    if parts.iter().any(nests) {
        let why = "torch fails where such a scheduler's turn comes: join the \
                   parts in one `SequentialLR`";
        return Err(arguments.refused("schedulers", why));
    }
    let rising = milestones.windows(2).all(|pair| pair[0] < pair[1]);
    if !rising || milestones.first().is_some_and(|&first| first <= 0) {
        let why = "`milestones` must rise and be above 0";
        return Err(arguments.refused("milestones", why));
    }
    group.lr = group.initial.unwrap_or(group.lr);
    parts.iter_mut().for_each(Scheduler::undo);
    parts[0].begin(group);
    let base = group.lr;
    let rule = Rule::Sequential { parts, milestones };
    Ok(Scheduler { rule, base, last: 0, made: 1 })
}

fn rule(
    name: &str,
    arguments: &Arguments,
    group: &mut Group,
) -> Result<Rule, Problem> {
    let number = |key| arguments.number(key);
    let count = |key| arguments.positive(key);
    let share = |key: &str, above: bool| {
        let value = arguments.number(key)?;
        let low = if above { value > 0.0 } else { value >= 0.0 };
        if low && value <= 1.0 {
            return Ok(value);
        }
        let least = if above { "above 0" } else { "0 or more" };
        let why = format!("`{key}` must be {least} and at most 1");
        Err(arguments.refused(key, &why))
    };
    Ok(match name {
        "StepLR" => {
            Rule::Step { size: count("step_size")?, gamma: number("gamma")? }
        }
        "MultiStepLR" => Rule::MultiStep {
            milestones: arguments.wholes("milestones")?,
            gamma: number("gamma")?,
        },
        "ConstantLR" => Rule::Constant {
            factor: share("factor", false)?,
            total: arguments.whole("total_iters")?,
        },
        "LinearLR" => Rule::Linear {
            start: share("start_factor", true)?,
            end: share("end_factor", false)?,
            total: arguments.whole("total_iters")?,
        },
        "ExponentialLR" => Rule::Exponential { gamma: number("gamma")? },
        "PolynomialLR" => Rule::Polynomial {
            total: count("total_iters")?,
            power: number("power")?,
        },
        "CosineAnnealingLR" => {
            Rule::Cosine { t_max: count("T_max")?, end: number("eta_min")? }
        }
        "CosineAnnealingWarmRestarts" => {
            let (t_0, t_mult) = (count("T_0")?, count("T_mult")?);
            let end = number("eta_min")?;
            Rule::Restarts { t_mult, end, now: 0, length: t_0 }
        }
        "CyclicLR" => cyclic(arguments, group)?,
        "OneCycleLR" => one_cycle(arguments, group)?,
        _ => Rule::Swa {
            to: number("swa_lr")?,
            over: arguments.whole("anneal_epochs")?.max(0),
            cosine: arguments.word("anneal_strategy", &["cos", "linear"])? == 0,
        },
    })
}

/// `CyclicLR` starts at its own base rate.
fn cyclic(arguments: &Arguments, group: &mut Group) -> Result<Rule, Problem> {
    if arguments.given("scale_fn") {
        let why = "a function of the script cannot be read here";
        return Err(arguments.refused("scale_fn", why));
    }
    group.lr = arguments.number("base_lr")?;
    let up = arguments.count("step_size_up")? as f64;
    let down = arguments.number_or_none("step_size_down")?.unwrap_or(up);
    let modes = ["triangular", "triangular2", "exp_range"];
    let mode = match arguments.word("mode", &modes)? {
        0 => Mode::Same,
        1 => Mode::Halved,
        _ => Mode::Decayed(arguments.number("gamma")?),
    };
    Ok(Rule::Cyclic { top: arguments.number("max_lr")?, up, down, mode })
}

/// The `total_steps` of `OneCycleLR`, which may be given as epochs.
pub(super) fn total_steps(arguments: &Arguments) -> Result<i64, Problem> {
    match arguments.whole_or_none("total_steps")? {
        Some(_) => arguments.positive("total_steps"),
        None => Ok(arguments
            .positive("epochs")?
            .saturating_mul(arguments.positive("steps_per_epoch")?)),
    }
}

/// `OneCycleLR` has rates of its own, which also become the initial ones.
fn one_cycle(
    arguments: &Arguments,
    group: &mut Group,
) -> Result<Rule, Problem> {
    let total = total_steps(arguments)?;
    let whole = total as f64;
    let top = arguments.number("max_lr")?;
    let start = top / arguments.number("div_factor")?;
    let end = start / arguments.number("final_div_factor")?;
    group.initial = Some(start);
    let rise = arguments.number("pct_start")? * whole;
    let last = whole - 1.0;
    let phases: Vec<Phase> = if arguments.flag("three_phase")? {
        vec![
            (rise - 1.0, start, top),
            (2.0 * rise - 2.0, top, start),
            (last, start, end),
        ]
    } else {
        vec![(rise - 1.0, start, top), (last, top, end)]
    };
    let cosine = arguments.word("anneal_strategy", &["cos", "linear"])? == 0;
    Ok(Rule::OneCycle { phases, cosine, total })
}
