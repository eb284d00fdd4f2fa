//! The losses behind a record: whether it holds averages, and what they are
//! averages of.

use super::likeness::{self, EVIDENCE, Likeness, STRONG};
use super::{digits, finite};
use crate::stats::average::{Average, Start};
use crate::stats::robust::median;

/// Error of a loss, as a share of the descent, up to which undoing is exact.
const EXACT: f64 = 1e-4;

/// The same, up to which an average is undone at all.
const WORTH: f64 = 0.1;

/// Half a unit in the last place of a single.
const SINGLE: f64 = 3e-8;

/// Why losses of single precision are raw.
const SINGLES: &str = "they are single-precision numbers, and most tools \
                       average in double precision";

/// The same, where nothing is known of the tool.
const PERHAPS_RAW: &str = "they are single-precision numbers, and most tools \
                           average in double precision; if they are averages \
                           of fastai or a Keras callback, which look the \
                           same, the rate may be off: say `--from TOOL`";

/// Why losses are raw whose noise is not that of averages.
const BATCHES: &str = "their noise is that of single batches";

/// What is said about the losses of a record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Smoothed {
    /// Nothing.
    Unsaid,
    /// They are raw, because of this.
    No(&'static str),
    /// They are exponential averages with this weight of the new loss.
    Weight(f64),
    /// They are these averages.
    By(Average),
    /// They are means since the start, or since that of an epoch.
    Means,
    /// The tool that wrote them averages like this by default.
    Default(Average),
    /// The tool that wrote them may give means of an epoch.
    PerhapsMeans,
}

/// Losses for a rule, and what was done to have them.
#[derive(Debug)]
pub(crate) struct Losses {
    /// One a row; NaN in a gap.
    pub(crate) loss: Vec<f64>,
    finding: Finding,
}

