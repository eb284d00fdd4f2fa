//! The folder of one grid's results: which files there are, and what they
//! are called.

use super::rows::FindRow;
use super::sheet::Sheet;
use super::table::{read_rows, write_rows};
use crate::error::{Error, Result};
use crate::grid::Outline;
use crate::store::{sweep, write_atomically};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::borrow::Borrow;
use std::fs;
use std::path::{Path, PathBuf};

/// `results/<grid>/`.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    dir: PathBuf,
}

/// The table of the runs, as it is written and as it may be shipped.
const RUNS: [&str; 2] = ["runs.csv", "runs.csv.gz"];

/// Tables that only some studies have: those of an earlier ranking would be
/// taken for this one's.
const CONDITIONAL: [&str; 7] = [
    "leaderboard-tuned",
    "leaderboard-found",
    "pairwise-found",
    "workloads-found",
    "robustness",
    "theory",
    "posterior",
];

impl Folder {
    /// The folder at `dir`, which need not be there yet.
    pub(crate) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// The folder that the runs of `dir` can be read from.
    ///
    /// # Errors
    ///
    /// If it has none: the message says how to make them.
    pub(crate) fn open(dir: &Path) -> Result<Self> {
        let folder = Self::new(dir);
        match folder.runs_file() {
            Some(_) => Ok(folder),
            None => Err(Self::missing(dir)),
        }
    }

    /// `runs.csv`, or `runs.csv.gz` where that alone is there.
    pub(crate) fn runs_file(&self) -> Option<PathBuf> {
        RUNS.map(|name| self.path(name)).into_iter().find(|p| p.is_file())
    }

    /// Whether `file` is such a table.
    pub(crate) fn is_runs(file: &Path) -> bool {
        file.is_file() && RUNS.iter().any(|name| file.ends_with(name))
    }

    /// That `dir` has no runs, and how to make them.
    pub(crate) fn missing(dir: &Path) -> Error {
        let what = match (dir.is_file(), dir.is_dir()) {
            (true, _) => "is a file",
            (_, true) => "has no `runs.csv`",
            _ => "is not a folder",
        };
        Error::Invalid(format!(
            "`{}` {what}: run `lrscout run GRID` first, then give the folder \
             `results/<name of the grid>`",
            dir.display()
        ))
    }

    /// Where it is.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its own name, also of `.`.
    pub(crate) fn name(&self) -> String {
        let full = self.dir.canonicalize().unwrap_or(self.dir.clone());
        full.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The file `name` in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    // -- reading ---------------------------------------------------------

    /// The table of the runs.
    ///
    /// # Errors
    ///
    /// If it is not there or cannot be read.
    pub(crate) fn runs(&self) -> Result<Sheet> {
        let file = self.runs_file().ok_or_else(|| Self::missing(&self.dir))?;
        Sheet::read(&file)
    }

    /// The rows of the table `<stem>.csv`; `None` if it is not there.
    ///
    /// # Errors
    ///
    /// If they cannot be read.
    pub(crate) fn rows<T: DeserializeOwned>(
        &self,
        stem: &str,
    ) -> Result<Option<Vec<T>>> {
        let path = self.path(&format!("{stem}.csv"));
        path.is_file().then(|| read_rows(&path)).transpose()
    }

    /// Title, control and schedules as `experiment.toml` has them; nothing
    /// where it is not there or cannot be understood.
    pub(crate) fn outline(&self) -> Outline {
        let path = self.path("experiment.toml");
        let text = self.text("experiment.toml").unwrap_or_default();
        Outline::parse(&path, &text).unwrap_or_default()
    }

    /// A text file; empty if it is not there.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub(crate) fn text(&self, name: &str) -> Result<String> {
        let path = self.path(name);
        match fs::read_to_string(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                Ok(String::new())
            }
            text => text.map_err(Error::io(&path)),
        }
    }

    // -- writing ---------------------------------------------------------

    /// Removes unfinished files that a process left behind long ago.
    pub(crate) fn sweep(&self) {
        for folder in ["", "lr_find", "refined"] {
            sweep(&self.path(folder));
        }
    }

    /// The table `<stem>.csv`, or none if it has no rows.
    ///
    /// # Errors
    ///
    /// As [`table`](Self::table), or if an older one cannot be removed.
    pub(crate) fn table_or_none(
        &self,
        stem: &str,
        rows: &[impl Serialize],
    ) -> Result<()> {
        if rows.is_empty() {
            return self.remove(&format!("{stem}.csv"));
        }
        self.table(stem, rows)
    }

    /// The table `<stem>.csv`.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub(crate) fn table(
        &self,
        stem: &str,
        rows: &[impl Serialize],
    ) -> Result<()> {
        write_rows(&self.path(&format!("{stem}.csv")), rows)
    }

    /// A text file.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<()> {
        write_atomically(&self.path(name), text.as_bytes())
    }

    fn remove(&self, name: &str) -> Result<()> {
        let path = self.path(name);
        match fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::io(&path)(e))
            }
            _ => Ok(()),
        }
    }

    /// Removes the tables of an earlier ranking that this one, which wrote
    /// those named `stems`, has no use for: the grid had other budgets or
    /// multiples then.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read or a file not removed.
    pub(crate) fn remove_stale(&self, stems: &[String]) -> Result<()> {
        let entries = fs::read_dir(&self.dir).map_err(Error::io(&self.dir))?;
        for entry in entries {
            let name = entry.map_err(Error::io(&self.dir))?.file_name();
            let name = name.to_string_lossy();
            let Some(stem) = name.strip_suffix(".csv") else { continue };
            let kept = stems.iter().any(|kept| kept == stem);
            if is_conditional(stem) && !kept {
                self.remove(&name)?;
            }
        }
        Ok(())
    }
}

