//! Text of bytes: UTF-8, or UTF-16 with a byte order mark, perhaps packed by
//! gzip.

use crate::error::{Error, Result};
use crate::gzip;
use std::path::Path;

/// Kinds of files that are no text, by their first bytes, and what to do.
const BINARY: &[(&[u8], &str)] = &[
    (b"PK\x03\x04", "a ZIP file (or a spreadsheet): save the table as CSV"),
    (b"PAR1", "a Parquet file: save it as CSV, with `to_csv` of pandas"),
    (b"ARROW1", "an Arrow file: save it as CSV, with `to_csv` of pandas"),
    (b"\x89HDF", "an HDF5 file: save the table as CSV"),
    (b"\x80\x04", "a Python pickle, which cannot be read safely: save CSV"),
    (b"\x80\x05", "a Python pickle, which cannot be read safely: save CSV"),
    (b"%PDF", "a PDF file: save the table as CSV"),
];

/// The text of `bytes`, without a byte order mark.
///
/// # Errors
///
/// If it is no text; the message says what it is, as far as that is known.
pub(super) fn text_of(path: &Path, bytes: &[u8]) -> Result<String> {
    let bytes = &gzip::plain(path, bytes)?[..];
    let known = BINARY.iter().find(|(start, _)| bytes.starts_with(start));
    if let Some((_, what)) = known {
        return Err(Error::input(path, "", 0, format!("this is {what}")));
    }
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(path, rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(path, rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => plain(path, rest),
        _ => plain(path, bytes),
    }
}

fn plain(path: &Path, bytes: &[u8]) -> Result<String> {
    let at = match std::str::from_utf8(bytes) {
        Ok(text) => match text.find('\0') {
            None => return Ok(text.to_owned()),
            Some(at) => at,
        },
        Err(e) => e.valid_up_to(),
    };
    let text = String::from_utf8_lossy(&bytes[..at]);
    let message = if bytes.contains(&0) {
        "this is not text; save the table as CSV or JSON"
    } else {
        "not UTF-8; save it as UTF-8"
    };
    Err(Error::input(path, &text, at, message))
}

fn wide(path: &Path, bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| unit(*pair));
    let decoded: std::result::Result<String, _> =
        char::decode_utf16(units).collect();
    match decoded {
        Ok(text) if rest.is_empty() => Ok(text),
        _ => {
            let message = "broken UTF-16; save it as UTF-8";
            Err(Error::input(path, "", 0, message))
        }
    }
}
