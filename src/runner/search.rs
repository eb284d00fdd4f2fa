//! A search for a shape: many drawn ones, fewer and fewer of them on more and
//! more seeds (successive halving), and the last few against the schedules of
//! the grid on its own seeds.
//!
//! Source: Jamieson & Talwalkar, *Non-stochastic Best Arm Identification and
//! Hyperparameter Optimization* (2016) for the halving.

use super::{
    Cell, Event, Options, Prepared, Results, execute, prepare, record,
};
use crate::error::{Error, Result};
use crate::grid::{Experiment, LrFindPer, outline_text};
use crate::ranking::extras::shortlist::shortlist;
use crate::ranking::{Protocol, Runs};
use crate::record::RunRecord;
use crate::results::rows::SearchRow;
use crate::schedule::{ScheduleSpec, candidates};
use crate::seed::stream;
use crate::store::Store;
use crate::text::count;
use crate::workload::Registry;
use std::path::Path;

/// Shapes that reach the final.
pub(crate) const FINALISTS: usize = 4;

/// Numbers of shapes to begin with.
const NUMBERS: [usize; 6] = [8, 16, 32, 64, 128, 256];

/// Most seeds of one shape before the final.
const MOST_SEEDS: usize = 8;

/// So many shapes with so many seeds each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rung {
    /// Shapes.
    pub(crate) live: usize,
    /// Seeds of each, those of the rungs before included.
    pub(crate) seeds: usize,
}

/// The rungs from `number` shapes down to the finalists: half of the shapes
/// with twice the seeds.
pub(crate) fn rungs(number: usize) -> Vec<Rung> {
    let mut rungs = vec![];
    let (mut live, mut seeds) = (number, 1);
    while live > FINALISTS {
        rungs.push(Rung { live, seeds });
        live = (live / 2).max(FINALISTS);
        seeds = (2 * seeds).min(MOST_SEEDS);
    }
    rungs
}

/// Trainings of a search with `number` shapes: runs of all rungs and of the
/// final, and what the rates cost at most.
pub(crate) fn trainings(experiment: &Experiment, number: usize) -> usize {
    let cells = experiment.workloads.len() * experiment.budgets.len();
    let rates = experiment.lr_multiples.len();
    let (mut of_one, mut before) = (0, 0);
    for Rung { live, seeds } in rungs(number) {
        // The control runs beside them.
        of_one += (live + 1) * (seeds - before);
        before = seeds;
    }
    let last = experiment.schedules.len() + FINALISTS;
    of_one += last * experiment.seeds.len();
    let unknown = experiment.workloads.iter().filter(|w| w.lr.is_none());
    let finds = unknown.count() * experiment.budgets.len();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most a hundred trainings a rate"
    )]
    let finder = (finds as f64 * experiment.lr_find.trainings).ceil() as usize;
    // Baselines are trained in the final alone.
    let own = experiment.workloads.iter().filter(|w| w.baseline.is_some());
    let own = own.count() * experiment.budgets.len() * experiment.seeds.len();
    cells * rates * of_one + finder + own + experiment.recordings()
}

/// The largest number of shapes whose search needs at most `most` trainings.
///
/// # Errors
///
/// If that is too few for any, or the grid finds a rate for each schedule.
pub(crate) fn number(experiment: &Experiment, most: usize) -> Result<usize> {
    if experiment.lr_find.per == LrFindPer::Schedule {
        return Err(Error::Invalid(
            "a search compares shapes at multiples of one rate: leave `per = \
             \"schedule\"` of `[lr_find]` out"
                .to_owned(),
        ));
    }
    let fits = |number: &&usize| trainings(experiment, **number) <= most;
    NUMBERS.iter().rev().find(fits).copied().ok_or_else(|| {
        Error::Invalid(format!(
            "`--max-trainings {most}` is too few: the smallest search of this \
             grid takes {}; leave out workloads, multiples or schedules",
            trainings(experiment, NUMBERS[0])
        ))
    })
}

