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
pub(crate) mod table;
mod words;

use crate::ranking::{Analysis, Ranking};
use crate::results::rows::{FindRow, LeaderboardRow, RegimeRow, WorkloadRow};
use crate::schedule::ScheduleSpec;
use board::groups;

/// Everything that a report of one results folder is made from.
#[derive(Clone, Debug)]
pub(crate) struct ReportInput {
    /// Name of the grid.
    pub(crate) name: String,
    /// Its title; the name where it has none.
    pub(crate) title: String,
    /// The command that makes the results again.
    pub(crate) command: String,
    /// The schedules of the grid.
    pub(crate) schedules: Vec<ScheduleSpec>,
    /// All that the runs show.
    pub(crate) analysis: Analysis,
    /// Sizes of the workloads.
    pub(crate) regime: Vec<RegimeRow>,
    /// Learning rates found.
    pub(crate) lr_finds: Vec<FindRow>,
    /// Range tests to show, by name.
    pub(crate) range_tests: Vec<(String, plot::RangeTestPlot)>,
    /// Where and by what the results were made.
    pub(crate) environment: Vec<(String, String)>,
    /// Files that were not there.
    pub(crate) missing: Vec<String>,
    /// The grid as it ran.
    pub(crate) experiment_toml: String,
}

impl ReportInput {
    /// The leaderboard over everything, best first.
    fn overall(&self) -> &[LeaderboardRow] {
        self.analysis.overall.leaderboard()
    }

    /// The leaderboard at the rate found, where others stand beside it.
    fn found(&self) -> Option<&[LeaderboardRow]> {
        self.analysis.found.as_ref().map(Ranking::leaderboard)
    }

    /// The leaderboard that the recommendation is from.
    fn leading(&self) -> &[LeaderboardRow] {
        self.analysis.leading().leaderboard()
    }

    /// Every schedule on every workload, on the leading board.
    fn workloads(&self) -> &[WorkloadRow] {
        self.analysis.leading().workload_rows()
    }
}

/// The rates that the evidence allows.
fn range(find: &FindRow) -> String {
    format!("{} to {}", number::rate(find.low), number::rate(find.high))
}

/// What stands where there is no number.
fn none() -> String {
    "–".to_owned()
}
