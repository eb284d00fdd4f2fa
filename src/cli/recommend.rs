use super::reading::{Scores, Tables};
use super::{Format, reading};
use crate::error::{Error, Result};
use crate::grid::Outline;
use crate::import::Asked;
use crate::ranking::{Analysis, Protocol, Runs};
use crate::report::advice::Advice;
use crate::report::case::{Case, CaseAdvice, Stage};
use crate::report::{Basis, Findings};
use crate::results::Sheet;
use crate::results::rows::RegimeRow;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::io::Write;
use std::mem;
use std::path::{Path, PathBuf};

/// Recommend a schedule: which to use, which are as good, which to avoid, and
/// why.
///
/// Reads the runs of a results folder, or the runs of the standard grid, which
/// come with the program. Every sentence is derived from the numbers and states
/// its limits. `--steps`, `--kind`, `--parameters` and `--rate-trusted` describe
/// a training to come: the answer is then from the model of the study
/// (docs/answer.md), which knows 54 data sets.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    lrscout recommend\n  \
    lrscout recommend results/smoke\n  \
    lrscout recommend wandb-export.csv\n  \
    lrscout recommend trials.csv --workload-column params_data --higher\n  \
    lrscout recommend --optimizer adamw --budget 1000 --format json\n  \
    lrscout recommend --steps 2000 --optimizer adamw --kind text\n  \
    lrscout recommend --steps 500 --rate-trusted no")]
pub(crate) struct Recommend {
    /// Results folder of one grid, or runs of another tool; default: the
    /// shipped results.
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Only these workloads.
    #[arg(long, value_name = "NAME")]
    workload: Vec<String>,
    /// Only workloads with this optimizer: its label or kind.
    #[arg(long, value_name = "NAME")]
    optimizer: Option<String>,
    /// Only runs with this budget.
    #[arg(long, value_name = "STEPS")]
    budget: Option<u64>,
    /// Only runs with this multiple of the learning rate found; default: the
    /// rate found, if runs used it, with advice for the others.
    #[arg(long, value_name = "MULTIPLE")]
    lr_multiple: Option<f64>,
    /// Answer from the study for a training of this length.
    #[arg(long, value_name = "UPDATES", help_heading = "Your case")]
    steps: Option<u64>,
    /// Answer for this kind of task (see `lrscout datasets list`).
    #[arg(long, value_name = "KIND", help_heading = "Your case")]
    kind: Option<String>,
    /// Parameters of the model.
    #[arg(long, value_name = "N", help_heading = "Your case")]
    parameters: Option<u64>,
    /// Whether the learning rate was found for this training, or may be off by
    /// up to four times; default: yes.
    #[arg(long, value_enum, value_name = "WORD", help_heading = "Your case")]
    rate_trusted: Option<YesNo>,
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    #[command(flatten)]
    scores: Scores,
    /// Column of the workloads; default: `workload`, `task`, or `dataset` and
    /// `model`.
    #[arg(long, value_name = "COLUMN")]
    #[arg(help_heading = "Tables of other tools")]
    workload_column: Option<String>,
    #[command(flatten)]
    tables: Tables,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum YesNo {
    Yes,
    No,
}

/// What a results folder holds of use here.
struct Results {
    runs: Sheet,
    /// The column of the scores; `None`: the usual one.
    score: Option<String>,
    outline: Outline,
    regime: Vec<RegimeRow>,
    protocol: Protocol,
}

/// The columns of `runs.csv` that choose workloads.
#[derive(Deserialize)]
struct WorkloadOf {
    workload: String,
    #[serde(default)]
    optimizer: String,
}

impl Recommend {
    pub(crate) fn run(mut self, out: &mut impl Write) -> anyhow::Result<()> {
        let asked = Asked {
            workload: self.workload_column.take(),
            ..mem::take(&mut self.tables).with(mem::take(&mut self.scores))
        };
        if let Some(case) = self.case() {
            self.refuse_runs(&asked)?;
            let stages = study()?;
            let advice = CaseAdvice::new(&case, &stages)?;
            return self.print(out, &advice, || advice.text());
        }
        let findings = self.findings(&asked).map_err(with_own_name)?;
        let advice = Advice::new(&findings);
        self.print(out, &advice, || advice.text())
    }

