//! `PyTorch` Lightning: `Tuner.lr_find` and `suggestion`.

use super::{Suggestion, argmin, averaged, single, trimmed, unit_gradient};

/// Weight of the past in the recorded loss.
const BETA: f64 = 0.98;

/// Rows that `suggestion` leaves out at the start and at the end.
const SKIP: (usize, usize) = (10, 1);

/// Rows left after trimming that are finite as singles: row of the file, rate
/// and loss.
fn finite_rows(lr: &[f64], loss: &[f64]) -> Vec<(usize, f32, f32)> {
    // The bias correction is one update ahead, so the first value is half
    // the loss.
    let recorded = averaged(loss, BETA, 2);
    let kept = trimmed(&recorded, SKIP.0, SKIP.1).iter();
    kept.enumerate()
        .map(|(i, &loss)| (SKIP.0 + i, single(lr[SKIP.0 + i]), single(loss)))
        .filter(|(_, _, loss)| loss.is_finite())
        .collect()
}

/// Since 2.5.3: the steepest fall per *rate*, which on an exponential ladder
/// pulls the answer to the smallest rates.
pub(super) fn per_rate(lr: &[f64], loss: &[f64]) -> Option<Suggestion> {
    let rows = finite_rows(lr, loss);
    let steepest = argmin(&gradient_over_rate(&rows)?)?;
    let index = rows[steepest].0;
    Some(Suggestion { index, lr: lr[index] })
}

/// Up to 2.5.2: the steepest fall per step. Rows dropped for a loss that is
/// not finite shift the answer, as there.
pub(super) fn per_step(lr: &[f64], loss: &[f64]) -> Option<Suggestion> {
    let rows = finite_rows(lr, loss);
    let losses: Vec<f32> = rows.iter().map(|row| row.2).collect();
    let index = argmin(&unit_gradient(&losses)?)? + SKIP.0;
    Some(Suggestion { index, lr: lr[index] })
}

/// torch's `gradient` with coordinates: second order at uneven spacing,
/// one-sided at the ends, with its order of operations. `None` below two
/// rows.
fn gradient_over_rate(rows: &[(usize, f32, f32)]) -> Option<Vec<f32>> {
    let last = rows.len().checked_sub(1).filter(|&last| last > 0)?;
    let between = |i: usize| {
        let ((_, x0, y0), (_, x1, y1)) = (rows[i], rows[i + 1]);
        (x1 - x0, y1 - y0)
    };
    let slope = |i: usize| {
        if i == 0 || i == last {
            let (dx, dy) = between(i.min(last - 1));
            return dy / dx;
        }
        let ((left, _), (right, _)) = (between(i - 1), between(i));
        let a = -right / (left * (left + right));
        let b = (right - left) / (left * right);
        let c = left / (right * (left + right));
        a * rows[i - 1].2 + b * rows[i].2 + c * rows[i + 1].2
    };
    Some((0..=last).map(slope).collect())
}
