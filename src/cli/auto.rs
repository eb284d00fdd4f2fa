use super::Format;
use crate::error::Error;
use crate::grid::Experiment;
use crate::learner::{Budget, Choose};
use crate::runner;
use crate::store::environment;
use crate::workload::Registry;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

/// Find the rate of one workload, race its schedules, and recommend one.
///
/// Uses the schedules, the seeds and the longest budget of the grid. The rate
/// is found under the grid's control schedule. Nothing is stored.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    lrscout auto mine.toml\n  \
    lrscout auto experiments/smoke.toml --workload digits-mlp --format json")]
pub(crate) struct Auto {
    /// Experiment grid (TOML).
    grid: PathBuf,
    /// The workload, if the grid has several.
    #[arg(long, value_name = "NAME")]
    workload: Option<String>,
    /// Simultaneous trainings; default: one per core. The answer does not
    /// depend on it.
    #[arg(long)]
    jobs: Option<NonZeroUsize>,
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

impl Auto {
    pub(crate) fn run(
        self,
        registry: &Registry,
        out: &mut impl Write,
    ) -> anyhow::Result<()> {
        let mut experiment =
            Experiment::load(&self.grid, &super::known(registry))?;
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
        let base = self.grid.parent().unwrap_or(Path::new(""));
        let prepared = runner::prepare(&experiment, registry, base)?;
        let steps = experiment.budgets.iter().max().copied().unwrap_or(0);
        // The control first: the rate is found under it.
        let control = experiment.schedules[experiment.control_index()].clone();
        let mut schedules = experiment.schedules.clone();
        schedules.sort_by_key(|schedule| *schedule != control);
        let budget = Budget::steps(steps)
            .seeds(experiment.seeds.len())
            .schedules(schedules);
        let stop = runner::stop_on_signals()?;
        let choose = Choose {
            trainer: &prepared.trainers[0],
            lr: experiment.workloads[0].lr,
            find: &experiment.lr_find,
            seed: experiment.seeds.first().copied().unwrap_or(0),
            jobs: self.jobs.map_or_else(environment::cores, usize::from),
            stop: &|| stop.load(Ordering::Relaxed),
        };
        let auto = choose.auto(&budget)?;
        match self.format {
            Format::Text => {
                writeln!(out, "{} at {:e}\n", auto.label, auto.lr)?;
                writeln!(out, "{}", auto.why.join("\n"))?;
            }
            Format::Json => {
                writeln!(out, "{}", serde_json::to_string_pretty(&auto)?)?;
            }
        }
        Ok(())
    }
}