    fn print(
        &self,
        out: &mut impl Write,
        advice: &impl Serialize,
        text: impl Fn() -> String,
    ) -> anyhow::Result<()> {
        match self.format {
            Format::Text => write!(out, "{}", text())?,
            Format::Json => {
                writeln!(out, "{}", serde_json::to_string_pretty(advice)?)?;
            }
        }
        Ok(())
    }

    /// The training to come, if one is described.
    fn case(&self) -> Option<Case> {
        let is_described = self.steps.is_some()
            || self.kind.is_some()
            || self.parameters.is_some()
            || self.rate_trusted.is_some();
        is_described.then(|| Case {
            steps: self.steps,
            optimizer: self.optimizer.clone(),
            kind: self.kind.clone(),
            parameters: self.parameters,
            is_rate_trusted: self.rate_trusted != Some(YesNo::No),
        })
    }

    /// A case is answered from the study, not from runs.
    fn refuse_runs(&self, asked: &Asked) -> Result<()> {
        if self.dir.is_none()
            && self.workload.is_empty()
            && self.budget.is_none()
            && self.lr_multiple.is_none()
            && *asked == Asked::default()
        {
            return Ok(());
        }
        Err(Error::Invalid(
            "`--steps`, `--kind`, `--parameters` and `--rate-trusted` describe \
             a training to come and are answered from the study: leave the \
             runs out, and choose among theirs with `--budget`, `--workload` \
             and `--lr-multiple`"
                .to_owned(),
        ))
    }

    /// What the runs say.
    fn findings(&self, asked: &Asked) -> Result<Findings> {
        let results = match &self.dir {
            Some(dir) => of_path(dir, asked)?,
            None if *asked == Asked::default() => shipped()?,
            None => {
                return Err(Error::Invalid(
                    "columns and scores are those of a table: name it, as in \
                     `lrscout recommend runs.csv --score test_loss`"
                        .to_owned(),
                ));
            }
        };
        let rows: Vec<WorkloadOf> = results.runs.rows()?;
        let wanted = self.workloads(&rows)?;
        let mut runs = Runs::read(&results.runs, results.score.as_deref())?;
        runs.retain(|run| {
            wanted.contains(&run.workload)
                && self.budget.is_none_or(|budget| run.budget == Some(budget))
        });
        let protocol = Protocol {
            control: results.outline.control,
            budget: self.budget,
            lr_multiple: self.lr_multiple,
            ..results.protocol
        };
        let schedules = &results.outline.schedules;
        let analysis = Analysis::new(&runs, &protocol, schedules)?;
        let regime: Vec<RegimeRow> = results
            .regime
            .into_iter()
            .filter(|row| wanted.contains(&row.workload))
            .collect();
        let basis = Basis {
            optimizers: &optimizers(&rows, &wanted),
            sizes: &regime,
            finds: &[],
        };
        Ok(Findings::new(&analysis, &basis))
    }

