//! `monai.optimizers`, in MONAI's trainers or the documented loop.

use super::{Arguments, Entry, Notes, Package, Run};
use crate::error::Problem;
use std::f64::consts::PI;

pub(super) const PACKAGE: Package = Package {
    name: "monai",
    title: "MONAI",
    version: "1.6.1",
    frame: "Update t has the value after t calls of `scheduler.step()`, which \
            `LrScheduleHandler(epoch_level=False)` makes after each update. \
            The handler's default is once an epoch: give the updates of one.",
    entries: ENTRIES,
    flags: None,
    torch: None,
};

const ENTRIES: &[Entry] = &[
    Entry {
        name: "WarmupCosineSchedule",
        signature: "warmup_steps, t_total, end_lr=0.0, cycles=0.5, \
                    last_epoch=-1, warmup_multiplier=0",
        example: "warmup_steps=10, t_total=100",
        formula: "lr * (warmup_multiplier + (1 - warmup_multiplier) * t / \
                  warmup_steps), then max(end_lr, lr * (1 + cos(2 * pi * \
                  cycles * (t - warmup_steps) / (t_total - warmup_steps))) / 2)",
        notes: Notes {
            frame: "The first update has the rate 0, unless warmup_steps is 0 \
                    or warmup_multiplier is set.",
            absolute: "end_lr is a rate, not a ratio, and a floor: the cosine \
                       goes to 0 and is cut at end_lr.",
            after: "Goes on along the cosine: it rises again.",
            ..Notes::NONE
        },
        rates: warmup_cosine,
    },
    Entry {
        name: "LinearLR",
        signature: "end_lr, num_iter, last_epoch=-1",
        example: "end_lr=10.0, num_iter=100",
        formula: "lr + (end_lr - lr) * t / (num_iter - 1)",
        notes: Notes {
            absolute: "end_lr is a rate, not a ratio.",
            after: "Goes on along the line, below 0 where it falls.",
            ..Notes::NONE
        },
        rates: |arguments, run| {
            let end = arguments.number("end_lr")?;
            range(arguments, run, |x| run.peak + x * (end - run.peak))
        },
    },
    Entry {
        name: "ExponentialLR",
        signature: "end_lr, num_iter, last_epoch=-1",
        example: "end_lr=10.0, num_iter=100",
        formula: "lr * (end_lr / lr) ** (t / (num_iter - 1))",
        notes: Notes {
            absolute: "end_lr is a rate, not a ratio.",
            after: "Goes on.",
            ..Notes::NONE
        },
        rates: |arguments, run| {
            let ratio = arguments.number("end_lr")? / run.peak;
            range(arguments, run, |x| run.peak * ratio.powf(x))
        },
    },
];

/// The rate `of` the steps of the scheduler before each update.
fn stepped(run: &Run, of: impl Fn(usize) -> f64) -> Vec<f64> {
    run.each(|update| of(update / run.epoch.unwrap_or(1)))
}

/// The rate `of` the share of a range test.
fn range(
    arguments: &Arguments,
    run: &Run,
    of: impl Fn(f64) -> f64,
) -> Result<Vec<f64>, Problem> {
    arguments.anew("last_epoch")?;
    let last = arguments.positive("num_iter")? - 1;
    if last == 0 {
        let why = "MONAI divides by `num_iter` - 1";
        return Err(arguments.refused("num_iter", why));
    }
    Ok(stepped(run, |step| of(step as f64 / last as f64)))
}

fn warmup_cosine(
    arguments: &Arguments,
    run: &Run,
) -> Result<Vec<f64>, Problem> {
    arguments.anew("last_epoch")?;
    let total = arguments.whole("t_total")?;
    let warmup = arguments.whole("warmup_steps")?.max(0).min(total);
    let decay = (total - warmup).max(1) as f64;
    let warmup = warmup as f64;
    let end = arguments.number("end_lr")?;
    let cycles = arguments.number("cycles")?;
    let start = arguments.number("warmup_multiplier")?;
    if !(0.0..=1.0).contains(&start) {
        let why = "`warmup_multiplier` must be between 0 and 1";
        return Err(arguments.refused("warmup_multiplier", why));
    }
    Ok(stepped(run, |step| {
        let t = step as f64;
        if t < warmup {
            let rise = t / warmup.max(1.0);
            return run.peak * (start + (1.0 - start) * rise);
        }
        let x = (t - warmup) / decay;
        let height = 0.5 * (1.0 + (PI * cycles * 2.0 * x).cos());
        end.max(run.peak * height.max(0.0))
    }))
}
