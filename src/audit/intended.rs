//! A log against the schedule that was intended.

use super::explain::explained;
use super::log::{Log, Point};
use super::{Fault, Finding};
use crate::text::count;

/// The schedule that was intended: its rate at each update, also after its end.
#[derive(Clone, Copy)]
pub(crate) struct Intended<'a> {
    /// Updates of the plan.
    pub(super) steps: u64,
    /// The highest rate.
    pub(super) peak: f64,
    /// The rate of an update.
    pub(super) rate: &'a dyn Fn(u64) -> f64,
    /// The same of a plan of other updates, where there is one.
    pub(super) planned: Option<Planned<'a>>,
}

/// The rates of a plan of so many updates, if it can have them.
pub(crate) type Planned<'a> = &'a dyn Fn(u64) -> Option<Rates>;

/// The rate of each update, also after the end of the plan.
pub(crate) type Rates = Box<dyn Fn(u64) -> f64>;

/// A difference below this share of the peak has no effect.
pub(super) const SMALL: f64 = 0.01;

impl<'a> Intended<'a> {
    /// A schedule over `steps` updates that has `rate`; `planned` has the rates
    /// of other plans.
    pub(crate) fn new(
        steps: u64,
        rate: &'a dyn Fn(u64) -> f64,
        planned: Option<Planned<'a>>,
    ) -> Self {
        // The peak may be above the highest rate, where a warm-up is too long.
        let peak = (0..steps).map(rate).fold(0.0, f64::max);
        Self { steps, peak, rate, planned }
    }

    /// The rate of an update that may be before the first one.
    pub(super) fn at(&self, update: i64) -> f64 {
        (self.rate)(update.max(0).unsigned_abs())
    }

    /// The first point that is not what `explained` says.
    pub(super) fn stray<'p>(
        &self,
        points: &'p [Point],
        explained: &dyn Fn(u64) -> f64,
    ) -> Option<&'p Point> {
        let scale = self.peak;
        points.iter().find(|point| !point.is(explained(point.update), scale))
    }

    /// Whether `explained` has all rates up to the update `until`, some of
    /// which are not those intended. What libraries do after the end of a plan
    /// differs.
    pub(super) fn explains(
        &self,
        log: &Log,
        shift: i64,
        until: u64,
        explained: &dyn Fn(u64) -> f64,
    ) -> bool {
        let within = log.points.partition_point(|point| point.update <= until);
        let points = &log.points[..within];
        let right = |update: u64| self.at(update.cast_signed() + shift);
        points.len() >= 3
            && self.stray(points, explained).is_none()
            && self.stray(points, &right).is_some()
    }

    /// The first update at which `explained` is visibly not what was intended,
    /// where the log is `shift` updates off.
    pub(super) fn first(
        &self,
        last: u64,
        shift: i64,
        explained: &dyn Fn(u64) -> f64,
    ) -> Option<u64> {
        (0..=last).find(|&update| {
            let wanted = self.at(update.cast_signed() + shift);
            (explained(update) - wanted).abs() > SMALL * self.peak
        })
    }
}

