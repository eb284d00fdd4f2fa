//! Finding the rate of one model, its seeds and trials on as many threads as
//! there are.

use super::workers::{Done, in_parallel};
use crate::error::Result;
use crate::lr_find::{
    self, FIRST_SEED, LrFound, Means, Memory, RangeTest, Verify, on_workload,
    usual_rate,
};
use crate::schedule::ScheduleSpec;
use crate::train::{Learner, Trainer};
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
        self.find(test, None)
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
        let (steps, seeds) = verify.range_test();
        let fallback = usual_rate(&self.workload.optimizer);
        let test = RangeTest { steps, seeds, fallback, ..RangeTest::default() };
        self.find(&test, Some((verify, schedule)))
    }

    fn find(
        &self,
        test: &RangeTest,
        verify: Option<(&Verify, &ScheduleSpec)>,
    ) -> Result<LrFound> {
        let trainer = Trainer::Candle(self.resident()?);
        let seed = FIRST_SEED ^ self.seed;
        let means = Means {
            several: &several(jobs(&trainer)),
            memory: Memory::NONE,
            stop: &|| false,
        };
        on_workload(&trainer, test, verify, seed, means)
    }
}

/// Runs of `trainer` at once on this machine.
pub(super) fn jobs(trainer: &Trainer) -> usize {
    // One thread a run; a graphics processor takes one run at a time.
    match trainer {
        Trainer::Candle(workload)
            if !matches!(workload.data.train.inputs.device(), Device::Cpu) =>
        {
            1
        }
        _ => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
    }
}

/// Trainings of a finder, `jobs` at once. A model that panics is a panic, as
/// it is without threads.
pub(super) fn several(
    jobs: usize,
) -> impl Fn(usize, &(dyn Fn(usize) + Sync)) + Sync {
    move |count, work| {
        if jobs < 2 || count < 2 {
            return lr_find::one_by_one(count, work);
        }
        let order: Vec<usize> = (0..count).collect();
        let mut panicked = None;
        in_parallel(jobs, &order, work, |_, done| {
            if let Done::Panicked(why) = done {
                panicked = Some(why);
            }
        });
        if let Some(why) = panicked {
            panic!("{why}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::workers::caught;
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn a_panic_is_the_same_on_any_number_of_threads() {
        for jobs in [0, 1, 2, 9] {
            let done = AtomicUsize::new(0);
            let work = |i: usize| {
                assert_ne!(i, 2, "two is too many");
                done.fetch_add(1, Ordering::Relaxed);
            };
            let Done::Panicked(why) = caught(|| several(jobs)(3, &work)) else {
                unreachable!("{jobs} jobs hide a panic");
            };
            assert!(why.contains("two is too many"), "{why}");
            assert_eq!(done.into_inner(), 2, "{jobs} jobs");
        }
    }
}
