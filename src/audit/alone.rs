//! A log alone: what is wrong with it.

use super::known::Named;
use super::log::Log;
use super::{Fault, Finding};
use crate::text::count;

/// What is wrong with a log of which nothing else is known.
pub(crate) fn alone(log: &Log, named: Option<&Named>) -> Finding {
    let points = &log.points;
    if points.len() < 3 {
        return Finding::unknown(format!(
            "{} say nothing about a schedule: log more of them, or give \
             `--spec`, `--peak` and `--steps`",
            count(points.len(), "rate", "rates")
        ));
    }
    if log.highest == 0.0 {
        let said = "all rates are 0: nothing is trained";
        return Finding::wrong(Fault::ZeroStart, points[0].update, said);
    }
    let zeros = points.iter().take_while(|point| point.rate == 0.0).count();
    let idle = zeros.checked_sub(1).map_or(0, |last| points[last].update + 1);
    if idle > 1 && zeros < points.len() {
        let said = format!("the first {idle} updates have the rate 0");
        return Finding::wrong(Fault::ZeroStart, 0, said);
    }
    if points.windows(2).all(|p| p[1].rate > p[0].rate) {
        let said = format!(
            "the rate rises to the end, {:e}: the warm-up is not over",
            log.highest
        );
        return Finding::wrong(Fault::PeakNotReached, points[0].update, said);
    }
    if let Some(update) = log.resumed {
        let said = format!(
            "the log goes back to update {update} and has other rates there: a \
             resumed training did not restore its schedule"
        );
        return Finding::wrong(Fault::Jump, update, said);
    }
    if let Some(finding) = staircase(log, named) {
        return finding;
    }
    match named {
        Some(named) => judged(log, named),
        None => broken(log).unwrap_or_else(|| {
            Finding::unknown(
                "the rates are none of the known schedules: give `--spec`, \
                 `--peak` and `--steps` to compare them with one",
            )
        }),
    }
}

/// What is wrong with a log whose schedule has a name.
pub(super) fn judged(log: &Log, named: &Named) -> Finding {
    let (last, every) = (log.last(), log.every);
    // Logs have gaps, and may not have the last updates.
    let near = (4 * every).max(last / 50);
    if let Some(update) = named.rises {
        let said = format!(
            "`{}` rises again after update {update}, where its plan ends",
            named.kind
        );
        return Finding::wrong(Fault::Rises, update, said);
    }
    if let Some(steps) = named.steps {
        // A straight line may end anywhere: near its end it is not told.
        let end = log.points.last().map_or(0.0, |point| point.rate);
        let open = named.kind != "linear" || end > 0.12 * log.highest;
        if steps > last + 1 + near && open {
            let said = format!(
                "the plan of `{}` has {steps} updates, the log ends after {}: \
                 its end is not reached",
                named.kind,
                last + 1
            );
            return Finding::wrong(Fault::EndNotReached, last + 1, said);
        }
        if named.rests && last + 1 > steps + near {
            let said = format!(
                "the plan of `{}` has {steps} updates, the training {}: the \
                 rest is at its end, {:e}",
                named.kind,
                last + 1,
                log.points[log.points.len() - 1].rate
            );
            return Finding::wrong(Fault::EndedEarly, steps, said);
        }
    }
    Finding::fine(format!("all rates are those of `{}`", named.kind))
}

/// Rates that rest for as many updates each, on more levels than a step
/// schedule has.
fn staircase(log: &Log, named: Option<&Named>) -> Option<Finding> {
    if named.is_some() || log.every > 1 && log.points.len() < 12 {
        return None;
    }
    let points = &log.points;
    let changes: Vec<u64> = points
        .windows(2)
        .filter(|pair| !pair[1].is(pair[0].rate, log.highest))
        .map(|pair| pair[1].update)
        .collect();
    if changes.len() < 3 || 2 * changes.len() > points.len() {
        return None;
    }
    let gaps: Vec<u64> = changes.windows(2).map(|p| p[1] - p[0]).collect();
    let (low, high) = (gaps.iter().min()?, gaps.iter().max()?);
    if high - low > log.every {
        return None;
    }
    let said = format!(
        "the rate changes once in about {low} updates: the scheduler is stepped \
         once an epoch"
    );
    Some(Finding::wrong(Fault::SteppedPerEpoch, changes[0], said))
}

/// A log that falls and rises again in a way that has no name.
fn broken(log: &Log) -> Option<Finding> {
    let points = &log.points;
    let step = |row: usize| points[row].rate - points[row - 1].rate;
    let small = 1e-3 * log.highest;
    let turns: Vec<usize> = (2..points.len())
        .filter(|&row| step(row) > small && step(row - 1) <= 0.0)
        .collect();
    let &first = turns.first()?;
    // The same once more; more often it is a cycle.
    let again = |row: usize| {
        let begin = points[row - 1].update;
        (begin..=points[row].update).find(|&begin| {
            let mut known = 0;
            let same = points[row..].iter().all(|point| {
                let before = point.update - begin;
                let same = points.iter().find(|p| p.update == before);
                known += usize::from(same.is_some());
                same.is_none_or(|same| point.is(same.rate, log.highest))
            });
            same && known >= 3
        })
    };
    if turns.len() == 1
        && let Some(begin) = again(first)
    {
        let said = format!(
            "the schedule starts again at about update {begin}, as after a \
             resume that did not restore the scheduler"
        );
        return Some(Finding::wrong(Fault::Restart, begin, said));
    }
    let rest = &points[first - 1..];
    let rising = rest.windows(2).all(|pair| pair[1].rate >= pair[0].rate);
    let at = points[first - 1].update;
    if turns.len() == 1 && rising && rest.len() > 3 {
        let said = format!(
            "the rate falls to update {at} and rises again to the end, {:e}",
            rest[rest.len() - 1].rate
        );
        return Some(Finding::wrong(Fault::Rises, at, said));
    }
    // A step up that is larger than those beside it.
    let row = (2..points.len() - 1).find(|&row| {
        let beside = step(row - 1).abs().max(step(row + 1).abs());
        step(row) > (4.0 * beside).max(small)
    })?;
    if turns.len() > 2 {
        return None;
    }
    let at = points[row].update;
    let said = format!(
        "the rate jumps from {:e} to {:e} at update {at}",
        points[row - 1].rate,
        points[row].rate
    );
    Some(Finding::wrong(Fault::Jump, at, said))
}
