//! `[[workload]]` tables: each the product of its models, data sets,
//! optimizers, batch sizes and shares of label noise.

use super::components::{self, Component};
use super::keys::{DATASETS, MODELS, OPTIMIZERS};
use super::template::Template;

use super::wire::{Node, Source, Table, Value, find};
use super::{Known, WorkloadEntry, axes, external};
use crate::error::Result;
use crate::spec::{
    DatasetSpec, ModelSpec, OptimizerSpec, Targets, TrainerSpec, WorkloadSpec,
    short,
};
use crate::text::excerpt;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Keys of `[[workload]]`.
const KEYS: &[&str] = &[
    "name",
    "model",
    "dataset",
    "optimizer",
    "lr",
    "batch",
    "accumulate",
    "label_noise",
    "weights",
    "cluster",
];

/// Keys at which a list is an axis, and what a name's template may hold.
const AXES: &[&str] =
    &["dataset", "model", "optimizer", "lr", "batch", "label_noise"];

/// Largest batch: more than the rows of any built-in data set.
pub(super) const MOST_BATCH: usize = 1_000_000;

/// Workloads that `table` stands for.
pub(super) fn count(table: &Table) -> u128 {
    AXES.iter()
        .filter_map(|key| find(table, key))
        .map(|entry| axes::count_components(&entry.node))
        .fold(1, u128::saturating_mul)
}

/// Reads all `tables`, each with the offset of its header.
pub(super) fn read(
    source: Source<'_>,
    tables: &[(usize, &Table)],
    known: &Known,
) -> Result<Vec<WorkloadEntry>> {
    let mut entries: Vec<WorkloadEntry> = vec![];
    let mut places: HashMap<String, (usize, usize)> = HashMap::new();
    for (index, &(at, table)) in tables.iter().enumerate() {
        let place = find(table, "name").map_or(at, |entry| entry.node.at);
        for entry in read_table(source, at, table, known)? {
            let name = entry.name.clone();
            if let Some(&(other, first)) = places.get(&name) {
                let shown = excerpt(&name);
                let message = if other == index {
                    format!(
                        "the lists of this workload make {shown} twice, {}",
                        apart(table)
                    )
                } else {
                    format!(
                        "two workloads are called {shown}, the other is at \
                         {}; give each its own `name`",
                        source.place(first)
                    )
                };
                return Err(source.error(place, message));
            }
            places.insert(name, (index, place));
            entries.push(entry);
        }
    }
    Ok(entries)
}

/// How the workloads of `table` can be told apart.
fn apart(table: &Table) -> String {
    let name = find(table, "name").map(|entry| &entry.node.value);
    let template = match name {
        Some(Value::Text(text)) => text,
        _ => Template::DEFAULT,
    };
    let missing: Vec<String> = AXES
        .iter()
        .filter(|key| {
            find(table, key)
                .is_some_and(|entry| axes::count_components(&entry.node) > 1)
        })
        .map(|key| format!("{{{key}}}"))
        .filter(|placeholder| !template.contains(placeholder))
        .collect();
    if missing.is_empty() {
        return "leave one value out".to_owned();
    }
    let missing = missing.join("-");
    format!("tell them apart: `name = \"{template}-{missing}\"`")
}

