//! Files of other tools as text tables: names of columns, and rows of cells
//! that know where they stand.
//!
//! `bytes` makes text of any encoding, `json` reads JSON as Python writes it
//! (`NaN`, `Infinity`), `flat` makes a table of it. CSV in any dialect goes
//! through the one reader, `results::Sheet`.

mod bytes;
mod flat;
mod json;

use crate::error::{Error, Result};
use crate::results::{Dialect, Sheet};
use std::fs;
use std::path::Path;

/// The table in the file at `path`: CSV with commas, semicolons, tabs or
/// bars, decimal commas, a `sep=` line and comments; JSON as an array of
/// objects, an object of columns, or a line for each object.
///
/// A cell that is not there is empty. Objects inside of objects become
/// columns with a point in their names.
///
/// # Errors
///
/// If the file cannot be read or is no such table; with its place.
pub(crate) fn read_table(path: &Path) -> Result<Sheet> {
    let bytes = fs::read(path).map_err(Error::io(path))?;
    table_of(path, &bytes)
}

/// The same of bytes that are there already; `path` names them in messages.
///
/// # Errors
///
/// If they are no such table.
pub(crate) fn table_of(path: &Path, bytes: &[u8]) -> Result<Sheet> {
    let text = bytes::text_of(path, bytes)?;
    if json::is_json(&text) {
        let values = json::parse_all(path, &text)?;
        return flat::sheet_of(path, text, &values);
    }
    let dialect = Dialect::of(&text);
    Sheet::parse_as(path, text, &dialect)
}

#[cfg(test)]
mod tests;
