//! Learning rate and schedule of one model on one data set, in one call.

mod stored;
#[cfg(test)]
mod tests;
mod why;

use super::Learner;
use crate::error::{Error, Result};
use crate::grid::LrFindSpec;
use crate::lr_find::{self, LrFound, Means, Memo};
pub use crate::ranking::Comparison;
use crate::runner::{all_in_parallel, caught, jobs, several};
use crate::schedule::{Course, ScheduleSpec};
use crate::stats::evalue;
use crate::train::Trainer;
use serde::Serialize;
pub(crate) use stored::{Limits, Stored};
use why::why;

/// Chance of stopping any schedule that is as good as the others.
const ALPHA: f64 = 0.05;

/// Seeds below which nothing is stopped.
const FEWEST_SEEDS: usize = 3;

/// What [`Learner::auto`] may spend: the length of the training that rate and
/// schedule are for, and how many such trainings each schedule gets.
///
/// Finding the rate costs about five trainings, the race at most one for each
/// schedule and seed.
#[derive(Clone, Debug)]
pub struct Budget {
    steps: usize,
    seeds: usize,
    schedules: Vec<ScheduleSpec>,
}

impl Budget {
    /// Trainings of `steps` updates, with five seeds and the usual schedules:
    /// linear, cosine, `wsd` with a short and a long decay, `rex` and
    /// one-cycle, all but the last with a warm-up of a twentieth.
    ///
    /// # Panics
    ///
    /// Never: what it sets is valid.
    pub fn steps(steps: usize) -> Self {
        let long = ScheduleSpec::wsd().with("decay", 0.6);
        let mut schedules = vec![
            ScheduleSpec::linear(),
            ScheduleSpec::cosine(),
            ScheduleSpec::wsd(),
            long.expect("0.6 is a share"),
            ScheduleSpec::rex(),
        ];
        schedules =
            schedules.into_iter().map(|s| s.warmup(steps / 20)).collect();
        schedules.push(ScheduleSpec::one_cycle());
        Self { steps, seeds: 5, schedules }
    }

    /// Replaces the number of seeds, the most trainings of each schedule.
    #[must_use]
    pub fn seeds(mut self, seeds: usize) -> Self {
        self.seeds = seeds;
        self
    }

    /// Replaces the schedules. The rate is found under the first one.
    #[must_use]
    pub fn schedules(
        mut self,
        schedules: impl IntoIterator<Item = ScheduleSpec>,
    ) -> Self {
        self.schedules = schedules.into_iter().collect();
        self
    }

    /// Its schedules.
    pub(crate) fn into_schedules(self) -> Vec<ScheduleSpec> {
        self.schedules
    }

    fn check(&self) -> Result<()> {
        let wrong = if self.steps == 0 {
            "a budget needs at least 1 step"
        } else if self.seeds == 0 {
            "a budget needs at least 1 seed, and better 5"
        } else if self.schedules.is_empty() {
            "a budget needs at least 1 schedule"
        } else {
            return Ok(());
        };
        Err(Error::Invalid(wrong.to_owned()))
    }
}

/// A learning rate and a schedule, with the reasons.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Auto {
    /// Peak learning rate: `found.lr`.
    pub lr: f64,
    /// The schedule to train with, to be built with `lr` and the steps of the
    /// budget.
    pub schedule: ScheduleSpec,
    /// Its label.
    pub label: String,
    /// How the rate was found.
    pub found: LrFound,
    /// The schedules of the race, best first.
    pub candidates: Vec<Candidate>,
    /// The best of them against what is done without lrscout, where that is
    /// one of them.
    pub comparison: Option<Comparison>,
    /// Why, and what for, in sentences.
    pub why: Vec<String>,
}

/// A schedule in the race.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Candidate {
    /// Label of the schedule.
    pub label: String,
    /// Validation loss after each training, in order of the seeds; `None`
    /// where it diverged.
    pub losses: Vec<Option<f64>>,
    /// Whether it was stopped before all seeds were used, or at the last.
    pub stopped: bool,
    /// The evidence that another one is better: an e-value adjusted for all
    /// pairs. The schedule is stopped from 20 on, or if it diverges and another
    /// one does not.
    pub e_value: f64,
}

impl Candidate {
    fn diverged(&self) -> bool {
        self.losses.iter().any(Option::is_none)
    }

    /// Mean loss; infinite if a training diverged.
    fn mean(&self) -> f64 {
        let losses = self.losses.iter().map(|l| l.unwrap_or(f64::INFINITY));
        losses.sum::<f64>() / self.losses.len() as f64
    }
}

impl Learner {
    /// Finds the learning rate, races schedules at it, and says which to use
    /// and why.
    ///
    /// Seeds are added until one schedule is left or the budget is used up.
    /// After the third and every further seed, a schedule that another one
    /// beats beyond chance is stopped: an e-process on the differences of
    /// their validation losses, which may be looked at after every seed. All
    /// of it holds for this model, this data set and this budget.
    ///
    /// ```no_run
    /// # use lrscout::{Budget, Learner};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let learner: Learner = unimplemented!();
    /// let auto = learner.auto(Budget::steps(2_000))?;
    /// println!("{} at {}", auto.label, auto.lr);
    /// let fit = learner.fit(&auto.schedule.build(auto.lr, 2_000)?, 2_000)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the budget or a schedule makes no sense, or the model or the data
    /// set fails. Divergence is no error.
    pub fn auto(&self, budget: Budget) -> Result<Auto> {
        let trainer = self.trainer()?;
        let run = Choose {
            trainer: &trainer,
            find: &LrFindSpec::default(),
            seed: self.seed,
            jobs: jobs(&trainer),
            stop: &|| false,
        };
        run.auto(&budget)
    }
}

