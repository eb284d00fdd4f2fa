//! The stages before the runs: learning rates, then the gradient norms for
//! `refined` schedules.

use super::stage::{Computed, Stage};
use super::workers::{jobs, several};
use super::{Cell, FindResult, Options, Prepared};
use crate::error::{Error, Result};
use crate::grid::{Experiment, LrFindPer};
use crate::lr_find::{self, LrFound, Means, Memo};
use crate::plan::FindCell;
use crate::store::Store;
use crate::train::{Pilot, Trainer};
use std::time::{Duration, Instant};

/// A training of the finder that takes this long is stored, so that an
/// interrupted search can continue.
const WORTH_KEEPING: Duration = Duration::from_secs(1);

/// Cost of an update of a program, in input values: more than most of ours,
/// since the program has to start.
const PROGRAM_VALUES: f64 = 1e8;

pub(super) fn find_all(
    experiment: &Experiment,
    prepared: &Prepared,
    store: Option<&Store>,
    options: &Options<'_>,
) -> Result<Computed<FindResult>> {
    let cells: Vec<&FindCell> = prepared.plan.searches().collect();
    let cost = |cell: usize| {
        let values = update_values(&prepared.trainers[cells[cell].workload]);
        cells[cell].budget as f64 * values
    };
    let name = |cell: usize| {
        let cell = cells[cell];
        let workload = prepared.trainers[cell.workload].name();
        let schedule = match experiment.lr_find.per {
            LrFindPer::Schedule => {
                format!(" {}", experiment.schedules[cell.schedule].label())
            }
            _ => String::new(),
        };
        format!("{workload}{schedule}, {} steps", cell.budget)
    };
    let stage = Stage {
        title: "learning rates",
        ids: cells.iter().map(|cell| cell.id.as_str()).collect(),
        store,
        options,
        cost: &cost,
        timed: false,
        name: &name,
    };
    let (found, computed) = stage.each(|i, turn| {
        let cell = cells[i];
        let trainer = prepared.trainer(cell.workload, turn.worker)?;
        // With fewer cells than workers, the seeds of a cell use the other
        // workers.
        let spare = options.jobs / cells.len();
        let memo = Memo {
            recall: &|run| store?.part_of(&cell.id, run),
            keep: &|run, known, took| {
                // Shorter ones are repeated as fast as they are read.
                if let Some(store) = store.filter(|_| took > WORTH_KEEPING) {
                    store.put_part(&cell.id, run, known);
                }
            },
        };
        let began = Instant::now();
        let found = lr_find::for_workload(
            &trainer,
            &experiment.lr_find,
            &experiment.schedules[cell.schedule],
            cell.budget,
            Means {
                several: &several(spare.min(jobs(&trainer))),
                memo,
                stop: &|| turn.stopped(),
            },
        )?;
        Ok(FindResult { found, seconds: began.elapsed().as_secs_f64() })
    })?;
    let mut found = found.into_iter();
    let result = |cell: &FindCell| match cell.given {
        Some(lr) => {
            Cell::Done(FindResult { found: LrFound::given(lr), seconds: 0.0 })
        }
        None => found.next().unwrap_or(Cell::Missing),
    };
    Ok((prepared.plan.finds.iter().map(result).collect(), computed))
}

/// Input values of an update.
fn update_values(trainer: &Trainer) -> f64 {
    match trainer {
        Trainer::Candle(workload) => {
            (workload.batch * workload.data.features()) as f64
        }
        Trainer::External(_) => PROGRAM_VALUES,
    }
}

/// Seconds per input value of an update that was not measured: enough to start
/// with the longest runs, not to predict their end.
const VALUE_SECONDS: f64 = 1e-8;

/// Seconds of an update of `trainer`, if finding its rate measured it.
pub(super) fn step_seconds(find: &Cell<FindResult>, trainer: &Trainer) -> f64 {
    match find {
        Cell::Done(FindResult { found, .. }) if found.cost_steps == 0 => {
            VALUE_SECONDS * update_values(trainer)
        }
        Cell::Done(find) => find.seconds / find.found.cost_steps as f64,
        _ => 0.0,
    }
}

/// Whether finding the rates measured how long updates take.
pub(super) fn are_timed(finds: &[Cell<FindResult>]) -> bool {
    let untimed = |find: &Cell<FindResult>| match find {
        Cell::Done(find) => find.found.cost_steps == 0,
        _ => false,
    };
    !finds.iter().any(untimed)
}

/// The result of another cell that a cell needs, or why it is missing.
pub(super) fn needed<'a, T>(cell: &'a Cell<T>, what: &str) -> Result<&'a T> {
    match cell {
        Cell::Done(result) => Ok(result),
        // It has said why, once and at length.
        Cell::Failed(_) | Cell::TimedOut(_) => {
            Err(Error::Invalid(what.to_owned()))
        }
        Cell::Missing | Cell::Stopped => Err(Error::Interrupted),
    }
}

pub(super) const NO_RATE: &str = "its learning rate was not found";
pub(super) const NO_NORMS: &str = "its gradient norms were not measured";

pub(super) fn measure_all(
    prepared: &Prepared,
    store: &Store,
    options: &Options<'_>,
    finds: &[Cell<FindResult>],
) -> Result<Computed<Pilot>> {
    let cells = &prepared.plan.pilots;
    let cost = |i: usize| {
        let trainer = &prepared.trainers[cells[i].workload];
        let step = step_seconds(&finds[cells[i].find], trainer);
        step * cells[i].budget as f64
    };
    let name = |i: usize| {
        let cell = &cells[i];
        let workload = prepared.trainers[cell.workload].name();
        let multiple = cell.lr_multiple;
        format!("{workload} {multiple}x, {} steps", cell.budget)
    };
    let stage = Stage {
        title: "gradient norms",
        ids: cells.iter().map(|cell| cell.id.as_str()).collect(),
        store: Some(store),
        options,
        cost: &cost,
        timed: are_timed(finds),
        name: &name,
    };
    stage.each(|i, turn| {
        let cell = &cells[i];
        let find = needed(&finds[cell.find], NO_RATE)?;
        prepared.trainer(cell.workload, turn.worker)?.measure(
            &cell.schedule,
            find.found.lr * cell.lr_multiple,
            cell.budget,
            &|| turn.stopped(),
        )
    })
}
