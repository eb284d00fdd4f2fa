//! Executes a plan: what the store lacks, in parallel, each result kept as
//! soon as it is there.
//!
//! First every learning rate is found, then the gradient norms measured that
//! schedules are made from, then every run trained; each longest first.
//! Results do not depend on the number of workers or on what was interrupted
//! before.

mod bench;
mod device;
mod external;
mod memory;
mod progress;
pub(crate) mod publish;
mod race;
mod runs;
mod stage;
mod workers;

use crate::data::Dataset;
use crate::digest;
use crate::error::{Error, Result};
use crate::grid::{Experiment, LrFindPer, WorkloadEntry};
use crate::lr_find::{self, LrFound, Means, Memory};
use crate::plan::{Plan, RunCell};
use crate::record::{Outcome, RunRecord};
use crate::results::rows::RegimeRow;
use crate::spec::{DatasetSpec, TrainerSpec};
use crate::store::{Store, environment};
use crate::train::{self, Fit, Pilot, Replica, Trainer};
use crate::workload::Registry;
pub(crate) use bench::paces;
use candle_core::{Device, Tensor};
use device::Streams;
pub(crate) use progress::Event;
use runs::{Needs, Trainings};
use serde::{Deserialize, Serialize};
use stage::{Computed, Stage};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
pub(crate) use workers::{Done, in_parallel, jobs, several};

/// An experiment with its data resident and its cells known.
pub(crate) struct Prepared {
    /// Of its workloads, in the experiment's order.
    pub(crate) trainers: Vec<Trainer>,
    /// What has to be computed.
    pub(crate) plan: Plan,
    /// `cpu`, `cuda` or `metal`.
    pub(crate) device_class: &'static str,
    streams: Streams,
}

impl Prepared {
    /// The trainer of a workload for `worker`.
    ///
    /// # Errors
    ///
    /// If the device has no room for its data.
    fn trainer(&self, workload: usize, worker: usize) -> Result<Trainer> {
        self.streams.trainer(&self.trainers, workload, worker)
    }
}

/// What a find cell leaves in the store.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct FindResult {
    /// The rate and its evidence.
    pub(crate) found: LrFound,
    /// Wall time of all its updates and evaluations, in seconds.
    pub(crate) seconds: f64,
}

/// What a run cell leaves in the store.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct RunResult {
    /// Peak of the schedule.
    pub(crate) peak_lr: f64,
    /// The training.
    pub(crate) fit: Fit,
}

/// State of one cell after execution.
#[derive(Clone, Debug)]
pub(crate) enum Cell<T> {
    /// Computed now or before.
    Done(T),
    /// Failed now, with the reason; it runs again next time.
    Failed(String),
    /// Took longer than a run may, in words; it runs again next time.
    TimedOut(String),
    /// Not reached before the user stopped it.
    Missing,
    /// Not wanted: a race had stopped its schedule.
    Stopped,
}

impl<T> Cell<T> {
    /// Why it failed, if it did.
    pub(crate) fn failure(&self) -> Option<&str> {
        match self {
            Self::Failed(why) | Self::TimedOut(why) => Some(why),
            Self::Done(_) | Self::Missing | Self::Stopped => None,
        }
    }
}

/// All cells of a plan, in its order.
pub(crate) struct Results {
    /// Rates.
    pub(crate) finds: Vec<Cell<FindResult>>,
    /// Runs with their gradient norms.
    pub(crate) pilots: Vec<Cell<Pilot>>,
    /// Trainings.
    pub(crate) runs: Vec<Cell<RunResult>>,
    /// Cells that were computed now, not read from the store.
    pub(crate) computed: usize,
}

/// How to execute.
#[expect(clippy::struct_excessive_bools, reason = "independent switches")]
pub(crate) struct Options<'a> {
    /// Workers.
    pub(crate) jobs: usize,
    /// Draw bars on a terminal.
    pub(crate) bars: bool,
    /// Tell of every cell, not only now and then.
    pub(crate) every_cell: bool,
    /// Train once what runs share.
    pub(crate) sharing: bool,
    /// Stop when something fails.
    pub(crate) fail_fast: bool,
    /// Ids of the cells to compute; `None` means all.
    pub(crate) only: Option<HashSet<String>>,
    /// How often a run keeps its state, to go on from after a crash.
    pub(crate) snapshot_every: Duration,
    /// Most that a run may take.
    pub(crate) run_time: Option<Duration>,
    /// When to stop as if by a signal.
    pub(crate) deadline: Option<Instant>,
    /// Set by a signal: drop the runs in flight, keep what is finished.
    pub(crate) stop: &'a AtomicBool,
    /// Hears what happens.
    pub(crate) tell: &'a (dyn Fn(&Event<'_>) + Sync),
}

