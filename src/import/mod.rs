//! Files of other tools: as text tables, and as rows of the one table of
//! runs.
//!
//! `files` says which files a path stands for, `tools` what each tool's file
//! holds, `columns` which of its columns is what, `runs` and `choose` make
//! one score a run of it. `curve` reads recorded range tests, `rates` logged
//! learning rates. `bytes`, `json`
//! and `flat` read text of any form; CSV goes through the one reader,
//! `results::Sheet`.
//!
//! What a table cannot say is asked for or said, not invented.

mod beside;
mod bytes;
mod choose;
mod columns;
mod curve;
mod database;
mod files;
mod flat;
mod json;
mod ours;
mod pattern;
mod rates;
mod runs;
mod said;
mod tools;

use crate::error::{Error, Result};
use crate::ranking::{Direction, meaning};
use crate::results::{Dialect, Sheet};
use crate::text::quoted;
use choose::Key;
use columns::{Columns, Schedules};
pub(crate) use curve::{CurveTool, CurveWishes, History, read_curve};
use files::File;
pub(crate) use files::is_pattern;
pub(crate) use ours::{SOURCE, SOURCE_HASH, holes};
use ours::{kept_directions, one_direction, table, with_kept};
use pattern::{Pattern, RUN, first_run};
pub(crate) use rates::{RateLog, read_rates};
use runs::{Run, runs_of};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
pub(crate) use tools::Tool;
use tools::{Piece, Rows, read};

/// The table in the bytes of a file: CSV with commas, semicolons, tabs or
/// bars, decimal commas, a `sep=` line and comments; JSON as an array of
/// objects, an object of columns, or a line for each object. `path` names
/// them in messages.
///
/// A cell that is not there is empty. Objects inside of objects become
/// columns with a point in their names.
///
/// # Errors
///
/// If they are no such table; with the place.
pub(crate) fn table_of(path: &Path, bytes: &[u8]) -> Result<Sheet> {
    let text = bytes::text_of(path, bytes)?;
    if json::is_json(&text) {
        let values = json::parse_all(path, &text)?;
        return flat::sheet_of(path, text, &values);
    }
    let dialect = Dialect::of(&text);
    Sheet::parse_as(path, text, &dialect)
}

/// What the user says about foreign files; the rest is found out.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Asked {
    /// The tool that they are from.
    pub(crate) from: Option<Tool>,
    /// Column of the workloads.
    pub(crate) workload: Option<String>,
    /// Column of the schedules.
    pub(crate) schedule: Option<String>,
    /// Column of the seeds.
    pub(crate) seed: Option<String>,
    /// Column of the clusters.
    pub(crate) cluster: Option<String>,
    /// Column of the scores.
    pub(crate) score: Option<String>,
    /// Which of several rows of a run counts.
    pub(crate) row: Option<ByRow>,
    /// Which of several rates of a schedule counts.
    pub(crate) lr: Option<ByRate>,
    /// What the names of folders and files say.
    pub(crate) path: Option<String>,
    /// Which scores are better.
    pub(crate) direction: Option<Direction>,
}

/// Which of several rows of a run counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ByRow {
    /// The last with a score.
    Last,
    /// The best: too good by chance.
    Best,
}

/// Which of several rates of a schedule counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ByRate {
    /// The best, chosen on other seeds than it is scored on.
    Best,
    /// Each, as a board of its own.
    Each,
}

/// Runs from files of any kind.
pub(crate) struct Imported {
    /// Tables with the columns of our own `runs.csv`.
    pub(crate) sheets: Vec<Sheet>,
    /// The column of the scores; `None` for a table of ours.
    pub(crate) score: Option<String>,
    /// Which scores are better, if the files say so.
    pub(crate) direction: Option<Direction>,
    /// Whether the files say which seed a run had.
    pub(crate) has_seeds: bool,
    /// What was understood, in one line; `None` for a table of ours.
    pub(crate) said: Option<String>,
}

impl Imported {
    /// Whether the files are of another tool, or of another form than ours.
    pub(crate) fn is_foreign(&self) -> bool {
        self.said.is_some()
    }
}

