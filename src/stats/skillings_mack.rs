//! Skillings and Mack's test: do the schedules differ, where some blocks lack
//! some of them?

#[cfg(test)]
mod tests;

use rand::Rng;
use rand::seq::SliceRandom as _;
use serde::Serialize;
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// Most arrangements of the ranks that are enumerated for an exact p.
const EXACT: f64 = 50_000.0;

/// Random arrangements behind a Monte Carlo p.
const DRAWS: u32 = 9_999;

/// From this many blocks on, p is that of the chi² distribution.
const MANY: usize = 50;

/// Skillings and Mack's statistic; `None` where there is nothing to test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct SkillingsMack {
    /// The statistic, with the variance corrected for ties.
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
/// times; a missing schedule counts 0. The sums `A_j` over blocks have the
/// covariance `V` of independent arrangements within each block, and the
/// statistic is `A' V⁻ A`. Without ties that is the statistic of Skillings &
/// Mack; with ties `V` is taken from the ranks as they are, which makes it the
/// tie-corrected one of Friedman on complete blocks. Where all blocks have
/// equally many schedules and all pairs of schedules equally many blocks, it is
/// Durbin's. The ranks of a block may be means over the workloads of one
/// cluster.
///
/// p is exact for up to 50,000 arrangements. For other designs of fewer than 50
/// blocks, where chi² is a poor approximation, it comes from 9999 draws with
/// `rng`. From 50 blocks on it is that of chi².
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
    // Rounding in another order of summation must not make an equal statistic
    // smaller.
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

    /// Variance of a score; the divisor is the number of scores less one.
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
                }
            }
            let met: Vec<usize> =
                block.schedules.iter().map(|&j| group[j]).collect();
            let Some(&first) = met.iter().min() else { continue };
            for name in group.iter_mut().filter(|name| met.contains(name)) {
                *name = first;
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

/// Number of arrangements of the scores within `blocks` whose sums, added to
/// `sums`, are `extreme`.
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

/// The sum of `visit` over all orders of `scores[from..]`.
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
