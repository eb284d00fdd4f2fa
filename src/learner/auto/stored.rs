//! A choice whose trainings are stored like those of a grid, so that the same
//! command continues it, and whose number of trainings is bounded.
//!
//! Every start of a training counts as one, however short: the undisturbed
//! start of a script, each range test and each trial of the finder, each run
//! of the race. Trainings that a kill cut off run again and count once.

use super::{Auto, Candidate, Comparison, Losses, order, raced, why};
use crate::error::{Error, Result};
use crate::grid::Experiment;
use crate::lr_find::LrFound;
use crate::runner::{self, Cell, Event, Options, Prepared, Results, RunResult};
use crate::schedule::ScheduleSpec;
use crate::store::Store;
use std::collections::HashSet;

/// Seeds that the race wants before it takes more schedules.
const WANTED_SEEDS: usize = 3;

/// From so many trainings in all, so many of them in updates find the rate.
/// With fewer than the least, the rate is not searched.
const FINDER: [(usize, f64); 3] = [(40, 5.0), (20, 1.4), (10, 0.9)];

/// Most trainings of a choice.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Limits {
    /// `None` for no limit.
    pub(crate) most: Option<usize>,
    /// Those that were made before.
    pub(crate) used: usize,
}

impl Limits {
    /// What the finder may cost, in full trainings; `None` if too few are
    /// left for it.
    pub(crate) fn finder(&self) -> Option<f64> {
        let Some(most) = self.most else { return Some(FINDER[0].1) };
        let fits = |&&(from, _): &&(usize, f64)| most >= from;
        FINDER.iter().find(fits).map(|(_, trainings)| *trainings)
    }

    /// Schedules and seeds that the race will have, as a rule.
    pub(crate) fn outlook(
        &self,
        schedules: usize,
        seeds: usize,
    ) -> (usize, usize) {
        self.race(schedules, seeds, self.finder_starts())
    }

    /// Trainings that find the rate, as a rule.
    pub(crate) fn finder_starts(&self) -> usize {
        self.finder().map_or(0, |trainings| match trainings {
            some if some > 4.0 => 14,
            some if some > 1.0 => 6,
            _ => 4,
        })
    }

    /// Schedules and seeds of a race of at most `schedules` and `seeds`, after
    /// `found` trainings of the finder.
    fn race(
        &self,
        schedules: usize,
        seeds: usize,
        found: usize,
    ) -> (usize, usize) {
        let Some(most) = self.most else { return (schedules, seeds) };
        let left = most.saturating_sub(self.used + found);
        let few = WANTED_SEEDS.min(seeds).min(left / 2);
        if few == 0 {
            return (0, 0);
        }
        let schedules = schedules.min(left / few);
        (schedules, seeds.min(left / schedules))
    }
}

/// A choice for the only workload and budget of an experiment.
pub(crate) struct Stored<'a> {
    pub(crate) experiment: &'a Experiment,
    pub(crate) prepared: &'a Prepared,
    pub(crate) store: &'a Store,
    pub(crate) limits: Limits,
    /// How to execute the cells of these ids.
    pub(crate) options: &'a dyn Fn(HashSet<String>) -> Options<'a>,
}

