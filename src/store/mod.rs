//! Stored results: one file per result, named by the id of its cell.
//!
//! A result is written to a temporary file, flushed to the disk and renamed,
//! so a reader sees a whole result or none. Each file carries a digest of its
//! content and its id. A file that does not match its digest is moved to
//! `quarantine/` and counts as missing. Two results for one id must agree in
//! everything except wall times. If they do not, the first one stays and the
//! second is kept in `conflicts/`. All tables are derived from these files and
//! can be written again.
//!
//! `write` writes files atomically, `claim` says which process computes a cell,
//! `partial` and `snapshot` keep unfinished work. `task` has the files of an
//! external program; for a training script, `mirror` makes the folder where it
//! runs, and `package` has its launcher.

mod claim;
pub(crate) mod environment;
mod mirror;
mod package;
mod partial;
mod snapshot;
pub(crate) mod task;
mod write;

use crate::digest;
use crate::error::{Error, Result};
pub(crate) use claim::Claim;
use mirror::mirror;
pub(crate) use package::Package;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
pub(crate) use snapshot::Kept;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};
pub(crate) use write::write_atomically;

/// Fields that two computations of one result may differ in.
const WALL_TIMES: [&str; 2] = ["seconds", "train_seconds"];

/// An unfinished file of this age has no writer any more.
const FORGOTTEN: Duration = Duration::from_secs(3600);

/// The objects of all grids in one results folder.
#[derive(Debug)]
pub(crate) struct Store {
    root: PathBuf,
    /// Messages for the user.
    notes: Mutex<Vec<String>>,
    /// Claims of other processes, as they were last seen.
    sights: Mutex<HashMap<PathBuf, claim::Sight>>,
}

impl Store {
    /// The store in `root`, which need not exist yet.
    pub(crate) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            notes: Mutex::default(),
            sights: Mutex::default(),
        }
    }

    /// Removes old unfinished files.
    pub(crate) fn sweep(&self) {
        let shelves = fs::read_dir(self.root.join("objects"));
        for shelf in shelves.into_iter().flatten().flatten() {
            sweep(&shelf.path());
        }
        for folder in ["quarantine", "conflicts", "snapshots"] {
            sweep(&self.root.join(folder));
        }
        self.sweep_parts();
    }

    /// The messages for the user since the last call.
    pub(crate) fn take_notes(&self) -> Vec<String> {
        let mut notes =
            self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut notes)
    }

    /// Adds a message for the user, unless it is already there.
    pub(crate) fn note(&self, text: String) {
        let mut notes =
            self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        if !notes.contains(&text) {
            notes.push(text);
        }
    }

    /// Like [`put`](Self::put), without flushing: a crash may lose the result.
    #[cfg(test)]
    pub(crate) fn fill<T: Serialize>(&self, id: &str, result: &T) {
        let path = self.path(id);
        let payload = serde_json::to_string(result).expect("plain data");
        fs::create_dir_all(path.parent().expect("a shelf")).expect("writable");
        fs::write(path, sealed(id, payload.as_bytes())).expect("writable");
    }

    /// Whether the result of cell `id` exists and is whole. Changes nothing.
    ///
    /// # Errors
    ///
    /// If the file exists but cannot be read.
    pub(crate) fn has(&self, id: &str) -> Result<bool> {
        let bytes = self.read(id)?;
        Ok(bytes.is_some_and(|bytes| payload(id, &bytes).is_some()))
    }

    /// The content of the file of cell `id`.
    fn read(&self, id: &str) -> Result<Option<Vec<u8>>> {
        let path = self.path(id);
        match write::patiently(|| fs::read(&path)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Error::io(&path)(e)),
        }
    }

    /// The result of cell `id`, or `None` if it has to be computed.
    ///
    /// # Errors
    ///
    /// If the file exists but cannot be read, or a damaged one cannot be
    /// moved to quarantine.
    pub(crate) fn get<T: DeserializeOwned>(
        &self,
        id: &str,
    ) -> Result<Option<T>> {
        let path = self.path(id);
        let Some(bytes) = self.read(id)? else { return Ok(None) };
        let result = payload(id, &bytes)
            .and_then(|payload| serde_json::from_slice(payload).ok());
        if result.is_some() {
            return Ok(result);
        }
        let aside = self.aside("quarantine", id, &bytes);
        write_atomically(&aside, &bytes)?;
        match fs::remove_file(&path) {
            // Another runner was faster.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            removed => removed.map_err(Error::io(&path))?,
        }
        self.note(format!(
            "a damaged result is computed again; the damaged file is now {}",
            aside.display()
        ));
        Ok(None)
    }

    /// Stores `result` as the result of cell `id`, unless there is one already.
    ///
    /// # Errors
    ///
    /// If the folder or file cannot be written. No partial file is left under
    /// the name of the cell.
    pub(crate) fn put<T: Serialize>(&self, id: &str, result: &T) -> Result<()> {
        let path = self.path(id);
        let corrupt = |e: serde_json::Error| Error::Corrupt {
            path: path.clone(),
            message: e.to_string(),
        };
        let payload = serde_json::to_string(result).map_err(corrupt)?;
        let bytes = sealed(id, payload.as_bytes());
        let first = match self.get::<Value>(id)? {
            Some(first) => first,
            None if write::write_new(&path, &bytes)? => {
                self.drop_parts(id);
                return Ok(());
            }
            // Another process stored one in the meantime.
            None => match self.get::<Value>(id)? {
                Some(first) => first,
                None => return write_atomically(&path, &bytes),
            },
        };
        // Both are compared as read, so that numbers have one form.
        let second = serde_json::from_str(&payload).map_err(corrupt)?;
        if telling(first) != telling(second) {
            let aside = self.aside("conflicts", id, &bytes);
            write_atomically(&aside, &bytes)?;
            self.note(format!(
                "two computations of one result differ: {} is kept, {} is the \
                 second one; check that the model is deterministic, and that \
                 a change to its numbers raised `NUMERICS_VERSION`",
                path.display(),
                aside.display()
            ));
        }
        Ok(())
    }

    /// Two levels, so that no folder has tens of thousands of files.
    fn path(&self, id: &str) -> PathBuf {
        let shelf = id.get(..2).unwrap_or("__");
        self.root.join("objects").join(shelf).join(format!("{id}.json"))
    }

    /// Where `bytes` are kept if they are not the result of `id`.
    fn aside(&self, folder: &str, id: &str, bytes: &[u8]) -> PathBuf {
        let print = digest::of(bytes);
        self.root.join(folder).join(format!("{id}-{print}.json"))
    }
}

