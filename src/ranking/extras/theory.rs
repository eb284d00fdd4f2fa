//! What convex theory says about the schedules, beside what was measured.

use crate::ranking::analysis::Board;
use crate::results::rows::TheoryRow;
use crate::schedule::Bound;
use crate::stats::ranks::spearman;

/// Rows of every board of one budget and multiple. `bound` gives the bound of
/// a schedule, by its label, over a budget.
pub(in crate::ranking) fn theory(
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
