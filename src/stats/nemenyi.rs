//! Nemenyi's test: all pairs of mean ranks at once, for the rank diagram.

use statrs::function::erf::erfc;
use std::f64::consts::{SQRT_2, TAU};

/// Nodes per unit and reach of the trapezoidal rule below. The integrand is
/// analytic and falls like a Gaussian, so the rule converges faster than any
/// power of the step; beyond 9 standard deviations nothing is left.
const PER_UNIT: u32 = 32;
const REACH: u32 = 9;

/// The distribution of the range of `k` standard normal variables: the
/// studentized range at infinite degrees of freedom.
#[derive(Clone, Debug)]
pub(crate) struct Range {
    k: i32,
    /// `(z, weight * density, distribution)` at every node.
    nodes: Vec<(f64, f64, f64)>,
}

impl Range {
    /// The range of `k` variables, at least two.
    pub(crate) fn new(k: usize) -> Self {
        let nodes = (0..=2 * REACH * PER_UNIT)
            .map(|i| {
                let z = f64::from(i) / f64::from(PER_UNIT) - f64::from(REACH);
                let density = (-z * z / 2.0).exp() / TAU.sqrt();
                (z, density / f64::from(PER_UNIT), normal_cdf(z))
            })
            .collect();
        Self { k: i32::try_from(k).unwrap_or(i32::MAX), nodes }
    }

    /// `P(range > q)`.
    ///
    /// With the largest variable at `z`,
    /// `P(range <= q) = k ∫ φ(z) (Φ(z) - Φ(z - q))^(k-1) dz`. The complement
    /// is integrated itself, so that small probabilities keep their digits.
    pub(crate) fn sf(&self, q: f64) -> f64 {
        if q <= 0.0 {
            return 1.0;
        }
        let others = self.k - 1;
        let sum: f64 = self
            .nodes
            .iter()
            .map(|&(z, weight, below)| {
                let inside = below - normal_cdf(z - q);
                weight * (below.powi(others) - inside.powi(others))
            })
            .sum();
        (f64::from(self.k) * sum).clamp(0.0, 1.0)
    }

    /// The `q` with `P(range > q) = alpha`, for `alpha` between 0 and 1.
    pub(crate) fn isf(&self, alpha: f64) -> f64 {
        let (mut low, mut high) = (0.0, 1.0);
        while self.sf(high) > alpha && high < 64.0 {
            (low, high) = (high, 2.0 * high);
        }
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if self.sf(middle) > alpha {
                low = middle;
            } else {
                high = middle;
            }
        }
        0.5 * (low + high)
    }
}

/// Standard error that the differences of mean ranks of `k` schedules over
/// `n` blocks are divided by.
fn spread(k: usize, n: usize) -> f64 {
    let k = k as f64;
    (k * (k + 1.0) / (6.0 * n as f64)).sqrt()
}

/// The difference of mean ranks above which two of `k` schedules over `n`
/// blocks differ at level `alpha`; `None` for fewer than two schedules.
///
/// Source: Demšar (2006), section 3.2.2.
pub(crate) fn critical_difference(
    k: usize,
    n: usize,
    alpha: f64,
) -> Option<f64> {
    (k >= 2 && n >= 1).then(|| Range::new(k).isf(alpha) / SQRT_2 * spread(k, n))
}

/// p values of all pairs `(i, j)`, `i < j`, in that order, from the mean
/// ranks over `n` blocks.
pub(crate) fn pairwise(mean_ranks: &[f64], n: usize) -> Vec<f64> {
    let k = mean_ranks.len();
    if k < 2 || n == 0 {
        return vec![];
    }
    let (range, spread) = (Range::new(k), spread(k, n));
    let mut p = vec![];
    for (i, a) in mean_ranks.iter().enumerate() {
        for b in &mean_ranks[i + 1..] {
            p.push(range.sf((a - b).abs() / spread * SQRT_2));
        }
    }
    p
}

fn normal_cdf(z: f64) -> f64 {
    0.5 * erfc(-z / SQRT_2)
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

    #[test]
    fn quantiles_of_the_studentized_range() {
        for (alpha, table) in golden()["nemenyi_q"].as_object().expect("map") {
            let alpha: f64 = alpha.parse().expect("a level");
            for (k, q) in table.as_object().expect("map") {
                let k: usize = k.parse().expect("a number of schedules");
                let q = q.as_f64().expect("a quantile");
                let ours = Range::new(k).isf(alpha) / SQRT_2;
                assert!((ours - q).abs() < 1e-9, "k {k}: {ours} and {q}");
            }
        }
    }

    #[test]
    fn two_schedules_are_a_normal_test() {
        let range = Range::new(2);
        for q in [0.1_f64, 1.0, 3.0, 6.0, 10.0] {
            let p = erfc(q / 2.0);
            assert!((range.sf(q) - p).abs() < 1e-10, "{q}");
        }
    }

    #[test]
    fn demsars_critical_difference() {
        let cd = critical_difference(4, 14, 0.05).expect("exists");
        let golden = &golden()["demsar2006"]["cd_005"];
        assert!((cd - golden.as_f64().expect("a number")).abs() < 1e-9);
        assert_eq!(critical_difference(1, 14, 0.05), None);
    }

    #[test]
    fn scikit_posthocs_numbers() {
        for case in golden()["nemenyi"].as_array().expect("cases") {
            let numbers = |key: &str| -> Vec<f64> {
                let list = case[key].as_array().expect("a list");
                list.iter().map(|v| v.as_f64().expect("a number")).collect()
            };
            let n = case["n"].as_u64().expect("a count");
            let n = usize::try_from(n).expect("small");
            let ours = pairwise(&numbers("mean_ranks"), n);
            for (a, b) in ours.iter().zip(numbers("p")) {
                assert!((a - b).abs() < 1e-9, "{a} and {b}");
            }
        }
    }
}
