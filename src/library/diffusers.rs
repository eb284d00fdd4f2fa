//! `diffusers.optimization`: factors of the rate, by `get_scheduler` or by
//! their own functions.

use super::{Arguments, Entry, Notes, Package, Run};
use crate::error::Problem;
use std::f64::consts::PI;

pub(super) const PACKAGE: Package = Package {
    name: "diffusers",
    title: "diffusers",
    version: "0.42.0",
    frame: "Update t has the value after t calls of `lr_scheduler.step()`: \
            the first update of a warm-up has a rate of 0.",
    entries: ENTRIES,
    flags: None,
    torch: None,
};

const RISE: &str = "lr * t / num_warmup_steps, then lr";
const FALLS: Notes = Notes { after: "Stays at 0.", ..Notes::NONE };

const ENTRIES: &[Entry] = &[
    Entry {
        name: "get_scheduler",
        signature: "name, step_rules=None, num_warmup_steps=None, \
                    num_training_steps=None, num_cycles=1, power=1.0, \
                    last_epoch=-1",
        example: "'cosine', num_warmup_steps=5, num_training_steps=100",
        formula: "that of the function for the name",
        notes: Notes {
            frame: "num_cycles goes to 'cosine_with_restarts' alone, power to \
                    'polynomial' alone: 'cosine' silently keeps half a cycle. \
                    'constant' and 'piecewise_constant' have no warm-up, also \
                    where num_warmup_steps is given.",
            absolute: "'polynomial' ends at the rate 1e-7 and refuses an lr \
                       that is not above it.",
            ..Notes::NONE
        },
        rates: get_scheduler,
    },
    Entry {
        name: "get_constant_schedule",
        signature: "last_epoch=-1",
        example: "",
        formula: "lr",
        notes: Notes::NONE,
        rates: |arguments, run| rates(arguments, run, constant),
    },
    Entry {
        name: "get_constant_schedule_with_warmup",
        signature: "num_warmup_steps, last_epoch=-1",
        example: "num_warmup_steps=5",
        formula: RISE,
        notes: Notes::NONE,
        rates: |arguments, run| rates(arguments, run, constant),
    },
    Entry {
        name: "get_piecewise_constant_schedule",
        signature: "step_rules, last_epoch=-1",
        example: "step_rules='1:30,0.1:60,0.01'",
        formula: "lr * the first value whose number of updates is above t, \
                  the last value after them",
        notes: Notes::NONE,
        rates: |arguments, run| rates(arguments, run, piecewise),
    },
    Entry {
        name: "get_linear_schedule_with_warmup",
        signature: "num_warmup_steps, num_training_steps, last_epoch=-1, \
                    f_min=0.0, f_max=1.0",
        example: "num_warmup_steps=5, num_training_steps=100",
        formula: "lr * f_max * t / num_warmup_steps, then \
                  lr * (f_min + (f_max - f_min) * share left)",
        notes: Notes {
            after: "Stays at f_min * lr, by default 0.",
            versions: "f_min and f_max from 0.39 on.",
            ..Notes::NONE
        },
        rates: |arguments, run| rates(arguments, run, linear),
    },
    Entry {
        name: "get_cosine_schedule_with_warmup",
        signature: "num_warmup_steps, num_training_steps, num_cycles=0.5, \
                    last_epoch=-1",
        example: "num_warmup_steps=5, num_training_steps=100",
        formula: "lr * t / num_warmup_steps, then \
                  lr * max(0, (1 + cos(2 * pi * num_cycles * progress)) / 2)",
        notes: Notes {
            after: "Goes on along the cosine: it rises again.",
            ..Notes::NONE
        },
        rates: |arguments, run| {
            let cycles = arguments.number("num_cycles")?;
            rates(arguments, run, |a, _| cosine(a, cycles))
        },
    },
    Entry {
        name: "get_cosine_with_hard_restarts_schedule_with_warmup",
        signature: "num_warmup_steps, num_training_steps, num_cycles=1, \
                    last_epoch=-1",
        example: "num_warmup_steps=5, num_training_steps=100, num_cycles=3",
        formula: "lr * t / num_warmup_steps, then lr * \
                  (1 + cos(pi * (num_cycles * progress % 1))) / 2",
        notes: FALLS,
        rates: |arguments, run| rates(arguments, run, restarts),
    },
    Entry {
        name: "get_polynomial_decay_schedule_with_warmup",
        signature: "num_warmup_steps, num_training_steps, lr_end=1e-7, \
                    power=1.0, last_epoch=-1",
        example: "num_warmup_steps=5, num_training_steps=100",
        formula: "lr * t / num_warmup_steps, then \
                  lr_end + (lr - lr_end) * share left ** power",
        notes: Notes {
            absolute: "lr_end is a rate. An lr that is not above it is \
                       refused.",
            after: "Stays at lr_end.",
            ..Notes::NONE
        },
        rates: |arguments, run| {
            let end = arguments.number("lr_end")?;
            rates(arguments, run, |a, run| polynomial(a, run, end))
        },
    },
];

/// A factor of the rate at a count.
pub(super) type Factor = Box<dyn Fn(usize) -> f64>;

fn rates(
    arguments: &Arguments,
    run: &Run,
    factor: impl Fn(&Arguments, &Run) -> Result<Factor, Problem>,
) -> Result<Vec<f64>, Problem> {
    arguments.anew("last_epoch")?;
    let factor = factor(arguments, run)?;
    Ok(run.each(|update| run.peak * factor(update)))
}

