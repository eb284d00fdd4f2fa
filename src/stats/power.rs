//! What a study of a given size can show, and what size it takes.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};
use statrs::function::gamma::ln_gamma;

/// Most workloads that the search for a sufficient number tries: beyond, `2^-n`
/// is 0 in `f64`.
const MOST: usize = 1000;

/// Smallest two-sided p that the exact signed-rank test can give for `n`
/// pairs, `2 / 2^n`.
pub(crate) fn smallest_wilcoxon_p(n: usize) -> f64 {
    let n = i32::try_from(n).unwrap_or(i32::MAX);
    (2.0 * 0.5_f64.powi(n)).min(1.0)
}

/// Workloads (clusters) needed before any of `comparisons` Wilcoxon tests can
/// fall below `alpha` after Holm's correction.
pub(crate) fn workloads_needed(comparisons: usize, alpha: f64) -> usize {
    let comparisons = comparisons.max(1) as f64;
    (1..MOST)
        .find(|&n| smallest_wilcoxon_p(n) * comparisons < alpha)
        .unwrap_or(MOST)
}

/// The chance that Student's two-sided paired test at level `alpha` rejects,
/// with `pairs` pairs whose mean difference is `effect` standard deviations;
/// `None` for fewer than two pairs or an effect that is NaN.
///
/// The noncentral t distribution by quadrature over the estimated standard
/// deviation `u`, `P(T > c) = ∫ Φ(d √n - c u) f(u) du`.
///
/// Source: Cohen, *Statistical Power Analysis for the Behavioral Sciences*
/// (1988), section 2.3.
pub(crate) fn paired_power(
    effect: f64,
    pairs: usize,
    alpha: f64,
) -> Option<f64> {
    /// Intervals of Simpson's rule.
    const PARTS: u32 = 4_000;
    if pairs < 2 || !effect.is_finite() {
        return None;
    }
    let n = pairs as f64;
    let freedom = n - 1.0;
    let normal = Normal::new(0.0, 1.0).ok()?;
    let student = StudentsT::new(0.0, 1.0, freedom).ok()?;
    let critical = student.inverse_cdf(1.0 - alpha / 2.0);
    let shift = effect * n.sqrt();
    // Beyond this, chi² with `freedom` degrees has a weight of less than 1e-12.
    let most =
        ((freedom + 10.0 * (2.0 * freedom).sqrt() + 60.0) / freedom).sqrt();
    let scale = 2.0_f64.ln() + freedom / 2.0 * (freedom / 2.0).ln()
        - ln_gamma(freedom / 2.0);
    let integrand = |u: f64| {
        let outside = normal.cdf(shift - critical * u)
            + normal.cdf(-shift - critical * u);
        // u to the power 0 is 1 at 0 also.
        let power = if freedom > 1.0 { (freedom - 1.0) * u.ln() } else { 0.0 };
        outside * (scale + power - freedom * u * u / 2.0).exp()
    };
    let step = most / f64::from(PARTS);
    let sum: f64 = (0..=PARTS)
        .map(|i| {
            let weight = match i {
                0 | PARTS => 1.0,
                i if i % 2 == 1 => 4.0,
                _ => 2.0,
            };
            weight * integrand(f64::from(i) * step)
        })
        .sum();
    Some((sum * step / 3.0).min(1.0))
}

/// Pairs needed for a power of `wanted`; `None` if more than 1000 are needed,
/// as without an effect.
pub(crate) fn pairs_needed(
    effect: f64,
    alpha: f64,
    wanted: f64,
) -> Option<usize> {
    let enough = |pairs: usize| {
        paired_power(effect, pairs, alpha).is_some_and(|p| p >= wanted)
    };
    if !enough(MOST) {
        return None;
    }
    // Power grows with the pairs, so the first that is enough is between.
    let (mut low, mut high) = (1, MOST);
    while high - low > 1 {
        let middle = usize::midpoint(low, high);
        if enough(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(high)
}

/// Clusters that give the signed-rank test a power of 80 % against a difference
/// of `effect` standard deviations, at `alpha` shared by `tests` tests; `None`
/// if more than about 1000 are needed.
///
/// Against a normal shift the test needs π / 3 times the pairs of Student's
/// (Lehmann, *Nonparametrics*, 1975, section 2.4), and never fewer than the
/// correction leaves anything to reject with.
pub(crate) fn clusters_needed(
    effect: f64,
    tests: usize,
    alpha: f64,
) -> Option<usize> {
    let share = alpha / tests.max(1) as f64;
    let pairs = pairs_needed(effect, share, 0.8)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most a little over a thousand"
    )]
    let wanted = (pairs as f64 * std::f64::consts::PI / 3.0).ceil() as usize;
    Some(wanted.max(workloads_needed(tests, alpha)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn statsmodels_numbers() {
        let golden: Value = serde_json::from_str(include_str!(
            "../../tests/golden/inference-oracles.json"
        ))
        .expect("valid JSON");
        let number =
            |case: &Value, key: &str| case[key].as_f64().expect("a number");
        let count = |case: &Value| {
            usize::try_from(case["n"].as_u64().expect("a count"))
                .expect("small")
        };
        for case in golden["power"].as_array().expect("cases") {
            let (effect, alpha) =
                (number(case, "effect"), number(case, "alpha"));
            let ours = paired_power(effect, count(case), alpha);
            let ours = ours.expect("two pairs at least");
            assert!(
                (ours - number(case, "power")).abs() < 1e-9,
                "{ours}, {case}"
            );
        }
        for case in golden["pairs_needed"].as_array().expect("cases") {
            let ours = pairs_needed(
                number(case, "effect"),
                number(case, "alpha"),
                number(case, "power"),
            );
            assert_eq!(ours, Some(count(case)), "{case}");
        }
    }

    #[test]
    fn clusters_are_those_of_student_times_a_little() {
        // 34 pairs, times π / 3.
        assert_eq!(clusters_needed(0.5, 1, 0.05), Some(36));
        assert_eq!(clusters_needed(9.0, 9, 0.05), Some(9));
        assert_eq!(clusters_needed(0.0, 9, 0.05), None);
    }

    #[test]
    fn no_effect_is_found_at_the_rate_of_false_alarms() {
        let power = paired_power(0.0, 9, 0.05).expect("nine pairs");
        assert!((power - 0.05).abs() < 1e-9, "{power}");
        assert_eq!(pairs_needed(0.0, 0.05, 0.8), None);
        assert_eq!(paired_power(1.0, 1, 0.05), None);
    }

    #[test]
    fn smallest_p_is_one_sign_pattern_of_two_to_the_n() {
        assert_eq!(smallest_wilcoxon_p(0), 1.0);
        assert_eq!(smallest_wilcoxon_p(1), 1.0);
        assert_eq!(smallest_wilcoxon_p(5), 0.0625);
        assert_eq!(smallest_wilcoxon_p(10), 0.001_953_125);
        assert_eq!(smallest_wilcoxon_p(100_000), 0.0);
    }

    #[test]
    fn workloads_for_holm_at_five_per_cent() {
        for (schedules, against_control, all_pairs) in
            [(4, 7, 8), (6, 8, 10), (8, 9, 11), (10, 9, 11), (12, 9, 12)]
        {
            assert_eq!(workloads_needed(schedules - 1, 0.05), against_control);
            let pairs = schedules * (schedules - 1) / 2;
            assert_eq!(workloads_needed(pairs, 0.05), all_pairs);
        }
        assert_eq!(workloads_needed(1, 0.0), MOST);
    }
}
