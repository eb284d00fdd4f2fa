//! Everything that a table of runs shows, computed once.

use super::cells::conditions;
use super::extras::robust::robustness;
use super::extras::theory::theory;
use super::extras::tuned::tuned;
use super::posterior::{Traits, posterior};
use super::{Draws, Note, Protocol, Ranking};
use crate::error::{Error, Result};
use crate::record::{Observation, RunRecord};
use crate::results::rows::{PosteriorRow, RobustnessRow, TheoryRow};
use crate::results::{Sheet, Wanted};
use crate::schedule::{ScheduleSpec, bound};
use serde::Deserialize;
use std::collections::HashSet;

/// The runs of one study.
#[derive(Clone, Debug, Default)]
pub(crate) struct Runs {
    /// Each with its validation score.
    pub(crate) observations: Vec<Observation>,
    /// The same runs with their test loss; empty where there is none.
    pub(crate) tests: Vec<Observation>,
    /// The column that the scores are from.
    pub(crate) column: String,
    /// What is known about the workloads.
    pub(crate) traits: Traits,
}

/// The columns that say what a workload is.
#[derive(Deserialize)]
struct WorkloadOf {
    #[serde(default)]
    workload: String,
    #[serde(default)]
    optimizer: String,
    #[serde(default)]
    cluster: String,
    #[serde(default)]
    metric: String,
}

/// The columns of scores in our own `runs.csv`.
const VALID_COLUMN: &str = "valid_loss";
pub(super) const TEST_COLUMN: &str = "test_loss";

impl Runs {
    /// The runs of a grid.
    pub(crate) fn of(records: &[RunRecord]) -> Self {
        let lines = || records.iter().zip(2..);
        let mut traits = Traits::default();
        for run in records {
            traits.add(&run.workload, &run.optimizer, &run.cluster);
            traits.add_metric(&run.workload, &run.metric);
        }
        Self {
            observations: lines()
                .map(|(run, line)| run.observation(run.valid_loss, line))
                .collect(),
            tests: lines()
                .map(|(run, line)| run.observation(run.test_loss, line))
                .collect(),
            column: VALID_COLUMN.to_owned(),
            traits,
        }
    }

    /// The runs of a table, with the scores of a column; `None`: the usual
    /// one.
    ///
    /// # Errors
    ///
    /// If it lacks a column or has a cell that cannot be understood.
    pub(crate) fn read(sheet: &Sheet, score: Option<&str>) -> Result<Self> {
        let wanted = Wanted { score, metric: None };
        let (observations, column) = sheet.observations(wanted)?;
        let tests = match sheet.column(TEST_COLUMN)? {
            Some(_) => {
                let score = Some(TEST_COLUMN);
                sheet.observations(Wanted { score, metric: None })?.0
            }
            None => vec![],
        };
        let mut traits = Traits::default();
        for run in sheet.rows::<WorkloadOf>()? {
            traits.add(&run.workload, &run.optimizer, &run.cluster);
            traits.add_metric(&run.workload, &run.metric);
        }
        Ok(Self { observations, tests, column, traits })
    }

    /// Adds the runs of another part of the study. The control of two parts
    /// may be the same: a run with the same outcome and score is that run.
    pub(crate) fn extend(&mut self, other: Self) {
        add(&mut self.observations, other.observations);
        add(&mut self.tests, other.tests);
        self.traits.extend(other.traits);
    }

    /// The ranking that the advice is from, as [`Analysis::leading`] gives it,
    /// and its one multiple of the rate found: `None` where several are
    /// averaged, or none is known.
    ///
    /// # Errors
    ///
    /// As [`Ranking::of`].
    pub(crate) fn leading(
        &self,
        protocol: &Protocol,
    ) -> Result<(Ranking, Option<f64>)> {
        let Self { observations, column, .. } = self;
        if let Some(found) = at_found_rate(observations, column, protocol)? {
            return Ok((found, Some(1.0)));
        }
        let overall = Ranking::of(observations, column, protocol)?;
        Ok((overall, only(&multiples(observations))))
    }

