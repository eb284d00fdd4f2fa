//! Foreign runs as a table with the columns of our own `runs.csv`.

use super::choose;
use super::columns::Columns;
use super::runs::Run;
use crate::error::Result;
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

/// The direction that a table of an earlier import has kept.
pub(super) fn kept_direction(sheet: &Sheet) -> Result<Option<Direction>> {
    let column = sheet.column(BETTER)?;
    let mut words = sheet.records().filter_map(|row| row.optional(column));
    Ok(match words.next() {
        Some("higher") => Some(Direction::Higher),
        Some("lower") => Some(Direction::Lower),
        _ => None,
    })
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
        ("lr_multiple", each_rate),
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