impl<'a> Options<'a> {
    /// Everything, at `jobs` cells at once, until `stop` is set.
    pub(crate) fn new(
        jobs: usize,
        stop: &'a AtomicBool,
        tell: &'a (dyn Fn(&Event<'_>) + Sync),
    ) -> Self {
        Self {
            jobs,
            bars: true,
            every_cell: false,
            sharing: true,
            fail_fast: false,
            only: None,
            snapshot_every: Duration::from_secs(60),
            run_time: None,
            deadline: None,
            stop,
            tell,
        }
    }

    /// Whether to stop.
    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
            || self.deadline.is_some_and(|end| Instant::now() >= end)
    }

    fn wants(&self, id: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(id))
    }
}

/// Loads every data set of `experiment` once and expands its cells. Relative
/// paths count from `base`, the grid's folder.
///
/// # Errors
///
/// If a data set cannot be loaded or the device is not at hand.
pub(crate) fn prepare(
    experiment: &Experiment,
    registry: &Registry,
    base: &Path,
) -> Result<Prepared> {
    // The devices of programs are their own affair.
    let is_candle =
        |entry: &WorkloadEntry| matches!(entry.spec, TrainerSpec::Candle(_));
    let device = if experiment.workloads.iter().any(is_candle) {
        device::open(experiment.device)?
    } else {
        Device::Cpu
    };
    let mut loaded: Vec<(&DatasetSpec, f64, Arc<Dataset>, String)> = vec![];
    let mut trainers = vec![];
    let mut fingerprints = vec![];
    let mut programs = external::Programs::default();
    for entry in &experiment.workloads {
        let spec = match &entry.spec {
            TrainerSpec::Candle(spec) => spec,
            TrainerSpec::External(spec) => {
                let (external, print) =
                    programs.trainer(&entry.name, spec, base)?;
                trainers.push(Trainer::External(external));
                fingerprints.push(print);
                continue;
            }
        };
        let known = loaded.iter().find(|(dataset, noise, ..)| {
            **dataset == spec.dataset && *noise == spec.label_noise
        });
        let (data, fingerprint) = if let Some((.., data, print)) = known {
            (Arc::clone(data), print.clone())
        } else {
            let data = registry.load(
                &spec.dataset,
                spec.label_noise,
                base,
                &device,
            )?;
            let print = data.fingerprint()?;
            let data = Arc::new(data);
            let entry = (
                &spec.dataset,
                spec.label_noise,
                Arc::clone(&data),
                print.clone(),
            );
            loaded.push(entry);
            (data, print)
        };
        let (weights, print) = match &spec.weights {
            Some(file) => given_weights(&base.join(file))?,
            None => Default::default(),
        };
        let workload = registry.workload(&entry.name, spec, data, weights)?;
        if !workload.optimizer.lr_multipliers().is_empty() {
            // Whether the weights that it names are there shows in a model.
            Replica::new(&workload, 0)?;
        }
        trainers.push(Trainer::Candle(workload));
        fingerprints.push(fingerprint + &print);
    }
    let device_class = device::class(&device);
    let plan = Plan::new(experiment, &fingerprints, device_class);
    let streams = Streams::new(&device);
    Ok(Prepared { trainers, plan, device_class, streams })
}

/// The weights of a file by name, and a digest of them.
fn given_weights(
    path: &Path,
) -> Result<(Arc<HashMap<String, Tensor>>, String)> {
    let weights = crate::optim::weights(path)?;
    let mut by_name: Vec<(&str, &Tensor)> =
        weights.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    by_name.sort_by_key(|(name, _)| *name);
    let print = format!("+{}", digest::tensors(by_name)?);
    Ok((Arc::new(weights), print))
}

/// Computes what `store` lacks and reads the rest from it.
///
/// A run that fails or panics harms no other; it is in the results with its
/// reason. When `options.stop` is set, cells in flight are dropped and the
/// results hold what is finished.
///
/// # Errors
///
/// If the store cannot be read or written.
pub(crate) fn execute(
    experiment: &Experiment,
    prepared: &Prepared,
    store: &Store,
    options: &Options<'_>,
) -> Result<Results> {
    let (finds, found) = find_all(experiment, prepared, Some(store), options)?;
    let (pilots, measured) = measure_all(prepared, store, options, &finds)?;
    let needs = Needs { finds: &finds, pilots: &pilots };
    let trainings = Trainings { experiment, prepared, store, options, needs };
    let train = |title: &str, which: &[usize]| trainings.train(title, which);
    // Who picks runs by hand wants them all.
    let (runs, trained) = if experiment.race && options.only.is_none() {
        race::rounds(experiment, prepared, options, train)?
    } else {
        let all: Vec<usize> = (0..prepared.plan.runs.len()).collect();
        train("runs", &all)?
    };
    let computed = found + measured + trained;
    Ok(Results { finds, pilots, runs, computed })
}

