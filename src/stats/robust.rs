//! Level and noise of a sequence in spite of outliers.

/// The median absolute deviation of normal noise, in standard deviations.
const MEDIAN_DEVIATION: f64 = 0.674_489_750_196_081_7;

/// Median; `None` of nothing.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[half]),
        _ => Some((values[half - 1] + values[half]) / 2.0),
    }
}

/// Standard deviation of the noise of single values, from the differences of
/// neighbours: a trend hardly counts, nor does an outlier. 0 below two
/// values.
pub(crate) fn noise(values: &[f64]) -> f64 {
    let steps: Vec<f64> =
        values.windows(2).map(|w| (w[1] - w[0]).abs()).collect();
    let two = std::f64::consts::SQRT_2;
    median(steps).map_or(0.0, |step| step / MEDIAN_DEVIATION / two)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt as _;

    #[test]
    fn noise_is_measured_in_spite_of_a_trend_and_outliers() {
        let mut rng = crate::seed::stream(1, "noise");
        let mut values: Vec<f64> = (0..2000)
            .map(|i| {
                let uniform: f64 = rng.random_range(-1.0..1.0);
                f64::from(i) * 1e-3 + uniform
            })
            .collect();
        values[7] = 1e9;
        let want = 1.0 / 3.0_f64.sqrt();
        let got = noise(&values);
        assert!((got / want - 1.0).abs() < 0.1, "{got} is not {want}");
    }
}
