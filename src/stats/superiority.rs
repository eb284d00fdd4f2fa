//! How often one schedule beats another, with an interval.

use super::bootstrap::Interval;
use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, Normal};

/// The two-sided interval of level `1 - alpha` for a probability of which
/// `share` was seen in `n` independent cases; the whole of `[0, 1]` for
/// `n = 0`.
///
/// Wilson's score interval: unlike `share ± z s` it has a width where every
/// case was won. `share * n` need not be a whole number: where the cases are
/// shares themselves, such as of the seeds won within each workload, their
/// variance is at most that of won or lost, so the interval is, if anything,
/// too wide.
///
/// Source: Wilson, *Probable inference, the law of succession, and
/// statistical inference* (1927). That a share above 0.75 is a difference of
/// practical weight is a convention of Bouthillier et al. (2021).
pub(crate) fn interval(share: f64, n: usize, alpha: f64) -> Interval {
    let normal = Normal::new(0.0, 1.0).expect("a standard normal exists");
    let z = normal.inverse_cdf(1.0 - alpha / 2.0);
    let n = n as f64;
    let square = z * z;
    let middle = n * share + square / 2.0;
    let half = z * (n * share * (1.0 - share) + square / 4.0).sqrt();
    Interval {
        low: ((middle - half) / (n + square)).max(0.0),
        high: ((middle + half) / (n + square)).min(1.0),
    }
}

/// The chance of `found` cases of `n`, or more with `above`, else fewer, if
/// each has the probability `share`: the p of the one-sided binomial test.
pub(crate) fn binomial_tail(
    found: u64,
    n: u64,
    share: f64,
    above: bool,
) -> f64 {
    let binomial = Binomial::new(share, n).expect("a share is a probability");
    if !above {
        return binomial.cdf(found);
    }
    found.checked_sub(1).map_or(1.0, |fewer| binomial.sf(fewer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_of_three_coins() {
        for (found, above, below) in
            [(0, 1.0, 0.125), (1, 0.875, 0.5), (3, 0.125, 1.0)]
        {
            let tail = |up| binomial_tail(found, 3, 0.5, up);
            assert!((tail(true) - above).abs() < 1e-12, "{found}");
            assert!((tail(false) - below).abs() < 1e-12, "{found}");
        }
    }
    use serde_json::Value;

    #[test]
    fn statsmodels_numbers() {
        let golden: Value = serde_json::from_str(include_str!(
            "../../tests/golden/inference-oracles.json"
        ))
        .expect("valid JSON");
        for case in golden["share"].as_array().expect("cases") {
            let of = |key: &str| case[key].as_f64().expect("a number");
            let n = case["n"].as_u64().expect("a count");
            let n = usize::try_from(n).expect("small");
            let ours = interval(of("share"), n, of("alpha"));
            assert!((ours.low - of("low")).abs() < 1e-9, "{ours:?}, {case}");
            assert!((ours.high - of("high")).abs() < 1e-9, "{ours:?}, {case}");
        }
    }

    #[test]
    fn all_won_is_not_certainty_and_nothing_is_nothing() {
        // The lower end is n / (n + z²) by hand.
        let four = interval(1.0, 4, 0.05);
        let z = 1.959_963_984_540_054_f64;
        assert!((four.low - 4.0 / (4.0 + z * z)).abs() < 1e-9);
        assert_eq!(four.high, 1.0);
        let none = interval(0.5, 0, 0.05);
        assert!(none.low < 1e-12 && none.high > 1.0 - 1e-12, "{none:?}");
    }
}
