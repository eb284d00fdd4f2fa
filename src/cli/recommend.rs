use super::Format;
use super::results::control_in;
use crate::error::{Error, Result};
use crate::grid::Experiment;
use crate::ranking::{Protocol, Ranking, robustness};
use crate::record::Observation;
use crate::report::RegimeRow;
use crate::report::advice::{Advice, Basis, Evidence};
use crate::store::tables::{Sheet, read_rows};
use crate::workload::Registry;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Say which schedule to use, which are as good, which not to try, and why.
///
/// Reads the runs of a results folder, or those of the standard grid that
/// come with the program. Every sentence is made from the numbers and says
/// what it may be used for.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    lrscout recommend\n  \
    lrscout recommend results/smoke\n  \
    lrscout recommend --optimizer adamw --budget 1000 --format json")]
pub(crate) struct Recommend {
    /// Results folder of one grid; default: the results shipped.
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
    /// rate found itself, where it was trained at, and advice for the others.
    #[arg(long, value_name = "MULTIPLE")]
    lr_multiple: Option<f64>,
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// What a results folder holds of use here.
struct Results {
    runs: Sheet,
    control: Option<String>,
    regime: Vec<RegimeRow>,
}

/// The columns of `runs.csv` that choose workloads.
#[derive(Deserialize)]
struct WorkloadOf {
    workload: String,
    #[serde(default)]
    optimizer: String,
}

impl Recommend {
    pub(crate) fn run(self, out: &mut impl Write) -> anyhow::Result<()> {
        let results = match &self.dir {
            Some(dir) => of_folder(dir)?,
            None => shipped()?,
        };
        let rows: Vec<WorkloadOf> = results.runs.rows()?;
        let wanted = self.workloads(&rows)?;
        let (mut runs, column) = results.runs.observations(None)?;
        runs.retain(|run| wanted.contains(&run.workload));
        let protocol = Protocol {
            control: results.control,
            budget: self.budget,
            lr_multiple: self.lr_multiple,
            ..Protocol::default()
        };
        let leading = protocol.at_found_rate(&runs);
        let at = leading.as_ref().unwrap_or(&protocol);
        let leading = Ranking::of(&runs, &column, at)?;
        runs.retain(|run| {
            self.budget.is_none_or(|budget| run.budget == Some(budget))
        });
        let trained_at = distinct(&runs, |run| run.lr_multiple);
        let multiple = at.lr_multiple.or(match trained_at.as_slice() {
            [one] => Some(*one),
            _ => None,
        });
        let mut multiples = vec![];
        for multiple in trained_at {
            let protocol =
                Protocol { lr_multiple: Some(multiple), ..protocol.clone() };
            let asked = self.lr_multiple.is_none_or(|m| m == multiple);
            if asked {
                let ranking = Ranking::of(&runs, &column, &protocol)?;
                multiples.push((multiple, ranking));
            }
        }
        let robustness = match self.lr_multiple {
            Some(_) => vec![],
            None => robustness(&runs, &column, &protocol)?,
        };
        let budgets: BTreeSet<u64> =
            runs.iter().filter_map(|run| run.budget).collect();
        let regime: Vec<RegimeRow> = results
            .regime
            .into_iter()
            .filter(|row| wanted.contains(&row.workload))
            .collect();
        let advice = Advice::new(&Evidence {
            leading: &leading,
            multiples: if multiples.len() > 1 { &multiples } else { &[] },
            robustness: &robustness,
            basis: Basis {
                optimizers: &optimizers(&rows, &wanted),
                multiple,
                budgets: &budgets.into_iter().collect::<Vec<_>>(),
                sizes: &regime,
            },
        });
        match self.format {
            Format::Text => {
                writeln!(out, "{}", advice.paragraphs().join("\n\n"))?;
            }
            Format::Json => {
                writeln!(out, "{}", serde_json::to_string_pretty(&advice)?)?;
            }
        }
        Ok(())
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

fn of_folder(dir: &Path) -> Result<Results> {
    let path = dir.join("runs.csv");
    if !path.is_file() {
        return Err(Error::Invalid(format!(
            "`{}` has no `runs.csv`: run `lrscout run GRID` first, then give \
             the folder `results/<name of the grid>`",
            dir.display()
        )));
    }
    let regime = dir.join("regime.csv");
    Ok(Results {
        runs: Sheet::read(&path)?,
        control: control_in(dir),
        regime: if regime.is_file() { read_rows(&regime)? } else { vec![] },
    })
}

/// The results that come with the program.
fn shipped() -> Result<Results> {
    macro_rules! standard {
        ($file:literal) => {
            include_str!(concat!("../../results/standard/", $file))
        };
    }
    let path = Path::new("results/standard");
    let grid = Experiment::parse(
        &path.join("experiment.toml"),
        standard!("experiment.toml"),
        &Registry::builtin().known(),
    )?;
    let regime =
        Sheet::parse(&path.join("regime.csv"), standard!("regime.csv"))?;
    Ok(Results {
        runs: Sheet::parse(&path.join("runs.csv"), standard!("runs.csv"))?,
        control: Some(grid.control),
        regime: regime.rows()?,
    })
}

/// Kinds of the optimizers of the workloads `wanted`: what stands before the
/// parameters of their labels.
fn optimizers<'a>(
    rows: &'a [WorkloadOf],
    wanted: &BTreeSet<String>,
) -> Vec<&'a str> {
    let kinds: BTreeSet<&str> = rows
        .iter()
        .filter(|row| wanted.contains(&row.workload))
        .filter_map(|row| row.optimizer.split('(').next())
        .filter(|kind| !kind.is_empty())
        .collect();
    kinds.into_iter().collect()
}

/// The distinct numbers of `runs`, rising.
fn distinct(
    runs: &[Observation],
    of: impl Fn(&Observation) -> Option<f64>,
) -> Vec<f64> {
    let mut values: Vec<f64> = runs.iter().filter_map(of).collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    values
}