fn get_scheduler(
    arguments: &Arguments,
    run: &Run,
) -> Result<Vec<f64>, Problem> {
    let names = [
        "linear",
        "cosine",
        "cosine_with_restarts",
        "polynomial",
        "constant",
        "constant_with_warmup",
        "piecewise_constant",
    ];
    match arguments.word("name", &names)? {
        0 => rates(arguments, run, linear),
        1 => rates(arguments, run, |a, _| cosine(a, 0.5)),
        2 => rates(arguments, run, restarts),
        3 => rates(arguments, run, |a, run| polynomial(a, run, 1e-7)),
        4 => Ok(run.each(|_| run.peak)),
        5 => rates(arguments, run, constant),
        _ => rates(arguments, run, piecewise),
    }
}

/// A linear warm-up to `top` over `num_warmup_steps`, and what follows it.
fn warmed(
    arguments: &Arguments,
    top: f64,
    after: impl Fn(f64) -> f64 + 'static,
) -> Result<Factor, Problem> {
    let warmup = arguments.number("num_warmup_steps")?;
    Ok(Box::new(move |update| {
        let t = update as f64;
        if t < warmup { top * t / warmup.max(1.0) } else { after(t) }
    }))
}

/// The progress after the warm-up at a count.
fn progress(
    arguments: &Arguments,
) -> Result<impl Fn(f64) -> f64 + use<>, Problem> {
    let warmup = arguments.number("num_warmup_steps")?;
    let whole = arguments.number("num_training_steps")? - warmup;
    Ok(move |t: f64| (t - warmup) / whole.max(1.0))
}

pub(super) fn constant(
    arguments: &Arguments,
    _: &Run,
) -> Result<Factor, Problem> {
    if arguments.has("num_warmup_steps") {
        warmed(arguments, 1.0, |_| 1.0)
    } else {
        Ok(Box::new(|_| 1.0))
    }
}

pub(super) fn linear(
    arguments: &Arguments,
    _: &Run,
) -> Result<Factor, Problem> {
    let (low, top) = if arguments.has("f_min") {
        (arguments.number("f_min")?, arguments.number("f_max")?)
    } else {
        (0.0, 1.0)
    };
    let warmup = arguments.number("num_warmup_steps")?;
    let steps = arguments.number("num_training_steps")?;
    warmed(arguments, top, move |t| {
        let left = (steps - t) / (steps - warmup).max(1.0);
        low + (top - low) * left.max(0.0)
    })
}

pub(super) fn cosine(
    arguments: &Arguments,
    cycles: f64,
) -> Result<Factor, Problem> {
    let progress = progress(arguments)?;
    warmed(arguments, 1.0, move |t| {
        let x = PI * cycles * 2.0 * progress(t);
        (0.5 * (1.0 + x.cos())).max(0.0)
    })
}

pub(super) fn restarts(
    arguments: &Arguments,
    _: &Run,
) -> Result<Factor, Problem> {
    let progress = progress(arguments)?;
    let cycles = arguments.number("num_cycles")?;
    warmed(arguments, 1.0, move |t| {
        let progress = progress(t);
        if progress >= 1.0 {
            return 0.0;
        }
        let x = (cycles * progress).rem_euclid(1.0);
        (0.5 * (1.0 + (PI * x).cos())).max(0.0)
    })
}

pub(super) fn polynomial(
    arguments: &Arguments,
    run: &Run,
    end: f64,
) -> Result<Factor, Problem> {
    let peak = run.peak;
    if peak <= end {
        let message = format!(
            "the polynomial schedule ends at {end:e} and refuses a peak that \
             is not above it, this one is {peak:e}"
        );
        return Err(Problem::whole(message));
    }
    let power = arguments.number("power")?;
    let warmup = arguments.number("num_warmup_steps")?;
    let steps = arguments.number("num_training_steps")?;
    warmed(arguments, 1.0, move |t| {
        if t > steps {
            return end / peak;
        }
        let left = 1.0 - (t - warmup) / (steps - warmup);
        ((peak - end) * left.powf(power) + end) / peak
    })
}

/// `1:10,0.1:20,0.005`: factors with the updates at which they end.
fn piecewise(arguments: &Arguments, _: &Run) -> Result<Factor, Problem> {
    let wrong = || {
        let why = "`step_rules` must be such as '1:10,0.1:20,0.005'";
        arguments.refused("step_rules", why)
    };
    let mut parts: Vec<&str> =
        arguments.text("step_rules")?.split(',').collect();
    let last: f64 = parts
        .pop()
        .and_then(|part| part.trim().parse().ok())
        .ok_or_else(wrong)?;
    let mut rules: Vec<(usize, f64)> = vec![];
    for part in parts {
        let (value, end) = part.split_once(':').ok_or_else(wrong)?;
        let end = end.trim().parse().map_err(|_| wrong())?;
        let value = value.trim().parse().map_err(|_| wrong())?;
        // Of two rules that end at one update, the later one counts.
        rules.retain(|&(known, _)| known != end);
        rules.push((end, value));
    }
    rules.sort_by_key(|&(end, _)| end);
    Ok(Box::new(move |update| {
        let rule = rules.iter().find(|&&(end, _)| update < end);
        rule.map_or(last, |&(_, value)| value)
    }))
}
