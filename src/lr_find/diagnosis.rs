//! Reads a curve: where it stops, where it is lowest, and whether that is
//! reliable.
//!
//! All is measured from the loss at the start and in units of the descent and
//! the noise, so adding a constant to the loss or scaling it changes nothing,
//! and negative losses are like any other.

use super::smooth::Smoother;
use crate::stats::robust::noise;
use crate::train::Divergence;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Our suggestion is the rate at the lowest loss, divided by this. The minimum
/// lies near the edge of what converges, and a whole run needs room below it.
const DIVISOR: f64 = 3.0;

/// Decades at the start whose losses give the level to measure from.
const START_DECADES: f64 = 0.8;

/// Fewest rows for that level.
const START_ROWS: usize = 5;

/// Losses above the limit that end a test: with each the rate has risen.
const PATIENCE: usize = 3;

/// A difference of this many standard errors of a smoothed loss is more than
/// noise.
const SIGNIFICANT: f64 = 4.0;

/// Share of the descent that the loss must rise again to have turned.
const TURNED: f64 = 0.5;

/// Share of the descent at which the loss has begun to fall.
const ONSET: f64 = 0.1;

/// What a range test showed. Every kind comes with a rate to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FindOutcome {
    /// The loss fell and rose again, or trials bracketed the best rate.
    Found,
    /// The loss fell at no rate.
    NoDescent,
    /// The loss fell and never rose again, at the highest rate tried.
    NeverDiverged,
    /// The loss fell, but where it was lowest cannot be told to two decades.
    TooNoisy,
    /// The loss was not finite from the first updates on.
    NonFiniteAtStart,
    /// Nothing: the rate was given and no range test was run.
    Given,
}

impl FindOutcome {
    /// As in JSON and CSV.
    pub fn name(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::NoDescent => "no-descent",
            Self::NeverDiverged => "never-diverged",
            Self::TooNoisy => "too-noisy",
            Self::NonFiniteAtStart => "non-finite-at-start",
            Self::Given => "given",
        }
    }
}

impl fmt::Display for FindOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a rule says about a curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Suggestion {
    /// The row that the rule points at, from 0.
    pub(crate) index: usize,
    /// The rate as the tool returns it.
    pub(crate) lr: f64,
}

/// Watches a range test and says when the loss has diverged. Its start is the
/// first decades of the range.
pub(super) struct Stop {
    first_log_lr: f64,
    rows: usize,
    watch: Divergence,
}

impl Default for Stop {
    fn default() -> Self {
        let watch = Divergence::after(PATIENCE);
        Self { first_log_lr: 0.0, rows: 0, watch }
    }
}

impl Stop {
    /// Takes the next update; true when the loss has diverged with it.
    pub(super) fn push(&mut self, log_lr: f64, loss: f64) -> bool {
        if self.rows == 0 {
            self.first_log_lr = log_lr;
        }
        let early = log_lr - self.first_log_lr <= START_DECADES;
        let is_start = early || self.rows < START_ROWS;
        self.rows += usize::from(loss.is_finite());
        self.watch.push_at(loss, is_start)
    }
}

/// What the curve of a range test shows.
pub(super) struct Diagnosis {
    /// Row of the record of each row here: those with a rate that has a
    /// logarithm, up to the stop.
    rows: Vec<usize>,
    lr: Vec<f64>,
    /// Raw losses, cut off at the limit of divergence.
    loss: Vec<f64>,
    /// Of the losses above.
    pub(super) smoothed: Vec<f64>,
    smoother: Smoother,
    /// Whether the loss diverged.
    pub(super) diverged: bool,
    /// Row here of the lowest smoothed loss.
    lowest: usize,
    /// Loss at the start.
    start: f64,
    /// Standard deviation of a single loss.
    noise: f64,
    outcome: FindOutcome,
}

impl Diagnosis {
    /// Of raw losses, one row an update.
    pub(super) fn of(lr: &[f64], loss: &[f64]) -> Self {
        let mut stop = Stop::default();
        let mut rows = vec![];
        let mut diverged = false;
        for (row, (&lr, &loss)) in lr.iter().zip(loss).enumerate() {
            if !(lr > 0.0 && lr.is_finite()) {
                continue;
            }
            rows.push(row);
            diverged = stop.push(lr.log10(), loss);
            if diverged {
                break;
            }
        }
        let limit = stop.watch.limit();
        let lr: Vec<f64> = rows.iter().map(|&row| lr[row]).collect();
        let log_lr: Vec<f64> = lr.iter().map(|lr| lr.log10()).collect();
        let finite: Vec<f64> = rows
            .iter()
            .map(|&row| loss[row])
            .filter(|loss| loss.is_finite())
            .collect();
        let capped = |&row: &usize| match loss[row] {
            loss if loss.is_finite() => loss.min(limit),
            _ => limit,
        };
        let loss: Vec<f64> = rows.iter().map(capped).collect();
        let smoother = Smoother::new(&log_lr);
        let smoothed = smoother.smooth(&loss);
        let mut diagnosis = Self {
            rows,
            lr,
            loss,
            lowest: lowest(&smoothed),
            smoothed,
            smoother,
            diverged,
            start: stop.watch.start(),
            noise: noise(&finite),
            outcome: FindOutcome::NoDescent,
        };
        diagnosis.outcome = diagnosis.judge(finite.len());
        diagnosis
    }