    /// Keeps the runs of which `keep` is true.
    pub(crate) fn retain(&mut self, keep: impl Fn(&Observation) -> bool) {
        self.observations.retain(&keep);
        self.tests.retain(&keep);
    }
}

/// Adds those of `more` that are not among `runs`.
fn add(runs: &mut Vec<Observation>, more: Vec<Observation>) {
    type Key = (String, String, Option<u64>, Option<u64>, u64, String);
    let key = |run: &Observation| -> Key {
        (
            run.workload.clone(),
            run.schedule.clone(),
            run.budget,
            run.lr_multiple.map(f64::to_bits),
            run.seed,
            format!("{:?} {:?}", run.outcome, run.score),
        )
    };
    let there: HashSet<Key> = runs.iter().map(key).collect();
    runs.extend(more.into_iter().filter(|run| !there.contains(&key(run))));
}

/// All rankings of one study and what goes with them. The tables of a results
/// folder, the reports and the advice are made from this value.
#[derive(Clone, Debug)]
pub(crate) struct Analysis {
    /// Over all budgets and multiples that the protocol picks.
    pub(crate) overall: Ranking,
    /// At the rate found; `None` where there is no other multiple beside it.
    pub(crate) found: Option<Ranking>,
    /// One for each budget and multiple at which something can be compared,
    /// rising.
    pub(crate) boards: Vec<Board>,
    /// One for each multiple over all budgets, rising; empty with fewer than
    /// two multiples.
    pub(crate) rates: Vec<(f64, Ranking)>,
    /// With the multiple tuned for every schedule; `None` where there are too
    /// few multiples or seeds, or no test loss.
    pub(crate) tuned: Option<Ranking>,
    /// Every schedule over the multiples of the rate.
    pub(crate) robustness: Vec<RobustnessRow>,
    /// The convex bound of every schedule beside its rank.
    pub(crate) theory: Vec<TheoryRow>,
    /// What the runs make probable, in every regime.
    pub(crate) posterior: Vec<PosteriorRow>,
}

/// The ranking of one budget and one multiple.
#[derive(Clone, Debug)]
pub(crate) struct Board {
    /// In optimizer updates; `None` where the runs have no budgets.
    pub(crate) budget: Option<u64>,
    /// Of the learning rate found; `None` where the runs have no multiples.
    pub(crate) lr_multiple: Option<f64>,
    /// The ranking of its runs.
    pub(crate) ranking: Ranking,
}

impl Analysis {
    /// Ranks `runs` by `protocol` in every way. The convex bounds are of those
    /// among `schedules` that are functions of the step alone.
    ///
    /// # Errors
    ///
    /// As [`Ranking::of`].
    pub(crate) fn new(
        runs: &Runs,
        protocol: &Protocol,
        schedules: &[ScheduleSpec],
    ) -> Result<Self> {
        Self::attempt(runs, protocol, schedules)?.map_err(Error::Invalid)
    }

    /// The same, or why failed runs left nothing to compare.
    ///
    /// # Errors
    ///
    /// As [`Ranking::of`], but for that.
    pub(crate) fn attempt(
        runs: &Runs,
        protocol: &Protocol,
        schedules: &[ScheduleSpec],
    ) -> Result<std::result::Result<Self, String>> {
        let Runs { observations, tests, column, traits } = runs;
        let rank =
            |protocol: &Protocol| attempt(observations, column, protocol);
        let overall = match rank(protocol)? {
            Ok(overall) => overall,
            Err(why) => return Ok(Err(why)),
        };
        let found = at_found_rate(observations, column, protocol)?;
        let picked: Vec<Observation> = observations
            .iter()
            .filter(|run| protocol.picks(run))
            .cloned()
            .collect();
        let boards = boards(&picked, column, protocol)?;
        let mut rates = vec![];
        let multiples = match multiples(&picked) {
            several if several.len() > 1 => several,
            _ => vec![],
        };
        for multiple in multiples {
            let protocol =
                Protocol { lr_multiple: Some(multiple), ..protocol.clone() };
            let ranking = match &found {
                Some(found) if multiple == 1.0 => Some(found.clone()),
                _ => rank(&protocol)?.ok(),
            };
            rates.extend(ranking.map(|ranking| (multiple, ranking)));
        }
        if rates.len() < 2 {
            rates.clear();
        }
        let tuned = match protocol.lr_multiple {
            None => match tuned(observations, tests) {
                Some(runs) => attempt(&runs, TEST_COLUMN, protocol)?.ok(),
                None => None,
            },
            Some(_) => None,
        };
        let bound = |label: &str, budget: u64| {
            let spec = schedules.iter().find(|spec| spec.label() == label)?;
            // The bound is that of the last weights.
            if spec.averages() {
                return None;
            }
            bound(&spec.rates(1.0, usize::try_from(budget).ok()?).ok()?)
        };
        let theory = theory(&boards, overall.control(), bound);
        let (mut overall, mut found) = (overall, found);
        if !traits.on_training.is_empty() {
            let names = traits.on_training.iter().cloned().collect();
            let note = Note::OnTraining(names);
            for ranking in found.iter_mut().chain([&mut overall]) {
                ranking.notes.push(note.clone());
            }
        }
        Ok(Ok(Self {
            posterior: posterior(&picked, column, protocol, traits)?,
            robustness: robustness(&picked, column, protocol)?,
            theory,
            overall,
            found,
            boards,
            rates,
            tuned,
        }))
    }

