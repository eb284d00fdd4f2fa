//! `[[workload]]` tables with a `command` or a `script`: an external program
//! trains.

use super::baseline;
use super::script;
use super::template::Template;
use super::wire::{Node, Source, Table, find};
use super::workloads::{MOST_BATCH, pairs, read_rates, refuse_others};
use super::{WorkloadEntry, axes};
use crate::error::Result;
use crate::spec::{ExternalSpec, ScriptFolder, TrainerSpec, short, time};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Keys that only these workloads have.
pub(super) const OWN_KEYS: &[&str] =
    &["command", "fingerprint", "protocol", "timeout", "metric"];

/// Keys that only scripts have.
pub(super) const SCRIPT_KEYS: &[&str] =
    &["script", "args", "python", "cwd", "baseline"];

/// All their keys.
const KEYS: &[&str] = &[
    "name",
    "command",
    "script",
    "args",
    "python",
    "cwd",
    "baseline",
    "fingerprint",
    "protocol",
    "timeout",
    "metric",
    "model",
    "dataset",
    "optimizer",
    "lr",
    "batch",
    "cluster",
];

/// Placeholders of their names.
const AXES: &[&str] = &["dataset", "model", "optimizer", "lr", "batch"];

/// Default time limit of one training.
const TIMEOUT: Duration = Duration::from_secs(3600);

/// Whether the workload of `table` is trained by a program.
pub(super) fn is_external(table: &Table) -> bool {
    ["command", "script"].iter().any(|key| find(table, key).is_some())
}

/// Reads `table`, whose header is at byte `at` and which is
/// [external](is_external).
pub(super) fn read(
    source: Source<'_>,
    at: usize,
    table: &Table,
) -> Result<Vec<WorkloadEntry>> {
    refuse_others(source, table, KEYS, |key| {
        matches!(key, "accumulate" | "label_noise" | "weights").then_some(
            "with `command` the program itself decides this: pass it as an \
             argument",
        )
    })?;
    let Program { script, words, folder, fingerprint } =
        program(source, table)?;
    if let Some(entry) = find(table, "protocol") {
        let protocol = entry.node.number();
        if protocol != Some(ExternalSpec::PROTOCOL as f64) {
            let message = format!(
                "this lrscout supports only protocol {}, got {}",
                ExternalSpec::PROTOCOL,
                entry.node.shown()
            );
            return Err(source.error(entry.node.at, message));
        }
    }
    let timeout = timeout(source, table)?;
    let baseline = baseline::read(source, table, &words)?;
    let text = |key: &str| {
        let Some(entry) = find(table, key) else { return Ok(None) };
        match source.text(key, &entry.node, "a name")? {
            "" => Err(source.mismatch(key, &entry.node, "a name")),
            text => Ok(Some(text)),
        }
    };
    let (metric, cluster) = (text("metric")?, text("cluster")?);
    let stem = script.and_then(|name| Path::new(name).file_stem());
    let stem = stem.and_then(|stem| stem.to_str());
    let default = match stem {
        Some(stem) if find(table, "model").is_none() => stem,
        _ => Template::DEFAULT,
    };
    let template = Template::read(source, at, table, default)?;

    let (datasets, models, optimizers) = (
        names(source, table, "dataset")?,
        names(source, table, "model")?,
        names(source, table, "optimizer")?,
    );
    let batches = axis(source, table, "batch", |node| {
        source.whole("batch", node, 1, MOST_BATCH)
    })?;
    let rates = read_rates(source, table)?;
    let mut entries = vec![];
    for dataset in &datasets {
        for model in &models {
            let rates = rates.iter().copied();
            for (optimizer, lr) in pairs(&optimizers, rates) {
                for &batch in &batches {
                    let name =
                        template.fill(source, AXES, |key| match key {
                            "dataset" => dataset.clone(),
                            "model" => model.clone(),
                            "optimizer" => optimizer.clone(),
                            "lr" => lr.map(short),
                            "batch" => batch.map(|batch| batch.to_string()),
                            _ => None,
                        })?;
                    let cluster = cluster.or(dataset.as_deref());
                    let cluster = cluster.unwrap_or(&name).to_owned();
                    let spec = TrainerSpec::External(ExternalSpec {
                        command: words.clone(),
                        script: folder,
                        fingerprint: fingerprint.clone(),
                        timeout,
                        model: model.clone(),
                        dataset: dataset.clone(),
                        optimizer: optimizer.clone(),
                        batch,
                        metric: metric.map(str::to_owned),
                    });
                    entries.push(WorkloadEntry {
                        baseline: baseline.clone(),
                        ..WorkloadEntry::new(at, name, spec, cluster, lr)
                    });
                }
            }
        }
    }
    Ok(entries)
}

/// What trains, and the files that its results depend on.
struct Program<'a> {
    /// The script, if it is one.
    script: Option<&'a str>,
    words: Vec<String>,
    /// Where the script runs.
    folder: Option<ScriptFolder>,
    fingerprint: Vec<PathBuf>,
}

