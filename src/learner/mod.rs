//! A [`Learner`], the recipe of a training: one model, one data set, one
//! optimizer. It trains, finds its learning rate and chooses its schedule.

mod auto;
mod find;

use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::optim::{Checkpoint, weights};
use crate::schedule::{Course, Schedule, ScheduleSpec};
use crate::spec::OptimizerSpec;
use crate::train::{Fit, Replica, Trainer, refined, weights_after};
use crate::workload::{Workload, boxed};
pub use auto::{Auto, Budget, Candidate, Comparison};
pub(crate) use auto::{Limits, Stored};
use candle_core::{Device, Tensor};
use candle_nn::{ModuleT, VarBuilder};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// One model, one data set, one optimizer: the recipe for training runs.
///
/// Working methods take `&self`. Each call builds a fresh replica from the
/// seed, so nothing has to be saved or restored: finding a learning rate
/// disturbs no training, and all schedules start from identical weights.
#[derive(Clone)]
pub struct Learner {
    pub(crate) workload: Workload,
    pub(crate) seed: u64,
    device: Device,
}

impl Learner {
    /// A recipe from a model builder and a data set, with SGD (momentum 0.9),
    /// batches of 64, seed 0, on the CPU.
    ///
    /// The model is any candle module; take its layers from
    /// [`nn`](crate::nn) and it trains several times faster on a CPU. It gets
    /// a batch of [`Split::inputs`](crate::Split) and gives f32
    /// `(batch, outputs)`, for characters `(batch, context, vocabulary)`.
    ///
    /// ```
    /// use candle_core::Device;
    /// use lrscout::{Dataset, Learner, OptimizerSpec, nn};
    ///
    /// # fn main() -> lrscout::Result<()> {
    /// let digits = Dataset::builtin("digits", &Device::Cpu)?;
    /// let learner = Learner::new(
    ///     |vb, data| {
    ///         let out = nn::linear(data.features(), data.outputs(), vb)?;
    ///         Ok(candle_nn::func(move |x| nn::flatten(x)?.apply(&out)))
    ///     },
    ///     digits,
    /// )
    /// .optimizer(OptimizerSpec::adamw())
    /// .batch(32);
    /// let fit = learner.fit(&|_| 0.01, 20)?;
    /// assert_eq!((fit.steps, fit.curve.len()), (20, 5));
    /// # Ok(())
    /// # }
    /// ```
    pub fn new<M, F>(build: F, data: Dataset) -> Self
    where
        M: ModuleT + Send + Sync + 'static,
        F: Fn(VarBuilder<'_>, &Dataset) -> candle_core::Result<M>
            + Send
            + Sync
            + 'static,
    {
        let workload = Workload {
            is_static: false,
            name: "model".to_owned(),
            data: Arc::new(data),
            build: boxed(build),
            optimizer: OptimizerSpec::sgd(),
            batch: 64,
            accumulate: 1,
            weights: Arc::default(),
            checkpoint: None,
        };
        Self::of(workload, 0)
    }

    /// The recipe of a workload that is already on its device.
    pub(crate) fn of(workload: Workload, seed: u64) -> Self {
        let device = workload.data.train.inputs.device().clone();
        Self { workload, seed, device }
    }

    /// Trains on `device` instead of where the data set lies.
    #[must_use]
    pub fn device(mut self, device: Device) -> Self {
        self.device = device;
        self
    }

    /// Replaces the optimizer.
    #[must_use]
    pub fn optimizer(mut self, optimizer: OptimizerSpec) -> Self {
        self.workload.optimizer = optimizer;
        self
    }

    /// Replaces the number of examples an update.
    #[must_use]
    pub fn batch(mut self, batch: usize) -> Self {
        self.workload.batch = batch;
        self
    }

    /// Computes the batch of each update in so many parts, one after the
    /// other (gradient accumulation): less memory, the same update.
    #[must_use]
    pub fn accumulate(mut self, parts: usize) -> Self {
        self.workload.accumulate = parts.max(1);
        self
    }

    /// Replaces the seed of weights and batch order.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Starts from the weights of a safetensors file instead of fresh ones.
    /// Weights of the model that the file lacks stay fresh.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn weights(mut self, path: impl AsRef<Path>) -> Result<Self> {
        let given = weights(path.as_ref())?;
        self.workload.weights = Arc::new(given);
        Ok(self)
    }

    /// Starts from the middle of a training instead of its beginning:
    /// [`fit`](Self::fit) does the updates that are left, and
    /// [`find_lr`](Self::find_lr) finds the rate to go on with.
    #[must_use]
    pub fn resume(mut self, checkpoint: Checkpoint) -> Self {
        self.workload.checkpoint = Some(Arc::new(checkpoint));
        self
    }

    /// Trains under `schedule` until `steps` updates are done, from fresh
    /// weights or from where the learner [resumes](Self::resume).
    ///
    /// ```no_run
    /// # use lrscout::{Learner, ScheduleSpec};
    /// # fn main() -> lrscout::Result<()> {
    /// # let learner: Learner = unimplemented!();
    /// let cosine = ScheduleSpec::cosine().warmup(50).build(3e-3, 1_000)?;
    /// let fit = learner.fit(&cosine, 1_000)?;
    /// let valid_loss = fit.valid.map(|score| score.loss);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the model or the data set fails. Divergence is no error: see
    /// [`Fit::outcome`].
    pub fn fit(&self, schedule: &dyn Schedule, steps: usize) -> Result<Fit> {
        let rates = self.rates(schedule, steps);
        self.trainer()?.follow(self.seed, rates.into(), &|| false)
    }

