//! The tables of a grid's results folder.

use crate::error::{Error, Result};
use crate::grid::{Experiment, LrFindPer};
use crate::plan::FindCell;
use crate::ranking::{
    LeaderboardRow, PairRow, Protocol, Ranking, boards, robustness, theory,
    tuned,
};
use crate::record::Outcome;
use crate::report::NoteRow;
use crate::runner::{Cell, Prepared, Results};
use crate::schedule::bound;
use crate::store::{curve, tables, write_atomically};
use crate::workload::Registry;
use serde::Serialize;
use std::fs;
use std::path::Path;

/// A row of `lr_find.csv`.
#[derive(Serialize)]
pub(super) struct FindRow {
    workload: String,
    optimizer: String,
    budget: usize,
    lr: f64,
    low: f64,
    high: f64,
    outcome: String,
    rule: String,
    cost_steps: usize,
    /// Where each schedule has a rate of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule: Option<String>,
}

/// A row of `curves.csv`.
#[derive(Serialize)]
struct CurveRow<'a> {
    run_id: &'a str,
    step: usize,
    lr: f64,
    train_loss: Option<f64>,
    valid_loss: Option<f64>,
}

/// Ranks `runs.csv` and writes every board; gives the one to look at first:
/// at the rate found where other multiples stand beside it, else the overall
/// one.
pub(super) fn rank(
    runs_csv: &Path,
    experiment: &Experiment,
    dir: &Path,
) -> Result<Vec<LeaderboardRow>> {
    let (observations, column) = tables::read_observations(runs_csv, None)?;
    let protocol = Protocol {
        control: Some(experiment.control.clone()),
        ..Protocol::default()
    };
    let mut written = Written { dir, stems: vec![] };
    let boards = boards(&observations, &column, &protocol)?;
    for board in &boards {
        written.table(&board.name, &board.ranking.leaderboard())?;
    }
    let test_column = "test_loss";
    let (test, _) = tables::read_observations(runs_csv, Some(test_column))?;
    if let Some(runs) = tuned(&observations, &test) {
        let board = Ranking::of(&runs, test_column, &protocol)?;
        written.table("leaderboard-tuned", &board.leaderboard())?;
    }
    let robust = robustness(&observations, &column, &protocol)?;
    if !robust.is_empty() {
        written.table("robustness", &robust)?;
    }
    let bounds = |label: &str, budget: u64| {
        let mut specs = experiment.schedules.iter();
        let spec = specs.find(|spec| spec.label() == label)?;
        bound(&spec.rates(1.0, usize::try_from(budget).ok()?).ok()?)
    };
    let theory = theory(&boards, &experiment.control, bounds);
    if !theory.is_empty() {
        written.table("theory", &theory)?;
    }
    let overall = &boards[0].ranking;
    written.table("pairwise", &overall.pairwise())?;
    written.table("workloads", &overall.workload_rows())?;
    let mut leading = overall.leaderboard();
    let mut notes = overall.notes().to_vec();
    if let Some(protocol) = protocol.at_found_rate(&observations) {
        let found = Ranking::of(&observations, &column, &protocol)?;
        leading = found.leaderboard();
        notes = found.notes().to_vec();
        written.table("leaderboard-found", &leading)?;
        written.table("pairwise-found", &found.pairwise())?;
        written.table("workloads-found", &found.workload_rows())?;
    }
    let notes: Vec<NoteRow> =
        notes.into_iter().map(|note| NoteRow { note }).collect();
    written.table("notes", &notes)?;
    written.remove_others()?;
    Ok(leading)
}

/// The tables of a ranking.
struct Written<'a> {
    dir: &'a Path,
    stems: Vec<String>,
}

impl Written<'_> {
    fn table(&mut self, stem: &str, rows: &[impl Serialize]) -> Result<()> {
        tables::write_rows(&self.dir.join(format!("{stem}.csv")), rows)?;
        self.stems.push(stem.to_owned());
        Ok(())
    }

    /// Removes the tables of an earlier ranking that this one has no use for:
    /// the grid had other budgets or multiples then, and the report would
    /// show them still.
    fn remove_others(&self) -> Result<()> {
        let entries = fs::read_dir(self.dir).map_err(Error::io(self.dir))?;
        for entry in entries {
            let path = entry.map_err(Error::io(self.dir))?.path();
            let is_table = path.extension().is_some_and(|end| end == "csv");
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            let kept = self.stems.iter().any(|kept| *kept == stem);
            if is_table && is_conditional(&stem) && !kept {
                fs::remove_file(&path).map_err(Error::io(&path))?;
            }
        }
        Ok(())
    }
}

