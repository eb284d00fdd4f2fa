//! The table of learning rates of a range test.

use super::Rule;
use crate::error::{Error, Result};
use crate::spec::{Ladder, LossKind};
use serde::{Deserialize, Serialize};

/// Smallest number of rungs; a shorter curve cannot be read.
pub(super) const FEWEST: usize = 10;

/// Decades that an exponential ladder may grow beyond its upper end while the
/// loss has not diverged.
const DECADES_UP: f64 = 6.0;

/// Decades added below the lower end when the first rates are too high.
const DECADES_DOWN: f64 = 3.0;

/// Multiples of its length that a linear ladder may grow to.
const LINEAR_GROWTH: usize = 4;

/// A run in which the learning rate rises from update to update until the
/// loss diverges.
///
/// Source: Smith, *Cyclical Learning Rates for Training Neural Networks*
/// (2017), section 3.3.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct RangeTest {
    /// Learning rate of the first update.
    pub from: f64,
    /// Learning rate of the last update, if the loss holds out that long.
    pub to: f64,
    /// Updates from `from` to `to`.
    pub steps: usize,
    /// How the rate rises.
    pub ladder: Ladder,
    /// Which loss the rule sees.
    pub on: LossKind,
    /// The rule that reads the rate from the curve. With the rule of another
    /// tool, the whole table is run, as in that tool, and is not extended
    /// upwards.
    pub rule: Rule,
    /// Range tests, each with its own weights and batches.
    pub seeds: usize,
    /// Whether the range may grow: upwards while the loss has not diverged,
    /// downwards when the first rates already move it.
    pub widen: bool,
    /// The fallback if the curve shows nothing; by default the usual rate of
    /// the optimizer.
    pub fallback: f64,
}

impl Default for RangeTest {
    fn default() -> Self {
        Self {
            from: 1e-7,
            to: 10.0,
            steps: 100,
            ladder: Ladder::Exponential,
            on: LossKind::Train,
            rule: Rule::Lrscout,
            seeds: 3,
            widen: true,
            fallback: 1e-3,
        }
    }
}

impl RangeTest {
    /// Checks that a ladder can be made.
    pub(super) fn check(&self) -> Result<()> {
        let positive = |rate: f64| rate > 0.0 && rate.is_finite();
        let problem = if !positive(self.from) || !positive(self.to) {
            "a range test needs positive, finite `from` and `to`".to_owned()
        } else if self.to <= self.from {
            format!(
                "a range test rises: `to` = {:?} must lie above `from` = {:?}",
                self.to, self.from
            )
        } else if self.steps < FEWEST {
            format!(
                "a range test of {} steps is too short to read, give `steps` \
                 at least {FEWEST}",
                self.steps
            )
        } else if self.seeds == 0 {
            "a range test needs at least 1 of `seeds`".to_owned()
        } else if !positive(self.fallback) {
            "a range test needs a positive, finite `fallback`".to_owned()
        } else {
            return Ok(());
        };
        Err(Error::Invalid(problem))
    }

    /// The table of rates. The rungs above `to` are for a loss that does not
    /// diverge below it; a watch ends the run long before their end.
    pub(crate) fn rates(&self) -> Vec<f64> {
        let rungs = match (self.ladder, self.grows_up()) {
            (_, false) => self.steps,
            (Ladder::Exponential, true) => {
                self.steps + whole(DECADES_UP / self.rung_decades())
            }
            (Ladder::Linear, true) => self.steps * LINEAR_GROWTH,
        };
        (0..rungs).map(|i| self.rung(i)).collect()
    }

    /// Whether the run continues above `to` until the loss diverges.
    pub(super) fn grows_up(&self) -> bool {
        self.widen && self.rule == Rule::Lrscout
    }

    /// The same test further down: more rungs below an exponential ladder, a
    /// finer linear one.
    pub(super) fn lower(&self) -> Self {
        match self.ladder {
            Ladder::Exponential => {
                let rungs = whole(DECADES_DOWN / self.rung_decades());
                let decades = rungs as f64 * self.rung_decades();
                Self {
                    from: self.from * 10_f64.powf(-decades),
                    steps: self.steps + rungs,
                    ..self.clone()
                }
            }
            Ladder::Linear => Self {
                from: self.from / 10.0,
                to: self.to / 10.0,
                ..self.clone()
            },
        }
    }

    fn rung(&self, i: usize) -> f64 {
        let share = i as f64 / (self.steps - 1) as f64;
        match self.ladder {
            Ladder::Exponential => {
                self.from * (self.to / self.from).powf(share)
            }
            Ladder::Linear => self.from + share * (self.to - self.from),
        }
    }

    fn rung_decades(&self) -> f64 {
        (self.to / self.from).log10() / (self.steps - 1) as f64
    }
}

/// `count`, rounded to a number of rungs.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a small positive number of rungs"
)]
fn whole(count: f64) -> usize {
    count.round().min(1e6) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ladder_meets_both_ends() {
        for ladder in [Ladder::Exponential, Ladder::Linear] {
            let test =
                RangeTest { ladder, widen: false, ..RangeTest::default() };
            let rates = test.rates();
            assert_eq!(rates.len(), 100);
            assert_eq!(rates[0], 1e-7);
            assert!((rates[99] / 10.0 - 1.0).abs() < 1e-12, "{}", rates[99]);
        }
    }

    #[test]
    fn rungs_above_and_below_continue_the_ladder() {
        let test = RangeTest::default();
        let (rates, lower) = (test.rates(), test.lower().rates());
        assert!((rates[rates.len() - 1].log10() - 7.0).abs() < 0.1);
        assert!((lower[0].log10() + 10.0).abs() < 0.1);
        let step = rates[1] / rates[0];
        for pair in rates.windows(2).chain(lower.windows(2)) {
            assert!((pair[1] / pair[0] / step - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn senseless_ladders_are_refused_with_the_remedy() {
        let refuse =
            |test: RangeTest| test.check().expect_err("senseless").to_string();
        let test = RangeTest::default();
        assert_eq!(
            refuse(RangeTest { to: 1e-8, ..test.clone() }),
            "a range test rises: `to` = 1e-8 must lie above `from` = 1e-7"
        );
        assert_eq!(
            refuse(RangeTest { steps: 3, ..test.clone() }),
            "a range test of 3 steps is too short to read, give `steps` at \
             least 10"
        );
        refuse(RangeTest { from: f64::NAN, ..test.clone() });
        refuse(RangeTest { seeds: 0, ..test.clone() });
        refuse(RangeTest { fallback: 0.0, ..test });
    }
}
