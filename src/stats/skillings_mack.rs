//! Skillings and Mack's test: do the schedules differ, where some blocks lack
//! some of them?

use rand::Rng;
use rand::seq::SliceRandom as _;
use serde::Serialize;
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// Most arrangements of the ranks that are enumerated for an exact p.
const EXACT: f64 = 50_000.0;

/// Random arrangements behind a Monte Carlo p.
const DRAWS: u32 = 9_999;

/// Blocks from which p is the one of the chi² distribution.
const MANY: usize = 50;

/// Skillings and Mack's statistic; `None` where there is nothing to test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct SkillingsMack {
    /// The statistic, with the variance that the ties leave.
    pub(crate) statistic: Option<f64>,
    /// Degrees of freedom: schedules less groups of schedules that no block
    /// connects, so `k - 1` where all can be compared.
    pub(crate) df: usize,
    /// Probability of a statistic at least as large if the schedules are
    /// equal.
    pub(crate) p: Option<f64>,
    /// Where `p` comes from.
    pub(crate) method: Option<Method>,
}

/// Where a p value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Method {
    /// All arrangements of the ranks within the blocks.
    Exact,
    /// 9999 random arrangements, the observed one counted with them.
    MonteCarlo,
    /// The chi² distribution.
    ChiSquare,
}

/// The test of `blocks` of `k` ranks each; NaN stands where a block lacks a
/// schedule, and the others are ranked among themselves.
///
/// With `m_i` ranks in block `i`, a centred rank counts `sqrt(12 / (m_i + 1))`
/// times; a schedule that is not there counts 0. The sums `A_j` over blocks
/// have the covariance `V` of independent arrangements within each block, and
/// the statistic is `A' V⁻ A`. Without ties that is the statistic of
/// Skillings & Mack; with ties `V` is taken from the ranks as they are, which
/// makes it the tie-corrected one of Friedman on complete blocks. Where all
/// blocks have equally many schedules and all pairs of schedules equally many
/// blocks, it is Durbin's. The ranks of a block may be means over the
/// workloads of one cluster.
///
/// p counts arrangements where there are up to 50 000 of them, draws 9999
/// with `rng` for other designs of fewer than 50 blocks, where chi² is a poor
/// approximation, and is that of chi² from there on.
///
/// Sources: Skillings & Mack, *On the use of a Friedman-type statistic in
/// balanced and unbalanced block designs* (1981); Durbin, *Incomplete blocks
/// in ranking experiments* (1951); for p, Phipson & Smyth, *Permutation
/// p-values should never be zero* (2010).
pub(crate) fn skillings_mack(
    blocks: &[Vec<f64>],
    rng: &mut impl Rng,
) -> SkillingsMack {
    let k = blocks.first().map_or(0, Vec::len);
    let blocks: Vec<Block> =
        blocks.iter().filter_map(|b| Block::of(b)).collect();
    let form = Form::new(&blocks, k);
    let df = form.kept.len();
    if df == 0 {
        return SkillingsMack::default();
    }
    let mut sums = vec![0.0; k];
    for block in &blocks {
        block.add(&mut sums);
    }
    let observed = form.of(&sums);
    // A sum of rounded terms in another order must not count as smaller.
    let least = observed * (1.0 - 1e-9);
    let arrangements: f64 = blocks.iter().map(Block::arrangements).product();
    let (p, method) = if arrangements <= EXACT {
        let mut sums = vec![0.0; k];
        let mut blocks = blocks.clone();
        let above =
            enumerate(&mut blocks, &mut sums, &|sums| form.of(sums) >= least);
        (above / arrangements, Method::Exact)
    } else if blocks.len() < MANY {
        let mut blocks = blocks.clone();
        let above = (0..DRAWS)
            .filter(|_| {
                sums.fill(0.0);
                for block in &mut blocks {
                    block.scores.shuffle(rng);
                    block.add(&mut sums);
                }
                form.of(&sums) >= least
            })
            .count();
        ((above + 1) as f64 / f64::from(DRAWS + 1), Method::MonteCarlo)
    } else {
        let chi2 = ChiSquared::new(df as f64).ok();
        (chi2.map_or(1.0, |chi2| chi2.sf(observed)), Method::ChiSquare)
    };
    SkillingsMack {
        statistic: Some(observed),
        df,
        p: Some(p),
        method: Some(method),
    }
}