/// Finds the learning rates alone; without a store, all of them anew.
///
/// # Errors
///
/// If the store cannot be read or written.
pub(crate) fn find(
    experiment: &Experiment,
    prepared: &Prepared,
    options: &Options<'_>,
) -> Result<Vec<Cell<FindResult>>> {
    Ok(find_all(experiment, prepared, None, options)?.0)
}

/// How long runs in flight may take to see that they are to stop; what is
/// finished is safe at any instant.
const GRACE: Duration = Duration::from_secs(4);

/// Exit code of a program that was stopped.
const INTERRUPTED: i32 = 130;

/// How often a second signal is looked for.
const LOOK: Duration = Duration::from_millis(20);

/// A flag that Ctrl-C, TERM or the end of the terminal sets (but not under
/// `nohup`); a second one of them ends this program at once, and the programs
/// that it started. So does the first one after a while, if an update takes
/// that long.
///
/// # Errors
///
/// If the handlers cannot be installed.
pub(crate) fn stop_on_signals() -> Result<Arc<AtomicBool>> {
    use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    let wrong = |error: std::io::Error| Error::Invalid(error.to_string());
    let stop = Arc::new(AtomicBool::new(false));
    let mut all = vec![SIGINT, SIGTERM];
    if environment::ignores_hangups() == Some(false) {
        all.push(SIGHUP);
    }
    for &signal in &all {
        let stop = Arc::clone(&stop);
        signal_hook::flag::register(signal, stop).map_err(wrong)?;
    }
    // Whoever started this program may have had it ignored, and then the end
    // of no program could be waited for.
    signal_hook::flag::register(SIGCHLD, Arc::default()).map_err(wrong)?;
    let mut signals = Signals::new(all).map_err(wrong)?;
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            let asked = Instant::now();
            while asked.elapsed() < GRACE && signals.pending().next().is_none()
            {
                std::thread::sleep(LOOK);
            }
            train::kill_programs();
            // At once: runs that go on may be at anything.
            signal_hook::low_level::exit(INTERRUPTED);
        }
    });
    Ok(stop)
}

/// A run of a finder is kept from this time on, for a search that is
/// interrupted.
const WORTH_KEEPING: Duration = Duration::from_secs(1);

/// What an update of a program counts as, in input values: more than most of
/// ours, since it has to start.
const PROGRAM_VALUES: f64 = 1e8;

fn find_all(
    experiment: &Experiment,
    prepared: &Prepared,
    store: Option<&Store>,
    options: &Options<'_>,
) -> Result<Computed<FindResult>> {
    let cells = &prepared.plan.finds;
    let cost = |cell: usize| {
        let values = match &prepared.trainers[cells[cell].workload] {
            Trainer::Candle(workload) => {
                (workload.batch * workload.data.features()) as f64
            }
            Trainer::External(_) => PROGRAM_VALUES,
        };
        cells[cell].budget as f64 * values
    };
    let name = |cell: usize| {
        let cell = &cells[cell];
        let workload = prepared.trainers[cell.workload].name();
        let schedule = match experiment.lr_find.per {
            LrFindPer::Schedule => {
                format!(" {}", experiment.schedules[cell.schedule].label())
            }
            _ => String::new(),
        };
        format!("{workload}{schedule}, {} steps", cell.budget)
    };
    let stage = Stage {
        title: "learning rates",
        ids: cells.iter().map(|cell| cell.id.as_str()).collect(),
        store,
        options,
        cost: &cost,
        timed: false,
        name: &name,
    };
    stage.each(|i, turn| {
        let cell = &cells[i];
        let trainer = prepared.trainer(cell.workload, turn.worker)?;
        // Fewer cells than workers: the seeds of a cell have some, too.
        let spare = options.jobs / cells.len();
        let memory = Memory {
            recall: &|run| store?.part_of(&cell.id, run),
            keep: &|run, known, took| {
                // Others are run again as soon as they are read.
                if let Some(store) = store.filter(|_| took > WORTH_KEEPING) {
                    store.put_part(&cell.id, run, known);
                }
            },
        };
        let began = Instant::now();
        let found = lr_find::for_workload(
            &trainer,
            &experiment.lr_find,
            &experiment.schedules[cell.schedule],
            cell.budget,
            Means {
                several: &several(spare.min(jobs(&trainer))),
                memory,
                stop: &|| turn.stopped(),
            },
        )?;
        Ok(FindResult { found, seconds: began.elapsed().as_secs_f64() })
    })
}

