//! Training: each run builds its own replica of the model.
//!
//! A trainer gets a table of learning rates and a seed and gives losses back.
//! It knows no schedule, no grid and no path, so a range test is only one
//! more table.
//!
//! `step` is one update and one evaluation, `branch` the loop that follows
//! schedules and shares their common updates. `divergence` decides what has
//! diverged. `pilot` measures gradient norms, `probe` the curvature. `trainer`
//! chooses between candle and a program; `external` runs the program.

mod branch;
mod divergence;
mod external;
mod pilot;
mod probe;
mod step;
#[cfg(test)]
mod tests;
mod trainer;

use crate::data::{Split, gather};
use crate::error::{Error, Result};
use crate::record::Outcome;
use crate::schedule::Course;
use crate::workload::Workload;
use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

pub(crate) use branch::{Branch, Growth, Snapshot};
pub(crate) use divergence::Divergence;
pub(crate) use external::{
    External, Launched, Look, Outlook, ProgramTask, Recording, kill_programs,
};
pub(crate) use pilot::{Pilot, refined};
use probe::{PROBE_STEPS, curvature_bound, parabola};
pub(crate) use step::Replica;
pub use step::Score;
pub(crate) use trainer::Trainer;

/// Evaluations of the validation part spread over a run.
const EVALUATIONS: usize = 5;

/// What a training run left behind.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
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
    /// Wall time of the updates, without evaluations; of a program, the time
    /// from its `hello` to its end.
    pub train_seconds: f64,
    /// Whether `valid` is the training loss over the last tenth of the steps:
    /// of a script that evaluates nothing after its last update.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub on_training: bool,
}

/// A point along a run.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
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
            on_training: false,
        }
    }
}

/// Trains one run along `course`, from fresh weights of `seed`. `stop` is
/// asked before every update.
///
/// # Errors
///
/// [`Error::Interrupted`] when `stop` says so; otherwise if the model or the
/// data set fails.
fn follow(
    workload: &Workload,
    seed: u64,
    course: Course,
    stop: &dyn Fn() -> bool,
) -> Result<Fit> {
    train(&mut Replica::new(workload, seed)?, workload, course, stop)
}

/// The weights that one run along `course` is evaluated at after its last
/// update, by name, on the CPU.
///
/// # Errors
///
/// If the model or the data set fails.
pub(crate) fn weights_after(
    workload: &Workload,
    seed: u64,
    course: Course,
) -> Result<BTreeMap<String, Tensor>> {
    let mut replica = Replica::new(workload, seed)?;
    let average = course.average();
    train(&mut replica, workload, course, &|| false)?;
    replica.weights_at(replica.begun(average))
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

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}
