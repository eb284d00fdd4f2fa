//! Schedules from the gradient norms of a run.

/// Factors on the peak, the highest of them 1, from the gradient norm of
/// every update of a run.
///
/// With `w_t = G_t^-power` the factor is in proportion to `w_t (w_(t+1) + ... +
/// w_(T-1))`: where gradients are large, as at the start, rates are low, and at
/// the end they fall to 0, in a straight line if the norms are constant.
/// `power` is 2 for SGD on L2 norms, 1 for Adam on L1 norms. Norms are smoothed
/// over the share `tau` of the run before.
///
/// Source: Defazio et al., *Optimal Linear Decay Learning Rate Schedules and
/// Further Refinements* (2023), section 3.
pub(super) fn factors(norms: &[f64], tau: f64, power: i32) -> Vec<f64> {
    let smooth = medians(norms, tau);
    // The unit of the norms does not change the factors; this one keeps a norm
    // of 0 from having an infinite weight.
    let highest = smooth.iter().copied().fold(0.0, f64::max);
    let weight = |norm: f64| (norm / highest).max(1e-6).powi(-power);
    let weights: Vec<f64> = smooth.into_iter().map(weight).collect();
    let mut later = 0.0;
    let mut factors = vec![0.0; weights.len()];
    for (factor, weight) in factors.iter_mut().zip(&weights).rev() {
        *factor = weight * later;
        later += weight;
    }
    let top = factors.iter().copied().fold(0.0, f64::max);
    if !(top > 0.0 && top.is_finite()) {
        // A single update, or norms that say nothing.
        return vec![1.0; weights.len()];
    }
    factors.into_iter().map(|factor| factor / top).collect()
}

/// The median around each norm, over the share `tau` of them. Before the start
/// the first norm is repeated; beyond the end the run is mirrored.
fn medians(norms: &[f64], tau: f64) -> Vec<f64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "half a run's length, 0 or more"
    )]
    let half = (tau * norms.len() as f64 / 2.0) as usize;
    let last = norms.len().saturating_sub(1);
    let at = |i: usize| {
        // Shifted by `half`, so that no index is below 0.
        let i = i.saturating_sub(half);
        norms[if i > last { (2 * last).saturating_sub(i) } else { i }]
    };
    let median = |middle: usize| {
        let mut window: Vec<f64> =
            (middle..=middle + 2 * half).map(at).collect();
        window.sort_by(f64::total_cmp);
        window[half]
    };
    (0..norms.len()).map(median).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_shares(norms: &[f64], power: i32, want: &[f64]) {
        let got = factors(norms, 0.0, power);
        let top = want.iter().copied().fold(0.0, f64::max);
        for (got, want) in got.iter().zip(want) {
            assert!((got - want / top).abs() < 1e-5, "{got} is not {want}");
        }
    }

    #[test]
    fn steady_norms_give_the_straight_line() {
        for power in [1, 2] {
            assert_shares(&[3.0; 5], power, &[0.8, 0.6, 0.4, 0.2, 0.0]);
        }
    }

    #[test]
    fn falling_norms_give_a_rise_of_their_own() {
        let norms = [4.0, 2.0, 1.0, 1.0, 2.0];
        let sgd = [0.060_976, 0.219_512, 0.487_805, 0.097_561, 0.0];
        assert_shares(&norms, 2, &sgd);
        let adam = [0.230_769, 0.384_615, 0.461_538, 0.153_846, 0.0];
        assert_shares(&norms, 1, &adam);
    }

    #[test]
    fn medians_take_out_a_spike_and_keep_the_ends() {
        let norms = [1.0, 1.0, 9.0, 1.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let smooth = medians(&norms, 0.3);
        assert_eq!(smooth[..4], [1.0, 1.0, 1.0, 1.0]);
        assert_eq!(smooth[7..], [4.0, 5.0, 5.0]);
    }

    #[test]
    fn norms_that_say_nothing_hold_the_peak() {
        assert_eq!(factors(&[2.0], 0.1, 2), [1.0]);
        assert_eq!(factors(&[], 0.1, 2), [0.0; 0]);
        let all = factors(&[0.0, 0.0, 0.0], 0.1, 2);
        assert!(all.iter().all(|f| (0.0..=1.0).contains(f)), "{all:?}");
    }
}
