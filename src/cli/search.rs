use super::run::Run;
use crate::grid::Experiment;
use crate::report::table;
use crate::results::Folder;
use crate::runner::search::{FINALISTS, number, rungs, search, trainings};
use crate::runner::{self, Event, Options};
use crate::schedule::ScheduleSpec;
use crate::spec::time;
use crate::store::{Store, environment};
use crate::text::count;
use crate::workload::Registry;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Search for a schedule: many shapes of several families, fewer and fewer of
/// them on more and more seeds, and the last four against the grid's own.
///
/// Shapes are powers, cosines, REX, a constant rate with a decay, straight
/// lines through free points, and humps, each with free parameters and a free
/// warm-up. Of four times as many that are drawn, those with the lowest convex
/// bounds are trained. A shape counts at its own best multiple of the rate, so
/// the grid should have several `lr_multiples`.
///
/// The search uses other seeds than the final, so the final is a fair test on
/// these data sets; on others, the winner has to be tested again. Results are
/// stored as by `run`: the same command continues, and the tables of the final
/// are in `results/GRID-search`, with `search.csv` for the rungs.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    lrscout search mine.toml --max-trainings 500\n  \
    lrscout search experiments/smoke.toml --max-trainings 1000 --dry-run")]
pub(crate) struct Search {
    /// Experiment grid (TOML).
    grid: PathBuf,
    /// Most trainings of one workload each, those of finding the rates
    /// included; the number of shapes follows from it.
    #[arg(long, value_name = "NUMBER", default_value = "1000")]
    max_trainings: usize,
    /// Simultaneous runs; default: the grid's `jobs`, else one per core.
    #[arg(long)]
    jobs: Option<NonZeroUsize>,
    /// Folder of the results.
    #[arg(long, value_name = "DIR", default_value = "results")]
    results: PathBuf,
    /// Print the rungs and their cost, and compute nothing.
    #[arg(long)]
    dry_run: bool,
    /// Stop cleanly after this time, e.g. 30m; the same command continues.
    #[arg(long, value_name = "TIME", value_parser = time)]
    max_time: Option<Duration>,
    /// Print no progress and no leaderboard, only errors.
    #[arg(long)]
    quiet: bool,
}

impl Search {
    pub(crate) fn run(
        self,
        registry: &Registry,
        out: &mut impl Write,
    ) -> anyhow::Result<()> {
        let mut experiment =
            Experiment::load(&self.grid, &super::known(registry))?;
        let number = number(&experiment, self.max_trainings)?;
        let plan = plan(&experiment, number);
        if self.dry_run {
            return Ok(writeln!(out, "{plan}")?);
        }
        let display = Run::plain(self.results.clone(), self.quiet);
        display.tell(&experiment, &Event::Note { text: &plan });
        let stop = runner::stop_on_signals()?;
        let store = Store::new(&self.results.join(".store"));
        store.sweep();
        let jobs = self.jobs.or(experiment.jobs);
        let jobs = jobs.map_or_else(environment::cores, usize::from);
        let grid = experiment.clone();
        let tell = |event: &Event<'_>| display.tell(&grid, event);
        let deadline =
            self.max_time.and_then(|time| Instant::now().checked_add(time));
        let options = Options {
            bars: !self.quiet,
            deadline,
            ..Options::new(jobs, &stop, &tell)
        };
        let base = self.grid.parent().unwrap_or(Path::new(""));
        let late = |error| options.explained(error);
        runner::record_baselines(
            &mut experiment,
            base,
            &store,
            &options,
            false,
        )
        .map_err(late)?;
        let from = (registry, base);
        let searched = search(&experiment, number, from, &store, &options)
            .map_err(late)?;
        let last = &searched.last;
        let prepared = runner::prepare(last, registry, base)?;
        let results = runner::execute(last, &prepared, &store, &options)?;
        let command = format!(
            "lrscout search {} --max-trainings {}",
            self.grid.display(),
            self.max_trainings
        );
        let failed = display
            .publish(last, &prepared, &results, None, command, out)
            .map_err(late)?;
        let folder = Folder::new(&self.results.join(&last.name));
        folder.table("search", &searched.rows)?;
        if !self.quiet {
            let found: Vec<String> =
                searched.finalists.iter().map(ScheduleSpec::label).collect();
            writeln!(out, "\n{}", table::finalists(&found))?;
        }
        if failed > 0 {
            anyhow::bail!(
                "{failed} failed, for the reasons in {}; the same command \
                 tries again",
                folder.path("failures.csv").display()
            );
        }
        Ok(())
    }
}

/// The rungs and the cost.
fn plan(experiment: &Experiment, number: usize) -> String {
    let rungs: Vec<String> = rungs(number)
        .iter()
        .map(|rung| {
            let seeds = count(rung.seeds, "seed", "seeds");
            format!("{} shapes with {seeds}", rung.live)
        })
        .collect();
    format!(
        "{}, then {FINALISTS} and the {} of the grid with {}: at most {} \
         trainings on {}",
        rungs.join(", "),
        count(experiment.schedules.len(), "schedule", "schedules"),
        count(experiment.seeds.len(), "seed", "seeds"),
        trainings(experiment, number),
        count(experiment.workloads.len(), "workload", "workloads")
    )
}
