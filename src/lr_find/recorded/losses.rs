//! The losses behind a record: whether it holds averages, and what they are
//! averages of.

use super::digits;
use super::likeness::{self, EVIDENCE, Likeness, STRONG};
use crate::stats::average::{Average, Start};
use crate::stats::robust::median;
use std::fmt;

/// Error of a loss, as a share of the descent, up to which undoing is exact.
const EXACT: f64 = 1e-4;

/// The same, up to which an average is undone at all.
const WORTH: f64 = 0.1;

/// Half a unit in the last place of a single.
const SINGLE: f64 = 3e-8;

/// Why losses of single precision are raw.
const SINGLES: &str = "they are single-precision numbers, as averages are not";

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
    /// Rows of the record.
    count: usize,
}

/// What the record holds.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Finding {
    /// Raw losses, because of this.
    Raw(&'static str),
    /// Averages, known by this, of which the losses are right to `error`;
    /// 0 is exact.
    Undone { average: Average, by: &'static str, error: f64 },
    /// Averages, but the file is too coarse to undo them.
    TooCoarse { average: Average, error: f64 },
    /// Perhaps averages of this kind.
    Suspected(Average),
    /// Nothing can be known.
    Unknown,
}

impl Losses {
    /// Of the losses `recorded`, NaN in gaps, which are right to `rounding`.
    pub(crate) fn of(
        recorded: Vec<f64>,
        rounding: f64,
        said: Smoothed,
    ) -> Self {
        let single = digits::are_single(&recorded);
        let count = recorded.len();
        let level = recorded.first().map_or(0.0, |loss| loss.abs());
        let rounding =
            if single { rounding.max(SINGLE * level) } else { rounding };
        let (average, by) = match known(&recorded, single, said) {
            Known::Average(average, by) => (average, by),
            Known::Other(finding) => {
                return Self { loss: recorded, finding, count };
            }
        };
        let error = rounding * average.gain(count);
        let descent = descent(&recorded);
        if error > WORTH * descent {
            let finding = Finding::TooCoarse { average, error };
            return Self { loss: recorded, finding, count };
        }
        let error = if error <= EXACT * descent { 0.0 } else { error };
        let loss = average.undo(&recorded);
        Self { loss, finding: Finding::Undone { average, by, error }, count }
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
        let late = |average: Average| Late(average.lag(self.count) * rung);
        match self.finding {
            Finding::Raw(why) => format!("the losses are read as raw: {why}"),
            Finding::Undone { average, by, error } if error > 0.0 => format!(
                "the losses are {average}, {by}: undone, right to {error:.1e} \
                 (the file is rounded)"
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
    if let Some(average) = digits::average_of(recorded) {
        return Known::Average(average, "as their digits show");
    }
    match said {
        Smoothed::Default(Average::FASTAI) | Smoothed::PerhapsMeans => {}
        Smoothed::Default(average) if single => {
            // Someone may have saved averages in single precision.
            return if likeness::evidence(average, recorded) > STRONG {
                Known::Other(Finding::Suspected(average))
            } else {
                raw(SINGLES)
            };
        }
        _ => {}
    }
    match said {
        Smoothed::Default(average)
            if likeness::evidence(average, recorded) > -EVIDENCE =>
        {
            return Known::Average(average, "as that tool records them");
        }
        Smoothed::Default(_) => {
            return raw("their noise is that of single batches");
        }
        Smoothed::PerhapsMeans => {
            if let Some(mean) = likeness::means_of(recorded) {
                return Known::Average(mean, "as their noise shows");
            }
        }
        _ => {}
    }
    match likeness::guess(recorded, single) {
        Likeness::Sure(average) => {
            Known::Average(average, "as their start from zero shows")
        }
        Likeness::Suspected(average) => {
            Known::Other(Finding::Suspected(average))
        }
        Likeness::Raw => raw("their noise is that of single batches"),
        Likeness::Unknown if single => raw(SINGLES),
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
    .map(|start| Average::Exponential { new, past: 1.0 - new, start })
}

/// How far the losses fall from their start.
fn descent(losses: &[f64]) -> f64 {
    let finite: Vec<f64> =
        losses.iter().copied().filter(|loss| loss.is_finite()).collect();
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

/// By how many decades a rate is off.
struct Late(f64);

impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "up to {:.1} decades", self.0)
    }
}
