//! From scores to verdicts: which schedule to use, its equals, and those not
//! to try.
//!
//! `cells` pairs the runs and `protocol` has the rules. `study` computes ranks,
//! tests and verdicts (`pairs`, `regret`, `verdict`, with the tests of
//! `stats`), and `study/output` fills the leaderboard. `score` knows which way
//! a score is better. `race` and `stopped` are about schedules that a race
//! stopped, `replicates` and `noise` about seeds, and `notes` are remarks as
//! data. `analysis` has all rankings of one study, `posterior` the model beside
//! them, `claims` tests what was written down before. `extras` decide no verdict.

mod analysis;
mod cells;
mod claims;
mod comparison;
pub(crate) mod extras;
mod noise;
mod notes;
mod pairs;
mod posterior;
mod protocol;
mod race;
mod regret;
mod replicates;
mod rows;
mod score;
mod stopped;
mod study;
mod verdict;

pub(crate) use analysis::{Analysis, Runs};
pub(crate) use claims::claims;
pub use comparison::Comparison;
pub(crate) use comparison::{comparisons, told};
pub(crate) use notes::Note;
pub use protocol::{Protocol, Scale};
pub(crate) use race::{Evidence, race};
pub use score::Direction;
pub(crate) use score::meaning;

use crate::error::{Error, Result};
use crate::record::Observation;
use crate::results::rows::{LeaderboardRow, PairRow, Verdict, WorkloadRow};
use crate::stats::friedman::Friedman;
use crate::stats::skillings_mack::SkillingsMack;
use crate::stats::variance::Components;
use cells::Table;
use noise::ControlAgain;
use regret::Regret;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use stopped::Raced;
use study::Study;

/// A ranking of schedules over workloads, with its tests and verdicts.
///
/// Serializes to the JSON of `lrscout rank --format json`.
///
/// A workload's score of a schedule is the mean over the seeds that all
/// schedules have; workloads of one cluster (same data) are averaged before
/// anything is compared, and budgets and multiples inside each workload
/// before that, so `n`, the number of clusters, is all the independent
/// evidence there is. Where a run diverged, its schedule ranks behind all
/// those that did not. A run that failed shows nothing: its seed is left out
/// there for all schedules.
///
/// ```
/// use lrscout::{Observation, Protocol, Ranking};
///
/// # fn main() -> lrscout::Result<()> {
/// let runs = [
///     Observation::new("letter", "cosine", 0, 0.31),
///     Observation::new("letter", "linear", 0, 0.33),
///     Observation::new("fashion", "cosine", 0, 0.52),
///     Observation::new("fashion", "linear", 0, 0.55),
/// ];
/// let ranking = Ranking::of(&runs, "valid_loss", &Protocol::default())?;
/// assert_eq!(ranking.recommended(), Some("cosine"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct Ranking {
    schedules: Vec<String>,
    workloads: Vec<String>,
    /// Clusters.
    n: usize,
    /// Schedules.
    k: usize,
    alpha: f64,
    score: ScoreUsed,
    mean_ranks: BTreeMap<String, f64>,
    /// Empty where a workload lacks a schedule.
    friedman: Friedman,
    /// In its place where a workload lacks one.
    skillings_mack: Option<SkillingsMack>,
    /// Empty like `friedman`.
    nemenyi: Nemenyi,
    pairs: Vec<Pair>,
    regret: BTreeMap<String, Regret>,
    /// On the scale used, squared.
    variance: Option<Components>,
    control_again: Option<ControlAgain>,
    /// On the scale used.
    noise_floor: Option<f64>,
    diverged: BTreeMap<String, usize>,
    /// Runs that show nothing: failed, timed out, stopped early, not over,
    /// or without a score.
    failed: BTreeMap<String, usize>,
    verdicts: BTreeMap<String, Verdict>,
    /// Clusters that it would take to tell an undecided schedule from the
    /// recommended one, as far as that can be said.
    clusters_wanted: BTreeMap<String, usize>,
    /// Schedules that are significantly worse than the recommended one, with
    /// the p of that after Holm's correction over all pairs.
    #[serde(skip)]
    behind: BTreeMap<String, f64>,
    /// Over the seeds of a study of one workload: claims about that workload
    /// alone.
    within: Vec<Within>,
    notes: Vec<Note>,
    /// Schedules that are practically equal to the recommended one, the
    /// control among them if it is.
    #[serde(skip)]
    equal: BTreeSet<String>,
    #[serde(skip)]
    control: String,
    #[serde(skip)]
    leaderboard: Vec<LeaderboardRow>,
    #[serde(skip)]
    workload_rows: Vec<WorkloadRow>,
}

