//! Rates that fall and rise again.

use super::known::{Named, named_so, short};
use super::log::Log;
use crate::grid::parse_schedule;
use crate::schedule::Schedule as _;

/// Rates that fall and rise again: cycles, or a cosine beyond its end.
pub(super) fn rising_again(log: &Log, top: (usize, usize)) -> Option<Named> {
    cycles(log).or_else(|| {
        let points = &log.points;
        let turn = (top.1 + 1..points.len())
            .find(|&row| points[row].rate > points[row - 1].rate)?;
        let rest = points[turn - 1..].windows(2);
        if turn < top.1 + 3 || rest.clone().any(|p| p[1].rate < p[0].rate) {
            return None;
        }
        let head = Log { points: points[..turn].to_vec(), ..log.clone() };
        let named = named_so(&head)?;
        Some(Named { rises: Some(points[turn - 1].update), ..named })
    })
}

/// Cycles of one length, or of lengths that grow.
fn cycles(log: &Log) -> Option<Named> {
    let points = &log.points;
    let scale = log.highest;
    let lowest = points.iter().map(|p| p.rate).fold(f64::INFINITY, f64::min);
    let around = |row: usize| {
        let next = points.get(row + 1).map_or(log.last(), |p| p.update);
        let before = points[row].update.saturating_sub(log.every);
        (before..=next).take(150)
    };
    let mut specs: Vec<(&'static str, f64, String)> = vec![];
    for (row, rises) in turns(log).into_iter().take(2) {
        for at in around(row) {
            if rises {
                for t_mult in [1, 2] {
                    for end in [0.0, short(lowest / scale)] {
                        let spec = format!(
                            "{{ kind = \"sgdr\", t_0 = {at}, t_mult = \
                             {t_mult}, end_ratio = {end} }}"
                        );
                        specs.push(("sgdr", scale, spec));
                    }
                }
                continue;
            }
            let (first, last) = (&points[0], &points[row.saturating_sub(1)]);
            let Some(far) = last.update.checked_sub(first.update) else {
                continue;
            };
            let slope = (last.rate - first.rate) / far.max(1) as f64;
            let top = first.rate + slope * (at - first.update.min(at)) as f64;
            let base = short(first.rate / top);
            for mode in ["triangular", "triangular2"] {
                let spec = format!(
                    "{{ kind = \"cyclical\", step_size_up = {at}, mode = \
                     \"{mode}\", base_ratio = {base} }}"
                );
                specs.push(("cyclical", top, spec));
            }
        }
    }
    let steps = log.updates();
    specs.into_iter().find_map(|(kind, peak, spec)| {
        let fits = matches(log, &spec, peak, steps);
        let steps = Some(steps);
        fits.then_some(Named {
            spec,
            kind,
            peak,
            steps,
            rests: false,
            rises: None,
        })
    })
}

/// Rows after which the rates turn, and whether they rise then; equal rates are
/// passed over.
fn turns(log: &Log) -> Vec<(usize, bool)> {
    let points = &log.points;
    let mut turns = vec![];
    let mut up = None;
    for row in 1..points.len() {
        if points[row].is(points[row - 1].rate, log.highest) {
            continue;
        }
        let rises = points[row].rate > points[row - 1].rate;
        if up == Some(!rises) {
            turns.push((row - 1, rises));
        }
        up = Some(rises);
    }
    turns
}

/// Whether `spec` over `steps` has the rates of `log`.
fn matches(log: &Log, spec: &str, peak: f64, steps: u64) -> bool {
    let Ok(steps) = usize::try_from(steps) else { return false };
    let spec = parse_schedule(spec).ok();
    let schedule = spec.and_then(|spec| spec.build(peak, steps).ok());
    schedule.is_some_and(|schedule| {
        log.points.iter().all(|point| {
            let update = usize::try_from(point.update).unwrap_or(usize::MAX);
            point.is(schedule.lr(update), peak)
        })
    })
}
