//! Warm-up, cooldown, join: from a spec to a function of the step.

use super::kinds::{Rise, Shape};
use super::shapes::{Factor, half_cosine, progress};
use super::spec::{
    Cooldown, Form, Part, PartLength, ScheduleSpec, Warmup, WarmupLength,
};
use super::{Problem, Schedule};

impl ScheduleSpec {
    /// Fixes the peak learning rate and the budget, in updates. From update
    /// `steps` on the last value holds.
    ///
    /// # Errors
    ///
    /// If a value is out of range, or the schedule cannot stand at this
    /// budget: a warm-up as long as the budget, joined parts that do not
    /// fill it, a table of another length.
    pub fn build(
        &self,
        peak: f64,
        steps: usize,
    ) -> Result<Box<dyn Schedule>, Problem> {
        self.check()?;
        check_run(peak, steps)?;
        let factor = self.factor(steps)?;
        Ok(scaled(peak, steps, 0.0, factor))
    }

    /// The learning rates of all updates of a run.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    pub fn rates(&self, peak: f64, steps: usize) -> Result<Vec<f64>, Problem> {
        let schedule = self.build(peak, steps)?;
        Ok((0..steps).map(|step| schedule.lr(step)).collect())
    }

    /// The factor on the peak over `steps` updates, warm-up included.
    pub(super) fn factor(&self, steps: usize) -> Result<Factor, Problem> {
        let Some(warmup) = self.warmup else { return self.body(steps, 0) };
        let rise = warmup.steps(steps)?;
        let body = self.body(steps - rise, rise)?;
        let whole = rise as f64;
        Ok(Box::new(move |t| {
            if t < whole { warmup.at(t, whole) } else { body(t - whole) }
        }))
    }

    /// The factor over `steps` updates that follow a warm-up of `warmup`.
    pub(super) fn body(
        &self,
        steps: usize,
        warmup: usize,
    ) -> Result<Factor, Problem> {
        let factor = match &self.form {
            Form::Kind(kind) => kind.factor(steps, warmup)?,
            Form::Join(parts) => join(parts, steps, Self::factor)?,
        };
        Ok(match self.cooldown {
            Some(cooldown) => cooldown.after(factor, steps),
            None => factor,
        })
    }
}

/// Refuses a peak or a budget with which no schedule has a meaning.
pub(super) fn check_run(peak: f64, steps: usize) -> Result<(), Problem> {
    if !(peak > 0.0 && peak.is_finite()) {
        return Err(Problem::whole(format!(
            "the peak learning rate is {peak}, it must be above 0"
        )));
    }
    if steps == 0 {
        return Err(Problem::whole(
            "the budget is 0 steps, it must be 1 or more",
        ));
    }
    Ok(())
}

/// `peak` times `factor` at `step + ahead`, its last value held from `steps`
/// on.
pub(super) fn scaled(
    peak: f64,
    steps: usize,
    ahead: f64,
    factor: Factor,
) -> Box<dyn Schedule> {
    let last = steps - 1;
    Box::new(move |step: usize| peak * factor(step.min(last) as f64 + ahead))
}

impl Warmup {
    /// The length in updates where the budget is `steps`.
    pub(super) fn length(&self, steps: usize) -> usize {
        match self.length {
            WarmupLength::Steps(rise) => rise,
            WarmupLength::Percent(percent) => {
                whole(percent * steps as f64 / 100.0).max(1)
            }
        }
    }

    /// The length in updates inside a budget of `steps`.
    pub(super) fn steps(&self, steps: usize) -> Result<usize, Problem> {
        let rise = self.length(steps);
        if rise < steps {
            return Ok(rise);
        }
        Err(Problem::at(
            "warmup",
            format!(
                "`warmup` is {rise} steps, the budget only {steps}; leave at \
                 least one step after the warm-up"
            ),
        ))
    }

    /// The factor at update `t` of `steps`.
    ///
    /// Without a start ratio it begins at `1 / (steps + 1)`, not at 0: a
    /// first rate of 0 would spend an update on standing still.
    pub(super) fn at(&self, t: f64, steps: f64) -> f64 {
        let (start, x) = match self.start_ratio {
            None => (0.0, (t + 1.0) / (steps + 1.0)),
            Some(start) => (start, t / steps),
        };
        match self.shape {
            Rise::Linear => start + (1.0 - start) * x,
            Rise::Cosine => start + (1.0 - start) * (1.0 - half_cosine(x)),
            Rise::Exponential => start.powf(1.0 - x),
        }
    }
}

impl Cooldown {
    /// `factor` with its last part replaced.
    pub(super) fn after(self, factor: Factor, steps: usize) -> Factor {
        let Self { share, shape, end_ratio } = self;
        let end = shape.end_or_default(end_ratio);
        let whole = steps as f64;
        let begin = factor((1.0 - share) * whole);
        Box::new(move |t| {
            let x = progress(t, whole, share);
            if x > 0.0 {
                end + (begin - end) * Shape::at(shape, x, end)
            } else {
                factor(t)
            }
        })
    }
}

/// Parts one after the other, each from its own update 0 and with its own
/// `factor` over so many steps.
pub(super) fn join(
    parts: &[Part],
    steps: usize,
    factor: impl Fn(&ScheduleSpec, usize) -> Result<Factor, Problem>,
) -> Result<Factor, Problem> {
    let whole_budget = steps as f64;
    let mut end = 0.0;
    let mut ends = vec![];
    for part in parts {
        end += match part.length {
            PartLength::Steps(steps) => steps as f64,
            PartLength::Share(share) => share * whole_budget,
        };
        ends.push(end);
    }
    // Shares such as 0.1 + 0.2 + 0.7 add up to 1 but for rounding.
    if (end - whole_budget).abs() > 1e-9 * whole_budget {
        let message = format!(
            "the parts of `join` take {} steps, the budget is {steps}; they \
             must fill it exactly",
            whole_or_not(end)
        );
        return Err(Problem::at("join", message));
    }
    let mut begin = 0;
    let mut factors = vec![];
    for (number, (part, end)) in (1..).zip(parts.iter().zip(ends)) {
        let inside = |problem: Problem| {
            let message = format!("part {number} of `join`: {problem}");
            Problem::at("join", message)
        };
        let end = whole(end);
        if end == begin {
            let problem = format!("its share of {steps} steps is no step");
            return Err(inside(Problem::whole(problem)));
        }
        let factor = factor(&part.spec, end - begin).map_err(inside)?;
        factors.push((begin as f64, factor));
        begin = end;
    }
    Ok(Box::new(move |t| {
        let part = factors.iter().rev().find(|(begin, _)| t >= *begin);
        part.map_or(1.0, |(begin, factor)| factor(t - begin))
    }))
}

/// The nearest whole number of steps.
fn whole(steps: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a part of a budget, 0 or more"
    )]
    let whole = steps.round() as usize;
    whole
}

/// A number of steps for a message, without a tail of rounding errors.
fn whole_or_not(steps: f64) -> String {
    let thousandths = (steps * 1e3).round() / 1e3;
    thousandths.to_string()
}
