//! Finding the learning rate: a range test, read by a rule, then checked by
//! short runs of the real thing.
//!
//! Training comes in as a closure that takes a table of learning rates and a
//! seed and gives losses back, so nothing here knows a model. Losses are
//! recorded raw; smoothing, stopping and suggesting are done on the record.

mod found;
mod interval;
mod ladder;
mod learner;
mod range_test;
mod reading;
mod rules;
mod smooth;
mod verify;

pub use found::{FindOutcome, LrFound, LrPoint};
pub use ladder::{Ladder, LossKind, RangeTest};
pub(crate) use learner::for_workload;
pub use rules::Rule;
pub(crate) use rules::suggest;
pub use verify::{Trial, Verify};

use crate::error::Result;
use std::ops::ControlFlow;

/// Sees the index and the loss of every update, and may end the run there.
pub(crate) type Watch<'a> = dyn FnMut(usize, f64) -> ControlFlow<()> + 'a;

/// Trains along a table of rates from fresh weights of a seed, and gives the
/// raw loss of every update done, measured before it. The loss at which the
/// watch breaks is the last one given.
pub(crate) type Train<'a> =
    dyn FnMut(&[f64], u64, LossKind, &mut Watch<'_>) -> Result<Vec<f64>> + 'a;

/// Runs so many steps of the real schedule at a peak rate and a seed: the
/// validation loss at the end, `None` if the run diverged.
pub(crate) type TrialRun<'a> =
    dyn FnMut(f64, usize, u64) -> Result<Option<f64>> + 'a;

/// The learning rate by a range test and, with `verify`, by trials around
/// its suggestion. The same arguments give the same answer.
///
/// # Errors
///
/// If `test` or `verify` make no sense, or a training fails. A curve that
/// shows nothing is no error: see [`FindOutcome`].
pub(crate) fn find(
    test: &RangeTest,
    verify: Option<&Verify>,
    seed: u64,
    train: &mut Train<'_>,
    trial: &mut TrialRun<'_>,
) -> Result<LrFound> {
    test.check()?;
    let found = range_test::run(test, seed, train)?;
    match verify {
        Some(verify) => verify::refine(found, verify, seed, trial),
        None => Ok(found),
    }
}

#[cfg(test)]
mod tests;
