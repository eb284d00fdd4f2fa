//! Where in the text of a grid a complaint belongs that is found after it was
//! read.

use super::wire::{Source, Table, Value, find};
use super::{Experiment, WorkloadEntry};
use crate::error::Error;
use std::path::Path;

impl Experiment {
    /// The error `message` at the value of `key` of a workload, or of the top
    /// of the file without one; where the file at `path` does not have this
    /// key, at the header of the workload.
    pub(crate) fn complaint(
        &self,
        path: &Path,
        workload: Option<&WorkloadEntry>,
        key: &str,
        message: impl Into<String>,
    ) -> Error {
        let text = self.text.strip_prefix('\u{feff}').unwrap_or(&self.text);
        let source = Source { path, text };
        let table = workload.map_or(0, |entry| entry.at);
        let at = source.document().ok().and_then(|root| {
            let home = match workload {
                None => &root,
                Some(_) => of_workload(&root, table)?,
            };
            Some(find(home, key)?.node.at)
        });
        source.error(at.unwrap_or(table), message)
    }
}

/// The table of a workload that begins at byte `at`.
fn of_workload(root: &Table, at: usize) -> Option<&Table> {
    let Value::List(items) = &find(root, "workload")?.node.value else {
        return None;
    };
    items.iter().find(|item| item.at == at).and_then(|item| match &item.value {
        Value::Table(table) => Some(table),
        _ => None,
    })
}
