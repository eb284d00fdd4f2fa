//! Pictures as SVG text for files and pages, and as letters for terminals.
//!
//! Every picture is a function of plain numbers. Non-finite values never
//! reach a path: a line has a gap there, a point leaves the picture.
//!
//! The colours of verdicts are here, the palette in `canvas`. The other files
//! are one picture each.

mod axis;
mod canvas;
mod heatmap;
mod logged;
mod range_test;
mod rank_diagram;
mod sensitivity;
mod shapes;
mod terminal;
#[cfg(test)]
mod tests;

use crate::results::rows::Verdict;

pub(crate) use heatmap::{Cell, regret_heatmap};
pub(crate) use logged::rates_of_a_log;
pub(crate) use range_test::{RangeTestPlot, range_test};
pub(crate) use rank_diagram::rank_diagram;
pub(crate) use sensitivity::{SensitivityLine, learning_rate_sensitivity};
pub(crate) use shapes::schedules;
pub(crate) use terminal::{sparkline, terminal_curve};

/// The colour of a verdict, the same in every picture.
fn verdict_ink(verdict: Verdict) -> canvas::Ink {
    match verdict {
        Verdict::Recommended => canvas::GREEN,
        Verdict::Equivalent => canvas::BLUE,
        Verdict::Undecided => canvas::GREY,
        Verdict::Dominated => canvas::RED,
        Verdict::Control => canvas::ORANGE,
    }
}
