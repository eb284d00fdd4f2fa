use super::curve::Curve;
use crate::error::Error;
use crate::grid::{Experiment, LrFindPer};
use crate::lr_find::{LrFound, Rule};
use crate::report::plot::{RangeTestPlot, terminal_curve};
use crate::results::rows::FindRow;
use crate::results::{print_rows, write_rows};
use crate::runner::publish::{find_row, find_title};
use crate::runner::{self, Event, Options};
use crate::store::{environment, write_atomically};
use crate::text::count;
use crate::workload::Registry;
use std::io::{IsTerminal as _, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// Width and height, in characters, of a curve in the terminal.
const PICTURE: (usize, usize) = (72, 16);

/// Find the learning rate of every workload of a grid, or read it from a
/// range test that any tool recorded.
///
/// In a range test the learning rate rises until the loss diverges. Short
/// runs around its suggestion then confirm or correct it. Nothing is stored
/// except the files that you request.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    lrscout find-lr experiments/smoke.toml\n  \
    lrscout find-lr experiments/smoke.toml --workload letter-mlp --plot f.svg\n  \
    lrscout find-lr experiments/smoke.toml --trainings 1.4 --format json\n  \
    lrscout find-lr --curve curve.csv --rule fastai-valley\n  \
    lrscout find-lr --curve history.json --from ignite --plot f.svg\n  \
    lrscout find-lr --curve log.csv --lr lr-SGD --loss train_loss\n  \
    lrscout find-lr --curve history.csv --smoothed 0.05 --format json")]
pub(crate) struct FindLr {
    /// Experiment grid (TOML).
    #[arg(required_unless_present = "curve", conflicts_with = "curve")]
    grid: Option<PathBuf>,
    /// Only this workload; default: all.
    #[arg(long, value_name = "NAME", conflicts_with = "curve")]
    workload: Option<String>,
    /// Write the curve as SVG. With several workloads, the curve of the last
    /// one.
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Write the curve as CSV, for `--curve`, with raw losses. With several
    /// workloads, the curve of the last one.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Highest cost of a rate, in trainings; default: that of the grid.
    #[arg(long, value_name = "NUMBER", conflicts_with = "curve")]
    trainings: Option<f64>,
    /// A table, or everything: curves, trials, second opinions.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Simultaneous trainings; default: one per core.
    #[arg(long, conflicts_with = "curve")]
    jobs: Option<NonZeroUsize>,
    /// The rule that reads the rate from the curve; default: that of the
    /// grid, and all rules with `--curve`.
    #[arg(long, value_name = "NAME")]
    rule: Option<String>,
    #[command(flatten)]
    recorded: Curve,
}

/// How the rates are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, clap::ValueEnum)]
enum Format {
    /// One row per rate.
    #[default]
    Csv,
    /// One object per rate.
    Json,
}

/// A rate found, in full.
#[derive(serde::Serialize)]
struct FullRow<'a> {
    #[serde(flatten)]
    row: FindRow,
    cost_trainings: Option<f64>,
    found: &'a LrFound,
}

impl FindLr {
    /// Reads a recorded curve.
    fn read(
        &self,
        path: &Path,
        rule: Option<Rule>,
        out: &mut impl Write,
    ) -> anyhow::Result<()> {
        let recorded = self.recorded.recorded(path)?;
        let readings = recorded.readings(rule);
        show(|| recorded.picture(&readings[0]));
        if let Some(path) = &self.save {
            write_rows(path, recorded.points())?;
        }
        if let Some(path) = &self.plot {
            write_atomically(path, recorded.to_svg(&readings[0]).as_bytes())?;
        }
        recorded.print(&readings, self.format == Format::Json, out)
    }

    pub(crate) fn run(
        self,
        registry: &Registry,
        out: &mut impl Write,
    ) -> anyhow::Result<()> {
        let rule: Option<Rule> =
            self.rule.as_deref().map(str::parse).transpose()?;
        if let Some(path) = self.recorded.file() {
            return self.read(path, rule, out);
        }
        let grid = self.grid.as_deref().unwrap_or(Path::new(""));
        let mut experiment = Experiment::load(grid, &super::known(registry))?;
        if let Some(name) = &self.workload {
            let names: Vec<String> =
                experiment.workloads.iter().map(|w| w.name.clone()).collect();
            experiment.workloads.retain(|w| w.name == *name);
            if experiment.workloads.is_empty() {
                return Err(Error::Invalid(format!(
                    "unknown workload `{name}`, expected one of {}",
                    names.join(", ")
                ))
                .into());
            }
        }
        // The rate of a baseline is known.
        for entry in &mut experiment.workloads {
            entry.baseline = None;
        }
        if let Some(trainings) = self.trainings {
            experiment.lr_find.trainings = trainings;
        }
        if let Some(rule) = rule {
            rule.name().clone_into(&mut experiment.lr_find.rule);
        }
        if experiment.lr_find.per == LrFindPer::Workload {
            experiment.budgets.sort_unstable();
            experiment.budgets.drain(..experiment.budgets.len() - 1);
        }
        let base = grid.parent().unwrap_or(Path::new(""));
        let prepared = runner::prepare(&experiment, registry, base)?;
        let stop: std::sync::Arc<AtomicBool> = runner::stop_on_signals()?;
        let jobs = self.jobs.map_or_else(environment::cores, usize::from);
        let tell = |event: &Event<'_>| {
            if !matches!(event, Event::Began { .. }) {
                super::say(event);
            }
        };
        let options = Options::new(jobs, &stop, &tell);
        let finds = runner::find(&experiment, &prepared, &options)?;
        let mut rows = vec![];
        let mut all = vec![];
        let mut failed = 0;
        for (cell, state) in prepared.plan.finds.iter().zip(&finds) {
            match state {
                runner::Cell::Done(find) => {
                    let found = &find.found;
                    let row = find_row(&experiment, cell, found);
                    let title = find_title(&row);
                    rows.push(row.clone());
                    let cost_trainings = found.cost_trainings();
                    all.push(FullRow { row, cost_trainings, found });
                    if cell.given.is_some() {
                        super::say(format_args!("{title}: {}", found.reason));
                        continue;
                    }
                    show(|| found.picture());
                    super::say(format_args!(
                        "{title}: {} (confidence {})",
                        found.reason,
                        found.confidence.name()
                    ));
                    if let Some(path) = &self.save {
                        write_rows(path, &found.curve)?;
                    }
                    if let Some(path) = &self.plot {
                        let svg = found.to_svg(&title);
                        write_atomically(path, svg.as_bytes())?;
                    }
                }
                runner::Cell::Failed(_) | runner::Cell::TimedOut(_) => {
                    failed += 1;
                }
                runner::Cell::Missing | runner::Cell::Stopped => {}
            }
        }
        match self.format {
            Format::Csv => print_rows(&mut *out, &rows)?,
            Format::Json => {
                serde_json::to_writer_pretty(&mut *out, &all)?;
                writeln!(out)?;
            }
        }
        if stop.load(Ordering::Relaxed) {
            return Err(Error::Interrupted.into());
        }
        let failures = count(failed, "range test", "range tests");
        anyhow::ensure!(failed == 0, "{failures} failed");
        Ok(())
    }
}

/// Draws a curve on a terminal.
fn show(picture: impl FnOnce() -> RangeTestPlot) {
    if std::io::stderr().is_terminal() {
        let (width, height) = PICTURE;
        super::say(terminal_curve(&picture(), width, height));
    }
}
