//! Averages of the weights along a training: its run is evaluated at one.

use super::Problem;
use super::checks::within;
use super::compose::whole;
use super::field::Fields;
use super::spec::ScheduleSpec;
use super::value::ParamValue;

/// An average of the weights that a run follows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Average {
    /// Of the schedule-free form of an optimizer, which keeps it itself.
    ///
    /// Source: Defazio et al., *The Road Less Scheduled* (2024).
    ScheduleFree,
    /// After every update `decay` of the average and the rest of the weights.
    ///
    /// Source: Polyak & Juditsky 1992; `get_ema_multi_avg_fn` of `PyTorch`.
    Ema {
        /// Share of the average before.
        decay: f64,
    },
    /// The mean of the weights after every update beyond the first `after`.
    ///
    /// Source: Izmailov et al. 2018; `get_swa_multi_avg_fn` of `PyTorch`.
    Swa {
        /// Updates that come before.
        after: usize,
    },
}

/// The modifier `average` of a schedule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Averaging {
    Ema {
        decay: f64,
    },
    /// From this share of all updates on.
    Swa {
        from: f64,
    },
}

/// A key of the modifier with its value and default.
type Entry = (&'static str, Option<ParamValue>, Option<ParamValue>);

impl Averaging {
    /// That of `torch.optim.swa_utils`.
    const DECAY: f64 = 0.999;

    /// The last quarter, as in the longer runs of the paper.
    const FROM: f64 = 0.75;

    /// Takes the keys of the modifier out of `fields`.
    ///
    /// # Errors
    ///
    /// If a value is of another type or a key of the other average.
    pub(super) fn take(fields: &mut Fields) -> Result<Option<Self>, Problem> {
        let kind = match fields.take("average") {
            None => None,
            Some(ParamValue::Text(kind)) => Some(kind),
            Some(other) => Some(other.label()),
        };
        let (decay, from) = ("average_decay", "average_from");
        match kind.as_deref() {
            Some("ema") => {
                refuse(fields, from, "swa")?;
                let decay = fields.read(decay, Self::DECAY)?;
                Ok(Some(Self::Ema { decay }))
            }
            Some("swa") => {
                refuse(fields, decay, "ema")?;
                let from = fields.read(from, Self::FROM)?;
                Ok(Some(Self::Swa { from }))
            }
            Some("off") => {
                // `average = ["off", "ema"]` may be an axis.
                fields.read(decay, Self::DECAY)?;
                fields.read(from, Self::FROM)?;
                Ok(None)
            }
            None => {
                refuse(fields, decay, "ema")?;
                refuse(fields, from, "swa")?;
                Ok(None)
            }
            Some(other) => {
                let message = format!(
                    "`average` takes \"ema\", \"swa\" or \"off\", not {other:?}"
                );
                Err(Problem::at("average", message))
            }
        }
    }

    /// The keys of the modifier.
    pub(super) fn entries(self) -> [Entry; 2] {
        let (kind, key, value, default) = match self {
            Self::Ema { decay } => ("ema", "average_decay", decay, Self::DECAY),
            Self::Swa { from } => ("swa", "average_from", from, Self::FROM),
        };
        [
            ("average", Some(kind.into()), None),
            (key, Some(value.into()), Some(default.into())),
        ]
    }

    pub(super) fn check(self) -> Result<(), Problem> {
        let below = 1.0 - f64::EPSILON;
        match self {
            Self::Ema { decay } => within(
                "average_decay",
                decay,
                f64::MIN_POSITIVE..=below,
                "above 0 and below 1",
            ),
            Self::Swa { from } => within(
                "average_from",
                from,
                0.0..=below,
                "0 or more and below 1",
            ),
        }
    }
}

/// Refuses `key` beside another `average` than `home`.
fn refuse(fields: &Fields, key: &str, home: &str) -> Result<(), Problem> {
    if !fields.has(key) {
        return Ok(());
    }
    let message = format!(
        "`{key}` belongs to `average = {home:?}`, add that or leave it out"
    );
    Err(Problem::at(key, message))
}

impl ScheduleSpec {
    /// The average that a run of `steps` updates is evaluated at; `None` for
    /// its last weights.
    pub(super) fn average(&self, steps: usize) -> Option<Average> {
        if self.is_schedule_free() {
            return Some(Average::ScheduleFree);
        }
        Some(match self.average? {
            Averaging::Ema { decay } => Average::Ema { decay },
            Averaging::Swa { from } => {
                // The last weights are always among them.
                let after = whole(from * steps as f64).min(steps - 1);
                Average::Swa { after }
            }
        })
    }

    /// Checks that it averages the weights once, if at all.
    pub(super) fn check_average(&self) -> Result<(), Problem> {
        let Some(averaging) = self.average else { return Ok(()) };
        if self.is_schedule_free() {
            let message = "`schedule-free` has an average of its own, leave \
                           `average` out";
            return Err(Problem::at("average", message));
        }
        averaging.check()
    }
}
