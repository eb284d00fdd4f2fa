//! Rules: from the recorded curve of a range test to a learning rate.
//!
//! Each takes raw losses and does what its tool does, with that tool's own
//! smoothing, stop and trimming at its defaults, where the number of
//! iterations asked for is the number of rows. What the tool computes in
//! single precision is computed in single precision here; oddities that
//! decide the answer are kept and named.

mod fastai;
mod keras;
mod lightning;
mod mxnet;
mod torch;

use super::diagnosis::{Diagnosis, Suggestion};
use crate::error::{Error, Result};
use crate::text::{either, unknown};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Div, Sub};

/// A rule that reads a learning rate off a range test.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize,
)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Rule {
    /// Ours: a third of the rate where the loss, smoothed without lag, is
    /// lowest.
    #[default]
    Lrscout,
    /// fastai 2.8 `valley`, its default: about halfway along the longest
    /// decreasing subsequence.
    FastaiValley,
    /// fastai 2.8 `slide`: where an interval slid down from the right first
    /// meets slopes that agree.
    FastaiSlide,
    /// fastai 2.8 `minimum`: a tenth of the rate at the lowest loss.
    FastaiMinimum,
    /// fastai 2.8 `steep`: the steepest fall per log rate.
    FastaiSteep,
    /// Lightning 2.5.3 to 2.6.6: the steepest fall per rate.
    Lightning,
    /// Lightning up to 2.5.2: the steepest fall per step.
    #[serde(rename = "lightning-2.5.2")]
    Lightning252,
    /// torch-lr-finder 0.2: the steepest fall per step.
    TorchLrFinder,
    /// `surmenok/keras_lr_finder`: the steepest fall over 20 steps.
    KerasLrFinder,
    /// ktrain: the steepest fall per step before the lowest loss, 32 rows
    /// too far left as in ktrain.
    KtrainGradient,
    /// ktrain: a tenth of the rate at the lowest loss.
    #[serde(rename = "ktrain-min10")]
    KtrainMin10,
    /// ignite `FastaiLRFinder`: the steepest fall per step before the lowest
    /// loss.
    Ignite,
    /// The stop of the `MXNet` Gluon tutorial: the rate at which the smoothed
    /// loss has doubled. An upper limit, since the tutorial suggests nothing.
    MxnetStop,
}

impl Rule {
    /// All rules, ours first.
    pub const ALL: [Self; 13] = [
        Self::Lrscout,
        Self::FastaiValley,
        Self::FastaiSlide,
        Self::FastaiMinimum,
        Self::FastaiSteep,
        Self::Lightning,
        Self::Lightning252,
        Self::TorchLrFinder,
        Self::KerasLrFinder,
        Self::KtrainGradient,
        Self::KtrainMin10,
        Self::Ignite,
        Self::MxnetStop,
    ];

    /// The name, as on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lrscout => "lrscout",
            Self::FastaiValley => "fastai-valley",
            Self::FastaiSlide => "fastai-slide",
            Self::FastaiMinimum => "fastai-minimum",
            Self::FastaiSteep => "fastai-steep",
            Self::Lightning => "lightning",
            Self::Lightning252 => "lightning-2.5.2",
            Self::TorchLrFinder => "torch-lr-finder",
            Self::KerasLrFinder => "keras-lr-finder",
            Self::KtrainGradient => "ktrain-gradient",
            Self::KtrainMin10 => "ktrain-min10",
            Self::Ignite => "ignite",
            Self::MxnetStop => "mxnet-stop",
        }
    }

    /// All names, in the order of [`Rule::ALL`].
    pub(crate) fn names() -> [&'static str; Self::ALL.len()] {
        Self::ALL.map(Self::name)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl std::str::FromStr for Rule {
    type Err = Error;

    /// The rule of a name.
    fn from_str(name: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|rule| rule.name() == name);
        known.ok_or_else(|| {
            let message = unknown("rule", name, &Self::names());
            let message = match message.strip_suffix('?') {
                Some(_) => {
                    format!("{message} (rules: {})", either(&Self::names()))
                }
                None => message,
            };
            Error::Invalid(message)
        })
    }
}

