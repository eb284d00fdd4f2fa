//! Which optimizers have a schedule-free form.

use super::OptimizerSpec;
use crate::error::Problem;

impl OptimizerSpec {
    /// Refuses an optimizer without a schedule-free form.
    ///
    /// # Errors
    ///
    /// With the key at fault and the remedy.
    pub(crate) fn check_schedule_free(&self) -> Result<(), Problem> {
        let share = "is the share of the averaged weights in those that get \
                     the gradient, give one above 0";
        let (key, message) = match self {
            Self::Sgd { nesterov: true, .. } => (
                "nesterov",
                "`nesterov` looks ahead along a momentum, and the \
                 schedule-free form has none: leave it out"
                    .to_owned(),
            ),
            Self::Sgd { momentum: 0.0, .. } => {
                ("momentum", format!("`momentum` is 0; it {share}"))
            }
            Self::Adamw { beta1: 0.0, .. } => {
                ("beta1", format!("`beta1` is 0; it {share}"))
            }
            Self::Sgd { .. } | Self::Adamw { .. } => return Ok(()),
            other => (
                "kind",
                format!(
                    "{} has no schedule-free form, only sgd and adamw have \
                     one: take one of them",
                    other.kind()
                ),
            ),
        };
        Err(Problem::at(key, message))
    }
}
