//! `[[schedule]]` tables: each the product of its axes. Every schedule is built
//! once for every budget, so that no run finds an invalid one.

use super::wire::{Entry, Node, Source, Table, Value, find, unknown_key};
use super::{WorkloadEntry, axes, factors};
use crate::error::{Error, Problem, Result};
use crate::schedule::{self, MODIFIERS, ScheduleSpec};
use crate::spec::TrainerSpec;
use crate::synonyms;
use crate::text::{excerpt, unknown};
use std::collections::HashMap;
use std::path::Path;

/// Reads all `tables`, each with the offset of its header.
pub(super) fn read(
    source: Source<'_>,
    tables: &[(usize, &Table)],
    budgets: &[usize],
    workloads: &[WorkloadEntry],
) -> Result<Vec<ScheduleSpec>> {
    let mut specs = vec![];
    let mut places: HashMap<String, usize> = HashMap::new();
    for &(at, table) in tables {
        for table in axes::expand(source, table)? {
            let spec = read_one(source, at, &table)?;
            for &steps in budgets {
                if let Err(problem) = spec.stands_at(steps) {
                    let message = format!(
                        "{} (at the budget of {steps} steps)",
                        problem.message
                    );
                    let problem = Problem { message, ..problem };
                    return Err(complaint(source, at, &table, problem));
                }
            }
            if let Some(problem) = misfit(&spec, workloads) {
                return Err(complaint(source, at, &table, problem));
            }
            let label = spec.label();
            if let Some(&first) = places.get(&label) {
                let shown = excerpt(&label);
                let message = if first == at {
                    format!(
                        "the lists of this schedule make {shown} twice, leave \
                         one value out"
                    )
                } else {
                    format!(
                        "two schedules are {shown}, the other is at {}; leave \
                         one out",
                        source.place(first)
                    )
                };
                return Err(source.error(at, message));
            }
            places.insert(label, at);
            specs.push(spec);
        }
    }
    Ok(specs)
}

/// Why one of the workloads cannot be trained under `spec`, if it averages
/// weights.
fn misfit(spec: &ScheduleSpec, workloads: &[WorkloadEntry]) -> Option<Problem> {
    if !spec.averages() {
        return None;
    }
    let key = if spec.is_schedule_free() { "kind" } else { "average" };
    let shown = if spec.is_schedule_free() { "schedule-free" } else { key };
    workloads.iter().find_map(|entry| {
        let why = match &entry.spec {
            TrainerSpec::External(_) => {
                "is a program, which keeps its weights to itself; give the \
                 schedule a grid without it"
                    .to_owned()
            }
            TrainerSpec::Candle(_) if !spec.is_schedule_free() => return None,
            TrainerSpec::Candle(candle) => {
                let problem = candle.optimizer.check_schedule_free().err()?;
                format!(
                    "cannot be trained so: {problem}, or give the schedule a \
                     grid without it"
                )
            }
        };
        let name = excerpt(&entry.name);
        let message = format!("`{shown}`: the workload {name} {why}");
        Some(Problem::at(key, message))
    })
}

/// Reads one table without axes; `at` is its header.
pub(super) fn read_one(
    source: Source<'_>,
    at: usize,
    table: &Table,
) -> Result<ScheduleSpec> {
    check_names(source, at, table, &[])?;
    let parsed = ScheduleSpec::read(value(table));
    let mut spec = match parsed {
        Ok(spec) => match spec.problem() {
            None => spec,
            Some(problem) => return Err(whose(source, at, table, problem)),
        },
        Err(problem) => return Err(whose(source, at, table, problem)),
    };
    read_tables(source, at, table, &mut spec)?;
    Ok(spec)
}

/// Refuses unknown kinds and unknown keys; parts of a `join` have `more`.
fn check_names(
    source: Source<'_>,
    at: usize,
    table: &Table,
    more: &[&str],
) -> Result<()> {
    let modifiers = MODIFIERS.iter().map(|&(name, _)| name);
    let shared = modifiers.chain(more.iter().copied());
    if let Some(join) = find(table, "join")
        && find(table, "kind").is_none()
    {
        let mut keys = vec!["join"];
        keys.extend(shared);
        source.keys(table, "a schedule with `join`", &keys)?;
        if let Value::List(parts) = &join.node.value {
            for part in parts {
                if let Value::Table(table) = &part.value {
                    let length = ["steps", "share"];
                    check_names(source, part.at, table, &length)?;
                }
            }
        }
        return Ok(());
    }
    let kinds: Vec<&str> =
        ScheduleSpec::kinds().iter().map(|kind| kind.name).collect();
    let Some(kind) = find(table, "kind") else {
        let message = format!(
            "this schedule has no `kind`, name one: {}",
            kinds.join(", ")
        );
        return Err(source.error(at, message));
    };
    let name = source.text("kind", &kind.node, "a string")?;
    let known = ScheduleSpec::kinds().iter().find(|kind| kind.name == name);
    let Some(info) = known else {
        let message = match synonyms::of_kind(name) {
            Some(here) => {
                format!("unknown schedule {}, here it is {here}", excerpt(name))
            }
            None => unknown("schedule", name, &kinds),
        };
        return Err(source.error(kind.node.at, message));
    };
    let mut keys = vec!["kind", "join"];
    keys.extend(info.keys.iter().map(|key| key.name));
    keys.extend(shared);
    let stray = table.iter().find(|entry| !keys.contains(&&*entry.key));
    let Some(stray) = stray else { return Ok(()) };
    let home = format!("schedule {}", excerpt(name));
    let owners: Vec<&str> = ScheduleSpec::kinds()
        .iter()
        .filter(|kind| kind.keys.iter().any(|key| key.name == stray.key))
        .map(|kind| kind.name)
        .collect();
    keys.retain(|&key| key != "join");
    let is_foreign =
        synonyms::of_key(&stray.key, |key| keys.contains(&key)).is_some();
    let message = if owners.is_empty() || is_foreign {
        unknown_key(&stray.key, &home, &keys)
    } else {
        format!(
            "{home} has no key `{}`, it belongs to {}; leave it out",
            stray.key,
            owners.join(", ")
        )
    };
    Err(source.error(stray.at, message))
}

