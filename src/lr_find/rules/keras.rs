//! Finders for Keras: `surmenok/keras_lr_finder` at 3c8fe71, and ktrain.

use super::{Suggestion, argmin, averaged, trimmed, unit_gradient};

/// Steps over which `keras_lr_finder` takes its differences.
const SMA: usize = 20;

/// Steps at the start that cannot stop `keras_lr_finder`.
const EXEMPT: usize = 6;

/// A loss below this is a first best one.
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
    let above = lr.iter().skip(1).position(|&lr| lr > KTRAIN_HIGHEST);
    let rows = above.map_or(lr.len(), |at| at + 1).min(loss.len());
    averaged(&loss[..rows], BETA, 1)
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
