//! The known faults, each as the rates that a log would have by it.

use super::intended::{Intended, SMALL};
use super::log::{Log, Point, whole};
use super::{Fault, Finding};
use crate::text::count;

/// What the rates of a log would be by one explanation.
type Explained<'a> = Box<dyn Fn(u64) -> f64 + 'a>;

/// A fault that may explain a log.
type Rule = fn(&Log, &Intended<'_>, i64) -> Option<Finding>;

/// Plans that are tried between a twentieth of the updates and twenty times.
const PLANS: usize = 600;

/// The most steps of a scheduler in one update that are looked for.
const MOST_OFTEN: u64 = 128;

/// One of the known faults, if it explains every row.
pub(super) fn explained(
    log: &Log,
    intended: &Intended<'_>,
    shift: i64,
) -> Option<Finding> {
    let shifts = [shift, 0, 1, -1];
    let rules: [Rule; 6] =
        [scaled, late, too_often, other_plan, per_epoch, again];
    rules.iter().find_map(|rule| {
        shifts.iter().find_map(|&shift| rule(log, intended, shift))
    })
}

/// Another peak.
fn scaled(log: &Log, intended: &Intended<'_>, shift: i64) -> Option<Finding> {
    let wanted =
        |point: &Point| intended.at(point.update.cast_signed() + shift);
    let top =
        log.points.iter().max_by(|a, b| wanted(a).total_cmp(&wanted(b)))?;
    let factor = top.rate / wanted(top);
    if !(factor.is_finite() && factor > 0.0) {
        return None;
    }
    let scaled: Explained<'_> =
        Box::new(|update| factor * intended.at(update.cast_signed() + shift));
    let grown = Intended { peak: factor * intended.peak, ..*intended };
    if grown.stray(&log.points, &scaled).is_some() {
        return None;
    }
    let (fault, word) = if factor > 1.0 {
        (Fault::AbovePeak, "above")
    } else {
        (Fault::BelowPeak, "below")
    };
    let said = format!(
        "all rates are {factor:.4} times those intended: the highest, {:e}, is \
         {word} the peak",
        log.highest
    );
    let first = intended.first(log.last(), shift, &scaled).unwrap_or(0);
    Some(Finding::wrong(fault, first, said))
}

/// First updates at 0, then the schedule, from its start or from where it
/// would be.
fn late(log: &Log, intended: &Intended<'_>, shift: i64) -> Option<Finding> {
    let zeros = log.points.iter().take_while(|point| point.rate == 0.0);
    let zeros = zeros.count();
    let next = log.points.get(zeros)?;
    if zeros == 0 || intended.at(1) == 0.0 && zeros == 1 {
        return None;
    }
    let before = log.points[zeros - 1].update;
    let delays = std::iter::once(0).chain(before + 1..=next.update);
    delays.into_iter().find_map(|delay| {
        let begin = if delay == 0 { next.update } else { delay };
        let rate: Explained<'_> = Box::new(move |update| {
            if update < begin {
                return 0.0;
            }
            intended.at((update - delay).cast_signed() + shift)
        });
        if intended.stray(&log.points, &rate).is_some() {
            return None;
        }
        let said = format!(
            "the first {} the rate 0: they train nothing",
            count(before + 1, "update has", "updates have")
        );
        let first = intended.first(log.last(), shift, &rate).unwrap_or(0);
        Some(Finding::wrong(Fault::ZeroStart, first, said))
    })
}

/// Several steps of the scheduler in an update.
fn too_often(
    log: &Log,
    intended: &Intended<'_>,
    shift: i64,
) -> Option<Finding> {
    (2..=MOST_OFTEN).find_map(|times| {
        // Read after the steps of the update, or before.
        let ahead = [0, times.cast_signed(), shift];
        ahead.into_iter().find_map(|ahead| {
            let rate: Explained<'_> = Box::new(move |update| {
                intended.at((times * update).cast_signed() + ahead)
            });
            let end = intended.steps.cast_signed() - ahead - 1;
            let until = end.max(0).unsigned_abs() / times;
            if !intended.explains(log, shift, until, &rate) {
                return None;
            }
            let said = format!(
                "the scheduler is stepped {times} times an update, as once for \
                 each micro-batch or process: the plan is over after {} updates",
                intended.steps.div_ceil(times)
            );
            let first = intended.first(log.last(), shift, &rate).unwrap_or(0);
            Some(Finding::wrong(Fault::SteppedTooOften, first, said))
        })
    })
}

/// One step of the scheduler in many updates.
fn per_epoch(
    log: &Log,
    intended: &Intended<'_>,
    shift: i64,
) -> Option<Finding> {
    let first = log.points.first()?;
    let change =
        log.points.iter().find(|point| !point.is(first.rate, intended.peak));
    // Without a change, an epoch is longer than the log.
    let (low, high) = match change {
        Some(change) => (2, change.update + 1),
        None => return constant(log, intended),
    };
    (low..=high).find_map(|epoch| {
        [0, 1].into_iter().find_map(|ahead| {
            let rate: Explained<'_> = Box::new(move |update| {
                let steps =
                    (update.cast_signed() + shift).max(0).unsigned_abs();
                intended.at((steps / epoch + ahead).cast_signed())
            });
            if intended.stray(&log.points, &rate).is_some() {
                return None;
            }
            let said = format!(
                "the scheduler is stepped once in {epoch} updates, as once an \
                 epoch: after {} updates it is at its step {}",
                log.last() + 1,
                log.last() / epoch
            );
            let first = intended.first(log.last(), shift, &rate).unwrap_or(0);
            Some(Finding::wrong(Fault::SteppedPerEpoch, first, said))
        })
    })
}

