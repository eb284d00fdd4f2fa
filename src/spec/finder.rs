//! What a range test records, and how its rates rise.

use serde::{Deserialize, Serialize};

/// How the learning rate of a range test rises.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize,
)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Ladder {
    /// By a constant factor.
    #[default]
    Exponential,
    /// By a constant difference.
    Linear,
}

/// The loss that a range test records.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize,
)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum LossKind {
    /// Of the batch trained on, before its update.
    #[default]
    Train,
    /// Of the validation part, before the update.
    Valid,
}
