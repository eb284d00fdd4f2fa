//! Tables as CSV: runs in, rows out.

use super::write_atomically;
use crate::error::{Error, Result};
use crate::record::Observation;
use csv::{ByteRecord, ErrorKind, ReaderBuilder, StringRecord, WriterBuilder};
use serde::{Serialize, de::DeserializeOwned};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The runs of one long CSV, ours or another tool's, and the name of the
/// score column; see [`read_all`].
///
/// # Errors
///
/// As [`read_all`].
pub(crate) fn read_observations(
    path: &Path,
    score: Option<&str>,
) -> Result<(Vec<Observation>, String)> {
    read_all(&[path.to_owned()], score)
}

/// The runs of several CSV files, one after the other, and the name of the
/// score column.
///
/// A file needs the columns `workload`, `schedule`, `seed` and one of scores:
/// `score`, if given, else `valid_loss`, else `score`. It may have `cluster`,
/// `budget`, `lr_multiple` and `outcome`; further ones are ignored. A run
/// whose score is empty, `nan` or infinite, or whose outcome is anything but
/// `completed`, has no score; `stopped` is the outcome of a run that a race
/// left out.
///
/// # Errors
///
/// If a file cannot be read, lacks a column or rows, has a cell that cannot
/// be understood, or a run is there twice; all but the first with line and
/// column.
pub(crate) fn read_all(
    paths: &[PathBuf],
    score: Option<&str>,
) -> Result<(Vec<Observation>, String)> {
    let mut observations: Vec<Observation> = vec![];
    let mut files: Vec<&Path> = vec![];
    let mut column: Option<String> = None;
    for path in paths {
        let sheet = Sheet::read(path)?;
        let (runs, used) = sheet.observations(score)?;
        if let Some(other) = column.replace(used.clone())
            && other != used
        {
            return Err(sheet.error(
                0,
                format!(
                    "the score column here is `{used}`, in the files before \
                     it `{other}`; name one with `--score`"
                ),
            ));
        }
        files.extend(runs.iter().map(|_| path.as_path()));
        observations.extend(runs);
    }
    no_duplicates(&observations, &files)?;
    // Without a file there is no column either, and nothing to rank.
    Ok((observations, column.unwrap_or_default()))
}

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
    if std::fs::metadata(path).is_ok_and(|file| file.len() == 0) {
        return Ok(vec![]);
    }
    Sheet::read(path)?.rows()
}

/// A CSV file in memory.
pub(crate) struct Sheet {
    path: PathBuf,
    text: String,
    header: StringRecord,
    /// Records and the bytes at which they start.
    records: Vec<(StringRecord, usize)>,
}

impl Sheet {
    /// # Errors
    ///
    /// If the file cannot be read or is no CSV.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).map_err(Error::io(path))?;
        let text = String::from_utf8(bytes).map_err(|e| {
            let valid = e.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(&e.as_bytes()[..valid]);
            Error::input(path, &text, valid, "not UTF-8; save it as UTF-8")
        })?;
        Self::parse(path, &text)
    }

    /// A text that is there already; `path` names it in messages.
    ///
    /// # Errors
    ///
    /// If it is no CSV.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self> {
        // Spreadsheets put a byte order mark in front.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .from_reader(text.as_bytes());
        let mut records = vec![];
        loop {
            let mut record = StringRecord::new();
            let at = skip_line_ends(&text, reader.position().byte());
            match reader.read_record(&mut record) {
                Ok(true) => records.push((record, at)),
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
        let mut header = records.remove(0).0;
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
        for (record, at) in &self.records {
            let plain: StringRecord = record.iter().map(unguarded).collect();
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

    /// An error at a byte of the text.
    fn error(&self, at: usize, message: impl Into<String>) -> Error {
        Error::input(&self.path, &self.text, at, message)
    }

    fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }

    /// The column `name`, which must be there.
    fn needed(&self, name: &str) -> Result<usize> {
        self.column(name).ok_or_else(|| {
            let columns: Vec<&str> = self.header.iter().collect();
            self.error(
                0,
                format!(
                    "there is no column `{name}`; the columns are: {}",
                    columns.join(", ")
                ),
            )
        })
    }

    /// The byte at which a field of the record at byte `at` starts.
    fn field_at(&self, at: usize, field: usize) -> usize {
        let (mut left, mut quoted) = (field, false);
        for (i, byte) in self.text.bytes().enumerate().skip(at) {
            if left == 0 {
                return i;
            }
            match byte {
                b'"' => quoted = !quoted,
                b',' if !quoted => left -= 1,
                _ => {}
            }
        }
        self.text.len()
    }

    /// The runs and the name of their score column; see [`read_all`].
    ///
    /// # Errors
    ///
    /// As [`read_all`], but for runs that are there twice.
    pub(crate) fn observations(
        &self,
        score: Option<&str>,
    ) -> Result<(Vec<Observation>, String)> {
        let columns = Columns::of(self, score)?;
        if self.records.is_empty() {
            let end = self.text.trim_end().len();
            return Err(self.error(end, "there are no rows below the header"));
        }
        let mut observations = Vec::with_capacity(self.records.len());
        let (mut line, mut counted) = (1, 0);
        for (record, at) in &self.records {
            line += self.text[counted..*at].matches('\n').count();
            counted = *at;
            let row = Row { sheet: self, record, at: *at };
            observations.push(columns.observation(&row, line)?);
        }
        Ok((observations, self.header[columns.score].to_owned()))
    }
}

/// Where the fields of an observation stand.
struct Columns {
    workload: usize,
    schedule: usize,
    seed: usize,
    score: usize,
    cluster: Option<usize>,
    budget: Option<usize>,
    lr_multiple: Option<usize>,
    outcome: Option<usize>,
}

impl Columns {
    fn of(sheet: &Sheet, score: Option<&str>) -> Result<Self> {
        let score = match score {
            Some(name) => sheet.needed(name)?,
            None => match sheet.column("valid_loss") {
                Some(column) => column,
                None => sheet.column("score").ok_or_else(|| {
                    let columns: Vec<&str> = sheet.header.iter().collect();
                    sheet.error(
                        0,
                        format!(
                            "there is no column `valid_loss` or `score`; \
                             name the scores with `--score`, one of: {}",
                            columns.join(", ")
                        ),
                    )
                })?,
            },
        };
        Ok(Self {
            workload: sheet.needed("workload")?,
            schedule: sheet.needed("schedule")?,
            seed: sheet.needed("seed")?,
            score,
            cluster: sheet.column("cluster"),
            budget: sheet.column("budget"),
            lr_multiple: sheet.column("lr_multiple"),
            outcome: sheet.column("outcome"),
        })
    }

    fn observation(&self, row: &Row<'_>, line: usize) -> Result<Observation> {
        let workload = row.name(self.workload)?;
        let cluster = self.cluster.map(|column| row.text(column));
        let cluster = cluster.filter(|text| !text.is_empty());
        let budget = self.budget.filter(|&c| !row.text(c).is_empty());
        let multiple = self.lr_multiple.filter(|&c| !row.text(c).is_empty());
        let score = row.score(self.score)?;
        let outcome = self.outcome.map(|column| row.text(column));
        let completed = outcome.as_deref().is_none_or(|o| o == "completed");
        Ok(Observation {
            cluster: cluster.unwrap_or_else(|| workload.clone()),
            workload,
            schedule: row.name(self.schedule)?,
            seed: row.whole(self.seed)?,
            budget: budget.map(|column| row.whole(column)).transpose()?,
            lr_multiple: multiple.map(|c| row.positive(c)).transpose()?,
            score: score.filter(|_| completed),
            stopped: outcome.as_deref() == Some("stopped"),
            line,
        })
    }
}

/// A record that knows where it stands, for messages.
struct Row<'a> {
    sheet: &'a Sheet,
    record: &'a StringRecord,
    at: usize,
}

