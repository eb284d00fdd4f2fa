//! The functions that make a list of rates. They compute in float64; the
//! optimizer holds the list in float32.

use super::super::{Arguments, Run, raises};
use super::{floor, positive, range, rate, single};
use crate::error::Problem;
use std::f64::consts::{E, PI};

/// The rates of the list `name`, one for each update.
pub(super) fn rates(
    name: &str,
    arguments: &Arguments,
    run: &Run,
) -> Result<Vec<f64>, Problem> {
    let list = match name {
        "piecewise_constant_lr" => piecewise(arguments, run.steps)?,
        _ => by_epoch(name, arguments, run)?,
    };
    if list.len() < run.steps {
        return Err(raises(name, list.len() - 1));
    }
    let held = |rate: &f64| f64::from(single(*rate));
    Ok(list[..run.steps].iter().map(held).collect())
}

/// The rates of `steps` updates, or fewer where the list is shorter.
fn piecewise(arguments: &Arguments, steps: usize) -> Result<Vec<f64>, Problem> {
    let milestones = arguments.wholes("milestone")?;
    let rates = arguments.numbers("learning_rates")?;
    let rises = milestones.windows(2).all(|pair| pair[0] <= pair[1]);
    let begins = milestones.first().is_some_and(|&first| first > 0);
    if !rises || !begins || milestones.len() != rates.len() {
        let why = "`milestone` must rise from 1 or more and be as long as \
                   `learning_rates`";
        return Err(arguments.refused("milestone", why));
    }
    let mut list = vec![];
    for (end, rate) in milestones.iter().zip(rates) {
        let end = usize::try_from(*end).unwrap_or(steps);
        list.resize(end.min(steps), rate);
    }
    Ok(list)
}

fn by_epoch(
    name: &str,
    arguments: &Arguments,
    run: &Run,
) -> Result<Vec<f64>, Problem> {
    let key = if name == "warmup_lr" { "warmup_epoch" } else { "decay_epoch" };
    let over = arguments.count(key)? as f64;
    let updates = arguments.count("step_per_epoch")?;
    let total = arguments.count("total_step")?;
    let rule = rule(name, arguments, run, over)?;
    let epoch = |update: usize| (update / updates) as f64;
    Ok((0..total.min(run.steps)).map(|update| rule(epoch(update))).collect())
}

/// The rate as a function of the epoch.
type Rule = Box<dyn Fn(f64) -> f64>;

fn rule(
    name: &str,
    arguments: &Arguments,
    run: &Run,
    over: f64,
) -> Result<Rule, Problem> {
    if name == "cosine_decay_lr" {
        let (low, high) = range(arguments, run)?;
        let half = 0.5 * (high - low);
        return Ok(Box::new(move |epoch: f64| {
            low + half * (1.0 + (PI * epoch.min(over) / over).cos())
        }));
    }
    let peak = rate(arguments, "learning_rate", run)?;
    if name == "warmup_lr" {
        return Ok(Box::new(move |epoch| peak * epoch.min(over) / over));
    }
    if name == "polynomial_decay_lr" {
        let end = floor(arguments, "end_learning_rate")?;
        let power = positive(arguments, "power")?;
        let repeats = arguments.flag("update_decay_epoch")?;
        return Ok(Box::new(move |epoch| {
            let (now, whole) = if repeats {
                (epoch, over * (epoch / over).ceil().max(1.0))
            } else {
                (epoch.min(over), over)
            };
            (peak - end) * (1.0 - now / whole).powf(power) + end
        }));
    }
    let decay = positive(arguments, "decay_rate")?;
    let stairs = arguments.flag("is_stair")?;
    let periods = move |epoch: f64| {
        let periods = epoch / over;
        if stairs { periods.floor() } else { periods }
    };
    Ok(match name {
        "exponential_decay_lr" => {
            Box::new(move |epoch| peak * decay.powf(periods(epoch)))
        }
        "natural_exp_decay_lr" => Box::new(move |epoch| {
            let epoch = if stairs { periods(epoch) * over } else { epoch };
            peak * E.powf(-decay * epoch)
        }),
        _ => Box::new(move |epoch| peak / (1.0 + decay * periods(epoch))),
    })
}
