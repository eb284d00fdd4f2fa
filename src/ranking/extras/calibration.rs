//! Whether the verdicts err as rarely as they say: studies with a known
//! answer, ranked like any other.

use crate::error::Result;
use crate::ranking::{Draws, Protocol, Ranking, race};
use crate::record::{Observation, Outcome};
use crate::results::rows::Verdict;
use crate::seed::stream;
use crate::stats::superiority;
use rand::{Rng, RngExt as _};
use rand_distr::{Distribution as _, StandardNormal};
use serde::Serialize;
use std::collections::BTreeSet;

/// Standard deviations of the parts of a made-up score, all on the scale of
/// logarithms: workloads, a schedule's luck on one workload, what a seed does
/// to all schedules, and the rest.
const WORKLOAD: f64 = 0.5;
const INTERACTION: f64 = 0.05;
const SEED: f64 = 0.03;
const RESIDUAL: f64 = 0.02;

/// How much better or worse a planted schedule is, in standard deviations of the
/// interaction.
const PLANTED: f64 = 3.0;

/// Chance that a run of a study with divergence has none of its score.
const DIVERGENCE: f64 = 0.05;

/// What is true in a made-up study, and so what to look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Truth {
    /// No schedule is better than another over workloads; `dominated` is
    /// false.
    NoEffect,
    /// The same, and runs diverge by chance.
    Divergence,
    /// The same; what is looked at is the control against itself, whose
    /// significance is false.
    ControlAgain,
    /// One is best; it is to be recommended.
    OneBest,
    /// One is worst; it is to be dominated.
    OneWorst,
    /// Five are the same but for their noise, a sixth is another; the five
    /// are to form one group.
    FiveCopies,
}

/// A kind of study.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Design {
    truth: Truth,
    workloads: usize,
    schedules: usize,
    seeds: u64,
    race: bool,
}

/// What one study showed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    /// Whether what was looked for was there.
    found: bool,
    /// Share of the runs that a race spared.
    spared: f64,
}

/// A row of the calibration table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct CalibrationRow {
    /// What is true in these studies.
    pub(crate) truth: &'static str,
    pub(crate) workloads: usize,
    pub(crate) schedules: usize,
    pub(crate) seeds: u64,
    pub(crate) race: bool,
    pub(crate) studies: usize,
    /// What was counted.
    pub(crate) counted: &'static str,
    /// Share of the studies that have it.
    pub(crate) share: f64,
    /// Lower end of its 95 % interval.
    pub(crate) low: f64,
    /// Upper end of it.
    pub(crate) high: f64,
    /// Share that is promised, at most or at least.
    pub(crate) promised: f64,
    /// Whether the share keeps the promise, as far as chance allows: by exact
    /// binomial tests that all together err in 5 % of calibrations.
    pub(crate) kept: bool,
    /// Mean share of the runs that the race spared.
    pub(crate) runs_spared: f64,
}

impl Design {
    /// The designs of the calibration.
    pub(crate) fn all() -> Vec<Self> {
        let design = |truth, workloads, schedules, seeds, race| Self {
            truth,
            workloads,
            schedules,
            seeds,
            race,
        };
        vec![
            design(Truth::NoEffect, 10, 10, 5, false),
            design(Truth::NoEffect, 10, 10, 5, true),
            design(Truth::NoEffect, 24, 6, 8, false),
            design(Truth::NoEffect, 24, 6, 8, true),
            design(Truth::NoEffect, 12, 2, 20, true),
            design(Truth::Divergence, 12, 5, 4, true),
            design(Truth::ControlAgain, 10, 4, 6, false),
            design(Truth::OneBest, 10, 6, 5, false),
            design(Truth::OneBest, 10, 6, 5, true),
            design(Truth::OneWorst, 10, 6, 5, true),
            design(Truth::OneWorst, 24, 6, 8, true),
            design(Truth::FiveCopies, 10, 6, 5, false),
        ]
    }

    /// Makes up the study of this `number`, ranks it and looks at it.
    ///
    /// # Errors
    ///
    /// If the ranking refuses the study, which would be a mistake in here.
    pub(crate) fn study(&self, number: usize, seed: u64) -> Result<Seen> {
        let mut rng = stream(seed, &format!("{self:?} {number}"));
        let mut runs = self.runs(&mut rng);
        let protocol = Protocol {
            control: Some(name(0)),
            seed: rng.random(),
            ..Protocol::default()
        };
        if self.race {
            let seeds: Vec<u64> = (0..self.seeds).collect();
            let nobody = BTreeSet::new();
            let race = race(&runs, &seeds, &nobody, COLUMN, &protocol)?;
            for run in &mut runs {
                let stop = race.get(&run.schedule).and_then(|evidence| {
                    u64::try_from(evidence.stopped_after?).ok()
                });
                if stop.is_some_and(|after| run.seed >= after) {
                    (run.outcome, run.score) = (Outcome::Stopped, None);
                }
            }
        }
        let spared = runs.iter().filter(|run| run.is_stopped()).count() as f64
            / runs.len() as f64;
        // Neither ranks nor p values depend on these draws.
        let draws = Draws { bootstrap: Some(20), posterior: Some(20) };
        let ranking = Ranking::with(&runs, COLUMN, &protocol, draws)?;
        let found = match self.truth {
            Truth::NoEffect | Truth::Divergence => ranking
                .verdicts
                .values()
                .any(|verdict| *verdict == Verdict::Dominated),
            Truth::ControlAgain => {
                ranking.control_again.is_some_and(|test| test.p < ranking.alpha)
            }
            Truth::OneBest => {
                ranking.recommended() == Some(name(self.schedules - 1).as_str())
            }
            Truth::OneWorst => {
                let worst = name(self.schedules - 1);
                ranking.verdict(&worst) == Some(Verdict::Dominated)
            }
            Truth::FiveCopies => one_group(&ranking, self.schedules - 1),
        };
        Ok(Seen { found, spared })
    }

