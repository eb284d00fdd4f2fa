//! What a model has learned: its loss and metric on a part of the data.

use super::{Replica, counted, mean_loss};
use crate::data::{Split, Task};
use crate::error::{Error, Result};
use candle_core::{DType, IndexOp, Tensor};
use serde::{Deserialize, Serialize};

/// Examples evaluated at once: large enough for full speed, small enough for
/// the cache.
const EVALUATION_BATCH: usize = 256;

/// Mean loss and metric over a part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Score {
    /// Mean loss, in nats for classes and characters, in squared
    /// standardised units for regression.
    pub loss: f64,
    /// Share of right answers, root mean squared error, or bits a character.
    pub metric: f64,
}

impl Replica {
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
                right += hits(&output, &targets)? as f64;
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

/// Rows of `output` whose largest value, the first of equal ones, is at the
/// place that `targets` has.
fn hits(output: &Tensor, targets: &Tensor) -> candle_core::Result<usize> {
    if !output.device().is_cpu() {
        let hits = output.argmax(1)?.eq(targets)?.to_dtype(DType::U32)?;
        return Ok(hits.sum_all()?.to_scalar::<u32>()? as usize);
    }
    let classes = output.dim(1)?;
    let targets = targets.to_vec1::<u32>()?;
    let output = output.flatten_all()?.to_vec1::<f32>()?;
    let is_hit = |(row, target): &(&[f32], &u32)| {
        let first = (0, row.first().copied().unwrap_or(f32::NAN));
        let most = row.iter().enumerate().fold(first, |most, (i, &x)| {
            if most.1 < x { (i, x) } else { most }
        });
        most.0 == **target as usize
    };
    Ok(output.chunks_exact(classes).zip(&targets).filter(is_hit).count())
}