/// What a search leaves.
pub(crate) struct Searched {
    /// Every shape with the rung it reached, the last ones first.
    pub(crate) rows: Vec<SearchRow>,
    /// The grid of the final: its own schedules and the finalists.
    pub(crate) last: Experiment,
    /// The shapes that reached it.
    pub(crate) finalists: Vec<ScheduleSpec>,
}

/// Runs the rungs. Their seeds are not those of the grid, so that the final
/// is a test of what they chose.
///
/// # Errors
///
/// [`Error::Interrupted`] if `options` stop it; else as [`execute`].
pub(crate) fn search(
    experiment: &Experiment,
    number: usize,
    (registry, base): (&Registry, &Path),
    store: &Store,
    options: &Options<'_>,
) -> Result<Searched> {
    let seed = experiment.seeds.first().copied().unwrap_or(0);
    let mut live = candidates(number, &mut stream(seed, "shapes"));
    let control = experiment.schedules[experiment.control_index()].clone();
    let first = experiment.seeds.iter().max().map_or(0, |seed| seed + 1);
    let mut rows = vec![];
    let rungs = rungs(number);
    for (i, &Rung { seeds, .. }) in rungs.iter().enumerate() {
        let mut schedules = vec![control.clone()];
        schedules.extend(live.iter().filter(|s| **s != control).cloned());
        let mut workloads = experiment.workloads.clone();
        for entry in &mut workloads {
            entry.baseline = None;
        }
        let rung = Experiment {
            workloads,
            seeds: (first..).take(seeds).collect(),
            schedules,
            race: false,
            ..experiment.clone()
        };
        let text = format!(
            "rung {} of {}: {} shapes, {}",
            i + 1,
            rungs.len(),
            live.len(),
            count(seeds, "seed", "seeds")
        );
        (options.tell)(&Event::Note { text: &text });
        let prepared = prepare(&rung, registry, base)?;
        let results = execute(&rung, &prepared, store, options)?;
        let records = finished(&rung, &prepared, &results)?;
        let runs = Runs::of(&records);
        let protocol = Protocol { allow_missing: true, ..Protocol::default() };
        let order = shortlist(&runs.observations, &runs.column, &protocol)?;
        let place = |spec: &ScheduleSpec| {
            let label = spec.label();
            order.iter().position(|(name, _)| *name == label)
        };
        // Those that failed everywhere have no place.
        live.retain(|spec| place(spec).is_some());
        live.sort_by_key(|spec| place(spec));
        let next = rungs.get(i + 1).map_or(FINALISTS, |rung| rung.live);
        let of_rung: Vec<SearchRow> = live
            .iter()
            .enumerate()
            .map(|(at, spec)| SearchRow {
                schedule: spec.label(),
                rung: i + 1,
                seeds,
                regret: place(spec).map_or(f64::NAN, |place| order[place].1),
                goes_on: at < next,
            })
            .collect();
        rows.splice(0..0, of_rung);
        live.truncate(next);
    }
    let mut schedules = experiment.schedules.clone();
    schedules.extend(
        live.iter().filter(|s| !experiment.schedules.contains(s)).cloned(),
    );
    let mut last = Experiment {
        name: format!("{}-search", experiment.name),
        race: false,
        schedules,
        ..experiment.clone()
    };
    last.text = outline_text(&last);
    Ok(Searched { rows, last, finalists: live })
}

/// The rows of all runs.
///
/// # Errors
///
/// [`Error::Interrupted`] if one is not there.
fn finished(
    experiment: &Experiment,
    prepared: &Prepared,
    results: &Results,
) -> Result<Vec<RunRecord>> {
    let runs = prepared.plan.runs.iter().zip(&results.runs);
    let missing = |state: &Cell<_>| matches!(state, Cell::Missing);
    if results.runs.iter().any(missing) {
        return Err(Error::Interrupted);
    }
    let row = |(cell, state)| record(experiment, prepared, cell, state);
    Ok(runs.filter_map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rungs_halve_the_shapes_and_double_the_seeds() {
        let rungs = rungs(64);
        let pairs: Vec<(usize, usize)> =
            rungs.iter().map(|rung| (rung.live, rung.seeds)).collect();
        assert_eq!(pairs, [(64, 1), (32, 2), (16, 4), (8, 8)]);
    }
}
