//! Which schedule has the rates of a log.

use super::alone::judged;
use super::fit::{Decay, decays};
use super::log::{Log, Point, whole};
use crate::schedule::ScheduleSpec;

/// A schedule that has the rates of a log.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    /// As a grid writes it.
    pub(crate) spec: String,
    pub(crate) kind: &'static str,
    pub(crate) peak: f64,
    /// Updates of its plan, where the log shows them.
    pub(crate) steps: Option<u64>,
    /// What it leaves open, or where it ends.
    pub(super) shape: Shape,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// The update from which the rate rests at the end; the last one's
    /// successor where it does not.
    pub(super) rests: Option<u64>,
    /// The update from which the rate rises again.
    pub(super) rises: Option<u64>,
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
        let x = if self.cosine {
            (1.0 - (std::f64::consts::PI * x).cos()) / 2.0
        } else {
            x
        };
        peak * (self.start + (1.0 - self.start) * x)
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

fn named_so(log: &Log) -> Option<Named> {
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

/// The rise of `rising`, whose last row is at `peak`, over `over` updates.
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
        return if top == 0 { vec![0] } else { (0..=top).rev().collect() };
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
    let keys = warmup(rise, None);
    let spec = format!("{{ kind = \"constant\"{keys} }}");
    let shape = Shape { rests: None, rises: None };
    Some(Named { spec, kind: "constant", peak, steps: None, shape })
}

/// `, warmup = 10` and what else makes the rise, after the keys `body`.
fn warmup(rise: Rise, body: Option<&str>) -> String {
    let mut keys: Vec<String> = body.into_iter().map(str::to_owned).collect();
    if rise.over > 0 {
        keys.push(format!("warmup = {}", rise.over));
        let usual = 1.0 / (rise.over as f64 + 1.0);
        if (rise.start - usual).abs() > 1e-9 {
            keys.push(format!("warmup_start_ratio = {}", short(rise.start)));
        }
        if rise.cosine {
            keys.push("warmup_shape = \"cosine\"".to_owned());
        }
    }
    let Some(first) = keys.first_mut() else { return String::new() };
    first.insert_str(0, ", ");
    keys.join(", ")
}

/// A large number with the digits that the rows can show.
fn round(value: f64) -> f64 {
    let unit = 10_f64.powf((value.log10() - 3.0).floor());
    (value / unit).round() * unit
}

/// A number with the digits that the rows can show.
fn short(value: f64) -> f64 {
    let text = format!("{value:.6}");
    text.parse().unwrap_or(value)
}

/// A decay of one of the families, from the peak or after a rest there. Few
/// digits may make a rest of a flat start.
fn falls(log: &Log, top: (usize, usize)) -> Option<Named> {
    let held = (top.1 > top.0).then_some(true);
    let ways = std::iter::once(false).chain(held);
    ways.into_iter().find_map(|held| falls_so(log, top, held))
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
    if rests.is_some() {
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
    let found = decays(body, &starts, &ends);
    found.into_iter().find_map(|found| {
        let own = vec![found.from];
        let lengths = if held { &lengths } else { &own };
        let peak = if held { log.highest } else { found.peak };
        let rise = lengths
            .iter()
            .find_map(|&over| rise(&points[..first], peak, over))?;
        let rests = rests.map(|_| found.to);
        let shape = Shape { rests, rises: None };
        let (kind, spec) = written(&found, rise, held)?;
        let steps = Some(found.to + u64::from(kind == "one-cycle"));
        Some(Named { spec, kind, peak, steps, shape })
    })
}

/// The spec of a decay after a rise.
fn written(
    found: &Decay,
    rise: Rise,
    held: bool,
) -> Option<(&'static str, String)> {
    let family = found.family;
    let ratio = short(found.end / found.peak);
    if !held && rise.over > 0 && rise.start > 0.0 {
        let up = rise.over as f64 / found.to as f64;
        if rise.cosine && family.kind == "cosine" {
            // It ends at its last update, not after it.
            let steps = found.to as f64 + 1.0;
            let last = found.end.max(f64::MIN_POSITIVE) / found.peak;
            let spec = format!(
                "{{ kind = \"one-cycle\", pct_start = {}, div_factor = {}, \
                 final_div_factor = {} }}",
                short((rise.over as f64 + 1.0) / steps),
                short(1.0 / rise.start),
                round(rise.start / last),
            );
            return Some(("one-cycle", spec));
        }
        let same = (rise.start - ratio).abs() < 1e-4;
        if !rise.cosine && family.kind == "linear" && same && up > 0.15 {
            let spec = format!(
                "{{ kind = \"triangular\", inc_fraction = {}, start_ratio = \
                 {} }}",
                short(up),
                short(rise.start),
            );
            return Some(("triangular", spec));
        }
    }
    let mut body = family.keys.to_owned();
    let mut add = |key: String| {
        if !body.is_empty() {
            body += ", ";
        }
        body += &key;
    };
    if held && found.from > rise.over {
        let share =
            (found.to - found.from) as f64 / (found.to - rise.over) as f64;
        let shape = family.shape?;
        let mut keys = format!("decay = {}, shape = \"{shape}\"", short(share));
        if ratio != 0.0 {
            keys = format!("{keys}, end_ratio = {ratio}");
        }
        let keys = warmup(rise, Some(&keys));
        return Some(("wsd", format!("{{ kind = \"wsd\"{keys} }}")));
    }
    if ratio != 0.0 {
        add(format!("end_ratio = {ratio}"));
    }
    let body = (!body.is_empty()).then_some(body);
    let keys = warmup(rise, body.as_deref());
    let kind = family.kind;
    Some((kind, format!("{{ kind = \"{kind}\"{keys} }}")))
}

/// The rows without those that rest at the lowest rate, and the update from
/// which they rest.
fn without_rest<'p>(
    log: &Log,
    falling: &'p [Point],
) -> (&'p [Point], Option<u64>) {
    let Some(end) = falling.last() else { return (falling, None) };
    let rests = |point: &&Point| point.is(end.rate, log.highest);
    let resting = falling.iter().rev().take_while(rests).count();
    if resting < 3 || resting == falling.len() {
        return (falling, None);
    }
    let kept = falling.len() - resting + 1;
    (&falling[..kept], Some(falling[kept - 1].update))
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
    let body = format!("milestones = [{}], gamma = {gamma}", at.join(", "));
    let keys = warmup(rise, Some(&body));
    let spec = format!("{{ kind = \"step\"{keys} }}");
    let shape = Shape { rests: None, rises: None };
    Some(Named { spec, kind: "step", peak: log.highest, steps: None, shape })
}

