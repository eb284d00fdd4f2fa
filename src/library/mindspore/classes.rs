//! The classes of `mindspore.nn`: functions of the optimizer's count, in
//! float32 from the first operation on.

use super::super::{Arguments, Run};
use super::{floor, positive, range, rate, single};
use crate::error::Problem;
use std::f32::consts::{E, PI};

/// The rate as a function of the update.
type Rule = Box<dyn Fn(f32) -> f32>;

/// The rates of the class `name`.
pub(super) fn rates(
    name: &str,
    arguments: &Arguments,
    run: &Run,
) -> Result<Vec<f64>, Problem> {
    let rule = rule(name, arguments, run)?;
    Ok(run.each(|update| f64::from(rule(update as f32))))
}

fn rule(name: &str, arguments: &Arguments, run: &Run) -> Result<Rule, Problem> {
    let key = if name == "WarmUpLR" { "warmup_steps" } else { "decay_steps" };
    let over = single(arguments.count(key)? as f64);
    if name == "CosineDecayLR" {
        let (low, high) = range(arguments, run)?;
        let half = single(0.5 * (high - low));
        let low = single(low);
        return Ok(Box::new(move |t: f32| {
            low + half * (1.0 + (PI * (t.min(over) / over + 0.5)).sin())
        }));
    }
    let start = rate(arguments, "learning_rate", run)?;
    let peak = single(start);
    if name == "WarmUpLR" {
        return Ok(Box::new(move |t: f32| peak * (t.min(over) / over)));
    }
    if name == "PolynomialDecayLR" {
        let end = floor(arguments, "end_learning_rate")?;
        let (height, end) = (single(start - end), single(end));
        let power = single(positive(arguments, "power")?);
        let repeats = arguments.flag("update_decay_steps")?;
        return Ok(Box::new(move |t: f32| {
            let (now, whole) = if repeats {
                (t, over * (t / over).ceil().max(1.0))
            } else {
                (t.min(over), over)
            };
            height * (1.0 - now / whole).powf(power) + end
        }));
    }
    let decay = single(positive(arguments, "decay_rate")?);
    let stairs = arguments.flag("is_stair")?;
    let periods = move |t: f32| {
        let periods = t / over;
        if stairs { periods.floor() } else { periods }
    };
    Ok(match name {
        "ExponentialDecayLR" => {
            Box::new(move |t| peak * decay.powf(periods(t)))
        }
        "NaturalExpDecayLR" => Box::new(move |t| {
            let t = if stairs { periods(t) * over } else { t };
            peak * E.powf(-decay * t)
        }),
        _ => Box::new(move |t| peak / (1.0 + decay * periods(t))),
    })
}
