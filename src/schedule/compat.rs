//! Other libraries' conventions: first index, end, what the warm-up does.
//!
//! The closed forms are the same; libraries differ in the number of the
//! first update, in whether a milestone itself is passed, in where the
//! warm-up starts and in whose steps it uses.

mod lacks;

use super::Schedule;
use super::compose::{check_run, join};
use super::cycles::{Cycles, along};
use super::formula::{Expr, Formula, half_cosine, named};
use super::kinds::{Anneal, Kind, Rise};
use super::shapes::{Milestones, down_to};
use super::spec::{Form, ScheduleSpec};
use crate::error::Problem;
use std::sync::Arc;

/// A library whose sequence of rates can be reproduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Library {
    /// `PyTorch`'s `torch.optim.lr_scheduler`: our own conventions.
    Torch,
    /// Hugging Face transformers' `get_scheduler`.
    Hf,
    /// `optax.schedules`.
    Optax,
    /// timm's `scheduler`: a warm-up takes the place of the first updates.
    Timm,
    /// The same with timm's `warmup_prefix`: a warm-up comes before them.
    TimmPrefix,
    /// Keras 3's `optimizers.schedules`.
    Keras,
    /// The schedules of `MXNet` and of its tutorial.
    Mxnet,
}

impl Library {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Torch,
        Self::Hf,
        Self::Optax,
        Self::Timm,
        Self::TimmPrefix,
        Self::Keras,
        Self::Mxnet,
    ];

    /// Name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Torch => "torch",
            Self::Hf => "hf",
            Self::Optax => "optax",
            Self::Timm => "timm",
            Self::TimmPrefix => "timm-prefix",
            Self::Keras => "keras",
            Self::Mxnet => "mxnet",
        }
    }
}

impl ScheduleSpec {
    /// The schedule with the index and end conventions of `library`, also after
    /// the budget: most schedules hold the end value, which is reached at
    /// update `steps`; some continue. `PyTorch`'s one-cycle, which refuses
    /// further steps, holds its last value.
    ///
    /// `steps` are all updates of the training, the warm-up's included. Keras
    /// and timm's `warmup_prefix` count the others alone: their `decay_steps`
    /// or `t_initial` is `steps` less the warm-up.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build), and if the library lacks the kind or one
    /// of its parameters.
    pub fn build_compat(
        &self,
        library: Library,
        peak: f64,
        steps: usize,
    ) -> Result<Box<dyn Schedule>, Problem> {
        self.check()?;
        self.check_closed()?;
        check_run(peak, steps)?;
        library.check(self)?;
        let factor = library.factor(self, steps)?;
        library.check_cycles(self, steps)?;
        let end =
            if library.goes_on(self) { f64::INFINITY } else { steps as f64 };
        let first = library.first();
        Ok(Box::new(move |step: usize| {
            peak * factor.at((first + step as f64).min(end))
        }))
    }
}

impl Library {
    /// The number of the first update.
    fn first(self) -> f64 {
        if self == Self::Mxnet { 1.0 } else { 0.0 }
    }

    /// Whether its formula continues after the budget; other schedules hold the
    /// end value.
    fn goes_on(self, spec: &ScheduleSpec) -> bool {
        if spec.cooldown.is_some() {
            return false;
        }
        match &spec.form {
            Form::Join(parts) => {
                parts.last().is_some_and(|part| self.goes_on(&part.spec))
            }
            Form::Kind(
                Kind::Exponential { .. }
                | Kind::InverseTime { .. }
                | Kind::InverseSqrt { .. }
                | Kind::Step { .. }
                | Kind::Cyclical { .. },
            ) => true,
            Form::Kind(Kind::Cosine { .. }) => {
                matches!(self, Self::Torch | Self::Hf)
            }
            Form::Kind(Kind::Sgdr { .. }) => {
                matches!(self, Self::Torch | Self::Keras | Self::Mxnet)
            }
            Form::Kind(_) => false,
        }
    }

    /// The factor over `steps` updates, in the library's own count.
    fn factor(
        self,
        spec: &ScheduleSpec,
        steps: usize,
    ) -> Result<Arc<Formula>, Problem> {
        if self == Self::Torch {
            return spec.factor(steps);
        }
        let Some(warmup) = spec.warmup else {
            return self.body(spec, steps, 0);
        };
        let warmup = match self {
            Self::Hf => warmup.rounded_up(steps),
            _ => warmup,
        };
        // Whose steps the warm-up uses: its own, or those of the schedule
        // under it.
        let overwrites = self == Self::Timm && spec.kind() != "wsd";
        let rise = warmup.steps(steps)?;
        let after = if overwrites { steps } else { steps - rise };
        let body = self.body(spec, after, rise)?;
        let whole = rise as f64;
        let top = match (self, spec.kind()) {
            (Self::Timm, "tanh") => body.at(whole),
            (Self::Mxnet, _) => body.at(0.0),
            _ => 1.0,
        };
        let start = warmup.start_ratio.unwrap_or(self.usual_start(spec));
        let shift = if overwrites { 0.0 } else { whole };
        let x = match warmup.shape {
            Rise::Cosine => 1.0 - half_cosine(Expr::Time / whole),
            Rise::Linear | Rise::Exponential => Expr::Time / whole,
        };
        let rise = start + (top - start) * x;
        let after = body.of(Expr::Time - shift);
        Ok(Formula::new("warmup", Expr::Time.below(whole, rise, after)))
    }

