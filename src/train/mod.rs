//! Training: a [`Learner`] is a recipe, each call builds its own replica.
//!
//! A trainer gets a table of learning rates and a seed and gives losses back.
//! It knows no schedule, no grid and no path, so a range test is only one
//! more table.

mod branch;
mod external;
mod pilot;
mod probe;
mod step;
#[cfg(test)]
mod tests;
mod trainer;

use crate::data::{Dataset, Split, gather};
use crate::error::{Error, Result};
use crate::optim::Checkpoint;
use crate::record::Outcome;
use crate::schedule::{Course, Problem, Schedule, ScheduleSpec};
use crate::spec::OptimizerSpec;
use crate::workload::{Workload, boxed};
use candle_core::Device;
use candle_nn::{ModuleT, VarBuilder};
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use branch::{Branch, Growth, Snapshot};
pub(crate) use external::{External, Launched, Task, kill_programs};
pub(crate) use pilot::{Pilot, refined};
use probe::{PROBE_STEPS, curvature_bound, parabola};
pub(crate) use step::Replica;
pub use step::Score;
pub(crate) use trainer::Trainer;

/// Evaluations of the validation part spread over a run.
const EVALUATIONS: usize = 5;

/// A run has diverged when the mean of its last losses exceeds this multiple
/// of its first loss.
const DIVERGENCE_RATIO: f64 = 4.0;

/// Losses in that mean: one odd batch is no divergence.
const DIVERGENCE_WINDOW: usize = 20;

/// One model, one data set, one optimizer: the recipe for training runs.
///
/// Working methods take `&self`. Each call builds a fresh replica from the
/// seed, so nothing has to be saved or restored: finding a learning rate
/// disturbs no training, and all schedules start from identical weights.
#[derive(Clone)]
pub struct Learner {
    pub(crate) workload: Workload,
    pub(crate) seed: u64,
    device: Device,
}

/// What a training run left behind.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Fit {
    /// Completed or diverged.
    pub outcome: Outcome,
    /// Optimizer updates done.
    pub steps: usize,
    /// Mean training loss over the last tenth of the steps done; `None` if
    /// not finite.
    pub train_loss: Option<f64>,
    /// Validation part after the last update; `None` if it diverged.
    pub valid: Option<Score>,
    /// Test part after the last update; `None` if it diverged or the loss is
    /// not finite.
    pub test: Option<Score>,
    /// Five points along the run.
    pub curve: Vec<Progress>,
    /// Wall time of the updates alone, without evaluations; where a program
    /// trains, all of it from its greeting on.
    pub train_seconds: f64,
}

/// A point along a run.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct Progress {
    /// Updates done.
    pub step: usize,
    /// Learning rate of the last of them.
    pub lr: f64,
    /// Mean training loss since the point before; `None` if not finite.
    pub train_loss: Option<f64>,
    /// Loss over the validation part; `None` if not finite.
    pub valid_loss: Option<f64>,
}

impl Fit {
    /// What a run leaves behind, but for its scores.
    fn of(
        losses: &[f64],
        curve: Vec<Progress>,
        outcome: Outcome,
        spent: Duration,
    ) -> Self {
        let tail = losses.len() - losses.len().div_ceil(10);
        Self {
            outcome,
            steps: losses.len(),
            train_loss: finite(mean(&losses[tail..])),
            valid: None,
            test: None,
            curve,
            train_seconds: spent.as_secs_f64(),
        }
    }
}

