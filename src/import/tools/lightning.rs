//! `metrics.csv` of Lightning's CSVLogger, with `hparams.yaml` beside it.
//! Made from lightning 2.6.6.

use super::{Piece, Rows, Tool, add_settings, has};
use crate::import::beside;
use crate::results::Sheet;
use std::path::Path;

pub(super) fn is_one(path: &Path, names: &[&str]) -> bool {
    let named = path.file_name().is_some_and(|name| name == "metrics.csv");
    has(names, &["epoch", "step"]) && named
}

pub(super) fn piece(path: &Path, mut sheet: Sheet) -> Piece {
    add_settings(
        &mut sheet,
        &beside::yaml(&path.with_file_name("hparams.yaml")),
    );
    Piece::of(Tool::Lightning, sheet, Rows::OfOneRun)
}
