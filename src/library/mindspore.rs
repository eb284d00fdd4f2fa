//! `mindspore.nn`: lists of rates and classes, in `Model.train`; and
//! `mindspore.experimental.optim.lr_scheduler`, in its documented loop. All
//! rates are float32, and computed as MindSpore does it.

mod classes;
mod lists;
mod stepped;

use super::{Arguments, Entry, Notes, Package, Run};
use crate::error::Problem;

pub(super) const PACKAGE: Package = Package {
    name: "mindspore",
    title: "MindSpore",
    version: "2.10.0",
    frame: "Update t has the value at the optimizer's own count t, in \
            float32. A list or class of `mindspore.nn` has the rate, the \
            optimizer has none of its own: a `learning_rate` or `max_lr` that \
            is left out is the peak. A scheduler of \
            `mindspore.experimental.optim` is called after each update.",
    entries: ENTRIES,
    flags: None,
    torch: None,
};

const BY_EPOCH: &str = "The rate is constant within an epoch of \
                        step_per_epoch updates.";
const LIST_ENDS: &str = "The update after the end of the list raises an error \
                         (on the CPU).";
const GOES_ON: &str = "Goes on.";

const ENTRIES: &[Entry] = &[
    entry!(
        lists::rates,
        "cosine_decay_lr",
        "min_lr, max_lr, total_step, step_per_epoch, decay_epoch",
        "min_lr=0.0, total_step=100, step_per_epoch=10, decay_epoch=10",
        "min_lr + (max_lr - min_lr) * (1 + cos(pi * epoch / decay_epoch)) / 2",
        frame: "The rate is constant within an epoch of step_per_epoch \
                updates. min_lr comes after decay_epoch whole epochs: a list \
                of these epochs lacks it.",
        absolute: "min_lr is a rate, not a ratio.",
        after: LIST_ENDS
    ),
    entry!(
        lists::rates,
        "exponential_decay_lr",
        "learning_rate, decay_rate, total_step, step_per_epoch, decay_epoch, \
         is_stair=False",
        "decay_rate=0.5, total_step=100, step_per_epoch=10, decay_epoch=2",
        "learning_rate * decay_rate ** (epoch / decay_epoch)",
        frame: BY_EPOCH,
        after: LIST_ENDS
    ),
    entry!(
        lists::rates,
        "natural_exp_decay_lr",
        "learning_rate, decay_rate, total_step, step_per_epoch, decay_epoch, \
         is_stair=False",
        "decay_rate=0.5, total_step=100, step_per_epoch=10, decay_epoch=2",
        "learning_rate * e ** (-decay_rate * epoch); decay_epoch counts with \
         is_stair only",
        frame: BY_EPOCH,
        after: LIST_ENDS
    ),
    entry!(
        lists::rates,
        "inverse_decay_lr",
        "learning_rate, decay_rate, total_step, step_per_epoch, decay_epoch, \
         is_stair=False",
        "decay_rate=0.5, total_step=100, step_per_epoch=10, decay_epoch=2",
        "learning_rate / (1 + decay_rate * epoch / decay_epoch)",
        frame: BY_EPOCH,
        after: LIST_ENDS
    ),
    entry!(
        lists::rates,
        "polynomial_decay_lr",
        "learning_rate, end_learning_rate, total_step, step_per_epoch, \
         decay_epoch, power, update_decay_epoch=False",
        "end_learning_rate=0.0, total_step=100, step_per_epoch=10, \
         decay_epoch=10, power=1.0",
        "(learning_rate - end_learning_rate) * (1 - min(epoch / decay_epoch, \
         1)) ** power + end_learning_rate",
        frame: BY_EPOCH,
        absolute: "end_learning_rate is a rate, not a ratio.",
        after: LIST_ENDS
    ),
    entry!(
        lists::rates,
        "piecewise_constant_lr",
        "milestone, learning_rates",
        "milestone=[50, 75, 100], learning_rates=[0.1, 0.01, 0.001]",
        "learning_rates[i] up to before milestone[i]",
        absolute: "learning_rates are rates. It has no other rate.",
        after: LIST_ENDS
    ),
    entry!(
        lists::rates,
        "warmup_lr",
        "learning_rate, total_step, step_per_epoch, warmup_epoch",
        "total_step=100, step_per_epoch=10, warmup_epoch=2",
        "learning_rate * min(epoch / warmup_epoch, 1)",
        frame: "The rate is constant within an epoch of step_per_epoch \
                updates. The whole first epoch has the rate 0.",
        after: LIST_ENDS
    ),
    entry!(
        classes::rates,
        "CosineDecayLR",
        "min_lr, max_lr, decay_steps",
        "min_lr=0.0, decay_steps=100",
        "min_lr + (max_lr - min_lr) * (1 + cos(pi * min(t / decay_steps, 1))) \
         / 2",
        absolute: "min_lr is a rate, not a ratio.",
        after: "Stays at min_lr."
    ),
    entry!(
        classes::rates,
        "ExponentialDecayLR",
        "learning_rate, decay_rate, decay_steps, is_stair=False",
        "decay_rate=0.5, decay_steps=25",
        "learning_rate * decay_rate ** (t / decay_steps)",
        after: GOES_ON
    ),
    entry!(
        classes::rates,
        "NaturalExpDecayLR",
        "learning_rate, decay_rate, decay_steps, is_stair=False",
        "decay_rate=0.02, decay_steps=10",
        "learning_rate * e ** (-decay_rate * t); decay_steps counts with \
         is_stair only",
        after: GOES_ON
    ),
    entry!(
        classes::rates,
        "InverseDecayLR",
        "learning_rate, decay_rate, decay_steps, is_stair=False",
        "decay_rate=0.5, decay_steps=10",
        "learning_rate / (1 + decay_rate * t / decay_steps)",
        after: GOES_ON
    ),
    entry!(
        classes::rates,
        "PolynomialDecayLR",
        "learning_rate, end_learning_rate, decay_steps, power, \
         update_decay_steps=False",
        "end_learning_rate=0.0, decay_steps=100, power=1.0",
        "(learning_rate - end_learning_rate) * (1 - min(t / decay_steps, 1)) \
         ** power + end_learning_rate",
        absolute: "end_learning_rate is a rate, not a ratio.",
        after: "Stays at end_learning_rate. With update_decay_steps=True it \
                jumps up, and decays to it at the next multiple of decay_steps."
    ),
    entry!(
        classes::rates,
        "WarmUpLR",
        "learning_rate, warmup_steps",
        "warmup_steps=10",
        "learning_rate * min(t / warmup_steps, 1)",
        frame: "The first update has the rate 0.",
        after: "Stays at learning_rate."
    ),
    entry!(
        stepped::rates,
        "StepLR",
        "step_size, gamma=0.1, last_epoch=-1",
        "step_size=30",
        "lr * gamma ** (t // step_size)",
        after: GOES_ON
    ),
    entry!(
        stepped::rates,
        "LinearLR",
        "start_factor=1/3, end_factor=1.0, total_iters=5, last_epoch=-1",
        "start_factor=0.1, total_iters=10",
        "lr * (start_factor + (end_factor - start_factor) * min(t / \
         total_iters, 1))"
    ),
    entry!(
        stepped::rates,
        "ExponentialLR",
        "gamma, last_epoch=-1",
        "gamma=0.95",
        "lr * gamma ** t",
        after: GOES_ON
    ),
    entry!(
        stepped::rates,
        "PolynomialLR",
        "total_iters=5, power=1.0, last_epoch=-1",
        "total_iters=100, power=2.0",
        "lr * (1 - min(t / total_iters, 1)) ** power",
        after: "Stays at 0."
    ),
    entry!(
        stepped::rates,
        "MultiStepLR",
        "milestones, gamma=0.1, last_epoch=-1",
        "milestones=[50, 75]",
        "lr * gamma ** (milestones not after t)"
    ),
    entry!(
        stepped::rates,
        "ConstantLR",
        "factor=1/3, total_iters=5, last_epoch=-1",
        "",
        "lr * factor for t < total_iters, then lr",
        frame: "The first updates have the lower rate: a warm-up in one step."
    ),
    entry!(
        stepped::rates,
        "CyclicLR",
        "base_lr, max_lr, step_size_up=2000, step_size_down=None, \
         mode='triangular', gamma=1.0, scale_fn=None, scale_mode='cycle', \
         last_epoch=-1",
        "base_lr=0.1, step_size_up=25",
        "from base_lr to max_lr over step_size_up and back over step_size_down",
        absolute: "base_lr is a rate, not a ratio. The rate of the optimizer \
                   is not used.",
        after: "Goes on with further cycles."
    ),
    entry!(
        stepped::rates,
        "CosineAnnealingWarmRestarts",
        "T_0, T_mult=1, eta_min=0, last_epoch=-1",
        "T_0=25",
        "CosineAnnealingLR over cycles of T_0 * T_mult ** i updates",
        absolute: "eta_min is a rate, not a ratio.",
        after: "Goes on with further cycles."
    ),
    entry!(
        stepped::rates,
        "CosineAnnealingLR",
        "T_max, eta_min=0.0, last_epoch=-1",
        "T_max=100",
        "eta_min + (lr - eta_min) * (1 + cos(pi * t / T_max)) / 2",
        absolute: "eta_min is a rate, not a ratio.",
        after: "Rises again, to lr at 2 * T_max."
    ),
];

