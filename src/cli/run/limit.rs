//! `--max-trainings`: the part of a grid that so many trainings pay for.

use crate::grid::Experiment;
use crate::plan::Plan;
use std::collections::HashSet;

/// The cells of `plan` that `left` trainings pay for, of those in `only`;
/// `only` itself if they pay for all. What they cost is taken from `left`.
///
/// A run, a recorded start and the measuring of gradient norms count as one, a
/// search for a rate as the `trainings` of `[lr_find]`, rounded up, whether they
/// are in the results already or not: the same command always means the same
/// cells. The first seed of all schedules comes first.
pub(super) fn within(
    experiment: &Experiment,
    plan: &Plan,
    only: Option<HashSet<String>>,
    left: &mut usize,
) -> Option<HashSet<String>> {
    let search = experiment.lr_find.counted();
    *left = left.saturating_sub(experiment.recordings());
    let wanted = |i: &usize| {
        let id = &plan.runs[*i].id;
        only.as_ref().is_none_or(|only| only.contains(id))
    };
    let mut runs: Vec<usize> = (0..plan.runs.len()).filter(wanted).collect();
    runs.sort_by_key(|&i| {
        let seed = plan.runs[i].seed;
        experiment.seeds.iter().position(|other| *other == seed)
    });
    let mut ids: HashSet<String> = HashSet::new();
    let mut all = true;
    for i in runs {
        let cell = &plan.runs[i];
        let find = &plan.finds[cell.find];
        let mut cost = 1;
        if find.given.is_none() && !ids.contains(&find.id) {
            cost += search;
        }
        let pilot = cell.pilot.map(|i| &plan.pilots[i].id);
        cost += usize::from(pilot.is_some_and(|id| !ids.contains(id)));
        if cost > *left {
            all = false;
            break;
        }
        *left -= cost;
        ids.extend([cell.id.clone(), find.id.clone()]);
        ids.extend(pilot.cloned());
    }
    if all { only } else { Some(ids) }
}
