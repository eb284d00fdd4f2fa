//! Steps of the sampler along directions in which the fit hardly changes.
//!
//! Drawn one by one, a treatment's effect and its effects in the data sets
//! hold each other in place, so a chain would creep. Each step here moves a
//! group of quantities together, from its distribution along that line.

use super::Model;
use super::sampler::{Chain, normal};
use rand::{Rng, RngExt as _};

/// A term whose contexts lie inside those of another.
#[derive(Clone, Debug)]
pub(super) struct Nesting {
    outer: usize,
    inner: usize,
    /// The outer context of each inner one.
    context: Vec<usize>,
}

/// All pairs of terms of which one divides the contexts of the other.
pub(super) fn nestings(model: &Model) -> Vec<Nesting> {
    let mut nestings = vec![];
    for (outer, parent) in model.terms.iter().enumerate() {
        for (inner, child) in model.terms.iter().enumerate() {
            if outer == inner {
                continue;
            }
            let mut context = vec![None; child.contexts];
            let pairs = child.context.iter().zip(&parent.context);
            let fits = pairs.into_iter().all(|(&own, &around)| {
                *context[own].get_or_insert(around) == around
            });
            let context: Option<Vec<usize>> = context.into_iter().collect();
            if let (true, Some(context)) = (fits, context) {
                nestings.push(Nesting { outer, inner, context });
            }
        }
    }
    nestings
}

/// Sums from which a common shift is drawn: precision, and precision times
/// the mean of the shift.
type Line = (f64, f64);

fn shift((precision, weighted): Line, rng: &mut impl Rng) -> f64 {
    if precision > 0.0 {
        weighted / precision + normal(rng) / precision.sqrt()
    } else {
        0.0
    }
}

impl Chain<'_> {
    /// Adds to all effects of a context, and takes it from the levels of its
    /// blocks. A level has no prior, so the effects alone decide.
    pub(super) fn shift_against_levels(
        &mut self,
        t: usize,
        rng: &mut impl Rng,
    ) {
        let k = self.treatments();
        let contexts = self.contexts(t);
        let term = &mut self.terms[t];
        let steps: Vec<f64> = term
            .values
            .chunks_mut(k)
            .zip(term.weights.chunks(k))
            .map(|(values, weights)| {
                let variance = term.spread.variance;
                let line = values.iter().zip(weights).fold(
                    (0.0, 0.0),
                    |line: Line, (value, weight)| {
                        let precision = weight / variance;
                        (line.0 + precision, line.1 - precision * value)
                    },
                );
                let step = shift(line, rng);
                for value in values.iter_mut() {
                    *value += step;
                }
                step
            })
            .collect();
        for (level, &context) in self.levels.iter_mut().zip(contexts) {
            *level -= steps[context];
        }
    }

    /// Adds to each effect of the outer term of a nesting, and takes it from
    /// those inside it.
    pub(super) fn shift_against_inner(&mut self, n: usize, rng: &mut impl Rng) {
        let k = self.treatments();
        let Nesting { outer, inner, ref context } = self.nestings[n];
        let mut lines: Vec<Line> = {
            let term = &self.terms[outer];
            let effects = term.values.iter().zip(&term.weights);
            let line = |(value, weight): (&f64, &f64)| {
                let precision = weight / term.spread.variance;
                (precision, -precision * value)
            };
            effects.map(line).collect()
        };
        let around = |g: usize| context[g / k] * k + g % k;
        let term = &self.terms[inner];
        let effects = term.values.iter().zip(&term.weights).enumerate();
        for (g, (value, weight)) in effects {
            let precision = weight / term.spread.variance;
            let line = &mut lines[around(g)];
            line.0 += precision;
            line.1 += precision * value;
        }
        let steps: Vec<f64> =
            lines.into_iter().map(|line| shift(line, rng)).collect();
        let inner_steps: Vec<f64> =
            (0..term.values.len()).map(|g| steps[around(g)]).collect();
        let outer = self.terms[outer].values.iter_mut();
        outer.zip(&steps).for_each(|(value, step)| *value += step);
        let inner = self.terms[inner].values.iter_mut();
        inner.zip(&inner_steps).for_each(|(value, step)| *value -= step);
    }

    /// Multiplies the effects of a term and their standard deviation by one
    /// factor, accepted or not by the rule of Metropolis: a small standard
    /// deviation and small effects would otherwise keep each other small.
    pub(super) fn rescale(&mut self, t: usize, rng: &mut impl Rng) {
        let log = 0.5 * normal(rng);
        let factor = log.exp();
        let term = &self.terms[t];
        let (mut linear, mut square) = (0.0, 0.0);
        let scores = self.rest.iter().zip(&self.weights);
        for (&g, (rest, weight)) in term.of_score.iter().zip(scores) {
            let value = term.values[g];
            linear += weight * rest * value;
            square += weight * value * value;
        }
        let by = factor - 1.0;
        let fit = (by * linear - 0.5 * by * by * square) / self.spread.variance;
        let variance = term.spread.variance;
        let new = variance * factor * factor;
        let spread = &term.spread;
        let prior = spread.log_prior(new) - spread.log_prior(variance);
        if rng.random::<f64>().ln() < fit + prior {
            let term = &mut self.terms[t];
            for (&g, rest) in term.of_score.iter().zip(&mut self.rest) {
                *rest -= by * term.values[g];
            }
            term.values.iter_mut().for_each(|value| *value *= factor);
            term.spread.variance = new;
        }
    }
}