/// What was ranked.
#[derive(Clone, Debug, Serialize)]
struct ScoreUsed {
    column: String,
    /// Which values are better.
    better: Direction,
    /// What a difference is.
    scale: Scale,
}

/// A schedule against the control over the seeds of one workload.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Within {
    pub(crate) workload: String,
    pub(crate) a: String,
    pub(crate) b: String,
    pub(crate) seeds: usize,
    pub(crate) mean_difference: Option<f64>,
    pub(crate) low: Option<f64>,
    pub(crate) high: Option<f64>,
    pub(crate) p_holm: f64,
}

/// Nemenyi's test, for the rank diagram.
#[derive(Clone, Debug, Default, Serialize)]
struct Nemenyi {
    critical_difference: Option<f64>,
    /// By `a|b`.
    p: BTreeMap<String, f64>,
}

/// A schedule against the control.
#[derive(Clone, Debug, Serialize)]
struct Pair {
    a: String,
    b: String,
    n: usize,
    mean_difference: Option<f64>,
    wilcoxon_w: f64,
    p: f64,
    p_holm: f64,
    p_hochberg: f64,
    p_hommel: f64,
    p_benjamini_hochberg: f64,
    method: &'static str,
    bayes: Bayes,
    probability_a_better: f64,
    probability_low: f64,
    probability_high: f64,
    #[serde(skip)]
    interval: Option<(f64, f64)>,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Bayes {
    left: f64,
    rope: f64,
    right: f64,
    rope_width: f64,
}

/// Random draws behind a ranking; `None`: as many as the numbers need.
#[derive(Clone, Copy, Debug, Default)]
struct Draws {
    bootstrap: Option<usize>,
    posterior: Option<usize>,
}

impl Ranking {
    /// Ranks `observations`, whose scores are from the column
    /// `score_column`, by `protocol`. Their order does not matter.
    ///
    /// # Errors
    ///
    /// If a run is there twice, a workload is in two clusters, a score is
    /// above 1e100, there is nothing to rank, or the protocol does not fit the
    /// runs.
    pub fn of(
        observations: &[Observation],
        score_column: &str,
        protocol: &Protocol,
    ) -> Result<Self> {
        Self::with(observations, score_column, protocol, Draws::default())
    }

    fn with(
        observations: &[Observation],
        column: &str,
        protocol: &Protocol,
        draws: Draws,
    ) -> Result<Self> {
        let attempt = Self::attempt(observations, column, protocol, draws)?;
        attempt.map_err(Error::Invalid)
    }

    /// The ranking of [`Ranking::of`], or why there is nothing to compare.
    ///
    /// # Errors
    ///
    /// As [`Ranking::of`], but for that.
    fn attempt(
        observations: &[Observation],
        column: &str,
        protocol: &Protocol,
        draws: Draws,
    ) -> Result<std::result::Result<Self, String>> {
        protocol.check()?;
        let raced = Raced::among(observations, column, protocol)?;
        if raced.is_empty() {
            return Self::complete(observations, column, protocol, draws, 0);
        }
        let live = raced.live(observations);
        let out = raced.len();
        let attempt = Self::complete(&live, column, protocol, draws, out)?;
        let Ok(mut ranking) = attempt else { return Ok(attempt) };
        for (schedule, runs, end) in raced.each(observations) {
            let beside =
                Self::complete(&runs, column, protocol, draws, out - 1)?;
            match beside {
                Ok(beside) if beside.mean_ranks.contains_key(schedule) => {
                    ranking.append(&beside, schedule, end);
                }
                _ => ranking.notes.push(Note::Unranked(schedule.to_owned())),
            }
        }
        Ok(Ok(ranking))
    }

    /// The ranking of schedules that no race stopped; `stopped` further ones
    /// count in every correction for several tests.
    fn complete(
        runs: &[Observation],
        column: &str,
        protocol: &Protocol,
        draws: Draws,
        stopped: usize,
    ) -> Result<std::result::Result<Self, String>> {
        let table = Table::new(runs, column, protocol)?;
        if table.is_empty() {
            return Ok(Err(table.nothing()));
        }
        let named = protocol.control.as_ref();
        let mut without = table.without.iter();
        if let Some((name, count)) =
            without.find(|(name, _)| Some(name) == named)
        {
            let told = count.told(name);
            return Ok(Err(format!("the control has no result: {told}")));
        }
        let control = protocol.control_among(&table.schedules)?;
        let study = Study::new(&table, control, protocol, draws, stopped);
        Ok(Ok(study.ranking(column)))
    }

