//! The rows of the tables: `leaderboard.csv`, `pairwise.csv`,
//! `workloads.csv`. Field order is column order.

use super::Verdict;
use super::cells::{Cell, Table};
use super::regret::regrets;
use super::replicates::within;
use serde::{Deserialize, Serialize};

/// One row of a leaderboard, best first.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct LeaderboardRow {
    /// 1 for the best mean rank. Equal mean ranks are ordered by the number
    /// of diverged runs, then by regret, then by name.
    pub place: usize,
    /// Letters; schedules that share one are not told apart (all pairs,
    /// Wilcoxon with Holm's correction).
    pub group: String,
    /// Label of the schedule.
    pub schedule: String,
    /// Mean rank over the workloads, 1 is best.
    pub mean_rank: f64,
    /// Mean regret over the workloads, on the scale used: how far behind the
    /// best schedule of each workload.
    pub mean_regret: f64,
    /// Lower end of the 95 % interval; NaN, and an empty cell, where one run
    /// a schedule allows none.
    #[serde(with = "empty_if_nan")]
    pub regret_low: f64,
    /// Upper end of the 95 % interval.
    #[serde(with = "empty_if_nan")]
    pub regret_high: f64,
    /// Share of paired runs in which it beats the control, ties half; `None`
    /// for the control.
    pub win_rate_vs_control: Option<f64>,
    /// p of the difference to the control, after Holm's correction; `None`
    /// for the control.
    pub p_holm: Option<f64>,
    /// Probability that the difference to the recommended schedule is of no
    /// practical weight; `None` for that schedule itself.
    pub p_equivalent: Option<f64>,
    /// Runs that diverged or failed.
    pub diverged: usize,
    /// All runs.
    pub runs: usize,
    /// The verdict.
    pub verdict: Verdict,
}

/// One row of `pairwise.csv`: a schedule against the control. Differences
/// are `a - b` on the scale used.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct PairRow {
    /// The schedule.
    pub(crate) a: String,
    /// The control.
    pub(crate) b: String,
    /// Clusters compared.
    pub(crate) n: usize,
    /// Mean difference; empty if one of the two diverged more somewhere.
    pub(crate) mean_difference: Option<f64>,
    /// Lower end of its 95 % interval.
    pub(crate) low: Option<f64>,
    /// Upper end of its 95 % interval.
    pub(crate) high: Option<f64>,
    /// Smaller of the two rank sums.
    pub(crate) wilcoxon_w: f64,
    /// Two-sided p of the signed-rank test.
    pub(crate) p: f64,
    /// The same after Holm's correction over all schedules.
    pub(crate) p_holm: f64,
    /// `exact` or `normal`.
    pub(crate) method: String,
    /// Probability that `a` is better by more than the ROPE.
    pub(crate) p_a_better: f64,
    /// Probability that they differ by less than the ROPE.
    pub(crate) p_equivalent: f64,
    /// Probability that `b` is better by more than the ROPE.
    pub(crate) p_b_better: f64,
    /// Half width of the region of practical equivalence.
    pub(crate) rope_width: f64,
    /// Share of paired runs in which `a` wins, ties half.
    pub(crate) probability_a_better: f64,
    /// Lower end of its interval at the level of the ranking, over clusters;
    /// this and what follows is missing in tables of older versions.
    #[serde(default)]
    pub(crate) probability_low: Option<f64>,
    /// Upper end of it.
    #[serde(default)]
    pub(crate) probability_high: Option<f64>,
    /// p after Hochberg's correction.
    #[serde(default)]
    pub(crate) p_hochberg: Option<f64>,
    /// p after Hommel's correction.
    #[serde(default)]
    pub(crate) p_hommel: Option<f64>,
    /// p after the correction of Benjamini and Hochberg.
    #[serde(default)]
    pub(crate) p_benjamini_hochberg: Option<f64>,
}

/// One row of `workloads.csv`: a schedule on a workload, budgets and
/// multiples averaged.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct WorkloadRow {
    /// Name of the workload.
    pub(crate) workload: String,
    /// Its cluster.
    pub(crate) cluster: String,
    /// Label of the schedule.
    pub(crate) schedule: String,
    /// Mean score; empty if a run diverged.
    pub(crate) score: Option<f64>,
    /// Rank on this workload, 1 is best.
    pub(crate) rank: f64,
    /// Regret on this workload.
    pub(crate) regret: Option<f64>,
    /// Seeds behind it.
    pub(crate) seeds: usize,
    /// Runs among them that diverged or failed.
    pub(crate) diverged: usize,
    /// Mean difference to the control over the seeds of this workload, on
    /// the scale used; empty for the control and where a run diverged.
    #[serde(default)]
    pub(crate) difference: Option<f64>,
    /// Lower end of its 95 % interval.
    #[serde(default)]
    pub(crate) difference_low: Option<f64>,
    /// Upper end of it.
    #[serde(default)]
    pub(crate) difference_high: Option<f64>,
    /// p of the signed-rank test over seeds, after Holm's correction over
    /// the schedules: a claim about this workload only.
    #[serde(default)]
    pub(crate) p_within: Option<f64>,
}

/// The rows of `workloads.csv`, by workload and schedule.
pub(super) fn workload_rows(table: &Table, control: usize) -> Vec<WorkloadRow> {
    let ranks = table.by_block(Cell::ranks);
    let regrets = table.by_block(|cell| regrets(table, cell));
    let scores = table.by_block(|cell| {
        // NaN as soon as one run diverged: the mean of the rest flatters.
        let whole = |s: &super::cells::Standing| {
            if s.diverged == 0 { s.score } else { f64::NAN }
        };
        cell.standings.iter().map(whole).collect()
    });
    let mut rows = vec![];
    for (i, block) in table.blocks.iter().enumerate() {
        let seeds = block.cells.iter().map(|cell| cell.seeds).max();
        let within = within(table, block, control);
        for (j, schedule) in table.schedules.iter().enumerate() {
            let cells = block.cells.iter();
            let (difference, difference_low, difference_high) =
                turned(table.sign, within[j].difference);
            rows.push(WorkloadRow {
                workload: block.workload.clone(),
                cluster: block.cluster.clone(),
                schedule: schedule.clone(),
                score: Some(scores[i][j]).filter(|score| score.is_finite()),
                rank: ranks[i][j],
                regret: Some(regrets[i][j]),
                seeds: seeds.unwrap_or(0),
                diverged: cells.map(|c| c.standings[j].diverged).sum(),
                difference,
                difference_low,
                difference_high,
                p_within: within[j].p,
            });
        }
    }
    rows
}

/// A difference and its interval in the user's sign.
fn turned(
    sign: f64,
    difference: Option<(f64, f64, f64)>,
) -> (Option<f64>, Option<f64>, Option<f64>) {
    let Some((mean, low, high)) = difference else {
        return (None, None, None);
    };
    let (low, high) = (sign * low, sign * high);
    (Some(sign * mean), Some(low.min(high)), Some(low.max(high)))
}

/// NaN as an empty cell and back: CSV has no other word for "none".
mod empty_if_nan {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the signature that serde calls"
    )]
    pub(super) fn serialize<S: Serializer>(
        value: &f64,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        Some(*value).filter(|v| !v.is_nan()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<f64, D::Error> {
        Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
    }
}
