//! What a training follows: the rates of a schedule, and what reacts to the
//! training itself.

use super::compose::check_run;
use super::kinds::Kind;
use super::spec::{Form, ScheduleSpec};
use super::{Average, Problem, refine};

/// A rate for every update of a training, and what may change it on the way.
#[derive(Clone, Debug)]
pub(crate) struct Course {
    rates: Vec<f64>,
    momenta: Option<Vec<f64>>,
    plateau: Option<Plateau>,
    average: Option<Average>,
}

impl Course {
    /// What is left once `done` updates are.
    #[must_use]
    pub(crate) fn after(mut self, done: usize) -> Self {
        let rest = |all: &mut Vec<f64>| drop(all.drain(..done.min(all.len())));
        rest(&mut self.rates);
        self.momenta.iter_mut().for_each(rest);
        self
    }

    /// Updates.
    pub(crate) fn steps(&self) -> usize {
        self.rates.len()
    }

    /// Learning rate of update `step`, after all losses heard so far.
    pub(crate) fn lr(&self, step: usize) -> f64 {
        self.rates[step] * self.height()
    }

    /// Momentum of update `step`, where it is cycled.
    pub(crate) fn momentum(&self, step: usize) -> Option<f64> {
        self.momenta.as_ref().map(|momenta| momenta[step])
    }

    /// The same for a run that is evaluated at `average` of its weights.
    #[must_use]
    pub(crate) fn averaged(self, average: Option<Average>) -> Self {
        Self { average, ..self }
    }

    /// The average of the weights that its run is evaluated at; `None` for the
    /// last weights.
    pub(crate) fn average(&self) -> Option<Average> {
        self.average
    }

    /// Whether it wants the validation loss after `done` updates.
    pub(crate) fn listens(&self, done: usize) -> bool {
        self.plateau.as_ref().is_some_and(|plateau| {
            let passed = |done: usize| {
                done * plateau.evaluations / self.rates.len().max(1)
            };
            passed(done) > passed(done.saturating_sub(1))
        })
    }

    /// Whether what it hears can change its rates.
    pub(crate) fn reacts(&self) -> bool {
        self.plateau.is_some()
    }

    /// The factor on its rates after all losses heard so far.
    pub(crate) fn height(&self) -> f64 {
        self.plateau.as_ref().map_or(1.0, |plateau| plateau.height)
    }

    /// Takes the validation loss that it wants.
    pub(crate) fn hear(&mut self, loss: f64) {
        if let Some(plateau) = &mut self.plateau {
            plateau.hear(loss);
        }
    }
}

impl From<Vec<f64>> for Course {
    fn from(rates: Vec<f64>) -> Self {
        Self { rates, momenta: None, plateau: None, average: None }
    }
}

/// Updates of all `courses` from `step` on; shared ones count once. Reactions
/// to losses are not foreseen.
pub(crate) fn shared_steps(courses: &[&Course], step: usize) -> usize {
    let mut count = 0;
    let mut open = vec![(courses.to_vec(), step)];
    while let Some((mut courses, mut step)) = open.pop() {
        loop {
            courses.retain(|course| course.steps() > step);
            let parts = parts(&courses, step);
            if parts.len() != 1 {
                let part = |part: Vec<usize>| {
                    (part.into_iter().map(|i| courses[i]).collect(), step)
                };
                open.extend(parts.into_iter().map(part));
                break;
            }
            count += 1;
            step += 1;
        }
    }
    count
}

/// Groups of courses with the same update `step`, or with no further update, in
/// order of their first index.
pub(crate) fn parts(courses: &[&Course], step: usize) -> Vec<Vec<usize>> {
    // Bits of rate and momentum, and whether the update is schedule-free.
    type Update = Option<(u64, Option<u64>, bool)>;
    let mut parts: Vec<(Update, Vec<usize>)> = vec![];
    for (i, course) in courses.iter().enumerate() {
        let update = (step < course.steps()).then(|| {
            let momentum = course.momentum(step).map(f64::to_bits);
            let is_free = course.average == Some(Average::ScheduleFree);
            (course.lr(step).to_bits(), momentum, is_free)
        });
        match parts.iter_mut().find(|(known, _)| *known == update) {
            Some((_, part)) => part.push(i),
            None => parts.push((update, vec![i])),
        }
    }
    parts.into_iter().map(|(_, part)| part).collect()
}

