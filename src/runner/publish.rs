//! What a grid came to, as tables.

use super::{Cell, FindResult, Prepared, Results};
use crate::error::{Error, Result};
use crate::grid::{Experiment, LrFindPer};
use crate::lr_find::LrFound;
use crate::plan::FindCell;
use crate::ranking::{Analysis, Ranking};
use crate::record::{Outcome, RunRecord};
use crate::results::rows::{
    CurveRow, FactorRow, FailureRow, FindRow, NoteRow, TimeRow,
};
use crate::results::{FileStems, Folder, board_stem, find_stems};

/// What the cells of a grid came to.
pub(crate) struct Published<'a> {
    /// The runs that are there.
    pub(crate) records: Vec<RunRecord>,
    /// The rates found.
    pub(crate) finds: Vec<(FindRow, &'a LrFound)>,
    /// Cells that failed.
    pub(crate) failed: usize,
}

/// Writes the result of every cell, even if some are missing.
///
/// # Errors
///
/// If a file cannot be written.
pub(crate) fn publish_cells<'a>(
    experiment: &Experiment,
    prepared: &Prepared,
    results: &'a Results,
    folder: &Folder,
) -> Result<Published<'a>> {
    folder.sweep();
    let runs = || prepared.plan.runs.iter().zip(&results.runs);
    let records: Vec<RunRecord> = runs()
        .filter_map(|(cell, state)| {
            super::record(experiment, prepared, cell, state)
        })
        .collect();
    folder.table("runs", &records)?;
    let (mut times, mut curves) = (vec![], vec![]);
    for (cell, state) in runs() {
        let Cell::Done(run) = state else { continue };
        times.push(TimeRow {
            run_id: cell.id.clone(),
            train_seconds: run.fit.train_seconds,
        });
        curves.extend(run.fit.curve.iter().map(|point| CurveRow {
            run_id: &cell.id,
            step: point.step,
            lr: point.lr,
            train_loss: point.train_loss,
            valid_loss: point.valid_loss,
        }));
    }
    folder.table("times", &times)?;
    folder.table("curves", &curves)?;
    let finds = finds(experiment, prepared, results);
    let rows: Vec<&FindRow> = finds.iter().map(|(row, _)| row).collect();
    for (stem, (row, found)) in find_stems(&rows).iter().zip(&finds) {
        if found.curve.is_empty() {
            continue;
        }
        let svg = found.to_svg(&find_title(row));
        folder.table(stem, &found.curve)?;
        folder.write(&format!("{stem}.svg"), &svg)?;
    }
    folder.table("lr_find", &rows)?;
    publish_refined(experiment, prepared, results, folder)?;
    let failures = failures(experiment, prepared, results);
    folder.table_or_none("failures", &failures)?;
    folder.write("experiment.toml", &experiment.text)?;
    Ok(Published { records, finds, failed: failures.len() })
}

/// Writes every ranking, and removes tables of an earlier ranking that this one
/// does not have.
///
/// # Errors
///
/// If a file cannot be written.
pub(crate) fn publish_analysis(
    analysis: &Analysis,
    folder: &Folder,
) -> Result<()> {
    let mut stems = vec![];
    let mut board = |stem: String, ranking: &Ranking| {
        stems.push(stem);
        folder.table(&stems[stems.len() - 1], ranking.leaderboard())
    };
    let details = |end: &str, ranking: &Ranking| {
        folder.table(&format!("pairwise{end}"), &ranking.pairwise())?;
        folder.table(&format!("workloads{end}"), ranking.workload_rows())
    };
    board(board_stem(None, None), &analysis.overall)?;
    details("", &analysis.overall)?;
    for one in &analysis.boards {
        board(board_stem(one.budget, one.lr_multiple), &one.ranking)?;
    }
    if let Some(tuned) = &analysis.tuned {
        board("leaderboard-tuned".to_owned(), tuned)?;
    }
    if let Some(found) = &analysis.found {
        board("leaderboard-found".to_owned(), found)?;
        details("-found", found)?;
        stems.extend(["pairwise-found", "workloads-found"].map(String::from));
    }
    if !analysis.robustness.is_empty() {
        folder.table("robustness", &analysis.robustness)?;
        stems.push("robustness".to_owned());
    }
    if !analysis.theory.is_empty() {
        folder.table("theory", &analysis.theory)?;
        stems.push("theory".to_owned());
    }
    if !analysis.posterior.is_empty() {
        folder.table("posterior", &analysis.posterior)?;
        stems.push("posterior".to_owned());
    }
    let notes = analysis.leading().notes().into_iter();
    let notes: Vec<NoteRow> = notes.map(|note| NoteRow { note }).collect();
    folder.table("notes", &notes)?;
    folder.remove_stale(&stems)
}

/// The rates found, in the order of the grid.
fn finds<'a>(
    experiment: &Experiment,
    prepared: &Prepared,
    results: &'a Results,
) -> Vec<(FindRow, &'a LrFound)> {
    let cells = prepared.plan.finds.iter().zip(&results.finds);
    let found = |(cell, state): (&FindCell, &'a Cell<_>)| match state {
        Cell::Done(FindResult { found, .. }) => {
            Some((find_row(experiment, cell, found), found))
        }
        _ => None,
    };
    cells.filter_map(found).collect()
}