    fn judge(&self, finite: usize) -> FindOutcome {
        if finite < START_ROWS {
            return if self.diverged {
                FindOutcome::NonFiniteAtStart
            } else {
                FindOutcome::NoDescent
            };
        }
        let level = self.smoothed[self.lowest];
        let fallen = self.start - level;
        let error = self.noise * self.smoother.error_share(self.lowest);
        // Both levels have an error; that of the median is similar.
        let least = SIGNIFICANT * std::f64::consts::SQRT_2 * error;
        if fallen <= least.max(rounding(&self.loss)) {
            return FindOutcome::NoDescent;
        }
        let turned = level + (TURNED * fallen).max(least);
        let after = &self.smoothed[self.lowest..];
        if self.diverged || after.iter().any(|&loss| loss >= turned) {
            FindOutcome::Found
        } else {
            FindOutcome::NeverDiverged
        }
    }

    /// What the curve showed; never [`FindOutcome::TooNoisy`], which is a
    /// matter of its interval.
    pub(super) fn outcome(&self) -> FindOutcome {
        self.outcome
    }

    /// A third of the rate at the lowest smoothed loss; `None` where the loss
    /// did not fall.
    pub(super) fn suggestion(&self) -> Option<Suggestion> {
        let fell = matches!(
            self.outcome,
            FindOutcome::Found | FindOutcome::NeverDiverged
        );
        fell.then(|| Suggestion {
            index: self.rows[self.lowest],
            lr: self.lr[self.lowest] / DIVISOR,
        })
    }

    /// Suggestion of a curve with the same shape and other noise: residuals
    /// of `sign(row)`.
    pub(super) fn resampled(&self, sign: &dyn Fn(usize) -> f64) -> f64 {
        let pairs = self.loss.iter().zip(&self.smoothed).enumerate();
        let losses: Vec<f64> = pairs
            .map(|(row, (loss, smooth))| smooth + sign(row) * (loss - smooth))
            .collect();
        self.lr[lowest(&self.smoother.smooth(&losses))] / DIVISOR
    }

    /// The rows that were read, and their smoothed losses.
    pub(super) fn smoothed_rows(
        &self,
    ) -> impl Iterator<Item = (usize, f64)> + '_ {
        self.rows.iter().copied().zip(self.smoothed.iter().copied())
    }

    /// Rows that were read.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The rate at the last row read.
    pub(super) fn highest_lr(&self) -> Option<f64> {
        self.lr.last().copied()
    }

    /// The rate at the lowest smoothed loss.
    pub(super) fn lowest_lr(&self) -> Option<f64> {
        self.lr.get(self.lowest).copied()
    }

    /// The rate at which the loss began to fall.
    pub(super) fn onset_lr(&self) -> Option<f64> {
        let level = *self.smoothed.get(self.lowest)?;
        let begun = self.start - ONSET * (self.start - level);
        let before = &self.smoothed[..self.lowest];
        let last = before.iter().rposition(|&loss| loss >= begun);
        self.lr.get(last.map_or(0, |last| last + 1)).copied()
    }
}

/// The first of the lowest; 0 of nothing.
fn lowest(values: &[f64]) -> usize {
    let order = |a: &usize, b: &usize| values[*a].total_cmp(&values[*b]);
    (0..values.len()).min_by(order).unwrap_or(0)
}

/// The part of a difference of such losses that may be rounding.
fn rounding(losses: &[f64]) -> f64 {
    let largest = losses.iter().fold(0.0_f64, |most, l| most.max(l.abs()));
    64.0 * f64::EPSILON * largest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_json() {
        for outcome in [
            FindOutcome::Found,
            FindOutcome::NoDescent,
            FindOutcome::NeverDiverged,
            FindOutcome::TooNoisy,
            FindOutcome::NonFiniteAtStart,
            FindOutcome::Given,
        ] {
            let text = serde_json::to_string(&outcome).expect("serializable");
            assert_eq!(text, format!("\"{}\"", outcome.name()));
        }
    }
}
