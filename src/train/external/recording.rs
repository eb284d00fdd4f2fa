//! An undisturbed start of a training script: what it does by itself.

use super::event::{Event, Part};
use super::training::Next;
use super::training::{in_order, score_of};
use super::{External, ProgramTask, fault};
use crate::error::Result;
use crate::plan::cost::Pace;
use crate::record::AnyFloat;
use crate::schedule::ScheduleSpec;
use crate::train::{Score, finite, mean};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What a script does by itself.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct Recording {
    /// Its own rate at every update.
    pub(crate) rates: Vec<f64>,
    /// Its own momentum (first beta) at every update, if its scheduler cycles
    /// it.
    #[serde(default)]
    pub(crate) momenta: Vec<f64>,
    /// Mean training loss over the last tenth of its updates; `None` if not
    /// finite.
    pub(crate) train_loss: Option<f64>,
    /// Its evaluation after the last update.
    pub(crate) valid: Option<Score>,
    /// Who made its evaluations: `on_eval`, `report`, `trainer`, `lightning`
    /// or `keras`; `None` if there are none.
    pub(crate) source: Option<String>,
    /// Updates before its first evaluation.
    #[serde(default)]
    pub(crate) first_evaluation: Option<usize>,
    /// What the launcher noted.
    pub(crate) notes: Vec<String>,
    /// From its first update to its end.
    pub(crate) train_seconds: f64,
    /// From its start to its end.
    pub(crate) seconds: f64,
}

impl Recording {
    /// Its rates, and momenta, as a schedule with the peak `peak`.
    pub(crate) fn schedule(&self, peak: f64) -> ScheduleSpec {
        let factors = self.rates.iter().map(|rate| rate / peak);
        let mut table = ScheduleSpec::table([]);
        table.set_table(factors.collect(), self.momenta.clone());
        table
    }
}

/// What is seen of a script before its training is over.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outlook {
    /// How fast it is.
    pub(crate) pace: Pace,
    /// Updates that it makes by itself, if that is known.
    pub(crate) updates: Option<usize>,
    /// Those of an epoch.
    pub(crate) epoch: Option<usize>,
    /// Who evaluates, as in [`Recording::source`]; `None` if nobody will.
    pub(crate) evaluates: Option<String>,
    /// Whether a scheduler of its own sets its rates.
    pub(crate) scheduled: bool,
}

/// What a short start of a script shows.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) outlook: Outlook,
    /// Its own rates, of its first updates.
    pub(crate) rates: Vec<f64>,
    /// Updates before its first evaluation, if there was one.
    pub(crate) evaluated: Option<usize>,
}

/// Least time limit of a short start.
const PATIENCE: Duration = Duration::from_secs(600);

/// Seconds that a short start trains.
const SHORT: f64 = 3.0;

/// The peak that is put into the arguments of a script that asks for it.
const PEAK: f64 = 1e-3;

impl External {
    /// Starts the script with its own rates and seeds, for at most `limit`
    /// updates. `hear` learns what it is like after about a second of training
    /// and at the end.
    ///
    /// # Errors
    ///
    /// As [`follow`](Self::follow).
    pub(crate) fn record(
        &self,
        limit: usize,
        hear: &mut dyn FnMut(&Outlook),
        stop: &dyn Fn() -> bool,
    ) -> Result<Recording> {
        self.undisturbed(limit, None, hear, stop)
    }

    /// The same for some seconds of training only.
    ///
    /// # Errors
    ///
    /// As [`follow`](Self::follow).
    pub(crate) fn look(
        &self,
        limit: usize,
        stop: &dyn Fn() -> bool,
    ) -> Result<Look> {
        let mut last = None;
        let mut hear = |outlook: &Outlook| last = Some(outlook.clone());
        // It shows how long a training is; the time limit is judged later.
        let patient =
            Self { timeout: self.timeout.max(PATIENCE), ..self.clone() };
        let seen = patient.undisturbed(limit, Some(SHORT), &mut hear, stop)?;
        let Some(mut outlook) = last else {
            return Err(fault("bad_event", "sends no event `script`"));
        };
        outlook.evaluates = seen.source.or(outlook.evaluates);
        let first = seen.first_evaluation;
        Ok(Look { outlook, rates: seen.rates, evaluated: first })
    }

    fn undisturbed(
        &self,
        limit: usize,
        seconds: Option<f64>,
        hear_outlook: &mut dyn FnMut(&Outlook),
        stop: &dyn Fn() -> bool,
    ) -> Result<Recording> {
        let task = ProgramTask {
            seed: 0,
            steps: limit,
            record: true,
            seconds,
            rates: &[PEAK],
            momenta: None,
            eval_steps: &[],
            interactive: false,
            grad_norm: None,
        };
        let (mut rates, mut losses) = (vec![], vec![]);
        let mut momenta = vec![];
        let (mut valid, mut source, mut first) = (None, None, None);
        let began = std::time::Instant::now();
        let metric = self.metric.as_deref();
        let mut hear = |event: Event| {
            match event {
                Event::Train {
                    step, loss, lr: AnyFloat(lr), momentum, ..
                } => {
                    in_order("train", step, rates.len())?;
                    if !(lr.is_finite() && lr >= 0.0) {
                        let message =
                            format!("update {step} has the rate {lr:?}");
                        return Err(fault("no_rate", &message));
                    }
                    rates.push(lr);
                    losses.push(loss.0);
                    momenta.extend(momentum.map(|AnyFloat(momentum)| momentum));
                }
                Event::Eval { step, loss, metrics, split, source: who } => {
                    in_order("eval", step, rates.len())?;
                    if split == Part::Valid {
                        let score = score_of(metric, step, loss, &metrics)?;
                        valid = Some((step, score));
                        first = first.or(Some(step).filter(|&step| step > 0));
                        source = who.or(source.take());
                    }
                }
                Event::Script {
                    trained,
                    pace,
                    updates,
                    epoch,
                    evaluates,
                    scheduled,
                } => {
                    let all = began.elapsed().as_secs_f64();
                    let pace = Pace {
                        start_seconds: (all - trained).max(0.0),
                        step_seconds: pace.max(0.0),
                    };
                    hear_outlook(&Outlook {
                        pace,
                        updates,
                        epoch,
                        evaluates,
                        scheduled,
                    });
                }
                Event::Hello { .. }
                | Event::Done { .. }
                | Event::Error { .. } => {}
            }
            Ok(Next::Go)
        };
        let spent = self.drive(&task, stop, &mut hear)?;
        if rates.is_empty() {
            return Err(fault("no_optimizer", "makes no update"));
        }
        let tail = losses.len() - losses.len().div_ceil(10);
        let at_end = valid.filter(|(step, _)| *step == rates.len());
        // One that never changes is that of the optimizer. Of several
        // optimizers in turn, not all may cycle it.
        if momenta.len() != rates.len()
            || momenta.windows(2).all(|pair| pair[0] == pair[1])
        {
            momenta.clear();
        }
        Ok(Recording {
            momenta,
            train_loss: finite(mean(&losses[tail..])),
            valid: at_end.map(|(_, score)| score),
            source,
            first_evaluation: first,
            notes: spent.notes,
            train_seconds: spent.time.as_secs_f64(),
            seconds: began.elapsed().as_secs_f64(),
            rates,
        })
    }
}