/// Compares `log` with what was `intended`.
///
/// A log may have the rate of an update or the one after it: programs read it
/// before or after the scheduler's step. Neither is a deviation.
pub(crate) fn against(log: &Log, intended: &Intended<'_>) -> Finding {
    if log.points.is_empty() {
        return Finding::unknown("the log has no rate");
    }
    let shifts = [0_i64, 1, -1];
    let shifted = |shift: i64| {
        move |update: u64| intended.at(update.cast_signed() + shift)
    };
    // The rate after the last update trains nothing.
    let trained = |shift: i64| {
        let past = |point: &&Point| {
            point.update.cast_signed() + shift >= intended.steps.cast_signed()
                && point.update < intended.steps
        };
        let idle = log.points.iter().rev().take_while(past).count();
        &log.points[..log.points.len() - idle]
    };
    let fits = |shift: i64| {
        let points = trained(shift);
        !points.is_empty() && intended.stray(points, &shifted(shift)).is_none()
    };
    if let Some(shift) = shifts.into_iter().find(|&shift| fits(shift)) {
        return covered(log, intended, shift);
    }
    let best = |shift: &i64| {
        let right = shifted(*shift);
        let stray = intended.stray(trained(*shift), &right);
        stray.map_or(u64::MAX, |point| point.update)
    };
    // The first of the longest.
    let shift = shifts.into_iter().rev().max_by_key(best).unwrap_or_default();
    let right = shifted(shift);
    let stray = intended.stray(&log.points, &right).copied();
    let stray = stray.unwrap_or(log.points[0]);
    let mut finding = explained(log, intended, shift)
        .unwrap_or_else(|| unexplained(log, intended, &stray, shift));
    let wanted = right(stray.update);
    finding.rates = Some((stray.rate, wanted));
    finding.first_update.get_or_insert(stray.update);
    finding
}

/// A log whose rates are all right: does it have all updates?
fn covered(log: &Log, intended: &Intended<'_>, shift: i64) -> Finding {
    let (last, steps) = (log.last(), intended.steps);
    // Logs have gaps, and may not have the last updates.
    let near = (4 * log.every).max(steps / 50 + 1);
    if last + near < steps {
        let said = format!(
            "the log ends after update {last}, the plan has {steps}: the end \
             is not reached"
        );
        let begun = Finding::wrong(Fault::EndNotReached, last + 1, said);
        return Finding { rates: None, ..begun };
    }
    if last >= steps + near {
        let end = (intended.rate)(steps);
        let said = format!(
            "the training goes on for {} after the end of the plan, at the \
             rate {end:e}",
            count(last + 1 - steps, "update", "updates")
        );
        return Finding::wrong(Fault::EndedEarly, steps, said);
    }
    let frame = match shift {
        1 => ", each as it is after the scheduler's step",
        -1 => ", each one update late",
        _ => "",
    };
    Finding::fine(format!(
        "all {} rates are those intended{frame}",
        log.points.len()
    ))
}

/// What can be said of rows that no fault explains.
fn unexplained(
    log: &Log,
    intended: &Intended<'_>,
    stray: &Point,
    shift: i64,
) -> Finding {
    let wanted = intended.at(stray.update.cast_signed() + shift);
    let at = stray.update;
    let rising = log.points.windows(2).all(|p| p[1].rate >= p[0].rate);
    let peak = intended.peak;
    if rising && log.highest < (1.0 - SMALL) * peak && log.points.len() > 1 {
        let said = format!(
            "the rate rises to the end and comes to {:e}: the peak {peak:e} is \
             not reached",
            log.highest
        );
        return Finding::wrong(Fault::PeakNotReached, at, said);
    }
    let after = log.points.iter().filter(|point| point.update >= at);
    let after: Vec<&Point> = after.collect();
    let climbs = after.windows(2).filter(|pair| {
        let wanted = |p: &Point| intended.at(p.update.cast_signed() + shift);
        pair[1].rate > pair[0].rate && wanted(pair[1]) <= wanted(pair[0])
    });
    let climbs = 2 * climbs.count() > after.len().saturating_sub(1);
    let beyond =
        after.iter().find(|point| !point.is(peak.min(point.rate), peak));
    if let Some(point) = beyond
        && !climbs
    {
        let said = format!(
            "the rate goes above the peak {peak:e}: {:e} at update {}",
            point.rate, point.update
        );
        return Finding::wrong(Fault::AbovePeak, at, said);
    }
    let said = format!(
        "from update {at} the rate is {:e}, not {wanted:e}",
        stray.rate
    );
    let fault = if climbs {
        Fault::Rises
    } else if stray.update == log.points[0].update {
        Fault::Other
    } else {
        Fault::Jump
    };
    Finding::wrong(fault, at, said)
}
