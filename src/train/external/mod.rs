//! A trainer that is another process: it is given a table of learning rates
//! and a seed, and tells its losses line by line (`docs/external.md` has the
//! protocol).
//!
//! It is not believed: every update has to come in order, with the rate that
//! the optimizer really had. A program that trains at other rates than it was
//! given would make every comparison void.

mod event;
mod process;

use super::{
    Fit, Pilot, Progress, Score, finite, has_diverged, is_point, mean,
};
use crate::error::{Error, Result};
use crate::record::Outcome;
use crate::schedule::Course;
use crate::spec::OptimizerSpec;
use event::{Event, Number, Part};
use process::{Heard, Process};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The version of the protocol.
pub(crate) const PROTOCOL: u64 = 1;

/// Largest relative difference between the rate of the table and that of the
/// optimizer: f32 keeps seven digits.
const LR_TOLERANCE: f64 = 1e-6;

/// How long a program may take to end once it is done.
const FAREWELL: Duration = Duration::from_secs(5);

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
    /// Number of the worker that it runs for.
    pub(crate) worker: usize,
    /// Starts it.
    pub(crate) launch: Launch,
}

/// Makes ready what does a task.
pub(crate) type Launch =
    Arc<dyn Fn(&Task<'_>) -> Result<Launched> + Send + Sync>;

/// What a program is to do.
pub(crate) struct Task<'a> {
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
    /// Number of the worker that it runs for.
    pub(crate) worker: usize,
}

/// A program ready to start.
pub(crate) struct Launched {
    /// What to start, all but its pipes.
    pub(crate) command: Command,
    /// Holds what it reads until it has ended.
    pub(crate) files: Box<dyn Send>,
}

/// What the program did wrong. `status` is for scripts: one word for each
/// kind of fault.
fn fault(status: &'static str, message: String) -> Error {
    Error::Program { status, message }
}

/// A training under way, as its program tells it.
struct Training<'a> {
    course: Course,
    metric: Option<&'a str>,
    /// Updates done at each evaluation to come, the next one last.
    evaluations: Vec<usize>,
    /// Whether every update has to have the norm of its gradient.
    wants_norms: bool,
    losses: Vec<f64>,
    norms: Vec<f64>,
    /// Of the last update.
    lr: f64,
    curve: Vec<Progress>,
    valid: Option<Score>,
    test: Option<Score>,
}

