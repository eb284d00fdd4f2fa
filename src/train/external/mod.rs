//! A trainer that is another process. It receives a table of learning rates
//! and a seed, and reports its losses line by line (`docs/external.md`
//! describes the protocol).
//!
//! Its reports are checked: every update must come in order, with the rate in
//! the optimizer. A program that trains at other rates would invalidate every
//! comparison.

mod event;
mod process;
mod recording;
mod session;
mod training;

use super::{Fit, Pilot};
use crate::error::{Error, Result};
use crate::plan::cost::Pace;
use crate::record::AnyFloat;
use crate::schedule::Course;
use crate::spec::OptimizerSpec;
use event::{Event, Part};
pub(crate) use process::kill_programs;
pub(crate) use recording::{Look, Outlook, Recording};
use std::ops::ControlFlow;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use training::{
    Next, Training, in_order, missing_evaluation, one_too_many, same_rate,
    too_few,
};

/// Longest text from outside in a message, in characters.
const MOST_SHOWN: usize = 300;

/// A program that trains.
#[derive(Clone)]
pub(crate) struct External {
    /// Name of the workload.
    pub(crate) name: String,
    /// The built-in optimizer that its own resembles most.
    pub(crate) optimizer: OptimizerSpec,
    /// The metric to keep; `None` keeps the loss.
    pub(crate) metric: Option<String>,
    /// Time limit of one training.
    pub(crate) timeout: Duration,
    /// Whether it is a training script under the launcher, which may evaluate
    /// at times of its own, or never.
    pub(crate) is_script: bool,
    /// Prepares a start.
    pub(crate) launch: Launch,
}

/// Prepares the program for a task.
pub(crate) type Launch =
    Arc<dyn Fn(&ProgramTask<'_>) -> Result<Launched> + Send + Sync>;

/// The numbers of the processes that work on a task, as far as the system
/// shows them.
pub(crate) type Workers = Arc<dyn Fn() -> Vec<i32> + Send + Sync>;

/// A task for a program.
pub(crate) struct ProgramTask<'a> {
    /// Seed of weights and batches.
    pub(crate) seed: u64,
    /// Updates.
    pub(crate) steps: usize,
    /// Whether a script is to train undisturbed, at its own rates.
    pub(crate) record: bool,
    /// Most seconds that an undisturbed script trains.
    pub(crate) seconds: Option<f64>,
    /// Rate of every update, as far as it is known before the run.
    pub(crate) rates: &'a [f64],
    /// Momentum of every update, if the schedule cycles it.
    pub(crate) momenta: Option<&'a [f64]>,
    /// Numbers of completed updates at which to evaluate the validation part.
    pub(crate) eval_steps: &'a [usize],
    /// Whether the program receives new rates after each evaluation.
    pub(crate) interactive: bool,
    /// The norm of the gradients to report, if one is needed.
    pub(crate) grad_norm: Option<&'static str>,
}

/// A program ready to start.
pub(crate) struct Launched {
    /// The command, without its pipes.
    pub(crate) command: Command,
    /// The processes that work on it, even outside of its process group.
    pub(crate) workers: Workers,
    /// Resources that the program needs until it ends.
    pub(crate) holds: Box<dyn Send>,
}

/// An error of the program. `status` is one word for each kind of fault, for
/// scripts.
fn fault(status: &'static str, message: &str) -> Error {
    Error::Program { status: status.into(), message: plain(message) }
}

/// A text from outside, made safe for messages: shortened, and without control
/// characters.
fn plain(text: &str) -> String {
    let seen = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().take(MOST_SHOWN).map(seen).collect()
}

impl External {
    /// Name of the metric.
    pub(crate) fn metric_name(&self) -> &str {
        self.metric.as_deref().unwrap_or("loss")
    }

    /// Trains one run along `course`.
    ///
    /// # Errors
    ///
    /// [`Error::Interrupted`] when `stop` returns true, [`Error::TimedOut`]
    /// after the time limit, [`Error::Program`] for all other faults of the
    /// program.
    pub(super) fn follow(
        &self,
        seed: u64,
        course: Course,
        stop: &dyn Fn() -> bool,
    ) -> Result<Fit> {
        Ok(self.train(seed, course, false, stop)?.fit)
    }

    /// The same with the gradient norm of every update.
    ///
    /// # Errors
    ///
    /// As [`follow`](Self::follow).
    pub(super) fn measure(
        &self,
        seed: u64,
        course: Course,
        stop: &dyn Fn() -> bool,
    ) -> Result<Pilot> {
        self.train(seed, course, true, stop)
    }

