//! The runs as the ranking needs them: complete, paired, in a fixed order.

mod checks;

use super::protocol::{Protocol, Scale};
use crate::error::{Error, Result};
use crate::record::Observation;
use crate::stats::ranks::average_ranks;
use crate::text::quoted;
use checks::{no_duplicates, none_too_large, one_cluster_each, pick};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// The runs of one board. Everything is sorted by name, so the order of the
/// rows they came from leaves no trace.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) schedules: Vec<String>,
    pub(super) blocks: Vec<Block>,
    /// Indices of the blocks of each cluster.
    pub(super) clusters: Vec<Vec<usize>>,
    pub(super) scale: Scale,
    /// 1 if lower scores are better, -1 if higher ones are.
    pub(super) sign: f64,
    /// Runs and diverged runs of each schedule, used or not.
    pub(super) runs: Vec<(usize, usize)>,
    /// Workloads, or budgets of them, that were left out, in words.
    pub(super) left_out: Vec<String>,
    /// Runs whose seed another schedule lacks.
    pub(super) unpaired: usize,
}

/// One workload.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) workload: String,
    pub(super) cluster: String,
    /// One for each budget and multiple.
    pub(super) cells: Vec<Cell>,
}

/// All schedules on one workload, with one budget and multiple.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    /// `(seeds, schedules)`, row-major; NaN is a run that diverged.
    pub(super) scores: Vec<f64>,
    pub(super) seeds: usize,
    /// The seeds themselves, rising.
    pub(super) numbers: Vec<u64>,
    /// Of each schedule.
    pub(super) standings: Vec<Standing>,
}

/// How a schedule did in a cell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    /// Seeds that diverged.
    pub(super) diverged: usize,
    /// Mean score of the others; NaN if there are none.
    pub(super) score: f64,
    /// The same on the scale of the ranking, lower is better.
    pub(super) value: f64,
    /// The score turned so that lower is better, for ranks: a logarithm
    /// might tie what is not.
    turned: f64,
}

impl Standing {
    /// Best first: by the number of diverged seeds, then by the mean of the
    /// rest.
    fn compare(&self, other: &Self) -> Ordering {
        self.diverged.cmp(&other.diverged).then_with(|| {
            // Incomparable means that all seeds of both diverged: a tie.
            self.turned.partial_cmp(&other.turned).unwrap_or(Ordering::Equal)
        })
    }
}

/// Budget and multiple (its bits: positive numbers sort like them).
type Condition = (Option<u64>, Option<u64>);

fn condition(run: &Observation) -> Condition {
    (run.budget, run.lr_multiple.map(|m| (m + 0.0).to_bits()))
}

/// The distinct budgets and multiples, rising.
pub(super) fn conditions(
    observations: &[Observation],
) -> Vec<(Option<u64>, Option<f64>)> {
    let conditions: BTreeSet<Condition> =
        observations.iter().map(condition).collect();
    conditions
        .into_iter()
        .map(|(budget, bits)| (budget, bits.map(f64::from_bits)))
        .collect()
}

impl Table {
    /// The runs that `protocol` picks.
    ///
    /// # Errors
    ///
    /// If a run is there twice, a workload is in two clusters, a score is too
    /// large, a schedule lacks a workload (unless that is allowed), or nothing
    /// is left.
    pub(super) fn new(
        observations: &[Observation],
        column: &str,
        protocol: &Protocol,
    ) -> Result<Self> {
        let mut runs: Vec<&Observation> = observations.iter().collect();
        runs.sort_by(|a, b| key(a).cmp(&key(b)));
        no_duplicates(&runs)?;
        one_cluster_each(&runs)?;
        pick(&mut runs, observations, protocol)?;
        none_too_large(&runs)?;
        let schedules: Vec<String> = runs
            .iter()
            .map(|run| run.schedule.as_str())
            .collect::<BTreeSet<&str>>()
            .into_iter()
            .map(str::to_owned)
            .collect();
        let scale = scale(&runs, column, protocol)?;
        let sign = if protocol.higher_is_better { -1.0 } else { 1.0 };
        let mut table = Self {
            runs: count(&runs, &schedules),
            schedules,
            blocks: vec![],
            clusters: vec![],
            scale,
            sign,
            left_out: vec![],
            unpaired: 0,
        };
        for runs in runs.chunk_by(|a, b| a.workload == b.workload) {
            table.add(runs, protocol.allow_missing)?;
        }
        if table.blocks.is_empty() {
            return Err(Error::Invalid(
                "no workload has runs of all schedules with common seeds, so \
                 there is nothing to compare"
                    .to_owned(),
            ));
        }
        let mut clusters: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (i, block) in table.blocks.iter().enumerate() {
            clusters.entry(&block.cluster).or_default().push(i);
        }
        table.clusters = clusters.into_values().collect();
        Ok(table)
    }

