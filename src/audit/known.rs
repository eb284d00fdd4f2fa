//! Which schedule has the rates of a log.

use super::alone::judged;
use super::cycles::rising_again;
use super::fit::{Decay, decays};
use super::log::{Log, Point, whole};
use std::f64::consts::PI;

/// A schedule that has the rates of a log.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    /// As a grid writes it.
    pub(crate) spec: String,
    pub(crate) kind: &'static str,
    pub(crate) peak: f64,
    /// Updates of its plan, where the log shows them.
    pub(crate) steps: Option<u64>,
    /// Whether the log goes on at the end of the plan.
    pub(super) rests: bool,
    /// The update from which the rate rises again.
    pub(super) rises: Option<u64>,
}

impl Named {
    /// `kind` with the keys `body`, after the warm-up `rise`.
    fn of(
        kind: &'static str,
        rise: Rise,
        body: &[String],
        peak: f64,
        steps: Option<u64>,
    ) -> Self {
        let keys = [body, &rise.keys()].concat().join(", ");
        let comma = if keys.is_empty() { "" } else { ", " };
        let spec = format!("{{ kind = \"{kind}\"{comma}{keys} }}");
        Self { spec, kind, peak, steps, rests: false, rises: None }
    }
}

/// The start of a schedule, up to its peak.
#[derive(Clone, Copy, Debug)]
struct Rise {
    /// Updates of it.
    over: u64,
    /// The first rate, as a share of the peak.
    start: f64,
    /// Half a cosine, not a straight line.
    cosine: bool,
}

impl Rise {
    const NONE: Self = Self { over: 0, start: 0.0, cosine: false };

    fn at(&self, update: u64, peak: f64) -> f64 {
        let x = update as f64 / self.over.max(1) as f64;
        let x = if self.cosine { (1.0 - (PI * x).cos()) / 2.0 } else { x };
        peak * (self.start + (1.0 - self.start) * x)
    }

    /// The keys that make it, as a grid writes them.
    fn keys(self) -> Vec<String> {
        if self.over == 0 {
            return vec![];
        }
        let mut keys = vec![format!("warmup = {}", self.over)];
        let usual = 1.0 / (self.over as f64 + 1.0);
        if (self.start - usual).abs() > 1e-9 {
            keys.push(format!("warmup_start_ratio = {}", short(self.start)));
        }
        if self.cosine {
            keys.push("warmup_shape = \"cosine\"".to_owned());
        }
        keys
    }
}

/// Levels of a staircase that a step schedule may have.
const MOST_LEVELS: usize = 12;

/// The schedule of `log`, if one of the known families has all its rates, at
/// best one that nothing is wrong with. The log may be an update off.
pub(crate) fn named(log: &Log) -> Option<Named> {
    let log = log.blurred();
    let mut all = [0, 1, -1].into_iter().filter_map(|shift| {
        let log = log.shifted(shift);
        let named = named_so(&log)?;
        let sound = judged(&log, &named).fault.is_none();
        Some((named, sound))
    });
    let (first, sound) = all.next()?;
    if sound {
        return Some(first);
    }
    let better = all.find(|(_, sound)| *sound).map(|(named, _)| named);
    Some(better.unwrap_or(first))
}

/// The same of a log whose updates are right.
pub(super) fn named_so(log: &Log) -> Option<Named> {
    let points = &log.points;
    let top = peak_rows(log)?;
    let (first, last) = top;
    let (rising, falling) = (&points[..=first], &points[last..]);
    let monotone = falling.windows(2).all(|p| p[1].rate <= p[0].rate);
    if !monotone {
        return rising_again(log, top);
    }
    if falling.len() == 1
        || falling.iter().all(|p| p.is(log.highest, log.highest))
    {
        return constant(log, rising);
    }
    steps(log, top)
        .or_else(|| falls(log, top))
        .or_else(|| exponential(log, top).or_else(|| inverse_sqrt(log, top)))
}

/// The first and last row of those at the highest rate that follow each other.
fn peak_rows(log: &Log) -> Option<(usize, usize)> {
    let at_top = |point: &Point| point.is(log.highest, log.highest);
    let first = log.points.iter().position(at_top)?;
    let run = log.points[first..].iter().take_while(|p| at_top(p)).count();
    Some((first, first + run - 1))
}

/// The rise to `peak` over `over` updates that the rows of `rising` follow.
fn rise(rising: &[Point], peak: f64, over: u64) -> Option<Rise> {
    let before: Vec<Point> =
        rising.iter().copied().filter(|point| point.update < over).collect();
    let Some(first) = before.first() else {
        return Some(Rise { over, ..Rise::NONE });
    };
    [false, true].into_iter().find_map(|cosine| {
        let share = Rise { over, start: 0.0, cosine }.at(first.update, 1.0);
        let start = (first.rate / peak - share) / (1.0 - share);
        let tidy = [0.0, 1.0 / (over as f64 + 1.0), start];
        tidy.into_iter().find_map(|start| {
            let rise = Rise { over, start, cosine };
            let right = |p: &Point| p.is(rise.at(p.update, peak), peak);
            (start > -1e-6 && before.iter().all(right)).then_some(rise)
        })
    })
}

