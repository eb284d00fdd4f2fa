//! What was understood of foreign files, in one line.

use super::columns::{Columns, Schedules, stem};
use super::runs::Run;
use super::tools::Tool;
use super::{ByRate, ByRow};
use crate::results::Sheet;
use crate::text::{count, excerpt, listed, quoted};
use std::collections::{BTreeMap, BTreeSet};

/// What was done on the way from rows to runs.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) tools: BTreeSet<Tool>,
    pub(super) files: usize,
    pub(super) rows: usize,
    /// Rows without a schedule.
    pub(super) unnamed: usize,
    /// Which of several rows a run was taken.
    pub(super) rows_a_run: Option<ByRow>,
    /// Which of how many rates was taken; of the runs kept that have a rate,
    /// how many were chosen on other seeds, and all.
    pub(super) rates: Option<(ByRate, usize, usize, usize)>,
    /// Runs that a pruner stopped.
    pub(super) pruned: usize,
    /// Most runs behind one score, where there are no seeds.
    pub(super) averaged: Option<usize>,
}

impl Told {
    /// Columns, tool, counts, and what is missing.
    pub(super) fn line(
        &self,
        sheet: &Sheet,
        columns: &Columns,
        runs: &[Run],
    ) -> String {
        let name = |column: usize| excerpt(sheet.name(column));
        let mut of = vec![];
        match columns.workload.as_slice() {
            [] => {}
            several => {
                let names: Vec<String> =
                    several.iter().map(|&column| name(column)).collect();
                of.push(format!("workload {}", names.join(" and ")));
            }
        }
        match &columns.schedule {
            Schedules::Long { schedule, score } => {
                of.push(format!("schedule {}", name(*schedule)));
                of.push(format!("score {}", name(*score)));
            }
            Schedules::Wide(wide) => {
                let names: Vec<&str> =
                    wide.iter().take(4).map(|&c| sheet.name(c)).collect();
                let names = match wide.len() - names.len() {
                    0 => listed(&names),
                    more => {
                        let names: Vec<String> =
                            names.iter().map(|name| quoted(name)).collect();
                        format!("{} and {more} more", names.join(", "))
                    }
                };
                of.push(format!("a column for each schedule: {names}"));
            }
        }
        for (what, column) in [
            ("seed", columns.seed),
            ("cluster", columns.cluster),
            ("budget", columns.budget),
            ("rate", columns.lr),
            ("outcome", columns.outcome),
        ] {
            of.extend(column.map(|column| format!("{what} {}", name(column))));
        }
        let mut line = format!(
            "{}, {}, {}: {}; {}",
            self.tool(),
            count(self.files, "file", "files"),
            count(self.rows, "row", "rows"),
            of.join(", "),
            counts(runs)
        );
        for note in self.notes(columns, runs) {
            line.push_str("; ");
            line.push_str(&note);
        }
        line
    }

    fn tool(&self) -> String {
        let names: Vec<&str> =
            self.tools.iter().map(|tool| tool.name()).collect();
        names.join(" and ")
    }

    fn notes(&self, columns: &Columns, runs: &[Run]) -> Vec<String> {
        let mut notes = vec![];
        match self.rows_a_run {
            Some(ByRow::Last) => {
                notes.push("the last row of each run".to_owned());
            }
            Some(ByRow::Best) => notes.push(
                "the best row of each run, which is too good by chance"
                    .to_owned(),
            ),
            None => {}
        }
        match self.rates {
            Some((ByRate::Each, rates, ..)) => {
                notes.push(format!("each of {rates} rates by itself"));
            }
            Some((ByRate::Best, rates, on_others, all)) => {
                let how = if on_others == all {
                    "chosen on other seeds than it is scored on".to_owned()
                } else {
                    format!(
                        "for {} of {all} runs chosen on the run itself, which \
                         is too good by chance",
                        all - on_others
                    )
                };
                notes.push(format!("the best of {rates} rates, {how}"));
            }
            None => notes.extend(different_rates(runs)),
        }
        notes.extend(like_names("schedules", runs, |run| {
            Some(run.schedule.0.as_str())
        }));
        notes.extend(like_names("workloads", runs, |run| {
            run.workload.as_ref().map(|(text, _)| text.as_str())
        }));
        if columns.workload.is_empty() {
            notes.push("no workload, so all runs are of one".to_owned());
        }
        match self.averaged {
            Some(1) => notes.push(
                "no seeds and one run a schedule: a description, no test \
                 within a workload"
                    .to_owned(),
            ),
            Some(most) => notes.push(format!(
                "no seeds: not paired, the mean of up to {most} runs counts"
            )),
            None => {}
        }
        let without = runs.iter().filter(|run| run.score.is_none()).count();
        if without > 0 {
            let runs = count(without, "run", "runs");
            notes.push(format!("{runs} without a score"));
        }
        if self.pruned > 0 {
            let runs = count(self.pruned, "run", "runs");
            notes.push(format!("{runs} stopped early, which count as failed"));
        }
        if self.unnamed > 0 {
            let rows = count(self.unnamed, "row", "rows");
            notes.push(format!("{rows} without a schedule left out"));
        }
        notes
    }
}

fn counts(runs: &[Run]) -> String {
    let distinct = |of: &dyn Fn(&Run) -> Option<String>| {
        runs.iter().filter_map(of).collect::<BTreeSet<_>>().len()
    };
    let text = |cell: &Option<(String, usize)>| {
        cell.as_ref().map(|(text, _)| text.clone())
    };
    let workloads = distinct(&|run| text(&run.workload)).max(1);
    let schedules = distinct(&|run| Some(run.schedule.0.clone()));
    let mut counts = vec![
        count(runs.len(), "run", "runs"),
        count(schedules, "schedule", "schedules"),
        count(workloads, "workload", "workloads"),
    ];
    let seeds = distinct(&|run| text(&run.seed));
    if seeds > 0 {
        counts.push(count(seeds, "seed", "seeds"));
    }
    counts.join(", ")
}

/// Names that may mean the same: they differ in case, in what is no letter, or
/// in a word like `LR` at the end.
fn like_names<'a>(
    what: &str,
    runs: &'a [Run],
    name: impl Fn(&'a Run) -> Option<&'a str>,
) -> Option<String> {
    let mut alike: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for name in runs.iter().filter_map(name) {
        alike.entry(stem(name)).or_default().insert(name);
    }
    let several = alike.values().find(|names| names.len() > 1)?;
    let names: Vec<&str> = several.iter().copied().take(4).collect();
    Some(format!(
        "the {what} {} are not counted as one: give them one name if they are",
        listed(&names)
    ))
}

/// That schedules ran at different rates, one each.
fn different_rates(runs: &[Run]) -> Option<String> {
    let mut rates: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
    for run in runs {
        let Some(lr) = run.lr else { continue };
        rates.entry(&run.schedule.0).or_default().insert(lr.to_bits());
    }
    let mut sets = rates.values();
    let first = sets.next()?;
    sets.any(|set| set != first).then(|| {
        "the schedules ran at different rates, which is part of what is \
         compared"
            .to_owned()
    })
}
