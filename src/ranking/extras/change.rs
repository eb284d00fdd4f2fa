//! Two studies side by side: where each schedule stands in both, and what
//! changed in the scores of the runs that both have.

use crate::error::Result;
use crate::ranking::{Draws, Protocol, Ranking};
use crate::record::Observation;
use crate::results::rows::{LeaderboardRow, Verdict};
use crate::stats::multiple;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// One schedule in two studies, A and B.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct ChangeRow {
    /// Its label.
    pub(crate) schedule: String,
    /// Where it stands in A; `None` if it is not there.
    pub(crate) a: Option<Standing>,
    /// Where it stands in B.
    pub(crate) b: Option<Standing>,
    /// Runs that both have: same workload, budget, multiple and seed.
    pub(crate) common_runs: usize,
    /// Mean difference B - A of their scores over the clusters, on the scale
    /// used; `None` without common runs, or if some diverged in one alone.
    pub(crate) mean_difference: Option<f64>,
    /// Lower end of its 95 % interval.
    pub(crate) low: Option<f64>,
    /// Upper end of it.
    pub(crate) high: Option<f64>,
    /// Two-sided p of the signed-rank test over clusters, after Holm's
    /// correction over the schedules.
    pub(crate) p_holm: Option<f64>,
}

/// Where a schedule stands in one study.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Standing {
    /// 1 for the best mean rank.
    pub(crate) place: usize,
    mean_rank: f64,
    mean_regret: f64,
    /// `None` where one run a schedule allows no interval.
    regret_low: Option<f64>,
    regret_high: Option<f64>,
    diverged: usize,
    /// The verdict there.
    pub(crate) verdict: Verdict,
}

impl Standing {
    fn of(row: &LeaderboardRow) -> Self {
        let number = |value: f64| Some(value).filter(|value| !value.is_nan());
        Self {
            place: row.place,
            mean_rank: row.mean_rank,
            mean_regret: row.mean_regret,
            regret_low: number(row.regret_low),
            regret_high: number(row.regret_high),
            diverged: row.diverged,
            verdict: row.verdict,
        }
    }
}

/// What tells a run from the others of its schedule.
type Key<'a> = (&'a str, Option<u64>, Option<u64>, u64);

fn key(run: &Observation) -> Key<'_> {
    let multiple = run.lr_multiple.map(f64::to_bits);
    (&run.workload, run.budget, multiple, run.seed)
}

/// Every schedule of either study, those of B first, in its order.
///
/// # Errors
///
/// As [`Ranking::of`], for either of them.
pub(crate) fn changes(
    [a, b]: [&[Observation]; 2],
    [before, after]: [&Ranking; 2],
    score_column: &str,
) -> Result<Vec<ChangeRow>> {
    let (before, after) = (before.leaderboard(), after.leaderboard());
    let of = |rows: &[LeaderboardRow], schedule: &str| {
        rows.iter().find(|row| row.schedule == schedule).map(Standing::of)
    };
    let gone = before
        .iter()
        .filter(|row| after.iter().all(|other| other.schedule != row.schedule));
    let schedules = after.iter().chain(gone).map(|row| row.schedule.as_str());
    let mut rows = vec![];
    for schedule in schedules {
        let runs = common([a, b], schedule);
        let mut row = ChangeRow {
            schedule: schedule.to_owned(),
            a: of(before, schedule),
            b: of(after, schedule),
            common_runs: runs.len() / 2,
            mean_difference: None,
            low: None,
            high: None,
            p_holm: None,
        };
        if !runs.is_empty() {
            let control = Some(A.to_owned());
            let protocol = Protocol { control, ..Protocol::default() };
            let draws = Draws::default();
            let ranking =
                Ranking::attempt(&runs, score_column, &protocol, draws)?;
            // Failed runs may leave nothing to compare.
            let pairs = ranking.map_or(vec![], |both| both.pairwise());
            if let [pair] = pairs.as_slice() {
                row.mean_difference = pair.mean_difference;
                (row.low, row.high) = (pair.low, pair.high);
                row.p_holm = Some(pair.p);
            }
        }
        rows.push(row);
    }
    let p: Vec<f64> = rows.iter().filter_map(|row| row.p_holm).collect();
    let mut adjusted = multiple::holm(&p).into_iter();
    for row in rows.iter_mut().filter(|row| row.p_holm.is_some()) {
        row.p_holm = adjusted.next();
    }
    Ok(rows)
}

/// What the two studies are called where their runs stand side by side.
const A: &str = "A";
const B: &str = "B";

