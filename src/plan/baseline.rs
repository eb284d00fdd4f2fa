//! The cells of baselines: what is done without lrscout, at its own rate.

use super::{FindCell, Identity, RunCell, content_id};
use crate::grid::{Baseline, Experiment};

/// The schedule under which rates are found: the control, or the first one
/// that needs a rate.
pub(super) fn searched(experiment: &Experiment) -> usize {
    let needs = |schedule: &usize| own_rate(experiment, *schedule).is_none();
    let all = 0..experiment.schedules.len();
    let control = experiment.control_index();
    [control].into_iter().chain(all).find(needs).unwrap_or(0)
}

/// The given rate of `own`, the baseline of a workload at a budget, and its
/// runs, one for each seed; `place` is the index of the rate.
pub(super) fn baseline(
    experiment: &Experiment,
    identity: &Identity<'_>,
    (workload, budget, place): (usize, usize, usize),
    own: &Baseline,
) -> (FindCell, Vec<RunCell>) {
    // What is not recorded yet has ids of its own.
    let (lr, spec) = own.at(budget).unzip();
    let schedule = experiment.schedules.len();
    let find = FindCell {
        id: content_id(&("given", lr)),
        workload,
        budget,
        schedule,
        given: Some(lr.unwrap_or(f64::NAN)),
    };
    let run = |&seed: &u64| RunCell {
        id: content_id(&("baseline", identity, &find.id, spec, budget, seed)),
        find: place,
        pilot: None,
        workload,
        schedule,
        budget,
        lr_multiple: 1.0,
        seed,
    };
    let runs = experiment.seeds.iter().map(run).collect();
    (find, runs)
}

/// The peak of a schedule that has its own.
pub(super) fn own_rate(
    experiment: &Experiment,
    schedule: usize,
) -> Option<f64> {
    let (label, lr) = experiment.baseline.as_ref()?;
    (experiment.schedules[schedule].label() == *label).then_some(*lr)
}
