//! Bayesian signed-rank test with a region of practical equivalence.

use rand::Rng;
use rand_distr::{Distribution as _, Exp1, StandardNormal};

/// Draws from the posterior: the Monte Carlo error of a probability is then
/// at most 0.0022.
const DRAWS: usize = 50_000;

/// Work, in weights times pairs, above which fewer draws are taken: with
/// that many blocks nearly every probability is close to 0 or 1, where the
/// error is small.
const MOST_WORK: usize = 150_000_000;
const FEWEST_DRAWS: usize = 5_000;

/// Differences `a - b` of one pair and the half width of its region of
/// practical equivalence (ROPE).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair<'a> {
    pub(crate) differences: &'a [f64],
    pub(crate) rope: f64,
}

/// Posterior probabilities that the differences lie mostly below, inside or
/// above the region of practical equivalence; they sum to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Regions {
    pub(crate) left: f64,
    pub(crate) rope: f64,
    pub(crate) right: f64,
}

/// The test of every pair on common draws.
///
/// The unknown distribution of differences has a Dirichlet process as prior,
/// with strength 0.5 at 0, so the posterior puts Dirichlet(0.5, 1, ..., 1)
/// weights on 0 and the differences. Of each draw the weight of
/// `(d_i + d_j) / 2` below, in and above the ROPE is summed over all `i, j`
/// (half of it at a bound), and the heaviest region wins. Infinite
/// differences of opposite sign cancel.
///
/// Source: Benavoli, Corani, Demšar & Zaffalon, *Time for a change* (2017),
/// section 4.2; conventions of baycomp.
pub(crate) fn signed_rank(
    pairs: &[Pair<'_>],
    rng: &mut impl Rng,
) -> Vec<Regions> {
    let n = most_differences(pairs);
    let draws =
        (MOST_WORK / ((n + 1) * pairs.len().max(1))).clamp(FEWEST_DRAWS, DRAWS);
    signed_rank_with(pairs, draws, rng)
}

/// [`signed_rank`] with a number of `draws`.
pub(crate) fn signed_rank_with(
    pairs: &[Pair<'_>],
    draws: usize,
    rng: &mut impl Rng,
) -> Vec<Regions> {
    let n = most_differences(pairs);
    let sums: Vec<WalshSums> = pairs.iter().map(WalshSums::new).collect();
    let mut wins = vec![[0.0; 3]; pairs.len()];
    let mut weights = vec![0.0; n];
    let mut scratch = Scratch::new(n + 1);
    for _ in 0..draws {
        // Dirichlet weights without their common factor, which no comparison of
        // regions needs. Gamma(1/2) is half a squared normal.
        let z: f64 = StandardNormal.sample(rng);
        let prior = 0.5 * z * z;
        weights.fill_with(|| Exp1.sample(rng));
        for (sums, wins) in sums.iter().zip(&mut wins) {
            let own = &weights[..sums.bounds.len() - 1];
            let (left, right, all) = sums.weigh(prior, own, &mut scratch);
            let rope = all - left - right;
            if sums.rope_is_empty {
                let share = if left == right {
                    0.5
                } else {
                    f64::from(u8::from(left > right))
                };
                wins[0] += share;
                wins[2] += 1.0 - share;
            } else if left >= rope && left >= right {
                wins[0] += 1.0;
            } else if rope >= right {
                wins[1] += 1.0;
            } else {
                wins[2] += 1.0;
            }
        }
    }
    let share = |wins: f64| wins / draws as f64;
    wins.iter()
        .map(|&[left, rope, right]| Regions {
            left: share(left),
            rope: share(rope),
            right: share(right),
        })
        .collect()
}

fn most_differences(pairs: &[Pair<'_>]) -> usize {
    pairs.iter().map(|pair| pair.differences.len()).max().unwrap_or(0)
}

/// Which sums `d_i + d_j` lie outside the ROPE. With the values sorted these
/// are runs of `j`, so a draw costs `n` and not `n²`.
struct WalshSums {
    /// Where the prior's 0 stands among the sorted values.
    prior_at: usize,
    /// For each `i`: values `j` with `d_i + d_j < -2 rope`; the same with
    /// `<=`; values with `d_i + d_j < 2 rope`; the same with `<=`.
    bounds: Vec<[usize; 4]>,
    rope_is_empty: bool,
}

impl WalshSums {
    fn new(pair: &Pair<'_>) -> Self {
        let mut sorted = pair.differences.to_vec();
        sorted.sort_by(f64::total_cmp);
        let prior_at = sorted.partition_point(|d| *d < 0.0);
        sorted.insert(prior_at, 0.0);
        let width = 2.0 * pair.rope;
        let bounds = sorted
            .iter()
            .map(|a| {
                // Opposite infinities cancel.
                let sum = |b: &f64| if *a == -b { 0.0 } else { a + b };
                [
                    sorted.partition_point(|b| sum(b) < -width),
                    sorted.partition_point(|b| sum(b) <= -width),
                    sorted.partition_point(|b| sum(b) < width),
                    sorted.partition_point(|b| sum(b) <= width),
                ]
            })
            .collect();
        Self { prior_at, bounds, rope_is_empty: pair.rope <= 0.0 }
    }

    /// Weight below, above and in total. The weights are exchangeable, so it
    /// does not matter which difference gets which.
    fn weigh(
        &self,
        prior: f64,
        weights: &[f64],
        scratch: &mut Scratch,
    ) -> (f64, f64, f64) {
        let (before, after) = weights.split_at(self.prior_at);
        let own = &mut scratch.own[..=weights.len()];
        own[..self.prior_at].copy_from_slice(before);
        own[self.prior_at] = prior;
        own[self.prior_at + 1..].copy_from_slice(after);
        let up_to = &mut scratch.up_to;
        let mut total = 0.0;
        for (sum, weight) in up_to[1..].iter_mut().zip(own.iter()) {
            total += weight;
            *sum = total;
        }
        let (mut left, mut right) = (0.0, 0.0);
        for (weight, bounds) in own.iter().zip(&self.bounds) {
            let [below, to_low, to_high, to_above] = bounds.map(|j| up_to[j]);
            left += weight * (below + to_low);
            right += weight * (2.0 * total - to_high - to_above);
        }
        (left / 2.0, right / 2.0, total * total)
    }
}

/// Buffers of one draw: the weights in sorted order, and their sums up to
/// each.
struct Scratch {
    own: Vec<f64>,
    up_to: Vec<f64>,
}

impl Scratch {
    fn new(len: usize) -> Self {
        Self { own: vec![0.0; len], up_to: vec![0.0; len + 1] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::stream;
    use serde_json::Value;

    fn regions(differences: &[f64], rope: f64) -> Regions {
        let pair = Pair { differences, rope };
        signed_rank(&[pair], &mut stream(1, "posterior"))[0]
    }

    #[test]
    fn baycomps_probabilities() {
        let golden: Value = serde_json::from_str(include_str!(
            "../../tests/golden/stats-oracles.json"
        ))
        .expect("valid JSON");
        for case in golden["bayes"].as_array().expect("cases") {
            let number = |v: &Value| v.as_f64().expect("a number");
            let d: Vec<f64> = case["d"]
                .as_array()
                .expect("list")
                .iter()
                .map(number)
                .collect();
            let ours = regions(&d, number(&case["rope"]));
            for (key, p) in [
                ("left", ours.left),
                ("rope_p", ours.rope),
                ("right", ours.right),
            ] {
                let golden = number(&case[key]);
                assert!((p - golden).abs() < 0.01, "{case}: {ours:?}");
            }
        }
    }

    #[test]
    fn equal_schedules_are_equivalent() {
        let zero = Regions { left: 0.0, rope: 1.0, right: 0.0 };
        assert_eq!(regions(&[0.0; 8], 0.01), zero);
        let even = regions(&[0.0; 8], 0.0);
        assert_eq!((even.left, even.right), (0.5, 0.5));
    }

    #[test]
    fn infinite_differences_are_the_largest() {
        let (low, high) = (f64::NEG_INFINITY, f64::INFINITY);
        let worse = regions(&[high; 7], 0.01);
        assert!(worse.right > 0.99, "{worse:?}");
        let mixed = regions(&[low, high, low, high, low, high], 0.01);
        assert!((mixed.left - mixed.right).abs() < 0.02, "{mixed:?}");
        let total = mixed.left + mixed.rope + mixed.right;
        assert!((total - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        let d = [0.1, -0.2, 0.05, 0.3, 0.0];
        assert_eq!(regions(&d, 0.04), regions(&d, 0.04));
    }
}
