//! Racing: schedules that are clearly worse than the control get no further
//! runs.
//!
//! Workloads are what a study has evidence from, and seeds only sharpen it.
//! So after the runs of each seed the clusters on which a schedule is behind
//! the control are counted, on the mean over the seeds so far, and give an
//! e-value: at most 1 on average for a schedule that is no worse over
//! workloads, whatever the schedule's luck on these ones. The looks at one
//! study share their workloads, so they are not independent, but e-values may
//! be averaged all the same: each look but the last, after which nothing is
//! left to stop, adds its e-value divided by the number of such looks. The sum
//! never falls, its mean at the end is at most 1, and so the chance that it
//! ever reaches a bound is at most one over that bound. All schedules together
//! are adjusted as a closed test.
//!
//! The level is half of alpha. The other half is what the final tests spend:
//! they are two-sided, and only "worse than the control" is a verdict. So the
//! chance of one false `dominated` stays at alpha, race included.
//!
//! What counts is workloads, so a race pays with ten of them or more; with
//! fewer than seven nothing can ever stop.

use super::cells::Table;
use super::pairs;
use super::protocol::Protocol;
use crate::error::Result;
use crate::record::Observation;
use crate::stats::evalue;
use std::collections::{BTreeMap, BTreeSet};

/// What a race has against one schedule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Evidence {
    /// Adjusted e-value; the chance of ever reaching `x` is at most `1 / x`
    /// if the schedule is no worse than the control.
    pub(crate) e: f64,
    /// Seeds after which it was stopped.
    pub(crate) stopped_after: Option<usize>,
}

/// The race over `runs` up to the last of the `planned` seeds that they
/// reach: what it has against each schedule but the control.
///
/// Seeds count in rising order. `runs` may hold whole studies, or only those
/// that a race allowed; those after a stop are not looked at. Schedules in
/// `kept` are never stopped. The answer depends on scores alone, not on the
/// order of the runs.
///
/// # Errors
///
/// As [`Ranking::of`](super::Ranking::of), for the runs of any number of
/// seeds.
pub(crate) fn race(
    runs: &[Observation],
    planned: &[u64],
    kept: &BTreeSet<String>,
    column: &str,
    protocol: &Protocol,
) -> Result<BTreeMap<String, Evidence>> {
    let mut planned = planned.to_vec();
    planned.sort_unstable();
    let looks = planned.len().saturating_sub(1);
    let level = protocol.alpha / 2.0;
    let schedules: BTreeSet<&str> =
        runs.iter().map(|run| run.schedule.as_str()).collect();
    let names: Vec<String> =
        schedules.iter().map(|name| (*name).to_owned()).collect();
    let control = protocol.control_among(&names)?;
    let mut sums: BTreeMap<&str, f64> = schedules
        .iter()
        .filter(|name| **name != names[control])
        .map(|name| (*name, 0.0))
        .collect();
    let mut stopped: BTreeMap<&str, (usize, f64)> = BTreeMap::new();
    let mut adjusted: BTreeMap<&str, f64> = BTreeMap::new();
    for look in 1..=looks {
        let seeds = &planned[..look];
        let so_far: Vec<Observation> = runs
            .iter()
            .filter(|run| {
                seeds.binary_search(&run.seed).is_ok()
                    && !run.is_stopped()
                    && !stopped.contains_key(run.schedule.as_str())
            })
            .cloned()
            .collect();
        let reached = so_far.iter().any(|run| run.seed == seeds[look - 1]);
        if !reached {
            break;
        }
        let table = Table::new(&so_far, column, protocol)?;
        let at = |name: &str| {
            table.schedules.iter().position(|s| s.as_str() == name)
        };
        let Some(control) = at(&names[control]) else { break };
        for (name, sum) in &mut sums {
            if let Some(j) = at(name) {
                *sum += look_at(&table, j, control) / looks as f64;
            }
        }
        let e: Vec<f64> = sums.values().copied().collect();
        for (&name, e) in sums.keys().zip(evalue::adjusted(&e)) {
            adjusted.insert(name, e);
            if e >= 1.0 / level && !kept.contains(name) {
                stopped.entry(name).or_insert((look, e));
            }
        }
    }
    let evidence = |(&name, &e): (&&str, &f64)| {
        let stop = stopped.get(name);
        // What it was stopped for stands, whatever comes after.
        let e = stop.map_or(e, |(_, then)| e.max(*then));
        let stopped_after = stop.map(|(look, _)| *look);
        ((*name).to_owned(), Evidence { e, stopped_after })
    };
    Ok(adjusted.iter().map(evidence).collect())
}

