//! The embedded data sets. Sources, licences and splits:
//! `pack/README.md`.

use super::plain::{
    Plain, standardise_all, standardise_columns, standardise_targets,
};
use crate::error::{Error, Result};
use crate::gzip;
use std::collections::BTreeSet;
use std::path::Path;

/// Bytes of an embedded file.
macro_rules! embedded {
    ($name:literal) => {
        Idx::gunzip($name, include_bytes!(concat!("pack/", $name, ".gz")))
    };
}

/// Fashion-MNIST at 14x14: 5,000 / 1,000 / 2,000 pictures, 10 classes.
pub(super) fn fashion() -> Result<Plain> {
    let images = embedded!("fashion14-images.idx3")?;
    let labels = embedded!("fashion14-labels.idx1")?.labels();
    let cuts = [0..5000, 5000..6000, 6000..8000];
    let mut inputs = cuts.clone().map(|rows| images.rows(rows));
    standardise_all(&mut inputs);
    Ok(Plain::classify(vec![1, 14, 14], 10, inputs, labels_of(&labels, cuts)))
}

/// Letters from 16 measurements: 14,000 / 2,000 / 4,000 rows, 26 classes.
pub(super) fn letter() -> Result<Plain> {
    let features = embedded!("letter-features.idx2")?;
    let labels = embedded!("letter-labels.idx1")?.labels();
    let cuts = [0..14000, 14000..16000, 16000..20000];
    Ok(table(&features, 26, &labels, cuts))
}

/// Soil from four satellite bands on 3x3 pixels: 3,992 / 443 / 2,000 rows, 6
/// classes. Every tenth training row is validation, because rows are sorted by
/// class.
pub(super) fn satimage() -> Result<Plain> {
    let features = embedded!("satimage-features.idx2")?;
    let labels = embedded!("satimage-labels.idx1")?.labels();
    let train: Vec<usize> = (0..4435).filter(|i| i % 10 != 9).collect();
    let valid: Vec<usize> = (0..4435).filter(|i| i % 10 == 9).collect();
    let test: Vec<usize> = (4435..6435).collect();
    let rows = [train, valid, test];
    let mut inputs = rows.clone().map(|rows| features.rows(rows));
    standardise_columns(&mut inputs, features.width());
    let targets =
        rows.map(|rows| rows.into_iter().map(|i| labels[i]).collect());
    Ok(Plain::classify(vec![features.width()], 6, inputs, targets))
}

/// Splice junctions from 60 nucleotides: 1,800 / 400 / 986 rows, 3 classes.
pub(super) fn dna() -> Result<Plain> {
    let features = embedded!("dna-features.idx2")?;
    let labels = embedded!("dna-labels.idx1")?.labels();
    Ok(table(&features, 3, &labels, [0..1800, 1800..2200, 2200..3186]))
}

/// E-mail from word counts (as log(1 + x)): 2,800 / 400 / 1,401 rows, 2
/// classes.
pub(super) fn spam() -> Result<Plain> {
    let mut features = embedded!("spam-features.idx2")?;
    features.values.iter_mut().for_each(|x| *x = x.ln_1p());
    let labels = embedded!("spam-labels.idx1")?.labels();
    Ok(table(&features, 2, &labels, [0..2800, 2800..3200, 3200..4601]))
}

/// Digits at 8x8: 1,000 / 297 / 500 pictures, 10 classes.
pub(super) fn digits() -> Result<Plain> {
    let images = embedded!("digits8-images.idx3")?;
    let labels = embedded!("digits8-labels.idx1")?.labels();
    let cuts = [0..1000, 1000..1297, 1297..1797];
    let mut inputs = cuts.clone().map(|rows| images.rows(rows));
    standardise_all(&mut inputs);
    Ok(Plain::classify(vec![1, 8, 8], 10, inputs, labels_of(&labels, cuts)))
}

/// Logarithm of the price of diamonds, standardised, from 6 measurements and
/// 3 grades (one-hot): 8,000 / 1,000 / 3,000 rows.
pub(super) fn diamonds() -> Result<Plain> {
    const MEASURES: [usize; 6] = [0, 4, 5, 6, 7, 8];
    const GRADES: [(usize, u8); 3] = [(1, 5), (2, 7), (3, 8)];
    const PRICE: usize = 9;
    let raw = embedded!("diamonds.idx2")?;
    let cuts = [0..8000, 8000..9000, 9000..12000];
    let features = |row: &[f32]| -> Vec<f32> {
        let measures = MEASURES.iter().map(|&c| row[c]);
        let grades =
            GRADES.iter().flat_map(|&(c, levels)| {
                (0..levels).map(move |level| {
                    if row[c] == f32::from(level) { 1.0 } else { 0.0 }
                })
            });
        measures.chain(grades).collect()
    };
    let rows = |cut: &std::ops::Range<usize>| {
        raw.values[cut.start * raw.width()..cut.end * raw.width()]
            .chunks_exact(raw.width())
    };
    let mut inputs =
        cuts.clone().map(|cut| rows(&cut).flat_map(features).collect());
    let width = MEASURES.len()
        + GRADES.iter().map(|&(_, levels)| usize::from(levels)).sum::<usize>();
    standardise_columns(&mut inputs, width);
    let prices = cuts
        .map(|cut| rows(&cut).map(|row| f64::from(row[PRICE]).ln()).collect());
    Ok(Plain::regress(width, inputs, standardise_targets(prices, 1)))
}

