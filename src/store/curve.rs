//! Curves of range tests as CSV: our own, and those of any other tool.

use super::write_atomically;
use crate::error::{Error, Result};
use crate::text::excerpt;
use csv::{ByteRecord, ReaderBuilder, Trim};
use serde::Serialize;
use std::fs;
use std::path::Path;

/// A recorded range test: one row an update, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RecordedCurve {
    /// Learning rates, finite and not negative.
    pub(crate) lr: Vec<f64>,
    /// Raw losses; may be infinite or NaN.
    pub(crate) loss: Vec<f64>,
}

/// A CSV file with its text, for messages with line and column.
struct Source<'a> {
    path: &'a Path,
    text: &'a str,
}

/// Reads the columns `lr` and `loss`, in any place; others are ignored. An
/// empty loss is NaN, as `nan` is, and `inf` is allowed.
///
/// # Errors
///
/// [`Error::Io`] if the file cannot be read or is no UTF-8, [`Error::Input`]
/// for what is not such a table.
pub(crate) fn read(path: &Path) -> Result<RecordedCurve> {
    let text = fs::read_to_string(path).map_err(Error::io(path))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    Source { path, text }.curve()
}

/// Writes one row an update, with a header, all at once.
///
/// # Errors
///
/// [`Error::Io`] if the file cannot be written.
pub(crate) fn write<T: Serialize>(path: &Path, rows: &[T]) -> Result<()> {
    let mut writer = csv::Writer::from_writer(vec![]);
    let failed = |e: csv::Error| Error::io(path)(std::io::Error::other(e));
    for row in rows {
        writer.serialize(row).map_err(failed)?;
    }
    let bytes =
        writer.into_inner().map_err(|e| Error::io(path)(e.into_error()))?;
    write_atomically(path, &bytes)
}

impl Source<'_> {
    fn curve(&self) -> Result<RecordedCurve> {
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(Trim::All)
            .from_reader(self.text.as_bytes());
        let mut record = ByteRecord::new();
        let mut next = |record: &mut ByteRecord| {
            let more = reader.read_byte_record(record);
            more.map_err(|e| self.error(0, e.to_string()))
        };
        if !next(&mut record)? {
            let message = "the file is empty, expected a header with columns \
                           `lr` and `loss`";
            return Err(self.error(0, message.to_owned()));
        }
        let header = record.clone();
        let lr_at = self.column(&header, "lr")?;
        let loss_at = self.column(&header, "loss")?;
        let mut curve = RecordedCurve::default();
        while next(&mut record)? {
            for (name, at) in [("lr", lr_at), ("loss", loss_at)] {
                if record.len() <= at {
                    let message = format!(
                        "the row has {} of {} fields and no `{name}`",
                        record.len(),
                        header.len()
                    );
                    return Err(self.error(start(&record), message));
                }
            }
            curve.lr.push(self.lr(&record, lr_at)?);
            curve.loss.push(self.loss(&record, loss_at)?);
        }
        Ok(curve)
    }

    /// Where the header names a column; exactly one place.
    fn column(&self, header: &ByteRecord, name: &str) -> Result<usize> {
        let is_it = |field: &[u8]| field.eq_ignore_ascii_case(name.as_bytes());
        let mut places = (0..header.len()).filter(|&at| is_it(&header[at]));
        let Some(place) = places.next() else {
            let names: Vec<String> =
                header.iter().map(|field| excerpt(&lossy(field))).collect();
            let message = format!(
                "no column `{name}` in the header, which has {}",
                names.join(", ")
            );
            return Err(self.error(start(header), message));
        };
        match places.next() {
            None => Ok(place),
            Some(second) => {
                let message = format!("a second column `{name}`");
                Err(self.error(self.offset(header, second), message))
            }
        }
    }

    fn lr(&self, record: &ByteRecord, at: usize) -> Result<f64> {
        let text = lossy(&record[at]);
        let lr = text.parse().ok();
        lr.filter(|lr: &f64| lr.is_finite() && *lr >= 0.0).ok_or_else(|| {
            let message =
                format!("`lr` must be a number from 0, got {}", excerpt(&text));
            self.error(self.offset(record, at), message)
        })
    }

    fn loss(&self, record: &ByteRecord, at: usize) -> Result<f64> {
        let text = lossy(&record[at]);
        if text.is_empty() {
            return Ok(f64::NAN);
        }
        text.parse().map_err(|_| {
            let message = format!(
                "`loss` must be a number, `nan` or `inf`, got {}",
                excerpt(&text)
            );
            self.error(self.offset(record, at), message)
        })
    }

    /// Byte offset of a field in the text, past blanks before it. The parser
    /// tells only where its record starts.
    fn offset(&self, record: &ByteRecord, at: usize) -> usize {
        let from = start(record);
        let rest = self.text.get(from..).unwrap_or_default();
        let blank = |c: char| c == '\n' || c == '\r';
        let from = from + rest.len() - rest.trim_start_matches(blank).len();
        let rest = self.text.get(from..).unwrap_or_default();
        let mut quoted = false;
        let mut commas = 0;
        let mut offset = from;
        for (i, c) in rest.char_indices() {
            if commas == at {
                break;
            }
            match c {
                '"' => quoted = !quoted,
                ',' if !quoted => commas += 1,
                _ => {}
            }
            offset = from + i + c.len_utf8();
        }
        let field = self.text.get(offset..).unwrap_or_default();
        let blanks = field.len() - field.trim_start_matches(' ').len();
        offset + blanks
    }

    fn error(&self, offset: usize, message: String) -> Error {
        Error::input(self.path, self.text, offset, message)
    }
}

