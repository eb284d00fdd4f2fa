//! `pytorch_optimizer`: schedulers that set rates of their own, and torch's.

use super::{Arguments, Entry, Notes, Package, Run, torch};
use crate::error::Problem;
use std::f64::consts::PI;

pub(super) const PACKAGE: Package = Package {
    name: "pytorch-optimizer",
    title: "pytorch-optimizer",
    version: "4.1.0",
    frame: "Update t has the value after t calls of `scheduler.step()`. It \
            also exports schedulers of torch, which are read as torch's.",
    entries: ENTRIES,
    flags: None,
    torch: Some(|call, run| torch::stepped(call, run, |update| update)),
};

const LOW_FIRST: &str = "Update 0 has min_lr; update t has the value at t - 1.";
const OWN_RATES: &str = "max_lr, min_lr and init_lr are rates. The rate of the \
                         optimizer is not used.";

const ENTRIES: &[Entry] = &[
    Entry {
        name: "LinearScheduler",
        signature: "t_max, max_lr, min_lr=0.0, init_lr=0.0, warmup_steps=0",
        example: "t_max=100, max_lr=1.0, warmup_steps=5",
        formula: "from init_lr to max_lr over warmup_steps, to min_lr at t_max",
        notes: Notes {
            frame: LOW_FIRST,
            absolute: OWN_RATES,
            after: "Goes on down the line, below 0.",
            ..Notes::NONE
        },
        rates: |arguments, run| {
            warmed(arguments, run, |plan, t| {
                plan.max + (plan.min - plan.max) * plan.progress(t)
            })
        },
    },
    Entry {
        name: "CosineScheduler",
        signature: "t_max, max_lr, min_lr=0.0, init_lr=0.0, warmup_steps=0",
        example: "t_max=100, max_lr=1.0, warmup_steps=5",
        formula: "from init_lr to max_lr over warmup_steps, to min_lr at t_max \
                  along half a cosine",
        notes: Notes {
            frame: LOW_FIRST,
            absolute: OWN_RATES,
            after: "Goes on along the cosine: it rises again.",
            ..Notes::NONE
        },
        rates: |arguments, run| {
            warmed(arguments, run, |plan, t| {
                let x = plan.progress(t) * PI;
                plan.min + (plan.max - plan.min) * (x.cos() + 1.0) / 2.0
            })
        },
    },
    Entry {
        name: "PolyScheduler",
        signature: "poly_order=0.5, *, t_max, max_lr, min_lr=0.0, \
                    init_lr=0.0, warmup_steps=0",
        example: "t_max=100, max_lr=1.0",
        formula: "min_lr + (max_lr - min_lr) * (t - warmup_steps) ** \
                  poly_order",
        notes: Notes {
            frame: LOW_FIRST,
            absolute: OWN_RATES,
            after: "There is no end: it grows above max_lr from the second \
                    update after the warm-up on.",
            ..Notes::NONE
        },
        rates: poly,
    },
    Entry {
        name: "CosineAnnealingWarmupRestarts",
        signature: "first_cycle_steps, cycle_mult=1.0, max_lr=1e-4, \
                    min_lr=1e-6, warmup_steps=0, gamma=0.9, last_epoch=-1",
        example: "first_cycle_steps=50, max_lr=1.0, warmup_steps=5",
        formula: "in each cycle from min_lr to max_lr * gamma ** cycle over \
                  warmup_steps, back along half a cosine",
        notes: Notes {
            frame: "Update 0 has min_lr, also without a warm-up.",
            absolute: "max_lr = 1e-4 and min_lr = 1e-6 are rates. The rate of \
                       the optimizer is not used.",
            after: "Goes on with further cycles.",
            ..Notes::NONE
        },
        rates: restarts,
    },
    Entry {
        name: "REXScheduler",
        signature: "total_steps, max_lr=1.0, min_lr=0.0",
        example: "total_steps=100",
        formula: "min_lr + (max_lr - min_lr) * (1 - x) / (1 - x / 2), \
                  x = t / total_steps",
        notes: Notes {
            frame: "Update 0 has min_lr, and max_lr is never used.",
            absolute: "max_lr = 1.0 and min_lr are rates. The rate of the \
                       optimizer is not used.",
            after: "Stays at min_lr.",
            ..Notes::NONE
        },
        rates: rex,
    },
    Entry {
        name: "get_chebyshev_schedule",
        signature: "num_epochs, is_warmup=False, last_epoch=-1",
        example: "num_epochs=64",
        formula: "lr * a reciprocal Chebyshev node, in fractal order, of \
                  num_epochs rounded up to a power of two",
        notes: Notes {
            frame: "The first factor comes three times, and is about 20: the \
                    updates 0, 1 and 2 have the highest rates.",
            after: "Stays at the last factor.",
            ..Notes::NONE
        },
        rates: chebyshev,
    },
    Entry {
        name: "get_wsd_schedule",
        signature: "num_warmup_steps, num_stable_steps, num_decay_steps, \
                    min_lr_ratio=0.0, num_cycles=0.5, cooldown_type='1-sqrt', \
                    last_epoch=-1",
        example: "num_warmup_steps=10, num_stable_steps=70, \
                  num_decay_steps=20",
        formula: "lr * t / num_warmup_steps, then lr, then \
                  lr * (1 - sqrt(x)), x the share of num_decay_steps",
        notes: Notes {
            frame: "min_lr_ratio is no floor but for 'cosine': the decay goes \
                    to 0 and the rate then jumps up to min_lr_ratio * lr.",
            after: "Stays at min_lr_ratio * lr.",
            versions: "Before 3.6.1 there is no cooldown_type and the decay \
                       has another shape.",
            ..Notes::NONE
        },
        rates: wsd,
    },
];

