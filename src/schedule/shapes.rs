//! The closed forms: factors on the peak at update `t`, real, of `steps`.
//!
//! `p = t / steps` throughout. Times are real because a cooldown may begin
//! between two updates and needs the factor there. Forms that could be
//! written in two ways are written so that a schedule which holds the peak
//! gives exactly 1.0: runs share the steps on which their rates are equal.

use super::cycles::{cyclical, one_cycle, sgdr, swing, turns};
use super::formula::{Expr, Formula, half_cosine, named};
use super::kinds::{Kind, Shape};
use super::{Problem, checks};
use std::sync::Arc;

/// `shape`, which goes from 1 to 0, squeezed to end at `end`.
pub(super) fn down_to(end: &Expr, shape: Expr) -> Expr {
    end + (1.0 - end) * shape
}

/// The share of the last `share` of the steps that has passed; 0 before it
/// begins.
///
/// Counted from the end, because `(p - (1 - share)) / share` is off by a
/// rounding error where it should be 0, and a square root turns that into 1e-8.
pub(super) fn progress(steps: f64, share: &Expr) -> Expr {
    named!(steps);
    let left = (&steps - Expr::Time) / &steps;
    (1.0 - left / share).max(0.0).min(1.0).called("x")
}

impl Shape {
    /// The shape at `x` in 0..=1: 1 first, 0 last (the exponential: `end`).
    ///
    /// Source: Hägele et al., *Scaling Laws and Compute-Optimal Training
    /// Beyond Fixed Training Durations* (2024).
    pub(super) fn at(self, x: &Expr, end: &Expr) -> Expr {
        match self {
            Self::Linear => 1.0 - x,
            Self::OneMinusSqrt => 1.0 - x.clone().sqrt(),
            Self::Cosine => half_cosine(x),
            Self::Square => 1.0 - x * x,
            Self::Exponential => end.clone().pow(x),
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
    ) -> Result<Arc<Formula>, Problem> {
        let whole = steps as f64;
        let p = (Expr::Time / Expr::Named("steps", whole)).called("p");
        let value = match *self {
            // A run makes the second and lowers the third.
            Self::Constant {} | Self::Refined { .. } | Self::Plateau { .. } => {
                1.0.into()
            }
            Self::ScheduleFree { lr_ratio } => {
                named!(lr_ratio);
                lr_ratio
            }
            Self::Linear { end_ratio } => {
                named!(end_ratio);
                1.0 - (1.0 - end_ratio) * p
            }
            Self::Polynomial { power, end_ratio } => {
                named!(power, end_ratio);
                (1.0 - &end_ratio) * (1.0 - p).pow(power) + end_ratio
            }
            Self::Cosine { end_ratio, cycles } => {
                named!(end_ratio, cycles);
                down_to(&end_ratio, half_cosine(2.0 * cycles * p))
            }
            Self::KDecay { k, end_ratio } => {
                named!(k, end_ratio);
                down_to(&end_ratio, half_cosine(p.pow(k)))
            }
            Self::OneMinusSqrt { end_ratio } => {
                named!(end_ratio);
                down_to(&end_ratio, 1.0 - p.sqrt())
            }
            Self::Exponential { end_ratio } => {
                named!(end_ratio);
                end_ratio.pow(p)
            }
            Self::InverseTime { rate } => {
                named!(rate);
                1.0 / (1.0 + rate * p)
            }
            Self::InverseSqrt { timescale } => {
                let timescale = timescale.unwrap_or(warmup.max(1)) as f64;
                named!(timescale);
                1.0 / (1.0 + Expr::Time / timescale).sqrt()
            }
            Self::Step { ref milestones, gamma } => {
                let now = Milestones { strictly: false, ahead: 0.0 };
                now.decay(milestones, gamma, whole)
            }
            Self::Wsd { decay, shape, end_ratio } => {
                let end_ratio = shape.end_or_default(end_ratio);
                named!(decay, end_ratio);
                wsd(&progress(whole, &decay), shape, &end_ratio)
            }
            Self::Knee { explore } => {
                named!(explore);
                let x = (p - &explore) / (1.0 - explore);
                1.0 - x.max(0.0).min(1.0)
            }
            Self::Rex { d } => {
                named!(d);
                let left = (1.0 - p).called("left");
                &left / ((1.0 - &d) + d * &left)
            }
            Self::OneCycle { .. } => one_cycle(self, whole),
            Self::Triangular { inc_fraction, start_ratio, end_ratio } => {
                let end_ratio = end_ratio.unwrap_or(start_ratio);
                triangle(&p, inc_fraction, start_ratio, end_ratio)
            }
            Self::Cyclical { .. } => cyclical(self, whole),
            Self::Sgdr { .. } => sgdr(self, whole),
            Self::Tanh { lower, upper, end_ratio } => {
                named!(lower, upper, end_ratio);
                let x = lower * (1.0 - &p) + upper * p;
                down_to(&end_ratio, (1.0 - x.tanh()) / 2.0)
            }
            // The model's size scales all rates alike, so dividing by the
            // highest one takes it out.
            Self::Noam { model_size: _, warmup_steps } => {
                noam(warmup_steps, steps)
            }
            Self::Piecewise { ref points } => between(points, &p),
            Self::Table { ref file, ref factors, .. } => {
                let key = if file.is_some() { "file" } else { "factors" };
                table(key, factors, steps, warmup)?
            }
        };
        Ok(Formula::new(self.name(), value))
    }

    /// The momentum over `steps` updates, where it is cycled: lowest where
    /// the rate is highest.
    pub(super) fn momentum(&self, steps: usize) -> Option<Expr> {
        let whole = steps as f64;
        match *self {
            Self::OneCycle { cycle_momentum: Some([low, high]), .. } => {
                named!(low, high);
                Some(turns(self, whole, &high, &low, &high))
            }
            Self::Cyclical { cycle_momentum: Some([low, high]), .. } => {
                named!(low, high);
                Some(&high - swing(self, whole, &high - low))
            }
            Self::Table { ref momenta, .. } if !momenta.is_empty() => {
                // They may have the rows of the warm-up, too.
                let skip = momenta.len().saturating_sub(steps);
                let rows = Arc::new(momenta[skip..].to_vec());
                Some(Expr::Row(rows, Arc::new(Expr::Time)))
            }
            _ => None,
        }
    }
}

/// When a milestone counts as passed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Milestones {
    /// Not yet at the milestone itself.
    pub(super) strictly: bool,
    /// Updates by which the time is ahead.
    pub(super) ahead: f64,
}

