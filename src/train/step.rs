//! One training in progress: its updates, and its evaluations. `average` has
//! those at an average of the weights, `state` saves and restores it.

mod average;
mod evaluation;
mod state;

use crate::data::{Batches, Dataset, Task, gather};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::nn::{self, Graph, Recording, Replay, WeightGradients, Weights};
use crate::optim::{Gradients, Optim, WeightAverage};
use crate::workload::Workload;
use candle_core::backprop::GradStore;
use candle_core::{DType, Tensor, Var};
pub use evaluation::Score;
use std::mem;
use std::sync::Arc;

/// One training in progress: weights, optimizer state and place in the data.
pub(crate) struct Replica {
    model: Model,
    weights: Weights,
    optim: Optim,
    gradients: WeightGradients,
    batches: Batches,
    batch: usize,
    accumulate: usize,
    data: Arc<Dataset>,
    name: String,
    seed: u64,
    step: usize,
    /// Of the gradients of every update, where they are asked for.
    norms: Option<Vec<f64>>,
    /// Averages of the weights that runs are evaluated at.
    averages: Vec<WeightAverage>,
    way: Way,
}

/// How the gradients of the next update come about.
enum Way {
    /// From tensors, each time anew.
    Anew,
    /// The same, and recorded: two recordings that agree are replayed.
    Recorded(Option<(Recording, Graph)>),
    /// By the kernel calls of every update before.
    Replayed(Replay),
}

impl Replica {
    /// Fresh weights and a fresh order of the batches, both from `seed`; or
    /// the workload's checkpoint, whose order of the batches goes on if it
    /// has the same seed.
    ///
    /// # Errors
    ///
    /// If the model cannot be built for this data set, or the checkpoint is
    /// of another model or optimizer.
    pub(crate) fn new(workload: &Workload, seed: u64) -> Result<Self> {
        let context = || format!("building the model of `{}`", workload.name);
        let data = Arc::clone(&workload.data);
        let weights = Weights::new(seed, Arc::clone(&workload.weights));
        let device = data.train.inputs.device();
        let model = (workload.build)(weights.builder(device), &data)
            .map_err(Error::tensor(context()))?;
        let (names, vars): (Vec<String>, Vec<Var>) =
            weights.trainable().into_iter().unzip();
        let optim = Optim::new(&workload.optimizer, vars.clone())
            .and_then(|optim| optim.named(&names))
            .map_err(Error::tensor(context()))?;
        let is_whole = workload.accumulate == 1 && device.is_cpu();
        let way = if workload.is_static && is_whole {
            Way::Recorded(None)
        } else {
            Way::Anew
        };
        let mut replica = Self {
            model,
            weights,
            optim,
            gradients: WeightGradients::new(vars),
            batches: Batches::new(data.train.len(), workload.batch, seed),
            batch: workload.batch,
            accumulate: workload.accumulate,
            data,
            name: workload.name.clone(),
            seed,
            step: 0,
            norms: None,
            averages: vec![],
            way,
        };
        if let Some(checkpoint) = &workload.checkpoint {
            replica.restore(checkpoint)?;
        }
        Ok(replica)
    }

    /// Copies of the trainable weights.
    pub(super) fn weights(&self) -> candle_core::Result<Vec<Tensor>> {
        let vars = self.weights.trainable();
        vars.iter().map(|(_, var)| var.as_detached_tensor().copy()).collect()
    }

    /// Replaces the trainable weights.
    pub(super) fn put(&self, weights: &[Tensor]) -> candle_core::Result<()> {
        let vars = self.weights.trainable();
        vars.iter().zip(weights).try_for_each(|((_, var), w)| var.set(w))
    }

    /// Mean training loss of some examples.
    pub(super) fn loss(
        &self,
        inputs: &Tensor,
        targets: &Tensor,
    ) -> candle_core::Result<f64> {
        let output = self.model.forward_t(inputs, true)?;
        let loss = mean_loss(self.data.task, &output, targets)?;
        loss.to_scalar::<f32>().map(f64::from)
    }