/// A list of words, one a sequence of at most `context` letters and end: word
/// i is validation if i mod 20 = 7, test if i mod 20 = 17, else training.
///
/// The letters are numbered as they are sorted; after them come the symbols
/// for the end, and for the start and what follows the end.
pub(super) fn lines(text: &[u8], context: usize) -> Plain {
    let letters: BTreeSet<u8> =
        text.iter().copied().filter(|&b| b != b'\n').collect();
    let mut number = [0_u32; 256];
    for (i, letter) in (0..).zip(&letters) {
        number[usize::from(*letter)] = i;
    }
    let end = u32::try_from(letters.len()).unwrap_or(u32::MAX);
    let start = end + 1;
    let mut parts = [(); 3].map(|()| vec![]);
    let words = text.split(|&b| b == b'\n').filter(|word| !word.is_empty());
    for (i, word) in words.enumerate() {
        let part = &mut parts[match i % 20 {
            7 => 1,
            17 => 2,
            _ => 0,
        }];
        part.extend(word.iter().map(|&b| number[usize::from(b)]));
        part.push(end);
        part.extend(std::iter::repeat_n(start, context - word.len() - 1));
    }
    Plain::sequences(context, letters.len() + 2, start, 0, parts)
}

/// A table with classes, columns standardised.
fn table(
    features: &Idx,
    number: usize,
    labels: &[u32],
    cuts: [std::ops::Range<usize>; 3],
) -> Plain {
    let mut inputs = cuts.clone().map(|rows| features.rows(rows));
    standardise_columns(&mut inputs, features.width());
    Plain::classify(
        vec![features.width()],
        number,
        inputs,
        labels_of(labels, cuts),
    )
}

fn labels_of(
    labels: &[u32],
    cuts: [std::ops::Range<usize>; 3],
) -> [Vec<u32>; 3] {
    cuts.map(|rows| labels[rows].to_vec())
}

/// An array in the idx format of MNIST: type, rank, extents, values.
pub(super) struct Idx {
    /// Extents, the number of rows first.
    pub(super) shape: Vec<usize>,
    /// All values, row-major.
    pub(super) values: Vec<f32>,
}

impl Idx {
    /// Reads `bytes`, the compressed file `name`.
    ///
    /// # Errors
    ///
    /// If they are not in this format.
    pub(super) fn gunzip(name: &str, bytes: &[u8]) -> Result<Self> {
        let path = Path::new(name);
        Self::parse(&gzip::unpacked(path, bytes)?).map_err(|message| {
            Error::Corrupt { path: path.to_owned(), message }
        })
    }

    /// Reads `bytes`, already uncompressed; the types u8 and big-endian i16.
    ///
    /// # Errors
    ///
    /// A message, if they are not in this format.
    pub(super) fn parse(bytes: &[u8]) -> std::result::Result<Self, String> {
        let &[0, 0, kind, rank, ref rest @ ..] = bytes else {
            return Err("not an idx file: it does not start with two zero \
                        bytes"
                .to_owned());
        };
        if rank == 0 {
            return Err("an idx file without extents".to_owned());
        }
        let rank = usize::from(rank);
        let (head, body) = rest
            .split_at_checked(4 * rank)
            .ok_or("an idx file cut short in its header")?;
        let shape: Vec<usize> = head
            .chunks_exact(4)
            .map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]) as usize)
            .collect();
        let expected = shape.iter().try_fold(1_usize, |n, &e| n.checked_mul(e));
        let values: Vec<f32> = match kind {
            0x08 => body.iter().map(|&b| f32::from(b)).collect(),
            0x0b if body.len() % 2 == 0 => body
                .chunks_exact(2)
                .map(|b| f32::from(i16::from_be_bytes([b[0], b[1]])))
                .collect(),
            0x0b => return Err("an idx file that ends within a value".into()),
            other => {
                return Err(format!(
                    "idx type 0x{other:02x} is unknown, expected 0x08 (u8) \
                     or 0x0b (i16)"
                ));
            }
        };
        if expected != Some(values.len()) {
            return Err(format!(
                "an idx file of shape {shape:?} with {} values",
                values.len()
            ));
        }
        Ok(Self { shape, values })
    }

    /// Values in one row.
    pub(super) fn width(&self) -> usize {
        self.shape[1..].iter().product()
    }

    /// The values of some rows.
    pub(super) fn rows(
        &self,
        rows: impl IntoIterator<Item = usize>,
    ) -> Vec<f32> {
        let width = self.width();
        rows.into_iter()
            .flat_map(|row| &self.values[row * width..(row + 1) * width])
            .copied()
            .collect()
    }

    /// The values as classes.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "labels are small whole numbers"
    )]
    pub(super) fn labels(&self) -> Vec<u32> {
        self.values.iter().map(|&x| x as u32).collect()
    }
}
