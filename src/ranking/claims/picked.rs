//! The runs that a claim is about.

use crate::error::{Error, Result};
use crate::ranking::Protocol;
use crate::ranking::analysis::{Runs, TEST_COLUMN};
use crate::ranking::cells::Table;
use crate::ranking::extras::tuned::tuned;
use crate::record::Observation;
use crate::results::rows::{Budgets, Statement};
use crate::text::quoted;
use std::collections::BTreeSet;

/// The word for runs with the multiple tuned for every schedule.
const TUNED: &str = "tuned";

/// Stands between the labels that are one schedule.
const OR: &str = " | ";

/// Runs, and the column of their scores.
pub(super) struct Picked<'a> {
    runs: Vec<Observation>,
    column: &'a str,
}

impl<'a> Picked<'a> {
    /// The runs of the two schedules of a claim.
    ///
    /// # Errors
    ///
    /// If there are none of one of them, or nothing can be tuned.
    pub(super) fn both(
        runs: &'a Runs,
        statement: &Statement,
        budget: Budgets,
    ) -> Result<Self> {
        let names = [&statement.a, &statement.b];
        let keep = |run: &Observation| {
            let is = |name: &&&String| {
                name.split(OR).any(|label| label == run.schedule)
            };
            let name = names.iter().find(is)?;
            Some(Observation { schedule: (*name).clone(), ..run.clone() })
        };
        let picked = selected(runs, statement, budget, keep);
        let known = |name: &String| {
            picked.observations.iter().any(|run| run.schedule == *name)
        };
        match names.into_iter().find(|name| !known(name)) {
            None => Self::at_rate(picked, runs, statement),
            Some(name) => Err(Error::Invalid(format!(
                "there are no such runs of {}",
                quoted(name)
            ))),
        }
    }

    /// The runs of all schedules that have some at each budget: where one
    /// lacks a budget, nothing could be compared there.
    ///
    /// # Errors
    ///
    /// If there are none, or nothing can be tuned.
    pub(super) fn all(
        runs: &'a Runs,
        statement: &Statement,
        budget: Budgets,
    ) -> Result<Self> {
        let keep = |run: &Observation| Some(run.clone());
        let picked = selected(runs, statement, budget, keep);
        let mut picked = Self::at_rate(picked, runs, statement)?;
        let there: BTreeSet<(Option<u64>, String)> = picked
            .runs
            .iter()
            .map(|run| (run.budget, run.schedule.clone()))
            .collect();
        let budgets: BTreeSet<Option<u64>> =
            there.iter().map(|(budget, _)| *budget).collect();
        picked.runs.retain(|run| {
            let at = |budget| (budget, run.schedule.clone());
            budgets.iter().all(|&budget| there.contains(&at(budget)))
        });
        if picked.runs.is_empty() {
            let message = "no schedule has such runs at every budget";
            return Err(Error::Invalid(message.to_owned()));
        }
        Ok(picked)
    }

    /// Those at the multiple that the claim is about; `from` has the names of
    /// the columns.
    fn at_rate(
        picked: Runs,
        from: &'a Runs,
        statement: &Statement,
    ) -> Result<Self> {
        let mut runs = picked.observations;
        let Some(multiple) = &statement.lr_multiple else {
            return Ok(Self { runs, column: &from.column });
        };
        if multiple == TUNED {
            let runs = tuned(&runs, &picked.tests).ok_or_else(|| {
                Error::Invalid(
                    "nothing can be tuned; that takes several multiples, two \
                     seeds and a test loss"
                        .to_owned(),
                )
            })?;
            return Ok(Self { runs, column: TEST_COLUMN });
        }
        let own: f64 = multiple.parse().map_err(|_| {
            Error::Invalid(format!(
                "`lr_multiple` is a number or `{TUNED}`, not {}",
                quoted(multiple)
            ))
        })?;
        runs.retain(|run| run.lr_multiple == Some(own));
        Ok(Self { runs, column: &from.column })
    }

    /// The runs as the ranking needs them.
    ///
    /// # Errors
    ///
    /// As [`Table::new`].
    pub(super) fn table(&self, protocol: &Protocol) -> Result<Table> {
        Table::new(&self.runs, self.column, protocol)
    }
}

/// The runs at the budgets and under the optimizer of a claim. `keep` gives a
/// run the name of the schedule that it counts for.
fn selected(
    runs: &Runs,
    statement: &Statement,
    budget: Budgets,
    keep: impl Fn(&Observation) -> Option<Observation>,
) -> Runs {
    let wanted = |run: &&Observation| {
        let optimizer = runs.traits.optimizers.get(&run.workload);
        let at = match budget {
            Budgets::All => true,
            Budgets::One(own) => run.budget == Some(own),
            Budgets::Two(first, second) => {
                run.budget.is_some_and(|own| [first, second].contains(&own))
            }
        };
        at && (statement.optimizer.is_none()
            || statement.optimizer.as_ref() == optimizer)
    };
    let of = |runs: &[Observation]| -> Vec<Observation> {
        runs.iter().filter(wanted).filter_map(&keep).collect()
    };
    Runs {
        observations: of(&runs.observations),
        tests: of(&runs.tests),
        ..Runs::default()
    }
}