/// A number as a tensor of float32 holds it.
#[expect(clippy::cast_possible_truncation, reason = "MindSpore is f32")]
fn single(value: f64) -> f32 {
    value as f32
}

/// A rate of a list or class, the peak where it is left out.
fn rate(arguments: &Arguments, key: &str, run: &Run) -> Result<f64, Problem> {
    if arguments.given(key) { positive(arguments, key) } else { Ok(run.peak) }
}

/// A number above 0.
fn positive(arguments: &Arguments, key: &str) -> Result<f64, Problem> {
    let value = Some(arguments.real(key)?).filter(|&value| value > 0.0);
    value.ok_or_else(|| {
        arguments.refused(key, &format!("`{key}` must be above 0"))
    })
}

/// A lowest rate, which may be 0.
fn floor(arguments: &Arguments, key: &str) -> Result<f64, Problem> {
    let value = arguments.real(key)?;
    if value >= 0.0 {
        return Ok(value);
    }
    Err(arguments.refused(key, &format!("`{key}` must be 0 or more")))
}

/// The lowest and the highest rate of a cosine.
fn range(arguments: &Arguments, run: &Run) -> Result<(f64, f64), Problem> {
    let low = floor(arguments, "min_lr")?;
    let high = rate(arguments, "max_lr", run)?;
    if low < high {
        return Ok((low, high));
    }
    Err(arguments.refused("min_lr", "`min_lr` must be below `max_lr`"))
}