/// A rate that never changes where it should: the scheduler's first one.
fn constant(log: &Log, intended: &Intended<'_>) -> Option<Finding> {
    let first = log.points.first()?.rate;
    let start = (intended.rate)(0);
    if log.points.len() < 2 || (first - start).abs() > 1e-5 * intended.peak {
        return None;
    }
    let said = format!(
        "the rate never changes, it stays at the first one, {start:e}: the \
         scheduler is not stepped, or once an epoch of all updates"
    );
    let rate = |_| start;
    let update = intended.first(log.last(), 0, &rate).unwrap_or(0);
    Some(Finding::wrong(Fault::SteppedPerEpoch, update, said))
}

/// The schedule of a longer or shorter training.
fn other_plan(
    log: &Log,
    intended: &Intended<'_>,
    shift: i64,
) -> Option<Finding> {
    let planned = intended.planned?;
    let moved =
        |update: u64| (update.cast_signed() + shift).max(0).unsigned_abs();
    let right = |update: u64| intended.at(update.cast_signed() + shift);
    let stray = intended.stray(&log.points, &right)?;
    // The mean, of those within the plan.
    let off = |steps: u64| -> f64 {
        let Some(rate) = planned(steps) else { return f64::INFINITY };
        let gap =
            |point: &Point| (rate(moved(point.update)) - point.rate).abs();
        let within = log.points.iter().filter(|p| moved(p.update) < steps);
        let gaps: Vec<f64> = within.map(gap).collect();
        // Plans that end before anything differs explain nothing.
        if gaps.len() < 3 || moved(stray.update) >= steps {
            return f64::INFINITY;
        }
        gaps.iter().sum::<f64>() / gaps.len() as f64
    };
    let low = (intended.steps / 20).max(2) as f64;
    let ratio = 400_f64.powf(1.0 / PLANS as f64);
    let grid = (0..=PLANS).map(|i| whole(low * ratio.powf(i as f64)));
    let rough = grid.min_by(|&a, &b| off(a).total_cmp(&off(b)))?;
    let around = whole(rough as f64 * (ratio - 1.0) * 1.5) + 2;
    let steps = (rough.saturating_sub(around)..=rough + around)
        .min_by(|&a, &b| off(a).total_cmp(&off(b)))?;
    let rate = planned(steps)?;
    let plan = move |update| rate(moved(update));
    let until = steps.saturating_sub(1).saturating_add_signed(-shift);
    if !intended.explains(log, shift, until, &plan) {
        return None;
    }
    let trained = log.last() + 1;
    let first = intended.first(log.last(), shift, &plan).unwrap_or(0);
    Some(if steps > intended.steps {
        let said = format!(
            "the schedule is planned for {steps} updates, not for {}: after \
             {trained} its end is not reached",
            intended.steps
        );
        Finding::wrong(Fault::EndNotReached, first, said)
    } else {
        let after = log.points.iter().filter(|point| point.update > until);
        let ends = after.map(|point| point.rate);
        let (low, high) = ends
            .fold((f64::INFINITY, 0.0_f64), |(a, b), rate| {
                (a.min(rate), b.max(rate))
            });
        let (fault, rest) = if high > low + SMALL * intended.peak {
            (Fault::Rises, "after its end it rises again")
        } else {
            (Fault::EndedEarly, "the rest is trained at its end")
        };
        let said = format!(
            "the schedule is planned for {steps} updates, not for {}: {rest}",
            intended.steps
        );
        Finding::wrong(fault, first, said)
    })
}

/// The schedule once more from its start.
fn again(log: &Log, intended: &Intended<'_>, shift: i64) -> Option<Finding> {
    let right = |update: u64| intended.at(update.cast_signed() + shift);
    let stray = intended.stray(&log.points, &right)?;
    let index = log.points.iter().position(|point| point == stray)?;
    if index == 0 {
        return None;
    }
    let begin = log.points[index - 1].update + 1;
    (begin..=stray.update + 1).find_map(|start| {
        let rate: Explained<'_> = Box::new(move |update| {
            let since = match update.checked_sub(start) {
                Some(since) => since,
                None => update,
            };
            intended.at(since.cast_signed() + shift)
        });
        if intended.stray(&log.points, &rate).is_some() {
            return None;
        }
        let said = format!(
            "the schedule starts again at update {start}, as after a resume \
             that did not restore the scheduler"
        );
        let first = intended.first(log.last(), shift, &rate).unwrap_or(start);
        Some(Finding::wrong(Fault::Restart, first, said))
    })
}
