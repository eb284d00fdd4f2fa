//! What the runs of a study show, as data. `prose` has the sentences.

use super::board::{boards, by_regret};
use crate::ranking::{Analysis, Note, Ranking};
use crate::results::rows::{
    FindRow, LeaderboardRow, PairRow, PosteriorRow, RegimeRow, RobustnessRow,
    Verdict, WorkloadRow,
};
use crate::stats::power::smallest_wilcoxon_p;
use serde::Serialize;

/// What the runs behind an analysis are of, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Basis<'a> {
    /// Labels of the optimizers.
    pub(crate) optimizers: &'a [&'a str],
    /// Sizes of the workloads.
    pub(crate) sizes: &'a [RegimeRow],
    /// Learning rates found.
    pub(crate) finds: &'a [FindRow],
}

/// Everything that the reports and the advice say.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Findings {
    /// The ranking that the recommendation is from.
    #[serde(skip)]
    pub(super) leading: Comparison,
    /// Its multiple of the learning rate found; `None` where several are
    /// averaged.
    pub(super) lr_multiple: Option<f64>,
    /// The ranking at each multiple, rising; empty with fewer than two.
    #[serde(skip)]
    pub(super) rates: Vec<(f64, Comparison)>,
    /// The schedule that loses least where the rate is off; `None` if no
    /// schedule is recommended over all runs.
    pub(super) robustness: Option<RobustnessRow>,
    /// The schedule of the lowest mean regret at each budget.
    pub(super) budgets: Vec<BestOfBudget>,
    pub(super) tuned: Option<Tuned>,
    pub(super) theory: Vec<Correlation>,
    /// `None` where the model has no answer, or its chains disagree.
    pub(super) likely: Option<Likely>,
    pub(super) size: Size,
    /// Kinds of the optimizers, by name.
    pub(super) optimizers: Vec<String>,
    pub(super) regime: Option<Regime>,
    /// Learning rates, found or given.
    pub(super) lr_finds: usize,
    /// Those that the grid gives.
    pub(super) given: usize,
    /// Outcomes of the range tests that did not settle one.
    pub(super) unsettled: Vec<String>,
    /// Schedules with runs that diverged, in all rankings together.
    pub(super) diverged: Vec<Diverged>,
    pub(super) notes: Vec<Note>,
}

/// What one ranking shows.
#[derive(Clone, Debug)]
pub(super) struct Comparison {
    pub(super) answer: Answer,
    pub(super) control: String,
    pub(super) alpha: f64,
    /// Independent data sets: the clusters of the ranking.
    pub(super) data_sets: usize,
    /// Every schedule, best first.
    pub(super) choices: Vec<Choice>,
}

/// What the evidence for the recommended schedule amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Answer {
    /// No run completed: there is nothing to recommend.
    AllDiverged,
    /// There is nothing to compare it with.
    Only,
    /// Its lead is significant, it is the control, or as good as it.
    Use,
    /// Its lead over the control may be chance.
    Ahead,
    /// Every difference to the control may be chance.
    Open,
}

/// A schedule and its evidence.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Choice {
    #[serde(flatten)]
    pub(super) row: LeaderboardRow,
    /// `None` for the control, and where no workload has both.
    pub(super) against_control: Option<PairRow>,
    /// p, corrected over all pairs, where it is significantly worse than the
    /// recommended schedule.
    pub(super) worse_than_best_p: Option<f64>,
    /// Data sets that would tell it from the recommended schedule; `None`
    /// unless it is undecided, and where more than a thousand would.
    pub(super) data_sets_to_decide: Option<usize>,
    /// The evidence of its seeds, where there is a single workload.
    pub(super) within: Option<WorkloadRow>,
}

/// The schedule of the lowest mean regret at one budget.
#[derive(Clone, Debug, Serialize)]
pub(super) struct BestOfBudget {
    pub(super) budget: u64,
    /// `None` where none has a regret.
    pub(super) schedule: Option<String>,
    pub(super) mean_regret: Option<f64>,
}

/// The ranking with a multiple tuned for every schedule.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Tuned {
    /// In the first place.
    pub(super) first: String,
    pub(super) dominated: Vec<String>,
}

/// What the model makes probable about the recommended schedule, and about the
/// one it expects most of.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Likely {
    pub(super) recommended: PosteriorRow,
    pub(super) first: PosteriorRow,
}

/// How well the convex bound predicts the mean ranks of one board.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Correlation {
    pub(super) budget: u64,
    pub(super) lr_multiple: f64,
    pub(super) spearman: f64,
}

/// How much there is of everything.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Size {
    pub(super) schedules: usize,
    pub(super) workloads: usize,
    pub(super) data_sets: usize,
    pub(super) budgets: Vec<u64>,
    pub(super) lr_multiples: Vec<f64>,
    /// Of every cell; `None` if they differ.
    pub(super) seeds: Option<usize>,
    pub(super) runs: usize,
}

