//! What a workload is made of, as TOML names it: plain data, checked values.
//!
//! `sets` is the catalogue of the data sets that come with the program.
//!
//! The grid reads these, the plan hashes them, and the rooms that own the
//! things themselves (`model`, `data`, `optim`) build from them.

mod check;
mod finder;
mod label;
mod launch;
mod optimizer;
mod sets;
mod time;
mod trainer;

pub(crate) use check::{CIFAR_FILES, MNIST_FILES, Targets};
pub use finder::{Ladder, LossKind};
pub(crate) use label::short;
pub(crate) use launch::{is_python, launched};
pub(crate) use optimizer::EMBEDDINGS_AND_HEADS;
pub use optimizer::{AdjustLr, OptimizerSpec};
use serde::{Deserialize, Serialize};
#[cfg(test)]
pub(crate) use sets::SetKind;
pub(crate) use sets::{Form, Named, Set, Target};
use std::path::PathBuf;
use std::sync::LazyLock;
pub(crate) use time::time;
pub(crate) use trainer::{ExternalSpec, ScriptFolder, TrainerSpec};

/// A model by name and sizes.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum ModelSpec {
    /// Dense layers with `ReLU` between them.
    Mlp {
        /// Widths of the hidden layers.
        #[serde(default = "mlp_hidden")]
        hidden: Vec<usize>,
    },
    /// Convolutions (1-D on signals, 2-D on images) with `ReLU` and optional
    /// max-pooling, then dense layers.
    Cnn {
        /// Output channels of each convolution.
        #[serde(default = "cnn_channels")]
        channels: Vec<usize>,
        /// Kernel width of each convolution; a single one serves all.
        #[serde(default = "cnn_kernels")]
        kernels: Vec<usize>,
        /// Stride of every convolution.
        #[serde(default = "one")]
        stride: usize,
        /// Zero padding of every convolution; default: half the kernel.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        padding: Option<usize>,
        /// Width of the max-pooling after each convolution; 1 for none.
        #[serde(default = "two")]
        pool: usize,
        /// Widths of the hidden dense layers.
        #[serde(default = "cnn_hidden")]
        hidden: Vec<usize>,
    },
    /// Pre-activation-free residual network with batch norm, for images.
    Resnet {
        /// Channels of each stage; every stage after the first halves the
        /// resolution.
        #[serde(default = "resnet_channels")]
        channels: Vec<usize>,
        /// Residual blocks in each stage.
        #[serde(default = "one")]
        blocks: usize,
    },
    /// Causal pre-norm transformer over characters.
    Transformer {
        /// Width of the residual stream; a multiple of `heads`.
        #[serde(default = "transformer_width")]
        width: usize,
        /// Number of blocks.
        #[serde(default = "two")]
        layers: usize,
        /// Attention heads.
        #[serde(default = "four")]
        heads: usize,
    },
    /// Gated recurrent units over characters or signals.
    Gru {
        /// Values of a state.
        #[serde(default = "gru_hidden")]
        hidden: usize,
        /// Units, one on the other.
        #[serde(default = "one")]
        layers: usize,
        /// Values of the vector of a character.
        #[serde(default = "gru_embedding")]
        embedding: usize,
    },
    /// A model that the user's own binary registered.
    #[serde(skip_deserializing)]
    Registered {
        /// Name in the registry.
        name: String,
    },
}

/// A data set by name, with where it comes from.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum DatasetSpec {
    /// Regression on a random two-layer network's outputs. Generated.
    TeacherStudent {
        /// Standard deviation of the noise on the training targets, in
        /// units of the clean targets' standard deviation.
        #[serde(default = "tenth")]
        noise: f64,
    },
    /// Linear regression with power-law spectrum and known optimum.
    /// Generated.
    PowerLaw {
        /// Standard deviation of the noise on the targets.
        #[serde(default = "half")]
        noise: f64,
        /// Exponent of the spectrum's decay.
        #[serde(default = "exponent")]
        exponent: f64,
    },
    /// MNIST from a local folder, or from the hub without `dir`.
    Mnist {
        /// Folder of the four uncompressed idx files.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dir: Option<PathBuf>,
    },
    /// Fashion-MNIST at 28x28, like `mnist`.
    FashionMnist {
        /// Folder of the four uncompressed idx files.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dir: Option<PathBuf>,
    },
    /// CIFAR-10 from a local folder, or from the hub without `dir`.
    #[serde(rename = "cifar-10")]
    Cifar10 {
        /// Folder of the six binary batches.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dir: Option<PathBuf>,
    },
    /// Any table: a CSV file with a header, numbers and categories.
    Csv {
        /// The file.
        file: PathBuf,
        /// Column to predict.
        target: String,
        /// Columns that are left out.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        drop: Vec<String>,
        /// `classify` or `regress`; default: by the target's values.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        task: Option<TableTask>,
        /// Shares of validation and test rows.
        #[serde(default = "table_split")]
        split: [f64; 2],
    },
    /// Any UTF-8 text, for a character-level language model.
    Text {
        /// The file.
        file: PathBuf,
        /// Characters a sequence.
        #[serde(default = "context")]
        context: usize,
        /// Shares of validation and test text.
        #[serde(default = "table_split")]
        split: [f64; 2],
    },
    /// A data set that the user's own binary registered.
    #[serde(skip_deserializing)]
    Registered {
        /// Name in the registry.
        name: String,
    },
    /// A set of the catalogue, without keys.
    #[serde(untagged)]
    Named(Named),
}

