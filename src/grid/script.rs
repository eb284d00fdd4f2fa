//! `script`: a training script that runs under the launcher, unchanged.

use super::modules;
use super::wire::{Entry, Source, Table, Value, find};
use crate::error::Result;
use crate::spec::{ScriptFolder, is_python};
use crate::text::excerpt;
use std::path::{Path, PathBuf};

/// The Python that runs a script: that of the active environment, if there is
/// one.
const PYTHON: &str = "python3";

/// A command that starts a script, and where.
pub(super) fn read(
    source: Source<'_>,
    table: &Table,
    script: &str,
) -> Result<(Vec<String>, ScriptFolder)> {
    let mut words = match find(table, "python") {
        None => vec![PYTHON.to_owned()],
        Some(entry) => texts(
            source,
            entry,
            "a program such as \"python3\", or with arguments: [\"torchrun\", \
             \"--nproc-per-node\", \"2\"]",
        )?,
    };
    if words.first().is_none_or(String::is_empty) {
        let at = find(table, "python").map_or(0, |entry| entry.node.at);
        return Err(source.error(at, "`python` must name a program"));
    }
    words.push(script.to_owned());
    if let Some(entry) = find(table, "args") {
        let wanted = "a list of strings, such as [\"--epochs\", \"3\"]";
        words.extend(texts(source, entry, wanted)?);
    }
    let folder = match find(table, "cwd") {
        None => ScriptFolder::Own,
        Some(entry) => {
            let wanted = "\"task\", a folder of each task, or \"grid\", the \
                          folder of the grid";
            match source.text("cwd", &entry.node, wanted)? {
                "task" => ScriptFolder::Own,
                "grid" => ScriptFolder::Grid,
                _ => return Err(source.mismatch("cwd", &entry.node, wanted)),
            }
        }
    };
    Ok((words, folder))
}

/// A string or a list of strings under a key.
fn texts(
    source: Source<'_>,
    entry: &Entry,
    wanted: &'static str,
) -> Result<Vec<String>> {
    let key = entry.key.as_str();
    let nodes = match &entry.node.value {
        Value::Text(_) => std::slice::from_ref(&entry.node),
        _ => source.list(key, &entry.node, wanted)?,
    };
    nodes
        .iter()
        .map(|node| match source.text(key, node, wanted)? {
            text if text.contains('\0') => {
                Err(source.mismatch(key, node, wanted))
            }
            text => Ok(text.to_owned()),
        })
        .collect()
}

/// The script that `table` names, which must be there.
pub(super) fn name<'a>(
    source: Source<'a>,
    table: &'a Table,
) -> Result<Option<&'a str>> {
    let Some(entry) = find(table, "script") else { return Ok(None) };
    let wanted = "the path of a Python file, such as \"train.py\"";
    let script = source.text("script", &entry.node, wanted)?;
    if !is_python(script) {
        let message = format!(
            "`script` must be {wanted}, got {}; a program that speaks the \
             protocol goes into `command`, torchrun into `python`",
            excerpt(script)
        );
        return Err(source.error(entry.node.at, message));
    }
    source.file(entry.node.at, "script", Path::new(script))?;
    if let Some(other) = find(table, "command") {
        let message = "a workload has a `script` or a `command`, not both: a \
                       script is started with `python` and `args`";
        return Err(source.error(other.at, message));
    }
    Ok(Some(script))
}

/// The files in `base` that the results of the command `words` depend on: its
/// arguments that are files, and the modules beside its script.
pub(crate) fn fingerprint(base: &Path, words: &[String]) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = vec![];
    for (i, word) in words.iter().enumerate().skip(1) {
        let file = PathBuf::from(word);
        let more = if words[i - 1] == "-m" {
            let module = modules::of_module(base, word);
            module.map(|file| modules::files(base, &file, Path::new("")))
        } else if !base.join(&file).is_file() {
            None
        } else if is_python(word) {
            let home = file.parent().unwrap_or(Path::new(""));
            Some(modules::files(base, &file, home))
        } else {
            Some(vec![file])
        };
        for file in more.unwrap_or_default() {
            if !files.contains(&file) {
                files.push(file);
            }
        }
    }
    files
}
