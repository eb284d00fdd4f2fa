//! `fvcore.common.param_scheduler` under Detectron2's `LRMultiplier`, and what
//! Detectron2 adds.

mod value;

use super::{Arguments, Entry, Notes, Package, Run, raises};
use crate::error::Problem;
use std::f64::consts::PI;

pub(super) const PACKAGE: Package = Package {
    name: "fvcore",
    title: "fvcore",
    version: "0.1.5.post20221221",
    frame: "Detectron2's LRMultiplier multiplies the rate of the optimizer by \
            the value at where = t / max_iter, so a training of max_iter \
            updates never uses the value at 1. A scheduler without an \
            LRMultiplier gets one, over all updates of the training.",
    entries: ENTRIES,
    flags: None,
    torch: None,
};

const ENTRIES: &[Entry] = &[
    entry!(
        whole,
        "ConstantParamScheduler",
        "value",
        "1.0",
        "lr * value",
        after: "The step after the last update raises an error."
    ),
    entry!(
        whole,
        "CosineParamScheduler",
        "start_value, end_value",
        "1.0, 0.0",
        "lr * (end_value + (start_value - end_value) * (1 + cos(pi * where)) \
         / 2)",
        after: "Rises again."
    ),
    entry!(
        whole,
        "ExponentialParamScheduler",
        "start_value, decay",
        "1.0, 0.02",
        "lr * start_value * decay ** where",
        after: "Goes on."
    ),
    entry!(
        whole,
        "LinearParamScheduler",
        "start_value, end_value",
        "1.0, 0.0",
        "lr * (end_value * where + start_value * (1 - where))",
        after: "Goes on along the line, below 0 where it falls to 0."
    ),
    entry!(
        whole,
        "MultiStepParamScheduler",
        "values, num_updates=None, milestones=None",
        "[1.0, 0.1, 0.01], milestones=[50, 75], num_updates=100",
        "lr * values[i], i the milestones that are not after where * \
         num_updates",
        frame: "Where num_updates is left out, the last milestone is the end. \
                Counts are shares of num_updates, not updates, where \
                max_iter differs.",
        after: "The second step after the last update raises an error."
    ),
    entry!(
        whole,
        "PolynomialDecayParamScheduler",
        "base_value, power",
        "1.0, 0.9",
        "lr * base_value * (1 - where) ** power",
        after: "With power = 1 the rate is negative, with power = 2 it rises \
                again."
    ),
    entry!(
        whole,
        "StepParamScheduler",
        "num_updates, values",
        "100, [1.0, 0.1, 0.01]",
        "lr * values[int(where * len(values))]",
        frame: "num_updates is not used: the steps are equal shares of \
                max_iter.",
        after: "The step after the last update raises an error."
    ),
    entry!(
        whole,
        "StepWithFixedGammaParamScheduler",
        "base_value, num_decays, gamma, num_updates",
        "base_value=1.0, num_decays=3, gamma=0.1, num_updates=100",
        "lr * base_value * gamma ** int(where * (num_decays + 1))",
        frame: "num_updates is not used: the steps are equal shares of \
                max_iter.",
        after: "The step after the last update raises an error."
    ),
    entry!(
        whole,
        "CompositeParamScheduler",
        "schedulers, lengths, interval_scaling",
        "[LinearParamScheduler(0.1, 1.0), CosineParamScheduler(1.0, 0.0)], \
         lengths=[0.1, 0.9], interval_scaling=['rescaled', 'rescaled']",
        "schedulers[i] over its share of lengths, at the share of that \
         interval if 'rescaled', at where if 'fixed'",
        frame: "A 'fixed' part begins at the where of the whole training, not \
                at its own begin: the rate jumps between parts that are not \
                made for that."
    ),
    entry!(
        whole,
        "WarmupParamScheduler",
        "scheduler, warmup_factor, warmup_length, warmup_method='linear', \
         rescale_interval=False",
        "CosineParamScheduler(1.0, 0.0), warmup_factor=0.001, \
         warmup_length=0.1",
        "from warmup_factor * scheduler(0) to scheduler(warmup_length) over \
         the share warmup_length, then the scheduler at where",
        frame: "The warm-up hides the start of the scheduler, unless \
                rescale_interval=True: the peak is scheduler(warmup_length)."
    ),
    entry!(
        multiplied,
        "LRMultiplier",
        "multiplier, max_iter, last_iter=-1",
        "CosineParamScheduler(1.0, 0.0), max_iter=100",
        "lr * multiplier(t / max_iter)"
    ),
    entry!(
        warmed,
        "WarmupMultiStepLR",
        "milestones, gamma=0.1, warmup_factor=0.001, warmup_iters=1000, \
         warmup_method='linear', last_epoch=-1",
        "milestones=[50, 75], warmup_iters=10",
        "lr * gamma ** (milestones not after t), for t < warmup_iters times a \
         factor from warmup_factor to 1"
    ),
    entry!(
        warmed,
        "WarmupCosineLR",
        "max_iters, warmup_factor=0.001, warmup_iters=1000, \
         warmup_method='linear', last_epoch=-1",
        "max_iters=100, warmup_iters=10",
        "lr * (1 + cos(pi * t / max_iters)) / 2, for t < warmup_iters times a \
         factor from warmup_factor to 1",
        frame: "The warm-up hides the start of the cosine: lr is never used.",
        after: "Rises again."
    ),
];

