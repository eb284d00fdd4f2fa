//! The closed forms: factors on the peak at update `t`, real, of `steps`.
//!
//! `p = t / steps` throughout. Times are real because a cooldown may begin
//! between two updates and needs the factor there. Forms that could be
//! written in two ways are written so that a schedule which holds the peak
//! gives exactly 1.0: runs share the steps on which their rates are equal.

use super::Problem;
use super::kinds::{Anneal, Kind, Mode, Shape};
use std::f64::consts::PI;

/// A factor on the peak as a function of the update.
pub(super) type Factor = Box<dyn Fn(f64) -> f64 + Send + Sync>;

/// Half a cosine from 1 at `x = 0` to 0 at `x = 1`.
///
/// Source: Loshchilov & Hutter, *SGDR* (2017), eq. 5.
pub(super) fn half_cosine(x: f64) -> f64 {
    (1.0 + (PI * x).cos()) / 2.0
}

/// `shape`, which goes from 1 to 0, squeezed to end at `end`.
pub(super) fn down_to(end: f64, shape: f64) -> f64 {
    end + (1.0 - end) * shape
}

/// The share of the last `share` of the steps that has passed at `t`; 0
/// before it begins.
///
/// Counted from the end, because `(p - (1 - share)) / share` is off by a
/// rounding error where it should be 0, of which a square root makes 1e-8.
pub(super) fn progress(t: f64, steps: f64, share: f64) -> f64 {
    let left = (steps - t) / steps;
    (1.0 - left / share).clamp(0.0, 1.0)
}

impl Shape {
    /// The shape at `x` in 0..=1: 1 first, 0 last (the exponential: `end`).
    ///
    /// Source: Hägele et al., *Scaling Laws and Compute-Optimal Training
    /// Beyond Fixed Training Durations* (2024).
    pub(super) fn at(self, x: f64, end: f64) -> f64 {
        match self {
            Self::Linear => 1.0 - x,
            Self::OneMinusSqrt => 1.0 - x.sqrt(),
            Self::Cosine => half_cosine(x),
            Self::Square => 1.0 - x * x,
            Self::Exponential => end.powf(x),
        }
    }

    /// The end ratio where none is given.
    pub(super) fn end_or_default(self, end_ratio: Option<f64>) -> f64 {
        let exponential = matches!(self, Self::Exponential);
        end_ratio.unwrap_or(if exponential { 0.01 } else { 0.0 })
    }
}

impl Kind {
    /// The factor over `steps` updates that follow a warm-up of `warmup`.
    ///
    /// # Errors
    ///
    /// If a table has another number of rows.
    pub(super) fn factor(
        &self,
        steps: usize,
        warmup: usize,
    ) -> Result<Factor, Problem> {
        let whole = steps as f64;
        Ok(match *self {
            Self::Constant {} => Box::new(|_| 1.0),
            Self::Linear { end_ratio } => {
                Box::new(move |t| 1.0 - (1.0 - end_ratio) * (t / whole))
            }
            Self::Polynomial { power, end_ratio } => Box::new(move |t| {
                let left: f64 = 1.0 - t / whole;
                (1.0 - end_ratio) * left.powf(power) + end_ratio
            }),
            Self::Cosine { end_ratio, cycles } => Box::new(move |t| {
                down_to(end_ratio, half_cosine(2.0 * cycles * (t / whole)))
            }),
            Self::KDecay { k, end_ratio } => Box::new(move |t| {
                down_to(end_ratio, half_cosine((t / whole).powf(k)))
            }),
            Self::OneMinusSqrt { end_ratio } => Box::new(move |t| {
                down_to(end_ratio, Shape::OneMinusSqrt.at(t / whole, 0.0))
            }),
            Self::Exponential { end_ratio } => {
                Box::new(move |t| end_ratio.powf(t / whole))
            }
            Self::InverseTime { rate } => {
                Box::new(move |t| 1.0 / (1.0 + rate * (t / whole)))
            }
            Self::InverseSqrt { timescale } => {
                let scale = timescale.unwrap_or(warmup.max(1)) as f64;
                Box::new(move |t| 1.0 / (1.0 + t / scale).sqrt())
            }
            Self::Step { ref milestones, gamma } => {
                let passed = milestones_passed(milestones, whole, false);
                Box::new(move |t| gamma.powi(passed(t)))
            }
            Self::Wsd { decay, shape, end_ratio } => Box::new(move |t| {
                wsd(progress(t, whole, decay), shape, end_ratio)
            }),
            Self::Knee { explore } => Box::new(move |t| {
                let x = (t / whole - explore) / (1.0 - explore);
                1.0 - x.clamp(0.0, 1.0)
            }),
            Self::Rex { d } => Box::new(move |t| {
                let left = 1.0 - t / whole;
                left / ((1.0 - d) + d * left)
            }),
            Self::OneCycle { .. } => one_cycle(self, whole),
            Self::Triangular { inc_fraction, start_ratio, end_ratio } => {
                let end = end_ratio.unwrap_or(start_ratio);
                Box::new(move |t| {
                    triangle(t / whole, inc_fraction, start_ratio, end)
                })
            }
            Self::Cyclical { .. } => cyclical(self, whole),
            Self::Sgdr { .. } => sgdr(self, whole),
            Self::Tanh { lower, upper, end_ratio } => Box::new(move |t| {
                let p = t / whole;
                let x = lower * (1.0 - p) + upper * p;
                down_to(end_ratio, (1.0 - x.tanh()) / 2.0)
            }),
            // The model's size scales all rates alike, so dividing by the
            // highest one takes it out.
            Self::Noam { model_size: _, warmup_steps } => {
                noam(warmup_steps, steps)
            }
            Self::Piecewise { ref points } => {
                let points = points.clone();
                Box::new(move |t| between(&points, t / whole))
            }
            Self::Table { ref file, ref factors } => {
                let key = if file.is_some() { "file" } else { "factors" };
                table(key, factors, steps, warmup)?
            }
        })
    }
}

