//! How long one update takes.

use super::workers::{Done, in_parallel};
use crate::error::{Error, Result};
use crate::train::{Replica, Trainer};
use std::time::Instant;

/// Median seconds of one update of each trainer, `jobs` at once, over
/// `blocks` blocks of about `block_seconds` each after a warm-up.
///
/// # Errors
///
/// If one cannot train.
pub(crate) fn step_seconds(
    trainers: &[Trainer],
    jobs: usize,
    blocks: usize,
    block_seconds: f64,
) -> Result<Vec<f64>> {
    let mut medians = Vec::with_capacity(trainers.len());
    for trainer in trainers {
        let mut times = vec![];
        let mut failed = None;
        let order: Vec<usize> = (0..jobs).collect();
        let measure = |worker: usize| -> Result<Vec<f64>> {
            let workload = match trainer {
                Trainer::Candle(workload) => workload,
                Trainer::External(external) => {
                    return Ok(vec![external.step_seconds()?]);
                }
            };
            let mut replica = Replica::new(workload, worker as u64)?;
            let mut block = |steps: usize| -> Result<f64> {
                let began = Instant::now();
                for _ in 0..steps {
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
            (0..blocks).map(|_| block(steps)).collect()
        };
        in_parallel(jobs, &order, measure, |_, answer| match answer {
            Done::Finished(Ok(blocks)) => times.extend(blocks),
            Done::Finished(Err(error)) => failed = Some(error),
            Done::Panicked(why) => failed = Some(Error::Invalid(why)),
        });
        if let Some(error) = failed {
            return Err(error);
        }
        times.sort_by(f64::total_cmp);
        medians.push(times[times.len() / 2]);
    }
    Ok(medians)
}
