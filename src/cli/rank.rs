use super::reading::{Reading, direction, read};
use crate::error::{Error, Result};
use crate::import::holes;
use crate::ranking::{Protocol, Ranking, Scale};
use crate::record::Observation;
use crate::report::table;
use crate::results::{Folder, Wanted, print_rows, read_all};
use clap::ValueEnum;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Rank the schedules of any table of runs, ours or another tool's.
///
/// Our own CSV has one row per run. It needs the columns `workload`,
/// `schedule`, `seed` and a column of scores; `cluster`, `budget`,
/// `lr_multiple` and `outcome` are used if they exist. The order of the rows
/// does not matter. Tables and logs of other tools are recognized (see
/// `lrscout import --help`), and one line on standard error says what was
/// understood; with them, `--allow-missing` is the default.
///
/// A run that diverged (`diverged`, or a score that is `nan` or infinite) ranks
/// last. A run that failed, was killed or stopped, is unfinished or has no
/// score is no evidence: on that workload, its seed is left out for all
/// schedules. A workload on which a schedule has no other run is left out and
/// named.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    lrscout rank results/smoke/runs.csv\n  \
    lrscout rank runs.csv --control linear --format json\n  \
    lrscout rank runs.csv --score val/accuracy --allow-missing\n  \
    lrscout rank a.csv b.csv --score test_metric --format csv\n  \
    lrscout rank mlflow.db --workload params.dataset\n  \
    lrscout rank lightning_logs --path '{schedule}-{seed}' --score val_loss")]
