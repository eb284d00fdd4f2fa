//! One CSV file in memory: every cell knows its line and column.
//!
//! The one reader of the program: tables of runs, our own tables, data sets
//! and recorded curves.

use super::table::unguarded;
use crate::error::{Error, Result};
use crate::text::excerpt;
use csv::{ErrorKind, ReaderBuilder, StringRecord};
use serde::de::DeserializeOwned;
use std::fs;
use std::path::{Path, PathBuf};

/// The byte order mark that spreadsheets put in front.
const MARK: char = '\u{feff}';

/// The text of a file, without a byte order mark.
///
/// # Errors
///
/// If the file cannot be read or is not UTF-8; with line and column.
pub(crate) fn text_of(path: &Path) -> Result<String> {
    let bytes = fs::read(path).map_err(Error::io(path))?;
    let mut text = String::from_utf8(bytes).map_err(|e| {
        let valid = e.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(&e.as_bytes()[..valid]);
        Error::input(path, &text, valid, "not UTF-8; save it as UTF-8")
    })?;
    if text.starts_with(MARK) {
        text.remove(0);
    }
    Ok(text)
}

/// A CSV file in memory.
pub(crate) struct Sheet {
    path: PathBuf,
    text: String,
    header: StringRecord,
    records: Vec<Record>,
}

/// A record below the header.
struct Record {
    fields: StringRecord,
    /// Byte of the text at which it starts.
    at: usize,
    /// Line of the text, from 1.
    line: usize,
}

impl Sheet {
    /// The file at `path`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is no CSV.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        Self::parse(path, text_of(path)?)
    }

    /// A text that is there already; `path` names it in messages.
    ///
    /// # Errors
    ///
    /// If it is no CSV.
    pub(crate) fn parse(path: &Path, text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .from_reader(text.as_bytes());
        let mut records = vec![];
        let (mut line, mut counted) = (1, 0);
        loop {
            let mut fields = StringRecord::new();
            let at = skip_line_ends(&text, reader.position().byte());
            line += text[counted..at].matches('\n').count();
            counted = at;
            match reader.read_record(&mut fields) {
                Ok(true) => records.push(Record { fields, at, line }),
                Ok(false) => break,
                Err(e) => {
                    return Err(Error::input(path, &text, at, unreadable(&e)));
                }
            }
        }
        if records.is_empty() {
            let message = "the file is empty; its first line must name the \
                           columns";
            return Err(Error::input(path, &text, 0, message));
        }
        let mut header = records.remove(0).fields;
        header.trim();
        Ok(Self { path: path.to_owned(), text, header, records })
    }

    /// The rows, as [`write_rows`] left them.
    ///
    /// # Errors
    ///
    /// If one is no `T`.
    pub(crate) fn rows<T: DeserializeOwned>(&self) -> Result<Vec<T>> {
        let mut rows = vec![];
        for Record { fields, at, .. } in &self.records {
            let plain: StringRecord = fields.iter().map(unguarded).collect();
            let row = plain.deserialize(Some(&self.header)).map_err(|e| {
                let field = match e.kind() {
                    ErrorKind::Deserialize { err, .. } => err.field(),
                    _ => None,
                };
                let field = field.and_then(|f| usize::try_from(f).ok());
                let message = match e.kind() {
                    ErrorKind::Deserialize { err, .. } => {
                        err.kind().to_string()
                    }
                    _ => e.to_string(),
                };
                self.error(self.field_at(*at, field.unwrap_or(0)), message)
            })?;
            rows.push(row);
        }
        Ok(rows)
    }

    /// An error at a byte of the text; 0 is the header.
    pub(crate) fn error(&self, at: usize, message: impl Into<String>) -> Error {
        Error::input(&self.path, &self.text, at, message)
    }

    /// Names of the columns, without blanks around them.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.header.iter()
    }

    /// The name of a column.
    pub(crate) fn name(&self, column: usize) -> &str {
        &self.header[column]
    }

    /// The rows below the header, in order.
    pub(crate) fn records(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        self.records.iter().map(|record| Row { sheet: self, record })
    }

    /// The column `name`; small and capital letters are the same where no
    /// column has exactly this name.
    ///
    /// # Errors
    ///
    /// If two columns have it.
    pub(crate) fn column(&self, name: &str) -> Result<Option<usize>> {
        let exact = |column: &str| column == name;
        let alike = |column: &str| column.eq_ignore_ascii_case(name);
        let places = |is_it: &dyn Fn(&str) -> bool| -> Vec<usize> {
            (0..self.header.len()).filter(|&i| is_it(&self.header[i])).collect()
        };
        let exact = places(&exact);
        let places = if exact.is_empty() { places(&alike) } else { exact };
        match places.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(*one)),
            [_, second, ..] => Err(self.error(
                self.field_at(0, *second),
                format!("there is a second column `{name}`; rename one"),
            )),
        }
    }

    /// The column `name`, which must be there.
    ///
    /// # Errors
    ///
    /// If it is not, or twice.
    pub(crate) fn needed(&self, name: &str) -> Result<usize> {
        self.column(name)?
            .ok_or_else(|| self.lacks(&format!("there is no column `{name}`")))
    }

    /// An error of the header: `what`, and the columns that there are.
    pub(crate) fn lacks(&self, what: &str) -> Error {
        let columns: Vec<&str> = self.names().collect();
        let columns = columns.join(", ");
        self.error(0, format!("{what}; the columns are: {columns}"))
    }

    /// An error at the end of the text: rows are missing.
    pub(crate) fn too_short(&self, message: impl Into<String>) -> Error {
        self.error(self.text.trim_end().len(), message)
    }

    /// The byte at which a field of the record at byte `at` starts, past the
    /// blanks before it.
    fn field_at(&self, at: usize, field: usize) -> usize {
        let (mut left, mut quoted) = (field, false);
        for (i, byte) in self.text.bytes().enumerate().skip(at) {
            match byte {
                b' ' if left == 0 => {}
                _ if left == 0 => return i,
                b'"' => quoted = !quoted,
                b',' if !quoted => left -= 1,
                _ => {}
            }
        }
        self.text.len()
    }
}

