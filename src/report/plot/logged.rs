//! The rates that a training logged, over those that were intended.

use super::axis::{Axis, Frame, clipped};
use super::canvas::{Anchor, BLACK, BLUE, GREY, ORANGE, page, type_of};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 360.0;

/// SVG of the `logged` rates by update, as points, and of the `intended` ones
/// of all updates, as a line.
pub(crate) fn rates_of_a_log(
    logged: &[(f64, f64)],
    intended: &[f64],
) -> String {
    let highest = logged.iter().map(|&(_, rate)| rate);
    let highest = highest.chain(intended.iter().copied());
    let highest = highest.filter(|rate| rate.is_finite()).fold(0.0, f64::max);
    let highest = if highest > 0.0 { highest } else { 1.0 };
    let last = logged.last().map_or(0.0, |&(update, _)| update);
    let last = last.max(intended.len().saturating_sub(1) as f64).max(1.0);
    page(WIDTH, HEIGHT, "Logged and intended learning rates", |canvas| {
        let frame = Frame {
            x: Axis::linear(0.0, last, 6.0),
            y: Axis::linear(0.0, 1.04 * highest, 5.0),
            left: 70.0,
            top: 34.0,
            right: WIDTH - 16.0,
            bottom: HEIGHT - 40.0,
        };
        frame.draw(canvas, "update", "learning rate");
        let line = intended.iter().enumerate().map(|(i, &v)| (i as f64, v));
        for part in clipped(line, 0.0, 1.04 * highest) {
            let part: Vec<_> =
                part.iter().map(|&(x, y)| frame.at(x, y)).collect();
            canvas.path(&part, ORANGE, 1.0, 2.0);
        }
        for &(update, rate) in logged {
            canvas.marker(frame.at(update, rate), 2.2, BLUE);
        }
        let mut left = frame.left;
        for (name, ink) in [("logged", BLUE), ("intended", ORANGE)] {
            if name == "intended" && intended.is_empty() {
                continue;
            }
            canvas.line((left, 18.0), (left + 18.0, 18.0), ink, 3.0);
            let style = type_of(12.0, BLACK, Anchor::Start);
            canvas.text(name, (left + 24.0, 22.0), style);
            left += 110.0;
        }
        canvas.line(
            (frame.left, frame.bottom),
            (frame.right, frame.bottom),
            GREY,
            1.0,
        );
    })
}