fn read_table(
    source: Source<'_>,
    at: usize,
    table: &Table,
    known: &Known,
) -> Result<Vec<WorkloadEntry>> {
    if external::is_external(table) {
        return external::read(source, at, table);
    }
    refuse_others(source, table, KEYS, |key| match key {
        key if external::OWN_KEYS.contains(&key) => {
            Some("it goes with `command`, which this workload lacks")
        }
        key if external::SCRIPT_KEYS.contains(&key) => {
            Some("it goes with `script`, which this workload lacks")
        }
        _ => None,
    })?;
    let needed = |key: &str, example: &str| {
        find(table, key).ok_or_else(|| {
            let message = format!(
                "this workload has no `{key}`, name one, as in `{key} = \
                 \"{example}\"`"
            );
            source.error(at, message)
        })
    };
    let models = needed("model", "mlp")?;
    let datasets = needed("dataset", "letter")?;
    let models = components::read(
        source,
        &MODELS,
        &models.node,
        &known.models,
        |name| ModelSpec::Registered { name: name.to_owned() },
    )?;
    for model in &models {
        if let Some(problem) = model.spec.problem() {
            return Err(model.error(source, problem));
        }
    }
    let datasets = read_datasets(source, &datasets.node, known)?;
    let optimizers = read_optimizers(source, table)?;
    let template = Template::read(source, at, table, Template::DEFAULT)?;
    let accumulate = read_accumulate(source, table)?;
    let weights = read_weights(source, table)?;
    let cluster = find(table, "cluster")
        .map(|entry| source.text("cluster", &entry.node, "a string"))
        .transpose()?;

    let batches = match find(table, "batch") {
        None => vec![64],
        Some(entry) => axes::some_values(source, entry)?
            .iter()
            .map(|node| source.whole("batch", node, 1, MOST_BATCH))
            .collect::<Result<_>>()?,
    };
    let rates = read_rates(source, table)?;
    let noise = |node: &Node| {
        let wanted = "a share of the training labels, at least 0 and below \
                      1";
        let noise = node.share().filter(|x| (0.0..1.0).contains(x));
        let noise = noise
            .ok_or_else(|| source.mismatch("label_noise", node, wanted))?;
        Ok((node.at, noise))
    };
    let noises = match find(table, "label_noise") {
        None => vec![(at, 0.0)],
        Some(entry) => axes::some_values(source, entry)?
            .iter()
            .map(noise)
            .collect::<Result<_>>()?,
    };

    let mut entries = vec![];
    for dataset in &datasets {
        for model in &models {
            if let Some(problem) = model.spec.misfit(&dataset.spec) {
                return Err(model.error(source, problem));
            }
            let rates = rates.iter().copied();
            for (optimizer, lr) in pairs(&optimizers, rates) {
                for (&batch, (place, label_noise)) in
                    pairs(&batches, noises.iter().copied())
                {
                    noise_fits(source, place, label_noise, &dataset.spec)?;
                    let spec = WorkloadSpec {
                        model: model.spec.clone(),
                        dataset: dataset.spec.clone(),
                        label_noise,
                        optimizer: optimizer.spec.clone(),
                        batch,
                        accumulate,
                        weights: weights.clone(),
                    };
                    let value = |key: &str| shown(&spec, lr, key);
                    let name = template.fill(source, AXES, value)?;
                    let cluster = cluster
                        .map_or_else(|| dataset.spec.identity(), str::to_owned);
                    let spec = TrainerSpec::Candle(spec);
                    entries
                        .push(WorkloadEntry::new(at, name, spec, cluster, lr));
                }
            }
        }
    }
    Ok(entries)
}

/// Each of `outer` with each of `inner`, the inner ones fastest.
pub(super) fn pairs<A, B>(
    outer: &[A],
    inner: impl Iterator<Item = B> + Clone,
) -> impl Iterator<Item = (&A, B)> {
    outer.iter().flat_map(move |a| inner.clone().map(move |b| (a, b)))
}

/// The rates under `lr`; a single `None` if the rate is to be found.
pub(super) fn read_rates(
    source: Source<'_>,
    table: &Table,
) -> Result<Vec<Option<f64>>> {
    let Some(entry) = find(table, "lr") else { return Ok(vec![None]) };
    let wanted = "a learning rate above 0, at most 1000000, or a list of them";
    let rate = |node: &Node| {
        source.number("lr", node, wanted, |x| x > 0.0 && x <= 1e6).map(Some)
    };
    axes::some_values(source, entry)?.iter().map(rate).collect()
}

/// The text that replaces `key`, one of [`AXES`], in a name.
fn shown(spec: &WorkloadSpec, lr: Option<f64>, key: &str) -> Option<String> {
    Some(match key {
        "dataset" => spec.dataset.name(),
        "model" => spec.model.label(),
        "optimizer" => spec.optimizer.label(),
        "lr" => short(lr?),
        "batch" => spec.batch.to_string(),
        _ => spec.label_noise.to_string(),
    })
}

