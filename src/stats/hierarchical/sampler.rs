//! Gibbs sampling: every quantity in turn from its distribution given all
//! others.

use super::moves::{Nesting, nestings};
use super::{Draw, Model, Score, TAILS};
use rand::{Rng, RngExt as _};
use rand_distr::{Distribution as _, Gamma, StandardNormal};

/// Degrees of freedom of the half-t prior of a standard deviation.
const PRIOR: f64 = 3.0;

/// A standard deviation with a half-t prior, as a mixture of inverse gamma
/// distributions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spread {
    pub(super) variance: f64,
    /// The mixing variable.
    mixing: f64,
    scale: f64,
}

impl Spread {
    fn new(scale: f64) -> Self {
        // From below: effects and unknown scores that start small grow within a
        // few steps, and large ones would hold each other up.
        let variance = 1e-4 * scale * scale;
        Self { variance, mixing: 1.0 / variance, scale }
    }

    /// A new value, given `n` normal deviates with this sum of squares.
    fn update(&mut self, n: usize, squares: f64, rng: &mut impl Rng) {
        let shape = 0.5 * (n as f64 + PRIOR);
        let rate = 0.5 * squares + PRIOR / self.mixing;
        self.variance = rate / gamma(shape, rng);
        let rate = PRIOR / self.variance + 1.0 / (self.scale * self.scale);
        self.mixing = rate / gamma(0.5 * (PRIOR + 1.0), rng);
    }

    /// Logarithm of the prior density of the logarithm of the standard
    /// deviation, given the mixing variable, up to a constant.
    pub(super) fn log_prior(&self, variance: f64) -> f64 {
        -0.5 * PRIOR * variance.ln() - PRIOR / (self.mixing * variance)
    }
}

/// Effects of one term.
#[derive(Clone, Debug)]
pub(super) struct Effects {
    /// By context and treatment.
    pub(super) values: Vec<f64>,
    /// Precision of each, in units of the term's: 1 without heavy tails.
    pub(super) weights: Vec<f64>,
    pub(super) spread: Spread,
    /// The effect of each score.
    pub(super) of_score: Vec<usize>,
    heavy: bool,
}

/// The state of a chain.
#[derive(Clone, Debug)]
pub(super) struct Chain<'a> {
    model: &'a Model,
    /// The block of each score; scores in the order of the blocks.
    pub(super) block: Vec<usize>,
    /// Place and bound of the scores that are known by a bound alone.
    pub(super) bounds: Vec<(usize, f64)>,
    /// Whether a score is known.
    pub(super) is_known: Vec<bool>,
    /// What is left of each score after level and effects.
    pub(super) rest: Vec<f64>,
    /// Precision of each residual, in units of the common one.
    pub(super) weights: Vec<f64>,
    pub(super) spread: Spread,
    pub(super) levels: Vec<f64>,
    pub(super) terms: Vec<Effects>,
    pub(super) nestings: Vec<Nesting>,
    /// Room for sums over the scores of an effect or a block.
    sums: Vec<(f64, f64)>,
}

impl<'a> Chain<'a> {
    /// A chain that starts from effects drawn at random.
    pub(super) fn new(model: &'a Model, rng: &mut impl Rng) -> Self {
        let k = model.treatments;
        let blocks = model.blocks.iter().enumerate();
        let scores: Vec<(usize, usize, Score)> = blocks
            .flat_map(|(i, block)| block.iter().map(move |&(j, y)| (i, j, y)))
            .collect();
        let terms = model.terms.iter().map(|term| Effects {
            values: (0..term.contexts * k)
                .map(|_| 0.01 * model.scale * normal(rng))
                .collect(),
            weights: vec![1.0; term.contexts * k],
            spread: Spread::new(model.scale),
            of_score: scores
                .iter()
                .map(|&(i, j, _)| term.context[i] * k + j)
                .collect(),
            heavy: term.heavy,
        });
        let mut chain = Self {
            model,
            block: scores.iter().map(|&(i, ..)| i).collect(),
            bounds: vec![],
            is_known: vec![true; scores.len()],
            rest: vec![],
            weights: vec![1.0; scores.len()],
            spread: Spread::new(model.scale),
            levels: vec![0.0; model.blocks.len()],
            terms: terms.collect(),
            nestings: nestings(model),
            sums: vec![],
        };
        for (n, &(.., y)) in scores.iter().enumerate() {
            let y = match y {
                Score::Exact(y) => y,
                Score::Above(bound) => {
                    chain.bounds.push((n, bound));
                    chain.is_known[n] = false;
                    bound
                }
            };
            let fit: f64 =
                chain.terms.iter().map(|t| t.values[t.of_score[n]]).sum();
            chain.rest.push(y - fit);
        }
        chain
    }

    /// Every quantity once.
    pub(super) fn sweep(&mut self, rng: &mut impl Rng) {
        if !self.bounds.is_empty() {
            self.move_over_unknown(rng);
            self.draw_unknown_scores(rng);
        }
        self.draw_weights(rng);
        self.draw_levels(rng);
        for t in 0..self.terms.len() {
            self.draw_effects(t, rng);
            self.shift_against_levels(t, rng);
        }
        for n in 0..self.nestings.len() {
            self.shift_against_inner(n, rng);
        }
        for t in 0..self.terms.len() {
            self.rescale(t, rng);
            self.terms[t].draw_spread(rng);
        }
        let squares = self.rest.iter().zip(&self.weights);
        let squares = squares.map(|(r, w)| w * r * r).sum();
        self.spread.update(self.rest.len(), squares, rng);
    }

