//! Mean ranks on one axis.

use super::axis::{Axis, Frame};
use super::canvas::{
    Anchor, BLACK, Canvas, GREY, Type, cut, page, type_of, widest,
};
use super::verdict_ink;
use crate::results::rows::{LeaderboardRow, Verdict};

const WIDTH: f64 = 760.0;
const AXIS_WIDTH: f64 = 340.0;
const AXIS: f64 = 48.0;
/// As wide as bold letters of the labels' size.
const BOLD: f64 = 1.12 * LABEL;
const LABEL: f64 = 12.5;
const ROW: f64 = 22.0;

/// SVG of the mean ranks, best on the left. A bar joins the schedules that
/// are not worse than the recommended one or the control, by the tests behind
/// the verdicts; it has a gap at one that `is_worse`.
pub(crate) fn rank_diagram(
    rows: &[LeaderboardRow],
    is_worse: impl Fn(&LeaderboardRow) -> bool,
) -> String {
    let mut rows: Vec<&LeaderboardRow> =
        rows.iter().filter(|row| row.mean_rank.is_finite()).collect();
    rows.sort_by(|a, b| a.mean_rank.total_cmp(&b.mean_rank));
    let bars = bars(&rows, is_worse);
    let side = rows.len().div_ceil(2);
    let first = AXIS + 22.0 + if bars.is_empty() { 8.0 } else { 17.0 };
    let height = first + ROW * side as f64 + 4.0;
    let names = rows.iter().map(|row| row.schedule.as_str());
    let names = widest(names, BOLD, 280.0).max(40.0);
    let margin = names + 66.0;
    let width = WIDTH.max(AXIS_WIDTH + 2.0 * margin);
    let frame = Frame {
        x: Axis::linear(
            1.0,
            rows.len().max(2) as f64,
            rows.len().min(12) as f64,
        ),
        y: Axis::linear(0.0, 1.0, 1.0),
        left: margin,
        top: AXIS,
        right: width - margin,
        bottom: AXIS,
    };
    let label = format!("Mean ranks of {} schedules", rows.len());
    page(width, height, &label, |canvas| {
        axis(canvas, &frame);
        for (i, row) in rows.iter().enumerate() {
            let left = i < side;
            let level = if left { i } else { rows.len() - 1 - i };
            let y = first + ROW * level as f64 + ROW / 2.0;
            schedule(canvas, &frame, row, y, (left, names));
        }
        for &(low, high) in &bars {
            let y = AXIS + 20.0;
            let ends = (frame.x_at(low) - 4.0, frame.x_at(high) + 4.0);
            canvas.line((ends.0, y), (ends.1, y), BLACK, 4.0);
        }
    })
}

/// Lowest and highest mean rank of neighbours of which none `is_worse`; none
/// where nothing is recommended.
fn bars(
    rows: &[&LeaderboardRow],
    is_worse: impl Fn(&LeaderboardRow) -> bool,
) -> Vec<(f64, f64)> {
    if !rows.iter().any(|row| row.verdict == Verdict::Recommended) {
        return vec![];
    }
    // A schedule that a race stopped was not compared with the others.
    let is_apart = |row: &&LeaderboardRow| {
        let compared =
            row.verdict == Verdict::Recommended || row.p_equivalent.is_some();
        is_worse(row) || !compared
    };
    // The rows are sorted by mean rank.
    rows.split(is_apart)
        .filter(|joined| joined.len() > 1)
        .map(|joined| (joined[0].mean_rank, joined[joined.len() - 1].mean_rank))
        .collect()
}

fn axis(canvas: &mut Canvas<'_>, frame: &Frame) {
    canvas.line((frame.left, AXIS), (frame.right, AXIS), GREY, 1.25);
    for (value, label) in &frame.x.ticks {
        let x = frame.x_at(*value);
        canvas.line((x, AXIS - 5.0), (x, AXIS), GREY, 1.0);
        let style = type_of(12.0, GREY, Anchor::Middle);
        canvas.text(label, (x, AXIS - 15.0), style);
    }
    let style = type_of(12.0, GREY, Anchor::End);
    canvas.text("mean rank", (frame.left - 14.0, AXIS - 15.0), style);
}

/// The line from a schedule's rank to its name at height `y`.
fn schedule(
    canvas: &mut Canvas<'_>,
    frame: &Frame,
    row: &LeaderboardRow,
    y: f64,
    (left, names): (bool, f64),
) {
    let ink = verdict_ink(row.verdict);
    let x = frame.x_at(row.mean_rank);
    let (end, anchor, sign) = if left {
        (frame.left - 14.0, Anchor::End, -1.0)
    } else {
        (frame.right + 14.0, Anchor::Start, 1.0)
    };
    canvas.path(&[(x, AXIS), (x, y), (end, y)], ink, 0.55, 1.25);
    canvas.marker((x, AXIS), 4.0, ink);
    let bold = row.verdict == Verdict::Recommended;
    let name = cut(&row.schedule, names, if bold { BOLD } else { LABEL });
    let style = type_of(LABEL, ink, anchor);
    let rank = format!("{:.2}", row.mean_rank);
    let small = type_of(11.0, GREY, anchor);
    canvas.text(&rank, (end + sign * 4.0, y), small);
    canvas.text(&name, (end + sign * 41.0, y), Type { bold, ..style });
}
