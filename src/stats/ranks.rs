//! Ranks with ties.

/// Ranks of `values` from 1, smallest first; equal values share the mean of
/// their places (midranks). Infinities of one sign are equal.
///
/// NaN has no place in an order: callers keep it out.
pub(crate) fn average_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    // `==` and not the bits: -0 and 0 are tied.
    for group in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let end = start + group.len();
        let rank = (start + 1 + end) as f64 / 2.0;
        for &i in group {
            ranks[i] = rank;
        }
        start = end;
    }
    ranks
}

/// Sum of `t³ - t` over the groups of `t` equal values, the term in every
/// correction for ties.
pub(crate) fn tie_sum(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
        .chunk_by(|a, b| a == b)
        .map(|group| (group.len() as f64).powi(3) - group.len() as f64)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_the_mean_of_their_places() {
        let ranks = average_ranks(&[0.3, 0.1, 0.3, 0.2, 0.3]);
        assert_eq!(ranks, [4.0, 1.0, 4.0, 2.0, 4.0]);
        assert_eq!(average_ranks(&[0.0, -0.0]), [1.5, 1.5]);
        assert_eq!(
            average_ranks(&[f64::INFINITY, 1.0, f64::INFINITY]),
            [2.5, 1.0, 2.5]
        );
        assert!(average_ranks(&[]).is_empty());
    }

    #[test]
    fn the_tie_sum_counts_groups() {
        assert_eq!(tie_sum(&[1.0, 2.0, 3.0]), 0.0);
        assert_eq!(tie_sum(&[1.0, 2.0, 1.0, 2.0, 2.0]), 6.0 + 24.0);
    }
}
