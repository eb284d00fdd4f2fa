//! Keras' CSVLogger, and the `history` of what `fit` gives, as JSON. Made
//! from Keras 3.15.1.

use super::{Piece, Rows, Tool, has};
use crate::import::columns::is_of_runs;
use crate::results::Sheet;
use std::path::Path;

/// Only a history has losses by epoch, and no step or setting of a run.
pub(super) fn is_one(_: &Path, names: &[&str]) -> bool {
    let metrics = names.iter().filter(|name| {
        name.strip_prefix("val_").is_some_and(|own| names.contains(&own))
    });
    has(names, &["loss"])
        && metrics.count() > 0
        && !names.iter().any(|name| *name == "step" || is_of_runs(name))
}

pub(super) fn piece(sheet: Sheet) -> Piece {
    Piece::of(Tool::Keras, sheet, Rows::OfOneRun)
}