/// What `rule` says about a range test with raw losses `loss` at the rates
/// `lr`, one row an update. `None` where the tool fails or has no answer.
pub(crate) fn suggest(
    rule: Rule,
    lr: &[f64],
    loss: &[f64],
) -> Option<Suggestion> {
    match rule {
        Rule::Lrscout => Diagnosis::of(lr, loss).suggestion(),
        Rule::FastaiValley => fastai::valley(lr, loss),
        Rule::FastaiSlide => fastai::slide(lr, loss),
        Rule::FastaiMinimum => fastai::minimum(lr, loss),
        Rule::FastaiSteep => fastai::steep(lr, loss),
        Rule::Lightning => lightning::per_rate(lr, loss),
        Rule::Lightning252 => lightning::per_step(lr, loss),
        Rule::TorchLrFinder => torch::torch_lr_finder(lr, loss),
        Rule::KerasLrFinder => keras::keras_lr_finder(lr, loss),
        Rule::KtrainGradient => keras::ktrain_gradient(lr, loss),
        Rule::KtrainMin10 => keras::ktrain_min10(lr, loss),
        Rule::Ignite => torch::ignite(lr, loss),
        Rule::MxnetStop => mxnet::stop(lr, loss),
    }
}

/// Index of the lowest value as numpy and torch have it: the first NaN, else
/// the first of the lowest.
fn argmin<T: PartialOrd + Copy>(values: &[T]) -> Option<usize> {
    let mut lowest = 0;
    for (i, value) in values.iter().enumerate() {
        // A NaN is the only value that has no order with itself.
        if value.partial_cmp(value).is_none() {
            return Some(i);
        }
        if *value < values[lowest] {
            lowest = i;
        }
    }
    (!values.is_empty()).then_some(lowest)
}

/// numpy's `gradient` at unit spacing, and torch's, in the precision of
/// `values`: central differences, one-sided at the ends. `None` below two
/// values, where numpy raises.
fn unit_gradient<T>(values: &[T]) -> Option<Vec<T>>
where
    T: Copy + Sub<Output = T> + Div<Output = T> + From<f32>,
{
    let last = values.len().checked_sub(1).filter(|&last| last > 0)?;
    let slope = |i| match i {
        0 => values[1] - values[0],
        i if i == last => values[i] - values[i - 1],
        i => (values[i + 1] - values[i - 1]) / T::from(2.0),
    };
    Some((0..=last).map(slope).collect())
}

/// What an average that started at 0 is divided by after `updates`.
fn correction(beta: f64, updates: usize) -> f64 {
    1.0 - beta.powf(updates as f64)
}

/// The average of the losses so far, with weight `beta` for the past and the
/// bias of the start taken out as of update `first`, up to where it exceeds
/// four times its lowest value.
fn averaged(loss: &[f64], beta: f64, first: usize) -> Vec<f64> {
    let (mut average, mut best) = (0.0, 0.0);
    let mut shown = vec![];
    for (i, &loss) in loss.iter().enumerate() {
        average = beta * average + (1.0 - beta) * loss;
        let smooth = average / correction(beta, first + i);
        shown.push(smooth);
        if i > 0 && smooth > 4.0 * best {
            break;
        }
        if smooth < best || i == 0 {
            best = smooth;
        }
    }
    shown
}

/// Single precision, as `torch.tensor` of a Python float.
#[expect(
    clippy::cast_possible_truncation,
    reason = "rounding is what is wanted"
)]
fn single(value: f64) -> f32 {
    value as f32
}

/// Rows `skip .. len - skip_end`, as Python slices them.
fn trimmed<T>(rows: &[T], skip: usize, skip_end: usize) -> &[T] {
    let end = rows.len().saturating_sub(skip_end);
    rows.get(skip..end).unwrap_or_default()
}

#[cfg(test)]
mod tests;
