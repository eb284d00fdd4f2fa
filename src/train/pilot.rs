//! Pilot runs, whose gradient norms make a `refined` schedule.

use super::{Fit, Replica, train};
use crate::error::Result;
use crate::record::Outcome;
use crate::schedule::{Course, ScheduleSpec};
use crate::workload::Workload;
use serde::{Deserialize, Serialize};

/// Seed of pilot runs: no run of the comparison shares its weights or batches
/// with them.
pub(super) const SEED: u64 = 1 << 33;

/// A run with the gradient norm of every update.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Pilot {
    /// The run itself.
    pub(crate) fit: Fit,
    /// One norm an update: L2 for SGD, L1 for the other optimizers.
    pub(crate) norms: Vec<f64>,
}

/// Trains the pilot run of a `refined` schedule under `spec`, with a seed of
/// its own.
///
/// # Errors
///
/// As [`follow`], and if the schedule is invalid at this budget.
pub(super) fn measure(
    workload: &Workload,
    spec: &ScheduleSpec,
    peak: f64,
    steps: usize,
    stop: &dyn Fn() -> bool,
) -> Result<Pilot> {
    let course = spec.course(peak, steps)?;
    let mut replica = Replica::new(workload, SEED)?;
    replica.keep_norms();
    let fit = train(&mut replica, workload, course, stop)?;
    // Results are kept as JSON, which has finite numbers only.
    let norms = replica.into_norms().into_iter();
    Ok(Pilot { fit, norms: norms.map(|norm| norm.min(f64::MAX)).collect() })
}

/// The course of the `refined` schedule `spec`, made from the norms of `pilot`,
/// a run of an `adaptive` optimizer or another one, for as many updates as the
/// pilot had. `None` if the pilot diverged: then there is no schedule, and the
/// pilot's own end is the result.
///
/// # Errors
///
/// If the schedule cannot be made from the norms.
pub(crate) fn refined(
    spec: &ScheduleSpec,
    pilot: &Pilot,
    adaptive: bool,
    peak: f64,
) -> Result<Option<Course>> {
    if pilot.fit.outcome == Outcome::Diverged {
        return Ok(None);
    }
    let refined = spec.refined_by(&pilot.norms, adaptive)?;
    Ok(Some(refined.course(peak, pilot.norms.len())?))
}
