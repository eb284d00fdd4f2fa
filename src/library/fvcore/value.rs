//! Values at a share of the training, with the checks of fvcore's
//! constructors.

use super::super::{Arguments, Call, Literal};
use super::PACKAGE;
use crate::error::Problem;
use std::f64::consts::PI;

/// What fvcore adds to a share before it becomes an index.
const EPSILON: f64 = 1e-6;

/// The most steps of one scheduler that are held here.
const MOST: usize = 1_000_000;

/// A function of the share of the training.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Constant(f64),
    Cosine { start: f64, end: f64 },
    Exponential { start: f64, decay: f64 },
    Linear { start: f64, end: f64 },
    MultiStep { values: Vec<f64>, milestones: Vec<i64>, updates: f64 },
    Polynomial { base: f64, power: f64 },
    Steps(Vec<f64>),
    Composite(Vec<Part>),
}

/// A part of a composite value.
#[derive(Clone, Debug)]
pub(super) struct Part {
    value: Value,
    length: f64,
    rescaled: bool,
}

impl Value {
    /// The value at the share `x`; `None` where fvcore raises an error.
    pub(super) fn at(&self, x: f64) -> Option<f64> {
        let value = match self {
            Self::Constant(value) => (x < 1.0).then_some(*value)?,
            Self::Cosine { start, end } => {
                end + 0.5 * (start - end) * (1.0 + (PI * x).cos())
            }
            Self::Exponential { start, decay } => start * decay.powf(x),
            Self::Linear { start, end } => end * x + start * (1.0 - x),
            Self::MultiStep { values, milestones, updates } => {
                if x > 1.0 {
                    return None;
                }
                let now = ((x + EPSILON) * updates).trunc();
                let passed = milestones.iter();
                values[passed.filter(|&&at| at as f64 <= now).count()]
            }
            // A power of a negative share is a complex number in Python,
            // which no optimizer takes.
            Self::Polynomial { base, power } => base * (1.0 - x).powf(*power),
            Self::Steps(values) => {
                let now = ((x + EPSILON) * values.len() as f64).trunc();
                let steps = values.iter().enumerate();
                *steps
                    .map(|(i, value)| (i as f64, value))
                    .find(|(i, _)| *i == now)?
                    .1
            }
            Self::Composite(parts) => {
                let mut end = 0.0;
                let last = parts.len() - 1;
                let current = parts.iter().position(|part| {
                    end += part.length;
                    x + EPSILON <= end
                });
                let part = &parts[current.unwrap_or(last)];
                let begin = end - part.length;
                let x =
                    if part.rescaled { (x - begin) / part.length } else { x };
                part.value.at(x)?
            }
        };
        value.is_finite().then_some(value)
    }
}

/// The value of a call.
///
/// # Errors
///
/// If it is no scheduler of fvcore, or refuses its arguments.
pub(super) fn of(call: &Call) -> Result<Value, Problem> {
    let entry = PACKAGE.entry(&call.name)?;
    made(entry.name, &Arguments::bind(entry.signature, call)?)
}

/// The value of the entry `name`.
///
/// # Errors
///
/// If it is no scheduler of fvcore, or refuses its arguments.
pub(super) fn made(
    name: &str,
    arguments: &Arguments,
) -> Result<Value, Problem> {
    let number = |key| arguments.number(key);
    Ok(match name {
        "ConstantParamScheduler" => Value::Constant(number("value")?),
        "CosineParamScheduler" => Value::Cosine {
            start: number("start_value")?,
            end: number("end_value")?,
        },
        "ExponentialParamScheduler" => Value::Exponential {
            start: number("start_value")?,
            decay: number("decay")?,
        },
        "LinearParamScheduler" => Value::Linear {
            start: number("start_value")?,
            end: number("end_value")?,
        },
        "PolynomialDecayParamScheduler" => Value::Polynomial {
            base: number("base_value")?,
            power: number("power")?,
        },
        "MultiStepParamScheduler" => multi_step(arguments)?,
        "StepParamScheduler" => {
            let values = arguments.numbers("values")?;
            if number("num_updates")? <= 0.0 || values.is_empty() {
                let why = "`num_updates` must be above 0, and `values` must \
                           not be empty";
                return Err(arguments.refused("values", why));
            }
            Value::Steps(values)
        }
        "StepWithFixedGammaParamScheduler" => {
            let (base, gamma) = (number("base_value")?, number("gamma")?);
            arguments.count("num_updates")?;
            if base <= 0.0 || gamma <= 0.0 {
                let why = "`base_value` and `gamma` must be above 0";
                return Err(arguments.refused("gamma", why));
            }
            let next = |value: &f64| Some(value * gamma);
            let decays = arguments.count("num_decays")?;
            if decays > MOST {
                let why = format!("`num_decays` must be {MOST} or fewer here");
                return Err(arguments.refused("num_decays", &why));
            }
            let values = std::iter::successors(Some(base), next);
            Value::Steps(values.take(decays + 1).collect())
        }
        "CompositeParamScheduler" => composite(arguments)?,
        "WarmupParamScheduler" => warmup(arguments)?,
        _ => {
            let message = format!("{name} is no scheduler of fvcore itself");
            return Err(Problem::whole(message));
        }
    })
}

