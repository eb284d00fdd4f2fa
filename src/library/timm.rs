//! `timm.scheduler`: values at a count of epochs or updates, in the loop of
//! timm's train.py.

mod factory;

use super::{Arguments, Entry, Notes, Package, Run, raises};
use crate::error::Problem;
use std::f64::consts::PI;

pub(super) const PACKAGE: Package = Package {
    name: "timm",
    title: "timm",
    version: "1.0.31",
    frame: "The loop of train.py. Where t_in_epochs is True, which is the \
            default, all updates of epoch e have the value at t = e. Where it \
            is False, update t has the value at t. The first epoch or update \
            has the rate that the constructor sets: warmup_lr_init, or lr \
            without a warm-up.",
    entries: ENTRIES,
    flags: None,
    torch: None,
};

const OVERWRITES: &str = "Without warmup_prefix the warm-up overwrites the \
                          first values, so that lr is never used.";
const RATES: &str = "lr_min and warmup_lr_init are rates, not ratios.";

const ENTRIES: &[Entry] = &[
    Entry {
        name: "CosineLRScheduler",
        signature: "t_initial, lr_min=0., cycle_mul=1., cycle_decay=1., \
                    cycle_limit=1, warmup_t=0, warmup_lr_init=0., \
                    warmup_prefix=False, t_in_epochs=True, \
                    noise_range_t=None, noise_pct=0.67, noise_std=1.0, \
                    noise_seed=42, k_decay=1.0, initialize=True",
        example: "t_initial=100, warmup_t=5, t_in_epochs=False",
        formula: "lr_min + 0.5 * (lr * cycle_decay ** cycle - lr_min) * \
                  (1 + cos(pi * t ** k_decay / length ** k_decay)), t and \
                  length those of the cycle",
        notes: Notes {
            frame: OVERWRITES,
            absolute: RATES,
            after: "Stays at lr_min after cycle_limit cycles.",
            ..Notes::NONE
        },
        rates: |arguments, run| cycles(arguments, run, Shape::Cosine),
    },
    Entry {
        name: "TanhLRScheduler",
        signature: "t_initial, lb=-7., ub=3., lr_min=0., cycle_mul=1., \
                    cycle_decay=1., cycle_limit=1, warmup_t=0, \
                    warmup_lr_init=0., warmup_prefix=False, \
                    t_in_epochs=True, noise_range_t=None, noise_pct=0.67, \
                    noise_std=1.0, noise_seed=42, initialize=True",
        example: "t_initial=100, t_in_epochs=False",
        formula: "lr_min + 0.5 * (lr * cycle_decay ** cycle - lr_min) * \
                  (1 - tanh(lb * (1 - x) + ub * x)), x = t / length in the \
                  cycle",
        notes: Notes {
            frame: "Without warmup_prefix the warm-up overwrites the first \
                    values and rises to the value at its end, not to lr.",
            absolute: RATES,
            after: "Stays at lr_min after cycle_limit cycles; the last step \
                    to it is a jump.",
            ..Notes::NONE
        },
        rates: |arguments, run| cycles(arguments, run, Shape::Tanh),
    },
    Entry {
        name: "PolyLRScheduler",
        signature: "t_initial, power=0.5, lr_min=0., cycle_mul=1., \
                    cycle_decay=1., cycle_limit=1, warmup_t=0, \
                    warmup_lr_init=0., warmup_prefix=False, \
                    t_in_epochs=True, noise_range_t=None, noise_pct=0.67, \
                    noise_std=1.0, noise_seed=42, k_decay=1.0, \
                    initialize=True",
        example: "t_initial=100, power=1.0, t_in_epochs=False",
        formula: "lr_min + (lr * cycle_decay ** cycle - lr_min) * \
                  (1 - t ** k_decay / length ** k_decay) ** power, t and \
                  length those of the cycle",
        notes: Notes {
            frame: OVERWRITES,
            absolute: RATES,
            after: "Stays at lr_min after cycle_limit cycles.",
            ..Notes::NONE
        },
        rates: |arguments, run| cycles(arguments, run, Shape::Poly),
    },
    Entry {
        name: "StepLRScheduler",
        signature: "decay_t, decay_rate=1., warmup_t=0, warmup_lr_init=0., \
                    warmup_prefix=True, t_in_epochs=True, \
                    noise_range_t=None, noise_pct=0.67, noise_std=1.0, \
                    noise_seed=42, initialize=True",
        example: "decay_t=30, decay_rate=0.1, t_in_epochs=False",
        formula: "lr * decay_rate ** (t // decay_t)",
        notes: Notes {
            frame: "t counts from the end of the warm-up, unless \
                    warmup_prefix is False. The default decay_rate changes \
                    nothing.",
            absolute: "warmup_lr_init is a rate, not a ratio.",
            after: "Goes on.",
            ..Notes::NONE
        },
        rates: step,
    },
    Entry {
        name: "MultiStepLRScheduler",
        signature: "decay_t, decay_rate=1., warmup_t=0, warmup_lr_init=0., \
                    warmup_prefix=True, t_in_epochs=True, \
                    noise_range_t=None, noise_pct=0.67, noise_std=1.0, \
                    noise_seed=42, initialize=True",
        example: "decay_t=[50, 75], decay_rate=0.1, t_in_epochs=False",
        formula: "lr * decay_rate ** (milestones not after t + 1)",
        notes: Notes {
            frame: "A milestone m counts from m - 1 on, one earlier than in \
                    torch. t counts from the end of the warm-up, unless \
                    warmup_prefix is False. The default decay_rate changes \
                    nothing.",
            absolute: "warmup_lr_init is a rate, not a ratio.",
            ..Notes::NONE
        },
        rates: multi_step,
    },
    Entry {
        name: "WSDLRScheduler",
        signature: "t_initial, decay_t, lr_min=0., stable_fn='constant', \
                    stable_timescale=None, stable_power=0.5, \
                    decay_fn='1-sqrt', decay_power=0.5, decay_ratio=0.1, \
                    warmup_t=0, warmup_lr_init=0., t_in_epochs=True, \
                    noise_range_t=None, noise_pct=0.67, noise_std=1.0, \
                    noise_seed=42, initialize=True",
        example: "t_initial=95, decay_t=20, warmup_t=5, t_in_epochs=False",
        formula: "lr_min + (max(lr * stable(t), lr_min) - lr_min) * decay(x), \
                  x the share of the last decay_t of t_initial",
        notes: Notes {
            frame: "The warm-up comes before t_initial, always.",
            absolute: RATES,
            after: "Stays at lr_min, which it has from warmup_t + t_initial \
                    on.",
            versions: "From 1.0.31 on, 'wsd', 'rsqrt' and 'constant' of \
                       create_scheduler_v2 too.",
            ..Notes::NONE
        },
        rates: wsd,
    },
    Entry {
        name: "create_scheduler_v2",
        signature: "sched='cosine', num_epochs=300, decay_epochs=None, \
                    decay_milestones=(90, 180, 270), cooldown_epochs=0, \
                    patience_epochs=10, decay_rate=0.1, min_lr=0., \
                    warmup_lr=1e-5, warmup_epochs=0, warmup_prefix=False, \
                    noise=None, noise_pct=0.67, noise_std=1., \
                    noise_seed=42, cycle_mul=1., cycle_decay=0.1, \
                    cycle_limit=1, k_decay=1.0, decay_fn=None, \
                    stable_timescale=None, plateau_mode='max', \
                    step_on_epochs=True, updates_per_epoch=0",
        example: "num_epochs=10, warmup_epochs=1",
        formula: "that of the class for sched",
        notes: Notes {
            frame: "warmup_prefix is False for all classes. decay_rate is \
                    the power of 'poly'.",
            absolute: "The warm-up starts at warmup_lr = 1e-5, whatever lr \
                       is.",
            after: "As the class. cooldown_epochs change the number of \
                    epochs, not the rates.",
            ..Notes::NONE
        },
        rates: factory::rates,
    },
];