/// The straight line through the rising rows comes to `peak` there.
fn length(rising: &[Point], peak: f64) -> Option<u64> {
    let first = rising.first()?;
    let second = rising.get(rising.len() - 2)?;
    let slope = (second.rate - first.rate)
        / second.update.checked_sub(first.update).filter(|&d| d > 0)? as f64;
    let over = first.update as f64 + (peak - first.rate) / slope;
    over.is_finite().then(|| whole(over))
}

/// Lengths of the warm-up that the rows allow, likeliest first.
fn lengths(log: &Log, (first, last): (usize, usize)) -> Vec<u64> {
    let points = &log.points;
    let top = points[first].update;
    if first == 0 {
        return (0..=top).collect();
    }
    let low = points[first - 1].update + 1;
    let high = match points.get(first + 1) {
        _ if last > first => top,
        Some(next) => next.update,
        None => top,
    };
    let line = length(&points[..=first], log.highest);
    let mut all: Vec<u64> = line.into_iter().filter(|l| *l >= low).collect();
    all.push(top);
    all.extend((low..=high).take(200));
    all
}

fn constant(log: &Log, rising: &[Point]) -> Option<Named> {
    let peak = log.highest;
    let top = peak_rows(log)?;
    let rise = lengths(log, top)
        .into_iter()
        .find_map(|over| rise(rising, peak, over))?;
    Some(Named::of("constant", rise, &[], peak, None))
}

/// A large number with the digits that the rows can show.
fn round(value: f64) -> f64 {
    let unit = 10_f64.powf((value.log10() - 3.0).floor());
    (value / unit).round() * unit
}

/// A number with the digits that the rows can show.
pub(super) fn short(value: f64) -> f64 {
    let text = format!("{value:.6}");
    text.parse().unwrap_or(value)
}

/// A decay of one of the families, from the peak or after a rest there. Few
/// digits may make a rest of a flat start.
fn falls(log: &Log, top: (usize, usize)) -> Option<Named> {
    falls_so(log, top, false)
        .or_else(|| (top.1 > top.0).then(|| falls_so(log, top, true)).flatten())
}

fn falls_so(log: &Log, top: (usize, usize), held: bool) -> Option<Named> {
    let (first, last) = top;
    let points = &log.points;
    let begin = if held { last + 1 } else { first };
    let (body, rests) = without_rest(log, &points[begin..]);
    let (after, every) = (log.last(), log.every);
    let mut ends: Vec<u64> = (after + 1..=after + every).collect();
    ends.truncate(50);
    ends.extend([log.updates(), after]);
    if rests {
        let near = body.last()?.update;
        ends = (near.saturating_sub(every)..=near + every + 1).collect();
        ends.sort_by_key(|end| end.abs_diff(near));
        ends.truncate(100);
    }
    let lengths = lengths(log, top);
    let mut starts = lengths.clone();
    if held {
        let (from, to) = (points[last].update, points.get(last + 1)?.update);
        starts = (from..to).collect();
    }
    starts.truncate(60);
    // A warm-up that ends before the first row does not show.
    let hidden = first == 0 && !held;
    let plain = if hidden { decays(body, &[0], &ends) } else { vec![] };
    let found =
        if plain.is_empty() { decays(body, &starts, &ends) } else { plain };
    found.into_iter().find_map(|found| {
        let own = vec![found.from];
        let lengths = if held { &lengths } else { &own };
        let peak = if held { log.highest } else { found.peak };
        let rise = lengths
            .iter()
            .find_map(|&over| rise(&points[..first], peak, over))?;
        let named = written(&found, rise, held, peak)?;
        Some(Named { rests, ..named })
    })
}

/// The schedule of a decay after a rise.
fn written(found: &Decay, rise: Rise, held: bool, peak: f64) -> Option<Named> {
    let Decay { family, from, to, end, .. } = *found;
    let ratio = short(end / found.peak);
    let up = rise.over as f64 / to as f64;
    let rises_within = !held && rise.over > 0 && rise.start > 0.0;
    if rises_within && rise.cosine && family.kind == "cosine" {
        // It ends at its last update, not after it.
        let steps = to + 1;
        let last = end.max(f64::MIN_POSITIVE) / found.peak;
        let top = (rise.over as f64 + 1.0) / steps as f64;
        let body = [
            format!("pct_start = {}", short(top)),
            format!("div_factor = {}", short(1.0 / rise.start)),
            format!("final_div_factor = {}", round(rise.start / last)),
        ];
        let steps = Some(steps);
        return Some(Named::of("one-cycle", Rise::NONE, &body, peak, steps));
    }
    let same = (rise.start - ratio).abs() < 1e-4;
    let straight = !rise.cosine && family.kind == "linear";
    if rises_within && straight && same && up > 0.15 {
        let body = [
            format!("inc_fraction = {}", short(up)),
            format!("start_ratio = {}", short(rise.start)),
        ];
        let steps = Some(to);
        return Some(Named::of("triangular", Rise::NONE, &body, peak, steps));
    }
    let mut body = vec![];
    let mut kind = family.kind;
    if held && from > rise.over {
        kind = "wsd";
        let share = (to - from) as f64 / (to - rise.over) as f64;
        body.push(format!("decay = {}", short(share)));
        body.push(format!("shape = \"{}\"", family.shape?));
    } else if !family.keys.is_empty() {
        body.push(family.keys.to_owned());
    }
    if ratio != 0.0 {
        body.push(format!("end_ratio = {ratio}"));
    }
    Some(Named::of(kind, rise, &body, peak, Some(to)))
}

