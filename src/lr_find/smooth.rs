//! Smoothing without lag, and how noisy a curve is.
//!
//! An exponential average shows each loss late, by more decades the fewer
//! updates a decade has, so its minimum lies too far right. A kernel that is
//! symmetric in the logarithm of the rate has no lag, and a width in decades
//! makes curves of different lengths alike.

/// Half width of the kernel, in decades of learning rate.
const HALF_WIDTH: f64 = 0.5;

/// Fewest rungs in half a width, for short ladders.
const FEWEST_RUNGS: f64 = 2.5;

/// Kernel weights for one ladder, to smooth many curves on it.
pub(super) struct Smoother {
    /// For each row the first row under its kernel, and the weights, which
    /// sum to 1. At the ends the kernel is cut and renormalised.
    rows: Vec<(usize, Vec<f64>)>,
}

impl Smoother {
    /// The smoother for updates at these `log10` rates.
    pub(super) fn new(log_lr: &[f64]) -> Self {
        let rungs = log_lr.len().saturating_sub(1).max(1) as f64;
        let low = log_lr.iter().copied().fold(f64::INFINITY, f64::min);
        let high = log_lr.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let width = HALF_WIDTH.max(FEWEST_RUNGS * (high - low) / rungs);
        let rows = (0..log_lr.len()).map(|i| kernel(log_lr, i, width));
        Self { rows: rows.collect() }
    }

    /// `values` under the kernel; all finite.
    pub(super) fn smooth(&self, values: &[f64]) -> Vec<f64> {
        let mean = |(first, weights): &(usize, Vec<f64>)| {
            let under = values[*first..].iter().zip(weights);
            under.map(|(value, weight)| value * weight).sum()
        };
        self.rows.iter().map(mean).collect()
    }

    /// Standard error of the smoothed value of a row, as a share of the
    /// noise of the raw ones.
    pub(super) fn error_share(&self, row: usize) -> f64 {
        let (_, weights) = &self.rows[row];
        weights.iter().map(|weight| weight * weight).sum::<f64>().sqrt()
    }
}

/// Epanechnikov's kernel around row `i`.
fn kernel(log_lr: &[f64], i: usize, width: f64) -> (usize, Vec<f64>) {
    let weight = |&x: &f64| {
        let distance = (x - log_lr[i]) / width;
        1.0 - distance * distance
    };
    let left = log_lr[..i].iter().rev().map(weight);
    let left = left.take_while(|&w| w > 0.0).count();
    let first = i - left;
    let weights = log_lr[first..].iter().map(weight);
    let right = weights.clone().skip(left).take_while(|&w| w > 0.0).count();
    let weights: Vec<f64> = weights.take(left + right).collect();
    let sum: f64 = weights.iter().sum();
    (first, weights.iter().map(|weight| weight / sum).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_a_line_inside_and_a_constant_everywhere() {
        let x: Vec<f64> = (0..80).map(|i| f64::from(i) * 0.1 - 7.0).collect();
        let smoother = Smoother::new(&x);
        let line = smoother.smooth(&x);
        for i in 5..75 {
            assert!((line[i] - x[i]).abs() < 1e-12, "row {i}");
        }
        let flat = smoother.smooth(&[3.0; 80]);
        assert!(flat.iter().all(|y| (y - 3.0).abs() < 1e-12));
    }
}
