//! The picture of a range test.

use super::axis::{Axis, Frame, clipped};
use super::canvas::{
    Anchor, BLACK, BLUE, Canvas, GREY, ORANGE, Type, cut, page, type_of,
};
use crate::report::number::{rate, score};

/// What a range test left, as numbers alone.
///
/// `rates`, `losses` and `smoothed` run in parallel, in the order of the
/// steps; `smoothed` may be shorter or empty. Losses may be non-finite where
/// the training diverged.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RangeTestPlot {
    /// Learning rate of each step.
    pub(crate) rates: Vec<f64>,
    /// Loss of each step.
    pub(crate) losses: Vec<f64>,
    /// The same, smoothed.
    pub(crate) smoothed: Vec<f64>,
    /// The learning rate found.
    pub(crate) suggestion: Option<f64>,
    /// Learning rates that the evidence allows.
    pub(crate) interval: Option<(f64, f64)>,
    /// Verification trials: learning rate and loss, non-finite if diverged.
    pub(crate) trials: Vec<(f64, f64)>,
}

/// The losses that a plot shows: from a little below the lowest to a little
/// above where the training began. A divergence leaves the picture at the top.
pub(super) fn loss_range(plot: &RangeTestPlot) -> (f64, f64) {
    let curve = curve(plot);
    let finite: Vec<f64> =
        curve.iter().map(|&(_, loss)| loss).filter(|l| l.is_finite()).collect();
    let lowest = (0..finite.len())
        .min_by(|&a, &b| finite[a].total_cmp(&finite[b]))
        .unwrap_or(0);
    let mut before: Vec<f64> = plot
        .losses
        .iter()
        .take(lowest + 1)
        .chain(finite.iter().take(lowest + 1))
        .copied()
        .filter(|loss| loss.is_finite())
        .collect();
    before.sort_by(f64::total_cmp);
    let share = |q: f64| {
        let last = before.len().saturating_sub(1) as f64;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an index below the length"
        )]
        let index = (q * last).round() as usize;
        before.get(index).copied()
    };
    let (Some(low), Some(high)) = (share(0.02), share(0.98)) else {
        return (0.0, 1.0);
    };
    let trials =
        plot.trials.iter().map(|&(_, loss)| loss).filter(|l| l.is_finite());
    let low = trials.clone().fold(low, f64::min);
    // A curve that only rises has its lowest point at the start.
    let last = finite.last().copied().unwrap_or(high);
    let high = if high - low < 0.05 * high.abs() {
        last.min(high + 0.5 * high.abs())
    } else {
        high
    };
    let span = (high - low).max(1e-9 * high.abs()).max(1e-12);
    (low - 0.06 * span, high + 0.3 * span)
}

/// The line to draw: smoothed losses if there are any, else the raw ones.
pub(super) fn curve(plot: &RangeTestPlot) -> Vec<(f64, f64)> {
    let losses =
        if plot.smoothed.is_empty() { &plot.losses } else { &plot.smoothed };
    let points = plot.rates.iter().copied().zip(losses.iter().copied());
    points.filter(|&(rate, _)| rate > 0.0 && rate.is_finite()).collect()
}

/// The range of learning rates that a plot shows.
pub(super) fn rate_range(plot: &RangeTestPlot) -> (f64, f64) {
    let rates = plot
        .rates
        .iter()
        .chain(plot.trials.iter().map(|(rate, _)| rate))
        .chain(&plot.suggestion)
        .copied()
        .filter(|&rate| rate > 0.0 && rate.is_finite());
    let (low, high) = rates.fold((f64::INFINITY, 0.0), |(low, high), rate| {
        (rate.min(low), rate.max(high))
    });
    if low <= high { (low, high) } else { (1e-7, 10.0) }
}

/// SVG of a range test: raw losses as faint points, the smoothed curve, the
/// suggestion as a line with its number, the interval as a band, and the
/// verification trials as points listed on the right.
pub(crate) fn range_test(title: &str, plot: &RangeTestPlot) -> String {
    let (low, high) = rate_range(plot);
    let (loss_low, loss_high) = loss_range(plot);
    let frame = Frame {
        x: Axis::log(low, high),
        y: Axis::linear(loss_low, loss_high, 5.0),
        left: 64.0,
        top: 76.0,
        right: 560.0,
        bottom: 340.0,
    };
    let label = match plot.suggestion {
        Some(lr) => format!("Range test, {title}: learning rate {}", rate(lr)),
        None => format!("Range test, {title}: no learning rate found"),
    };
    page(760.0, 396.0, &label, |canvas| {
        let style = type_of(15.0, BLACK, Anchor::Start);
        let title = cut(title, 680.0, 15.0);
        canvas.text(&title, (20.0, 24.0), Type { bold: true, ..style });
        band(canvas, &frame, plot.interval);
        frame.draw(canvas, "learning rate", "loss");
        raw_points(canvas, &frame, plot);
        let line = curve(plot);
        for part in clipped(line.into_iter(), frame.y.low, frame.y.high) {
            let part: Vec<_> =
                part.iter().map(|&(x, y)| frame.at(x, y)).collect();
            canvas.path(&part, BLUE, 1.0, 2.25);
        }
        suggestion(canvas, &frame, plot.suggestion);
        let best = best_trial(plot);
        for (i, &(lr, loss)) in plot.trials.iter().enumerate() {
            if lr > 0.0 && lr.is_finite() {
                trial(canvas, &frame, (lr, loss), best == Some(i));
            }
        }
        legend(canvas, plot, best);
    })
}