impl Learner {
    /// A recipe from a model builder and a data set, with SGD (momentum 0.9),
    /// batches of 64, seed 0, on the CPU.
    ///
    /// The model is any candle module; take its layers from
    /// [`nn`](crate::nn) and it trains several times faster on a CPU.
    pub fn new<M, F>(build: F, data: Dataset) -> Self
    where
        M: ModuleT + Send + Sync + 'static,
        F: Fn(VarBuilder<'_>, &Dataset) -> candle_core::Result<M>
            + Send
            + Sync
            + 'static,
    {
        let workload = Workload {
            name: "model".to_owned(),
            data: Arc::new(data),
            build: boxed(build),
            optimizer: OptimizerSpec::sgd(),
            batch: 64,
            accumulate: 1,
            weights: Arc::default(),
            checkpoint: None,
        };
        Self::of(workload, 0)
    }

    /// The recipe of a workload that is already on its device.
    pub(crate) fn of(workload: Workload, seed: u64) -> Self {
        let device = workload.data.train.inputs.device().clone();
        Self { workload, seed, device }
    }

    /// Trains on `device` instead of where the data set lies.
    #[must_use]
    pub fn device(mut self, device: Device) -> Self {
        self.device = device;
        self
    }

    /// Replaces the optimizer.
    #[must_use]
    pub fn optimizer(mut self, optimizer: OptimizerSpec) -> Self {
        self.workload.optimizer = optimizer;
        self
    }

    /// Replaces the number of examples an update.
    #[must_use]
    pub fn batch(mut self, batch: usize) -> Self {
        self.workload.batch = batch;
        self
    }

    /// Computes the batch of each update in so many parts, one after the
    /// other (gradient accumulation): less memory, the same update.
    #[must_use]
    pub fn accumulate(mut self, parts: usize) -> Self {
        self.workload.accumulate = parts.max(1);
        self
    }

    /// Replaces the seed of weights and batch order.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Starts from the weights of a safetensors file instead of fresh ones.
    /// Weights of the model that the file lacks stay fresh.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn weights(mut self, path: impl AsRef<Path>) -> Result<Self> {
        let given = crate::optim::weights(path.as_ref())?;
        self.workload.weights = Arc::new(given);
        Ok(self)
    }

    /// Starts from the middle of a training instead of its beginning:
    /// [`fit`](Self::fit) does the updates that are left, and
    /// [`find_lr`](Self::find_lr) finds the rate to go on with.
    #[must_use]
    pub fn resume(mut self, checkpoint: Checkpoint) -> Self {
        self.workload.checkpoint = Some(Arc::new(checkpoint));
        self
    }

    /// Trains under `schedule` until `steps` updates are done, from fresh
    /// weights or from where the learner [resumes](Self::resume).
    ///
    /// # Errors
    ///
    /// If the model or the data set fails. Divergence is no error: see
    /// [`Fit::outcome`].
    pub fn fit(&self, schedule: &dyn Schedule, steps: usize) -> Result<Fit> {
        let rates = self.rates(schedule, steps);
        fit(&self.resident()?, self.seed, &rates, &|| false)
    }

    /// Trains under `spec` at the highest rate `peak` until `steps` updates
    /// are done, as [`fit`](Self::fit) does: any schedule, also one that is
    /// made from a run of its own first (`refined`), reacts to the validation
    /// loss (`plateau`) or cycles the momentum.
    ///
    /// # Errors
    ///
    /// If the schedule cannot stand at this budget, or the model or the data
    /// set fails.
    pub fn fit_spec(
        &self,
        spec: &ScheduleSpec,
        peak: f64,
        steps: usize,
    ) -> Result<Fit> {
        let workload = self.resident()?;
        let done = self.done();
        if done > 0 && spec.needs_whole_run() {
            return Err(Error::Invalid(format!(
                "`{}` needs the whole run, it cannot go on from a checkpoint",
                spec.kind()
            )));
        }
        let Some(pilot) = spec.pilot() else {
            let course = course(spec, peak, steps)?.after(done);
            return follow(&workload, self.seed, course, &|| false);
        };
        let pilot = pilot::measure(&workload, &pilot, peak, steps, &|| false)?;
        let adaptive = workload.optimizer.is_adaptive();
        match refined(spec, &pilot, adaptive, peak)? {
            Some(course) => follow(&workload, self.seed, course, &|| false),
            None => Ok(pilot.fit),
        }
    }

    /// The same up to `steps`, to be [saved](Checkpoint::save) or
    /// [resumed](Self::resume).
    ///
    /// # Errors
    ///
    /// If the model or the data set fails.
    pub fn train(
        &self,
        schedule: &dyn Schedule,
        steps: usize,
    ) -> Result<Checkpoint> {
        let mut replica = Replica::new(&self.resident()?, self.seed)?;
        for lr in self.rates(schedule, steps) {
            replica.update(lr)?;
        }
        replica.checkpoint()
    }

    /// Rates of the updates that are left of `steps`.
    fn rates(&self, schedule: &dyn Schedule, steps: usize) -> Vec<f64> {
        (self.done()..steps).map(|t| schedule.lr(t)).collect()
    }

    /// Updates done where it starts.
    fn done(&self) -> usize {
        let checkpoint = self.workload.checkpoint.as_ref();
        checkpoint.map_or(0, |checkpoint| checkpoint.step())
    }

