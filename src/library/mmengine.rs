//! `mmengine.optim.scheduler` in MMEngine's `Runner`: calls, `dict(type=...)`
//! of a configuration, or a list of them.

mod build;
mod scheduler;

use scheduler::{Group, Scheduler};

use super::{Arguments, Call, Entry, Notes, Package, Run, called, raises};
use crate::error::Problem;

pub(super) const PACKAGE: Package = Package {
    name: "mmengine",
    title: "MMEngine",
    version: "0.10.7",
    frame: "The Runner steps a scheduler after each epoch, or with \
            by_epoch=False after each update; update t has the value after t \
            calls. `end` is excluded: end - begin values are made, the first \
            at the begin itself, and then the rate stays. The `end` that a \
            dict leaves out is the end of the training; in a Python call it \
            is never.",
    entries: ENTRIES,
    flags: None,
    torch: None,
};

/// An entry, with what all of them take; shown once an update.
macro_rules! class {
    ($name:literal, $signature:literal, $example:literal, $($rest:tt)*) => {
        entry!(
            alone,
            $name,
            concat!($signature, ", *, convert_to_iter_based=False"),
            concat!($example, "by_epoch=False"),
            $($rest)*
        )
    };
}

const ENTRIES: &[Entry] = &[
    class!(
        "ConstantLR",
        "factor=1/3, begin=0, end=1000000000, last_step=-1, by_epoch=True, verbose=False",
        "end=10, ",
        "lr * factor from begin on, lr from end - 1 on",
        frame: "The lower rate has end - begin - 1 values."
    ),
    class!(
        "CosineAnnealingLR",
        "T_max=None, eta_min=None, begin=0, end=1000000000, last_step=-1, \
         by_epoch=True, verbose=False, eta_min_ratio=None",
        "T_max=100, ",
        "eta_min + (lr - eta_min) * (1 + cos(pi * (t - begin) / T_max)) / 2; \
         T_max is end - begin where it is left out",
        frame: "The last value is that of T_max - 1 where T_max is end - \
                begin: the rate stays above eta_min.",
        absolute: "eta_min is a rate; eta_min_ratio is a share of lr.",
        after: "Stays at the last value; without an end it rises again after \
                T_max."
    ),
    class!(
        "ExponentialLR",
        "gamma, begin=0, end=1000000000, last_step=-1, by_epoch=True, verbose=False",
        "gamma=0.95, ",
        "lr * gamma ** (t - begin)",
        after: "Stays at the last value; without an end it goes on."
    ),
    class!(
        "LinearLR",
        "start_factor=1/3, end_factor=1.0, begin=0, end=1000000000, \
         last_step=-1, by_epoch=True, verbose=False",
        "start_factor=0.1, end=10, ",
        "lr * (start_factor + (end_factor - start_factor) * (t - begin) / \
         (end - begin - 1))",
        frame: "end_factor is reached after end - begin - 1 steps."
    ),
    class!(
        "MultiStepLR",
        "milestones, gamma=0.1, last_step=-1, begin=0, end=1000000000, by_epoch=True, verbose=False",
        "milestones=[50, 75], ",
        "lr * gamma ** (milestones not after t - begin)"
    ),
    class!(
        "StepLR",
        "step_size, gamma=0.1, begin=0, end=1000000000, last_step=-1, by_epoch=True, verbose=False",
        "step_size=30, ",
        "lr * gamma ** ((t - begin) // step_size)"
    ),
    class!(
        "PolyLR",
        "eta_min=0, power=1.0, begin=0, end=1000000000, last_step=-1, by_epoch=True, verbose=False",
        "end=100, ",
        "eta_min + (lr - eta_min) * (1 - (t - begin) / (end - begin - 1)) ** \
         power",
        frame: "eta_min is reached after end - begin - 1 steps.",
        absolute: "eta_min is a rate, not a ratio."
    ),
    class!(
        "OneCycleLR",
        "eta_max=0, total_steps=None, pct_start=0.3, anneal_strategy='cos', \
         div_factor=25.0, final_div_factor=1e4, three_phase=False, begin=0, \
         end=1000000000, last_step=-1, by_epoch=True, verbose=False",
        "eta_max=1.0, total_steps=100, ",
        "eta_max / div_factor to eta_max at pct_start * total_steps - 1, to \
         eta_max / div_factor / final_div_factor at total_steps - 1; \
         total_steps is end - begin where it is left out",
        absolute: "eta_max is a rate, and 0 where it is left out: nothing is \
                   trained then. The rate of the optimizer is not used.",
        after: "The step after the last one goes up again where `end` allows \
                it. The next one raises an error."
    ),
    class!(
        "CosineRestartLR",
        "periods, restart_weights=(1,), eta_min=None, eta_min_ratio=None, \
         begin=0, end=1000000000, last_step=-1, by_epoch=True, verbose=False",
        "periods=[50, 50], restart_weights=[1, 0.5], eta_min=0.0, ",
        "eta_min + (lr * restart_weights[i] - eta_min) * (1 + cos(pi * t / \
         periods[i])) / 2, t from the begin of period i",
        absolute: "eta_min is a rate; eta_min_ratio is a share of lr.",
        after: "Stays at the last value, which is above eta_min."
    ),
    Entry {
        name: "list",
        signature: "schedulers",
        example: "[dict(type='LinearLR', start_factor=0.1, by_epoch=False, \
                  end=10), dict(type='CosineAnnealingLR', T_max=90, \
                  by_epoch=False, begin=10, end=100)]",
        formula: "each scheduler changes the rate between its begin and its end",
        notes: Notes {
            frame: "A list of schedulers needs no name. Where two overlap, \
                    both change the rate that they find.",
            ..Notes::NONE
        },
        rates: listed,
    },
];