/// The row of one learning rate found.
pub(crate) fn find_row(
    experiment: &Experiment,
    cell: &FindCell,
    found: &LrFound,
) -> FindRow {
    let workload = &experiment.workloads[cell.workload];
    let by_schedule =
        experiment.lr_find.per == LrFindPer::Schedule && cell.given.is_none();
    let is_baseline = cell.schedule == experiment.schedules.len();
    FindRow {
        workload: workload.name.clone(),
        optimizer: workload.spec.optimizer_label(),
        budget: cell.budget,
        lr: found.lr,
        low: found.interval.0,
        high: found.interval.1,
        outcome: found.outcome.to_string(),
        rule: match cell.given {
            Some(_) => String::new(),
            None => found.rule.to_string(),
        },
        cost_steps: found.cost_steps,
        schedule: (by_schedule || is_baseline)
            .then(|| experiment.label(cell.schedule)),
    }
}

/// The name that tells a rate from the others of its grid.
pub(crate) fn find_title(row: &FindRow) -> String {
    let schedule = row.schedule.iter().map(|label| format!(", {label}"));
    let schedule: String = schedule.collect();
    format!("{}{schedule}, {} steps", row.workload, row.budget)
}

/// What failed, and why.
fn failures(
    experiment: &Experiment,
    prepared: &Prepared,
    results: &Results,
) -> Vec<FailureRow> {
    let plan = &prepared.plan;
    let mut rows = vec![];
    let workload = |i: usize| experiment.workloads[i].name.clone();
    for (cell, state) in plan.finds.iter().zip(&results.finds) {
        rows.extend(state.failure().map(|why| FailureRow {
            id: cell.id.clone(),
            cell: "learning rate",
            workload: workload(cell.workload),
            budget: cell.budget,
            why: why.to_owned(),
            ..FailureRow::default()
        }));
    }
    for (cell, state) in plan.pilots.iter().zip(&results.pilots) {
        rows.extend(state.failure().map(|why| FailureRow {
            id: cell.id.clone(),
            cell: "gradient norms",
            workload: workload(cell.workload),
            schedule: Some(cell.schedule.label()),
            budget: cell.budget,
            lr_multiple: Some(cell.lr_multiple),
            why: why.to_owned(),
            ..FailureRow::default()
        }));
    }
    for (cell, state) in plan.runs.iter().zip(&results.runs) {
        rows.extend(state.failure().map(|why| FailureRow {
            id: cell.id.clone(),
            cell: "run",
            workload: workload(cell.workload),
            schedule: Some(experiment.label(cell.schedule)),
            budget: cell.budget,
            lr_multiple: Some(cell.lr_multiple),
            seed: Some(cell.seed),
            why: why.to_owned(),
        }));
    }
    rows
}

/// Writes a table `step,factor` of every `refined` schedule, which the kind
/// `table` reads and `export` writes as code.
fn publish_refined(
    experiment: &Experiment,
    prepared: &Prepared,
    results: &Results,
    folder: &Folder,
) -> Result<()> {
    let mut stems = FileStems::default();
    let mut written = vec![];
    for cell in &prepared.plan.runs {
        let Some(Cell::Done(pilot)) = cell.pilot.map(|i| &results.pilots[i])
        else {
            continue;
        };
        let workload = &experiment.workloads[cell.workload];
        let spec = &experiment.schedules[cell.schedule];
        let name = format!(
            "{}-{}-{}-{}",
            workload.name,
            cell.budget,
            cell.lr_multiple,
            spec.label()
        );
        // The seeds of a cell share one.
        if pilot.fit.outcome != Outcome::Completed || written.contains(&name) {
            continue;
        }
        let adaptive = workload.spec.is_adaptive();
        let factors = spec
            .refined_by(&pilot.norms, adaptive)
            .and_then(|made| made.rates(1.0, cell.budget))
            .map_err(|problem| Error::Invalid(problem.message))?;
        let rows = factors.into_iter().enumerate();
        let rows: Vec<FactorRow> =
            rows.map(|(step, factor)| FactorRow { step, factor }).collect();
        let stem = stems.next(&name);
        folder.table(&format!("refined/{stem}"), &rows)?;
        written.push(name);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranking::{Protocol, Runs};
    use std::fs;
    use std::path::Path;

    /// The tables that are shipped are what the program makes of the runs
    /// that are shipped.
    #[test]
    fn shipped_tables_are_those_of_the_shipped_runs() {
        same_tables(&["standard", "smoke"]);
    }

    #[test]
    #[ignore = "the model of 57,500 runs takes a while without optimization"]
    fn tables_of_the_study_are_those_of_its_shipped_runs() {
        same_tables(&["study-250", "study-1000"]);
    }

    fn same_tables(names: &[&str]) {
        for name in names {
            let shipped = Path::new("results").join(name);
            let from = Folder::open(&shipped).expect("shipped results");
            let runs = from.runs().and_then(|sheet| Runs::read(&sheet, None));
            let outline = from.outline();
            let protocol =
                Protocol { control: outline.control, ..Protocol::default() };
            let runs = runs.expect("readable");
            let analysis = Analysis::new(&runs, &protocol, &outline.schedules);
            let dir = tempfile::tempdir().expect("a temporary folder");
            let folder = Folder::new(dir.path());
            publish_analysis(&analysis.expect("complete"), &folder)
                .expect("writable");
            let mut tables = 0;
            for entry in fs::read_dir(dir.path()).expect("the tables") {
                let made = entry.expect("an entry").path();
                let file = made.file_name().expect("a name");
                let read = |path: &Path| fs::read_to_string(path).ok();
                // Too many rows to ship.
                if file.to_string_lossy().starts_with("workloads")
                    && !shipped.join(file).exists()
                {
                    continue;
                }
                let same = read(&made) == read(&shipped.join(file));
                assert!(same, "{name}/{}", file.display());
                tables += 1;
            }
            assert!(tables > 5, "{tables} tables");
        }
    }
}