/// A scheduler over all updates of the training.
fn whole(
    name: &str,
    arguments: &Arguments,
    run: &Run,
) -> Result<Vec<f64>, Problem> {
    over(name, &value::made(name, arguments)?, run.steps as f64, run)
}

fn multiplied(
    name: &str,
    arguments: &Arguments,
    run: &Run,
) -> Result<Vec<f64>, Problem> {
    arguments.anew("last_iter")?;
    let value = value::of(arguments.call("multiplier")?)?;
    over(name, &value, arguments.count("max_iter")? as f64, run)
}

fn over(
    name: &str,
    value: &value::Value,
    whole: f64,
    run: &Run,
) -> Result<Vec<f64>, Problem> {
    let rate = |update: usize| {
        let value = value.at(update as f64 / whole);
        value
            .map(|value| run.peak * value)
            .ok_or_else(|| raises(name, update.saturating_sub(1)))
    };
    (0..run.steps).map(rate).collect()
}

/// The schedulers of Detectron2 that count in updates.
fn warmed(
    name: &str,
    arguments: &Arguments,
    run: &Run,
) -> Result<Vec<f64>, Problem> {
    arguments.anew("last_epoch")?;
    let factor = arguments.number("warmup_factor")?;
    let warmup = arguments.whole("warmup_iters")? as f64;
    let methods = ["linear", "constant"];
    let linear = arguments.word("warmup_method", &methods)? == 0;
    let rise = |t: f64| {
        if t >= warmup {
            1.0
        } else if linear {
            let x = t / warmup;
            factor * (1.0 - x) + x
        } else {
            factor
        }
    };
    if name == "WarmupCosineLR" {
        let whole = arguments.count("max_iters")? as f64;
        return Ok(run.each(|update| {
            let t = update as f64;
            run.peak * rise(t) * 0.5 * (1.0 + (PI * t / whole).cos())
        }));
    }
    let gamma = arguments.number("gamma")?;
    let milestones = arguments.numbers("milestones")?;
    if milestones.windows(2).any(|pair| pair[0] > pair[1]) {
        let why = "`milestones` must rise";
        return Err(arguments.refused("milestones", why));
    }
    Ok(run.each(|update| {
        let t = update as f64;
        let passed = milestones.iter().filter(|&&at| at <= t).count();
        run.peak * rise(t) * gamma.powf(passed as f64)
    }))
}