/// How many milestones have passed at `t`: shares below 1, steps above; a 1
/// is a step where others are. A milestone is passed when `t` is there, or
/// `strictly` after.
pub(super) fn milestones_passed(
    milestones: &[f64],
    steps: f64,
    strictly: bool,
) -> impl Fn(f64) -> i32 + Send + Sync + 'static {
    let in_steps = milestones.iter().any(|&m| m > 1.0);
    let milestones = milestones.to_vec();
    move |t| {
        // Shares are compared as shares: 0.07 x 100 is above 7 in f64.
        let passed = |&&m: &&f64| {
            let is_step = m > 1.0 || (m == 1.0 && in_steps);
            let now = if is_step { t } else { t / steps };
            now > m || (now == m && !strictly)
        };
        let count = milestones.iter().filter(passed).count();
        i32::try_from(count).unwrap_or(i32::MAX)
    }
}

/// Warmup-stable-decay after its warm-up, at share `x` of the decay.
///
/// Source: Hägele et al. (2024); Hu et al. (2024).
fn wsd(x: f64, shape: Shape, end_ratio: Option<f64>) -> f64 {
    let end = shape.end_or_default(end_ratio);
    match shape {
        Shape::Exponential => shape.at(x, end),
        _ => down_to(end, shape.at(x, end)),
    }
}

/// `PyTorch`'s `OneCycleLR`, whose end value stands at update `steps - 1`.
///
/// Source: Smith & Topin, *Super-Convergence* (2019).
fn one_cycle(kind: &Kind, steps: f64) -> Factor {
    let &Kind::OneCycle {
        pct_start,
        div_factor,
        final_div_factor,
        anneal,
        three_phase,
    } = kind
    else {
        return Box::new(|_| 1.0);
    };
    let start = 1.0 / div_factor;
    let end = start / final_div_factor;
    let top = pct_start * steps - 1.0;
    let last = steps - 1.0;
    let phases = if three_phase {
        let back = 2.0 * pct_start * steps - 2.0;
        vec![(top, start, 1.0), (back, 1.0, start), (last, start, end)]
    } else {
        vec![(top, start, 1.0), (last, 1.0, end)]
    };
    Box::new(move |t| along(&phases, t.min(last), anneal))
}

/// The value at `t` of phases (end, from, to), the first from 0.
pub(super) fn along(phases: &[(f64, f64, f64)], t: f64, anneal: Anneal) -> f64 {
    let mut begin = 0.0;
    let mut value = 1.0;
    for &(end, from, to) in phases {
        if t <= end {
            let x = if end > begin { (t - begin) / (end - begin) } else { 1.0 };
            return match anneal {
                Anneal::Cos => to + (from - to) * half_cosine(x),
                Anneal::Linear => from + (to - from) * x,
            };
        }
        (begin, value) = (end, to);
    }
    value
}

/// Straight from `start` at 0 to 1 at `top`, straight to `end` at 1.
///
/// Source: Howard & Ruder (2018), eq. 3.
fn triangle(p: f64, top: f64, start: f64, end: f64) -> f64 {
    if p < top {
        start + (1.0 - start) * (p / top)
    } else if top < 1.0 {
        down_to(end, ((1.0 - p) / (1.0 - top)).max(0.0))
    } else {
        1.0
    }
}

