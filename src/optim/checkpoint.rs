//! Checkpoints: a training in progress, as a file.

use super::{Weighing, WeightAverage};
use crate::digest;
use crate::error::{Error, Result};
use crate::schedule::Average;
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
    /// Of the weights, on the CPU.
    pub(crate) averages: Vec<WeightAverage>,
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
            let mut all =
                vec![(PLACE, place), (MOMENTS[0], first), (MOMENTS[1], second)];
            if let Some(Weighing { highest, sum }) = self.free {
                let free = Tensor::new(&[highest, sum], &Device::Cpu)?;
                all.push((WEIGHING, free));
            }
            let all = all.into_iter().map(|(name, t)| (name.to_owned(), t));
            let mut all: Vec<_> = all.collect();
            for (i, average) in self.averages.iter().enumerate() {
                let kind = Tensor::new(&average_place(average), &Device::Cpu)?;
                all.push((average_name(i), kind));
                let named = self.weights.keys().zip(&average.values);
                all.extend(named.map(|(name, value)| {
                    (format!("{}.{name}", average_name(i)), value.clone())
                }));
            }
            candle_core::Result::Ok(all)
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
                _ => {
                    return Err(no_checkpoint("has other schedule-free state"));
                }
            },
        };
        let mut averages = vec![];
        while let Ok(kind) = take(&average_name(averages.len())) {
            let kind = kind.to_vec1::<i64>();
            let Some((kind, taken)) =
                kind.ok().as_deref().and_then(average_of_place)
            else {
                return Err(no_checkpoint("has an average of another version"));
            };
            averages.push(WeightAverage { kind, taken, values: vec![] });
        }
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
        let mut weights: BTreeMap<String, Tensor> =
            tensors.into_iter().collect();
        for (i, average) in averages.iter_mut().enumerate() {
            let prefix = format!("{}.", average_name(i));
            let own: Vec<String> = weights
                .range(prefix.clone()..)
                .map_while(|(name, _)| name.strip_prefix(&*prefix))
                .map(str::to_owned)
                .collect();
            // In the order of the weights, which is that of their names.
            average.values = own
                .iter()
                .filter_map(|name| weights.remove(&format!("{prefix}{name}")))
                .collect();
        }
        Ok(Self {
            step,
            batches,
            seed: seed.cast_unsigned(),
            weights,
            moments: [first, second],
            free,
            averages,
        })
    }
}

/// Name of the tensor with the kind of average `i`; those of its values begin
/// with it.
fn average_name(i: usize) -> String {
    format!("optimizer.average{i}")
}

/// The kind of an average, its number, and the weights it has taken.
fn average_place(average: &WeightAverage) -> [i64; 3] {
    let taken = i64::from(average.taken);
    match average.kind {
        Average::ScheduleFree => [0, 0, taken],
        Average::Ema { decay } => [1, decay.to_bits().cast_signed(), taken],
        Average::Swa { after } => {
            [2, i64::try_from(after).unwrap_or(i64::MAX), taken]
        }
    }
}

/// The inverse of [`average_place`].
fn average_of_place(place: &[i64]) -> Option<(Average, u32)> {
    let &[kind, number, taken] = place else { return None };
    let kind = match kind {
        0 => Average::ScheduleFree,
        1 => Average::Ema { decay: f64::from_bits(number.cast_unsigned()) },
        2 => Average::Swa { after: usize::try_from(number).ok()? },
        _ => return None,
    };
    Some((kind, u32::try_from(taken).ok()?))
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
