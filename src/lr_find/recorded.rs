//! Reading a range test that another program recorded.
//!
//! `losses` says whether the record holds averages in place of losses, and
//! undoes them; `digits` and `likeness` are its two kinds of evidence. Here a
//! rule reads the rates and losses, and the answer has an outcome and a
//! reason as that of a range test of our own.

mod digits;
mod likeness;
mod losses;
#[cfg(test)]
mod tests;

use super::diagnosis::{Diagnosis, FindOutcome};
use super::found::{Confidence, LrPoint};
use super::{Rule, interval, suggest};
pub(crate) use losses::{Losses, Smoothed};
use serde::Serialize;

/// Seed of the bootstrap of an interval.
const SEED: u64 = 0;

/// Width of the interval, in decades, from which a suggestion is none.
const TOO_WIDE: f64 = 2.0;

/// Decades from the lowest loss to the end of the range, below which the loss
/// still fell there.
const STILL_FALLING: f64 = 0.5;

/// Decades from the start of the range in which a loss that diverges shows
/// nothing.
const TOO_HIGH: f64 = 1.5;

/// What a rule says about a recorded range test.
#[derive(Debug, Serialize)]
pub(crate) struct Reading {
    /// The rule.
    pub(crate) rule: Rule,
    /// Its rate; `None` where it has no answer.
    pub(crate) lr: Option<f64>,
    /// The row that it points at: of the curve; in what `find-lr` prints, of
    /// the file.
    pub(crate) index: Option<usize>,
    /// 90 % bootstrap interval of the rate, of our own rule only: the rules
    /// of other tools have none from one curve.
    pub(crate) interval: Option<(f64, f64)>,
    /// What the curve shows.
    pub(crate) outcome: FindOutcome,
    /// How far to trust the rate.
    pub(crate) confidence: Confidence,
    /// The outcome in a sentence, with the reason for the rate.
    pub(crate) reason: String,
}

/// Losses that our own rule and the search for averages read at the most; more
/// take long, and say no more.
const MOST_ROWS: usize = 2000;

/// Multiple of the lowest loss at which tools stop.
const STOP: f64 = 4.0;

/// A curve as a rule reads it.
pub(crate) struct RecordedTest {
    lr: Vec<f64>,
    loss: Vec<f64>,
    /// Rows of `lr` that our own rule reads.
    rows: Vec<usize>,
    diagnosis: Diagnosis,
    /// Whether the losses may be averages that could not be undone.
    doubtful: bool,
}

impl RecordedTest {
    /// Of the rate and the raw loss of every update, in order. Our own rule
    /// leaves out losses that are not finite and have finite ones after them:
    /// a training that has diverged does not come back.
    pub(crate) fn new(lr: Vec<f64>, loss: Vec<f64>, doubtful: bool) -> Self {
        let last = loss.iter().rposition(|loss| loss.is_finite());
        let finite: Vec<usize> = (0..lr.len().min(loss.len()))
            .filter(|&row| loss[row].is_finite() || Some(row) > last)
            .collect();
        // Of a long record, means of neighbours.
        let group = finite.len().div_ceil(MOST_ROWS).max(1);
        let groups = finite.chunks(group);
        let mean = |rows: &[usize]| {
            rows.iter().map(|&row| loss[row]).sum::<f64>() / rows.len() as f64
        };
        let means: Vec<f64> = groups.clone().map(mean).collect();
        let rows: Vec<usize> =
            groups.map(|rows| rows[rows.len() / 2]).collect();
        let rates: Vec<f64> = rows.iter().map(|&row| lr[row]).collect();
        let diagnosis = Diagnosis::of(&rates, &means);
        Self { lr, loss, rows, diagnosis, doubtful }
    }

    /// The curve, with the smoothed losses of our own rule.
    pub(crate) fn points(&self) -> Vec<LrPoint> {
        let mut points: Vec<LrPoint> = (self.lr.iter().zip(&self.loss))
            .map(|(&lr, &loss)| LrPoint { lr, loss, smoothed: f64::NAN })
            .collect();
        for (row, smoothed) in self.diagnosis.smoothed_rows() {
            points[self.rows[row]].smoothed = smoothed;
        }
        points
    }

