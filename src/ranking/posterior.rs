//! What the runs make probable about every schedule, overall and in each
//! regime: a model of the answer beside the tests.
//!
//! A regime is an optimizer, a budget, a multiple of the rate found, or a kind
//! of task; `design` has the terms of the model.

mod design;

use super::cells::{Cell, Standing, Table};
use super::pairs;
use super::protocol::Protocol;
use super::stopped::never_stopped;
use crate::error::Result;
use crate::record::{ON_TRAINING, Observation};
use crate::results::rows::PosteriorRow;
use crate::seed::stream;
use crate::spec::Set;
use crate::stats::bootstrap::quantile;
use crate::stats::hierarchical::{Draw, MOST_R_HAT, Model, Score, split_r_hat};
use design::{Design, Factor, Regime, numbered};
use std::collections::{BTreeMap, BTreeSet};

/// Draws of each chain.
const DRAWS: usize = 500;

/// Scores times sweeps of a chain that chains which do not agree may take:
/// minutes.
const MOST_UPDATES: usize = 150_000_000;

/// Scores of cells that the model is fitted to at most: more would take
/// minutes.
const MOST_SCORES: usize = 200_000;

/// What is known about workloads beside their scores, by their names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traits {
    /// Kind of the optimizer.
    pub(crate) optimizers: BTreeMap<String, String>,
    /// Kind of the task.
    pub(crate) kinds: BTreeMap<String, String>,
    /// Workloads with runs whose score is their training loss.
    pub(crate) on_training: BTreeSet<String>,
}

impl Traits {
    /// Learns of one more workload: the label of its optimizer, and its
    /// cluster, whose kind is known if it is called after a data set.
    pub(crate) fn add(
        &mut self,
        workload: &str,
        optimizer: &str,
        cluster: &str,
    ) {
        let optimizer = optimizer.split('(').next().unwrap_or_default();
        if !optimizer.is_empty() {
            self.optimizers.insert(workload.to_owned(), optimizer.to_owned());
        }
        if let Some(set) = Set::named(cluster) {
            let kind = set.kind.name().to_owned();
            self.kinds.insert(workload.to_owned(), kind);
        }
    }

    /// Learns what the metric of a run of `workload` is.
    pub(crate) fn add_metric(&mut self, workload: &str, metric: &str) {
        if metric == ON_TRAINING {
            self.on_training.insert(workload.to_owned());
        }
    }

    /// Learns all that `other` knows.
    pub(crate) fn extend(&mut self, other: Self) {
        self.optimizers.extend(other.optimizers);
        self.kinds.extend(other.kinds);
        self.on_training.extend(other.on_training);
    }
}

