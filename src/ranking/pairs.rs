//! Two schedules against each other.

use super::cells::{Cell, Table};
use super::protocol::{Protocol, Scale};
use std::cmp::Ordering;

/// Differences `a - b` of each cluster on the scale of the ranking, turned so
/// that negative means `a` is better.
///
/// Where one of the two diverged more often the difference is infinite: the
/// largest there is. Budgets and multiples of a workload, then workloads of a
/// cluster, are averaged; infinite differences count before any finite one,
/// and as many of one sign as of the other cancel.
pub(super) fn differences(table: &Table, a: usize, b: usize) -> Vec<f64> {
    let blocks: Vec<Difference> = table
        .blocks
        .iter()
        .map(|block| {
            mean(block.cells.iter().map(|cell| difference(cell, a, b)))
        })
        .collect();
    table
        .clusters
        .iter()
        .map(|members| {
            let mean = mean(members.iter().map(|&i| blocks[i]));
            match mean.infinite.cmp(&0) {
                Ordering::Less => f64::NEG_INFINITY,
                Ordering::Equal => mean.finite,
                Ordering::Greater => f64::INFINITY,
            }
        })
        .collect()
}

/// A finite difference, or an infinite one by its sign.
#[derive(Clone, Copy, Debug, Default)]
struct Difference {
    infinite: i32,
    finite: f64,
}

fn difference(cell: &Cell, a: usize, b: usize) -> Difference {
    let (a, b) = (&cell.standings[a], &cell.standings[b]);
    match a.diverged.cmp(&b.diverged) {
        Ordering::Less => Difference { infinite: -1, finite: 0.0 },
        Ordering::Greater => Difference { infinite: 1, finite: 0.0 },
        // Both diverged on every seed: there is no mean, and no difference.
        Ordering::Equal if a.diverged == cell.seeds => Difference::default(),
        Ordering::Equal => {
            Difference { infinite: 0, finite: a.value - b.value }
        }
    }
}

fn mean(differences: impl ExactSizeIterator<Item = Difference>) -> Difference {
    let count = differences.len() as f64;
    let mut mean = Difference::default();
    for difference in differences {
        mean.infinite += difference.infinite;
        mean.finite += difference.finite;
    }
    Difference { infinite: mean.infinite.signum(), finite: mean.finite / count }
}

/// Share of the seeds of a cell in which each schedule beats `rival`, ties
/// half; a run that diverged loses to any that did not.
pub(super) fn win_shares(table: &Table, cell: &Cell, rival: usize) -> Vec<f64> {
    let mut shares = vec![0.0; cell.standings.len()];
    for seed in 0..cell.seeds {
        let scores = cell.seed(seed);
        let other = scores[rival];
        for (share, &score) in shares.iter_mut().zip(scores) {
            let order = match (score.is_nan(), other.is_nan()) {
                (false, false) => {
                    (table.sign * score).partial_cmp(&(table.sign * other))
                }
                (own, others) => Some(own.cmp(&others)),
            };
            *share += match order {
                Some(Ordering::Less) => 1.0,
                Some(Ordering::Greater) => 0.0,
                _ => 0.5,
            };
        }
    }
    for share in &mut shares {
        *share /= cell.seeds as f64;
    }
    shares
}

/// Half width of the region of practical equivalence.
pub(super) fn rope(table: &Table, control: usize, protocol: &Protocol) -> f64 {
    /// Half a per cent.
    const SHARE: f64 = 0.005;
    if let Some(rope) = protocol.rope {
        return rope;
    }
    match table.scale {
        Scale::Relative => SHARE,
        Scale::Raw => {
            let scores = table
                .by_cluster(|cell| vec![cell.standings[control].score.abs()]);
            let finite: Vec<f64> = scores
                .into_iter()
                .flatten()
                .filter(|score| score.is_finite())
                .collect();
            if finite.is_empty() {
                return 0.0;
            }
            SHARE * finite.iter().sum::<f64>() / finite.len() as f64
        }
    }
}
