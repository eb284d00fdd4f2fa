//! Two schedules against each other.

use super::cells::{Cell, Standing, Table, mean_there};
use super::protocol::{Protocol, Scale};
use std::cmp::Ordering;

/// Differences `a - b` of each cluster that has both, on the scale of the
/// ranking, turned so that negative means `a` is better.
///
/// Where one of the two diverged more often the difference is infinite: the
/// largest there is. Budgets and multiples of a workload, then workloads of a
/// cluster, are averaged; infinite differences count before any finite one,
/// and as many of one sign as of the other cancel.
pub(super) fn differences(table: &Table, a: usize, b: usize) -> Vec<f64> {
    let named = by_cluster(table, a, b).into_iter();
    named.map(|(_, difference)| difference).collect()
}

/// The same with the names of the clusters.
pub(super) fn by_cluster(
    table: &Table,
    a: usize,
    b: usize,
) -> Vec<(String, f64)> {
    let blocks: Vec<Option<Difference>> = table
        .blocks
        .iter()
        .map(|block| {
            mean(block.cells.iter().filter_map(|cell| difference(cell, a, b)))
        })
        .collect();
    table
        .clusters
        .iter()
        .filter_map(|members| {
            let mean = mean(members.iter().filter_map(|&i| blocks[i]))?;
            let name = &table.blocks[*members.first()?].cluster;
            let difference = match mean.infinite.cmp(&0) {
                Ordering::Less => f64::NEG_INFINITY,
                Ordering::Equal => mean.finite,
                Ordering::Greater => f64::INFINITY,
            };
            Some((name.clone(), difference))
        })
        .collect()
}

/// Mean ranks of schedules that not all cells have: 1, and for each other
/// schedule the mean share in which it stands before, over what both have;
/// a half where they have nothing. On complete cells that is the mean of the
/// ranks. A schedule neither gains nor loses by what it lacks, as a mean of
/// ranks among fewer rivals would.
pub(super) fn mean_ranks(table: &Table) -> Vec<f64> {
    let k = table.schedules.len();
    (0..k)
        .map(|j| {
            let shares = table.averages(|cell| {
                (0..k).map(|rival| cell.before(rival, j)).collect()
            });
            let rivals = mean_there(&shares).into_iter().enumerate();
            rivals.filter(|(rival, _)| *rival != j).fold(
                1.0,
                |rank, (_, share)| {
                    rank + if share.is_nan() { 0.5 } else { share }
                },
            )
        })
        .collect()
}

/// A finite difference, or an infinite one by its sign.
#[derive(Clone, Copy, Debug, Default)]
struct Difference {
    infinite: i32,
    finite: f64,
}

/// `None` where the cell lacks one of the two.
fn difference(cell: &Cell, a: usize, b: usize) -> Option<Difference> {
    let (a, b) = (cell.standings[a].as_ref()?, cell.standings[b].as_ref()?);
    Some(match a.diverged.cmp(&b.diverged) {
        Ordering::Less => Difference { infinite: -1, finite: 0.0 },
        Ordering::Greater => Difference { infinite: 1, finite: 0.0 },
        // Both diverged on every seed: there is no mean, and no difference.
        Ordering::Equal if a.diverged == cell.seeds => Difference::default(),
        Ordering::Equal => {
            Difference { infinite: 0, finite: a.value - b.value }
        }
    })
}

/// `None` of nothing.
fn mean(differences: impl Iterator<Item = Difference>) -> Option<Difference> {
    let (mut count, mut mean) = (0_u32, Difference::default());
    for difference in differences {
        count += 1;
        mean.infinite += difference.infinite;
        mean.finite += difference.finite;
    }
    (count > 0).then(|| Difference {
        infinite: mean.infinite.signum(),
        finite: mean.finite / f64::from(count),
    })
}

/// Share of the seeds of a cell in which each schedule beats `rival`, ties
/// half; a run that diverged loses to any that did not. NaN where the cell
/// lacks one of the two.
pub(super) fn win_shares(table: &Table, cell: &Cell, rival: usize) -> Vec<f64> {
    let there = |j| if cell.has(j) && cell.has(rival) { 0.0 } else { f64::NAN };
    let mut shares: Vec<f64> = (0..cell.standings.len()).map(there).collect();
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
            let scores = table.by_cluster(|cell| {
                let score = |s: &Standing| s.score.abs();
                let own = cell.standings[control].as_ref();
                vec![own.map_or(f64::NAN, score)]
            });
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
