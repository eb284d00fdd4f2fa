//! Our own tables as CSV: rows in, bytes out, and back.

use super::sheet::Sheet;
use crate::error::{Error, Result};
use crate::store::write_atomically;
use csv::{ByteRecord, ReaderBuilder, StringRecord, WriterBuilder};
use serde::{Serialize, de::DeserializeOwned};
use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// Writes `rows` to `path`, atomically, with a header of their field names.
///
/// Text that a spreadsheet would take for a formula gets an apostrophe in
/// front, which reading takes away again.
///
/// # Errors
///
/// If the file cannot be written; then the old one is still there.
pub(crate) fn write_rows<T: Serialize>(path: &Path, rows: &[T]) -> Result<()> {
    let bytes = to_csv(rows).map_err(Error::io(path))?;
    write_atomically(path, &bytes)
}

/// Writes `rows` to `out` as [`write_rows`] does to a file.
///
/// # Errors
///
/// If `out` cannot be written.
pub(crate) fn print_rows<T: Serialize>(
    out: &mut impl Write,
    rows: &[T],
) -> io::Result<()> {
    out.write_all(&to_csv(rows)?)
}

/// The rows of a CSV with a header, as [`write_rows`] left them.
///
/// # Errors
///
/// If the file cannot be read or a row is no `T`.
pub(crate) fn read_rows<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>> {
    // A table of no rows has no header either.
    if fs::metadata(path).is_ok_and(|file| file.len() == 0) {
        return Ok(vec![]);
    }
    Sheet::read(path)?.rows()
}

/// Writes rows of texts, the names of the columns first, in the same form.
///
/// # Errors
///
/// If `out` cannot be written.
pub(super) fn print_texts(
    out: &mut impl Write,
    rows: impl Iterator<Item = StringRecord>,
) -> io::Result<()> {
    let mut writer = WriterBuilder::new().from_writer(vec![]);
    for row in rows {
        writer.write_record(&row)?;
    }
    let bytes = writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
    out.write_all(&guarded(&bytes)?)
}

fn to_csv<T: Serialize>(rows: &[T]) -> io::Result<Vec<u8>> {
    let mut writer = WriterBuilder::new().from_writer(vec![]);
    for row in rows {
        writer.serialize(row)?;
    }
    let bytes = writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
    guarded(&bytes)
}

/// The same table with an apostrophe before each text that starts like a
/// formula.
fn guarded(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut reader = ReaderBuilder::new().has_headers(false).from_reader(bytes);
    let mut writer = WriterBuilder::new().from_writer(vec![]);
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record)? {
        for field in &record {
            let text = String::from_utf8_lossy(field);
            if is_formula(&text) {
                writer.write_field(format!("'{text}"))?;
            } else {
                writer.write_field(field)?;
            }
        }
        writer.write_record(None::<&[u8]>)?;
    }
    writer.into_inner().map_err(csv::IntoInnerError::into_error)
}

/// Whether a spreadsheet would compute `text`; numbers are what they are.
fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r'])
        && text.parse::<f64>().is_err()
}

/// `text` without the apostrophe of [`guarded`].
pub(super) fn unguarded(text: &str) -> &str {
    text.strip_prefix('\'').filter(|rest| is_formula(rest)).unwrap_or(text)
}

#[cfg(test)]
mod tests;
