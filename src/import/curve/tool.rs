//! The tools whose records of range tests are known.

use crate::error::{Error, Result};
use crate::text::unknown;
use std::str::FromStr;

/// A tool that records range tests. Read with torch-lr-finder 0.2.2, Lightning
/// 2.6.6, fastai 2.8.12, ignite 0.5.5, MONAI 1.6.1 and Keras 3.15.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CurveTool {
    /// `LRFinder.history`: averages with a weight of 0.05 by default.
    TorchLrFinder,
    /// `Tuner.lr_find(...).results`: averages, corrected one update ahead.
    /// Its loggers have raw losses.
    Lightning,
    /// `Recorder.lrs` and `losses`: averages in single precision.
    Fastai,
    /// `FastaiLRFinder.get_results()`: as torch-lr-finder, each rate being
    /// that of the next update.
    Ignite,
    /// `LearningRateFinder.history`: as torch-lr-finder.
    Monai,
    /// `History.history`, `CSVLogger` and callbacks; what these are given
    /// after a batch is the mean of the epoch so far.
    Keras,
    /// Exports of charts and runs: raw losses.
    Wandb,
    /// Raw losses.
    Plain,
}

impl CurveTool {
    /// Each with its name.
    const ALL: [(&'static str, Self); 8] = [
        ("torch-lr-finder", Self::TorchLrFinder),
        ("lightning", Self::Lightning),
        ("fastai", Self::Fastai),
        ("ignite", Self::Ignite),
        ("monai", Self::Monai),
        ("keras", Self::Keras),
        ("wandb", Self::Wandb),
        ("plain", Self::Plain),
    ];

    /// The names of all.
    pub(crate) fn names() -> [&'static str; Self::ALL.len()] {
        Self::ALL.map(|(name, _)| name)
    }

    /// The tool whose columns have these names, where only one has.
    pub(super) fn of(lr: &str, loss: &str) -> Option<Self> {
        (lr == "lrs" && loss == "losses").then_some(Self::Fastai)
    }
}

impl FromStr for CurveTool {
    type Err = Error;

    /// The tool of a name.
    fn from_str(name: &str) -> Result<Self> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        found.map(|(_, tool)| *tool).ok_or_else(|| {
            Error::Invalid(unknown("tool", name, &Self::names()))
        })
    }
}
