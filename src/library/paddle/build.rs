//! From calls to schedulers, with the checks of paddle's constructors.

use super::super::{Arguments, Call, Literal};
use super::PACKAGE;
use super::scheduler::{Mode, Phase, Rule, Scheduler, Then};
use crate::error::Problem;

/// The scheduler of `call`.
///
/// # Errors
///
/// If paddle has no such scheduler or refuses its arguments.
fn scheduler(call: &Call, peak: f64) -> Result<Scheduler, Problem> {
    let entry = PACKAGE.entry(&call.name)?;
    let arguments = Arguments::bind(entry.signature, call)?;
    made(entry.name, &arguments, peak)
}

/// The scheduler `name`, which is one of the entries.
///
/// # Errors
///
/// If paddle refuses its arguments.
pub(super) fn made(
    name: &str,
    arguments: &Arguments,
    peak: f64,
) -> Result<Scheduler, Problem> {
    arguments.anew("last_epoch")?;
    arguments.flag("verbose")?;
    let number = |key| arguments.number(key);
    let rule = match name {
        "NoamDecay" => Rule::Noam {
            model: arguments.count("d_model")? as f64,
            warmup: arguments.count("warmup_steps")? as f64,
        },
        "PiecewiseDecay" => piecewise(arguments)?,
        "NaturalExpDecay" => {
            Rule::NaturalExp { gamma: positive(arguments, "gamma")? }
        }
        "InverseTimeDecay" => Rule::InverseTime { gamma: number("gamma")? },
        "PolynomialDecay" => Rule::Polynomial {
            steps: arguments.count("decay_steps")? as f64,
            end: number("end_lr")?,
            power: positive(arguments, "power")?,
            cycle: arguments.flag("cycle")?,
        },
        "ExponentialDecay" => {
            positive(arguments, "gamma")?;
            Rule::Exponential { gamma: below_one(arguments)? }
        }
        "MultiStepDecay" => {
            let milestones = arguments.wholes("milestones")?;
            if milestones.windows(2).any(|pair| pair[0] >= pair[1]) {
                let why = "`milestones` must rise";
                return Err(arguments.refused("milestones", why));
            }
            Rule::MultiStep { milestones, gamma: below_one(arguments)? }
        }
        "StepDecay" => Rule::Step {
            size: arguments.positive("step_size")?,
            gamma: below_one(arguments)?,
        },
        "CosineAnnealingDecay" => Rule::Cosine {
            t_max: arguments.positive("T_max")?,
            end: number("eta_min")?,
        },
        "CosineAnnealingWarmRestarts" => {
            let t_0 = arguments.positive("T_0")?;
            let t_mult = arguments.positive("T_mult")?;
            let (end, length) = (number("eta_min")?, t_0 as f64);
            Rule::Restarts { t_0, t_mult, end, now: 0.0, length }
        }
        "LinearLR" => Rule::Linear {
            start: {
                positive(arguments, "start_factor")?;
                share(arguments, "start_factor")?
            },
            end: share(arguments, "end_factor")?,
            total: arguments.positive("total_steps")?,
        },
        "OneCycleLR" => return one_cycle(arguments, peak),
        "CyclicLR" => return cyclic(arguments, peak),
        _ => return warmup(arguments, peak),
    };
    let base = match (name, &rule) {
        ("PiecewiseDecay", Rule::Piecewise { values, .. }) => values[0],
        _ => arguments.number_or("learning_rate", peak)?,
    };
    if base < 0.0 {
        let why = "`learning_rate` must be 0 or more";
        return Err(arguments.refused("learning_rate", why));
    }
    Ok(Scheduler::new(rule, base))
}

fn positive(arguments: &Arguments, key: &str) -> Result<f64, Problem> {
    let value = Some(arguments.number(key)?).filter(|&value| value > 0.0);
    value.ok_or_else(|| {
        arguments.refused(key, &format!("`{key}` must be above 0"))
    })
}

fn share(arguments: &Arguments, key: &str) -> Result<f64, Problem> {
    let value = arguments.number(key)?;
    if (0.0..=1.0).contains(&value) {
        return Ok(value);
    }
    Err(arguments.refused(key, &format!("`{key}` must be between 0 and 1")))
}

