//! Whether one order of the schedules predicts another one.

use super::Error;
use crate::error::Result;
use crate::ranking::Protocol;
use crate::ranking::cells::{Cell, Table, mean_rows};
use crate::ranking::regret::regrets;
use crate::schedule::{ScheduleSpec, bound};
use crate::seed::stream;
use crate::stats::bootstrap::{Interval, percentiles};
use crate::stats::ranks::spearman;
use std::collections::BTreeMap;

/// Spearman's correlation of two orders, with its 95 % bootstrap interval over
/// clusters.
pub(super) struct Order {
    pub(super) clusters: usize,
    pub(super) spearman: f64,
    pub(super) interval: Interval,
}

/// Convex bounds against mean ranks, for the schedules that have a bound. A
/// bound is the mean over the budgets of the runs.
///
/// # Errors
///
/// If fewer than three schedules have one.
pub(super) fn of_bound(
    table: &Table,
    schedules: &[ScheduleSpec],
    protocol: &Protocol,
) -> Result<Order> {
    let cells = table.blocks.iter().flat_map(|block| &block.cells);
    let mut budgets: Vec<u64> = cells.filter_map(|cell| cell.budget).collect();
    budgets.sort_unstable();
    budgets.dedup();
    let of = |label: &String| -> Option<f64> {
        let spec = schedules.iter().find(|spec| spec.label() == *label)?;
        // The bound is that of the last weights.
        if spec.averages() || budgets.is_empty() {
            return None;
        }
        let at = |&budget: &u64| {
            let rates = spec.rates(1.0, usize::try_from(budget).ok()?).ok()?;
            Some(bound(&rates)?.omega)
        };
        let bounds = budgets.iter().map(at).collect::<Option<Vec<f64>>>()?;
        Some(bounds.iter().sum::<f64>() / bounds.len() as f64)
    };
    let (known, bounds): (Vec<usize>, Vec<f64>) = table
        .schedules
        .iter()
        .enumerate()
        .filter_map(|(j, label)| Some((j, of(label)?)))
        .unzip();
    let ranks = of_each(&table.by_cluster(Cell::ranks), &known);
    let clusters = ranks.len();
    order(clusters, protocol, |drawn| {
        let means = mean_rows(drawn.iter().map(|&i| &ranks[i]));
        spearman(&bounds, &means)
    })
}

/// Mean regrets of the common schedules in one table against those in another,
/// over the common clusters.
///
/// # Errors
///
/// If there are fewer than three of them, or no common cluster.
pub(super) fn of_budgets(
    first: &Table,
    second: &Table,
    protocol: &Protocol,
) -> Result<Order> {
    let (in_first, in_second): (Vec<usize>, Vec<usize>) = first
        .schedules
        .iter()
        .enumerate()
        .filter_map(|(j, label)| {
            Some((j, second.schedules.binary_search(label).ok()?))
        })
        .unzip();
    let by_name = |table: &Table, schedules: &[usize]| {
        let rows = table.by_cluster(|cell| regrets(table, cell));
        let names = table.clusters.iter().map(|members| {
            members.first().map(|&i| table.blocks[i].cluster.clone())
        });
        let rows = of_each(&rows, schedules);
        names.zip(rows).collect::<BTreeMap<_, Vec<f64>>>()
    };
    let second = by_name(second, &in_second);
    let (first, second): (Vec<Vec<f64>>, Vec<Vec<f64>>) =
        by_name(first, &in_first)
            .into_iter()
            .filter_map(|(name, row)| Some((row, second.get(&name)?.clone())))
            .unzip();
    order(first.len(), protocol, |drawn| {
        let mean =
            |rows: &[Vec<f64>]| mean_rows(drawn.iter().map(|&i| &rows[i]));
        spearman(&mean(&first), &mean(&second))
    })
}

/// The entries of the schedules `known` in each row.
fn of_each(rows: &[Vec<f64>], known: &[usize]) -> Vec<Vec<f64>> {
    let entries = |row: &Vec<f64>| known.iter().map(|&j| row[j]).collect();
    rows.iter().map(entries).collect()
}

/// What `of` gives for all clusters, and its interval over resampled ones.
fn order(
    clusters: usize,
    protocol: &Protocol,
    of: impl Fn(&[usize]) -> Option<f64>,
) -> Result<Order> {
    let all: Vec<usize> = (0..clusters).collect();
    let found = if all.is_empty() { None } else { of(&all) };
    let Some(spearman) = found else {
        return Err(Error::Invalid(
            "an order needs three schedules on a common data set, and those \
             of the bound need the grid (`experiment.toml`) beside the runs"
                .to_owned(),
        ));
    };
    let mut rng = stream(protocol.seed, "orders");
    let interval = percentiles(clusters, &mut rng, &of);
    Ok(Order { clusters, spearman, interval })
}