/// The warm-up and the count of a scheduler.
struct Frame<'a> {
    arguments: &'a Arguments,
    run: &'a Run,
    warmup: f64,
    init: f64,
    /// Whether the warm-up comes before what follows.
    prefix: bool,
}

impl<'a> Frame<'a> {
    fn of(arguments: &'a Arguments, run: &'a Run) -> Result<Self, Problem> {
        if arguments.number_or_none("noise_range_t")?.is_some() {
            let why = "the noise comes from torch's random numbers, which are \
                       not read here";
            return Err(arguments.refused("noise_range_t", why));
        }
        let prefix = !arguments.has("warmup_prefix")
            || arguments.flag("warmup_prefix")?;
        let warmup = not_negative(arguments, "warmup_t")?;
        let init = not_negative(arguments, "warmup_lr_init")?;
        Ok(Self { arguments, run, warmup, init, prefix })
    }

    /// The rates, where `body` gives those after the warm-up and `top` is where
    /// the warm-up ends.
    fn rates(
        &self,
        top: f64,
        body: impl Fn(f64) -> f64,
    ) -> Result<Vec<f64>, Problem> {
        let &Self { run, warmup, init, .. } = self;
        let in_epochs = self.arguments.flag("t_in_epochs")?;
        let epoch = if in_epochs { run.epoch()? } else { 1 };
        let shift = if self.prefix { warmup } else { 0.0 };
        let rates = run.each(|update| {
            let t = (update / epoch) as f64;
            if t < warmup {
                init + t * ((top - init) / warmup)
            } else if t == 0.0 {
                run.peak
            } else {
                body(t - shift)
            }
        });
        match rates.iter().position(|rate| !rate.is_finite()) {
            Some(update) => {
                Err(raises(self.arguments.name(), update.saturating_sub(1)))
            }
            None => Ok(rates),
        }
    }
}

