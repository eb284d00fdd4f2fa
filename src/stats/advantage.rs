//! How much better one of two things is, from a few paired differences of
//! their log-losses: a posterior that makes sense from one seed on.
//!
//! The differences are normal around the advantage. Prior of the advantage: a
//! Student t with 3 degrees of freedom and scale 0.1 around 0 (most changes
//! of a schedule change a loss by less than a tenth, a few by much more).
//! Prior of the noise of a difference: the half of a Student t with 3 degrees
//! of freedom and scale 0.03. As the prior is centred on no advantage, the
//! best of several candidates needs no further correction.
//!
//! The t of the advantage is a mixture of normals over its scale; given scale
//! and noise, the posterior is normal, and both are summed on a grid of
//! logarithms.
//!
//! Source: Gelman, *Prior distributions for variance parameters in
//! hierarchical models* (2006) for the half-t.

use statrs::function::erf::erfc;
use std::f64::consts::SQRT_2;

/// Scale of the prior of the advantage, in log-losses.
pub(crate) const SCALE: f64 = 0.1;

/// Scale of the prior of the noise, in log-losses.
pub(crate) const NOISE: f64 = 0.03;

/// Degrees of freedom of both.
const FREEDOM: f64 = 3.0;

/// Points of the grids, over the noise and over the scale.
const POINTS: (usize, usize) = (120, 40);

/// Ends of the grid of the noise.
const NOISES: (f64, f64) = (1e-7, 30.0);

/// Ends of the grid of the precision of the advantage, over the prior's.
const PRECISIONS: (f64, f64) = (1e-5, 20.0);

/// The posterior of an advantage: a mixture of normals.
#[derive(Clone, Debug)]
pub(crate) struct Advantage {
    parts: Vec<Part>,
}

#[derive(Clone, Copy, Debug)]
struct Part {
    weight: f64,
    mean: f64,
    deviation: f64,
}

impl Advantage {
    /// From `differences`, log-loss of the one minus log-loss of the other,
    /// one for each seed: positive ones speak for the other. Without any, the
    /// prior.
    pub(crate) fn of(differences: &[f64]) -> Self {
        let n = differences.len() as f64;
        let mean = match differences {
            [] => 0.0,
            some => some.iter().sum::<f64>() / n,
        };
        let squares: f64 = differences.iter().map(|d| (d - mean).powi(2)).sum();
        let mut logs = vec![];
        let mut parts = vec![];
        for precision in grid(PRECISIONS, POINTS.1) {
            let scale = SCALE * SCALE / precision;
            let of_scale = 0.5 * FREEDOM * (precision.ln() - precision);
            for noise in grid(NOISES, POINTS.0) {
                let t = 1.0 + (noise / NOISE).powi(2) / FREEDOM;
                let of_noise = noise.ln() - 0.5 * (FREEDOM + 1.0) * t.ln();
                let (variance, of_data) = if differences.is_empty() {
                    (f64::INFINITY, 0.0)
                } else {
                    let variance = noise * noise / n;
                    let all = variance + scale;
                    let likely = -(n - 1.0) * noise.ln()
                        - squares / (2.0 * noise * noise)
                        - 0.5 * all.ln()
                        - mean * mean / (2.0 * all);
                    (variance, likely)
                };
                // The posterior given both: precisions add.
                let share = 1.0 / (1.0 + variance / scale);
                logs.push(of_scale + of_noise + of_data);
                parts.push(Part {
                    weight: 0.0,
                    mean: if share > 0.0 { share * mean } else { 0.0 },
                    deviation: if variance.is_finite() {
                        (share * variance).sqrt()
                    } else {
                        scale.sqrt()
                    },
                });
            }
        }
        let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = logs.iter().map(|log| (log - most).exp()).sum();
        for (part, log) in parts.iter_mut().zip(logs) {
            part.weight = (log - most).exp() / sum;
        }
        parts.retain(|part| part.weight > 1e-12);
        Self { parts }
    }

    /// The probability that it is above 0.
    pub(crate) fn probability(&self) -> f64 {
        1.0 - self.below(0.0)
    }

    /// Its mean.
    pub(crate) fn mean(&self) -> f64 {
        self.parts.iter().map(|part| part.weight * part.mean).sum()
    }

    /// The value that it is below with probability `share`.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let (mut low, mut high) = (-1e3, 1e3);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if self.below(middle) < share {
                low = middle;
            } else {
                high = middle;
            }
        }
        0.5 * (low + high)
    }

    /// The mean difference of `seeds` seeds that a probability of 0.95 takes,
    /// if they scatter by the scale of the prior.
    pub(crate) fn needed(seeds: usize) -> f64 {
        let n = seeds as f64;
        // Of mean 0 and standard deviation 1.
        let places: Vec<f64> =
            (0..seeds).map(|i| i as f64 - 0.5 * (n - 1.0)).collect();
        let squares: f64 = places.iter().map(|x| x * x).sum();
        let unit = (squares / (n - 1.0).max(1.0)).sqrt().max(f64::MIN_POSITIVE);
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..20 {
            let middle = 0.5 * (low + high);
            let scattered = |x: &f64| middle + NOISE * x / unit;
            let differences: Vec<f64> = places.iter().map(scattered).collect();
            if Self::of(&differences).probability() < 0.95 {
                low = middle;
            } else {
                high = middle;
            }
        }
        high
    }

    fn below(&self, value: f64) -> f64 {
        let below = |part: &Part| {
            let z = (value - part.mean) / part.deviation;
            part.weight * 0.5 * erfc(-z / SQRT_2)
        };
        self.parts.iter().map(below).sum()
    }
}

