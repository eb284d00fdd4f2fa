//! From a checked experiment to its cells: what has to be computed, each with
//! an id made of nothing but what changes its numbers.
//!
//! A grid expands to three kinds of cells. A [`FindCell`] finds the learning
//! rate of a workload at a horizon; a [`PilotCell`] measures the gradient
//! norms that a `refined` schedule is made from; a [`RunCell`] trains one
//! schedule with one seed at a multiple of the rate its find cell found. A
//! run refers to its find cell by id, so all ids are known before anything
//! runs, and adding seeds, schedules or workloads leaves the ids of the
//! others as they were.

mod baseline;
pub(crate) mod cost;

use crate::digest;
use crate::grid::{Experiment, LrFindPer};
use crate::schedule::{Course, ScheduleSpec, shared_steps};
use crate::spec::{ExternalSpec, ScriptFolder, TrainerSpec};
use baseline::{baseline, own_rate, searched};
use serde::Serialize;
use std::collections::BTreeMap;

/// Raised by hand whenever the same spec gives other numbers than before
/// (kernels, initialisation, batch order): results of two versions never mix.
pub(crate) const NUMERICS_VERSION: u32 = 6;

/// Raised as well when the same spec gives other tables of rates (schedules,
/// the finder). Users' programs depend on nothing else of ours, and their
/// results are expensive.
const TABLES_VERSION: u32 = 2;

/// The same for scripts under the launcher: raised when the launcher gives
/// other losses at the same task.
const LAUNCHER_VERSION: u32 = 1;

/// Finding one learning rate.
#[derive(Clone, Debug)]
pub(crate) struct FindCell {
    /// Content hash of everything that changes the numbers.
    pub(crate) id: String,
    /// Index into [`Experiment::workloads`].
    pub(crate) workload: usize,
    /// Updates of the trainings that the rate is for.
    pub(crate) budget: usize,
    /// Index into [`Experiment::schedules`] of the schedule that the rate is
    /// verified under; their number for the rate of a baseline.
    pub(crate) schedule: usize,
    /// The rate if the grid gives it; then there is nothing to find.
    pub(crate) given: Option<f64>,
}

/// Measuring the gradient norms of one training.
#[derive(Clone, Debug)]
pub(crate) struct PilotCell {
    /// Content hash of everything that changes the numbers.
    pub(crate) id: String,
    /// Index into [`Plan::finds`] of the cell that finds its rate.
    pub(crate) find: usize,
    /// Index into [`Experiment::workloads`].
    pub(crate) workload: usize,
    /// What it is trained under.
    pub(crate) schedule: ScheduleSpec,
    /// Updates.
    pub(crate) budget: usize,
    /// Peak rate over the rate found.
    pub(crate) lr_multiple: f64,
}

/// Training one schedule with one seed.
#[derive(Clone, Debug)]
pub(crate) struct RunCell {
    /// Content hash of everything that changes the numbers.
    pub(crate) id: String,
    /// Index into [`Plan::finds`] of the cell that finds its rate.
    pub(crate) find: usize,
    /// Index into [`Plan::pilots`] of the cell that measures the norms for a
    /// `refined` schedule.
    pub(crate) pilot: Option<usize>,
    /// Index into [`Experiment::workloads`].
    pub(crate) workload: usize,
    /// Index into [`Experiment::schedules`]; their number for a baseline.
    pub(crate) schedule: usize,
    /// Updates.
    pub(crate) budget: usize,
    /// Peak rate over the rate found.
    pub(crate) lr_multiple: f64,
    /// Seed of weights and batch order.
    pub(crate) seed: u64,
}

/// All cells of one experiment, in the order of its tables.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Rates to find.
    pub(crate) finds: Vec<FindCell>,
    /// Gradient norms to measure.
    pub(crate) pilots: Vec<PilotCell>,
    /// Trainings to run.
    pub(crate) runs: Vec<RunCell>,
}

