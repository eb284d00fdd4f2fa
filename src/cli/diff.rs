use super::Format;
use super::reading::{self, Reading, Results, Scores};
use crate::error::{Error, Result};
use crate::grid::{self, Setting};
use crate::import::Asked;
use crate::ranking::extras::change::{ChangeRow, changes};
use crate::ranking::{Protocol, Ranking};
use crate::record::Observation;
use crate::report::table;
use crate::results::rows::FindRow;
use crate::results::{Folder, Wanted};
use crate::text::count;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Compare two folders of results: ranks, scores, rates, settings.
///
/// Both are ranked with the control of the first. Scores are compared where
/// both have a run of the same workload, schedule, budget, multiple and seed.
/// If an interval excludes 0, the change is more than chance.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    lrscout diff results/before results/after\n  \
    lrscout diff ../main/results/standard results/standard --format json")]
pub(crate) struct Diff {
    /// Folder of the first results, `results/<grid>`, or runs of another tool.
    a: PathBuf,
    /// Folder of the second, or runs of another tool.
    b: PathBuf,
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    #[command(flatten)]
    scores: Scores,
    #[command(flatten)]
    reading: Reading,
}

/// All that differs.
#[derive(Serialize)]
struct Differences {
    a: String,
    b: String,
    /// Those of B in its order, then those of A alone.
    schedules: Vec<ChangeRow>,
    /// Rates found for one workload in both.
    rates: Vec<RateChange>,
    settings: Vec<SettingChange>,
    runs: RunChange,
}

/// A learning rate that was found in both.
#[derive(Serialize)]
struct RateChange {
    workload: String,
    budget: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule: Option<String>,
    lr_a: f64,
    lr_b: f64,
}

/// A setting that is not the same in both.
#[derive(Debug, PartialEq, Serialize)]
struct SettingChange {
    key: String,
    a: Option<String>,
    b: Option<String>,
}

/// What became of the runs.
#[derive(Debug, PartialEq, Serialize)]
struct RunChange {
    a: usize,
    b: usize,
    /// Runs of the same id: the same work.
    same_id: usize,
    /// Those among them that came to other numbers.
    other_numbers: Vec<String>,
}

/// A folder, as far as it is compared.
struct Side {
    path: PathBuf,
    observations: Vec<Observation>,
    column: String,
    runs: Vec<Run>,
    finds: Vec<FindRow>,
    settings: Vec<Setting>,
    control: Option<String>,
    /// How its runs are ranked.
    protocol: Protocol,
}

/// What a run came to, without its times.
#[derive(Deserialize)]
struct Run {
    /// Empty in tables of other tools: such runs cannot be told to be the
    /// same work.
    #[serde(default)]
    run_id: String,
    #[serde(default)]
    outcome: String,
    #[serde(default)]
    train_loss: Option<f64>,
    #[serde(default)]
    valid_loss: Option<f64>,
    #[serde(default)]
    test_loss: Option<f64>,
}

impl Diff {
    pub(crate) fn run(self, out: &mut impl Write) -> anyhow::Result<()> {
        let asked = self.reading.with(self.scores);
        let a = Side::read(&self.a, &asked)?;
        let b = Side::read(&self.b, &asked)?;
        if a.column != b.column {
            return Err(Error::Invalid(format!(
                "`{}` has scores `{}`, `{}` has `{}`; name one with `--score`",
                a.path.display(),
                a.column,
                b.path.display(),
                b.column
            ))
            .into());
        }
        let rank = |side: &Side| {
            let control = a.control.clone();
            let control = control.filter(|control| {
                side.observations.iter().any(|run| run.schedule == *control)
            });
            let protocol = Protocol { control, ..side.protocol.clone() };
            Ranking::of(&side.observations, &side.column, &protocol)
        };
        let differences = Differences {
            a: a.path.display().to_string(),
            b: b.path.display().to_string(),
            schedules: changes(
                [&a.observations, &b.observations],
                [&rank(&a)?, &rank(&b)?],
                &a.column,
            )?,
            rates: rates(&a.finds, &b.finds),
            settings: settings(&a.settings, &b.settings),
            runs: RunChange {
                a: a.observations.len(),
                b: b.observations.len(),
                ..runs(&a.runs, &b.runs)
            },
        };
        match self.format {
            Format::Json => {
                serde_json::to_writer_pretty(&mut *out, &differences)?;
                writeln!(out)?;
            }
            Format::Text => {
                write!(out, "{}", super::printable(&in_words(&differences)))?;
            }
        }
        Ok(())
    }
}

