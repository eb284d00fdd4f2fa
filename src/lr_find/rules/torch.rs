//! torch-lr-finder 0.2.2 and ignite's `FastaiLRFinder`, which smooth and stop
//! alike.

use super::{Suggestion, argmin, single, trimmed, unit_gradient};

/// Weight of the new loss in the recorded one.
const NEW: f64 = 0.05;

/// Recorded losses up to the stop at five times the best. A NaN stays in the
/// average and never stops it.
fn recorded(loss: &[f64]) -> Vec<f64> {
    let mut shown: Vec<f64> = vec![];
    let mut best = f64::INFINITY;
    for &loss in loss {
        let smooth = match shown.last() {
            Some(past) => NEW * loss + (1.0 - NEW) * past,
            None => loss,
        };
        // As written there: a first loss of NaN makes the best one NaN.
        if shown.is_empty() || smooth < best {
            best = smooth;
        }
        shown.push(smooth);
        if smooth > 5.0 * best {
            break;
        }
    }
    shown
}

/// The steepest fall per step, without 10 rows at the start and 5 at the end.
/// After a NaN numpy's `argmin` points at its edge.
pub(super) fn torch_lr_finder(lr: &[f64], loss: &[f64]) -> Option<Suggestion> {
    let recorded = recorded(loss);
    let index = 10 + argmin(&unit_gradient(trimmed(&recorded, 10, 5))?)?;
    Some(Suggestion { index, lr: lr[index] })
}

/// The steepest fall per step up to the lowest loss, in single precision; no
/// answer if that leaves fewer than three rows.
pub(super) fn ignite(lr: &[f64], loss: &[f64]) -> Option<Suggestion> {
    let recorded: Vec<f32> = recorded(loss).into_iter().map(single).collect();
    let falling = &recorded[..=argmin(&recorded)?];
    let slopes: Vec<f32> =
        falling.windows(3).map(|w| 0.5 * (w[2] - w[0])).collect();
    let index = 1 + argmin(&slopes)?;
    Some(Suggestion { index, lr: lr[index] })
}
