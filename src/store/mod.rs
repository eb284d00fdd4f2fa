//! Where results live: one file a result, named by the id of its cell.
//!
//! A result is written beside its place, flushed to the disk and renamed, so
//! a reader sees a whole result or none. Each carries a digest of itself; one
//! that does not match is moved to `quarantine/` and counts as missing. All
//! tables are derived from these objects and can be made again.

pub(crate) mod curve;
pub(crate) mod environment;
pub(crate) mod tables;

use crate::error::{Error, Result};
use serde::{Serialize, de::DeserializeOwned};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The objects of all grids in one results folder.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    root: PathBuf,
    digest: fn(&[u8]) -> String,
}

impl Store {
    /// The store in `root`, which need not exist yet; `digest` makes the
    /// checksum of a payload.
    pub(crate) fn new(root: &Path, digest: fn(&[u8]) -> String) -> Self {
        Self { root: root.to_owned(), digest }
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
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Ok(None);
            }
            Err(e) => return Err(Error::io(&path)(e)),
        };
        if let Some(result) = self.decode(&text) {
            return Ok(Some(result));
        }
        let quarantine = self.root.join("quarantine");
        fs::create_dir_all(&quarantine).map_err(Error::io(&quarantine))?;
        fs::rename(&path, quarantine.join(format!("{id}.json")))
            .map_err(Error::io(&path))?;
        Ok(None)
    }

    /// Keeps `result` as that of cell `id`.
    ///
    /// # Errors
    ///
    /// If the folder or file cannot be written; then nothing is left behind
    /// under the cell's name.
    pub(crate) fn put<T: Serialize>(&self, id: &str, result: &T) -> Result<()> {
        let path = self.path(id);
        let payload = serde_json::to_string(result).map_err(|e| {
            Error::Corrupt { path: path.clone(), message: e.to_string() }
        })?;
        let sum = (self.digest)(payload.as_bytes());
        write_atomically(&path, format!("{sum}\n{payload}\n").as_bytes())
    }

    /// First line the digest, second the payload.
    fn decode<T: DeserializeOwned>(&self, text: &[u8]) -> Option<T> {
        let text = std::str::from_utf8(text).ok()?;
        let (sum, rest) = text.split_once('\n')?;
        let payload = rest.strip_suffix('\n')?;
        if (self.digest)(payload.as_bytes()) != sum {
            return None;
        }
        serde_json::from_str(payload).ok()
    }

    /// Two levels, so that no folder grows to tens of thousands of files.
    fn path(&self, id: &str) -> PathBuf {
        let shelf = id.get(..2).unwrap_or("__");
        self.root.join("objects").join(shelf).join(format!("{id}.json"))
    }
}

/// Writes `bytes` to `path` so that a crash at any instant leaves either the
/// old file or the new one. Creates the folder. Leaves an equal file alone.
///
/// # Errors
///
/// If anything cannot be written; the temporary file is removed then.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder).map_err(Error::io(folder))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = folder.join(format!(
        ".{name}.{}.{}.tmp",
        std::process::id(),
        COUNTER.fetch_add(1, Ordering::Relaxed)
    ));
    let write = || {
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(|source| {
        // Best effort: the original failure is what the user needs to see.
        let _ = fs::remove_file(&temporary);
        Error::io(path)(source)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let digest = |bytes: &[u8]| {
            let sum: u64 = bytes.iter().map(|&b| u64::from(b)).sum();
            format!("{:x}-{sum:x}", bytes.len())
        };
        let store = Store::new(&folder.path().join("store"), digest);
        (folder, store)
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
    fn a_result_cut_short_anywhere_goes_to_quarantine() {
        let (folder, store) = store();
        store.put("abcd", &vec![1.0, 2.0]).expect("writable");
        let path = store.path("abcd");
        let whole = fs::read(&path).expect("just written");
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).expect("writable");
            let back = store.get::<Vec<f64>>("abcd").expect("readable");
            assert_eq!(back, None, "cut to {length} bytes");
            assert!(!path.exists());
        }
        let quarantine = folder.path().join("store/quarantine/abcd.json");
        assert!(quarantine.exists());
    }

    #[test]
    fn an_unwritable_place_is_an_error_and_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let blocked = folder.path().join("file");
        fs::write(&blocked, "in the way").expect("writable");
        let error = write_atomically(&blocked.join("x.csv"), b"a")
            .expect_err("a file is no folder");
        assert!(error.to_string().contains("file"), "{error}");
    }

    #[test]
    fn an_equal_file_is_left_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("x.csv");
        write_atomically(&path, b"a").expect("writable");
        let before = fs::metadata(&path).and_then(|m| m.modified());
        write_atomically(&path, b"a").expect("writable");
        let after = fs::metadata(&path).and_then(|m| m.modified());
        assert_eq!(before.ok(), after.ok());
    }
}
