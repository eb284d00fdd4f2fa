//! The reports of a program about a training: checked and stored.

use super::event::{Event, Part};
use super::fault;
use super::session::Spent;
use crate::error::{Error, Result};
use crate::record::{AnyFloat, Outcome};
use crate::schedule::Course;
use crate::train::{
    Divergence, Fit, Pilot, Progress, Score, finite, is_point, mean,
};
use serde::Deserialize as _;
use serde_json::{Map, Value};

/// Largest relative difference between the rate of the table and that in the
/// optimizer: f32 has seven digits.
const LR_TOLERANCE: f64 = 1e-6;

/// A running training, as its program reports it.
pub(super) struct Training<'a> {
    course: Course,
    metric: Option<&'a str>,
    /// Completed updates at each remaining evaluation, the next one last.
    evaluations: Vec<usize>,
    /// Whether every update must report the norm of its gradient.
    wants_norms: bool,
    /// Whether evaluations may come at any time.
    is_script: bool,
    losses: Vec<f64>,
    watch: Divergence,
    norms: Vec<f64>,
    /// Of the last update.
    lr: f64,
    curve: Vec<Progress>,
    /// With the completed updates before it.
    valid: Option<(usize, Score)>,
    test: Option<Score>,
}

/// The next action after an event.
pub(super) enum Next {
    /// Wait for the next event.
    Go,
    /// First send the program this line.
    Tell(String),
    /// End the program: its task is complete.
    Enough,
}

impl<'a> Training<'a> {
    /// A training along `course` without any update.
    pub(super) fn new(
        course: Course,
        metric: Option<&'a str>,
        wants_norms: bool,
        is_script: bool,
    ) -> Self {
        let steps = course.steps();
        let wanted =
            |&done: &usize| is_point(done, steps) || course.listens(done);
        Self {
            evaluations: (1..=steps).rev().filter(wanted).collect(),
            course,
            metric,
            wants_norms,
            is_script,
            losses: Vec::with_capacity(steps),
            watch: Divergence::of_training(&[]),
            norms: vec![],
            lr: 0.0,
            curve: vec![],
            valid: None,
            test: None,
        }
    }

    /// Completed updates at each of its evaluations.
    pub(super) fn eval_steps(&self) -> Vec<usize> {
        self.evaluations.iter().rev().copied().collect()
    }

    /// Processes the next event.
    ///
    /// # Errors
    ///
    /// [`Error::Program`] if the event is not allowed here.
    pub(super) fn hear(&mut self, event: Event) -> Result<Next> {
        match event {
            Event::Train { step, loss, lr, momentum, grad_norm } => {
                self.update(step, loss, lr, momentum, grad_norm)
            }
            Event::Eval { step, loss, metrics, split, .. } => {
                self.evaluation(step, loss, &metrics, split)
            }
            Event::Hello { .. }
            | Event::Script { .. }
            | Event::Done { .. }
            | Event::Error { .. } => Ok(Next::Go),
        }
    }

    fn update(
        &mut self,
        step: usize,
        loss: AnyFloat,
        lr: AnyFloat,
        momentum: Option<AnyFloat>,
        grad_norm: Option<AnyFloat>,
    ) -> Result<Next> {
        let done = self.losses.len();
        in_order("train", step, done)?;
        if done == self.course.steps() {
            return Err(one_too_many(step));
        }
        if self.evaluations.last() == Some(&done) {
            if !self.is_script {
                return Err(missing_evaluation(done));
            }
            if self.course.listens(done) {
                return Err(unheard(done));
            }
            self.evaluations.pop();
        }
        same_rate("lr", step, lr, self.course.lr(step))?;
        if let Some(wanted) = self.course.momentum(step) {
            let momentum = momentum.unwrap_or(AnyFloat(f64::NAN));
            same_rate("momentum", step, momentum, wanted)?;
        }
        if self.wants_norms {
            let norm = grad_norm.map_or(f64::NAN, |AnyFloat(norm)| norm);
            if norm.is_nan() || norm < 0.0 {
                let message = format!(
                    "a `refined` schedule needs the norm of every gradient, \
                     but update {step} has no `grad_norm` of 0 or more"
                );
                return Err(fault("bad_event", &message));
            }
            // Results are stored as JSON, which has finite numbers only.
            self.norms.push(norm.min(f64::MAX));
        }
        self.lr = self.course.lr(step);
        self.losses.push(loss.0);
        Ok(if self.watch.push(loss.0) { Next::Enough } else { Next::Go })
    }

    fn evaluation(
        &mut self,
        step: usize,
        loss: AnyFloat,
        metrics: &Map<String, Value>,
        split: Part,
    ) -> Result<Next> {
        in_order("eval", step, self.losses.len())?;
        let is_end = step == self.course.steps();
        if split == Part::Test {
            if is_end {
                let score = score_of(self.metric, step, loss, metrics)?;
                self.test = Some(score).filter(|s| s.loss.is_finite());
            }
            return Ok(Next::Go);
        }
        // Of a program, other evaluations are ignored.
        let is_due = self.evaluations.last() == Some(&step);
        if !is_due && (!self.is_script || step == 0) {
            return Ok(self.answer());
        }
        let score = score_of(self.metric, step, loss, metrics)?;
        if is_due {
            self.evaluations.pop();
            if self.course.listens(step) {
                self.course.hear(score.loss);
            }
        }
        if self.is_script || is_point(step, self.course.steps()) {
            if self.last_point() == step {
                // A script may evaluate twice; the last one counts.
                self.curve.pop();
            }
            self.point(finite(score.loss));
            self.valid = Some((step, score));
            if !score.loss.is_finite() {
                return Ok(Next::Enough);
            }
        }
        Ok(self.answer())
    }

