//! Who trains a workload: candle in this process, or a program of the
//! user's.

use super::{OptimizerSpec, WorkloadSpec};
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;

/// What a workload is, by who trains it.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "there is one a workload")]
pub(crate) enum TrainerSpec {
    /// A model on a data set, trained in this process.
    Candle(WorkloadSpec),
    /// A program that trains by itself.
    External(ExternalSpec),
}

/// Where a training script runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ScriptFolder {
    /// In a folder of the task, with links to the files beside the grid.
    Own,
    /// In the folder of the grid.
    Grid,
}

/// A program that trains, and what it is told besides its task. Model, data set
/// and optimizer are only names here; the program knows what they mean.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ExternalSpec {
    /// Program and arguments, no shell between; `{spec}` in an argument
    /// stands for the file of the task.
    pub(crate) command: Vec<String>,
    /// Where it runs, if it is a training script for the launcher, which does
    /// not know the protocol.
    pub(crate) script: Option<ScriptFolder>,
    /// Files that its numbers depend on, beside the grid.
    pub(crate) fingerprint: Vec<PathBuf>,
    /// Most that one training may take.
    pub(crate) timeout: Duration,
    /// Name of the model.
    pub(crate) model: Option<String>,
    /// Name of the data set.
    pub(crate) dataset: Option<String>,
    /// Name of the optimizer.
    pub(crate) optimizer: Option<String>,
    /// Examples an update.
    pub(crate) batch: Option<usize>,
    /// Which of the metrics it reports is kept.
    pub(crate) metric: Option<String>,
}

impl TrainerSpec {
    /// Examples an update, where they are known.
    pub(crate) fn batch(&self) -> Option<usize> {
        match self {
            Self::Candle(spec) => Some(spec.batch),
            Self::External(spec) => spec.batch,
        }
    }

    /// The optimizer in tables.
    pub(crate) fn optimizer_label(&self) -> String {
        match self {
            Self::Candle(spec) => spec.optimizer.label(),
            Self::External(spec) => {
                let name = spec.optimizer.as_deref();
                name.unwrap_or(ExternalSpec::UNNAMED).to_owned()
            }
        }
    }

    /// What the `model`, `dataset` or `optimizer` may be called.
    pub(crate) fn names(&self, what: &str) -> Vec<String> {
        match (self, what) {
            (Self::Candle(spec), "model") => {
                vec![spec.model.kind().to_owned()]
            }
            (Self::Candle(spec), "dataset") => {
                vec![spec.dataset.kind().to_owned()]
            }
            (Self::Candle(spec), _) => {
                let optimizer = &spec.optimizer;
                vec![optimizer.kind().to_owned(), optimizer.label()]
            }
            (Self::External(spec), "model") => {
                Vec::from_iter(spec.model.clone())
            }
            (Self::External(spec), "dataset") => {
                Vec::from_iter(spec.dataset.clone())
            }
            (Self::External(_), _) => vec![self.optimizer_label()],
        }
    }

    /// Whether the length of the optimizer's steps does not follow that of the
    /// gradients.
    pub(crate) fn is_adaptive(&self) -> bool {
        match self {
            Self::Candle(spec) => spec.optimizer.is_adaptive(),
            Self::External(spec) => spec.likely_optimizer().is_adaptive(),
        }
    }
}

impl ExternalSpec {
    /// The version of the protocol that a program must use.
    pub(crate) const PROTOCOL: u64 = 1;

    /// Whether a program is a path relative to the grid, not a name on the
    /// `PATH`.
    pub(crate) fn is_path(program: &str) -> bool {
        program.contains('/')
    }

    /// An optimizer that the grid does not name.
    const UNNAMED: &'static str = "external";

    /// Our optimizer that resembles the program's most, judged by its name: the
    /// one whose kind the name contains, else AdamW, which most optimizers
    /// resemble today.
    pub(crate) fn likely_optimizer(&self) -> OptimizerSpec {
        let name = self.optimizer.as_deref().unwrap_or_default();
        let name = name.to_lowercase();
        [
            ("sgd", OptimizerSpec::sgd as fn() -> OptimizerSpec),
            ("rmsprop", OptimizerSpec::rmsprop),
            ("lion", OptimizerSpec::lion),
            ("muon", OptimizerSpec::muon),
        ]
        .into_iter()
        .find(|(kind, _)| name.contains(kind))
        .map_or_else(OptimizerSpec::adamw, |(_, like)| like())
    }
}