    /// The workloads asked for.
    fn workloads(&self, rows: &[WorkloadOf]) -> Result<BTreeSet<String>> {
        let there: BTreeSet<&str> =
            rows.iter().map(|row| row.workload.as_str()).collect();
        if let Some(unknown) =
            self.workload.iter().find(|name| !there.contains(name.as_str()))
        {
            let there: Vec<&str> = there.into_iter().collect();
            return Err(Error::Invalid(format!(
                "there is no workload `{unknown}` in these results; take one \
                 of: {}",
                there.join(", ")
            )));
        }
        let optimizer = |label: &str| {
            self.optimizer.as_ref().is_none_or(|wanted| {
                label == wanted
                    || label
                        .strip_prefix(wanted.as_str())
                        .is_some_and(|rest| rest.starts_with('('))
            })
        };
        let wanted: BTreeSet<String> = rows
            .iter()
            .filter(|row| {
                optimizer(&row.optimizer)
                    && (self.workload.is_empty()
                        || self.workload.contains(&row.workload))
            })
            .map(|row| row.workload.clone())
            .collect();
        if wanted.is_empty() {
            let labels: BTreeSet<&str> =
                rows.iter().map(|row| row.optimizer.as_str()).collect();
            let labels: Vec<&str> = labels.into_iter().collect();
            return Err(Error::Invalid(format!(
                "no such workload has that optimizer; there are: {}",
                labels.join(", ")
            )));
        }
        Ok(wanted)
    }
}

fn of_path(path: &Path, asked: &Asked) -> Result<Results> {
    let found = reading::results(path, asked)?;
    let (outline, regime) = match &found.own {
        Some(folder) => {
            (folder.outline(), folder.rows("regime")?.unwrap_or_default())
        }
        None => (Outline::default(), vec![]),
    };
    Ok(Results {
        runs: found.runs,
        score: found.score,
        outline,
        regime,
        protocol: found.protocol,
    })
}

/// An error that names the column of the workloads, with the name that this
/// option has here.
fn with_own_name(error: Error) -> Error {
    match error {
        Error::Input { path, line, column, message } => Error::Input {
            path,
            line,
            column,
            message: message.replace("`--workload`", "`--workload-column`"),
        },
        other => other,
    }
}

/// The results that come with the program.
fn shipped() -> Result<Results> {
    macro_rules! standard {
        ($file:literal) => {
            include_str!(concat!("../../results/standard/", $file))
        };
    }
    let path = Path::new("results/standard");
    let grid = path.join("experiment.toml");
    let regime =
        Sheet::parse(&path.join("regime.csv"), standard!("regime.csv"))?;
    Ok(Results {
        runs: Sheet::parse(&path.join("runs.csv"), standard!("runs.csv"))?,
        score: None,
        protocol: Protocol::default(),
        outline: Outline::parse(&grid, standard!("experiment.toml"))?,
        regime: regime.rows()?,
    })
}

/// The models of the study, from the shortest budget on.
fn study() -> Result<Vec<Stage>> {
    macro_rules! stage {
        ($name:literal, $file:literal) => {
            (
                concat!("results/", $name, "/", $file, ".csv"),
                include_str!(concat!(
                    "../../results/",
                    $name,
                    "/",
                    $file,
                    ".csv"
                )),
            )
        };
    }
    let stages = [
        (
            "results/study-250",
            250,
            stage!("study-250", "posterior"),
            stage!("study-250", "regime"),
        ),
        (
            "results/study-1000",
            1000,
            stage!("study-1000", "posterior"),
            stage!("study-1000", "regime"),
        ),
    ];
    let stage =
        |(name, budget, posterior, regime): (_, _, (_, &str), (_, &str))| {
            let rows =
                Sheet::parse(Path::new(posterior.0), posterior.1)?.rows()?;
            let sizes: Vec<RegimeRow> =
                Sheet::parse(Path::new(regime.0), regime.1)?.rows()?;
            let largest = sizes.iter().map(|row| row.parameters).max();
            let largest = largest.unwrap_or(0) as u64;
            Ok(Stage { name, budget, rows, largest })
        };
    stages.into_iter().map(stage).collect()
}

/// Labels of the optimizers of the workloads `wanted`.
fn optimizers<'a>(
    rows: &'a [WorkloadOf],
    wanted: &BTreeSet<String>,
) -> Vec<&'a str> {
    let wanted = rows.iter().filter(|row| wanted.contains(&row.workload));
    wanted.map(|row| row.optimizer.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_results_fit_on_one_screen() {
        let shipped = Recommend {
            dir: None,
            workload: vec![],
            optimizer: None,
            budget: None,
            lr_multiple: None,
            steps: None,
            kind: None,
            parameters: None,
            rate_trusted: None,
            format: Format::Text,
            scores: Scores::default(),
            workload_column: None,
            tables: Tables::default(),
        };
        let mut out = vec![];
        shipped.run(&mut out).expect("shipped results");
        let text = String::from_utf8(out).expect("UTF-8");
        assert!(text.lines().count() <= 25, "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        insta::assert_snapshot!(text);
    }
}