/// The schedules of one block and their centred, weighted ranks.
#[derive(Clone, Debug)]
struct Block {
    schedules: Vec<usize>,
    scores: Vec<f64>,
}

impl Block {
    /// `None` for a block that compares nothing: fewer than two schedules, or
    /// all of them tied.
    fn of(ranks: &[f64]) -> Option<Self> {
        let there = || ranks.iter().enumerate().filter(|(_, r)| !r.is_nan());
        let size = there().count() as f64;
        let mean = there().map(|(_, rank)| rank).sum::<f64>() / size;
        let weight = (12.0 / (size + 1.0)).sqrt();
        let scores: Vec<f64> =
            there().map(|(_, rank)| weight * (rank - mean)).collect();
        let block =
            Self { schedules: there().map(|(j, _)| j).collect(), scores };
        (block.variance() > 1e-12).then_some(block)
    }

    /// Variance of a score, with the number of scores less one below.
    fn variance(&self) -> f64 {
        let squares: f64 = self.scores.iter().map(|s| s * s).sum();
        squares / (self.scores.len() as f64 - 1.0)
    }

    fn arrangements(&self) -> f64 {
        (1..=self.scores.len()).map(|i| i as f64).product()
    }

    fn add(&self, sums: &mut [f64]) {
        for (&j, score) in self.schedules.iter().zip(&self.scores) {
            sums[j] += score;
        }
    }
}

/// `A' V⁻ A`: one schedule of each connected group is left out, which makes
/// the rest of `V` positive definite, and `lower` is its Cholesky factor.
struct Form {
    kept: Vec<usize>,
    /// Rows of the factor, the last entry of each on the diagonal.
    lower: Vec<Vec<f64>>,
}

impl Form {
    fn new(blocks: &[Block], k: usize) -> Self {
        let mut covariance = vec![vec![0.0; k]; k];
        // The group of a schedule is named by its first member.
        let mut group: Vec<usize> = (0..k).collect();
        for block in blocks {
            let size = block.scores.len() as f64;
            let variance = block.variance();
            for &a in &block.schedules {
                for &b in &block.schedules {
                    let own = if a == b { 1.0 } else { 0.0 };
                    covariance[a][b] += variance * (own - 1.0 / size);
                    let (low, high) =
                        (group[a].min(group[b]), group[a].max(group[b]));
                    for name in &mut group {
                        if *name == high {
                            *name = low;
                        }
                    }
                }
            }
        }
        let kept: Vec<usize> = (0..k).filter(|&j| group[j] != j).collect();
        let mut lower: Vec<Vec<f64>> = vec![];
        for &a in &kept {
            let mut row: Vec<f64> = vec![];
            for (&b, other) in kept.iter().zip(&lower) {
                let dot: f64 = row.iter().zip(other).map(|(x, y)| x * y).sum();
                row.push((covariance[a][b] - dot) / other[row.len()]);
            }
            let squares: f64 = row.iter().map(|x| x * x).sum();
            row.push((covariance[a][a] - squares).sqrt());
            lower.push(row);
        }
        Self { kept, lower }
    }

    fn of(&self, sums: &[f64]) -> f64 {
        let mut solved: Vec<f64> = Vec::with_capacity(self.kept.len());
        for (&j, row) in self.kept.iter().zip(&self.lower) {
            let dot: f64 = row.iter().zip(&solved).map(|(x, y)| x * y).sum();
            solved.push((sums[j] - dot) / row[solved.len()]);
        }
        solved.iter().map(|x| x * x).sum()
    }
}