impl Side {
    fn read(path: &Path, asked: &Asked) -> Result<Self> {
        let Results { own, runs: sheet, score, protocol, is_foreign } =
            reading::results(path, asked)?;
        let wanted = Wanted { score: score.as_deref(), metric: None };
        let (observations, column) = sheet.observations(wanted)?;
        let side = Self {
            observations,
            column,
            runs: if is_foreign { vec![] } else { sheet.rows()? },
            finds: vec![],
            settings: vec![],
            control: None,
            protocol,
            path: path.to_owned(),
        };
        let Some(folder) = own else { return Ok(side) };
        let mut settings = settings_of(&folder, "experiment.toml", "")?;
        let name = "environment.toml";
        settings.extend(settings_of(&folder, name, "environment.")?);
        Ok(Self {
            finds: folder.rows("lr_find")?.unwrap_or_default(),
            settings,
            control: folder.outline().control,
            ..side
        })
    }
}

/// The settings of the file `name`, if it is there, under `prefix`.
fn settings_of(
    folder: &Folder,
    name: &str,
    prefix: &str,
) -> Result<Vec<Setting>> {
    let text = folder.text(name)?;
    let mut settings = grid::settings_of(&folder.path(name), &text)?;
    for (key, _) in &mut settings {
        key.insert_str(0, prefix);
    }
    Ok(settings)
}

/// Rates of the same workload, budget and schedule that are not the same.
fn rates(a: &[FindRow], b: &[FindRow]) -> Vec<RateChange> {
    let mut rows = vec![];
    for after in b {
        let before = a.iter().find(|before| {
            before.workload == after.workload
                && before.budget == after.budget
                && before.schedule == after.schedule
        });
        if let Some(before) = before.filter(|before| before.lr != after.lr) {
            rows.push(RateChange {
                workload: after.workload.clone(),
                budget: after.budget,
                schedule: after.schedule.clone(),
                lr_a: before.lr,
                lr_b: after.lr,
            });
        }
    }
    rows
}

/// Settings by key; of those that are there several times (tables of
/// workloads and schedules), each that only one side has.
fn settings(a: &[Setting], b: &[Setting]) -> Vec<SettingChange> {
    let only = |these: &[Setting], others: &[Setting]| -> Vec<Setting> {
        let mut others = others.to_vec();
        let is_new = |setting: &&Setting| {
            let at = others.iter().position(|other| other == *setting);
            at.map(|at| others.remove(at)).is_none()
        };
        these.iter().filter(is_new).cloned().collect()
    };
    let (only_a, mut only_b) = (only(a, b), only(b, a));
    let mut rows = vec![];
    for (key, before) in only_a {
        let after = only_b.iter().position(|(other, _)| *other == key);
        let after = after.map(|at| only_b.remove(at).1);
        rows.push(SettingChange { key, a: Some(before), b: after });
    }
    for (key, after) in only_b {
        rows.push(SettingChange { key, a: None, b: Some(after) });
    }
    rows
}

