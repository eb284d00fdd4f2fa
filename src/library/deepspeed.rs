//! `deepspeed.runtime.lr_schedules`, stepped by `engine.step()`.

use std::f64::consts::PI;

use super::{Arguments, Entry, Notes, Package, Run, torch};
use crate::error::Problem;

pub(super) const PACKAGE: Package = Package {
    name: "deepspeed",
    title: "DeepSpeed",
    version: "0.19.8",
    frame: "Update 0 has the lowest rate, update t the value after t calls of \
            `step()`, whose first one counts 0. The engine calls it once an \
            update, also under gradient accumulation. A scheduler of torch \
            or transformers that is handed to it runs as in torch.",
    entries: ENTRIES,
    flags: None,
    torch: Some(|call, run| torch::stepped(call, run, |update| update)),
};

const TWICE: &str = "Update t has the value at t - 1: the lowest rate comes \
                     twice, and the warm-up ends an update late.";
const FROM_START: &str = "Update t has the value at t.";
const RESUME: &str = "A scheduler that is made after the optimizer's state is \
                      loaded gives one update at the lowest rate.";
const ZERO: &str = "warmup_num_steps = 0 raises an error from 0.19.3 on, and \
                    counts as 2 before.";

const ENTRIES: &[Entry] = &[
    Entry {
        name: "WarmupLR",
        signature: "warmup_min_lr=0.0, warmup_max_lr=None, \
                    warmup_num_steps=1000, warmup_type='log', \
                    last_batch_iteration=-1",
        example: "warmup_num_steps=20",
        formula: "warmup_min_lr + (warmup_max_lr - warmup_min_lr) * log(t + 1) \
                  / log(warmup_num_steps), with 'linear' t / \
                  warmup_num_steps; then warmup_max_lr, which is lr where it \
                  is not given",
        notes: Notes {
            frame: TWICE,
            absolute: "warmup_min_lr and warmup_max_lr are rates.",
            after: "Stays at warmup_max_lr.",
            resume: RESUME,
            versions: ZERO,
            ..Notes::NONE
        },
        rates: warmup,
    },
    Entry {
        name: "WarmupDecayLR",
        signature: "total_num_steps, warmup_min_lr=0.0, warmup_max_lr=0.001, \
                    warmup_num_steps=1000, warmup_type='log', \
                    last_batch_iteration=-1",
        example: "total_num_steps=100, warmup_num_steps=20",
        formula: "WarmupLR, then warmup_min_lr + (warmup_max_lr - \
                  warmup_min_lr) * (total_num_steps - t) / (total_num_steps - \
                  warmup_num_steps)",
        notes: Notes {
            frame: TWICE,
            absolute: "warmup_max_lr is 0.001 whatever rate the optimizer \
                       has, which is never used.",
            after: "Stays at warmup_min_lr.",
            resume: RESUME,
            versions: ZERO,
            ..Notes::NONE
        },
        rates: warmup_decay,
    },
    Entry {
        name: "WarmupCosineLR",
        signature: "total_num_steps, warmup_min_ratio=0.0, \
                    warmup_num_steps=1000, cos_min_ratio=0.0001, \
                    warmup_type='log', last_batch_iteration=-1",
        example: "total_num_steps=100, warmup_num_steps=20",
        formula: "the warm-up of WarmupLR from lr * warmup_min_ratio to lr, \
                  then lr * (cos_min_ratio + (1 - cos_min_ratio) * (1 + cos(pi \
                  * (t - warmup_num_steps + 1) / (total_num_steps - \
                  warmup_num_steps))) / 2)",
        notes: Notes {
            frame: "Update t has the value at t - 1, update 0 has 0 whatever \
                    warmup_min_ratio is. The cosine starts at its second \
                    value: a linear warm-up never reaches lr, a logarithmic \
                    one does once. The end comes with update \
                    total_num_steps, the first one after the plan.",
            after: "Stays at lr * cos_min_ratio.",
            resume: "A scheduler that is made after the optimizer's state is \
                     loaded gives one update at 0, and takes the rate that \
                     was loaded for lr from then on.",
            versions: "Up to 0.19.2 it rises again after the end, and \
                       warmup_num_steps = 0 counts as 2; from 0.19.3 on that \
                       raises an error.",
            ..Notes::NONE
        },
        rates: warmup_cosine,
    },
    Entry {
        name: "OneCycle",
        signature: "cycle_min_lr, cycle_max_lr, decay_lr_rate=0.0, \
                    cycle_first_step_size=2000, cycle_second_step_size=None, \
                    cycle_first_stair_count=0, cycle_second_stair_count=None, \
                    decay_step_size=0, cycle_momentum=True, \
                    cycle_min_mom=0.8, cycle_max_mom=0.9, decay_mom_rate=0.0, \
                    last_batch_iteration=-1",
        example: "cycle_min_lr=0.1, cycle_max_lr=1.0, \
                  cycle_first_step_size=30",
        formula: "from cycle_min_lr to cycle_max_lr and back, linear; then \
                  cycle_min_lr / (1 + decay_lr_rate * (t - cycle) / \
                  decay_step_size)",
        notes: Notes {
            frame: FROM_START,
            absolute: "cycle_min_lr and cycle_max_lr are rates. The rate of \
                       the optimizer is not used.",
            changes: "Sets Adam's betas to (0.8 to 0.9, 0.99), the second one \
                      for good, unless cycle_momentum is False. decay_mom_rate \
                      raises the first beta above 1.",
            after: "Stays at cycle_min_lr: decay_lr_rate does nothing without \
                    decay_step_size.",
            resume: RESUME,
            versions: "The stair counts do nothing before 0.19.4.",
        },
        rates: one_cycle,
    },
    Entry {
        name: "LRRangeTest",
        signature: "lr_range_test_min_lr=0.001, lr_range_test_step_size=2000, \
                    lr_range_test_step_rate=1.0, \
                    lr_range_test_staircase=False, last_batch_iteration=-1",
        example: "lr_range_test_step_size=20",
        formula: "lr_range_test_min_lr * (1 + lr_range_test_step_rate * t / \
                  lr_range_test_step_size), rounded down where it is a \
                  staircase",
        notes: Notes {
            frame: FROM_START,
            absolute: "lr_range_test_min_lr is a rate. The rate of the \
                       optimizer is not used.",
            after: "Goes on.",
            resume: RESUME,
            ..Notes::NONE
        },
        rates: range_test,
    },
];

