//! Percentile intervals from resampled clusters.

use rand::{Rng, RngExt as _};

/// Replicates behind an interval.
const DRAWS: usize = 4_000;

/// Work, in replicates times clusters times quantities, above which fewer
/// replicates are drawn; the ends of an interval from a thousand are still
/// within a few hundredths of its width.
const MOST_WORK: usize = 20_000_000;
const FEWEST_DRAWS: usize = 1_000;

/// Replicates for intervals of `width` quantities over `clusters`.
pub(crate) fn draws(clusters: usize, width: usize) -> usize {
    (MOST_WORK / (clusters * width).max(1)).clamp(FEWEST_DRAWS, DRAWS)
}

/// Ends of a 95 % percentile interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Interval {
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// Intervals of the two averages over clusters of one quantity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Averages {
    /// Of the mean.
    pub(crate) mean: Interval,
    /// Of the interquartile mean.
    pub(crate) iqm: Interval,
}

/// Intervals of the averages over `clusters` of `width` quantities at once.
///
/// Each of `draws` replicates draws as many clusters as there are, with
/// replacement; `replicate(cluster, rng, values)` then resamples inside one
/// cluster and adds its value of each quantity to `values`, which are 0
/// before. All quantities see the same draws, so what they have in common
/// does not widen their differences. A cluster that lacks a quantity makes it
/// NaN and does not count in its averages.
///
/// Sources: Efron (1979) for the percentiles; Davison & Hinkley, *Bootstrap
/// Methods and their Application* (1997), section 3.8, for the two levels;
/// Agarwal et al., *Deep RL at the edge of the statistical precipice* (2021)
/// for the interquartile mean.
pub(crate) fn hierarchical<R: Rng>(
    clusters: usize,
    width: usize,
    draws: usize,
    rng: &mut R,
    mut replicate: impl FnMut(usize, &mut R, &mut [f64]),
) -> Vec<Averages> {
    let mut means = vec![Vec::with_capacity(draws); width];
    let mut middles = vec![Vec::with_capacity(draws); width];
    let mut values = vec![0.0; clusters * width];
    let mut column = Vec::with_capacity(clusters);
    for _ in 0..draws {
        values.fill(0.0);
        for row in values.chunks_mut(width.max(1)) {
            replicate(rng.random_range(0..clusters), rng, row);
        }
        for j in 0..width {
            let of_clusters = values.iter().skip(j).step_by(width);
            column.clear();
            column.extend(of_clusters.filter(|value| !value.is_nan()));
            means[j].push(column.iter().sum::<f64>() / column.len() as f64);
            column.sort_unstable_by(f64::total_cmp);
            middles[j].push(middle_mean(&column));
        }
    }
    means
        .into_iter()
        .zip(middles)
        .map(|(means, middles)| Averages {
            mean: interval(means),
            iqm: interval(middles),
        })
        .collect()
}

/// The 95 % percentile interval of what `of` gives for `clusters` drawn with
/// replacement, as indices. Draws without a value do not count.
pub(crate) fn percentiles<R: Rng>(
    clusters: usize,
    rng: &mut R,
    of: impl Fn(&[usize]) -> Option<f64>,
) -> Interval {
    let mut drawn = vec![0; clusters];
    let mut replicate = || {
        for index in &mut drawn {
            *index = rng.random_range(0..clusters);
        }
        of(&drawn)
    };
    interval((0..DRAWS).filter_map(|_| replicate()).collect())
}

fn interval(mut values: Vec<f64>) -> Interval {
    values.retain(|value| !value.is_nan());
    values.sort_unstable_by(f64::total_cmp);
    Interval { low: quantile(&values, 0.025), high: quantile(&values, 0.975) }
}

/// The mean of the middle half: a quarter of `values`, rounded down, is cut
/// off at each end.
pub(crate) fn interquartile_mean(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    middle_mean(&sorted)
}