/// Whether the table `stem` is one that only some grids have.
fn is_conditional(stem: &str) -> bool {
    let of_condition = |rest: &str| {
        ["found", "tuned"].contains(&rest)
            || rest.starts_with(|c: char| c.is_ascii_digit())
    };
    stem.strip_prefix("leaderboard-").is_some_and(of_condition)
        || ["pairwise-found", "workloads-found", "robustness", "theory"]
            .contains(&stem)
}

pub(super) fn write_curves(
    prepared: &Prepared,
    results: &Results,
    dir: &Path,
) -> Result<()> {
    let mut rows = vec![];
    for (cell, state) in prepared.plan.runs.iter().zip(&results.runs) {
        let Cell::Done(run) = state else { continue };
        rows.extend(run.fit.curve.iter().map(|point| CurveRow {
            run_id: &cell.id,
            step: point.step,
            lr: point.lr,
            train_loss: point.train_loss,
            valid_loss: point.valid_loss,
        }));
    }
    tables::write_rows(&dir.join("curves.csv"), &rows)
}

/// A row of `failures.csv`.
#[derive(Default, Serialize)]
struct FailureRow<'a> {
    id: &'a str,
    /// Learning rate, gradient norms or run.
    cell: &'static str,
    workload: &'a str,
    schedule: Option<String>,
    budget: usize,
    lr_multiple: Option<f64>,
    seed: Option<u64>,
    why: &'a str,
}

/// What failed and why; no table where nothing did. Gives how many these are.
pub(super) fn write_failures(
    experiment: &Experiment,
    prepared: &Prepared,
    results: &Results,
    dir: &Path,
) -> Result<usize> {
    let plan = &prepared.plan;
    let mut rows = vec![];
    let workload = |i: usize| experiment.workloads[i].name.as_str();
    for (cell, state) in plan.finds.iter().zip(&results.finds) {
        rows.extend(state.failure().map(|why| FailureRow {
            id: &cell.id,
            cell: "learning rate",
            workload: workload(cell.workload),
            budget: cell.budget,
            why,
            ..FailureRow::default()
        }));
    }
    for (cell, state) in plan.pilots.iter().zip(&results.pilots) {
        rows.extend(state.failure().map(|why| FailureRow {
            id: &cell.id,
            cell: "gradient norms",
            workload: workload(cell.workload),
            schedule: Some(cell.schedule.label()),
            budget: cell.budget,
            lr_multiple: Some(cell.lr_multiple),
            why,
            ..FailureRow::default()
        }));
    }
    for (cell, state) in plan.runs.iter().zip(&results.runs) {
        rows.extend(state.failure().map(|why| FailureRow {
            id: &cell.id,
            cell: "run",
            workload: workload(cell.workload),
            schedule: Some(experiment.schedules[cell.schedule].label()),
            budget: cell.budget,
            lr_multiple: Some(cell.lr_multiple),
            seed: Some(cell.seed),
            why,
        }));
    }
    let path = dir.join("failures.csv");
    if !rows.is_empty() {
        tables::write_rows(&path, &rows)?;
    } else if path.exists() {
        fs::remove_file(&path).map_err(Error::io(&path))?;
    }
    Ok(rows.len())
}

/// `lr_find.csv`, and a curve and a picture of every range test. The longest
/// budget's carry the workload's name alone.
pub(super) fn write_finds(
    experiment: &Experiment,
    prepared: &Prepared,
    results: &Results,
    dir: &Path,
) -> Result<()> {
    let mut rows = vec![];
    let longest = experiment.budgets.iter().max().copied().unwrap_or(0);
    for (cell, state) in prepared.plan.finds.iter().zip(&results.finds) {
        let Cell::Done(find) = state else { continue };
        rows.push(find_row(experiment, cell, &find.found));
        let mut stem = file_stem(&experiment.workloads[cell.workload].name);
        if experiment.lr_find.per == LrFindPer::Schedule {
            stem += "-";
            stem += &file_stem(&experiment.schedules[cell.schedule].label());
        }
        if cell.budget != longest {
            stem = format!("{stem}-{}", cell.budget);
        }
        let folder = dir.join("lr_find");
        curve::write(&folder.join(format!("{stem}.csv")), &find.found.curve)?;
        write_atomically(
            &folder.join(format!("{stem}.svg")),
            find.found.to_svg(&find_title(experiment, cell)).as_bytes(),
        )?;
    }
    tables::write_rows(&dir.join("lr_find.csv"), &rows)
}

