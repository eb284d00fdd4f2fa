//! A folder of its own for a training script, in which it finds its files: real
//! directories, and links to the files. What it writes stays there.

use super::task::TASK;
use crate::error::{Error, Result};
use std::fs::{self, DirEntry};
use std::os::unix::fs::symlink;
use std::path::Path;

/// Directories with more entries are linked as a whole: data sets of single
/// files.
const MOST_ENTRIES: usize = 1000;

/// Once so many entries are linked, further directories are linked whole.
const MOST_IN_ALL: usize = 20_000;

/// Links the entries of `from` into the empty folder `to`, level by level.
/// Hidden entries, virtual environments, caches of Python and results of ours
/// are left out.
///
/// # Errors
///
/// If a folder cannot be read or a link cannot be made.
pub(crate) fn mirror(from: &Path, to: &Path) -> Result<()> {
    let mut all = 0;
    let mut level = vec![(from.to_owned(), to.to_owned())];
    while !level.is_empty() {
        let mut next = vec![];
        for (from, to) in level {
            for entry in entries(&from)? {
                let (from, to) = (entry.path(), to.join(entry.file_name()));
                all += 1;
                let kind = entry.file_type().map_err(Error::io(&from))?;
                if !kind.is_dir() {
                    symlink(&from, &to).map_err(Error::io(&to))?;
                    continue;
                }
                if is_skipped(&from) {
                    continue;
                }
                let is_large = all > MOST_IN_ALL
                    || fs::read_dir(&from)
                        .is_ok_and(|all| all.count() > MOST_ENTRIES);
                if is_large {
                    symlink(&from, &to).map_err(Error::io(&to))?;
                } else {
                    fs::create_dir(&to).map_err(Error::io(&to))?;
                    next.push((from, to));
                }
            }
        }
        level = next;
    }
    Ok(())
}

/// The entries of `folder` that are not hidden; none if it may not be read.
fn entries(folder: &Path) -> Result<Vec<DirEntry>> {
    let entries = match fs::read_dir(folder) {
        Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => {
            return Ok(vec![]);
        }
        entries => entries.map_err(Error::io(folder))?,
    };
    let shown = |entry: &std::io::Result<DirEntry>| {
        entry.as_ref().map_or(true, |entry| {
            !entry.file_name().as_encoded_bytes().starts_with(b".")
        })
    };
    entries
        .filter(shown)
        .collect::<std::io::Result<_>>()
        .map_err(Error::io(folder))
}

/// Whether no script reads from `folder`: a virtual environment, a cache,
/// results with their store, or the folder of a task, this one among them, if
/// temporary files of the system are below.
fn is_skipped(folder: &Path) -> bool {
    folder.ends_with("__pycache__")
        || folder.join("pyvenv.cfg").is_file()
        || folder.join(".store").is_dir()
        || is_task(folder)
}

fn is_task(folder: &Path) -> bool {
    let name = folder.file_name().map(std::ffi::OsStr::as_encoded_bytes);
    let canonical = |path: &Path| fs::canonicalize(path).ok();
    name.is_some_and(|name| name.starts_with(TASK.as_bytes()))
        && folder.parent().and_then(canonical)
            == canonical(&std::env::temp_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_finds_its_files_and_nothing_else() {
        let (from, to) = (tempfile::tempdir(), tempfile::tempdir());
        let (from, to) = (from.expect("a folder"), to.expect("a folder"));
        let put = |name: &str| {
            let path = from.path().join(name);
            fs::create_dir_all(path.parent().expect("inside")).expect("made");
            fs::write(path, name).expect("written");
        };
        let files = ["train.py", "data/a.csv", "data/deep/b.csv"];
        for name in [
            "train.py",
            "data/a.csv",
            "data/deep/b.csv",
            ".git/config",
            ".hidden",
            "env/pyvenv.cfg",
            "src/__pycache__/a.pyc",
            "results/.store/objects/x",
        ] {
            put(name);
        }
        for i in 0..=MOST_ENTRIES {
            put(&format!("many/{i}"));
        }
        // A task of another script, at work in the same place.
        let task = tempfile::Builder::new().prefix(TASK).tempdir();
        let task = task.expect("a folder");
        assert!(is_skipped(task.path()) && !is_skipped(from.path()));
        mirror(from.path(), to.path()).expect("linked");
        for name in files {
            let read = fs::read_to_string(to.path().join(name));
            assert_eq!(read.expect(name), name);
        }
        let is_link = |name: &str| to.path().join(name).is_symlink();
        assert!(is_link("train.py") && is_link("data/deep/b.csv"));
        assert!(!is_link("data") && is_link("many"));
        for name in [".git", ".hidden", "env", "src/__pycache__", "results"] {
            assert!(!to.path().join(name).exists(), "{name}");
        }
        // What is written beside the links stays there.
        fs::write(to.path().join("data/new"), "").expect("writable");
        assert!(!from.path().join("data/new").exists());
    }
}