impl Stored<'_> {
    /// The answer, and the ids of all cells that it is from.
    ///
    /// # Errors
    ///
    /// If a training fails; [`Error::Interrupted`] if the options stop it
    /// before the first seed is complete.
    pub(crate) fn auto(&self) -> Result<(Auto, HashSet<String>)> {
        let Self { experiment, prepared, .. } = self;
        let plan = &prepared.plan;
        let mut ids: HashSet<String> =
            plan.searches().map(|find| find.id.clone()).collect();
        let found = self.found(&self.execute(ids.clone())?)?;
        let baseline = experiment.baseline.clone();
        let all = experiment.schedules.len();
        let (most, seeds) =
            self.limits.race(all, experiment.seeds.len(), found.trainings);
        let raced_ones = self.chosen(most);
        let seeds = experiment.seeds.iter().copied().take(seeds);
        let rounds = seeds.len();
        let (mut round, mut cut, mut on_training) = (0, false, false);
        let label = |j: usize| experiment.schedules[raced_ones[j]].label();
        let labels = (0..raced_ones.len()).map(label).collect();
        let race = raced(labels, seeds, &mut |live, seed| {
            round += 1;
            let wanted = |i: &usize| {
                let cell = &plan.runs[*i];
                let at = raced_ones.iter().position(|&s| s == cell.schedule);
                cell.seed == seed && at.is_some_and(|at| live.contains(&at))
            };
            let runs: Vec<usize> =
                (0..plan.runs.len()).filter(wanted).collect();
            let text =
                format!("seed {round} of {rounds}: {} schedules", runs.len());
            let mut now = ids.clone();
            now.extend(runs.iter().map(|&i| plan.runs[i].id.clone()));
            let options = (self.options)(now.clone());
            (options.tell)(&Event::Note { text: &text });
            let results = self.execute(now.clone())?;
            let mut losses: Losses = vec![];
            for i in runs {
                let at =
                    raced_ones.iter().position(|&s| s == plan.runs[i].schedule);
                let Cell::Done(RunResult { fit, .. }) = &results.runs[i] else {
                    if let Some(why) = results.runs[i].failure() {
                        return Err(failed(why));
                    }
                    if round == 1 {
                        return Err(Error::Interrupted);
                    }
                    cut = true;
                    return Ok(None);
                };
                on_training |= fit.on_training;
                let loss = fit.valid.map(|score| score.loss);
                let loss = loss.filter(|loss| loss.is_finite());
                losses.push((at.expect("one of them"), loss));
            }
            ids = now;
            Ok(Some(losses))
        })?;
        // Only the deadline gives an answer before the end.
        if cut && !(self.options)(HashSet::new()).is_late() {
            return Err(Error::Interrupted);
        }
        let auto =
            self.answer(found, &race, &raced_ones, baseline, on_training);
        Ok((self.told(auto, cut, on_training, rounds), ids))
    }

    /// The schedules of a race of `most`: the first ones, and the baseline.
    fn chosen(&self, most: usize) -> Vec<usize> {
        let Experiment { schedules, baseline, .. } = self.experiment;
        let own = baseline.as_ref().and_then(|(label, _)| {
            schedules.iter().position(|s| s.label() == *label)
        });
        let others = (0..schedules.len()).filter(|j| Some(*j) != own);
        let places = most.saturating_sub(usize::from(own.is_some()));
        let mut chosen: Vec<usize> = others.take(places).collect();
        chosen.extend(own.filter(|_| most > 0));
        chosen
    }

    fn execute(&self, only: HashSet<String>) -> Result<Results> {
        let Self { experiment, prepared, store, .. } = self;
        runner::execute(experiment, prepared, store, &(self.options)(only))
    }

    /// The rate of all schedules but the baseline.
    fn found(&self, results: &Results) -> Result<LrFound> {
        let own = self.experiment.baseline.as_ref().map(|(label, _)| label);
        let plan = &self.prepared.plan;
        let cell = plan.runs.iter().find(|cell| {
            let label = self.experiment.label(cell.schedule);
            Some(&label) != own
        });
        let Some(cell) = cell else {
            let message = "there is no schedule to race with yours";
            return Err(Error::Invalid(message.to_owned()));
        };
        match &results.finds[cell.find] {
            Cell::Done(find) => Ok(find.found.clone()),
            state => Err(state.failure().map_or(Error::Interrupted, failed)),
        }
    }

    fn answer(
        &self,
        found: LrFound,
        race: &[Candidate],
        raced_ones: &[usize],
        baseline: Option<(String, f64)>,
        on_training: bool,
    ) -> Auto {
        let order = order(race);
        let candidates: Vec<Candidate> =
            order.iter().map(|&j| race[j].clone()).collect();
        let comparison = baseline.as_ref().and_then(|(label, _)| {
            let own = candidates.iter().find(|c| c.label == *label)?;
            let best = candidates.iter().find(|c| c.label != *label)?;
            let pairs = own.losses.iter().zip(&best.losses);
            let pairs = pairs.map(|(own, best)| (*own, *best));
            Comparison::of((&best.label, found.lr), label, pairs)
        });
        let best = match (&baseline, order.first()) {
            (_, None) => None,
            (Some((own, _)), Some(&first)) => {
                // Likelier better than not is what counts.
                let other = order.iter().find(|&&j| race[j].label != *own);
                match &comparison {
                    Some(c) if c.is_better() => other.copied(),
                    Some(_) => {
                        order.iter().find(|&&j| race[j].label == *own).copied()
                    }
                    None => Some(first),
                }
            }
            (None, Some(&first)) => Some(first),
        };
        let schedules = &self.experiment.schedules;
        let schedule: &ScheduleSpec =
            &schedules[best.map_or(0, |j| raced_ones[j])];
        let label = schedule.label();
        let own = baseline.as_ref().filter(|(own, _)| *own == label);
        let steps = self.experiment.budgets[0];
        let decided = comparison.as_ref().map(|c| c.baseline.as_str());
        Auto {
            lr: own.map_or(found.lr, |(_, lr)| *lr),
            schedule: schedule.clone(),
            why: match candidates.as_slice() {
                [] => vec![format!(
                    "The rate is {:.3e}: {}.",
                    found.lr, found.reason
                )],
                some => why(&found, some, steps, on_training, decided),
            },
            label,
            found,
            candidates,
            comparison,
        }
    }

    /// `auto` with what must be known besides.
    fn told(
        &self,
        mut auto: Auto,
        cut: bool,
        on_training: bool,
        rounds: usize,
    ) -> Auto {
        if auto.candidates.is_empty() {
            auto.why.push(
                "No training was left to compare schedules: give more with \
                 `--max-trainings`."
                    .to_owned(),
            );
        }
        if on_training {
            auto.why.push(
                "The script makes no evaluation after its last update: the \
                 loss is the mean training loss over the last tenth of the \
                 updates, which rewards memorizing. `lrscout.on_eval(f)` or \
                 `lrscout.report(valid_loss=...)` in the script gives a \
                 validation loss."
                    .to_owned(),
            );
        }
        if cut {
            let done = auto.candidates.iter().map(|c| c.losses.len()).max();
            auto.why.push(format!(
                "`--max-time` was over after {} of {rounds} seeds; the same \
                 command continues.",
                done.unwrap_or(0)
            ));
        }
        if let Some(comparison) = &auto.comparison {
            auto.why.push(comparison.prior.clone());
            if comparison.is_open() {
                auto.why.push(
                    "This is not decided: more seeds (`--seeds`, \
                     `--max-trainings`) would tell."
                        .to_owned(),
                );
            }
        }
        if let Some((own, _)) = &self.experiment.baseline {
            let own = format!("`{own}`");
            let named = format!("yours ({own})");
            for text in &mut auto.why {
                *text = text.replace(&own, &named);
            }
        }
        auto
    }
}

/// The failure of a training.
fn failed(why: &str) -> Error {
    Error::Failed(format!("{why}; the same command tries again"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_never_exceeded_and_well_used() {
        for most in 3..80 {
            let limits = Limits { most: Some(most), used: 1 };
            for found in 0..most {
                let (schedules, seeds) = limits.race(7, 5, found);
                let all = 1 + found + schedules * seeds;
                assert!(all <= most.max(1 + found), "{most} {found}");
                let left = most - 1 - found.min(most - 1);
                assert_eq!(schedules > 1 && seeds > 0, left >= 2, "{most}");
            }
        }
        let limits = Limits { most: Some(12), used: 1 };
        assert_eq!(limits.race(7, 5, 4), (2, 3));
        assert_eq!(limits.race(7, 5, 1), (3, 3));
        assert_eq!(Limits::default().race(7, 5, 20), (7, 5));
        assert_eq!(limits.finder(), Some(0.9));
        let few = Limits { most: Some(9), used: 1 };
        assert_eq!(few.finder(), None);
    }
}
