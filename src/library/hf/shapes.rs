//! The factors that transformers alone has.

use std::f64::consts::PI;

use super::super::{Arguments, Run};
use super::Factor;
use crate::error::Problem;

pub(super) fn inverse_sqrt(arguments: &Arguments) -> Result<Factor, Problem> {
    let warmup = arguments.number("num_warmup_steps")?;
    let default = if warmup == 0.0 { 10_000.0 } else { warmup };
    let scale = arguments.number_or_none("timescale")?.unwrap_or(default);
    if scale <= 0.0 {
        return Err(arguments.refused("timescale", "it must be above 0"));
    }
    Ok(Box::new(move |update| {
        let t = update as f64;
        if t < warmup {
            return t / warmup.max(1.0);
        }
        1.0 / ((t + (scale - warmup)) / scale).sqrt()
    }))
}

/// The lowest factor of a cosine, of which one of two arguments is given.
fn lowest(arguments: &Arguments, run: &Run) -> Result<f64, Problem> {
    let rate = arguments.number_or_none("min_lr")?;
    let ratio = arguments.number_or_none("min_lr_rate")?;
    match (rate, ratio) {
        (Some(rate), None) => Ok(rate / run.peak),
        (None, Some(ratio)) => Ok(ratio),
        _ => {
            let why = "give either `min_lr` or `min_lr_rate`";
            Err(arguments.refused("min_lr", why))
        }
    }
}

/// The updates of the warm-up, those after it, and the factor at a share of
/// these: a cosine to the lowest one.
fn to_lowest(
    arguments: &Arguments,
    run: &Run,
) -> Result<(f64, f64, impl Fn(f64) -> f64 + Send + Sync + use<>), Problem> {
    let low = lowest(arguments, run)?;
    let warmup = arguments.number("num_warmup_steps")?;
    let whole = (arguments.number("num_training_steps")? - warmup).max(1.0);
    let cycles = arguments.number("num_cycles")?;
    let factor = move |share: f64| {
        let x = PI * cycles * 2.0 * share;
        (0.5 * (1.0 + x.cos()) * (1.0 - low) + low).max(0.0)
    };
    Ok((warmup, whole, factor))
}

pub(super) fn min_lr(
    arguments: &Arguments,
    run: &Run,
) -> Result<Factor, Problem> {
    let (warmup, whole, factor) = to_lowest(arguments, run)?;
    Ok(Box::new(move |update| {
        let t = update as f64;
        if t < warmup {
            return t / warmup.max(1.0);
        }
        factor((t - warmup) / whole)
    }))
}

pub(super) fn min_lr_from_first(
    arguments: &Arguments,
    run: &Run,
) -> Result<Factor, Problem> {
    let (warmup, whole, factor) = to_lowest(arguments, run)?;
    let first = arguments.number_or_none("warmup_lr_rate")?;
    Ok(Box::new(move |update| {
        let t = update as f64;
        if t < warmup {
            return match first {
                None => (t + 1.0) / warmup.max(1.0),
                Some(first) => {
                    first + (1.0 - first) * t / (warmup - 1.0).max(1.0)
                }
            };
        }
        factor((t - warmup + 1.0) / whole)
    }))
}

/// Warm-up, stable phase and decay.
pub(super) fn stable(arguments: &Arguments) -> Result<Factor, Problem> {
    let number = |key| arguments.number(key);
    let warmup = number("num_warmup_steps")?;
    let decay = number("num_decay_steps")?;
    let whole = arguments.number_or_none("num_training_steps")?;
    let flat = match (arguments.number_or_none("num_stable_steps")?, whole) {
        (Some(flat), _) => flat,
        (None, Some(whole)) => whole - warmup - decay,
        (None, None) => {
            let why = "give `num_training_steps` or `num_stable_steps`";
            return Err(arguments.refused("num_training_steps", why));
        }
    };
    let kinds = ["linear", "cosine", "1-sqrt"];
    let rise = arguments.word("warmup_type", &kinds)?;
    let fall = arguments.word("decay_type", &kinds)?;
    let (low, cycles) = (number("min_lr_ratio")?, number("num_cycles")?);
    Ok(Box::new(move |update| {
        let t = update as f64;
        let factor = if t < warmup {
            let x = t / warmup.max(1.0);
            match rise {
                0 => x,
                1 => 0.5 * (1.0 - (PI * x).cos()),
                _ => 1.0 - (1.0 - x).sqrt(),
            }
        } else if t < warmup + flat {
            return 1.0;
        } else if t < warmup + flat + decay {
            let x = (t - warmup - flat) / decay.max(1.0);
            match fall {
                0 => 1.0 - x,
                1 => 0.5 * (1.0 + (PI * cycles * 2.0 * x).cos()),
                _ => 1.0 - x.sqrt(),
            }
        } else {
            return low;
        };
        (factor * (1.0 - low) + low).max(0.0)
    }))
}
