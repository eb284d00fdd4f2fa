mod script;

use super::Format;
use super::run::Run;
use crate::error::{Error, Result};
use crate::grid::{Experiment, outline_text};
use crate::learner::{Auto as Chosen, Limits, Stored};
use crate::results::Folder;
use crate::runner::{self, Cell, Event, Options, Prepared};
use crate::spec::time;
use crate::store::{Store, environment};
use crate::workload::Registry;
use script::Script;
use std::collections::HashSet;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// Find the rate, race schedules, and say whether that beats what you do now.
///
/// After `--`, give the command that starts your training script, as it is:
/// `python`, `torchrun`, `accelerate launch`. One undisturbed start records
/// its own rates; they are trained as the baseline with the same seeds as the
/// candidates. Each training runs in a folder of its own.
///
/// Or give a grid: uses the schedules, the seeds and the longest budget of
/// one workload; the rate is found under the grid's control schedule.
///
/// Results are stored as by `run`, so the same command continues after a
/// stop, with the same answer.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    lrscout auto -- python train.py --epochs 3\n  \
    lrscout auto --max-trainings 30 --max-time 2h -- torchrun train.py\n  \
    lrscout auto mine.toml\n  \
    lrscout auto experiments/smoke.toml --workload digits-mlp --format json")]
pub(crate) struct Auto {
    /// Experiment grid (TOML).
    #[arg(required_unless_present = "command")]
    grid: Option<PathBuf>,
    /// The workload, if the grid has several.
    #[arg(long, value_name = "NAME", requires = "grid")]
    workload: Option<String>,
    /// The command that starts the training script.
    #[arg(last = true, value_name = "COMMAND", conflicts_with = "grid")]
    command: Vec<String>,
    /// Cut the script's trainings after so many updates; default: as many as
    /// it makes by itself.
    #[arg(long, value_name = "NUMBER", requires = "command")]
    steps: Option<NonZeroUsize>,
    /// Most seeds of each schedule [default: 5, or those of the grid].
    #[arg(long, value_name = "NUMBER")]
    seeds: Option<NonZeroUsize>,
    /// Most trainings in all. Every start counts as one, however short: the
    /// recorded one, those that find the rate, and those of the race. Below
    /// 10, the rate is not searched: schedules run at the script's own.
    #[arg(long, value_name = "NUMBER",
          value_parser = clap::value_parser!(u32).range(3..))]
    max_trainings: Option<u32>,
    /// Stop cleanly after this time, e.g. 2h, with an answer from the seeds
    /// that are complete; the same command continues.
    #[arg(long, value_name = "TIME", value_parser = time)]
    max_time: Option<Duration>,
    /// Simultaneous trainings; default: one per core. The answer does not
    /// depend on it.
    #[arg(long)]
    jobs: Option<NonZeroUsize>,
    /// Folder of the results; each choice gets its own inside, `auto-NAME`.
    #[arg(long, value_name = "DIR", default_value = "results")]
    results: PathBuf,
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

