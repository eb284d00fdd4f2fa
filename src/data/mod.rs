//! Data sets: tensors in memory, split and normalised once, shared by all
//! runs.
//!
//! `pack` and `study` have the embedded sets, `synthetic` and `generated` those
//! that are made, `vision` folders of pictures, `table` CSV files and `text` plain text. `plain` makes
//! tensors of them, `batches` chooses the examples of an update.

mod batches;
mod check;
mod file;
mod generated;
mod pack;
mod plain;
mod study;
mod synthetic;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod vision;

pub(crate) use batches::{Batches, gather};
pub use file::{CsvFile, TextFile};
use plain::Plain;

use crate::digest;
use crate::error::{Error, Result};
use crate::seed;
use crate::spec::{DatasetSpec, Set};
use crate::text::{excerpt, unknown};
use candle_core::{Device, Tensor};
use rand::RngExt as _;
use rand::seq::SliceRandom as _;
use std::path::Path;

/// Seed of everything about data that is not a run's: splits, label noise,
/// generated sets. Fixed, so that all runs see the same data.
const DATA_SEED: u64 = 0;

/// Examples with their targets.
#[derive(Clone, Debug)]
pub struct Split {
    /// f32 `(n, features)`, `(n, channels, length)` or
    /// `(n, channels, height, width)`; u32 `(n, context)` for text.
    pub inputs: Tensor,
    /// u32 `(n)` classes; f32 `(n, width)` values; u32 `(n, context)`
    /// following characters, `u32::MAX` where none is counted.
    pub targets: Tensor,
}

/// What is predicted, and so which loss and metric apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Task {
    /// One of `classes`; cross-entropy, accuracy.
    Classify {
        /// Number of classes.
        classes: usize,
    },
    /// `width` values; mean squared error, its root.
    Regress {
        /// Values an example.
        width: usize,
    },
    /// The next of `vocabulary` characters at every place; cross-entropy,
    /// bits a character.
    NextToken {
        /// Number of characters.
        vocabulary: usize,
        /// The character that sequences are filled up with, if any. Targets
        /// past the last other character are not counted.
        padding: Option<u32>,
    },
}

/// Training, validation and test part of one data set.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Dataset {
    /// Trained on; normalisation is computed from this part alone.
    pub train: Split,
    /// Schedules are ranked by this part.
    pub valid: Split,
    /// Looked at once, at the end of a run.
    pub test: Split,
    /// What is predicted.
    pub task: Task,
    /// Loss of the best possible predictor on the validation part, where it
    /// is known.
    pub optimum: Option<f64>,
}

impl Split {
    /// Number of examples.
    pub fn len(&self) -> usize {
        self.inputs.dims().first().copied().unwrap_or(0)
    }

    /// Whether there is no example.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn to_device(&self, device: &Device) -> candle_core::Result<Self> {
        Ok(Self {
            inputs: self.inputs.to_device(device)?,
            targets: self.targets.to_device(device)?,
        })
    }
}

impl Task {
    /// `accuracy`, `rmse` or `bits-per-character`.
    pub fn metric(&self) -> &'static str {
        match self {
            Self::Classify { .. } => "accuracy",
            Self::Regress { .. } => "rmse",
            Self::NextToken { .. } => "bits-per-character",
        }
    }
}

impl Dataset {
    /// A data set from its three parts. They must fit together and `task`;
    /// whoever trains on them says what does not.
    ///
    /// ```
    /// use candle_core::{Device, Tensor};
    /// use lrscout::{Dataset, Split, Task};
    ///
    /// # fn main() -> lrscout::Result<()> {
    /// let part = |n: u32| -> lrscout::Result<Split> {
    ///     let points = Tensor::arange(0_u32, 2 * n, &Device::Cpu)?;
    ///     let inputs = points.to_dtype(candle_core::DType::F32)?;
    ///     Ok(Split {
    ///         inputs: inputs.reshape((n as usize, 2))?,
    ///         targets: Tensor::arange(0, n, &Device::Cpu)?,
    ///     })
    /// };
    /// let task = Task::Classify { classes: 30 };
    /// let data = Dataset::new(part(30)?, part(5)?, part(5)?, task);
    /// assert_eq!((data.features(), data.outputs()), (2, 30));
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(train: Split, valid: Split, test: Split, task: Task) -> Self {
        Self { train, valid, test, task, optimum: None }
    }

    /// One of the embedded or generated data sets, by the name that grids
    /// use: `fashion`, `letter`, `words`, `mnist1d`, `teacher-student`, ...
    ///
    /// # Errors
    ///
    /// If there is none of that name, or it needs more than a name.
    pub fn builtin(name: &str, device: &Device) -> Result<Self> {
        let spec = DatasetSpec::builtin(name).ok_or_else(|| {
            let known = DatasetSpec::kinds();
            Error::Invalid(if known.contains(&name) {
                format!(
                    "data set `{name}` needs more than a name: give its file \
                     in a grid, or to `Dataset::{name}`"
                )
            } else {
                unknown("data set", name, known)
            })
        })?;
        load(&spec, 0.0, Path::new(""), device)
    }

