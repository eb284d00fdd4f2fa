//! `mxnet.lr_scheduler` in a Gluon Trainer that has a `learning_rate` too.

use super::{Arguments, Entry, Notes, Package, Run, raises};
use crate::error::Problem;
use std::f64::consts::PI;

pub(super) const PACKAGE: Package = Package {
    name: "mxnet",
    title: "MXNet",
    version: "1.9.1",
    frame: "MXNet counts updates from 1: update t has the value at t + 1. The \
            optimizer has lr as its learning_rate; an optimizer that was made \
            with none has base_lr, which is the same as both being equal.",
    entries: ENTRIES,
    flags: None,
    torch: None,
};

const OWN: &str = "The decay starts at base_lr = 0.01, whatever lr is: the \
                   learning_rate of the optimizer does not reach it. \
                   warmup_begin_lr and final_lr are rates too.";
const RISES: &str = "A warm-up rises to base_lr = 0.01, whatever lr is, and \
                     the rates after it start at lr: the learning_rate of the \
                     optimizer does not reach the warm-up. Decays within the \
                     warm-up take effect at its end.";

const ENTRIES: &[Entry] = &[
    Entry {
        name: "FactorScheduler",
        signature: "step, factor=1, stop_factor_lr=1e-8, base_lr=0.01, \
                    warmup_steps=0, warmup_begin_lr=0, warmup_mode='linear'",
        example: "step=30, factor=0.1",
        formula: "lr * factor ** (t // step), not below stop_factor_lr",
        notes: Notes {
            frame: "The default factor changes nothing.",
            absolute: RISES,
            after: "Goes on, down to stop_factor_lr.",
            ..Notes::NONE
        },
        rates,
    },
    Entry {
        name: "MultiFactorScheduler",
        signature: "step, factor=1, base_lr=0.01, warmup_steps=0, \
                    warmup_begin_lr=0, warmup_mode='linear'",
        example: "step=[50, 75], factor=0.1",
        formula: "lr * factor ** (steps not after t)",
        notes: Notes {
            frame: "The default factor changes nothing.",
            absolute: RISES,
            ..Notes::NONE
        },
        rates,
    },
    Entry {
        name: "PolyScheduler",
        signature: "max_update, base_lr=0.01, pwr=2, final_lr=0, \
                    warmup_steps=0, warmup_begin_lr=0, warmup_mode='linear'",
        example: "max_update=100, base_lr=1.0",
        formula: "final_lr + (base_lr - final_lr) * (1 - (t + 1 - \
                  warmup_steps) / (max_update - warmup_steps)) ** pwr",
        notes: Notes {
            frame: "base_lr itself is used only after a warm-up.",
            absolute: OWN,
            after: "Stays at final_lr.",
            ..Notes::NONE
        },
        rates,
    },
    Entry {
        name: "CosineScheduler",
        signature: "max_update, base_lr=0.01, final_lr=0, warmup_steps=0, \
                    warmup_begin_lr=0, warmup_mode='linear'",
        example: "max_update=100, base_lr=1.0",
        formula: "final_lr + (base_lr - final_lr) * (1 + cos(pi * (t + 1 - \
                  warmup_steps) / (max_update - warmup_steps))) / 2",
        notes: Notes {
            frame: "base_lr itself is used only after a warm-up.",
            absolute: OWN,
            after: "Stays at final_lr.",
            ..Notes::NONE
        },
        rates,
    },
];

/// What a scheduler does after its warm-up.
enum Rule {
    Factor { step: i64, factor: f64, stop: f64, count: i64 },
    MultiFactor { steps: Vec<i64>, factor: f64, passed: usize },
    Poly { last: i64, power: f64, end: f64 },
    Cosine { last: i64, end: f64 },
}

impl Rule {
    fn of(arguments: &Arguments) -> Result<Self, Problem> {
        let number = |key| arguments.number(key);
        let factor = || {
            let factor = arguments.number("factor")?;
            if factor <= 1.0 {
                return Ok(factor);
            }
            let why = "`factor` must be at most 1";
            Err(arguments.refused("factor", why))
        };
        Ok(match arguments.name() {
            "FactorScheduler" => Self::Factor {
                step: arguments.positive("step")?,
                factor: factor()?,
                stop: number("stop_factor_lr")?,
                count: 0,
            },
            "MultiFactorScheduler" => {
                let steps = arguments.wholes("step")?;
                let rising = steps.windows(2).all(|pair| pair[0] < pair[1]);
                if !rising || steps.first().is_none_or(|&first| first < 1) {
                    let why = "`step` must rise and be 1 or more";
                    return Err(arguments.refused("step", why));
                }
                Self::MultiFactor { steps, factor: factor()?, passed: 0 }
            }
            "PolyScheduler" => Self::Poly {
                last: arguments.positive("max_update")?,
                power: number("pwr")?,
                end: number("final_lr")?,
            },
            _ => Self::Cosine {
                last: arguments.positive("max_update")?,
                end: number("final_lr")?,
            },
        })
    }

    /// The rate at update `now`, counted from 1, where the last one was `lr`.
    fn next(&mut self, now: i64, lr: f64, base: f64, warmup: i64) -> f64 {
        let share = |last: i64| (now - warmup) as f64 / (last - warmup) as f64;
        match self {
            Self::Factor { step, factor, stop, count } => {
                let mut lr = lr;
                while now > *count + *step {
                    *count += *step;
                    lr = (lr * *factor).max(*stop);
                }
                lr
            }
            Self::MultiFactor { steps, factor, passed } => {
                let mut lr = lr;
                while steps.get(*passed).is_some_and(|&step| now > step) {
                    *passed += 1;
                    lr *= *factor;
                }
                lr
            }
            Self::Poly { last, power, end } if now <= *last => {
                *end + (base - *end) * (1.0 - share(*last)).powf(*power)
            }
            Self::Cosine { last, end } if now <= *last => {
                *end + (base - *end) * (1.0 + (PI * share(*last)).cos()) / 2.0
            }
            Self::Poly { .. } | Self::Cosine { .. } => lr,
        }
    }
}

fn rates(arguments: &Arguments, run: &Run) -> Result<Vec<f64>, Problem> {
    let mut rule = Rule::of(arguments)?;
    let base = arguments.number("base_lr")?;
    let begin = arguments.number("warmup_begin_lr")?;
    let warmup = arguments.whole("warmup_steps")?;
    let modes = ["linear", "constant"];
    let is_linear = arguments.word("warmup_mode", &modes)? == 0;
    if begin > base {
        let why = "`warmup_begin_lr` must be at most `base_lr`";
        return Err(arguments.refused("warmup_begin_lr", why));
    }
    if warmup < 0 {
        let why = "`warmup_steps` must be 0 or more";
        return Err(arguments.refused("warmup_steps", why));
    }
    let mut lr = run.peak;
    let mut rates = vec![];
    for (update, now) in (0..run.steps).zip(1_i64..) {
        if now >= warmup {
            lr = rule.next(now, lr, base, warmup);
            if !lr.is_finite() {
                let last = update.saturating_sub(1);
                return Err(raises(arguments.name(), last));
            }
            rates.push(lr);
        } else if is_linear {
            let rise = (base - begin) * now as f64 / warmup as f64;
            rates.push(begin + rise);
        } else {
            rates.push(begin);
        }
    }
    Ok(rates)
}
