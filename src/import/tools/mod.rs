//! The tools whose files are known, one file each. Each gives the table that
//! the tool itself exports, or would export, of what it keeps.

mod keras;
mod lightning;
mod mlflow;
mod optuna;
mod ray;
pub(super) mod tensorboard;
mod trainer;
mod wandb;

use super::database::Database;
use super::table_of;
use crate::digest;
use crate::error::{Error, Result};
use crate::ranking::Direction;
use crate::results::Sheet;
use crate::text::unknown;
use std::fs;
use std::path::Path;

/// A tool that files are from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tool {
    /// Any table.
    Table,
    /// Weights & Biases.
    Wandb,
    /// MLflow.
    Mlflow,
    /// Optuna.
    Optuna,
    /// The Trainer of Hugging Face transformers.
    Trainer,
    /// Lightning's CSVLogger.
    Lightning,
    /// TensorBoard event files.
    Tensorboard,
    /// Ray Tune.
    Ray,
    /// Keras' CSVLogger and History.
    Keras,
}

impl Tool {
    /// Every tool.
    pub(crate) const ALL: [Self; 9] = [
        Self::Table,
        Self::Wandb,
        Self::Mlflow,
        Self::Optuna,
        Self::Trainer,
        Self::Lightning,
        Self::Tensorboard,
        Self::Ray,
        Self::Keras,
    ];

    /// Its name for `--from`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Wandb => "wandb",
            Self::Mlflow => "mlflow",
            Self::Optuna => "optuna",
            Self::Trainer => "trainer",
            Self::Lightning => "lightning",
            Self::Tensorboard => "tensorboard",
            Self::Ray => "ray",
            Self::Keras => "keras",
        }
    }
}

impl std::str::FromStr for Tool {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|tool| tool.name() == name);
        found.ok_or_else(|| {
            let known = Self::ALL.map(Self::name);
            Error::Invalid(unknown("tool", name, &known))
        })
    }
}

/// What one file holds.
pub(super) struct Piece {
    pub(super) tool: Tool,
    pub(super) sheet: Sheet,
    pub(super) rows: Rows,
    /// Which scores of a column are better, where the file says so; of a file
    /// of several studies maybe both.
    pub(super) directions: Vec<(String, Direction)>,
    /// The hash of the bytes that were read.
    pub(super) hash: String,
}

/// What the rows of a table are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rows {
    /// All of one run: its history.
    OfOneRun,
    /// The histories of several runs, which the column `run` names.
    OfNamedRuns,
    /// Each a run.
    EachARun,
    /// Runs, or the histories of several.
    Any,
}

impl Piece {
    fn of(tool: Tool, sheet: Sheet, rows: Rows) -> Self {
        Self { tool, sheet, rows, directions: vec![], hash: String::new() }
    }
}

/// What the file at `path` holds, by its content; `from` where that is in
/// doubt.
///
/// # Errors
///
/// If it cannot be read, or is not what `from` says.
pub(super) fn read(path: &Path, from: Option<Tool>) -> Result<Piece> {
    let bytes = fs::read(path).map_err(Error::io(path))?;
    let piece = if Database::is_one(&bytes) {
        of_database(path)?
    } else if tensorboard::is_one(&bytes) {
        tensorboard::read(path, &bytes)?
    } else {
        let sheet = wandb::unpacked(table_of(path, &bytes)?);
        let tool = tool_of(path, &sheet);
        of_table(path, from.unwrap_or(tool), sheet)
    };
    match from {
        Some(tool) if tool != piece.tool => {
            let message = format!(
                "this is a file of {}, not of {}; leave `--from` out",
                piece.tool.name(),
                tool.name()
            );
            Err(piece.sheet.sources()[0].error(0, message))
        }
        _ => Ok(Piece { hash: digest::of(&bytes), ..piece }),
    }
}

/// The table in the file at `path`: text, or events of TensorBoard.
///
/// # Errors
///
/// If it cannot be read or has none.
pub(super) fn sheet(path: &Path) -> Result<Sheet> {
    let bytes = fs::read(path).map_err(Error::io(path))?;
    if tensorboard::is_one(&bytes) {
        return Ok(tensorboard::read(path, &bytes)?.sheet);
    }
    table_of(path, &bytes)
}

fn of_database(path: &Path) -> Result<Piece> {
    let database = Database::open(path)?;
    if optuna::is_storage(&database)? {
        return optuna::storage(&database);
    }
    if mlflow::is_store(&database)? {
        return mlflow::store(&database);
    }
    Err(Error::Invalid(format!(
        "{}: this database is neither a store of MLflow nor a storage of \
         Optuna; export the table of runs as CSV",
        path.display()
    )))
}

/// The tool whose table this is, by its columns.
fn tool_of(path: &Path, sheet: &Sheet) -> Tool {
    type IsOne = fn(&Path, &[&str]) -> bool;
    let names: Vec<&str> = sheet.names().collect();
    let known: [(Tool, IsOne); 7] = [
        (Tool::Trainer, trainer::is_one),
        (Tool::Optuna, optuna::is_one),
        (Tool::Mlflow, mlflow::is_one),
        (Tool::Ray, ray::is_one),
        (Tool::Wandb, wandb::is_one),
        (Tool::Lightning, lightning::is_one),
        (Tool::Keras, keras::is_one),
    ];
    let found = known.into_iter().find(|(_, is_one)| is_one(path, &names));
    found.map_or(Tool::Table, |(tool, _)| tool)
}

fn of_table(path: &Path, tool: Tool, sheet: Sheet) -> Piece {
    match tool {
        Tool::Trainer => trainer::piece(sheet),
        Tool::Lightning => lightning::piece(path, sheet),
        Tool::Ray => ray::piece(path, sheet),
        Tool::Keras => keras::piece(sheet),
        Tool::Wandb => wandb::piece(sheet),
        Tool::Mlflow | Tool::Optuna => Piece::of(tool, sheet, Rows::EachARun),
        tool => Piece::of(tool, sheet, Rows::Any),
    }
}

/// Whether one of `names` starts with `start`.
fn starts(names: &[&str], start: &str) -> bool {
    names.iter().any(|name| name.starts_with(start))
}

/// Whether `names` has all of `wanted`.
fn has(names: &[&str], wanted: &[&str]) -> bool {
    wanted.iter().all(|name| names.contains(name))
}

/// Adds what a file beside the table says about its run.
fn add_settings(sheet: &mut Sheet, settings: &[(String, String)]) {
    for (name, value) in settings {
        let there = sheet.names().any(|column| column == name);
        if !there {
            sheet.add_column(name, |_| value.clone());
        }
    }
}
