//! `composer.optim`'s schedulers in Composer's Trainer.

mod clock;

use std::f64::consts::PI;

use super::{Arguments, Entry, Notes, Package, Run, torch};
use crate::error::Problem;
use clock::Training;

pub(super) const PACKAGE: Package = Package {
    name: "composer",
    title: "Composer",
    version: "0.32.1",
    frame: "t counts batches. The Trainer asks before it advances its clock: \
            stepped every batch, as is the default, update t has the value at \
            t - 1, and update 0 that at 0. Schedulers of torch are stepped \
            every epoch, unless step_schedulers_every_batch is True.",
    entries: ENTRIES,
    flags: None,
    torch: Some(|call, run| {
        let epoch = run.epoch()?.max(1);
        torch::stepped(call, run, |update| update / epoch)
    }),
};

/// An entry whose rates are the peak times a factor of the batch.
macro_rules! entry {
    ($name:literal, $signature:expr, $example:literal, $formula:literal, $factor:path $(, $key:ident: $note:expr)*) => {
        Entry {
            name: $name,
            signature: $signature,
            example: $example,
            formula: $formula,
            notes: Notes { $($key: $note,)* ..Notes::NONE },
            rates: |arguments, run| {
                let training = Training::every_batch(run);
                training.rates(|at| $factor(arguments, &training, at))
            },
        }
    };
}

const HELD: &str = "Raises an error where t_max is below the end of the \
                    training.";
const ENTRIES: &[Entry] = &[
    Entry {
        name: "Trainer",
        signature: "schedulers, max_duration=None, \
                    step_schedulers_every_batch=None, \
                    scale_schedule_ratio=1.0, **others",
        example: "schedulers=LinearScheduler(), step_schedulers_every_batch=False",
        formula: "the scheduler, with the Trainer's settings",
        notes: Notes {
            frame: "Stepped every epoch, an update has the value at the \
                    beginning of its epoch: there the clock is not late. \
                    scale_schedule_ratio scales the times and not the \
                    warm-up. With scale_warmup it scales the slope of the \
                    warm-up and not its end: at 0.5 the second half of the \
                    warm-up stays at the top.",
            after: "The Trainer stops at max_duration.",
            ..Notes::NONE
        },
        rates: trainer,
    },
    entry!(
        "ConstantScheduler",
        "alpha=1.0, t_max='1dur'",
        "",
        "lr * alpha for t < t_max, then lr",
        constant,
        after: "Goes to lr."
    ),
    entry!(
        "StepScheduler",
        "step_size, gamma=0.1",
        "step_size='30ba'",
        "lr * gamma ** (t // step_size)",
        step,
        after: "Goes on."
    ),
    entry!(
        "MultiStepScheduler",
        "milestones, gamma=0.1",
        "milestones=['50ba', '75ba']",
        "lr * gamma ** (milestones not after t)",
        multi_step
    ),
    entry!(
        "LinearScheduler",
        "alpha_i=1.0, alpha_f=0.0, t_max='1dur'",
        "",
        "lr * (alpha_i + (alpha_f - alpha_i) * min(t / t_max, 1))",
        linear,
        after: "Stays at lr * alpha_f."
    ),
    entry!(
        "ExponentialScheduler",
        "gamma, decay_period='1ep'",
        "gamma=0.9",
        "lr * gamma ** (t / decay_period)",
        exponential,
        after: "Goes on."
    ),
    entry!(
        "CosineAnnealingScheduler",
        "t_max='1dur', alpha_f=0.0",
        "",
        "lr * (alpha_f + (1 - alpha_f) * (1 + cos(pi * min(t / t_max, 1))) / 2)",
        cosine,
        after: "Stays at lr * alpha_f."
    ),
    entry!(
        "CosineAnnealingWarmRestartsScheduler",
        "t_0, t_mult=1.0, alpha_f=0.0",
        "t_0='25ba'",
        "CosineAnnealingScheduler over cycles of t_0 * t_mult ** i batches, rounded down each time",
        restarts,
        after: "Goes on with further cycles."
    ),
    entry!(
        "PolynomialScheduler",
        "power, t_max='1dur', alpha_f=0.0",
        "power=2.0",
        "lr * (alpha_f + (1 - alpha_f) * (1 - min(t / t_max, 1)) ** power)",
        polynomial,
        after: "Stays at lr * alpha_f."
    ),
    entry!(
        "MultiStepWithWarmupScheduler",
        "t_warmup, milestones, gamma=0.1, scale_warmup=False",
        "t_warmup='10ba', milestones=['50ba', '75ba']",
        "lr * t / t_warmup for t < t_warmup, then MultiStepScheduler",
        multi_step_warm
    ),
    entry!(
        "ConstantWithWarmupScheduler",
        "t_warmup, alpha=1.0, t_max='1dur', scale_warmup=False",
        "t_warmup='10ba'",
        "lr * alpha * min(t / t_warmup, 1)",
        constant_warm,
        after: HELD
    ),
    entry!(
        "LinearWithWarmupScheduler",
        "t_warmup, alpha_i=1.0, alpha_f=0.0, t_max='1dur', scale_warmup=False",
        "t_warmup='10ba'",
        "lr * alpha_i * t / t_warmup for t < t_warmup, then linear from \
         alpha_i to alpha_f at t_max",
        linear_warm,
        after: HELD
    ),
    entry!(
        "CosineAnnealingWithWarmupScheduler",
        "t_warmup, t_max='1dur', alpha_f=0.0, scale_warmup=False",
        "t_warmup='10ba'",
        "lr * t / t_warmup for t < t_warmup, then a cosine to alpha_f at t_max",
        cosine_warm,
        after: HELD
    ),
    entry!(
        "PolynomialWithWarmupScheduler",
        "t_warmup, power=2.0, t_max='1dur', alpha_f=0.0, scale_warmup=False",
        "t_warmup='10ba'",
        "lr * t / t_warmup for t < t_warmup, then a polynomial to alpha_f at \
         t_max",
        polynomial_warm,
        after: HELD
    ),
];

