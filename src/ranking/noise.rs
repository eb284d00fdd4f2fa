//! What chance alone does: the control against itself, and the difference
//! below which seeds explain everything.

use super::cells::{Table, mean_rows};
use super::replicates::{Parts, by_seed, difference, fewest_seeds};
use crate::stats::wilcoxon::signed_rank;
use serde::Serialize;

/// The control against itself under other seeds (an A/A test). If the
/// comparison is sound, its p is below alpha in a share of alpha of all
/// studies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct ControlAgain {
    /// Clusters.
    pub(super) n: usize,
    /// Seeds on each side.
    pub(super) seeds: usize,
    /// Mean difference on the scale used; `None` where a run diverged.
    pub(super) mean_difference: Option<f64>,
    /// Two-sided p of the signed-rank test over clusters.
    pub(super) p: f64,
}

/// Compares the first, third, ... seed of the control with the second,
/// fourth, ... on every workload; `None` where a workload has a single seed.
pub(super) fn control_again(
    table: &Table,
    control: usize,
) -> Option<ControlAgain> {
    let seeds = fewest_seeds(table) / 2;
    if seeds == 0 {
        return None;
    }
    let blocks: Vec<Option<Vec<f64>>> = table
        .blocks
        .iter()
        .map(|block| {
            if !block.cells.iter().all(|cell| cell.has(control)) {
                return None;
            }
            let rows = by_seed(table, block);
            let side = |first: usize| {
                let own = rows.iter().skip(first).step_by(2).take(seeds);
                own.map(|row| row[control]).sum::<f64>() / seeds as f64
            };
            Some(vec![difference(side(0), side(1))])
        })
        .collect();
    let differences: Vec<f64> = table
        .clusters
        .iter()
        .filter_map(|members| {
            let there: Vec<&Vec<f64>> =
                members.iter().filter_map(|&i| blocks[i].as_ref()).collect();
            let mean = *mean_rows(there.into_iter()).first()?;
            // Opposite infinities cancel.
            Some(if mean.is_nan() { 0.0 } else { mean })
        })
        .collect();
    let n = differences.len();
    let mean = differences.iter().sum::<f64>() / n as f64;
    Some(ControlAgain {
        n,
        seeds,
        mean_difference: mean.is_finite().then_some(mean),
        p: signed_rank(&differences).p,
    })
}

/// Standard deviation of the difference of two equal schedules on one
/// workload, on the scale used: what the seeds leave of it.
pub(super) fn floor(parts: &Parts) -> f64 {
    (2.0 * parts.components.residual / parts.seeds as f64).sqrt()
}