    /// Adds the workload that `runs` are of.
    fn add(
        &mut self,
        runs: &[&Observation],
        allow_missing: bool,
    ) -> Result<()> {
        let mut cells = vec![];
        let mut left_out = vec![];
        for runs in runs.chunk_by(|a, b| condition(a) == condition(b)) {
            match self.cell(runs) {
                Ok((cell, unpaired)) => {
                    self.unpaired += unpaired;
                    cells.push(cell);
                }
                Err(why) if allow_missing => {
                    left_out.push(format!("{}: {why}", place(runs[0])));
                }
                Err(why) => {
                    return Err(Error::Invalid(format!(
                        "{}: {why}; complete the runs, or leave such \
                         workloads out with `--allow-missing`",
                        place(runs[0])
                    )));
                }
            }
        }
        self.left_out.append(&mut left_out);
        if !cells.is_empty() {
            self.blocks.push(Block {
                workload: runs[0].workload.clone(),
                cluster: runs[0].cluster.clone(),
                cells,
            });
        }
        Ok(())
    }

    /// The cell that `runs` are of and the number of runs it has no use for,
    /// or why it cannot be compared.
    fn cell(
        &self,
        runs: &[&Observation],
    ) -> std::result::Result<(Cell, usize), String> {
        let by_schedule: Vec<&[&Observation]> =
            runs.chunk_by(|a, b| a.schedule == b.schedule).collect();
        if by_schedule.len() < self.schedules.len() {
            let there: BTreeSet<&str> =
                by_schedule.iter().map(|r| r[0].schedule.as_str()).collect();
            let lacking: Vec<String> = self
                .schedules
                .iter()
                .filter(|name| !there.contains(name.as_str()))
                .map(|name| quoted(name))
                .collect();
            return Err(format!("no runs of {}", lacking.join(", ")));
        }
        let mut seeds: Vec<u64> =
            by_schedule[0].iter().map(|run| run.seed).collect();
        for runs in &by_schedule[1..] {
            seeds.retain(|seed| {
                runs.binary_search_by_key(seed, |run| run.seed).is_ok()
            });
        }
        if seeds.is_empty() {
            return Err("the schedules have no seed in common".to_owned());
        }
        let k = self.schedules.len();
        let mut scores = vec![f64::NAN; seeds.len() * k];
        for (j, runs) in by_schedule.iter().enumerate() {
            for run in *runs {
                if let Ok(i) = seeds.binary_search(&run.seed) {
                    scores[i * k + j] = finite(run).unwrap_or(f64::NAN);
                }
            }
        }
        let standings = (0..k)
            .map(|j| self.standing(scores.iter().skip(j).step_by(k)))
            .collect();
        let unpaired = runs.len() - scores.len();
        let cell =
            Cell { scores, seeds: seeds.len(), numbers: seeds, standings };
        Ok((cell, unpaired))
    }

    fn standing<'a>(&self, scores: impl Iterator<Item = &'a f64>) -> Standing {
        let (mut sum, mut finished, mut diverged) = (Sum::default(), 0, 0);
        for &score in scores {
            if score.is_nan() {
                diverged += 1;
            } else {
                sum.add(score);
                finished += 1;
            }
        }
        // Of no run at all: 0 / 0, NaN.
        let score = sum.total() / f64::from(finished);
        Standing {
            diverged,
            score,
            value: self.value(score),
            turned: self.sign * score,
        }
    }

    /// A score on the scale of the ranking, turned so that lower is better.
    pub(super) fn value(&self, score: f64) -> f64 {
        self.sign
            * match self.scale {
                Scale::Raw => score,
                Scale::Relative => score.ln(),
            }
    }

    /// Means over the cells of each workload, then over the workloads of each
    /// cluster, of what `of` gives for a cell: one number a schedule.
    pub(super) fn by_cluster(
        &self,
        of: impl Fn(&Cell) -> Vec<f64>,
    ) -> Vec<Vec<f64>> {
        let blocks = self.by_block(of);
        self.clusters
            .iter()
            .map(|members| mean_rows(members.iter().map(|&i| &blocks[i])))
            .collect()
    }

    /// The same for each workload.
    pub(super) fn by_block(
        &self,
        of: impl Fn(&Cell) -> Vec<f64>,
    ) -> Vec<Vec<f64>> {
        self.blocks
            .iter()
            .map(|block| {
                let cells: Vec<Vec<f64>> =
                    block.cells.iter().map(&of).collect();
                mean_rows(cells.iter())
            })
            .collect()
    }
}

