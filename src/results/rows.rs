//! The tables of a results folder, one struct each: the only definition of
//! their columns. Field order is column order; new columns go to the end.
//!
//! `runs.csv` is [`RunRecord`](crate::RunRecord).

mod claims;
mod comparison;

pub(crate) use claims::{
    Budgets, ClaimRow, Measure, Relation, Stand, Statement,
};
pub(crate) use comparison::{ComparisonRow, CycledRow};
use serde::{Deserialize, Serialize};

/// What the evidence says about a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Verdict {
    /// The schedule to use.
    Recommended,
    /// As good as the recommended one, for practical purposes.
    Equivalent,
    /// Neither a difference that matters nor that there is none was shown.
    Undecided,
    /// Worse than the control, more clearly than chance explains.
    Dominated,
    /// What the others were tested against, if not recommended itself.
    Control,
}

impl Verdict {
    /// The verdict as tables spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Recommended => "recommended",
            Self::Equivalent => "equivalent",
            Self::Undecided => "undecided",
            Self::Dominated => "dominated",
            Self::Control => "control",
        }
    }
}

/// One row of a leaderboard, best first.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
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
    /// Runs that diverged.
    pub diverged: usize,
    /// All runs.
    pub runs: usize,
    /// The verdict.
    pub verdict: Verdict,
    /// Runs that show nothing: failed, timed out, stopped early, not over, or
    /// without a score; 0 in tables of older versions.
    #[serde(default)]
    pub failed: usize,
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
    /// `exact`, `normal` or [`OF_RACE`].
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

impl PairRow {
    /// Whether its p is that of a race that stopped the schedule.
    pub(crate) fn is_of_race(&self) -> bool {
        self.method == OF_RACE
    }
}

/// [`PairRow::method`] where a race stopped the schedule.
pub(crate) const OF_RACE: &str = "e-process";

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
    /// Runs among them that diverged.
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

/// One row of `robustness.csv`, lowest mean regret first.
///
/// The regret here is against the best schedule at its best multiple on the
/// workload: what is lost to somebody who got schedule and rate right. The
/// regrets of the leaderboards compare schedules at equal multiples.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct RobustnessRow {
    /// From 1.
    pub(crate) place: usize,
    /// Label of the schedule.
    pub(crate) schedule: String,
    /// Mean over the multiples, budgets and workloads.
    pub(crate) mean_regret: f64,
    /// At the worst multiple.
    pub(crate) worst_regret: f64,
    /// That multiple.
    pub(crate) worst_multiple: f64,
    /// At the best multiple.
    pub(crate) best_regret: f64,
    /// That multiple.
    pub(crate) best_multiple: f64,
}

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

/// One row of `posterior.csv`: what the runs make probable about a schedule in
/// a regime. An empty cell of a regime's column stands for the mean over all
/// that the runs have.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct PosteriorRow {
    /// Kind of the optimizer.
    pub(crate) optimizer: Option<String>,
    /// Steps.
    pub(crate) budget: Option<String>,
    /// Multiple of the learning rate found.
    pub(crate) lr_multiple: Option<String>,
    /// Kind of the task.
    pub(crate) kind: Option<String>,
    /// Label of the schedule.
    pub(crate) schedule: String,
    /// Probability that no schedule is better on average over data sets.
    pub(crate) p_best: f64,
    /// Probability that it is within one per cent of the best: within twice
    /// the region of practical equivalence.
    pub(crate) p_near_best: f64,
    /// Expected distance to the best, on the scale used, on average over data
    /// sets.
    pub(crate) regret: f64,
    /// Lower end of its 95 % interval.
    pub(crate) regret_low: f64,
    /// Upper end of it.
    pub(crate) regret_high: f64,
    /// Expected distance to the best schedule of a data set that is not among
    /// these.
    pub(crate) regret_new_data: f64,
    /// How well the chains agree, the same in all rows: near 1.
    pub(crate) r_hat: f64,
}

/// A row of `search.csv`: a shape in one rung of a search.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct SearchRow {
    /// Label of the schedule.
    pub(crate) schedule: String,
    /// From 1, the one with the most shapes.
    pub(crate) rung: usize,
    /// Seeds of each shape.
    pub(crate) seeds: usize,
    /// Mean regret over data sets among the shapes of the rung, each at its
    /// own best multiple.
    pub(crate) regret: f64,
    /// Whether it is in the next rung or, after the last one, in the final.
    pub(crate) goes_on: bool,
}

/// A row of `notes.csv`: a remark of the ranking that the leading board is of.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct NoteRow {
    /// A sentence or two.
    pub(crate) note: String,
}

/// A row of `regime.csv`: how large a workload is.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct RegimeRow {
    /// Name of the workload.
    pub(crate) workload: String,
    /// Numbers that training changes.
    pub(crate) parameters: usize,
    /// Training examples.
    pub(crate) samples: usize,
    /// Examples an update.
    pub(crate) batch: usize,
}

/// One row of `lr_find.csv`: a learning rate and what it rests on.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct FindRow {
    /// Name of the workload.
    pub(crate) workload: String,
    /// Label of its optimizer.
    pub(crate) optimizer: String,
    /// Budget that the rate is for, in steps.
    pub(crate) budget: usize,
    /// The learning rate found.
    pub(crate) lr: f64,
    /// Lowest rate that the evidence allows.
    pub(crate) low: f64,
    /// Highest such rate.
    pub(crate) high: f64,
    /// What the range test showed.
    pub(crate) outcome: String,
    /// The rule that answered.
    pub(crate) rule: String,
    /// Optimizer updates spent on it.
    pub(crate) cost_steps: usize,
    /// Label of the schedule, where each has a rate of its own.
    #[serde(default)]
    pub(crate) schedule: Option<String>,
}

impl FindRow {
    /// Whether the rate was given, not found.
    pub(crate) fn is_given(&self) -> bool {
        self.outcome == "given"
    }
}

/// One row of `curves.csv`: an evaluation of a run.
#[derive(Serialize)]
pub(crate) struct CurveRow<'a> {
    /// The run.
    pub(crate) run_id: &'a str,
    /// Optimizer updates before it.
    pub(crate) step: usize,
    /// Learning rate.
    pub(crate) lr: f64,
    /// Mean training loss since the evaluation before.
    pub(crate) train_loss: Option<f64>,
    /// Mean validation loss.
    pub(crate) valid_loss: Option<f64>,
}

/// One row of `times.csv`: the one table that differs from run to run of the
/// same grid, and is therefore not committed.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct TimeRow {
    /// The run.
    pub(crate) run_id: String,
    /// Wall time of its updates alone, in seconds; where a program trains,
    /// all of it from its greeting on.
    pub(crate) train_seconds: f64,
}

/// One row of `failures.csv`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct FailureRow {
    /// Content hash of the cell.
    pub(crate) id: String,
    /// `learning rate`, `gradient norms` or `run`.
    pub(crate) cell: &'static str,
    /// Name of the workload.
    pub(crate) workload: String,
    /// Label of the schedule.
    pub(crate) schedule: Option<String>,
    /// Budget, in steps.
    pub(crate) budget: usize,
    /// Multiple of the learning rate found.
    pub(crate) lr_multiple: Option<f64>,
    /// Seed of the run.
    pub(crate) seed: Option<u64>,
    /// The reason.
    pub(crate) why: String,
}

/// One row of `refined/<name>.csv`: the factors that a `refined` schedule came
/// to, which the kind `table` reads.
#[derive(Serialize)]
pub(crate) struct FactorRow {
    /// Optimizer update, from 0.
    pub(crate) step: usize,
    /// Share of the peak.
    pub(crate) factor: f64,
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