fn runs(a: &[Run], b: &[Run]) -> RunChange {
    let mut before: BTreeMap<&str, &Run> =
        a.iter().map(|run| (run.run_id.as_str(), run)).collect();
    before.remove("");
    let same: Vec<(&Run, &Run)> = b
        .iter()
        .filter_map(|run| Some((*before.get(run.run_id.as_str())?, run)))
        .collect();
    let numbers = |run: &Run| {
        let Run { outcome, train_loss, valid_loss, test_loss, .. } = run;
        (outcome.clone(), *train_loss, *valid_loss, *test_loss)
    };
    let differ = |(a, b): &&(&Run, &Run)| numbers(a) != numbers(b);
    let other = same.iter().filter(differ).map(|(_, b)| b.run_id.clone());
    RunChange {
        a: a.len(),
        b: b.len(),
        same_id: same.len(),
        other_numbers: other.collect(),
    }
}

fn in_words(d: &Differences) -> String {
    use std::fmt::Write as _;
    let mut text = format!("A {}\nB {}\n\n", d.a, d.b);
    let RunChange { a, b, same_id, other_numbers } = &d.runs;
    let both = match (same_id, other_numbers.len()) {
        (0, _) => "none in both".to_owned(),
        (_, 0) => format!("{same_id} in both, all with the same numbers"),
        (_, other) => {
            format!("{same_id} in both, {other} of them with other numbers")
        }
    };
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{}\n{} in A, {b} in B; {both}",
        table::changes(&d.schedules),
        count(*a, "run", "runs")
    );
    if !d.rates.is_empty() {
        text.push_str("\nlearning rates found\n");
    }
    for rate in &d.rates {
        let RateChange { workload, budget, schedule, lr_a, lr_b } = rate;
        let schedule = schedule.iter().map(|label| format!(" {label}"));
        let _ = writeln!(
            text,
            "  {workload}{}, {budget} steps: {lr_a:.3e} -> {lr_b:.3e} \
             ({:.2}x)",
            schedule.collect::<String>(),
            lr_b / lr_a
        );
    }
    if !d.settings.is_empty() {
        text.push_str("\nsettings\n");
    }
    for SettingChange { key, a, b } in &d.settings {
        let (a, b) = [a, b].map(|side| side.as_deref().unwrap_or("-")).into();
        let _ = writeln!(text, "  {key}: {a} -> {b}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(key: &str, value: &str) -> Setting {
        (key.to_owned(), value.to_owned())
    }

    #[test]
    fn settings_are_compared_by_key_and_tables_as_sets() {
        let a = [
            setting("seeds", "3"),
            setting("title", "\"x\""),
            setting("schedule", "{ kind = \"linear\" }"),
            setting("schedule", "{ kind = \"step\" }"),
        ];
        let b = [
            setting("schedule", "{ kind = \"linear\" }"),
            setting("seeds", "5"),
            setting("race", "true"),
        ];
        let change = |key: &str, a: Option<&str>, b: Option<&str>| {
            let own = |text: &str| text.to_owned();
            SettingChange { key: own(key), a: a.map(own), b: b.map(own) }
        };
        assert_eq!(
            settings(&a, &b),
            [
                change("seeds", Some("3"), Some("5")),
                change("title", Some("\"x\""), None),
                change("schedule", Some("{ kind = \"step\" }"), None),
                change("race", None, Some("true")),
            ]
        );
        assert_eq!(settings(&a, &a), []);
    }

    #[test]
    fn the_same_run_with_other_numbers_is_found() {
        let run = |id: &str, loss: f64| Run {
            run_id: id.to_owned(),
            outcome: "completed".to_owned(),
            train_loss: Some(loss),
            valid_loss: Some(loss),
            test_loss: None,
        };
        let (a, b) = (
            [run("x", 1.0), run("y", 2.0), run("z", 3.0)],
            [run("y", 2.0), run("x", 1.5), run("w", 3.0)],
        );
        let found = runs(&a, &b);
        assert_eq!((found.same_id, found.a, found.b), (2, 3, 3));
        assert_eq!(found.other_numbers, ["x"]);
    }
}
