//! Time strings, and the clock that the Trainer shows its schedulers.

use super::super::{Arguments, Call, Literal, Run, torch};
use crate::error::Problem;
use crate::text::excerpt;

/// What the Trainer tells its schedulers beside the batch. All times become
/// batches, as in Composer.
pub(super) struct Training<'a> {
    run: &'a Run,
    /// Batches of the whole training.
    batches: f64,
    /// The schedulers are stepped once an epoch.
    by_epoch: bool,
    /// `scale_schedule_ratio`.
    ratio: f64,
}

/// A time string.
enum Time {
    Epochs(f64),
    Batches(f64),
    Share(f64),
}

impl Time {
    /// Reads `10ba`, `2ep` or `0.5dur`; the other units have no place in a
    /// table of updates.
    fn read(text: &str) -> Result<Self, String> {
        let lower = text.to_ascii_lowercase();
        let number = |unit| -> Option<f64> {
            lower.strip_suffix(unit)?.trim().parse().ok()
        };
        let whole = |value: f64, unit| match value {
            value if value.fract() == 0.0 => Ok(value),
            _ => Err(format!("{unit} are whole numbers, not {value}")),
        };
        if let Some(share) = number("dur") {
            Ok(Self::Share(share))
        } else if let Some(value) = number("ba") {
            whole(value, "batches").map(Self::Batches)
        } else if let Some(value) = number("ep") {
            whole(value, "epochs").map(Self::Epochs)
        } else {
            let text = excerpt(text);
            Err(format!(
                "{text} is no time in batches (`10ba`), epochs (`2ep`) or \
                 shares of the training (`0.5dur`)"
            ))
        }
    }
}

/// The time that `value` of the argument `key` is.
fn parsed(
    arguments: &Arguments,
    key: &str,
    value: &Literal,
) -> Result<Time, Problem> {
    let Literal::Text(text) = value else {
        return Err(arguments.wrong(key, "a time such as `10ba`"));
    };
    Time::read(text).map_err(|why| arguments.refused(key, &why))
}

impl<'a> Training<'a> {
    /// A training of the updates asked for, as Composer steps its own
    /// schedulers.
    pub(super) fn every_batch(run: &'a Run) -> Self {
        let batches = run.steps as f64;
        Self { run, batches, by_epoch: false, ratio: 1.0 }
    }

    /// The training that a call of the Trainer sets up.
    pub(super) fn of(
        arguments: &Arguments,
        run: &'a Run,
    ) -> Result<Self, Problem> {
        let mut made = Self::every_batch(run);
        made.ratio = arguments.number("scale_schedule_ratio")?;
        made.by_epoch =
            match arguments.literal("step_schedulers_every_batch")? {
                Literal::None => false,
                _ => !arguments.flag("step_schedulers_every_batch")?,
            };
        let key = "max_duration";
        let duration = match arguments.literal(key)? {
            Literal::None if made.ratio == 1.0 => return Ok(made),
            Literal::None => {
                let why = "`scale_schedule_ratio` needs `max_duration`";
                return Err(arguments.refused(key, why));
            }
            Literal::Whole(epochs) => Time::Epochs(*epochs as f64),
            _ => parsed(arguments, key, arguments.literal(key)?)?,
        };
        let scaled = |value: f64| (value * made.ratio).trunc();
        made.batches = match duration {
            Time::Batches(value) => scaled(value),
            Time::Epochs(value) => scaled(value) * run.epoch()? as f64,
            Time::Share(_) => {
                let why = "`max_duration` cannot be a share of itself";
                return Err(arguments.refused(key, why));
            }
        };
        if made.batches < 1.0 || run.steps as f64 > made.batches {
            let message = format!(
                "the Trainer stops after {} updates, the end of `max_duration`",
                made.batches
            );
            return Err(Problem::at("steps", message));
        }
        Ok(made)
    }

    /// The rates of a factor of the batch that the clock shows.
    pub(super) fn rates(
        &self,
        factor: impl Fn(f64) -> Result<f64, Problem>,
    ) -> Result<Vec<f64>, Problem> {
        let epoch = if self.by_epoch { self.run.epoch()?.max(1) } else { 1 };
        (0..self.run.steps)
            .map(|update| {
                let shown = if self.by_epoch {
                    update / epoch * epoch
                } else {
                    update.saturating_sub(1)
                };
                Ok(self.run.peak * factor(shown as f64)?)
            })
            .collect()
    }

    /// The rates of a scheduler of torch, which is stepped every epoch where
    /// nothing else is said, and knows nothing of the clock.
    pub(super) fn stepped(
        &self,
        arguments: &Arguments,
        call: &Call,
    ) -> Result<Vec<f64>, Problem> {
        if self.ratio != 1.0 {
            let why = "what Composer scales of a scheduler of torch is not \
                       read here";
            return Err(arguments.refused("scale_schedule_ratio", why));
        }
        let key = "step_schedulers_every_batch";
        let every_batch = *arguments.literal(key)? == Literal::Bool(true);
        let epoch = if every_batch { 1 } else { self.run.epoch()?.max(1) };
        torch::stepped(call, self.run, |update| update / epoch)
    }

    /// A time in batches; scaled by the ratio of the Trainer where Composer
    /// does so. Shares need no scale: the whole is scaled.
    fn converted(&self, time: Time, scaled: bool) -> Result<f64, Problem> {
        let ratio = if scaled { self.ratio } else { 1.0 };
        match time {
            Time::Share(share) => Ok((share * self.batches).trunc()),
            Time::Batches(value) => Ok((value * ratio).trunc()),
            Time::Epochs(value) => {
                let epoch = self.run.epoch()?;
                Ok((value * epoch as f64 * ratio).trunc())
            }
        }
    }

    /// The argument `key` in batches.
    pub(super) fn time(
        &self,
        arguments: &Arguments,
        key: &str,
        scaled: bool,
    ) -> Result<f64, Problem> {
        let time = parsed(arguments, key, arguments.literal(key)?)?;
        self.converted(time, scaled)
    }

    /// The same, which something is divided by.
    pub(super) fn length(
        &self,
        arguments: &Arguments,
        key: &str,
        scaled: bool,
    ) -> Result<f64, Problem> {
        let batches = self.time(arguments, key, scaled)?;
        if batches == 0.0 {
            let why = format!("`{key}` is no batch, which Composer divides by");
            return Err(arguments.refused(key, &why));
        }
        Ok(batches)
    }

    /// The times of a list in batches.
    pub(super) fn times(
        &self,
        arguments: &Arguments,
        key: &str,
    ) -> Result<Vec<f64>, Problem> {
        let items = arguments.list(key)?.iter();
        items
            .map(|item| self.converted(parsed(arguments, key, item)?, true))
            .collect()
    }

    /// That a schedule with a warm-up lasts as long as the training.
    pub(super) fn covered(
        &self,
        arguments: &Arguments,
        end: f64,
    ) -> Result<(), Problem> {
        if end >= self.batches {
            return Ok(());
        }
        let why = format!(
            "Composer raises an error where `t_max`, here {end} batches, is \
             below the {} of the training",
            self.batches
        );
        Err(arguments.refused("t_max", &why))
    }
}
