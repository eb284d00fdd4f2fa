//! Runs that share their first updates: trained once, then forked.
//!
//! Schedules with the same warm-up, or a constant stretch before different
//! decays, give the same rates for a while. As a run is a function of its
//! weights, seed and rates alone, what they share needs to be computed once
//! (stage trees: Shin et al., *Hippo*, 2022), and sharing changes no bit.

use super::{
    Divergence, Fit, Progress, Replica, Score, finite, is_point, mean,
};
use crate::data::Split;
use crate::error::{Error, Result};
use crate::optim::Checkpoint;
use crate::record::Outcome;
use crate::schedule::{Average, Course, parts, shared_steps};
use crate::workload::Workload;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Runs of one workload and seed that agree in all updates done so far.
#[derive(Clone, Debug)]
pub(crate) struct Branch {
    seed: u64,
    runs: Vec<Run>,
    /// Training loss of every update done.
    losses: Vec<f64>,
    /// What these losses come to.
    watch: Divergence,
    /// Wall time of these updates.
    spent: Duration,
    /// Their common state; fresh weights if nothing is done.
    start: Option<Arc<Checkpoint>>,
}

/// One of the runs: what is its own.
#[derive(Clone, Debug)]
struct Run {
    /// The caller's name for it.
    key: usize,
    course: Course,
    seen: Seen,
}

/// What a run has seen so far.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct Seen {
    curve: Vec<Progress>,
    /// At the last point of the curve.
    valid: Option<Score>,
    /// Validation losses that its course has heard.
    heard: Vec<f64>,
}

/// A branch in the middle of its updates, without its weights.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Snapshot {
    seed: u64,
    losses: Vec<f64>,
    spent: Duration,
    runs: Vec<(usize, Seen)>,
}

impl Snapshot {
    /// Keys of its runs.
    pub(crate) fn keys(&self) -> Vec<usize> {
        self.runs.iter().map(|(key, _)| *key).collect()
    }
}

/// What a branch tells while it grows.
pub(crate) enum Growth {
    /// The run of this key is finished.
    Finished(usize, Fit),
    /// Some of the runs go another way from here on.
    Forked(Branch),
    /// It could go on from here after a crash.
    Reached(Snapshot, Checkpoint),
}

impl Branch {
    /// Runs from fresh weights of `seed`, each with a key of the caller: one
    /// branch for runs that begin alike.
    pub(crate) fn all(seed: u64, courses: Vec<(usize, Course)>) -> Vec<Self> {
        let whole: Vec<&Course> = courses.iter().map(|(_, c)| c).collect();
        let branch = |part: Vec<usize>| {
            let run = |i: usize| {
                let (key, course) = courses[i].clone();
                Run { key, course, seen: Seen::default() }
            };
            Self {
                seed,
                runs: part.into_iter().map(run).collect(),
                losses: vec![],
                watch: Divergence::of_training(&[]),
                spent: Duration::ZERO,
                start: None,
            }
        };
        parts(&whole, 0).into_iter().map(branch).collect()
    }

    /// The runs of `snapshot` in their saved state. For each run in turn,
    /// `courses` has its key and course, or nothing if it is not wanted.
    pub(crate) fn resume(
        snapshot: Snapshot,
        start: Checkpoint,
        courses: Vec<Option<(usize, Course)>>,
    ) -> Self {
        let run = |(seen, run): (Seen, Option<(usize, Course)>)| {
            let (key, mut course) = run?;
            seen.heard.iter().for_each(|&loss| course.hear(loss));
            Some(Run { key, course, seen })
        };
        let seen = snapshot.runs.into_iter().map(|(_, seen)| seen);
        Self {
            seed: snapshot.seed,
            runs: seen.zip(courses).filter_map(run).collect(),
            watch: Divergence::of_training(&snapshot.losses),
            losses: snapshot.losses,
            spent: snapshot.spent,
            start: Some(Arc::new(start)),
        }
    }

    fn snapshot(&self) -> Snapshot {
        let runs = self.runs.iter().map(|run| (run.key, run.seen.clone()));
        Snapshot {
            seed: self.seed,
            losses: self.losses.clone(),
            spent: self.spent,
            runs: runs.collect(),
        }
    }

    /// Keys of its runs.
    pub(crate) fn keys(&self) -> impl Iterator<Item = usize> {
        self.runs.iter().map(|run| run.key)
    }

    /// Remaining updates; shared ones count once. Reactions to the validation
    /// loss are not foreseen.
    pub(crate) fn steps(&self) -> usize {
        let runs: Vec<&Course> =
            self.runs.iter().map(|run| &run.course).collect();
        shared_steps(&runs, self.losses.len())
    }

    /// Trains all runs to their ends, except those that it forks off. `stop` is
    /// asked before every update; `tell` gets a snapshot at intervals of
    /// `every`.
    ///
    /// # Errors
    ///
    /// [`Error::Interrupted`] when `stop` says so; what `tell` returns;
    /// otherwise if the model or the data set fails.
    pub(crate) fn grow(
        self,
        workload: &Workload,
        stop: &dyn Fn() -> bool,
        every: Duration,
        tell: &mut dyn FnMut(Growth) -> Result<()>,
    ) -> Result<()> {
        let mut replica = Replica::new(workload, self.seed)?;
        self.grow_on(&mut replica, workload, stop, every, tell)
    }

