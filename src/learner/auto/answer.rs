//! The best candidate against what is done without lrscout.

use super::Candidate;
use crate::stats::advantage::{Advantage, NOISE, SCALE};
use serde::Serialize;
use std::fmt;

/// How much better a candidate is than the baseline, as far as the seeds of
/// both show.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Comparison {
    /// The candidate.
    pub label: String,
    /// Its peak.
    pub lr: f64,
    /// Label of the baseline.
    pub baseline: String,
    /// Seeds that both were trained with.
    pub seeds: usize,
    /// Share by which its loss is lower, the mean of the posterior.
    pub advantage: f64,
    /// The interval of 95 %.
    pub interval: (f64, f64),
    /// The probability that its loss is lower at all.
    pub probability: f64,
    /// The prior, in words.
    pub prior: String,
}

impl Comparison {
    /// Of the first of `race`, best first, that is not the one called
    /// `baseline`, at the peak `lr`. `None` if one of both has no positive
    /// loss of a common seed.
    pub(super) fn of(
        race: &[Candidate],
        baseline: &str,
        lr: f64,
    ) -> Option<Self> {
        let own = race.iter().find(|c| c.label == baseline)?;
        let best = race.iter().find(|c| c.label != baseline)?;
        let pairs = own.losses.iter().zip(&best.losses);
        let difference = |(own, best): (&Option<f64>, &Option<f64>)| {
            let (own, best) = ((*own)?, (*best)?);
            (own > 0.0 && best > 0.0).then(|| own.ln() - best.ln())
        };
        let differences: Vec<f64> = pairs.filter_map(difference).collect();
        if differences.is_empty() {
            return None;
        }
        let posterior = Advantage::of(&differences);
        let share = |log: f64| -(-log).exp_m1();
        Some(Self {
            label: best.label.clone(),
            lr,
            baseline: baseline.to_owned(),
            seeds: differences.len(),
            advantage: share(posterior.mean()),
            interval: (
                share(posterior.quantile(0.025)),
                share(posterior.quantile(0.975)),
            ),
            probability: posterior.probability(),
            prior: format!(
                "Prior of the difference of log-losses: Student's t with 3 \
                 degrees of freedom around 0, scale {SCALE}; of the noise \
                 between seeds: half a t with 3, scale {NOISE}."
            ),
        })
    }

    /// Whether neither is much likelier the better one.
    pub(super) fn is_open(&self) -> bool {
        (0.1..0.9).contains(&self.probability)
    }

    /// Whether the candidate is more likely better than not.
    pub(super) fn is_better(&self) -> bool {
        self.probability > 0.5
    }
}

impl fmt::Display for Comparison {
    /// The first line of the answer.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { label, lr, seeds, advantage, probability, .. } = self;
        let (low, high) = self.interval;
        let seeds = match seeds {
            1 => "1 seed".to_owned(),
            seeds => format!("{seeds} seeds"),
        };
        // Never certain: the seeds are few.
        let p = probability.clamp(0.001, 0.999);
        let per_cent = |share: f64| match 100.0 * share {
            // No "-0.0".
            small if small.abs() < 0.05 => "0.0".to_owned(),
            other => format!("{other:.1}"),
        };
        if self.is_better() {
            return write!(
                f,
                "`{label}` at {lr:.3e} is better than yours by {} % (95 % \
                 interval {} to {} %), probability {p:.3}, {seeds}",
                per_cent(*advantage),
                per_cent(low),
                per_cent(high),
            );
        }
        write!(
            f,
            "nothing beats yours: the best other, `{label}` at {lr:.3e}, is \
             worse by {} % (95 % interval {} to {} %); probability that it \
             is better {p:.3}, {seeds}",
            per_cent(-advantage),
            per_cent(-high),
            per_cent(-low),
        )
    }
}