/// That the scheduler starts from its beginning.
fn starts(arguments: &Arguments) -> Result<(), Problem> {
    if arguments.whole("last_batch_iteration")? == -1 {
        return Ok(());
    }
    let why = "a scheduler that resumes is not read here, only -1";
    Err(arguments.refused("last_batch_iteration", why))
}

/// A warm-up: its updates, and its share of the way up by the count.
struct Warmup {
    steps: f64,
    log: bool,
}

impl Warmup {
    fn read(arguments: &Arguments, run: &Run) -> Result<Self, Problem> {
        starts(arguments)?;
        let steps = if run.before("0.19.3") {
            arguments.whole("warmup_num_steps")?
        } else {
            arguments.positive("warmup_num_steps")?
        };
        let log = arguments.word("warmup_type", &["log", "linear"])? == 0;
        Ok(Self { steps: steps.max(2) as f64, log })
    }

    /// The share after `count`, `None` behind the warm-up.
    fn share(&self, count: f64) -> Option<f64> {
        (count < self.steps).then(|| {
            if self.log {
                1.0 / self.steps.ln() * (count + 1.0).ln()
            } else {
                count / self.steps
            }
        })
    }
}

/// The rates of a warm-up between two rates, with `rest` behind it.
fn between(
    arguments: &Arguments,
    run: &Run,
    rest: impl Fn(f64, &Warmup) -> f64,
) -> Result<Vec<f64>, Problem> {
    let warmup = Warmup::read(arguments, run)?;
    let low = arguments.number("warmup_min_lr")?;
    let high = arguments.number_or_none("warmup_max_lr")?.unwrap_or(run.peak);
    Ok(run.each(|update| {
        if update == 0 {
            return low;
        }
        let count = update as f64 - 1.0;
        let share = warmup.share(count);
        low + (high - low) * share.unwrap_or_else(|| rest(count, &warmup))
    }))
}

fn warmup(arguments: &Arguments, run: &Run) -> Result<Vec<f64>, Problem> {
    between(arguments, run, |_, _| 1.0)
}

