//! The decay of a log: which family, from where to where.

use super::log::{Point, whole};
use std::f64::consts::PI;

/// A shape that falls from 1 to 0 while its argument rises from 0 to 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Family {
    /// The kind of schedule.
    pub(super) kind: &'static str,
    /// The keys that make it so, as a grid writes them.
    pub(super) keys: &'static str,
    /// What a `wsd` calls it.
    pub(super) shape: Option<&'static str>,
    pub(super) at: fn(f64) -> f64,
}

/// The families, simplest first.
pub(super) const FAMILIES: &[Family] = &[
    Family { kind: "linear", keys: "", shape: Some("linear"), at: |x| 1.0 - x },
    Family {
        kind: "cosine",
        keys: "",
        shape: Some("cosine"),
        at: |x| (1.0 + (PI * x).cos()) / 2.0,
    },
    Family {
        kind: "one-minus-sqrt",
        keys: "",
        shape: Some("one-minus-sqrt"),
        at: |x| 1.0 - x.max(0.0).sqrt(),
    },
    Family {
        kind: "polynomial",
        keys: "",
        shape: Some("square"),
        at: |x| (1.0 - x).max(0.0).powi(2),
    },
    Family {
        kind: "polynomial",
        keys: "power = 3",
        shape: None,
        at: |x| (1.0 - x).max(0.0).powi(3),
    },
    Family {
        kind: "polynomial",
        keys: "power = 0.5",
        shape: None,
        at: |x| (1.0 - x).max(0.0).sqrt(),
    },
    Family {
        kind: "polynomial",
        keys: "power = 1.5",
        shape: None,
        at: |x| (1.0 - x).max(0.0).powf(1.5),
    },
    Family {
        kind: "polynomial",
        keys: "power = 0.9",
        shape: None,
        at: |x| (1.0 - x).max(0.0).powf(0.9),
    },
    Family {
        kind: "rex",
        keys: "",
        shape: None,
        at: |x| (1.0 - x) / (1.0 - 0.5 * x),
    },
    Family {
        kind: "k-decay",
        keys: "",
        shape: None,
        at: |x| (1.0 + (PI * x.max(0.0).powf(1.5)).cos()) / 2.0,
    },
];

/// A decay from `peak` at update `from` to `end` at update `to`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decay {
    pub(super) family: Family,
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) peak: f64,
    pub(super) end: f64,
}

impl Decay {
    /// The rate at an update from its start on.
    pub(super) fn at(&self, update: u64) -> f64 {
        let x = share(update, self.from as f64, self.to as f64);
        self.end + (self.peak - self.end) * (self.family.at)(x)
    }

    fn fits(&self, points: &[Point]) -> bool {
        let scale = self.peak;
        let (peak, end) = (self.peak, self.end);
        let sound = peak > 0.0 && end > -1e-6 * peak && end < peak;
        sound
            && points.iter().all(|point| point.is(self.at(point.update), scale))
    }
}

fn share(update: u64, from: f64, to: f64) -> f64 {
    (update as f64 - from) / (to - from)
}

/// Points that a search looks at.
const MOST: usize = 48;

/// Ends that are tried between the last update and thirty times it.
const ENDS: usize = 90;