/// The rates of a scheduler with a linear warm-up.
struct Plan {
    total: f64,
    max: f64,
    min: f64,
    init: f64,
    warmup: f64,
}

impl Plan {
    fn of(arguments: &Arguments) -> Result<Self, Problem> {
        let number = |key: &str| {
            let value = arguments.number(key)?;
            if value >= 0.0 {
                return Ok(value);
            }
            let why = format!("`{key}` must be 0 or more");
            Err(arguments.refused(key, &why))
        };
        Ok(Self {
            total: number("t_max")?,
            max: number("max_lr")?,
            min: number("min_lr")?,
            init: number("init_lr")?,
            warmup: number("warmup_steps")?,
        })
    }

    /// The share after the warm-up at its own count.
    fn progress(&self, t: f64) -> f64 {
        (t - self.warmup) / (self.total - self.warmup)
    }

    /// The rates of a run, where `after` follows the warm-up.
    fn rates(&self, run: &Run, after: impl Fn(f64) -> f64) -> Vec<f64> {
        let &Self { max, min, init, warmup, .. } = self;
        run.each(|update| {
            let Some(t) = update.checked_sub(1) else {
                return min;
            };
            let t = t as f64;
            if t < warmup {
                init + (max - init) * t / warmup
            } else if t == warmup {
                max
            } else {
                after(t)
            }
        })
    }
}

fn warmed(
    arguments: &Arguments,
    run: &Run,
    after: impl Fn(&Plan, f64) -> f64,
) -> Result<Vec<f64>, Problem> {
    let plan = Plan::of(arguments)?;
    if plan.total == plan.warmup {
        let why = "`t_max` must differ from `warmup_steps`: the library \
                   divides by the difference";
        return Err(arguments.refused("t_max", why));
    }
    Ok(plan.rates(run, |t| after(&plan, t)))
}

fn poly(arguments: &Arguments, run: &Run) -> Result<Vec<f64>, Problem> {
    let plan = Plan::of(arguments)?;
    let order = arguments.number("poly_order")?;
    if order <= 0.0 {
        let why = "`poly_order` must be above 0";
        return Err(arguments.refused("poly_order", why));
    }
    Ok(plan.rates(run, |t| {
        plan.min + (plan.max - plan.min) * (t - plan.warmup).powf(order)
    }))
}

