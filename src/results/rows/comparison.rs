//! Tables of the user's own choice, and of what beats it.

use serde::{Deserialize, Serialize};

/// The best schedule of a workload at a budget against what is done without
/// lrscout: `comparison.csv`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct ComparisonRow {
    /// Name of the workload.
    pub(crate) workload: String,
    /// Updates of the trainings.
    pub(crate) budget: usize,
    /// Label of the schedule.
    pub(crate) schedule: String,
    /// Its peak.
    pub(crate) lr: f64,
    /// Label of the baseline.
    pub(crate) baseline: String,
    /// Its peak.
    pub(crate) baseline_lr: f64,
    /// Seeds that both were trained with.
    pub(crate) seeds: usize,
    /// Share by which the loss of the schedule is lower, the mean of the
    /// posterior.
    pub(crate) advantage: f64,
    /// Lower end of its interval of 95 %.
    pub(crate) low: f64,
    /// Upper end.
    pub(crate) high: f64,
    /// The probability that the loss is lower at all.
    pub(crate) probability: f64,
}

/// One row of `baseline.csv` if the momentum is cycled, too.
#[derive(Serialize)]
pub(crate) struct CycledRow {
    /// Optimizer update, from 0.
    pub(crate) step: usize,
    /// Share of the peak.
    pub(crate) factor: f64,
    /// Momentum, or the first beta.
    pub(crate) momentum: f64,
}
