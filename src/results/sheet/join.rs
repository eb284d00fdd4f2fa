//! Sheets put together: rows of several files, further columns.

use super::{Cells, Row, Sheet, Source};
use crate::results::table::print_texts;
use csv::StringRecord;
use std::collections::HashMap;
use std::io::{self, Write};
use std::iter;

impl Sheet {
    /// Writes it as CSV with commas, without the columns `left_out`.
    ///
    /// # Errors
    ///
    /// If `out` cannot be written.
    pub(crate) fn print(
        &self,
        out: &mut impl Write,
        left_out: &[&str],
    ) -> io::Result<()> {
        let rows = self.records.iter().map(|record| &record.fields);
        let rows = iter::once(&self.header).chain(rows);
        let kept = |row: &StringRecord| -> StringRecord {
            let cells = self.names().zip(row);
            let cells = cells.filter(|(name, _)| !left_out.contains(name));
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
        value: impl Fn(Row<'_>) -> String,
    ) {
        let values: Vec<String> = self.records().map(value).collect();
        let places: Vec<Vec<usize>> =
            self.records().map(|row| self.places_of(row)).collect();
        self.header.push_field(name);
        let rows = self.records.iter_mut().zip(values).zip(places);
        for ((record, value), mut places) in rows {
            record.fields.push_field(&value);
            places.push(record.at);
            record.places = Some(places);
        }
    }

    /// The rows of all `sheets`, one after the other. Columns of the same
    /// name are one; a cell whose sheet lacks the column is empty.
    pub(crate) fn joined(mut sheets: Vec<Sheet>) -> Sheet {
        if sheets.len() == 1 {
            return sheets.remove(0);
        }
        let mut header: Vec<&str> = vec![];
        let mut columns: HashMap<&str, usize> = HashMap::new();
        for name in sheets.iter().flat_map(Sheet::names) {
            columns.entry(name).or_insert_with(|| {
                header.push(name);
                header.len() - 1
            });
        }
        let (mut sources, mut rows) = (vec![], vec![]);
        for sheet in &sheets {
            let first = sources.len();
            sources.extend(sheet.sources.iter().cloned());
            let to: Vec<usize> =
                sheet.names().map(|name| columns[name]).collect();
            for row in sheet.records() {
                let (source, at) = row.place();
                let mut cells = vec![(String::new(), at); header.len()];
                let places = sheet.places_of(row);
                for ((i, text), place) in row.cells().enumerate().zip(places) {
                    cells[to[i]] = (text.to_owned(), place);
                }
                rows.push(Cells { source: first + source, at, cells });
            }
        }
        Sheet::of_cells(sources, &header, rows)
    }

    /// The byte of each cell of a row.
    fn places_of(&self, row: Row<'_>) -> Vec<usize> {
        (0..self.header.len()).map(|column| row.place_of(column)).collect()
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
