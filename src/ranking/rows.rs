//! The rows of `workloads.csv`.

use super::cells::{Cell, Standing, Table};
use super::regret::regrets;
use super::replicates::within;
use crate::results::rows::WorkloadRow;

/// The rows of `workloads.csv`, by workload and schedule.
pub(super) fn workload_rows(table: &Table, control: usize) -> Vec<WorkloadRow> {
    let ranks = table.by_block(Cell::ranks);
    let regrets = table.by_block(|cell| regrets(table, cell));
    let scores = table.by_block(|cell| {
        // NaN as soon as one run diverged: the mean of the rest flatters.
        let whole = |s: &Option<Standing>| {
            s.filter(|s| s.diverged == 0).map_or(f64::NAN, |s| s.score)
        };
        cell.standings.iter().map(whole).collect()
    });
    let mut rows = vec![];
    for (i, block) in table.blocks.iter().enumerate() {
        let seeds = block.cells.iter().map(|cell| cell.seeds).max();
        let within = within(table, block, control);
        for (j, schedule) in table.schedules.iter().enumerate() {
            // A workload has a row of the schedules that all its cells have.
            let standings = block.cells.iter().map(|cell| cell.standings[j]);
            let Some(standings) = standings.collect::<Option<Vec<Standing>>>()
            else {
                continue;
            };
            let (difference, difference_low, difference_high) =
                turned(table.sign, within[j].difference);
            rows.push(WorkloadRow {
                workload: block.workload.clone(),
                cluster: block.cluster.clone(),
                schedule: schedule.clone(),
                score: Some(scores[i][j]).filter(|score| score.is_finite()),
                rank: ranks[i][j],
                regret: Some(regrets[i][j]),
                seeds: seeds.unwrap_or(0),
                diverged: standings.iter().map(|s| s.diverged).sum(),
                difference,
                difference_low,
                difference_high,
                p_within: within[j].p,
            });
        }
    }
    rows
}

/// A difference and its interval in the user's sign.
fn turned(
    sign: f64,
    difference: Option<(f64, f64, f64)>,
) -> (Option<f64>, Option<f64>, Option<f64>) {
    let Some((mean, low, high)) = difference else {
        return (None, None, None);
    };
    let (low, high) = (sign * low, sign * high);
    (Some(sign * mean), Some(low.min(high)), Some(low.max(high)))
}
