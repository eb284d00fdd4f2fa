//! Finding the rate of one model, its seeds and trials on as many threads as
//! there are.

use super::workers::{Done, in_parallel};
use crate::error::{Error, Result};
use crate::lr_find::{
    self, FIRST_SEED, LrFound, RangeTest, Verify, on_workload, usual_rate,
};
use crate::schedule::ScheduleSpec;
use crate::train::Learner;
use crate::workload::Workload;
use candle_core::Device;
use std::num::NonZeroUsize;

impl Learner {
    /// The learning rate of this model on this data set, by a range test with
    /// three seeds.
    ///
    /// It disturbs nothing: a later [`fit`](Self::fit) gives the same as
    /// without it, and a second call gives the same rate.
    ///
    /// # Errors
    ///
    /// If the model or the data set fails.
    pub fn find_lr(&self) -> Result<LrFound> {
        let fallback = usual_rate(&self.workload.optimizer);
        self.find_lr_with(&RangeTest { fallback, ..RangeTest::default() })
    }

    /// [`find_lr`](Self::find_lr) by a range test of your own.
    ///
    /// # Errors
    ///
    /// If the test makes no sense, or the model or the data set fails.
    pub fn find_lr_with(&self, test: &RangeTest) -> Result<LrFound> {
        let workload = self.resident()?;
        let seed = FIRST_SEED ^ self.seed;
        on_workload(
            &workload,
            test,
            None,
            seed,
            &several(jobs(&workload)),
            &|| false,
        )
    }

    /// The peak learning rate of `schedule` for a training of `steps`: the
    /// range test's, checked and corrected by short trainings under that
    /// schedule, for at most 1.4 trainings in all.
    ///
    /// # Errors
    ///
    /// If `steps` is 0, or the model or the data set fails.
    pub fn find_lr_for(
        &self,
        schedule: &ScheduleSpec,
        steps: usize,
    ) -> Result<LrFound> {
        self.find_lr_within(schedule, &Verify::new(steps))
    }

    /// [`find_lr_for`](Self::find_lr_for) on a budget of your own.
    ///
    /// # Errors
    ///
    /// If the budget makes no sense, or the model or the data set fails.
    pub fn find_lr_within(
        &self,
        schedule: &ScheduleSpec,
        verify: &Verify,
    ) -> Result<LrFound> {
        let workload = self.resident()?;
        let (steps, seeds) = verify.range_test();
        let fallback = usual_rate(&workload.optimizer);
        let test = RangeTest { steps, seeds, fallback, ..RangeTest::default() };
        let seed = FIRST_SEED ^ self.seed;
        let verify = Some((verify, schedule));
        on_workload(
            &workload,
            &test,
            verify,
            seed,
            &several(jobs(&workload)),
            &|| false,
        )
    }
}

/// Trainings of `workload` at once on this machine.
pub(super) fn jobs(workload: &Workload) -> usize {
    // One thread a run; a graphics processor takes one run at a time.
    match workload.data.train.inputs.device() {
        Device::Cpu => {
            std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
        }
        _ => 1,
    }
}

/// Trainings of a finder, `jobs` at once.
pub(super) fn several(
    jobs: usize,
) -> impl Fn(usize, &(dyn Fn(usize) + Sync)) -> Result<()> + Sync {
    move |count, work| {
        if jobs < 2 || count < 2 {
            return lr_find::one_by_one(count, work);
        }
        let mut panicked = None;
        let order: Vec<usize> = (0..count).collect();
        in_parallel(jobs, &order, work, |_, done| {
            if let Done::Panicked(why) = done {
                panicked = Some(why);
            }
        });
        panicked.map_or(Ok(()), |why| Err(Error::Invalid(why)))
    }
}
