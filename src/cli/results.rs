//! The tables of a grid's results folder.

use crate::error::{Error, Result};
use crate::grid::{Experiment, LrFindPer};
use crate::plan::FindCell;
use crate::ranking::{
    LeaderboardRow, Protocol, Ranking, boards, robustness, theory, tuned,
};
use crate::record::Outcome;
use crate::runner::{Cell, Prepared, Results};
use crate::schedule::bound;
use crate::store::{curve, tables, write_atomically};
use serde::Serialize;
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

/// Ranks `runs.csv` and writes every board; gives the overall one.
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
    let boards = boards(&observations, &column, &protocol)?;
    for board in &boards {
        let rows = board.ranking.leaderboard();
        tables::write_rows(&dir.join(format!("{}.csv", board.name)), &rows)?;
    }
    let test_column = "test_loss";
    let (test, _) = tables::read_observations(runs_csv, Some(test_column))?;
    if let Some(runs) = tuned(&observations, &test) {
        let board = Ranking::of(&runs, test_column, &protocol)?;
        let path = dir.join("leaderboard-tuned.csv");
        tables::write_rows(&path, &board.leaderboard())?;
    }
    let robust = robustness(&observations, &column, &protocol)?;
    if !robust.is_empty() {
        tables::write_rows(&dir.join("robustness.csv"), &robust)?;
    }
    let bounds = |label: &str, budget: u64| {
        let mut specs = experiment.schedules.iter();
        let spec = specs.find(|spec| spec.label() == label)?;
        bound(&spec.rates(1.0, usize::try_from(budget).ok()?).ok()?)
    };
    let theory = theory(&boards, &experiment.control, bounds);
    if !theory.is_empty() {
        tables::write_rows(&dir.join("theory.csv"), &theory)?;
    }
    let overall = &boards[0].ranking;
    tables::write_rows(&dir.join("pairwise.csv"), &overall.pairwise())?;
    tables::write_rows(&dir.join("workloads.csv"), &overall.workload_rows())?;
    Ok(overall.leaderboard())
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
#[derive(Serialize)]
struct FailureRow<'a> {
    id: &'a str,
    /// Learning rate, gradient norms or run.
    cell: &'static str,
    workload: &'a str,
    why: &'a str,
}

/// What failed and why; no table where nothing did.
pub(super) fn write_failures(
    experiment: &Experiment,
    prepared: &Prepared,
    results: &Results,
    dir: &Path,
) -> Result<()> {
    let plan = &prepared.plan;
    let mut rows = vec![];
    let mut add = |cell, id, workload: usize, why| {
        let workload = &experiment.workloads[workload].spec.name;
        rows.push(FailureRow { id, cell, workload, why });
    };
    for (cell, state) in plan.finds.iter().zip(&results.finds) {
        if let Some(why) = state.failure() {
            add("learning rate", &cell.id, cell.workload, why);
        }
    }
    for (cell, state) in plan.pilots.iter().zip(&results.pilots) {
        if let Some(why) = state.failure() {
            add("gradient norms", &cell.id, cell.workload, why);
        }
    }
    for (cell, state) in plan.runs.iter().zip(&results.runs) {
        if let Some(why) = state.failure() {
            add("run", &cell.id, cell.workload, why);
        }
    }
    let path = dir.join("failures.csv");
    if rows.is_empty() {
        return match std::fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::io(&path)(e))
            }
            _ => Ok(()),
        };
    }
    tables::write_rows(&path, &rows)
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
        let mut stem =
            file_stem(&experiment.workloads[cell.workload].spec.name);
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
        let workload = &experiment.workloads[cell.workload].spec;
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
        let adaptive = workload.optimizer.is_adaptive();
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
    let spec = &experiment.workloads[cell.workload].spec;
    let by_schedule = experiment.lr_find.per == LrFindPer::Schedule;
    FindRow {
        workload: spec.name.clone(),
        optimizer: spec.optimizer.label(),
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
    let name = &experiment.workloads[cell.workload].spec.name;
    let schedule = match experiment.lr_find.per {
        LrFindPer::Schedule => {
            format!(", {}", experiment.schedules[cell.schedule].label())
        }
        _ => String::new(),
    };
    format!("{name}{schedule}, {} steps", cell.budget)
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
