//! One workload with one budget and multiple.

use crate::stats::ranks::average_ranks;
use std::cmp::Ordering;

/// All schedules on one workload, with one budget and multiple.
#[derive(Clone, Debug)]
pub(in crate::ranking) struct Cell {
    /// `(seeds, schedules)`, row-major; NaN is a run that diverged, or one of
    /// a schedule that the cell lacks.
    pub(in crate::ranking) scores: Vec<f64>,
    pub(in crate::ranking) seeds: usize,
    /// The seeds themselves, rising.
    pub(in crate::ranking) numbers: Vec<u64>,
    /// Of each schedule; `None` for one that the cell lacks.
    pub(in crate::ranking) standings: Vec<Option<Standing>>,
    /// In optimizer updates.
    pub(in crate::ranking) budget: Option<u64>,
    pub(in crate::ranking) lr_multiple: Option<f64>,
}

/// How a schedule did in a cell.
#[derive(Clone, Copy, Debug)]
pub(in crate::ranking) struct Standing {
    /// Seeds that diverged.
    pub(in crate::ranking) diverged: usize,
    /// Mean score of the others; NaN if there are none.
    pub(in crate::ranking) score: f64,
    /// The same on the scale of the ranking, lower is better.
    pub(in crate::ranking) value: f64,
    /// The score turned so that lower is better, for ranks: a logarithm
    /// might tie what is not.
    pub(super) turned: f64,
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

impl Cell {
    /// Whether the cell has results of schedule `j`.
    pub(in crate::ranking) fn has(&self, j: usize) -> bool {
        self.standings[j].is_some()
    }

    /// Ranks of the schedules, 1 is best, ties share the mean; NaN for those
    /// that are not there.
    pub(in crate::ranking) fn ranks(&self) -> Vec<f64> {
        let mut order: Vec<(usize, &Standing)> = self
            .standings
            .iter()
            .enumerate()
            .filter_map(|(j, standing)| Some((j, standing.as_ref()?)))
            .collect();
        order.sort_by(|a, b| a.1.compare(b.1));
        let equal = |a: &(usize, &Standing), b: &(usize, &Standing)| {
            a.1.compare(b.1) == Ordering::Equal
        };
        let mut levels = vec![0.0; order.len()];
        let mut at = 0;
        for (level, group) in order.chunk_by(equal).enumerate() {
            levels[at..at + group.len()].fill(level as f64);
            at += group.len();
        }
        let mut ranks = vec![f64::NAN; self.standings.len()];
        for ((j, _), rank) in order.iter().zip(average_ranks(&levels)) {
            ranks[*j] = rank;
        }
        ranks
    }

    /// How often `a` stands before `b`: 1, 0, or a half for a tie; NaN if one
    /// is not there.
    pub(in crate::ranking) fn before(&self, a: usize, b: usize) -> f64 {
        let (Some(a), Some(b)) = (&self.standings[a], &self.standings[b])
        else {
            return f64::NAN;
        };
        match a.compare(b) {
            Ordering::Less => 1.0,
            Ordering::Equal => 0.5,
            Ordering::Greater => 0.0,
        }
    }

    /// The scores of one seed.
    pub(in crate::ranking) fn seed(&self, seed: usize) -> &[f64] {
        let k = self.standings.len();
        &self.scores[seed * k..(seed + 1) * k]
    }
}
