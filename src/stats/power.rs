//! What a study of a given size can show at all.

/// Workloads beyond which the search for a sufficient number stops: `2^-n`
/// is no number any more.
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

#[cfg(test)]
mod tests {
    use super::*;

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