/// What the record holds.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Finding {
    /// Raw losses, because of this.
    Raw(&'static str),
    /// Averages, known by this, of which the losses are accurate to
    /// `error`; 0 is exact.
    Undone { average: Average, by: &'static str, error: f64 },
    /// Averages, but the file is too coarse to undo them.
    TooCoarse { average: Average, error: f64 },
    /// Perhaps averages of this kind.
    Suspected(Average),
    /// Nothing can be known.
    Unknown,
}

impl Losses {
    /// Of the losses `recorded`, NaN in gaps, which are accurate to `rounding`.
    pub(crate) fn of(
        recorded: Vec<f64>,
        rounding: f64,
        said: Smoothed,
    ) -> Self {
        let single = digits::are_single(&recorded);
        let level = recorded.first().map_or(0.0, |loss| loss.abs());
        let rounding =
            if single { rounding.max(SINGLE * level) } else { rounding };
        let (average, by) = match known(&recorded, single, said) {
            Known::Average(average, by) => (average, by),
            Known::Other(finding) => return Self { loss: recorded, finding },
        };
        let error = rounding * average.gain(recorded.len());
        let descent = descent(&recorded);
        if error > WORTH * descent {
            let finding = Finding::TooCoarse { average, error };
            return Self { loss: recorded, finding };
        }
        let error = if error <= EXACT * descent { 0.0 } else { error };
        let loss = average.undo(&recorded);
        Self { loss, finding: Finding::Undone { average, by, error } }
    }

    /// Whether they may be averages that were not undone.
    pub(crate) fn are_doubtful(&self) -> bool {
        matches!(
            self.finding,
            Finding::TooCoarse { .. } | Finding::Suspected(_)
        )
    }

    #[cfg(test)]
    pub(super) fn kind(&self) -> Kind {
        match self.finding {
            Finding::Undone { average, .. } => Kind::Undone(average),
            Finding::TooCoarse { .. } | Finding::Suspected(_) => Kind::Doubtful,
            Finding::Unknown => Kind::Unknown,
            Finding::Raw(_) => Kind::Raw,
        }
    }

    /// What was done, in a sentence; `rung` is the distance of two rates in
    /// decades.
    pub(crate) fn said(&self, rung: f64) -> String {
        let late = |average: Average| {
            let decades = average.lag(self.loss.len()) * rung;
            format!("up to {decades:.1} decades")
        };
        match self.finding {
            Finding::Raw(why) => format!("the losses are read as raw: {why}"),
            Finding::Undone { average, by, error } if error > 0.0 => format!(
                "the losses are {average}, {by}: undone, accurate to \
                 {error:.1e} (the file is rounded)"
            ),
            Finding::Undone { average, by, .. } => {
                format!("the losses are {average}, {by}: undone exactly")
            }
            Finding::TooCoarse { average, error } => format!(
                "the losses are {average}, but the file has too few digits \
                 to undo that (errors of {error:.1e}): the rate may be off by \
                 {}; save all digits",
                late(average)
            ),
            Finding::Suspected(average) => format!(
                "the losses look like averages, as {} records them; nothing \
                 was undone, so the rate may be off by {}: say `--from TOOL`, \
                 `--smoothed WEIGHT` or `--smoothed none`",
                recorder(average),
                late(average)
            ),
            Finding::Unknown => "whether the losses are averages cannot be \
                 seen; they are read as raw, and if they are not, the rate \
                 may be off: say `--from TOOL`, `--smoothed WEIGHT` or \
                 `--smoothed none`"
                .to_owned(),
        }
    }
}

/// A finding, for counts.
#[cfg(test)]
#[derive(Debug, PartialEq)]
pub(super) enum Kind {
    Undone(Average),
    Doubtful,
    Unknown,
    Raw,
}

/// Either an average to undo, with how it is known, or no such.
enum Known {
    Average(Average, &'static str),
    Other(Finding),
}

fn known(recorded: &[f64], single: bool, said: Smoothed) -> Known {
    let raw = |why| Known::Other(Finding::Raw(why));
    let declared = "as declared";
    match said {
        Smoothed::No(why) => return raw(why),
        Smoothed::By(average) => return Known::Average(average, declared),
        Smoothed::Weight(new) => {
            let started = started_anyhow(new);
            let seen = digits::one_of(&started, recorded);
            let average = seen
                .unwrap_or_else(|| likeness::likeliest_of(recorded, &started));
            return Known::Average(average, declared);
        }
        Smoothed::Means => {
            let means = likeness::likeliest_means(recorded);
            return Known::Average(means, declared);
        }
        Smoothed::Unsaid | Smoothed::Default(_) | Smoothed::PerhapsMeans => {}
    }
    if !single && let Some(average) = digits::average_of(recorded) {
        return Known::Average(average, "as their digits show");
    }
    let evidence = |average| likeness::evidence(average, recorded);
    match said {
        Smoothed::Default(average) if single && average != Average::FASTAI => {
            // Someone may have saved averages in single precision.
            if evidence(average) > STRONG {
                Known::Other(Finding::Suspected(average))
            } else {
                raw(SINGLES)
            }
        }
        Smoothed::Default(average) if evidence(average) > -EVIDENCE => {
            Known::Average(average, "as that tool records them")
        }
        Smoothed::Default(_) => raw(BATCHES),
        Smoothed::PerhapsMeans => match likeness::means_of(recorded) {
            Some(mean) => Known::Average(mean, "as their noise shows"),
            None => guessed(recorded, single),
        },
        _ => guessed(recorded, single),
    }
}

/// What the noise alone says.
fn guessed(recorded: &[f64], single: bool) -> Known {
    let raw = |why| Known::Other(Finding::Raw(why));
    match likeness::guess(recorded, single) {
        Likeness::Sure(average) => {
            Known::Average(average, "as their start from zero shows")
        }
        Likeness::Suspected(average) => {
            Known::Other(Finding::Suspected(average))
        }
        Likeness::Raw => raw(BATCHES),
        Likeness::Unknown if single => raw(PERHAPS_RAW),
        Likeness::Unknown => Known::Other(Finding::Unknown),
    }
}

/// Exponential averages of a weight, with every start that tools have.
fn started_anyhow(new: f64) -> [Average; 4] {
    [
        Start::First,
        Start::Corrected { ahead: 0 },
        Start::Corrected { ahead: 1 },
        Start::Zero,
    ]
    .map(|start| Average::exponential(new, start))
}

/// How far the losses fall from their start.
fn descent(losses: &[f64]) -> f64 {
    let finite = finite(losses);
    let start = finite[..(finite.len() / 5).max(1).min(finite.len())].to_vec();
    let lowest = finite.iter().copied().fold(f64::INFINITY, f64::min);
    median(start).map_or(0.0, |start| (start - lowest).abs())
}

/// A tool that records such averages.
fn recorder(average: Average) -> &'static str {
    match average {
        Average::Mean { .. } => "a Keras callback",
        Average::Exponential { start, .. } => match start {
            Start::First => "torch-lr-finder",
            Start::Corrected { ahead: 0 } => "fastai",
            Start::Corrected { .. } | Start::Zero => "Lightning",
        },
    }
}
