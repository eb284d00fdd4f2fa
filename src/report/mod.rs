//! What the numbers say, for people: tables, pictures, sentences, pages.
//!
//! Strings out: nothing here reads or writes a file, and everything is made
//! from one analysis: `findings` are what it shows, as data, and `prose` has
//! every sentence about them.
//!
//! `table` is for terminals, `markdown` and `html` for pages (the template is
//! `templates/report.html`), `plot` for pictures, `advice` and `case` for
//! `recommend`, `code` for `export`. `catalogue` and `libraries` are the pages
//! of schedules. `number` formats numbers.

pub(crate) mod advice;
mod board;
pub(crate) mod case;
pub(crate) mod catalogue;
pub(crate) mod code;
mod findings;
pub(crate) mod html;
pub(crate) mod libraries;
pub(crate) mod markdown;
pub(crate) mod number;
pub(crate) mod plot;
mod prose;
pub(crate) mod table;
#[cfg(test)]
mod tests;

pub(crate) use findings::{Basis, Findings};

use crate::ranking::{Analysis, Ranking};
use crate::results::rows::{FindRow, LeaderboardRow, RegimeRow, WorkloadRow};
use crate::schedule::{ScheduleSpec, never_reached};
use prose::Prose;

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
    /// What is better than the user's own choice, in sentences, if there is
    /// one.
    pub(crate) comparison: Vec<String>,
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
    /// All that is said in sentences.
    fn prose(&self) -> Prose {
        let finds = &self.lr_finds;
        let optimizers: Vec<&str> =
            finds.iter().map(|find| find.optimizer.as_str()).collect();
        let basis =
            Basis { optimizers: &optimizers, sizes: &self.regime, finds };
        let findings = Findings::new(&self.analysis, &basis);
        let budgets = self.analysis.budgets().into_iter();
        let budgets: Vec<usize> =
            budgets.filter_map(|steps| steps.try_into().ok()).collect();
        let never = never_reached(&self.schedules, &budgets);
        Prose::of(&findings, &never, &self.missing)
    }

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
