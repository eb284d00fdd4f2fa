//! What the learning rates of a training really did: a log against the
//! schedule that was intended, or against all schedules that are known.
//!
//! `log` puts the rows in the order of the updates. `intended` compares them
//! with a schedule, `explain` has the faults that may be behind a difference.
//! `known` names the schedule of a log, `cycles` one that falls and rises again,
//! `fit` has the least squares of that. `alone` says what is wrong where nothing
//! else is known.

mod alone;
mod cycles;
mod explain;
mod fit;
mod intended;
mod known;
mod log;
#[cfg(test)]
mod tests;

pub(crate) use alone::alone;
pub(crate) use intended::{Intended, Planned, Rates, against};
pub(crate) use known::{Named, named};
pub(crate) use log::Log;

use serde::Serialize;

/// Whether the rates are those that were intended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// All of them, as far as the log shows.
    AsIntended,
    /// Not all of them.
    Differs,
    /// The log does not show it.
    CannotTell,
}

/// What is wrong with the rates of a training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Fault {
    /// The training ends before the warm-up does.
    PeakNotReached,
    /// Several first updates have the rate 0.
    ZeroStart,
    /// The scheduler is stepped several times an update.
    SteppedTooOften,
    /// The scheduler is stepped once in many updates.
    SteppedPerEpoch,
    /// The plan is longer than the training.
    EndNotReached,
    /// The plan is shorter than the training.
    EndedEarly,
    /// The schedule starts again.
    Restart,
    /// The rates go on elsewhere.
    Jump,
    /// A decay rises.
    Rises,
    /// The highest rate is above the peak.
    AbovePeak,
    /// The highest rate is below the peak.
    BelowPeak,
    /// The rates are others.
    Other,
}

/// What was found.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) verdict: Verdict,
    /// The first thing that is wrong.
    pub(crate) fault: Option<Fault>,
    /// The first update, from 0, whose rate is not the intended one; of a log
    /// alone, the first update of the fault.
    pub(crate) first_update: Option<u64>,
    /// The rate there as logged, and the one intended, where both are known.
    pub(crate) rates: Option<(f64, f64)>,
    /// What it means, in a sentence.
    pub(crate) said: String,
}

impl Finding {
    pub(crate) fn fine(said: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::AsIntended,
            fault: None,
            first_update: None,
            rates: None,
            said: said.into(),
        }
    }

    pub(crate) fn unknown(said: impl Into<String>) -> Self {
        Self { verdict: Verdict::CannotTell, ..Self::fine(said) }
    }

    pub(crate) fn wrong(
        fault: Fault,
        first_update: u64,
        said: impl Into<String>,
    ) -> Self {
        Self {
            verdict: Verdict::Differs,
            fault: Some(fault),
            first_update: Some(first_update),
            ..Self::fine(said)
        }
    }
}
