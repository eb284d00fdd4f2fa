//! The grid: TOML text in, a checked [`Experiment`] out.
//!
//! Every complaint names file, line and column, says what is wrong and what
//! would be right. A grid that passes cannot fail later because of its text. No
//! tensor is made.
//!
//! `wire` is the text with positions, and most errors are made there.
//! `settings` and `budgets` read the top of the file, `workloads`, `external`
//! and `schedules` its tables. `keys` lists what models, data sets and
//! optimizers take; `spec` checks their values.

mod axes;
mod baseline;
mod budgets;
mod components;
mod external;
mod factors;
mod keys;
mod modules;
mod outline;
mod place;
mod schedules;
mod schema;
mod script;
mod settings;
mod size;
mod template;
mod wire;
mod workloads;

#[cfg(test)]
mod tests;

pub(crate) use baseline::Baseline;
pub(crate) use outline::{Outline, outline_text, schedule_text, texts};
pub(crate) use schedules::parse_schedule;
pub(crate) use schema::schema;
pub(crate) use script::fingerprint;
pub(crate) use settings::{DeviceSpec, LrFindPer, LrFindSpec};

use crate::error::{Error, Result};
use crate::schedule::{ScheduleSpec, never_reached};
use crate::spec::{TrainerSpec, WorkloadSpec};
use crate::text::{excerpt, unknown_in};
use size::refuse_bombs;
use std::fs::File;
use std::io::Read;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use wire::{Node, Source, Table, Value, find};

/// Largest grid file, in bytes; none written by hand comes near.
const MOST_BYTES: usize = 4 << 20;

/// A checked experiment: workloads x schedules x budgets x multiples x
/// seeds, every value in range, every name unique.
#[derive(Clone, Debug)]
pub(crate) struct Experiment {
    /// The file's name without its extension; names the results' folder.
    pub(crate) name: String,
    /// The question, in words.
    pub(crate) title: Option<String>,
    /// One replicate each.
    pub(crate) seeds: Vec<u64>,
    /// Runs at once; `None` is one for each core.
    pub(crate) jobs: Option<NonZeroUsize>,
    /// Lengths of the runs, in steps, in file order.
    pub(crate) budgets: Vec<usize>,
    /// Multiples of the learning rate found, rising; 1 is among them.
    pub(crate) lr_multiples: Vec<f64>,
    /// Label of the schedule that the others are compared with.
    pub(crate) control: String,
    /// Whether schedules that are clearly worse than the control get no
    /// further seeds.
    pub(crate) race: bool,
    /// Where the tensors live.
    pub(crate) device: DeviceSpec,
    /// How the peak learning rates are found.
    pub(crate) lr_find: LrFindSpec,
    /// The workloads, in file order.
    pub(crate) workloads: Vec<WorkloadEntry>,
    /// The schedules, in file order.
    pub(crate) schedules: Vec<ScheduleSpec>,
    /// A schedule with a rate of its own: the label of what is done without
    /// lrscout, and its peak.
    pub(crate) baseline: Option<(String, f64)>,
    /// The file as read.
    pub(crate) text: String,
}

/// A workload, its name and the cluster it counts in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WorkloadEntry {
    /// Where its table begins in the text of the grid.
    pub(crate) at: usize,
    /// Unique in a grid; `dataset-model` if the file gives none.
    pub(crate) name: String,
    /// The workload.
    pub(crate) spec: TrainerSpec,
    /// Workloads of one cluster count once in a ranking; by default those on
    /// one data set.
    pub(crate) cluster: String,
    /// The peak learning rate if the grid gives it; else it is found.
    pub(crate) lr: Option<f64>,
    /// What it is trained with without lrscout, if that is to be compared.
    pub(crate) baseline: Option<Baseline>,
}

/// Names that this room cannot know: those that a user's binary registered
/// besides the built-in ones, and the finder's rules.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    /// Models.
    pub(crate) models: Vec<String>,
    /// Data sets.
    pub(crate) datasets: Vec<String>,
    /// Rules of the finder, all of them; empty if any name will do.
    pub(crate) rules: Vec<String>,
    /// Asked only where a budget is in epochs.
    pub(crate) epoch: Epoch,
}