/// How many arrangements of the scores within all `blocks` have sums, added
/// to `sums`, that are `extreme`.
fn enumerate(
    blocks: &mut [Block],
    sums: &mut [f64],
    extreme: &impl Fn(&[f64]) -> bool,
) -> f64 {
    let [first, rest @ ..] = blocks else {
        return f64::from(u8::from(extreme(sums)));
    };
    let schedules = first.schedules.clone();
    arrange(&mut first.scores, 0, &mut |scores| {
        let before: Vec<f64> = schedules.iter().map(|&j| sums[j]).collect();
        for (&j, score) in schedules.iter().zip(scores) {
            sums[j] += score;
        }
        let count = enumerate(rest, sums, extreme);
        for (&j, before) in schedules.iter().zip(before) {
            sums[j] = before;
        }
        count
    })
}

/// The sum of what `visit` gives for all orders of `scores` from `from` on.
fn arrange(
    scores: &mut [f64],
    from: usize,
    visit: &mut dyn FnMut(&[f64]) -> f64,
) -> f64 {
    if from + 1 >= scores.len() {
        return visit(scores);
    }
    (from..scores.len())
        .map(|i| {
            scores.swap(from, i);
            let count = arrange(scores, from + 1, visit);
            scores.swap(from, i);
            count
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::super::friedman::friedman;
    use super::super::ranks::average_ranks;
    use super::*;
    use crate::seed::stream;
    use rand::RngExt as _;
    use serde_json::Value;

    fn golden() -> Value {
        serde_json::from_str(include_str!(
            "../../tests/golden/incomplete-oracles.json"
        ))
        .expect("valid JSON")
    }

    fn blocks(case: &Value) -> Vec<Vec<f64>> {
        let rows: Vec<Vec<Option<f64>>> =
            serde_json::from_value(case["ranks"].clone()).expect("ranks");
        let row = |row: Vec<Option<f64>>| {
            row.into_iter().map(|r| r.unwrap_or(f64::NAN)).collect()
        };
        rows.into_iter().map(row).collect()
    }

    fn test_of(blocks: &[Vec<f64>]) -> SkillingsMack {
        skillings_mack(blocks, &mut stream(0, "arrangements"))
    }

    fn close(a: Option<f64>, b: &Value, digits: f64) {
        let (a, b) = (a.expect("exists"), b.as_f64().expect("a number"));
        assert!((a - b).abs() <= digits * b.abs().max(1e-3), "{a} and {b}");
    }

    fn chi2_p(test: &SkillingsMack) -> Option<f64> {
        let chi2 = ChiSquared::new(test.df as f64).ok()?;
        test.statistic.map(|statistic| chi2.sf(statistic))
    }

    /// Ranks of random scores on `n` blocks of `k`, where `there` of four
    /// are there.
    fn at_random(
        n: usize,
        k: usize,
        there: u8,
        rng: &mut impl Rng,
    ) -> Vec<Vec<f64>> {
        let block = |rng: &mut dyn Rng| {
            let mut row = vec![f64::NAN; k];
            let has: Vec<usize> =
                (0..k).filter(|_| rng.random_range(0..4) < there).collect();
            let scores: Vec<f64> = has.iter().map(|_| rng.random()).collect();
            for (&j, rank) in has.iter().zip(average_ranks(&scores)) {
                row[j] = rank;
            }
            row
        };
        (0..n).map(|_| block(rng)).collect()
    }

    #[test]
    fn the_example_of_skillings_and_mack() {
        let case = &golden()["published"];
        let test = test_of(&blocks(case));
        assert_eq!(test.df, 3);
        close(test.statistic, &case["statistic"], 1e-7);
        close(chi2_p(&test), &case["chi2_p"], 1e-9);
        // 9 blocks of up to 4: too many arrangements to count.
        assert_eq!(test.method, Some(Method::MonteCarlo));
        assert!(test.p.is_some_and(|p| p < 0.001), "{test:?}");
    }

    #[test]
    fn durbin_and_friedman_are_special_cases() {
        for case in golden()["durbin"].as_array().expect("cases") {
            let blocks = blocks(case);
            let test = test_of(&blocks);
            assert_eq!(Some(test.df as u64), case["df"].as_u64());
            close(test.statistic, &case["statistic"], 1e-9);
            close(chi2_p(&test), &case["p"], 1e-9);
            if blocks.iter().flatten().all(|rank| !rank.is_nan()) {
                let of_friedman = friedman(&blocks).chi2.expect("exists");
                let ours = test.statistic.expect("exists");
                assert!((ours - of_friedman).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn holes_ties_and_groups_apart_as_restated() {
        let mut counted = 0;
        for case in golden()["designs"].as_array().expect("cases") {
            let test = test_of(&blocks(case));
            assert_eq!(Some(test.df as u64), case["df"].as_u64());
            close(test.statistic, &case["statistic"], 1e-9);
            match (test.method.expect("exists"), case["exact"].as_f64()) {
                (Method::Exact, Some(_)) => {
                    close(test.p, &case["exact"], 1e-9);
                    counted += 1;
                }
                (Method::ChiSquare, None) => {
                    close(test.p, &case["chi2_p"], 1e-9);
                }
                (Method::MonteCarlo, None) => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(counted, 4);
    }

    #[test]
    fn a_chain_of_two_pairs_by_hand() {
        // A = (-1, 0, 1), V = ((1, -1, 0), (-1, 2, -1), (0, -1, 1)); each of
        // the four arrangements has the statistic 2.
        let none = f64::NAN;
        let test = test_of(&[vec![1.0, 2.0, none], vec![none, 1.0, 2.0]]);
        assert!((test.statistic.expect("exists") - 2.0).abs() < 1e-12);
        assert_eq!((test.df, test.p), (2, Some(1.0)));
        // Two schedules: 5 wins of 5, p = 2 / 2^5.
        let test = test_of(&vec![vec![1.0, 2.0]; 5]);
        assert_eq!((test.df, test.p), (1, Some(0.0625)));
        assert!((test.statistic.expect("exists") - 5.0).abs() < 1e-12);
    }

    #[test]
    fn blocks_that_compare_nothing_count_nothing() {
        let none = f64::NAN;
        let pairs = vec![vec![1.0, 2.0, none]; 6];
        let mut more = pairs.clone();
        more.extend([vec![none; 3], vec![none, none, 1.0], vec![2.0; 3]]);
        assert_eq!(test_of(&pairs), test_of(&more));
        for nothing in [vec![], vec![vec![]], vec![vec![1.5, 1.5, none]]] {
            assert_eq!(test_of(&nothing), SkillingsMack::default());
        }
    }

    #[test]
    fn a_random_p_is_near_the_exact_one() {
        // 15 wins of 20: twice the chance of at most 5 heads in 20 tosses.
        let mut blocks = vec![vec![1.0, 2.0]; 15];
        blocks.extend(vec![vec![2.0, 1.0]; 5]);
        let test = test_of(&blocks);
        assert_eq!(test.method, Some(Method::MonteCarlo));
        assert_eq!(test, test_of(&blocks), "one seed, one p");
        let exact = 2.0 * 21_700.0 / 1_048_576.0;
        let error = (exact * (1.0 - exact) / f64::from(DRAWS)).sqrt();
        for seed in 0..5 {
            let mut rng = stream(seed, "arrangements");
            let p = skillings_mack(&blocks, &mut rng).p.expect("exists");
            assert!((p - exact).abs() < 4.0 * error, "{p} and {exact}");
        }
    }

    #[test]
    fn equal_schedules_are_told_apart_in_a_share_of_alpha() {
        // Exact, and chi² for many blocks; 5 % of 2000 is 100, give or
        // take 10. Exact p values have steps, so they reject less often.
        let mut rng = stream(11, "blocks");
        for (n, k, low, high) in [(4, 3, 40, 130), (70, 4, 70, 130)] {
            let rejected = (0..2_000)
                .filter(|_| {
                    let blocks = at_random(n, k, 3, &mut rng);
                    test_of(&blocks).p.is_some_and(|p| p < 0.05)
                })
                .count();
            assert!((low..=high).contains(&rejected), "{n}: {rejected}");
        }
    }
}
