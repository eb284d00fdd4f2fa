//! The closed forms that go up and down: one-cycle, cyclical, restarts.

use super::formula::{Expr, half_cosine, named};
use super::kinds::{Anneal, Kind, Mode};

/// `PyTorch`'s `OneCycleLR`, whose end value stands at update `steps - 1`.
///
/// Source: Smith & Topin, *Super-Convergence* (2019).
pub(super) fn one_cycle(kind: &Kind, steps: f64) -> Expr {
    let &Kind::OneCycle { div_factor, final_div_factor, .. } = kind else {
        return 1.0.into();
    };
    named!(div_factor, final_div_factor);
    let start = (1.0 / div_factor).called("start");
    let end = (&start / final_div_factor).called("end");
    turns(kind, steps, &start, &1.0.into(), &end)
}

/// From `start` to `top` and down to `end` as one-cycle does; with three
/// phases, down through `start`.
pub(super) fn turns(
    kind: &Kind,
    steps: f64,
    start: &Expr,
    top: &Expr,
    end: &Expr,
) -> Expr {
    let &Kind::OneCycle { pct_start, anneal, three_phase, .. } = kind else {
        return 1.0.into();
    };
    named!(steps, pct_start);
    let up = (&pct_start * &steps - 1.0).called("up");
    let last = (&steps - 1.0).called("last");
    let mut phases = vec![(up, start.clone(), top.clone())];
    if three_phase {
        let back = (2.0 * &pct_start * &steps - 2.0).called("back");
        phases.push((back, top.clone(), start.clone()));
        phases.push((last.clone(), start.clone(), end.clone()));
    } else {
        phases.push((last.clone(), top.clone(), end.clone()));
    }
    along(&phases, &Expr::Time.min(last).called("now"), anneal)
}

/// The value at `t` of phases (end, from, to), the first from 0; the ends
/// do not depend on the time.
pub(super) fn along(
    phases: &[(Expr, Expr, Expr)],
    t: &Expr,
    anneal: Anneal,
) -> Expr {
    let Some((_, _, last)) = phases.last() else { return 1.0.into() };
    (0..phases.len()).rev().fold(last.clone(), |later, i| {
        let (end, from, to) = &phases[i];
        let x = match i.checked_sub(1).map(|before| &phases[before].0) {
            None if end.at(0.0) > 0.0 => t / end,
            Some(begin) if end.at(0.0) > begin.at(0.0) => {
                (t - begin) / (end - begin)
            }
            _ => 1.0.into(),
        };
        let value = match anneal {
            Anneal::Cos => to + (from - to) * half_cosine(x),
            Anneal::Linear => from + (to - from) * x,
        };
        t.clone().at_most(end, value, later)
    })
}

/// `PyTorch`'s `CyclicLR` with `max_lr` the peak.
///
/// Source: Smith, *Cyclical Learning Rates* (2017).
pub(super) fn cyclical(kind: &Kind, steps: f64) -> Expr {
    let &Kind::Cyclical { base_ratio, .. } = kind else { return 1.0.into() };
    named!(base_ratio);
    &base_ratio + swing(kind, steps, 1.0 - &base_ratio)
}

/// Up to `reach` and down to 0, again and again.
pub(super) fn swing(kind: &Kind, steps: f64, reach: Expr) -> Expr {
    let &Kind::Cyclical { mode, step_size_up, step_size_down, gamma, .. } =
        kind
    else {
        return 0.0.into();
    };
    let up = step_size_up.map_or((steps / 8.0).max(1.0), |up| up as f64);
    let down = step_size_down.map_or(up, |down| down as f64);
    let (step_size_up, step_size_down) = (up, down);
    named!(step_size_up, step_size_down, gamma);
    let length = (&step_size_up + &step_size_down).called("length");
    let cycle = (Expr::Time / &length).floor().called("cycle");
    let since = (Expr::Time - &cycle * &length).called("since");
    let rise = &since / &step_size_up;
    let fall = (length - &since) / step_size_down;
    let height = since.at_most(step_size_up, rise, fall).max(0.0);
    let height = reach * height.called("height");
    match mode {
        Mode::Triangular => height,
        Mode::Triangular2 => height * Expr::Number(0.5).pow(cycle),
        Mode::ExpRange => height * gamma.pow(Expr::Time),
    }
}

/// The cycles of warm restarts.
#[derive(Clone, Debug)]
pub(super) struct Cycles {
    /// `first = over / count` updates: kept apart so that a third of 10
    /// steps has exact boundaries.
    over: Expr,
    count: Expr,
    first: Expr,
    /// How much longer each cycle is than the one before.
    times: f64,
}

impl Cycles {
    /// First cycle of `t_0` updates; else `cycles` of them fill `steps`.
    pub(super) fn new(
        t_0: Option<usize>,
        cycles: Option<usize>,
        t_mult: f64,
        steps: f64,
    ) -> Self {
        let cycles = cycles.unwrap_or(1) as f64;
        let times = t_mult;
        named!(steps, cycles, t_mult);
        if let Some(t_0) = t_0 {
            let first = Expr::Named("t_0", t_0 as f64);
            return Self {
                over: first.clone(),
                count: 1.0.into(),
                first,
                times,
            };
        }
        let (over, count) = if times == 1.0 {
            (steps, cycles)
        } else {
            (steps * (&t_mult - 1.0), t_mult.pow(cycles) - 1.0)
        };
        let first = (&over / &count).called("first");
        Self { over, count, first, times }
    }

    /// Updates of the first cycle.
    pub(super) fn first(&self) -> f64 {
        self.first.at(0.0)
    }

    /// Index of the cycle, and the share of it that has passed.
    pub(super) fn now(&self) -> (Expr, Expr) {
        let t = Expr::Time;
        let Self { over, count, first, times } = self;
        if *times == 1.0 {
            let index = (&t * count / over).floor().called("cycle");
            let since = t * count - &index * over;
            return (index, (since / over).called("x"));
        }
        let times = Expr::Named("t_mult", *times);
        let begin = |index: &Expr| {
            first * (times.clone().pow(index) - 1.0) / (&times - 1.0)
        };
        let growth = 1.0 + &t / first * (&times - 1.0);
        let guess = growth.ln() / times.clone().ln();
        let guess = guess.floor().called("guess");
        // Logarithms and fractional lengths may miss an integer by a hair.
        let now = (&t + 1e-9).called("now");
        let next = begin(&(&guess + 1.0)).at_most(&now, &guess + 1.0, &guess);
        let index = now.below(begin(&guess), &guess - 1.0, next);
        let index = index.called("cycle");
        let length = first * times.clone().pow(&index);
        let x = ((t - begin(&index)) / length).max(0.0);
        (index, x.called("x"))
    }
}

/// Cosine with warm restarts.
///
/// Source: Loshchilov & Hutter, *SGDR* (2017).
pub(super) fn sgdr(kind: &Kind, steps: f64) -> Expr {
    let &Kind::Sgdr { t_0, cycles, t_mult, end_ratio, magnitude_decay } = kind
    else {
        return 1.0.into();
    };
    named!(end_ratio, magnitude_decay);
    let (index, x) = Cycles::new(t_0, cycles, t_mult, steps).now();
    let top = magnitude_decay.pow(index);
    &end_ratio + (top - &end_ratio) * half_cosine(x)
}