    fn train(
        &self,
        seed: u64,
        course: Course,
        wants_norms: bool,
        stop: &dyn Fn() -> bool,
    ) -> Result<Pilot> {
        let steps = course.steps();
        let rates: Vec<f64> = (0..steps).map(|t| course.lr(t)).collect();
        let momenta: Option<Vec<f64>> =
            (0..steps).map(|t| course.momentum(t)).collect();
        let interactive = course.reacts();
        let norm = if self.optimizer.is_adaptive() { "l1" } else { "l2" };
        let metric = self.metric.as_deref();
        let mut training =
            Training::new(course, metric, wants_norms, self.is_script);
        let eval_steps = training.eval_steps();
        let task = ProgramTask {
            seed,
            steps,
            record: false,
            seconds: None,
            rates: &rates,
            momenta: momenta.as_deref(),
            eval_steps: &eval_steps,
            interactive,
            grad_norm: wants_norms.then_some(norm),
        };
        let spent =
            self.drive(&task, stop, &mut |event| training.hear(event))?;
        training.end(spent)
    }

    /// Trains at `rates` and returns the loss of every update, measured before
    /// it, until `watch` breaks or a script is at its own end. With `on_valid`
    /// it is the validation loss.
    ///
    /// # Errors
    ///
    /// As [`follow`](Self::follow).
    pub(super) fn losses(
        &self,
        seed: u64,
        rates: &[f64],
        on_valid: bool,
        watch: &mut dyn FnMut(usize, f64) -> ControlFlow<()>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Vec<f64>> {
        let all: Vec<usize> = (0..rates.len()).collect();
        let task = ProgramTask {
            seed,
            steps: rates.len(),
            record: false,
            seconds: None,
            rates,
            momenta: None,
            eval_steps: if on_valid { &all } else { &[] },
            interactive: false,
            grad_norm: None,
        };
        let (mut losses, mut updates) = (Vec::with_capacity(rates.len()), 0);
        let mut hear = |event: Event| {
            // The index of a loss is the number of updates before it.
            let loss = match event {
                Event::Train { step, loss, lr, .. } => {
                    in_order("train", step, updates)?;
                    if step == rates.len() {
                        return Err(one_too_many(step));
                    }
                    same_rate("lr", step, lr, rates[step])?;
                    if on_valid && losses.len() == step {
                        return Err(missing_evaluation(step));
                    }
                    updates += 1;
                    Some(loss).filter(|_| !on_valid)
                }
                Event::Eval { step, loss, split, .. } => {
                    in_order("eval", step, updates)?;
                    let next = losses.len() == step && step < rates.len();
                    let wanted = on_valid && split == Part::Valid && next;
                    Some(loss).filter(|_| wanted)
                }
                Event::Hello { .. }
                | Event::Script { .. }
                | Event::Done { .. }
                | Event::Error { .. } => None,
            };
            let Some(AnyFloat(loss)) = loss else { return Ok(Next::Go) };
            losses.push(loss);
            Ok(match watch(losses.len() - 1, loss) {
                ControlFlow::Continue(()) => Next::Go,
                ControlFlow::Break(()) => Next::Enough,
            })
        };
        let whole = match self.drive(&task, stop, &mut hear) {
            Ok(spent) => spent.whole,
            // A range test may go on above its highest rate: it is no longer
            // than the script.
            Err(Error::Program { status, .. })
                if self.is_script
                    && status == "early_end"
                    && !losses.is_empty() =>
            {
                false
            }
            Err(error) => return Err(error),
        };
        if whole && losses.len() < rates.len() {
            return Err(too_few(losses.len(), rates.len()));
        }
        Ok(losses)
    }

    /// The speed of the program, from a short and a longer training. Programs
    /// may report updates in batches, so the total times are compared. If the
    /// reports show no sign of batches, the times between the updates of the
    /// longer training are used, because they are more accurate.
    ///
    /// # Errors
    ///
    /// As [`follow`](Self::follow).
    pub(crate) fn pace(&self, stop: &dyn Fn() -> bool) -> Result<Pace> {
        const SHORT: usize = 10;
        const LONG: usize = 60;
        /// Relative variation of the time of a start.
        const VARIATION: f64 = 0.25;
        let (_, short) = self.told(SHORT, stop)?;
        let (first, long) = self.told(LONG, stop)?;
        let between = (long - first) / (LONG - 1) as f64;
        let more = (LONG - SHORT) as f64;
        let by_ends = ((long - short) / more).max(0.0);
        let blurred = VARIATION * short / more;
        let in_batches = by_ends > between + blurred;
        let step_seconds = if in_batches { by_ends } else { between };
        let start_seconds = short - step_seconds * SHORT as f64;
        Ok(Pace { start_seconds: start_seconds.max(0.0), step_seconds })
    }

    /// When the first and the last of `updates` updates were reported, in
    /// seconds since the start of the program.
    fn told(
        &self,
        updates: usize,
        stop: &dyn Fn() -> bool,
    ) -> Result<(f64, f64)> {
        const RATE: f64 = 1e-6;
        let began = Instant::now();
        let mut told = Vec::with_capacity(updates);
        let mut watch = |_, _| {
            told.push(began.elapsed().as_secs_f64());
            ControlFlow::Continue(())
        };
        self.losses(0, &vec![RATE; updates], false, &mut watch, stop)?;
        Ok((told[0], told[updates - 1]))
    }
}

#[cfg(test)]
mod tests;
