//! Warm-up, cooldown, join: from a spec to a function of the step.

use super::formula::{Expr, Formula, half_cosine, named};
use super::kinds::{Kind, Rise};
use super::shapes::progress;
use super::spec::{
    Cooldown, Form, Part, PartLength, ScheduleSpec, Warmup, WarmupLength,
};
use super::{Problem, Schedule};
use std::sync::Arc;

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
        check_run(peak, steps)?;
        let factor = self.formula(steps)?;
        let last = steps - 1;
        Ok(Box::new(move |step: usize| peak * factor.at(step.min(last) as f64)))
    }

    /// The factor on the peak over `steps` updates, as an expression.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    pub(crate) fn formula(
        &self,
        steps: usize,
    ) -> Result<Arc<Formula>, Problem> {
        self.check()?;
        self.check_closed()?;
        self.factor(steps)
    }

    /// The momentum over `steps` updates, where it is cycled; it holds its
    /// first value during a warm-up.
    ///
    /// # Errors
    ///
    /// If the warm-up is as long as the budget.
    pub(crate) fn momentum(
        &self,
        steps: usize,
    ) -> Result<Option<Arc<Formula>>, Problem> {
        let Form::Kind(kind) = &self.form else { return Ok(None) };
        let rise = match self.warmup {
            Some(warmup) => warmup.steps(steps)?,
            None => 0,
        };
        let Some(value) = kind.momentum(steps - rise) else { return Ok(None) };
        let own = Formula::new("momentum", value);
        if rise == 0 {
            return Ok(Some(own));
        }
        let warmup = Expr::Named("warmup", rise as f64);
        let value = own.of((Expr::Time - warmup).max(0.0));
        Ok(Some(Formula::new("momentum_after_warmup", value)))
    }

    /// Updates of the warm-up in a run of `steps` updates; 0 without one.
    ///
    /// # Errors
    ///
    /// If it is as long as the budget.
    pub(crate) fn warmup_steps(&self, steps: usize) -> Result<usize, Problem> {
        self.warmup.map_or(Ok(0), |warmup| warmup.steps(steps))
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
    pub(super) fn factor(&self, steps: usize) -> Result<Arc<Formula>, Problem> {
        let Some(warmup) = self.warmup else { return self.body(steps, 0) };
        let rise = warmup.steps(steps)?;
        let body = self.body(steps - rise, rise)?;
        let whole = Expr::Named("warmup", rise as f64);
        let after = body.of(Expr::Time - &whole);
        let rise = warmup.rise(&whole);
        let rise = match self.form {
            Form::Kind(Kind::ScheduleFree { lr_ratio }) if lr_ratio != 1.0 => {
                named!(lr_ratio);
                lr_ratio * rise
            }
            _ => rise,
        };
        let value = Expr::Time.below(&whole, rise, after);
        Ok(Formula::new("warmup", value))
    }

    /// The factor over `steps` updates that follow a warm-up of `warmup`.
    fn body(
        &self,
        steps: usize,
        warmup: usize,
    ) -> Result<Arc<Formula>, Problem> {
        let factor = match &self.form {
            Form::Kind(kind) => kind.factor(steps, warmup)?,
            Form::Join(parts) => join(parts, steps, Self::factor)?,
        };
        Ok(match self.cooldown {
            Some(cooldown) => cooldown.after(&factor, steps),
            None => factor,
        })
    }
}

/// The longest budget: its rates, listed, take 800 MB.
const MOST_STEPS: usize = 100_000_000;

/// Refuses a peak or a budget that makes sense for no schedule.
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
    if steps > MOST_STEPS {
        return Err(Problem::whole(format!(
            "the budget is {steps} steps, it must be at most {MOST_STEPS}"
        )));
    }
    Ok(())
}

impl Warmup {
    /// The same with a length in updates, a share of `steps` rounded up: as
    /// `TrainingArguments.get_warmup_steps` of Hugging Face does, in its order
    /// of operations.
    pub(super) fn rounded_up(self, steps: usize) -> Self {
        let WarmupLength::Percent(percent) = self.length else { return self };
        let rise = whole((steps as f64 * (percent / 100.0)).ceil());
        Self { length: WarmupLength::Steps(rise), ..self }
    }

