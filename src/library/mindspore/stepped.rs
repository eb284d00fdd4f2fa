//! The classes of `mindspore.experimental.optim.lr_scheduler`: a step of the
//! scheduler after each update changes the rate, in float32.

use super::super::{Arguments, Run};
use super::single;
use crate::error::Problem;
use std::f32::consts::PI;

/// A scheduler; rates and factors are float32.
enum Rule {
    Step { size: usize, gamma: f32 },
    Linear { start: f64, end: f64, total: f64 },
    Exponential { gamma: f32 },
    Polynomial { total: f32, power: f32 },
    MultiStep { milestones: Vec<i64>, gamma: f64 },
    Constant { factor: f32, total: usize },
    Cyclic { top: f32, up: f64, down: f64, mode: Mode },
    Restarts { now: f32, length: f32, t_mult: f32, end: f32 },
    Cosine { t_max: usize, end: f32 },
}

/// How the height of a cycle changes.
#[derive(Clone, Copy)]
enum Mode {
    Same,
    Halved,
    /// A factor to the power of the count.
    Decayed(f32),
}

/// The rates of the scheduler `name`.
pub(super) fn rates(
    name: &str,
    arguments: &Arguments,
    run: &Run,
) -> Result<Vec<f64>, Problem> {
    arguments.anew("last_epoch")?;
    let mut rule = rule(name, arguments, run)?;
    let base = match rule {
        Rule::Cyclic { .. } => single(arguments.number("base_lr")?),
        _ => single(run.peak),
    };
    let mut rate = base;
    let next = |count| {
        rate = rule.next(count, base, rate);
        f64::from(rate)
    };
    Ok((0..run.steps).map(next).collect())
}

fn rule(name: &str, arguments: &Arguments, run: &Run) -> Result<Rule, Problem> {
    let number = |key| arguments.number(key).map(single);
    let total = || arguments.count("total_iters");
    Ok(match name {
        "StepLR" => Rule::Step {
            size: arguments.count("step_size")?,
            gamma: single(arguments.real("gamma")?),
        },
        "LinearLR" => Rule::Linear {
            start: share(arguments, "start_factor", true)?,
            end: share(arguments, "end_factor", false)?,
            total: total()? as f64,
        },
        "ExponentialLR" => {
            Rule::Exponential { gamma: single(arguments.real("gamma")?) }
        }
        "PolynomialLR" => Rule::Polynomial {
            total: single(total()? as f64),
            power: single(arguments.real("power")?),
        },
        "MultiStepLR" => Rule::MultiStep {
            milestones: arguments.wholes("milestones")?,
            gamma: arguments.number("gamma")?,
        },
        "ConstantLR" => Rule::Constant {
            factor: single(share(arguments, "factor", false)?),
            total: total()?,
        },
        "CyclicLR" => cyclic(arguments, run)?,
        "CosineAnnealingWarmRestarts" => Rule::Restarts {
            now: 0.0,
            length: single(arguments.count("T_0")? as f64),
            t_mult: single(arguments.count("T_mult")? as f64),
            end: number("eta_min")?,
        },
        _ => Rule::Cosine {
            t_max: arguments.count("T_max")?,
            end: number("eta_min")?,
        },
    })
}

fn share(
    arguments: &Arguments,
    key: &str,
    above: bool,
) -> Result<f64, Problem> {
    let value = arguments.number(key)?;
    if (0.0..=1.0).contains(&value) && !(above && value == 0.0) {
        return Ok(value);
    }
    let least = if above { "above 0" } else { "0 or more" };
    let why = format!("`{key}` must be {least} and at most 1");
    Err(arguments.refused(key, &why))
}

fn cyclic(arguments: &Arguments, run: &Run) -> Result<Rule, Problem> {
    if arguments.given("scale_fn") {
        let why = "a function of the script cannot be read here";
        return Err(arguments.refused("scale_fn", why));
    }
    let up = arguments.count("step_size_up")? as f64;
    let down = arguments.number_or_none("step_size_down")?.unwrap_or(up);
    let modes = ["triangular", "triangular2", "exp_range"];
    let mode = match arguments.word("mode", &modes)? {
        0 => Mode::Same,
        1 => Mode::Halved,
        _ => Mode::Decayed(single(arguments.number("gamma")?)),
    };
    let top = single(arguments.number_or("max_lr", run.peak)?);
    Ok(Rule::Cyclic { top, up, down, mode })
}

impl Rule {
    /// The rate after `count` steps, where it was `rate`.
    fn next(&mut self, count: usize, base: f32, rate: f32) -> f32 {
        let t = single(count as f64);
        match self {
            Self::Step { size, gamma } => {
                if count == 0 || !count.is_multiple_of(*size) {
                    rate
                } else {
                    rate * *gamma
                }
            }
            Self::Linear { start, end, total } => {
                if count == 0 {
                    return rate * single(*start);
                }
                if count as f64 > *total {
                    return rate;
                }
                let rise = single(*end - *start);
                let before = single(*total * *start) + (t - 1.0) * rise;
                rate * (1.0 + rise / before)
            }
            Self::Exponential { gamma } => {
                if count == 0 {
                    rate
                } else {
                    rate * *gamma
                }
            }
            Self::Polynomial { total, power } => {
                if count == 0 || t > *total {
                    return rate;
                }
                let left = |t: f32| 1.0 - t / *total;
                rate * (left(t) / left(t - 1.0)).powf(*power)
            }
            Self::MultiStep { milestones, gamma } => {
                let here = |&&at: &&i64| usize::try_from(at) == Ok(count);
                let here = milestones.iter().filter(here).count();
                rate * single(gamma.powf(here as f64))
            }
            Self::Constant { factor, total } => match count {
                0 => rate * *factor,
                _ if count == *total => rate / *factor,
                _ => rate,
            },
            Self::Cyclic { top, up, down, mode } => {
                let whole = single(*up + *down);
                let ratio = *up / (*up + *down);
                let cycle = (1.0 + t / whole).floor();
                let x = 1.0 + t / whole - cycle;
                let share = if x <= single(ratio) {
                    x / single(ratio)
                } else {
                    (x - 1.0) / single(ratio - 1.0)
                };
                let scale = match mode {
                    Mode::Same => 1.0,
                    Mode::Halved => 1.0 / 2_f32.powf(cycle - 1.0),
                    Mode::Decayed(gamma) => gamma.powf(t),
                };
                base + (*top - base) * share * scale
            }
            Self::Restarts { now, length, t_mult, end } => {
                if count > 0 {
                    *now += 1.0;
                    if *now >= *length {
                        *now -= *length;
                        *length *= *t_mult;
                    }
                }
                let height = 1.0 + (PI * *now / *length).cos();
                *end + (base - *end) * height / 2.0
            }
            Self::Cosine { t_max, end } => {
                if count == 0 {
                    return rate;
                }
                let whole = single(*t_max as f64);
                let turn = count.checked_sub(*t_max + 1);
                if turn.is_some_and(|after| after.is_multiple_of(2 * *t_max)) {
                    return rate
                        + (base - *end) * (1.0 - (PI / whole).cos()) / 2.0;
                }
                let height = |t: f32| 1.0 + (PI * t / whole).cos();
                height(t) / height(t - 1.0) * (rate - *end) + *end
            }
        }
    }
}
