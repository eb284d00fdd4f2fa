//! The advice for a training to come, from the model of a study.

use super::number::percent;
use super::table::{likely, wrapped};
use crate::error::{Error, Result};
use crate::results::rows::PosteriorRow;
use crate::stats::hierarchical::MOST_R_HAT;
use crate::text::{count, listed, unknown};
use serde::Serialize;

/// Schedules that are less often within 1 % of the best are not shown.
const LEAST: f64 = 0.01;

/// Rows of the table on a terminal.
const MOST_SHOWN: usize = 10;

/// What is known about a training to come; `None` for what is not.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Case {
    /// Its length in updates.
    pub(crate) steps: Option<u64>,
    /// Kind of the optimizer.
    pub(crate) optimizer: Option<String>,
    /// Kind of the task.
    pub(crate) kind: Option<String>,
    /// Size of the model.
    pub(crate) parameters: Option<u64>,
    /// Whether the learning rate is one that was found for it, or may be off
    /// by up to four times.
    pub(crate) is_rate_trusted: bool,
}

/// The model of one stage of a study.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    /// Name of its results folder.
    pub(crate) name: &'static str,
    /// Updates of its runs.
    pub(crate) budget: u64,
    /// Its table `posterior.csv`.
    pub(crate) rows: Vec<PosteriorRow>,
    /// Parameters of its largest model.
    pub(crate) largest: u64,
}

/// The advice: the schedules that may be the best, best first.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct CaseAdvice<'a> {
    case: &'a Case,
    /// The stage that it is from.
    study: &'static str,
    headline: String,
    schedules: Vec<&'a PosteriorRow>,
    /// Schedules that are not among them.
    left_out: usize,
    /// Where the study does not reach.
    limits: Vec<String>,
    /// How to be sure.
    next: String,
}

impl<'a> CaseAdvice<'a> {
    /// The advice for `case` from the stage whose budget is nearest.
    ///
    /// # Errors
    ///
    /// If the kind of task is not one of the study's, there is no stage, or the
    /// chains of its model do not agree.
    pub(crate) fn new(case: &'a Case, stages: &'a [Stage]) -> Result<Self> {
        let distance = |stage: &&Stage| {
            let steps = case.steps.unwrap_or(stage.budget).max(1);
            (steps as f64 / stage.budget as f64).ln().abs()
        };
        let nearest = match case.steps {
            Some(_) => {
                let by = |a: &&Stage, b: &&Stage| {
                    distance(a).total_cmp(&distance(b))
                };
                stages.iter().min_by(by)
            }
            None => stages.last(),
        };
        let stage = nearest.ok_or_else(|| {
            Error::Invalid("there is no study to answer from".to_owned())
        })?;
        let mut limits = vec![];
        let optimizer = optimizer(case, stage, &mut limits);
        let kind = kind(case, stage)?;
        let rate = case.is_rate_trusted.then_some("1");
        let (mut rows, mut has_kind) = (of(stage, optimizer, rate, kind), true);
        if rows.first().is_none_or(|row| row.r_hat > MOST_R_HAT) {
            has_kind = kind.is_none();
            rows = of(stage, optimizer, rate, None);
        }
        let Some(best) = rows.first().copied() else {
            return Err(Error::Invalid(format!(
                "`{}` has no model of such a case",
                stage.name
            )));
        };
        if best.r_hat > MOST_R_HAT {
            return Err(Error::Invalid(format!(
                "the chains of the model of `{}` do not agree about this case, \
                 so it has no numbers to quote",
                stage.name
            )));
        }
        if !has_kind {
            limits.push(
                "The model is not sure enough about this kind of task alone: \
                 the numbers are for all kinds."
                    .to_owned(),
            );
        }
        limits.extend(beyond(case, stage, stages));
        let all = rows.len();
        let is_open = |row: &&PosteriorRow| row.p_near_best >= LEAST;
        let schedules: Vec<&PosteriorRow> =
            rows.into_iter().filter(is_open).collect();
        Ok(Self {
            case,
            study: stage.name,
            headline: headline(case, best, has_kind),
            left_out: all - schedules.len(),
            schedules,
            limits,
            next: next(case, stage),
        })
    }

    /// The advice for a terminal, at most 100 columns wide.
    pub(crate) fn text(&self) -> String {
        let shown = &self.schedules[..MOST_SHOWN.min(self.schedules.len())];
        let others = self.left_out + self.schedules.len() - shown.len();
        let others = match others {
            0 => String::new(),
            1 => "The other schedule is less likely. ".to_owned(),
            several => format!("The other {several} are less likely. "),
        };
        let about = format!(
            "{others}Probabilities and regret are about the average over data \
             sets; `new data` is the regret to expect on one data set. Source: \
             {}.",
            self.study
        );
        let limits = self.limits.iter().map(String::as_str);
        let last: Vec<&str> = limits.chain([self.next.as_str()]).collect();
        format!(
            "{}\n{}\n{}\n{}",
            wrapped(&self.headline),
            likely(shown),
            wrapped(&about),
            wrapped(&last.join(" "))
        )
    }
}

