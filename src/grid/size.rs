//! The number of runs of a grid, before it is expanded.

use super::settings::MOST_RUNS;
use super::wire::{Source, Table, find};
use super::{axes, workloads};
use crate::error::Result;
use crate::text::count;

/// Refuses more than [`MOST_RUNS`] runs; the error is at the longest list.
pub(super) fn refuse_bombs(
    source: Source<'_>,
    root: &Table,
    [seeds, budgets, multiples]: [usize; 3],
    workloads: &[(usize, &Table)],
    schedules: &[(usize, &Table)],
) -> Result<()> {
    let total = |counts: &[(usize, u128)]| {
        counts.iter().fold(0, |sum: u128, &(_, n)| sum.saturating_add(n))
    };
    let counts = |tables: &[(usize, &Table)], count: fn(&Table) -> u128| {
        tables.iter().map(|&(at, table)| (at, count(table))).collect::<Vec<_>>()
    };
    let workloads = counts(workloads, workloads::count);
    let schedules = counts(schedules, axes::count);
    let place = |key| find(root, key).map_or(0, |entry| entry.node.at);
    let lists = [
        (place("seeds"), seeds as u128),
        (place("budgets"), budgets as u128),
        (place("lr_multiples"), multiples as u128),
    ];
    let (many_workloads, many_schedules) =
        (total(&workloads), total(&schedules));
    let runs = lists
        .iter()
        .map(|&(_, n)| n)
        .chain([many_workloads, many_schedules])
        .fold(1, u128::saturating_mul);
    if runs <= MOST_RUNS as u128 {
        return Ok(());
    }
    let largest = lists
        .into_iter()
        .chain(workloads)
        .chain(schedules)
        .max_by_key(|&(_, n)| n)
        .map_or(0, |(at, _)| at);
    let message = format!(
        "the grid has {runs} runs ({} x {} x {} x {} x {}), at most \
         {MOST_RUNS} are allowed; this list is the longest, shorten it",
        count(many_workloads, "workload", "workloads"),
        count(many_schedules, "schedule", "schedules"),
        count(budgets, "budget", "budgets"),
        count(multiples, "multiple", "multiples"),
        count(seeds, "seed", "seeds"),
    );
    Err(source.error(largest, message))
}
