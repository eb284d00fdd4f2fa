//! `paddle.optimizer.lr`: `optimizer.step()`, then `scheduler.step()`, once an
//! update. `paddle.Model.fit` does the same.

mod build;
mod scheduler;

use super::{Arguments, Entry, Notes, Package, Run, raises};
use crate::error::Problem;

pub(super) const PACKAGE: Package = Package {
    name: "paddle",
    title: "PaddlePaddle",
    version: "3.3.1",
    frame: "Update t has the value after t calls of `scheduler.step()`; \
            `Model.fit` calls it after each update. The scheduler has the \
            rate, the optimizer has none of its own: a `learning_rate`, \
            `max_learning_rate` or `end_lr` of a warm-up that is left out is \
            the peak.",
    entries: ENTRIES,
    flags: None,
    torch: None,
};

/// An entry, with what all of them take.
macro_rules! class {
    ($name:literal, $signature:literal, $($rest:tt)*) => {
        entry!(
            rates,
            $name,
            concat!($signature, ", last_epoch=-1, verbose=False"),
            $($rest)*
        )
    };
}

const ENTRIES: &[Entry] = &[
    class!(
        "NoamDecay",
        "d_model, warmup_steps, learning_rate=1.0",
        "d_model=64, warmup_steps=10",
        "learning_rate * d_model ** -0.5 * min(t ** -0.5, \
         t * warmup_steps ** -1.5)",
        frame: "The first update has the rate 0.",
        absolute: "learning_rate is a factor, not the highest rate."
    ),
    class!(
        "PiecewiseDecay",
        "boundaries, values",
        "boundaries=[50, 75], values=[0.1, 0.01, 0.001]",
        "values[i] up to before boundaries[i]",
        absolute: "values are rates. It has no other rate."
    ),
    class!(
        "NaturalExpDecay",
        "learning_rate, gamma",
        "gamma=0.05",
        "learning_rate * exp(-gamma * t)",
        after: "Goes on."
    ),
    class!(
        "InverseTimeDecay",
        "learning_rate, gamma",
        "gamma=0.1",
        "learning_rate / (1 + gamma * t)",
        after: "Goes on."
    ),
    class!(
        "PolynomialDecay",
        "learning_rate, decay_steps, end_lr=0.0001, power=1.0, cycle=False",
        "decay_steps=100",
        "(learning_rate - end_lr) * (1 - min(t / decay_steps, 1)) ** power + \
         end_lr",
        absolute: "end_lr = 0.0001 is a rate: from a lower learning_rate the \
                   decay rises.",
        after: "Stays at end_lr. With cycle=True it jumps up, and decays to \
                end_lr at the next multiple of decay_steps."
    ),
    class!(
        "ExponentialDecay",
        "learning_rate, gamma",
        "gamma=0.95",
        "learning_rate * gamma ** t",
        after: "Goes on."
    ),
    class!(
        "MultiStepDecay",
        "learning_rate, milestones, gamma=0.1",
        "milestones=[50, 75]",
        "learning_rate * gamma ** (milestones not after t)"
    ),
    class!(
        "StepDecay",
        "learning_rate, step_size, gamma=0.1",
        "step_size=30",
        "learning_rate * gamma ** (t // step_size)",
        after: "Goes on."
    ),
    class!(
        "CosineAnnealingDecay",
        "learning_rate, T_max, eta_min=0",
        "T_max=100",
        "eta_min + (learning_rate - eta_min) * (1 + cos(pi * t / T_max)) / 2",
        absolute: "eta_min is a rate, not a ratio.",
        after: "Rises again, to learning_rate at 2 * T_max."
    ),
    class!(
        "CosineAnnealingWarmRestarts",
        "learning_rate, T_0, T_mult=1, eta_min=0",
        "T_0=25",
        "CosineAnnealingDecay over cycles of T_0 * T_mult ** i updates",
        absolute: "eta_min is a rate, not a ratio.",
        after: "Goes on with further cycles."
    ),
    class!(
        "LinearLR",
        "learning_rate, total_steps, start_factor=1/3, end_factor=1.0",
        "total_steps=10, start_factor=0.1",
        "learning_rate * (start_factor + (end_factor - start_factor) * \
         min(t / total_steps, 1))",
        frame: "The first update has start_factor, which cannot be 0."
    ),
    class!(
        "OneCycleLR",
        "max_learning_rate, total_steps, divide_factor=25.0, \
         end_learning_rate=0.0001, phase_pct=0.3, anneal_strategy='cos', \
         three_phase=False",
        "total_steps=100",
        "max_learning_rate / divide_factor to max_learning_rate at \
         phase_pct * total_steps - 1, to end_learning_rate at total_steps - 1",
        absolute: "end_learning_rate = 0.0001 is a rate: from a lower \
                   max_learning_rate the decay rises.",
        after: "The step after the last one turns back from \
                end_learning_rate. The next one raises an error."
    ),
    class!(
        "CyclicLR",
        "base_learning_rate, max_learning_rate, step_size_up, \
         step_size_down=None, mode='triangular', exp_gamma=1.0, \
         scale_fn=None, scale_mode='cycle'",
        "base_learning_rate=0.1, step_size_up=25",
        "from base_learning_rate to max_learning_rate over step_size_up and \
         back over step_size_down",
        absolute: "base_learning_rate is a rate, not a ratio.",
        after: "Goes on with further cycles."
    ),
    class!(
        "LinearWarmup",
        "learning_rate, warmup_steps, start_lr, end_lr",
        "learning_rate=CosineAnnealingDecay(T_max=90), warmup_steps=10, \
         start_lr=0.0",
        "start_lr + (end_lr - start_lr) * t / warmup_steps, then \
         learning_rate, or the inner scheduler at t - warmup_steps",
        frame: "The inner scheduler starts at its own 0 after the warm-up, \
                so its plan is warmup_steps shorter than the training.",
        absolute: "start_lr and end_lr are rates. Where end_lr is not the \
                   first rate after the warm-up, the rate jumps."
    ),
];

fn rates(
    name: &str,
    arguments: &Arguments,
    run: &Run,
) -> Result<Vec<f64>, Problem> {
    let mut made = build::made(name, arguments, run.peak)?;
    let mut rates = vec![];
    for update in 0..run.steps {
        match made.step(false) {
            Some(rate) => rates.push(rate),
            None if update == 0 => {
                let why = "paddle divides by 0 where it is made";
                return Err(Problem::whole(format!("{name}: {why}")));
            }
            None => return Err(raises(name, update - 1)),
        }
    }
    Ok(rates)
}
