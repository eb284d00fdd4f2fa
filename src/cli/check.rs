mod scripts;

use super::{Format, forecast};
use crate::grid::Experiment;
use crate::plan::cost::{self, Estimate};
use crate::report::number::rate;
use crate::runner;
use crate::store::environment;
use crate::text::count;
use crate::workload::Registry;
use scripts::{ScriptRow, Scripts};
use serde::Serialize;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::slice;
use std::sync::atomic::Ordering;

/// Validate grids, estimate their cost, and print the attainable p values.
///
/// Counts the cells and steps. Estimates the time from a short measurement of
/// every workload. Computes the smallest p value that the design can reach:
/// with too few workloads, no difference can become significant. A training
/// script is started once, for some seconds (twice if its first start is slow):
/// this finds a `timeout` or a budget that does not suit it, and says what its
/// score is.
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
    /// second, runs its external program for 10 and for 60 updates, or starts
    /// its script once or twice.
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
            let trainers = &prepared.trainers;
            let (mut scripts, mut paces) = (Scripts::default(), None);
            if !self.no_estimate {
                let stopped = || stop.load(Ordering::Relaxed);
                scripts =
                    Scripts::start(grid, &experiment, trainers, &stopped)?;
                let mut all = vec![];
                for (i, trainer) in trainers.iter().enumerate() {
                    let one = slice::from_ref(trainer);
                    all.extend(match scripts.pace(i) {
                        Some(pace) => vec![pace],
                        None => runner::paces(one, jobs, 3, 0.1, &stop)?,
                    });
                }
                paces = Some(all);
            }
            let estimate = cost::estimate(
                &experiment,
                &prepared.plan,
                paces.as_deref(),
                jobs,
            );
            let Scripts { rows: scripts, notes, .. } = scripts;
            estimates.push(Checked { estimate, scripts, notes });
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
                for checked in &estimates {
                    let Estimate { grid, never_reached, .. } =
                        &checked.estimate;
                    for warning in never_reached.iter().chain(&checked.notes) {
                        super::say(format_args!("{grid}: warning: {warning}"));
                    }
                    write!(out, "{}", in_words(checked))?;
                }
            }
        }
        Ok(())
    }
}

/// What is known of a grid before it is run.
#[derive(Serialize)]
struct Checked {
    #[serde(flatten)]
    estimate: Estimate,
    /// Its training scripts, if they were started.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scripts: Vec<ScriptRow>,
    /// What their user should know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

fn in_words(checked: &Checked) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    let Checked { estimate: e, scripts, .. } = checked;
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
    for script in scripts {
        let _ = writeln!(text, "  {}", script.in_words());
    }
    if !scripts.is_empty() {
        let _ = writeln!(
            text,
            "  {}, as `--max-trainings` counts; with {}, {}",
            count(e.trainings, "training", "trainings"),
            count(e.seeds, "seed", "seeds"),
            forecast::shows(e.seeds)
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