    /// What `rule` says.
    pub(crate) fn read(&self, rule: Rule) -> Reading {
        let found = match rule {
            Rule::Lrscout => self.diagnosis.suggestion().map(|mut found| {
                found.index = self.rows[found.index];
                found
            }),
            rule => suggest(rule, &self.lr, &self.loss),
        };
        let found = found.filter(|found| found.lr > 0.0);
        let interval = found.filter(|_| rule == Rule::Lrscout).map(|found| {
            let (low, high) = interval::of_curves(&[&self.diagnosis], SEED);
            (low.min(found.lr), high.max(found.lr))
        });
        let wide =
            interval.is_some_and(|(low, high)| (high / low).log10() > TOO_WIDE);
        let outcome = match self.diagnosis.outcome() {
            _ if wide => FindOutcome::TooNoisy,
            outcome => outcome,
        };
        let sure = outcome == FindOutcome::Found && !self.doubtful;
        Reading {
            rule,
            lr: found.map(|found| found.lr),
            index: found.map(|found| found.index),
            interval,
            outcome,
            confidence: match found {
                Some(_) if sure => Confidence::Medium,
                _ => Confidence::Low,
            },
            reason: self.reason(rule, outcome, found.is_some(), interval),
        }
    }

    /// The outcome in words.
    fn reason(
        &self,
        rule: Rule,
        outcome: FindOutcome,
        answered: bool,
        interval: Option<(f64, f64)>,
    ) -> String {
        let lowest = self.diagnosis.lowest_lr().unwrap_or(0.0);
        let end = self.lr.last().copied().unwrap_or(0.0);
        let seen = match outcome {
            FindOutcome::Found => {
                format!("the loss is lowest at {lowest:.2e}")
            }
            FindOutcome::NeverDiverged => {
                let falling = (end / lowest).log10() < STILL_FALLING;
                let to = decades_above(end, if falling { 2 } else { 1 });
                format!(
                    "the loss never rose again up to {end:.2e}: repeat the \
                     range test with a maximum rate of {to:.0e}{}",
                    if self.was_stopped() {
                        ", without early stop"
                    } else {
                        ""
                    }
                )
            }
            FindOutcome::TooNoisy => {
                let (low, high) = interval.unwrap_or_default();
                format!(
                    "the noise leaves everything from {low:.2e} to {high:.2e} \
                     open: repeat the range test with more updates"
                )
            }
            FindOutcome::NoDescent | FindOutcome::Given => {
                self.nothing_seen(end)
            }
            FindOutcome::NonFiniteAtStart => {
                format!(
                    "the loss is not finite from the first updates on: \
                     repeat the range test from {:.0e}",
                    self.first_lr() / 1000.0
                )
            }
        };
        let rule = rule.name();
        if answered {
            format!("{seen}; rule `{rule}`, one curve")
        } else {
            format!("{seen}; the rule `{rule}` has no answer")
        }
    }

    /// The first rate above 0, the lowest.
    fn first_lr(&self) -> f64 {
        self.lr.iter().copied().find(|lr| *lr > 0.0).unwrap_or(0.0)
    }

    fn nothing_seen(&self, end: f64) -> String {
        let first = self.first_lr();
        let broke =
            self.diagnosis.diverged.then(|| self.diagnosis.highest_lr());
        match broke.flatten() {
            Some(lr) if (lr / first).log10() < TOO_HIGH => format!(
                "the loss fell at no rate and diverged at {lr:.2e}: repeat \
                 the range test from {:.0e}",
                first / 1000.0
            ),
            Some(lr) => {
                format!("the loss fell at no rate and diverged at {lr:.2e}")
            }
            None => format!(
                "the loss fell at no rate up to {end:.2e}: repeat the range \
                 test with a maximum rate of {:.0e}",
                decades_above(end, 2)
            ),
        }
    }

    /// Whether the last loss ended the test by the rule of most tools, though
    /// it was a single one.
    fn was_stopped(&self) -> bool {
        let lowest = self.loss.iter().copied().fold(f64::INFINITY, f64::min);
        self.loss.last().is_some_and(|last| *last > STOP * lowest)
    }
}

fn finite(values: &[f64]) -> Vec<f64> {
    values.iter().copied().filter(|value| value.is_finite()).collect()
}

/// The power of ten so many decades above `rate`, or a little more.
fn decades_above(rate: f64, decades: i32) -> f64 {
    10.0_f64.powf(rate.log10().ceil() + f64::from(decades))
}
