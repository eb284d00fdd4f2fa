use super::Format;
use crate::grid::Experiment;
use crate::plan::cost::{self, Estimate};
use crate::report::number::rate;
use crate::runner;
use crate::store::environment;
use crate::text::count;
use crate::workload::Registry;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// Validate grids, estimate their cost, and print the attainable p values.
///
/// Counts the cells and steps. Estimates the time from a short measurement of
/// every workload. Computes the smallest p value that the design can reach:
/// with too few workloads, no difference can become significant.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    lrscout check experiments/*.toml\n  \
    lrscout check mine.toml --format json\n  \
    lrscout check --schema > grid.schema.json")]
pub(crate) struct Check {
    /// Experiment grids (TOML).
    #[arg(required_unless_present = "schema", value_name = "GRID")]
    grids: Vec<PathBuf>,
    /// Only print the JSON schema of grids, for editors.
    #[arg(long)]
    schema: bool,
    /// Skip the time estimate. The estimate trains each workload for about a
    /// second, or runs its external program for 10 and for 60 updates.
    #[arg(long)]
    no_estimate: bool,
    /// Simultaneous runs assumed in the estimate; default: one per core.
    #[arg(long)]
    jobs: Option<NonZeroUsize>,
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

impl Check {
    pub(crate) fn run(
        self,
        registry: &Registry,
        out: &mut impl Write,
    ) -> anyhow::Result<()> {
        if self.schema {
            let schema = serde_json::to_string_pretty(&crate::grid::schema())?;
            writeln!(out, "{schema}")?;
            return Ok(());
        }
        let known = super::known(registry);
        let stop = runner::stop_on_signals()?;
        let mut estimates = vec![];
        for grid in &self.grids {
            let experiment = Experiment::load(grid, &known)?;
            let base = grid.parent().unwrap_or(Path::new(""));
            let prepared = runner::prepare(&experiment, registry, base)?;
            let jobs = self.jobs.or(experiment.jobs);
            let jobs = jobs.map_or_else(environment::cores, usize::from);
            let paces = if self.no_estimate {
                None
            } else {
                let trainers = &prepared.trainers;
                Some(runner::paces(trainers, jobs, 3, 0.1, &stop)?)
            };
            let estimate = cost::estimate(
                &experiment,
                &prepared.plan,
                paces.as_deref(),
                jobs,
            );
            estimates.push(estimate);
        }
        match self.format {
            Format::Json if estimates.len() == 1 => {
                let json = serde_json::to_string_pretty(&estimates[0])?;
                writeln!(out, "{json}")?;
            }
            Format::Json => {
                let json = serde_json::to_string_pretty(&estimates)?;
                writeln!(out, "{json}")?;
            }
            Format::Text => {
                for estimate in &estimates {
                    for never in &estimate.never_reached {
                        super::say(format_args!(
                            "{}: warning: {never}",
                            estimate.grid
                        ));
                    }
                    write!(out, "{}", in_words(estimate))?;
                }
            }
        }
        Ok(())
    }
}

fn in_words(estimate: &Estimate) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    let e = estimate;
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{}: {} ({}) x {} x {} x {} x {}",
        e.grid,
        count(e.workloads, "workload", "workloads"),
        count(e.clusters, "cluster", "clusters"),
        count(e.schedules, "schedule", "schedules"),
        count(e.budgets.len(), "budget", "budgets"),
        count(e.lr_multiples.len(), "multiple", "multiples"),
        count(e.seeds, "seed", "seeds")
    );
    let _ = writeln!(
        text,
        "  {} to find, {}, {}, {} of them shared ({:.0} %)",
        count(e.learning_rates, "learning rate", "learning rates"),
        count(e.runs, "run", "runs"),
        count(e.steps, "step", "steps"),
        e.steps_shared,
        100.0 * e.steps_shared as f64 / e.steps.max(1) as f64
    );
    if let Some(seconds) = e.seconds {
        let _ = writeln!(
            text,
            "  about {:.1} minutes on {} at once",
            seconds / 60.0,
            e.jobs
        );
    }
    let _ = writeln!(
        text,
        "  smallest attainable p: {}, after Holm's correction over {}: {}",
        rate(e.smallest_p),
        count(e.schedules.saturating_sub(1), "comparison", "comparisons"),
        rate(e.smallest_p_holm)
    );
    for wanted in &e.wanted {
        let _ = writeln!(text, "  {wanted}");
    }
    text
}
