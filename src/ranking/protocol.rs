//! The rules of a ranking, fixed before the results are seen.

use super::score::{self, Direction};
use crate::error::{Error, Result};
use crate::record::Observation;
use crate::text::quoted;
use serde::Serialize;

/// How runs are ranked and tested. The default is the one of the command
/// line.
#[derive(Clone, Debug, PartialEq)]
pub struct Protocol {
    /// Level of significance.
    pub alpha: f64,
    /// Half width of the region of practical equivalence, in units of the
    /// scale. `None`: 0.005 on the relative scale, half a per cent of the
    /// control's mean absolute score on the raw one.
    pub rope: Option<f64>,
    /// What a difference is. `None`: relative for scores that are positive
    /// throughout and by their name a loss, or an error in the unit of the
    /// data; else raw.
    pub scale: Option<Scale>,
    /// Label of the schedule to test the others against. `None`: `linear`,
    /// else `constant`, else the first by name.
    pub control: Option<String>,
    /// Only runs with this budget, in optimizer updates.
    pub budget: Option<u64>,
    /// Only runs with this multiple of the learning rate found.
    pub lr_multiple: Option<f64>,
    /// Seed of the bootstrap and of the posterior draws.
    pub seed: u64,
    /// Which scores are better. `None`: what the name of the score says,
    /// else lower ones, and a note says so.
    pub direction: Option<Direction>,
    /// Take in workloads that a schedule lacks, with the schedules that they
    /// have, instead of leaving them out.
    pub allow_missing: bool,
}

impl Default for Protocol {
    fn default() -> Self {
        Self {
            alpha: 0.05,
            rope: None,
            scale: None,
            control: None,
            budget: None,
            lr_multiple: None,
            seed: 0,
            direction: None,
            allow_missing: false,
        }
    }
}

/// What the difference of two scores is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Scale {
    /// The difference itself.
    Raw,
    /// The difference of the logarithms: 0.01 is about one per cent. Losses
    /// of different workloads have no common unit; this gives them one.
    Relative,
}

impl Protocol {
    /// # Errors
    ///
    /// If a number makes no sense.
    pub(super) fn check(&self) -> Result<()> {
        if !(self.alpha > 0.0 && self.alpha < 1.0) {
            return Err(Error::Invalid(format!(
                "alpha is {}, but a level of significance lies between 0 and \
                 1",
                self.alpha
            )));
        }
        if let Some(rope) = self.rope
            && !(rope >= 0.0 && rope.is_finite())
        {
            return Err(Error::Invalid(format!(
                "the region of practical equivalence is {rope} wide, but it \
                 must be a number from 0 up"
            )));
        }
        Ok(())
    }

    /// Which values of the score `column` are better.
    pub(super) fn direction(&self, column: &str) -> Direction {
        let named = || score::meaning(column).map(|found| found.direction);
        self.direction.or_else(named).unwrap_or(Direction::Lower)
    }

    /// What a reader must know about the direction of the score `column`,
    /// where its name says nothing, or the opposite of what was asked.
    pub(super) fn caution(&self, column: &str) -> Option<String> {
        let found = score::meaning(column).map(|found| found.direction);
        let name = quoted(column);
        match (self.direction, found) {
            (None, None) => Some(format!(
                "Lower {name} counts as better, for its name does not say: \
                 `--higher` turns that, `--lower` confirms it."
            )),
            (Some(asked), Some(found)) if asked != found => Some(format!(
                "{} {name} counts as better, as asked, though its name says \
                 the opposite.",
                match asked {
                    Direction::Lower => "Lower",
                    Direction::Higher => "Higher",
                }
            )),
            _ => None,
        }
    }

    /// Whether `run` has the budget and the multiple asked for.
    pub(super) fn picks(&self, run: &Observation) -> bool {
        self.budget.is_none_or(|budget| run.budget == Some(budget))
            && self.lr_multiple.is_none_or(|m| run.lr_multiple == Some(m))
    }

    /// This protocol at the rate found itself; `None` where `runs` have no
    /// other multiple beside it, or the protocol asks for one.
    pub(crate) fn at_found_rate(&self, runs: &[Observation]) -> Option<Self> {
        let has = |wanted: fn(f64) -> bool| {
            runs.iter().filter_map(|run| run.lr_multiple).any(wanted)
        };
        (self.lr_multiple.is_none() && has(|m| m == 1.0) && has(|m| m != 1.0))
            .then(|| Self { lr_multiple: Some(1.0), ..self.clone() })
    }

    /// The index of the control among `schedules`, which are sorted.
    ///
    /// # Errors
    ///
    /// If there is no schedule of the name asked for.
    pub(super) fn control_among(&self, schedules: &[String]) -> Result<usize> {
        if let Some(name) = &self.control {
            let found = schedules.iter().position(|s| s == name);
            return found.ok_or_else(|| {
                Error::Invalid(format!(
                    "the control `{name}` is none of the schedules; take one \
                     of: {}",
                    schedules.join(", ")
                ))
            });
        }
        // `linear` itself before a variant of it, such as
        // `linear(warmup=5%)`.
        let named = |name: &str| schedules.iter().position(|s| s == name);
        let of_kind = |kind: &str| {
            schedules.iter().position(|s| {
                s.strip_prefix(kind).is_some_and(|rest| rest.starts_with('('))
            })
        };
        let usual = ["linear", "constant"];
        let found =
            usual.iter().find_map(|kind| named(kind).or_else(|| of_kind(kind)));
        Ok(found.unwrap_or(0))
    }
}