/// `PyTorch`'s `CyclicLR` with `max_lr` the peak.
///
/// Source: Smith, *Cyclical Learning Rates* (2017).
fn cyclical(kind: &Kind, steps: f64) -> Factor {
    let &Kind::Cyclical {
        mode,
        step_size_up,
        step_size_down,
        base_ratio,
        gamma,
    } = kind
    else {
        return Box::new(|_| 1.0);
    };
    let up = step_size_up.map_or((steps / 8.0).max(1.0), |up| up as f64);
    let down = step_size_down.map_or(up, |down| down as f64);
    Box::new(move |t| {
        let length = up + down;
        let cycle = (t / length).floor();
        let since = t - cycle * length;
        let height =
            if since <= up { since / up } else { (length - since) / down };
        let amplitude = match mode {
            Mode::Triangular => 1.0,
            Mode::Triangular2 => (-cycle).exp2(),
            Mode::ExpRange => gamma.powf(t),
        };
        base_ratio + (1.0 - base_ratio) * height.max(0.0) * amplitude
    })
}

/// The cycles of warm restarts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cycles {
    /// `first = over / count` updates: kept apart so that a third of 10
    /// steps has exact boundaries.
    over: f64,
    count: f64,
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
        let count = cycles.unwrap_or(1) as f64;
        let (over, count) = match t_0 {
            Some(t_0) => (t_0 as f64, 1.0),
            None if t_mult == 1.0 => (steps, count),
            None => (steps * (t_mult - 1.0), t_mult.powf(count) - 1.0),
        };
        Self { over, count, times: t_mult }
    }

    /// Index of the cycle at `t`, and the share of it that has passed.
    pub(super) fn at(&self, t: f64) -> (f64, f64) {
        if self.times == 1.0 {
            let index = (t * self.count / self.over).floor();
            let since = t * self.count - index * self.over;
            return (index, since / self.over);
        }
        let first = self.over / self.count;
        let begin = |index: f64| {
            first * (self.times.powf(index) - 1.0) / (self.times - 1.0)
        };
        let growth = 1.0 + t / first * (self.times - 1.0);
        let mut index = (growth.ln() / self.times.ln()).floor();
        // Logarithms and fractional lengths may miss an integer by a hair.
        let now = t + 1e-9;
        if begin(index) > now {
            index -= 1.0;
        } else if begin(index + 1.0) <= now {
            index += 1.0;
        }
        let length = first * self.times.powf(index);
        (index, ((t - begin(index)) / length).max(0.0))
    }
}

/// Cosine with warm restarts.
///
/// Source: Loshchilov & Hutter, *SGDR* (2017).
fn sgdr(kind: &Kind, steps: f64) -> Factor {
    let &Kind::Sgdr { t_0, cycles, t_mult, end_ratio, magnitude_decay } = kind
    else {
        return Box::new(|_| 1.0);
    };
    let cycles = Cycles::new(t_0, cycles, t_mult, steps);
    Box::new(move |t| {
        let (index, x) = cycles.at(t);
        let top = magnitude_decay.powf(index);
        end_ratio + (top - end_ratio) * half_cosine(x)
    })
}

/// The transformer's schedule divided by its highest value within the run,
/// which stands at update `warmup - 1` or at the last one.
///
/// Source: Vaswani et al., *Attention Is All You Need* (2017), section 5.3.
fn noam(warmup: usize, steps: usize) -> Factor {
    let top = warmup.min(steps) as f64;
    let warmup = warmup as f64;
    Box::new(move |t| {
        let number = t + 1.0;
        if number <= warmup { number / top } else { (warmup / number).sqrt() }
    })
}

/// On the line between the two points around `p`; flat outside.
fn between(points: &[[f64; 2]], p: f64) -> f64 {
    let next = points.partition_point(|&[share, _]| share <= p);
    match (next.checked_sub(1).map(|i| points[i]), points.get(next)) {
        (Some([x0, y0]), Some(&[x1, y1])) => {
            y0 + (y1 - y0) * ((p - x0) / (x1 - x0))
        }
        (Some([_, y]), None) | (None, Some(&[_, y])) => y,
        (None, None) => 1.0,
    }
}

/// The rows of a file: one for each step, with those of the warm-up or
/// without them. Between two updates the earlier one's row holds.
fn table(
    key: &str,
    factors: &[f64],
    steps: usize,
    warmup: usize,
) -> Result<Factor, Problem> {
    let whole = steps + warmup;
    let skip = match factors.len() {
        rows if rows == steps => 0,
        rows if rows == whole => warmup,
        rows => {
            let after = if warmup > 0 {
                format!(" ({steps} after the warm-up)")
            } else {
                String::new()
            };
            let message = format!(
                "`{key}` has {rows} rows, the budget is {whole} steps{after}; \
                 a table needs one row a step"
            );
            return Err(Problem::at(key, message));
        }
    };
    let factors = factors[skip..].to_vec();
    Ok(Box::new(move |t| {
        let row = factors.get(index(t)).or(factors.last());
        row.copied().unwrap_or(0.0)
    }))
}

/// The update whose time is the last one not after `t`.
fn index(t: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a time within the budget, 0 or more"
    )]
    let index = t.floor() as usize;
    index
}
