//! A trainer that is another process: it is given a table of learning rates
//! and a seed, and tells its losses line by line (`docs/external.md` has the
//! protocol).
//!
//! It is not believed: every update has to come in order, with the rate that
//! the optimizer really had. A program that trains at other rates than it was
//! given would make every comparison void.

mod event;
mod process;
mod training;

use super::{Fit, Pilot};
use crate::error::{Error, Result};
use crate::plan::cost::Pace;
use crate::schedule::Course;
use crate::spec::OptimizerSpec;
use event::{Event, Part};
use process::{Heard, Process};
use std::ops::ControlFlow;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use training::{
    Next, Training, in_order, missing_evaluation, one_too_many, same_rate,
    too_few,
};

/// The version of the protocol.
pub(crate) const PROTOCOL: u64 = 1;

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
        let task = Task {
            seed,
            rates: &rates,
            momenta: momenta.as_deref(),
            eval_steps: &eval_steps,
            interactive,
            grad_norm: wants_norms.then_some(norm),
            worker: self.worker,
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

    /// How fast it is, by the times at which it tells of its updates.
    ///
    /// # Errors
    ///
    /// As [`follow`](Self::follow).
    pub(crate) fn pace(&self) -> Result<Pace> {
        const UPDATES: usize = 30;
        const RATE: f64 = 1e-6;
        let began = Instant::now();
        let mut told = Vec::with_capacity(UPDATES);
        let mut watch = |_, _| {
            told.push(began.elapsed().as_secs_f64());
            ControlFlow::Continue(())
        };
        let rates = [RATE; UPDATES];
        self.losses(0, &rates, false, &mut watch, &|| false)?;
        let (first, last) = (told[0], told[UPDATES - 1]);
        Ok(Pace {
            start_seconds: first,
            step_seconds: (last - first) / (UPDATES - 1) as f64,
        })
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

#[cfg(test)]
mod tests;