/// The posterior of every schedule in every regime, best first; empty with
/// fewer than three clusters or two schedules, without a unit of the scores
/// (all of the control's are 0), and with more scores than [`MOST_SCORES`].
/// Schedules that a race stopped are left out.
///
/// # Errors
///
/// If the runs are none that can be ranked.
pub(super) fn posterior(
    runs: &[Observation],
    column: &str,
    protocol: &Protocol,
    traits: &Traits,
) -> Result<Vec<PosteriorRow>> {
    let live = never_stopped(runs);
    if live.is_empty() {
        return Ok(vec![]);
    }
    let table = &Table::new(&live, column, protocol)?;
    let k = table.schedules.len();
    if k < 2 {
        return Ok(vec![]);
    }
    let control = protocol.control_among(&table.schedules)?;
    let (mut workloads, mut cells, mut blocks) = (vec![], vec![], vec![]);
    for (workload, block) in table.blocks.iter().enumerate() {
        for cell in &block.cells {
            if let Some(scores) = scores(cell) {
                workloads.push(workload);
                cells.push(cell);
                blocks.push(scores);
            }
        }
    }
    let of_trait = |known: &BTreeMap<String, String>| {
        let of = |&w: &usize| known.get(&table.blocks[w].workload).cloned();
        Factor::new(workloads.iter().map(of))
    };
    let cells = || cells.iter();
    let factors = [
        of_trait(&traits.optimizers),
        Factor::new(cells().map(|cell| cell.budget)),
        Factor::new(cells().map(|cell| cell.lr_multiple)),
        of_trait(&traits.kinds),
    ];
    let clusters =
        workloads.iter().map(|&workload| &table.blocks[workload].cluster);
    let clusters = numbered(clusters);
    let rope = pairs::rope(table, control, protocol);
    // Where every run of a data set diverged, nothing is left of it.
    if clusters.iter().max().is_none_or(|&last| last < 2)
        || rope <= 0.0
        || clusters.len() * k > MOST_SCORES
    {
        return Ok(vec![]);
    }
    let design = Design::new(&factors, &clusters, &workloads);
    let model = Model {
        treatments: k,
        blocks,
        terms: design.terms(),
        // A tenth on the scale of logarithms.
        scale: 20.0 * rope,
    };
    let regimes = Regime::all(&factors);
    let of_regime = |draws: &[Vec<Draw>], regime: &Regime| {
        let draws = draws.iter().flatten();
        let effects = |draw: &Draw| design.effects(&draw.effects, regime, k);
        draws.map(effects).collect::<Vec<_>>()
    };
    let agree = |draws: &[Vec<Draw>]| {
        let r_hats = regimes.iter().map(|r| r_hat(&of_regime(draws, r)));
        r_hats.fold(1.0, f64::max) <= MOST_R_HAT
    };
    let most = MOST_UPDATES / (clusters.len() * k);
    let chains = model.posterior(protocol.seed, DRAWS, most, agree);
    let mut rng = stream(protocol.seed, "new data sets");
    let draws = chains.iter().flatten();
    let new: Vec<Vec<Vec<f64>>> =
        draws.map(|draw| design.new_data_set(draw, k, &mut rng)).collect();
    let mut rows = vec![];
    for regime in &regimes {
        let known = of_regime(&chains, regime);
        let elsewhere: Vec<Vec<f64>> = known
            .iter()
            .zip(&new)
            .map(|(known, new)| {
                let own = design.own_effects(new, regime, k);
                known.iter().zip(own).map(|(known, own)| known + own).collect()
            })
            .collect();
        let r_hat = r_hat(&known);
        let [optimizer, budget, lr_multiple, kind] = regime.names(&factors);
        let row = |j: usize| {
            let here = Chances::of(&known, j, 2.0 * rope);
            PosteriorRow {
                optimizer: optimizer.clone(),
                budget: budget.clone(),
                lr_multiple: lr_multiple.clone(),
                kind: kind.clone(),
                schedule: table.schedules[j].clone(),
                p_best: here.best,
                p_near_best: here.near_best,
                regret: here.regret,
                regret_low: here.low,
                regret_high: here.high,
                regret_new_data: Chances::of(&elsewhere, j, 0.0).regret,
                r_hat,
            }
        };
        let mut own: Vec<PosteriorRow> = (0..k).map(row).collect();
        own.sort_by(|a, b| a.regret.total_cmp(&b.regret));
        rows.extend(own);
    }
    Ok(rows)
}

/// The scores of a cell, each schedule's mean over the seeds. Where a seed
/// diverged, no more is known than that the schedule is behind all that did
/// not. `None` if every schedule has one that did.
fn scores(cell: &Cell) -> Option<Vec<(usize, Score)>> {
    let there = || {
        let standings = cell.standings.iter().enumerate();
        standings.filter_map(|(j, standing)| Some((j, standing.as_ref()?)))
    };
    let most = there()
        .filter(|(_, standing)| standing.diverged == 0)
        .map(|(_, standing)| standing.value)
        .reduce(f64::max)?;
    let score = |(j, standing): (usize, &Standing)| {
        let score = match standing.diverged {
            0 => Score::Exact(standing.value),
            _ => Score::Above(most),
        };
        (j, score)
    };
    Some(there().map(score).collect())
}

/// The largest R-hat over the schedules' distances to their mean.
fn r_hat(draws: &[Vec<f64>]) -> f64 {
    let distance = |j: usize| -> Vec<f64> {
        let off = |effects: &Vec<f64>| {
            effects[j] - effects.iter().sum::<f64>() / effects.len() as f64
        };
        draws.iter().map(off).collect()
    };
    let schedules = 0..draws.first().map_or(0, Vec::len);
    schedules
        .map(|j| {
            let distance = distance(j);
            split_r_hat(&distance.chunks(DRAWS).collect::<Vec<_>>())
        })
        .fold(1.0, f64::max)
}

/// What draws of the effects of all schedules say about one of them.
struct Chances {
    /// To be the best.
    best: f64,
    /// To be less than `near` behind the best.
    near_best: f64,
    /// Mean distance to the best, with its 95 % interval.
    regret: f64,
    low: f64,
    high: f64,
}

impl Chances {
    fn of(draws: &[Vec<f64>], j: usize, near: f64) -> Self {
        let n = draws.len() as f64;
        let mut regrets: Vec<f64> = draws
            .iter()
            .map(|effects| {
                effects[j]
                    - effects.iter().copied().fold(f64::INFINITY, f64::min)
            })
            .collect();
        regrets.sort_by(f64::total_cmp);
        let below = |bound: f64| regrets.partition_point(|r| *r <= bound);
        Self {
            best: below(0.0) as f64 / n,
            near_best: below(near) as f64 / n,
            regret: regrets.iter().sum::<f64>() / n,
            low: quantile(&regrets, 0.025),
            high: quantile(&regrets, 0.975),
        }
    }
}

#[cfg(test)]
mod tests;
