use super::Format;
use super::filter::Filter;
use super::report::write_report;
use super::results::{
    rank, write_curves, write_failures, write_finds, write_refined,
};
use crate::error::{Error, Result};
use crate::grid::Experiment;
use crate::plan::digest;
use crate::record::{Outcome, RunRecord};
use crate::runner::{self, Cell, Event, Options, Prepared, Results};
use crate::store::{self, Store, environment, tables, write_atomically};
use crate::train::Pilot;
use crate::workload::Registry;
use serde::Serialize;
use std::collections::HashSet;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Find the rates, train every schedule, rank them: everything a grid asks.
///
/// What is already in the store is not computed again, so the same command
/// goes on where it was interrupted, and a second run does nothing. Ctrl-C
/// once drops the runs in flight and keeps the rest; twice stops at once.
#[derive(clap::Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "switches of a command")]
#[command(after_help = "Examples:\n  \
    lrscout run experiments/smoke.toml\n  \
    lrscout run experiments/*.toml --jobs 4 --max-time 30m\n  \
    lrscout run mine.toml --filter 'model=mlp, seed<3'\n  \
    lrscout run mine.toml --results /tmp/results --dry-run")]
pub(crate) struct Run {
    /// Experiment grids (TOML).
    #[arg(required = true, value_name = "GRID")]
    grids: Vec<PathBuf>,
    /// Runs at once; default: the grid's `jobs`, else one a core.
    #[arg(long)]
    jobs: Option<NonZeroUsize>,
    /// Folder of the results; each grid gets its own inside.
    #[arg(long, value_name = "DIR", default_value = "results")]
    results: PathBuf,
    /// Only these runs, e.g. `model=mlp, seed<3`: conditions on workload,
    /// model, dataset, optimizer, schedule, budget, multiple or seed, by =,
    /// !=, <, <=, > and >=; `*` stands for any text. Tables show what is
    /// there; ranks wait until the grid is complete.
    #[arg(long, value_name = "CONDITIONS")]
    filter: Option<Filter>,
    /// Say what would be computed, and compute nothing.
    #[arg(long)]
    dry_run: bool,
    /// Stop at the first run that fails.
    #[arg(long)]
    fail_fast: bool,
    /// Go on when a run fails, as is usual.
    #[arg(long, conflicts_with = "fail_fast")]
    keep_going: bool,
    /// Stop cleanly after this time, e.g. 30m; the same command goes on.
    #[arg(long, value_name = "TIME", value_parser = time)]
    max_time: Option<Duration>,
    /// Give a run up after this time, e.g. 10m; it counts as failed.
    #[arg(long, value_name = "TIME", value_parser = time)]
    run_time: Option<Duration>,
    /// Train every run from its beginning, also where several begin alike.
    /// Results are the same to the bit.
    #[arg(long)]
    no_sharing: bool,
    /// No progress and no leaderboard, only errors.
    #[arg(long)]
    quiet: bool,
    /// Words, or an object a line for each thing that happens.
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
    pub(crate) fn run(
        self,
        registry: &Registry,
        out: &mut impl Write,
    ) -> anyhow::Result<()> {
        // All grids are checked before anything is written for one of them.
        let known = super::known(registry);
        let experiments = self
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
        let deadline = self.max_time.map(|time| Instant::now() + time);
        let store = Store::new(&self.results.join(".store"), digest);
        let mut failed = 0;
        for (experiment, grid) in experiments.iter().zip(&self.grids) {
            let base = grid.parent().unwrap_or(Path::new(""));
            let prepared = runner::prepare(experiment, registry, base)?;
            let only = match &self.filter {
                Some(filter) => Some(filter.ids(experiment, &prepared)?),
                None => None,
            };
            if self.dry_run {
                foretell(experiment, &prepared, &store, only.as_ref(), out)?;
                continue;
            }
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
            let published =
                self.publish(experiment, &prepared, &results, only, grid, out);
            let late = deadline.is_some_and(|end| Instant::now() >= end);
            failed += match published {
                Err(Error::Interrupted) if late => Err(Error::TimeUp),
                other => other,
            }?;
            if self.fail_fast && failed > 0 {
                break;
            }
        }
        if failed > 0 {
            anyhow::bail!(
                "{failed} runs failed, for the reasons in `failures.csv`; \
                 they run again with the same command"
            );
        }
        Ok(())
    }

    fn tell(&self, experiment: &Experiment, event: &Event<'_>) {
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
            eprintln!("{}: {event}", experiment.name);
        }
    }

    /// Writes every table of one grid, those of ranks once all runs are
    /// there; gives the number of failed runs.
    fn publish(
        &self,
        experiment: &Experiment,
        prepared: &Prepared,
        results: &Results,
        only: Option<&HashSet<String>>,
        grid: &Path,
        out: &mut impl Write,
    ) -> Result<usize> {
        let dir = &self.results.join(&experiment.name);
        store::sweep(dir);
        let records: Vec<RunRecord> = prepared
            .plan
            .runs
            .iter()
            .zip(&results.runs)
            .filter_map(|(cell, state)| {
                runner::record(experiment, prepared, cell, state)
            })
            .collect();
        let runs_csv = dir.join("runs.csv");
        tables::write_rows(&runs_csv, &records)?;
        write_curves(prepared, results, dir)?;
        write_finds(experiment, prepared, results, dir)?;
        write_refined(experiment, prepared, results, dir)?;
        write_failures(experiment, prepared, results, dir)?;
        write_atomically(
            &dir.join("experiment.toml"),
            experiment.text.as_bytes(),
        )?;
        let failed = [Outcome::Failed, Outcome::TimedOut];
        let failed =
            records.iter().filter(|r| failed.contains(&r.outcome)).count();
        let (there, all) = (records.len(), prepared.plan.runs.len());
        if there < all {
            let cells = prepared.plan.runs.iter().zip(&results.runs);
            let missing = cells
                .filter(|(_, state)| matches!(state, Cell::Missing))
                .any(|(cell, _)| only.is_none_or(|o| o.contains(&cell.id)));
            if missing && failed == 0 {
                return Err(Error::Interrupted);
            }
            let text = format!("{there} of {all} runs are there: no ranks yet");
            self.tell(experiment, &Event::Note { text: &text });
            return Ok(failed);
        }
        let command = format!("lrscout run {}", grid.display());
        let facts = [
            ("command", command),
            ("device", prepared.device_class.to_owned()),
            ("kernels", crate::kernels::path().to_owned()),
        ];
        let environment = environment::to_toml(&facts);
        write_atomically(
            &dir.join("environment.toml"),
            environment.as_bytes(),
        )?;
        let regime = runner::regime(prepared)?;
        tables::write_rows(&dir.join("regime.csv"), &regime)?;
        let leading = rank(&runs_csv, experiment, dir)?;
        let written = write_report(dir)?;
        if !self.quiet && self.format == Format::Text {
            show(experiment, results, &leading, &written, dir, out)?;
        }
        Ok(failed)
    }
}

fn show(
    experiment: &Experiment,
    results: &Results,
    leaderboard: &[crate::ranking::LeaderboardRow],
    written: &[PathBuf],
    dir: &Path,
    out: &mut impl Write,
) -> Result<()> {
    let title = experiment.title.as_deref().unwrap_or(&experiment.name);
    let table = crate::report::table::leaderboard(leaderboard);
    let note = if results.computed == 0 {
        "nothing to do: all results were there"
    } else {
        "done"
    };
    let report = written.first().map_or(dir, PathBuf::as_path);
    writeln!(
        out,
        "{title}\n\n{table}\n\n{note}; tables in {}, report in {}",
        dir.display(),
        report.display()
    )
    .map_err(Error::io(Path::new("standard output")))
}

fn foretell(
    experiment: &Experiment,
    prepared: &Prepared,
    store: &Store,
    only: Option<&HashSet<String>>,
    out: &mut impl Write,
) -> Result<()> {
    let wanted = |id: &str| only.is_none_or(|only| only.contains(id));
    let plan = &prepared.plan;
    let (mut finds, mut runs, mut steps) = (0, 0, 0);
    for cell in plan.finds.iter().filter(|cell| wanted(&cell.id)) {
        let there = store.get::<runner::FindResult>(&cell.id)?.is_some();
        finds += usize::from(!there);
    }
    for cell in plan.pilots.iter().filter(|cell| wanted(&cell.id)) {
        if store.get::<Pilot>(&cell.id)?.is_none() {
            steps += cell.budget;
        }
    }
    let mut missing = vec![];
    for (i, cell) in plan.runs.iter().enumerate() {
        if wanted(&cell.id)
            && store.get::<runner::RunResult>(&cell.id)?.is_none()
        {
            runs += 1;
            steps += cell.budget;
            missing.push(i);
        }
    }
    let shared = plan.shared_steps(experiment, &missing);
    let race =
        if experiment.race { ", fewer if the race stops any" } else { "" };
    writeln!(
        out,
        "{}: {finds} of {} learning rates and {runs} of {} runs to compute, \
         {} steps ({shared} of {steps} shared){race}",
        experiment.name,
        plan.finds.len(),
        plan.runs.len(),
        steps - shared,
    )
    .map_err(Error::io(Path::new("standard output")))
}

/// `30m`, `1h30m`, `90s` or `90`.
fn time(text: &str) -> std::result::Result<Duration, String> {
    let wrong = || format!("`{text}` is no time like 90s, 30m or 1h30m");
    let mut seconds = 0;
    let mut number = String::new();
    for c in text
        .chars()
        .chain(text.ends_with(|c: char| c.is_ascii_digit()).then_some('s'))
    {
        if c.is_ascii_digit() {
            number.push(c);
            continue;
        }
        let unit: u64 = match c {
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return Err(wrong()),
        };
        let count: u64 = number.parse().map_err(|_| wrong())?;
        number.clear();
        seconds += count.checked_mul(unit).ok_or_else(wrong)?;
    }
    if text.is_empty() {
        Err(wrong())
    } else {
        Ok(Duration::from_secs(seconds))
    }
}

/// Two experiments that would write to one folder.
fn same_name(experiments: &[Experiment]) -> Option<(usize, usize)> {
    (0..experiments.len())
        .flat_map(|b| (0..b).map(move |a| (a, b)))
        .find(|&(a, b)| experiments[a].name == experiments[b].name)
}