fn not_negative(arguments: &Arguments, key: &str) -> Result<f64, Problem> {
    let value = arguments.number(key)?;
    if value >= 0.0 {
        return Ok(value);
    }
    let why = format!("`{key}` must be 0 or more");
    Err(arguments.refused(key, &why))
}

fn above_zero(arguments: &Arguments, key: &str) -> Result<f64, Problem> {
    let value = arguments.number(key)?;
    if value > 0.0 {
        return Ok(value);
    }
    let why = format!("`{key}` must be above 0");
    Err(arguments.refused(key, &why))
}

#[derive(Clone, Copy, PartialEq)]
enum Shape {
    Cosine,
    Tanh,
    Poly,
}

fn cycles(
    arguments: &Arguments,
    run: &Run,
    shape: Shape,
) -> Result<Vec<f64>, Problem> {
    let frame = Frame::of(arguments, run)?;
    let initial = above_zero(arguments, "t_initial")?;
    let low = not_negative(arguments, "lr_min")?;
    let number = |key| arguments.number(key);
    let (mul, decay) = (number("cycle_mul")?, number("cycle_decay")?);
    let limit = number("cycle_limit")?;
    let (lb, ub, k, power) = match shape {
        Shape::Cosine => (0.0, 0.0, number("k_decay")?, 0.0),
        Shape::Poly => (0.0, 0.0, number("k_decay")?, number("power")?),
        Shape::Tanh => (number("lb")?, number("ub")?, 0.0, 0.0),
    };
    if shape == Shape::Tanh && lb >= ub {
        return Err(arguments.refused("lb", "`lb` must be below `ub`"));
    }
    let body = |t: f64| {
        let (cycle, length, at) = if mul == 1.0 {
            let cycle = floored(t, initial);
            (cycle, initial, t - initial * cycle)
        } else {
            let x = 1.0 - t / initial * (1.0 - mul);
            let cycle = (x.ln() / mul.ln()).floor();
            let before = (1.0 - mul.powf(cycle)) / (1.0 - mul) * initial;
            (cycle, mul.powf(cycle) * initial, t - before)
        };
        // A logarithm of a number below 0 raises an error in Python.
        if cycle.is_nan() {
            return f64::NAN;
        }
        if cycle >= limit {
            return low;
        }
        let height = run.peak * decay.powf(cycle) - low;
        match shape {
            Shape::Cosine => {
                let x = PI * at.powf(k) / length.powf(k);
                low + 0.5 * height * (1.0 + x.cos())
            }
            Shape::Poly => {
                let left = 1.0 - at.powf(k) / length.powf(k);
                low + height * left.powf(power)
            }
            Shape::Tanh => {
                let x = at / length;
                let inside = lb * (1.0 - x) + ub * x;
                low + 0.5 * height * (1.0 - inside.tanh())
            }
        }
    };
    let top = match shape {
        Shape::Tanh if !frame.prefix => body(frame.warmup),
        _ => run.peak,
    };
    frame.rates(top, body)
}

