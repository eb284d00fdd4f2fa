//! `find-lr --curve`: what the rules say about a recorded range test.

use crate::error::{Error, Result};
use crate::import::{CurveTool, CurveWishes, History, read_curve};
use crate::lr_find::{
    Losses, LrPoint, Reading, RecordedTest, Rule, Smoothed, picture,
};
use crate::report::plot::{RangeTestPlot, range_test};
use crate::results::print_rows;
use crate::stats::average::Average;
use crate::stats::robust::median;
use crate::text::unknown;
use serde::Serialize;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Words for `--smoothed` that are no tools.
const WORDS: [&str; 2] = ["none", "mean"];

/// Why losses are raw where the user says so.
const DECLARED: &str = "as declared";

/// A recorded range test, and what to do with it.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Recorded range tests")]
pub(super) struct Curve {
    /// Read a recorded range test instead of training: a table (CSV, JSON) of
    /// rates and losses, as torch-lr-finder, Lightning, fastai, ignite, MONAI,
    /// Keras, W&B or a loop of your own writes it.
    #[arg(long, value_name = "FILE")]
    curve: Option<PathBuf>,
    /// The tool that wrote the file: torch-lr-finder, lightning, fastai,
    /// ignite, monai, keras, wandb or plain. Needed for ignite, whose rates
    /// are those of the next update.
    #[arg(long, value_name = "TOOL", conflicts_with = "grid")]
    from: Option<CurveTool>,
    /// The column of the learning rates.
    #[arg(long, value_name = "COLUMN", conflicts_with = "grid")]
    lr: Option<String>,
    /// The column of the losses.
    #[arg(long, value_name = "COLUMN", conflicts_with = "grid")]
    loss: Option<String>,
    /// What the file has in place of losses: exponential averages with this
    /// weight of the new loss, the averages of a tool, means of an epoch
    /// (`mean`), or raw losses (`none`).
    #[arg(long, value_name = "WEIGHT|TOOL|mean|none", conflicts_with = "grid")]
    #[arg(value_parser = smoothed)]
    smoothed: Option<Smoothed>,
}

/// A rule's answer, as a row of CSV.
#[derive(Serialize)]
struct RuleRow {
    rule: Rule,
    lr: Option<f64>,
    index: Option<usize>,
    low: Option<f64>,
    high: Option<f64>,
    outcome: &'static str,
    confidence: &'static str,
}

/// The answer in full.
#[derive(Serialize)]
struct Answer<'a> {
    file: &'a Path,
    /// What was understood of the file.
    read: &'a str,
    /// What was done about averages.
    losses: &'a str,
    /// Our own rule, or the one asked for.
    #[serde(flatten)]
    found: &'a Reading,
    rules: &'a [Reading],
    curve: &'a [LrPoint],
}

impl Curve {
    /// The file, if one is given.
    pub(super) fn file(&self) -> Option<&Path> {
        self.curve.as_deref()
    }

    /// Reads it.
    ///
    /// # Errors
    ///
    /// If the file is no recorded range test.
    pub(super) fn recorded(&self, path: &Path) -> Result<Recorded> {
        let wishes = CurveWishes {
            from: self.from,
            lr: self.lr.as_deref(),
            loss: self.loss.as_deref(),
        };
        let history = read_curve(path, wishes)?;
        let said = self.smoothed.unwrap_or(match history.tool {
            _ if history.epochs => Smoothed::No("each is the mean of an epoch"),
            // Only Lightning's finder averages.
            Some(CurveTool::Lightning) if history.monitored => {
                Smoothed::No("a logger of Lightning recorded them")
            }
            tool => usual(tool),
        });
        Ok(Recorded::of(path, history, said))
    }
}

/// A range test that was read.
pub(super) struct Recorded {
    path: PathBuf,
    /// What was understood of the file.
    read: String,
    /// What was done about averages.
    losses: String,
    test: RecordedTest,
    /// Row of the file of each update.
    rows: Vec<usize>,
    points: Vec<LrPoint>,
}

impl Recorded {
    fn of(path: &Path, history: History, said: Smoothed) -> Self {
        let rung = median(
            (history.lr.windows(2).map(|w| (w[1] / w[0]).log10()))
                .filter(|rung| rung.is_finite())
                .collect(),
        );
        let losses = Losses::of(history.loss, history.rounding, said);
        let there: Vec<usize> = (0..history.lr.len())
            .filter(|&row| !history.missing[row])
            .collect();
        let of = |values: &[f64]| -> Vec<f64> {
            there.iter().map(|&row| values[row]).collect()
        };
        let doubtful = losses.are_doubtful();
        let test =
            RecordedTest::new(of(&history.lr), of(&losses.loss), doubtful);
        Self {
            path: path.to_owned(),
            read: history.said,
            losses: losses.said(rung.unwrap_or(0.0)),
            points: test.points(),
            test,
            rows: there.iter().map(|&row| history.rows[row]).collect(),
        }
    }