/// The digest in the first line, then the payload.
fn sealed(id: &str, payload: &[u8]) -> Vec<u8> {
    let sum = sum(id, payload);
    [sum.as_bytes(), b"\n", payload, b"\n"].concat()
}

/// The payload of a [`sealed`] file, if the file is whole.
fn payload<'a>(id: &str, bytes: &'a [u8]) -> Option<&'a [u8]> {
    let end = bytes.iter().position(|&byte| byte == b'\n')?;
    let (told, rest) = (&bytes[..end], &bytes[end + 1..]);
    let payload = rest.strip_suffix(b"\n")?;
    (sum(id, payload).as_bytes() == told).then_some(payload)
}

/// The digest includes the id, so that a copied file is not valid.
fn sum(id: &str, payload: &[u8]) -> String {
    digest::of(&[id.as_bytes(), b"\n", payload].concat())
}

/// A result without its wall times, for comparison.
fn telling(result: Value) -> String {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.retain(|name, _| !WALL_TIMES.contains(&name.as_str()));
                fields.values_mut().for_each(strip);
            }
            Value::Array(values) => values.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut result = result;
    strip(&mut result);
    result.to_string()
}

/// Removes old unfinished files in `folder`.
pub(crate) fn sweep(folder: &Path) {
    let now = SystemTime::now();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if !write::is_unfinished(&entry.path()) {
            continue;
        }
        let changed = entry.metadata().and_then(|file| file.modified());
        let age = changed.ok().and_then(|time| now.duration_since(time).ok());
        if age.is_some_and(|age| age > FORGOTTEN) {
            // Best effort: it harms nobody.
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    pub(super) fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = Store::new(&folder.path().join("store"));
        (folder, store)
    }

    pub(super) fn count(folder: &Path) -> usize {
        fs::read_dir(folder).map_or(0, Iterator::count)
    }

    /// `whole`, cut short at every byte, and with every bit flipped.
    pub(super) fn damaged(whole: &[u8]) -> Vec<Vec<u8>> {
        let cut = (0..whole.len()).map(|length| whole[..length].to_vec());
        let flipped = (0..8 * whole.len()).map(|bit| {
            let mut bytes = whole.to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            bytes
        });
        cut.chain(flipped).collect()
    }

    #[test]
    fn what_was_put_comes_back() {
        let (_folder, store) = store();
        assert_eq!(store.get::<Vec<f64>>("abcd").expect("readable"), None);
        store.put("abcd", &vec![0.1, 1e-300]).expect("writable");
        let back: Option<Vec<f64>> = store.get("abcd").expect("readable");
        assert_eq!(back, Some(vec![0.1, 1e-300]));
    }

    #[test]
    fn a_result_changed_anywhere_goes_to_quarantine() {
        let (folder, store) = store();
        store.put("abcd", &vec![1.0, 2.0]).expect("writable");
        let path = store.path("abcd");
        let whole = fs::read(&path).expect("just written");
        let damaged = damaged(&whole);
        for bytes in &damaged {
            fs::write(&path, bytes).expect("writable");
            let back = store.get::<Vec<f64>>("abcd").expect("readable");
            assert_eq!(back, None, "{}", String::from_utf8_lossy(bytes));
            assert!(!path.exists());
            assert_eq!(store.take_notes().len(), 1);
        }
        let quarantine = folder.path().join("store/quarantine");
        assert_eq!(count(&quarantine), damaged.len(), "each is kept");
        store.put("abcd", &vec![1.0, 2.0]).expect("writable");
        assert_eq!(fs::read(&path).expect("readable"), whole);
    }

    #[test]
    fn a_look_changes_nothing() {
        let (folder, store) = store();
        assert!(!store.has("abcd").expect("readable"));
        store.put("abcd", &1.0).expect("writable");
        assert!(store.has("abcd").expect("readable"));
        let path = store.path("abcd");
        fs::write(&path, "damaged").expect("writable");
        assert!(!store.has("abcd").expect("readable"));
        assert!(path.exists());
        assert!(!folder.path().join("store/quarantine").exists());
    }

    #[test]
    fn the_result_of_another_cell_is_none() {
        let (_folder, store) = store();
        store.put("abcd", &1.0).expect("writable");
        let other = store.path("abef");
        fs::copy(store.path("abcd"), &other).expect("writable");
        assert_eq!(store.get::<f64>("abef").expect("readable"), None);
    }

    #[test]
    fn the_second_of_two_that_differ_is_kept_and_told() {
        let (folder, store) = store();
        let result = |loss: f64, seconds: f64| {
            serde_json::json!({
                "fit": { "loss": loss, "train_seconds": seconds },
                "seconds": seconds,
            })
        };
        store.put("abcd", &result(0.1, 1.0)).expect("writable");
        store.put("abcd", &result(0.1, 2.0)).expect("writable");
        assert!(store.take_notes().is_empty(), "wall times may differ");
        store.put("abcd", &result(0.2, 1.0)).expect("writable");
        let notes = store.take_notes();
        assert!(notes[0].contains("differ"), "{notes:?}");
        let kept: Option<Value> = store.get("abcd").expect("readable");
        assert_eq!(kept, Some(result(0.1, 1.0)));
        assert_eq!(count(&folder.path().join("store/conflicts")), 1);
    }

    #[test]
    fn results_agree_to_the_sign_of_a_zero() {
        let (folder, store) = store();
        store.put("abcd", &[0.0]).expect("writable");
        store.put("abcd", &[-0.0]).expect("writable");
        assert_eq!(store.take_notes().len(), 1);
        assert_eq!(count(&folder.path().join("store/conflicts")), 1);
    }

    #[test]
    fn of_two_that_finish_at_once_none_is_lost() {
        let (folder, store) = store();
        let together = std::sync::Barrier::new(2);
        for round in 0..200 {
            let id = format!("{round:04}");
            std::thread::scope(|scope| {
                for result in [1.0, 2.0] {
                    let (id, store, together) = (&id, &store, &together);
                    scope.spawn(move || {
                        together.wait();
                        store.put(id, &result).expect("writable");
                    });
                }
            });
        }
        assert_eq!(count(&folder.path().join("store/conflicts")), 200);
    }

    #[test]
    fn unfinished_files_go_once_they_are_forgotten() {
        let (folder, store) = store();
        store.put("abcd", &1.0).expect("writable");
        let shelf = folder.path().join("store/objects/ab");
        let (young, old) = (shelf.join(".1-1.tmp"), shelf.join(".1-2.tmp"));
        fs::write(&young, "half").expect("writable");
        let file = File::create(&old).expect("writable");
        let time = SystemTime::now() - 2 * FORGOTTEN;
        file.set_modified(time).expect("settable");
        store.sweep();
        assert!(young.exists() && !old.exists());
        assert_eq!(store.get("abcd").expect("readable"), Some(1.0));
    }
}
