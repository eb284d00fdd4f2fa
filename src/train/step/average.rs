//! Evaluation at an average of the weights instead of the last ones.
//!
//! The statistics of batch norm belong to the weights that were trained. For
//! others they are computed anew, as PyTorch's `update_bn` does: the mean of
//! those of some training batches. Nothing of it changes the training.

use super::{Replica, Score};
use crate::data::{Batches, Split, gather};
use crate::error::{Error, Result};
use crate::optim::WeightAverage;
use crate::schedule::Average;
use candle_core::{Tensor, Var, bail};
use std::collections::BTreeMap;

/// Most training batches that statistics are computed from: as many as the
/// README of the package schedulefree takes.
const STATISTICS_BATCHES: usize = 50;

/// Where statistics are put to see by which share they move away: far from
/// those of any data that a model can learn from.
const FAR: f64 = (1 << 20) as f64;

impl Replica {
    /// Follows the averages `wanted` from here on, and no others. For a
    /// schedule-free one, a fresh replica changes its optimizer's form.
    ///
    /// # Errors
    ///
    /// If the optimizer has no such form.
    pub(in crate::train) fn average(
        &mut self,
        wanted: &[Average],
    ) -> Result<()> {
        if wanted.contains(&Average::ScheduleFree) {
            let context = || format!("training `{}`", self.name);
            self.optim.make_free().map_err(Error::tensor(context()))?;
        }
        self.averages.retain(|average| wanted.contains(&average.kind));
        for &kind in wanted {
            let known = self.averages.iter().any(|other| other.kind == kind);
            if !known && kind != Average::ScheduleFree {
                self.averages.push(WeightAverage::new(kind));
            }
        }
        Ok(())
    }

    /// Takes the weights after an update into the averages.
    pub(super) fn take_averages(&mut self) -> candle_core::Result<()> {
        if self.averages.is_empty() {
            return Ok(());
        }
        let vars = self.weights.trainable();
        let vars: Vec<Var> = vars.into_iter().map(|(_, var)| var).collect();
        for average in &mut self.averages {
            average.take(self.step, &vars)?;
        }
        Ok(())
    }

    /// `average`; `None`, the last weights, while it has taken no others.
    pub(in crate::train) fn begun(
        &self,
        average: Option<Average>,
    ) -> Option<Average> {
        average.filter(|&kind| {
            let own = self.averages.iter().find(|other| other.kind == kind);
            own.is_none_or(|own| own.taken > 0)
        })
    }

    /// Mean loss and metric over all of `split`, at `average` of the weights.
    ///
    /// # Errors
    ///
    /// If the model fails on it.
    pub(in crate::train) fn evaluate_at(
        &self,
        average: Option<Average>,
        split: &Split,
    ) -> Result<Score> {
        self.at(average, || self.evaluate(split))
    }

    /// The weights by name, at `average`, on the CPU.
    ///
    /// # Errors
    ///
    /// If the device fails.
    pub(in crate::train) fn weights_at(
        &self,
        average: Option<Average>,
    ) -> Result<BTreeMap<String, Tensor>> {
        self.at(average, || Ok(self.checkpoint()?.weights))
    }

    /// What `work` gives with `average` in place of the weights.
    fn at<T>(
        &self,
        average: Option<Average>,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let Some(average) = average else { return work() };
        let context = || format!("averaging `{}`", self.name);
        let own = self.weights().map_err(Error::tensor(context()))?;
        self.averaged(average)
            .and_then(|averaged| self.put(&averaged))
            .and_then(|()| self.refresh_statistics())
            .map_err(Error::tensor(context()))?;
        let result = work()?;
        self.put(&own).map_err(Error::tensor(context()))?;
        Ok(result)
    }

    fn averaged(&self, average: Average) -> candle_core::Result<Vec<Tensor>> {
        match average {
            Average::ScheduleFree => self.optim.averaged(),
            Average::Ema { .. } | Average::Swa { .. } => {
                let own = self.averages.iter().find(|a| a.kind == average);
                let Some(own) = own else { bail!("it is not followed") };
                Ok(own.values.clone())
            }
        }
    }

    /// The running statistics of the model, by their usual names.
    fn statistics(&self) -> Vec<Var> {
        let all = self.weights.trainable().into_iter();
        let running = all.filter(|(name, _)| {
            let last = name.rsplit('.').next().unwrap_or_default();
            matches!(last, "running_mean" | "running_var")
        });
        running.map(|(_, var)| var).collect()
    }

    /// Sets the running statistics to the mean of those of training batches
    /// under the weights as they are.
    ///
    /// A layer moves its statistics to `(1 - share) old + share batch`, with a
    /// share that is its own. From 0 they come to `share batch`, and from far
    /// away the share can be seen.
    fn refresh_statistics(&self) -> candle_core::Result<()> {
        let all = self.statistics();
        if all.is_empty() {
            return Ok(());
        }
        let train = &self.data.train;
        let passes = Batches::a_pass(train.len(), self.batch);
        let passes = passes.clamp(1, STATISTICS_BATCHES);
        let mut batches = Batches::new(train.len(), self.batch, self.seed);
        let copies = |vars: &[Var]| -> candle_core::Result<Vec<Tensor>> {
            vars.iter().map(|var| var.as_detached_tensor().copy()).collect()
        };
        let look = |inputs: &Tensor, from: f64| {
            for var in &all {
                let old = var.as_detached_tensor().ones_like()?;
                var.set(&(old * from)?)?;
            }
            self.model.forward_t(inputs, true)?;
            copies(&all)
        };
        let old = copies(&all)?;
        let mut sums: Option<Vec<Tensor>> = None;
        let mut last = None;
        for _ in 0..passes {
            let rows = batches.next_rows();
            let part = rows.len().div_ceil(self.accumulate);
            let (inputs, _) = gather(train, &rows[..part])?;
            let seen = look(&inputs, 0.0)?;
            sums = Some(match sums {
                None => seen.clone(),
                Some(sums) => {
                    let each = sums.iter().zip(&seen);
                    let added = each.map(|(a, b)| a + b);
                    added.collect::<candle_core::Result<_>>()?
                }
            });
            last = Some((inputs, seen));
        }
        let Some((inputs, near)) = last else { return Ok(()) };
        let far = look(&inputs, FAR)?;
        let sums = sums.unwrap_or_default();
        for (i, var) in all.iter().enumerate() {
            let kept = ((&far[i] - &near[i])? / FAR)?.mean_all()?;
            let share = 1.0 - f64::from(kept.to_scalar::<f32>()?);
            // A layer that keeps its statistics has those that it wants.
            if share.abs() < 1e-6 {
                var.set(&old[i])?;
            } else {
                var.set(&(&sums[i] / (passes as f64 * share))?)?;
            }
        }
        Ok(())
    }
}
