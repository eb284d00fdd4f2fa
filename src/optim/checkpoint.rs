//! Checkpoints: a training in progress, as a file.

use super::Weighing;
use crate::digest;
use crate::error::{Error, Result};
use candle_core::safetensors;
use candle_core::{Device, Tensor};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Names of the optimizer's moments in a file. Weights have their own names, so
/// that the file can also be used as a file of weights.
const MOMENTS: [&str; 2] = ["optimizer.first", "optimizer.second"];

/// Name of the tensor with the other state: version, completed updates,
/// batches drawn, seed of their order.
const PLACE: &str = "optimizer.place";

/// Name of what the schedule-free form keeps beside the moments: the highest
/// rate and the sum of the shares. Other optimizers have no such tensor.
const WEIGHING: &str = "optimizer.weighing";

/// Raised when the meaning of a file changes.
const VERSION: i64 = 1;

/// A training after some updates: weights (including running statistics), the
/// optimizer's moments, and the position in the data. Continuing from it gives
/// the same result as an uninterrupted training, to the bit.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// Completed updates.
    pub(crate) step: usize,
    /// Batches drawn.
    pub(crate) batches: usize,
    /// Seed of the order of the batches.
    pub(crate) seed: u64,
    /// On the CPU, by name.
    pub(crate) weights: BTreeMap<String, Tensor>,
    /// First and second moment of each weight in one array, in the order of
    /// the weights' names; the second is empty for SGD and Lion.
    pub(crate) moments: [Vec<f32>; 2],
    /// Of the schedule-free form.
    pub(crate) free: Option<Weighing>,
}

impl Checkpoint {
    /// Completed optimizer updates.
    pub fn step(&self) -> usize {
        self.step
    }

    /// A digest of all its numbers: trainings with equal digests continue
    /// identically.
    ///
    /// # Errors
    ///
    /// If a tensor cannot be read back.
    pub fn fingerprint(&self) -> Result<String> {
        let tensors = self.tensors()?;
        let named = tensors.iter().map(|(name, tensor)| (&**name, tensor));
        digest::tensors(named)
    }

    /// Writes a safetensors file, which can also be used as a file of weights.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let tensors = self.tensors()?.into_iter().collect();
        safetensors::save::<String, _>(&tensors, path)
            .map_err(Error::tensor(path.display().to_string()))
    }

    /// All of it by name.
    fn tensors(&self) -> Result<BTreeMap<String, Tensor>> {
        let flat = || {
            let place = [
                VERSION,
                i64::try_from(self.step).unwrap_or(i64::MAX),
                i64::try_from(self.batches).unwrap_or(i64::MAX),
                self.seed.cast_signed(),
            ];
            let place = Tensor::new(&place, &Device::Cpu)?;
            let [first, second] = &self.moments;
            let first = Tensor::new(first.as_slice(), &Device::Cpu)?;
            let second = Tensor::new(second.as_slice(), &Device::Cpu)?;
            let mut all = vec![
                (PLACE, place),
                (MOMENTS[0], first),
                (MOMENTS[1], second),
            ];
            if let Some(Weighing { highest, sum }) = self.free {
                let free = Tensor::new(&[highest, sum], &Device::Cpu)?;
                all.push((WEIGHING, free));
            }
            let all = all.into_iter();
            candle_core::Result::Ok(all.map(|(name, t)| (name.to_owned(), t)))
        };
        let flat = flat().map_err(Error::tensor("writing a checkpoint"))?;
        Ok(self.weights.clone().into_iter().chain(flat).collect())
    }

    /// Reads a file written by [`save`](Self::save).
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is not a checkpoint.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        Self::of(weights(path)?, path)
    }

    /// Reads the content of such a file; `path` is for messages.
    pub(crate) fn read(bytes: &[u8], path: &Path) -> Result<Self> {
        let tensors = safetensors::load_buffer(bytes, &Device::Cpu)
            .map_err(Error::tensor(path.display().to_string()))?;
        Self::of(tensors, path)
    }

    fn of(mut tensors: HashMap<String, Tensor>, path: &Path) -> Result<Self> {
        let no_checkpoint = |what: &str| {
            Error::Invalid(format!(
                "{}: {what}; start from its weights alone with `weights`",
                path.display()
            ))
        };
        let mut take = |name: &str| {
            let missing = format!("is no checkpoint, it lacks `{name}`");
            tensors.remove(name).ok_or_else(|| no_checkpoint(&missing))
        };
        let free = match take(WEIGHING).map(|free| free.to_vec1::<f64>()) {
            Err(_) => None,
            Ok(free) => match free.as_deref() {
                Ok(&[highest, sum]) => Some(Weighing { highest, sum }),
                _ => return Err(no_checkpoint("has other schedule-free state")),
            },
        };
        let place = take(PLACE)?.to_vec1::<i64>();
        let moments = [take(MOMENTS[0])?, take(MOMENTS[1])?];
        let Ok([VERSION, step, batches, seed]) = place.as_deref() else {
            return Err(no_checkpoint("has the format of another version"));
        };
        let (Ok(step), Ok(batches)) =
            (usize::try_from(*step), usize::try_from(*batches))
        else {
            return Err(no_checkpoint("has negative counts"));
        };
        let [first, second] = moments.map(|values| values.to_vec1::<f32>());
        let (Ok(first), Ok(second)) = (first, second) else {
            return Err(no_checkpoint("has moments that are not f32"));
        };
        Ok(Self {
            step,
            batches,
            seed: seed.cast_unsigned(),
            weights: tensors.into_iter().collect(),
            moments: [first, second],
            free,
        })
    }
}

/// The weights of a safetensors file, by name, on the CPU.
///
/// # Errors
///
/// If the file cannot be read.
pub(crate) fn weights(path: &Path) -> Result<HashMap<String, Tensor>> {
    safetensors::load(path, &Device::Cpu)
        .map_err(Error::tensor(path.display().to_string()))
}