/// The runs of `schedule` that both studies have, as those of two schedules.
fn common(studies: [&[Observation]; 2], schedule: &str) -> Vec<Observation> {
    let of = |study: &'_ [Observation]| -> Vec<Observation> {
        let runs = study.iter().filter(|run| run.schedule == schedule);
        runs.filter(|run| !run.is_stopped()).cloned().collect()
    };
    let both = studies.map(of);
    let keys = [&both[0], &both[1]]
        .map(|runs| runs.iter().map(key).collect::<BTreeSet<Key<'_>>>());
    // A workload is in the cluster that it has in A.
    let clusters: BTreeMap<&str, &str> = both[0]
        .iter()
        .map(|run| (run.workload.as_str(), run.cluster.as_str()))
        .collect();
    let mut runs = vec![];
    for (study, name) in both.iter().zip([A, B]) {
        for run in study {
            if keys.iter().all(|keys| keys.contains(&key(run))) {
                runs.push(Observation {
                    cluster: clusters[run.workload.as_str()].to_owned(),
                    schedule: name.to_owned(),
                    ..run.clone()
                });
            }
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Outcome;

    fn study(
        scores: impl Fn(&str, usize, u64) -> Option<f64>,
        schedules: &[&str],
    ) -> Vec<Observation> {
        let mut runs = vec![];
        for workload in 0..8 {
            for schedule in schedules {
                for seed in 0..3 {
                    let score = scores(schedule, workload, seed);
                    let workload = format!("w{workload}");
                    let run =
                        Observation::new(&workload, schedule, seed, score);
                    runs.push(run.budget(100).lr_multiple(1.0));
                }
            }
        }
        runs
    }

    fn compare(a: &[Observation], b: &[Observation]) -> Vec<ChangeRow> {
        let protocol = Protocol::default();
        let rank = |runs: &[Observation]| {
            Ranking::of(runs, "valid_loss", &protocol).expect("a study")
        };
        let rankings = [&rank(a), &rank(b)];
        changes([a, b], rankings, "valid_loss").expect("studies")
    }

    /// A loss that differs by workload and seed.
    fn loss(workload: usize, seed: u64) -> f64 {
        1.0 + 0.1 * workload as f64 + 0.003 * ((seed * 7 + 3) % 5) as f64
    }

    #[test]
    fn nothing_changed_is_nothing_found() {
        let scores = |schedule: &str, workload, seed| {
            let behind = if schedule == "cosine" { 1.0 } else { 1.1 };
            Some(behind * loss(workload, seed))
        };
        let runs = study(scores, &["cosine", "linear"]);
        for row in compare(&runs, &runs) {
            assert_eq!(row.a, row.b);
            assert_eq!(row.common_runs, 24);
            assert_eq!(row.mean_difference, Some(0.0), "{}", row.schedule);
            assert_eq!(row.p_holm, Some(1.0));
        }
    }

    #[test]
    fn a_planted_change_is_found_in_its_schedule_alone() {
        let before = |_: &str, workload, seed| Some(loss(workload, seed));
        let after = |schedule: &str, workload, seed| {
            let factor = if schedule == "linear" { 0.9 } else { 1.0 };
            Some(factor * loss(workload, seed))
        };
        let names = ["cosine", "linear", "rex"];
        let rows = compare(&study(before, &names), &study(after, &names));
        assert_eq!(rows[0].schedule, "linear");
        for row in rows {
            let (wanted, significant) = match row.schedule.as_str() {
                "linear" => (0.9_f64.ln(), true),
                _ => (0.0, false),
            };
            let found = row.mean_difference.expect("common runs");
            assert!((found - wanted).abs() < 1e-12, "{}", row.schedule);
            assert_eq!(row.p_holm.expect("tested") < 0.05, significant);
            assert!(row.low <= row.mean_difference);
            assert!(row.high >= row.mean_difference);
        }
    }

    #[test]
    fn schedules_and_runs_of_one_study_alone_are_told() {
        let scores = |_: &str, workload, seed| Some(loss(workload, seed));
        let a = study(scores, &["linear", "step"]);
        let mut b = study(scores, &["linear", "wsd"]);
        b.retain(|run| run.seed < 2);
        let rows = compare(&a, &b);
        let find = |name: &str| {
            rows.iter().find(|row| row.schedule == name).expect("a row")
        };
        assert_eq!(find("linear").common_runs, 16);
        assert!(find("step").b.is_none() && find("wsd").a.is_none());
        assert_eq!(find("step").common_runs, 0);
        assert_eq!(find("wsd").mean_difference, None);
    }

    #[test]
    fn a_run_that_diverges_in_one_study_is_no_number() {
        let scores = |_: &str, workload, seed| Some(loss(workload, seed));
        let dies = |schedule: &str, workload, seed| {
            let dies = schedule == "linear" && workload == 3;
            Some(if dies { f64::NAN } else { loss(workload, seed) })
        };
        let names = ["cosine", "linear"];
        let rows = compare(&study(scores, &names), &study(dies, &names));
        let linear = rows.iter().find(|row| row.schedule == "linear");
        let linear = linear.expect("a row");
        assert_eq!(linear.mean_difference, None);
        assert!(linear.p_holm.is_some());
    }

    #[test]
    fn runs_that_failed_in_one_study_compare_nothing() {
        let scores = |_: &str, workload, seed| Some(loss(workload, seed));
        let a = study(scores, &["cosine", "linear", "rex"]);
        let mut b = a.clone();
        for run in b.iter_mut().filter(|run| run.schedule == "linear") {
            run.outcome = Outcome::Failed;
        }
        let rows = compare(&a, &b);
        let linear = rows.iter().find(|row| row.schedule == "linear");
        let linear = linear.expect("a row");
        assert!(linear.a.is_some() && linear.b.is_none());
        assert_eq!((linear.common_runs, linear.p_holm), (24, None));
    }
}
