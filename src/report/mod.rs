//! What the numbers say, for people: tables, pictures, sentences, pages.
//!
//! Strings out: nothing here reads or writes a file, and everything is made
//! from the rows that the tables in a results folder hold.

pub(crate) mod advice;
mod board;
pub(crate) mod catalogue;
pub(crate) mod code;
mod conditions;
pub(crate) mod html;
pub(crate) mod markdown;
mod number;
pub(crate) mod plot;
mod regime;
#[cfg(test)]
mod samples;
pub(crate) mod table;
#[cfg(test)]
mod tests;
mod words;

use crate::ranking::{
    LeaderboardRow, PairRow, RobustnessRow, TheoryRow, WorkloadRow,
};
use board::groups;
use serde::{Deserialize, Serialize};

/// Everything that a report of one results folder is made from.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReportInput {
    /// Name of the grid.
    pub(crate) name: String,
    /// Its title; the name where it has none.
    pub(crate) title: String,
    /// The command that makes the results again.
    pub(crate) command: String,
    /// Leaderboards by file stem: `leaderboard` over everything, then
    /// `leaderboard-<budget>-<multiple>`; `leaderboard-found` and
    /// `leaderboard-tuned` where there are several multiples.
    pub(crate) boards: Vec<(String, Vec<LeaderboardRow>)>,
    /// Every schedule against the control, on the leading board.
    pub(crate) pairs: Vec<PairRow>,
    /// Every schedule on every workload, on the leading board.
    pub(crate) workloads: Vec<WorkloadRow>,
    /// Sizes of the workloads.
    pub(crate) regime: Vec<RegimeRow>,
    /// Every schedule over the multiples of the rate.
    pub(crate) robustness: Vec<RobustnessRow>,
    /// The convex bound of every schedule.
    pub(crate) theory: Vec<TheoryRow>,
    /// Learning rates found.
    pub(crate) lr_finds: Vec<LrFindRow>,
    /// Range tests to show, by name.
    pub(crate) range_tests: Vec<(String, plot::RangeTestPlot)>,
    /// Where and by what the results were made.
    pub(crate) environment: Vec<(String, String)>,
    /// Remarks of the ranking: what it left out, what it lacks.
    pub(crate) notes: Vec<String>,
    /// The grid as it ran.
    pub(crate) experiment_toml: String,
}

/// A row of `lr_find.csv`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct LrFindRow {
    /// Name of the workload.
    pub(crate) workload: String,
    /// Label of the optimizer.
    pub(crate) optimizer: String,
    /// Budget that the rate is for, in steps.
    pub(crate) budget: u64,
    /// The learning rate found.
    pub(crate) lr: Option<f64>,
    /// Lowest rate that the evidence allows.
    pub(crate) low: Option<f64>,
    /// Highest such rate.
    pub(crate) high: Option<f64>,
    /// What the range test showed; `found` if all went well.
    pub(crate) outcome: String,
    /// The rule that answered.
    pub(crate) rule: String,
    /// Steps spent on it.
    pub(crate) cost_steps: u64,
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

impl ReportInput {
    /// The leaderboard over everything, best first; empty if there is none.
    fn overall(&self) -> &[LeaderboardRow] {
        self.boards.first().map_or(&[], |(_, rows)| rows)
    }

    /// The leaderboard at the rate found, where others stand beside it.
    fn found(&self) -> Option<&[LeaderboardRow]> {
        self.board("leaderboard-found")
    }

    /// The leaderboard that the recommendation is from: far above the rate
    /// found, what diverges would decide over the rest.
    fn leading(&self) -> &[LeaderboardRow] {
        self.found().unwrap_or_else(|| self.overall())
    }

    fn board(&self, stem: &str) -> Option<&[LeaderboardRow]> {
        let mut boards = self.boards.iter();
        boards.find(|(name, _)| name == stem).map(|(_, rows)| rows.as_slice())
    }
}

impl LrFindRow {
    fn rate(&self) -> String {
        self.lr.map_or_else(none, number::rate)
    }

    fn range(&self) -> String {
        match (self.low, self.high) {
            (Some(low), Some(high)) => {
                format!("{} to {}", number::rate(low), number::rate(high))
            }
            _ => none(),
        }
    }
}

/// What stands where there is no number.
fn none() -> String {
    "–".to_owned()
}
