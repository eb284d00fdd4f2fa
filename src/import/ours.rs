//! Foreign runs as a table with the columns of our own `runs.csv`.

use super::columns::Columns;
use super::runs::Run;
use super::{Asked, ByRate, choose};
use crate::error::{Error, Result};
use crate::ranking::Direction;
use crate::record::{Observation, Shown};
use crate::results::{Cells, Sheet};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// The column that says from which file a run was imported, and the one of
/// the hash of its content.
pub(crate) const SOURCE: &str = "source";
pub(crate) const SOURCE_HASH: &str = "source_hash";

/// The column that says which scores are better, where their name does not.
const BETTER: &str = "better";

/// The column of each of several rates.
const EACH_RATE: &str = "lr_multiple";

/// The directions that tables of earlier imports have kept.
pub(super) fn kept_directions(sheet: &Sheet) -> Result<Vec<Direction>> {
    let column = sheet.column(BETTER)?;
    let words: BTreeSet<&str> =
        sheet.records().filter_map(|row| row.optional(column)).collect();
    let known = [("higher", Direction::Higher), ("lower", Direction::Lower)];
    let found = known.into_iter().filter(|(word, _)| words.contains(word));
    Ok(found.map(|(_, direction)| direction).collect())
}

/// The column of the scores that `table` wrote; `None` if another tool
/// wrote the table.
fn kept_score(sheet: &Sheet) -> Option<&str> {
    sheet.column(SOURCE_HASH).ok()??;
    let after = match sheet.column(BETTER).ok()? {
        Some(better) => better,
        None => sheet.column(SOURCE).ok()??,
    };
    after.checked_sub(1).map(|score| sheet.name(score))
}

/// The column of the rates where `table` wrote a run for each.
pub(super) fn kept_rate(sheet: &Sheet) -> Option<usize> {
    sheet.column(SOURCE_HASH).ok()??;
    sheet.column(EACH_RATE).ok()?
}

/// What was asked, and what earlier imports have kept where all tables are
/// of one: the score, and each of several rates.
pub(super) fn with_kept(asked: &Asked, sheets: &[&Sheet]) -> Asked {
    let mut scores = sheets.iter().map(|sheet| kept_score(sheet));
    let score = scores.next().flatten();
    let score = score.filter(|score| scores.all(|s| s == Some(*score)));
    let each = sheets.iter().all(|sheet| kept_rate(sheet).is_some());
    let mut asked = asked.clone();
    asked.score = asked.score.or(score.map(str::to_owned));
    asked.lr = asked.lr.or(each.then_some(ByRate::Each));
    asked
}

/// The direction that the files say.
///
/// # Errors
///
/// If they say both.
pub(super) fn one_direction(said: &[Direction]) -> Result<Option<Direction>> {
    let first = said.first().copied();
    if said.iter().any(|direction| Some(*direction) != first) {
        return Err(Error::Invalid(
            "the files say both that higher and that lower scores are \
             better; decide with `--higher` or `--lower`"
                .to_owned(),
        ));
    }
    Ok(first)
}

/// The runs with the columns of our own table, those that there are, and the
/// places of their cells in the files.
pub(super) fn table(
    sheet: &Sheet,
    columns: &Columns,
    runs: &[Run],
    only: &str,
    hashes: &[(PathBuf, String)],
    direction: Option<Direction>,
) -> Sheet {
    let each_rate = choose::has_several_rates(runs);
    let has_budget = runs.iter().any(|run| run.budget.is_some());
    let has_lr = runs.iter().any(|run| run.lr.is_some());
    let has_cluster = runs.iter().any(|run| run.cluster.is_some());
    let has_outcome = runs.iter().any(|run| run.outcome.is_some());
    let keep = [
        ("workload", true),
        ("cluster", has_cluster),
        ("schedule", true),
        ("budget", has_budget),
        (EACH_RATE, each_rate),
        ("seed", true),
        ("peak_lr", has_lr && !each_rate),
        ("outcome", has_outcome),
        (columns.score.as_str(), true),
        (BETTER, direction.is_some()),
        (SOURCE, true),
        (SOURCE_HASH, true),
    ];
    let row = |run: &Run| {
        let none = || (String::new(), run.at);
        let plain = |text: Option<String>| (text.unwrap_or_default(), run.at);
        let lr = run.lr.map(|lr| lr.to_string());
        let (path, hash) = &hashes[run.source];
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let all = [
            run.workload
                .clone()
                .unwrap_or_else(|| plain(Some(only.to_owned()))),
            run.cluster.clone().unwrap_or_else(none),
            run.schedule.clone(),
            plain(run.budget.map(|budget| budget.to_string())),
            plain(lr.clone()),
            run.seed.clone().unwrap_or_else(|| plain(Some("0".to_owned()))),
            plain(lr),
            run.outcome.clone().unwrap_or_else(none),
            (
                run.score.map(|score| score.to_string()).unwrap_or_default(),
                run.score_at,
            ),
            plain(Some(match direction {
                Some(Direction::Higher) => "higher".to_owned(),
                _ => "lower".to_owned(),
            })),
            plain(Some(file.into_owned())),
            plain(Some(hash.clone())),
        ];
        let kept = keep.iter().zip(all).filter(|((_, keep), _)| *keep);
        let cells = kept.map(|(_, cell)| cell).collect();
        Cells { source: run.source, at: run.at, cells }
    };
    let header: Vec<&str> =
        keep.iter().filter(|(_, keep)| *keep).map(|(name, _)| *name).collect();
    let rows = runs.iter().map(row).collect();
    Sheet::of_cells(sheet.sources().to_vec(), &header, rows)
}

/// Cells (a schedule on a workload) without a result, and all cells.
pub(crate) fn holes(runs: &[Observation]) -> (usize, usize) {
    let schedules: BTreeSet<&str> =
        runs.iter().map(|run| run.schedule.as_str()).collect();
    let places: BTreeSet<(&str, Option<u64>)> =
        runs.iter().map(|run| (run.workload.as_str(), run.budget)).collect();
    let there: BTreeSet<_> = runs
        .iter()
        .filter(|run| run.shown() != Shown::Nothing)
        .map(|run| (run.workload.as_str(), run.budget, run.schedule.as_str()))
        .collect();
    let all = schedules.len() * places.len();
    (all - there.len(), all)
}