    /// Shape of one example, without the batch.
    pub fn input_shape(&self) -> Vec<usize> {
        self.train.inputs.dims().get(1..).unwrap_or_default().to_vec()
    }

    /// Numbers in one example.
    pub fn features(&self) -> usize {
        self.input_shape().iter().product()
    }

    /// Width of a model's output: classes, values, or vocabulary.
    pub fn outputs(&self) -> usize {
        match self.task {
            Task::Classify { classes } => classes,
            Task::Regress { width } => width,
            Task::NextToken { vocabulary, .. } => vocabulary,
        }
    }

    /// The same data on `device`.
    ///
    /// # Errors
    ///
    /// If the device has no room for it.
    pub fn to_device(&self, device: &Device) -> candle_core::Result<Self> {
        Ok(Self {
            train: self.train.to_device(device)?,
            valid: self.valid.to_device(device)?,
            test: self.test.to_device(device)?,
            ..self.clone()
        })
    }

    /// The same with `share` of the training labels, rounded, replaced by
    /// another class each; always the same ones.
    ///
    /// # Errors
    ///
    /// If there are no classes to confuse.
    pub fn with_label_noise(mut self, share: f64) -> Result<Self> {
        if share == 0.0 {
            return Ok(self);
        }
        let classes = match self.task {
            Task::Classify { classes } if classes > 1 => classes,
            _ => {
                return Err(Error::Invalid(
                    "`label_noise` needs classes: leave it out for regression \
                     and text"
                        .to_owned(),
                ));
            }
        };
        let noisy = || {
            let mut labels = self.train.targets.to_vec1::<u32>()?;
            add_label_noise(&mut labels, classes, share);
            Tensor::new(labels, self.train.targets.device())
        };
        self.train.targets =
            noisy().map_err(Error::tensor("adding label noise"))?;
        Ok(self)
    }

    /// A digest of every number in it: two data sets with the same
    /// fingerprint train alike.
    ///
    /// # Errors
    ///
    /// If a tensor cannot be read back from its device.
    pub fn fingerprint(&self) -> Result<String> {
        let splits = [&self.train, &self.valid, &self.test];
        let tensors = splits
            .into_iter()
            .flat_map(|split| [("", &split.inputs), ("", &split.targets)]);
        Ok(format!("{:?}-{}", self.task, digest::tensors(tensors)?))
    }
}

/// Loads the data set of `spec` onto `device`; relative paths count from
/// `base`. `label_noise` is the share of training labels replaced by another
/// class.
///
/// # Errors
///
/// If a file is missing or broken, or the data make no data set.
pub(crate) fn load(
    spec: &DatasetSpec,
    label_noise: f64,
    base: &Path,
    device: &Device,
) -> Result<Dataset> {
    let plain = match spec {
        DatasetSpec::Named(set) => named(set.kind)?,
        DatasetSpec::TeacherStudent { noise } => {
            synthetic::teacher_student(*noise)
        }
        DatasetSpec::PowerLaw { noise, exponent } => {
            synthetic::power_law(*noise, *exponent)
        }
        DatasetSpec::Mnist { dir } => {
            vision::mnist(dir.as_deref().map(|dir| base.join(dir)))?
        }
        DatasetSpec::FashionMnist { dir } => {
            vision::fashion_mnist(dir.as_deref().map(|dir| base.join(dir)))?
        }
        DatasetSpec::Cifar10 { dir } => {
            vision::cifar10(dir.as_deref().map(|dir| base.join(dir)))?
        }
        DatasetSpec::Csv { file, target, drop, task, split } => {
            table::load(&base.join(file), target, drop, *task, *split)?
        }
        DatasetSpec::Text { file, context, split } => {
            text::load(&base.join(file), *context, *split)?
        }
        DatasetSpec::Registered { name } => {
            return Err(Error::Invalid(format!(
                "data set {} is not among the built-in ones: load it by the \
                 registry it is in",
                excerpt(name)
            )));
        }
    };
    plain
        .into_dataset(device)
        .map_err(Error::tensor("making tensors of the data set"))?
        .with_label_noise(label_noise)
}

/// Loads a data set of the catalogue.
fn named(set: &Set) -> Result<Plain> {
    match set.name {
        "fashion" => pack::fashion(),
        "letter" => pack::letter(),
        "satimage" => pack::satimage(),
        "dna" => pack::dna(),
        "spam" => pack::spam(),
        "digits" => pack::digits(),
        "diamonds" => pack::diamonds(),
        "mnist1d" => Ok(synthetic::mnist1d()),
        _ if set.is_generated() => Ok(generated::load(set)),
        _ => study::load(set),
    }
}

/// Replaces the share `noise` of `labels`, rounded, by another class each.
fn add_label_noise(labels: &mut [u32], classes: usize, noise: f64) {
    let mut rng = seed::stream(DATA_SEED, "label noise");
    let mut rows: Vec<usize> = (0..labels.len()).collect();
    rows.shuffle(&mut rng);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a length"
    )]
    let wrong = (noise * labels.len() as f64).round() as usize;
    let classes = u32::try_from(classes).unwrap_or(u32::MAX);
    for &row in rows.iter().take(wrong) {
        let shift = rng.random_range(1..classes);
        labels[row] = (labels[row] + shift) % classes;
    }
}
