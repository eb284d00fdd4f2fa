mod limit;
mod outlook;

use super::Format;
use super::filter::Filter;
use super::report;
use crate::error::{Error, Result};
use crate::grid::{Baseline, Experiment};
use crate::plan::Plan;
use crate::ranking::{Analysis, Protocol, Runs, comparisons, told};
use crate::report::ReportInput;
use crate::results::Folder;
use crate::runner::publish::{Published, publish_analysis, publish_cells};
use crate::runner::{self, Cell, Event, Options, Prepared, Results};
use crate::spec::time;
use crate::store::{Store, environment};
use crate::workload::Registry;
use limit::within;
use outlook::Outlook;
use serde::Serialize;
use std::collections::HashSet;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// Find the learning rates, train every schedule, and rank them.
///
/// Results in the store are not computed again. The same command therefore
/// continues an interrupted run, and a second run does nothing. Ctrl-C once
/// drops the runs in progress and keeps the rest; Ctrl-C twice stops at once.
#[derive(clap::Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "switches of a command")]
#[command(after_help = "Examples:\n  \
    lrscout run experiments/smoke.toml\n  \
    lrscout run experiments/*.toml --jobs 4 --max-time 30m\n  \
    lrscout run mine.toml --max-trainings 30\n  \
    lrscout run mine.toml --filter 'model=mlp, seed<3'\n  \
    lrscout run mine.toml --results /tmp/results --dry-run")]
pub(crate) struct Run {
    /// Experiment grids (TOML).
    #[arg(required = true, value_name = "GRID")]
    grids: Vec<PathBuf>,
    /// Simultaneous runs; default: the grid's `jobs`, else one per core.
    #[arg(long)]
    jobs: Option<NonZeroUsize>,
    /// Folder of the results; each grid gets its own inside.
    #[arg(long, value_name = "DIR", default_value = "results")]
    results: PathBuf,
    /// Only these runs, e.g. `model=mlp, seed<3`: conditions on workload,
    /// model, dataset, optimizer, schedule, budget, multiple or seed, with =,
    /// !=, <, <=, > and >=; `*` stands for any text. The tables contain the
    /// runs that exist; the schedules are ranked once the grid is complete.
    #[arg(long, value_name = "CONDITIONS")]
    filter: Option<Filter>,
    /// Print what would be computed, and compute nothing.
    #[arg(long)]
    dry_run: bool,
    /// Stop at the first run that fails; by default the others continue.
    #[arg(long)]
    fail_fast: bool,
    /// Stop cleanly after this time, e.g. 30m; the same command continues.
    #[arg(long, value_name = "TIME", value_parser = time)]
    max_time: Option<Duration>,
    /// Most trainings in all, those in the results included: a run counts as
    /// one, a search for a rate as the `trainings` of `[lr_find]`. The first
    /// seeds of all schedules come first; a larger number continues.
    #[arg(long, value_name = "NUMBER")]
    max_trainings: Option<usize>,
    /// Stop a run after this time, e.g. 10m; it counts as failed.
    #[arg(long, value_name = "TIME", value_parser = time)]
    run_time: Option<Duration>,
    /// Train every run from its start, even if several runs have the same first
    /// steps. The results are the same to the bit.
    #[arg(long)]
    no_sharing: bool,
    /// Print no progress and no leaderboard, only errors.
    #[arg(long)]
    quiet: bool,
    /// Text, or one JSON object per line for each event.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// A line of `--format json`.
#[derive(Serialize)]
struct Line<'a> {
    grid: &'a str,
    #[serde(flatten)]
    event: &'a Event<'a>,
}

impl Run {
    /// How another verb shows and publishes what it ran.
    pub(super) fn plain(results: PathBuf, quiet: bool) -> Self {
        Self {
            grids: vec![],
            jobs: None,
            results,
            filter: None,
            dry_run: false,
            fail_fast: false,
            max_time: None,
            max_trainings: None,
            run_time: None,
            no_sharing: false,
            quiet,
            format: Format::Text,
        }
    }

    pub(crate) fn run(
        self,
        registry: &Registry,
        out: &mut impl Write,
    ) -> anyhow::Result<()> {
        // All grids are checked before anything is written for one of them.
        let known = super::known(registry);
        let mut experiments = self
            .grids
            .iter()
            .map(|grid| Experiment::load(grid, &known))
            .collect::<Result<Vec<_>>>()?;
        if let Some((a, b)) = same_name(&experiments) {
            let (a, b) = (&self.grids[a], &self.grids[b]);
            return Err(Error::Invalid(format!(
                "`{}` and `{}` would share one results folder: rename one",
                a.display(),
                b.display()
            ))
            .into());
        }
        let stop = runner::stop_on_signals()?;
        // A time too long for the clock is no deadline.
        let deadline =
            self.max_time.and_then(|time| Instant::now().checked_add(time));
        let store = Store::new(&self.results.join(".store"));
        let (mut failed, mut reasons) = (0, vec![]);
        let mut left = self.max_trainings;
        for (experiment, grid) in experiments.iter_mut().zip(&self.grids) {
            let base = grid.parent().unwrap_or(Path::new(""));
            self.record(experiment, base, &store, &stop, deadline)?;
            let experiment = &*experiment;
            let prepared = runner::prepare(experiment, registry, base)?;
            for never in experiment.never_reached() {
                let text = &format!("warning: {never}");
                self.tell(experiment, &Event::Note { text });
            }
            let only = match &self.filter {
                Some(filter) => Some(filter.ids(experiment, &prepared)?),
                None => None,
            };
            let only = match &mut left {
                Some(left) => within(experiment, &prepared.plan, only, left),
                None => only,
            };
            if self.dry_run {
                let outlook =
                    Outlook::new(experiment, &prepared, &store, only.as_ref())?;
                outlook.show(self.format, out)?;
                continue;
            }
            store.sweep();
            let jobs = self.jobs.or(experiment.jobs);
            let jobs = jobs.map_or_else(environment::cores, usize::from);
            let tell = |event: &Event<'_>| self.tell(experiment, event);
            let options = Options {
                bars: !self.quiet && self.format == Format::Text,
                every_cell: self.format == Format::Json,
                sharing: !self.no_sharing,
                fail_fast: self.fail_fast,
                only,
                run_time: self.run_time,
                deadline,
                ..Options::new(jobs, &stop, &tell)
            };
            let results =
                runner::execute(experiment, &prepared, &store, &options)?;
            let only = options.only.as_ref();
            let command = format!("lrscout run {}", grid.display());
            let failures = self
                .publish(experiment, &prepared, &results, only, command, out)
                .map_err(|error| options.explained(error))?;
            if failures > 0 {
                failed += failures;
                let table = self.results.join(&experiment.name);
                let table = table.join("failures.csv");
                reasons.push(table.display().to_string());
                if self.fail_fast {
                    break;
                }
            }
        }
        if failed > 0 {
            anyhow::bail!(
                "{failed} failed, for the reasons in {}; the same command \
                 tries again",
                reasons.join(", ")
            );
        }
        Ok(())
    }

    /// Records what scripts do by themselves, where that is to be compared.
    fn record(
        &self,
        experiment: &mut Experiment,
        base: &Path,
        store: &Store,
        stop: &AtomicBool,
        deadline: Option<Instant>,
    ) -> Result<()> {
        let grid = experiment.clone();
        let tell = |event: &Event<'_>| self.tell(&grid, event);
        let options = Options { deadline, ..Options::new(1, stop, &tell) };
        runner::record_baselines(
            experiment,
            base,
            store,
            &options,
            self.dry_run,
        )
        .map_err(|error| options.explained(error))
    }

    pub(super) fn tell(&self, experiment: &Experiment, event: &Event<'_>) {
        if self.format == Format::Json {
            let line = Line { grid: &experiment.name, event };
            let json = serde_json::to_string(&line).unwrap_or_default();
            // A reader that has gone is no reason to stop.
            let _ = writeln!(std::io::stdout(), "{json}");
            return;
        }
        let wanted = match event {
            Event::Began { .. } => false,
            Event::Failed { .. } => true,
            _ => !self.quiet,
        };
        if wanted {
            super::say(format_args!("{}: {event}", experiment.name));
        }
    }

    /// Writes every table of one grid, those of ranks once all runs are
    /// there; gives the number of cells that failed.
    pub(super) fn publish(
        &self,
        experiment: &Experiment,
        prepared: &Prepared,
        results: &Results,
        only: Option<&HashSet<String>>,
        command: String,
        out: &mut impl Write,
    ) -> Result<usize> {
        let folder = Folder::new(&self.results.join(&experiment.name));
        let Published { records, finds, failed } =
            publish_cells(experiment, prepared, results, &folder)?;
        let gave_up = self.fail_fast && failed > 0;
        if !gave_up && is_unfinished(&prepared.plan, results, only) {
            return Err(Error::Interrupted);
        }
        let (there, all) = (records.len(), prepared.plan.runs.len());
        if there < all {
            let text = format!("{there} of {all} runs are there: no ranks yet");
            self.tell(experiment, &Event::Note { text: &text });
            return Ok(failed);
        }
        let facts = [
            ("command", command.clone()),
            ("device", prepared.device_class.to_owned()),
            ("kernels", crate::kernels::path().to_owned()),
        ];
        let environment = environment::facts(&facts);
        folder
            .write("environment.toml", &environment::to_toml(&environment))?;
        let regime = runner::regime(prepared);
        folder.table("regime", &regime)?;
        let protocol = Protocol {
            control: Some(experiment.control.clone()),
            ..Protocol::default()
        };
        let runs = Runs::of(&records);
        let schedules = &experiment.schedules;
        let analysis = match Analysis::attempt(&runs, &protocol, schedules)? {
            Ok(analysis) => analysis,
            Err(why) => {
                let text = format!("no ranks: {why}");
                self.tell(experiment, &Event::Note { text: &text });
                return Ok(failed);
            }
        };
        publish_analysis(&analysis, &folder)?;
        let own = experiment.baseline.as_ref().map(|(label, _)| label.as_str());
        let rows = comparisons(&records, own.unwrap_or(Baseline::LABEL));
        folder.table_or_none("comparison", &rows)?;
        let input = ReportInput {
            name: experiment.name.clone(),
            title: experiment.title.clone().unwrap_or(experiment.name.clone()),
            command,
            schedules: experiment.schedules.clone(),
            comparison: told(&rows),
            analysis,
            regime,
            range_tests: report::range_tests(
                finds.iter().map(|(row, found)| (row, &found.curve)),
            ),
            lr_finds: finds.into_iter().map(|(row, _)| row).collect(),
            environment,
            missing: vec![],
            experiment_toml: experiment.text.clone(),
        };
        let written = report::write(&folder, &input, report::REPORT)?;
        if !self.quiet && self.format == Format::Text {
            let board = input.analysis.leading().leaderboard();
            let board = crate::report::table::leaderboard(board);
            let note = match (results.computed, failed) {
                (0, 0) => "nothing to do: all results were there",
                (_, 0) => "done",
                _ => "done, but for what failed",
            };
            for sentence in &input.comparison {
                writeln!(out, "{sentence}\n")
                    .map_err(Error::io(Path::new(STDOUT)))?;
            }
            writeln!(
                out,
                "{}\n\n{board}\n\n{note}; tables in {}, report in {}",
                input.title,
                folder.dir().display(),
                written[0].display()
            )
            .map_err(Error::io(Path::new(STDOUT)))?;
        }
        Ok(failed)
    }
}

/// Whether a cell was not reached that was asked for.
fn is_unfinished(
    plan: &Plan,
    results: &Results,
    only: Option<&HashSet<String>>,
) -> bool {
    fn missing<T>(cells: &[Cell<T>]) -> impl Iterator<Item = usize> {
        let missing = |i: &usize| matches!(cells[*i], Cell::Missing);
        (0..cells.len()).filter(missing)
    }
    let finds = missing(&results.finds).map(|i| &plan.finds[i].id);
    let pilots = missing(&results.pilots).map(|i| &plan.pilots[i].id);
    let runs = missing(&results.runs).map(|i| &plan.runs[i].id);
    finds
        .chain(pilots)
        .chain(runs)
        .any(|id| only.is_none_or(|only| only.contains(id)))
}

/// What messages call it.
const STDOUT: &str = "standard output";

/// Two experiments that would write to one folder.
fn same_name(experiments: &[Experiment]) -> Option<(usize, usize)> {
    (0..experiments.len())
        .flat_map(|b| (0..b).map(move |a| (a, b)))
        .find(|&(a, b)| experiments[a].name == experiments[b].name)
}
