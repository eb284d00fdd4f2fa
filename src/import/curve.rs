//! Recorded range tests of any tool: rates and losses, update by update.
//!
//! `tool` has what the tools do to their records, `columns` finds the columns,
//! `order` puts the rows in the order of the updates.

mod columns;
mod order;
#[cfg(test)]
mod tests;
mod tool;

use super::{files, tools};
use crate::error::Result;
use crate::results::Sheet;
use crate::text::{count, excerpt};
use columns::Columns;
pub(super) use columns::{rate_column, step_columns};
use order::Entry;
pub(super) use order::{FULL, digits, is_nothing};
use std::path::Path;
pub(crate) use tool::CurveTool;

/// A recorded range test: one row an update, in order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct History {
    /// Learning rates, finite, not negative, and never falling.
    pub(crate) lr: Vec<f64>,
    /// Losses as recorded; may be infinite or NaN, and are NaN where none is
    /// recorded.
    pub(crate) loss: Vec<f64>,
    /// Whether the row has no loss.
    pub(crate) missing: Vec<bool>,
    /// Row of the file of each, from 0.
    pub(crate) rows: Vec<usize>,
    /// What a loss may be off by, because of the digits that it has.
    pub(crate) rounding: f64,
    /// The tool that wrote it: as said, or as the columns show.
    pub(crate) tool: Option<CurveTool>,
    /// Whether the rates are those of Lightning's `LearningRateMonitor`.
    pub(crate) monitored: bool,
    /// Whether every row is another epoch.
    pub(crate) epochs: bool,
    /// What was understood, in a few words.
    pub(crate) said: String,
}

/// What the user says about a file.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CurveWishes<'a> {
    /// The tool that wrote it.
    pub(crate) from: Option<CurveTool>,
    /// The column of the rates.
    pub(crate) lr: Option<&'a str>,
    /// The column of the losses.
    pub(crate) loss: Option<&'a str>,
}

/// The curve in the file at `path`: a table with a column of rates and one of
/// losses, in any place and under any usual name, or an event file of
/// TensorBoard. A folder or pattern stands for the one file in it.
///
/// # Errors
///
/// If the file cannot be read, is no such table or no range test; with line
/// and column.
pub(crate) fn read_curve(
    path: &Path,
    wishes: CurveWishes<'_>,
) -> Result<History> {
    history_of(&tools::sheet(&files::one(path)?)?, wishes)
}

fn history_of(sheet: &Sheet, wishes: CurveWishes<'_>) -> Result<History> {
    let columns = Columns::of(sheet, wishes.lr, wishes.loss)?;
    let tool = wishes.from.or_else(|| {
        CurveTool::of(sheet.name(columns.lr), sheet.name(columns.loss))
    });
    let (mut entries, ordered) = order::entries(sheet, &columns)?;
    if tool == Some(CurveTool::Ignite) {
        unshift(&mut entries);
    }
    let all = entries.len();
    let after = entries.iter().rev().take_while(|e| e.loss.is_none()).count();
    let kept = all - after;
    let gap = longest_gap(&entries[..kept]);
    // More at the end than anywhere else: the training had diverged, and the
    // file has no word for it.
    let diverged = after > gap.max(2);
    let end = if diverged {
        format!(", the last {after} without a loss: read as not finite")
    } else {
        entries.truncate(kept);
        String::new()
    };
    let said = format!(
        "{}, rates in {}, losses in {}{ordered}{end}",
        count(all, "update", "updates"),
        excerpt(sheet.name(columns.lr)),
        excerpt(sheet.name(columns.loss))
    );
    let number = |entry: &Entry| entry.loss.unwrap_or(f64::NAN);
    Ok(History {
        lr: entries.iter().map(|entry| entry.lr).collect(),
        loss: entries.iter().map(number).collect(),
        missing: (entries.iter().enumerate())
            .map(|(row, entry)| entry.loss.is_none() && row < kept)
            .collect(),
        rows: entries.iter().map(|entry| entry.row).collect(),
        rounding: order::rounding(&entries),
        tool,
        monitored: columns.has_monitored_rate(sheet),
        epochs: columns.has_epochs(sheet),
        said,
    })
}

/// Gives each update the rate recorded with the one before: ignite records
/// that of the next update. The first two updates have the same rate there.
fn unshift(entries: &mut [Entry]) {
    for row in (1..entries.len()).rev() {
        entries[row].lr = entries[row - 1].lr;
    }
}

fn longest_gap(entries: &[Entry]) -> usize {
    let runs = entries.split(|entry| entry.loss.is_some());
    runs.map(<[Entry]>::len).max().unwrap_or(0)
}
