//! Finding the rate of one model, its seeds and trials on as many threads as
//! there are.

use super::Learner;
use crate::error::Result;
use crate::lr_find::{
    FIRST_SEED, LrFound, Means, Memo, RangeTest, Verify, on_workload,
    usual_rate,
};
use crate::runner::{jobs, several};
use crate::schedule::ScheduleSpec;

impl Learner {
    /// The learning rate of this model on this data set, by a range test with
    /// three seeds.
    ///
    /// It disturbs nothing: a later [`fit`](Self::fit) gives the same as
    /// without it, and a second call gives the same rate. Losses that show
    /// nothing are no error: see [`LrFound::outcome`].
    ///
    /// ```no_run
    /// # use lrscout::Learner;
    /// # fn main() -> lrscout::Result<()> {
    /// # let learner: Learner = unimplemented!();
    /// let found = learner.find_lr()?;
    /// println!("{:.3e}: {}", found.lr, found.reason);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Source: Smith, *Cyclical Learning Rates for Training Neural Networks*
    /// (2017), section 3.3.
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
    /// ```no_run
    /// # use lrscout::{Learner, LossKind, RangeTest, Rule};
    /// # fn main() -> lrscout::Result<()> {
    /// # let learner: Learner = unimplemented!();
    /// let found = learner.find_lr_with(&RangeTest {
    ///     on: LossKind::Valid,
    ///     rule: Rule::FastaiValley,
    ///     ..RangeTest::default()
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
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
    /// ```no_run
    /// # use lrscout::{Learner, ScheduleSpec};
    /// # fn main() -> lrscout::Result<()> {
    /// # let learner: Learner = unimplemented!();
    /// let cosine = ScheduleSpec::cosine();
    /// let peak = learner.find_lr_for(&cosine, 2_000)?.lr;
    /// let fit = learner.fit(&cosine.build(peak, 2_000)?, 2_000)?;
    /// # Ok(())
    /// # }
    /// ```
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
    /// ```no_run
    /// # use lrscout::{Learner, ScheduleSpec, Verify};
    /// # fn main() -> lrscout::Result<()> {
    /// # let learner: Learner = unimplemented!();
    /// let thorough = Verify { trainings: 5.0, ..Verify::new(2_000) };
    /// let found = learner.find_lr_within(&ScheduleSpec::wsd(), &thorough)?;
    /// # Ok(())
    /// # }
    /// ```
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
        let trainer = self.trainer()?;
        let seed = FIRST_SEED ^ self.seed;
        let means = Means {
            several: &several(jobs(&trainer)),
            memo: Memo::NONE,
            stop: &|| false,
        };
        on_workload(&trainer, test, verify, seed, means)
    }
}