type Factor = Result<f64, Problem>;

fn trainer(arguments: &Arguments, run: &Run) -> Result<Vec<f64>, Problem> {
    let call = arguments.call("schedulers")?;
    if torch::steps(&call.name) {
        return Training::of(arguments, run)?.stepped(arguments, call);
    }
    let entry = PACKAGE.entry(&call.name)?;
    let inner = Arguments::bind(entry.signature, call)?;
    let factor = match entry.name {
        "ConstantScheduler" => constant,
        "StepScheduler" => step,
        "MultiStepScheduler" => multi_step,
        "LinearScheduler" => linear,
        "ExponentialScheduler" => exponential,
        "CosineAnnealingScheduler" => cosine,
        "CosineAnnealingWarmRestartsScheduler" => restarts,
        "PolynomialScheduler" => polynomial,
        "MultiStepWithWarmupScheduler" => multi_step_warm,
        "ConstantWithWarmupScheduler" => constant_warm,
        "LinearWithWarmupScheduler" => linear_warm,
        "CosineAnnealingWithWarmupScheduler" => cosine_warm,
        "PolynomialWithWarmupScheduler" => polynomial_warm,
        _ => return Err(arguments.wrong("schedulers", "a scheduler")),
    };
    let training = Training::of(arguments, run)?;
    training.rates(|at| factor(&inner, &training, at))
}

fn constant(arguments: &Arguments, training: &Training<'_>, at: f64) -> Factor {
    let end = training.time(arguments, "t_max", true)?;
    Ok(if at < end { arguments.number("alpha")? } else { 1.0 })
}

fn step(arguments: &Arguments, training: &Training<'_>, at: f64) -> Factor {
    let size = training.length(arguments, "step_size", true)?;
    Ok(arguments.number("gamma")?.powf((at / size).trunc()))
}

fn multi_step(
    arguments: &Arguments,
    training: &Training<'_>,
    at: f64,
) -> Factor {
    let gamma = arguments.number("gamma")?;
    let milestones = training.times(arguments, "milestones")?;
    let passed = milestones.into_iter().filter(|&milestone| at >= milestone);
    Ok(passed.fold(1.0, |factor, _| factor * gamma))
}

fn linear(arguments: &Arguments, training: &Training<'_>, at: f64) -> Factor {
    let share = (at / training.length(arguments, "t_max", true)?).min(1.0);
    let from = arguments.number("alpha_i")?;
    Ok(from + share * (arguments.number("alpha_f")? - from))
}

