//! Executes a plan: what the store lacks, in parallel, each result kept as
//! soon as it is there.
//!
//! First every learning rate is found, then every run trained; both longest
//! first. Results do not depend on the number of workers or on what was
//! interrupted before.

pub(crate) mod auto;
mod progress;
mod race;
mod workers;

use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::grid::{DeviceSpec, Experiment};
use crate::lr_find::{self, LrFound};
use crate::plan::{Plan, RunCell};
use crate::record::{Outcome, RunRecord};
use crate::report::RegimeRow;
use crate::spec::DatasetSpec;
use crate::store::Store;
use crate::train::{self, Fit, Replica};
use crate::workload::{Registry, Workload};
use candle_core::Device;
use progress::Progress;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
pub(crate) use workers::{Done, in_parallel};

/// An experiment with its data resident and its cells known.
pub(crate) struct Prepared {
    /// In the experiment's order.
    pub(crate) workloads: Vec<Workload>,
    /// What has to be computed.
    pub(crate) plan: Plan,
    /// `cpu`, `cuda` or `metal`.
    pub(crate) device_class: &'static str,
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
    /// Not reached before the user stopped it.
    Missing,
    /// Not wanted: a race had stopped its schedule.
    Stopped,
}

/// All cells of a plan, in its order.
pub(crate) struct Results {
    /// Rates.
    pub(crate) finds: Vec<Cell<FindResult>>,
    /// Trainings.
    pub(crate) runs: Vec<Cell<RunResult>>,
    /// Cells that were computed now, not read from the store.
    pub(crate) computed: usize,
}

/// How to execute.
pub(crate) struct Options<'a> {
    /// Workers.
    pub(crate) jobs: usize,
    /// Show no progress.
    pub(crate) quiet: bool,
    /// Set by a signal: drop the runs in flight, keep what is finished.
    pub(crate) stop: &'a AtomicBool,
    /// Prints a line to the user.
    pub(crate) say: &'a dyn Fn(&str),
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
    let device = open_device(experiment.device)?;
    let mut loaded: Vec<(&DatasetSpec, f64, Arc<Dataset>, String)> = vec![];
    let mut workloads = vec![];
    let mut fingerprints = vec![];
    for entry in &experiment.workloads {
        let spec = &entry.spec;
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
        workloads.push(registry.workload(spec, data)?);
        fingerprints.push(fingerprint);
    }
    let device_class = match device {
        Device::Cpu => "cpu",
        Device::Cuda(_) => "cuda",
        Device::Metal(_) => "metal",
    };
    let plan = Plan::new(experiment, &fingerprints, device_class);
    Ok(Prepared { workloads, plan, device_class })
}

fn open_device(spec: DeviceSpec) -> Result<Device> {
    let missing = |name: &str| {
        let remedy = format!(
            "device `{name}` is not at hand: build with `--features {name}` \
             on a machine that has one, or take `device = \"cpu\"`"
        );
        move |_| Error::Invalid(remedy)
    };
    match spec {
        DeviceSpec::Cpu => Ok(Device::Cpu),
        DeviceSpec::Cuda(index) => {
            Device::new_cuda(index).map_err(missing("cuda"))
        }
        DeviceSpec::Metal => Device::new_metal(0).map_err(missing("metal")),
        DeviceSpec::Auto => Ok(Device::new_cuda(0)
            .or_else(|_| Device::new_metal(0))
            .unwrap_or(Device::Cpu)),
    }
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
    let finds = find_all(experiment, prepared, Some(store), options)?;
    let train = |title: &str, which: &[usize]| {
        train_runs(experiment, prepared, store, options, &finds.0, title, which)
    };
    let runs = if experiment.race {
        race::rounds(experiment, prepared, options, train)?
    } else {
        let all: Vec<usize> = (0..prepared.plan.runs.len()).collect();
        train("runs", &all)?
    };
    Ok(Results { finds: finds.0, runs: runs.0, computed: finds.1 + runs.1 })
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

/// A flag that Ctrl-C or TERM sets; the second one ends the program at once.
///
/// # Errors
///
/// If the handlers cannot be installed.
pub(crate) fn stop_on_signals() -> Result<Arc<AtomicBool>> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first signal finds the flag unset.
        let now = Arc::clone(&stop);
        signal_hook::flag::register_conditional_shutdown(signal, 130, now)
            .and_then(|_| {
                signal_hook::flag::register(signal, Arc::clone(&stop))
            })
            .map_err(|error| Error::Invalid(error.to_string()))?;
    }
    Ok(stop)
}

