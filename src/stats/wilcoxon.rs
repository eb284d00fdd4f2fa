//! Wilcoxon's signed-rank test, exact with zeros and ties.

use super::ranks::{average_ranks, tie_sum};
use statrs::function::erf::erfc;
use std::f64::consts::SQRT_2;

/// Most pairs for which the null distribution is enumerated: its counts, up
/// to 2^50, are exact in `f64`.
const EXACT: usize = 50;

/// A signed-rank test of one list of differences.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SignedRank {
    /// Rank sum of the positive differences.
    pub(crate) plus: f64,
    /// Rank sum of the negative differences.
    pub(crate) minus: f64,
    /// Two-sided p.
    pub(crate) p: f64,
    /// Whether `p` is exact, or else from the normal approximation.
    pub(crate) exact: bool,
}

impl SignedRank {
    /// The statistic `W`: the smaller rank sum.
    pub(crate) fn w(&self) -> f64 {
        self.plus.min(self.minus)
    }
}

/// Tests whether `differences` are symmetric about 0; they may be infinite,
/// and infinities share the highest ranks.
///
/// Zeros take part in the ranking and their ranks are dropped (Pratt 1959);
/// equal sizes share midranks. Up to 50 differences, the p value counts all
/// sign patterns given those ranks; beyond, it is the normal approximation with
/// the variance corrected for zeros and ties, without continuity correction.
pub(crate) fn signed_rank(differences: &[f64]) -> SignedRank {
    let sizes: Vec<f64> = differences.iter().map(|d| d.abs()).collect();
    let ranks = average_ranks(&sizes);
    let sum_where = |keep: fn(f64) -> bool| -> f64 {
        let kept = differences.iter().zip(&ranks).filter(|(d, _)| keep(**d));
        // `fold`, because an empty `sum` is -0.
        kept.fold(0.0, |sum, (_, rank)| sum + rank)
    };
    let plus = sum_where(|d| d > 0.0);
    let minus = sum_where(|d| d < 0.0);
    let exact = differences.len() <= EXACT;
    let w = plus.min(minus);
    let p = if exact {
        let doubled: Vec<usize> = differences
            .iter()
            .zip(&ranks)
            .filter(|(d, _)| **d != 0.0)
            .map(|(_, rank)| whole(2.0 * rank))
            .collect();
        exact_p(&doubled, whole(2.0 * w))
    } else {
        normal_p(differences, &sizes, w)
    };
    SignedRank { plus, minus, p, exact }
}

/// `2 P(W+ <= w)` over all sign patterns of the ranks; ranks and `w` are
/// doubled, which makes midranks whole numbers.
fn exact_p(doubled: &[usize], w: usize) -> f64 {
    // Sums above `w` are of no interest, so they are not counted.
    let mut patterns = vec![0.0; w + 1];
    patterns[0] = 1.0;
    for &rank in doubled {
        for sum in (rank..=w).rev() {
            patterns[sum] += patterns[sum - rank];
        }
    }
    let all = doubled.iter().fold(1.0, |all, _| 2.0 * all);
    (2.0 * patterns.iter().sum::<f64>() / all).min(1.0)
}

fn normal_p(differences: &[f64], sizes: &[f64], w: f64) -> f64 {
    let n = sizes.len() as f64;
    let zeros = sizes.iter().filter(|size| **size == 0.0).count() as f64;
    let moved: Vec<f64> =
        sizes.iter().copied().filter(|size| *size != 0.0).collect();
    let squares = |n: f64| n * (n + 1.0) * (2.0 * n + 1.0);
    let mean = (n * (n + 1.0) - zeros * (zeros + 1.0)) / 4.0;
    let variance = (squares(n) - squares(zeros) - tie_sum(&moved) / 2.0) / 24.0;
    if variance <= 0.0 || differences.is_empty() {
        return 1.0;
    }
    erfc((w - mean).abs() / variance.sqrt() / SQRT_2).min(1.0)
}