/// The name of a leaderboard's file, without extension.
pub(crate) fn board_stem(
    budget: Option<u64>,
    lr_multiple: Option<f64>,
) -> String {
    let parts = [
        Some("leaderboard".to_owned()),
        budget.map(|budget| budget.to_string()),
        lr_multiple.map(|multiple| multiple.to_string()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("-")
}

/// The names of the files of each range test, in the folder, without
/// extension. That of a workload's longest budget has the workload's name.
pub(crate) fn find_stems<T: Borrow<FindRow>>(finds: &[T]) -> Vec<String> {
    let longest = finds.iter().map(|row| row.borrow().budget).max();
    let mut stems = FileStems::default();
    let mut names = vec![String::new(); finds.len()];
    for is_longest in [true, false] {
        for (name, row) in names.iter_mut().zip(finds) {
            let FindRow { workload, schedule, budget, .. } = row.borrow();
            if (Some(*budget) == longest) != is_longest {
                continue;
            }
            let parts = [
                Some(workload.clone()),
                schedule.clone(),
                (!is_longest).then(|| budget.to_string()),
            ];
            let parts: Vec<String> = parts.into_iter().flatten().collect();
            *name = format!("lr_find/{}", stems.next(&parts.join("-")));
        }
    }
    names
}

/// Whether the table `stem` is one that only some grids have.
fn is_conditional(stem: &str) -> bool {
    let of_board = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    CONDITIONAL.contains(&stem)
        || stem.strip_prefix("leaderboard-").is_some_and(of_board)
}

/// Names of files for things of any name: no separators, no leading dot, not
/// too long for a file system, and each one once, also where large and small
/// letters are the same.
#[derive(Debug, Default)]
pub(crate) struct FileStems {
    taken: Vec<String>,
}

impl FileStems {
    /// Bytes of a name; a file system takes 255, with an extension and the
    /// ending of a file that is not finished.
    const MOST_BYTES: usize = 180;

    /// A name like `name` that was not given yet.
    pub(crate) fn next(&mut self, name: &str) -> String {
        let safe = |c: char| c.is_alphanumeric() || "-_.".contains(c);
        let mut stem = String::new();
        for c in name.chars() {
            if stem.len() + c.len_utf8() > Self::MOST_BYTES {
                break;
            }
            let dot = stem.is_empty() && c == '.';
            stem.push(if safe(c) && !dot { c } else { '-' });
        }
        if stem.is_empty() {
            stem.push('-');
        }
        let mut unique = stem.clone();
        let mut number = 2;
        while self.taken.contains(&unique.to_lowercase()) {
            unique = format!("{stem}~{number}");
            number += 1;
        }
        self.taken.push(unique.to_lowercase());
        unique
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_are_safe_and_each_is_there_once() {
        let mut stems = FileStems::default();
        let given = ["a/b", "a-b", "A-B", "letter-mlp-250", ".hidden", ""];
        let got = given.map(|name| stems.next(name));
        let want = ["a-b", "a-b~2", "A-B~3", "letter-mlp-250", "-hidden", "-"];
        assert_eq!(got, want);
        let long = "é".repeat(150);
        let (first, second) = (stems.next(&long), stems.next(&long));
        assert_eq!(first.len(), FileStems::MOST_BYTES);
        assert_eq!(second, format!("{first}~2"));
        assert_eq!(stems.next("x".repeat(150).as_str()).len(), 150);
    }

    #[test]
    fn every_range_test_has_files_of_its_own() {
        let row = |workload: &str, budget, schedule: Option<&str>| FindRow {
            workload: workload.to_owned(),
            optimizer: String::new(),
            budget,
            lr: 0.1,
            low: 0.1,
            high: 0.1,
            outcome: String::new(),
            rule: String::new(),
            cost_steps: 0,
            schedule: schedule.map(str::to_owned),
        };
        let got = find_stems(&[
            row("letter", 250, None),
            row("letter", 1000, None),
            row("letter-250", 1000, None),
            row("letter", 1000, Some("wsd(decay=0.6)")),
        ]);
        let want = [
            "lr_find/letter-250~2",
            "lr_find/letter",
            "lr_find/letter-250",
            "lr_find/letter-wsd-decay-0.6-",
        ];
        assert_eq!(got, want);
    }

    #[test]
    fn a_board_is_named_by_budget_and_multiple() {
        let stem = |b, m| board_stem(b, m);
        assert_eq!(stem(Some(250), Some(0.25)), "leaderboard-250-0.25");
        assert_eq!(stem(None, None), "leaderboard");
    }

    #[test]
    fn tables_that_an_edited_grid_has_no_use_for_go() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let put = |name: &str| {
            fs::write(dir.path().join(name), "").expect("writable");
        };
        let kept = [
            "leaderboard.csv",
            "leaderboard-250-1.csv",
            "leaderboard-mine.csv",
            "runs.csv",
            "theory.svg",
        ];
        let stale = [
            "leaderboard-250-4.csv",
            "leaderboard-1000-0.25.csv",
            "leaderboard-found.csv",
            "leaderboard-tuned.csv",
            "pairwise-found.csv",
            "robustness.csv",
            "theory.csv",
        ];
        kept.iter().chain(&stale).for_each(|name| put(name));
        let stems = ["leaderboard-250-1".to_owned()];
        let folder = Folder::new(dir.path());
        folder.remove_stale(&stems).expect("removable");
        for name in kept {
            assert!(dir.path().join(name).exists(), "{name}");
        }
        for name in stale {
            assert!(!dir.path().join(name).exists(), "{name}");
        }
    }
}
