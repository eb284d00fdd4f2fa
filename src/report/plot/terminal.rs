//! Pictures of text.

use super::axis::Axis;
use super::range_test::{RangeTestPlot, curve, loss_range, rate_range};
use crate::report::number::score;

/// The range test as text of about `width` x `height` letters: raw losses
/// (`·`), the smoothed curve in finer dots, the suggestion as a column (`┊`),
/// trials (`●`, at the top `×` where they diverged), and the interval as the
/// thick part of the axis.
pub(crate) fn terminal_curve(
    plot: &RangeTestPlot,
    width: usize,
    height: usize,
) -> String {
    const MARGIN: usize = 9;
    let columns = width.saturating_sub(MARGIN).max(10);
    let rows = height.saturating_sub(2).max(3);
    let (low, high) = rate_range(plot);
    let x = Axis::log(low, high);
    let (loss_low, loss_high) = loss_range(plot);
    let y = Axis::linear(loss_low, loss_high, 3.0);
    let column = |lr: f64| cell(x.share(lr), columns);
    let row = |loss: f64| rows - 1 - cell(y.share(loss), rows);
    let inside = |loss: f64| (y.low..=y.high).contains(&loss);

    let mut letters = vec![vec![' '; columns]; rows];
    for (&lr, &loss) in plot.rates.iter().zip(&plot.losses) {
        if lr > 0.0 && lr.is_finite() && inside(loss) {
            letters[row(loss)][column(lr)] = '·';
        }
    }
    if let Some(lr) = plot.suggestion.filter(|lr| lr.is_finite()) {
        for row in &mut letters {
            row[column(lr)] = '┊';
        }
    }
    let mut dots = vec![vec![0_u8; columns]; rows];
    for (lr, loss) in dense(&curve(plot), 4 * columns, &x) {
        if inside(loss) {
            let across = cell(x.share(lr), 2 * columns);
            let down = 4 * rows - 1 - cell(y.share(loss), 4 * rows);
            dots[down / 4][across / 2] |= dot(across % 2, down % 4);
        }
    }
    for (row, dots) in letters.iter_mut().zip(&dots) {
        for (letter, &dots) in row.iter_mut().zip(dots) {
            if dots > 0 {
                *letter =
                    char::from_u32(0x2800 + u32::from(dots)).unwrap_or('·');
            }
        }
    }
    for &(lr, loss) in &plot.trials {
        if loss.is_finite() {
            letters[row(loss)][column(lr)] = '●';
        } else {
            letters[0][column(lr)] = '×';
        }
    }
    let mut text = String::new();
    for (i, row) in letters.iter().enumerate() {
        let label = match i {
            0 => score(y.high),
            i if i == rows - 1 => score(y.low),
            _ => String::new(),
        };
        let line: String = row.iter().collect();
        text += format!("{label:>7} ┤{line}").trim_end();
        text.push('\n');
    }
    let allowed = plot.interval.map(|(low, high)| column(low)..=column(high));
    let axis = |at| match &allowed {
        Some(columns) if columns.contains(&at) => '━',
        _ => '─',
    };
    text += "        └";
    text.extend((0..columns).map(axis));
    text.push('\n');
    text + &tick_line(&x, columns, MARGIN)
}

/// `values` as a line of `width` letters, from 0 to `highest`.
pub(crate) fn sparkline(values: &[f64], highest: f64, width: usize) -> String {
    const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let letter = |column: usize| {
        let middle = (column as f64 + 0.5) / width as f64;
        let value = values.get(cell(middle, values.len()))?;
        // The middle of a level, so that the peak alone is full.
        let share = value / highest * (1.0 - 0.5 / LEVELS.len() as f64);
        Some(LEVELS[cell(share, LEVELS.len())])
    };
    (0..width).filter_map(letter).collect()
}

/// The labels of the learning-rate axis, those that do not overlap.
fn tick_line(x: &Axis, columns: usize, margin: usize) -> String {
    let mut line = vec![' '; margin + columns + 6];
    let mut free = 0;
    for (lr, label) in &x.ticks {
        let middle = margin + cell(x.share(*lr), columns);
        let start = middle.saturating_sub(label.len() / 2);
        if start >= free && start + label.len() <= line.len() {
            for (place, letter) in line[start..].iter_mut().zip(label.chars()) {
                *place = letter;
            }
            free = start + label.len() + 1;
        }
    }
    let mut line: String = line.into_iter().collect();
    line.truncate(line.trim_end().len());
    line.push('\n');
    line
}

/// `points` with enough in between for an unbroken line of `count` dots.
fn dense(points: &[(f64, f64)], count: usize, x: &Axis) -> Vec<(f64, f64)> {
    let mut all: Vec<(f64, f64)> =
        points.first().copied().into_iter().collect();
    for pair in points.windows(2) {
        let [(lr, loss), (next_lr, next_loss)] = [pair[0], pair[1]];
        let span = (x.share(next_lr) - x.share(lr)).abs();
        // A steep part needs dots down its whole height.
        let steps = cell(span, count).max(16);
        for i in 1..=steps {
            let share = i as f64 / steps as f64;
            all.push((
                lr * (next_lr / lr).powf(share),
                loss + share * (next_loss - loss),
            ));
        }
    }
    all
}

/// Bit of a braille letter, 2 across and 4 down.
fn dot(across: usize, down: usize) -> u8 {
    const BITS: [[u8; 2]; 4] =
        [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
    BITS[down][across]
}

/// Which of `count` equal cells `share` in `[0, 1]` falls into.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the cells"
)]
fn cell(share: f64, count: usize) -> usize {
    let last = count as f64 - 1.0;
    (share * count as f64).floor().clamp(0.0, last) as usize
}
