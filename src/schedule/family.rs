//! Shapes to search among: families of schedules with free parameters.

use super::{ScheduleSpec, bound};
use rand::{Rng, RngExt as _};
use std::ops::Range;

/// Shapes that are drawn for each one that is kept.
const DRAWN: usize = 4;

/// Updates at which bounds are compared; they hardly depend on it.
const STEPS: usize = 400;

/// A family of shapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    /// Powers of the share that is left.
    Power,
    /// A cosine in a power of the share that has passed.
    Cosine,
    /// REX with any `d`.
    Rex,
    /// The peak, then a decay of any length and shape.
    Stable,
    /// Straight lines through two free points, falling.
    Spline,
    /// A cosine up to a free place, and a cosine in a power down: not monotone.
    Hump,
}

impl Family {
    const ALL: [Self; 6] = [
        Self::Power,
        Self::Cosine,
        Self::Rex,
        Self::Stable,
        Self::Spline,
        Self::Hump,
    ];

    /// A shape with parameters at random, to two decimals.
    fn draw(self, rng: &mut impl Rng) -> Option<ScheduleSpec> {
        // Most published schedules end at 0.
        let end =
            if rng.random_bool(0.5) { 0.0 } else { uniform(rng, 0.0..0.1) };
        let warmup = pick(rng, &["0%", "2%", "5%", "10%", "20%"]);
        let spec = match self {
            Self::Power => ScheduleSpec::polynomial()
                .with("power", logarithmic(rng, 0.4..3.0))
                .and_then(|spec| spec.with("end_ratio", end)),
            Self::Cosine => ScheduleSpec::k_decay()
                .with("k", logarithmic(rng, 0.6..4.0))
                .and_then(|spec| spec.with("end_ratio", end)),
            Self::Rex => ScheduleSpec::rex().with("d", uniform(rng, 0.0..0.95)),
            Self::Stable => ScheduleSpec::wsd()
                .with("decay", uniform(rng, 0.1..1.0))
                .and_then(|spec| {
                    let shapes =
                        ["linear", "one-minus-sqrt", "cosine", "square"];
                    spec.with("shape", *pick(rng, &shapes))
                })
                .and_then(|spec| match end {
                    0.0 => Ok(spec),
                    end => spec.with("end_ratio", end),
                }),
            Self::Spline => {
                let [x1, x2] = sorted(rng, 0.05..0.95);
                let [low, high] = sorted(rng, 0.0..1.0);
                let points = vec![
                    [0.0, 1.0],
                    [x1, high],
                    [x2, low],
                    [1.0, end.min(low)],
                ];
                Ok(ScheduleSpec::piecewise(points))
            }
            Self::Hump => ScheduleSpec::k_decay()
                .with("k", logarithmic(rng, 0.6..4.0))
                .and_then(|spec| spec.with("end_ratio", end)),
        };
        let spec = if self == Self::Hump {
            let share = 100.0 * uniform(rng, 0.1..0.6);
            spec.and_then(|spec| {
                spec.with("warmup", format!("{share:.0}%").as_str())
            })
            .and_then(|spec| spec.with("warmup_shape", "cosine"))
        } else {
            spec.and_then(|spec| spec.with("warmup", *warmup))
        };
        // Two points of a spline may coincide.
        spec.ok().filter(|spec| spec.problem().is_none())
    }
}

/// `number` different shapes: as many of each family, those with the lowest
/// convex bounds of four times as many. The bound is at each shape's own best
/// peak, so that it compares shapes and not their heights.
pub(crate) fn candidates(
    number: usize,
    rng: &mut impl Rng,
) -> Vec<ScheduleSpec> {
    let mut kept: Vec<ScheduleSpec> = vec![];
    for (i, family) in Family::ALL.into_iter().enumerate() {
        let families = Family::ALL.len();
        let share = number / families + usize::from(i < number % families);
        let mut drawn: Vec<(f64, String, ScheduleSpec)> = (0..DRAWN * share)
            .filter_map(|_| family.draw(rng))
            .filter_map(|spec| {
                let rates = spec.rates(1.0, STEPS).ok()?;
                Some((bound(&rates)?.omega, spec.label(), spec))
            })
            .collect();
        drawn.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        drawn.dedup_by(|a, b| a.1 == b.1);
        kept.extend(drawn.into_iter().take(share).map(|(_, _, spec)| spec));
    }
    kept
}

/// To two decimals, so that labels and formulas stay short.
fn rounded(value: f64) -> f64 {
    (100.0 * value).round() / 100.0
}

fn uniform(rng: &mut impl Rng, range: Range<f64>) -> f64 {
    rounded(rng.random_range(range))
}

fn logarithmic(rng: &mut impl Rng, range: Range<f64>) -> f64 {
    rounded(rng.random_range(range.start.ln()..range.end.ln()).exp())
}

fn sorted(rng: &mut impl Rng, range: Range<f64>) -> [f64; 2] {
    let (a, b) = (uniform(rng, range.clone()), uniform(rng, range));
    [a.min(b), a.max(b)]
}

fn pick<'a, T>(rng: &mut impl Rng, from: &'a [T]) -> &'a T {
    &from[rng.random_range(0..from.len())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::stream;

    #[test]
    fn candidates_are_valid_different_and_always_the_same() {
        let drawn = candidates(64, &mut stream(0, "shapes"));
        assert_eq!(drawn, candidates(64, &mut stream(0, "shapes")));
        assert_ne!(drawn, candidates(64, &mut stream(1, "shapes")));
        let mut labels: Vec<String> =
            drawn.iter().map(ScheduleSpec::label).collect();
        labels.sort();
        labels.dedup();
        assert_eq!(labels.len(), drawn.len());
        assert!(drawn.len() > 60, "{}", drawn.len());
        for spec in &drawn {
            let rates = spec.rates(0.1, 250).expect("a whole schedule");
            let most = rates.iter().copied().fold(0.0, f64::max);
            assert!((0.05..=0.1 + 1e-12).contains(&most), "{}", spec.label());
        }
    }

    #[test]
    fn the_bound_prefers_shapes_near_its_optimum() {
        // Straight lines are the best of the powers by the bound.
        let drawn = candidates(60, &mut stream(0, "shapes"));
        let powers: Vec<f64> = drawn
            .iter()
            .filter(|spec| spec.kind() == "polynomial")
            .map(|spec| {
                bound(&spec.rates(1.0, STEPS).expect("rates"))
                    .expect("a bound")
                    .omega
            })
            .collect();
        let line = ScheduleSpec::linear().rates(1.0, STEPS).expect("rates");
        let line = bound(&line).expect("a bound").omega;
        assert!(powers.iter().all(|omega| *omega < 1.5 * line), "{powers:?}");
    }
}
