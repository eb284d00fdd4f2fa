//! `torch.optim.lr_scheduler`: `optimizer.step()`, then `scheduler.step()`,
//! once an update.

mod build;
mod scheduler;

pub(super) use build::scheduler;
pub(super) use scheduler::{Group, Scheduler};

use super::{Arguments, Call, Entry, Notes, Package, Run, hf, raises};
use crate::error::Problem;

pub(super) const PACKAGE: Package = Package {
    name: "torch",
    title: "PyTorch",
    version: "2.15.0",
    frame: "Update t has the value after t calls of `scheduler.step()`.",
    entries: ENTRIES,
    flags: None,
    torch: None,
};

const ENTRIES: &[Entry] = &[
    entry!(
        rates,
        "StepLR",
        "step_size, gamma=0.1, last_epoch=-1",
        "step_size=30",
        "lr * gamma ** (t // step_size)",
        after: "Goes on."
    ),
    entry!(
        rates,
        "MultiStepLR",
        "milestones, gamma=0.1, last_epoch=-1",
        "milestones=[50, 75]",
        "lr * gamma ** (milestones not after t)"
    ),
    entry!(
        rates,
        "ConstantLR",
        "factor=1/3, total_iters=5, last_epoch=-1",
        "",
        "lr * factor for t < total_iters, then lr",
        frame: "The first updates have the lower rate: a warm-up in one step."
    ),
    entry!(
        rates,
        "LinearLR",
        "start_factor=1/3, end_factor=1.0, total_iters=5, last_epoch=-1",
        "start_factor=0.1, total_iters=10",
        "lr * (start_factor + (end_factor - start_factor) * min(t / total_iters, 1))",
        frame: "The first update has start_factor, which cannot be 0."
    ),
    entry!(
        rates,
        "ExponentialLR",
        "gamma, last_epoch=-1",
        "gamma=0.95",
        "lr * gamma ** t",
        after: "Goes on."
    ),
    entry!(
        rates,
        "PolynomialLR",
        "total_iters=5, power=1.0, last_epoch=-1",
        "total_iters=100, power=2.0",
        "lr * (1 - min(t / total_iters, 1)) ** power",
        after: "Stays at 0."
    ),
    entry!(
        rates,
        "CosineAnnealingLR",
        "T_max, eta_min=0.0, last_epoch=-1",
        "T_max=100",
        "eta_min + (lr - eta_min) * (1 + cos(pi * t / T_max)) / 2",
        absolute: "eta_min is a rate, not a ratio.",
        after: "Rises again, to lr at 2 * T_max."
    ),
    entry!(
        rates,
        "CosineAnnealingWarmRestarts",
        "T_0, T_mult=1, eta_min=0.0, last_epoch=-1",
        "T_0=25",
        "CosineAnnealingLR over cycles of T_0 * T_mult ** i updates",
        absolute: "eta_min is a rate, not a ratio.",
        after: "Goes on with further cycles."
    ),
    entry!(
        rates,
        "CyclicLR",
        "base_lr, max_lr, step_size_up=2000, step_size_down=None, \
         mode='triangular', gamma=1.0, scale_fn=None, scale_mode='cycle', \
         cycle_momentum=True, base_momentum=0.8, max_momentum=0.9, \
         last_epoch=-1",
        "base_lr=0.1, max_lr=1, step_size_up=25, cycle_momentum=False",
        "from base_lr to max_lr over step_size_up and back over step_size_down",
        absolute: "base_lr and max_lr are rates. The rate of the optimizer is not used.",
        changes: "Sets the momentum, or Adam's first beta, between 0.8 and \
                  0.9, also where the optimizer had none, unless \
                  cycle_momentum is False.",
        after: "Goes on with further cycles."
    ),
    entry!(
        rates,
        "OneCycleLR",
        "max_lr, total_steps=None, epochs=None, steps_per_epoch=None, \
         pct_start=0.3, anneal_strategy='cos', cycle_momentum=True, \
         base_momentum=0.85, max_momentum=0.95, div_factor=25.0, \
         final_div_factor=1e4, three_phase=False, last_epoch=-1",
        "max_lr=1, total_steps=100",
        "max_lr / div_factor to max_lr at pct_start * total_steps - 1, to \
         max_lr / div_factor / final_div_factor at total_steps - 1",
        absolute: "max_lr is a rate. The rate of the optimizer is not used.",
        changes: "Sets the momentum, or Adam's first beta, between 0.95 and \
                  0.85, also where the optimizer had none, unless \
                  cycle_momentum is False.",
        after: "The step after the last one goes up again. The next one \
                raises an error."
    ),
    entry!(
        rates,
        "SWALR",
        "swa_lr, anneal_epochs=10, anneal_strategy='cos', last_epoch=-1",
        "swa_lr=0.05",
        "from lr to swa_lr over anneal_epochs calls",
        absolute: "swa_lr is a rate, not a ratio.",
        after: "Stays at swa_lr."
    ),
    entry!(
        rates,
        "SequentialLR",
        "schedulers, milestones, last_epoch=-1",
        "schedulers=[LinearLR(start_factor=0.1, total_iters=10), CosineAnnealingLR(T_max=90)], milestones=[10]",
        "schedulers[i] from milestones[i - 1] on, counted from 0 there"
    ),
    entry!(
        rates,
        "ChainedScheduler",
        "schedulers, optimizer=None",
        "schedulers=[ConstantLR(factor=0.1, total_iters=10), ExponentialLR(gamma=0.95)]",
        "the product of the factors of all"
    ),
];

