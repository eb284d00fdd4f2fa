//! An undisturbed start of a training script, stored like a run.

use super::Options;
use super::external::Programs;
use crate::error::{Error, Result};
use crate::plan::recording_id;
use crate::spec::{ExternalSpec, TrainerSpec};
use crate::store::Store;
use crate::train::{Outlook, Recording};
use std::path::Path;

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
    let (external, print) = Programs::default().trainer(name, spec, base)?;
    let id = recording_id(&TrainerSpec::External(spec.clone()), &print, limit);
    if let Some(known) = store.get(&id)? {
        return Ok(known);
    }
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
