//! What one short start of each training script shows about its grid.

use crate::cli::forecast;
use crate::error::{Error, Result};
use crate::grid::{Experiment, WorkloadEntry};
use crate::plan::cost::Pace;
use crate::report::number::rate;
use crate::spec::{ExternalSpec, TrainerSpec};
use crate::train::{External, Look, Outlook, Trainer};
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

/// Times its measured training that a time limit should allow: several run at
/// once.
const SPACE: f64 = 3.0;

/// One script, as its start shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct ScriptRow {
    workload: String,
    /// Before its first update.
    start_seconds: f64,
    /// Of one update.
    step_seconds: f64,
    /// Updates of this start.
    made: usize,
    /// Updates that it makes by itself; `None` if that is not known.
    updates: Option<usize>,
    /// Those of an epoch.
    epoch: Option<usize>,
    /// Who evaluates; `None` if the score is its training loss.
    evaluates: Option<String>,
    /// Its own rates at the first update and at the last one that was made.
    own_rates: [f64; 2],
    /// Whether it changes its rate itself.
    scheduled: bool,
}

/// The scripts of a grid.
#[derive(Default)]
pub(super) struct Scripts {
    pub(super) rows: Vec<ScriptRow>,
    /// What the user should know.
    pub(super) notes: Vec<String>,
    /// Of each workload that is a script.
    paces: Vec<Option<Pace>>,
}

impl Scripts {
    /// Starts every script of `experiment`, read from `path`, once, or twice
    /// if that was slow.
    ///
    /// # Errors
    ///
    /// If one cannot be trained like this, with the place in the grid.
    pub(super) fn start(
        path: &Path,
        experiment: &Experiment,
        trainers: &[Trainer],
        stop: &dyn Fn() -> bool,
    ) -> Result<Self> {
        let mut scripts = Self::default();
        // Several workloads may be one script at several rates.
        let mut known: Vec<(&ExternalSpec, Look)> = vec![];
        for (entry, trainer) in experiment.workloads.iter().zip(trainers) {
            let (TrainerSpec::External(spec), Trainer::External(external)) =
                (&entry.spec, trainer)
            else {
                scripts.paces.push(None);
                continue;
            };
            if spec.script.is_none() {
                scripts.paces.push(None);
                continue;
            }
            let longest = experiment.budgets.iter().copied().max().unwrap_or(1);
            let same = |other: &ExternalSpec| {
                other.command == spec.command && other.script == spec.script
            };
            let look = match known.iter().find(|(other, _)| same(other)) {
                Some((_, look)) => look.clone(),
                // One more shows whether it ends there.
                None => warm(external, longest + 1, stop)
                    .map_err(|error| placed(error, path, experiment, entry))?,
            };
            let script = Script { path, experiment, entry, spec, look: &look };
            script.check()?;
            scripts.notes.extend(script.notes());
            scripts.rows.push(script.row());
            scripts.paces.push(Some(look.outlook.pace));
            known.push((spec, look));
        }
        Ok(scripts)
    }

    /// The pace of a workload, if it is a script.
    pub(super) fn pace(&self, workload: usize) -> Option<Pace> {
        self.paces.get(workload).copied().flatten()
    }
}

/// A short start of a script as its trainings will be: if the first start was
/// slow, a second one, which finds its files in memory.
fn warm(
    script: &External,
    limit: usize,
    stop: &dyn Fn() -> bool,
) -> Result<Look> {
    let start = |look: &Look| look.outlook.pace.start_seconds;
    let first = script.look(limit, stop)?;
    if start(&first) < forecast::SLOW_START {
        return Ok(first);
    }
    let second = script.look(limit, stop)?;
    Ok(if start(&second) < start(&first) { second } else { first })
}

/// A fault of a script, at its place in the grid.
fn placed(
    error: Error,
    path: &Path,
    experiment: &Experiment,
    entry: &WorkloadEntry,
) -> Error {
    let key = match error {
        Error::Program { .. } => "script",
        Error::TimedOut { .. } => "timeout",
        other => return other,
    };
    experiment.complaint(path, Some(entry), key, error.to_string())
}

struct Script<'a> {
    path: &'a Path,
    experiment: &'a Experiment,
    entry: &'a WorkloadEntry,
    spec: &'a ExternalSpec,
    look: &'a Look,
}

