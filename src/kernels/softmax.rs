//! Softmax with cross-entropy.

use super::activation::exp;
use super::vectorised;

/// A target that is not counted: padding.
pub(crate) const IGNORED: u32 = u32::MAX;

/// The largest of a row, NaN if one is (`f32::max` would drop it).
#[inline(always)]
fn largest(row: &[f32]) -> f32 {
    row.iter().fold(f32::NEG_INFINITY, |most, &x| {
        if x > most || x.is_nan() { x } else { most }
    })
}

vectorised! {
    /// Mean cross-entropy of `logits` `(n, classes)` against `targets` and, in
    /// `gradient`, its derivative with respect to the logits. [`IGNORED`]
    /// targets do not count. A target beyond the classes gives NaN.
    fn cross_entropy(
        logits: &[f32],
        targets: &[u32],
        classes: usize,
        gradient: &mut [f32],
    ) -> f32 {
        let counted = targets.iter().filter(|&&t| t != IGNORED).count();
        let share = 1.0 / counted as f32;
        let mut total = 0.0_f64;
        let rows =
            logits.chunks_exact(classes).zip(gradient.chunks_exact_mut(classes));
        for (row, gradient) in rows {
            let most = largest(row);
            for (g, &x) in gradient.iter_mut().zip(row) {
                *g = x - most;
            }
        }
        // All rows at once: a row alone is too short for vectors.
        for g in gradient.iter_mut() {
            *g = exp(*g);
        }
        let rows =
            logits.chunks_exact(classes).zip(gradient.chunks_exact_mut(classes));
        for ((row, gradient), &target) in rows.zip(targets) {
            if target == IGNORED {
                gradient.fill(0.0);
                continue;
            }
            let most = largest(row);
            let mut sum = 0.0;
            for g in gradient.iter() {
                sum += *g;
            }
            let factor = share / sum;
            for g in gradient.iter_mut() {
                *g *= factor;
            }
            let target = target as usize;
            let logit = row.get(target).copied().unwrap_or(f32::NAN);
            if let Some(g) = gradient.get_mut(target) {
                *g -= share;
            }
            total += f64::from(sum.ln() - (logit - most));
        }
        #[expect(clippy::cast_possible_truncation, reason = "a mean loss")]
        let mean = (total / counted as f64) as f32;
        mean
    }
}