    /// The schedule to use; `None` if every run diverged or there is only
    /// one schedule.
    pub fn recommended(&self) -> Option<&str> {
        let mut verdicts = self.verdicts.iter();
        verdicts
            .find(|(_, verdict)| **verdict == Verdict::Recommended)
            .map(|(schedule, _)| schedule.as_str())
    }

    /// The verdict on a schedule; `None` if it is not in the ranking.
    pub fn verdict(&self, schedule: &str) -> Option<Verdict> {
        self.verdicts.get(schedule).copied()
    }

    /// What a reader must know beside the numbers: what this many workloads
    /// can show, what was left out.
    pub fn notes(&self) -> Vec<String> {
        self.notes.iter().map(Note::to_string).collect()
    }

    /// The notes as data.
    pub(crate) fn remarks(&self) -> &[Note] {
        &self.notes
    }

    /// The one among the notes that a reader must see before the numbers:
    /// that the direction of the score was not known.
    pub(crate) fn caution(&self) -> Option<&str> {
        match self.notes.first() {
            Some(Note::Caution(text)) => Some(text),
            _ => None,
        }
    }

    /// The leaderboard, best first.
    pub fn leaderboard(&self) -> &[LeaderboardRow] {
        &self.leaderboard
    }

    /// The schedule that the others were tested against.
    pub(crate) fn control(&self) -> &str {
        &self.control
    }

    /// Workloads and clusters.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.workloads.len(), self.n)
    }

    /// Clusters that it would take, with a chance of 80 %, to tell the
    /// undecided `schedule` from the recommended one; `None` where more than
    /// a thousand would.
    pub(crate) fn clusters_wanted(&self, schedule: &str) -> Option<usize> {
        self.clusters_wanted.get(schedule).copied()
    }

    /// p, after Holm's correction over all pairs, of the difference between
    /// `schedule` and the recommended one, if it is significantly worse.
    pub(crate) fn behind(&self, schedule: &str) -> Option<f64> {
        self.behind.get(schedule).copied()
    }

    /// Whether the schedule of `row` is practically equal to the recommended
    /// one by the rule for `equivalent`, whatever its verdict: the control
    /// may be equal, too.
    pub(crate) fn equals_best(&self, row: &LeaderboardRow) -> bool {
        self.equal.contains(&row.schedule)
    }

    /// Whether the tests behind the verdicts show that the schedule of `row`
    /// is worse than the control or than the recommended one.
    pub(crate) fn is_worse(&self, row: &LeaderboardRow) -> bool {
        row.verdict == Verdict::Dominated
            || self.behind.contains_key(&row.schedule)
    }

    /// The level of significance.
    pub(crate) fn alpha(&self) -> f64 {
        self.alpha
    }

    /// Every schedule against the control.
    pub(crate) fn pairwise(&self) -> Vec<PairRow> {
        let row = |pair: &Pair| PairRow {
            a: pair.a.clone(),
            b: pair.b.clone(),
            n: pair.n,
            mean_difference: pair.mean_difference,
            low: pair.interval.map(|(low, _)| low),
            high: pair.interval.map(|(_, high)| high),
            wilcoxon_w: pair.wilcoxon_w,
            p: pair.p,
            p_holm: pair.p_holm,
            method: pair.method.to_owned(),
            p_a_better: pair.bayes.left,
            p_equivalent: pair.bayes.rope,
            p_b_better: pair.bayes.right,
            rope_width: pair.bayes.rope_width,
            probability_a_better: pair.probability_a_better,
            probability_low: Some(pair.probability_low),
            probability_high: Some(pair.probability_high),
            p_hochberg: Some(pair.p_hochberg),
            p_hommel: Some(pair.p_hommel),
            p_benjamini_hochberg: Some(pair.p_benjamini_hochberg),
        };
        self.pairs.iter().map(row).collect()
    }

    /// Every schedule on every workload.
    pub(crate) fn workload_rows(&self) -> &[WorkloadRow] {
        &self.workload_rows
    }
}

#[cfg(test)]
mod tests;
