mod divergence;

use super::TableFormat;
use crate::ranking::extras::calibration::{CalibrationRow, Design};
use crate::report::table;
use crate::results::print_rows;
use crate::runner::all_in_parallel;
use crate::store::environment;
use crate::workload::Registry;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Check the verdicts on simulated studies with a known answer.
///
/// In studies without an effect, a schedule must rarely be called dominated,
/// with or without a race. A planted best schedule must be recommended. Copies
/// of one schedule must form one group. The exit status is 1 if an error rate
/// exceeds its bound by more than chance.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    lrscout calibrate\n  \
    lrscout calibrate --studies 200 --format csv\n  \
    lrscout calibrate --divergence benches/divergence.toml")]
pub(crate) struct Calibrate {
    /// Number of studies of each design.
    #[arg(long, value_name = "N", default_value = "2000")]
    studies: NonZeroUsize,
    /// Seed of the studies.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Simultaneous studies; default: one per core. The table does not
    /// depend on it.
    #[arg(long)]
    jobs: Option<NonZeroUsize>,
    /// Measure the rule of divergence instead, on the workloads and seeds of
    /// a grid: false alarms at a tenth of the rate found and at the rate, and
    /// how soon true divergences far above it are found; prints CSV.
    #[arg(long, value_name = "GRID", conflicts_with_all = ["studies", "seed"])]
    divergence: Option<PathBuf>,
    #[arg(long, value_enum, default_value = "text")]
    format: TableFormat,
}

impl Calibrate {
    pub(crate) fn run(
        self,
        registry: &Registry,
        out: &mut impl Write,
    ) -> anyhow::Result<()> {
        let jobs = self.jobs.map_or_else(environment::cores, usize::from);
        if let Some(grid) = &self.divergence {
            let rows = divergence::measure(grid, registry, jobs)?;
            return Ok(print_rows(out, &rows)?);
        }
        let rows = Design::all()
            .iter()
            .map(|design| self.row(design, jobs))
            .collect::<anyhow::Result<Vec<_>>>()?;
        match self.format {
            TableFormat::Text => {
                writeln!(out, "{}", table::calibration(&rows))?;
            }
            TableFormat::Csv => print_rows(out, &rows)?,
        }
        let broken = rows.iter().filter(|row| !row.kept).count();
        if broken > 0 {
            anyhow::bail!("{broken} of {} promises are broken", rows.len());
        }
        Ok(())
    }

    fn row(
        &self,
        design: &Design,
        jobs: usize,
    ) -> anyhow::Result<CalibrationRow> {
        let order: Vec<usize> = (0..self.studies.get()).collect();
        let study = |i: usize| design.study(i, self.seed);
        let seen = all_in_parallel(jobs, &order, study).map_err(|why| {
            anyhow::anyhow!("a simulated study could not be ranked: {why}")
        })?;
        Ok(design.row(&seen))
    }
}