/// The `total_steps` of the scheduler of `call`, where it has them.
///
/// # Errors
///
/// If it does not take the arguments.
pub(super) fn total_steps(call: &Call) -> Result<Option<usize>, Problem> {
    if call.name != "OneCycleLR" {
        return Ok(None);
    }
    let entry = PACKAGE.entry(&call.name)?;
    let arguments = Arguments::bind(entry.signature, call)?;
    let total = build::total_steps(&arguments)?;
    Ok(usize::try_from(total).ok())
}

/// Whether `name` is a scheduler that libraries step: one of torch's, or one
/// that transformers makes of torch's `LambdaLR`.
pub(super) fn steps(name: &str) -> bool {
    hf::steps(name) || ENTRIES.iter().any(|entry| entry.name == name)
}

/// The rates of the scheduler of `call`, which is stepped `steps(t)` times
/// before update t.
pub(super) fn stepped(
    call: &Call,
    run: &Run,
    steps: impl Fn(usize) -> usize,
) -> Result<Vec<f64>, Problem> {
    if let Some(factor) = hf::scheduler(call, run)? {
        return Ok(run.each(|update| run.peak * factor(steps(update))));
    }
    let mut group = Group::new(run.peak);
    let made = build::scheduler(call, &mut group)?;
    driven(&call.name, (made, group), run, steps)
}

/// The rates of a scheduler that is stepped once an update.
fn rates(
    name: &str,
    arguments: &Arguments,
    run: &Run,
) -> Result<Vec<f64>, Problem> {
    let mut group = Group::new(run.peak);
    let made = build::made(name, arguments, &mut group)?;
    driven(name, (made, group), run, |update| update)
}

fn driven(
    name: &str,
    (mut made, mut group): (Scheduler, Group),
    run: &Run,
    steps: impl Fn(usize) -> usize,
) -> Result<Vec<f64>, Problem> {
    let mut rates = vec![];
    let mut done = 0;
    for update in 0..run.steps {
        while done < steps(update) {
            if !made.step(&mut group) {
                return Err(raises(name, update.saturating_sub(1)));
            }
            done += 1;
        }
        rates.push(group.lr);
    }
    Ok(rates)
}
