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

/// Spearman's rank correlation of two lists of equal length, ties by
/// midranks; `None` for fewer than three entries, or where one list is all
/// tied.
///
/// Source: Spearman, *The proof and measurement of association between two
/// things* (1904).
pub(crate) fn spearman(a: &[f64], b: &[f64]) -> Option<f64> {
    if a.len() < 3 {
        return None;
    }
    let middle = (a.len() as f64 + 1.0) / 2.0;
    let centred = |values: &[f64]| -> Vec<f64> {
        average_ranks(values).iter().map(|rank| rank - middle).collect()
    };
    let (a, b) = (centred(a), centred(b));
    let sum = |x: &[f64], y: &[f64]| -> f64 {
        x.iter().zip(y).map(|(x, y)| x * y).sum()
    };
    let spread = (sum(&a, &a) * sum(&b, &b)).sqrt();
    (spread > 0.0).then(|| sum(&a, &b) / spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scipys_rank_correlations() {
        let golden: serde_json::Value = serde_json::from_str(include_str!(
            "../../tests/golden/inference-oracles.json"
        ))
        .expect("valid JSON");
        for case in golden["spearman"].as_array().expect("cases") {
            let list = |key: &str| -> Vec<f64> {
                serde_json::from_value(case[key].clone()).expect("numbers")
            };
            let rho = spearman(&list("a"), &list("b")).expect("a number");
            let golden = case["rho"].as_f64().expect("a number");
            assert!((rho - golden).abs() < 1e-9, "{rho} and {golden}");
        }
        let line = [1.0, 2.0, 5.0];
        assert_eq!(spearman(&line, &[3.0, 4.0, 9.0]), Some(1.0));
        assert_eq!(spearman(&line, &[3.0, 0.0, -9.0]), Some(-1.0));
        assert_eq!(spearman(&line, &[1.0; 3]), None);
        assert_eq!(spearman(&line[..2], &line[..2]), None);
    }

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