/// The cells of a stage and how many of them were computed now.
type Stage<T> = (Vec<Cell<T>>, usize);

fn find_all(
    experiment: &Experiment,
    prepared: &Prepared,
    store: Option<&Store>,
    options: &Options<'_>,
) -> Result<Stage<FindResult>> {
    let cells = &prepared.plan.finds;
    let cost = |cell: usize| {
        let workload = &prepared.workloads[cells[cell].workload];
        let examples = workload.batch * workload.data.features();
        (cells[cell].budget * examples) as f64
    };
    let name = |cell: usize| {
        let cell = &cells[cell];
        let workload = &prepared.workloads[cell.workload].name;
        format!("{workload}, {} steps", cell.budget)
    };
    let ids: Vec<&str> = cells.iter().map(|cell| cell.id.as_str()).collect();
    stage("learning rates", &ids, store, options, &cost, &name, |i| {
        let cell = &cells[i];
        let workload = &prepared.workloads[cell.workload];
        let began = Instant::now();
        let found = lr_find::for_workload(
            workload,
            &experiment.lr_find,
            experiment.control_spec(),
            cell.budget,
            &|| options.stop.load(Ordering::Relaxed),
        )?;
        Ok(FindResult { found, seconds: began.elapsed().as_secs_f64() })
    })
}

/// Trains the runs `which` of the plan.
fn train_runs(
    experiment: &Experiment,
    prepared: &Prepared,
    store: &Store,
    options: &Options<'_>,
    finds: &[Cell<FindResult>],
    title: &str,
    which: &[usize],
) -> Result<Stage<RunResult>> {
    let cells: Vec<&RunCell> =
        which.iter().map(|&i| &prepared.plan.runs[i]).collect();
    let cost = |cell: usize| {
        let step_seconds = match &finds[cells[cell].find] {
            Cell::Done(find) => {
                find.seconds / find.found.cost_steps.max(1) as f64
            }
            _ => 0.0,
        };
        cells[cell].budget as f64 * step_seconds
    };
    let name = |cell: usize| {
        let cell = cells[cell];
        format!(
            "{} {} {}x seed {}, {} steps",
            prepared.workloads[cell.workload].name,
            experiment.schedules[cell.schedule].label(),
            cell.lr_multiple,
            cell.seed,
            cell.budget
        )
    };
    let ids: Vec<&str> = cells.iter().map(|cell| cell.id.as_str()).collect();
    stage(title, &ids, Some(store), options, &cost, &name, |i| {
        let cell = cells[i];
        let found = match &finds[cell.find] {
            Cell::Done(find) => &find.found,
            Cell::Failed(why) => {
                let why = format!("its learning rate was not found: {why}");
                return Err(Error::Invalid(why));
            }
            Cell::Missing | Cell::Stopped => return Err(Error::Interrupted),
        };
        let peak_lr = found.lr * cell.lr_multiple;
        let rates = experiment.schedules[cell.schedule]
            .rates(peak_lr, cell.budget)
            .map_err(|problem| Error::Invalid(problem.to_string()))?;
        let workload = &prepared.workloads[cell.workload];
        let fit = train::fit(workload, cell.seed, &rates, &|| {
            options.stop.load(Ordering::Relaxed)
        })?;
        Ok(RunResult { peak_lr, fit })
    })
}