fn below_one(arguments: &Arguments) -> Result<f64, Problem> {
    let gamma = arguments.number("gamma")?;
    if gamma < 1.0 {
        return Ok(gamma);
    }
    Err(arguments.refused("gamma", "`gamma` must be below 1"))
}

fn piecewise(arguments: &Arguments) -> Result<Rule, Problem> {
    let boundaries = arguments.wholes("boundaries")?;
    let values = arguments.numbers("values")?;
    if boundaries.is_empty() || values.len() <= boundaries.len() {
        let why = "`values` must have one number more than `boundaries`, \
                   which must not be empty";
        return Err(arguments.refused("values", why));
    }
    Ok(Rule::Piecewise { boundaries, values })
}

fn one_cycle(arguments: &Arguments, peak: f64) -> Result<Scheduler, Problem> {
    let top = arguments.number_or("max_learning_rate", peak)?;
    let end = arguments.number("end_learning_rate")?;
    let total = arguments.positive("total_steps")?;
    let whole = total as f64;
    let start = top / arguments.number("divide_factor")?;
    let rise = arguments.real("phase_pct")?;
    if top < 0.0 || end < 0.0 {
        let why = "the rates must be 0 or more";
        return Err(arguments.refused("end_learning_rate", why));
    }
    share(arguments, "phase_pct")?;
    let last = whole - 1.0;
    let first = rise * whole - 1.0;
    let phases: Vec<Phase> = if arguments.flag("three_phase")? {
        if rise >= 0.5 {
            let why = "`phase_pct` must be below 0.5 with three phases";
            return Err(arguments.refused("phase_pct", why));
        }
        let second = 2.0 * rise * whole - 2.0;
        vec![
            (first, first, start, top),
            (second, second - first, top, start),
            (last, last - second, start, end),
        ]
    } else {
        vec![(first, first, start, top), (last, last - first, top, end)]
    };
    let cosine = arguments.word("anneal_strategy", &["cos", "linear"])? == 0;
    Ok(Scheduler::new(Rule::OneCycle { phases, cosine, total }, start))
}

fn cyclic(arguments: &Arguments, peak: f64) -> Result<Scheduler, Problem> {
    if arguments.given("scale_fn") {
        let why = "a function of the script cannot be read here";
        return Err(arguments.refused("scale_fn", why));
    }
    let base = arguments.number("base_learning_rate")?;
    let top = arguments.number_or("max_learning_rate", peak)?;
    if base < 0.0 || top < 0.0 {
        let why = "the rates must be 0 or more";
        return Err(arguments.refused("base_learning_rate", why));
    }
    let up = arguments.count("step_size_up")? as f64;
    let down = match arguments.whole_or_none("step_size_down")? {
        Some(_) => arguments.count("step_size_down")? as f64,
        None => up,
    };
    let gamma = arguments.real("exp_gamma")?;
    let modes = ["triangular", "triangular2", "exp_range"];
    let mode = match arguments.word("mode", &modes)? {
        0 => Mode::Same,
        1 => Mode::Halved,
        _ => Mode::Decayed(gamma),
    };
    let rule = Rule::Cyclic { height: top - base, up, down, mode };
    Ok(Scheduler::new(rule, base))
}

fn warmup(arguments: &Arguments, peak: f64) -> Result<Scheduler, Problem> {
    let inner = arguments.given("learning_rate");
    let then = match inner.then(|| arguments.literal("learning_rate")) {
        Some(Ok(Literal::Call(call))) => {
            Then::Scheduler(scheduler(call, peak)?)
        }
        _ => Then::Rate(arguments.number_or("learning_rate", peak)?),
    };
    let start = arguments.number("start_lr")?;
    let end = arguments.number_or("end_lr", peak)?;
    if end <= start {
        let why = "`end_lr` must be above `start_lr`";
        return Err(arguments.refused("end_lr", why));
    }
    if start < 0.0 {
        let why = "`start_lr` must be 0 or more";
        return Err(arguments.refused("start_lr", why));
    }
    let steps = arguments.positive("warmup_steps")?;
    let rule = Rule::Warmup { then: Box::new(then), steps, start, end };
    Ok(Scheduler::new(rule, start))
}
