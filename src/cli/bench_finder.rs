//! `bench-finder`: the quality of the rates that finders suggest.

mod cases;
mod score;
mod truth;

use crate::error::Error;
use crate::grid::Experiment;
use crate::results::print_rows;
use crate::runner::{self, in_parallel};
use crate::store::environment;
use crate::workload::Registry;
use cases::Case;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

/// Compare learning-rate finders: lrscout's, the rules of other tools, and
/// plain searches at matched cost.
///
/// Each combination of workload, schedule and budget of the grid is a case.
/// The truth of a case is a dense grid of rates, six per decade, trained with
/// the grid's seeds. The regret of a suggestion is the excess of its loss
/// over the best loss, as a share of the descent from the start. Losses
/// between the rates are interpolated linearly in the logarithm of the rate.
/// Every finder is asked several times, with seeds that the truth did not
/// use.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    lrscout bench-finder benches/finder.toml\n  \
    lrscout bench-finder benches/finder-holdout.toml --cases")]
pub(crate) struct BenchFinder {
    /// Experiment grid (TOML).
    #[arg(default_value = "benches/finder.toml")]
    grid: PathBuf,
    /// Number of times that every finder is asked.
    #[arg(long, default_value = "5")]
    asks: NonZeroUsize,
    /// Print a row for every finder and case, instead of the means over all
    /// cases and over the cases of each budget.
    #[arg(long)]
    cases: bool,
    /// Simultaneous trainings; default: one per core.
    #[arg(long)]
    jobs: Option<NonZeroUsize>,
}

impl BenchFinder {
    pub(crate) fn run(
        self,
        registry: &Registry,
        out: &mut impl Write,
    ) -> anyhow::Result<()> {
        let experiment = Experiment::load(&self.grid, &super::known(registry))?;
        let base = self.grid.parent().unwrap_or(Path::new(""));
        let prepared = runner::prepare(&experiment, registry, base)?;
        let stop = runner::stop_on_signals()?;
        let cases = Case::all(&experiment, &prepared.trainers, &stop)?;
        let jobs = self.jobs.map_or_else(environment::cores, usize::from);
        let asks = self.asks.get();
        // The longest first, so that no core is idle at the end.
        let mut order: Vec<usize> = (0..cases.len()).collect();
        order.sort_by(|&a, &b| cases[b].seconds.total_cmp(&cases[a].seconds));
        let mut judged = vec![None; cases.len()];
        let mut failed = None;
        let mut done = 0;
        let judge = |i: usize| {
            cases[i].judge(&experiment.seeds, asks, &|| {
                stop.load(Ordering::Relaxed)
            })
        };
        in_parallel(jobs, &order, judge, |i, done_one| {
            match done_one.answer() {
                Ok(answers) => {
                    done += 1;
                    let (name, all) = (cases[i].name(), cases.len());
                    super::say(format_args!("{done} of {all}: {name}"));
                    judged[i] = Some(answers);
                }
                Err(error) => {
                    stop.store(true, Ordering::Relaxed);
                    // The first failure stops the others, whose error it hides.
                    if !matches!(error, Error::Interrupted) || failed.is_none()
                    {
                        failed = Some(error);
                    }
                }
            }
        });
        if let Some(error) = failed {
            return Err(error.into());
        }
        let judged: Vec<_> =
            cases.iter().zip(judged.iter().flatten()).collect();
        if self.cases {
            print_rows(out, &score::by_case(&judged))?;
        } else {
            print_rows(out, &score::by_finder(&judged))?;
        }
        Ok(())
    }
}
