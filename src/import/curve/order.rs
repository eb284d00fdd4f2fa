//! The rows of a record in the order of its updates.

use super::columns::Columns;
use crate::error::Result;
use crate::results::{Row, Sheet};
use crate::stats::robust::median;

/// Relative difference of two rates that are the same.
const SAME: f64 = 1e-9;

/// Share of the steps of a ladder that are alike.
const ALIKE: f64 = 0.8;

/// Share of the updates that a range test may spend at one rate.
const AT_ONE_RATE: f64 = 0.5;

/// Words for a cell without a number.
const NOTHING: &[&str] = &["", "na", "n/a", "null", "none", "-"];

/// Significant digits of a number that is written in full.
pub(in super::super) const FULL: usize = 15;

/// One update.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) lr: f64,
    pub(super) loss: Option<f64>,
    /// Half a unit in the last place of the loss, as written.
    unit: f64,
    /// Row of the file, from 0.
    pub(super) row: usize,
}

/// A row of the file.
struct Line<'a> {
    row: Row<'a>,
    number: usize,
    lr: Option<f64>,
    loss: Option<f64>,
}

/// The updates in order, and how they were put in it, in a few words.
///
/// # Errors
///
/// If a cell is no number, or the rates are not those of a range test.
pub(super) fn entries(
    sheet: &Sheet,
    columns: &Columns,
) -> Result<(Vec<Entry>, &'static str)> {
    let lines = lines(sheet, columns)?;
    for &(column, of_rows) in &columns.steps {
        let Some(entries) = by_number(&lines, columns, column) else {
            continue;
        };
        match fall(&entries) {
            None => return Ok((checked(sheet, entries)?, "")),
            Some(_) if of_rows => {}
            Some(at) => {
                return Err(no_range_test(&lines, columns, &entries, at));
            }
        }
    }
    let mut entries: Vec<Entry> = (lines.iter())
        .filter_map(|line| Some(entry(line, columns, line.lr?)))
        .collect();
    let Some(at) = fall(&entries) else {
        return Ok((checked(sheet, entries)?, ""));
    };
    let as_it_is = entries.clone();
    entries.reverse();
    if fall(&entries).is_none() {
        return Ok((checked(sheet, entries)?, ", read from the last row up"));
    }
    entries.sort_by(|a, b| a.lr.total_cmp(&b.lr));
    if is_ladder(&entries) {
        return Ok((checked(sheet, entries)?, ", sorted by rate"));
    }
    Err(no_range_test(&lines, columns, &as_it_is, at))
}

fn lines<'a>(sheet: &'a Sheet, columns: &Columns) -> Result<Vec<Line<'a>>> {
    let line = |(number, row): (usize, Row<'a>)| {
        let wanted = "it must be a finite number from 0 up";
        let lr = number_of(row, columns.lr, wanted)?;
        if lr.is_some_and(|lr| !(lr.is_finite() && lr >= 0.0)) {
            return Err(row.error(columns.lr, wanted));
        }
        let wanted = "it must be a number, `nan`, `inf` or empty";
        let loss = number_of(row, columns.loss, wanted)?;
        Ok(Line { row, number, lr, loss })
    };
    sheet.records().enumerate().map(line).collect()
}

/// Whether a cell has no number.
pub(in super::super) fn is_nothing(text: &str) -> bool {
    NOTHING.contains(&text.to_ascii_lowercase().as_str())
}

/// The number in a cell; `None` where there is none.
fn number_of(row: Row<'_>, column: usize, wanted: &str) -> Result<Option<f64>> {
    let text = row.text(column);
    if is_nothing(text) {
        return Ok(None);
    }
    if text.starts_with('[') {
        let wanted = "the range test had several rates at once: keep the \
                      first of each";
        return Err(row.error(column, wanted));
    }
    row.number(column, wanted).map(Some)
}

/// The update of a rate and of the loss in `line`.
fn entry(line: &Line<'_>, columns: &Columns, lr: f64) -> Entry {
    let unit = half_unit(line.row.text(columns.loss));
    Entry { lr, loss: line.loss, unit, row: line.number }
}

