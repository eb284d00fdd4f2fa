//! Sheets put together: rows of several files, further columns.

use super::{Cells, Row, Sheet, Source};
use crate::results::table::print_texts;
use csv::StringRecord;
use std::collections::HashMap;
use std::io::{self, Write};
use std::iter;

impl Sheet {
    /// Writes it as CSV with commas: the columns that `keep` is true
    /// for, by place and name.
    ///
    /// # Errors
    ///
    /// If `out` cannot be written.
    pub(crate) fn print(
        &self,
        out: &mut impl Write,
        keep: impl Fn(usize, &str) -> bool,
    ) -> io::Result<()> {
        let rows = self.records.iter().map(|record| &record.fields);
        let rows = iter::once(&self.header).chain(rows);
        let kept = |row: &StringRecord| -> StringRecord {
            let cells = self.names().enumerate().zip(row);
            let cells = cells.filter(|((i, name), _)| keep(*i, name));
            cells.map(|(_, cell)| cell).collect()
        };
        print_texts(out, rows.map(kept))
    }

    /// The files that its cells are from.
    pub(crate) fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// Adds a column at the end, with what `value` gives for each row.
    pub(crate) fn add_column(
        &mut self,
        name: &str,
        value: impl FnMut(Row<'_>) -> String,
    ) {
        let values: Vec<String> = self.records().map(value).collect();
        // Places that are known are kept, and not found again.
        let places: Vec<Option<Vec<usize>>> = self
            .records()
            .map(|row| match row.record.places {
                None => Some(self.places_of(row)),
                Some(_) => None,
            })
            .collect();
        self.header.push_field(name);
        let rows = self.records.iter_mut().zip(values).zip(places);
        for ((record, value), places) in rows {
            record.fields.push_field(&value);
            record.places = record.places.take().or(places);
            record.places.get_or_insert_default().push(record.at);
        }
    }

    /// The rows of all `sheets`, one after the other. Columns of the same
    /// name are one; a cell whose sheet lacks the column is empty.
    pub(crate) fn joined(sheets: impl IntoIterator<Item = Sheet>) -> Sheet {
        let mut sheets: Vec<Sheet> = sheets.into_iter().collect();
        if sheets.len() == 1 {
            return sheets.remove(0);
        }
        let mut header = Header::default();
        let columns: Vec<Vec<usize>> = sheets
            .iter()
            .map(|sheet| sheet.names().map(|n| header.column(n)).collect())
            .collect();
        let (mut sources, mut rows) = (vec![], vec![]);
        for (sheet, to) in sheets.iter().zip(columns) {
            let first = sources.len();
            sources.extend(sheet.sources.iter().cloned());
            for row in sheet.records() {
                let (source, at) = row.place();
                let mut cells = vec![(String::new(), at); header.names().len()];
                let places = sheet.places_of(row);
                for ((i, text), place) in row.cells().enumerate().zip(places) {
                    cells[to[i]] = (text.to_owned(), place);
                }
                rows.push(Cells { source: first + source, at, cells });
            }
        }
        Sheet::of_cells(sources, header.names(), rows)
    }

    /// The byte of each cell of a row.
    fn places_of(&self, row: Row<'_>) -> Vec<usize> {
        if let Some(places) = &row.record.places {
            return places.clone();
        }
        let places = self.places_from(row.record.at);
        places.take(self.header.len()).collect()
    }
}

/// Names of columns in the order in which they appear first.
#[derive(Default)]
pub(crate) struct Header {
    names: Vec<String>,
    columns: HashMap<String, usize>,
}

impl Header {
    /// The column `name`, which is a further one if it is new.
    pub(crate) fn column(&mut self, name: &str) -> usize {
        if let Some(column) = self.columns.get(name) {
            return *column;
        }
        self.names.push(name.to_owned());
        self.columns.insert(name.to_owned(), self.columns.len());
        self.names.len() - 1
    }

    /// All of them.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }
}

impl Row<'_> {
    /// The index of its file, and the byte or number at which it starts.
    pub(crate) fn place(&self) -> (usize, usize) {
        (self.record.source, self.record.at)
    }

    /// The byte of a cell.
    pub(crate) fn place_of(&self, column: usize) -> usize {
        match &self.record.places {
            Some(places) => places[column],
            None => self.sheet.field_at(self.record.at, column),
        }
    }
}