/// The rows without those that rest at the lowest rate, and whether any do.
fn without_rest<'p>(log: &Log, falling: &'p [Point]) -> (&'p [Point], bool) {
    let Some(end) = falling.last() else { return (falling, false) };
    let rests = |point: &&Point| point.is(end.rate, log.highest);
    let resting = falling.iter().rev().take_while(rests).count();
    if resting < 3 || resting == falling.len() {
        return (falling, false);
    }
    let kept = falling.len() - resting + 1;
    (&falling[..kept], true)
}

/// Rates that rest on levels.
fn steps(log: &Log, (first, last): (usize, usize)) -> Option<Named> {
    let points = &log.points[first..];
    let mut levels: Vec<(f64, u64, u64)> = vec![];
    for point in points {
        match levels.last_mut() {
            Some((rate, _, end)) if point.is(*rate, log.highest) => {
                *end = point.update;
            }
            _ => levels.push((point.rate, point.update, point.update)),
        }
    }
    let long = levels.iter().filter(|(_, from, to)| to > from).count();
    let few = (2..=MOST_LEVELS).contains(&levels.len());
    if !few || long + 1 < levels.len() || points.len() < 2 * levels.len() {
        return None;
    }
    let ratios: Vec<f64> =
        levels.windows(2).map(|pair| pair[1].0 / pair[0].0).collect();
    let gamma = ratios[0];
    if !ratios.iter().all(|ratio| (ratio / gamma - 1.0).abs() < 0.02) {
        return None;
    }
    let rising = &log.points[..first];
    let rise = lengths(log, (first, last))
        .into_iter()
        .find_map(|over| rise(rising, log.highest, over))?;
    let at: Vec<String> =
        levels[1..].iter().map(|level| level.1.to_string()).collect();
    let gamma = (gamma * 1000.0).round() / 1000.0;
    let body = [
        format!("milestones = [{}]", at.join(", ")),
        format!("gamma = {gamma}"),
    ];
    Some(Named::of("step", rise, &body, log.highest, None))
}

/// The same factor every update.
fn exponential(log: &Log, top: (usize, usize)) -> Option<Named> {
    let scale = |from: f64, to: f64| (to / from).ln();
    let rate = |peak: f64, slope: f64, t: f64| peak * (slope * t).exp();
    let (rise, peak, slope) = line_of(log, top, scale, rate)?;
    let steps = log.last() + 1;
    let ratio = (slope * (steps - rise.over) as f64).exp();
    let body = [format!("end_ratio = {ratio:.6e}")];
    Some(Named::of("exponential", rise, &body, peak, Some(steps)))
}

/// One by the root of the update.
fn inverse_sqrt(log: &Log, top: (usize, usize)) -> Option<Named> {
    let scale = |from: f64, to: f64| (from / to).powi(2) - 1.0;
    let rate = |peak: f64, slope: f64, t: f64| peak / (1.0 + slope * t).sqrt();
    let (rise, peak, slope) = line_of(log, top, scale, rate)?;
    let timescale = (1.0 / slope).round();
    // The warm-up is the default.
    let own = rise.over > 0 && timescale == rise.over as f64;
    let body = (!own).then(|| format!("timescale = {timescale}"));
    Some(Named::of("inverse-sqrt", rise, body.as_slice(), peak, None))
}

/// A decay that is a straight line of the update after a change of scale: its
/// slope is that of the first and the last row.
fn line_of(
    log: &Log,
    top: (usize, usize),
    scale: fn(f64, f64) -> f64,
    rate: fn(f64, f64, f64) -> f64,
) -> Option<(Rise, f64, f64)> {
    let points = &log.points[top.1..];
    let (from, to) = (points.first()?, points.last()?);
    let slope = scale(from.rate, to.rate) / (to.update - from.update) as f64;
    let right = |point: &Point| {
        let t = (point.update - from.update) as f64;
        // Both ends are rounded.
        let near = 3.0 * point.rounding + 1e-5 * log.highest;
        (rate(from.rate, slope, t) - point.rate).abs() <= near
    };
    if !slope.is_finite() || !points.iter().all(right) {
        return None;
    }
    let rising = &log.points[..top.0];
    lengths(log, top).into_iter().find_map(|over| {
        let back = over as f64 - from.update as f64;
        let peak = rate(from.rate, slope, back);
        rise(rising, peak, over).map(|rise| (rise, peak, slope))
    })
}