/// How large the workloads are: lowest and highest.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Regime {
    pub(super) parameters: (f64, f64),
    pub(super) samples: (f64, f64),
    pub(super) epochs: Option<(f64, f64)>,
}

/// Runs of a schedule that diverged.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Diverged {
    pub(super) schedule: String,
    pub(super) diverged: usize,
    pub(super) runs: usize,
}

impl Findings {
    /// What `analysis` shows; `basis` is what its runs are of.
    pub(crate) fn new(analysis: &Analysis, basis: &Basis<'_>) -> Self {
        let leading = analysis.leading();
        let rates = analysis.rates.iter();
        let mut optimizers: Vec<String> = basis
            .optimizers
            .iter()
            .filter_map(|label| label.split('(').next())
            .filter(|kind| !kind.is_empty())
            .map(str::to_owned)
            .collect();
        optimizers.sort();
        optimizers.dedup();
        let overall = &analysis.overall;
        let rows = overall.leaderboard().iter();
        let finds = basis.finds.iter();
        let budgets = analysis.budgets();
        Self {
            leading: Comparison::of(leading),
            lr_multiple: analysis.leading_multiple(),
            rates: rates.map(|(m, r)| (*m, Comparison::of(r))).collect(),
            robustness: overall
                .recommended()
                .and(analysis.robustness.first().cloned()),
            budgets: best_of_budgets(analysis),
            tuned: analysis.tuned.as_ref().and_then(Tuned::of),
            theory: theory(analysis),
            likely: Likely::of(analysis),
            size: Size::of(analysis),
            optimizers,
            regime: Regime::of(basis.sizes, &budgets),
            lr_finds: basis.finds.len(),
            given: finds.clone().filter(|find| find.is_given()).count(),
            unsettled: finds
                .filter(|find| find.outcome != "found" && !find.is_given())
                .map(|find| find.outcome.clone())
                .collect(),
            diverged: rows
                .filter(|row| row.diverged > 0)
                .map(|row| Diverged {
                    schedule: row.schedule.clone(),
                    diverged: row.diverged,
                    runs: row.runs,
                })
                .collect(),
            notes: leading.remarks().to_vec(),
        }
    }
}

impl Comparison {
    fn of(ranking: &Ranking) -> Self {
        let pairs = ranking.pairwise();
        let choice = |row: &LeaderboardRow| {
            let workloads = ranking.workload_rows().iter();
            let mut own = workloads.filter(|w| w.schedule == row.schedule);
            let only = own.next().filter(|_| own.next().is_none());
            let pair = pairs.iter().find(|pair| pair.a == row.schedule);
            Choice {
                against_control: pair.cloned(),
                worse_than_best_p: ranking.behind(&row.schedule),
                data_sets_to_decide: ranking.clusters_wanted(&row.schedule),
                within: only.cloned(),
                row: row.clone(),
            }
        };
        Self {
            answer: Answer::of(ranking),
            control: ranking.control().to_owned(),
            alpha: ranking.alpha(),
            data_sets: ranking.size().1,
            choices: ranking.leaderboard().iter().map(choice).collect(),
        }
    }

    /// The recommended schedule.
    pub(super) fn best(&self) -> Option<&Choice> {
        self.with(Verdict::Recommended).next()
    }

    /// The schedules with this verdict, best first.
    pub(super) fn with(
        &self,
        verdict: Verdict,
    ) -> impl Iterator<Item = &Choice> {
        self.choices.iter().filter(move |choice| choice.row.verdict == verdict)
    }

    /// The names of those.
    pub(super) fn names(&self, verdict: Verdict) -> Vec<&str> {
        self.with(verdict).map(|choice| choice.row.schedule.as_str()).collect()
    }

    /// Schedules that the signed-rank test shows to be better than the
    /// control.
    pub(super) fn better_than_control(&self) -> Vec<&str> {
        let better = |pair: &&PairRow| {
            pair.p_holm < self.alpha && pair.p_a_better > pair.p_b_better
        };
        let pairs = self.choices.iter().filter_map(|choice| {
            choice.against_control.as_ref().filter(better)
        });
        pairs.map(|pair| pair.a.as_str()).collect()
    }

    /// Whether no test over this many data sets can become significant.
    pub(super) fn is_too_small(&self) -> bool {
        smallest_wilcoxon_p(self.data_sets) >= self.alpha
    }
}

impl Choice {
    /// Whether it can still be told from the recommended schedule.
    pub(super) fn is_open(&self) -> bool {
        self.row.verdict == Verdict::Undecided
            && self.worse_than_best_p.is_none()
    }
}

