//! One row of a sheet: its cells as text, names and numbers.

use super::{Record, Sheet};
use crate::error::{Error, Result};
use crate::results::table::unguarded;
use crate::text::excerpt;
use std::path::Path;

/// A record that knows where it stands, for messages.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    pub(super) sheet: &'a Sheet,
    pub(super) record: &'a Record,
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

    /// The file that it is from.
    pub(crate) fn path(&self) -> &'a Path {
        &self.sheet.sources[self.record.source].path
    }

    /// Its line in the file, from 1.
    pub(crate) fn line(&self) -> usize {
        self.record.line
    }

    /// An error of this cell, at its line and column: what it is, and what
    /// is wanted.
    pub(crate) fn error(&self, column: usize, wanted: &str) -> Error {
        let name = &self.sheet.header[column];
        let is = match self.text(column) {
            "" => "empty".to_owned(),
            text => excerpt(text),
        };
        let message = format!("{} is {is}; {wanted}", excerpt(name));
        self.sheet.error_of(self.record, column, message)
    }

    /// An error of the whole row, at its line.
    pub(crate) fn fault(&self, message: impl Into<String>) -> Error {
        self.sheet.error_in(self.record, self.record.at, message)
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