    /// Trains under `spec` at the highest rate `peak` until `steps` updates
    /// are done, as [`fit`](Self::fit) does: any schedule, also one that is
    /// made from a run of its own first (`refined`), reacts to the validation
    /// loss (`plateau`) or cycles the momentum.
    ///
    /// ```no_run
    /// # use lrscout::{Learner, ScheduleSpec};
    /// # fn main() -> lrscout::Result<()> {
    /// # let learner: Learner = unimplemented!();
    /// let fit = learner.fit_spec(&ScheduleSpec::refined(), 3e-3, 1_000)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the schedule cannot stand at this budget, or the model or the data
    /// set fails.
    pub fn fit_spec(
        &self,
        spec: &ScheduleSpec,
        peak: f64,
        steps: usize,
    ) -> Result<Fit> {
        let trainer = self.trainer()?;
        match self.course(&trainer, spec, peak, steps)? {
            Ok(course) => trainer.follow(self.seed, course, &|| false),
            Err(fit) => Ok(fit),
        }
    }

    /// Trains under `spec` as [`fit_spec`](Self::fit_spec) does and gives the
    /// weights that the run is evaluated at, by name: the last ones or, with
    /// `average` or `schedule-free`, their average, with the running
    /// statistics of batch norm computed for it. Written as a safetensors
    /// file, they are one for [`weights`](Self::weights).
    ///
    /// ```no_run
    /// # use lrscout::{Learner, ScheduleSpec};
    /// # fn main() -> lrscout::Result<()> {
    /// # let learner: Learner = unimplemented!();
    /// let spec = ScheduleSpec::constant().with("average", "swa")?;
    /// let weights = learner.weights_under(&spec, 3e-3, 1_000)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`fit_spec`](Self::fit_spec), and if the run that a `refined`
    /// schedule is made from diverges.
    pub fn weights_under(
        &self,
        spec: &ScheduleSpec,
        peak: f64,
        steps: usize,
    ) -> Result<BTreeMap<String, Tensor>> {
        let trainer = self.trainer()?;
        match self.course(&trainer, spec, peak, steps)? {
            Ok(course) => weights_after(trainer.workload()?, self.seed, course),
            Err(_) => Err(Error::Invalid(format!(
                "the run that `{}` is made from diverged at {peak}, take a \
                 lower peak",
                spec.kind()
            ))),
        }
    }

    /// The updates left under `spec`, or the end of the run that it is made
    /// from if that diverged.
    fn course(
        &self,
        trainer: &Trainer,
        spec: &ScheduleSpec,
        peak: f64,
        steps: usize,
    ) -> Result<std::result::Result<Course, Fit>> {
        let done = self.done();
        if done > 0 && spec.needs_whole_run() {
            return Err(Error::Invalid(format!(
                "`{}` needs the whole run, it cannot go on from a checkpoint",
                spec.kind()
            )));
        }
        let Some(pilot) = spec.pilot() else {
            return Ok(Ok(spec.course(peak, steps)?.after(done)));
        };
        let pilot = trainer.measure(&pilot, peak, steps, &|| false)?;
        let adaptive = trainer.optimizer().is_adaptive();
        let course = refined(spec, &pilot, adaptive, peak)?;
        Ok(course.ok_or(pilot.fit))
    }

    /// Trains as [`fit`](Self::fit) does and gives the training itself after
    /// `steps` updates, to be [saved](Checkpoint::save) or
    /// [resumed](Self::resume).
    ///
    /// ```no_run
    /// # use lrscout::{Checkpoint, Learner, ScheduleSpec};
    /// # fn main() -> lrscout::Result<()> {
    /// # let learner: Learner = unimplemented!();
    /// let schedule = ScheduleSpec::linear().build(0.1, 2_000)?;
    /// learner.train(&schedule, 500)?.save("middle.safetensors")?;
    /// let middle = Checkpoint::load("middle.safetensors")?;
    /// let fit = learner.resume(middle).fit(&schedule, 2_000)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the model or the data set fails.
    pub fn train(
        &self,
        schedule: &dyn Schedule,
        steps: usize,
    ) -> Result<Checkpoint> {
        let mut replica = Replica::new(&self.resident()?, self.seed)?;
        for lr in self.rates(schedule, steps) {
            replica.update(lr)?;
        }
        replica.checkpoint()
    }

    /// Rates of the updates that are left of `steps`.
    fn rates(&self, schedule: &dyn Schedule, steps: usize) -> Vec<f64> {
        (self.done()..steps).map(|t| schedule.lr(t)).collect()
    }

    /// Updates done where it starts.
    fn done(&self) -> usize {
        let checkpoint = self.workload.checkpoint.as_ref();
        checkpoint.map_or(0, |checkpoint| checkpoint.step())
    }

    /// What trains the model, with the data on the chosen device.
    fn trainer(&self) -> Result<Trainer> {
        self.resident().map(Trainer::Candle)
    }

    /// The workload with its data on the chosen device.
    pub(crate) fn resident(&self) -> Result<Workload> {
        let mut workload = self.workload.clone();
        workload.data.check()?;
        if !workload.data.train.inputs.device().same_device(&self.device) {
            let data = workload
                .data
                .to_device(&self.device)
                .map_err(Error::tensor("moving the data set"))?;
            workload.data = Arc::new(data);
        }
        Ok(workload)
    }
}
