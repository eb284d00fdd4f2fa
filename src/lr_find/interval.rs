//! How sure a suggestion is.

use super::reading::Reading;
use super::smooth::median;
use crate::seed;
use rand::RngExt as _;

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
pub(super) fn of_readings(readings: &[&Reading], seed: u64) -> (f64, f64) {
    let mut rng = seed::stream(seed, "range test: bootstrap");
    let mut replicate = || {
        let drawn = (0..readings.len()).map(|_| {
            let reading = readings[rng.random_range(0..readings.len())];
            let blocks = reading.len().div_ceil(BLOCK);
            let signs: Vec<f64> = (0..blocks)
                .map(|_| if rng.random::<bool>() { 1.0 } else { -1.0 })
                .collect();
            reading.resampled(&|row| signs[row / BLOCK]).ln()
        });
        median(drawn.collect()).unwrap_or(0.0)
    };
    let logs: Vec<f64> = (0..REPLICATES).map(|_| replicate()).collect();
    quantiles(logs)
}

/// The same for rules of other tools: from the seeds alone, so a single seed
/// has no width.
pub(super) fn of_suggestions(rates: &[f64], seed: u64) -> (f64, f64) {
    let mut rng = seed::stream(seed, "range test: bootstrap");
    let mut replicate = || {
        let drawn = (0..rates.len())
            .map(|_| rates[rng.random_range(0..rates.len())].ln());
        median(drawn.collect()).unwrap_or(0.0)
    };
    let logs: Vec<f64> = (0..REPLICATES).map(|_| replicate()).collect();
    quantiles(logs)
}

fn quantiles(mut logs: Vec<f64>) -> (f64, f64) {
    logs.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index below the length"
    )]
    let low = (TAIL * (logs.len() - 1) as f64).floor() as usize;
    (logs[low].exp(), logs[logs.len() - 1 - low].exp())
}