/// The updates by their numbers in `column`; a rate and a loss may stand in
/// rows of their own. `None` where a row has no number, or two rows of one
/// number have both.
fn by_number(
    lines: &[Line<'_>],
    columns: &Columns,
    column: usize,
) -> Option<Vec<Entry>> {
    let number = |line: &Line<'_>| line.row.text(column).parse::<f64>().ok();
    let mut numbered: Vec<(f64, &Line<'_>)> = vec![];
    for line in lines.iter().filter(|l| l.lr.is_some() || l.loss.is_some()) {
        numbered.push((number(line).filter(|n| n.is_finite())?, line));
    }
    numbered.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut entries = vec![];
    for update in numbered.chunk_by(|a, b| a.0 == b.0) {
        let mut with_lr = update.iter().filter(|(_, line)| line.lr.is_some());
        let mut with_loss =
            update.iter().filter(|(_, line)| line.loss.is_some());
        let (lr, loss) = (with_lr.next(), with_loss.next());
        if with_lr.next().is_some() || with_loss.next().is_some() {
            return None;
        }
        let Some((_, with_lr)) = lr else { continue };
        let line = loss.map_or(with_lr, |(_, line)| line);
        entries.push(entry(line, columns, with_lr.lr?));
    }
    Some(entries)
}

/// The first entry whose rate is lower than the one before.
fn fall(entries: &[Entry]) -> Option<usize> {
    let falls = |pair: &[Entry]| pair[1].lr < pair[0].lr * (1.0 - SAME);
    entries.windows(2).position(falls).map(|at| at + 1)
}

/// Whether the rates, sorted, rise by a factor or by an amount.
fn is_ladder(sorted: &[Entry]) -> bool {
    let even = |value: fn(f64) -> f64| {
        let pairs = sorted.windows(2);
        let steps: Vec<f64> =
            pairs.map(|pair| value(pair[1].lr) - value(pair[0].lr)).collect();
        let middle = median(steps.clone()).unwrap_or(0.0);
        let alike = |step: &&f64| (**step / middle - 1.0).abs() < 0.05;
        let count = steps.iter().filter(alike).count();
        middle > 0.0 && count as f64 >= ALIKE * steps.len() as f64
    };
    even(f64::ln) || even(|lr| lr)
}

fn checked(sheet: &Sheet, entries: Vec<Entry>) -> Result<Vec<Entry>> {
    if !entries.iter().any(|entry| entry.loss.is_some()) {
        let message = if sheet.records().len() == 0 {
            "there are no rows below the header: save the curve again"
        } else {
            "no row has both a rate and a loss: `--lr COLUMN` and `--loss \
             COLUMN` name other columns"
        };
        return Err(sheet.error(0, message));
    }
    let runs = entries.chunk_by(|a, b| b.lr <= a.lr * (1.0 + SAME));
    let longest = runs.max_by_key(|run| run.len()).unwrap_or_default();
    let most = AT_ONE_RATE * entries.len() as f64;
    if longest.len() > 2 && longest.len() as f64 > most {
        let message = format!(
            "{} of {} updates have the rate {:?}: in a range test it rises from \
             update to update",
            longest.len(),
            entries.len(),
            longest[0].lr
        );
        return Err(sheet.error(0, message));
    }
    Ok(entries)
}

fn no_range_test(
    lines: &[Line<'_>],
    columns: &Columns,
    entries: &[Entry],
    at: usize,
) -> crate::error::Error {
    let wanted = format!(
        "the update before it has {:?}: in a range test the rate only rises; \
         `--lr COLUMN` names another column",
        entries[at - 1].lr
    );
    let line = &lines[entries[at].row];
    match line.lr {
        Some(_) => line.row.error(columns.lr, &wanted),
        None => line
            .row
            .fault(format!("the rate falls to {:?}; {wanted}", entries[at].lr)),
    }
}

/// What a loss may be off by: the median of half units in their last places.
pub(super) fn rounding(entries: &[Entry]) -> f64 {
    let finite = |entry: &&Entry| entry.loss.is_some_and(f64::is_finite);
    let units = entries.iter().filter(finite).map(|entry| entry.unit);
    median(units.collect()).unwrap_or(0.0)
}

/// Half a unit in the last place of a number as written; 0 if it is written
/// in full.
fn half_unit(text: &str) -> f64 {
    let (significant, place) = digits(text);
    if significant >= FULL { 0.0 } else { 0.5 * 10.0_f64.powi(place) }
}

/// Significant digits of a number, and the power of ten of its last digit.
pub(in super::super) fn digits(text: &str) -> (usize, i32) {
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => {
            (digits, exponent.parse::<i32>().unwrap_or(0))
        }
        None => (text, 0),
    };
    let decimals = digits.split_once('.').map_or(0, |(_, after)| after.len());
    let is_digit = |c: &char| c.is_ascii_digit();
    let significant = digits.chars().filter(is_digit).skip_while(|c| *c == '0');
    let decimals = i32::try_from(decimals).unwrap_or(i32::MAX);
    (significant.count(), exponent.saturating_sub(decimals))
}