/// Updates of a cell in seconds, as far as finding its rate tells.
fn seconds(find: &Cell<FindResult>, budget: usize) -> f64 {
    let step_seconds = match find {
        Cell::Done(find) => find.seconds / find.found.cost_steps.max(1) as f64,
        _ => 0.0,
    };
    budget as f64 * step_seconds
}

/// What a cell needs of another one, or why it cannot have it.
fn needed<'a, T>(cell: &'a Cell<T>, what: &str) -> Result<&'a T> {
    match cell {
        Cell::Done(result) => Ok(result),
        // It has said why, once and at length.
        Cell::Failed(_) | Cell::TimedOut(_) => {
            Err(Error::Invalid(what.to_owned()))
        }
        Cell::Missing | Cell::Stopped => Err(Error::Interrupted),
    }
}

const NO_RATE: &str = "its learning rate was not found";
const NO_NORMS: &str = "its gradient norms were not measured";

fn measure_all(
    prepared: &Prepared,
    store: &Store,
    options: &Options<'_>,
    finds: &[Cell<FindResult>],
) -> Result<Computed<Pilot>> {
    let cells = &prepared.plan.pilots;
    let cost = |i: usize| seconds(&finds[cells[i].find], cells[i].budget);
    let name = |i: usize| {
        let cell = &cells[i];
        let workload = prepared.trainers[cell.workload].name();
        let multiple = cell.lr_multiple;
        format!("{workload} {multiple}x, {} steps", cell.budget)
    };
    let stage = Stage {
        title: "gradient norms",
        ids: cells.iter().map(|cell| cell.id.as_str()).collect(),
        store: Some(store),
        options,
        cost: &cost,
        timed: true,
        name: &name,
    };
    stage.each(|i, turn| {
        let cell = &cells[i];
        let find = needed(&finds[cell.find], NO_RATE)?;
        prepared.trainer(cell.workload, turn.worker)?.measure(
            &cell.schedule,
            find.found.lr * cell.lr_multiple,
            cell.budget,
            &|| turn.stopped(),
        )
    })
}

/// The row of a finished or failed run; `None` if it is missing.
pub(crate) fn record(
    experiment: &Experiment,
    prepared: &Prepared,
    cell: &RunCell,
    state: &Cell<RunResult>,
) -> Option<RunRecord> {
    let entry = &experiment.workloads[cell.workload];
    let metric = prepared.trainers[cell.workload].metric();
    let blank = RunRecord {
        run_id: cell.id.clone(),
        workload: entry.name.clone(),
        cluster: entry.cluster.clone(),
        optimizer: entry.spec.optimizer_label(),
        schedule: experiment.schedules[cell.schedule].label(),
        budget: cell.budget,
        lr_multiple: cell.lr_multiple,
        seed: cell.seed,
        peak_lr: 0.0,
        steps: 0,
        outcome: Outcome::Failed,
        train_loss: None,
        valid_loss: None,
        test_loss: None,
        valid_metric: None,
        test_metric: None,
        metric: metric.to_owned(),
    };
    match state {
        Cell::Missing => None,
        Cell::Failed(_) => Some(blank),
        Cell::TimedOut(_) => {
            Some(RunRecord { outcome: Outcome::TimedOut, ..blank })
        }
        Cell::Stopped => Some(RunRecord { outcome: Outcome::Stopped, ..blank }),
        Cell::Done(RunResult { peak_lr, fit }) => Some(RunRecord {
            peak_lr: *peak_lr,
            steps: fit.steps,
            outcome: fit.outcome,
            train_loss: fit.train_loss,
            valid_loss: fit.valid.map(|score| score.loss),
            test_loss: fit.test.map(|score| score.loss),
            valid_metric: fit.valid.map(|score| score.metric),
            test_metric: fit.test.map(|score| score.metric),
            ..blank
        }),
    }
}

/// How large the workloads are, but for those of programs, which do not
/// tell, and those whose model cannot be built: their runs have failed and
/// say why.
pub(crate) fn regime(prepared: &Prepared) -> Vec<RegimeRow> {
    let row = |trainer: &Trainer| {
        let workload = trainer.workload().ok()?;
        let replica = || Replica::new(workload, 0);
        let Done::Finished(Ok(replica)) = workers::caught(replica) else {
            return None;
        };
        Some(RegimeRow {
            workload: workload.name.clone(),
            parameters: replica.parameters(),
            samples: workload.data.train.len(),
            batch: workload.batch,
        })
    };
    prepared.trainers.iter().filter_map(row).collect()
}

#[cfg(test)]
mod tests;
