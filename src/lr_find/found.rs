//! The result of finding a learning rate.

use super::diagnosis::FindOutcome;
use super::rules::Rule;
use crate::error::Result;
use crate::record::any_float;
use crate::report::plot::{RangeTestPlot, range_test};
use crate::schedule::{ScheduleSpec, bound};
use serde::{Deserialize, Serialize};

/// A learning rate, with its evidence and its confidence.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct LrFound {
    /// The rate to train with: the peak of a schedule. It is a fallback if the
    /// outcome is not [`FindOutcome::Found`].
    pub lr: f64,
    /// Lowest and highest rate that the evidence allows; `lr` lies inside.
    /// After a range test alone it is the 90 % bootstrap interval of the
    /// suggestion. After a verification it is the rates next to the best one.
    pub interval: (f64, f64),
    /// Ends of the range for cyclical schedules: where the loss begins to
    /// fall, and `lr`.
    pub cycle: (f64, f64),
    /// The outcome of the range test.
    pub outcome: FindOutcome,
    /// The outcome in a sentence, with the reason for the rate.
    pub reason: String,
    /// How far to trust it.
    pub confidence: Confidence,
    /// Lowest and highest rate whose loss is within 5 % of the descent of
    /// the best, as far as trials reach; `None` without trials.
    pub basin: Option<(f64, f64)>,
    /// Steps of the runs that the rate was verified for.
    pub horizon: Option<usize>,
    /// Ratio of the best peak of the schedule of the verification to the best
    /// constant rate, by the convex bound; 1 without a verification.
    pub relative_peak: f64,
    /// Exponent: the best rate is proportional to the length of the run to the
    /// power of minus this; see [`at_horizon`](Self::at_horizon).
    pub horizon_exponent: f64,
    /// Second opinions, for comparison.
    pub opinions: Vec<Opinion>,
    /// The rule that read the curve.
    pub rule: Rule,
    /// The suggestion of the range test alone; differs from `lr` if a
    /// verification corrected it.
    pub suggestion: f64,
    /// The range test of the seed nearest the suggestion.
    pub curve: Vec<LrPoint>,
    /// Suggestions of the seeds, in order; seeds without one are omitted.
    pub per_seed: Vec<f64>,
    /// Trials of the verification, in order of their run.
    pub verification: Vec<Trial>,
    /// Optimizer updates spent in total.
    pub cost_steps: usize,
    /// Trainings that were started for it, however short.
    #[serde(default)]
    pub trainings: usize,
}

/// How far a learning rate found can be trusted.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize,
)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Confidence {
    /// A fallback, or contradicted by a second opinion.
    Low,
    /// One curve, or trials that do not bracket the best rate.
    Medium,
    /// Trials bracket it, and no second opinion lies more than a decade off.
    High,
}

/// A rate from another method than the range test and its trials.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Opinion {
    /// The method.
    pub source: OpinionSource,
    /// The rate, in the optimizer's own units.
    pub lr: f64,
}

/// The method of a second opinion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum OpinionSource {
    /// `2 (1 + momentum) / lambda_max`, above which gradient descent on the
    /// local quadratic diverges; the largest eigenvalue of the Hessian by
    /// power iteration with differences of gradients (LeCun et al. 1993).
    /// SGD only: `AdamW`'s own preconditioner is not known at the start.
    Curvature,
    /// The lowest point of the parabola through three losses along the
    /// optimizer's first direction (Bu & Xu 2024, arXiv:2407.02772).
    Parabola,
}

/// A run at one peak rate, to check it.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Trial {
    /// Peak learning rate.
    pub lr: f64,
    /// Steps, the whole schedule squeezed into them.
    pub steps: usize,
    /// Seed of weights and batches.
    pub seed: u64,
    /// Validation loss at the end; `None` if the run diverged.
    pub loss: Option<f64>,
    /// Training loss over the last tenth; `None` if the run diverged.
    pub train_loss: Option<f64>,
}

impl LrFound {
    /// A rate that is known, without any evidence of its own.
    pub(crate) fn given(lr: f64) -> Self {
        let reason = "the rate is given and was not tested";
        Self::unsupported(lr, FindOutcome::Given, reason.to_owned())
    }

    /// A rate without a curve or a trial as evidence.
    pub(super) fn unsupported(
        lr: f64,
        outcome: FindOutcome,
        reason: String,
    ) -> Self {
        Self {
            lr,
            interval: (lr, lr),
            cycle: (lr, lr),
            outcome,
            reason,
            confidence: Confidence::Low,
            basin: None,
            horizon: None,
            relative_peak: 1.0,
            horizon_exponent: 0.0,
            opinions: vec![],
            rule: Rule::default(),
            suggestion: lr,
            curve: vec![],
            per_seed: vec![],
            verification: vec![],
            cost_steps: 0,
            trainings: 0,
        }
    }

