//! The runs as the ranking needs them: paired, in a fixed order.

mod cell;
mod checks;
mod count;
mod means;

use super::protocol::{Protocol, Scale};
use super::score::{self, Direction};
use crate::error::{Error, Result};
use crate::record::{Observation, Shown};
use crate::text::quoted;
pub(super) use cell::{Cell, Standing};
use checks::{no_duplicates, none_too_large, one_cluster_each, pick};
pub(super) use count::Count;
use means::Sum;
pub(super) use means::{mean_rows, mean_there};
use std::collections::{BTreeMap, BTreeSet};

/// The runs of one board. Everything is sorted by name, so the order of the
/// rows they came from leaves no trace.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// Those that have a result somewhere.
    pub(super) schedules: Vec<String>,
    /// Those that have none.
    pub(super) without: Vec<(String, Count)>,
    /// Empty where nothing can be compared.
    pub(super) blocks: Vec<Block>,
    /// Indices of the blocks of each cluster.
    pub(super) clusters: Vec<Vec<usize>>,
    pub(super) scale: Scale,
    pub(super) direction: Direction,
    /// 1 if lower scores are better, -1 if higher ones are.
    pub(super) sign: f64,
    /// Runs of each schedule, used or not.
    pub(super) runs: Vec<Count>,
    /// Workloads, or budgets of them, that were left out, in words.
    pub(super) left_out: Vec<String>,
    /// Those that lack a schedule and were kept, in words.
    pub(super) incomplete: Vec<String>,
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
    /// A run that shows nothing is as good as not there. A cell has the seeds
    /// that all of its schedules have; one that lacks a schedule is left out,
    /// or kept with those that it has if the protocol allows that.
    ///
    /// # Errors
    ///
    /// If a run is there twice, a workload is in two clusters, or a score is
    /// too large.
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
        let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
        for run in &runs {
            counts.entry(&run.schedule).or_default().add(run);
        }
        let (with, without): (Vec<_>, Vec<_>) = counts
            .into_iter()
            .map(|(name, count)| (name.to_owned(), count))
            .partition(|(_, count)| count.shown() > 0);
        let (schedules, counts) = with.into_iter().unzip();
        let direction = protocol.direction(column);
        let mut table = Self {
            schedules,
            without,
            blocks: vec![],
            clusters: vec![],
            scale: scale(&runs, column, protocol)?,
            direction,
            sign: match direction {
                Direction::Lower => 1.0,
                Direction::Higher => -1.0,
            },
            runs: counts,
            left_out: vec![],
            incomplete: vec![],
            unpaired: 0,
        };
        for runs in runs.chunk_by(|a, b| a.workload == b.workload) {
            table.add(runs, protocol.allow_missing);
        }
        let mut clusters: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (i, block) in table.blocks.iter().enumerate() {
            clusters.entry(&block.cluster).or_default().push(i);
        }
        table.clusters = clusters.into_values().collect();
        Ok(table)
    }

    /// Whether there is nothing to compare, or failed runs left a single
    /// schedule.
    pub(super) fn is_empty(&self) -> bool {
        let alone = self.schedules.len() < 2 && !self.without.is_empty();
        self.blocks.is_empty() || alone
    }

    /// Whether every cell has every schedule.
    pub(super) fn is_complete(&self) -> bool {
        self.incomplete.is_empty()
    }

    /// Why there is nothing to compare.
    pub(super) fn nothing(&self) -> String {
        let mut why: Vec<String> = self
            .without
            .iter()
            .map(|(name, count)| count.told(name))
            .chain(self.left_out.iter().cloned())
            .collect();
        let more = why.len().saturating_sub(3);
        why.truncate(3);
        if more > 0 {
            why.push(format!("{more} more"));
        }
        format!(
            "there is nothing to compare, for no workload has results of all \
             schedules with common seeds ({})",
            why.join("; ")
        )
    }

    /// Runs of each schedule that show nothing, those without results too.
    pub(super) fn failed(&self) -> BTreeMap<String, usize> {
        let ranked = self.schedules.iter().zip(&self.runs);
        let without = self.without.iter().map(|(name, runs)| (name, runs));
        ranked
            .chain(without)
            .map(|(name, runs)| (name.clone(), runs.failed()))
            .collect()
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

    /// Adds the workload that `runs` are of.
    fn add(&mut self, runs: &[&Observation], allow_missing: bool) {
        let mut cells = vec![];
        for runs in runs.chunk_by(|a, b| condition(a) == condition(b)) {
            let shown: Vec<&Observation> = runs
                .iter()
                .filter(|run| run.shown() != Shown::Nothing)
                .copied()
                .collect();
            let by_schedule: Vec<&[&Observation]> =
                shown.chunk_by(|a, b| a.schedule == b.schedule).collect();
            let lacks = self.lacks(runs, &by_schedule);
            let usable =
                lacks.is_none() || (allow_missing && by_schedule.len() > 1);
            let cell = if usable { self.cell(&by_schedule) } else { None };
            match (cell, lacks) {
                (Some(cell), lacks) => {
                    let used = cell.seeds * by_schedule.len();
                    self.unpaired += shown.len() - used;
                    self.incomplete.extend(lacks);
                    cells.push(cell);
                }
                (None, Some(lacks)) => self.left_out.push(lacks),
                (None, None) => self.left_out.push(format!(
                    "{}: the schedules have no seed in common",
                    place(runs[0])
                )),
            }
        }
        if !cells.is_empty() {
            self.blocks.push(Block {
                workload: runs[0].workload.clone(),
                cluster: runs[0].cluster.clone(),
                cells,
            });
        }
    }

    /// Which schedules the cell of `runs` has no result of, in words; `None`
    /// if it has all.
    fn lacks(
        &self,
        runs: &[&Observation],
        by_schedule: &[&[&Observation]],
    ) -> Option<String> {
        let there: BTreeSet<&str> =
            by_schedule.iter().map(|r| r[0].schedule.as_str()).collect();
        let (mut absent, mut told) = (vec![], vec![]);
        for name in &self.schedules {
            if there.contains(name.as_str()) {
                continue;
            }
            let mut count = Count::default();
            for run in runs.iter().filter(|run| run.schedule == *name) {
                count.add(run);
            }
            if count.all == 0 {
                absent.push(quoted(name));
            } else {
                told.push(count.told(name));
            }
        }
        if !absent.is_empty() {
            told.insert(0, format!("no runs of {}", absent.join(", ")));
        }
        (!told.is_empty())
            .then(|| format!("{}: {}", place(runs[0]), told.join(", ")))
    }

    /// The cell of the runs of each schedule; `None` if they have no seed in
    /// common.
    fn cell(&self, by_schedule: &[&[&Observation]]) -> Option<Cell> {
        let mut seeds: Vec<u64> =
            by_schedule.first()?.iter().map(|run| run.seed).collect();
        for runs in &by_schedule[1..] {
            seeds.retain(|seed| {
                runs.binary_search_by_key(seed, |run| run.seed).is_ok()
            });
        }
        if seeds.is_empty() {
            return None;
        }
        let k = self.schedules.len();
        let mut scores = vec![f64::NAN; seeds.len() * k];
        let mut standings = vec![None; k];
        for runs in by_schedule {
            let j = self.schedules.binary_search(&runs[0].schedule).ok()?;
            for run in *runs {
                if let Ok(i) = seeds.binary_search(&run.seed) {
                    scores[i * k + j] = run.counted().unwrap_or(f64::NAN);
                }
            }
            standings[j] =
                Some(self.standing(scores.iter().skip(j).step_by(k)));
        }
        let any = by_schedule[0][0];
        Some(Cell {
            scores,
            seeds: seeds.len(),
            numbers: seeds,
            standings,
            budget: any.budget,
            lr_multiple: any.lr_multiple,
        })
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
    /// cluster, of what `of` gives for a cell: one number a schedule, NaN
    /// where one of them is.
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

    /// The same over what there is: NaN counts as not there.
    pub(super) fn averages(
        &self,
        of: impl Fn(&Cell) -> Vec<f64>,
    ) -> Vec<Vec<f64>> {
        let blocks: Vec<Vec<f64>> = self
            .blocks
            .iter()
            .map(|block| {
                mean_there(&block.cells.iter().map(&of).collect::<Vec<_>>())
            })
            .collect();
        self.clusters
            .iter()
            .map(|members| {
                let of_blocks: Vec<Vec<f64>> =
                    members.iter().map(|&i| blocks[i].clone()).collect();
                mean_there(&of_blocks)
            })
            .collect()
    }

    /// Means as of [`Table::by_cluster`], for each workload.
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

fn key(run: &Observation) -> (&str, Condition, &str, u64) {
    (&run.workload, condition(run), &run.schedule, run.seed)
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

fn scale(
    runs: &[&Observation],
    column: &str,
    protocol: &Protocol,
) -> Result<Scale> {
    let below =
        runs.iter().find(|run| run.counted().is_some_and(|score| score <= 0.0));
    match (protocol.scale, below) {
        (Some(Scale::Relative), Some(run)) => Err(Error::Invalid(format!(
            "line {}: the relative scale compares logarithms, so every score \
             must be positive; take `--scale raw`",
            run.line
        ))),
        (Some(scale), _) => Ok(scale),
        (None, None) if score::meaning(column).is_some_and(|m| m.ratios) => {
            Ok(Scale::Relative)
        }
        (None, _) => Ok(Scale::Raw),
    }
}
