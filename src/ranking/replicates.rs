//! What the seeds of a workload show: tests within one workload, and where
//! the spread of the scores comes from.

use super::cells::{Block, Cell, Table};
use crate::stats::multiple::holm;
use crate::stats::paired::student;
use crate::stats::variance::{Components, components};
use crate::stats::wilcoxon::signed_rank;

/// A schedule against the control on one workload, seed by seed; lower is
/// better.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Within {
    /// Mean difference and its 95 % interval by Student's t; `None` where a
    /// run diverged or the seeds are too few or all alike.
    pub(super) difference: Option<(f64, f64, f64)>,
    /// Two-sided p of the signed-rank test over seeds, after Holm's
    /// correction over the schedules of this workload; `None` for the
    /// control, and where the workload lacks one of the two. It is evidence
    /// about this workload only.
    pub(super) p: Option<f64>,
}

/// Variance components and the number of seeds that they are from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts {
    pub(super) components: Components,
    pub(super) seeds: usize,
}

/// Values of each seed that all cells of a workload have, `[seed][schedule]`,
/// budgets and multiples averaged; NaN where a run diverged or is not there.
pub(super) fn by_seed(table: &Table, block: &Block) -> Vec<Vec<f64>> {
    averaged(table, &block.cells.iter().collect::<Vec<_>>())
}

/// The same of some `cells` of a workload.
fn averaged(table: &Table, cells: &[&Cell]) -> Vec<Vec<f64>> {
    let [first, others @ ..] = cells else { return vec![] };
    let mut rows = vec![];
    for (i, number) in first.numbers.iter().enumerate() {
        let elsewhere: Option<Vec<&[f64]>> = others
            .iter()
            .map(|cell| {
                let at = cell.numbers.binary_search(number).ok()?;
                Some(cell.seed(at))
            })
            .collect();
        let Some(mut cells) = elsewhere else { continue };
        cells.push(first.seed(i));
        let mean = |j: usize| {
            let sum: f64 = cells.iter().map(|s| table.value(s[j])).sum();
            sum / cells.len() as f64
        };
        rows.push((0..table.schedules.len()).map(mean).collect());
    }
    rows
}

/// Seeds that every workload has at least.
pub(super) fn fewest_seeds(table: &Table) -> usize {
    let of = |block| by_seed(table, block).len();
    table.blocks.iter().map(of).min().unwrap_or(0)
}

/// Tests of every schedule against `control` within one workload.
pub(super) fn within(
    table: &Table,
    block: &Block,
    control: usize,
) -> Vec<Within> {
    let rows = by_seed(table, block);
    let k = table.schedules.len();
    let mut tests = vec![Within::default(); k];
    let there = |j: usize| block.cells.iter().all(|cell| cell.has(j));
    let others: Vec<usize> = (0..k)
        .filter(|&j| j != control && there(j) && there(control))
        .collect();
    let mut p = vec![];
    for &j in &others {
        let differences: Vec<f64> =
            rows.iter().map(|row| difference(row[j], row[control])).collect();
        tests[j].difference = student(&differences)
            .map(|test| (test.mean, test.interval.low, test.interval.high));
        p.push(signed_rank(&differences).p);
    }
    for (&j, p) in others.iter().zip(holm(&p)) {
        tests[j].p = Some(p);
    }
    tests
}

/// `a - b`; infinite where one of the two diverged.
pub(super) fn difference(a: f64, b: f64) -> f64 {
    match (a.is_nan(), b.is_nan()) {
        (false, false) => a - b,
        (true, true) => 0.0,
        (true, false) => f64::INFINITY,
        (false, true) => f64::NEG_INFINITY,
    }
}

/// Variance components over the budgets and multiples of each workload that
/// have all schedules and no run that diverged, and the seeds behind them;
/// workloads with more seeds
/// than others give their first ones. `None` where there is too little of
/// anything.
pub(super) fn variance(table: &Table) -> Option<Parts> {
    let whole = |cell: &&Cell| {
        let mut standings = cell.standings.iter();
        standings.all(|s| s.is_some_and(|s| s.diverged == 0))
    };
    let mut scores: Vec<Vec<Vec<f64>>> = table
        .blocks
        .iter()
        .map(|block| {
            let cells: Vec<&Cell> = block.cells.iter().filter(whole).collect();
            averaged(table, &cells)
        })
        .filter(|rows| !rows.is_empty())
        .collect();
    let seeds = scores.iter().map(Vec::len).min()?;
    for rows in &mut scores {
        rows.truncate(seeds);
    }
    Some(Parts { components: components(&scores)?, seeds })
}