/// What a choice is made on, and how.
struct Choose<'a> {
    trainer: &'a Trainer,
    find: &'a LrFindSpec,
    /// First of the seeds.
    seed: u64,
    /// Trainings at once; the answer does not depend on it.
    jobs: usize,
    /// Asked before every update.
    stop: &'a (dyn Fn() -> bool + Sync),
}

impl Choose<'_> {
    /// See [`Learner::auto`].
    ///
    /// # Errors
    ///
    /// As there, and [`Error::Interrupted`] when `stop` says so.
    fn auto(&self, budget: &Budget) -> Result<Auto> {
        budget.check()?;
        // An invalid schedule is refused before anything is trained.
        courses(budget, 1.0)?;
        let find = || {
            lr_find::for_workload(
                self.trainer,
                self.find,
                &budget.schedules[0],
                budget.steps,
                Means {
                    several: &several(self.jobs),
                    memo: Memo::NONE,
                    stop: self.stop,
                },
            )
        };
        let found = caught(find).answer()?;
        let courses = courses(budget, found.lr)?;
        let labels = budget.schedules.iter().map(ScheduleSpec::label).collect();
        let seeds = (0..budget.seeds as u64).map(|k| self.seed.wrapping_add(k));
        let race = raced(labels, seeds, &mut |live, seed| {
            self.train(live, &courses, seed).map(Some)
        })?;
        let order = order(&race);
        let schedule = budget.schedules[order[0]].clone();
        let candidates: Vec<Candidate> =
            order.into_iter().map(|j| race[j].clone()).collect();
        Ok(Auto {
            lr: found.lr,
            label: schedule.label(),
            schedule,
            comparison: None,
            why: why(&found, &candidates, budget.steps, false, None),
            found,
            candidates,
        })
    }

    /// Validation losses of the schedules `live` with one seed, in order.
    fn train(
        &self,
        live: &[usize],
        courses: &[Course],
        seed: u64,
    ) -> Result<Vec<(usize, Option<f64>)>> {
        let loss = |j: usize| {
            let course = courses[j].clone();
            let fit = self.trainer.follow(seed, course, self.stop)?;
            let loss = fit.valid.map(|score| score.loss);
            Ok((j, loss.filter(|loss| loss.is_finite())))
        };
        all_in_parallel(self.jobs, live, loss)
    }
}

/// The courses of the schedules of `budget` at the rate `peak`.
fn courses(budget: &Budget, peak: f64) -> Result<Vec<Course>> {
    let course = |schedule: &ScheduleSpec| {
        schedule.course(peak, budget.steps).map_err(|problem| {
            Error::Invalid(format!("{}: {problem}", schedule.label()))
        })
    };
    budget.schedules.iter().map(course).collect()
}

/// Losses of candidates, with their numbers.
type Losses = Vec<(usize, Option<f64>)>;

/// Trains candidates with a seed, or ends their race with `None`.
type Train<'a> = dyn FnMut(&[usize], u64) -> Result<Option<Losses>> + 'a;

/// The race of the schedules called `labels`: `train` trains those given with
/// a seed, or ends the race with `None`.
fn raced(
    labels: Vec<String>,
    seeds: impl Iterator<Item = u64>,
    train: &mut Train<'_>,
) -> Result<Vec<Candidate>> {
    let mut race: Vec<Candidate> = labels
        .into_iter()
        .map(|label| Candidate {
            label,
            losses: vec![],
            stopped: false,
            e_value: 0.0,
        })
        .collect();
    for (round, seed) in seeds.enumerate() {
        let live: Vec<usize> =
            (0..race.len()).filter(|&j| !race[j].stopped).collect();
        // With one schedule alone, or one left, nothing can change.
        if live.len() < 2 && round > 0 {
            break;
        }
        let Some(losses) = train(&live, seed)? else { break };
        for (j, loss) in losses {
            race[j].losses.push(loss);
        }
        look(&mut race);
    }
    Ok(race)
}

/// The candidates, best first.
fn order(race: &[Candidate]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..race.len()).collect();
    order.sort_by(|&a, &b| {
        let (a, b) = (&race[a], &race[b]);
        let seeds = b.losses.len().cmp(&a.losses.len());
        let stopped = a.stopped.cmp(&b.stopped);
        stopped.then(seeds).then(a.mean().total_cmp(&b.mean()))
    });
    order
}

/// Stops schedules that another one beats beyond chance, and those that
/// diverged while another one did not.
fn look(race: &mut [Candidate]) {
    let some_whole = race.iter().any(|c| !c.stopped && !c.diverged());
    if some_whole {
        for candidate in race.iter_mut().filter(|c| c.diverged()) {
            candidate.stopped = true;
        }
    }
    // Evidence on pairs that are no longer compared is kept: without it the
    // adjustment would be for fewer pairs than were tested.
    let pairs: Vec<(usize, usize)> = (0..race.len())
        .flat_map(|a| (0..race.len()).map(move |b| (a, b)))
        .filter(|(a, b)| a != b)
        .collect();
    let e: Vec<f64> = pairs
        .iter()
        .map(|&(a, b)| {
            let both = race[a].losses.iter().zip(&race[b].losses);
            let differences: Vec<f64> =
                both.filter_map(|(a, b)| Some((*a)? - (*b)?)).collect();
            evalue::student_e_value(&differences)
        })
        .collect();
    let adjusted = evalue::adjusted(&e);
    for (&(a, _), e) in pairs.iter().zip(adjusted) {
        let candidate = &mut race[a];
        candidate.e_value = candidate.e_value.max(e);
        if e >= 1.0 / ALPHA && candidate.losses.len() >= FEWEST_SEEDS {
            candidate.stopped = true;
        }
    }
}
