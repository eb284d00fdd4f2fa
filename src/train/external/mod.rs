//! A trainer that is another process: it is given a table of learning rates
//! and a seed, and tells its losses line by line (`docs/external.md` has the
//! protocol).
//!
//! It is not believed: every update has to come in order, with the rate that
//! the optimizer really had. A program that trains at other rates than it was
//! given would make every comparison void.

mod event;
mod process;
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
use std::ops::ControlFlow;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use training::{
    Next, Training, in_order, missing_evaluation, one_too_many, same_rate,
    too_few,
};

/// Characters of a text that are shown.
const MOST_SHOWN: usize = 300;

/// A program that trains.
#[derive(Clone)]
pub(crate) struct External {
    /// Of the workload.
    pub(crate) name: String,
    /// What its optimizer is most like.
    pub(crate) optimizer: OptimizerSpec,
    /// Which of its metrics is kept; its loss where there is none.
    pub(crate) metric: Option<String>,
    /// Most that a training may take.
    pub(crate) timeout: Duration,
    /// Starts it.
    pub(crate) launch: Launch,
}

/// Makes ready what does a task.
pub(crate) type Launch =
    Arc<dyn Fn(&ProgramTask<'_>) -> Result<Launched> + Send + Sync>;

/// What a program is to do.
pub(crate) struct ProgramTask<'a> {
    /// Of weights and batches.
    pub(crate) seed: u64,
    /// Of every update, as far as they are known before it.
    pub(crate) rates: &'a [f64],
    /// Of every update, where it is cycled.
    pub(crate) momenta: Option<&'a [f64]>,
    /// Updates done at each of its evaluations of the validation part.
    pub(crate) eval_steps: &'a [usize],
    /// Whether it is told the rates to go on with after each of them.
    pub(crate) interactive: bool,
    /// The norm of the gradients that it reports, where one is wanted.
    pub(crate) grad_norm: Option<&'static str>,
}

/// A program ready to start.
pub(crate) struct Launched {
    /// What to start, all but its pipes.
    pub(crate) command: Command,
    /// What it needs until it has ended.
    pub(crate) holds: Box<dyn Send>,
}

/// What the program did wrong. `status` is for scripts: one word for each
/// kind of fault.
fn fault(status: &'static str, message: &str) -> Error {
    Error::Program { status, message: plain(message) }
}

/// A text from outside, or with some of it, as it may be shown: not too long,
/// and without what a terminal would obey.
fn plain(text: &str) -> String {
    let seen = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().take(MOST_SHOWN).map(seen).collect()
}

impl External {
    /// What the metric is called.
    pub(crate) fn metric_name(&self) -> &str {
        self.metric.as_deref().unwrap_or("loss")
    }

    /// Trains one run along `course`.
    ///
    /// # Errors
    ///
    /// [`Error::Interrupted`] when `stop` says so, [`Error::TimedOut`] after
    /// the time that a training may take, [`Error::Program`] for whatever
    /// else the program does wrong.
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
        let mut training =
            Training::new(course, self.metric.as_deref(), wants_norms);
        let eval_steps = training.eval_steps();
        let task = ProgramTask {
            seed,
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

    /// Trains along `rates` and gives the loss of every update, measured
    /// before it, until `watch` breaks; with `on_valid` that of the
    /// validation part.
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
            rates,
            momenta: None,
            eval_steps: if on_valid { &all } else { &[] },
            interactive: false,
            grad_norm: None,
        };
        let (mut losses, mut updates) = (Vec::with_capacity(rates.len()), 0);
        let mut hear = |event: Event| {
            // An update is known by the loss before it.
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
                Event::Hello { .. } | Event::Done {} => None,
            };
            let Some(AnyFloat(loss)) = loss else { return Ok(Next::Go) };
            losses.push(loss);
            Ok(match watch(losses.len() - 1, loss) {
                ControlFlow::Continue(()) => Next::Go,
                ControlFlow::Break(()) => Next::Enough,
            })
        };
        let whole = self.drive(&task, stop, &mut hear)?.whole;
        if whole && losses.len() < rates.len() {
            return Err(too_few(losses.len(), rates.len()));
        }
        Ok(losses)
    }

    /// How fast it is, by a short training and a longer one. Programs tell of
    /// their updates when they like, so that what counts is the end of each;
    /// but where the longer one told of them as they went, by less than its
    /// start may vary, that is nearer the truth.
    ///
    /// # Errors
    ///
    /// As [`follow`](Self::follow).
    pub(crate) fn pace(&self, stop: &dyn Fn() -> bool) -> Result<Pace> {
        const SHORT: usize = 10;
        const LONG: usize = 60;
        /// Of a start, from one to the next.
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

    /// When it told of the first and of the last of so many updates, in
    /// seconds since it was started.
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
