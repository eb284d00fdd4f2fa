//! The part of a grid that a results folder needs.

use super::wire::{Source, Value, find};
use super::{Baseline, Experiment, axes, control, schedules, settings, tables};
use crate::error::Result;
use crate::schedule::ScheduleSpec;
use serde::Serialize;
use std::path::Path;

/// Title, control and schedules of a grid. Data sets, programs and models need
/// not exist, so that results can be read on another machine.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outline {
    /// The question, in words.
    pub(crate) title: Option<String>,
    /// Label of the control.
    pub(crate) control: Option<String>,
    /// The schedules, except those whose file is missing.
    pub(crate) schedules: Vec<ScheduleSpec>,
}

impl Outline {
    /// The outline of the grid `text`; `path` names it in messages.
    ///
    /// # Errors
    ///
    /// If it is not TOML, or has no schedules.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self> {
        let source = Source { path, text };
        let root = source.document()?;
        let mut specs = vec![];
        for (at, table) in tables(source, &root, "schedule")? {
            for table in axes::expand(source, table)? {
                specs.extend(schedules::read_one(source, at, &table));
            }
        }
        let text = |key| match &find(&root, key)?.node.value {
            Value::Text(label) => Some(label.clone()),
            _ => None,
        };
        let named = || text("control");
        if let Some(own) = text("baseline") {
            let is_own = |spec: &&mut ScheduleSpec| {
                spec.table_file() == Some(Path::new(&own))
            };
            for spec in specs.iter_mut().filter(is_own) {
                *spec = spec.clone().named(Baseline::LABEL);
            }
        }
        let control = if specs.is_empty() {
            named()
        } else {
            control(source, &root, &specs).ok().or_else(named)
        };
        let title = settings::title(source, &root)?;
        Ok(Self { title, control, schedules: specs })
    }
}

/// The outline of `experiment` as a file that [`Outline::parse`] reads.
pub(crate) fn outline_text(experiment: &Experiment) -> String {
    #[derive(Serialize)]
    struct File<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        title: Option<&'a str>,
        control: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        baseline: Option<&'a Path>,
        schedule: &'a [ScheduleSpec],
    }
    let mut schedules = experiment.schedules.iter();
    let own = schedules.find(|spec| spec.label() == Baseline::LABEL);
    let file = File {
        title: experiment.title.as_deref(),
        control: &experiment.control,
        baseline: own.and_then(ScheduleSpec::table_file),
        schedule: &experiment.schedules,
    };
    toml::to_string(&file).expect("texts and numbers")
}

/// The schedule as an inline table that [`parse_schedule`](super::parse_schedule)
/// reads, on one line.
pub(crate) fn schedule_text(spec: &ScheduleSpec) -> String {
    let mut text = String::new();
    spec.serialize(toml::ser::ValueSerializer::new(&mut text))
        .expect("texts, numbers and tables of them");
    text
}

/// The top-level texts of a TOML file by their keys, in its order.
///
/// # Errors
///
/// If it is not TOML.
pub(crate) fn texts(path: &Path, text: &str) -> Result<Vec<(String, String)>> {
    let root = Source { path, text }.document()?;
    let texts = root.into_iter().filter_map(|entry| match entry.node.value {
        Value::Text(text) => Some((entry.key, text)),
        _ => None,
    });
    Ok(texts.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_elsewhere_leaves_the_rest_of_a_grid_readable() {
        let text = "title = 'Which?' # really\n\
                    control = 'table(file=\"gone.csv\")'\n\
                    [[workload]]\ncommand = ['gone']\n\
                    [[schedule]]\nkind = 'table'\nfile = 'gone.csv'\n\
                    [[schedule]]\nkind = ['linear', 'cosine']\n";
        let outline = Outline::parse(Path::new("grid.toml"), text);
        let outline = outline.expect("readable");
        assert_eq!(outline.title.as_deref(), Some("Which?"));
        let control = outline.control.as_deref();
        assert_eq!(control, Some("table(file=\"gone.csv\")"));
        let labels: Vec<String> =
            outline.schedules.iter().map(ScheduleSpec::label).collect();
        assert_eq!(labels, ["linear", "cosine"]);
    }

    #[test]
    fn a_schedule_is_read_back_from_its_text() {
        let text = "{ kind = \"wsd\", decay = 0.6, warmup = \"5%\" }";
        let spec = super::super::parse_schedule(text).expect("a schedule");
        let written = schedule_text(&spec);
        let again = super::super::parse_schedule(&written).expect(&written);
        assert_eq!((again, written.lines().count()), (spec, 1));
    }

    #[test]
    fn only_texts_of_the_top_are_texts() {
        let text = "cpu = \"a \\\"b\\\"\"\ncores = 2\n[in]\ner = 'no'\n";
        let got = texts(Path::new("environment.toml"), text).expect("TOML");
        assert_eq!(got, [("cpu".to_owned(), "a \"b\"".to_owned())]);
    }
}