fn middle_mean(sorted: &[f64]) -> f64 {
    let cut = sorted.len() / 4;
    let middle = &sorted[cut..sorted.len() - cut];
    middle.iter().sum::<f64>() / middle.len() as f64
}

/// Linear between the order statistics, as numpy does by default; NaN for an
/// empty list.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let at = share * last as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index within the list"
    )]
    let below = at.floor() as usize;
    let above = (below + 1).min(last);
    sorted[below] + (at - at.floor()) * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::stream;

    fn interval_of_mean(values: &[f64]) -> Interval {
        let mut rng = stream(3, "bootstrap");
        hierarchical(values.len(), 1, DRAWS, &mut rng, |i, _, out| {
            out[0] += values[i];
        })[0]
            .mean
    }

    #[test]
    fn the_interval_of_a_mean_is_about_two_standard_errors() {
        let values: Vec<f64> = (0..100).map(f64::from).collect();
        let interval = interval_of_mean(&values);
        let error = (9_999.0_f64 / 12.0 / 100.0).sqrt();
        assert!((interval.low - (49.5 - 1.96 * error)).abs() < 0.35);
        assert!((interval.high - (49.5 + 1.96 * error)).abs() < 0.35);
    }

    #[test]
    fn large_studies_get_fewer_replicates() {
        assert_eq!(draws(10, 20), DRAWS);
        assert_eq!(draws(1_000, 8), 2_500);
        assert_eq!(draws(100_000, 20), FEWEST_DRAWS);
        assert_eq!(draws(0, 0), DRAWS);
    }

    #[test]
    fn one_cluster_has_no_spread_of_its_own() {
        let interval = interval_of_mean(&[0.25]);
        assert_eq!(interval, Interval { low: 0.25, high: 0.25 });
    }

    #[test]
    fn the_interquartile_mean_ignores_the_ends() {
        assert_eq!(interquartile_mean(&[9.0, 1.0, 2.0, -50.0]), 1.5);
        assert_eq!(interquartile_mean(&[9.0, 1.0, 2.0]), 4.0);
        let toy = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 800.0];
        assert!((interquartile_mean(&toy) - 0.45).abs() < 1e-12);
    }

    #[test]
    fn scipys_trimmed_means() {
        let golden: serde_json::Value = serde_json::from_str(include_str!(
            "../../tests/golden/inference-oracles.json"
        ))
        .expect("valid JSON");
        let cases = golden["interquartile_mean"].as_array().expect("cases");
        for case in cases {
            let x: Vec<f64> =
                serde_json::from_value(case["x"].clone()).expect("numbers");
            let mean = case["mean"].as_f64().expect("a number");
            assert!((interquartile_mean(&x) - mean).abs() < 1e-12);
        }
    }

    #[test]
    fn intervals_of_the_middle_half_as_enumerated() {
        // Four clusters, one of them far off: all 4^4 resamples.
        let values = [0.0, 1.0, 2.0, 100.0];
        let mut all: Vec<f64> = (0..256_usize)
            .map(|code| {
                let drawn = [0, 2, 4, 6].map(|i| values[code >> i & 3]);
                interquartile_mean(&drawn)
            })
            .collect();
        all.sort_by(f64::total_cmp);
        let mut rng = stream(5, "bootstrap");
        let drawn = hierarchical(4, 1, 20_000, &mut rng, |i, _, out| {
            out[0] += values[i];
        })[0];
        assert_eq!(drawn.iqm.low, quantile(&all, 0.025));
        assert_eq!(drawn.iqm.high, quantile(&all, 0.975));
    }

    #[test]
    fn quantiles_are_linear_between_order_statistics() {
        let sorted = [0.0, 1.0, 2.0, 4.0];
        assert_eq!(quantile(&sorted, 0.5), 1.5);
        assert_eq!(quantile(&sorted, 1.0), 4.0);
        assert!(quantile(&[], 0.5).is_nan());
    }
}
