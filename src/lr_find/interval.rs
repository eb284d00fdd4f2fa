//! How sure a suggestion is.

use super::diagnosis::Diagnosis;
use crate::seed;
use crate::stats::robust::median;
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

/// Bootstrap replicates.
const REPLICATES: usize = 400;

/// Rows whose residuals change sign together, so that their correlation
/// survives.
const BLOCK: usize = 5;

/// Share of the replicates left out at each end.
const TAIL: f64 = 0.05;

/// 90 % interval of the median suggestion, in learning rates: seeds drawn
/// anew, and in each curve the residuals around the smoothed one with random
/// signs, in blocks (a wild bootstrap, which keeps noise that grows with the
/// rate where it is). It thus has a width for a single seed.
pub(super) fn of_curves(curves: &[&Diagnosis], seed: u64) -> (f64, f64) {
    bootstrap(curves, seed, |curve, rng| {
        let blocks = curve.len().div_ceil(BLOCK);
        let signs: Vec<f64> = (0..blocks)
            .map(|_| if rng.random::<bool>() { 1.0 } else { -1.0 })
            .collect();
        curve.resampled(&|row| signs[row / BLOCK])
    })
}

/// The same for rules of other tools: from the seeds alone, so a single seed
/// has no width.
pub(super) fn of_suggestions(rates: &[f64], seed: u64) -> (f64, f64) {
    bootstrap(rates, seed, |rate, _| *rate)
}

/// The quantiles of the median of rates that are drawn, one of each of
/// `seeds`, chosen anew.
fn bootstrap<T>(
    seeds: &[T],
    seed: u64,
    rate: impl Fn(&T, &mut ChaCha8Rng) -> f64,
) -> (f64, f64) {
    let mut rng = seed::stream(seed, "range test: bootstrap");
    let mut replicate = || {
        let drawn = (0..seeds.len()).map(|_| {
            let at = rng.random_range(0..seeds.len());
            rate(&seeds[at], &mut rng).ln()
        });
        median(drawn.collect()).unwrap_or(0.0)
    };
    let mut logs: Vec<f64> = (0..REPLICATES).map(|_| replicate()).collect();
    logs.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index below the length"
    )]
    let low = (TAIL * (logs.len() - 1) as f64).floor() as usize;
    (logs[low].exp(), logs[logs.len() - 1 - low].exp())
}