/// What to do after an event.
enum Next {
    /// Hear the next one.
    Go,
    /// Tell the program this first.
    Tell(String),
    /// End the program: nothing more is wanted of it.
    Enough,
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
        let wanted =
            |&done: &usize| is_point(done, steps) || course.listens(done);
        let evaluations: Vec<usize> = (1..=steps).filter(wanted).collect();
        let norm = if self.optimizer.is_adaptive() { "l1" } else { "l2" };
        let task = Task {
            seed,
            rates: &rates,
            momenta: momenta.as_deref(),
            eval_steps: &evaluations,
            interactive: course.reacts(),
            grad_norm: wants_norms.then_some(norm),
            worker: self.worker,
        };
        let mut training = Training {
            course,
            metric: self.metric.as_deref(),
            evaluations: evaluations.iter().rev().copied().collect(),
            wants_norms,
            losses: Vec::with_capacity(steps),
            norms: vec![],
            lr: 0.0,
            curve: vec![],
            valid: None,
            test: None,
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
        let task = Task {
            seed,
            rates,
            momenta: None,
            eval_steps: if on_valid { &all } else { &[] },
            interactive: false,
            grad_norm: None,
            worker: self.worker,
        };
        let (mut losses, mut updates) = (Vec::with_capacity(rates.len()), 0);
        let mut hear = |event: Event| {
            let loss = match event {
                Event::Train { step, loss, lr, .. } => {
                    in_order("train", step, updates)?;
                    if step == rates.len() {
                        return Err(one_too_many(step));
                    }
                    same_rate("lr", step, lr, rates[step])?;
                    updates += 1;
                    if on_valid {
                        // An update is known by the loss before it.
                        return if losses.len() == updates {
                            Ok(Next::Go)
                        } else {
                            Err(missing_evaluation(step))
                        };
                    }
                    loss
                }
                Event::Eval { step, loss, split: Part::Valid, .. }
                    if on_valid && losses.len() == step =>
                {
                    in_order("eval", step, updates)?;
                    loss
                }
                _ => return Ok(Next::Go),
            };
            losses.push(loss.0);
            Ok(match watch(losses.len() - 1, loss.0) {
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

    /// Seconds of one update, from the times at which the program tells of
    /// them.
    ///
    /// # Errors
    ///
    /// As [`follow`](Self::follow).
    pub(crate) fn step_seconds(&self) -> Result<f64> {
        const UPDATES: usize = 30;
        const RATE: f64 = 1e-6;
        let mut first = None;
        let mut last = Instant::now();
        let mut watch = |_, _| {
            last = Instant::now();
            first.get_or_insert(last);
            ControlFlow::Continue(())
        };
        let rates = [RATE; UPDATES];
        self.losses(0, &rates, false, &mut watch, &|| false)?;
        let spent = first.map_or(Duration::ZERO, |first| last - first);
        Ok(spent.as_secs_f64() / (UPDATES - 1) as f64)
    }

    /// Runs the program on `task`; `hear` gets each of its events between
    /// the first and the last.
    fn drive(
        &self,
        task: &Task<'_>,
        stop: &dyn Fn() -> bool,
        hear: &mut dyn FnMut(Event) -> Result<Next>,
    ) -> Result<Spent> {
        let mut process =
            Process::start((self.launch)(task)?, task.interactive)?;
        let spent = self.listen(&mut process, stop, hear);
        process.end();
        spent.map_err(|error| match error {
            Error::Program { status, message } => {
                let last = process.last_words();
                fault(status, format!("{message}; {last}"))
            }
            other => other,
        })
    }

    fn listen(
        &self,
        process: &mut Process,
        stop: &dyn Fn() -> bool,
        hear: &mut dyn FnMut(Event) -> Result<Next>,
    ) -> Result<Spent> {
        let started = Instant::now();
        let mut began = None;
        loop {
            if stop() {
                return Err(Error::Interrupted);
            }
            if started.elapsed() > self.timeout {
                return Err(Error::TimedOut(self.timeout));
            }
            let line = match process.hear()? {
                Heard::Event(line) => line,
                Heard::Nothing => continue,
                Heard::Ended(status) => return Err(ended_early(status)),
            };
            let event = event::parse(&line).map_err(|why| {
                fault("bad_event", format!("no event of ours: {why}: {line}"))
            })?;
            let Some(began) = began else {
                greeted(&event)?;
                began = Some(Instant::now());
                continue;
            };
            let spent = |whole| Spent { time: began.elapsed(), whole };
            if let Event::Hello { .. } = event {
                let message = "says `hello` twice";
                return Err(fault("bad_event", message.to_owned()));
            }
            if let Event::Done {} = event {
                let spent = spent(true);
                return farewell(process, stop).map(|()| spent);
            }
            match hear(event)? {
                Next::Go => {}
                Next::Tell(line) => process.tell(&line)?,
                Next::Enough => return Ok(spent(false)),
            }
        }
    }
}

/// What a program took.
struct Spent {
    /// From its greeting on.
    time: Duration,
    /// Whether it came to its end, and was not ended before.
    whole: bool,
}

/// The first event is a greeting in a protocol that we speak.
fn greeted(event: &Event) -> Result<()> {
    let message = match event {
        Event::Hello { protocol: PROTOCOL } => return Ok(()),
        Event::Hello { protocol } => format!(
            "speaks protocol {protocol}, this program speaks {PROTOCOL}"
        ),
        _ => "its first event has to be `hello`".to_owned(),
    };
    Err(fault("bad_event", message))
}

/// Waits for the end of a program that is done; one that takes too long is
/// ended, which changes nothing about what it did.
fn farewell(process: &mut Process, stop: &dyn Fn() -> bool) -> Result<()> {
    let done = Instant::now();
    while done.elapsed() < FAREWELL && !stop() {
        match process.hear()? {
            Heard::Ended(status) if status.success() => return Ok(()),
            Heard::Ended(status) => return Err(ended_early(status)),
            Heard::Event(line) => {
                let message = format!("goes on after its `done`: {line}");
                return Err(fault("bad_event", message));
            }
            Heard::Nothing => {}
        }
    }
    Ok(())
}

/// A program that ended before its time.
fn ended_early(status: std::process::ExitStatus) -> Error {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(0), _) => {
            fault("no_done", "ended without the event `done`".to_owned())
        }
        (Some(code), _) => {
            fault("exit_code", format!("ended with exit code {code}"))
        }
        (None, Some(signal)) => {
            fault("killed", format!("was killed by signal {signal}"))
        }
        (None, None) => fault("killed", "was killed".to_owned()),
    }
}

impl Training<'_> {
    fn hear(&mut self, event: Event) -> Result<Next> {
        match event {
            Event::Train { step, loss, lr, momentum, grad_norm } => {
                self.update(step, loss, lr, momentum, grad_norm)
            }
            Event::Eval { step, loss, metrics, split } => {
                self.evaluation(step, loss, &metrics, split)
            }
            Event::Hello { .. } | Event::Done {} => Ok(Next::Go),
        }
    }

    fn update(
        &mut self,
        step: usize,
        loss: Number,
        lr: Number,
        momentum: Option<Number>,
        grad_norm: Option<Number>,
    ) -> Result<Next> {
        let done = self.losses.len();
        in_order("train", step, done)?;
        if done == self.course.steps() {
            return Err(one_too_many(step));
        }
        if self.evaluations.last() == Some(&done) {
            return Err(missing_evaluation(done));
        }
        same_rate("lr", step, lr, self.course.lr(step))?;
        if let Some(wanted) = self.course.momentum(step) {
            let momentum = momentum.unwrap_or(Number(f64::NAN));
            same_rate("momentum", step, momentum, wanted)?;
        }
        if self.wants_norms {
            let Some(Number(norm)) = grad_norm else {
                let message = format!(
                    "a `refined` schedule needs the norm of every gradient, \
                     but update {step} has no `grad_norm`"
                );
                return Err(fault("bad_event", message));
            };
            // Results are kept as JSON, which has finite numbers only.
            self.norms.push(norm.min(f64::MAX));
        }
        self.lr = self.course.lr(step);
        self.losses.push(loss.0);
        Ok(if has_diverged(&self.losses) { Next::Enough } else { Next::Go })
    }

    fn evaluation(
        &mut self,
        step: usize,
        loss: Number,
        metrics: &BTreeMap<String, Number>,
        split: Part,
    ) -> Result<Next> {
        let done = self.losses.len();
        in_order("eval", step, done)?;
        let metric = match self.metric {
            None => loss,
            Some(name) => *metrics.get(name).ok_or_else(|| {
                let message = format!(
                    "the evaluation after {step} updates has no metric \
                     `{name}` in its `metrics`"
                );
                fault("bad_event", message)
            })?,
        };
        let score = Score { loss: loss.0, metric: metric.0 };
        if split == Part::Test {
            let is_end = step == self.course.steps();
            self.test = Some(score).filter(|s| is_end && is_finite(s));
            return Ok(Next::Go);
        }
        // Further ones are the program's own affair.
        if self.evaluations.last() != Some(&step) {
            return Ok(self.answer());
        }
        self.evaluations.pop();
        if self.course.listens(step) {
            self.course.hear(score.loss);
        }
        if is_point(step, self.course.steps()) {
            let from = self.curve.last().map_or(0, |point| point.step);
            self.curve.push(Progress {
                step,
                lr: self.lr,
                train_loss: finite(mean(&self.losses[from..])),
                valid_loss: finite(score.loss),
            });
            self.valid = Some(score);
            if !score.loss.is_finite() {
                return Ok(Next::Enough);
            }
        }
        Ok(self.answer())
    }

    /// What an interactive program waits for after every evaluation of the
    /// validation part.
    fn answer(&self) -> Next {
        if !self.course.reacts() {
            return Next::Go;
        }
        // After the last update nothing hangs on it.
        let next = self.losses.len().min(self.course.steps() - 1);
        let (lr, factor) = (self.course.lr(next), self.course.height());
        Next::Tell(format!("{{\"lr\": {lr:?}, \"factor\": {factor:?}}}"))
    }

    fn end(self, spent: Spent) -> Result<Pilot> {
        let done = self.losses.len();
        let outcome = if spent.whole {
            if done < self.course.steps() {
                return Err(too_few(done, self.course.steps()));
            }
            if let Some(&step) = self.evaluations.last() {
                return Err(missing_evaluation(step));
            }
            Outcome::Completed
        } else {
            Outcome::Diverged
        };
        let mut curve = self.curve;
        let from = curve.last().map_or(0, |point| point.step);
        if outcome == Outcome::Diverged && from < done {
            curve.push(Progress {
                step: done,
                lr: self.lr,
                train_loss: finite(mean(&self.losses[from..])),
                valid_loss: None,
            });
        }
        let whole = outcome == Outcome::Completed;
        let fit = Fit {
            valid: self.valid.filter(|_| whole),
            test: self.test.filter(|_| whole),
            ..Fit::of(&self.losses, curve, outcome, spent.time)
        };
        Ok(Pilot { fit, norms: self.norms })
    }
}

fn is_finite(score: &Score) -> bool {
    score.loss.is_finite() && score.metric.is_finite()
}

fn in_order(what: &str, step: usize, done: usize) -> Result<()> {
    if step == done {
        return Ok(());
    }
    let message = format!(
        "an event `{what}` with step {step} after {done} updates, it has to \
         be {done}"
    );
    Err(fault("bad_event", message))
}

/// The program has to train at the rate that it was given.
fn same_rate(
    what: &str,
    step: usize,
    Number(got): Number,
    wanted: f64,
) -> Result<()> {
    let most = LR_TOLERANCE * wanted.abs() + f64::from(f32::MIN_POSITIVE);
    if (got - wanted).abs() <= most {
        return Ok(());
    }
    let message = format!(
        "update {step} has `{what}` {got:?}, but was to have {wanted:?}: set \
         it in the optimizer before the update, and report what stands there"
    );
    Err(fault("invalid_lr", message))
}

fn one_too_many(steps: usize) -> Error {
    let message = format!("goes on after the {steps} updates of its task");
    fault("bad_event", message)
}

fn too_few(done: usize, steps: usize) -> Error {
    let message = format!("is done after {done} of {steps} updates");
    fault("bad_event", message)
}

fn missing_evaluation(step: usize) -> Error {
    let message = format!(
        "has no `eval` after {step} updates, as its task has in `eval_steps`"
    );
    fault("bad_event", message)
}

#[cfg(test)]
mod tests;
