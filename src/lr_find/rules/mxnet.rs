//! The range test of Apache `MXNet`'s Gluon tutorial.

use super::Suggestion;

/// Weight of the past in the running mean.
const PAST: f64 = 0.3;

/// Updates before which it does not stop.
const FEWEST: usize = 20;

/// The row at which `LRFinderStoppingCriteria` stops: the running mean of the
/// loss exceeds twice the first one. `None` if it never does.
pub(super) fn stop(lr: &[f64], loss: &[f64]) -> Option<Suggestion> {
    let first = *loss.first()?;
    let mut mean = first;
    for (index, (&lr, &loss)) in lr.iter().zip(loss).enumerate() {
        if index > 0 {
            mean = (1.0 - PAST) * loss + PAST * mean;
        }
        if mean > 2.0 * first && index + 1 >= FEWEST {
            return Some(Suggestion { index, lr });
        }
    }
    None
}