    /// The runs of one study. Schedule 0 is the control, the last one is the
    /// one that differs, if any.
    fn runs(&self, rng: &mut impl Rng) -> Vec<Observation> {
        let mut normal = |sd: f64| {
            let z: f64 = StandardNormal.sample(rng);
            sd * z
        };
        let last = self.schedules - 1;
        let mut scores = vec![];
        for w in 0..self.workloads {
            let level = normal(WORKLOAD);
            let mut luck: Vec<f64> =
                (0..self.schedules).map(|_| normal(INTERACTION)).collect();
            match self.truth {
                Truth::OneBest => luck[last] -= PLANTED * INTERACTION,
                Truth::OneWorst => luck[last] += PLANTED * INTERACTION,
                Truth::FiveCopies => luck[..last].fill(0.0),
                Truth::NoEffect | Truth::Divergence | Truth::ControlAgain => {}
            }
            for seed in 0..self.seeds {
                let shared = level + normal(SEED);
                for (j, luck) in luck.iter().enumerate() {
                    let score = shared + luck + normal(RESIDUAL);
                    scores.push((w, j, seed, score.exp()));
                }
            }
        }
        let chance =
            if self.truth == Truth::Divergence { DIVERGENCE } else { 0.0 };
        scores
            .into_iter()
            .map(|(w, j, seed, score)| {
                let workload = format!("workload-{w:02}");
                let run = Observation::new(&workload, &name(j), seed, score);
                if rng.random::<f64>() < chance {
                    run.outcome(Outcome::Diverged)
                } else {
                    run
                }
            })
            .collect()
    }

    /// The row of this design.
    pub(crate) fn row(&self, seen: &[Seen]) -> CalibrationRow {
        let n = seen.len();
        let found = seen.iter().filter(|seen| seen.found).count();
        let share = found as f64 / n as f64;
        let interval = superiority::interval(share, n, 0.05);
        let at_most = matches!(
            self.truth,
            Truth::NoEffect | Truth::Divergence | Truth::ControlAgain
        );
        let promised = if at_most { 0.05 } else { 0.95 };
        CalibrationRow {
            truth: match self.truth {
                Truth::NoEffect | Truth::ControlAgain => "no effect",
                Truth::Divergence => "no effect, 5 % of runs diverge",
                Truth::OneBest => "one best",
                Truth::OneWorst => "one worst",
                Truth::FiveCopies => "five copies of one",
            },
            workloads: self.workloads,
            schedules: self.schedules,
            seeds: self.seeds,
            race: self.race,
            studies: n,
            counted: match self.truth {
                Truth::NoEffect | Truth::Divergence => "a false dominated",
                Truth::ControlAgain => "the control differs from itself",
                Truth::OneBest => "the best recommended",
                Truth::OneWorst => "the worst dominated",
                Truth::FiveCopies => "one group",
            },
            share,
            low: interval.low,
            high: interval.high,
            promised,
            kept: superiority::binomial_tail(
                found as u64,
                n as u64,
                promised,
                at_most,
            ) >= 0.05 / Self::all().len() as f64,
            runs_spared: seen.iter().map(|s| s.spared).sum::<f64>() / n as f64,
        }
    }
}

/// Losses, so the scale is relative.
const COLUMN: &str = "valid_loss";

fn name(schedule: usize) -> String {
    format!("schedule-{schedule:02}")
}

/// Whether the first `count` schedules share a letter.
fn one_group(ranking: &Ranking, count: usize) -> bool {
    let names: Vec<String> = (0..count).map(name).collect();
    let groups: Vec<&str> = ranking
        .leaderboard
        .iter()
        .filter(|row| names.contains(&row.schedule))
        .map(|row| row.group.as_str())
        .collect();
    let mut letters = groups[0].chars();
    letters.any(|c| groups.iter().all(|group| group.contains(c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As many studies as a test can wait for; `lrscout calibrate` has more.
    const STUDIES: usize = 60;

    #[test]
    fn every_promise_is_kept() {
        for design in Design::all() {
            let seen: Vec<Seen> = (0..STUDIES)
                .map(|i| design.study(i, 1).expect("a valid study"))
                .collect();
            let row = design.row(&seen);
            assert!(row.kept, "{row:?}");
        }
    }

    #[test]
    fn a_study_depends_on_its_number_and_seed_alone() {
        let design = Design::all()[0];
        let runs = |number: usize, seed| {
            let mut rng = stream(seed, &format!("{design:?} {number}"));
            design.runs(&mut rng)
        };
        assert_eq!(runs(3, 1), runs(3, 1));
        assert_ne!(runs(3, 1), runs(4, 1));
        assert_ne!(runs(3, 1), runs(3, 2));
    }
}
