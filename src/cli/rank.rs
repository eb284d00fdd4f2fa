use crate::import::read_table;
use crate::ranking::{Direction, Protocol, Ranking, Scale};
use crate::record::Observation;
use crate::report::table;
use crate::results::{Folder, Wanted, print_rows, read_all};
use clap::ValueEnum;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Rank the schedules of any CSV of runs, ours or another tool's.
///
/// The CSV has one row per run. It needs the columns `workload`, `schedule`,
/// `seed` and a column of scores; `cluster`, `budget`, `lr_multiple` and
/// `outcome` are used if they exist. The order of the rows does not matter.
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
    lrscout rank a.csv b.csv --score test_metric --format csv")]
pub(crate) struct Rank {
    /// Files of runs.
    #[arg(required = true, value_name = "RUNS.csv")]
    files: Vec<PathBuf>,
    /// Column of the scores; default: `valid_loss`, else `score`.
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
    /// Seed of the bootstrap and of the posterior draws.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Include workloads that a schedule lacks. All schedules together are
    /// tested with the test of Skillings and Mack, and each pair on the
    /// workloads that have both.
    #[arg(long)]
    allow_missing: bool,
    /// Leaderboard as text, everything as JSON, or the leaderboard as CSV.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
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
        let wanted = Wanted {
            score: self.score.as_deref(),
            metric: self.metric.as_deref(),
        };
        let sheets = self.files.iter().map(|file| read_table(file));
        let sheets = sheets.collect::<Result<Vec<_>, _>>()?;
        let (runs, column) = read_all(&sheets, wanted)?;
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
            seed: self.seed,
            direction: match (self.higher, self.lower) {
                (true, _) => Some(Direction::Higher),
                (_, true) => Some(Direction::Lower),
                _ => None,
            },
            allow_missing: self.allow_missing,
        };
        let ranking = Ranking::of(&runs, &column, &protocol)?;
        match self.format {
            Format::Text => {
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

/// The control of the grid whose `runs.csv` the one file is, if it is among
/// the schedules.
fn control_of_grid(files: &[PathBuf], runs: &[Observation]) -> Option<String> {
    let [file] = files else { return None };
    let folder = Folder::new(file.parent().unwrap_or(Path::new("")));
    let control = folder.outline().control?;
    runs.iter().any(|run| run.schedule == control).then_some(control)
}

fn level(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(alpha) if alpha > 0.0 && alpha < 1.0 => Ok(alpha),
        _ => Err("it must be a number between 0 and 1".to_owned()),
    }
}

fn width(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(width) if width >= 0.0 && width.is_finite() => Ok(width),
        _ => Err("it must be a number, 0 or more".to_owned()),
    }
}