/// Returns the updates of one pass over the training part of a workload's data.
/// Relative paths start at the given folder.
#[derive(Clone, Default)]
pub(crate) struct Epoch(pub(crate) Option<Arc<Updates>>);

type Updates = dyn Fn(&WorkloadSpec, &Path) -> Result<usize> + Send + Sync;

impl std::fmt::Debug for Epoch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Epoch")
    }
}

impl Experiment {
    /// Index of the schedule that the others are compared with.
    pub(crate) fn control_index(&self) -> usize {
        self.schedules
            .iter()
            .position(|schedule| schedule.label() == self.control)
            .expect("the control is one of the schedules")
    }

    /// Parts of schedules that are never reached at one of the budgets, one
    /// line each.
    pub(crate) fn never_reached(&self) -> Vec<String> {
        never_reached(&self.schedules, &self.budgets)
    }

    /// Reads and checks the file at `path`.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if there is no such file, [`Error::Input`] with line and
    /// column if it makes no experiment.
    pub(crate) fn load(path: &Path, known: &Known) -> Result<Self> {
        if path.is_dir() {
            let message = format!(
                "{}: is a folder, name a grid in it, as in `{}`",
                path.display(),
                path.join("grid.toml").display()
            );
            return Err(Error::Invalid(message));
        }
        let mut bytes = vec![];
        // One byte more than allowed shows that a file is too large.
        let limit = MOST_BYTES as u64 + 1;
        File::open(path)
            .and_then(|file| file.take(limit).read_to_end(&mut bytes))
            .map_err(Error::io(path))?;
        if bytes.len() > MOST_BYTES {
            let message = format!(
                "the file is larger than {MOST_BYTES} bytes, a grid names \
                 data files and does not hold them"
            );
            return Err(Error::input(path, "", 0, message));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let bytes = error.as_bytes();
            let valid = String::from_utf8_lossy(&bytes[..at]);
            let message = format!(
                "byte 0x{:02x} is not UTF-8, save the file as UTF-8",
                bytes[at]
            );
            Error::input(path, &valid, at, message)
        })?;
        Self::parse(path, &text, known)
    }

    /// Checks `text`; `path` names it in messages; data files are relative to
    /// its folder.
    ///
    /// # Errors
    ///
    /// [`Error::Input`], with the line and column of the offending key or
    /// value.
    pub(crate) fn parse(
        path: &Path,
        text: &str,
        known: &Known,
    ) -> Result<Self> {
        let text_read = text.to_owned();
        // A byte order mark is no column.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let source = Source { path, text };
        let root = source.document()?;
        settings::top_keys(source, &root)?;

        let title = settings::title(source, &root)?;
        let jobs = settings::jobs(source, &root)?;
        let race = settings::race(source, &root)?;
        let device = settings::device(source, &root)?;
        let lr_find = settings::lr_find(source, &root, &known.rules)?;
        let lengths = budgets::read(source, &root)?;
        let lr_multiples = settings::lr_multiples(source, &root)?;
        let workloads = tables(source, &root, "workload")?;
        let schedules = tables(source, &root, "schedule")?;
        let seeds = settings::seeds(source, &root)?;
        refuse_bombs(
            source,
            &root,
            [seeds.len(), lengths.len(), lr_multiples.len()],
            &workloads,
            &schedules,
        )?;

        let places = workloads;
        let workloads = workloads::read(source, &places, known)?;
        let budgets =
            budgets::in_steps(source, lengths, &workloads, &known.epoch)?;
        baseline::fits(source, &places, &workloads, &budgets, &lr_multiples)?;
        let schedules =
            schedules::read(source, &schedules, &budgets, &workloads)?;
        let control = control(source, &root, &schedules)?;
        let name = path.file_stem().map_or_else(
            || "experiment".to_owned(),
            |stem| stem.to_string_lossy().into_owned(),
        );
        Ok(Self {
            name,
            title,
            seeds,
            jobs,
            budgets,
            lr_multiples,
            control,
            race,
            device,
            lr_find,
            workloads,
            schedules,
            baseline: None,
            text: text_read,
        })
    }
}

