//! A scheduler of torch or transformers that accelerate's `prepare` wrapped.

use super::{Call, Entry, Notes, Package, Run, torch};
use crate::error::Problem;

pub(super) const PACKAGE: Package = Package {
    name: "accelerate",
    title: "accelerate",
    version: "1.15.0",
    frame: "A prepared scheduler advances once for each process with every \
            update: with P processes update t has the value at P * t. \
            Gradient accumulation changes nothing.",
    entries: ENTRIES,
    flags: None,
    torch: Some(|call, run| stepped(call, run, run.processes)),
};

const ENTRIES: &[Entry] = &[Entry {
    name: "AcceleratedScheduler",
    signature: "scheduler, optimizers=None, step_with_optimizer=True, \
                split_batches=False",
    example: "LinearLR(start_factor=0.1, total_iters=20)",
    formula: "that of the scheduler",
    notes: Notes {
        frame: "With split_batches it advances once an update. \
                `Accelerator(split_batches=True)` is taken and never looked \
                at: only `DataLoaderConfiguration(split_batches=True)` counts.",
        after: "OneCycleLR is not stepped past its end: it stays at the rate \
                of its step after the last one, which is above its end.",
        ..Notes::NONE
    },
    rates: |arguments, run| {
        let call = arguments.call("scheduler")?;
        let split = arguments.flag("split_batches")?;
        if !arguments.flag("step_with_optimizer")? {
            return torch::stepped(call, run, |update| update);
        }
        stepped(call, run, if split { 1 } else { run.processes })
    },
}];

/// The rates of a scheduler that is stepped `times` times an update. Those
/// with `total_steps` are not stepped past them.
fn stepped(call: &Call, run: &Run, times: usize) -> Result<Vec<f64>, Problem> {
    let most = torch::total_steps(call)?.unwrap_or(usize::MAX);
    torch::stepped(call, run, |update| update.saturating_mul(times).min(most))
}