    /// The ranking that the advice is from: far above the rate found, what
    /// diverges would decide over the rest.
    pub(crate) fn leading(&self) -> &Ranking {
        self.found.as_ref().unwrap_or(&self.overall)
    }

    /// The one multiple of the rate found that the leading ranking is at;
    /// `None` where several are averaged, or none is known.
    pub(crate) fn leading_multiple(&self) -> Option<f64> {
        match self.found {
            Some(_) => Some(1.0),
            None => only(&self.multiples()),
        }
    }

    /// The distinct budgets, rising.
    pub(crate) fn budgets(&self) -> Vec<u64> {
        let mut budgets: Vec<u64> =
            self.boards.iter().filter_map(|board| board.budget).collect();
        budgets.dedup();
        budgets
    }

    /// The distinct multiples of the learning rate found, rising.
    pub(crate) fn multiples(&self) -> Vec<f64> {
        let all = self.boards.iter().filter_map(|board| board.lr_multiple);
        sorted(all.collect())
    }
}

/// The ranking at the rate found, where there are several multiples of it and
/// the runs at that one can be compared.
fn at_found_rate(
    runs: &[Observation],
    column: &str,
    protocol: &Protocol,
) -> Result<Option<Ranking>> {
    match protocol.at_found_rate(runs) {
        Some(protocol) => Ok(attempt(runs, column, &protocol)?.ok()),
        None => Ok(None),
    }
}

/// The one value, if there is no other.
fn only(values: &[f64]) -> Option<f64> {
    match values {
        [one] => Some(*one),
        _ => None,
    }
}

/// The ranking of `runs`, or why they cannot be compared: failed runs may
/// have left too little at one budget or multiple.
fn attempt(
    runs: &[Observation],
    column: &str,
    protocol: &Protocol,
) -> Result<std::result::Result<Ranking, String>> {
    Ranking::attempt(runs, column, protocol, Draws::default())
}

/// A board for each budget and multiple of `runs`, if they have a column of
/// either.
fn boards(
    runs: &[Observation],
    column: &str,
    protocol: &Protocol,
) -> Result<Vec<Board>> {
    let mut boards = vec![];
    for (budget, lr_multiple) in conditions(runs) {
        if (budget, lr_multiple) == (None, None) {
            continue;
        }
        let here: Vec<Observation> = runs
            .iter()
            .filter(|r| (r.budget, r.lr_multiple) == (budget, lr_multiple))
            .cloned()
            .collect();
        if let Ok(ranking) = attempt(&here, column, protocol)? {
            boards.push(Board { budget, lr_multiple, ranking });
        }
    }
    Ok(boards)
}

fn multiples(runs: &[Observation]) -> Vec<f64> {
    sorted(runs.iter().filter_map(|run| run.lr_multiple).collect())
}

fn sorted(mut numbers: Vec<f64>) -> Vec<f64> {
    numbers.sort_by(f64::total_cmp);
    numbers.dedup();
    numbers
}