/// The same factor every update.
fn exponential(log: &Log, top: (usize, usize)) -> Option<Named> {
    let ends = |from: f64, to: f64| (to / from).ln();
    line_of(log, top, ends, |peak, slope, t| peak * (slope * t).exp()).map(
        |(rise, peak, slope)| {
            let steps = log.last() + 1;
            let ratio = (slope * (steps - rise.over) as f64).exp();
            let keys = warmup(rise, Some(&format!("end_ratio = {ratio:.6e}")));
            let spec = format!("{{ kind = \"exponential\"{keys} }}");
            let shape = Shape { rests: None, rises: None };
            let steps = Some(steps);
            Named { spec, kind: "exponential", peak, steps, shape }
        },
    )
}

/// One by the root of the update.
fn inverse_sqrt(log: &Log, top: (usize, usize)) -> Option<Named> {
    let ends = |from: f64, to: f64| (from / to).powi(2) - 1.0;
    let rate = |peak: f64, slope: f64, t: f64| peak / (1.0 + slope * t).sqrt();
    line_of(log, top, ends, rate).map(|(rise, peak, slope)| {
        let timescale = (1.0 / slope).round();
        let own = rise.over > 0 && timescale == rise.over as f64;
        let body = format!("timescale = {timescale}");
        let keys = warmup(rise, (!own).then_some(body.as_str()));
        let spec = format!("{{ kind = \"inverse-sqrt\"{keys} }}");
        let shape = Shape { rests: None, rises: None };
        Named { spec, kind: "inverse-sqrt", peak, steps: None, shape }
    })
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

/// Rates that fall and rise again: cycles, or a cosine beyond its end.
fn rising_again(log: &Log, top: (usize, usize)) -> Option<Named> {
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
        let rises = Some(points[turn - 1].update);
        let shape = Shape { rises, ..named.shape };
        Some(Named { shape, ..named })
    })
}

/// Cycles of one length, or of lengths that grow.
fn cycles(log: &Log) -> Option<Named> {
    let points = &log.points;
    let scale = log.highest;
    // Rows after which the rates turn; equal ones are passed over.
    let mut turns: Vec<(usize, bool)> = vec![];
    let mut up = None;
    for row in 1..points.len() {
        if points[row].is(points[row - 1].rate, scale) {
            continue;
        }
        let rises = points[row].rate > points[row - 1].rate;
        if up == Some(!rises) {
            turns.push((row - 1, rises));
        }
        up = Some(rises);
    }
    let lowest = points.iter().map(|p| p.rate).fold(f64::INFINITY, f64::min);
    let around = |row: usize| {
        let next = points.get(row + 1).map_or(log.last(), |p| p.update);
        let before = points[row].update.saturating_sub(log.every);
        (before..=next).take(150)
    };
    let mut specs: Vec<(&'static str, f64, String)> = vec![];
    for &(row, rises) in turns.iter().take(2) {
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
        let read = crate::grid::parse_schedule(&spec).ok()?;
        matching(log, &read, peak, steps)?;
        let shape = Shape { rests: None, rises: None };
        Some(Named { spec, kind, peak, steps: Some(steps), shape })
    })
}

/// Whether `spec` over `steps` has the rates of `log`.
fn matching(
    log: &Log,
    spec: &ScheduleSpec,
    peak: f64,
    steps: u64,
) -> Option<()> {
    let steps = usize::try_from(steps).ok()?;
    let schedule = spec.build(peak, steps).ok()?;
    let right = |point: &Point| {
        let update = usize::try_from(point.update).unwrap_or(usize::MAX);
        point.is(crate::schedule::Schedule::lr(&schedule, update), peak)
    };
    log.points.iter().all(right).then_some(())
}