/// Refuses keys other than `keys`. `remedy` gives the advice for keys of the
/// other sort of workload.
pub(super) fn refuse_others(
    source: Source<'_>,
    table: &Table,
    keys: &[&str],
    remedy: impl Fn(&str) -> Option<&'static str>,
) -> Result<()> {
    for entry in table {
        let key = entry.key.as_str();
        let top = super::settings::KEYS.contains(&key).then_some(
            "it belongs to the top of the file, before the first table",
        );
        if let Some(remedy) = remedy(key).or(top) {
            let message = format!(
                "unknown key {} in `[[workload]]`, {remedy}",
                excerpt(key)
            );
            return Err(source.error(entry.at, message));
        }
    }
    source.keys(table, "`[[workload]]`", keys)
}

fn read_accumulate(source: Source<'_>, table: &Table) -> Result<usize> {
    find(table, "accumulate").map_or(Ok(1), |entry| {
        source.whole("accumulate", &entry.node, 1, MOST_BATCH)
    })
}

/// The file must be there, beside the grid; the path stays as written.
fn read_weights(source: Source<'_>, table: &Table) -> Result<Option<PathBuf>> {
    let Some(entry) = find(table, "weights") else { return Ok(None) };
    let wanted = "the path of a safetensors file";
    let file = source.text("weights", &entry.node, wanted)?;
    source.file(entry.node.at, "weights", Path::new(file))?;
    Ok(Some(PathBuf::from(file)))
}

fn read_optimizers(
    source: Source<'_>,
    table: &Table,
) -> Result<Vec<Component<OptimizerSpec>>> {
    let default = Node { at: 0, value: Value::Text("sgd".to_owned()) };
    let node = find(table, "optimizer").map_or(&default, |entry| &entry.node);
    let optimizers = components::read(source, &OPTIMIZERS, node, &[], |_| {
        OptimizerSpec::sgd()
    })?;
    for optimizer in &optimizers {
        if let Some(problem) = optimizer.spec.problem() {
            return Err(optimizer.error(source, problem));
        }
    }
    Ok(optimizers)
}

fn read_datasets(
    source: Source<'_>,
    node: &Node,
    known: &Known,
) -> Result<Vec<Component<DatasetSpec>>> {
    let datasets =
        components::read(source, &DATASETS, node, &known.datasets, |name| {
            DatasetSpec::Registered { name: name.to_owned() }
        })?;
    for dataset in &datasets {
        if let Some(problem) = dataset.spec.problem() {
            return Err(dataset.error(source, problem));
        }
        find_files(source, dataset)?;
    }
    Ok(datasets)
}

/// The files must be there, beside the grid. The paths stay as written, so
/// that a spec is the same from whichever folder the grid is read.
fn find_files(
    source: Source<'_>,
    dataset: &Component<DatasetSpec>,
) -> Result<()> {
    let kind = dataset.spec.kind();
    let downloads = matches!(kind, "mnist" | "fashion-mnist" | "cifar-10");
    let Some((key, files)) = dataset.spec.files() else {
        if downloads && !cfg!(feature = "hub") {
            let message = format!(
                "this binary cannot download `{kind}`, name the folder of \
                 its files with `dir`, or build with `--features hub`"
            );
            return Err(source.error(dataset.place(None), message));
        }
        return Ok(());
    };
    for file in files {
        source.file(dataset.place(Some(key)), key, &file)?;
    }
    Ok(())
}

fn noise_fits(
    source: Source<'_>,
    at: usize,
    noise: f64,
    dataset: &DatasetSpec,
) -> Result<()> {
    let what = match dataset.targets() {
        Targets::Values => "numbers",
        Targets::Characters => "characters",
        Targets::Classes | Targets::Unknown => return Ok(()),
    };
    if noise == 0.0 {
        return Ok(());
    }
    let message = format!(
        "`label_noise` swaps classes, but `{}` has {what} to predict, leave \
         it out",
        dataset.name()
    );
    Err(source.error(at, message))
}