/// The runs that the files, folders and patterns `paths` stand for.
///
/// # Errors
///
/// If a file cannot be read or understood; with its place and the remedy.
pub(crate) fn import(paths: &[PathBuf], asked: &Asked) -> Result<Imported> {
    let files = files::all(paths, asked.from)?;
    let pieces = files
        .iter()
        .map(|file| Ok((file.clone(), read(&file.path, asked.from)?)))
        .collect::<Result<Vec<(File, Piece)>>>()?;
    let pieces = with_scalars(pieces)?;
    if pieces.iter().all(|(_, piece)| is_ours(piece, asked)) {
        return Ok(Imported {
            sheets: pieces.into_iter().map(|(_, piece)| piece.sheet).collect(),
            score: None,
            direction: None,
            has_seeds: true,
            said: None,
        });
    }
    foreign(pieces, asked)
}

/// Without the files of TensorBoard that have no scalars: a run may have
/// others beside them.
fn with_scalars(mut pieces: Vec<(File, Piece)>) -> Result<Vec<(File, Piece)>> {
    let first = pieces.first().map(|(file, _)| file.path.clone());
    pieces.retain(|(_, piece)| {
        piece.tool != Tool::Tensorboard || piece.sheet.records().len() > 0
    });
    match first {
        Some(path) if pieces.is_empty() => Err(Error::Invalid(format!(
            "{}: there are no scalars in this file of TensorBoard; give the \
             folder of the run that has them",
            path.display()
        ))),
        _ => Ok(pieces),
    }
}

/// Whether a table has our own columns, and nothing was asked that only
/// other tables need.
fn is_ours(piece: &Piece, asked: &Asked) -> bool {
    let has = |name: &str| matches!(piece.sheet.column(name), Ok(Some(_)));
    let score = match &asked.score {
        Some(name) => has(name),
        None => has("valid_loss") || has("score"),
    };
    let Asked { workload, schedule, seed, cluster, row, lr, path, .. } = asked;
    let named = [workload, schedule, seed, cluster, path];
    let names = ["workload", "schedule", "seed"];
    piece.tool == Tool::Table
        && names.iter().all(|name| has(name))
        && score
        && !has(SOURCE_HASH)
        && asked.from.is_none()
        && named.iter().all(|name| name.is_none())
        && row.is_none()
        && lr.is_none()
        && (has("run_id") && has("peak_lr") || is_one_row_a_run(&piece.sheet))
}

/// Whether no run of a table of ours is there twice, at several rates or
/// steps: the table of another tool may have our columns, too.
fn is_one_row_a_run(sheet: &Sheet) -> bool {
    let places = ["workload", "schedule", "seed", "budget", "lr_multiple"]
        .map(|name| sheet.column(name).ok().flatten());
    let mut seen = BTreeSet::new();
    sheet.records().all(|row| {
        let text = |column| row.optional(column).map(str::to_owned);
        seen.insert(places.map(text))
    })
}

fn foreign(mut pieces: Vec<(File, Piece)>, asked: &Asked) -> Result<Imported> {
    let pattern = asked.path.as_deref().map(Pattern::parse).transpose()?;
    let all = |is: fn(Rows) -> bool| pieces.iter().all(|(_, p)| is(p.rows));
    let histories =
        all(|rows| matches!(rows, Rows::OfOneRun | Rows::OfNamedRuns));
    let rows = if histories {
        Rows::OfOneRun
    } else if all(|rows| rows == Rows::EachARun) {
        Rows::EachARun
    } else {
        Rows::Any
    };
    let tools: BTreeSet<Tool> = pieces.iter().map(|(_, p)| p.tool).collect();
    let files = pieces.len();
    let example = pieces.first();
    let example = example.map(|(f, p)| first_run(&p.sheet, f, p.rows));
    let by_column: Vec<(String, Direction)> =
        pieces.iter().flat_map(|(_, p)| p.directions.clone()).collect();
    let written: Vec<&Sheet> = pieces.iter().map(|(_, p)| &p.sheet).collect();
    let asked = &with_kept(asked, &written);
    for (file, piece) in &mut pieces {
        let sheet = &mut piece.sheet;
        if piece.rows == Rows::OfOneRun {
            sheet.add_column(RUN, |_| file.run.clone());
        }
        if let Some(pattern) = &pattern {
            pattern.add_to(sheet, file, piece.rows)?;
        }
    }
    let hashes: Vec<(PathBuf, String)> = pieces
        .iter()
        .map(|(_, piece)| (piece.sheet.path().to_owned(), piece.hash.clone()))
        .collect();
    let sheet = Sheet::joined(pieces.into_iter().map(|(_, p)| p.sheet));
    if sheet.records().len() == 0 {
        return Err(sheet.too_short("there are no rows below the header"));
    }
    let training = [Tool::Trainer, Tool::Keras];
    let training = tools.iter().all(|tool| training.contains(tool));
    let columns =
        Columns::of(&sheet, asked, training).map_err(
            |error| match &example {
                Some(run) if histories => with_example(error, run),
                _ => error,
            },
        )?;
    let mut directions = kept_directions(&sheet)?;
    if let Schedules::Long { score, .. } = columns.schedule {
        let name = sheet.name(score);
        let said = by_column.iter().filter(|(column, _)| column == name);
        directions.extend(said.map(|(_, direction)| *direction));
    }
    let direction = match asked.direction {
        None => one_direction(&directions)?,
        asked => asked,
    };
    let better =
        direction.or_else(|| meaning(&columns.score).map(|m| m.direction));
    let (runs, unnamed) = runs_of(&sheet, &columns)?;
    let mut told = said::Told {
        tools,
        files,
        rows: sheet.records().len(),
        unnamed,
        ..said::Told::default()
    };
    let runs = chosen(runs, &columns, rows, asked, better, &mut told)?;
    if runs.is_empty() {
        return Err(sheet.error(0, "no row has a schedule and a score"));
    }
    let name = match hashes.as_slice() {
        [(path, _)] if !histories => {
            path.file_stem().unwrap_or_default().to_string_lossy()
        }
        _ => "all".into(),
    };
    let said = told.line(&sheet, &columns, &runs);
    Ok(Imported {
        sheets: vec![table(&sheet, &columns, &runs, &name, &hashes, direction)],
        has_seeds: columns.seed.is_some(),
        score: Some(columns.score),
        direction,
        said: Some(said),
    })
}