/// A record that knows where it stands, for messages.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    sheet: &'a Sheet,
    record: &'a Record,
}

impl<'a> Row<'a> {
    /// A cell without blanks around it.
    pub(crate) fn text(&self, column: usize) -> &'a str {
        unguarded(&self.record.fields[column]).trim()
    }

    /// A cell that may be empty, or whose column may not be there.
    pub(crate) fn optional(&self, column: Option<usize>) -> Option<&'a str> {
        column.map(|column| self.text(column)).filter(|text| !text.is_empty())
    }

    /// Its line in the file, from 1.
    pub(crate) fn line(&self) -> usize {
        self.record.line
    }

    /// An error of this cell, at its line and column: what it is, and what
    /// is wanted.
    pub(crate) fn error(&self, column: usize, wanted: &str) -> Error {
        let at = self.sheet.field_at(self.record.at, column);
        let name = &self.sheet.header[column];
        let is = match self.text(column) {
            "" => "empty".to_owned(),
            text => excerpt(text),
        };
        self.sheet.error(at, format!("{} is {is}; {wanted}", excerpt(name)))
    }

    /// An error of the whole row, at its line.
    pub(crate) fn fault(&self, message: impl Into<String>) -> Error {
        self.sheet.error(self.record.at, message)
    }

    /// Its cells, as they stand.
    pub(crate) fn cells(&self) -> impl Iterator<Item = &'a str> {
        self.record.fields.iter()
    }

    /// A cell that must not be empty.
    pub(crate) fn name(&self, column: usize) -> Result<String> {
        let text = self.text(column);
        if text.is_empty() {
            return Err(self.error(column, "every run needs one"));
        }
        Ok(text.to_owned())
    }

    /// A whole number; `3.0` is one, for data frames with gaps write that.
    pub(crate) fn whole(&self, column: usize) -> Result<u64> {
        /// Whole numbers above have no exact `f64`.
        const MOST: f64 = 9_007_199_254_740_992.0;
        let text = self.text(column);
        if let Ok(number) = text.parse() {
            return Ok(number);
        }
        match text.parse::<f64>() {
            Ok(number)
                if number.fract() == 0.0 && (0.0..MOST).contains(&number) =>
            {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "checked to be a whole number in range"
                )]
                let whole = number as u64;
                Ok(whole)
            }
            _ => Err(self.error(column, "it must be a whole number from 0 up")),
        }
    }

    /// A finite number above 0.
    pub(crate) fn positive(&self, column: usize) -> Result<f64> {
        match self.text(column).parse::<f64>() {
            Ok(number) if number > 0.0 && number.is_finite() => Ok(number),
            _ => Err(self.error(column, "it must be a number above 0")),
        }
    }

    /// Any number, `nan` and `inf` too; an empty cell is `nan`.
    ///
    /// # Errors
    ///
    /// If it is no number: `wanted` says what is.
    pub(crate) fn number(&self, column: usize, wanted: &str) -> Result<f64> {
        match self.text(column) {
            "" => Ok(f64::NAN),
            text => text.parse().map_err(|_| self.error(column, wanted)),
        }
    }
}

/// The first byte from `at` on that does not end the line before.
fn skip_line_ends(text: &str, at: u64) -> usize {
    let at = usize::try_from(at).unwrap_or(usize::MAX).min(text.len());
    let rest = text[at..].trim_start_matches(['\r', '\n']);
    text.len() - rest.len()
}

fn unreadable(error: &csv::Error) -> String {
    match error.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => format!(
            "this row has {len} fields and the header {expected_len}; quote \
             cells that contain commas"
        ),
        _ => error.to_string(),
    }
}
