//! Weights & Biases: the CSV button of the table of runs, the table that the
//! export snippet of its documentation makes (columns `summary`, `config`,
//! `name` with dictionaries), the CSV of a panel, and `history()` of a run.
//! Made from wandb 0.31.0.

use super::{Piece, Rows, Tool, has, starts};
use crate::import::flat::{Fields, flattened, sheet_of_rows};
use crate::import::json::{Kind, Value, parse_cell};
use crate::results::Sheet;
use std::path::Path;

pub(super) fn is_one(_: &Path, names: &[&str]) -> bool {
    has(names, &["Name", "State"])
        || starts(names, "summary.")
        || has(names, &["_step", "_timestamp"])
        || is_panel(names)
}

/// `Step`, then `run - metric` with `__MIN` and `__MAX`.
fn is_panel(names: &[&str]) -> bool {
    let ends = |end: &str| names.iter().any(|name| name.ends_with(end));
    ends("__MIN") && ends("__MAX")
}

pub(super) fn piece(sheet: Sheet) -> Piece {
    let names: Vec<&str> = sheet.names().collect();
    if is_panel(&names) {
        return Piece::of(Tool::Wandb, of_panel(&sheet), Rows::OfNamedRuns);
    }
    let rows = if has(&names, &["State"]) || starts(&names, "summary.") {
        Rows::EachARun
    } else if has(&names, &["_timestamp"]) && !starts(&names, "config.") {
        Rows::OfOneRun
    } else {
        Rows::Any
    };
    Piece::of(Tool::Wandb, sheet, rows)
}

/// The table with a column for each entry of the dictionaries in the columns
/// `summary` and `config`; any other table as it is.
pub(super) fn unpacked(sheet: Sheet) -> Sheet {
    let names: Vec<&str> = sheet.names().collect();
    if !has(&names, &["summary", "config"]) {
        return sheet;
    }
    let row = |row: crate::results::Row<'_>| -> (usize, Fields) {
        let at = row.place().1;
        let mut fields = vec![];
        for (i, text) in row.cells().enumerate() {
            let unpacked = parse_cell(text).filter(|v| v.object().is_some());
            let kind = match unpacked {
                Some(value) => value.kind,
                None => Kind::Text(text.to_owned()),
            };
            fields.push((sheet.name(i).to_owned(), Value { at, kind }));
        }
        let mut flat = flattened(&fields);
        // Entries of a dictionary have their places inside of the cell.
        for (_, value) in &mut flat {
            value.at = at;
        }
        (at, flat)
    };
    let rows: Vec<(usize, Fields)> = sheet.records().map(row).collect();
    let text = sheet.sources()[0].text.clone().unwrap_or_default();
    sheet_of_rows(sheet.path(), text, &rows)
}

/// A row for each run and step of the CSV of a panel.
fn of_panel(sheet: &Sheet) -> Sheet {
    let step = sheet.names().next().unwrap_or_default().to_owned();
    let mut rows = vec![];
    for row in sheet.records() {
        let value = |at: usize, text: &str| Value {
            at,
            kind: Kind::Text(text.to_owned()),
        };
        let step_at = row.place_of(0);
        for column in 1..sheet.names().count() {
            let name = sheet.name(column);
            let is_range = ["__MIN", "__MAX"].iter().any(|e| name.ends_with(e));
            let Some((run, metric)) = name.rsplit_once(" - ") else { continue };
            if is_range || row.text(column).is_empty() {
                continue;
            }
            let at = row.place_of(column);
            rows.push((
                at,
                vec![
                    ("run".to_owned(), value(at, run)),
                    (step.clone(), value(step_at, row.text(0))),
                    (metric.to_owned(), value(at, row.text(column))),
                ],
            ));
        }
    }
    let text = sheet.sources()[0].text.clone().unwrap_or_default();
    sheet_of_rows(sheet.path(), text, &rows)
}
