//! The trainings of a plan; those that begin alike are trained together.

use super::rates::{NO_NORMS, NO_RATE, are_timed, needed, step_seconds};
use super::stage::{CellTask, Computed, Stage, Step, Turn};
use super::workers::lock;
use super::{Cell, FindResult, Options, Prepared, RunResult};
use crate::error::{Error, Result};
use crate::grid::Experiment;
use crate::plan::RunCell;
use crate::schedule::Course;
use crate::store::{Kept, Store};
use crate::train::{self, Branch, Fit, Growth, Pilot, Snapshot, Trainer};
use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;
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
    /// Has a run trained by the program of its workload.
    Follow(usize, Course),
    /// There is nothing to train: this is the result.
    Known(usize, Fit),
    /// It cannot be trained.
    Void(usize, Error),
}

impl CellTask for Work {
    fn cells(&self) -> Vec<usize> {
        match self {
            Self::Train(_, branch) => branch.keys().collect(),
            Self::Follow(cell, _)
            | Self::Known(cell, _)
            | Self::Void(cell, _) => vec![*cell],
        }
    }
}

/// The runs of one stage and what they are trained with.
pub(super) struct Trainings<'a> {
    pub(super) experiment: &'a Experiment,
    pub(super) prepared: &'a Prepared,
    pub(super) store: &'a Store,
    pub(super) options: &'a Options<'a>,
    pub(super) needs: Needs<'a>,
}

