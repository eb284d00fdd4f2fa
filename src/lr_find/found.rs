//! What finding a learning rate leaves behind.

use super::{Rule, Trial};
use serde::{Deserialize, Serialize};

/// A learning rate with where it comes from and how sure it is.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct LrFound {
    /// The rate to train with: the peak of a schedule. Always there; when the
    /// outcome is not [`FindOutcome::Found`], a fallback.
    pub lr: f64,
    /// Lowest and highest rate that the evidence allows; `lr` lies inside.
    /// Of the range test alone: 90 % bootstrap interval of the suggestion. Of
    /// a verification: the rates next to the best one.
    pub interval: (f64, f64),
    /// Ends of the range for cyclical schedules: where the loss begins to
    /// fall, and `lr`.
    pub cycle: (f64, f64),
    /// What the curve showed.
    pub outcome: FindOutcome,
    /// The same in a sentence, with what was done about it.
    pub reason: String,
    /// The rule that read the curve.
    pub rule: Rule,
    /// What the range test alone suggests; differs from `lr` where a
    /// verification corrected it.
    pub suggestion: f64,
    /// The range test of the seed nearest the suggestion.
    pub curve: Vec<LrPoint>,
    /// Suggestion of each seed, in order; those without one left out.
    pub per_seed: Vec<f64>,
    /// Trials of the verification, in order of their run.
    pub verification: Vec<Trial>,
    /// Optimizer updates spent on all of it.
    pub cost_steps: usize,
}

/// One update of a range test.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
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

/// What a range test showed. Every kind comes with a rate to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
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
        }
    }
}

/// Numbers that JSON lacks, as the strings `nan`, `inf` and `-inf`.
mod any_float {
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(f64),
        Word(String),
    }

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the signature that serde calls"
    )]
    pub(super) fn serialize<S: Serializer>(
        value: &f64,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match *value {
            value if value.is_finite() => serializer.serialize_f64(value),
            value if value.is_nan() => serializer.serialize_str("nan"),
            value if value > 0.0 => serializer.serialize_str("inf"),
            _ => serializer.serialize_str("-inf"),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<f64, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Number(value) => Ok(value),
            Written::Word(word) => word.parse().map_err(D::Error::custom),
        }
    }
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

    #[test]
    fn names_are_those_of_json() {
        for outcome in [
            FindOutcome::Found,
            FindOutcome::NoDescent,
            FindOutcome::NeverDiverged,
            FindOutcome::TooNoisy,
            FindOutcome::NonFiniteAtStart,
        ] {
            let text = serde_json::to_string(&outcome).expect("serializable");
            assert_eq!(text, format!("\"{}\"", outcome.name()));
        }
    }
}