fn warmup_decay(arguments: &Arguments, run: &Run) -> Result<Vec<f64>, Problem> {
    let total = arguments.whole("total_num_steps")? as f64;
    between(arguments, run, |count, warmup| {
        ((total - count) / (total - warmup.steps).max(1.0)).max(0.0)
    })
}

fn warmup_cosine(
    arguments: &Arguments,
    run: &Run,
) -> Result<Vec<f64>, Problem> {
    let warmup = Warmup::read(arguments, run)?;
    let total = arguments.whole("total_num_steps")? as f64;
    let low = arguments.number("warmup_min_ratio")?;
    let end = arguments.number("cos_min_ratio")?;
    let rises = run.before("0.19.3");
    let length = total - warmup.steps;
    if rises && length == 0.0 {
        let why = "DeepSpeed before 0.19.3 divides by 0 where \
                   `total_num_steps` is `warmup_num_steps`";
        return Err(arguments.refused("total_num_steps", why));
    }
    Ok(run.each(|update| {
        if update == 0 {
            return 0.0;
        }
        let count = update as f64 - 1.0;
        let ratio = if let Some(share) = warmup.share(count) {
            low + share * (1.0 - low)
        } else {
            let done = count - warmup.steps + 1.0;
            let progress = if rises {
                done / length
            } else {
                (done / length.max(1.0)).min(1.0)
            };
            let wave = (1.0 + (PI * progress).cos()) / 2.0;
            (end + (1.0 - end) * wave).max(0.0)
        };
        run.peak * ratio
    }))
}

/// Half a cycle: its updates, and its stairs, 0 for none.
struct Half {
    steps: f64,
    stairs: f64,
}

fn one_cycle(arguments: &Arguments, run: &Run) -> Result<Vec<f64>, Problem> {
    starts(arguments)?;
    let number = |key| arguments.number(key);
    let (low, high) = (number("cycle_min_lr")?, number("cycle_max_lr")?);
    let steps = number("cycle_first_step_size")?;
    let stairs = number("cycle_first_stair_count")?;
    let second = arguments.number_or_none("cycle_second_step_size")?;
    let down = arguments.number_or_none("cycle_second_stair_count")?;
    let mut down =
        Half { steps: second.unwrap_or(steps), stairs: down.unwrap_or(stairs) };
    let mut up = Half { steps, stairs };
    if steps <= 0.0 || down.steps < 0.0 {
        let why = "`cycle_first_step_size` must be above 0, \
                   `cycle_second_step_size` 0 or more";
        return Err(arguments.refused("cycle_first_step_size", why));
    }
    if run.before("0.19.4") {
        (up.stairs, down.stairs) = (0.0, 0.0);
    }
    let whole = up.steps + down.steps;
    let rate = number("decay_lr_rate")?;
    let every = number("decay_step_size")?;
    Ok(run.each(|update| {
        let at = update as f64;
        if update == 0 {
            low
        } else if at - 1.0 < whole {
            low + (high - low) * height(at, &up, &down)
        } else if every == 0.0 || rate == 0.0 {
            low
        } else {
            low / (1.0 + rate * ((at - whole) / every))
        }
    }))
}

/// Where a cycle stands at `at`, from 0 to 1.
fn height(at: f64, up: &Half, down: &Half) -> f64 {
    let whole = up.steps + down.steps;
    let ratio = up.steps / whole;
    let x = 1.0 + at / whole - (1.0 + at / whole).floor();
    let (stairs, share) = if x <= ratio {
        (up.stairs, x / ratio)
    } else {
        (down.stairs, (x - 1.0) / (ratio - 1.0))
    };
    if stairs <= 0.0 {
        return share;
    }
    let inside = at % whole;
    let position = if inside <= up.steps {
        inside * stairs / up.steps
    } else {
        (whole - inside) * stairs / down.steps
    };
    position.floor() / stairs
}

fn range_test(arguments: &Arguments, run: &Run) -> Result<Vec<f64>, Problem> {
    starts(arguments)?;
    let low = arguments.number("lr_range_test_min_lr")?;
    let rate = arguments.number("lr_range_test_step_rate")?;
    let size = arguments.positive("lr_range_test_step_size")? as f64;
    let stairs = arguments.flag("lr_range_test_staircase")?;
    Ok(run.each(|update| {
        let steps = update as f64 / size;
        low * (1.0 + rate * if stairs { steps.floor() } else { steps })
    }))
}