/// The rates of a list of schedulers.
fn listed(arguments: &Arguments, run: &Run) -> Result<Vec<f64>, Problem> {
    let mut all = vec![];
    for item in arguments.list("schedulers")? {
        let call: Call = called(item.clone())?;
        let entry = PACKAGE.entry(&call.name)?;
        if entry.name == "list" {
            return Err(arguments.wrong("schedulers", "a list of schedulers"));
        }
        all.push((entry.name, Arguments::bind(entry.signature, &call)?));
    }
    rates(&all, run)
}

/// The rates of one scheduler.
fn alone(
    name: &'static str,
    arguments: &Arguments,
    run: &Run,
) -> Result<Vec<f64>, Problem> {
    rates(&[(name, arguments.clone())], run)
}

/// The rates under all schedulers, each with the name of its entry.
fn rates(
    all: &[(&'static str, Arguments)],
    run: &Run,
) -> Result<Vec<f64>, Problem> {
    let mut group = Group::new(run.peak);
    let mut made = vec![];
    for (name, arguments) in all {
        let (rule, span) = build::made(name, arguments, run, &mut group)?;
        let mut scheduler = Scheduler::new(rule, span, &mut group);
        if !scheduler.step(&mut group) {
            return Err(raises(name, 0));
        }
        made.push((*name, scheduler));
    }
    let mut rates = vec![];
    for update in 0..run.steps {
        for by_epoch in [false, true] {
            if update == 0 || by_epoch && !begins_epoch(update, run) {
                continue;
            }
            for (name, scheduler) in &mut made {
                if scheduler.by_epoch() == by_epoch
                    && !scheduler.step(&mut group)
                {
                    return Err(raises(name, update - 1));
                }
            }
        }
        rates.push(group.lr);
    }
    Ok(rates)
}

/// Whether an epoch ends before this update.
fn begins_epoch(update: usize, run: &Run) -> bool {
    run.epoch.is_some_and(|epoch| update.is_multiple_of(epoch))
}