    /// The gradient of that loss by each trainable weight.
    pub(super) fn gradient(
        &self,
        inputs: &Tensor,
        targets: &Tensor,
    ) -> candle_core::Result<Vec<Tensor>> {
        let output = self.model.forward_t(inputs, true)?;
        let loss = mean_loss(self.data.task, &output, targets)?;
        let store = loss.backward()?;
        let vars = self.weights.trainable();
        vars.iter()
            .map(|(_, var)| match store.get(var) {
                Some(gradient) => Ok(gradient.detach()),
                None => var.as_detached_tensor().zeros_like(),
            })
            .collect()
    }

    /// Whether updates are replayed once two were made; makes them.
    ///
    /// # Errors
    ///
    /// If the model fails on its batch.
    pub(crate) fn replays(&mut self) -> Result<bool> {
        self.update(0.0)?;
        self.update(0.0)?;
        Ok(matches!(self.way, Way::Replayed(_)))
    }

    /// Numbers that training changes.
    pub(crate) fn parameters(&self) -> usize {
        let vars = self.weights.trainable();
        vars.iter().map(|(_, var)| var.elem_count()).sum()
    }

    /// Keeps the gradient norm of every update from the next one on.
    pub(super) fn keep_norms(&mut self) {
        self.norms = Some(vec![]);
    }

    /// The norms kept; empty if none were asked for.
    pub(super) fn into_norms(self) -> Vec<f64> {
        self.norms.unwrap_or_default()
    }

    /// Replaces the optimizer's momentum from the next update on.
    pub(super) fn set_momentum(&mut self, momentum: Option<f64>) {
        self.optim.set_momentum(momentum);
    }

    /// One optimizer update at learning rate `lr`; gives the mean loss of its
    /// batch before the update.
    ///
    /// # Errors
    ///
    /// If the model fails on the batch.
    pub(crate) fn update(&mut self, lr: f64) -> Result<f64> {
        let loss = self
            .descend(lr)
            .map_err(Error::tensor(format!("training `{}`", self.name)))?;
        self.step += 1;
        self.take_averages()
            .map_err(Error::tensor(format!("averaging `{}`", self.name)))?;
        Ok(loss)
    }

    fn descend(&mut self, lr: f64) -> candle_core::Result<f64> {
        let rows = self.batches.next_rows();
        let train = &self.data.train;
        self.gradients.clear();
        let (loss, store) = match &mut self.way {
            Way::Replayed(replay) if replay.takes(rows.len()) => {
                let source = [&train.inputs, &train.targets];
                (replay.run(source, rows, &mut self.gradients)?, None)
            }
            Way::Recorded(_) => {
                let batch = gather(train, rows)?;
                (self.record(&batch)?, None)
            }
            Way::Anew | Way::Replayed(_) => {
                let part = rows.len().div_ceil(self.accumulate);
                let parts: Vec<_> = rows
                    .chunks(part)
                    .map(|rows| gather(train, rows))
                    .collect::<candle_core::Result<_>>()?;
                self.accumulated(&parts)?
            }
        };
        let gradients = match &store {
            Some(store) => Gradients::Tensors(store),
            None => Gradients::Slices(self.gradients.all()),
        };
        if let Some(norms) = &mut self.norms {
            norms.push(self.optim.refining_norm(&gradients)?);
        }
        self.optim.step(&gradients, lr)?;
        Ok(loss)
    }

