//! fastai 2.8.12: `Learner.lr_find` and its four rules.

use super::{Suggestion, argmin, correction, single, unit_gradient};

/// Weight of the past in the shown loss.
const BETA: f64 = 0.98;

/// Distance of the two slopes that `slide` compares.
const SLIDE_ROWS: usize = 15;

/// Largest difference of slopes that `slide` accepts; in units of the loss,
/// so the answer depends on its scale.
const SLIDE_THRESHOLD: f32 = 0.005;

/// What the rules see: the recorded rows without a tenth at the start and
/// five at the end, in single precision, up to the first NaN.
struct Shown {
    /// Row of the file of the first one.
    first: usize,
    lr: Vec<f32>,
    loss: Vec<f32>,
}

impl Shown {
    fn of(lr: &[f64], loss: &[f64]) -> Self {
        let recorded = recorded(loss);
        let first = lr.len() / 10;
        let end = recorded.len().saturating_sub(5).max(first);
        let nan = recorded.iter().skip(first).position(|loss| loss.is_nan());
        let end = nan.map_or(end, |at| end.min(first + at));
        let rows = first.min(end)..end;
        Self {
            first,
            lr: lr
                .get(rows.clone())
                .unwrap_or_default()
                .iter()
                .map(|&lr| single(lr))
                .collect(),
            loss: recorded.get(rows).unwrap_or_default().to_vec(),
        }
    }

    fn answer(&self, i: usize) -> Option<Suggestion> {
        let lr = f64::from(*self.lr.get(i)?);
        Some(Suggestion { index: self.first + i, lr })
    }
}

/// Smoothed losses up to where `LRFinder` stops: at four times the best.
/// Smoothing is torch's `lerp` on singles, which rounds once.
fn recorded(loss: &[f64]) -> Vec<f32> {
    let new = 1.0 - single(BETA);
    let mut average = 0.0_f32;
    let mut best = f32::INFINITY;
    let mut shown = vec![];
    for (i, &loss) in loss.iter().enumerate() {
        average = (single(loss) - average).mul_add(new, average);
        let smooth = average / single(correction(BETA, i + 1));
        shown.push(smooth);
        if smooth < best {
            best = smooth;
        }
        if smooth > 4.0 * best {
            break;
        }
    }
    shown
}

/// About halfway along the longest strictly decreasing subsequence. The start
/// is taken as its end minus its length, which is too far right where it has
/// gaps. For a length of 2 at the very start that is row -1: the last row, as
/// Python indexes it.
pub(super) fn valley(lr: &[f64], loss: &[f64]) -> Option<Suggestion> {
    let shown = Shown::of(lr, loss);
    let losses = &shown.loss;
    let mut lengths: Vec<usize> = vec![];
    let mut end = 0;
    for (i, loss) in losses.iter().enumerate() {
        let before = lengths.iter().zip(losses).filter(|(_, l)| loss < l);
        let longest = before.map(|(&length, _)| length).max().unwrap_or(0);
        lengths.push(longest + 1);
        if lengths[i] > lengths[end] {
            end = i;
        }
    }
    let length = *lengths.get(end)?;
    if length == 1 {
        return shown.answer(0);
    }
    let index = (end + length / 3 + length / 6).checked_sub(length);
    shown.answer(index.unwrap_or(losses.len() - 1))
}

/// Slides two slopes 15 rows apart down from the right until they agree.
pub(super) fn slide(lr: &[f64], loss: &[f64]) -> Option<Suggestion> {
    let shown = Shown::of(lr, loss);
    let slopes = unit_gradient(&shown.loss)?;
    let mut left = slopes.len().checked_sub(SLIDE_ROWS + 1)?;
    let mut answer = left;
    while (slopes[left + SLIDE_ROWS] - slopes[left]).abs() > SLIDE_THRESHOLD {
        answer = left;
        match left.checked_sub(1) {
            Some(next) => left = next,
            None => break,
        }
    }
    shown.answer(answer)
}

/// A tenth of the rate at the lowest loss.
pub(super) fn minimum(lr: &[f64], loss: &[f64]) -> Option<Suggestion> {
    let shown = Shown::of(lr, loss);
    let found = shown.answer(argmin(&shown.loss)?)?;
    Some(Suggestion { lr: found.lr / 10.0, ..found })
}

/// The left end of the steepest segment over the log rate.
pub(super) fn steep(lr: &[f64], loss: &[f64]) -> Option<Suggestion> {
    let shown = Shown::of(lr, loss);
    let logs: Vec<f32> = shown.lr.iter().map(|lr| lr.ln()).collect();
    let falls = shown.loss.windows(2).zip(logs.windows(2));
    let slopes: Vec<f32> =
        falls.map(|(l, x)| (l[1] - l[0]) / (x[1] - x[0])).collect();
    shown.answer(argmin(&slopes)?)
}