/// The decays that all of `points` follow, of the simplest family that has any,
/// likeliest first. Their start is one of `starts`; their end is an update
/// after the last point, at best one of `ends`.
pub(super) fn decays(
    points: &[Point],
    starts: &[u64],
    ends: &[u64],
) -> Vec<Decay> {
    let Some(end) = points.last() else { return vec![] };
    let last = end.update;
    let stride = points.len().div_ceil(MOST);
    let mut some: Vec<Point> = points.iter().copied().step_by(stride).collect();
    some.push(*end);
    let fitted = |family: Family, from: u64, to: u64| {
        let (peak, end) = linear(family, &some, from as f64, to as f64)?;
        let end = if end.abs() < 1e-6 * peak { 0.0 } else { end };
        let decay = Decay { family, from, to, peak, end };
        if decay.fits(points) {
            return Some(decay);
        }
        // Few digits leave the end open: 0, where that is right too.
        let to_zero = Decay { end: 0.0, ..decay };
        to_zero.fits(points).then_some(to_zero)
    };
    // A plan that ends with the log at 0, at a round share of the peak, a plan
    // that ends at 0 elsewhere, any other.
    let likely = |decay: &Decay| {
        let share = 100.0 * decay.end / decay.peak;
        let round = (share - share.round()).abs() < 1e-2;
        let ends_here = ends.contains(&decay.to);
        let tier = match (ends_here, decay.end == 0.0, round) {
            (true, true, _) => 0,
            (true, false, true) => 1,
            (false, true, _) => 2,
            _ => 3,
        };
        (tier, decay.to.abs_diff(last + 1))
    };
    let of = |family: Family| {
        let fits = starts.iter().flat_map(|&from| {
            let near = ends.iter().copied().filter(|&to| to > last / 2);
            let mut tried: Vec<u64> = near.collect();
            if family.kind == "linear" {
                tried.extend(root(family, &some, from, last));
            } else if let Some(to) = best_end(family, &some, from, last) {
                tried.extend([to, to + 1, to.saturating_sub(1)]);
            }
            tried.retain(|&to| to > from);
            tried.into_iter().map(move |to| (from, to))
        });
        let fits = fits.filter_map(|(from, to)| fitted(family, from, to));
        let mut fits: Vec<Decay> = fits.collect();
        fits.sort_by_key(likely);
        fits
    };
    let mut all = FAMILIES.iter().map(|&family| of(family));
    all.find(|fits| !fits.is_empty()).unwrap_or_default()
}

/// Where a straight line comes to 0: its end is not known otherwise.
fn root(family: Family, points: &[Point], from: u64, last: u64) -> Option<u64> {
    let (begin, to) = (from as f64, (last.max(from) + 1) as f64);
    let (peak, end) = linear(family, points, begin, to)?;
    let zero = begin + (to - begin) * peak / (peak - end);
    (zero.is_finite() && zero > begin).then(|| whole(zero))
}

/// The end with the least squares, to the nearest update.
fn best_end(
    family: Family,
    points: &[Point],
    from: u64,
    last: u64,
) -> Option<u64> {
    let off = |to: f64| misfit(family, points, from as f64, to);
    let low = (last.max(from) + 1) as f64;
    let ratio = 30_f64.powf(1.0 / ENDS as f64);
    let grid = (0..=ENDS).map(|i| low * ratio.powf(i as f64));
    let rough = grid.min_by(|&a, &b| off(a).total_cmp(&off(b)))?;
    let (mut a, mut b) = ((rough / ratio).max(low), rough * ratio);
    let golden = (5_f64.sqrt() - 1.0) / 2.0;
    while b - a > 0.2 {
        let (left, right) = (b - golden * (b - a), a + golden * (b - a));
        if off(left) < off(right) { b = right } else { a = left }
    }
    Some(whole((a + b) / 2.0))
}

/// Sum of squares of what is left.
fn misfit(family: Family, points: &[Point], from: f64, to: f64) -> f64 {
    let Some((peak, end)) = linear(family, points, from, to) else {
        return f64::INFINITY;
    };
    let left = |point: &Point| {
        let height = (family.at)(share(point.update, from, to));
        end + (peak - end) * height - point.rate
    };
    let off = |point: &Point| point.weight(peak) * left(point).powi(2);
    points.iter().map(off).sum()
}

/// The peak and the end with the least squares, where start and end are known;
/// the end is 0 where the points do not show it.
fn linear(
    family: Family,
    points: &[Point],
    from: f64,
    to: f64,
) -> Option<(f64, f64)> {
    let scale = points.iter().map(|point| point.rate).fold(0.0, f64::max);
    let weight = |point: &Point| point.weight(scale);
    let n: f64 = points.iter().map(weight).sum();
    let height = |point: &Point| (family.at)(share(point.update, from, to));
    let mean = |of: &dyn Fn(&Point) -> f64| {
        points.iter().map(|point| weight(point) * of(point)).sum::<f64>() / n
    };
    let (mean_x, mean_y) = (mean(&height), mean(&|point| point.rate));
    let (mut xx, mut xy) = (0.0, 0.0);
    for point in points {
        let x = height(point) - mean_x;
        xx += weight(point) * x * x;
        xy += weight(point) * x * (point.rate - mean_y);
    }
    if !(xx > 1e-18 * n && xy.is_finite()) {
        return None;
    }
    let slope = xy / xx;
    let end = mean_y - slope * mean_x;
    Some((end + slope, end))
}