    /// Loss and gradients of a batch, recorded; after the second time, the
    /// way of the updates to come is known.
    fn record(&mut self, batch: &(Tensor, Tensor)) -> candle_core::Result<f64> {
        let mut recording = nn::record(|| {
            let output = self.model.forward_t(&batch.0, true)?;
            mean_loss(self.data.task, &output, &batch.1)
        })?;
        let loss = recording.loss()?;
        let weights = &mut self.gradients;
        let graph = Graph::of(&mut recording, batch, weights)?;
        recording.backward(1.0, weights, graph.is_some())?;
        let before = mem::replace(&mut self.way, Way::Anew);
        self.way = match (before, graph) {
            (Way::Recorded(Some((first, one))), Some(other)) => {
                let replay = Replay::of(first, one, &other, &self.gradients);
                replay.map_or(Way::Anew, Way::Replayed)
            }
            (_, Some(graph)) => Way::Recorded(Some((recording, graph))),
            (_, None) => Way::Anew,
        };
        Ok(loss)
    }

    /// Loss and gradients of the parts of a batch together; the gradients are
    /// in the store, where there is one, or else in `self.gradients`.
    fn accumulated(
        &mut self,
        parts: &[(Tensor, Tensor)],
    ) -> candle_core::Result<(f64, Option<GradStore>)> {
        let task = self.data.task;
        let shares = shares(task, parts)?;
        let mut sum = 0.0;
        let mut store: Option<GradStore> = None;
        for ((inputs, targets), share) in parts.iter().zip(shares) {
            let forward = || {
                let output = self.model.forward_t(inputs, true)?;
                mean_loss(task, &output, targets)
            };
            if inputs.device().is_cpu() {
                let mut recording = nn::record(forward)?;
                sum += share * recording.loss()?;
                let share = narrow(share);
                recording.backward(share, &mut self.gradients, false)?;
                continue;
            }
            let loss = (forward()? * share)?;
            let gradients = loss.backward()?;
            sum += f64::from(loss.to_scalar::<f32>()?);
            store = Some(match store {
                None => gradients,
                Some(sum) => added(sum, &gradients, &self.weights)?,
            });
        }
        Ok((sum, store))
    }
}

/// What each part of a batch counts in its mean loss; their sum is 1.
fn shares(
    task: Task,
    parts: &[(Tensor, Tensor)],
) -> candle_core::Result<Vec<f64>> {
    if parts.len() == 1 {
        return Ok(vec![1.0]);
    }
    let weight = |targets: &Tensor| match task {
        Task::NextToken { .. } => counted(targets),
        _ => Ok(targets.dim(0)? as f64),
    };
    let weights: Vec<f64> = parts
        .iter()
        .map(|(_, targets)| weight(targets))
        .collect::<candle_core::Result<_>>()?;
    let all: f64 = weights.iter().sum();
    Ok(weights.into_iter().map(|weight| weight / all).collect())
}

/// Gradients of two parts of a batch together.
fn added(
    mut sum: GradStore,
    more: &GradStore,
    weights: &Weights,
) -> candle_core::Result<GradStore> {
    for (_, var) in weights.trainable() {
        let both = match (sum.get(&var), more.get(&var)) {
            (Some(one), Some(other)) => (one + other)?,
            (None, Some(other)) => other.clone(),
            _ => continue,
        };
        sum.insert(&var, both);
    }
    Ok(sum)
}

#[expect(clippy::cast_possible_truncation, reason = "gradients are f32")]
fn narrow(share: f64) -> f32 {
    share as f32
}

/// Mean loss of `output` against `targets`, a scalar.
fn mean_loss(
    task: Task,
    output: &Tensor,
    targets: &Tensor,
) -> candle_core::Result<Tensor> {
    match task {
        Task::Classify { .. } => nn::cross_entropy(output, targets),
        Task::Regress { .. } => nn::mse(output, targets),
        Task::NextToken { vocabulary, .. } => nn::cross_entropy(
            &output.reshape(((), vocabulary))?,
            &targets.flatten_all()?,
        ),
    }
}

/// Target characters that are not padding.
fn counted(targets: &Tensor) -> candle_core::Result<f64> {
    let padding = targets.eq(u32::MAX)?.to_dtype(DType::F32)?.sum_all()?;
    let padding = f64::from(padding.to_scalar::<f32>()?);
    Ok(targets.elem_count() as f64 - padding)
}
