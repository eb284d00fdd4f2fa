//! Parts of a schedule that a run never reaches: milestones after its end, a
//! warm-up that it does not finish.

use super::checks::is_step;
use super::compose::lengths;
use super::kinds::Kind;
use super::spec::{Form, ScheduleSpec};
use super::value::short;
use crate::text::quoted;

/// Parts of `schedules` that are never reached at one of the `budgets`, one
/// line each. Such a schedule is not what its name says.
pub(crate) fn never_reached(
    schedules: &[ScheduleSpec],
    budgets: &[usize],
) -> Vec<String> {
    let line = |schedule: &ScheduleSpec, steps: usize| {
        let never = schedule.never_reached(steps)?;
        let label = quoted(&schedule.label());
        Some(format!("{label} at a budget of {steps} steps: {never}"))
    };
    schedules
        .iter()
        .flat_map(|schedule| {
            budgets.iter().filter_map(move |&steps| line(schedule, steps))
        })
        .collect()
}

impl ScheduleSpec {
    /// The parts of the schedule that a run of `steps` updates never reaches,
    /// in words such as "no milestone lies within the 30 steps, so it is
    /// `constant`"; `None` if it reaches all, or is invalid at this budget.
    ///
    /// ```
    /// use lrscout::ScheduleSpec;
    ///
    /// # fn main() -> Result<(), lrscout::Problem> {
    /// let spec = ScheduleSpec::step().with("milestones", [60, 90])?;
    /// let said = "no milestone lies within the 30 steps, so it is `constant`";
    /// assert_eq!(spec.never_reached(30).as_deref(), Some(said));
    /// assert_eq!(spec.never_reached(100), None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn never_reached(&self, steps: usize) -> Option<String> {
        let rise = match self.warmup {
            Some(warmup) => warmup.steps(steps).ok()?,
            None => 0,
        };
        let steps = steps.checked_sub(rise).filter(|&steps| steps > 0)?;
        let mut never = vec![];
        // Updates that follow the kind and not a cooldown.
        let own = match self.cooldown {
            None => steps,
            Some(cooldown) => {
                let begin = (1.0 - cooldown.share) * steps as f64;
                if begin >= (steps - 1) as f64 {
                    never
                        .push("its cooldown begins after the last step".into());
                }
                (0..steps).take_while(|&t| t as f64 <= begin).count()
            }
        };
        match &self.form {
            Form::Join(parts) => {
                for (number, (part, steps)) in
                    (1..).zip(parts.iter().zip(lengths(parts, steps).ok()?))
                {
                    let inside = part.spec.never_reached(steps);
                    never.extend(
                        inside.map(|it| format!("in part {number}, {it}")),
                    );
                }
            }
            Form::Kind(kind) => {
                let mut within = format!("the {own} steps");
                within += if rise > 0 { " after its warm-up" } else { "" };
                within += if own < steps { " before its cooldown" } else { "" };
                never.extend(kind.beyond(own, steps, &within));
            }
        }
        if self.is_flat(rise, rise + steps) {
            let so = if never.is_empty() { "" } else { "so " };
            never.push(format!("{so}it is `constant`"));
        }
        (!never.is_empty()).then(|| never.join(", "))
    }

    /// Whether a schedule whose shape is a kind's, and not `constant`, gives
    /// one rate at all updates `from..to`.
    fn is_flat(&self, from: usize, to: usize) -> bool {
        let fixed = matches!(
            self.form,
            Form::Join(_)
                | Form::Kind(
                    Kind::Constant {}
                        | Kind::ScheduleFree { .. }
                        | Kind::Piecewise { .. }
                        | Kind::Table { .. }
                        | Kind::Refined { .. }
                        | Kind::Plateau { .. }
                )
        );
        if fixed && self.cooldown.is_none() {
            return false;
        }
        let Ok(factor) = self.factor(to) else { return false };
        let first = factor.at(from as f64);
        (from..to).all(|step| factor.at(step as f64) == first)
    }
}

impl Kind {
    /// What lies after the first `own` of `steps` updates, which are `within`
    /// in words.
    fn beyond(&self, own: usize, steps: usize, within: &str) -> Option<String> {
        let whole = steps as f64;
        let last = own.saturating_sub(1) as f64;
        match *self {
            Self::Step { ref milestones, .. } => {
                let is_late = |&&m: &&f64| {
                    if is_step(m, milestones) {
                        m > last
                    } else {
                        last / whole < m
                    }
                };
                let late: Vec<String> = milestones
                    .iter()
                    .filter(is_late)
                    .map(|&m| short(m))
                    .collect();
                match late.len() {
                    0 => None,
                    n if n == milestones.len() => {
                        Some(format!("no milestone lies within {within}"))
                    }
                    _ => Some(format!(
                        "the milestones {} do not lie within {within}",
                        late.join(", ")
                    )),
                }
            }
            Self::Noam { warmup_steps, .. } if warmup_steps > own => {
                Some(format!(
                    "its {warmup_steps} warm-up steps do not end within \
                     {within}, so it only rises"
                ))
            }
            Self::Wsd { decay, .. } if last / whole <= 1.0 - decay => {
                Some("its decay begins after the last step".to_owned())
            }
            Self::Knee { explore } if last / whole <= explore => {
                Some("its way down begins after the last step".to_owned())
            }
            Self::Cyclical { step_size_up: Some(up), .. } if up > own => {
                Some(format!(
                    "its first rise takes {up} steps and does not end within \
                     {within}"
                ))
            }
            Self::Sgdr { t_0: Some(t_0), .. } if t_0 > own => Some(format!(
                "its first cycle takes {t_0} steps and does not end within \
                 {within}"
            )),
            Self::Plateau { patience, evaluations, .. } => {
                // The first loss has none to be worse than, and a loss after
                // the last update changes no rate.
                let heard = evaluations.min(steps).saturating_sub(1);
                (heard < patience + 2).then(|| {
                    format!(
                        "it needs {} evaluations to react and has {heard} \
                         before the last of the {steps} steps, so it \
                         is `constant`",
                        patience + 2
                    )
                })
            }
            _ => None,
        }
    }
}