/// `count` values from one end to the other, even in their logarithms.
fn grid((from, to): (f64, f64), count: usize) -> impl Iterator<Item = f64> {
    let step = (to / from).ln() / (count - 1) as f64;
    (0..count).map(move |i| from * (step * i as f64).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::stream;
    use rand_distr::{Distribution as _, StandardNormal};

    fn normal(rng: &mut impl rand::Rng) -> f64 {
        StandardNormal.sample(rng)
    }

    /// A number of the t distribution with 3 degrees of freedom.
    fn student(rng: &mut impl rand::Rng) -> f64 {
        let square: f64 = (0..3).map(|_| normal(rng).powi(2)).sum();
        normal(rng) / (square / 3.0).sqrt()
    }

    #[test]
    fn few_seeds_say_little_and_more_say_more() {
        let p = |differences: &[f64]| Advantage::of(differences).probability();
        assert!((p(&[]) - 0.5).abs() < 1e-9);
        assert!((0.6..0.9).contains(&p(&[0.03])), "{}", p(&[0.03]));
        let three = p(&[0.03, 0.02, 0.04]);
        assert!((0.95..0.999).contains(&three), "{three}");
        assert!((p(&[0.03, -0.03]) - 0.5).abs() < 1e-9);
        // The signs change places.
        assert!((p(&[-0.03, -0.02, -0.04]) + three - 1.0).abs() < 1e-9);
        // A large effect is not taken for noise.
        let large = Advantage::of(&[0.70, 0.69, 0.71]);
        assert!(large.probability() > 0.995, "{}", large.probability());
        assert!((0.6..0.71).contains(&large.mean()), "{}", large.mean());
        let (low, high) = (large.quantile(0.025), large.quantile(0.975));
        assert!(low > 0.5 && low < 0.7 && high > 0.7 && high < 0.9);
        let needed = [1, 2, 3, 5, 10].map(Advantage::needed);
        assert!(needed.is_sorted_by(|a, b| a > b), "{needed:?}");
        assert!((0.02..0.06).contains(&needed[2]), "{needed:?}");
        // Equal losses to the bit are evidence of nothing but equality.
        assert!((p(&[0.0; 3]) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn the_prior_is_the_t_distribution_it_says() {
        let prior = Advantage::of(&[]);
        // Quantiles of t with 3 degrees of freedom (R: qt).
        for (share, t) in [(0.975, 3.182_446), (0.75, 0.764_892)] {
            let got = prior.quantile(share) / SCALE;
            assert!((got / t - 1.0).abs() < 2e-3, "{share}: {got}");
        }
    }

    #[test]
    fn stated_probabilities_come_true_even_of_the_best_of_six() {
        let mut rng = stream(1, "advantages");
        // What was stated of the best candidate, and whether it was true.
        let mut bins = [(0_usize, 0.0, 0.0); 5];
        let (mut inside, studies) = (0_usize, 1500_usize);
        for _ in 0..studies {
            let noise = NOISE * student(&mut rng).abs();
            let truths: Vec<f64> =
                (0..6).map(|_| SCALE * student(&mut rng)).collect();
            let posterior = |&truth: &f64| {
                let mut seed = || truth + noise * normal(&mut rng);
                (truth, Advantage::of(&[seed(), seed(), seed()]))
            };
            let of_all: Vec<(f64, Advantage)> =
                truths.iter().map(posterior).collect();
            let best =
                of_all.iter().max_by(|a, b| a.1.mean().total_cmp(&b.1.mean()));
            let (truth, best) = best.expect("six");
            let p = best.probability();
            let bin = match p {
                p if p < 0.6 => 0,
                p if p < 0.8 => 1,
                p if p < 0.95 => 2,
                p if p < 0.99 => 3,
                _ => 4,
            };
            bins[bin].0 += 1;
            bins[bin].1 += p;
            bins[bin].2 += f64::from(u8::from(*truth > 0.0));
            let (low, high) = (best.quantile(0.025), best.quantile(0.975));
            inside += usize::from((low..=high).contains(truth));
        }
        for (count, stated, true_) in bins {
            let n = count as f64;
            let p = stated / n;
            let error = 3.5 * (p * (1.0 - p) / n).sqrt() + 1e-3;
            assert!(count == 0 || (true_ / n - p).abs() < error, "{bins:?}");
        }
        let share = inside as f64 / studies as f64;
        assert!((share - 0.95).abs() < 0.02, "{share}");
    }
}
