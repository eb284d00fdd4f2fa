//! The runs of a race, seed by seed.
//!
//! Schedules are stopped after all runs of a seed are finished, by their
//! scores only. The decision depends neither on the number of workers nor on
//! the previous content of the store.

use super::stage::Computed;
use super::{Cell, Event, Options, Prepared, RunResult, record};
use crate::error::Result;
use crate::grid::{Baseline, Experiment};
use crate::ranking::{Evidence, Protocol, race};
use crate::record::Observation;
use std::collections::BTreeSet;

/// Trains the seeds of the plan in rising order, each round with the
/// schedules that the race still lets run; `train(title, which)` trains some
/// of the plan's runs.
///
/// # Errors
///
/// If `train` fails, or the runs cannot be compared.
pub(super) fn rounds(
    experiment: &Experiment,
    prepared: &Prepared,
    options: &Options<'_>,
    train: impl Fn(&str, &[usize]) -> Result<Computed<RunResult>>,
) -> Result<Computed<RunResult>> {
    let plan = &prepared.plan;
    // The baselines come last.
    let labels: Vec<String> = (0..=experiment.schedules.len())
        .map(|index| experiment.label(index))
        .collect();
    let own: BTreeSet<String> = experiment
        .schedules
        .iter()
        .zip(&labels)
        .filter(|(spec, _)| spec.is_own())
        .map(|(_, label)| label.clone())
        .chain([Baseline::LABEL.to_owned()])
        .collect();
    let mut seeds = experiment.seeds.clone();
    seeds.sort_unstable();
    let mut cells: Vec<Cell<RunResult>> = vec![Cell::Missing; plan.runs.len()];
    let mut computed = 0;
    let mut stopped: BTreeSet<String> = BTreeSet::new();
    for (round, &seed) in seeds.iter().enumerate() {
        let of_seed =
            (0..plan.runs.len()).filter(|&i| plan.runs[i].seed == seed);
        let (out, which): (Vec<usize>, Vec<usize>) = of_seed
            .partition(|&i| stopped.contains(&labels[plan.runs[i].schedule]));
        for i in out {
            cells[i] = Cell::Stopped;
        }
        let title = format!("runs of seed {seed}");
        let (done, new) = train(&title, &which)?;
        computed += new;
        let whole = done.iter().all(|cell| !matches!(cell, Cell::Missing));
        for (i, cell) in which.into_iter().zip(done) {
            cells[i] = cell;
        }
        if !whole {
            break;
        }
        let runs: Vec<Observation> = plan
            .runs
            .iter()
            .zip(&cells)
            .filter_map(|(cell, state)| {
                record(experiment, prepared, cell, state)
            })
            .map(|run| run.observation(run.valid_loss, 0))
            .collect();
        let protocol = Protocol {
            control: Some(experiment.control.clone()),
            ..Protocol::default()
        };
        let evidence = race(&runs, &seeds, &own, "valid_loss", &protocol)?;
        for (name, Evidence { e, stopped_after }) in evidence {
            let newly = stopped_after.is_some() && stopped.insert(name.clone());
            if newly {
                let left = seeds.len() - round - 1;
                let control = &experiment.control;
                let text = format!(
                    "the race stops {name}: worse than {control} with an \
                     e-value of {e:.0}; seeds spared: {left}"
                );
                (options.tell)(&Event::Note { text: &text });
            }
        }
    }
    Ok((cells, computed))
}
