//! What the digits of losses say. Most frameworks compute losses in single
//! precision and average them in double precision: the numbers of which the
//! averages are made have few binary digits, and only the right average shows
//! them.

use super::finite;
use crate::stats::average::{Average, Start};
use crate::stats::robust::median;

/// Binary digits of a loss: 24 of a single, and some for the sum of several.
const BITS: i32 = 30;

/// Fewest losses that decide.
const FEWEST: usize = 8;

/// Share of the losses that must agree.
const AGREE: f64 = 0.9;

/// Largest chance that a number has few digits by accident, for it to count.
const BY_CHANCE: f64 = 0.01;

/// Values that the first one is compared with.
const NEXT: usize = 8;

/// Whether all `losses` are single-precision numbers, written in full.
pub(super) fn are_single(losses: &[f64]) -> bool {
    let finite = finite(losses);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::float_cmp,
        reason = "whether rounding changes it is the question"
    )]
    let is_single = |loss: &f64| f64::from(*loss as f32) == *loss;
    finite.len() >= FEWEST && finite.iter().all(is_single)
}

/// The average of numbers with few binary digits that `losses` are, if they
/// are one, with a weight of whole per cents.
pub(super) fn average_of(losses: &[f64]) -> Option<Average> {
    let candidates: Vec<Average> = candidates().collect();
    one_of(&candidates, losses)
}

/// The one of `averages`, of numbers with few binary digits, that `losses`
/// are, if they are one.
pub(super) fn one_of(averages: &[Average], losses: &[f64]) -> Option<Average> {
    let is_right = |average: &Average| is_made_of_few(*average, losses);
    let right: Vec<Average> =
        averages.iter().copied().filter(is_right).collect();
    // Only the first value tells a start at 0 from one at the first loss. Of
    // a file that lacks its first rows, it is none of either.
    let starts_right = |average: &&Average| {
        let (value, loss) = (average.undo(&losses[..1])[0], losses[0]);
        let tolerance = 4.0 * f64::EPSILON * value.abs();
        few_bits(value, if value == loss { 0.0 } else { tolerance })
    };
    // A loss divided by ten may have few digits, too.
    let jump = |average: &Average| {
        let values = average.undo(losses);
        let next = values[1..].iter().copied().filter(|v| v.is_finite());
        let level = median(next.take(NEXT).collect()).unwrap_or(0.0);
        (values[0] - level).abs()
    };
    let started = right.iter().filter(starts_right);
    let smoothest = started.min_by(|a, b| jump(a).total_cmp(&jump(b)));
    smoothest.or(right.first()).copied()
}

fn candidates() -> impl Iterator<Item = Average> {
    (1..100).flat_map(|percent| {
        let new = f64::from(percent) / 100.0;
        // Which weight a tool writes as a number decides about rounding.
        let other = f64::from(100 - percent) / 100.0;
        let started = [
            Start::Zero,
            Start::Corrected { ahead: 0 },
            Start::Corrected { ahead: 1 },
        ]
        .map(|start| Average::Exponential {
            new: 1.0 - other,
            past: other,
            start,
        });
        std::iter::once(Average::since_first(new)).chain(started)
    })
}

fn is_made_of_few(average: Average, losses: &[f64]) -> bool {
    let values = average.undo(losses);
    let gain = average.gain(losses.len());
    let (mut counted, mut agree) = (0, 0);
    for row in 1..losses.len() {
        let (before, loss, value) = (losses[row - 1], losses[row], values[row]);
        if !(before.is_finite() && value.is_finite()) {
            continue;
        }
        // A few roundings of an average, in the value; at the start those of
        // the correction are larger.
        let early = 1.0 + 1.0 / (row + 1) as f64 / 0.02;
        let tolerance =
            4.0 * f64::EPSILON * early * gain * (loss.abs() + before.abs());
        let unit = unit(value);
        let usable = unit > 0.0 && 2.0 * tolerance / unit < BY_CHANCE;
        // A single itself says nothing: weights like 0.5 keep it one.
        if !usable || few_bits(loss, 0.0) {
            continue;
        }
        counted += 1;
        agree += usize::from(few_bits(value, tolerance));
    }
    counted >= FEWEST && agree as f64 >= AGREE * counted as f64
}

/// Value of the last of [`BITS`] binary digits of `value`.
fn unit(value: f64) -> f64 {
    2.0_f64.powf(value.abs().log2().floor() + 1.0) * 2.0_f64.powi(-BITS)
}

/// Whether `value` is within `tolerance` of a number with few binary digits.
fn few_bits(value: f64, tolerance: f64) -> bool {
    let unit = unit(value);
    (value - (value / unit).round() * unit).abs() <= tolerance
}
