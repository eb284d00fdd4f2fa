//! Snapshots of trainings in progress, to continue from after a crash.
//!
//! Snapshots only save work: one that cannot be read is ignored. A snapshot is
//! one file with a digest, like a result, so that a crash leaves either the
//! old one or the new one.

use super::{Store, payload, sealed, write, write_atomically};
use crate::digest;
use crate::error::{Error, Result};
use crate::optim::Checkpoint;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Snapshots of this age are removed.
const EXPIRY: Duration = Duration::from_secs(30 * 24 * 3600);

/// The data beside the checkpoint.
#[derive(Deserialize, Serialize)]
struct Beside<T> {
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
    /// Stores the progress of the cells `ids`, and replaces an earlier snapshot
    /// of the same cells.
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
        let (folder, name) = (self.snapshots(), name_of(&ids));
        let path = folder.join(&name);
        let weights = bytes(checkpoint, &folder)?;
        let beside = serde_json::to_vec(&Beside { ids, state });
        let beside = beside.map_err(|e| Error::Corrupt {
            path: path.clone(),
            message: e.to_string(),
        })?;
        let payload = [&beside[..], b"\n", &weights].concat();
        write_atomically(&path, &sealed(&name, &payload))
    }

    /// The snapshots of those of the cells `wanted` that are still missing,
    /// those that have come furthest first. Of all others nothing is read but
    /// the cells that they are of; those that no cell needs, that are damaged
    /// or that nobody went on from for a month are removed.
    pub(crate) fn take_snapshots<T: DeserializeOwned>(
        &self,
        wanted: &HashSet<&str>,
    ) -> Vec<Kept<T>> {
        let entries = fs::read_dir(self.snapshots()).into_iter().flatten();
        let mut paths: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| !write::is_unfinished(path))
            .collect();
        paths.sort();
        let mut all = vec![];
        for path in paths {
            let ids = ids_of(&path).unwrap_or_default();
            let mut missing = ids.iter().filter(|id| !self.path(id).exists());
            if missing.clone().any(|id| wanted.contains(id.as_str())) {
                if let Some(kept) = read(&path) {
                    all.push(kept);
                    continue;
                }
            } else if missing.next().is_some() && !is_old(&path) {
                continue;
            }
            // Best effort: the next call tries again.
            let _ = fs::remove_file(path);
        }
        all.sort_by_key(|kept| Reverse(kept.checkpoint.step()));
        all
    }

    fn snapshots(&self) -> PathBuf {
        self.root.join("snapshots")
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Option<Kept<T>> {
    let bytes = fs::read(path).ok()?;
    let name = path.file_name()?.to_str()?;
    let payload = payload(name, &bytes)?;
    let end = payload.iter().position(|&byte| byte == b'\n')?;
    let (beside, weights) = (&payload[..end], &payload[end + 1..]);
    let Beside { ids, state } = serde_json::from_slice(beside).ok()?;
    let checkpoint = Checkpoint::read(weights, path).ok()?;
    Some(Kept { ids, state, checkpoint })
}

/// The cells of a snapshot, as its second line and its name say.
fn ids_of(path: &Path) -> Option<Vec<String>> {
    let mut lines = BufReader::new(File::open(path).ok()?).split(b'\n');
    let beside = lines.nth(1)?.ok()?;
    let Beside { ids, state: IgnoredAny } =
        serde_json::from_slice(&beside).ok()?;
    (path.file_name()? == name_of(&ids).as_str()).then_some(ids)
}

fn name_of(ids: &[String]) -> String {
    digest::of(ids.concat().as_bytes())
}

fn is_old(path: &Path) -> bool {
    let changed = fs::metadata(path).and_then(|file| file.modified());
    let age = changed.ok().and_then(|time| time.elapsed().ok());
    age.is_some_and(|age| age > EXPIRY)
}

/// The bytes of `checkpoint` as a file, made through a file in `folder`.
fn bytes(checkpoint: &Checkpoint, folder: &Path) -> Result<Vec<u8>> {
    fs::create_dir_all(folder).map_err(Error::io(folder))?;
    let file = write::unfinished(folder).map_err(Error::io(folder))?;
    checkpoint.save(&file)?;
    fs::read(&file).map_err(Error::io(file.path()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{count, damaged, store};
    use super::*;
    use candle_core::{Device, Tensor};
    use std::collections::BTreeMap;
    use std::time::SystemTime;

    fn checkpoint(step: usize) -> Checkpoint {
        let weight = Tensor::new(&[1f32, 10.0], &Device::Cpu).expect("two");
        Checkpoint {
            step,
            batches: step,
            seed: 3,
            weights: BTreeMap::from([("weight".to_owned(), weight)]),
            moments: [vec![0.5, 0.25], vec![]],
            free: None,
            averages: vec![],
        }
    }

    fn put(store: &Store, ids: &[&str], step: usize) {
        let ids = ids.iter().map(|id| (*id).to_owned()).collect();
        let state = vec![0.1; step];
        store.put_snapshot(ids, state, &checkpoint(step)).expect("writable");
    }

    fn take(store: &Store) -> Vec<Kept<Vec<f64>>> {
        store.take_snapshots(&HashSet::from(["aa", "bb"]))
    }

    #[test]
    fn what_was_kept_comes_back_the_furthest_first() {
        let (_folder, store) = store();
        for (ids, step) in [(&["aa", "bb"][..], 2), (&["aa"], 5), (&["bb"], 3)]
        {
            put(&store, ids, step);
        }
        put(&store, &["aa", "bb"], 4);
        let kept = take(&store);
        let steps: Vec<usize> =
            kept.iter().map(|kept| kept.checkpoint.step()).collect();
        assert_eq!(steps, [5, 4, 3], "of the same cells the last one");
        assert_eq!(kept[1].ids, ["aa", "bb"]);
        assert_eq!(kept[1].state, [0.1; 4]);
        let print = |checkpoint: &Checkpoint| checkpoint.fingerprint().ok();
        assert_eq!(print(&kept[0].checkpoint), print(&checkpoint(5)));
    }

    #[test]
    fn one_that_was_changed_anywhere_is_none() {
        let (_folder, store) = store();
        put(&store, &["aa"], 2);
        let path = store.snapshots().join(name_of(&["aa".into()]));
        let whole = fs::read(&path).expect("just written");
        for bytes in damaged(&whole) {
            fs::write(&path, &bytes).expect("writable");
            assert!(take(&store).is_empty(), "{bytes:?}");
            assert!(!path.exists(), "it is removed");
        }
    }

    #[test]
    fn one_that_is_just_being_written_is_left_alone() {
        let (_folder, store) = store();
        put(&store, &["aa"], 2);
        let file = write::unfinished(&store.snapshots()).expect("new");
        assert_eq!(take(&store).len(), 1);
        assert!(file.path().exists());
    }

    #[test]
    fn one_of_finished_cells_goes() {
        let (_folder, store) = store();
        put(&store, &["aa", "bb"], 2);
        store.put("aa", &1.0).expect("writable");
        assert_eq!(take(&store).len(), 1);
        store.put("bb", &1.0).expect("writable");
        assert!(take(&store).is_empty());
        assert_eq!(count(&store.snapshots()), 0);
    }

    #[test]
    fn those_of_other_cells_are_left_unread_for_a_month() {
        let (_folder, store) = store();
        put(&store, &["aa"], 2);
        put(&store, &["zz"], 3);
        let other = store.snapshots().join(name_of(&["zz".into()]));
        let whole = fs::read(&other).expect("just written");
        let last = whole.len() - 2;
        let damaged = [&whole[..last], &[!whole[last]], &whole[last + 1..]];
        fs::write(&other, damaged.concat()).expect("writable");
        assert_eq!(take(&store).len(), 1);
        assert!(other.exists(), "whoever looked at its weights removed it");
        let file = File::options().append(true).open(&other).expect("there");
        let age = |age| SystemTime::now() - age;
        file.set_modified(age(EXPIRY / 2)).expect("settable");
        assert_eq!(take(&store).len(), 1);
        assert!(other.exists());
        file.set_modified(age(EXPIRY * 2)).expect("settable");
        assert_eq!(take(&store).len(), 1);
        assert!(!other.exists(), "it has expired");
    }
}
