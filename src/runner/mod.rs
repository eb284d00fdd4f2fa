//! Executes a plan: computes the cells that the store lacks in parallel and
//! stores each result at once.
//!
//! First every learning rate is found. Then the gradient norms for `refined`
//! schedules are measured. Then every run is trained. In each stage the longest
//! cells come first. Results do not depend on the number of workers or on what
//! was interrupted before.
//!
//! `prepare` loads data and plans, `rates` and `runs` are the stages, `stage`
//! computes the cells of one (claims are renewed here), and `workers` has the
//! threads. `race` decides which runs are left out, `search` runs several grids
//! after each other. `publish` writes the tables.

mod admission;
mod bench;
mod device;
mod external;
mod prepare;
mod progress;
pub(crate) mod publish;
mod race;
mod rates;
mod record;
mod runs;
mod script;
pub(crate) mod search;
mod signals;
mod stage;
mod workers;

use crate::error::{Error, Result};
use crate::grid::Experiment;
use crate::lr_find::LrFound;
use crate::plan::RunCell;
use crate::record::{ON_TRAINING, Outcome, RunRecord};
use crate::results::rows::RegimeRow;
use crate::store::Store;
use crate::train::{Fit, Pilot, Replica, Trainer};
pub(crate) use bench::paces;
pub(crate) use prepare::{Prepared, prepare};
pub(crate) use progress::Event;
use rates::{find_all, measure_all};
pub(crate) use record::{record_baselines, recording};
use runs::{Needs, Trainings};
use serde::{Deserialize, Serialize};
pub(crate) use signals::stop_on_signals;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
pub(crate) use workers::{
    Done, all_in_parallel, caught, in_parallel, jobs, several,
};

/// What a find cell leaves in the store.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct FindResult {
    /// The rate and its evidence.
    pub(crate) found: LrFound,
    /// Wall time of all its updates and evaluations, in seconds.
    pub(crate) seconds: f64,
}

/// What a run cell leaves in the store.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct RunResult {
    /// Peak of the schedule.
    pub(crate) peak_lr: f64,
    /// The training.
    pub(crate) fit: Fit,
}

/// State of one cell after execution.
#[derive(Clone, Debug)]
pub(crate) enum Cell<T> {
    /// Computed now or before.
    Done(T),
    /// It failed, for this reason; it runs again next time.
    Failed(String),
    /// It exceeded the time limit of a run, in words; it runs again next time.
    TimedOut(String),
    /// Not reached before the user stopped it.
    Missing,
    /// Not wanted: a race had stopped its schedule.
    Stopped,
}

impl<T> Cell<T> {
    /// Why it failed, if it did.
    pub(crate) fn failure(&self) -> Option<&str> {
        match self {
            Self::Failed(why) | Self::TimedOut(why) => Some(why),
            Self::Done(_) | Self::Missing | Self::Stopped => None,
        }
    }
}

/// All cells of a plan, in its order.
pub(crate) struct Results {
    /// Rates.
    pub(crate) finds: Vec<Cell<FindResult>>,
    /// Runs with their gradient norms.
    pub(crate) pilots: Vec<Cell<Pilot>>,
    /// Trainings.
    pub(crate) runs: Vec<Cell<RunResult>>,
    /// Cells that were computed now, not read from the store.
    pub(crate) computed: usize,
}

/// How to execute.
#[expect(clippy::struct_excessive_bools, reason = "independent switches")]
pub(crate) struct Options<'a> {
    /// Workers.
    pub(crate) jobs: usize,
    /// Draw bars on a terminal.
    pub(crate) bars: bool,
    /// Tell of every cell, not only now and then.
    pub(crate) every_cell: bool,
    /// Train once what runs share.
    pub(crate) sharing: bool,
    /// Stop when something fails.
    pub(crate) fail_fast: bool,
    /// Ids of the cells to compute; `None` means all.
    pub(crate) only: Option<HashSet<String>>,
    /// Interval at which a run saves its state, from which it continues after a
    /// crash.
    pub(crate) snapshot_every: Duration,
    /// Most that a run may take.
    pub(crate) run_time: Option<Duration>,
    /// When to stop as if by a signal.
    pub(crate) deadline: Option<Instant>,
    /// Set by a signal: drop the runs in progress, keep the finished ones.
    pub(crate) stop: &'a AtomicBool,
    /// Hears what happens.
    pub(crate) tell: &'a (dyn Fn(&Event<'_>) + Sync),
}