/// The error of a history without a schedule, with the name of a run: the
/// pattern that was wanted can be seen from it.
fn with_example(error: Error, run: &str) -> Error {
    match error {
        Error::Input { path, line, column, message }
            if message.starts_with("nothing says") =>
        {
            let message = format!("{message}; this run is {}", quoted(run));
            Error::Input { path, line, column, message }
        }
        error => error,
    }
}

/// One score for each run.
fn chosen(
    mut runs: Vec<Run>,
    columns: &Columns,
    rows: Rows,
    asked: &Asked,
    better: Option<Direction>,
    told: &mut said::Told,
) -> Result<Vec<Run>> {
    let direction = |what: &str| {
        better.ok_or_else(|| {
            Error::Invalid(format!(
                "{what} cannot be chosen, for the name {} does not say which \
                 scores are better; add `--higher` or `--lower`",
                quoted(&columns.score)
            ))
        })
    };
    let asked_for = asked.row.map(|_| Key::WithRate);
    let key = match rows {
        Rows::OfOneRun | Rows::OfNamedRuns => Some(Key::WithoutRate),
        Rows::EachARun => asked_for,
        Rows::Any if columns.step.is_none() => asked_for,
        Rows::Any => {
            // A rate that is logged by step is no setting of the run. Where a
            // step is there twice, it is one, or each row is a run.
            let mut keys = [Key::WithoutRate, Key::WithRate].into_iter();
            keys.find(|key| choose::has_each_step_once(&runs, *key))
                .or(asked_for)
        }
    };
    if let Some(key) = key {
        let by = asked.row.unwrap_or(ByRow::Last);
        if by == ByRow::Best {
            direction("the best row of a run")?;
        }
        let before = runs.len();
        runs = choose::one_row_each(runs, by, better, key);
        told.rows_a_run = (runs.len() < before).then_some(by);
    }
    if choose::has_several_rates(&runs) {
        let by = asked.lr.unwrap_or(ByRate::Best);
        let better = match by {
            ByRate::Best => direction("the best rate of a schedule")?,
            ByRate::Each => Direction::Lower,
        };
        let rates: BTreeSet<u64> =
            runs.iter().filter_map(|run| run.lr).map(f64::to_bits).collect();
        let (best, on_others) = choose::best_rate(runs, by, better);
        let with_rate = best.iter().filter(|run| run.lr.is_some()).count();
        told.rates = Some((by, rates.len(), on_others, with_rate));
        runs = best;
    }
    told.pruned = choose::without_stops(&mut runs);
    if columns.seed.is_none() {
        let (means, most) = choose::averaged(runs);
        told.averaged = Some(most);
        runs = means;
    }
    Ok(runs)
}

#[cfg(test)]
mod tests;