    /// Completed updates at the last point of the curve.
    fn last_point(&self) -> usize {
        self.curve.last().map_or(0, |point| point.step)
    }

    /// Adds a point to the curve at the current update.
    fn point(&mut self, valid_loss: Option<f64>) {
        self.curve.push(Progress {
            step: self.losses.len(),
            lr: self.lr,
            train_loss: finite(mean(&self.losses[self.last_point()..])),
            valid_loss,
        });
    }

    /// The answer to an interactive program after an evaluation of the
    /// validation part.
    fn answer(&self) -> Next {
        if !self.course.reacts() {
            return Next::Go;
        }
        // After the last update no answer is needed.
        let next = self.losses.len().min(self.course.steps() - 1);
        let (lr, factor) = (self.course.lr(next), self.course.height());
        Next::Tell(format!("{{\"lr\": {lr:?}, \"factor\": {factor:?}}}"))
    }

    /// The result, after the end of the program.
    ///
    /// # Errors
    ///
    /// [`Error::Program`] if the program ended too early.
    pub(super) fn end(mut self, spent: Spent) -> Result<Pilot> {
        let done = self.losses.len();
        let outcome = if spent.whole {
            if done < self.course.steps() {
                return Err(too_few(done, self.course.steps()));
            }
            match self.evaluations.last() {
                Some(&step) if !self.is_script => {
                    return Err(missing_evaluation(step));
                }
                _ => Outcome::Completed,
            }
        } else {
            Outcome::Diverged
        };
        let whole = outcome == Outcome::Completed;
        if (!whole || self.is_script) && self.last_point() < done {
            self.point(None);
        }
        let fit = Fit::of(&self.losses, self.curve, outcome, spent.time);
        let at_end = self.valid.filter(|(step, _)| *step == done);
        let mut valid = at_end.map(|(_, score)| score);
        // The validation comes from the script itself, which made none after
        // its last update.
        let on_training = whole && valid.is_none();
        if on_training {
            valid = fit.train_loss.map(|loss| Score { loss, metric: loss });
        }
        let fit = Fit {
            valid: valid.filter(|_| whole),
            test: self.test.filter(|_| whole),
            on_training,
            ..fit
        };
        Ok(Pilot { fit, norms: self.norms })
    }
}

/// Loss and `metric` of an evaluation.
pub(super) fn score_of(
    metric: Option<&str>,
    step: usize,
    AnyFloat(loss): AnyFloat,
    metrics: &Map<String, Value>,
) -> Result<Score> {
    let name = match metric {
        Some(name) if name != "loss" || metrics.contains_key(name) => name,
        // The loss has this name elsewhere, too.
        _ => return Ok(Score { loss, metric: loss }),
    };
    let metric =
        metrics.get(name).and_then(|value| AnyFloat::deserialize(value).ok());
    // A loss that is not finite is a result in itself.
    let usable = |m: &AnyFloat| m.0.is_finite() || !loss.is_finite();
    let Some(AnyFloat(metric)) = metric.filter(usable) else {
        let there: Vec<&str> = metrics.keys().map(String::as_str).collect();
        let message = format!(
            "the evaluation after {step} updates has no number `{name}` \
             in its `metrics`, only [{}]",
            there.join(", ")
        );
        return Err(fault("bad_event", &message));
    };
    Ok(Score { loss, metric })
}

pub(super) fn in_order(what: &str, step: usize, done: usize) -> Result<()> {
    if step == done {
        return Ok(());
    }
    let message = format!(
        "sent an event `{what}` with step {step} after {done} updates; the \
         step must be {done}"
    );
    Err(fault("bad_event", &message))
}

/// Checks that the program trains at the rate of its task.
pub(super) fn same_rate(
    what: &str,
    step: usize,
    AnyFloat(got): AnyFloat,
    wanted: f64,
) -> Result<()> {
    let most = LR_TOLERANCE * wanted.abs() + f64::from(f32::MIN_POSITIVE);
    if (got - wanted).abs() <= most {
        return Ok(());
    }
    let message = format!(
        "update {step} has `{what}` {got:?} instead of {wanted:?}: set it in \
         the optimizer before the update, use no scheduler of your own, and \
         report the value in the optimizer"
    );
    Err(fault("invalid_lr", &message))
}

pub(super) fn one_too_many(steps: usize) -> Error {
    let message = format!("continues after the {steps} updates of its task");
    fault("bad_event", &message)
}

pub(super) fn too_few(done: usize, steps: usize) -> Error {
    let message = format!("sends `done` after {done} of {steps} updates");
    fault("bad_event", &message)
}

/// A script did not evaluate where its schedule needs it.
fn unheard(done: usize) -> Error {
    let message = format!(
        "the schedule reacts to the validation loss after {done} updates, but \
         the script makes none then: give it `lrscout.on_eval(f)`, or leave \
         such schedules (plateau) out"
    );
    fault("no_eval", &message)
}

pub(super) fn missing_evaluation(step: usize) -> Error {
    let message = format!(
        "sends no `eval` after {step} updates, as `eval_steps` of its task \
         requires"
    );
    fault("bad_event", &message)
}