impl Script<'_> {
    /// Refuses a grid that this script cannot train.
    fn check(&self) -> Result<()> {
        let Self { path, experiment, entry, spec, .. } = self;
        let Outlook { pace, updates, .. } = &self.look.outlook;
        let name = &entry.name;
        let longest = self.longest();
        if let Some(own) = updates.filter(|own| *own < longest) {
            let message = format!(
                "`{name}` makes {own} updates by itself and would end before \
                 {longest}: give it more epochs in `args`, or a budget of at \
                 most {own}"
            );
            return Err(experiment.complaint(path, None, "budgets", message));
        }
        let seconds = self.seconds();
        if seconds > spec.timeout.as_secs_f64() {
            let message = format!(
                "one training of `{name}` with {longest} updates takes about \
                 {seconds:.0} s ({:.1} s to start, {} an update), longer \
                 than its `timeout` of {} s: give at least \"{:.0}m\"",
                pace.start_seconds,
                forecast::moment(pace.step_seconds),
                spec.timeout.as_secs_f64(),
                (SPACE * seconds / 60.0).ceil(),
            );
            let place = Some(*entry);
            return Err(experiment.complaint(path, place, "timeout", message));
        }
        Ok(())
    }

    fn notes(&self) -> Vec<String> {
        let Self { experiment, entry, look, .. } = self;
        let Outlook { updates, epoch, evaluates, .. } = &look.outlook;
        let name = &entry.name;
        let mut notes = vec![];
        if self.is_scheduled() {
            let [first, last] = self.own_rates();
            notes.push(format!(
                "`{name}` changes its rate itself (from {} to {} in its first \
                 {} updates): this is overruled, the schedules of the grid \
                 set every rate{}",
                rate(first),
                rate(last),
                look.rates.len(),
                match entry.baseline {
                    Some(_) => "",
                    None => "; `baseline = \"recorded\"` compares with its own",
                }
            ));
        }
        if evaluates.is_none() {
            notes.push(format!(
                "`{name}` makes no evaluation: the score is the mean training \
                 loss over the last tenth of the updates, which rewards \
                 memorizing; `lrscout.on_eval(f)` or \
                 `lrscout.report(valid_loss=...)` in the script gives a \
                 validation loss"
            ));
        }
        let shortest = experiment.budgets.iter().copied().min().unwrap_or(0);
        let longest = self.longest();
        if updates.is_none() && look.rates.len() <= longest {
            notes.push(format!(
                "how many updates `{name}` makes by itself is not known after \
                 this start: it must make at least {longest}, so give it \
                 epochs enough"
            ));
        }
        let every = look.evaluated.or(*epoch);
        if let (Some(every), Some("report")) = (every, evaluates.as_deref()) {
            let cut = |budget: &&usize| !budget.is_multiple_of(every);
            for budget in experiment.budgets.iter().filter(cut) {
                let (low, high) = around(*budget, every);
                notes.push(format!(
                    "`{name}` reports a validation loss every {every} updates, \
                     and {budget} are no multiple of it: the score would be \
                     the training loss; take {low}{high}, or \
                     `lrscout.on_eval(f)`"
                ));
            }
        }
        if let Some(epoch) = epoch.filter(|epoch| shortest < *epoch) {
            notes.push(format!(
                "a budget of {shortest} updates is less than an epoch of \
                 `{name}` ({epoch} updates): it does not see all its data"
            ));
        }
        let rise = self.rise();
        if rise > shortest {
            notes.push(format!(
                "the rate of `{name}` rises for {rise} updates or more by \
                 itself, longer than a budget of {shortest}: so short a \
                 training says little about its usual one"
            ));
        }
        let space = self.seconds() * SPACE;
        if Duration::try_from_secs_f64(space)
            .is_ok_and(|space| space > self.spec.timeout)
        {
            notes.push(format!(
                "one training of `{name}` takes about {}; with several at \
                 once, its `timeout` of {} may be too short",
                forecast::moment(self.seconds()),
                forecast::moment(self.spec.timeout.as_secs_f64()),
            ));
        }
        notes
    }

    /// Of the longest training.
    fn seconds(&self) -> f64 {
        self.look.outlook.pace.seconds(self.longest())
    }

    /// The largest budget.
    fn longest(&self) -> usize {
        self.experiment.budgets.iter().copied().max().unwrap_or(0)
    }

    fn is_scheduled(&self) -> bool {
        let rates: BTreeSet<u64> =
            self.look.rates.iter().map(|rate| rate.to_bits()).collect();
        self.look.outlook.scheduled || rates.len() > 1
    }

    fn own_rates(&self) -> [f64; 2] {
        let rates = &self.look.rates;
        let end = |rate: Option<&f64>| rate.copied().unwrap_or(0.0);
        [end(rates.first()), end(rates.last())]
    }

    /// Updates until its highest rate, 0 if that is the first one.
    fn rise(&self) -> usize {
        let mut highest = 0;
        for (i, rate) in self.look.rates.iter().enumerate() {
            if *rate > self.look.rates[highest] {
                highest = i;
            }
        }
        if highest == 0 { 0 } else { highest + 1 }
    }

    fn row(&self) -> ScriptRow {
        let Outlook { pace, updates, epoch, evaluates, .. } =
            self.look.outlook.clone();
        ScriptRow {
            workload: self.entry.name.clone(),
            start_seconds: pace.start_seconds,
            step_seconds: pace.step_seconds,
            made: self.look.rates.len(),
            updates,
            epoch,
            evaluates,
            own_rates: self.own_rates(),
            scheduled: self.is_scheduled(),
        }
    }
}

/// The multiples of `step` on both sides of `value`.
fn around(value: usize, step: usize) -> (String, String) {
    let low = value / step * step;
    let high = low + step;
    match low {
        0 => (high.to_string(), String::new()),
        low => (low.to_string(), format!(" or {high}")),
    }
}

impl ScriptRow {
    /// For the text of `check`.
    pub(super) fn in_words(&self) -> String {
        let made = self.made;
        let updates = match (self.updates, self.epoch) {
            (Some(updates), Some(epoch)) => {
                format!("{updates} updates by itself, {epoch} an epoch")
            }
            (Some(updates), None) => format!("{updates} updates by itself"),
            (None, Some(epoch)) => {
                format!("{made} updates or more by itself, {epoch} an epoch")
            }
            (None, None) => format!("{made} updates or more by itself"),
        };
        format!(
            "`{}`: {:.1} s to start, {} an update; {updates}; the score is {}",
            self.workload,
            self.start_seconds,
            forecast::moment(self.step_seconds),
            forecast::score(self.evaluates.as_deref()),
        )
    }
}
