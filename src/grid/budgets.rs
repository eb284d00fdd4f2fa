//! `budgets`: the lengths of the runs, in steps or in passes over the data.

use super::settings::distinct;
use super::wire::{Node, Source, Table, Value, find};
use super::{Epoch, WorkloadEntry};
use crate::error::Result;
use crate::spec::TrainerSpec;
use std::path::Path;

/// Shortest and longest run, in steps.
const SHORTEST: usize = 10;
const LONGEST: usize = 10_000_000;

/// The value of `budgets`: at least one length.
pub(super) fn read<'t>(
    source: Source<'_>,
    root: &'t Table,
) -> Result<&'t [Node]> {
    let Some(entry) = find(root, "budgets") else {
        let message = "the grid has no `budgets`, add a list of run lengths \
                       in steps such as `budgets = [250, 1000]`";
        return Err(source.error(0, message));
    };
    let wanted = "a list of run lengths in steps such as [250, 1000]";
    let items = source.list("budgets", &entry.node, wanted)?;
    if items.is_empty() {
        let message = "`budgets` is empty, give at least one run length in \
                       steps such as [1000]";
        return Err(source.error(entry.node.at, message));
    }
    Ok(items)
}

/// The lengths in steps, in file order. Those in epochs are the same for all
/// `workloads`: schedules are compared at one budget.
pub(super) fn in_steps(
    source: Source<'_>,
    lengths: &[Node],
    workloads: &[WorkloadEntry],
    epoch: &Epoch,
) -> Result<Vec<usize>> {
    distinct(source, "budgets", lengths, |node| match &node.value {
        Value::Text(text) => {
            let Some(epochs) = epochs(text) else {
                let wanted = "a list of steps such as 1000 or epochs such as \
                              \"10 epochs\"";
                return Err(source.mismatch("budgets", node, wanted));
            };
            steps_of(source, node, text, epochs, workloads, epoch)
        }
        Value::Whole(short @ 0..10) => {
            let message = format!(
                "a budget of {short} steps is too short for any schedule, \
                 give at least 10"
            );
            Err(source.error(node.at, message))
        }
        _ => {
            let wanted = "a list of whole numbers from 10 to 10000000";
            let refuse = |_| source.mismatch("budgets", node, wanted);
            source.whole("budgets", node, SHORTEST, LONGEST).map_err(refuse)
        }
    })
}

/// The number of a text such as "10 epochs" or "1 epoch".
fn epochs(text: &str) -> Option<f64> {
    let text = text.trim();
    let number =
        text.strip_suffix("epochs").or_else(|| text.strip_suffix("epoch"))?;
    let number = number.trim_end().parse().ok();
    number.filter(|number: &f64| *number > 0.0 && number.is_finite())
}

/// `epochs`, which the file writes as `text`, in steps.
fn steps_of(
    source: Source<'_>,
    node: &Node,
    text: &str,
    epochs: f64,
    workloads: &[WorkloadEntry],
    epoch: &Epoch,
) -> Result<usize> {
    let folder = source.path.parent().unwrap_or(Path::new(""));
    let refuse = |message: String| Err(source.error(node.at, message));
    let mut first: Option<(usize, &str)> = None;
    for WorkloadEntry { name, spec, .. } in workloads {
        let updates = match (spec, &epoch.0) {
            (TrainerSpec::Candle(spec), Some(updates)) => {
                updates(spec, folder)?
            }
            _ => {
                return refuse(format!(
                    "nothing tells how many examples `{name}` trains on, \
                     give this budget in steps: epochs x examples / batch"
                ));
            }
        };
        let steps = epochs * updates as f64;
        if !(SHORTEST as f64 - 0.5..=LONGEST as f64).contains(&steps) {
            return refuse(format!(
                "{text} of `{name}` are {steps} steps, a budget is from \
                 {SHORTEST} to {LONGEST} ({updates} steps an epoch)"
            ));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is in range"
        )]
        let steps = steps.round() as usize;
        match first {
            Some((other, whose)) if other != steps => {
                return refuse(format!(
                    "{text} are {other} steps of `{whose}` and {steps} of \
                     `{name}`, and schedules are compared at one budget for \
                     all workloads: give steps, or a grid for each size"
                ));
            }
            _ => first = Some((steps, name)),
        }
    }
    Ok(first.map_or(SHORTEST, |(steps, _)| steps))
}
