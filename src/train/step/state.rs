//! A training as a checkpoint, and back.

use super::Replica;
use crate::error::{Error, Result};
use crate::optim::{Checkpoint, WeightAverage};
use candle_core::{Device, bail};
use std::collections::BTreeMap;

impl Replica {
    /// The training as it stands now.
    ///
    /// # Errors
    ///
    /// If it cannot be read back from its device.
    pub(crate) fn checkpoint(&self) -> Result<Checkpoint> {
        let read = || {
            let mut weights = BTreeMap::new();
            for (name, var) in self.weights.trainable() {
                let weight = var.as_detached_tensor();
                let weight = weight.to_device(&Device::Cpu)?.copy()?;
                weights.insert(name, weight);
            }
            candle_core::Result::Ok(Checkpoint {
                step: self.step,
                batches: self.batches.drawn(),
                seed: self.seed,
                weights,
                moments: self.optim.moments()?,
                free: self.optim.weighing(),
                averages: self
                    .averages
                    .iter()
                    .map(WeightAverage::saved)
                    .collect::<candle_core::Result<_>>()?,
            })
        };
        read().map_err(Error::tensor(format!("saving `{}`", self.name)))
    }

    pub(in crate::train) fn restore(
        &mut self,
        checkpoint: &Checkpoint,
    ) -> Result<()> {
        let vars = self.weights.trainable();
        let write = || {
            if vars.len() != checkpoint.weights.len() {
                bail!("the checkpoint has other weights than the model")
            }
            for (name, var) in vars {
                match checkpoint.weights.get(&name) {
                    Some(weight) if weight.shape() == var.shape() => {
                        var.set(&weight.to_device(var.device())?)?;
                    }
                    _ => bail!("the checkpoint has no such weight `{name}`"),
                }
            }
            let Checkpoint { step, moments, free, .. } = checkpoint;
            self.optim.restore(*step, moments, *free)?;
            let device = self.data.train.inputs.device();
            for own in &mut self.averages {
                let mut saved = checkpoint.averages.iter();
                if let Some(saved) = saved.find(|saved| saved.kind == own.kind)
                {
                    own.restore(saved, device)?;
                }
            }
            candle_core::Result::Ok(())
        };
        write().map_err(Error::tensor(format!("resuming `{}`", self.name)))?;
        self.step = checkpoint.step;
        if checkpoint.seed == self.seed {
            while self.batches.drawn() < checkpoint.batches {
                self.batches.next_rows();
            }
        }
        Ok(())
    }
}