/// The trial of the lowest loss.
fn best_trial(plot: &RangeTestPlot) -> Option<usize> {
    (0..plot.trials.len())
        .filter(|&i| plot.trials[i].1.is_finite())
        .min_by(|&a, &b| plot.trials[a].1.total_cmp(&plot.trials[b].1))
}

fn band(canvas: &mut Canvas<'_>, frame: &Frame, interval: Option<(f64, f64)>) {
    let Some((low, high)) = interval else { return };
    if !(low > 0.0 && high >= low && high.is_finite()) {
        return;
    }
    let (low, high) = (frame.x.clamp(low), frame.x.clamp(high));
    canvas.bar(
        (frame.x_at(low), frame.top),
        (frame.x_at(high), frame.bottom),
        BLUE,
        0.12,
    );
}

fn raw_points(canvas: &mut Canvas<'_>, frame: &Frame, plot: &RangeTestPlot) {
    if plot.smoothed.is_empty() {
        return;
    }
    for (&lr, &loss) in plot.rates.iter().zip(&plot.losses) {
        let shown = (frame.y.low..=frame.y.high).contains(&loss);
        if shown && lr > 0.0 && lr.is_finite() {
            canvas.dot(frame.at(lr, loss), 1.75, GREY, 0.45);
        }
    }
}

fn suggestion(canvas: &mut Canvas<'_>, frame: &Frame, lr: Option<f64>) {
    let Some(lr) = lr.filter(|&lr| lr > 0.0 && lr.is_finite()) else {
        return;
    };
    let x = frame.x_at(lr);
    canvas.line((x, frame.top), (x, frame.bottom), BLUE, 1.25);
    let style = type_of(14.0, BLUE, Anchor::Middle);
    let x = x.clamp(frame.left + 60.0, frame.right - 30.0);
    let style = Type { bold: true, ..style };
    canvas.text(&rate(lr), (x, frame.top - 12.0), style);
}

fn trial(
    canvas: &mut Canvas<'_>,
    frame: &Frame,
    (lr, loss): (f64, f64),
    best: bool,
) {
    let x = frame.x_at(lr);
    if loss > frame.y.high || !loss.is_finite() {
        canvas.cross((x, frame.top + 6.0), 4.0, ORANGE);
        return;
    }
    let radius = if best { 5.5 } else { 4.0 };
    canvas.marker((x, frame.y_at(loss)), radius, ORANGE);
}

fn legend(canvas: &mut Canvas<'_>, plot: &RangeTestPlot, best: Option<usize>) {
    let x = 586.0;
    let mut y = 84.0;
    let style = type_of(12.0, BLACK, Anchor::Start);
    let mut entry = |canvas: &mut Canvas<'_>, text: &str| {
        canvas.text(text, (x + 20.0, y), style);
        y += 20.0;
        y - 20.0
    };
    if !plot.smoothed.is_empty() {
        let y = entry(canvas, "loss of one step");
        canvas.dot((x, y), 1.75, GREY, 0.6);
    }
    let name = if plot.smoothed.is_empty() { "loss" } else { "smoothed loss" };
    let at = entry(canvas, name);
    canvas.line((x - 8.0, at), (x + 8.0, at), BLUE, 2.25);
    if plot.suggestion.is_some() {
        let at = entry(canvas, "suggestion");
        canvas.line((x, at - 7.0), (x, at + 7.0), BLUE, 1.25);
    }
    if let Some((low, high)) = plot.interval {
        let text = format!("{} to {}", rate(low), rate(high));
        let at = entry(canvas, &text);
        canvas.bar((x - 8.0, at - 6.0), (x + 8.0, at + 6.0), BLUE, 0.18);
    }
    if plot.trials.is_empty() {
        return;
    }
    let y = y + 16.0;
    let head = Type { bold: true, ..style };
    canvas.text("trials", (x - 8.0, y), head);
    let right = type_of(12.0, GREY, Anchor::End);
    canvas.text("loss", (x + 150.0, y), right);
    trial_list(canvas, plot, best, (x, y + 21.0));
}

/// The trials by rising learning rate, as many as there is room for.
fn trial_list(
    canvas: &mut Canvas<'_>,
    plot: &RangeTestPlot,
    best: Option<usize>,
    (x, mut y): (f64, f64),
) {
    const ROOM: usize = 10;
    let mut order: Vec<usize> = (0..plot.trials.len()).collect();
    order.sort_by(|&a, &b| plot.trials[a].0.total_cmp(&plot.trials[b].0));
    let hidden = order.len().saturating_sub(ROOM);
    order.truncate(ROOM);
    for i in order {
        let (lr, loss) = plot.trials[i];
        let bold = best == Some(i);
        let kind = |anchor| Type { bold, ..type_of(12.0, BLACK, anchor) };
        canvas.text(&rate(lr), (x + 20.0, y), kind(Anchor::Start));
        let text =
            if loss.is_finite() { score(loss) } else { "diverged".to_owned() };
        canvas.text(&text, (x + 150.0, y), kind(Anchor::End));
        if loss.is_finite() {
            canvas.marker((x, y), if bold { 5.5 } else { 4.0 }, ORANGE);
        } else {
            canvas.cross((x, y), 4.0, ORANGE);
        }
        y += 18.0;
    }
    if hidden > 0 {
        let style = type_of(12.0, GREY, Anchor::Start);
        canvas.text(&format!("and {hidden} more"), (x + 20.0, y), style);
    }
}