impl Row<'_> {
    fn text(&self, column: usize) -> String {
        unguarded(&self.record[column]).trim().to_owned()
    }

    fn error(&self, column: usize, wanted: &str) -> Error {
        let at = self.sheet.field_at(self.at, column);
        let name = &self.sheet.header[column];
        let text = self.text(column);
        if text.is_empty() {
            self.sheet.error(at, format!("`{name}` is empty; {wanted}"))
        } else {
            self.sheet.error(at, format!("`{name}` is `{text}`; {wanted}"))
        }
    }

    fn name(&self, column: usize) -> Result<String> {
        let text = self.text(column);
        if text.is_empty() {
            return Err(self.error(column, "every run needs one"));
        }
        Ok(text)
    }

    /// A whole number; `3.0` is one, for data frames with gaps write that.
    fn whole(&self, column: usize) -> Result<u64> {
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

    fn positive(&self, column: usize) -> Result<f64> {
        match self.text(column).parse::<f64>() {
            Ok(number) if number > 0.0 && number.is_finite() => Ok(number),
            _ => Err(self.error(column, "it must be a number above 0")),
        }
    }

    /// `None` for a run that diverged.
    fn score(&self, column: usize) -> Result<Option<f64>> {
        let text = self.text(column);
        if text.is_empty() {
            return Ok(None);
        }
        let number: f64 = text.parse().map_err(|_| {
            self.error(
                column,
                "it must be a number, or `nan` or empty for a run that \
                 diverged",
            )
        })?;
        Ok(Some(number).filter(|number| number.is_finite()))
    }
}

fn no_duplicates(runs: &[Observation], files: &[&Path]) -> Result<()> {
    let mut seen = HashMap::with_capacity(runs.len());
    for (i, run) in runs.iter().enumerate() {
        let key = (
            run.workload.as_str(),
            run.budget,
            run.lr_multiple.map(f64::to_bits),
            run.schedule.as_str(),
            run.seed,
        );
        let first = match seen.entry(key) {
            Entry::Vacant(place) => {
                place.insert(i);
                continue;
            }
            Entry::Occupied(place) => *place.get(),
        };
        let file = if files[first] == files[i] {
            String::new()
        } else {
            format!(" of {}", files[first].display())
        };
        return Err(Error::Input {
            path: files[i].to_owned(),
            line: run.line,
            column: 1,
            message: format!(
                "schedule `{}` with seed {} on workload `{}` is already in \
                 line {}{file}; keep one of the two",
                run.schedule, run.seed, run.workload, runs[first].line
            ),
        });
    }
    Ok(())
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
fn unguarded(text: &str) -> &str {
    text.strip_prefix('\'').filter(|rest| is_formula(rest)).unwrap_or(text)
}

#[cfg(test)]
mod tests;
