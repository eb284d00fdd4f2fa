//! `--dry-run`: what a run of a grid would compute.

use super::STDOUT;
use crate::cli::Format;
use crate::error::{Error, Result};
use crate::grid::Experiment;
use crate::runner::Prepared;
use crate::store::Store;
use serde::Serialize;
use std::collections::HashSet;
use std::fmt;
use std::io::Write;
use std::path::Path;

/// What a run of a grid would compute.
#[derive(Serialize)]
pub(super) struct Outlook<'a> {
    grid: &'a str,
    event: &'static str,
    learning_rates: usize,
    all_learning_rates: usize,
    runs: usize,
    all_runs: usize,
    /// Updates of all that is missing, those of gradient norms included.
    steps: usize,
    /// Those of them that runs with a common beginning need not repeat.
    steps_shared: usize,
    /// Whether a race may stop some of it.
    race: bool,
}

impl<'a> Outlook<'a> {
    pub(super) fn new(
        experiment: &'a Experiment,
        prepared: &Prepared,
        store: &Store,
        only: Option<&HashSet<String>>,
    ) -> Result<Self> {
        let plan = &prepared.plan;
        let missing = |id: &str| -> Result<bool> {
            let wanted = only.is_none_or(|only| only.contains(id));
            Ok(wanted && !store.has(id)?)
        };
        let (mut learning_rates, mut steps, mut runs) = (0, 0, vec![]);
        for cell in plan.searches() {
            learning_rates += usize::from(missing(&cell.id)?);
        }
        for cell in &plan.pilots {
            if missing(&cell.id)? {
                steps += cell.budget;
            }
        }
        for (i, cell) in plan.runs.iter().enumerate() {
            if missing(&cell.id)? {
                steps += cell.budget;
                runs.push(i);
            }
        }
        Ok(Self {
            grid: &experiment.name,
            event: "planned",
            learning_rates,
            all_learning_rates: plan.searches().count(),
            runs: runs.len(),
            all_runs: plan.runs.len(),
            steps,
            steps_shared: plan.shared_steps(experiment, &runs),
            race: experiment.race,
        })
    }

    pub(super) fn show(
        &self,
        format: Format,
        out: &mut impl Write,
    ) -> Result<()> {
        let text = match format {
            Format::Json => serde_json::to_string(self).unwrap_or_default(),
            Format::Text => self.to_string(),
        };
        writeln!(out, "{text}").map_err(Error::io(Path::new(STDOUT)))
    }
}

impl fmt::Display for Outlook<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { grid, steps, steps_shared, .. } = self;
        let race = if self.race { ", fewer if the race stops any" } else { "" };
        write!(
            f,
            "{grid}: {} of {} learning rates and {} of {} runs to compute, \
             {} steps ({steps_shared} of {steps} shared){race}",
            self.learning_rates,
            self.all_learning_rates,
            self.runs,
            self.all_runs,
            steps - steps_shared,
        )
    }
}