/// The error about an invalid schedule; in a `join`, about the part at fault.
fn whose(
    source: Source<'_>,
    at: usize,
    table: &Table,
    problem: Problem,
) -> Error {
    let parts = match find(table, "join").map(|entry| &entry.node.value) {
        Some(Value::List(parts)) => parts.as_slice(),
        _ => &[],
    };
    for part in parts {
        let Value::Table(inside) = &part.value else {
            return source.error(part.at, problem.message);
        };
        let alone: Table = inside
            .iter()
            .filter(|entry| !["steps", "share"].contains(&&*entry.key))
            .cloned()
            .collect();
        let own = ScheduleSpec::read(value(&alone));
        let own = own.map_or_else(Some, |spec| spec.problem());
        if let Some(own) = own {
            return whose(source, part.at, inside, own);
        }
    }
    complaint(source, at, table, problem)
}

/// `problem` at the value of its key, or at the table.
fn complaint(
    source: Source<'_>,
    at: usize,
    table: &Table,
    problem: Problem,
) -> Error {
    let entry = problem.key.as_deref().and_then(|key| find(table, key));
    let place = entry.map_or(at, |entry| entry.node.at);
    source.error(place, problem.message)
}

/// Reads the factors of every `table` from its file, beside the grid.
fn read_tables(
    source: Source<'_>,
    at: usize,
    table: &Table,
    spec: &mut ScheduleSpec,
) -> Result<()> {
    if let Some(file) = spec.table_file() {
        let place = find(table, "file").map_or(at, |entry| entry.node.at);
        let path = source.file(place, "file", file)?;
        let (factors, momenta) = factors::read(&path)?;
        spec.set_table(factors, momenta);
        if let Some(problem) = spec.problem() {
            return Err(complaint(source, at, table, problem));
        }
    }
    let parts = match find(table, "join").map(|entry| &entry.node.value) {
        Some(Value::List(parts)) => parts.as_slice(),
        _ => &[],
    };
    for (spec, part) in spec.parts_mut().zip(parts) {
        if let Value::Table(table) = &part.value {
            read_tables(source, part.at, table, spec)?;
        }
    }
    Ok(())
}

fn value(table: &[Entry]) -> schedule::ParamValue {
    let entries = table.iter().map(|entry| {
        let Entry { key, node, .. } = entry;
        (key.clone(), one_value(node))
    });
    schedule::ParamValue::Table(entries.collect())
}

fn one_value(node: &Node) -> schedule::ParamValue {
    match &node.value {
        Value::Text(text) => schedule::ParamValue::Text(text.clone()),
        Value::Whole(whole) => schedule::ParamValue::Integer(*whole),
        Value::Number(number) => schedule::ParamValue::Float(*number),
        Value::Flag(flag) => schedule::ParamValue::Bool(*flag),
        Value::List(items) => {
            schedule::ParamValue::List(items.iter().map(one_value).collect())
        }
        Value::Table(table) => value(table),
    }
}

/// Reads a schedule from an inline table such as
/// `{ kind = "cosine", warmup = 50 }`, or from the name of a kind, which stands
/// for the table without parameters.
///
/// # Errors
///
/// [`Error::Input`] on `<spec>`, with line and column.
pub(crate) fn parse_schedule(text: &str) -> Result<ScheduleSpec> {
    let is_word = |c: char| c.is_ascii_lowercase() || c == '-';
    let table = (!text.is_empty() && text.chars().all(is_word))
        .then(|| format!("{{ kind = \"{text}\" }}"));
    let text = table.as_deref().unwrap_or(text).trim();
    let source = Source { path: Path::new("<spec>"), text };
    let refuse = || {
        let wanted = "the name of a kind or an inline table such as { kind = \
                      \"cosine\", warmup = 50 }";
        let message = format!("a schedule is {wanted}, got {}", excerpt(text));
        source.error(0, message)
    };
    // Checked first, because the TOML error about a bare word mentions only
    // quotes.
    if !text.starts_with('{') {
        return Err(refuse());
    }
    let node = source.value()?;
    let Value::Table(table) = &node.value else { return Err(refuse()) };
    let many = axes::count(table);
    if many > 1 {
        let message = format!(
            "the lists in this table make {many} schedules, one is wanted"
        );
        return Err(source.error(node.at, message));
    }
    let tables = axes::expand(source, table)?;
    read_one(source, node.at, &tables[0])
}