/// Everything about a workload that changes the numbers of its cells. Its name,
/// the paths of its data, the host and the grid do not.
#[derive(Serialize)]
#[serde(untagged)]
enum Identity<'a> {
    Candle(CandleIdentity<'a>),
    External(ExternalIdentity<'a>),
}

#[derive(Serialize)]
struct CandleIdentity<'a> {
    numerics: u32,
    device: &'a str,
    data: &'a str,
    model: &'a crate::spec::ModelSpec,
    optimizer: &'a crate::spec::OptimizerSpec,
    batch: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    accumulate: Option<usize>,
}

/// Of a program, which chooses its own device and data.
#[derive(Serialize)]
struct ExternalIdentity<'a> {
    tables: u32,
    files: &'a str,
    command: &'a [String],
    model: &'a Option<String>,
    dataset: &'a Option<String>,
    optimizer: &'a Option<String>,
    batch: Option<usize>,
    metric: &'a Option<String>,
    /// Of a script under the launcher.
    #[serde(skip_serializing_if = "Option::is_none")]
    launcher: Option<(u32, ScriptFolder)>,
}

impl Plan {
    /// Expands `experiment`. `fingerprints` has one digest of the data of
    /// each workload, in its order, label noise and given weights included,
    /// or of the files of its program; `device` is the device class (`cpu`,
    /// `cuda`, `metal`).
    pub(crate) fn new(
        experiment: &Experiment,
        fingerprints: &[String],
        device: &str,
    ) -> Self {
        let mut finds = vec![];
        let mut pilots: Vec<PilotCell> = vec![];
        let mut runs = vec![];
        let longest = experiment.budgets.iter().copied().max().unwrap_or(0);
        let schedules = experiment.schedules.len();
        let control = searched(experiment);
        for (workload, entry) in experiment.workloads.iter().enumerate() {
            let identity =
                identity(&entry.spec, &fingerprints[workload], device);
            for &budget in &experiment.budgets {
                let horizon = match experiment.lr_find.per {
                    _ if entry.lr.is_some() => longest,
                    LrFindPer::Workload => longest,
                    LrFindPer::Budget | LrFindPer::Schedule => budget,
                };
                let mut find_of = |schedule| {
                    let given = own_rate(experiment, schedule).or(entry.lr);
                    let id = match given {
                        Some(lr) => content_id(&("given", lr)),
                        None => {
                            find_id(experiment, &identity, horizon, schedule)
                        }
                    };
                    let budget = horizon;
                    let cell =
                        FindCell { id, workload, budget, schedule, given };
                    let known = finds.iter().position(|f: &FindCell| {
                        f.workload == workload && f.id == cell.id
                    });
                    known.unwrap_or_else(|| {
                        finds.push(cell);
                        finds.len() - 1
                    })
                };
                let find_by_schedule: Vec<usize> = (0..schedules)
                    .map(|schedule| match experiment.lr_find.per {
                        LrFindPer::Schedule => find_of(schedule),
                        _ if own_rate(experiment, schedule).is_some() => {
                            find_of(schedule)
                        }
                        _ => find_of(control),
                    })
                    .collect();
                for &lr_multiple in &experiment.lr_multiples {
                    for (schedule, &find) in find_by_schedule.iter().enumerate()
                    {
                        let pilot = experiment.schedules[schedule].pilot();
                        let pilot = pilot.map(|schedule| {
                            let id = content_id(&(
                                "pilot",
                                &identity,
                                &finds[find].id,
                                &schedule,
                                budget,
                                lr_multiple,
                            ));
                            let cell = PilotCell {
                                id,
                                find,
                                workload,
                                schedule,
                                budget,
                                lr_multiple,
                            };
                            index_of(&mut pilots, cell)
                        });
                        for &seed in &experiment.seeds {
                            let id = content_id(&(
                                "run",
                                &identity,
                                &finds[find].id,
                                &experiment.schedules[schedule],
                                budget,
                                lr_multiple,
                                seed,
                            ));
                            runs.push(RunCell {
                                id,
                                find,
                                pilot,
                                workload,
                                schedule,
                                budget,
                                lr_multiple,
                                seed,
                            });
                        }
                    }
                }
                if let Some(own) = &entry.baseline {
                    let place = (workload, budget, finds.len());
                    let cells = baseline(experiment, &identity, place, own);
                    finds.push(cells.0);
                    runs.extend(cells.1);
                }
            }
        }
        Self { finds, pilots, runs }
    }
}

