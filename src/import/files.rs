//! Which files a path, a folder or a pattern stands for.

use super::tools::Tool;
use crate::error::{Error, Result};
use crate::results::Folder;
use crate::text::quoted;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A file, and the parts of its path that name its run.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct File {
    pub(super) path: PathBuf,
    /// The folder of the run below the path given, else the file's stem.
    pub(super) run: String,
}

/// Folders inside of folders that are looked into, and files that are seen.
const DEEPEST: usize = 8;
const MOST: usize = 100_000;

/// Whether a file of this name is one.
type IsOne = fn(&str) -> bool;

/// The files of runs that tools write, the one to be taken first.
const KNOWN: &[(Tool, IsOne)] = &[
    (Tool::Ray, |name| name == "progress.csv"),
    (Tool::Ray, |name| name == "result.json"),
    (Tool::Trainer, |name| name == "trainer_state.json"),
    (Tool::Lightning, |name| name == "metrics.csv"),
    (Tool::Mlflow, |name| name == "mlflow.db"),
    (Tool::Tensorboard, |name| name.contains(".tfevents.")),
];

/// The files that all of `given` stand for.
///
/// # Errors
///
/// If one stands for none.
pub(super) fn all(given: &[PathBuf], from: Option<Tool>) -> Result<Vec<File>> {
    let mut found = vec![];
    for path in given {
        found.extend(files(path, from)?);
    }
    // Files one by one are named from the folder that they share.
    if given.len() > 1 && given.iter().all(|path| path.is_file()) {
        let root = common_folder(given);
        for file in &mut found {
            file.run = run_of(&file.path, &root);
        }
    }
    Ok(found)
}

/// Whether `given` is no path, but stands for those that match it.
pub(crate) fn is_pattern(given: &Path) -> bool {
    !given.exists() && given.to_string_lossy().contains(['*', '?'])
}

/// The file that `given` stands for: itself, the one in a folder, or the one
/// that matches.
///
/// # Errors
///
/// If there is none, or there are several.
pub(super) fn one(given: &Path) -> Result<PathBuf> {
    if given.is_file() {
        return Ok(given.to_owned());
    }
    match files(given, None)?.as_slice() {
        [one] => Ok(one.path.clone()),
        several => Err(Error::Invalid(format!(
            "`{}` stands for {} files, {} and others; name one",
            given.display(),
            several.len(),
            quoted(&several[0].path.display().to_string())
        ))),
    }
}

/// The files that `given` stands for.
///
/// # Errors
///
/// If there are none.
fn files(given: &Path, from: Option<Tool>) -> Result<Vec<File>> {
    if given.is_dir() {
        return of_folder(given, from);
    }
    let text = given.to_string_lossy();
    if is_pattern(given) {
        let found = matching(&text)?;
        if found.is_empty() {
            return Err(Error::Invalid(format!("no file matches `{text}`")));
        }
        let root = common_folder(&found);
        let mut files = vec![];
        for path in found {
            if path.is_dir() {
                let below = of_folder(&path, from)?;
                files.extend(below.into_iter().map(|file| {
                    let run = run_of(&file.path, &root);
                    File { run, ..file }
                }));
            } else {
                files.push(File { run: run_of(&path, &root), path });
            }
        }
        return Ok(files);
    }
    let run = run_of(given, given.parent().unwrap_or(Path::new("")));
    Ok(vec![File { path: given.to_owned(), run }])
}

/// A results folder of ours, run folders of a tool, or tables.
fn of_folder(folder: &Path, from: Option<Tool>) -> Result<Vec<File>> {
    if let (Some(own), None) = (Folder::new(folder).runs_file(), from) {
        let run = run_of(&own, folder);
        return Ok(vec![File { path: own, run }]);
    }
    let mut all = vec![];
    walk(folder, 0, &mut all)?;
    all.sort();
    let name = |path: &Path| {
        path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    };
    for (tool, is_one) in KNOWN {
        if from.is_some_and(|from| from != *tool) {
            continue;
        }
        let found: Vec<PathBuf> =
            all.iter().filter(|path| is_one(&name(path))).cloned().collect();
        if !found.is_empty() {
            let found = match tool {
                Tool::Trainer => last_states(found),
                _ => found,
            };
            let file =
                |path: PathBuf| File { run: run_of(&path, folder), path };
            return Ok(found.into_iter().map(file).collect());
        }
    }
    let is_table = |path: &PathBuf| {
        let name = name(path).to_ascii_lowercase();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        let end = name.rsplit_once('.').map_or("", |(_, end)| end);
        ["csv", "tsv", "json", "jsonl"].contains(&end)
    };
    let tables: Vec<PathBuf> = all.into_iter().filter(is_table).collect();
    if tables.is_empty() {
        return Err(Error::Invalid(format!(
            "`{}` has no `runs.csv`, no table and no run of a known tool: run \
             `lrscout run GRID` first, then give the folder `results/<name \
             of the grid>`, or give a file of runs",
            folder.display()
        )));
    }
    let file = |path: PathBuf| File { run: run_of(&path, folder), path };
    Ok(tables.into_iter().map(file).collect())
}

/// All files below `folder`, without hidden ones.
fn walk(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(Error::io(folder))? {
        let path = entry.map_err(Error::io(folder))?.path();
        let hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if hidden {
            continue;
        }
        if path.is_dir() {
            if depth < DEEPEST {
                walk(&path, depth + 1, found)?;
            }
        } else {
            add(path, found)?;
        }
    }
    Ok(())
}

/// Adds one of the files seen.
///
/// # Errors
///
/// If there are too many.
fn add(path: PathBuf, found: &mut Vec<PathBuf>) -> Result<()> {
    if found.len() >= MOST {
        return Err(Error::Invalid(format!(
            "`{}` and more: over {MOST} files; give a folder further down, \
             or a pattern that fewer files match",
            path.display()
        )));
    }
    found.push(path);
    Ok(())
}