impl Milestones {
    /// `gamma` to the power of the milestones passed, shares and steps in
    /// the order in which they come at this budget.
    pub(super) fn decay(
        self,
        milestones: &[f64],
        gamma: f64,
        steps: f64,
    ) -> Expr {
        let is_step = |m: f64| checks::is_step(m, milestones);
        let when = |m: f64| if is_step(m) { m } else { m * steps };
        let mut in_order = milestones.to_vec();
        in_order.sort_by(|&a, &b| when(a).total_cmp(&when(b)));
        let now = match self.ahead {
            0.0 => Expr::Time,
            ahead => Expr::Time + ahead,
        };
        // Shares are compared as shares: 0.07 x 100 is above 7 in f64.
        let share = (&now / Expr::Named("steps", steps)).called("p");
        named!(gamma);
        let height = |passed: i32| match passed {
            0 => Expr::Number(1.0),
            1 => gamma.clone(),
            _ => gamma.clone().powi(passed),
        };
        let count = i32::try_from(milestones.len()).unwrap_or(i32::MAX);
        let each = (0..count).zip(in_order).rev();
        each.fold(height(count), |later, (passed, milestone)| {
            let now = if is_step(milestone) { &now } else { &share }.clone();
            if self.strictly {
                now.at_most(milestone, height(passed), later)
            } else {
                now.below(milestone, height(passed), later)
            }
        })
    }
}

/// Warmup-stable-decay after its warm-up, at share `x` of the decay.
///
/// Source: Hägele et al. (2024); Hu et al. (2024).
fn wsd(x: &Expr, shape: Shape, end_ratio: &Expr) -> Expr {
    match shape {
        Shape::Exponential => shape.at(x, end_ratio),
        _ => down_to(end_ratio, shape.at(x, end_ratio)),
    }
}

/// Straight from `start_ratio` at 0 to 1 at `inc_fraction`, straight to
/// `end_ratio` at 1.
///
/// Source: Howard & Ruder (2018), eq. 3.
fn triangle(
    p: &Expr,
    inc_fraction: f64,
    start_ratio: f64,
    end_ratio: f64,
) -> Expr {
    let falls = inc_fraction < 1.0;
    named!(inc_fraction, start_ratio, end_ratio);
    let rise = &start_ratio + (1.0 - &start_ratio) * (p / &inc_fraction);
    let fall = if falls {
        let left = ((1.0 - p) / (1.0 - &inc_fraction)).max(0.0);
        down_to(&end_ratio, left)
    } else {
        1.0.into()
    };
    p.clone().below(inc_fraction, rise, fall)
}

/// The transformer's schedule divided by its highest value within the run,
/// which stands at update `warmup - 1` or at the last one.
///
/// Source: Vaswani et al., *Attention Is All You Need* (2017), section 5.3.
fn noam(warmup: usize, steps: usize) -> Expr {
    let warmup = Expr::Named("warmup_steps", warmup as f64);
    let steps = Expr::Named("steps", steps as f64);
    let top = warmup.clone().min(steps).called("top");
    let number = (Expr::Time + 1.0).called("number");
    let fall = (&warmup / &number).sqrt();
    number.clone().at_most(warmup, number / top, fall)
}

/// On the line between the two points around `p`; flat outside.
fn between(points: &[[f64; 2]], p: &Expr) -> Expr {
    let Some(&[_, after]) = points.last() else { return 1.0.into() };
    // Two points at one share are a jump, with no line between them.
    let lines = points.windows(2).rev().filter(|pair| pair[0][0] < pair[1][0]);
    let inside = lines.fold(Expr::Number(after), |later, pair| {
        let [[x0, y0], [x1, y1]] = [pair[0], pair[1]];
        let since = if x0 == 0.0 { p.clone() } else { p - x0 };
        let line = y0 + (y1 - y0) * (since / (x1 - x0));
        p.clone().below(x1, line, later)
    });
    match points[0] {
        [share, ratio] if share > 0.0 => p.clone().below(share, ratio, inside),
        _ => inside,
    }
}

/// The rows of a file: one for each step, with those of the warm-up or
/// without them. Between two updates the earlier one's row holds.
fn table(
    key: &str,
    factors: &[f64],
    steps: usize,
    warmup: usize,
) -> Result<Expr, Problem> {
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
    let rows = Arc::new(factors[skip..].to_vec());
    Ok(Expr::Row(rows, Arc::new(Expr::Time)))
}