fn restarts(arguments: &Arguments, run: &Run) -> Result<Vec<f64>, Problem> {
    arguments.anew("last_epoch")?;
    let first = arguments.count("first_cycle_steps")?;
    let warmup = arguments.whole("warmup_steps")?;
    let warmup = usize::try_from(warmup).ok().filter(|&w| w < first);
    let warmup = warmup.ok_or_else(|| {
        let why = "`warmup_steps` must be below `first_cycle_steps`";
        arguments.refused("warmup_steps", why)
    })?;
    let number = |key| arguments.number(key);
    let (max, min) = (number("max_lr")?, number("min_lr")?);
    let (mult, gamma) = (number("cycle_mult")?, number("gamma")?);
    let (first, warmup) = (first as f64, warmup as f64);
    let (mut cycle, mut at, mut length) = (0.0, 0.0, first);
    let mut rates = vec![];
    for update in 0..run.steps {
        if update > 0 {
            at += 1.0;
            if at >= length {
                cycle += 1.0;
                at -= length;
                let falling = ((length - warmup) * mult).trunc();
                length = falling.max(1.0) + warmup;
            }
        }
        let height = max * gamma.powf(cycle) - min;
        rates.push(if update == 0 {
            min
        } else if at < warmup {
            height * at / warmup + min
        } else {
            let x = PI * (at - warmup) / (length - warmup);
            min + height * (1.0 + x.cos()) / 2.0
        });
    }
    Ok(rates)
}

fn rex(arguments: &Arguments, run: &Run) -> Result<Vec<f64>, Problem> {
    let total = arguments.count("total_steps")?;
    let (max, min) = (arguments.number("max_lr")?, arguments.number("min_lr")?);
    Ok(run.each(|update| {
        if update == 0 || update >= total {
            return min;
        }
        let x = update as f64 / total as f64;
        min + (max - min) * ((1.0 - x) / (1.0 - x / 2.0))
    }))
}

fn chebyshev(arguments: &Arguments, run: &Run) -> Result<Vec<f64>, Problem> {
    arguments.anew("last_epoch")?;
    let epochs = arguments.count("num_epochs")?;
    if arguments.flag("is_warmup")? {
        return Ok(run.each(|_| run.peak));
    }
    let nodes = match epochs {
        0 | 1 => 1,
        // The power of two above epochs - 1.
        _ => 2_usize << (epochs - 1).ilog2(),
    };
    let (center, radius) = ((1.0 + 0.05) / 2.0, (1.0 - 0.05) / 2.0);
    let node = |index: usize| {
        let theta = (index as f64 + 0.5) * PI / nodes as f64;
        1.0 / (center - radius * theta.cos())
    };
    let mut order = vec![0];
    while order.len() + 2 < nodes {
        let last = 2 * order.len() - 1;
        order = order.iter().flat_map(|&i| [i, last - i]).collect();
    }
    let factors: Vec<f64> = order.into_iter().map(node).collect();
    Ok(run.each(|update| {
        let index = update.saturating_sub(2).min(factors.len() - 1);
        run.peak * factors[index]
    }))
}

fn wsd(arguments: &Arguments, run: &Run) -> Result<Vec<f64>, Problem> {
    if run.before("3.6.1") {
        let why = "before 3.6.1 the decay of this schedule has another shape, \
                   which is not read here";
        return Err(arguments.refused("cooldown_type", why));
    }
    arguments.anew("last_epoch")?;
    let number = |key| arguments.number(key);
    let (warmup, decay) =
        (number("num_warmup_steps")?, number("num_decay_steps")?);
    let stable = number("num_stable_steps")?;
    let (low, cycles) = (number("min_lr_ratio")?, number("num_cycles")?);
    let shapes = ["cosine", "1-sqrt", "linear", "1-square"];
    let shape = arguments.word("cooldown_type", &shapes)?;
    Ok(run.each(|update| {
        let t = update as f64;
        let x = (t - warmup - stable) / decay.max(1.0);
        let factor = if t < warmup {
            t / warmup.max(1.0)
        } else if t < warmup + stable {
            1.0
        } else if t >= warmup + stable + decay {
            low
        } else {
            match shape {
                0 => {
                    let height = 0.5 * (1.0 + (PI * cycles * 2.0 * x).cos());
                    (1.0 - low) * height.max(0.0) + low
                }
                1 => 1.0 - x.sqrt(),
                2 => 1.0 - x,
                _ => 1.0 - x.powi(2),
            }
        };
        run.peak * factor
    }))
}