/// A doubled rank sum as the whole number that it is.
fn whole(doubled: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "doubled rank sums are small whole numbers"
    )]
    let whole = doubled.round() as usize;
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn golden() -> Value {
        serde_json::from_str(include_str!(
            "../../tests/golden/stats-oracles.json"
        ))
        .expect("valid JSON")
    }

    fn numbers(value: &Value) -> Vec<f64> {
        let list = value.as_array().expect("a list");
        list.iter().map(|v| v.as_f64().expect("a number")).collect()
    }

    /// All 2^n sign patterns, one by one.
    fn by_enumeration(differences: &[f64]) -> f64 {
        let sizes: Vec<f64> = differences.iter().map(|d| d.abs()).collect();
        let ranks = average_ranks(&sizes);
        let w = signed_rank(differences).w();
        let nonzero: Vec<f64> = (0..sizes.len())
            .filter(|&i| sizes[i] > 0.0)
            .map(|i| ranks[i])
            .collect();
        let all = 1_u32 << nonzero.len();
        let low = (0..all)
            .filter(|pattern| {
                let sum: f64 = (0..nonzero.len())
                    .filter(|i| pattern >> i & 1 == 1)
                    .map(|i| nonzero[i])
                    .sum();
                sum <= w
            })
            .count();
        (2.0 * low as f64 / f64::from(all)).min(1.0)
    }

    #[test]
    fn tables_of_the_exact_distribution() {
        let golden = golden();
        let tables = golden["wilcoxon_exact_two_sided"].as_object();
        for (n, table) in tables.expect("tables") {
            let n: usize = n.parse().expect("a number of pairs");
            for (w, p) in numbers(table).into_iter().enumerate() {
                let doubled: Vec<usize> = (1..=n).map(|r| 2 * r).collect();
                let ours = exact_p(&doubled, 2 * w);
                assert!((ours - p).abs() < 1e-12, "n {n}, w {w}: {ours}");
            }
        }
        for (n, p) in golden["wilcoxon_min_p"].as_object().expect("map") {
            let n: u32 = n.parse().expect("a number of pairs");
            let same: Vec<f64> = (1..=n).map(f64::from).collect();
            assert_eq!(Some(signed_rank(&same).p), p.as_f64());
        }
    }

    #[test]
    fn zeros_and_ties_as_enumerated() {
        let cases: [&[f64]; 6] = [
            &[0.0, 0.0, 1.0],
            &[0.0, 1.0, 1.0, -1.0, 2.0, 2.0, -3.0],
            &[0.5, -0.5, 0.5, -0.5, 0.25],
            &[0.0, 0.0, 0.0, 0.0],
            &[f64::INFINITY, f64::NEG_INFINITY, f64::INFINITY, 1.0, 0.0],
            &[3.0, 1.0, -1.0, 4.0, 0.0, 5.0, 9.0, 2.0, 6.0, -5.0, 3.0],
        ];
        for case in cases {
            let test = signed_rank(case);
            assert!(test.exact);
            assert_eq!(test.p, by_enumeration(case), "{case:?}");
        }
        assert_eq!(signed_rank(&[]).p, 1.0);
        assert_eq!(signed_rank(&[0.0; 9]).p, 1.0);
    }

    #[test]
    fn scipys_numbers() {
        for case in golden()["wilcoxon"].as_array().expect("cases") {
            let test = signed_rank(&numbers(&case["d"]));
            let p = case["p"].as_f64().expect("a p value");
            assert_eq!(Some(test.w()), case["w"].as_f64());
            assert!((test.p - p).abs() < 1e-9, "{} and {p}", test.p);
            assert_eq!(Some(test.exact), case["exact"].as_bool());
        }
    }

    #[test]
    fn signs_swap_the_sums_and_keep_p() {
        let d = [0.3, -0.1, 0.0, 0.2, 0.2, -0.7];
        let flipped = d.map(|d| -d);
        let (a, b) = (signed_rank(&d), signed_rank(&flipped));
        assert_eq!((a.plus, a.minus, a.p), (b.minus, b.plus, b.p));
    }
}