/// The optimizer of the case, where the study has it.
fn optimizer<'a>(
    case: &'a Case,
    stage: &Stage,
    limits: &mut Vec<String>,
) -> Option<&'a str> {
    let wanted = case.optimizer.as_deref()?;
    let mut known: Vec<&str> =
        stage.rows.iter().filter_map(|row| row.optimizer.as_deref()).collect();
    known.sort_unstable();
    known.dedup();
    if known.contains(&wanted) {
        return Some(wanted);
    }
    limits.push(format!(
        "The study has {}, not `{wanted}`: the numbers are for their mean.",
        listed(&known)
    ));
    None
}

/// The kind of task of the case.
fn kind<'a>(case: &'a Case, stage: &Stage) -> Result<Option<&'a str>> {
    let Some(wanted) = case.kind.as_deref() else { return Ok(None) };
    let mut known: Vec<&str> =
        stage.rows.iter().filter_map(|row| row.kind.as_deref()).collect();
    known.sort_unstable();
    known.dedup();
    if known.contains(&wanted) {
        return Ok(Some(wanted));
    }
    Err(Error::Invalid(unknown("kind of task", wanted, &known)))
}

/// The rows of a regime, best first.
fn of<'a>(
    stage: &'a Stage,
    optimizer: Option<&str>,
    rate: Option<&str>,
    kind: Option<&str>,
) -> Vec<&'a PosteriorRow> {
    let is_it = |row: &&PosteriorRow| {
        row.optimizer.as_deref() == optimizer
            && row.budget.is_none()
            && row.lr_multiple.as_deref() == rate
            && row.kind.as_deref() == kind
    };
    stage.rows.iter().filter(is_it).collect()
}

fn headline(case: &Case, best: &PosteriorRow, has_kind: bool) -> String {
    let mut of = vec![];
    of.extend(
        case.steps
            .map(|steps| format!("of {}", count(steps, "update", "updates"))),
    );
    of.extend(case.optimizer.as_ref().map(|name| format!("with {name}")));
    let kind = case.kind.as_ref().filter(|_| has_kind);
    of.extend(kind.map(|kind| format!("on a task of the kind `{kind}`")));
    let rate = if case.is_rate_trusted {
        "at a rate that was found for it"
    } else {
        "at a rate that may be off by up to four times"
    };
    of.push(rate.to_owned());
    format!(
        "For a training {}, use `{}`: it is within 1 % of the best schedule \
         with a probability of {}.",
        of.join(" "),
        best.schedule,
        percent(best.p_near_best)
    )
}

/// What of the case lies outside of the study.
fn beyond(case: &Case, stage: &Stage, stages: &[Stage]) -> Vec<String> {
    let mut limits = vec![];
    let budgets: Vec<String> =
        stages.iter().map(|stage| stage.budget.to_string()).collect();
    if let Some(steps) = case.steps
        && stages.iter().all(|stage| stage.budget != steps)
    {
        let (least, most) = (
            stages.iter().map(|s| s.budget).min().unwrap_or(0),
            stages.iter().map(|s| s.budget).max().unwrap_or(0),
        );
        let outside = if steps < least || steps > most {
            ", and this extrapolates"
        } else {
            ""
        };
        limits.push(format!(
            "The study has {} updates: the numbers are those of {}{outside}.",
            budgets.join(" and "),
            stage.budget
        ));
    }
    limits.push(match case.parameters {
        Some(own) if own > stage.largest => format!(
            "Its models have at most {} parameters, and this one has {own}: \
             this extrapolates.",
            stage.largest
        ),
        Some(_) => String::new(),
        None => format!(
            "Its models have at most {} parameters: for larger ones, this \
             extrapolates.",
            stage.largest
        ),
    });
    limits.retain(|limit| !limit.is_empty());
    limits
}

/// How to be sure on the own model, and what it costs.
fn next(case: &Case, stage: &Stage) -> String {
    let steps = case.steps.unwrap_or(stage.budget);
    format!(
        "To be sure on your own model: `lrscout auto GRID` with `budgets = \
         [{steps}]`. It takes about 35 trainings: five for the rate, and six \
         schedules with five seeds."
    )
}

#[cfg(test)]
mod tests;
