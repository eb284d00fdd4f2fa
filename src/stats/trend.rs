//! A smooth trend with white noise, fitted: how likely a sequence is one.

/// Variances of the change of slope, in units of that of the noise, that are
/// tried: from a straight line to a bend that takes about two values.
const BENDS: [f64; 9] = [0.0, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1];

/// Values on each side that the level of the noise at a value is taken from.
const AROUND: usize = 10;

/// Standard deviations beyond which an error counts as that many.
const CLIP: f64 = 3.0;

/// The likeliest trend of a sequence.
pub(crate) struct Trend {
    /// Logarithm of the likelihood, up to a constant.
    pub(crate) log_likelihood: f64,
    /// Errors of the predictions of each value from those before it, from
    /// the third on, in standard deviations.
    errors: Vec<f64>,
}

impl Trend {
    /// Of `values`, all finite. The slope of the trend is a random walk, and
    /// the noise is normal, with a level that may drift (Harvey 1989, local
    /// linear trend, by a Kalman filter that starts at the first two values).
    /// `None` below 12 values.
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        if values.len() < 12 {
            return None;
        }
        let fits = BENDS.iter().map(|&bend| fit(values, bend));
        fits.max_by(|a, b| a.log_likelihood.total_cmp(&b.log_likelihood))
    }

    /// Whether the errors are white: correlations of neighbours, and of every
    /// second one, are at most `most` standard deviations.
    pub(crate) fn is_white(&self, most: f64) -> bool {
        let squares: f64 = self.errors.iter().map(|e| e * e).sum();
        (1..=2).all(|lag| {
            let pairs = self.errors.iter().zip(&self.errors[lag..]);
            let together: f64 = pairs.map(|(a, b)| a * b).sum();
            let correlation = together / squares;
            correlation.abs() * (self.errors.len() as f64).sqrt() <= most
        })
    }
}

fn fit(values: &[f64], bend: f64) -> Trend {
    let (mut level, mut slope) = (values[1], values[1] - values[0]);
    let (mut ll, mut ls, mut ss) = (1.0, 1.0, 2.0 + bend);
    let mut errors = vec![];
    let mut log_spreads = 0.0;
    for value in &values[2..] {
        level += slope;
        (ll, ls, ss) = (ll + 2.0 * ls + ss, ls + ss, ss + bend);
        let spread = ll + 1.0;
        let error = value - level;
        let (to_level, to_slope) = (ll / spread, ls / spread);
        level += to_level * error;
        slope += to_slope * error;
        (ll, ls, ss) =
            (ll - to_level * ll, ls - to_level * ls, ss - to_slope * ls);
        errors.push(error / spread.sqrt());
        log_spreads += spread.ln();
    }
    let level_at = |i: usize| {
        let around = &errors
            [i.saturating_sub(AROUND)..(i + AROUND + 1).min(errors.len())];
        let sum: f64 = around.iter().map(|e| e * e).sum();
        sum / around.len() as f64 + f64::MIN_POSITIVE
    };
    let levels: Vec<f64> = (0..errors.len()).map(level_at).collect();
    let log_levels: f64 = levels.iter().map(|level| level.ln()).sum();
    let errors = errors.iter().zip(&levels);
    Trend {
        log_likelihood: -0.5 * (log_levels + log_spreads),
        errors: errors
            .map(|(e, level)| (e / level.sqrt()).clamp(-CLIP, CLIP))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt as _;

    fn noise(count: usize) -> Vec<f64> {
        let mut rng = crate::seed::stream(2, "trend");
        (0..count).map(|_| rng.random_range(-1.0..1.0)).collect()
    }

    #[test]
    fn noise_around_a_bend_is_white_and_its_sum_is_not() {
        let noise = noise(200);
        let bent: Vec<f64> = (0..200)
            .map(|i| (i as f64 / 60.0).sin() * 4.0 + noise[i])
            .collect();
        let trend = Trend::of(&bent).expect("long enough");
        assert!(trend.is_white(2.5));
        let differences: Vec<f64> =
            noise.windows(2).map(|w| w[1] - 0.9 * w[0]).collect();
        let trend = Trend::of(&differences).expect("long enough");
        assert!(!trend.is_white(2.5));
    }

    #[test]
    fn scale_shifts_the_likelihood_by_its_logarithm() {
        let values = noise(50);
        let large: Vec<f64> = values.iter().map(|x| 8.0 * x).collect();
        let of = |values: &[f64]| {
            Trend::of(values).expect("long enough").log_likelihood
        };
        let lower = of(&values) - of(&large);
        assert!((lower - 48.0 * 8.0_f64.ln()).abs() < 1e-9, "{lower}");
        assert!(Trend::of(&values[..11]).is_none());
    }
}
