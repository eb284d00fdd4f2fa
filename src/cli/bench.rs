mod kernels;

use crate::error::Result;
use crate::grid::Experiment;
use crate::results::print_rows;
use crate::runner;
use crate::spec::TrainerSpec;
use crate::store::environment;
use crate::train::{Replica, Trainer};
use crate::workload::Registry;
use kernels::round;
use serde::Serialize;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// Blocks of updates timed for each workload; the median is reported.
const BLOCKS: usize = 5;

/// Target length of a block.
const BLOCK_SECONDS: f64 = 0.2;

/// Measure the training step of every workload, with one run per core.
///
/// A step includes gathering the batch, forward, backward and update. The
/// floating-point operations are those of matrix products and convolutions.
/// The peak is the rate of fused multiply-adds measured on one core of this
/// machine. `step` says whether the step is replayed as a flat list of kernel
/// calls, or recorded anew for every batch. The environment variable
/// `LRSCOUT_ISA` (avx512, avx2 or portable) chooses the instruction set.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    lrscout bench experiments/standard.toml --jobs 2\n  \
    lrscout bench --kernels")]
pub(crate) struct Bench {
    /// Experiment grid (TOML).
    #[arg(default_value = "experiments/standard.toml")]
    grid: PathBuf,
    /// Simultaneous runs; default: one per core.
    #[arg(long)]
    jobs: Option<NonZeroUsize>,
    /// Measure single kernels instead of workloads.
    #[arg(long, conflicts_with = "grid")]
    kernels: bool,
}

#[derive(Serialize)]
struct BenchRow {
    workload: String,
    optimizer: String,
    batch: Option<usize>,
    us_per_step: f64,
    samples_per_s: Option<f64>,
    gflops: Option<f64>,
    share_of_peak: Option<f64>,
    /// How a step is computed: `replayed` or `recorded`.
    step: Option<&'static str>,
}

impl Bench {
    pub(crate) fn run(
        self,
        registry: &Registry,
        out: &mut impl Write,
    ) -> anyhow::Result<()> {
        let jobs = self.jobs.map_or_else(environment::cores, usize::from);
        let peak = crate::kernels::gemm::peak_gflops();
        if self.kernels {
            return Ok(print_rows(out, &kernels::rows(jobs, peak)?)?);
        }
        let experiment = Experiment::load(&self.grid, &super::known(registry))?;
        let base = self.grid.parent().unwrap_or(Path::new(""));
        let prepared = runner::prepare(&experiment, registry, base)?;
        let trainers = &prepared.trainers;
        let stop = runner::stop_on_signals()?;
        let paces =
            runner::paces(trainers, jobs, BLOCKS, BLOCK_SECONDS, &stop)?;
        let steps = trainers.iter().map(step).collect::<Result<Vec<_>>>()?;
        let rows: Vec<BenchRow> = experiment
            .workloads
            .iter()
            .zip(trainers)
            .zip(paces)
            .zip(steps)
            .map(|(((entry, trainer), pace), step)| {
                let seconds = pace.step_seconds;
                let batch = entry.spec.batch();
                let flops = match (&entry.spec, trainer) {
                    (TrainerSpec::Candle(spec), Trainer::Candle(workload)) => {
                        let (model, data) = (&spec.model, &workload.data);
                        crate::model::step_flops(model, data, spec.batch)
                    }
                    _ => None,
                };
                let gflops = flops.map(|flops| flops / seconds / 1e9);
                let samples = batch.map(|batch| batch as f64 / seconds);
                BenchRow {
                    workload: entry.name.clone(),
                    optimizer: entry.spec.optimizer_label(),
                    batch,
                    us_per_step: round(seconds * 1e6),
                    samples_per_s: samples.map(round),
                    gflops: gflops.map(round),
                    share_of_peak: gflops.map(|gflops| round(gflops / peak)),
                    step,
                }
            })
            .collect();
        print_rows(out, &rows)?;
        Ok(())
    }
}

/// How the steps of a built-in or registered model are computed.
fn step(trainer: &Trainer) -> Result<Option<&'static str>> {
    let Trainer::Candle(workload) = trainer else { return Ok(None) };
    let replayed = Replica::new(workload, 0)?.replays()?;
    Ok(Some(if replayed { "replayed" } else { "recorded" }))
}
