//! The trainings of a plan; those that begin alike are trained together.

use super::stage::{Computed, Stage, Step, Task};
use super::{Cell, FindResult, Options, Prepared, RunResult, needed, seconds};
use super::{NO_NORMS, NO_RATE};
use crate::error::{Error, Result};
use crate::grid::Experiment;
use crate::plan::RunCell;
use crate::store::Store;
use crate::train::{self, Branch, Fit, Growth, Pilot};
use std::collections::BTreeMap;
use std::time::Instant;

/// What the runs need of other cells.
#[derive(Clone, Copy)]
pub(super) struct Needs<'a> {
    pub(super) finds: &'a [Cell<FindResult>],
    pub(super) pilots: &'a [Cell<Pilot>],
}

/// What a worker does at a time.
enum Work {
    /// Trains runs of one workload.
    Train(usize, Branch),
    /// There is nothing to train: this is the result.
    Known(usize, Fit),
    /// It cannot be trained.
    Void(usize, Error),
}

impl Task for Work {
    fn cells(&self) -> Vec<usize> {
        match self {
            Self::Train(_, branch) => branch.keys().collect(),
            Self::Known(cell, _) | Self::Void(cell, _) => vec![*cell],
        }
    }
}

/// Trains the runs `which` of the plan.
///
/// # Errors
///
/// If the store cannot be read or written.
pub(super) fn train_runs(
    experiment: &Experiment,
    prepared: &Prepared,
    store: &Store,
    options: &Options<'_>,
    needs: Needs<'_>,
    title: &str,
    which: &[usize],
) -> Result<Computed<RunResult>> {
    let cells: Vec<&RunCell> =
        which.iter().map(|&i| &prepared.plan.runs[i]).collect();
    let step_cost = |cell: &RunCell| seconds(&needs.finds[cell.find], 1);
    let cost = |i: usize| step_cost(cells[i]) * cells[i].budget as f64;
    let name = |i: usize| {
        let cell = cells[i];
        format!(
            "{} {} {}x seed {}, {} steps",
            prepared.workloads[cell.workload].name,
            experiment.schedules[cell.schedule].label(),
            cell.lr_multiple,
            cell.seed,
            cell.budget
        )
    };
    let peak_lr = |cell: &RunCell| -> Result<f64> {
        let find = needed(&needs.finds[cell.find], NO_RATE)?;
        Ok(find.found.lr * cell.lr_multiple)
    };
    // What a run follows, or what it comes to without being trained.
    let planned = |cell: &RunCell| {
        let spec = &experiment.schedules[cell.schedule];
        let peak_lr = peak_lr(cell)?;
        let Some(pilot) = cell.pilot else {
            return Ok(Ok(train::course(spec, peak_lr, cell.budget)?));
        };
        let pilot = needed(&needs.pilots[pilot], NO_NORMS)?;
        let workload = &prepared.workloads[cell.workload];
        let course = train::refined(workload, spec, pilot, peak_lr)?;
        Ok(course.ok_or_else(|| pilot.fit.clone()))
    };
    let tasks = |which: &[usize]| {
        let mut tasks = vec![];
        let mut groups = BTreeMap::<_, Vec<_>>::new();
        for &i in which {
            let cell = cells[i];
            let alone = (!options.sharing).then_some(i);
            match planned(cell) {
                Ok(Ok(course)) => groups
                    .entry((cell.workload, cell.seed, alone))
                    .or_default()
                    .push((i, course)),
                Ok(Err(fit)) => tasks.push((0.0, Work::Known(i, fit))),
                Err(error) => tasks.push((0.0, Work::Void(i, error))),
            }
        }
        for ((workload, seed, _), courses) in groups {
            let step_cost = step_cost(cells[courses[0].0]);
            for branch in Branch::all(seed, courses) {
                let cost = step_cost * branch.steps() as f64;
                tasks.push((cost, Work::Train(workload, branch)));
            }
        }
        tasks.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        tasks.into_iter().map(|(_, task)| task).collect()
    };
    let stage = Stage {
        title,
        ids: cells.iter().map(|cell| cell.id.as_str()).collect(),
        store: Some(store),
        options,
        cost: &cost,
        name: &name,
    };
    stage.run(tasks, |task, tell| {
        let result = |i: usize, fit| {
            Ok(Step::Done(i, RunResult { peak_lr: peak_lr(cells[i])?, fit }))
        };
        match task {
            Work::Void(_, error) => Err(error),
            Work::Known(i, fit) => tell(result(i, fit)?),
            Work::Train(workload, branch) => {
                let began = Instant::now();
                let limit = options.run_time;
                let late = || limit.filter(|limit| began.elapsed() > *limit);
                let grown = branch.grow(
                    &prepared.workloads[workload],
                    &|| options.stopped() || late().is_some(),
                    &mut |growth| match growth {
                        Growth::Finished(i, fit) => tell(result(i, fit)?),
                        Growth::Forked(branch) => {
                            tell(Step::More(Work::Train(workload, branch)))
                        }
                    },
                );
                match (grown, late()) {
                    (Err(Error::Interrupted), Some(limit))
                        if !options.stopped() =>
                    {
                        Err(Error::TimedOut(limit))
                    }
                    (grown, _) => grown,
                }
            }
        }
    })
}