    /// The workload with its data on the chosen device.
    pub(crate) fn resident(&self) -> Result<Workload> {
        let mut workload = self.workload.clone();
        workload.data.check()?;
        if !workload.data.train.inputs.device().same_device(&self.device) {
            let data = workload
                .data
                .to_device(&self.device)
                .map_err(Error::tensor("moving the data set"))?;
            workload.data = Arc::new(data);
        }
        Ok(workload)
    }
}

/// What a training under `spec` follows.
///
/// # Errors
///
/// If the schedule cannot stand at this peak and budget.
pub(crate) fn course(
    spec: &ScheduleSpec,
    peak: f64,
    steps: usize,
) -> Result<Course> {
    let invalid = |problem: Problem| Error::Invalid(problem.message);
    spec.course(peak, steps).map_err(invalid)
}

/// Trains one run: an update for each of `rates`, from fresh weights of
/// `seed`. `stop` is asked before every update.
///
/// # Errors
///
/// [`Error::Interrupted`] when `stop` says so; otherwise if the model or the
/// data set fails.
fn fit(
    workload: &Workload,
    seed: u64,
    rates: &[f64],
    stop: &dyn Fn() -> bool,
) -> Result<Fit> {
    follow(workload, seed, rates.to_vec().into(), stop)
}

/// Trains one run along `course`, from fresh weights of `seed`.
///
/// # Errors
///
/// As [`fit`].
fn follow(
    workload: &Workload,
    seed: u64,
    course: Course,
    stop: &dyn Fn() -> bool,
) -> Result<Fit> {
    train(&mut Replica::new(workload, seed)?, workload, course, stop)
}

/// Trains one run on a fresh replica.
fn train(
    replica: &mut Replica,
    workload: &Workload,
    course: Course,
    stop: &dyn Fn() -> bool,
) -> Result<Fit> {
    let mut fits = vec![];
    let mut tell = |growth| {
        if let Growth::Finished(_, fit) = growth {
            fits.push(fit);
        }
        Ok(())
    };
    for branch in Branch::all(0, vec![(0, course)]) {
        branch.grow_on(replica, workload, stop, Duration::MAX, &mut tell)?;
    }
    Ok(fits.remove(0))
}

/// Trains along `rates` and gives the loss of every update, measured before
/// it, until `watch` breaks. With `on_valid` the loss is that of so many
/// examples of the validation part, always the same, instead of the training
/// batch's.
///
/// # Errors
///
/// If the model or the data set fails.
fn losses(
    workload: &Workload,
    seed: u64,
    rates: &[f64],
    on_valid: Option<usize>,
    watch: &mut dyn FnMut(usize, f64) -> ControlFlow<()>,
) -> Result<Vec<f64>> {
    let mut replica = Replica::new(workload, seed)?;
    let subset = on_valid
        .map(|examples| spread(&workload.data.valid, examples))
        .transpose()
        .map_err(Error::tensor("taking part of the validation part"))?;
    let mut losses = Vec::with_capacity(rates.len());
    for (step, &lr) in rates.iter().enumerate() {
        let valid = subset
            .as_ref()
            .map(|subset| replica.evaluate(subset).map(|score| score.loss))
            .transpose()?;
        let train = replica.update(lr)?;
        let loss = valid.unwrap_or(train);
        losses.push(loss);
        if watch(step, loss).is_break() {
            break;
        }
    }
    Ok(losses)
}

/// `count` examples of `split`, evenly spread; all of it if it has no more.
fn spread(split: &Split, count: usize) -> candle_core::Result<Split> {
    let len = split.len();
    let count = count.clamp(1, len.max(1));
    let rows: Vec<u32> = (0..count)
        .map(|i| u32::try_from(i * len / count).unwrap_or(u32::MAX))
        .collect();
    let (inputs, targets) = gather(split, &rows)?;
    Ok(Split { inputs, targets })
}

/// Whether a run of `steps` updates is evaluated after `done` of them.
fn is_point(done: usize, steps: usize) -> bool {
    (1..=EVALUATIONS).any(|point| steps * point / EVALUATIONS == done)
}

fn has_diverged(losses: &[f64]) -> bool {
    let [first, .., last] = losses else {
        return losses.iter().any(|loss| !loss.is_finite());
    };
    if !last.is_finite() {
        return true;
    }
    losses.len() > DIVERGENCE_WINDOW
        && mean(&losses[losses.len() - DIVERGENCE_WINDOW..])
            > DIVERGENCE_RATIO * first
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}
