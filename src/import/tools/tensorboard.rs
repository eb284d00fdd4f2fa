//! TensorBoard event files: records with checksums, which hold the scalars
//! of a run as a plain number or as a tensor. Made from torch 2.15.0,
//! tensorboardX 2.6.5 and tensorflow 2.21.0.
//!
//! Sources: tensorflow/core/lib/io/record_writer.cc,
//! tensorflow/core/util/event.proto, framework/summary.proto and
//! framework/tensor.proto.

use super::{Piece, Rows, Tool};
use crate::error::{Error, Result};
use crate::results::{Cells, Header, Sheet, Source};
use std::collections::BTreeMap;
use std::path::Path;

/// Bytes of a record before its data (length, checksum) and after it.
const HEAD: usize = 12;
const TAIL: usize = 4;

/// Whether the first record has a right checksum.
pub(crate) fn is_one(bytes: &[u8]) -> bool {
    bytes.first_chunk::<12>().is_some_and(|head| length_of(head).is_some())
}

/// A row for each step, a column for each tag; none where there are no
/// scalars.
///
/// # Errors
///
/// If a checksum is wrong. A last record that is cut off is left out: the
/// program that writes the file may still run.
pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<Piece> {
    let mut tags = Header::default();
    let mut rows: BTreeMap<i64, BTreeMap<usize, f64>> = BTreeMap::new();
    let (mut rest, mut record) = (bytes, 0);
    while let Some(head) = rest.first_chunk::<HEAD>() {
        record += 1;
        let broken = || {
            Error::Invalid(format!(
                "{}: record {record} (byte {}) has a wrong checksum; copy \
                 the file again, or leave it out",
                path.display(),
                bytes.len() - rest.len()
            ))
        };
        let length = length_of(head).ok_or_else(broken)?;
        let Some(data) = rest.get(HEAD..HEAD.saturating_add(length)) else {
            break;
        };
        let Some(check) = rest[HEAD + length..].first_chunk::<TAIL>() else {
            break;
        };
        if u32::from_le_bytes(*check) != masked(data) {
            return Err(broken());
        }
        let (step, scalars) = scalars(data);
        for (tag, value) in scalars {
            let column = tags.column(&tag);
            rows.entry(step).or_default().insert(column, value);
        }
        rest = &rest[HEAD + length + TAIL..];
    }
    let cells = rows.iter().enumerate().map(|(at, (step, values))| {
        let cell = |column| values.get(&column).map(f64::to_string);
        let own = (0..tags.names().len()).map(|i| cell(i).unwrap_or_default());
        let cells = [step.to_string()].into_iter().chain(own);
        Cells { source: 0, at, cells: cells.map(|text| (text, at)).collect() }
    });
    let source = Source { path: path.to_owned(), text: None };
    let names = tags.names().iter().map(String::as_str);
    let header: Vec<&str> = ["step"].into_iter().chain(names).collect();
    let sheet = Sheet::of_cells(vec![source], &header, cells.collect());
    Ok(Piece::of(Tool::Tensorboard, sheet, Rows::OfOneRun))
}

/// The length of a record, if its checksum is right.
fn length_of(head: &[u8; HEAD]) -> Option<usize> {
    let (length, check) = head.split_first_chunk::<8>()?;
    let right = check == masked(length).to_le_bytes();
    usize::try_from(u64::from_le_bytes(*length)).ok().filter(|_| right)
}

/// The CRC-32C of `bytes`, turned as the format wants it.
fn masked(bytes: &[u8]) -> u32 {
    /// Castagnoli's polynomial, its bits reversed.
    const POLYNOMIAL: u32 = 0x82f6_3b78;
    const MASK: u32 = 0xa282_ead8;
    let mut crc = !0u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let low = crc & 1;
            crc = (crc >> 1) ^ (POLYNOMIAL * low);
        }
    }
    (!crc).rotate_right(15).wrapping_add(MASK)
}

/// A field of a protocol buffer: its number and value.
enum Field<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    Fixed32([u8; 4]),
    Fixed64([u8; 8]),
}

/// The fields of a message, in order; `None` from where it is broken.
fn fields(mut rest: &[u8]) -> impl Iterator<Item = (u64, Field<'_>)> {
    std::iter::from_fn(move || {
        let key = varint(&mut rest)?;
        let field = match key & 7 {
            0 => Field::Varint(varint(&mut rest)?),
            1 => Field::Fixed64(*take::<8>(&mut rest)?),
            2 => {
                let length = usize::try_from(varint(&mut rest)?).ok()?;
                let (bytes, after) = rest.split_at_checked(length)?;
                rest = after;
                Field::Bytes(bytes)
            }
            5 => Field::Fixed32(*take::<4>(&mut rest)?),
            _ => return None,
        };
        Some((key >> 3, field))
    })
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (bytes, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(bytes)
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let [byte] = *take::<1>(rest)?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// The step of an `Event` and its scalars.
fn scalars(event: &[u8]) -> (i64, Vec<(String, f64)>) {
    let (mut step, mut found) = (0, vec![]);
    for (number, field) in fields(event) {
        match (number, field) {
            (2, Field::Varint(value)) => step = value.cast_signed(),
            (5, Field::Bytes(summary)) => {
                for (number, field) in fields(summary) {
                    if let (1, Field::Bytes(value)) = (number, field) {
                        found.extend(scalar(value));
                    }
                }
            }
            _ => {}
        }
    }
    (step, found)
}

/// The tag and number of a `Summary.Value`, if it is a scalar.
fn scalar(value: &[u8]) -> Option<(String, f64)> {
    let (mut tag, mut found) = (None, None);
    for (number, field) in fields(value) {
        match (number, field) {
            (1, Field::Bytes(name)) => {
                tag = Some(String::from_utf8_lossy(name).into_owned());
            }
            (2, Field::Fixed32(bytes)) => {
                found = Some(f64::from(f32::from_le_bytes(bytes)));
            }
            (8, Field::Bytes(tensor)) => found = number_of(tensor),
            (9, Field::Bytes(metadata)) if !is_scalar(metadata) => return None,
            _ => {}
        }
    }
    Some((tag?, found?))
}

/// Whether a `SummaryMetadata` is that of a scalar.
fn is_scalar(metadata: &[u8]) -> bool {
    fields(metadata).all(|(number, field)| match (number, field) {
        // Its plug-in.
        (1, Field::Bytes(plugin)) => {
            fields(plugin).all(|(number, field)| match (number, field) {
                (1, Field::Bytes(name)) => name == b"scalars",
                _ => true,
            })
        }
        _ => true,
    })
}

/// The one number of a `TensorProto` of floats.
fn number_of(tensor: &[u8]) -> Option<f64> {
    let (mut kind, mut found) = (0, None);
    for (number, field) in fields(tensor) {
        match (number, field) {
            (1, Field::Varint(value)) => kind = value,
            (4..=6, Field::Bytes(bytes)) => found = Some(bytes.to_vec()),
            (5, Field::Fixed32(bytes)) => found = Some(bytes.to_vec()),
            (6, Field::Fixed64(bytes)) => found = Some(bytes.to_vec()),
            _ => {}
        }
    }
    let bytes = found?;
    match kind {
        1 => bytes.try_into().ok().map(f32::from_le_bytes).map(f64::from),
        2 => bytes.try_into().ok().map(f64::from_le_bytes),
        _ => None,
    }
}
