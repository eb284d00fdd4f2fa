//! The embedded data sets of the study, each by the facts in the catalogue.
//! Sources, licences and splits: `pack/README.md`.

use super::pack::{self, Idx};
use super::plain::{Plain, Targets};
use super::text::windows;
use crate::error::{Error, Result};
use crate::gzip;
use crate::spec::{Form, Set, Target};
use std::path::Path;

/// Files by name, compressed.
macro_rules! files {
    ($($name:literal)*) => {
        &[$(($name, include_bytes!(concat!("pack/", $name, ".gz")))),*]
    };
}

static FILES: &[(&str, &[u8])] = files! {
    "cells-features.idx2"
    "cells-labels.idx1"
    "characters.txt"
    "check-times-features.idx2"
    "check-times-targets.idx1"
    "churn-features.idx2"
    "churn-labels.idx1"
    "colleges-features.idx2"
    "colleges-targets.idx1"
    "doctor-visits-features.idx2"
    "doctor-visits-targets.idx1"
    "dutch.txt"
    "earnings-features.idx2"
    "earnings-targets.idx1"
    "first-names-features.idx2"
    "first-names-labels.idx1"
    "flights-features.idx2"
    "flights-labels.idx1"
    "glucose-series.idx2"
    "glyphs-images.idx3"
    "glyphs-labels.idx1"
    "heart-series.idx2"
    "houses-features.idx2"
    "houses-targets.idx1"
    "novel.txt"
    "patches-images.idx3"
    "patches-labels.idx1"
    "phonemes.txt"
    "places-features.idx2"
    "places-labels.idx1"
    "program.txt"
    "ridership-features.idx2"
    "ridership-targets.idx1"
    "rodents-features.idx2"
    "rodents-labels.idx1"
    "scripts-images.idx3"
    "scripts-labels.idx1"
    "segment-features.idx2"
    "segment-labels.idx1"
    "shuttle-features.idx2"
    "shuttle-labels.idx1"
    "sounds-images.idx2"
    "sounds-labels.idx1"
    "speakers-images.idx3"
    "speakers-labels.idx1"
    "sprites-images.idx3"
    "sprites-labels.idx1"
    "states-features.idx2"
    "states-labels.idx1"
    "storms-features.idx2"
    "storms-labels.idx1"
    "topics-features.idx2"
    "topics-labels.idx1"
    "watch-images.idx3"
    "watch-labels.idx1"
    "words.txt"
};

/// Samples of a block of a series: a block is in one part.
const BLOCK: usize = 600;
/// A window begins at every second sample.
const STRIDE: usize = 2;

/// The file of `set` with this ending.
fn file(set: &Set, ending: &str) -> Result<(&'static str, &'static [u8])> {
    let name = format!("{}{ending}", set.name);
    let found = FILES.iter().find(|(known, _)| *known == name);
    found.copied().ok_or_else(|| {
        Error::Invalid(format!("the file `{name}` is not in this program"))
    })
}

fn idx(set: &Set, ending: &str) -> Result<Idx> {
    let (name, bytes) = file(set, ending)?;
    Idx::gunzip(name, bytes)
}

/// Loads `set`.
///
/// # Errors
///
/// If its file is missing or broken.
pub(super) fn load(set: &Set) -> Result<Plain> {
    match set.form {
        Form::Text(context) => {
            let (name, bytes) = file(set, ".txt")?;
            let text = gzip::unpacked(Path::new(name), bytes)?;
            Ok(match set.name {
                "words" | "dutch" | "phonemes" => pack::lines(&text, context),
                _ => contiguous(&text, context),
            })
        }
        _ => match set.name {
            "heart" => forecasts(set, 10, None),
            "glucose" => forecasts(set, 6, Some(0.0)),
            _ => labelled(set),
        },
    }
}

/// Rows with a class or a value each.
fn labelled(set: &Set) -> Result<Plain> {
    let inputs = match set.form {
        Form::Rows(_) => "-features.idx2",
        Form::Signal(1, _) => "-images.idx2",
        _ => "-images.idx3",
    };
    let inputs = idx(set, inputs)?;
    let targets = if let Target::Classes(_) = set.target {
        Targets::Classes(idx(set, "-labels.idx1")?.labels())
    } else {
        let values = idx(set, "-targets.idx1")?.values;
        Targets::Values(values.into_iter().map(f64::from).collect())
    };
    Ok(Plain::cut(set, &inputs.values, &targets))
}

/// How much a series rises in the next `horizon` samples, from a window of
/// those before. A window and its target are in one block. Of ten blocks six
/// are training, then two validation, two test. `missing` stands for a sample
/// that is not known.
fn forecasts(set: &Set, horizon: usize, missing: Option<f32>) -> Result<Plain> {
    let window: usize = set.form.shape().iter().product();
    let series = idx(set, "-series.idx2")?.values;
    let mut parts = [(); 3].map(|()| (vec![], vec![]));
    for (i, block) in series.chunks_exact(BLOCK).enumerate() {
        let (inputs, targets) = &mut parts[match i % 10 {
            0..=5 => 0,
            6 | 7 => 1,
            _ => 2,
        }];
        for first in (0..=BLOCK - window - horizon).step_by(STRIDE) {
            let seen = &block[first..first + window];
            let (now, later) =
                (seen[window - 1], block[first + window - 1 + horizon]);
            let is_missing = |x: &f32| Some(*x) == missing;
            if !seen.iter().any(is_missing) && !is_missing(&later) {
                inputs.extend_from_slice(seen);
                targets.push(f64::from(later) - f64::from(now));
            }
        }
    }
    let inputs = parts.iter().flat_map(|(inputs, _)| inputs);
    let targets = parts.iter().flat_map(|(_, targets)| targets);
    let targets = Targets::Values(targets.copied().collect());
    Ok(Plain::cut(set, &inputs.copied().collect::<Vec<_>>(), &targets))
}

/// A text in three parts: nine tenths, a twentieth, a twentieth.
fn contiguous(text: &[u8], context: usize) -> Plain {
    let characters: Vec<char> = String::from_utf8_lossy(text).chars().collect();
    let n = characters.len();
    windows(&characters, context, [n * 9 / 10, n * 19 / 20])
}
