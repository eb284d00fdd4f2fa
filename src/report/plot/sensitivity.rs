//! How much a wrong learning rate costs.

use super::axis::{Axis, Frame, clipped};
use super::canvas::{Anchor, Canvas, GREY, Type, cut, page, type_of, widest};
use super::verdict_ink;
use crate::results::rows::Verdict;

/// One schedule's regret by learning rate.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SensitivityLine {
    /// Label of the schedule.
    pub(crate) schedule: String,
    /// Its verdict over all boards, for the colour.
    pub(crate) verdict: Verdict,
    /// Multiple of the learning rate found, rising, and mean regret there.
    pub(crate) points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 760.0;
/// As wide as bold letters of the labels' size.
const BOLD: f64 = 1.12 * LABEL;
const LABEL: f64 = 12.0;
const GAP: f64 = 15.0;

/// SVG of the mean regret by multiple of the learning rate found, a line a
/// schedule. A flat line forgives a wrong learning rate.
pub(crate) fn learning_rate_sensitivity(lines: &[SensitivityLine]) -> String {
    let names = lines.iter().map(|line| line.schedule.as_str());
    let names = widest(names, BOLD, 280.0);
    let mut multiples: Vec<f64> = lines
        .iter()
        .flat_map(|line| line.points.iter().map(|&(multiple, _)| multiple))
        .filter(|multiple| multiple.is_finite() && *multiple > 0.0)
        .collect();
    multiples.sort_by(f64::total_cmp);
    multiples.dedup();
    let height = (GAP * lines.len() as f64 + 90.0).max(330.0);
    let frame = Frame {
        x: Axis::log_at(&multiples),
        y: Axis::linear(0.0, highest(lines), 5.0),
        left: 64.0,
        top: 40.0,
        right: WIDTH - names - 40.0,
        bottom: height - 56.0,
    };
    let label = "Mean regret by multiple of the learning rate found";
    page(WIDTH, height, label, |canvas| {
        frame.draw(
            canvas,
            "multiple of the learning rate found",
            "mean regret",
        );
        // The ones that matter most are drawn last, on top.
        let mut order: Vec<&SensitivityLine> = lines.iter().collect();
        order.sort_by_key(|line| std::cmp::Reverse(weight(line.verdict)));
        for line in order {
            draw(canvas, &frame, line);
        }
        labels(canvas, &frame, lines, names);
    })
}

/// Where in the order of importance a verdict stands.
fn weight(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Recommended => 0,
        Verdict::Control => 1,
        Verdict::Equivalent => 2,
        Verdict::Undecided => 3,
        Verdict::Dominated => 4,
    }
}

/// The top of the picture: above every schedule in contention. Those that
/// fall apart would press the others flat, so they leave it.
fn highest(lines: &[SensitivityLine]) -> f64 {
    let most = |dominated: bool| {
        lines
            .iter()
            .filter(|line| dominated || line.verdict != Verdict::Dominated)
            .flat_map(|line| line.points.iter().map(|&(_, regret)| regret))
            .filter(|regret| regret.is_finite())
            .fold(0.0, f64::max)
    };
    let (contenders, all) = (1.25 * most(false), most(true));
    let top = if contenders > 0.0 { all.min(contenders) } else { all };
    if top > 0.0 { 1.06 * top } else { 1.0 }
}

fn draw(canvas: &mut Canvas<'_>, frame: &Frame, line: &SensitivityLine) {
    let ink = verdict_ink(line.verdict);
    let strong = weight(line.verdict) < 2;
    let (alpha, width) = if strong { (1.0, 2.5) } else { (0.7, 1.5) };
    let points = line.points.iter().copied().filter(|p| p.0 > 0.0);
    for part in clipped(points, frame.y.low, frame.y.high) {
        let part: Vec<_> = part.iter().map(|&(x, y)| frame.at(x, y)).collect();
        canvas.path(&part, ink, alpha, width);
    }
    for &(multiple, regret) in &line.points {
        let inside = (frame.y.low..=frame.y.high).contains(&regret)
            && (frame.x.low..=frame.x.high).contains(&multiple);
        if inside {
            let radius = if strong { 3.5 } else { 2.5 };
            canvas.marker(frame.at(multiple, regret), radius, ink);
        }
    }
}

/// Each line's name at its right end, moved apart where they would overlap.
fn labels(
    canvas: &mut Canvas<'_>,
    frame: &Frame,
    lines: &[SensitivityLine],
    names: f64,
) {
    let mut ends: Vec<(f64, &SensitivityLine)> = lines
        .iter()
        .filter_map(|line| {
            let regret = line.points.last()?.1;
            let shown = if regret.is_finite() {
                frame.y.clamp(regret)
            } else {
                frame.y.high
            };
            Some((frame.y_at(shown), line))
        })
        .collect();
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    let places = apart(&ends, frame.top, frame.bottom);
    for ((end, line), place) in ends.into_iter().zip(places) {
        let ink = verdict_ink(line.verdict);
        let (from, to) = (frame.right + 5.0, frame.right + 20.0);
        canvas.path(&[(from, end), (to, place)], GREY, 0.5, 0.75);
        let bold = line.verdict == Verdict::Recommended;
        let name = cut(&line.schedule, names, if bold { BOLD } else { LABEL });
        let style = type_of(LABEL, ink, Anchor::Start);
        canvas.text(&name, (to + 4.0, place), Type { bold, ..style });
    }
}

/// Heights for labels that want those of `ends` (rising) but need [`GAP`].
fn apart(ends: &[(f64, &SensitivityLine)], top: f64, bottom: f64) -> Vec<f64> {
    let mut places: Vec<f64> = vec![];
    for &(end, _) in ends {
        let free = places.last().map_or(top, |last| last + GAP);
        places.push(end.max(free));
    }
    let mut limit = bottom;
    for place in places.iter_mut().rev() {
        *place = place.min(limit);
        limit = *place - GAP;
    }
    places
}
