//! Trials of one length: up and down a ladder of rates, until the best rate
//! lies between worse ones.

use super::Runs;
use super::found::Trial;
use crate::error::Result;
use std::collections::BTreeMap;

/// Decades between neighbouring trials.
pub(super) const SPACING: f64 = 1.0 / 3.0;

/// Largest number of rates tried at one length.
pub(super) const MOST_RATES: usize = 12;

/// Exponent: the best rate is proportional to the length of the run to the
/// power of minus this.
pub(super) const HORIZON_EXPONENT: f64 = 0.25;

/// The same exponent if the model memorizes its training part.
const BY_HEART_EXPONENT: f64 = 1.0;

/// Decades from the rate of the best validation loss up to that of the best
/// training loss, from which the model counts as memorizing.
const BY_HEART_DECADES: f64 = 0.5;

/// Share of a rate at which an update leaves the weights as they are.
const NO_RATE: f64 = 1e-9;

/// Share of the descent that a rate may lose and still be in the basin.
pub(super) const BASIN: f64 = 0.05;

/// The result of the trials of one length.
pub(super) struct Climb {
    /// Their length.
    pub(super) steps: usize,
    /// The best rate, interpolated between the rungs.
    pub(super) lr: f64,
    /// The rungs next to the best one.
    pub(super) beside: (f64, f64),
    /// Whether both of them were tried and are worse.
    pub(super) bracketed: bool,
    /// Whether any run did not diverge.
    pub(super) survived: bool,
    /// Whether the model memorizes its training part.
    pub(super) by_heart: bool,
    /// How the best rate compares with no update at all.
    pub(super) learned: Learned,
}

/// How the best rate compares with no update at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Learned {
    /// It ends better, all runs diverged, or untouched weights have no finite
    /// loss.
    Something,
    /// The same, but it is the lowest one that was tried, and the one above it
    /// is no better than no update.
    AtTheEdge,
    /// It is no better.
    Nothing,
}

impl Climb {
    /// The exponent of the best rate in the length of the run, with a minus
    /// sign.
    pub(super) fn exponent(&self) -> f64 {
        if self.by_heart { BY_HEART_EXPONENT } else { HORIZON_EXPONENT }
    }

    /// The factor on the best rate for runs of `steps`.
    pub(super) fn law(&self, steps: usize) -> f64 {
        (steps as f64 / self.steps as f64).powf(-self.exponent())
    }
}

/// Mean losses of the trials at one rate; `None` if one diverged.
struct Mean {
    valid: Option<f64>,
    train: Option<f64>,
}

/// The trials so far.
pub(super) struct Search<'a> {
    pub(super) runs: Runs<'a>,
    pub(super) seeds: Vec<u64>,
    pub(super) budget: usize,
    pub(super) spent: usize,
    pub(super) trials: Vec<Trial>,
    /// Loss before any update.
    pub(super) start: Option<f64>,
    /// Validation loss of untouched weights, once it was asked for; infinite
    /// if it is not finite.
    pub(super) untouched: Option<f64>,
}

