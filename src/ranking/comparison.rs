//! The best candidate against what is done without lrscout.

use crate::record::{Outcome, RunRecord};
use crate::results::rows::ComparisonRow;
use crate::stats::advantage::{Advantage, NOISE, SCALE};
use serde::Serialize;
use std::collections::BTreeMap;
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
    /// Of the schedule `label` at the peak `lr` with the one called
    /// `baseline`; `pairs` has the losses of the baseline and of the schedule
    /// by seed. `None` if there is no seed with positive losses of both.
    pub(crate) fn of(
        (label, lr): (&str, f64),
        baseline: &str,
        pairs: impl Iterator<Item = (Option<f64>, Option<f64>)>,
    ) -> Option<Self> {
        let difference = |(own, best): (Option<f64>, Option<f64>)| {
            let (own, best) = (own?, best?);
            (own > 0.0 && best > 0.0).then(|| own.ln() - best.ln())
        };
        let differences: Vec<f64> = pairs.filter_map(difference).collect();
        if differences.is_empty() {
            return None;
        }
        let posterior = Advantage::of(&differences);
        let share = |log: f64| -(-log).exp_m1();
        Some(Self {
            label: label.to_owned(),
            lr,
            baseline: baseline.to_owned(),
            seeds: differences.len(),
            advantage: share(posterior.mean()),
            interval: (
                share(posterior.quantile(0.025)),
                share(posterior.quantile(0.975)),
            ),
            probability: posterior.probability(),
            prior: prior(),
        })
    }

    /// Whether neither is much likelier the better one.
    pub(crate) fn is_open(&self) -> bool {
        (0.1..0.9).contains(&self.probability)
    }

    /// Whether the candidate is more likely better than not.
    pub(crate) fn is_better(&self) -> bool {
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

/// The prior of a [`Comparison`], in words.
pub(crate) fn prior() -> String {
    format!(
        "Prior of the difference of log-losses: Student's t with 3 degrees of \
         freedom around 0, scale {SCALE}; of the noise between seeds: half a t \
         with 3, scale {NOISE}."
    )
}

/// The best schedule of each workload and budget of `runs` against the one
/// called `baseline`, by the validation loss.
pub(crate) fn comparisons(
    runs: &[RunRecord],
    baseline: &str,
) -> Vec<ComparisonRow> {
    let mut places: Vec<(&str, usize)> = vec![];
    for run in runs.iter().filter(|run| run.schedule == baseline) {
        let place = (run.workload.as_str(), run.budget);
        if !places.contains(&place) {
            places.push(place);
        }
    }
    let row = |(workload, budget): (&str, usize)| {
        let mut labels: BTreeMap<&str, Losses> = BTreeMap::new();
        let here = runs.iter().filter(|run| {
            run.workload == workload
                && run.budget == budget
                && run.lr_multiple == 1.0
        });
        for run in here {
            labels.entry(&run.schedule).or_default().add(run);
        }
        let own = labels.remove(baseline)?;
        let mut others: Vec<(&str, Losses)> = labels.into_iter().collect();
        others.retain(|(_, other)| other.has_all_of(&own));
        others.sort_by(|(_, a), (_, b)| a.mean().total_cmp(&b.mean()));
        let (label, best) = others.first()?;
        let pair = |(seed, loss): (&u64, &Option<f64>)| {
            (*loss, best.by_seed.get(seed).copied().flatten())
        };
        let pairs = own.by_seed.iter().map(pair);
        let made = Comparison::of((label, best.peak), baseline, pairs)?;
        Some(ComparisonRow {
            workload: workload.to_owned(),
            budget,
            schedule: made.label,
            lr: made.lr,
            baseline: made.baseline,
            baseline_lr: own.peak,
            seeds: made.seeds,
            advantage: made.advantage,
            low: made.interval.0,
            high: made.interval.1,
            probability: made.probability,
        })
    };
    places.into_iter().filter_map(row).collect()
}

/// `rows` in sentences, the first one the answer of the study; empty if there
/// are none.
pub(crate) fn told(rows: &[ComparisonRow]) -> Vec<String> {
    let sentence = |row: &ComparisonRow| {
        let comparison = Comparison {
            label: row.schedule.clone(),
            lr: row.lr,
            baseline: row.baseline.clone(),
            seeds: row.seeds,
            advantage: row.advantage,
            interval: (row.low, row.high),
            probability: row.probability,
            prior: String::new(),
        };
        format!("`{}`, {} updates: {comparison}.", row.workload, row.budget)
    };
    let mut all: Vec<String> = rows.iter().map(sentence).collect();
    if let Some(first) = rows.first() {
        all.push(format!(
            "`{}` is your own choice, trained at its own rate. {}",
            first.baseline,
            prior()
        ));
    }
    all
}

/// The losses of a schedule by seed, `None` where it diverged.
#[derive(Default)]
struct Losses {
    by_seed: BTreeMap<u64, Option<f64>>,
    peak: f64,
}

impl Losses {
    fn add(&mut self, run: &RunRecord) {
        let loss = match run.outcome {
            Outcome::Completed => run.valid_loss,
            Outcome::Diverged => None,
            _ => return,
        };
        self.by_seed.insert(run.seed, loss);
        self.peak = run.peak_lr;
    }

    fn has_all_of(&self, other: &Self) -> bool {
        other.by_seed.keys().all(|seed| self.by_seed.contains_key(seed))
    }

    /// Infinite if a run diverged.
    fn mean(&self) -> f64 {
        let losses = self.by_seed.values();
        let sum: f64 = losses.map(|loss| loss.unwrap_or(f64::INFINITY)).sum();
        sum / self.by_seed.len() as f64
    }
}
