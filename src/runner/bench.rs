//! The speed of trainers.

use super::workers::all_in_parallel;
use crate::error::{Error, Result};
use crate::plan::cost::Pace;
use crate::train::{Replica, Trainer};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// The median time of an update of each trainer, with `jobs` trainers at once,
/// over `blocks` blocks of about `block_seconds` each after a warm-up.
///
/// # Errors
///
/// If one cannot train, and [`Error::Interrupted`] when `stop` is set.
pub(crate) fn paces(
    trainers: &[Trainer],
    jobs: usize,
    blocks: usize,
    block_seconds: f64,
    stop: &AtomicBool,
) -> Result<Vec<Pace>> {
    let mut paces = Vec::with_capacity(trainers.len());
    for trainer in trainers {
        let order: Vec<usize> = (0..jobs).collect();
        let measure = |worker: usize| -> Result<Vec<Pace>> {
            let workload = match trainer {
                Trainer::Candle(workload) => workload,
                Trainer::External(external) => {
                    return Ok(vec![
                        external.pace(&|| stop.load(Ordering::Relaxed))?,
                    ]);
                }
            };
            let mut replica = Replica::new(workload, worker as u64)?;
            let mut block = |steps: usize| -> Result<f64> {
                let began = Instant::now();
                for _ in 0..steps {
                    if stop.load(Ordering::Relaxed) {
                        return Err(Error::Interrupted);
                    }
                    replica.update(1e-4)?;
                }
                Ok(began.elapsed().as_secs_f64() / steps as f64)
            };
            block(3)?;
            let guess = block(5)?;
            let steps = (block_seconds / guess).clamp(1.0, 1e5);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "clamped just above"
            )]
            let steps = steps as usize;
            let pace = |step_seconds| Pace { start_seconds: 0.0, step_seconds };
            (0..blocks).map(|_| block(steps).map(pace)).collect()
        };
        let measured = all_in_parallel(jobs, &order, measure)?.concat();
        let median = |of: fn(&Pace) -> f64| {
            let mut times: Vec<f64> = measured.iter().map(of).collect();
            times.sort_by(f64::total_cmp);
            times[times.len() / 2]
        };
        paces.push(Pace {
            start_seconds: median(|pace| pace.start_seconds),
            step_seconds: median(|pace| pace.step_seconds),
        });
    }
    Ok(paces)
}