    /// The length in updates inside a budget of `steps`.
    pub(super) fn steps(&self, steps: usize) -> Result<usize, Problem> {
        let rise = match self.length {
            WarmupLength::Steps(rise) => rise,
            WarmupLength::Percent(percent) => {
                whole(percent * steps as f64 / 100.0).max(1)
            }
        };
        if rise < steps {
            return Ok(rise);
        }
        Err(Problem::at(
            "warmup",
            format!(
                "`warmup` is {rise} steps, but the budget is {steps}; leave at \
                 least one step after the warm-up"
            ),
        ))
    }

    /// The factor during the warm-up, of `steps` updates.
    ///
    /// Without a start ratio it begins at `1 / (steps + 1)`, not at 0: a
    /// first rate of 0 would spend an update on standing still.
    fn rise(&self, steps: &Expr) -> Expr {
        let Some(start) = self.start_ratio else {
            let x = (Expr::Time + 1.0) / (steps + 1.0);
            return match self.shape {
                Rise::Cosine => 1.0 - half_cosine(x),
                Rise::Linear | Rise::Exponential => x,
            };
        };
        let start = Expr::Named("warmup_start_ratio", start);
        let x = Expr::Time / steps;
        match self.shape {
            Rise::Linear => &start + (1.0 - &start) * x,
            Rise::Cosine => &start + (1.0 - &start) * (1.0 - half_cosine(x)),
            Rise::Exponential => start.pow(1.0 - x),
        }
    }
}

impl Cooldown {
    /// `factor` with its last part replaced.
    pub(super) fn after(
        self,
        factor: &Arc<Formula>,
        steps: usize,
    ) -> Arc<Formula> {
        let Self { share, shape, end_ratio } = self;
        let end = shape.end_or_default(end_ratio);
        let end = Expr::Named("cooldown_end_ratio", end);
        let whole = steps as f64;
        let begin = factor.of((1.0 - share) * whole).called("begin");
        let x = progress(whole, &Expr::Named("cooldown", share));
        let tail = &end + (begin - &end) * shape.at(&x, &end);
        let value = x.at_most(0.0, factor.of(Expr::Time), tail);
        Formula::new("cooldown", value)
    }
}

/// Updates of each of the parts that fill `steps` together.
///
/// # Errors
///
/// If they do not fill them, or one of them is left without an update.
pub(super) fn lengths(
    parts: &[Part],
    steps: usize,
) -> Result<Vec<usize>, Problem> {
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
    let length = |(number, end): (usize, f64)| {
        let length = whole(end) - begin;
        begin += length;
        if length == 0 {
            let problem = format!("its share of {steps} steps is no step");
            return Err(in_part(number)(Problem::whole(problem)));
        }
        Ok(length)
    };
    (1..).zip(ends).map(length).collect()
}

/// Turns a problem of part `number` into one of its `join`.
fn in_part(number: usize) -> impl Fn(Problem) -> Problem {
    move |problem| {
        let message = format!("part {number} of `join`: {problem}");
        Problem::at("join", message)
    }
}

/// Parts one after the other, each from its own update 0 and with its own
/// `factor` over so many steps.
pub(super) fn join(
    parts: &[Part],
    steps: usize,
    factor: impl Fn(&ScheduleSpec, usize) -> Result<Arc<Formula>, Problem>,
) -> Result<Arc<Formula>, Problem> {
    let mut begin = 0;
    let mut pieces = vec![];
    for (number, (part, length)) in
        (1..).zip(parts.iter().zip(lengths(parts, steps)?))
    {
        let factor = factor(&part.spec, length).map_err(in_part(number))?;
        let end = begin + length;
        pieces.push((begin as f64, end as f64, factor));
        begin = end;
    }
    let each = pieces.into_iter().rev();
    let value = each.fold(None, |later, (begin, end, factor)| {
        let now = match begin {
            0.0 => Expr::Time,
            _ => Expr::Time - begin,
        };
        let part = factor.of(now);
        Some(match later {
            None => part,
            Some(later) => Expr::Time.below(end, part, later),
        })
    });
    Ok(Formula::new("join", value.unwrap_or(Expr::Number(1.0))))
}

/// The nearest whole number of steps.
pub(super) fn whole(steps: f64) -> usize {
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