impl Auto {
    pub(crate) fn run(
        self,
        registry: &Registry,
        out: &mut impl Write,
    ) -> anyhow::Result<()> {
        let stop = runner::stop_on_signals()?;
        let store = Store::new(&self.results.join(".store"));
        store.sweep();
        let deadline =
            self.max_time.and_then(|time| Instant::now().checked_add(time));
        let jobs = self.jobs.map_or_else(environment::cores, usize::from);
        let tell = |event: &Event<'_>| {
            if !matches!(event, Event::Began { .. }) {
                super::say(event);
            }
        };
        let means = Means { store: &store, stop: &stop, tell: &tell, deadline };
        let options = |only: HashSet<String>| means.options(jobs, only);
        let most = self.max_trainings.map(|most| most as usize);
        let mut limits = Limits { most, used: 0 };
        let base = match &self.grid {
            Some(grid) => grid.parent().unwrap_or(Path::new("")),
            None => Path::new(""),
        };
        let experiment = if let Some(grid) = &self.grid {
            let mut experiment = self.of_grid(grid, registry)?;
            limits.used = experiment.recordings();
            let own = options(HashSet::new());
            runner::record_baselines(
                &mut experiment,
                base,
                &store,
                &own,
                false,
            )
            .map_err(|error| own.explained(error))?;
            with_baseline(experiment)?
        } else {
            let script = Script::new(&self.command, base)?;
            let means = script::Means {
                limits,
                seeds: self.seeds.map_or(5, usize::from),
                steps: self.steps.map(usize::from),
                most_time: self.max_time,
                jobs,
            };
            let (recording, told) = script.record(means, &store, &options)?;
            limits.used = 1;
            let experiment = script.experiment(&recording, means)?;
            let text = script.cost(&recording, &experiment, means, told);
            tell(&Event::Note { text: &text });
            experiment
        };
        let folder = Folder::new(&self.results.join(&experiment.name));
        if let Some((label, _)) = &experiment.baseline {
            let own = experiment.schedules.iter().find(|s| s.label() == *label);
            if let Some(own) = own {
                script::write_own(own, experiment.budgets[0], &folder)?;
            }
        }
        let prepared = runner::prepare(&experiment, registry, base)?;
        let choice = Stored {
            experiment: &experiment,
            prepared: &prepared,
            store: &store,
            limits,
            options: &options,
        };
        let late = |error| options(HashSet::new()).explained(error);
        let (auto, ids) = choice.auto().map_err(late)?;
        if !auto.candidates.is_empty() {
            let last = of_race(&experiment, &auto);
            let prepared = runner::prepare(&last, registry, base)?;
            self.publish(&last, &prepared, &means, ids, out)?;
        }
        match self.format {
            Format::Text => {
                match &auto.comparison {
                    Some(comparison) => writeln!(out, "{comparison}\n")?,
                    None => writeln!(out, "{} at {:e}\n", auto.label, auto.lr)?,
                }
                writeln!(out, "{}", auto.why.join("\n"))?;
                writeln!(out, "\ntables in {}", folder.dir().display())?;
            }
            Format::Json => {
                writeln!(out, "{}", serde_json::to_string_pretty(&auto)?)?;
            }
        }
        Ok(())
    }

    /// The workload of a grid to choose for.
    fn of_grid(
        &self,
        grid: &Path,
        registry: &Registry,
    ) -> anyhow::Result<Experiment> {
        let mut experiment = Experiment::load(grid, &super::known(registry))?;
        let names: Vec<String> = experiment
            .workloads
            .iter()
            .map(|entry| entry.name.clone())
            .collect();
        if let Some(name) = &self.workload {
            experiment.workloads.retain(|entry| entry.name == *name);
        }
        if experiment.workloads.len() != 1 {
            return Err(Error::Invalid(format!(
                "choose one workload with `--workload`: {}",
                names.join(", ")
            ))
            .into());
        }
        let longest = experiment.budgets.iter().max().copied();
        experiment.budgets = longest.into_iter().collect();
        experiment.lr_multiples = vec![1.0];
        experiment.race = false;
        experiment.name = format!("auto-{}", experiment.workloads[0].name);
        if let Some(seeds) = self.seeds {
            let first = experiment.seeds.first().copied().unwrap_or(0);
            experiment.seeds = (first..).take(seeds.get()).collect();
        }
        // The control first: the rate is found under it.
        let control = experiment.control.clone();
        experiment.schedules.sort_by_key(|spec| spec.label() != control);
        let most = self.max_trainings.map(|most| most as usize);
        if let Some(trainings) = (Limits { most, used: 0 }).finder() {
            let own = experiment.lr_find.trainings;
            experiment.lr_find.trainings = own.min(trainings);
        } else if experiment.workloads[0].lr.is_none() {
            return Err(Error::Invalid(
                "to find the rate takes `--max-trainings 10` or more, or an \
                 `lr` of the workload"
                    .to_owned(),
            )
            .into());
        }
        Ok(experiment)
    }

    /// Writes the tables and the report of a race.
    fn publish(
        &self,
        last: &Experiment,
        prepared: &Prepared,
        means: &Means<'_>,
        ids: HashSet<String>,
        out: &mut impl Write,
    ) -> anyhow::Result<()> {
        let silent = |_: &Event<'_>| {};
        let options = Options {
            only: Some(ids),
            bars: false,
            ..Options::new(1, means.stop, &silent)
        };
        let mut results =
            runner::execute(last, prepared, means.store, &options)?;
        for cell in &mut results.runs {
            if matches!(cell, Cell::Missing) {
                *cell = Cell::Stopped;
            }
        }
        let command = match &self.grid {
            Some(grid) => format!("lrscout auto {}", grid.display()),
            None => format!("lrscout auto -- {}", self.command.join(" ")),
        };
        Run::plain(self.results.clone(), true)
            .publish(last, prepared, &results, None, command, out)?;
        Ok(())
    }
}

/// How trainings are executed.
struct Means<'a> {
    store: &'a Store,
    stop: &'a AtomicBool,
    tell: &'a (dyn Fn(&Event<'_>) + Sync),
    deadline: Option<Instant>,
}

impl<'a> Means<'a> {
    fn options(&self, jobs: usize, only: HashSet<String>) -> Options<'a> {
        Options {
            only: Some(only),
            deadline: self.deadline,
            ..Options::new(jobs, self.stop, self.tell)
        }
    }
}

/// `experiment` with the baseline of its workload as one of the schedules.
fn with_baseline(mut experiment: Experiment) -> Result<Experiment> {
    let baseline = experiment.workloads[0].baseline.take();
    let steps = experiment.budgets[0];
    if let Some((lr, spec)) = baseline.as_ref().and_then(|own| own.at(steps)) {
        let own = script::own_rates(spec, steps)?;
        experiment.baseline = Some((own.label(), lr));
        experiment.schedules.push(own);
    }
    Ok(experiment)
}

/// The part of `experiment` that was trained.
fn of_race(experiment: &Experiment, auto: &Chosen) -> Experiment {
    let seeds = auto.candidates.iter().map(|c| c.losses.len()).max();
    let mut last = experiment.clone();
    last.seeds.truncate(seeds.unwrap_or(0));
    last.schedules.retain(|spec| {
        let label = spec.label();
        auto.candidates.iter().any(|candidate| candidate.label == label)
    });
    if !last.schedules.iter().any(|spec| spec.label() == last.control) {
        last.control = last.schedules[0].label();
    }
    last.text = outline_text(&last);
    last
}