    /// The ratio at which a warm-up starts: 0, or its end ratio for Hugging
    /// Face's wsd.
    fn usual_start(self, spec: &ScheduleSpec) -> f64 {
        match &spec.form {
            Form::Kind(Kind::Wsd { shape, end_ratio, .. })
                if self == Self::Hf =>
            {
                shape.end_or_default(*end_ratio)
            }
            _ => 0.0,
        }
    }

    /// What follows the warm-up.
    fn body(
        self,
        spec: &ScheduleSpec,
        steps: usize,
        warmup: usize,
    ) -> Result<Arc<Formula>, Problem> {
        let factor = match &spec.form {
            Form::Kind(kind) => self.kind(kind, steps, warmup)?,
            Form::Join(parts) => {
                join(parts, steps, |spec, steps| self.factor(spec, steps))?
            }
        };
        Ok(match spec.cooldown {
            Some(cooldown) => cooldown.after(&factor, steps),
            None => factor,
        })
    }

    /// The kinds in which the library's own formula differs from ours.
    fn kind(
        self,
        kind: &Kind,
        steps: usize,
        warmup: usize,
    ) -> Result<Arc<Formula>, Problem> {
        let whole = steps as f64;
        let value = match (self, kind) {
            (Self::Hf, Kind::InverseSqrt { timescale: None })
                if warmup == 0 =>
            {
                let timescale = Some(10_000);
                return Kind::InverseSqrt { timescale }.factor(steps, warmup);
            }
            (
                Self::Timm | Self::TimmPrefix | Self::Keras | Self::Mxnet,
                Kind::Step { milestones, gamma },
            ) => self.milestones().decay(milestones, *gamma, whole),
            (Self::Optax | Self::Mxnet, Kind::OneCycle { .. }) => {
                self.one_cycle(kind, whole)
            }
            (Self::Keras | Self::Mxnet, Kind::Sgdr { .. }) => {
                self.sgdr(kind, whole)
            }
            // No cycle follows the last one. A tanh never reaches its end
            // value, so it is put at the end.
            (
                Self::Hf | Self::Optax | Self::Timm | Self::TimmPrefix,
                Kind::Sgdr { end_ratio, .. } | Kind::Tanh { end_ratio, .. },
            ) => {
                let before = kind.factor(steps, warmup)?.of(Expr::Time);
                Expr::Time.below(whole, before, *end_ratio)
            }
            _ => return kind.factor(steps, warmup),
        };
        Ok(Formula::new(kind.name(), value))
    }

    /// timm compares milestones with the next update. In Keras and `MXNet` the
    /// milestone itself still has the rate before it. `MXNet` counts one ahead,
    /// so it decays where `PyTorch` does.
    fn milestones(self) -> Milestones {
        let strictly = !matches!(self, Self::Timm | Self::TimmPrefix);
        Milestones { strictly, ahead: if strictly { 0.0 } else { 1.0 } }
    }

    /// The end is reached at `steps`, not at the last update, and phases begin
    /// at whole steps in optax.
    fn one_cycle(self, kind: &Kind, steps: f64) -> Expr {
        let &Kind::OneCycle {
            pct_start,
            div_factor,
            final_div_factor,
            anneal,
            three_phase: _,
            cycle_momentum: _,
        } = kind
        else {
            return 1.0.into();
        };
        let start = 1.0 / div_factor;
        let end = start / final_div_factor;
        let top = pct_start * steps;
        let phases = match (self, anneal) {
            (Self::Mxnet, _) => vec![
                (top, start, 1.0),
                (2.0 * top, 1.0, start),
                (steps, start, end),
            ],
            (_, Anneal::Linear) => vec![
                (top.floor(), start, 1.0),
                ((0.85 * steps).floor(), 1.0, start),
                (steps, start, end),
            ],
            (_, Anneal::Cos) => {
                vec![(top.floor(), start, 1.0), (steps, 1.0, end)]
            }
        };
        let phases: Vec<(Expr, Expr, Expr)> = phases
            .into_iter()
            .map(|(end, from, to)| (end.into(), from.into(), to.into()))
            .collect();
        along(&phases, &Expr::Time, anneal)
    }

    /// Keras and `MXNet` scale the end of a cycle with its height, each in its
    /// own way.
    fn sgdr(self, kind: &Kind, steps: f64) -> Expr {
        let &Kind::Sgdr { t_0, cycles, t_mult, end_ratio, magnitude_decay } =
            kind
        else {
            return 1.0.into();
        };
        named!(end_ratio, magnitude_decay);
        let (index, x) = Cycles::new(t_0, cycles, t_mult, steps).now();
        let height = magnitude_decay.pow(index);
        if self == Self::Keras {
            down_to(&end_ratio, height * half_cosine(x))
        } else {
            height * down_to(&end_ratio, half_cosine(x))
        }
    }
}