fn multi_step(arguments: &Arguments) -> Result<Value, Problem> {
    let values = arguments.numbers("values")?;
    let updates = arguments.whole_or_none("num_updates")?;
    let given = arguments.given("milestones");
    let (milestones, updates) = match (updates, given) {
        (None, false) => {
            let why = "give `num_updates` or `milestones`";
            return Err(arguments.refused("num_updates", why));
        }
        (Some(updates), false) => {
            let parts = i64::try_from(values.len()).unwrap_or(i64::MAX).max(1);
            let width = updates.div_euclid(parts)
                + i64::from(updates.rem_euclid(parts) > 0);
            ((1..parts).map(|i| i * width).collect(), updates)
        }
        (updates, true) => {
            let mut milestones = arguments.wholes("milestones")?;
            let wanted = values.len() - usize::from(updates.is_some());
            if milestones.len() != wanted || wanted == 0 {
                let why = "`milestones` must be as long as `values`, or one \
                           less with `num_updates`";
                return Err(arguments.refused("milestones", why));
            }
            let last = updates.or_else(|| milestones.pop());
            (milestones, last.unwrap_or(0))
        }
    };
    let bounds = [&[0], milestones.as_slice(), &[updates]].concat();
    if bounds.windows(2).any(|pair| pair[0] >= pair[1])
        || updates < i64::try_from(values.len()).unwrap_or(i64::MAX)
    {
        let why = "`milestones` must rise, be above 0 and below the last \
                   update";
        return Err(arguments.refused("milestones", why));
    }
    Ok(Value::MultiStep { values, milestones, updates: updates as f64 })
}

fn composite(arguments: &Arguments) -> Result<Value, Problem> {
    let schedulers = arguments.calls("schedulers")?;
    let mut lengths = arguments.numbers("lengths")?;
    let scaling = arguments.list("interval_scaling")?;
    let sum: f64 = lengths.iter().sum();
    if schedulers.len() != lengths.len()
        || schedulers.len() > scaling.len()
        || (sum - 1.0).abs() >= 1e-3
    {
        let why = "`lengths` must be one for each scheduler and have the sum \
                   1, `interval_scaling` as long";
        return Err(arguments.refused("lengths", why));
    }
    if sum != 1.0 {
        let last = lengths.len() - 1;
        lengths[last] = 1.0 - lengths[..last].iter().sum::<f64>();
    }
    let part = |((call, length), scaling): ((&Call, f64), &Literal)| {
        let rescaled = match scaling {
            Literal::Text(text) if text == "rescaled" => true,
            Literal::Text(text) if text == "fixed" => false,
            _ => {
                let why = "`interval_scaling` must be 'rescaled' or 'fixed'";
                return Err(arguments.refused("interval_scaling", why));
            }
        };
        Ok(Part { value: of(call)?, length, rescaled })
    };
    let parts = schedulers.into_iter().zip(lengths).zip(scaling).map(part);
    parts.collect::<Result<_, _>>().map(Value::Composite)
}

/// Detectron2's warm-up before another scheduler.
fn warmup(arguments: &Arguments) -> Result<Value, Problem> {
    let value = of(arguments.call("scheduler")?)?;
    let length = arguments.number("warmup_length")?;
    let rescaled = arguments.flag("rescale_interval")?;
    let ends = |x: f64| {
        value.at(x).ok_or_else(|| {
            let why = "the scheduler raises an error at the end of the warm-up";
            arguments.refused("warmup_length", why)
        })
    };
    let end = ends(if rescaled { 0.0 } else { length })?;
    let start = arguments.number("warmup_factor")? * ends(0.0)?;
    let methods = ["constant", "linear"];
    let first = match arguments.word("warmup_method", &methods)? {
        0 => Value::Constant(start),
        _ => Value::Linear { start, end },
    };
    Ok(Value::Composite(vec![
        Part { value: first, length, rescaled: true },
        Part { value, length: 1.0 - length, rescaled },
    ]))
}