impl Cell {
    /// Ranks of the schedules, 1 is best, ties share the mean.
    pub(super) fn ranks(&self) -> Vec<f64> {
        let mut order: Vec<usize> = (0..self.standings.len()).collect();
        let compare =
            |a: usize, b: usize| self.standings[a].compare(&self.standings[b]);
        order.sort_by(|&a, &b| compare(a, b));
        let mut levels = vec![0.0; order.len()];
        let equal = |a: &usize, b: &usize| compare(*a, *b) == Ordering::Equal;
        for (level, group) in order.chunk_by(equal).enumerate() {
            for &schedule in group {
                levels[schedule] = level as f64;
            }
        }
        average_ranks(&levels)
    }

    /// The scores of one seed.
    pub(super) fn seed(&self, seed: usize) -> &[f64] {
        let k = self.standings.len();
        &self.scores[seed * k..(seed + 1) * k]
    }
}

/// A sum that keeps what rounding takes away (Neumaier 1974). Schedules with
/// the same scores on other seeds are tied, and a plain sum would tell them
/// apart by the order.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    rounded: f64,
    lost: f64,
}

impl Sum {
    fn add(&mut self, term: f64) {
        let rounded = self.rounded + term;
        self.lost += if self.rounded.abs() >= term.abs() {
            (self.rounded - rounded) + term
        } else {
            (term - rounded) + self.rounded
        };
        self.rounded = rounded;
    }

    fn total(self) -> f64 {
        self.rounded + self.lost
    }
}

/// The mean over rows, column by column.
pub(super) fn mean_rows<'a>(
    rows: impl ExactSizeIterator<Item = &'a Vec<f64>>,
) -> Vec<f64> {
    let count = rows.len() as f64;
    let mut means: Vec<f64> = vec![];
    for row in rows {
        means.resize(row.len(), 0.0);
        for (mean, value) in means.iter_mut().zip(row) {
            *mean += value;
        }
    }
    for mean in &mut means {
        *mean /= count;
    }
    means
}

fn key(run: &Observation) -> (&str, Condition, &str, u64) {
    (&run.workload, condition(run), &run.schedule, run.seed)
}

/// A score that is a number; a run without one has diverged.
fn finite(run: &Observation) -> Option<f64> {
    run.score.filter(|score| score.is_finite())
}

/// Workload, budget and multiple of `run`, for messages.
fn place(run: &Observation) -> String {
    use std::fmt::Write as _;
    let mut text = format!("workload {}", quoted(&run.workload));
    // Writing to a String cannot fail.
    if let Some(budget) = run.budget {
        let _ = write!(text, ", budget {budget}");
    }
    if let Some(multiple) = run.lr_multiple {
        let _ = write!(text, ", multiple {multiple}");
    }
    text
}

/// Runs and diverged runs of each schedule.
fn count(runs: &[&Observation], schedules: &[String]) -> Vec<(usize, usize)> {
    let mut counts = vec![(0, 0); schedules.len()];
    for run in runs {
        if let Ok(j) = schedules.binary_search(&run.schedule) {
            counts[j].0 += 1;
            counts[j].1 += usize::from(finite(run).is_none());
        }
    }
    counts
}

fn scale(
    runs: &[&Observation],
    column: &str,
    protocol: &Protocol,
) -> Result<Scale> {
    let below =
        runs.iter().find(|run| finite(run).is_some_and(|score| score <= 0.0));
    match (protocol.scale, below) {
        (Some(Scale::Relative), Some(run)) => Err(Error::Invalid(format!(
            "line {}: the relative scale compares logarithms, so every score \
             must be positive; take `--scale raw`",
            run.line
        ))),
        (Some(scale), _) => Ok(scale),
        (None, None) if column.ends_with("_loss") => Ok(Scale::Relative),
        (None, _) => Ok(Scale::Raw),
    }
}
