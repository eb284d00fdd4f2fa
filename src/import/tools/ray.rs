//! Ray Tune: `progress.csv` or `result.json` of a trial with `params.json`
//! beside it, and `get_dataframe()` of all trials. Made from ray 2.60.0.

use super::{Piece, Rows, Tool, add_settings, has, starts};
use crate::import::beside;
use crate::results::Sheet;
use std::collections::BTreeSet;
use std::path::Path;

pub(super) fn is_one(_: &Path, names: &[&str]) -> bool {
    has(names, &["training_iteration", "trial_id"])
}

pub(super) fn piece(path: &Path, mut sheet: Sheet) -> Piece {
    let column = sheet.names().position(|name| name == "trial_id");
    let trials: BTreeSet<&str> =
        sheet.records().filter_map(|row| row.optional(column)).collect();
    let of_one_run = trials.len() == 1;
    let names: Vec<&str> = sheet.names().collect();
    let has_config = starts(&names, "config/") || starts(&names, "config.");
    if of_one_run && !has_config {
        let settings = beside::json(&path.with_file_name("params.json"));
        add_settings(&mut sheet, &settings);
    }
    let rows = if of_one_run { Rows::OfOneRun } else { Rows::Any };
    Piece::of(Tool::Ray, sheet, rows)
}
