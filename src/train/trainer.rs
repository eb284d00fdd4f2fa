//! Who trains: candle in this process, or a program of the user's. Both get
//! a table of learning rates and a seed, and give losses back.

use super::{External, Fit, Pilot, follow, losses, pilot};
use super::{PROBE_STEPS, curvature_bound, parabola};
use crate::error::{Error, Result};
use crate::schedule::{Course, ScheduleSpec};
use crate::spec::OptimizerSpec;
use crate::workload::Workload;
use std::ops::ControlFlow;

/// Trains a workload.
#[derive(Clone)]
pub(crate) enum Trainer {
    /// A model on a data set, in this process.
    Candle(Workload),
    /// A program.
    External(External),
}

impl Trainer {
    /// Of the workload.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Candle(workload) => &workload.name,
            Self::External(external) => &external.name,
        }
    }

    /// The optimizer; of a program, the built-in one that its own resembles
    /// most.
    pub(crate) fn optimizer(&self) -> &OptimizerSpec {
        match self {
            Self::Candle(workload) => &workload.optimizer,
            Self::External(external) => &external.optimizer,
        }
    }

    /// What the metric is called.
    pub(crate) fn metric(&self) -> &str {
        match self {
            Self::Candle(workload) => workload.data.task.metric(),
            Self::External(external) => external.metric_name(),
        }
    }

    /// The workload, if candle trains it.
    ///
    /// # Errors
    ///
    /// If a program does.
    pub(crate) fn workload(&self) -> Result<&Workload> {
        match self {
            Self::Candle(workload) => Ok(workload),
            Self::External(external) => Err(Error::Invalid(format!(
                "`{}` is trained by an external program, but this needs a candle \
                 model: remove it from the grid",
                external.name
            ))),
        }
    }

    /// Trains along `rates` and gives the loss of every update, measured
    /// before it, until `watch` breaks. With `on_valid` the loss is that of
    /// so many examples of the validation part (a program takes all of it).
    ///
    /// # Errors
    ///
    /// [`Error::Interrupted`] when `stop` says so; otherwise if the training
    /// fails.
    pub(crate) fn losses(
        &self,
        seed: u64,
        rates: &[f64],
        on_valid: Option<usize>,
        watch: &mut dyn FnMut(usize, f64) -> ControlFlow<()>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Vec<f64>> {
        let workload = match self {
            Self::Candle(workload) => workload,
            Self::External(external) => {
                let on_valid = on_valid.is_some();
                return external.losses(seed, rates, on_valid, watch, stop);
            }
        };
        let mut stopped = false;
        let mut watch = |step: usize, loss: f64| {
            stopped = stop();
            if stopped { ControlFlow::Break(()) } else { watch(step, loss) }
        };
        let losses = losses(workload, seed, rates, on_valid, &mut watch)?;
        if stopped { Err(Error::Interrupted) } else { Ok(losses) }
    }

    /// Trains one run along `course`.
    ///
    /// # Errors
    ///
    /// As [`losses`](Self::losses). Divergence is no error.
    pub(crate) fn follow(
        &self,
        seed: u64,
        course: Course,
        stop: &dyn Fn() -> bool,
    ) -> Result<Fit> {
        match self {
            Self::Candle(workload) => follow(workload, seed, course, stop),
            Self::External(external) if course.average().is_some() => {
                Err(Error::Invalid(format!(
                    "`{}` is trained by an external program, which keeps its \
                     weights to itself: have it average them, and leave \
                     `schedule-free` and `average` out",
                    external.name
                )))
            }
            Self::External(external) => external.follow(seed, course, stop),
        }
    }

    /// Trains the pilot run of a `refined` schedule under `spec`, with a seed
    /// of its own.
    ///
    /// # Errors
    ///
    /// As [`losses`](Self::losses), and if the schedule is invalid at this
    /// budget.
    pub(crate) fn measure(
        &self,
        spec: &ScheduleSpec,
        peak: f64,
        steps: usize,
        stop: &dyn Fn() -> bool,
    ) -> Result<Pilot> {
        match self {
            Self::Candle(workload) => {
                pilot::measure(workload, spec, peak, steps, stop)
            }
            Self::External(external) => {
                let course = spec.course(peak, steps)?;
                external.measure(pilot::SEED, course, stop)
            }
        }
    }

    /// Second opinions on the rate `lr`, which need no range test: the bound
    /// of the curvature and the parabola along one step.
    ///
    /// # Errors
    ///
    /// As [`losses`](Self::losses).
    pub(crate) fn probe(
        &self,
        seed: u64,
        lr: f64,
    ) -> Result<(Option<f64>, Option<f64>)> {
        match self {
            Self::Candle(workload) => Ok((
                curvature_bound(workload, seed)?,
                parabola(workload, seed, lr)?,
            )),
            Self::External(_) => Ok((None, None)),
        }
    }

    /// Work of the [probes](Self::probe), in updates.
    pub(crate) fn probe_steps(&self) -> usize {
        match self {
            Self::Candle(_) => PROBE_STEPS,
            // It has no gradients to look at.
            Self::External(_) => 0,
        }
    }
}
