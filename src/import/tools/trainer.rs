//! `trainer_state.json` of the Trainer of Hugging Face transformers: the
//! rows of its `log_history`. Made from transformers 5.24.0.

use super::{Piece, Rows, Tool, has};
use crate::results::Sheet;
use std::path::Path;

pub(super) fn is_one(path: &Path, names: &[&str]) -> bool {
    let file = path.file_name();
    let named = file.is_some_and(|name| name == "trainer_state.json");
    has(names, &["step", "epoch"])
        && (named || has(names, &["grad_norm", "learning_rate"]))
}

pub(super) fn piece(sheet: Sheet) -> Piece {
    Piece::of(Tool::Trainer, sheet, Rows::OfOneRun)
}
