//! One CSV file in memory: every cell knows its line and column.
//!
//! The one reader of the program: tables of runs, our own tables, data sets
//! and recorded curves. What other readers made of files that are no CSV is
//! a sheet, too: [`Sheet::of_cells`].

mod dialect;
mod join;
mod row;

use super::table::unguarded;
use crate::error::{Error, Result};
use crate::gzip;
use crate::text::count;
use csv::{ErrorKind, ReaderBuilder, StringRecord};
pub(crate) use dialect::Dialect;
pub(crate) use join::Header;
pub(crate) use row::Row;
use serde::de::DeserializeOwned;
use std::fs;
use std::iter;
use std::path::{Path, PathBuf};

/// The byte order mark that spreadsheets put in front.
const MARK: char = '\u{feff}';

/// Letters of a list of columns that a message shows.
const SHOWN: usize = 160;

/// The text of a file, uncompressed and without a byte order mark.
///
/// # Errors
///
/// If the file cannot be read or is not UTF-8; with line and column.
pub(crate) fn text_of(path: &Path) -> Result<String> {
    let bytes = fs::read(path).map_err(Error::io(path))?;
    let bytes = gzip::plain(path, &bytes)?.into_owned();
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

/// A table in memory: of one CSV file, or of cells from elsewhere.
pub(crate) struct Sheet {
    /// Where its cells stand. The first is that of the header.
    sources: Vec<Source>,
    separator: char,
    header: StringRecord,
    records: Vec<Record>,
}

/// A file that cells are from.
#[derive(Clone)]
pub(crate) struct Source {
    /// It names the file in messages.
    pub(crate) path: PathBuf,
    /// What it holds; `None` for a database and the like, where a place is
    /// the number of a row.
    pub(crate) text: Option<String>,
}

/// A record below the header.
#[derive(Clone)]
struct Record {
    fields: StringRecord,
    /// Index of its source.
    source: usize,
    /// Byte of the text at which it starts, or its number from 0.
    at: usize,
    /// Line of the text, or its number, from 1.
    line: usize,
    /// Byte of each field, where that is known.
    places: Option<Vec<usize>>,
}

/// A row for [`Sheet::of_cells`].
pub(crate) struct Cells {
    /// Index of its source.
    pub(crate) source: usize,
    /// Byte at which the row starts, or its number from 0.
    pub(crate) at: usize,
    /// As many as there are columns: the text and the byte at which it
    /// stands.
    pub(crate) cells: Vec<(String, usize)>,
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
        Self::parse_as(path, text.into(), &Dialect::comma())
    }

    /// The same with other separators, decimal commas and comments.
    ///
    /// # Errors
    ///
    /// If it is no such table.
    pub(crate) fn parse_as(
        path: &Path,
        text: String,
        dialect: &Dialect,
    ) -> Result<Self> {
        let read = dialect.uncommented(&text);
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .delimiter(dialect.separator)
            .from_reader(read.as_bytes());
        let mut records = vec![];
        let (mut line, mut counted) = (1, 0);
        loop {
            let mut fields = StringRecord::new();
            let at = skip_line_ends(&read, reader.position().byte());
            line += text[counted..at].matches('\n').count();
            counted = at;
            match reader.read_record(&mut fields) {
                Ok(true) => records.push(Record {
                    fields,
                    source: 0,
                    at,
                    line,
                    places: None,
                }),
                Ok(false) => break,
                Err(e) => {
                    let message = unreadable(&e, dialect);
                    return Err(Error::input(path, &text, at, message));
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
        if dialect.hashed {
            header = unhashed(&header);
        }
        dialect.with_points(records.iter_mut().map(|r| &mut r.fields));
        Ok(Self {
            sources: vec![Source { path: path.to_owned(), text: Some(text) }],
            separator: dialect.separator.into(),
            header,
            records,
        })
    }

    /// A table of cells that another reader found, from one or more files.
    pub(crate) fn of_cells(
        sources: Vec<Source>,
        header: &[impl AsRef<str>],
        rows: Vec<Cells>,
    ) -> Self {
        let starts: Vec<Option<Vec<usize>>> = sources
            .iter()
            .map(|source| {
                let text = source.text.as_deref()?;
                Some(text.match_indices('\n').map(|(at, _)| at).collect())
            })
            .collect();
        let line = |row: &Cells| match &starts[row.source] {
            Some(ends) => ends.partition_point(|end| *end < row.at) + 1,
            None => row.at + 1,
        };
        let records = rows
            .into_iter()
            .map(|row| Record {
                source: row.source,
                at: row.at,
                line: line(&row),
                places: Some(row.cells.iter().map(|(_, at)| *at).collect()),
                fields: row.cells.iter().map(|(text, _)| text).collect(),
            })
            .collect();
        let header = header.iter().map(AsRef::as_ref).collect();
        Self { sources, separator: ',', header, records }
    }

    /// The rows, as [`write_rows`] left them.
    ///
    /// # Errors
    ///
    /// If one is no `T`.
    pub(crate) fn rows<T: DeserializeOwned>(&self) -> Result<Vec<T>> {
        let mut rows = vec![];
        for record in &self.records {
            let plain: StringRecord =
                record.fields.iter().map(unguarded).collect();
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
                self.error_of(record, field.unwrap_or(0), message)
            })?;
            rows.push(row);
        }
        Ok(rows)
    }

    /// An error of the header, or at a byte of the text of the first file.
    pub(crate) fn error(&self, at: usize, message: impl Into<String>) -> Error {
        self.sources[0].error(at, message)
    }

    /// An error at a byte of the text that `record` is from.
    fn error_in(
        &self,
        record: &Record,
        at: usize,
        message: impl Into<String>,
    ) -> Error {
        self.sources[record.source].error(at, message)
    }

    /// An error of a field.
    fn error_of(
        &self,
        record: &Record,
        field: usize,
        message: impl Into<String>,
    ) -> Error {
        let at = match &record.places {
            Some(places) => places.get(field).copied().unwrap_or(record.at),
            None => self.field_at(record.at, field),
        };
        self.error_in(record, at, message)
    }

    /// The first file that it is from.
    pub(crate) fn path(&self) -> &Path {
        &self.sources[0].path
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
        let mut columns = self.names().collect::<Vec<_>>().join(", ");
        if let Some((end, _)) = columns.char_indices().nth(SHOWN) {
            columns.truncate(end);
            columns.push_str("...");
        }
        self.error(0, format!("{what}; the columns are: {columns}"))
    }

    /// An error at the end of the text: rows are missing.
    pub(crate) fn too_short(&self, message: impl Into<String>) -> Error {
        let text = self.sources[0].text.as_deref().unwrap_or_default();
        self.error(text.trim_end().len(), message)
    }

    /// The byte at which a field of the record at byte `at` starts, past the
    /// blanks before it.
    fn field_at(&self, at: usize, field: usize) -> usize {
        self.places_from(at).nth(field).unwrap_or_default()
    }

    /// The bytes at which the fields of the record at byte `at` start; those
    /// that it does not have start at the end of the text.
    fn places_from(&self, at: usize) -> impl Iterator<Item = usize> {
        let text = self.sources[0].text.as_deref().unwrap_or_default();
        let (mut is_before, mut quoted) = (true, false);
        let starts = text[at..].char_indices().filter_map(move |(i, c)| {
            let starts = is_before && c != ' ';
            is_before &= !starts;
            match c {
                '"' => quoted = !quoted,
                c if c == self.separator && !quoted => is_before = true,
                _ => {}
            }
            starts.then_some(at + i)
        });
        starts.chain(iter::repeat(text.len()))
    }
}

impl Source {
    /// An error at a byte of its text, or in a row of a database.
    pub(crate) fn error(&self, at: usize, message: impl Into<String>) -> Error {
        match &self.text {
            Some(text) => Error::input(&self.path, text, at, message),
            None => Error::Invalid(format!(
                "{}: row {}: {}",
                self.path.display(),
                at + 1,
                message.into()
            )),
        }
    }
}

/// The first byte from `at` on that does not end the line before.
fn skip_line_ends(text: &str, at: u64) -> usize {
    let at = usize::try_from(at).unwrap_or(usize::MAX).min(text.len());
    let rest = text[at..].trim_start_matches(['\r', '\n']);
    text.len() - rest.len()
}

/// A header without the `#` that made it a comment.
fn unhashed(header: &StringRecord) -> StringRecord {
    let first = |name: &str| {
        let plain = name.trim_start_matches('#').trim_start();
        if plain.is_empty() { name.to_owned() } else { plain.to_owned() }
    };
    let first = header.get(0).map(first);
    first.into_iter().chain(header.iter().skip(1).map(str::to_owned)).collect()
}

fn unreadable(error: &csv::Error, dialect: &Dialect) -> String {
    match error.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => format!(
            "this row has {}, but the header has {expected_len}; quote cells \
             that contain {}",
            count(len, "field", "fields"),
            dialect.separators()
        ),
        _ => error.to_string(),
    }
}
