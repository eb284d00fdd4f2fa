//! Optax's schedules as functions of a count, in the float32 of JAX: what a
//! schedule computes before the training is in f64, as in Python.

use super::super::{Arguments, Call, Literal};
use super::PACKAGE;
use crate::error::Problem;
use std::f32::consts::PI;

/// The rate at a count.
pub(super) type Schedule = Box<dyn Fn(f32) -> f32>;

/// The schedule of a call. `peak` stands for the rate that it leaves out; a
/// part of another schedule has none.
pub(super) fn schedule(
    arguments: &Arguments,
    peak: Option<f64>,
) -> Result<Schedule, Problem> {
    let number = |key| arguments.number(key);
    let rate = |key| match peak {
        Some(peak) => arguments.number_or(key, peak),
        None => number(key),
    };
    Ok(match arguments.name() {
        "constant_schedule" => {
            let value = rounded(rate("value")?);
            Box::new(move |_| value)
        }
        "linear_schedule" => polynomial(
            (rate("init_value")?, number("end_value")?),
            1.0,
            number("transition_steps")?,
            number("transition_begin")?,
        ),
        "polynomial_schedule" => polynomial(
            (rate("init_value")?, number("end_value")?),
            number("power")?,
            number("transition_steps")?,
            number("transition_begin")?,
        ),
        "piecewise_constant_schedule" => {
            let first = rounded(rate("init_value")?);
            let scales = scales(arguments)?;
            Box::new(move |t| {
                let passed =
                    scales.iter().filter(|&&(at, _)| at <= f64::from(t));
                passed.fold(first, |value, &(_, scale)| rounded(scale) * value)
            })
        }
        "exponential_decay" => exponential(arguments, rate("init_value")?)?,
        "cosine_decay_schedule" => cosine(
            arguments,
            rate("init_value")?,
            number("decay_steps")?,
            number("alpha")?,
        )?,
        "piecewise_interpolate_schedule" => {
            let types = ["linear", "cosine"];
            let is_cosine = arguments.word("interpolate_type", &types)? == 1;
            interpolated(is_cosine, rate("init_value")?, scales(arguments)?)
        }
        "linear_onecycle_schedule" | "cosine_onecycle_schedule" => {
            one_cycle(arguments, rate("peak_value")?)?
        }
        "sgdr_schedule" => restarts(arguments)?,
        "join_schedules" => {
            let calls = arguments.calls("schedules")?;
            let parts = calls.into_iter().map(|call| {
                let entry = PACKAGE.entry(&call.name)?;
                schedule(&Arguments::bind(entry.signature, call)?, None)
            });
            let parts = parts.collect::<Result<Vec<_>, _>>()?;
            let boundaries = arguments.numbers("boundaries")?;
            if parts.len() != boundaries.len() + 1 {
                let why = "`boundaries` must be one less than `schedules`";
                return Err(arguments.refused("boundaries", why));
            }
            joined(parts, boundaries)
        }
        name => {
            let top = rate("peak_value")?;
            let warmup = number("warmup_steps")?;
            let rise =
                polynomial((number("init_value")?, top), 1.0, warmup, 0.0);
            let after = match name {
                "warmup_constant_schedule" => return Ok(rise),
                "warmup_cosine_decay_schedule" => {
                    let end = number("end_value")?;
                    let alpha = if top == 0.0 { 0.0 } else { end / top };
                    let steps = number("decay_steps")? - warmup;
                    cosine(arguments, top, steps, alpha)?
                }
                _ => exponential(arguments, top)?,
            };
            joined(vec![rise, after], vec![warmup])
        }
    })
}

/// A number of Python in the arithmetic of JAX.
#[allow(clippy::cast_possible_truncation, reason = "it is rounded")]
fn rounded(value: f64) -> f32 {
    value as f32
}

fn polynomial(
    (from, to): (f64, f64),
    power: f64,
    steps: f64,
    begin: f64,
) -> Schedule {
    let (fall, from, to) = (rounded(from - to), rounded(from), rounded(to));
    if steps <= 0.0 {
        return Box::new(move |_| from);
    }
    let (begin, steps) = (rounded(begin.max(0.0)), rounded(steps));
    let power = rounded(power);
    Box::new(move |t| {
        let left = 1.0 - (t - begin).clamp(0.0, steps) / steps;
        fall * left.powf(power) + to
    })
}

fn exponential(arguments: &Arguments, from: f64) -> Result<Schedule, Problem> {
    let steps = arguments.number("transition_steps")?;
    let rate = arguments.number("decay_rate")?;
    let begin = rounded(arguments.number("transition_begin")?.max(0.0));
    let staircase = arguments.flag("staircase")?;
    let end = arguments.number_or_none("end_value")?.map(rounded);
    let from = rounded(from);
    if steps <= 0.0 || rate == 0.0 {
        return Ok(Box::new(move |_| from));
    }
    let (steps, rate) = (rounded(steps), rounded(rate));
    Ok(Box::new(move |t| {
        let x = (t - begin) / steps;
        let x = if staircase { x.floor() } else { x };
        let value = if t <= begin { from } else { from * rate.powf(x) };
        match end {
            Some(end) if rate < 1.0 => value.max(end),
            Some(end) => value.min(end),
            None => value,
        }
    }))
}

