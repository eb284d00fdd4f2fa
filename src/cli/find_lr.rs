use super::run::find_row;
use crate::error::Error;
use crate::grid::{Experiment, LrFindPer};
use crate::report::plot::terminal_curve;
use crate::runner;
use crate::store::{environment, write_atomically};
use crate::workload::Registry;
use std::io::{IsTerminal as _, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// Letters across and down of a curve in the terminal.
const PICTURE: (usize, usize) = (72, 16);

/// Find the learning rate of every workload of a grid, or answer every known
/// rule on a recorded curve.
///
/// A range test lets the learning rate rise until the loss diverges; short
/// runs around its suggestion then confirm or correct it. Nothing is stored
/// but the plot, if you ask for one.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    lrscout find-lr experiments/smoke.toml\n  \
    lrscout find-lr experiments/smoke.toml --workload letter-mlp --plot f.svg\n  \
    lrscout find-lr --curve curve.csv --rule fastai-valley")]
pub(crate) struct FindLr {
    /// Experiment grid (TOML).
    #[arg(required_unless_present = "curve", conflicts_with = "curve")]
    grid: Option<PathBuf>,
    /// Workload to test; all of them by default.
    #[arg(long, value_name = "NAME", requires = "grid")]
    workload: Option<String>,
    /// Write the curve as SVG; with several workloads the last one's.
    #[arg(long, value_name = "FILE", requires = "grid")]
    plot: Option<PathBuf>,
    /// Workers; default: one a core.
    #[arg(long, requires = "grid")]
    jobs: Option<NonZeroUsize>,
    /// A recorded curve (CSV with columns `lr` and `loss`): no training, only
    /// the rules.
    #[arg(long, value_name = "FILE")]
    curve: Option<PathBuf>,
    /// Only this rule on the curve.
    #[arg(long, value_name = "NAME", requires = "curve")]
    rule: Option<String>,
}

impl FindLr {
    pub(crate) fn run(
        self,
        registry: &Registry,
        out: &mut impl Write,
    ) -> anyhow::Result<()> {
        if let Some(path) = &self.curve {
            return super::curve::replay(path, self.rule.as_deref(), out);
        }
        let grid = self.grid.as_deref().unwrap_or(Path::new(""));
        let mut experiment = Experiment::load(grid, &super::known(registry))?;
        if let Some(name) = &self.workload {
            let names: Vec<String> = experiment
                .workloads
                .iter()
                .map(|w| w.spec.name.clone())
                .collect();
            experiment.workloads.retain(|w| w.spec.name == *name);
            if experiment.workloads.is_empty() {
                return Err(Error::Invalid(format!(
                    "unknown workload `{name}`, expected one of {}",
                    names.join(", ")
                ))
                .into());
            }
        }
        if experiment.lr_find.per == LrFindPer::Workload {
            experiment.budgets.sort_unstable();
            experiment.budgets.drain(..experiment.budgets.len() - 1);
        }
        let base = grid.parent().unwrap_or(Path::new(""));
        let prepared = runner::prepare(&experiment, registry, base)?;
        let stop: std::sync::Arc<AtomicBool> = runner::stop_on_signals()?;
        let jobs = self.jobs.map_or_else(environment::cores, usize::from);
        let say = |line: &str| eprintln!("{line}");
        let options =
            runner::Options { jobs, quiet: false, stop: &stop, say: &say };
        let finds = runner::find(&experiment, &prepared, &options)?;
        let mut rows = vec![];
        let mut failed = 0;
        for (cell, state) in prepared.plan.finds.iter().zip(&finds) {
            let spec = &experiment.workloads[cell.workload].spec;
            match state {
                runner::Cell::Done(find) => {
                    let found = &find.found;
                    if std::io::stderr().is_terminal() {
                        let (width, height) = PICTURE;
                        let picture =
                            terminal_curve(&found.picture(), width, height);
                        eprintln!("{picture}");
                    }
                    eprintln!("{}: {}", spec.name, found.reason);
                    rows.push(find_row(spec, cell.budget, found));
                    if let Some(path) = &self.plot {
                        let title =
                            format!("{}, {} steps", spec.name, cell.budget);
                        let svg = found.to_svg(&title);
                        write_atomically(path, svg.as_bytes())?;
                    }
                }
                runner::Cell::Failed(_) => failed += 1,
                runner::Cell::Missing | runner::Cell::Stopped => {}
            }
        }
        crate::store::tables::print_rows(&mut *out, &rows)?;
        if stop.load(Ordering::Relaxed) {
            return Err(Error::Interrupted.into());
        }
        anyhow::ensure!(failed == 0, "{failed} range tests failed");
        Ok(())
    }
}
