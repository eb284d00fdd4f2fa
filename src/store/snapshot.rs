//! Trainings in their middle, to go on from after a crash.
//!
//! A snapshot saves work and no more: one that cannot be read is as good as
//! none.

use super::{Store, write_atomically};
use crate::data::Checkpoint;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::fs;
use std::path::{Path, PathBuf};

/// What stands beside the checkpoint.
#[derive(Deserialize, Serialize)]
struct Beside<T> {
    /// Of the checkpoint.
    fingerprint: String,
    /// Ids of the cells that it is of.
    ids: Vec<String>,
    state: T,
}

/// A snapshot that was read back.
pub(crate) struct Kept<T> {
    /// Ids of the cells that it is of.
    pub(crate) ids: Vec<String>,
    pub(crate) state: T,
    pub(crate) checkpoint: Checkpoint,
}

impl Store {
    /// Keeps how far the cells `ids` have come, in place of an earlier
    /// snapshot of the same cells.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub(crate) fn put_snapshot<T: Serialize>(
        &self,
        ids: Vec<String>,
        state: T,
        checkpoint: &Checkpoint,
    ) -> Result<()> {
        let path = self.snapshot_path(&ids);
        let folder = self.snapshots();
        fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
        checkpoint.save(weights(&path))?;
        let fingerprint = checkpoint.fingerprint()?;
        let beside = Beside { fingerprint, ids, state };
        let text = serde_json::to_vec(&beside).map_err(|e| Error::Corrupt {
            path: path.clone(),
            message: e.to_string(),
        })?;
        write_atomically(&path, &text)
    }

    /// All snapshots that can be read and that some cell still needs, the
    /// others are removed.
    pub(crate) fn take_snapshots<T: DeserializeOwned>(&self) -> Vec<Kept<T>> {
        let entries = fs::read_dir(self.snapshots()).into_iter().flatten();
        let mut paths: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|e| e == "json"))
            .collect();
        paths.sort();
        let read = |path: &PathBuf| -> Option<Kept<T>> {
            let text = fs::read(path).ok()?;
            let beside: Beside<T> = serde_json::from_slice(&text).ok()?;
            let checkpoint = Checkpoint::load(weights(path)).ok()?;
            let whole = checkpoint.fingerprint().ok()? == beside.fingerprint;
            let needed = beside.ids.iter().any(|id| !self.path(id).exists());
            let Beside { ids, state, .. } = beside;
            (whole && needed).then_some(Kept { ids, state, checkpoint })
        };
        paths
            .iter()
            .filter_map(|path| {
                let kept = read(path);
                if kept.is_none() {
                    // Best effort: it is looked at again next time.
                    let _ = fs::remove_file(path);
                    let _ = fs::remove_file(weights(path));
                }
                kept
            })
            .collect()
    }

    fn snapshots(&self) -> PathBuf {
        self.root.join("snapshots")
    }

    fn snapshot_path(&self, ids: &[String]) -> PathBuf {
        let name = (self.digest)(ids.concat().as_bytes());
        self.snapshots().join(format!("{name}.json"))
    }
}

/// Where the checkpoint of a snapshot lies.
fn weights(path: &Path) -> PathBuf {
    path.with_extension("safetensors")
}