/// Reads the cells `ids` from the store, computes the rest with `work`, and
/// keeps each answer at once.
fn stage<T: Clone + Send + Serialize + serde::de::DeserializeOwned>(
    title: &str,
    ids: &[&str],
    store: Option<&Store>,
    options: &Options<'_>,
    cost: &(dyn Fn(usize) -> f64 + Sync),
    name: &(dyn Fn(usize) -> String + Sync),
    work: impl Fn(usize) -> Result<T> + Sync,
) -> Result<Stage<T>> {
    let mut cells = Vec::with_capacity(ids.len());
    for id in ids {
        let kept = store.map_or(Ok(None), |store| store.get(id))?;
        cells.push(kept.map_or(Cell::Missing, Cell::Done));
    }
    let mut todo: Vec<usize> =
        (0..ids.len()).filter(|&i| matches!(cells[i], Cell::Missing)).collect();
    if todo.is_empty() {
        return Ok((cells, 0));
    }
    todo.sort_by(|&a, &b| cost(b).total_cmp(&cost(a)).then(a.cmp(&b)));
    let total = todo.iter().map(|&i| cost(i)).sum();
    let mut progress =
        Progress::new(title, todo.len(), total, options.quiet, options.say);
    let mut computed = 0;
    // A failed write stops the stage: results that cannot be kept are void.
    let mut broken = None;
    let keep = |i: usize| {
        let result = work(i)?;
        if let Some(store) = store {
            store.put(ids[i], &result)?;
        }
        Ok(result)
    };
    in_parallel(options.jobs, &todo, keep, |i, answer| {
        progress.advance(cost(i), &name(i));
        let why = match answer {
            Done::Finished(Ok(result)) => {
                computed += 1;
                cells[i] = Cell::Done(result);
                return;
            }
            Done::Finished(Err(Error::Interrupted)) => return,
            Done::Finished(Err(error @ Error::Io { .. })) => {
                options.stop.store(true, Ordering::Relaxed);
                broken = Some(error);
                return;
            }
            Done::Finished(Err(error)) => error.to_string(),
            Done::Panicked(message) => message,
        };
        progress.note(&format!("failed: {}: {why}", name(i)));
        cells[i] = Cell::Failed(why);
    });
    let wall = progress.finish();
    if let Some(error) = broken {
        return Err(error);
    }
    if !options.quiet {
        (options.say)(&format!(
            "{title}: {computed} of {} computed in {}",
            ids.len(),
            progress::clock(wall)
        ));
    }
    Ok((cells, computed))
}

/// The row of a finished or failed run; `None` if it is missing.
pub(crate) fn record(
    experiment: &Experiment,
    prepared: &Prepared,
    cell: &RunCell,
    state: &Cell<RunResult>,
) -> Option<RunRecord> {
    let entry = &experiment.workloads[cell.workload];
    let task = prepared.workloads[cell.workload].data.task;
    let blank = RunRecord {
        run_id: cell.id.clone(),
        workload: entry.spec.name.clone(),
        cluster: entry.cluster.clone(),
        optimizer: entry.spec.optimizer.label(),
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
        metric: task.metric().to_owned(),
        train_seconds: 0.0,
    };
    match state {
        Cell::Missing => None,
        Cell::Failed(_) => Some(blank),
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
            train_seconds: fit.train_seconds,
            ..blank
        }),
    }
}

/// How large the workloads are.
///
/// # Errors
///
/// If a model cannot be built.
pub(crate) fn regime(prepared: &Prepared) -> Result<Vec<RegimeRow>> {
    prepared
        .workloads
        .iter()
        .map(|workload| {
            Ok(RegimeRow {
                workload: workload.name.clone(),
                parameters: Replica::new(workload, 0)?.parameters(),
                samples: workload.data.train.len(),
                batch: workload.batch,
            })
        })
        .collect()
}

/// Median seconds of one update of each workload, `jobs` at once, over
/// `blocks` blocks of about `block_seconds` each after a warm-up.
///
/// # Errors
///
/// If a workload cannot be trained.
pub(crate) fn step_seconds(
    workloads: &[Workload],
    jobs: usize,
    blocks: usize,
    block_seconds: f64,
) -> Result<Vec<f64>> {
    let mut medians = Vec::with_capacity(workloads.len());
    for workload in workloads {
        let mut times = vec![];
        let mut failed = None;
        let order: Vec<usize> = (0..jobs).collect();
        let measure = |worker: usize| -> Result<Vec<f64>> {
            let mut replica = Replica::new(workload, worker as u64)?;
            let mut block = |steps: usize| -> Result<f64> {
                let began = Instant::now();
                for _ in 0..steps {
                    replica.update(1e-4)?;
                }
                Ok(began.elapsed().as_secs_f64() / steps as f64)
            };
            block(3)?;
            let guess = block(5)?;
            let steps = (block_seconds / guess).clamp(1.0, 1e5);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "clamped just above"
            )]
            let steps = steps as usize;
            (0..blocks).map(|_| block(steps)).collect()
        };
        in_parallel(jobs, &order, measure, |_, answer| match answer {
            Done::Finished(Ok(blocks)) => times.extend(blocks),
            Done::Finished(Err(error)) => failed = Some(error),
            Done::Panicked(why) => failed = Some(Error::Invalid(why)),
        });
        if let Some(error) = failed {
            return Err(error);
        }
        times.sort_by(f64::total_cmp);
        medians.push(times[times.len() / 2]);
    }
    Ok(medians)
}