pub(crate) struct Rank {
    /// Files of runs, folders or patterns (`'logs/*/metrics.csv'`).
    #[arg(required = true, value_name = "RUNS.csv")]
    files: Vec<PathBuf>,
    /// Column of the scores; default: `valid_loss`, else `score`, else the
    /// validation loss by its name.
    #[arg(long, value_name = "COLUMN")]
    score: Option<String>,
    /// Of the scores `valid_metric` and `test_metric`, use only those of this
    /// metric (column `metric`); needed if there are several.
    #[arg(long, value_name = "METRIC")]
    metric: Option<String>,
    /// Higher scores are better; default: decided by the name of the score
    /// (accuracy, f1, bleu, ...), else lower scores are better.
    #[arg(long)]
    higher: bool,
    /// Lower scores are better.
    #[arg(long, conflicts_with = "higher")]
    lower: bool,
    /// Schedule to test the others against; default: the grid's, else
    /// `linear`, else `constant`, else the first by name.
    #[arg(long, value_name = "SCHEDULE")]
    control: Option<String>,
    /// Level of significance.
    #[arg(long, value_name = "P", default_value = "0.05", value_parser = level)]
    alpha: f64,
    /// Half width of the region of practical equivalence, in units of the
    /// scale; default: 0.005 for `relative`, 0.5 % of the control's mean
    /// absolute score for `raw`.
    #[arg(long, value_name = "WIDTH", value_parser = width)]
    rope: Option<f64>,
    /// Compare the scores (`raw`) or their logarithms (`relative`); default:
    /// `relative` if all scores are positive and their name is that of a loss
    /// or of an error in the unit of the data, else `raw`.
    #[arg(long, value_enum)]
    scale: Option<ScaleName>,
    /// Only runs with this budget.
    #[arg(long, value_name = "STEPS")]
    budget: Option<u64>,
    /// Only runs with this multiple of the learning rate found.
    #[arg(long, value_name = "MULTIPLE")]
    lr_multiple: Option<f64>,
    /// A number: seed of the bootstrap and of the posterior draws; default: 0.
    /// Any other word: the column of the seeds in the table.
    #[arg(long, value_name = "N|COLUMN")]
    seed: Vec<String>,
    /// Include workloads that a schedule lacks. All schedules together are
    /// tested with the test of Skillings and Mack, and each pair on the
    /// workloads that have both.
    #[arg(long)]
    allow_missing: bool,
    /// Leaderboard as text, everything as JSON, or the leaderboard as CSV.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    #[command(flatten)]
    reading: Reading,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Json,
    Csv,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ScaleName {
    Raw,
    Relative,
}

impl Rank {
    pub(crate) fn run(self, out: &mut impl Write) -> anyhow::Result<()> {
        let (draws, seeds) = seeds(&self.seed)?;
        let direction = direction(self.higher, self.lower);
        let asked = self.reading.asked(self.score.clone(), seeds, direction);
        let imported = read(&self.files, &asked)?;
        let score = imported.score.clone().or(self.score);
        let wanted =
            Wanted { score: score.as_deref(), metric: self.metric.as_deref() };
        let (runs, column) = read_all(&imported.sheets, wanted)?;
        let is_foreign = imported.is_foreign();
        let protocol = Protocol {
            alpha: self.alpha,
            rope: self.rope,
            scale: self.scale.map(|scale| match scale {
                ScaleName::Raw => Scale::Raw,
                ScaleName::Relative => Scale::Relative,
            }),
            control: self
                .control
                .or_else(|| control_of_grid(&self.files, &runs)),
            budget: self.budget,
            lr_multiple: self.lr_multiple,
            seed: draws,
            direction: direction.or(imported.direction),
            allow_missing: self.allow_missing || is_foreign,
        };
        let ranking = Ranking::of(&runs, &column, &protocol)?;
        match self.format {
            Format::Text => {
                let (missing, cells) = holes(&runs);
                if is_foreign && missing > 0 {
                    writeln!(
                        out,
                        "{missing} of {cells} cells (a schedule on a \
                         workload) have no result.\n"
                    )?;
                }
                if let Some(caution) = ranking.caution() {
                    writeln!(out, "{caution}\n")?;
                }
                let board = table::leaderboard(ranking.leaderboard());
                writeln!(out, "{}", board.trim_end())?;
                let shown = usize::from(ranking.caution().is_some());
                for note in &ranking.notes()[shown..] {
                    writeln!(out, "\n{note}")?;
                }
            }
            Format::Json => {
                writeln!(out, "{}", serde_json::to_string_pretty(&ranking)?)?;
            }
            Format::Csv => print_rows(out, ranking.leaderboard())?,
        }
        Ok(())
    }
}

/// The seed of the draws and the column of the seeds: numbers and names.
fn seeds(given: &[String]) -> Result<(u64, Option<String>)> {
    let (mut draws, mut column) = (None, None);
    for text in given {
        let twice = match text.parse::<u64>() {
            Ok(number) => draws.replace(number).is_some(),
            Err(_) => column.replace(text.clone()).is_some(),
        };
        if twice {
            return Err(Error::Invalid(
                "`--seed` takes one number and one column".to_owned(),
            ));
        }
    }
    Ok((draws.unwrap_or(0), column))
}

/// The control of the grid whose `runs.csv` the one file is, if it is among
/// the schedules.
fn control_of_grid(files: &[PathBuf], runs: &[Observation]) -> Option<String> {
    let [file] = files else { return None };
    let parent = || file.parent().unwrap_or(Path::new(""));
    let folder = if file.is_dir() { file } else { parent() };
    let folder = Folder::new(folder);
    let control = folder.outline().control?;
    runs.iter().any(|run| run.schedule == control).then_some(control)
}

pub(super) fn level(text: &str) -> std::result::Result<f64, String> {
    match text.parse::<f64>() {
        Ok(alpha) if alpha > 0.0 && alpha < 1.0 => Ok(alpha),
        _ => Err("it must be a number between 0 and 1".to_owned()),
    }
}

fn width(text: &str) -> std::result::Result<f64, String> {
    match text.parse::<f64>() {
        Ok(width) if width >= 0.0 && width.is_finite() => Ok(width),
        _ => Err("it must be a number, 0 or more".to_owned()),
    }
}