fn lossy(field: &[u8]) -> String {
    String::from_utf8_lossy(field).into_owned()
}

/// Byte offset at which the parser began with a record.
fn start(record: &ByteRecord) -> usize {
    let byte = record.position().map_or(0, csv::Position::byte);
    usize::try_from(byte).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<RecordedCurve> {
        Source { path: Path::new("curve.csv"), text }.curve()
    }

    fn refusal(text: &str) -> String {
        read_text(text).expect_err("not a curve").to_string()
    }

    #[test]
    fn columns_stand_anywhere_and_losses_may_be_anything() {
        let curve = read_text(
            "step, LOSS ,lr,note\r\n0,1.5,1e-7,\"a, b\"\r\n\r\n1,NaN,0.1,\n\
             2,,1,x\n3,-Inf,2,\n4,inf,\"3\",\n",
        )
        .expect("a curve");
        assert_eq!(curve.lr, [1e-7, 0.1, 1.0, 2.0, 3.0]);
        let losses = format!("{:?}", curve.loss);
        assert_eq!(losses, "[1.5, NaN, NaN, -inf, inf]");
        let empty = read_text("lr,loss\n").expect("a curve of no rows");
        assert_eq!(empty, RecordedCurve::default());
    }

    #[test]
    fn refusals_say_where_and_what_would_be_right() {
        for (text, message) in [
            (
                "",
                "curve.csv:1:1: the file is empty, expected a header with \
                 columns `lr` and `loss`",
            ),
            (
                "rate,loss\n1,2\n",
                "curve.csv:1:1: no column `lr` in the header, which has \
                 `rate`, `loss`",
            ),
            ("lr,loss,lr\n", "curve.csv:1:9: a second column `lr`"),
            (
                "lr,loss\n0.1,2\n0.2,much\n",
                "curve.csv:3:5: `loss` must be a number, `nan` or `inf`, got \
                 `much`",
            ),
            (
                "a,lr,loss\n\n\"é,\n\", nan,2\n",
                "curve.csv:4:4: `lr` must be a number from 0, got `nan`",
            ),
            (
                "lr,loss\n-1,2\n",
                "curve.csv:2:1: `lr` must be a number from 0, got `-1`",
            ),
            (
                "lr,loss\n0.1,2\n0.2\n",
                "curve.csv:3:1: the row has 1 of 2 fields and no `loss`",
            ),
        ] {
            assert_eq!(refusal(text), message, "{text:?}");
        }
    }

    #[test]
    fn what_was_written_is_read_again() {
        #[derive(Serialize)]
        struct Row {
            lr: f64,
            smoothed: f64,
            loss: f64,
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("deep/curve.csv");
        let row = |lr, loss| Row { lr, smoothed: 1.0, loss };
        let rows = [row(1e-7, 0.1 + 0.2), row(0.3, f64::INFINITY)];
        write(&path, &rows).expect("writable");
        let back = read(&path).expect("a curve");
        assert_eq!(back.lr, [1e-7, 0.3]);
        assert_eq!(back.loss, [0.1 + 0.2, f64::INFINITY]);
    }
}
