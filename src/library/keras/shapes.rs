//! Keras's schedules in float32, or in whole numbers where the first one is.

use super::super::{Arguments, Literal, Run, raises};
use crate::error::Problem;
use std::f32::consts::PI;

/// The rate at a step.
type Schedule = Box<dyn Fn(f32) -> f32>;

/// A number of Python in the arithmetic of Keras.
#[allow(clippy::cast_possible_truncation, reason = "it is rounded")]
pub(super) fn rounded(value: f64) -> f32 {
    value as f32
}

/// The type that the first rate gives to all numbers.
#[derive(Clone, Copy)]
pub(super) struct Numbers<'a> {
    arguments: &'a Arguments,
    initial: f32,
    whole: bool,
}

impl Numbers<'_> {
    /// The argument `key`, as the type has it.
    fn cast(self, key: &str) -> Result<f32, Problem> {
        let value = self.arguments.number(key)?;
        Ok(rounded(if self.whole { value.trunc() } else { value }))
    }

    /// Pi as the type has it.
    fn pi(self) -> f32 {
        if self.whole { 3.0 } else { PI }
    }

    /// A length, which must be above 0 as it is given and as the type has it.
    fn length(self, key: &str) -> Result<f32, Problem> {
        let length = self.cast(key)?;
        if length > 0.0 {
            return Ok(length);
        }
        let why = format!("`{key}` must be above 0");
        Err(self.arguments.refused(key, &why))
    }
}

/// The rates of the schedule that `of` makes.
pub(super) fn rates(
    arguments: &Arguments,
    run: &Run,
    of: fn(Numbers<'_>) -> Result<Schedule, Problem>,
) -> Result<Vec<f64>, Problem> {
    let key = "initial_learning_rate";
    let given = arguments.has(key) && arguments.given(key);
    let initial = if given { arguments.number(key)? } else { run.peak };
    let whole = given && matches!(arguments.literal(key)?, Literal::Whole(_));
    let initial = rounded(initial);
    let schedule = of(Numbers { arguments, initial, whole })?;
    let rates = run.each(|update| schedule(update as f32).into());
    match rates.iter().position(|rate| !rate.is_finite()) {
        Some(update) => Err(raises(arguments.name(), update.saturating_sub(1))),
        None => Ok(rates),
    }
}

/// The share of the decay at a step, in whole steps where it is a staircase.
fn share(numbers: Numbers<'_>) -> Result<impl Fn(f32) -> f32 + use<>, Problem> {
    let steps = numbers.length("decay_steps")?;
    let staircase = numbers.arguments.flag("staircase")?;
    Ok(move |t: f32| {
        let x = t / steps;
        if staircase { x.floor() } else { x }
    })
}

pub(super) fn exponential(numbers: Numbers<'_>) -> Result<Schedule, Problem> {
    let (share, initial) = (share(numbers)?, numbers.initial);
    let rate = numbers.cast("decay_rate")?;
    Ok(Box::new(move |t| initial * rate.powf(share(t))))
}

pub(super) fn inverse_time(numbers: Numbers<'_>) -> Result<Schedule, Problem> {
    let (share, initial) = (share(numbers)?, numbers.initial);
    let rate = numbers.cast("decay_rate")?;
    Ok(Box::new(move |t| initial / (1.0 + rate * share(t))))
}

pub(super) fn polynomial(numbers: Numbers<'_>) -> Result<Schedule, Problem> {
    let initial = numbers.initial;
    let steps = numbers.length("decay_steps")?;
    let end = numbers.cast("end_learning_rate")?;
    let power = numbers.cast("power")?;
    let cycle = numbers.arguments.flag("cycle")?;
    Ok(Box::new(move |t| {
        let x = if cycle {
            let times = if t == 0.0 { 1.0 } else { (t / steps).ceil() };
            t / (steps * times)
        } else {
            t.min(steps) / steps
        };
        (initial - end) * (1.0 - x).powf(power) + end
    }))
}

pub(super) fn cosine(numbers: Numbers<'_>) -> Result<Schedule, Problem> {
    let Numbers { arguments, initial, .. } = numbers;
    let steps = numbers.length("decay_steps")?;
    let alpha = arguments.number("alpha")?;
    let (height, low) = (rounded(1.0 - alpha), rounded(alpha));
    let pi = numbers.pi();
    let decay = move |t: f32, from: f32| {
        let cosine = 0.5 * (1.0 + (pi * (t / steps)).cos());
        from * (height * cosine + low)
    };
    if *arguments.literal("warmup_target")? == Literal::None {
        return Ok(Box::new(move |t| decay(t.min(steps), initial)));
    }
    let target = numbers.cast("warmup_target")?;
    let warmup = numbers.cast("warmup_steps")?;
    Ok(Box::new(move |t| {
        let t = t.min(steps + warmup);
        if t < warmup {
            (target - initial) * (t / warmup) + initial
        } else {
            decay(t - warmup, target)
        }
    }))
}

pub(super) fn restarts(numbers: Numbers<'_>) -> Result<Schedule, Problem> {
    let Numbers { arguments, initial, whole } = numbers;
    let first = numbers.length("first_decay_steps")?;
    let longer = arguments.number("t_mul")?;
    if longer.fract() != 0.0 || longer < 1.0 {
        let why = "where `t_mul` is no whole number, the backends of Keras \
                   begin some cycles at different updates";
        return Err(arguments.refused("t_mul", why));
    }
    let longer = rounded(longer);
    let (lower, low) = (numbers.cast("m_mul")?, numbers.cast("alpha")?);
    let pi = numbers.pi();
    Ok(Box::new(move |t| {
        let x = t / first;
        let (cycle, x) = if longer == 1.0 {
            (x.floor(), x - x.floor())
        } else {
            let grown = 1.0 - x * (1.0 - longer);
            let grown = if whole { grown.trunc() } else { grown };
            let cycle = (grown.ln() / longer.ln()).floor();
            let before = (1.0 - longer.powf(cycle)) / (1.0 - longer);
            (cycle, (x - before) / longer.powf(cycle))
        };
        let height = 0.5 * lower.powf(cycle) * (1.0 + (pi * x).cos());
        initial * ((1.0 - low) * height + low)
    }))
}

pub(super) fn piecewise(numbers: Numbers<'_>) -> Result<Schedule, Problem> {
    let arguments = numbers.arguments;
    let boundaries = arguments.numbers("boundaries")?;
    let values = arguments.numbers("values")?;
    if boundaries.is_empty() || boundaries.len() + 1 != values.len() {
        let why = "`boundaries` must be one less than `values`, and one or \
                   more";
        return Err(arguments.refused("boundaries", why));
    }
    if !boundaries.is_sorted() {
        let why = "`boundaries` must rise: Keras adds up the values of \
                   overlapping parts";
        return Err(arguments.refused("boundaries", why));
    }
    let is_whole = |value: &Literal| matches!(value, Literal::Whole(_));
    let kinds = arguments.list("values")?;
    if is_whole(&kinds[0]) && !kinds.iter().all(is_whole) {
        let why = "the first of `values` is a whole number and others are \
                   not: the backend torch raises an error";
        return Err(arguments.refused("values", why));
    }
    let values: Vec<f32> = values.into_iter().map(rounded).collect();
    // A boundary has the type of the step.
    let ends: Vec<f32> =
        boundaries.into_iter().map(|end| rounded(end.trunc())).collect();
    Ok(Box::new(move |t| {
        let passed = ends.iter().filter(|&&end| t > end).count();
        values[passed]
    }))
}