fn program<'a>(source: Source<'a>, table: &'a Table) -> Result<Program<'a>> {
    if let Some(script) = script::name(source, table)? {
        let (words, folder) = script::read(source, table, script)?;
        let fingerprint = named_files(source, table)?.unwrap_or_else(|| {
            let base = source.path.parent().unwrap_or(Path::new(""));
            script::fingerprint(base, &words)
        });
        let (script, folder) = (Some(script), Some(folder));
        return Ok(Program { script, words, folder, fingerprint });
    }
    for key in SCRIPT_KEYS {
        if let Some(entry) = find(table, key) {
            let message = format!(
                "`{key}` goes with `script`; `command` has all its words itself"
            );
            return Err(source.error(entry.at, message));
        }
    }
    let Some(command) = find(table, "command") else {
        unreachable!("an external workload has one of them");
    };
    let words = words(source, &command.node)?;
    let fingerprint = fingerprint(source, table, &command.node, &words)?;
    Ok(Program { script: None, words, folder: None, fingerprint })
}

/// Program and arguments. A program named by a path must be there.
fn words(source: Source<'_>, node: &Node) -> Result<Vec<String>> {
    let wanted = "a list of the program and its arguments, such as \
                  [\"python\", \"train.py\", \"--spec\", \"{spec}\"]; no \
                  shell reads it";
    let words = source.list("command", node, wanted)?;
    let words = words
        .iter()
        .map(|word| source.text("command", word, "a list of strings"))
        .collect::<Result<Vec<_>>>()?;
    let Some(&program) = words.first() else {
        return Err(source.mismatch("command", node, wanted));
    };
    if program.is_empty() || words.iter().any(|word| word.contains('\0')) {
        let message = "`command` must begin with the name of a program, and no \
                       word may contain NUL";
        return Err(source.error(node.at, message));
    }
    if ExternalSpec::is_path(program) {
        source.file(node.at, "command", Path::new(program))?;
    }
    Ok(words.into_iter().map(str::to_owned).collect())
}

/// The files named, or else all `words` of the command that are files.
fn fingerprint(
    source: Source<'_>,
    table: &Table,
    command: &Node,
    words: &[String],
) -> Result<Vec<PathBuf>> {
    if let Some(files) = named_files(source, table)? {
        return Ok(files);
    }
    let (program, arguments) = words.split_at(1);
    let program = program.iter().filter(|word| ExternalSpec::is_path(word));
    let is_file = |word: &&String| {
        source.file(0, "command", Path::new(word.as_str())).is_ok()
    };
    let files = program.chain(arguments).filter(is_file);
    let files: Vec<PathBuf> = files.map(PathBuf::from).collect();
    if files.is_empty() {
        let message = "no word of `command` is a file beside the grid, so \
                       changes of the program would not be noticed: list \
                       its files in `fingerprint`, or write `fingerprint \
                       = []` if there are none";
        return Err(source.error(command.at, message));
    }
    Ok(files)
}

/// The files listed in `fingerprint`, if it is there.
fn named_files(
    source: Source<'_>,
    table: &Table,
) -> Result<Option<Vec<PathBuf>>> {
    let Some(entry) = find(table, "fingerprint") else { return Ok(None) };
    let wanted = "a list of the files that the results depend on";
    let files = source.list("fingerprint", &entry.node, wanted)?;
    let file = |node: &Node| {
        let text = source.text("fingerprint", node, "a list of paths")?;
        source.file(node.at, "fingerprint", Path::new(text))?;
        Ok(PathBuf::from(text))
    };
    files.iter().map(file).collect::<Result<_>>().map(Some)
}

fn timeout(source: Source<'_>, table: &Table) -> Result<Duration> {
    let Some(entry) = find(table, "timeout") else { return Ok(TIMEOUT) };
    let wanted = "a time such as \"20m\", the limit of one training";
    let text = source.text("timeout", &entry.node, wanted)?;
    match time(text) {
        Ok(Duration::ZERO) | Err(_) => {
            Err(source.mismatch("timeout", &entry.node, wanted))
        }
        Ok(timeout) => Ok(timeout),
    }
}

/// The names under `key`, which are passed to the program.
fn names(
    source: Source<'_>,
    table: &Table,
    key: &str,
) -> Result<Vec<Option<String>>> {
    axis(source, table, key, |node| {
        let wanted = "a name that the program knows, as its `command` does \
                      the training";
        source.text(key, node, wanted).map(str::to_owned)
    })
}

/// The values under `key`: one, several, or that there is none.
fn axis<T>(
    source: Source<'_>,
    table: &Table,
    key: &str,
    read: impl Fn(&Node) -> Result<T>,
) -> Result<Vec<Option<T>>> {
    let Some(entry) = find(table, key) else { return Ok(vec![None]) };
    let nodes = axes::some_values(source, entry)?;
    nodes.iter().map(|node| read(node).map(Some)).collect()
}