impl Plan {
    /// The rates that have to be found: all but those that the grid gives.
    pub(crate) fn searches(&self) -> impl Iterator<Item = &FindCell> {
        self.finds.iter().filter(|find| find.given.is_none())
    }

    /// Updates of the runs `which` that need not be repeated, because another
    /// run of the same workload, rate and seed begins alike. Schedules that are
    /// made from gradient norms do not count, and programs share none.
    pub(crate) fn shared_steps(
        &self,
        experiment: &Experiment,
        which: &[usize],
    ) -> usize {
        let mut alike = BTreeMap::<_, Vec<(usize, usize)>>::new();
        for cell in which.iter().map(|&i| &self.runs[i]) {
            let spec = &experiment.workloads[cell.workload].spec;
            let candle = matches!(spec, TrainerSpec::Candle(_));
            if cell.pilot.is_none() && candle {
                let group = (cell.find, cell.lr_multiple.to_bits(), cell.seed);
                let run = (cell.schedule, cell.budget);
                alike.entry(group).or_default().push(run);
            }
        }
        // Most groups are of the same schedules and budgets.
        let mut known = BTreeMap::new();
        for runs in alike.into_values() {
            *known.entry(runs).or_insert(0) += 1;
        }
        let saved = |runs: &[(usize, usize)]| {
            let course = |&(schedule, budget): &(usize, usize)| {
                experiment.schedules[schedule].course(1.0, budget).ok()
            };
            let courses: Vec<Course> = runs.iter().filter_map(course).collect();
            let all: usize = courses.iter().map(Course::steps).sum();
            all - shared_steps(&courses.iter().collect::<Vec<_>>(), 0)
        };
        known.iter().map(|(runs, times)| times * saved(runs)).sum()
    }
}

/// Index of `cell` among `pilots`; a new one is appended. Schedules that differ
/// only in their smoothing share one.
fn index_of(pilots: &mut Vec<PilotCell>, cell: PilotCell) -> usize {
    let same = |pilot: &PilotCell| {
        pilot.id == cell.id && pilot.workload == cell.workload
    };
    pilots.iter().position(same).unwrap_or_else(|| {
        pilots.push(cell);
        pilots.len() - 1
    })
}

fn identity<'a>(
    spec: &'a TrainerSpec,
    data: &'a str,
    device: &'a str,
) -> Identity<'a> {
    match spec {
        TrainerSpec::Candle(spec) => Identity::Candle(CandleIdentity {
            numerics: NUMERICS_VERSION,
            device,
            data,
            model: &spec.model,
            optimizer: &spec.optimizer,
            batch: spec.batch,
            // Left out at its default, so that ids from before the key existed
            // stay valid.
            accumulate: (spec.accumulate > 1).then_some(spec.accumulate),
        }),
        TrainerSpec::External(ExternalSpec {
            command,
            script,
            model,
            dataset,
            optimizer,
            batch,
            metric,
            ..
        }) => Identity::External(ExternalIdentity {
            tables: TABLES_VERSION,
            files: data,
            command,
            model,
            dataset,
            optimizer,
            batch: *batch,
            metric,
            launcher: script.map(|folder| (LAUNCHER_VERSION, folder)),
        }),
    }
}

fn find_id(
    experiment: &Experiment,
    identity: &Identity<'_>,
    horizon: usize,
    schedule: usize,
) -> String {
    content_id(&(
        "find",
        identity,
        &experiment.lr_find,
        experiment.lr_find.verify.then(|| &experiment.schedules[schedule]),
        horizon,
    ))
}

/// The id of an undisturbed start of a script for at most `limit` updates;
/// `files` is the digest of its files.
pub(crate) fn recording_id(
    spec: &TrainerSpec,
    files: &str,
    limit: Option<usize>,
) -> String {
    content_id(&("recording with momenta", identity(spec, files, ""), limit))
}

/// The digest of the canonical JSON of `spec` (fields in order of
/// declaration).
fn content_id(spec: &impl Serialize) -> String {
    digest::of(&serde_json::to_vec(spec).expect("specs are plain data"))
}