fn cosine(
    arguments: &Arguments,
    from: f64,
    steps: f64,
    alpha: f64,
) -> Result<Schedule, Problem> {
    if steps <= 0.0 {
        let why = "the cosine must have `decay_steps` above 0";
        return Err(arguments.refused("decay_steps", why));
    }
    let exponent = rounded(arguments.number("exponent")?);
    let (from, steps) = (rounded(from), rounded(steps));
    let (share, alpha) = (rounded(1.0 - alpha), rounded(alpha));
    Ok(Box::new(move |t| {
        let height = 0.5 * (1.0 + (PI * t.min(steps) / steps).cos());
        from * (share * height.powf(exponent) + alpha)
    }))
}

/// Boundaries with their scales, in order.
fn scales(arguments: &Arguments) -> Result<Vec<(f64, f64)>, Problem> {
    let key = "boundaries_and_scales";
    let wrong = || arguments.wrong(key, "a dictionary such as {50: 0.1}");
    let pairs = match arguments.literal(key)? {
        Literal::None => return Ok(vec![]),
        Literal::Dict(pairs) => pairs,
        _ => return Err(wrong()),
    };
    let mut scales = vec![];
    for (at, scale) in pairs {
        let scale = scale.number().ok_or_else(wrong)?;
        if scale < 0.0 {
            return Err(arguments.refused(key, "a scale must be 0 or more"));
        }
        scales.push((at.number().ok_or_else(wrong)?, scale));
    }
    Ok(sorted(scales))
}

/// Pairs as in a dictionary: in order, the last one of two with one boundary.
fn sorted(pairs: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let mut kept: Vec<(f64, f64)> = vec![];
    for pair in pairs {
        kept.retain(|&(at, _)| at != pair.0);
        kept.push(pair);
    }
    kept.sort_by(|a, b| a.0.total_cmp(&b.0));
    kept
}

fn interpolated(
    is_cosine: bool,
    first: f64,
    scales: Vec<(f64, f64)>,
) -> Schedule {
    let mut value = rounded(first);
    let mut points = vec![(0.0, value)];
    for (at, scale) in scales {
        value *= rounded(scale);
        points.push((rounded(at), value));
    }
    Box::new(move |t| {
        let next = points.iter().position(|&(at, _)| t < at);
        let Some(next) = next.filter(|&next| next > 0) else {
            return points[points.len() - 1].1;
        };
        let ((from, start), (to, end)) = (points[next - 1], points[next]);
        let x = (t - from) / (to - from).max(1.0);
        if is_cosine {
            end + (start - end) / 2.0 * ((PI * x).cos() + 1.0)
        } else {
            (end - start) * x + start
        }
    })
}

fn one_cycle(arguments: &Arguments, top: f64) -> Result<Schedule, Problem> {
    let steps = arguments.number("transition_steps")?;
    if steps <= 0.0 {
        let why = "`transition_steps` must be above 0";
        return Err(arguments.refused("transition_steps", why));
    }
    let number = |key| arguments.number(key);
    let (by, last) = (number("div_factor")?, number("final_div_factor")?);
    let rise = (number("pct_start")? * steps).trunc();
    let is_cosine = !arguments.has("pct_final");
    let scales = if is_cosine {
        vec![(rise, by), (steps, 1.0 / (by * last))]
    } else {
        let fall = (number("pct_final")? * steps).trunc();
        vec![(rise, by), (fall, 1.0 / by), (steps, 1.0 / last)]
    };
    Ok(interpolated(is_cosine, top / by, sorted(scales)))
}

fn restarts(arguments: &Arguments) -> Result<Schedule, Problem> {
    let key = "cosine_kwargs";
    let wrong = || arguments.wrong(key, "a list of dictionaries");
    let name = "warmup_cosine_decay_schedule";
    let entry = PACKAGE.entry(name)?;
    let (mut parts, mut boundaries) = (vec![], vec![]);
    let mut end = 0.0;
    for item in arguments.list(key)? {
        let Literal::Dict(pairs) = item else {
            return Err(wrong());
        };
        let mut call = Call { name: name.to_owned(), ..Call::default() };
        for (key, value) in pairs {
            let Literal::Text(key) = key else {
                return Err(wrong());
            };
            call.keyword.push((key.clone(), value.clone()));
        }
        let part = Arguments::bind(entry.signature, &call)?;
        end += part.number("decay_steps")?;
        boundaries.push(end);
        parts.push(schedule(&part, None)?);
    }
    if parts.is_empty() {
        return Err(wrong());
    }
    boundaries.pop();
    Ok(joined(parts, boundaries))
}

/// Each part from its boundary on, with a count of its own.
fn joined(parts: Vec<Schedule>, boundaries: Vec<f64>) -> Schedule {
    let boundaries: Vec<f32> = boundaries.into_iter().map(rounded).collect();
    Box::new(move |t| {
        let mut value = parts[0](t);
        for (boundary, part) in boundaries.iter().zip(&parts[1..]) {
            if t >= *boundary {
                value = part(t - boundary);
            }
        }
        value
    })
}