/// Of the checkpoints of each run the last state: it has the whole history.
fn last_states(found: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut last: BTreeMap<PathBuf, (usize, PathBuf)> = BTreeMap::new();
    for path in found {
        let folder = path.parent().unwrap_or(Path::new(""));
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let step =
            name.strip_prefix("checkpoint-").and_then(|step| step.parse().ok());
        // The state beside the checkpoints is written at the end.
        let (run, step) = match step {
            Some(step) => (folder.parent().unwrap_or(folder), step),
            None => (folder, usize::MAX),
        };
        let best = last.entry(run.to_owned()).or_insert((step, path.clone()));
        if step >= best.0 {
            *best = (step, path);
        }
    }
    last.into_values().map(|(_, path)| path).collect()
}

/// The name of the run of a file: the folders between `root` and the file
/// that are not the tool's own, or the stem of the file.
fn run_of(path: &Path, root: &Path) -> String {
    let folder = path.parent().unwrap_or(Path::new(""));
    let parts = folder.strip_prefix(root).unwrap_or(folder).components();
    let own = |part: &str| {
        ["checkpoint-", "version_"].iter().any(|start| part.starts_with(start))
            || part == "files"
    };
    let parts: Vec<String> = parts
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .filter(|part| !own(part))
        .collect();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_known = KNOWN.iter().any(|(_, is_one)| is_one(&name));
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    match (is_known, parts.is_empty()) {
        (true, false) => parts.join("/"),
        (true, true) => {
            let whole = folder.canonicalize().unwrap_or(folder.to_owned());
            let names = whole.components().rev();
            let names =
                names.map(|c| c.as_os_str().to_string_lossy().into_owned());
            let mut names = names.filter(|part| !own(part));
            names.next().unwrap_or(stem.into_owned())
        }
        (false, true) => stem.into_owned(),
        (false, false) => format!("{}/{stem}", parts.join("/")),
    }
}

fn common_folder(paths: &[PathBuf]) -> PathBuf {
    let mut common = match paths.first().and_then(|path| path.parent()) {
        Some(folder) => folder.to_owned(),
        None => return PathBuf::new(),
    };
    for path in paths {
        while !path.starts_with(&common) && common.pop() {}
    }
    common
}

/// The paths that match `pattern`: `*` and `?` inside of a name, `**` for
/// any folders.
///
/// # Errors
///
/// If there are too many.
fn matching(pattern: &str) -> Result<Vec<PathBuf>> {
    let mut parts = pattern.split('/');
    let start = if pattern.starts_with('/') {
        parts.next();
        PathBuf::from("/")
    } else {
        PathBuf::new()
    };
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    let mut found = vec![];
    descend(&start, &parts, 0, &mut found)?;
    found.sort();
    found.dedup();
    Ok(found)
}

fn descend(
    at: &Path,
    parts: &[&str],
    depth: usize,
    found: &mut Vec<PathBuf>,
) -> Result<()> {
    let Some((part, rest)) = parts.split_first() else {
        return add(at.to_owned(), found);
    };
    if !part.contains(['*', '?']) {
        let next = at.join(part);
        if next.exists() {
            descend(&next, rest, depth, found)?;
        }
        return Ok(());
    }
    if *part == "**" {
        descend(at, rest, depth, found)?;
    }
    let folder = if at.as_os_str().is_empty() { Path::new(".") } else { at };
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let next = at.join(&*name);
        if *part == "**" {
            let deeper = depth < DEEPEST && !name.starts_with('.');
            if deeper && next.is_dir() {
                descend(&next, parts, depth + 1, found)?;
            }
        } else if is_match(part, &name) {
            descend(&next, rest, depth, found)?;
        }
    }
    Ok(())
}

/// Whether `name` is of the form `pattern`.
fn is_match(pattern: &str, name: &str) -> bool {
    let mut chars = pattern.chars();
    match chars.next() {
        None => name.is_empty(),
        Some('*') => {
            let rest = chars.as_str();
            let mut ends = name.char_indices().map(|(at, _)| at);
            ends.any(|at| is_match(rest, &name[at..])) || is_match(rest, "")
        }
        Some(c) => {
            let mut letters = name.chars();
            let first = letters.next();
            (first == Some(c) || (c == '?' && first.is_some()))
                && is_match(chars.as_str(), letters.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_names() {
        for (pattern, name, matches) in [
            ("*.csv", "a.csv", true),
            ("*.csv", "a.csv.gz", false),
            ("run-?", "run-1", true),
            ("run-?", "run-12", false),
            ("*", "", true),
            ("a*b*c", "aXbYbZc", true),
        ] {
            assert_eq!(is_match(pattern, name), matches, "{pattern} {name}");
        }
    }

    #[test]
    fn too_many_files_are_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("a.csv"), "").expect("writable");
        let mut found = vec![PathBuf::new(); MOST - 1];
        assert!(walk(folder.path(), 0, &mut found).is_ok());
        assert_eq!(found.len(), MOST);
        let refused = walk(folder.path(), 0, &mut found).err();
        let said = refused.expect("one file too many").to_string();
        assert!(said.contains("over 100000 files"), "{said}");
    }

    #[test]
    fn runs_have_the_names_of_their_folders() {
        let root = Path::new("out");
        for (path, run) in [
            ("out/a/checkpoint-8/trainer_state.json", "a"),
            ("out/x/b/version_0/metrics.csv", "x/b"),
            ("out/sweep.csv", "sweep"),
            ("out/x/sweep.csv", "x/sweep"),
        ] {
            assert_eq!(run_of(Path::new(path), root), run);
        }
    }
}
