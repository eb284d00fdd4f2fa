//! Axes with round numbers, and the frame they make.

use super::canvas::{Anchor, BLACK, Canvas, GREY, PALE, type_of};
use crate::report::number::{plain, rate};

/// One axis: the range shown and where it is labelled.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    log: bool,
    pub(super) low: f64,
    pub(super) high: f64,
    /// Labelled values.
    pub(super) ticks: Vec<(f64, String)>,
    /// Values with a short stroke only.
    pub(super) minor: Vec<f64>,
}

impl Axis {
    /// An even axis over `[low, high]`, finite, with about `count` ticks.
    pub(super) fn linear(low: f64, high: f64, count: f64) -> Self {
        let (low, high) = apart(low, high);
        let step = round_step((high - low) / count);
        let first = (low / step).ceil();
        let values = (0..)
            .map(|i| (first + f64::from(i)) * step)
            .take_while(|&value| value <= high + 1e-9 * step);
        let ticks = values.map(|value| (value, plain(value, step))).collect();
        Self { log: false, low, high, ticks, minor: vec![] }
    }

    /// A logarithmic axis over `[low, high]`, positive and finite: every
    /// power of ten has a tick, and in short ranges 2 and 5 too.
    pub(super) fn log(low: f64, high: f64) -> Self {
        let (low, high) =
            if low < high { (low, high) } else { (low / 2.0, high * 2.0) };
        let decades = (high / low).log10();
        let (first, last) = (low.log10().floor(), high.log10().ceil());
        let exponents = |every: f64| {
            (0..)
                .map(move |i| first + f64::from(i) * every)
                .take_while(move |&exponent| exponent <= last)
        };
        let inside = |value: f64| {
            value >= low * (1.0 - 1e-9) && value <= high * (1.0 + 1e-9)
        };
        let every = (decades / 8.0).ceil().max(1.0);
        let digits: &[f64] = if decades < 0.7 {
            &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0]
        } else if decades < 2.2 {
            &[1.0, 2.0, 5.0]
        } else {
            &[1.0]
        };
        let ticks = exponents(every)
            .flat_map(|exponent| {
                digits.iter().map(move |digit| digit * 10_f64.powf(exponent))
            })
            .filter(|&value| inside(value))
            .map(|value| (value, rate(value)))
            .collect();
        let minor = exponents(1.0)
            .flat_map(|exponent| {
                (1..10).map(move |d| f64::from(d) * 10_f64.powf(exponent))
            })
            .filter(|&value| inside(value))
            .collect();
        Self { log: true, low, high, ticks, minor }
    }

    /// A logarithmic axis labelled at `values` (rising, positive) only.
    pub(super) fn log_at(values: &[f64]) -> Self {
        let low = values.first().copied().unwrap_or(1.0);
        let high = values.last().copied().unwrap_or(1.0);
        let mut axis = Self::log(low, high);
        axis.ticks = values.iter().map(|&v| (v, rate(v))).collect();
        axis.minor.clear();
        axis
    }

    /// Position of `value`: 0 at `low`, 1 at `high`.
    pub(super) fn share(&self, value: f64) -> f64 {
        if self.log {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        }
    }

    pub(super) fn clamp(&self, value: f64) -> f64 {
        value.clamp(self.low, self.high)
    }
}

/// A range with some width, also around a single value.
fn apart(low: f64, high: f64) -> (f64, f64) {
    let wide = high - low > 1e-12 * low.abs().max(high.abs());
    if wide {
        return (low, high);
    }
    let half = if low == 0.0 { 0.5 } else { 0.05 * low.abs() };
    (low - half, high + half)
}

/// The smallest of 1, 2, 5 times a power of ten that is no less than `step`.
fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let wanted = step / power;
    let digit = [1.0, 2.0, 5.0].into_iter().find(|&d| d >= wanted - 1e-9);
    digit.unwrap_or(10.0) * power
}

/// Two axes and where they stand on the page, in pixels.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

impl Frame {
    /// Pixel of a value pair.
    pub(super) fn at(&self, x: f64, y: f64) -> (f64, f64) {
        (self.x_at(x), self.y_at(y))
    }

    pub(super) fn x_at(&self, x: f64) -> f64 {
        self.left + self.x.share(x) * (self.right - self.left)
    }

    pub(super) fn y_at(&self, y: f64) -> f64 {
        self.bottom - self.y.share(y) * (self.bottom - self.top)
    }

    /// Grid lines, ticks, labels and the names of both axes.
    pub(super) fn draw(&self, canvas: &mut Canvas<'_>, x: &str, y: &str) {
        for (value, label) in &self.y.ticks {
            let at = self.y_at(*value);
            canvas.line((self.left, at), (self.right, at), PALE, 1.0);
            let style = type_of(12.0, GREY, Anchor::End);
            canvas.text(label, (self.left - 8.0, at), style);
        }
        canvas.line(
            (self.left, self.bottom),
            (self.right, self.bottom),
            GREY,
            1.0,
        );
        for &value in &self.x.minor {
            let at = self.x_at(value);
            canvas.line((at, self.bottom), (at, self.bottom + 3.0), GREY, 0.75);
        }
        for (value, label) in &self.x.ticks {
            let at = self.x_at(*value);
            canvas.line((at, self.bottom), (at, self.bottom + 6.0), GREY, 1.0);
            let style = type_of(12.0, GREY, Anchor::Middle);
            canvas.text(label, (at, self.bottom + 17.0), style);
        }
        let middle = (self.left + self.right) / 2.0;
        let style = type_of(12.0, BLACK, Anchor::Middle);
        canvas.text(x, (middle, self.bottom + 38.0), style);
        let style = type_of(12.0, BLACK, Anchor::Start);
        canvas.text(y, (self.left - 8.0, self.top - 16.0), style);
    }
}

/// The parts of a line whose `y` lies within `[low, high]`, cut at the edges
/// and at non-finite values.
pub(super) fn clipped(
    points: impl Iterator<Item = (f64, f64)>,
    low: f64,
    high: f64,
) -> Vec<Vec<(f64, f64)>> {
    let mut parts = vec![];
    let mut part: Vec<(f64, f64)> = vec![];
    let mut previous: Option<(f64, f64)> = None;
    let inside = |y: f64| y >= low && y <= high;
    let crossing = |a: (f64, f64), b: (f64, f64)| {
        let edge = if a.1.max(b.1) > high { high } else { low };
        let share = (edge - a.1) / (b.1 - a.1);
        (a.0 + share * (b.0 - a.0), edge)
    };
    for point in points {
        if !(point.0.is_finite() && point.1.is_finite()) {
            parts.push(std::mem::take(&mut part));
            previous = None;
            continue;
        }
        match previous {
            Some(last) if inside(last.1) && !inside(point.1) => {
                part.push(crossing(last, point));
                parts.push(std::mem::take(&mut part));
            }
            Some(last) if !inside(last.1) && inside(point.1) => {
                part.extend([crossing(last, point), point]);
            }
            _ if inside(point.1) => part.push(point),
            _ => {}
        }
        previous = Some(point);
    }
    parts.push(part);
    parts.retain(|part| part.len() > 1);
    parts
}
