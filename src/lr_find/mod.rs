//! Finding the learning rate: a rule reads it from a range test, and short
//! runs of the real schedule check it.
//!
//! Training is a closure that takes a table of learning rates and a seed and
//! returns losses, so this room is independent of models. Losses are recorded
//! raw; smoothing, stopping and suggesting use the record.
//!
//! `range_test` runs the test on the rates of `ladder`; `smooth` and
//! `diagnosis` read its curve, `rules` are those of other tools, and `interval`
//! bounds the suggestion. `verify` and `climb` run the trials. `finder` does
//! all of it on a trainer, `found` is the result, `recorded` reads curves of
//! other tools.

mod climb;
mod diagnosis;
mod finder;
mod found;
mod interval;
mod ladder;
mod memo;
mod range_test;
mod recorded;
mod rules;
mod smooth;
mod verify;

pub use crate::spec::{Ladder, LossKind};
pub use diagnosis::FindOutcome;
pub(crate) use finder::{FIRST_SEED, for_workload, on_workload, usual_rate};
pub(crate) use found::picture;
pub use found::{Confidence, LrFound, LrPoint, Opinion, OpinionSource, Trial};
pub use ladder::RangeTest;
pub(crate) use memo::Memo;
pub(crate) use recorded::{Losses, Reading, RecordedTest, Smoothed};
pub use rules::Rule;
pub(crate) use rules::suggest;
pub use verify::Verify;

use crate::error::Result;
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

/// Receives the index and the loss of every update, and may end the run.
pub(crate) type Watch<'a> = dyn FnMut(usize, f64) -> ControlFlow<()> + 'a;

/// Trains at a table of rates, from the initial weights of a seed. Returns the
/// raw loss of every update, measured before it. The loss at which the watch
/// breaks is the last one.
pub(crate) type Train<'a> = dyn Fn(&[f64], u64, LossKind, &mut Watch<'_>) -> Result<Vec<f64>>
    + Sync
    + 'a;

/// Runs so many steps of the real schedule at a peak rate and a seed; `None`
/// if the run diverged.
pub(crate) type TrialRun<'a> =
    dyn Fn(f64, usize, u64) -> Result<Option<TrialLosses>> + Sync + 'a;

/// Does work for every number below a count, in any order, in parallel if the
/// caller has threads. Panics if the work panics.
pub(crate) type Several<'a> =
    dyn Fn(usize, &(dyn Fn(usize) + Sync)) + Sync + 'a;

/// [`Several`] without threads.
pub(crate) fn one_by_one(count: usize, work: &(dyn Fn(usize) + Sync)) {
    (0..count).for_each(work);
}

/// How the runs of a finder are executed.
#[derive(Clone, Copy)]
pub(crate) struct Means<'a> {
    /// How independent runs are executed.
    pub(crate) several: &'a Several<'a>,
    /// Stored runs.
    pub(crate) memo: Memo<'a>,
    /// Called before every update; true ends the search.
    pub(crate) stop: &'a (dyn Fn() -> bool + Sync),
}

/// The runs of a finder, and how they are executed.
#[derive(Clone, Copy)]
pub(crate) struct Runs<'a> {
    pub(crate) train: &'a Train<'a>,
    pub(crate) trial: &'a TrialRun<'a>,
    /// How independent runs are executed.
    pub(crate) several: &'a Several<'a>,
}

impl Runs<'_> {
    /// The results of `work` for every number below `count`, in order.
    fn all<T: Send>(
        &self,
        count: usize,
        work: impl Fn(usize) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        let answers = Mutex::new(vec![]);
        (self.several)(count, &|i| {
            let answer = work(i);
            let all = answers.lock();
            all.unwrap_or_else(PoisonError::into_inner).push((i, answer));
        });
        let answers = answers.into_inner();
        let mut answers = answers.unwrap_or_else(PoisonError::into_inner);
        answers.sort_by_key(|(i, _)| *i);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }
}

/// Losses at the end of a trial.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct TrialLosses {
    /// Over the validation part.
    pub(crate) valid: f64,
    /// Over the last tenth of the run.
    pub(crate) train: Option<f64>,
}

/// The learning rate from a range test and, with `verify`, from trials around
/// its suggestion. For the trials the suggestion is multiplied by the expected
/// ratio of the best peak of their schedule to the best constant rate. The
/// same arguments give the same answer.
///
/// # Errors
///
/// If `test` or `verify` is not valid, or a training fails. A curve that shows
/// nothing is not an error: see [`FindOutcome`].
pub(crate) fn find(
    test: &RangeTest,
    verify: Option<(&Verify, f64)>,
    seed: u64,
    runs: Runs<'_>,
) -> Result<LrFound> {
    test.check()?;
    verify.map_or(Ok(()), |(verify, _)| verify.check())?;
    let most = verify.map_or(usize::MAX, |(verify, _)| verify.widened());
    let found = range_test::run(test, seed, most, runs)?;
    match verify {
        Some((verify, relative_peak)) => {
            verify::refine(found, verify, relative_peak, seed, runs)
        }
        None => Ok(found),
    }
}

#[cfg(test)]
mod tests;
