//! An undisturbed start of a training script, stored like a run.

use super::external::Programs;
use super::{Event, Options};
use crate::error::{Error, Result};
use crate::grid::{Baseline, Experiment};
use crate::plan::recording_id;
use crate::schedule::ScheduleSpec;
use crate::spec::{ExternalSpec, TrainerSpec};
use crate::store::Store;
use crate::train::{Outlook, Recording};
use std::path::Path;

/// The recording of `recording` if `store` has it.
fn known(
    name: &str,
    spec: &ExternalSpec,
    base: &Path,
    limit: Option<usize>,
    store: &Store,
) -> Result<Option<Recording>> {
    let (_, print) = Programs::default().trainer(name, spec, base)?;
    let spec = TrainerSpec::External(spec.clone());
    store.get(&recording_id(&spec, &print, limit))
}

/// What the script `name` does by itself, started in `base` and stopped after
/// `limit` updates: from `store`, or recorded now; then `hear` learns soon what
/// it is like.
///
/// # Errors
///
/// If the script fails, or `options` stop it.
pub(crate) fn recording(
    name: &str,
    spec: &ExternalSpec,
    base: &Path,
    limit: Option<usize>,
    store: &Store,
    options: &Options<'_>,
    hear: &mut dyn FnMut(&Outlook),
) -> Result<Recording> {
    if let Some(known) = known(name, spec, base, limit, store)? {
        return Ok(known);
    }
    let (external, print) = Programs::default().trainer(name, spec, base)?;
    let id = recording_id(&TrainerSpec::External(spec.clone()), &print, limit);
    let Some(_claim) = store.claim(&id)? else {
        return Err(Error::Invalid(format!(
            "another lrscout is recording `{name}` for the same results: wait \
             for it, or give another `--results`"
        )));
    };
    let limit = limit.unwrap_or(usize::MAX >> 1);
    let made = external.record(limit, hear, &|| options.stopped())?;
    store.put(&id, &made)?;
    Ok(made)
}

/// Records what the scripts of `experiment` do by themselves, where they have
/// such a baseline; with `only_known`, takes only what `store` has.
///
/// # Errors
///
/// As [`recording`], and if a script cannot be compared.
pub(crate) fn record_baselines(
    experiment: &mut Experiment,
    base: &Path,
    store: &Store,
    options: &Options<'_>,
    only_known: bool,
) -> Result<()> {
    let budgets = experiment.budgets.clone();
    for entry in &mut experiment.workloads {
        let (Some(Baseline::Recorded(own)), TrainerSpec::External(spec)) =
            (&mut entry.baseline, &entry.spec)
        else {
            continue;
        };
        let name = &entry.name;
        for &budget in &budgets {
            let limit = Some(budget);
            let mut recorded = known(name, spec, base, limit, store)?;
            if recorded.is_none() && !only_known {
                let text = format!(
                    "{name}, {budget} updates: one undisturbed start, to \
                     record its own rates (kept in the results)"
                );
                (options.tell)(&Event::Note { text: &text });
                let silent = &mut |_: &Outlook| {};
                recorded = Some(recording(
                    name, spec, base, limit, store, options, silent,
                )?);
            }
            if let Some(recorded) = recorded {
                own.insert(budget, of_recording(name, &recorded, budget)?);
            }
        }
    }
    Ok(())
}

/// The peak of a recorded training, and its rates over it.
fn of_recording(
    name: &str,
    recorded: &Recording,
    budget: usize,
) -> Result<(f64, ScheduleSpec)> {
    let peak = recorded.rates.iter().copied().fold(0.0, f64::max);
    let made = recorded.rates.len();
    if peak <= 0.0 {
        return Err(Error::Invalid(format!("`{name}`: all its rates are 0")));
    }
    if made < budget {
        return Err(Error::Invalid(format!(
            "`{name}` makes {made} updates by itself and ends before \
             {budget}: give it more epochs in `args`, or a lower budget"
        )));
    }
    Ok((peak, recorded.schedule(peak)))
}
