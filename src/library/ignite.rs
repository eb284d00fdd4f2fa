//! `ignite.handlers.param_scheduler`: handlers that set the rate of an engine's
//! optimizer, and torch's schedulers in ignite's own count.

mod handler;

use super::{Arguments, Call, Entry, Notes, Package, Run};
use crate::error::Problem;
use handler::Handler;

pub(super) const PACKAGE: Package = Package {
    name: "ignite",
    title: "pytorch-ignite",
    version: "0.5.5",
    frame: "The scheduler is attached to Events.ITERATION_STARTED: update t \
            has the value at t. With `use_legacy` it is attached to \
            ITERATION_COMPLETED.",
    entries: ENTRIES,
    flags: None,
    torch: None,
};

const OWN: &str = "The values are rates. The rate of the optimizer is not \
                   used.";
const CYCLES: &str = "Goes on with further cycles.";

const ENTRIES: &[Entry] = &[
    Entry {
        name: "LinearCyclicalScheduler",
        signature: "param_name, start_value, end_value, cycle_size, \
                    cycle_mult=1.0, start_value_mult=1.0, \
                    end_value_mult=1.0, warmup_duration=0, \
                    save_history=False, param_group_index=None, *, \
                    monotonic=False",
        example: "'lr', 1.0, 0.01, 50",
        formula: "from start_value to end_value and back in cycle_size, or \
                  only there where monotonic",
        notes: Notes {
            frame: "A monotonic cycle ends one update before end_value, \
                    unless a warmup_duration follows, which rises back to \
                    start_value.",
            absolute: OWN,
            after: CYCLES,
            ..Notes::NONE
        },
        rates,
    },
    Entry {
        name: "CosineAnnealingScheduler",
        signature: "param_name, start_value, end_value, cycle_size, \
                    cycle_mult=1.0, start_value_mult=1.0, \
                    end_value_mult=1.0, warmup_duration=0, \
                    save_history=False, param_group_index=None",
        example: "'lr', 1.0, 0.0, 100",
        formula: "start_value + (end_value - start_value) / 2 * \
                  (1 - cos(pi * t / cycle_size))",
        notes: Notes {
            frame: "A cycle ends one update before end_value, unless a \
                    warmup_duration follows, which rises back to start_value.",
            absolute: OWN,
            after: CYCLES,
            ..Notes::NONE
        },
        rates,
    },
    Entry {
        name: "PiecewiseLinear",
        signature: "param_name, milestones_values, save_history=False, \
                    param_group_index=None",
        example: "'lr', [(0, 0.0), (10, 1.0), (100, 0.01)]",
        formula: "on the lines between the pairs of count and value",
        notes: Notes {
            absolute: OWN,
            after: "Stays at the last value.",
            ..Notes::NONE
        },
        rates,
    },
    Entry {
        name: "ConcatScheduler",
        signature: "schedulers, durations, save_history=False",
        example: "[PiecewiseLinear('lr', [(0, 0.0), (10, 1.0)]), \
                  CosineAnnealingScheduler('lr', 1.0, 0.0, 90)], [10]",
        formula: "schedulers[i] for durations[i] updates, each from its own \
                  start",
        notes: Notes { after: "As the last scheduler.", ..Notes::NONE },
        rates,
    },
    Entry {
        name: "LRScheduler",
        signature: "lr_scheduler, save_history=False, use_legacy=False",
        example: "StepLR(step_size=30)",
        formula: "get_lr of torch's scheduler at t, on the rate that stands",
        notes: Notes {
            frame: "The call at t = 0 changes the rate once more. With torch \
                    2.15 LinearLR and ConstantLR have their first factor \
                    twice, for the whole training; PolynomialLR is \
                    (total_iters / (total_iters + 1)) ** power too low; \
                    ExponentialLR and CosineAnnealingWarmRestarts are one \
                    update early; the first rate of CosineAnnealingLR is \
                    above lr. StepLR, MultiStepLR, OneCycleLR and CyclicLR \
                    are right. With use_legacy ExponentialLR, LinearLR and \
                    CosineAnnealingLR are right too.",
            changes: "CyclicLR and OneCycleLR set the momentum, as in torch.",
            after: "As torch's scheduler.",
            ..Notes::NONE
        },
        rates,
    },
    Entry {
        name: "create_lr_scheduler_with_warmup",
        signature: "lr_scheduler, warmup_start_value, warmup_duration, \
                    warmup_end_value=None, save_history=False, \
                    output_simulated_values=None",
        example: "CosineAnnealingScheduler('lr', 1.0, 0.0, 95), \
                  warmup_start_value=0.0, warmup_duration=5",
        formula: "a PiecewiseLinear from warmup_start_value to \
                  warmup_end_value, by default lr, then lr_scheduler",
        notes: Notes {
            frame: "The last of warmup_duration updates has the peak. A \
                    scheduler of torch starts at its own count of 1.",
            absolute: "warmup_start_value and warmup_end_value are rates.",
            after: "As lr_scheduler.",
            ..Notes::NONE
        },
        rates,
    },
];

/// The rates of a handler that is called before each update.
fn rates(arguments: &Arguments, run: &Run) -> Result<Vec<f64>, Problem> {
    Handler::rates(arguments, run)
}

/// A scheduler of ignite with its arguments, for a part of another one.
fn bound(call: &Call) -> Result<Arguments, Problem> {
    Arguments::bind(PACKAGE.entry(&call.name)?.signature, call)
}