/// The e-value of one look: clusters lost to the control against those won.
fn look_at(table: &Table, j: usize, control: usize) -> f64 {
    let differences = pairs::differences(table, j, control);
    let wins = differences.iter().filter(|d| **d < 0.0).count();
    let losses = differences.iter().filter(|d| **d > 0.0).count();
    evalue::sign_e_value(wins, losses)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranking::{Ranking, Verdict};
    use crate::record::Outcome;

    /// Ten workloads, four schedules, six seeds: `bad` is worse everywhere,
    /// `mixed` on half of them.
    fn study() -> Vec<Observation> {
        let mut runs = vec![];
        for w in 0..10_u32 {
            for schedule in ["linear", "bad", "mixed", "same"] {
                for seed in 0..6_u32 {
                    let own = match schedule {
                        "bad" => 0.2,
                        "mixed" if w % 2 == 0 => 0.1,
                        "mixed" => -0.1,
                        "same" if w % 2 == 0 => 0.001,
                        "same" => -0.001,
                        _ => 0.0,
                    };
                    let luck = f64::from((7 * w + 3 * seed) % 5) * 0.001;
                    runs.push(Observation::new(
                        &format!("w{w}"),
                        schedule,
                        u64::from(seed),
                        1.0 + own + luck,
                    ));
                }
            }
        }
        runs
    }

    fn seeds() -> Vec<u64> {
        (0..6).collect()
    }

    fn of(runs: &[Observation], kept: &[&str]) -> BTreeMap<String, Evidence> {
        let kept = kept.iter().map(|&name| name.to_owned()).collect();
        race(runs, &seeds(), &kept, "valid_loss", &Protocol::default())
            .expect("a valid study")
    }

    #[test]
    fn what_loses_everywhere_stops_and_nothing_else() {
        let race = of(&study(), &[]);
        let names: Vec<&str> = race.keys().map(String::as_str).collect();
        assert_eq!(names, ["bad", "mixed", "same"]);
        assert!(race["bad"].stopped_after.is_some());
        assert!(race["bad"].e >= 40.0, "{race:?}");
        assert_eq!(race["mixed"].stopped_after, None);
        assert_eq!(race["same"].stopped_after, None);
    }

    #[test]
    fn a_kept_schedule_never_stops() {
        let race = of(&study(), &["bad"]);
        assert_eq!(race["bad"].stopped_after, None);
        assert!(race["bad"].e >= 40.0);
    }

    #[test]
    fn fewer_than_seven_workloads_stop_nothing() {
        let mut runs = study();
        runs.retain(|run| run.workload.as_str() < "w6");
        let race = of(&runs, &[]);
        assert!(race.values().all(|e| e.stopped_after.is_none()));
    }

    #[test]
    fn stopped_runs_leave_the_verdicts_and_their_evidence() {
        let mut runs = study();
        let after = of(&runs, &[])["bad"].stopped_after.expect("stopped");
        for run in &mut runs {
            if run.schedule == "bad" && run.seed >= after as u64 {
                (run.outcome, run.score) = (Outcome::Stopped, None);
            }
        }
        // Looked at again, the race says the same.
        assert_eq!(
            of(&runs, &["mixed", "same"])["bad"].stopped_after,
            Some(after)
        );
        let ranking = Ranking::of(&runs, "valid_loss", &Protocol::default());
        let ranking = ranking.expect("a valid study");
        assert_eq!(ranking.verdict("bad"), Some(Verdict::Dominated));
        let board = ranking.leaderboard();
        let last = board.last().expect("four rows");
        assert_eq!((last.schedule.as_str(), last.place), ("bad", 4));
        assert_eq!((last.runs, last.diverged), (10 * after, 0));
        assert!(last.p_holm.is_some_and(|p| p <= 0.025));
        assert_eq!(board[0].runs, 60, "the others have all their seeds");
        let note = format!("The race stopped `bad` after {after} of 6");
        assert!(ranking.notes().iter().any(|n| n.starts_with(&note)));
        // Corrections still count it: without, p would be smaller.
        runs.retain(|run| run.schedule != "bad");
        let alone = Ranking::of(&runs, "valid_loss", &Protocol::default());
        let p = |ranking: &Ranking| {
            let rows = ranking.leaderboard();
            rows.iter().find(|r| r.schedule == "same").and_then(|r| r.p_holm)
        };
        assert!(p(&ranking) >= p(&alone.expect("valid")));
    }
}