impl Trainings<'_> {
    /// Trains the runs `which` of the plan.
    ///
    /// # Errors
    ///
    /// If the store cannot be read or written.
    pub(super) fn train(
        &self,
        title: &str,
        which: &[usize],
    ) -> Result<Computed<RunResult>> {
        let cells: Vec<&RunCell> =
            which.iter().map(|&i| &self.prepared.plan.runs[i]).collect();
        let cost = |i: usize| self.step_cost(cells[i]) * cells[i].budget as f64;
        let stage = Stage {
            title,
            ids: cells.iter().map(|cell| cell.id.as_str()).collect(),
            store: Some(self.store),
            options: self.options,
            cost: &cost,
            timed: are_timed(self.needs.finds),
            name: &|i| self.name(cells[i]),
        };
        // Taken once: if a continued run fails, it starts anew.
        let wanted = cells.iter().map(|cell| cell.id.as_str()).collect();
        let kept = Mutex::new(self.store.take_snapshots(&wanted));
        let tasks = |which: &[usize]| {
            let mut which = which.to_vec();
            let kept = std::mem::take(&mut *lock(&kept));
            let mut tasks = self.resumed(kept, &cells, &mut which);
            tasks.extend(self.begun(&cells, which));
            tasks
        };
        let trained = stage.run(tasks, |task, turn, tell| {
            self.work(&cells, task, turn, tell)
        })?;
        // Snapshots of finished runs are no longer needed.
        self.store.take_snapshots::<Snapshot>(&HashSet::new());
        Ok(trained)
    }

    fn name(&self, cell: &RunCell) -> String {
        format!(
            "{} {} {}x seed {}, {} steps",
            self.prepared.trainers[cell.workload].name(),
            self.experiment.label(cell.schedule),
            cell.lr_multiple,
            cell.seed,
            cell.budget
        )
    }

    fn step_cost(&self, cell: &RunCell) -> f64 {
        let trainer = &self.prepared.trainers[cell.workload];
        step_seconds(&self.needs.finds[cell.find], trainer)
    }

    fn peak_lr(&self, cell: &RunCell) -> Result<f64> {
        let find = needed(&self.needs.finds[cell.find], NO_RATE)?;
        Ok(find.found.lr * cell.lr_multiple)
    }

    /// The course of a run, or its result if it need not be trained.
    fn course(
        &self,
        cell: &RunCell,
    ) -> Result<std::result::Result<Course, Fit>> {
        let (schedule, workload) = (cell.schedule, cell.workload);
        let spec = self.experiment.schedule(schedule, workload, cell.budget);
        let spec = spec.ok_or_else(|| {
            Error::Invalid("its baseline was not recorded".to_owned())
        })?;
        let peak_lr = self.peak_lr(cell)?;
        let Some(pilot) = cell.pilot else {
            return Ok(Ok(spec.course(peak_lr, cell.budget)?));
        };
        let pilot = needed(&self.needs.pilots[pilot], NO_NORMS)?;
        let trainer = &self.prepared.trainers[cell.workload];
        let adaptive = trainer.optimizer().is_adaptive();
        let course = train::refined(spec, pilot, adaptive, peak_lr)?;
        Ok(course.ok_or_else(|| pilot.fit.clone()))
    }

    /// Tasks that continue from snapshots; their runs are removed from `which`.
    fn resumed(
        &self,
        kept: Vec<Kept<Snapshot>>,
        cells: &[&RunCell],
        which: &mut Vec<usize>,
    ) -> Vec<Work> {
        let mut tasks = vec![];
        for Kept { ids, state, checkpoint } in kept {
            let mut workload = None;
            let mut take = |id: &String| {
                let at = which.iter().position(|&i| cells[i].id == *id)?;
                let course = self.course(cells[which[at]]).ok()?.ok()?;
                let i = which.remove(at);
                workload = Some(cells[i].workload);
                Some((i, course))
            };
            let courses = ids.iter().map(&mut take).collect();
            if let Some(workload) = workload {
                let branch = Branch::resume(state, checkpoint, courses);
                tasks.push(Work::Train(workload, branch));
            }
        }
        tasks
    }

    /// Tasks for the runs `which` from their start, the most expensive first.
    fn begun(&self, cells: &[&RunCell], which: Vec<usize>) -> Vec<Work> {
        let mut tasks = vec![];
        let mut groups = BTreeMap::<_, Vec<_>>::new();
        for i in which {
            let cell = cells[i];
            let alone = (!self.options.sharing).then_some(i);
            let trainer = &self.prepared.trainers[cell.workload];
            match self.course(cell) {
                Ok(Ok(course)) if matches!(trainer, Trainer::External(_)) => {
                    let cost = self.step_cost(cell) * cell.budget as f64;
                    tasks.push((cost, Work::Follow(i, course)));
                }
                Ok(Ok(course)) => groups
                    .entry((cell.workload, cell.seed, alone))
                    .or_default()
                    .push((i, course)),
                Ok(Err(fit)) => tasks.push((0.0, Work::Known(i, fit))),
                Err(error) => tasks.push((0.0, Work::Void(i, error))),
            }
        }
        for ((workload, seed, _), courses) in groups {
            let step_cost = self.step_cost(cells[courses[0].0]);
            for branch in Branch::all(seed, courses) {
                let cost = step_cost * branch.steps() as f64;
                tasks.push((cost, Work::Train(workload, branch)));
            }
        }
        tasks.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        tasks.into_iter().map(|(_, task)| task).collect()
    }

    fn work(
        &self,
        cells: &[&RunCell],
        task: Work,
        turn: &Turn<'_>,
        tell: &mut dyn FnMut(Step<Work, RunResult>) -> Result<()>,
    ) -> Result<()> {
        let result = |i: usize, fit| self.result(cells[i], i, fit);
        let began = Instant::now();
        let limit = self.options.run_time;
        let late = || limit.filter(|limit| began.elapsed() > *limit);
        let stop = || turn.stopped() || late().is_some();
        let grown = match task {
            Work::Void(_, error) => return Err(error),
            Work::Known(i, fit) => return tell(result(i, fit)?),
            Work::Follow(i, course) => {
                let cell = cells[i];
                self.prepared
                    .trainer(cell.workload, turn.worker)?
                    .follow(cell.seed, course, &stop)
                    .and_then(|fit| tell(result(i, fit)?))
            }
            Work::Train(workload, branch) => {
                self.grow(cells, workload, branch, turn, &stop, tell)
            }
        };
        match (grown, late()) {
            (Err(Error::Interrupted), Some(limit))
                if !self.options.stopped() =>
            {
                Err(Error::TimedOut { limit, said: String::new() })
            }
            (grown, _) => grown,
        }
    }

    /// Trains runs of one workload together, as long as they share updates.
    fn grow(
        &self,
        cells: &[&RunCell],
        workload: usize,
        branch: Branch,
        turn: &Turn<'_>,
        stop: &dyn Fn() -> bool,
        tell: &mut dyn FnMut(Step<Work, RunResult>) -> Result<()>,
    ) -> Result<()> {
        let trainer = self.prepared.trainer(workload, turn.worker)?;
        branch.grow(
            trainer.workload()?,
            stop,
            self.options.snapshot_every,
            &mut |growth| match growth {
                Growth::Finished(i, fit) => {
                    tell(self.result(cells[i], i, fit)?)
                }
                Growth::Forked(branch) => {
                    tell(Step::More(Work::Train(workload, branch)))
                }
                Growth::Reached(snapshot, checkpoint) => {
                    let ids = snapshot.keys().into_iter();
                    let ids = ids.map(|i| cells[i].id.clone()).collect();
                    let kept =
                        self.store.put_snapshot(ids, snapshot, &checkpoint);
                    // A snapshot only saves work: the run continues without it.
                    if let Err(error) = kept {
                        self.store.note(format!("no snapshot: {error}"));
                    }
                    Ok(())
                }
            },
        )
    }

    /// What a run comes to.
    fn result(
        &self,
        cell: &RunCell,
        i: usize,
        fit: Fit,
    ) -> Result<Step<Work, RunResult>> {
        let peak_lr = self.peak_lr(cell)?;
        Ok(Step::Done(i, RunResult { peak_lr, fit }))
    }
}