fn exponential(
    arguments: &Arguments,
    training: &Training<'_>,
    at: f64,
) -> Factor {
    let period = training.length(arguments, "decay_period", true)?;
    Ok(arguments.number("gamma")?.powf(at / period))
}

/// A cosine from 1 to `end` at a `share` of 1.
fn anneal(share: f64, end: f64) -> f64 {
    end + (1.0 - end) * (1.0 + (share.clamp(0.0, 1.0) * PI).cos()) / 2.0
}

fn cosine(arguments: &Arguments, training: &Training<'_>, at: f64) -> Factor {
    let share = at / training.length(arguments, "t_max", true)?;
    Ok(anneal(share, arguments.number("alpha_f")?))
}

fn restarts(arguments: &Arguments, training: &Training<'_>, at: f64) -> Factor {
    let mut length = training.time(arguments, "t_0", true)?;
    let mult = arguments.number("t_mult")?;
    let mut end = length;
    while end <= at {
        length = (mult * length).trunc();
        if length < 1.0 {
            let why = "a cycle of no batch";
            return Err(arguments.refused("t_0", why));
        }
        end += length;
    }
    let share = (at - (end - length)) / length;
    Ok(anneal(share, arguments.number("alpha_f")?))
}

fn polynomial(
    arguments: &Arguments,
    training: &Training<'_>,
    at: f64,
) -> Factor {
    let share = (at / training.length(arguments, "t_max", true)?).min(1.0);
    power(arguments, share)
}

fn power(arguments: &Arguments, share: f64) -> Factor {
    let end = arguments.number("alpha_f")?;
    let height = (1.0 - share).powf(arguments.number("power")?);
    Ok(end + height * (1.0 - end))
}

/// The factor of the warm-up to `top`; `None` behind it.
fn warm(
    arguments: &Arguments,
    training: &Training<'_>,
    at: f64,
    top: f64,
) -> Result<Option<f64>, Problem> {
    if at >= training.time(arguments, "t_warmup", false)? {
        return Ok(None);
    }
    let scaled = arguments.flag("scale_warmup")?;
    let length = training.length(arguments, "t_warmup", scaled)?;
    Ok(Some((at / length).min(1.0) * top))
}

/// The share of the way from the warm-up to `t_max`.
fn behind(arguments: &Arguments, training: &Training<'_>, at: f64) -> Factor {
    let begin = training.time(arguments, "t_warmup", false)?;
    let end = training.time(arguments, "t_max", true)?;
    training.covered(arguments, end)?;
    Ok(if end > begin { ((at - begin) / (end - begin)).min(1.0) } else { 0.0 })
}

fn multi_step_warm(
    arguments: &Arguments,
    training: &Training<'_>,
    at: f64,
) -> Factor {
    match warm(arguments, training, at, 1.0)? {
        Some(factor) => Ok(factor),
        None => multi_step(arguments, training, at),
    }
}

fn constant_warm(
    arguments: &Arguments,
    training: &Training<'_>,
    at: f64,
) -> Factor {
    behind(arguments, training, at)?;
    let alpha = arguments.number("alpha")?;
    Ok(warm(arguments, training, at, alpha)?.unwrap_or(alpha))
}

fn linear_warm(
    arguments: &Arguments,
    training: &Training<'_>,
    at: f64,
) -> Factor {
    let share = behind(arguments, training, at)?;
    let from = arguments.number("alpha_i")?;
    let rest = from + share * (arguments.number("alpha_f")? - from);
    Ok(warm(arguments, training, at, from)?.unwrap_or(rest))
}

fn cosine_warm(
    arguments: &Arguments,
    training: &Training<'_>,
    at: f64,
) -> Factor {
    let share = behind(arguments, training, at)?;
    let rest = anneal(share, arguments.number("alpha_f")?);
    Ok(warm(arguments, training, at, 1.0)?.unwrap_or(rest))
}

fn polynomial_warm(
    arguments: &Arguments,
    training: &Training<'_>,
    at: f64,
) -> Factor {
    let share = behind(arguments, training, at)?;
    let rest = power(arguments, share)?;
    Ok(warm(arguments, training, at, 1.0)?.unwrap_or(rest))
}
