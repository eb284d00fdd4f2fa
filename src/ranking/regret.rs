//! Regret: what choosing a schedule costs.

use super::cells::{Cell, Standing, Table};
use super::protocol::Scale;
use crate::seed::stream;
use crate::stats::bootstrap::{
    self, Averages, Interval, hierarchical, interquartile_mean,
};
use rand::RngExt as _;
use serde::Serialize;

/// A regret on the relative scale counts at most this much, which is a loss
/// e times the best one.
pub(super) const MOST: f64 = 1.0;

/// How far a schedule falls behind the best schedule of each workload, on
/// the scale of the ranking; 0 is best.
///
/// On the relative scale the regret is `ln L - ln L_best`, cut at 1, so that
/// one bad workload does not decide the mean; on the raw scale it is
/// `|L - L_best|`. `L` is a mean over seeds. Where a seed diverged it is the
/// largest there is: 1, or on the raw scale the best score's size or the
/// largest regret of the cell, whichever is larger (1 if both are 0).
/// Budgets and multiples are averaged inside each workload, workloads inside
/// each cluster.
///
/// The interval is of a bootstrap that draws clusters and then, jointly for
/// all schedules, seeds of their workloads. The best schedule of each
/// workload stays the one found: a minimum taken anew in each replicate
/// would lift all regrets.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Regret {
    pub(super) mean: f64,
    /// Ends of the 95 % interval; NaN where a single run a schedule allows
    /// none.
    pub(super) low: f64,
    pub(super) high: f64,
    /// Interquartile mean over the clusters.
    pub(super) iqm: f64,
    /// Ends of its 95 % interval; NaN like those of the mean.
    pub(super) iqm_low: f64,
    pub(super) iqm_high: f64,
}

/// Regrets of all schedules, and the 95 % intervals of their mean differences
/// to the control, turned so that negative means better than the control.
pub(super) struct Effects {
    pub(super) regrets: Vec<Regret>,
    pub(super) differences: Vec<Option<Interval>>,
}

/// Regrets and differences to `control`, with `draws` bootstrap replicates,
/// or as many as the numbers need.
pub(super) fn effects(
    table: &Table,
    control: usize,
    seed: u64,
    draws: Option<usize>,
) -> Effects {
    let k = table.schedules.len();
    let draws =
        draws.unwrap_or_else(|| bootstrap::draws(table.clusters.len(), 2 * k));
    let by_cluster = table.averages(|cell| regrets(table, cell));
    let single = table.clusters.len() == 1
        && table.blocks.iter().flat_map(|b| &b.cells).all(|c| c.seeds == 1);
    let mut intervals = intervals(table, control, seed, draws);
    let of_differences = intervals.split_off(k);
    let regrets = (0..k)
        .map(|j| {
            let of_clusters = by_cluster.iter().map(|row| row[j]);
            let values: Vec<f64> =
                of_clusters.filter(|value| !value.is_nan()).collect();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let iqm = interquartile_mean(&values);
            // The interval of a clipped, skewed quantity may miss its mean.
            let around = |interval: Interval, mean: f64| {
                if single {
                    return (f64::NAN, f64::NAN);
                }
                (interval.low.clamp(0.0, mean), interval.high.max(mean))
            };
            let (low, high) = around(intervals[j].mean, mean);
            let (iqm_low, iqm_high) = around(intervals[j].iqm, iqm);
            Regret { mean, low, high, iqm, iqm_low, iqm_high }
        })
        .collect();
    let diverged = |j: usize| {
        let mut cells = table.blocks.iter().flat_map(|b| &b.cells);
        cells.any(|cell| {
            let pair = cell.standings[j].zip(cell.standings[control]);
            pair.is_some_and(|(own, other)| own.diverged + other.diverged > 0)
        })
    };
    let differences = of_differences
        .into_iter()
        .enumerate()
        .map(|(j, interval)| (!single && !diverged(j)).then_some(interval.mean))
        // Of two that no workload has.
        .map(|interval| interval.filter(|ends| !ends.low.is_nan()))
        .collect();
    Effects { regrets, differences }
}

/// Regrets of the schedules in one cell; NaN for those that it lacks.
pub(super) fn regrets(table: &Table, cell: &Cell) -> Vec<f64> {
    let reference = Reference::of(table, cell);
    let regret = |standing: &Option<Standing>| {
        standing.map_or(f64::NAN, |s| {
            reference.regret(s.diverged > 0, s.value, 0.0)
        })
    };
    cell.standings.iter().map(regret).collect()
}

/// What the regrets of a cell are measured from.
#[derive(Clone, Copy, Debug)]
struct Reference {
    /// The best schedule, if any came through without diverging.
    best: Option<usize>,
    /// Its value.
    value: f64,
    /// Regret of a schedule that diverged.
    worst: f64,
    /// Largest regret that counts as it is.
    most: f64,
}

