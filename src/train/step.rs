//! One update and one evaluation.

use crate::data::{Batches, Dataset, Split, Task, gather};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::nn::{self, WeightGradients, Weights};
use crate::optim::{Gradients, Optim};
use crate::workload::Workload;
use candle_core::{DType, IndexOp, Tensor, Var};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Examples evaluated at once: large enough for full speed, small enough for
/// the cache.
const EVALUATION_BATCH: usize = 256;

/// Mean loss and metric over a part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct Score {
    /// Mean loss, in nats for classes and characters, in squared
    /// standardised units for regression.
    pub loss: f64,
    /// Share of right answers, root mean squared error, or bits a character.
    pub metric: f64,
}

/// One training in progress: weights, optimizer state and place in the data.
pub(crate) struct Replica {
    model: Model,
    optim: Optim,
    gradients: WeightGradients,
    batches: Batches,
    data: Arc<Dataset>,
    parameters: usize,
    name: String,
}

impl Replica {
    /// Fresh weights and a fresh order of the batches, both from `seed`.
    ///
    /// # Errors
    ///
    /// If the model cannot be built for this data set.
    pub(crate) fn new(workload: &Workload, seed: u64) -> Result<Self> {
        let context = || format!("building the model of `{}`", workload.name);
        let data = Arc::clone(&workload.data);
        let weights = Weights::new(seed, Arc::clone(&workload.weights));
        let device = data.train.inputs.device();
        let model = (workload.build)(weights.builder(device), &data)
            .map_err(Error::tensor(context()))?;
        let vars: Vec<Var> =
            weights.trainable().into_iter().map(|(_, var)| var).collect();
        let parameters = vars.iter().map(|var| var.elem_count()).sum();
        let optim = Optim::new(&workload.optimizer, vars.clone())
            .map_err(Error::tensor(context()))?;
        let gradients = WeightGradients::new(vars);
        let batches = Batches::new(data.train.len(), workload.batch, seed);
        let name = workload.name.clone();
        Ok(Self { model, optim, gradients, batches, data, parameters, name })
    }

    /// Numbers that training changes.
    pub(crate) fn parameters(&self) -> usize {
        self.parameters
    }

    /// One optimizer update at learning rate `lr`; gives the mean loss of its
    /// batch before the update.
    ///
    /// # Errors
    ///
    /// If the model fails on the batch.
    pub(crate) fn update(&mut self, lr: f64) -> Result<f64> {
        let mut step = || {
            let rows = self.batches.next_rows();
            let (inputs, targets) = gather(&self.data.train, rows)?;
            let forward = || {
                let output = self.model.forward_t(&inputs, true)?;
                mean_loss(self.data.task, &output, &targets)
            };
            if !inputs.device().is_cpu() {
                let loss = forward()?;
                let gradients = loss.backward()?;
                self.optim.step(&Gradients::Tensors(&gradients), lr)?;
                return loss.to_scalar::<f32>().map(f64::from);
            }
            let recording = nn::record(forward)?;
            let loss = recording.loss()?;
            recording.backward(&mut self.gradients)?;
            let gradients = Gradients::Slices(self.gradients.all());
            self.optim.step(&gradients, lr)?;
            Ok(loss)
        };
        step().map_err(Error::tensor(format!("training `{}`", self.name)))
    }

    /// Mean loss and metric over all of `split`.
    ///
    /// # Errors
    ///
    /// If the model fails on it.
    pub(crate) fn evaluate(&self, split: &Split) -> Result<Score> {
        self.totals(split)
            .map_err(Error::tensor(format!("evaluating `{}`", self.name)))
    }

    fn totals(&self, split: &Split) -> candle_core::Result<Score> {
        let (mut loss, mut right, mut count) = (0.0, 0.0, 0.0);
        for from in (0..split.len()).step_by(EVALUATION_BATCH) {
            let rows = EVALUATION_BATCH.min(split.len() - from);
            let inputs = split.inputs.i(from..from + rows)?;
            let targets = split.targets.i(from..from + rows)?;
            let output = self.model.forward_t(&inputs, false)?.detach();
            let weight = match self.data.task {
                Task::NextToken { .. } => counted(&targets)?,
                _ => rows as f64,
            };
            let batch_loss = mean_loss(self.data.task, &output, &targets)?;
            loss += weight * f64::from(batch_loss.to_scalar::<f32>()?);
            count += weight;
            if let Task::Classify { .. } = self.data.task {
                let hits = output.argmax(1)?.eq(&targets)?;
                let hits = hits.to_dtype(DType::F32)?.sum_all()?;
                right += f64::from(hits.to_scalar::<f32>()?);
            }
        }
        let loss = loss / count;
        let metric = match self.data.task {
            Task::Classify { .. } => right / count,
            Task::Regress { .. } => loss.sqrt(),
            Task::NextToken { .. } => loss / std::f64::consts::LN_2,
        };
        Ok(Score { loss, metric })
    }
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