    /// The state as a draw.
    pub(super) fn draw(&self) -> Draw {
        let kept = |term: &Effects| {
            if term.heavy { vec![] } else { term.values.clone() }
        };
        let effects = self.terms.iter().map(kept);
        let of_terms = self.terms.iter().map(|term| &term.spread);
        let spreads = of_terms.chain([&self.spread]);
        Draw {
            effects: effects.collect(),
            spreads: spreads.map(|spread| spread.variance.sqrt()).collect(),
        }
    }

    /// Draws them whatever the weights, which are drawn next.
    fn draw_unknown_scores(&mut self, rng: &mut impl Rng) {
        let sd = self.spread.variance.sqrt();
        for i in 0..self.bounds.len() {
            let (n, bound) = self.bounds[i];
            let least = bound - self.fit(n);
            self.rest[n] = sd * tail_above(least / sd, rng);
        }
    }

    /// Level and effects of a score.
    pub(super) fn fit(&self, n: usize) -> f64 {
        let effects = self.terms.iter().map(|t| t.values[t.of_score[n]]);
        self.levels[self.block[n]] + effects.sum::<f64>()
    }

    fn draw_weights(&mut self, rng: &mut impl Rng) {
        let variance = self.spread.variance;
        for (weight, rest) in self.weights.iter_mut().zip(&self.rest) {
            *weight = tail_weight(rest * rest / variance, rng);
        }
    }

    fn draw_levels(&mut self, rng: &mut impl Rng) {
        let sums = &mut self.sums;
        sums.clear();
        sums.resize(self.levels.len(), (0.0, 0.0));
        let scores = self.block.iter().zip(self.rest.iter().zip(&self.weights));
        for (&i, (rest, weight)) in scores {
            sums[i].0 += weight;
            sums[i].1 += weight * rest;
        }
        let sd = self.spread.variance.sqrt();
        for (sum, level) in sums.iter_mut().zip(&mut self.levels) {
            if sum.0 > 0.0 {
                let step = sum.1 / sum.0 + sd / sum.0.sqrt() * normal(rng);
                *level += step;
                sum.1 = step;
            }
        }
        for (&i, rest) in self.block.iter().zip(&mut self.rest) {
            *rest -= sums[i].1;
        }
    }

    fn draw_effects(&mut self, t: usize, rng: &mut impl Rng) {
        let term = &mut self.terms[t];
        let sums = &mut self.sums;
        sums.clear();
        sums.resize(term.values.len(), (0.0, 0.0));
        let scores = term.of_score.iter();
        for (&g, (rest, weight)) in
            scores.zip(self.rest.iter().zip(&self.weights))
        {
            sums[g].0 += weight;
            sums[g].1 += weight * rest;
        }
        let residual = self.spread.variance;
        let effects = term.values.iter_mut().zip(&term.weights);
        for (sum, (value, weight)) in sums.iter_mut().zip(effects) {
            let precision = weight / term.spread.variance + sum.0 / residual;
            let mean = (sum.1 + sum.0 * *value) / residual / precision;
            let new = mean + normal(rng) / precision.sqrt();
            sum.1 = new - *value;
            *value = new;
        }
        for (&g, rest) in term.of_score.iter().zip(&mut self.rest) {
            *rest -= sums[g].1;
        }
    }

    /// The contexts of the blocks, by term.
    pub(super) fn contexts(&self, t: usize) -> &'a [usize] {
        &self.model.terms[t].context
    }

    pub(super) fn treatments(&self) -> usize {
        self.model.treatments
    }
}

impl Effects {
    /// New weights and a new standard deviation, given the effects.
    fn draw_spread(&mut self, rng: &mut impl Rng) {
        let variance = self.spread.variance;
        if self.heavy {
            for (weight, value) in self.weights.iter_mut().zip(&self.values) {
                *weight = tail_weight(value * value / variance, rng);
            }
        }
        let values = self.values.iter().zip(&self.weights);
        let squares = values.map(|(v, w)| w * v * v).sum();
        self.spread.update(self.values.len(), squares, rng);
    }
}

/// The weight of a deviate whose square, in units of the variance, is
/// `square`: it makes a t distribution of a normal one.
fn tail_weight(square: f64, rng: &mut impl Rng) -> f64 {
    gamma(0.5 * (TAILS + 1.0), rng) / (0.5 * (TAILS + square))
}

pub(super) fn normal(rng: &mut impl Rng) -> f64 {
    StandardNormal.sample(rng)
}

/// A gamma deviate of rate 1; `shape` is positive.
fn gamma(shape: f64, rng: &mut impl Rng) -> f64 {
    // No finite positive shape is refused.
    Gamma::new(shape, 1.0).map_or(shape, |gamma| gamma.sample(rng))
}

/// A deviate of Student's t with four degrees of freedom, given that it is
/// above `bound`: the quantile of a uniform share of the tail.
///
/// Source: Shaw, *Sampling Student's T distribution: use of the inverse
/// cumulative distribution function* (2006).
pub(super) fn tail_above(bound: f64, rng: &mut impl Rng) -> f64 {
    let share = tail_beyond(bound) * (1.0 - rng.random::<f64>());
    let a = 4.0 * share * (1.0 - share);
    let q = (a.sqrt().acos() / 3.0).cos() / a.sqrt();
    let size = 2.0 * (q - 1.0).max(0.0).sqrt();
    let deviate = if share < 0.5 { size } else { -size };
    // Rounding may put it a little below.
    deviate.max(bound)
}

/// The probability of being above `x`.
pub(super) fn tail_beyond(x: f64) -> f64 {
    // With s = sin(atan(x / 2)) it is 1/2 - 3/4 s + 1/4 s^3, which is
    // (1 - s)^2 (2 + s) / 4.
    let slope = (4.0 + x * x).sqrt();
    let rest =
        if x > 0.0 { 4.0 / (slope * (slope + x)) } else { 1.0 - x / slope };
    rest * rest * (3.0 - rest) / 4.0
}
