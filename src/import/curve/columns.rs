//! Which columns hold the rates, the losses and the numbers of the updates.

use crate::error::Result;
use crate::results::Sheet;
use crate::text::listed;
use std::collections::HashSet;

/// Names of the rate, best first, as [`plain`] writes them.
const RATES: &[&str] = &["lr", "lrs", "learning-rate", "learning-rates"];

/// Names of the loss, best first.
const LOSSES: &[&str] = &[
    "loss",
    "losses",
    "train-loss",
    "training-loss",
    "loss-train",
    "train-loss-step",
    "loss-step",
    "batch-loss",
    "train-loss-batch",
    "train-losses",
];

/// Names of the number of an update, best first.
const STEPS: &[&str] = &[
    "trainer/global-step",
    "global-step",
    "step",
    "steps",
    "iteration",
    "iterations",
    "iter",
    "update",
    "batch",
];

/// The same, which may also number the rows of the file as it is.
const ROWS: &[&str] = &["-step", "", "unnamed:-0", "index", "epoch"];

/// Parts of names that are not of a training.
const OTHERS: &[&str] = &["val", "valid", "validation", "test", "eval"];

/// Columns that an error names, at the most.
const SHOWN: usize = 4;

/// Columns of a sheet.
pub(super) struct Columns {
    pub(super) lr: usize,
    pub(super) loss: usize,
    /// Numbers of the updates, best first; true where they may also be those
    /// of the rows of the file.
    pub(super) steps: Vec<(usize, bool)>,
}

impl Columns {
    /// Those of `sheet`, with the ones that the user names.
    ///
    /// # Errors
    ///
    /// If there are none, or several that are as good.
    pub(super) fn of(
        sheet: &Sheet,
        lr: Option<&str>,
        loss: Option<&str>,
    ) -> Result<Self> {
        let steps = numbered(sheet, STEPS).map(|column| (column, false));
        let rows = numbered(sheet, ROWS).map(|column| (column, true));
        Ok(Self {
            lr: rate_column(sheet, lr)?,
            loss: one(sheet, "--loss", "losses", loss, rank_of_loss)?,
            steps: steps.chain(rows).collect(),
        })
    }

    /// Whether the rates are those of Lightning's `LearningRateMonitor`.
    pub(super) fn has_monitored_rate(&self, sheet: &Sheet) -> bool {
        is_monitored(&plain(sheet.name(self.lr)))
    }

    /// Whether every row is another epoch.
    pub(super) fn has_epochs(&self, sheet: &Sheet) -> bool {
        let column = self.steps.iter().map(|(column, _)| *column);
        let mut epochs =
            column.filter(|&column| plain(sheet.name(column)) == "epoch");
        epochs.next().is_some_and(|column| {
            let mut seen = HashSet::new();
            sheet.records().all(|row| seen.insert(row.text(column)))
        })
    }
}

/// The column of the rates: the one that is said, or of the best name.
///
/// # Errors
///
/// If there is none, or several that are as good.
pub(in super::super) fn rate_column(
    sheet: &Sheet,
    said: Option<&str>,
) -> Result<usize> {
    // A chart of TensorBoard, written as CSV, has one value.
    let chart = ["Wall time", "Step", "Value"];
    if said.is_none() && sheet.names().eq(chart) {
        return Ok(2);
    }
    one(sheet, "--lr", "learning rates", said, rank_of_rate)
}

/// The columns that may hold the numbers of the updates, best first.
pub(in super::super) fn step_columns(
    sheet: &Sheet,
) -> impl Iterator<Item = usize> + '_ {
    numbered(sheet, STEPS).chain(numbered(sheet, ROWS))
}

/// The columns of `sheet` whose names are among `names`, in their order.
fn numbered<'a>(
    sheet: &'a Sheet,
    names: &'static [&'static str],
) -> impl Iterator<Item = usize> + 'a {
    names.iter().flat_map(move |wanted| {
        let is_it = move |name: &str| plain(name) == *wanted;
        let columns = sheet.names().enumerate();
        columns.filter(move |(_, name)| is_it(name)).map(|(column, _)| column)
    })
}

/// The column that is said, or the one of the best rank.
fn one(
    sheet: &Sheet,
    flag: &str,
    what: &str,
    said: Option<&str>,
    rank: fn(&str) -> Option<usize>,
) -> Result<usize> {
    if let Some(name) = said {
        return sheet.needed(name);
    }
    let ranked = sheet.names().enumerate().filter_map(|(column, name)| {
        rank(&plain(name)).map(|rank| (rank, column))
    });
    let ranked: Vec<(usize, usize)> = ranked.collect();
    let best = ranked.iter().map(|(rank, _)| *rank).min();
    let columns: Vec<usize> = (ranked.iter())
        .filter(|(rank, _)| Some(*rank) == best)
        .map(|(_, column)| *column)
        .collect();
    match columns.as_slice() {
        [column] => Ok(*column),
        [] => Err(sheet.lacks(&format!(
            "no column of {what}: name it with `{flag} COLUMN`"
        ))),
        several => {
            let names = several.iter().map(|&column| sheet.name(column));
            let names: Vec<&str> = names.take(SHOWN).collect();
            let names = listed(&names);
            let message = format!(
                "{} columns of {what}, {names}: choose with `{flag} COLUMN`",
                several.len()
            );
            Err(sheet.error(0, message))
        }
    }
}

/// A name in small letters with hyphens; of the export of a chart, what
/// stands behind the name of the run.
fn plain(name: &str) -> String {
    let name = name.rsplit(" - ").next().unwrap_or(name).trim();
    name.to_lowercase().replace(['_', ' '], "-")
}

/// The rank of a name among `names`, alone or as the last part of a path.
fn place(name: &str, names: &[&str]) -> Option<usize> {
    let place = |part: &str| names.iter().position(|known| *known == part);
    let last = name.rsplit(['/', '.']).next().unwrap_or(name);
    place(name).or_else(|| place(last).map(|at| at + names.len()))
}

fn rank_of_rate(name: &str) -> Option<usize> {
    let monitored = is_monitored(name)
        && !["momentum", "weight-decay", "--min", "--max"]
            .iter()
            .any(|end| name.ends_with(end));
    let monitored = monitored.then_some(2 * RATES.len());
    place(name, RATES).filter(|_| !is_of_others(name)).or(monitored)
}

/// As `lr-SGD` and `lr-Adam/pg1` of Lightning's `LearningRateMonitor`.
fn is_monitored(name: &str) -> bool {
    name.starts_with("lr-")
}

fn rank_of_loss(name: &str) -> Option<usize> {
    place(name, LOSSES).filter(|_| !is_of_others(name))
}

fn is_of_others(name: &str) -> bool {
    let mut parts = name.split(['/', '.', '-']);
    parts.any(|part| OTHERS.contains(&part))
}