    /// The rate for runs of `steps` instead of the horizon it was verified for,
    /// by a power law; without a verification it is the rate itself, which has
    /// no horizon.
    ///
    /// This is an extrapolation. The exponent is 0.25, or 1 if the trials
    /// showed that the model memorizes its training part.
    pub fn at_horizon(&self, steps: usize) -> f64 {
        let Some(horizon) = self.horizon else { return self.lr };
        let ratio = steps.max(1) as f64 / horizon as f64;
        self.lr * ratio.powf(-self.horizon_exponent)
    }

    /// The peak for `schedule` over `steps`, instead of the schedule of the
    /// verification (or of a constant rate without one). The factor is the
    /// prediction of the convex [`bound`]. For another length, use
    /// [`at_horizon`](Self::at_horizon) first.
    ///
    /// # Errors
    ///
    /// If the schedule cannot stand at so few steps.
    pub fn peak_for(
        &self,
        schedule: &ScheduleSpec,
        steps: usize,
    ) -> Result<f64> {
        let other = relative_peak(schedule, steps)?;
        Ok(self.lr / self.relative_peak * other)
    }

    /// The cost, in trainings of the horizon; `None` without a horizon.
    pub fn cost_trainings(&self) -> Option<f64> {
        Some(self.cost_steps as f64 / self.horizon? as f64)
    }

    /// Adds a second opinion, which lowers the confidence if it differs by more
    /// than a decade.
    pub(crate) fn hear(&mut self, opinion: Opinion) {
        let off = (opinion.lr / self.lr).log10().abs();
        if off > 1.0 {
            self.confidence = match self.confidence {
                Confidence::High => Confidence::Medium,
                _ => Confidence::Low,
            };
            let (source, lr) = (opinion.source.name(), opinion.lr);
            self.reason =
                format!("{}; the {source} suggests {lr:.2e}", self.reason);
        }
        self.opinions.push(opinion);
    }

    /// The curve with its suggestion, interval and trials, as SVG.
    pub fn plot(&self) -> String {
        self.to_svg("learning rate range test")
    }

    pub(crate) fn to_svg(&self, title: &str) -> String {
        range_test(title, &self.picture())
    }

    /// The numbers of the plot.
    pub(crate) fn picture(&self) -> RangeTestPlot {
        let trials = self
            .verification
            .iter()
            .map(|trial| (trial.lr, trial.loss.unwrap_or(f64::INFINITY)))
            .collect();
        let curve = picture(&self.curve, Some(self.lr), Some(self.interval));
        RangeTestPlot { trials, ..curve }
    }
}

/// The numbers of the plot of a curve, without trials.
pub(crate) fn picture(
    curve: &[LrPoint],
    suggestion: Option<f64>,
    interval: Option<(f64, f64)>,
) -> RangeTestPlot {
    let column = |value: fn(&LrPoint) -> f64| curve.iter().map(value).collect();
    RangeTestPlot {
        rates: column(|point| point.lr),
        losses: column(|point| point.loss),
        smoothed: column(|point| point.smoothed),
        suggestion,
        interval,
        trials: vec![],
    }
}

/// Ratio of the best peak of `schedule` to the best constant rate, by the
/// convex bound.
///
/// # Errors
///
/// If the schedule cannot stand at so few steps.
pub(crate) fn relative_peak(
    schedule: &ScheduleSpec,
    steps: usize,
) -> Result<f64> {
    let peak = |factors: &[f64]| bound(factors).map(|bound| bound.peak);
    let factors = schedule.rates(1.0, steps)?;
    let ratio = peak(&factors).zip(peak(&vec![1.0; steps]));
    Ok(ratio.map_or(1.0, |(schedule, constant)| schedule / constant))
}

impl Confidence {
    /// As in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl OpinionSource {
    /// As in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Curvature => "curvature",
            Self::Parabola => "parabola",
        }
    }
}

/// One update of a range test.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct LrPoint {
    /// Learning rate of the update.
    pub lr: f64,
    /// Loss before it, raw; may be infinite or NaN.
    #[serde(with = "any_float")]
    pub loss: f64,
    /// Smoothed loss; NaN past the end of what was smoothed.
    #[serde(with = "any_float")]
    pub smoothed: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_that_json_lacks_survive_it() {
        for loss in [0.1, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let point = LrPoint { lr: 1e-7, loss, smoothed: loss };
            let text = serde_json::to_string(&point).expect("serializable");
            let back: LrPoint = serde_json::from_str(&text).expect("readable");
            assert_eq!(back.loss.to_string(), loss.to_string(), "{text}");
        }
    }
}
