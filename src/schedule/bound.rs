//! A bound on the loss after convex training, from the rates alone.

/// What the convex bound says about a schedule's shape.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Bound {
    /// The bound at the best peak; lower is better.
    pub omega: f64,
    /// The peak at which the bound is reached. On a real model only its ratio
    /// to another schedule's peak is meaningful: how much higher or lower the
    /// best peak is expected to be.
    pub peak: f64,
}

/// The last-iterate bound of the rates `factors`, at distance 1 from the
/// optimum and gradients of norm 1.
///
/// For rates `gamma eta_t` the bound is `t1 / gamma + gamma (t2 + t3)` with `t1
/// = 1 / 2S`, `t2 = Q_1 / 2S` and `t3 = 1/2 sum_k (eta_k / A_(k+1)) (Q_k /
/// A_k)` over k below T, where `A_k` and `Q_k` are the sums of the rates and of
/// their squares from k on and `S = A_1`; the best gamma is `sqrt(t1 / (t2 +
/// t3))`. Rates of 0 count as 1e-12, because the bound divides by the sum of
/// the remaining rates. It captures neither the benefit of a warm-up nor
/// overfitting.
///
/// `None` without a rate, or with one that is negative or not finite.
///
/// ```
/// use lrscout::bound;
///
/// let constant = bound(&[1.0; 100]).expect("rates");
/// let linear: Vec<f64> = (0..100).map(|t| 1.0 - t as f64 / 100.0).collect();
/// let linear = bound(&linear).expect("rates");
/// assert!(linear.omega < constant.omega);
/// assert!(linear.peak > constant.peak);
/// ```
///
/// Source: Defazio et al., *Optimal Linear Decay Learning Rate Schedules and
/// Further Refinements* (2023), theorem 10, as used by Schaipp et al. (2025).
pub fn bound(factors: &[f64]) -> Option<Bound> {
    if factors.is_empty() || factors.iter().any(|f| f.is_nan() || *f < 0.0) {
        return None;
    }
    // From the end, so that the sums over later updates are known.
    let (mut sum, mut squares, mut t3) = (0.0, 0.0, 0.0);
    for &factor in factors.iter().rev() {
        let eta = factor.max(1e-12);
        let later = sum;
        sum += eta;
        squares += eta * eta;
        if later > 0.0 {
            t3 += eta / later * (squares / sum) / 2.0;
        }
    }
    let t1 = 0.5 / sum;
    let rest = squares / (2.0 * sum) + t3;
    let found =
        Bound { omega: 2.0 * (t1 * rest).sqrt(), peak: (t1 / rest).sqrt() };
    (found.omega.is_finite() && found.peak.is_finite()).then_some(found)
}
