//! False alarms and misses of the rule of divergence, on trainings that are
//! followed to their end whatever the rule says.

use crate::grid::Experiment;
use crate::runner::{self, Cell, Event, Options, Prepared, all_in_parallel};
use crate::train::{Divergence, Trainer};
use crate::workload::Registry;
use serde::Serialize;
use std::ops::ControlFlow;
use std::path::Path;

/// Multiples of the rate found at which no training diverges.
const SAFE: f64 = 0.1;

/// Multiples at which many do.
const WILD: [f64; 2] = [30.0, 300.0];

/// Updates within which a divergence is to be found.
const SOON: usize = 50;

/// First losses that a training must leave behind for good to have diverged.
const START: usize = 20;

/// One workload.
#[derive(Debug, Serialize)]
pub(super) struct AlarmRow {
    pub(super) workload: String,
    /// The rate found.
    pub(super) lr: f64,
    /// Trainings at a tenth of it, and as many at it.
    pub(super) runs: usize,
    /// Those that the rule called diverged at a tenth of it.
    pub(super) false_alarms: usize,
    /// Those at the rate itself that the rule called diverged and that came
    /// back below the highest loss of their start.
    pub(super) false_alarms_at_lr: usize,
    /// Trainings far above the rate that left their start for good.
    pub(super) diverged: usize,
    /// Those found within 50 updates of leaving it.
    pub(super) found_soon: usize,
    /// Most updates that one took.
    pub(super) slowest: usize,
}

/// What one training came to.
struct Seen {
    /// Updates after which the rule called it diverged.
    alarm: Option<usize>,
    /// Updates after which it had left its start for good.
    left: Option<usize>,
}

impl Seen {
    fn of(losses: &[f64]) -> Self {
        let mut watch = Divergence::of_training(&[]);
        let alarm = losses.iter().position(|&loss| watch.push(loss));
        Self { alarm, left: left_for_good(losses) }
    }
}

/// The first update from which on every loss is above all of the start, or
/// not finite; by no scale, and with all of the future known. `None` where
/// fewer than [`SOON`] updates are left to see it.
fn left_for_good(losses: &[f64]) -> Option<usize> {
    if let Some(at) = losses.iter().position(|loss| !loss.is_finite()) {
        let highest = highest(&losses[..at.min(START)]);
        let back = losses[..at].iter().rposition(|&loss| loss <= highest);
        return Some(back.map_or(at, |last| last + 1));
    }
    let highest = highest(&losses[..losses.len().min(START)]);
    let back = losses.iter().rposition(|&loss| loss <= highest)?;
    (back + 1 + SOON <= losses.len()).then_some(back + 1)
}

fn highest(losses: &[f64]) -> f64 {
    losses.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

/// A row for each workload of the grid at `path`.
pub(super) fn measure(
    path: &Path,
    registry: &Registry,
    jobs: usize,
) -> anyhow::Result<Vec<AlarmRow>> {
    let experiment = Experiment::load(path, &crate::cli::known(registry))?;
    let base = path.parent().unwrap_or(Path::new(""));
    let prepared = runner::prepare(&experiment, registry, base)?;
    let stop = runner::stop_on_signals()?;
    let tell = |_: &Event<'_>| {};
    let options = Options::new(jobs, &stop, &tell);
    let finds = runner::find(&experiment, &prepared, &options)?;
    let mut rows = vec![];
    for (cell, state) in prepared.plan.finds.iter().zip(&finds) {
        let Cell::Done(find) = state else {
            anyhow::bail!("a learning rate was not found");
        };
        let follow = |multiple: f64| {
            let rates = vec![multiple * find.found.lr; cell.budget];
            follow(&prepared, cell.workload, &rates, &experiment.seeds, jobs)
        };
        let (safe, at_lr) = (follow(SAFE)?, follow(1.0)?);
        let mut wild = vec![];
        for multiple in WILD {
            wild.extend(follow(multiple)?);
        }
        let alarms = |runs: &[Seen]| {
            let wrong =
                |seen: &&Seen| seen.alarm.is_some() && seen.left.is_none();
            runs.iter().filter(wrong).count()
        };
        let delays: Vec<usize> = wild
            .iter()
            .filter_map(|seen| {
                let alarm = seen.alarm.unwrap_or(usize::MAX);
                Some(alarm.saturating_sub(seen.left?))
            })
            .collect();
        rows.push(AlarmRow {
            workload: experiment.workloads[cell.workload].name.clone(),
            lr: find.found.lr,
            runs: safe.len(),
            false_alarms: safe.iter().filter(|s| s.alarm.is_some()).count(),
            false_alarms_at_lr: alarms(&at_lr),
            diverged: delays.len(),
            found_soon: delays.iter().filter(|&&d| d <= SOON).count(),
            slowest: delays.into_iter().max().unwrap_or(0),
        });
    }
    Ok(rows)
}

/// Trains along `rates` from every seed, to the end.
fn follow(
    prepared: &Prepared,
    workload: usize,
    rates: &[f64],
    seeds: &[u64],
    jobs: usize,
) -> anyhow::Result<Vec<Seen>> {
    let trainer: &Trainer = &prepared.trainers[workload];
    let order: Vec<usize> = (0..seeds.len()).collect();
    let train = |i: usize| {
        let mut watch = |_: usize, _: f64| ControlFlow::Continue(());
        trainer.losses(seeds[i], rates, None, &mut watch, &|| false)
    };
    let losses = all_in_parallel(jobs, &order, train)?;
    Ok(losses.iter().map(|losses| Seen::of(losses)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_training_leaves_its_start_for_good_or_not() {
        let mut losses = vec![1.0; 200];
        assert_eq!(left_for_good(&losses), None);
        losses[60..80].fill(9.0);
        assert_eq!(left_for_good(&losses), None);
        losses[100..].fill(9.0);
        assert_eq!(left_for_good(&losses), Some(100));
        losses[150] = f64::NAN;
        assert_eq!(left_for_good(&losses), Some(100));
        losses[100..190].fill(0.5);
        assert_eq!(left_for_good(&losses), None);
    }
}