/// What a CSV table's target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TableTask {
    /// Each distinct value is a class.
    Classify,
    /// A number, standardised by the training rows.
    Regress,
}

/// Model x data set x optimizer, at one batch size.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct WorkloadSpec {
    /// The model.
    pub(crate) model: ModelSpec,
    /// The data set.
    pub(crate) dataset: DatasetSpec,
    /// Share of training labels replaced by another class, in `[0, 1)`.
    pub(crate) label_noise: f64,
    /// The optimizer.
    pub(crate) optimizer: OptimizerSpec,
    /// Examples an update.
    pub(crate) batch: usize,
    /// Number of parts that a batch is split into, for models too large to
    /// process it at once.
    pub(crate) accumulate: usize,
    /// Safetensors file of weights to start from instead of fresh ones.
    pub(crate) weights: Option<PathBuf>,
}

impl ModelSpec {
    /// The built-in kinds.
    pub(crate) fn kinds() -> &'static [&'static str] {
        &["mlp", "cnn", "resnet", "transformer", "gru"]
    }

    /// The kind, or the registered name.
    pub(crate) fn kind(&self) -> &str {
        match self {
            Self::Mlp { .. } => "mlp",
            Self::Cnn { .. } => "cnn",
            Self::Resnet { .. } => "resnet",
            Self::Transformer { .. } => "transformer",
            Self::Gru { .. } => "gru",
            Self::Registered { name } => name,
        }
    }
}

impl DatasetSpec {
    /// Shares of validation and test part of a file, unless given.
    pub(crate) const SPLIT: [f64; 2] = [0.1, 0.2];

    /// Characters of a sequence, unless given.
    pub(crate) const CONTEXT: usize = 64;

    /// The built-in kinds.
    pub(crate) fn kinds() -> &'static [&'static str] {
        static KINDS: LazyLock<Vec<&str>> = LazyLock::new(|| {
            let sets = Set::all().map(|set| set.name);
            sets.chain(["mnist", "fashion-mnist", "cifar-10", "csv", "text"])
                .collect()
        });
        &KINDS
    }

    /// The data set `name`, if it needs no more than a name.
    pub(crate) fn builtin(name: &str) -> Option<Self> {
        serde_json::from_value(serde_json::json!({ "kind": name })).ok()
    }

    /// The kind, or the registered name.
    pub(crate) fn kind(&self) -> &str {
        match self {
            Self::TeacherStudent { .. } => "teacher-student",
            Self::PowerLaw { .. } => "power-law",
            Self::Mnist { .. } => "mnist",
            Self::FashionMnist { .. } => "fashion-mnist",
            Self::Cifar10 { .. } => "cifar-10",
            Self::Csv { .. } => "csv",
            Self::Text { .. } => "text",
            Self::Registered { name } => name,
            Self::Named(Named { kind }) => kind.name,
        }
    }

    /// A short name: the kind, or the stem of the file.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Csv { file, .. } | Self::Text { file, .. } => {
                let stem = file.file_stem().unwrap_or(file.as_os_str());
                stem.to_string_lossy().into_owned()
            }
            other => other.kind().to_owned(),
        }
    }

    /// The identity of the data: workloads that share it are not independent
    /// evidence.
    pub(crate) fn identity(&self) -> String {
        match self {
            Self::Csv { file, .. } | Self::Text { file, .. } => {
                format!("{}:{}", self.kind(), file.display())
            }
            other => other.kind().to_owned(),
        }
    }
}

fn mlp_hidden() -> Vec<usize> {
    vec![128, 64]
}
fn cnn_channels() -> Vec<usize> {
    vec![16, 32]
}
fn cnn_kernels() -> Vec<usize> {
    vec![3]
}
fn cnn_hidden() -> Vec<usize> {
    vec![64]
}
fn resnet_channels() -> Vec<usize> {
    vec![16, 32, 64]
}
fn one() -> usize {
    1
}
fn two() -> usize {
    2
}
fn four() -> usize {
    4
}
fn transformer_width() -> usize {
    64
}
fn gru_hidden() -> usize {
    64
}
fn gru_embedding() -> usize {
    32
}
fn tenth() -> f64 {
    0.1
}
fn half() -> f64 {
    0.5
}
fn exponent() -> f64 {
    1.5
}
fn table_split() -> [f64; 2] {
    DatasetSpec::SPLIT
}
fn context() -> usize {
    DatasetSpec::CONTEXT
}