/// A key, with the tables that it is in, and its value, both as TOML.
pub(crate) type Setting = (String, String);

/// All settings of a TOML text, in its order. Each table of an array of tables
/// is one setting.
///
/// # Errors
///
/// [`Error::Input`] if it is no TOML.
pub(crate) fn settings_of(path: &Path, text: &str) -> Result<Vec<Setting>> {
    let root = Source { path, text }.document()?;
    let mut settings = vec![];
    for entry in &root {
        match &entry.node.value {
            Value::Table(table) => {
                for inner in table {
                    let key = format!("{}.{}", entry.key, inner.key);
                    settings.push((key, inner.node.plain().to_string()));
                }
            }
            Value::List(items)
                if matches!(
                    items.first().map(|item| &item.value),
                    Some(Value::Table(_))
                ) =>
            {
                let tables = items.iter().map(Node::plain);
                let tables = tables.map(|value| value.to_string());
                settings.extend(tables.map(|table| (entry.key.clone(), table)));
            }
            _ => {
                settings
                    .push((entry.key.clone(), entry.node.plain().to_string()));
            }
        }
    }
    Ok(settings)
}

/// The `[[name]]` tables, each with the offset of its header.
fn tables<'r>(
    source: Source<'_>,
    root: &'r Table,
    name: &str,
) -> Result<Vec<(usize, &'r Table)>> {
    let example = match name {
        "workload" => "`model = \"mlp\"` and `dataset = \"letter\"`",
        _ => "`kind = \"cosine\"`",
    };
    let Some(entry) = find(root, name) else {
        let message = format!(
            "the grid has no {name}, add a table `[[{name}]]` with {example}"
        );
        return Err(source.error(0, message));
    };
    let wanted = format!("tables, each under its header `[[{name}]]`");
    let items = source.list(name, &entry.node, &wanted)?;
    if items.is_empty() {
        let message = format!(
            "the list of {name}s is empty, add a table `[[{name}]]` with \
             {example}"
        );
        return Err(source.error(entry.node.at, message));
    }
    items
        .iter()
        .map(|item| match &item.value {
            Value::Table(table) => Ok((item.at, table)),
            _ => Err(source.mismatch(name, item, &wanted)),
        })
        .collect()
}

/// The label of the control: as the file says, by label or kind; else
/// `linear`, else `constant`, else the first.
fn control(
    source: Source<'_>,
    root: &Table,
    schedules: &[ScheduleSpec],
) -> Result<String> {
    let labels: Vec<String> =
        schedules.iter().map(ScheduleSpec::label).collect();
    let of_kind = |kind: &str| -> Vec<&str> {
        let of_kind = schedules.iter().zip(&labels);
        of_kind
            .filter(|(schedule, _)| schedule.kind() == kind)
            .map(|(_, label)| label.as_str())
            .collect()
    };
    let Some(entry) = find(root, "control") else {
        let usual = of_kind("linear").first().copied();
        let usual = usual.or_else(|| of_kind("constant").first().copied());
        return Ok(usual.unwrap_or(&labels[0]).to_owned());
    };
    let wanted = "the label or kind of a schedule";
    let text = source.text("control", &entry.node, wanted)?;
    if labels.iter().any(|label| label == text) {
        return Ok(text.to_owned());
    }
    match of_kind(text).as_slice() {
        [one] => Ok((*one).to_owned()),
        [] => {
            let known: Vec<&str> = labels.iter().map(String::as_str).collect();
            let home = "`control`";
            let message = unknown_in("schedule", text, home, &known);
            Err(source.error(entry.node.at, message))
        }
        several => {
            let message = format!(
                "{} names {} schedules here, write the label of one: {}",
                excerpt(text),
                several.len(),
                several.join(", ")
            );
            Err(source.error(entry.node.at, message))
        }
    }
}
