//! Checking a suggestion: short runs of the real optimizer and schedule at
//! rates around it.
//!
//! The best rate falls as runs get longer: on twelve synthetic tasks (SGD,
//! momentum, `AdamW`; 200 and 800 steps) by about the root of the length, so
//! trials at a fifth of the horizon alone pick rates three times too high and
//! leave a mean regret of 0.02 to 0.04. Five scouts at a tenth of the
//! horizon and then three runs at the whole of it leave 0.003 to 0.005 for
//! about 4 trainings, also when the range test was off by two decades; with
//! 1.6 trainings, both stages shorter and the root law for the rest, 0.01.

use super::{FindOutcome, LrFound, TrialRun};
use crate::error::{Error, Result};
use crate::seed;
use rand::RngExt as _;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Decades between neighbouring trials.
const SPACING: f64 = 0.5;

/// Share of the horizon that a scout runs.
const SCOUT_SHARE: f64 = 0.1;

/// Fewest steps of a trial, if the horizon has so many: below it a rate shows
/// how it starts, not where it ends.
const FEWEST_STEPS: usize = 50;

/// Trials on each side of a scout's centre.
const SCOUT_REACH: i32 = 2;

/// Trials on each side of the centre at the longest horizon.
const FINAL_REACH: i32 = 1;

/// Most rates tried at one length.
const MOST_RATES: usize = 9;

/// The best rate goes with the length of the run to minus this.
const HORIZON_EXPONENT: f64 = 0.5;

/// How a suggestion is checked: by trials a half decade apart, on common
/// seeds, first short ones, then as long ones as the budget allows around
/// the best of them; widened where the best stands at an edge.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Verify {
    /// Steps of the runs that the rate is for.
    pub horizon: usize,
    /// What may be spent, in runs of that length. 5 lets the last trials run
    /// the whole horizon and usually leaves one over; from about 2 on, the
    /// shorter ones still decide; below 1, expect to be off by a factor of
    /// three. A horizon under about 500 steps spends more on its scouts.
    pub trainings: f64,
}

/// A run at one peak rate, to check it.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct Trial {
    /// Peak learning rate.
    pub lr: f64,
    /// Steps, the whole schedule squeezed into them.
    pub steps: usize,
    /// Seed of weights and batches.
    pub seed: u64,
    /// Validation loss at the end; `None` if the run diverged.
    pub loss: Option<f64>,
}

impl Verify {
    /// The default check for runs of `horizon` steps: 5 trainings.
    pub fn new(horizon: usize) -> Self {
        Self { horizon, trainings: 5.0 }
    }

    fn check(&self) -> Result<()> {
        if self.horizon == 0 {
            let message = "trials need a `horizon` of at least 1 step";
            return Err(Error::Invalid(message.to_owned()));
        }
        if !(self.trainings > 0.0 && self.trainings.is_finite()) {
            let message = "trials need a positive, finite budget `trainings`";
            return Err(Error::Invalid(message.to_owned()));
        }
        Ok(())
    }

    /// Steps that may be spent.
    fn budget(&self) -> usize {
        whole(self.trainings * self.horizon as f64)
    }

    /// Length and reach of each stage.
    fn stages(&self) -> Vec<(usize, i32)> {
        let fewest = FEWEST_STEPS.min(self.horizon);
        let scout = whole(SCOUT_SHARE * self.horizon as f64).max(fewest);
        let rest = self.budget().saturating_sub(5 * scout);
        let longest = self.horizon.min(rest / 3);
        if longest >= 2 * scout {
            return vec![(scout, SCOUT_REACH), (longest, FINAL_REACH)];
        }
        let only = (self.budget() / 5).clamp(fewest, self.horizon);
        vec![(only, SCOUT_REACH)]
    }
}

/// What trials of one length show.
struct Climb {
    /// The best rate, between the rungs.
    lr: f64,
    /// The rungs beside the best one.
    beside: (f64, f64),
    /// Whether both of them were tried and are worse.
    bracketed: bool,
    /// Whether any run survived.
    survived: bool,
}

/// The trials so far.
struct Search<'a, 't> {
    trial: &'a mut TrialRun<'t>,
    seed: u64,
    budget: usize,
    spent: usize,
    trials: Vec<Trial>,
}

impl Search<'_, '_> {
    fn run(&mut self, lr: f64, steps: usize) -> Result<Option<f64>> {
        let loss = (self.trial)(lr, steps, self.seed)?;
        let loss = loss.filter(|loss| loss.is_finite());
        self.trials.push(Trial { lr, steps, seed: self.seed, loss });
        self.spent += steps;
        Ok(loss)
    }