impl<'a> Options<'a> {
    /// All cells, `jobs` at once, until `stop` is set.
    pub(crate) fn new(
        jobs: usize,
        stop: &'a AtomicBool,
        tell: &'a (dyn Fn(&Event<'_>) + Sync),
    ) -> Self {
        Self {
            jobs,
            bars: true,
            every_cell: false,
            sharing: true,
            fail_fast: false,
            only: None,
            snapshot_every: Duration::from_secs(60),
            run_time: None,
            deadline: None,
            stop,
            tell,
        }
    }

    /// Whether to stop.
    pub(crate) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.is_late()
    }

    /// Whether the deadline is over.
    pub(crate) fn is_late(&self) -> bool {
        self.deadline.is_some_and(|end| Instant::now() >= end)
    }

    /// `error`, but that the time is up where the deadline, and no signal,
    /// interrupted.
    pub(crate) fn explained(&self, error: Error) -> Error {
        match error {
            Error::Interrupted if self.is_late() => Error::TimeUp,
            other => other,
        }
    }

    fn wants(&self, id: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(id))
    }
}

/// Computes what `store` lacks and reads the rest from it.
///
/// A run that fails or panics harms no other; it is in the results with its
/// reason. When `options.stop` is set, cells in progress are dropped and the
/// results hold the finished ones.
///
/// # Errors
///
/// If the store cannot be read or written.
pub(crate) fn execute(
    experiment: &Experiment,
    prepared: &Prepared,
    store: &Store,
    options: &Options<'_>,
) -> Result<Results> {
    let (finds, found) = find_all(experiment, prepared, Some(store), options)?;
    let (pilots, measured) = measure_all(prepared, store, options, &finds)?;
    let needs = Needs { finds: &finds, pilots: &pilots };
    let trainings = Trainings { experiment, prepared, store, options, needs };
    let train = |title: &str, which: &[usize]| trainings.train(title, which);
    // Who picks runs by hand wants them all.
    let (runs, trained) = if experiment.race && options.only.is_none() {
        race::rounds(experiment, prepared, options, train)?
    } else {
        let all: Vec<usize> = (0..prepared.plan.runs.len()).collect();
        train("runs", &all)?
    };
    let computed = found + measured + trained;
    Ok(Results { finds, pilots, runs, computed })
}

/// Finds only the learning rates; without a store, all of them are computed.
///
/// # Errors
///
/// If the store cannot be read or written.
pub(crate) fn find(
    experiment: &Experiment,
    prepared: &Prepared,
    options: &Options<'_>,
) -> Result<Vec<Cell<FindResult>>> {
    Ok(find_all(experiment, prepared, None, options)?.0)
}

/// The row of a finished or failed run; `None` if it is missing.
pub(crate) fn record(
    experiment: &Experiment,
    prepared: &Prepared,
    cell: &RunCell,
    state: &Cell<RunResult>,
) -> Option<RunRecord> {
    let entry = &experiment.workloads[cell.workload];
    let metric = prepared.trainers[cell.workload].metric();
    let blank = RunRecord {
        run_id: cell.id.clone(),
        workload: entry.name.clone(),
        cluster: entry.cluster.clone(),
        optimizer: entry.spec.optimizer_label(),
        schedule: experiment.label(cell.schedule),
        budget: cell.budget,
        lr_multiple: cell.lr_multiple,
        seed: cell.seed,
        peak_lr: 0.0,
        steps: 0,
        outcome: Outcome::Failed,
        train_loss: None,
        valid_loss: None,
        test_loss: None,
        valid_metric: None,
        test_metric: None,
        metric: metric.to_owned(),
    };
    match state {
        Cell::Missing => None,
        Cell::Failed(_) => Some(blank),
        Cell::TimedOut(_) => {
            Some(RunRecord { outcome: Outcome::TimedOut, ..blank })
        }
        Cell::Stopped => Some(RunRecord { outcome: Outcome::Stopped, ..blank }),
        Cell::Done(RunResult { peak_lr, fit }) => Some(RunRecord {
            peak_lr: *peak_lr,
            steps: fit.steps,
            outcome: fit.outcome,
            train_loss: fit.train_loss,
            valid_loss: fit.valid.map(|score| score.loss),
            test_loss: fit.test.map(|score| score.loss),
            valid_metric: fit.valid.map(|score| score.metric),
            test_metric: fit.test.map(|score| score.metric),
            metric: if fit.on_training {
                ON_TRAINING.to_owned()
            } else {
                blank.metric.clone()
            },
            ..blank
        }),
    }
}

/// The sizes of the workloads. Programs do not report theirs. A model that
/// cannot be built has none; its runs have failed with the reason.
pub(crate) fn regime(prepared: &Prepared) -> Vec<RegimeRow> {
    let row = |trainer: &Trainer| {
        let workload = trainer.workload().ok()?;
        let replica = || Replica::new(workload, 0);
        let Done::Finished(Ok(replica)) = workers::caught(replica) else {
            return None;
        };
        Some(RegimeRow {
            workload: workload.name.clone(),
            parameters: replica.parameters(),
            samples: workload.data.train.len(),
            batch: workload.batch,
        })
    };
    prepared.trainers.iter().filter_map(row).collect()
}

#[cfg(test)]
mod tests;
