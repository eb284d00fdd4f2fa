//! The finder on real trainings.

use super::found::relative_peak;
use super::{
    LossKind, LrFound, Means, Opinion, OpinionSource, RangeTest, Runs,
    TrialLosses, Verify, find, ladder,
};
use crate::error::Result;
use crate::grid::LrFindSpec;
use crate::schedule::{Course, ScheduleSpec};
use crate::spec::{AdjustLr, OptimizerSpec};
use crate::train::Trainer;
use std::sync::atomic::{AtomicUsize, Ordering};

/// First seed of the finder, so that no run shares its weights or batches with
/// the search for its rate.
pub(crate) const FIRST_SEED: u64 = 1 << 32;

/// Number of validation examples whose loss a range test on the validation
/// part records at every update. They suffice to distinguish rates and cost
/// as much as a few updates.
const VALID_EXAMPLES: usize = 512;

/// The learning rate of `trainer` for runs of `horizon` steps, as a grid asks
/// for it; trials run under the `control` schedule.
///
/// # Errors
///
/// [`Error::Interrupted`] when it is to stop; otherwise if a training fails.
pub(crate) fn for_workload(
    trainer: &Trainer,
    spec: &LrFindSpec,
    control: &ScheduleSpec,
    horizon: usize,
    means: Means<'_>,
) -> Result<LrFound> {
    let usual = RangeTest::default();
    let verify =
        spec.verify.then_some(Verify { horizon, trainings: spec.trainings });
    let (steps, seeds) = match &verify {
        Some(verify) => verify.range_test(),
        None => (usual.steps, usual.seeds),
    };
    // No script makes more updates than it does by itself.
    let steps = match trainer {
        Trainer::External(program) if program.is_script => {
            steps.min(horizon.max(ladder::FEWEST))
        }
        _ => steps,
    };
    let test = RangeTest {
        from: spec.from.unwrap_or(usual.from),
        to: spec.to.unwrap_or(usual.to),
        steps: spec.steps.unwrap_or(steps),
        ladder: spec.ladder,
        on: spec.on,
        rule: spec.rule.parse()?,
        seeds: spec.seeds.unwrap_or(seeds),
        fallback: spec
            .fallback
            .unwrap_or_else(|| usual_rate(trainer.optimizer())),
        ..usual
    };
    let verify = verify.as_ref().map(|verify| (verify, control));
    on_workload(trainer, &test, verify, FIRST_SEED, means)
}

/// A range test and, with `verify`, trials under its schedule.
///
/// # Errors
///
/// As [`for_workload`].
pub(crate) fn on_workload(
    trainer: &Trainer,
    test: &RangeTest,
    verify: Option<(&Verify, &ScheduleSpec)>,
    seed: u64,
    Means { several, memo, stop }: Means<'_>,
) -> Result<LrFound> {
    let started = AtomicUsize::new(0);
    let train = |rates: &[f64],
                 seed: u64,
                 on: LossKind,
                 watch: &mut super::Watch<'_>| {
        started.fetch_add(1, Ordering::Relaxed);
        let on_valid = (on == LossKind::Valid).then_some(VALID_EXAMPLES);
        memo.losses((rates, seed, on), watch, |watch| {
            trainer.losses(seed, rates, on_valid, watch, stop)
        })
    };
    let trial = |peak_lr: f64, steps: usize, seed: u64| {
        // A schedule that is not valid for so few steps is a constant rate.
        let known = verify.and_then(|(_, schedule)| {
            let rates = schedule.rates(peak_lr, steps).ok()?;
            let average = schedule.course(peak_lr, steps).ok()?.average();
            Some((rates, average))
        });
        let (rates, average) =
            known.unwrap_or_else(|| (vec![peak_lr; steps], None));
        started.fetch_add(1, Ordering::Relaxed);
        memo.trial(&rates, seed, || {
            let course = Course::from(rates.clone()).averaged(average);
            let fit = trainer.follow(seed, course, stop)?;
            let train = fit.train_loss;
            Ok(fit.valid.map(|score| TrialLosses { valid: score.loss, train }))
        })
    };
    let probe_steps = trainer.probe_steps();
    let verify = verify
        .map(|(verify, schedule)| (verify.sparing(probe_steps), schedule));
    let budget = verify.as_ref().map(|(verify, schedule)| {
        // A schedule that is not valid for so few steps fails when trained.
        let peak = relative_peak(schedule, verify.horizon).unwrap_or(1.0);
        // Many updates of SGD add up to 1 / (1 - momentum) times the first
        // one; those of its schedule-free form do not.
        let gain = if schedule.is_schedule_free() {
            1.0 / trainer.optimizer().first_share()
        } else {
            1.0
        };
        (verify, peak * gain)
    });
    let runs = Runs { train: &train, trial: &trial, several };
    let mut found = find(test, budget, seed, runs)?;
    found.trainings = started.load(Ordering::Relaxed);
    if verify.is_some() {
        let (curvature, parabola) = trainer.probe(seed, found.lr)?;
        for (source, lr) in [
            (OpinionSource::Curvature, curvature),
            (OpinionSource::Parabola, parabola),
        ] {
            if let Some(lr) = lr {
                found.hear(Opinion { source, lr });
            }
        }
        found.cost_steps += probe_steps;
    }
    Ok(found)
}

/// The usual learning rate of the optimizer.
pub(crate) fn usual_rate(optimizer: &OptimizerSpec) -> f64 {
    match optimizer {
        OptimizerSpec::Sgd { .. } => 1e-2,
        OptimizerSpec::Lion { .. } => 1e-4,
        OptimizerSpec::Muon { adjust_lr_fn, .. }
            if *adjust_lr_fn != AdjustLr::MatchRmsAdamw =>
        {
            2e-2
        }
        OptimizerSpec::Adamw { .. }
        | OptimizerSpec::Adam { .. }
        | OptimizerSpec::Rmsprop { .. }
        | OptimizerSpec::Muon { .. } => 1e-3,
    }
}