    /// The same on a fresh replica.
    pub(super) fn grow_on(
        mut self,
        replica: &mut Replica,
        workload: &Workload,
        stop: &dyn Fn() -> bool,
        every: Duration,
        tell: &mut dyn FnMut(Growth) -> Result<()>,
    ) -> Result<()> {
        replica.average(&self.averages())?;
        if let Some(start) = &self.start {
            replica.restore(start)?;
        }
        let mut last = Instant::now();
        loop {
            self.finish(replica, workload, tell)?;
            if self.fork(replica, tell)? {
                replica.average(&self.averages())?;
            }
            let Some(first) = self.runs.first() else { return Ok(()) };
            if stop() {
                return Err(Error::Interrupted);
            }
            if last.elapsed() >= every {
                tell(Growth::Reached(self.snapshot(), replica.checkpoint()?))?;
                last = Instant::now();
            }
            let step = self.losses.len();
            let (lr, momentum) =
                (first.course.lr(step), first.course.momentum(step));
            let began = Instant::now();
            replica.set_momentum(momentum);
            let loss = replica.update(lr)?;
            self.losses.push(loss);
            let diverged = self.watch.push(loss);
            self.spent += began.elapsed();
            self.look(replica, workload, (lr, diverged), tell)?;
        }
    }

    /// Evaluates at the updates that a run asks for, and ends runs that have
    /// diverged.
    fn look(
        &mut self,
        replica: &Replica,
        workload: &Workload,
        (lr, diverged): (f64, bool),
        tell: &mut dyn FnMut(Growth) -> Result<()>,
    ) -> Result<()> {
        let done = self.losses.len();
        let wanted = |run: &Run| {
            diverged || run.is_point(done) || run.course.listens(done)
        };
        if !self.runs.iter().any(wanted) {
            return Ok(());
        }
        let mut scores = Scores::new(replica, &workload.data.valid);
        for mut run in std::mem::take(&mut self.runs) {
            if !diverged && run.course.listens(done) {
                // Of the last weights: an average changes no training.
                let loss = scores.at(None)?.loss;
                run.course.hear(loss);
                run.seen.heard.push(loss);
            }
            if !diverged && !run.is_point(done) {
                self.runs.push(run);
                continue;
            }
            let score = scores.at(run.course.average())?;
            let from = run.seen.curve.last().map_or(0, |point| point.step);
            run.seen.curve.push(Progress {
                step: done,
                lr,
                train_loss: finite(mean(&self.losses[from..])),
                valid_loss: finite(score.loss),
            });
            if !diverged && score.loss.is_finite() {
                run.seen.valid = Some(score);
                self.runs.push(run);
                continue;
            }
            let curve = run.seen.curve;
            let fit =
                Fit::of(&self.losses, curve, Outcome::Diverged, self.spent);
            tell(Growth::Finished(run.key, fit))?;
        }
        Ok(())
    }

    /// Ends the runs whose last update is done.
    fn finish(
        &mut self,
        replica: &Replica,
        workload: &Workload,
        tell: &mut dyn FnMut(Growth) -> Result<()>,
    ) -> Result<()> {
        let done = self.losses.len();
        let over = |run: &Run| run.course.steps() <= done;
        if !self.runs.iter().any(over) {
            return Ok(());
        }
        let mut tests = Scores::new(replica, &workload.data.test);
        let (ended, left): (Vec<Run>, Vec<Run>) =
            std::mem::take(&mut self.runs).into_iter().partition(over);
        self.runs = left;
        for run in ended {
            let test = Some(tests.at(run.course.average())?);
            let curve = run.seen.curve;
            let fit =
                Fit::of(&self.losses, curve, Outcome::Completed, self.spent);
            let test = test.filter(|score| score.loss.is_finite());
            let fit = Fit { valid: run.seen.valid, test, ..fit };
            tell(Growth::Finished(run.key, fit))?;
        }
        Ok(())
    }

    /// The averages that its runs are evaluated at.
    fn averages(&self) -> Vec<Average> {
        self.runs.iter().filter_map(|run| run.course.average()).collect()
    }

    /// Keeps the runs that have the same next update as the first one, and
    /// forks the others off; whether there were any.
    fn fork(
        &mut self,
        replica: &Replica,
        tell: &mut dyn FnMut(Growth) -> Result<()>,
    ) -> Result<bool> {
        if self.runs.len() < 2 {
            return Ok(false);
        }
        let courses: Vec<&Course> =
            self.runs.iter().map(|run| &run.course).collect();
        let parts = parts(&courses, self.losses.len());
        if parts.len() < 2 {
            return Ok(false);
        }
        let start = Some(Arc::new(replica.checkpoint()?));
        let mut runs: Vec<Option<Run>> =
            std::mem::take(&mut self.runs).into_iter().map(Some).collect();
        for (i, part) in parts.into_iter().enumerate() {
            let part = part.into_iter().filter_map(|run| runs[run].take());
            let branch = Self {
                runs: part.collect(),
                start: start.clone(),
                ..self.clone()
            };
            if i == 0 {
                *self = branch;
            } else {
                tell(Growth::Forked(branch))?;
            }
        }
        Ok(true)
    }
}

/// Scores on a part of the data, each computed once.
struct Scores<'a> {
    replica: &'a Replica,
    split: &'a Split,
    known: Vec<(Option<Average>, Score)>,
}

impl<'a> Scores<'a> {
    fn new(replica: &'a Replica, split: &'a Split) -> Self {
        Self { replica, split, known: vec![] }
    }

    /// The score at `average` of the weights.
    fn at(&mut self, average: Option<Average>) -> Result<Score> {
        let average = self.replica.begun(average);
        let known = self.known.iter().find(|(other, _)| *other == average);
        if let Some((_, score)) = known {
            return Ok(*score);
        }
        let score = self.replica.evaluate_at(average, self.split)?;
        self.known.push((average, score));
        Ok(score)
    }
}

impl Run {
    /// Whether it is evaluated after `done` updates.
    fn is_point(&self, done: usize) -> bool {
        is_point(done, self.course.steps())
    }
}