impl Reference {
    fn of(table: &Table, cell: &Cell) -> Self {
        let whole = || {
            let standings = cell.standings.iter().enumerate();
            let there = standings.filter_map(|(j, s)| Some((j, s.as_ref()?)));
            there.filter(|(_, s)| s.diverged == 0)
        };
        let best = whole().min_by(|a, b| a.1.value.total_cmp(&b.1.value));
        let Some((best, Standing { value, score, .. })) =
            best.map(|(j, s)| (j, *s))
        else {
            return Self {
                best: None,
                value: f64::NAN,
                worst: MOST,
                most: f64::INFINITY,
            };
        };
        let (worst, most) = match table.scale {
            Scale::Relative => (MOST, MOST),
            Scale::Raw => {
                let largest = whole()
                    .map(|(_, s)| s.value - value)
                    .fold(score.abs(), f64::max);
                let worst = if largest > 0.0 { largest } else { MOST };
                (worst, f64::INFINITY)
            }
        };
        Self { best: Some(best), value, worst, most }
    }

    /// The regret of a `value`, at least `least`.
    fn regret(&self, diverged: bool, value: f64, least: f64) -> f64 {
        if diverged || self.best.is_none() {
            return self.worst;
        }
        (value - self.value).clamp(least, self.most)
    }
}

/// Intervals of the mean regret of each schedule, then of the mean difference
/// of each to `control`.
fn intervals(
    table: &Table,
    control: usize,
    seed: u64,
    draws: usize,
) -> Vec<Averages> {
    let k = table.schedules.len();
    let references: Vec<Vec<Reference>> = table
        .blocks
        .iter()
        .map(|block| {
            let cells = block.cells.iter();
            cells.map(|cell| Reference::of(table, cell)).collect()
        })
        .collect();
    let most_seeds = |members: &[usize]| {
        let cells = members.iter().flat_map(|&i| &table.blocks[i].cells);
        cells.map(|cell| cell.seeds).max().unwrap_or(0)
    };
    let seeds: Vec<usize> =
        table.clusters.iter().map(|members| most_seeds(members)).collect();
    let own = weights(table, Cell::has);
    let both = weights(table, |cell, j| cell.has(j) && cell.has(control));
    let mut shares: Vec<f64> = vec![];
    let mut values = vec![0.0; k];
    let mut rng = stream(seed, "bootstrap");
    hierarchical(
        table.clusters.len(),
        2 * k,
        draws,
        &mut rng,
        |cluster, rng, sums| {
            let members = &table.clusters[cluster];
            for &i in members {
                // One draw a workload: its cells share their seeds.
                shares.clear();
                shares.extend((0..seeds[cluster]).map(|_| rng.random::<f64>()));
                let cells = &table.blocks[i].cells;
                for (cell, reference) in cells.iter().zip(&references[i]) {
                    resample(table, cell, &shares, &mut values);
                    let base = reference.best.map_or(f64::NAN, |j| values[j]);
                    let reference = Reference { value: base, ..*reference };
                    for j in 0..k {
                        let Some(standing) = &cell.standings[j] else {
                            continue;
                        };
                        let regret = reference.regret(
                            standing.diverged > 0,
                            values[j],
                            f64::NEG_INFINITY,
                        );
                        sums[j] += own[i][j] * regret;
                        if cell.has(control) {
                            let difference = values[j] - values[control];
                            sums[k + j] += both[i][j] * difference;
                        }
                    }
                }
            }
            let lacking = |weights: &[Vec<f64>], j: usize| {
                members.iter().all(|&i| weights[i][j] == 0.0)
            };
            for j in 0..k {
                if lacking(&own, j) {
                    sums[j] = f64::NAN;
                }
                if lacking(&both, j) {
                    sums[k + j] = f64::NAN;
                }
            }
        },
    )
}

/// What a cell of each block counts in the mean over its cluster, by
/// schedule, if only those count that are `there`; 0 where there is none.
fn weights(
    table: &Table,
    there: impl Fn(&Cell, usize) -> bool,
) -> Vec<Vec<f64>> {
    let mut weights = vec![vec![]; table.blocks.len()];
    for members in &table.clusters {
        for j in 0..table.schedules.len() {
            let cells = |i: usize| {
                let cells = table.blocks[i].cells.iter();
                cells.filter(|cell| there(cell, j)).count()
            };
            let blocks = members.iter().filter(|&&i| cells(i) > 0).count();
            for &i in members {
                weights[i].push(match cells(i) {
                    0 => 0.0,
                    cells => 1.0 / (blocks * cells) as f64,
                });
            }
        }
    }
    weights
}

/// The mean scores of a cell over seeds picked by `shares`, in `[0, 1)`, on
/// the scale of the ranking; NaN where a seed diverged or a schedule is not
/// there.
fn resample(table: &Table, cell: &Cell, shares: &[f64], values: &mut [f64]) {
    if cell.seeds == 1 {
        for (value, standing) in values.iter_mut().zip(&cell.standings) {
            *value = standing.map_or(f64::NAN, |s| s.value);
        }
        return;
    }
    values.fill(0.0);
    for share in &shares[..cell.seeds] {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an index below the number of seeds"
        )]
        let seed = (share * cell.seeds as f64) as usize;
        for (value, score) in values.iter_mut().zip(cell.seed(seed)) {
            *value += score;
        }
    }
    for value in values {
        *value = table.value(*value / cell.seeds as f64);
    }
}