/// Lowers the rate when the validation loss stops falling: `PyTorch`'s
/// `ReduceLROnPlateau`, the one schedule that is no function of the step.
#[derive(Clone, Debug)]
pub(super) struct Plateau {
    factor: f64,
    patience: usize,
    min_ratio: f64,
    /// Of the validation part, spread evenly over the training.
    evaluations: usize,
    /// The factor on the peak so far.
    height: f64,
    best: f64,
    /// Evaluations since the best one.
    waited: usize,
}

impl Plateau {
    /// A loss has to fall by this share of the best one to count as better.
    const THRESHOLD: f64 = 1e-4;

    pub(super) fn new(kind: &Kind) -> Option<Self> {
        let &Kind::Plateau { factor, patience, min_ratio, evaluations } = kind
        else {
            return None;
        };
        Some(Self {
            factor,
            patience,
            min_ratio,
            evaluations,
            height: 1.0,
            best: f64::INFINITY,
            waited: 0,
        })
    }

    /// Takes the next validation loss; gives the factor on the peak after it.
    pub(super) fn hear(&mut self, loss: f64) -> f64 {
        if loss < self.best * (1.0 - Self::THRESHOLD) {
            self.best = loss;
            self.waited = 0;
        } else {
            self.waited += 1;
        }
        if self.waited > self.patience {
            self.height = (self.height * self.factor).max(self.min_ratio);
            self.waited = 0;
        }
        self.height
    }
}

impl ScheduleSpec {
    /// What a training of `steps` updates follows.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build), but `plateau` is allowed.
    pub(crate) fn course(
        &self,
        peak: f64,
        steps: usize,
    ) -> Result<Course, Problem> {
        let plateau = match &self.form {
            Form::Kind(kind) => Plateau::new(kind),
            Form::Join(_) => None,
        };
        if plateau.is_none() {
            self.check_closed()?;
        }
        self.stands_at(steps)?;
        check_run(peak, steps)?;
        let factor = self.factor(steps)?;
        let rates =
            (0..steps).map(|step| peak * factor.at(step as f64)).collect();
        let momenta = self.momentum(steps)?.map(|momentum| {
            (0..steps).map(|step| momentum.at(step as f64)).collect()
        });
        let average = self.average(steps);
        Ok(Course { rates, momenta, plateau, average })
    }

    /// Checks the schedule at a budget of `steps`, whether its rates are
    /// known before a run or not.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    pub(crate) fn stands_at(&self, steps: usize) -> Result<(), Problem> {
        self.check()?;
        check_run(1.0, steps)?;
        self.factor(steps).map(|_| ())
    }

    /// Refuses a schedule whose rates are not a function of the step.
    pub(super) fn check_closed(&self) -> Result<(), Problem> {
        let what = match self.kind() {
            "refined" => "is made from the gradient norms of a run",
            "plateau" => "reacts to the validation loss of its run",
            _ => return Ok(()),
        };
        let message = format!(
            "`{}` {what} and has no rates before it: put it in a grid, or \
             train with `Learner::fit_spec`",
            self.kind()
        );
        Err(Problem::at("kind", message))
    }

    /// The schedule of the run that a `refined` one takes its gradient norms
    /// from; `None` for any other kind.
    pub(crate) fn pilot(&self) -> Option<Self> {
        let Form::Kind(Kind::Refined { from, .. }) = &self.form else {
            return None;
        };
        let mut pilot = Self::of_kind(from).ok()?;
        pilot.warmup = self.warmup;
        Some(pilot)
    }

    /// A `refined` schedule once the gradient norms of its pilot run are
    /// known, one for each update: L1 norms of an `adaptive` optimizer, else
    /// L2 norms. Any other kind stays as it is.
    ///
    /// # Errors
    ///
    /// If the warm-up is as long as the run.
    pub(crate) fn refined_by(
        &self,
        norms: &[f64],
        adaptive: bool,
    ) -> Result<Self, Problem> {
        let Form::Kind(Kind::Refined { tau, .. }) = &self.form else {
            return Ok(self.clone());
        };
        let rise = match self.warmup {
            Some(warmup) => warmup.steps(norms.len())?,
            None => 0,
        };
        let power = if adaptive { 1 } else { 2 };
        let factors = refine::factors(&norms[rise..], *tau, power);
        let mut table = Self::table(factors);
        table.warmup = self.warmup;
        table.cooldown = self.cooldown;
        table.average = self.average;
        Ok(table)
    }
}
