//! What convex theory says about the schedules, beside what was measured.

use super::Board;
use crate::schedule::Bound;
use crate::stats::ranks::spearman;
use serde::{Deserialize, Serialize};

/// One row of `theory.csv`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct TheoryRow {
    /// Steps.
    pub(crate) budget: u64,
    /// Multiple of the learning rate found.
    pub(crate) lr_multiple: f64,
    /// Label of the schedule.
    pub(crate) schedule: String,
    /// The convex bound at its best peak; lower is better.
    pub(crate) bound: f64,
    /// Its best peak over the control's, by the bound.
    pub(crate) peak_ratio: Option<f64>,
    /// Mean rank on the board of this budget and multiple.
    pub(crate) mean_rank: f64,
    /// Spearman's correlation of bound and mean rank over the board's
    /// schedules, the same in all its rows; empty for fewer than three.
    pub(crate) spearman: Option<f64>,
}

/// Rows of every board of one budget and multiple. `bound` gives the bound of
/// a schedule, by its label, over a budget.
pub(crate) fn theory(
    boards: &[Board],
    control: &str,
    bound: impl Fn(&str, u64) -> Option<Bound>,
) -> Vec<TheoryRow> {
    let mut rows = vec![];
    for board in boards {
        let Some((budget, multiple)) = board.budget.zip(board.lr_multiple)
        else {
            continue;
        };
        let peak = bound(control, budget).map(|bound| bound.peak);
        let ranking = board.ranking.leaderboard.iter();
        let known: Vec<(&str, f64, Bound)> = ranking
            .filter_map(|row| {
                let bound = bound(&row.schedule, budget)?;
                Some((row.schedule.as_str(), row.mean_rank, bound))
            })
            .collect();
        let omegas: Vec<f64> = known.iter().map(|(.., b)| b.omega).collect();
        let ranks: Vec<f64> = known.iter().map(|(_, rank, _)| *rank).collect();
        let spearman = spearman(&omegas, &ranks);
        rows.extend(known.into_iter().map(|(schedule, mean_rank, bound)| {
            TheoryRow {
                budget,
                lr_multiple: multiple,
                schedule: schedule.to_owned(),
                bound: bound.omega,
                peak_ratio: peak.map(|peak| bound.peak / peak),
                mean_rank,
                spearman,
            }
        }));
    }
    rows
}
