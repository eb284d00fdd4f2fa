//! Checking a suggestion: short runs of the real optimizer and schedule at
//! rates around it.
//!
//! The trials are a third of a decade apart, on one common seed, each about a
//! quarter of the horizon long. While the best rate is at an edge, they
//! continue in its direction. A parabola through the best three gives the rate
//! between them. Around a fallback the trials are a decade apart first and are
//! then refined. If the budget allows, three trials around that rate follow,
//! twice as long and on two seeds (successive halving), because a single run
//! does not show how close a rate is to divergence. `docs/finder.md` compares
//! this with a plain grid and successive halving at the same cost.
//!
//! While no trial ends below the loss before any update, the trials continue
//! downwards. A rate that has learned nothing is suggested with low confidence
//! only.
//!
//! The best rate falls as runs get longer. If noise or stability limit it, it
//! falls with about the fourth root of the length. If the model memorizes its
//! training part, only the sum of all rates matters, and the best rate falls
//! with the length itself. The trials detect memorizing: the training loss is
//! lowest at a higher rate than the validation loss, and the validation loss
//! has clearly risen there.

use super::climb::{BASIN, Climb, Learned, Search};
use super::found::{Confidence, Trial};
use super::{FindOutcome, LrFound, Runs};
use crate::error::{Error, Result};
use crate::seed;
use rand::RngExt as _;
use serde::{Deserialize, Serialize};

/// Share of the horizon that a trial of the first stage runs.
const SHARE: f64 = 0.24;

/// Share and seeds of a trial of the second stage.
const LONGER: (f64, usize) = (0.5, 2);

/// Fewest steps of a trial, if the horizon has so many: a shorter one shows how
/// a rate starts, not how it ends.
const FEWEST_STEPS: usize = 20;

/// The first rungs around a rate that a range test found.
const NEAR: [i32; 3] = [-1, 0, 1];

/// The first rungs around a rate without evidence, a decade apart.
const FAR: [i32; 2] = [0, 3];

/// Weight of the first trials against the range test's suggestion, in
/// logarithms: short runs are noisy, and the two err independently.
const TRIALS_WEIGHT: f64 = 0.9;

/// Share of the budget that the range test may take.
const RANGE_SHARE: f64 = 0.15;

/// The same where it has to be widened.
const WIDENED_SHARE: f64 = 0.5;

/// How a suggestion is checked: by trials around it, within a budget.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Verify {
    /// Steps of the runs that the rate is for.
    pub horizon: usize,
    /// What may be spent on range tests, trials and second opinions, in runs
    /// of that length.
    /// From about 4.5 on, longer trials on two seeds follow; below 1, there
    /// are too few of them to bracket the best rate.
    pub trainings: f64,
}

impl Verify {
    /// The default check for runs of `horizon` steps: 1.4 trainings.
    pub fn new(horizon: usize) -> Self {
        Self { horizon, trainings: 1.4 }
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.horizon == 0 {
            let message = "trials need a `horizon` of at least 1 step";
            return Err(Error::Invalid(message.to_owned()));
        }
        if !(self.trainings > 0.0 && self.trainings.is_finite()) {
            let message = "trials need a positive, finite budget `trainings`";
            return Err(Error::Invalid(message.to_owned()));
        }
        Ok(())
    }

    /// Steps that may be spent.
    fn budget(&self) -> usize {
        whole(self.trainings * self.horizon as f64)
    }

    /// The same budget less the cost of the second opinions, `probe_steps`
    /// updates, if that leaves anything.
    pub(super) fn sparing(&self, probe_steps: usize) -> Self {
        let probes = probe_steps as f64 / self.horizon as f64;
        let left = self.trainings - probes;
        if left > 0.0 {
            Self { trainings: left, ..*self }
        } else {
            self.clone()
        }
    }

    /// Updates of a range test that leaves enough for the trials, and how
    /// many of them.
    pub(crate) fn range_test(&self) -> (usize, usize) {
        let steps = whole(RANGE_SHARE * self.budget() as f64);
        (steps.clamp(40, 100), (steps / 100).clamp(1, 3))
    }

    /// Most updates of a range test that is widened.
    pub(super) fn widened(&self) -> usize {
        whole(WIDENED_SHARE * self.budget() as f64)
    }
}