/// A row of the table that a `refined` schedule came to.
#[derive(Serialize)]
struct FactorRow {
    step: usize,
    factor: f64,
}

/// A table `step,factor` of every `refined` schedule, which the kind `table`
/// reads and `export` writes as code.
pub(super) fn write_refined(
    experiment: &Experiment,
    prepared: &Prepared,
    results: &Results,
    dir: &Path,
) -> Result<()> {
    let mut written = vec![];
    for cell in &prepared.plan.runs {
        let Some(Cell::Done(pilot)) = cell.pilot.map(|i| &results.pilots[i])
        else {
            continue;
        };
        let workload = &experiment.workloads[cell.workload];
        let spec = &experiment.schedules[cell.schedule];
        let stem = file_stem(&format!(
            "{}-{}-{}-{}",
            workload.name,
            cell.budget,
            cell.lr_multiple,
            spec.label()
        ));
        // The seeds of a cell share one.
        if pilot.fit.outcome != Outcome::Completed || written.contains(&stem) {
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
        let path = dir.join("refined").join(format!("{stem}.csv"));
        curve::write(&path, &rows)?;
        written.push(stem);
    }
    Ok(())
}

/// The row of one learning rate found.
pub(super) fn find_row(
    experiment: &Experiment,
    cell: &FindCell,
    found: &crate::LrFound,
) -> FindRow {
    let workload = &experiment.workloads[cell.workload];
    let by_schedule = experiment.lr_find.per == LrFindPer::Schedule;
    FindRow {
        workload: workload.name.clone(),
        optimizer: workload.spec.optimizer_label(),
        budget: cell.budget,
        lr: found.lr,
        low: found.interval.0,
        high: found.interval.1,
        outcome: found.outcome.to_string(),
        rule: found.rule.to_string(),
        cost_steps: found.cost_steps,
        schedule: by_schedule
            .then(|| experiment.schedules[cell.schedule].label()),
    }
}

/// What tells the rate of a cell from the others of its grid.
pub(super) fn find_title(experiment: &Experiment, cell: &FindCell) -> String {
    let name = &experiment.workloads[cell.workload].name;
    let schedule = match experiment.lr_find.per {
        LrFindPer::Schedule => {
            format!(", {}", experiment.schedules[cell.schedule].label())
        }
        _ => String::new(),
    };
    format!("{name}{schedule}, {} steps", cell.budget)
}

/// The control of the grid whose results are in `dir`: as its file says, or,
/// where what that names does not lie beside it (data, programs, models of
/// another binary), as its tables do.
pub(super) fn control_in(dir: &Path) -> Option<String> {
    let known = Registry::builtin().known();
    let grid = Experiment::load(&dir.join("experiment.toml"), &known);
    if let Ok(grid) = grid {
        return Some(grid.control);
    }
    let pairs = tables::read_rows::<PairRow>(&dir.join("pairwise.csv"));
    Some(pairs.ok()?.first()?.b.clone())
}

/// A name as a file name: no separators, no leading dot, not too long.
fn file_stem(name: &str) -> String {
    let stem: String = name
        .chars()
        .take(100)
        .map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' })
        .collect();
    match stem.strip_prefix('.') {
        Some(rest) => format!("-{rest}"),
        None => stem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_that_an_edited_grid_has_no_use_for_go() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let put = |name: &str| {
            fs::write(folder.path().join(name), "").expect("writable");
        };
        let kept = [
            "leaderboard.csv",
            "leaderboard-250-1.csv",
            "leaderboard-mine.csv",
            "runs.csv",
            "theory.svg",
        ];
        let stale = [
            "leaderboard-250-4.csv",
            "leaderboard-1000-0.25.csv",
            "leaderboard-found.csv",
            "leaderboard-tuned.csv",
            "pairwise-found.csv",
            "robustness.csv",
            "theory.csv",
        ];
        kept.iter().chain(&stale).for_each(|name| put(name));
        let stems = vec!["leaderboard-250-1".to_owned()];
        let written = Written { dir: folder.path(), stems };
        written.remove_others().expect("removable");
        for name in kept {
            assert!(folder.path().join(name).exists(), "{name}");
        }
        for name in stale {
            assert!(!folder.path().join(name).exists(), "{name}");
        }
    }
}
