//! `flair.optim` in Flair's `ModelTrainer`.

use super::{Arguments, Entry, Notes, Package, Run};
use crate::error::Problem;

pub(super) const PACKAGE: Package = Package {
    name: "flair",
    title: "Flair",
    version: "0.15.1",
    frame: "Update t has the value after t calls of `scheduler.step()`, which \
            the trainer's plugin makes after each update.",
    entries: ENTRIES,
    flags: None,
    torch: None,
};

const ENTRIES: &[Entry] = &[
    Entry {
        name: "LinearSchedulerWithWarmup",
        signature: "num_train_steps, num_warmup_steps, last_epoch=-1",
        example: "num_train_steps=100, num_warmup_steps=10",
        formula: "lr * t / num_warmup_steps, then lr * (num_train_steps - t) \
                  / (num_train_steps - num_warmup_steps)",
        notes: Notes {
            frame: "The first update has the rate 0, unless num_warmup_steps \
                    is 0.",
            after: "Stays at 0.",
            ..Notes::NONE
        },
        rates: |arguments, run| {
            arguments.anew("last_epoch")?;
            let warmup = arguments.whole("num_warmup_steps")?;
            Ok(linear(arguments.whole("num_train_steps")?, warmup, run))
        },
    },
    Entry {
        name: "LinearSchedulerPlugin",
        signature: "warmup_fraction, *, dataset_size, mini_batch_size, \
                    max_epochs",
        example: "warmup_fraction=0.1, dataset_size=400, mini_batch_size=40, \
                  max_epochs=10",
        formula: "LinearSchedulerWithWarmup with num_train_steps = \
                  int((dataset_size + mini_batch_size - 1) / mini_batch_size * \
                  max_epochs), num_warmup_steps = int(num_train_steps * \
                  warmup_fraction)",
        notes: Notes {
            frame: "What `fine_tune` uses. The trainer gives it dataset_size, \
                    mini_batch_size and max_epochs. The updates of an epoch \
                    are not rounded down, so the plan is longer than the \
                    training and the last rates are above what a plan of the \
                    training's length gives.",
            ..Notes::NONE
        },
        rates: plugin,
    },
    Entry {
        name: "ExpAnnealLR",
        signature: "end_lr, iterations, last_epoch=-1",
        example: "end_lr=1e-3, iterations=100",
        formula: "lr * (end_lr / lr) ** ((t + 1) / iterations)",
        notes: Notes {
            frame: "The first update has the second value: lr itself is \
                    never used.",
            absolute: "end_lr is a rate, not a ratio.",
            after: "Goes on.",
            ..Notes::NONE
        },
        rates: |arguments, run| {
            arguments.anew("last_epoch")?;
            let ratio = arguments.number("end_lr")? / run.peak;
            let whole = arguments.count("iterations")? as f64;
            Ok(run.each(|update| {
                run.peak * ratio.powf((update + 1) as f64 / whole)
            }))
        },
    },
];

/// Up over `warmup` steps and down to 0 at `total`.
fn linear(total: i64, warmup: i64, run: &Run) -> Vec<f64> {
    let (rise, fall) = (warmup.max(1) as f64, (total - warmup).max(1) as f64);
    let (total, warmup) = (total as f64, warmup as f64);
    run.each(|update| {
        let t = update as f64;
        let factor =
            if t < warmup { t / rise } else { ((total - t) / fall).max(0.0) };
        run.peak * factor
    })
}

fn plugin(arguments: &Arguments, run: &Run) -> Result<Vec<f64>, Problem> {
    let size = arguments.count("dataset_size")?;
    let batch = arguments.count("mini_batch_size")?;
    let epochs = arguments.count("max_epochs")?;
    let updates = size.div_ceil(batch).saturating_mul(epochs);
    if run.steps > updates {
        let why = format!("the trainer stops after {updates} updates");
        return Err(arguments.refused("max_epochs", &why));
    }
    let per_epoch = size.saturating_add(batch - 1) as f64 / batch as f64;
    let total = cut(per_epoch * epochs as f64);
    let share = arguments.number("warmup_fraction")?;
    Ok(linear(total, cut(total as f64 * share), run))
}

/// Python's `int` of a number.
#[expect(clippy::cast_possible_truncation, reason = "saturates")]
fn cut(value: f64) -> i64 {
    value as i64
}