/// Checks `found` by trials and corrects it. `relative_peak` is what the best
/// peak of their schedule is expected to be over a constant rate.
///
/// # Errors
///
/// If a trial fails. Divergence is no error.
pub(super) fn refine(
    found: LrFound,
    verify: &Verify,
    relative_peak: f64,
    seed: u64,
    runs: Runs<'_>,
) -> Result<LrFound> {
    let mut rng = seed::stream(seed, "trials");
    let mut search = Search {
        runs,
        seeds: (0..LONGER.1).map(|_| rng.random()).collect(),
        budget: verify.budget().saturating_sub(found.cost_steps),
        spent: 0,
        trials: vec![],
        start: start(&found),
        untouched: None,
    };
    let horizon = verify.horizon;
    let length = |share: f64| {
        whole(share * horizon as f64).max(FEWEST_STEPS).min(horizon)
    };
    let expected = found.lr * relative_peak;
    let mut guessed = !matches!(
        found.outcome,
        FindOutcome::Found | FindOutcome::NeverDiverged
    );
    let first: &[i32] = if guessed { &FAR } else { &NEAR };
    // The first trials are always run; with a small budget they are shorter.
    let affordable = (search.budget / first.len()).max(FEWEST_STEPS);
    let steps = length(SHARE).min(affordable);
    let mut climb = search.climb(expected, first, steps, 1)?;
    let (longer, seeds) = (length(LONGER.0), LONGER.1);
    if search.spent + 3 * seeds * longer <= search.budget {
        let centre = climb.lr * climb.law(longer);
        climb = search.climb(centre, &NEAR, longer, seeds)?;
        guessed = false;
    }
    let mut correction = climb.law(horizon);
    if climb.steps < longer
        && found.outcome == FindOutcome::Found
        && climb.bracketed
        && !climb.by_heart
    {
        let off = expected / (climb.lr * correction);
        correction *= off.powf(1.0 - TRIALS_WEIGHT);
    }
    let lr = climb.lr * correction;
    let mut interval =
        (climb.beside.0 * correction, climb.beside.1 * correction);
    if climb.learned != Learned::Something {
        // The rates that learn lie lower; nothing says how much.
        let lowest = found.curve.iter().map(|point| point.lr);
        interval.0 = lowest.fold(interval.0, f64::min);
    }
    let cycle = if found.cycle.0 < lr { found.cycle.0 } else { lr / 10.0 };
    let longest =
        search.trials.iter().filter(|trial| trial.steps == climb.steps);
    let basin = basin(longest, search.start)
        .map(|(low, high)| (low * correction, high * correction));
    Ok(LrFound {
        lr,
        interval: (interval.0.min(lr), interval.1.max(lr)),
        cycle: (cycle, lr),
        outcome: if climb.bracketed && climb.learned != Learned::Nothing {
            FindOutcome::Found
        } else {
            found.outcome
        },
        confidence: match climb.learned {
            Learned::Something if climb.bracketed && !guessed => {
                Confidence::High
            }
            Learned::Something if climb.survived => Confidence::Medium,
            _ => Confidence::Low,
        },
        reason: format!(
            "{}; {}",
            found.reason,
            words(&climb, &search.trials, horizon, correction)
        ),
        basin,
        relative_peak,
        horizon: Some(horizon),
        horizon_exponent: climb.exponent(),
        verification: search.trials,
        cost_steps: found.cost_steps + search.spent,
        ..found
    })
}

/// Loss before any update, by the range test.
fn start(found: &LrFound) -> Option<f64> {
    let first = found.curve.iter().take(5).map(|point| point.loss);
    crate::stats::robust::median(first.collect())
        .filter(|loss| loss.is_finite())
}

/// Lowest and highest rate within [`BASIN`] of the descent from `start` to the
/// best of `trials`. Trials at one rate are averaged. Between the rates the
/// loss is interpolated linearly. The range does not extend beyond the trials.
fn basin<'a>(
    trials: impl Iterator<Item = &'a Trial>,
    start: Option<f64>,
) -> Option<(f64, f64)> {
    let start = start?;
    let mut trials: Vec<&Trial> = trials.collect();
    trials.sort_by(|a, b| a.lr.total_cmp(&b.lr));
    let seeds = trials.chunk_by(|a, b| a.lr.total_cmp(&b.lr).is_eq());
    let mean = |seeds: &[&Trial]| {
        let sum: Option<f64> = seeds.iter().map(|trial| trial.loss).sum();
        let mean = sum.map_or(start, |sum| sum / seeds.len() as f64);
        (seeds[0].lr.ln(), mean.min(start))
    };
    let points: Vec<(f64, f64)> = seeds.map(mean).collect();
    let least = points.iter().map(|p| p.1).fold(f64::INFINITY, f64::min);
    let level = least + BASIN * (start - least);
    let inside = |point: &&(f64, f64)| point.1 <= level;
    let first = points.iter().position(|point| inside(&point))?;
    let last = points.iter().rposition(|point| inside(&point))?;
    let crossing = |inner: usize, outer: Option<usize>| {
        let (x, y) = points[inner];
        match outer.and_then(|outer| points.get(outer)) {
            Some((far, above)) => x + (far - x) * (level - y) / (above - y),
            None => x,
        }
    };
    let low = crossing(first, first.checked_sub(1));
    let high = crossing(last, Some(last + 1));
    Some((low.exp(), high.exp()))
}

fn words(
    climb: &Climb,
    trials: &[Trial],
    horizon: usize,
    correction: f64,
) -> String {
    let (lr, steps) = (climb.lr, climb.steps);
    let verdict = if climb.learned == Learned::Nothing {
        format!(
            "end no better than the weights before any update, at best at \
             {lr:.2e}"
        )
    } else if climb.learned == Learned::AtTheEdge {
        format!(
            "are best at {lr:.2e}, the lowest rate tried, and no better than \
             no update just above it"
        )
    } else if climb.bracketed {
        format!("are best at {lr:.2e}")
    } else if climb.survived {
        format!("are best at {lr:.2e}, at the edge of what was tried")
    } else {
        format!("all diverged, down to {lr:.2e}")
    };
    let correction = if steps == horizon || !climb.survived {
        String::new()
    } else {
        let why = if climb.by_heart {
            ", since the model memorizes its training part"
        } else {
            ""
        };
        format!(", times {correction:.2} for {horizon} steps{why}")
    };
    let count = trials.len();
    format!("{count} trials of up to {steps} steps {verdict}{correction}")
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a positive number of steps; saturates"
)]
fn whole(steps: f64) -> usize {
    steps.round() as usize
}

#[cfg(test)]
mod tests;