impl Answer {
    /// By the tests and the threshold of the verdicts.
    fn of(ranking: &Ranking) -> Self {
        let rows = ranking.leaderboard();
        if rows.iter().all(|row| row.diverged + row.failed >= row.runs) {
            return Self::AllDiverged;
        }
        let Some(best) = ranking.recommended() else { return Self::Only };
        let significant = |row: &LeaderboardRow| {
            row.p_holm.is_some_and(|p| p < ranking.alpha())
        };
        let equal = |row: &LeaderboardRow| {
            row.schedule == best || ranking.equals_best(row)
        };
        if !rows.iter().any(significant) && !rows.iter().all(equal) {
            return Self::Open;
        }
        // It leads if it is the control, as good as it, or better.
        let leads = |row: &LeaderboardRow| {
            row.schedule == best && significant(row)
                || row.schedule == ranking.control() && equal(row)
        };
        if rows.iter().any(leads) { Self::Use } else { Self::Ahead }
    }
}

impl Tuned {
    fn of(ranking: &Ranking) -> Option<Self> {
        let rows = ranking.leaderboard();
        let worse = |row: &&LeaderboardRow| row.verdict == Verdict::Dominated;
        let dominated = rows.iter().filter(worse);
        Some(Self {
            first: rows.first()?.schedule.clone(),
            dominated: dominated.map(|row| row.schedule.clone()).collect(),
        })
    }
}

impl Likely {
    /// Chains that agree worse than this have not converged.
    const MOST_R_HAT: f64 = 1.05;

    /// At the multiple of the leading ranking, over everything else.
    fn of(analysis: &Analysis) -> Option<Self> {
        let rows = || analysis.posterior.iter();
        let has_multiples = rows().any(|row| row.lr_multiple.is_some());
        let multiple = analysis
            .leading_multiple()
            .filter(|_| has_multiples)
            .map(|multiple| multiple.to_string());
        let mut leading = rows().filter(|row| {
            let others = [&row.optimizer, &row.budget, &row.kind];
            row.lr_multiple == multiple
                && others.iter().all(|level| level.is_none())
                && row.r_hat <= Self::MOST_R_HAT
        });
        let best = analysis.leading().recommended()?;
        let first = leading.clone().next()?.clone();
        let recommended = leading.find(|row| row.schedule == best)?.clone();
        Some(Self { recommended, first })
    }
}

impl Size {
    fn of(analysis: &Analysis) -> Self {
        let rows = analysis.overall.leaderboard();
        let (workloads, data_sets) = analysis.leading().size();
        let boards = boards(analysis);
        let cells = workloads * boards.len().max(1);
        let runs = rows.first().map_or(0, |row| row.runs);
        let even = runs.is_multiple_of(cells)
            && rows.iter().all(|row| row.runs == runs);
        Self {
            schedules: rows.len(),
            workloads,
            data_sets,
            budgets: analysis.budgets(),
            lr_multiples: analysis.multiples(),
            seeds: even.then(|| runs / cells),
            runs: rows.iter().map(|row| row.runs).sum(),
        }
    }
}

impl Regime {
    /// `None` where no size is known.
    fn of(sizes: &[RegimeRow], budgets: &[u64]) -> Option<Self> {
        if sizes.is_empty() {
            return None;
        }
        let range = |of: &dyn Fn(&RegimeRow) -> f64| {
            let all = || sizes.iter().map(of);
            (all().fold(f64::INFINITY, f64::min), all().fold(0.0, f64::max))
        };
        let epochs = |steps: u64| {
            range(&move |row| {
                row.batch as f64 * steps as f64 / row.samples as f64
            })
        };
        Some(Self {
            parameters: range(&|row| row.parameters as f64),
            samples: range(&|row| row.samples as f64),
            epochs: budgets
                .first()
                .zip(budgets.last())
                .map(|(&first, &last)| (epochs(first).0, epochs(last).1)),
        })
    }
}

fn best_of_budgets(analysis: &Analysis) -> Vec<BestOfBudget> {
    let boards = boards(analysis);
    let best = |budget: u64| {
        let means = by_regret(&boards, |board| board.budget == budget);
        let best = means.first().filter(|(_, regret)| regret.is_finite());
        BestOfBudget {
            budget,
            schedule: best.map(|(schedule, _)| (*schedule).to_owned()),
            mean_regret: best.map(|(_, regret)| *regret),
        }
    };
    analysis.budgets().into_iter().map(best).collect()
}

fn theory(analysis: &Analysis) -> Vec<Correlation> {
    let rows = analysis.theory.iter();
    let mut boards: Vec<Correlation> = rows
        .filter_map(|row| {
            Some(Correlation {
                budget: row.budget,
                lr_multiple: row.lr_multiple,
                spearman: row.spearman?,
            })
        })
        .collect();
    boards.dedup();
    boards
}
