//! Steps of the sampler along directions in which the fit hardly changes.
//!
//! Drawn one by one, a treatment's effect and its effects in the data sets
//! hold each other in place, so a chain would creep. Each step here moves a
//! group of quantities together, from its distribution along that line.

use super::Model;
use super::sampler::{Chain, normal, tail_beyond};
use rand::{Rng, RngExt as _};
use std::collections::BTreeMap;

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

/// Scores, of which some are unknown.
struct Scores<'a> {
    /// Place and bound of the unknown ones.
    bounds: &'a [(usize, f64)],
    /// How far these bounds are above the fit.
    gaps: &'a mut [f64],
    is_known: &'a [bool],
    rest: &'a mut [f64],
    weights: &'a [f64],
    /// Variance of the residuals.
    residual: f64,
}

impl Scores<'_> {
    /// A step for each quantity that has unknown scores, and what is left after
    /// it. `of_score` has the quantity of each score, `prior` what is known
    /// about a step of it without scores.
    fn steps(
        &mut self,
        of_score: &[usize],
        prior: impl Fn(usize) -> Line,
        rng: &mut impl Rng,
    ) -> BTreeMap<usize, f64> {
        let sd = self.residual.sqrt();
        let mut unknown: BTreeMap<usize, Unknown> = BTreeMap::new();
        for (&(n, _), gap) in self.bounds.iter().zip(&*self.gaps) {
            let quantity = of_score[n];
            let unknown = unknown.entry(quantity).or_insert_with(|| Unknown {
                line: prior(quantity),
                gaps: vec![],
                sd,
            });
            unknown.gaps.push(gap / sd);
        }
        let known = || {
            let all = of_score.iter().zip(self.is_known).enumerate();
            all.filter(|(_, (_, is_known))| **is_known)
        };
        for (n, (quantity, _)) in known() {
            if let Some(Unknown { line, .. }) = unknown.get_mut(quantity) {
                let precision = self.weights[n] / self.residual;
                line.0 += precision;
                line.1 += precision * self.rest[n];
            }
        }
        let steps = unknown.into_iter();
        let steps: BTreeMap<usize, f64> = steps
            .map(|(quantity, unknown)| (quantity, unknown.draw_step(rng)))
            .collect();
        for (n, (quantity, _)) in known() {
            self.rest[n] -= steps.get(quantity).copied().unwrap_or(0.0);
        }
        for ((n, _), gap) in self.bounds.iter().zip(&mut *self.gaps) {
            *gap -= steps[&of_score[*n]];
        }
        steps
    }
}

/// A quantity of which some scores are unknown.
struct Unknown {
    /// What its prior and its known scores say about a step.
    line: Line,
    /// How far the bounds of the others are above the fit, in units of `sd`.
    gaps: Vec<f64>,
    /// Scale of the residuals.
    sd: f64,
}

impl Unknown {
    /// Logarithm of the density of a step, up to a constant.
    fn log_density(&self, step: f64) -> f64 {
        let (precision, weighted) = self.line;
        let beyond = |gap: &f64| tail_beyond(gap - step / self.sd).ln();
        (weighted - 0.5 * precision * step) * step
            + self.gaps.iter().map(beyond).sum::<f64>()
    }

    /// A step by slice sampling.
    ///
    /// Source: Neal, *Slice sampling* (2003), with stepping out.
    fn draw_step(&self, rng: &mut impl Rng) -> f64 {
        let density = |step: f64| self.log_density(step);
        let height = density(0.0) + (1.0 - rng.random::<f64>()).ln();
        let width = 2.0 * self.line.0.sqrt().recip();
        let mut low = -width * rng.random::<f64>();
        let mut high = low + width;
        // The density falls like a normal one, so both ends are found.
        while density(low) > height {
            low -= width;
        }
        while density(high) > height {
            high += width;
        }
        loop {
            let step = low + (high - low) * rng.random::<f64>();
            if density(step) >= height {
                return step;
            }
            if step < 0.0 { low = step } else { high = step }
        }
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

    /// Moves the levels and the effects that have unknown scores, whatever
    /// these are: they are drawn next. Effects drawn from unknown scores, and
    /// the scores from the effects, would creep where most are unknown.
    pub(super) fn move_over_unknown(&mut self, rng: &mut impl Rng) {
        let gap = |&(n, bound): &(usize, f64)| bound - self.fit(n);
        let mut gaps: Vec<f64> = self.bounds.iter().map(gap).collect();
        let mut scores = Scores {
            bounds: &self.bounds,
            gaps: &mut gaps,
            is_known: &self.is_known,
            rest: &mut self.rest,
            weights: &self.weights,
            residual: self.spread.variance,
        };
        for (i, step) in scores.steps(&self.block, |_| (0.0, 0.0), rng) {
            self.levels[i] += step;
        }
        for term in &mut self.terms {
            let prior = |g: usize| {
                let precision = term.weights[g] / term.spread.variance;
                (precision, -precision * term.values[g])
            };
            for (g, step) in scores.steps(&term.of_score, prior, rng) {
                term.values[g] += step;
            }
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
