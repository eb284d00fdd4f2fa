//! Schedules side by side.

use super::axis::{Axis, Frame, clipped};
use super::canvas::{
    Anchor, BLACK, BLUE, Canvas, GREY, PALE, cut, page, type_of,
};

const COLUMNS: usize = 4;
const WIDTH: f64 = 190.0;
const HEIGHT: f64 = 128.0;

/// SVG of every schedule's shape, in small panels with one scale: `(label,
/// learning rates or factors by step)`.
pub(crate) fn schedules(shapes: &[(String, Vec<f64>)]) -> String {
    let columns = shapes.len().clamp(1, COLUMNS);
    let rows = shapes.len().div_ceil(columns).max(1);
    let highest = shapes
        .iter()
        .flat_map(|(_, values)| values)
        .copied()
        .filter(|value| value.is_finite())
        .fold(0.0, f64::max);
    let highest = if highest > 0.0 { highest } else { 1.0 };
    let (width, height) =
        (WIDTH * columns as f64 + 16.0, HEIGHT * rows as f64 + 8.0);
    let label = format!("Shapes of {} schedules", shapes.len());
    page(width, height, &label, |canvas| {
        for (i, (name, values)) in shapes.iter().enumerate() {
            let left = 14.0 + WIDTH * (i % columns) as f64;
            let top = 4.0 + HEIGHT * (i / columns) as f64;
            panel(canvas, name, values, highest, (left, top));
        }
    })
}

fn panel(
    canvas: &mut Canvas<'_>,
    name: &str,
    values: &[f64],
    highest: f64,
    (left, top): (f64, f64),
) {
    let inner = WIDTH - 18.0;
    let frame = Frame {
        x: Axis::linear(0.0, values.len().saturating_sub(1).max(1) as f64, 4.0),
        y: Axis::linear(0.0, 1.04 * highest, 2.0),
        left,
        top: top + 24.0,
        right: left + inner,
        bottom: top + HEIGHT - 14.0,
    };
    let style = type_of(12.0, BLACK, Anchor::Start);
    canvas.text(&cut(name, inner, 12.0), (left, top + 12.0), style);
    let peak = frame.y_at(highest);
    canvas.line((left, peak), (frame.right, peak), PALE, 0.75);
    let points = values.iter().enumerate().map(|(i, &v)| (i as f64, v));
    for part in clipped(points, 0.0, 1.04 * highest) {
        let mut part: Vec<_> =
            thinned(&part).map(|(x, y)| frame.at(x, y)).collect();
        canvas.path(&part, BLUE, 1.0, 1.75);
        let ends = [part[part.len() - 1].0, part[0].0];
        part.extend(ends.map(|x| (x, frame.bottom)));
        canvas.area(&part, BLUE, 0.1);
    }
    canvas.line((left, frame.bottom), (frame.right, frame.bottom), GREY, 1.0);
}

/// At most about 400 of `points`, with the lowest and highest of each stretch
/// kept, so that no spike is lost.
fn thinned(points: &[(f64, f64)]) -> impl Iterator<Item = (f64, f64)> {
    let stretch = points.len().div_ceil(200).max(1);
    let wide = stretch > 2;
    points.chunks(if wide { stretch } else { 1 }).flat_map(move |chunk| {
        let by = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
        let low = chunk.iter().min_by(by).copied();
        let high = chunk.iter().max_by(by).copied().filter(|_| wide);
        let mut pair: Vec<_> = low.into_iter().chain(high).collect();
        pair.sort_by(|a, b| a.0.total_cmp(&b.0));
        pair.dedup();
        pair
    })
}
