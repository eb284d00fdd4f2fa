//! The input files of an external training program, in a folder that is
//! removed when the task ends.

use crate::error::{Error, Result};
use crate::spec::ExternalSpec;
use serde::Serialize;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Environment variable that names the file of a task.
pub(crate) const SPEC: &str = "LRSCOUT_SPEC";

/// Environment variable that keeps the files of every task.
const KEEP: &str = "LRSCOUT_KEEP_TASKS";

/// What the names of the folders of tasks begin with.
pub(super) const TASK: &str = "lrscout-";

/// The files of one task.
#[derive(Debug)]
pub(crate) struct TaskFolder(TempDir);

impl TaskFolder {
    /// A new folder among the temporary files of the system.
    ///
    /// # Errors
    ///
    /// If it cannot be created, or its path is not UTF-8.
    pub(crate) fn new() -> Result<Self> {
        temporary(TASK).map(Self)
    }

    /// A folder in it where a training script runs, with links to the files
    /// of `base`.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    pub(crate) fn run_dir(&self, base: &Path) -> Result<PathBuf> {
        let path = self.empty("run")?;
        super::mirror(base, &path)?;
        Ok(path)
    }

    /// A new empty folder in it.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    pub(crate) fn empty(&self, name: &str) -> Result<PathBuf> {
        let path = self.0.path().join(name);
        fs::create_dir(&path).map_err(Error::io(&path))?;
        Ok(path)
    }

    /// Writes `values` as NumPy reads them: a one-dimensional array of f64,
    /// little-endian (NPY format 1.0).
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub(crate) fn table(&self, name: &str, values: &[f64]) -> Result<PathBuf> {
        self.put(&format!("{name}.npy"), &npy(values))
    }

    /// Writes `value` as JSON.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub(crate) fn object(
        &self,
        name: &str,
        value: &impl Serialize,
    ) -> Result<PathBuf> {
        let text = serde_json::to_string_pretty(value).expect("plain data");
        self.put(&format!("{name}.json"), text.as_bytes())
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).map_err(Error::io(&path))?;
        Ok(path)
    }
}

/// A new folder among the temporary files of the system, which is removed when
/// dropped.
///
/// # Errors
///
/// If it cannot be created, or its path is not UTF-8.
pub(super) fn temporary(prefix: &str) -> Result<TempDir> {
    let place = std::env::temp_dir();
    if place.to_str().is_none() {
        return Err(Error::Invalid(format!(
            "the path of temporary files, `{}`, is not UTF-8: set `TMPDIR` to \
             another folder",
            place.display()
        )));
    }
    let mut folder = tempfile::Builder::new();
    let kept = std::env::var_os(KEEP).is_some();
    let folder = folder.prefix(prefix).disable_cleanup(kept);
    folder.tempdir().map_err(Error::io(&place))
}

/// The numbers of the processes that were given `file` as their task: the
/// program, and all that it started, in whatever process group. Only where the
/// system shows the environment of a process, as Linux does.
pub(crate) fn workers(file: &Path) -> Vec<i32> {
    let mark = [SPEC.as_bytes(), b"=", file.as_os_str().as_bytes()].concat();
    let Ok(all) = fs::read_dir("/proc") else { return vec![] };
    let numbers = all.filter_map(|entry| {
        entry.ok()?.file_name().to_str()?.parse::<i32>().ok()
    });
    let works = |number: &i32| {
        let environment = fs::read(format!("/proc/{number}/environ"));
        environment.is_ok_and(|all| all.split(|b| *b == 0).any(|v| v == mark))
    };
    numbers.filter(works).collect()
}

/// Opens a file that results depend on.
///
/// # Errors
///
/// If it cannot be opened.
pub(crate) fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(Error::io(path))
}

/// The path of `program`: searched on the `PATH`, or relative to `base` if it
/// contains a separator.
pub(crate) fn program(program: &str, base: &Path) -> Option<PathBuf> {
    let there = |path: PathBuf| {
        let path = std::path::absolute(path).ok()?;
        let file = fs::metadata(&path).ok()?;
        let runs = file.is_file() && file.permissions().mode() & 0o111 != 0;
        runs.then_some(path)
    };
    if ExternalSpec::is_path(program) {
        return there(base.join(program));
    }
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders)
        .find_map(|folder| there(folder.join(program)))
}

/// The header is padded so that the numbers begin at a multiple of this.
const ALIGNMENT: usize = 64;

fn npy(values: &[f64]) -> Vec<u8> {
    let mut header = format!(
        "{{'descr': '<f8', 'fortran_order': False, 'shape': ({},), }}",
        values.len()
    );
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    let length_bytes = 2;
    let unpadded = bytes.len() + length_bytes + header.len() + 1;
    let padding = unpadded.next_multiple_of(ALIGNMENT) - unpadded;
    header.extend(std::iter::repeat_n(' ', padding));
    header.push('\n');
    let length = u16::try_from(header.len()).expect("a header of one line");
    bytes.extend(length.to_le_bytes());
    bytes.extend(header.bytes());
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_an_array_of_numpy() {
        let bytes = npy(&[0.5, -1e-300, 3.0]);
        assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
        let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        let (header, data) = bytes[10..].split_at(length);
        assert_eq!((10 + length) % ALIGNMENT, 0);
        let header = std::str::from_utf8(header).expect("ASCII");
        assert!(header.ends_with(" \n") && header.contains("(3,)"), "{header}");
        let numbers: Vec<f64> = data
            .chunks(8)
            .map(|c| f64::from_le_bytes(c.try_into().expect("eight")))
            .collect();
        assert_eq!(numbers, [0.5, -1e-300, 3.0]);
    }

    #[test]
    fn a_task_leaves_nothing_behind() {
        let folder = TaskFolder::new().expect("room");
        let table = folder.table("lr", &[0.1]).expect("writable");
        let spec = folder.object("spec", &"{}").expect("writable");
        assert!(table.exists() && spec.exists());
        drop(folder);
        assert!(!table.parent().expect("a folder").exists());
    }

    #[test]
    fn programs_are_sought_where_the_system_does() {
        assert!(program("sh", Path::new("")).is_some());
        assert!(program("no such program", Path::new("")).is_none());
        assert!(program("./sh", Path::new("/bin")).is_some());
        assert!(program("./sh", Path::new("/etc")).is_none());
        assert!(program("./passwd", Path::new("/etc")).is_none(), "no program");
    }
}