impl Search<'_> {
    /// Validation loss of untouched weights: of one update at a rate far below
    /// `lr`, which any trainer can do.
    fn look(&mut self, lr: f64) -> Result<f64> {
        if let Some(known) = self.untouched {
            return Ok(known);
        }
        let losses = (self.runs.trial)(lr * NO_RATE, 1, self.seeds[0])?;
        let loss = losses.map(|losses| losses.valid);
        self.spent += 1;
        let loss = loss.filter(|loss| loss.is_finite());
        Ok(*self.untouched.insert(loss.unwrap_or(f64::INFINITY)))
    }

    /// Whether `lr` ended better than no update at all, or diverged, which is
    /// another matter. Where its loss is not below the training loss of the
    /// start, untouched weights are looked at.
    fn has_learned(&mut self, lr: f64, mean: &Mean) -> Result<bool> {
        let Some(loss) = mean.valid else { return Ok(true) };
        if self.start.is_some_and(|start| loss < start) {
            return Ok(true);
        }
        Ok(loss < self.look(lr)?)
    }

    /// Trials at each of `rates` on the first `seeds` seeds. Returns the mean
    /// losses at each rate; `None` if a run diverged.
    fn run(
        &mut self,
        rates: &[f64],
        steps: usize,
        seeds: usize,
    ) -> Result<Vec<Mean>> {
        let trials = self.runs.all(rates.len() * seeds, |i| {
            let (lr, seed) = (rates[i / seeds], self.seeds[i % seeds]);
            let losses = (self.runs.trial)(lr, steps, seed)?;
            let losses = losses.filter(|losses| losses.valid.is_finite());
            let loss = losses.map(|losses| losses.valid);
            let train_loss = losses.and_then(|losses| losses.train);
            Ok(Trial { lr, steps, seed, loss, train_loss })
        })?;
        self.spent += steps * trials.len();
        let mean = |trials: &[Trial], loss: fn(&Trial) -> Option<f64>| {
            let sum: Option<f64> = trials.iter().map(loss).sum();
            Some(sum? / seeds as f64)
        };
        let means = trials.chunks(seeds).map(|trials| Mean {
            valid: mean(trials, |trial| trial.loss),
            train: mean(trials, |trial| trial.train_loss),
        });
        let means = means.collect();
        self.trials.extend(trials);
        Ok(means)
    }

    /// Trials of `steps` at the rungs `first` around `centre`. While the best
    /// rung is at an edge, the trials continue in its direction. While no rung
    /// ends better than no update, they continue downwards. Then they refine
    /// between the best one and its neighbours, as long as the budget lasts.
    pub(super) fn climb(
        &mut self,
        centre: f64,
        first: &[i32],
        steps: usize,
        seeds: usize,
    ) -> Result<Climb> {
        let rate = |rung: f64| centre * 10_f64.powf(SPACING * rung);
        let at = |rung: i32| rate(f64::from(rung));
        let mut rungs = BTreeMap::new();
        let mut next = first.to_vec();
        let stride = first[1] - first[0];
        loop {
            let rates: Vec<f64> = next.iter().map(|&rung| at(rung)).collect();
            let means = self.run(&rates, steps, seeds)?;
            rungs.extend(next.drain(..).zip(means));
            let best = best(&rungs, |mean| mean.valid);
            let (below, above) = beside(&rungs, best);
            let learned = self.has_learned(at(best), &rungs[&best])?;
            let affordable = rungs.len() < MOST_RATES
                && self.spent + seeds * steps <= self.budget;
            let lowest = rungs.keys().next().map_or(best, |&rung| rung);
            let wanted = match (below, above) {
                _ if !learned => Some(lowest - stride),
                (None, _) => Some(best - stride),
                (_, None) => Some(best + stride),
                (Some(below), Some(above)) => {
                    let half = |rung: i32| best + (rung - best) / 2;
                    // Above first: what the range test missed was too low.
                    [half(above), half(below)].into_iter().find(|r| *r != best)
                }
            };
            if let Some(rung) = wanted.filter(|_| affordable) {
                next.push(rung);
                continue;
            }
            let survived = rungs[&best].valid.is_some();
            let learned = match above {
                _ if !learned => Learned::Nothing,
                Some(above)
                    if below.is_none()
                        && !self.has_learned(at(above), &rungs[&above])? =>
                {
                    Learned::AtTheEdge
                }
                _ => Learned::Something,
            };
            let low = below.unwrap_or(best - stride);
            let high = above.unwrap_or(best + stride);
            return Ok(Climb {
                steps,
                lr: rate(f64::from(best) + offset(&rungs, best)),
                beside: (at(low), at(high)),
                bracketed: below.is_some() && above.is_some() && survived,
                survived,
                by_heart: self.by_heart(&rungs, best),
                learned,
            });
        }
    }

    /// Whether the training loss is lowest at a far higher rate than the
    /// validation loss, which has clearly risen there.
    fn by_heart(&self, rungs: &BTreeMap<i32, Mean>, best: i32) -> bool {
        let learned = self::best(rungs, |mean| mean.train);
        let ahead = SPACING * f64::from(learned - best);
        let (Some(start), Some(least), Some(there)) =
            (self.start, rungs[&best].valid, rungs[&learned].valid)
        else {
            return false;
        };
        ahead >= BY_HEART_DECADES && there - least >= BASIN * (start - least)
    }
}

/// The nearest rungs below and above `rung`.
fn beside(
    rungs: &BTreeMap<i32, Mean>,
    rung: i32,
) -> (Option<i32>, Option<i32>) {
    let below = rungs.range(..rung).next_back().map(|(&rung, _)| rung);
    let above = rungs.range(rung + 1..).next().map(|(&rung, _)| rung);
    (below, above)
}

/// The rung of the lowest loss: the lowest of equal ones, and the lowest of
/// all if every run diverged.
fn best(
    rungs: &BTreeMap<i32, Mean>,
    loss: impl Fn(&Mean) -> Option<f64>,
) -> i32 {
    let loss = |mean| loss(mean).unwrap_or(f64::INFINITY);
    let lowest = rungs.iter().min_by(|a, b| loss(a.1).total_cmp(&loss(b.1)));
    lowest.map_or(0, |(&rung, _)| rung)
}

/// Distance, in rungs, from the best rung to the minimum of the parabola
/// through it and its neighbours; 0 if a neighbour is missing, distant or
/// diverged.
fn offset(rungs: &BTreeMap<i32, Mean>, best: i32) -> f64 {
    let at = |rung: i32| {
        let loss = rungs.get(&rung).and_then(|mean| mean.valid);
        loss.unwrap_or(f64::INFINITY)
    };
    let (left, middle, right) = (at(best - 1), at(best), at(best + 1));
    let curvature = left - 2.0 * middle + right;
    if !(curvature > 0.0 && curvature.is_finite()) {
        return 0.0;
    }
    ((left - right) / (2.0 * curvature)).clamp(-0.5, 0.5)
}

#[cfg(test)]
mod tests {
    use super::super::{LossKind, Watch, one_by_one};
    use super::*;

    #[test]
    fn noise_is_no_learning_by_heart() {
        let trial = |_: f64, _, _| Ok(None);
        let train = |_: &[f64], _, _: LossKind, _: &mut Watch<'_>| Ok(vec![]);
        let mut search = Search {
            runs: Runs { train: &train, trial: &trial, several: &one_by_one },
            seeds: vec![],
            budget: 0,
            spent: 0,
            trials: vec![],
            start: Some(2.3),
            untouched: None,
        };
        let rungs = |last: f64| {
            let means = [(1.68, 1.7), (1.5, 1.6), (1.64, 1.5), (last, 1.4)];
            let mean = |(valid, train)| Mean {
                valid: Some(valid),
                train: Some(train),
            };
            (-2..2).zip(means.map(mean)).collect::<BTreeMap<i32, Mean>>()
        };
        assert!(
            !search.by_heart(&rungs(1.52), -1),
            "hardly worse than the best"
        );
        assert!(search.by_heart(&rungs(1.62), -1));
        search.start = None;
        assert!(!search.by_heart(&rungs(1.62), -1), "no measure");
    }
}
