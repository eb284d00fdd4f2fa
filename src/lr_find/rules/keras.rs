//! Finders for Keras: `surmenok/keras_lr_finder` at 3c8fe71, and ktrain.

use super::{Suggestion, argmin, correction, trimmed, unit_gradient};

/// Steps over which `keras_lr_finder` takes its differences.
const SMA: usize = 20;

/// Steps at the start that cannot stop `keras_lr_finder`.
const EXEMPT: usize = 6;

/// Both tools take a loss below this for a first best one.
const WORST: f64 = 1e9;

/// Weight of the past in ktrain's loss.
const BETA: f64 = 0.98;

/// Highest rate that ktrain sets.
const KTRAIN_HIGHEST: f64 = 10.0;

/// Losses that ktrain leaves out at the start of its gradient.
const KTRAIN_SKIP: usize = 32;

/// The steepest fall over 20 steps, at its right end, on raw losses, without
/// 10 rows at the start and 5 at the end. A curve shorter than 20 rows has
/// slopes of zero, so the first row left is the answer.
pub(super) fn keras_lr_finder(lr: &[f64], loss: &[f64]) -> Option<Suggestion> {
    let mut best = WORST;
    let mut kept = 0;
    for (i, &loss) in loss.iter().enumerate() {
        kept = i + 1;
        if i >= EXEMPT && (loss.is_nan() || loss > 4.0 * best) {
            break;
        }
        if loss < best {
            best = loss;
        }
    }
    let fall = |i: usize| match i.checked_sub(SMA) {
        Some(before) => (loss[i] - loss[before]) / SMA as f64,
        None => 0.0,
    };
    let falls: Vec<f64> = (0..kept.max(SMA)).map(fall).collect();
    let at = argmin(trimmed(&falls, 10, 5))?;
    let lr = *trimmed(&lr[..kept], 10, 5).get(at)?;
    Some(Suggestion { index: 10 + at, lr })
}

/// Smoothed losses up to ktrain's stop: at four times the best, or before a
/// rate above 10.
fn ktrain_recorded(lr: &[f64], loss: &[f64]) -> Vec<f64> {
    let mut average = 0.0;
    let mut best = WORST;
    let mut shown = vec![];
    for (i, (&lr, &loss)) in lr.iter().zip(loss).enumerate() {
        if i > 0 && lr > KTRAIN_HIGHEST {
            break;
        }
        average = BETA * average + (1.0 - BETA) * loss;
        let smooth = average / correction(BETA, i + 1);
        shown.push(smooth);
        if i > 0 && smooth > 4.0 * best {
            break;
        }
        if smooth < best || i == 0 {
            best = smooth;
        }
    }
    shown
}

/// The steepest fall per step between row 32 and the lowest loss. ktrain
/// forgets to add the 32 again, so its answer is 32 rows too far left.
pub(super) fn ktrain_gradient(lr: &[f64], loss: &[f64]) -> Option<Suggestion> {
    let recorded = ktrain_recorded(lr, loss);
    let lowest = argmin(&recorded)?;
    let falling = recorded.get(KTRAIN_SKIP..lowest)?;
    let index = argmin(&unit_gradient(falling)?)?;
    Some(Suggestion { index, lr: lr[index] })
}

/// A tenth of the rate at the lowest loss.
pub(super) fn ktrain_min10(lr: &[f64], loss: &[f64]) -> Option<Suggestion> {
    let index = argmin(&ktrain_recorded(lr, loss))?;
    Some(Suggestion { index, lr: lr[index] / 10.0 })
}