fn step(arguments: &Arguments, run: &Run) -> Result<Vec<f64>, Problem> {
    let frame = Frame::of(arguments, run)?;
    let every = above_zero(arguments, "decay_t")?;
    let rate = arguments.number("decay_rate")?;
    frame.rates(run.peak, |t| run.peak * rate.powf(floored(t, every)))
}

fn multi_step(arguments: &Arguments, run: &Run) -> Result<Vec<f64>, Problem> {
    let frame = Frame::of(arguments, run)?;
    let milestones = arguments.numbers("decay_t")?;
    if !milestones.is_sorted() {
        let why = "timm searches `decay_t`, so it must rise";
        return Err(arguments.refused("decay_t", why));
    }
    let rate = arguments.number("decay_rate")?;
    frame.rates(run.peak, |t| {
        let passed = milestones.iter().filter(|&&at| at <= t + 1.0).count();
        run.peak * rate.powf(passed as f64)
    })
}

fn wsd(arguments: &Arguments, run: &Run) -> Result<Vec<f64>, Problem> {
    if run.before("1.0.31") {
        let message = "timm has WSDLRScheduler from 1.0.31 on";
        return Err(Problem::whole(message));
    }
    let frame = Frame::of(arguments, run)?;
    let initial = above_zero(arguments, "t_initial")?;
    let decay = above_zero(arguments, "decay_t")?;
    if decay > initial {
        let why = "`decay_t` must be at most `t_initial`";
        return Err(arguments.refused("decay_t", why));
    }
    let low = not_negative(arguments, "lr_min")?;
    let stable =
        arguments.word("stable_fn", &["constant", "rsqrt", "power"])?;
    let power = match stable {
        1 => 0.5,
        _ => above_zero(arguments, "stable_power")?,
    };
    let timescale = arguments.number_or_none("stable_timescale")?;
    let timescale = timescale.unwrap_or(frame.warmup);
    if stable > 0 && timescale <= 0.0 {
        let why = "without a warm-up this `stable_fn` needs a \
                   `stable_timescale` above 0";
        return Err(arguments.refused("stable_timescale", why));
    }
    let shapes = ["linear", "1-sqrt", "cosine", "power", "exp"];
    let shape = arguments.word("decay_fn", &shapes)?;
    let exponent = above_zero(arguments, "decay_power")?;
    let ratio = above_zero(arguments, "decay_ratio")?;
    if ratio >= 1.0 {
        let why = "`decay_ratio` must be below 1";
        return Err(arguments.refused("decay_ratio", why));
    }
    frame.rates(run.peak, |t| {
        let factor = match stable {
            0 => 1.0,
            _ => (1.0 + t / timescale).powf(-power),
        };
        let top = (run.peak * factor).max(low);
        let into = t - (initial - decay);
        if into <= 0.0 {
            return top;
        }
        let x = (into / decay).min(1.0);
        let left = match shape {
            0 => 1.0 - x,
            1 => 1.0 - x.sqrt(),
            2 => 0.5 * (1.0 + (PI * x).cos()),
            3 => 1.0 - x.powf(exponent),
            _ => (ratio.powf(x) - ratio) / (1.0 - ratio),
        };
        low + (top - low) * left
    })
}

/// `a // b` in Python, where b is above 0.
fn floored(a: f64, b: f64) -> f64 {
    ((a - a.rem_euclid(b)) / b).round()
}
