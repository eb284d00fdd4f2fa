//! What a grid costs and what it can show, before anything is run.

use super::Plan;
use crate::grid::Experiment;
use crate::stats::power;
use crate::text::count;
use serde::Serialize;
use std::collections::BTreeSet;

/// How fast a trainer is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pace {
    /// Time of a training before its first update, in seconds: a program has to
    /// start.
    pub(crate) start_seconds: f64,
    /// Of one update.
    pub(crate) step_seconds: f64,
}

impl Pace {
    /// Time of a training of `updates`, in seconds.
    pub(crate) fn seconds(self, updates: usize) -> f64 {
        self.start_seconds + self.step_seconds * updates as f64
    }
}

/// Range tests alone, in trainings of a budget of usual length.
const RANGE_TEST_TRAININGS: f64 = 0.4;

/// Cost and attainable significance of one grid.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Estimate {
    pub(crate) grid: String,
    pub(crate) workloads: usize,
    pub(crate) clusters: usize,
    pub(crate) schedules: usize,
    pub(crate) seeds: usize,
    pub(crate) budgets: Vec<usize>,
    pub(crate) lr_multiples: Vec<f64>,
    pub(crate) control: String,
    /// Workload x schedule x budget x multiple.
    pub(crate) cells: usize,
    pub(crate) learning_rates: usize,
    pub(crate) runs: usize,
    /// The same with the recorded starts, the pilots and the searches, counted as by
    /// `--max-trainings`.
    pub(crate) trainings: usize,
    /// Optimizer updates of all runs and of the pilots for gradient norms.
    /// Finding the rates is not included.
    pub(crate) steps: usize,
    /// Updates saved because several runs begin alike.
    pub(crate) steps_shared: usize,
    /// Runs at once behind `seconds`.
    pub(crate) jobs: usize,
    /// Wall time, rates included; `None` without a measurement.
    pub(crate) seconds: Option<f64>,
    /// Smallest two-sided p that the exact Wilcoxon test can give.
    pub(crate) smallest_p: f64,
    /// The same after Holm's correction over all comparisons with the
    /// control.
    pub(crate) smallest_p_holm: f64,
    /// Clusters needed before any schedule can be called worse.
    pub(crate) workloads_wanted: usize,
    /// Seeds needed for a claim within one workload.
    pub(crate) seeds_wanted: usize,
    /// The same in words; empty if nothing is missing.
    pub(crate) wanted: Vec<String>,
    /// Parts of schedules that are never reached at one of the budgets, in
    /// words.
    pub(crate) never_reached: Vec<String>,
}

/// Fewest seeds that can show a difference within one workload at 5 %: the
/// exact Wilcoxon test needs six.
const SEEDS_FOR_WITHIN: usize = 6;

/// Fewest clusters with which the race's e-value can reach its bound at 5 %.
const CLUSTERS_FOR_A_RACE: usize = 7;

/// Counts, and estimates the time from the pace of each trainer with `jobs`
/// runs at once.
pub(crate) fn estimate(
    experiment: &Experiment,
    plan: &Plan,
    paces: Option<&[Pace]>,
    jobs: usize,
) -> Estimate {
    let clusters: BTreeSet<&str> =
        experiment.workloads.iter().map(|w| w.cluster.as_str()).collect();
    let schedules = experiment.schedules.len();
    let seconds = paces.map(|paces| {
        let training =
            |workload: usize, budget: usize| paces[workload].seconds(budget);
        let runs =
            plan.runs.iter().map(|run| training(run.workload, run.budget));
        let pilots =
            plan.pilots.iter().map(|run| training(run.workload, run.budget));
        let (per_rate, starts) = match &experiment.lr_find {
            // Range tests and trials, by their number and not their length:
            // five in 1.4 trainings, twelve in five.
            spec if spec.verify => (spec.trainings, 2.0 + 2.0 * spec.trainings),
            spec => (RANGE_TEST_TRAININGS, spec.seeds.unwrap_or(3) as f64),
        };
        let finds = plan.searches().map(|find| {
            let Pace { start_seconds, step_seconds } = paces[find.workload];
            starts * start_seconds
                + per_rate * step_seconds * find.budget as f64
        });
        runs.chain(pilots).chain(finds).sum::<f64>() / jobs as f64
    });
    let comparisons = schedules.saturating_sub(1).max(1);
    let smallest_p = power::smallest_wilcoxon_p(clusters.len());
    let smallest_p_holm = (smallest_p * comparisons as f64).min(1.0);
    let alpha = 0.05;
    let workloads_wanted = power::workloads_needed(comparisons, alpha);
    let mut wanted = vec![];
    if clusters.len() < workloads_wanted {
        wanted.push(format!(
            "{} cannot show a difference at {alpha}: with {} it takes \
             {workloads_wanted}",
            count(clusters.len(), "cluster", "clusters"),
            count(schedules, "schedule", "schedules"),
        ));
    }
    let seeds = experiment.seeds.len();
    if seeds < SEEDS_FOR_WITHIN {
        wanted.push(format!(
            "{} cannot show a difference within one workload: it takes \
             {SEEDS_FOR_WITHIN}",
            count(seeds, "seed", "seeds")
        ));
    }
    if experiment.race && clusters.len() < CLUSTERS_FOR_A_RACE {
        wanted.push(format!(
            "{} clusters are too few for the race to stop anything: it takes \
             {CLUSTERS_FOR_A_RACE}",
            clusters.len()
        ));
    }
    Estimate {
        grid: experiment.name.clone(),
        workloads: experiment.workloads.len(),
        clusters: clusters.len(),
        schedules,
        seeds,
        budgets: experiment.budgets.clone(),
        lr_multiples: experiment.lr_multiples.clone(),
        control: experiment.control.clone(),
        cells: plan.runs.len() / seeds.max(1),
        learning_rates: plan.searches().count(),
        runs: plan.runs.len(),
        trainings: experiment.recordings()
            + plan.runs.len()
            + plan.pilots.len()
            + plan.searches().count() * experiment.lr_find.counted(),
        steps: plan.runs.iter().map(|run| run.budget).sum::<usize>()
            + plan.pilots.iter().map(|pilot| pilot.budget).sum::<usize>(),
        steps_shared: plan.shared_steps(
            experiment,
            &(0..plan.runs.len()).collect::<Vec<_>>(),
        ),
        jobs,
        seconds,
        smallest_p,
        smallest_p_holm,
        workloads_wanted,
        seeds_wanted: SEEDS_FOR_WITHIN,
        wanted,
        never_reached: experiment.never_reached(),
    }
}