    /// Trials of `steps` around `centre`, and on in the direction of the best
    /// while it stands at an edge and the budget lasts.
    fn climb(
        &mut self,
        centre: f64,
        (steps, reach): (usize, i32),
    ) -> Result<Climb> {
        let rate = |rung: f64| centre * 10_f64.powf(SPACING * rung);
        let mut rungs = BTreeMap::new();
        let mut next: Vec<i32> = (-reach..=reach).collect();
        loop {
            for rung in next.drain(..) {
                let loss = self.run(rate(f64::from(rung)), steps)?;
                // A run that diverged is worse than any other.
                rungs.insert(rung, loss.unwrap_or(f64::INFINITY));
            }
            let best = best(&rungs);
            let missing = [best - 1, best + 1]
                .into_iter()
                .find(|rung| !rungs.contains_key(rung));
            let affordable =
                rungs.len() < MOST_RATES && self.spent + steps <= self.budget;
            match missing {
                Some(rung) if affordable => next.push(rung),
                missing => {
                    let at = f64::from(best);
                    return Ok(Climb {
                        lr: rate(at + offset(&rungs, best)),
                        beside: (rate(at - 1.0), rate(at + 1.0)),
                        bracketed: missing.is_none()
                            && rungs[&best].is_finite(),
                        survived: rungs[&best].is_finite(),
                    });
                }
            }
        }
    }
}

/// The rung of the lowest loss; the lowest rung of equal ones, and when every
/// run diverged.
fn best(rungs: &BTreeMap<i32, f64>) -> i32 {
    let lowest = rungs.iter().min_by(|a, b| a.1.total_cmp(b.1));
    lowest.map_or(0, |(&rung, _)| rung)
}

/// How far from the best rung the parabola through it and its neighbours is
/// lowest, in rungs; 0 where a neighbour is missing or diverged.
fn offset(rungs: &BTreeMap<i32, f64>, best: i32) -> f64 {
    let at = |rung: i32| rungs.get(&rung).copied().unwrap_or(f64::INFINITY);
    let (left, middle, right) = (at(best - 1), at(best), at(best + 1));
    let curvature = left - 2.0 * middle + right;
    if !(curvature > 0.0 && curvature.is_finite()) {
        return 0.0;
    }
    ((left - right) / (2.0 * curvature)).clamp(-0.5, 0.5)
}

/// Checks `found` by trials and corrects it.
///
/// # Errors
///
/// If `verify` makes no sense or a trial fails. Divergence is no error.
pub(super) fn refine(
    found: LrFound,
    verify: &Verify,
    seed: u64,
    trial: &mut TrialRun<'_>,
) -> Result<LrFound> {
    verify.check()?;
    let mut search = Search {
        trial,
        seed: seed::stream(seed, "trials").random(),
        budget: verify.budget(),
        spent: 0,
        trials: vec![],
    };
    let stages = verify.stages();
    let mut centre = found.lr;
    let mut steps = stages[0].0;
    let mut climb = search.climb(centre, stages[0])?;
    for &stage in &stages[1..] {
        centre = climb.lr * law(steps, stage.0);
        steps = stage.0;
        climb = search.climb(centre, stage)?;
    }
    let correction = law(steps, verify.horizon);
    let lr = climb.lr * correction;
    let interval = (climb.beside.0 * correction, climb.beside.1 * correction);
    let trials = search.trials.len();
    let mut reason = format!(
        "{}; {trials} trials of up to {steps} steps {}",
        found.reason,
        words(&climb)
    );
    if steps < verify.horizon && climb.survived {
        let horizon = verify.horizon;
        let more = format!(", times {correction:.2} for {horizon} steps");
        reason.push_str(&more);
    }
    let cycle = if found.cycle.0 < lr { found.cycle.0 } else { lr / 10.0 };
    Ok(LrFound {
        lr,
        interval: (interval.0.min(lr), interval.1.max(lr)),
        cycle: (cycle, lr),
        outcome: if climb.bracketed {
            FindOutcome::Found
        } else {
            found.outcome
        },
        reason,
        verification: search.trials,
        cost_steps: found.cost_steps + search.spent,
        ..found
    })
}

fn words(climb: &Climb) -> String {
    let lr = climb.lr;
    if climb.bracketed {
        format!("are best at {lr:.2e}")
    } else if climb.survived {
        format!("are best at {lr:.2e}, at the edge of what was tried")
    } else {
        format!("all diverged, down to {lr:.2e}")
    }
}

/// What the best rate at `steps` is multiplied by for `horizon` steps.
fn law(steps: usize, horizon: usize) -> f64 {
    (horizon as f64 / steps as f64).powf(-HORIZON_EXPONENT)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a positive number of steps; saturates"
)]
fn whole(steps: f64) -> usize {
    steps.round() as usize
}

#[cfg(test)]
mod tests;
