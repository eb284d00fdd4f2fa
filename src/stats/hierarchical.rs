//! A hierarchical model of the scores of treatments in blocks, and draws from
//! its posterior.
//!
//! The score of treatment `j` in block `i`, lower is better, is
//!
//! ```text
//! y[i][j] = level[i] + sum over terms t of effect[t][context of i][j] + e[i][j]
//! ```
//!
//! The level of a block has a flat prior, so only differences inside a block
//! count. A term divides the blocks into contexts (one alone, budgets, data
//! sets, ...), and in each context every treatment has an effect of its own:
//! normal, or Student's t with four degrees of freedom where single contexts
//! may stand out, with a standard deviation that the term has in common. So
//! has the residual `e`, which is Student's t. A standard deviation has a
//! half-t prior with three degrees of freedom. A value may be known only as
//! being above a bound: such a score is drawn with the rest.
//!
//! Sources: Gelman, *Prior distributions for variance parameters in
//! hierarchical models* (2006); Huang & Wand, *Simple marginally
//! noninformative prior distributions for covariance matrices* (2013) for the
//! half-t prior as a mixture of inverse gamma distributions; Vehtari et al.,
//! *Rank-normalization, folding, and localization* (2021) for R-hat of split
//! chains. `sampler` draws, `moves` makes its steps long.

mod moves;
mod sampler;

#[cfg(test)]
mod tests;

use crate::seed::stream;
use sampler::Chain;
use std::panic::resume_unwind;
use std::thread;

/// R-hat above which chains do not agree.
///
/// Source: Vehtari et al. (2021) ask for 1.01, with many more draws than four
/// times 500, whose R-hat scatters by more than that.
pub(crate) const MOST_R_HAT: f64 = 1.05;

/// Degrees of freedom of effects and residuals with heavy tails.
pub(crate) const TAILS: f64 = 4.0;

/// A score of a treatment in a block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Score {
    Exact(f64),
    /// No more is known than that it is above this.
    Above(f64),
}

/// Effects of the treatments that the blocks of one context share.
#[derive(Clone, Debug)]
pub(crate) struct Term {
    /// The context of each block, below `contexts`.
    pub(crate) context: Vec<usize>,
    pub(crate) contexts: usize,
    /// Whether single effects may stand out.
    pub(crate) heavy: bool,
}

/// What was seen, and the terms to explain it.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) treatments: usize,
    /// Treatment and score, each treatment at most once a block.
    pub(crate) blocks: Vec<Vec<(usize, Score)>>,
    pub(crate) terms: Vec<Term>,
    /// Scale of the half-t priors of all standard deviations, in the unit of
    /// the scores.
    pub(crate) scale: f64,
}

/// One draw from the posterior.
#[derive(Clone, Debug)]
pub(crate) struct Draw {
    /// By term: the effect of treatment `j` in context `c` at
    /// `c * treatments + j`; none of terms with heavy tails, which may be many.
    pub(crate) effects: Vec<Vec<f64>>,
    /// By term: the standard deviation of its effects (scale of the t
    /// distribution, where the tails are heavy); last, the scale of the
    /// residuals.
    pub(crate) spreads: Vec<f64>,
}

impl Model {
    /// `draws` draws of each of four chains, which have streams of their own,
    /// after as many sweeps that are thrown away.
    ///
    /// While the chains do not `agree`, these draws are thrown away too, and as
    /// many are taken from sweeps four times as far apart, as long as a chain
    /// stays within `most` sweeps.
    pub(crate) fn posterior(
        &self,
        seed: u64,
        draws: usize,
        most: usize,
        agree: impl Fn(&[Vec<Draw>]) -> bool,
    ) -> Vec<Vec<Draw>> {
        let mut chains = [0, 1, 2, 3].map(|number| {
            let mut rng = stream(seed, &format!("hierarchical {number}"));
            (Chain::new(self, &mut rng), rng)
        });
        in_parallel(&mut chains, |(chain, rng)| {
            (0..draws).for_each(|_| chain.sweep(rng));
        });
        let (mut apart, mut done) = (1, draws);
        loop {
            let drawn = in_parallel(&mut chains, |(chain, rng)| {
                let next = |_| {
                    (0..apart).for_each(|_| chain.sweep(rng));
                    chain.draw()
                };
                (0..draws).map(next).collect()
            });
            done += apart * draws;
            apart *= 4;
            if done + apart * draws > most || agree(&drawn) {
                return drawn;
            }
        }
    }
}

/// What `work` makes of each, a thread for each.
fn in_parallel<T: Send, R: Send>(
    all: &mut [T],
    work: impl Fn(&mut T) -> R + Sync,
) -> Vec<R> {
    let work = &work;
    thread::scope(|scope| {
        let threads = all.iter_mut().map(|one| scope.spawn(move || work(one)));
        let threads: Vec<_> = threads.collect();
        let joined = threads.into_iter().map(|thread| match thread.join() {
            Ok(result) => result,
            Err(panic) => resume_unwind(panic),
        });
        joined.collect()
    })
}

/// R-hat of the halves of chains of equal length: near 1 where they agree.
pub(crate) fn split_r_hat(chains: &[&[f64]]) -> f64 {
    let halves = chains.iter().flat_map(|chain| {
        let (first, second) = chain.split_at(chain.len() / 2);
        [first, &second[..first.len()]]
    });
    let sequences: Vec<&[f64]> = halves.collect();
    let n = sequences.first().map_or(0, |first| first.len()) as f64;
    let means: Vec<f64> =
        sequences.iter().map(|s| s.iter().sum::<f64>() / n).collect();
    let spread = |values: &[f64], mean: f64| -> f64 {
        let squares = values.iter().map(|x| (x - mean) * (x - mean));
        squares.sum::<f64>() / (values.len() as f64 - 1.0)
    };
    let within = sequences.iter().zip(&means);
    let within = within.map(|(s, &mean)| spread(s, mean)).sum::<f64>()
        / sequences.len() as f64;
    let centre = means.iter().sum::<f64>() / means.len() as f64;
    let between = spread(&means, centre);
    if within > 0.0 { ((n - 1.0) / n + between / within).sqrt() } else { 1.0 }
}