    /// What `rule` says, with the row of the file.
    fn reading(&self, rule: Rule) -> Reading {
        let reading = self.test.read(rule);
        let index = reading.index.map(|index| self.rows[index]);
        Reading { index, ..reading }
    }

    /// The curve, raw and smoothed.
    pub(super) fn points(&self) -> &[LrPoint] {
        &self.points
    }

    /// What `rule` says, or every rule, our own first.
    pub(super) fn readings(&self, rule: Option<Rule>) -> Vec<Reading> {
        match rule {
            Some(rule) => vec![self.reading(rule)],
            None => Rule::ALL.map(|rule| self.reading(rule)).into(),
        }
    }

    /// The numbers of the plot, with one answer.
    pub(super) fn picture(&self, found: &Reading) -> RangeTestPlot {
        picture(&self.points, found.lr, found.interval)
    }

    /// The plot as SVG.
    pub(super) fn to_svg(&self, found: &Reading) -> String {
        let title = self.path.display().to_string();
        range_test(&title, &self.picture(found))
    }

    /// Says what was read and the first answer, and prints all of them.
    pub(super) fn print(
        &self,
        readings: &[Reading],
        json: bool,
        out: &mut impl Write,
    ) -> anyhow::Result<()> {
        let found = &readings[0];
        let path = self.path.display();
        super::say(format_args!("{path}: {}; {}", self.read, self.losses));
        let confidence = found.confidence.name();
        super::say(format_args!(
            "{path}: {} (confidence {confidence})",
            found.reason
        ));
        if json {
            let answer = Answer {
                file: &self.path,
                read: &self.read,
                losses: &self.losses,
                found,
                rules: readings,
                curve: &self.points,
            };
            serde_json::to_writer_pretty(&mut *out, &answer)?;
            writeln!(out)?;
            return Ok(());
        }
        let row = |reading: &Reading| RuleRow {
            rule: reading.rule,
            lr: reading.lr,
            index: reading.index,
            low: reading.interval.map(|(low, _)| low),
            high: reading.interval.map(|(_, high)| high),
            outcome: reading.outcome.name(),
            confidence: reading.confidence.name(),
        };
        let rows: Vec<RuleRow> = readings.iter().map(row).collect();
        Ok(print_rows(out, &rows)?)
    }
}

/// What a tool records if nobody changed it.
fn usual(tool: Option<CurveTool>) -> Smoothed {
    match tool {
        Some(
            CurveTool::TorchLrFinder | CurveTool::Ignite | CurveTool::Monai,
        ) => Smoothed::Default(Average::TORCH_LR_FINDER),
        Some(CurveTool::Lightning) => Smoothed::Default(Average::LIGHTNING),
        Some(CurveTool::Fastai) => Smoothed::Default(Average::FASTAI),
        Some(CurveTool::Keras) => Smoothed::PerhapsMeans,
        Some(CurveTool::Plain) => Smoothed::No(DECLARED),
        Some(CurveTool::Wandb) | None => Smoothed::Unsaid,
    }
}

/// The value of `--smoothed`.
fn smoothed(text: &str) -> Result<Smoothed> {
    match text {
        "none" => return Ok(Smoothed::No(DECLARED)),
        "mean" => return Ok(Smoothed::Means),
        _ => {}
    }
    if let Ok(weight) = text.parse::<f64>() {
        return match weight {
            1.0 => Ok(Smoothed::No(DECLARED)),
            weight if weight > 0.0 && weight < 1.0 => {
                Ok(Smoothed::Weight(weight))
            }
            _ => Err(Error::Invalid(
                "the weight of the new loss must be above 0 and at most 1"
                    .to_owned(),
            )),
        };
    }
    let tool = text.parse().map(|tool| usual(Some(tool)));
    match tool {
        Ok(Smoothed::Default(average)) => Ok(Smoothed::By(average)),
        Ok(Smoothed::PerhapsMeans) => Ok(Smoothed::Means),
        Ok(_) => Ok(Smoothed::No(DECLARED)),
        Err(_) => {
            let known: Vec<&str> =
                WORDS.into_iter().chain(CurveTool::names()).collect();
            Err(Error::Invalid(unknown("average", text, &known)))
        }
    }
}

#[cfg(test)]
mod tests;
