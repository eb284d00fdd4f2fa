//! An undisturbed start of a training script: what it does by itself.

use super::event::{Event, Part};
use super::training::Next;
use super::training::{in_order, score_of};
use super::{External, ProgramTask, fault};
use crate::error::Result;
use crate::record::AnyFloat;
use crate::train::{Score, finite, mean};
use serde::{Deserialize, Serialize};

/// What a script does by itself.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct Recording {
    /// Its own rate at every update.
    pub(crate) rates: Vec<f64>,
    /// Mean training loss over the last tenth of its updates; `None` if not
    /// finite.
    pub(crate) train_loss: Option<f64>,
    /// Its evaluation after the last update.
    pub(crate) valid: Option<Score>,
    /// Who made its evaluations: `on_eval`, `report`, `trainer`, `lightning`
    /// or `keras`; `None` if there are none.
    pub(crate) source: Option<String>,
    /// What the launcher noted.
    pub(crate) notes: Vec<String>,
    /// From its first update to its end.
    pub(crate) train_seconds: f64,
    /// From its start to its end.
    pub(crate) seconds: f64,
}

impl External {
    /// Starts the script with its own rates and seeds, for at most `limit`
    /// updates.
    ///
    /// # Errors
    ///
    /// As [`follow`](Self::follow).
    pub(crate) fn record(
        &self,
        limit: usize,
        stop: &dyn Fn() -> bool,
    ) -> Result<Recording> {
        let task = ProgramTask {
            seed: 0,
            steps: limit,
            record: true,
            rates: &[],
            momenta: None,
            eval_steps: &[],
            interactive: false,
            grad_norm: None,
        };
        let (mut rates, mut losses) = (vec![], vec![]);
        let (mut valid, mut source) = (None, None);
        let began = std::time::Instant::now();
        let metric = self.metric.as_deref();
        let mut hear = |event: Event| {
            match event {
                Event::Train { step, loss, lr: AnyFloat(lr), .. } => {
                    in_order("train", step, rates.len())?;
                    if !(lr.is_finite() && lr >= 0.0) {
                        let message =
                            format!("update {step} has the rate {lr:?}");
                        return Err(fault("no_rate", &message));
                    }
                    rates.push(lr);
                    losses.push(loss.0);
                }
                Event::Eval { step, loss, metrics, split, source: who } => {
                    in_order("eval", step, rates.len())?;
                    if split == Part::Valid {
                        let score = score_of(metric, step, loss, &metrics)?;
                        valid = Some((step, score));
                        source = who.or(source.take());
                    }
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
        Ok(Recording {
            train_loss: finite(mean(&losses[tail..])),
            valid: at_end.map(|(_, score)| score),
            source,
            notes: spent.notes,
            train_seconds: spent.time.as_secs_f64(),
            seconds: began.elapsed().as_secs_f64(),
            rates,
        })
    }
}
