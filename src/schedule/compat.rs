//! Other libraries' conventions: first index, end, what the warm-up does.
//!
//! The closed forms are the same; libraries differ in the number of the
//! first update, in whether a milestone itself is passed, in where the
//! warm-up starts and in whose steps it uses.

use super::compose::{check_run, join, scaled};
use super::cycles::{Cycles, along};
use super::formula::{Expr, Formula, named};
use super::kinds::{Anneal, Kind, Mode, Rise, Shape};
use super::shapes::{Milestones, down_to, half_cosine};
use super::spec::{Form, ScheduleSpec, Warmup};
use super::{Problem, Schedule};
use std::sync::Arc;

/// A library whose sequence of rates can be reproduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    /// `PyTorch`'s `torch.optim.lr_scheduler`: our own conventions.
    Torch,
    /// Hugging Face transformers' `get_scheduler`.
    Hf,
    /// `optax.schedules`.
    Optax,
    /// timm's `scheduler`.
    Timm,
    /// Keras 3's `optimizers.schedules`.
    Keras,
    /// The schedules of `MXNet` and of its tutorial.
    Mxnet,
}

impl Library {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Torch,
        Self::Hf,
        Self::Optax,
        Self::Timm,
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
            Self::Keras => "keras",
            Self::Mxnet => "mxnet",
        }
    }

    /// The kinds that the library has.
    fn kinds(self) -> &'static [&'static str] {
        match self {
            Self::Torch => &[
                "constant",
                "linear",
                "polynomial",
                "cosine",
                "exponential",
                "step",
                "wsd",
                "one-cycle",
                "triangular",
                "cyclical",
                "sgdr",
                "join",
            ],
            Self::Hf => &[
                "constant",
                "linear",
                "polynomial",
                "cosine",
                "inverse-sqrt",
                "wsd",
                "sgdr",
            ],
            Self::Optax => &[
                "constant",
                "linear",
                "polynomial",
                "cosine",
                "exponential",
                "step",
                "wsd",
                "one-cycle",
                "sgdr",
                "join",
            ],
            Self::Timm => &[
                "linear",
                "polynomial",
                "cosine",
                "k-decay",
                "step",
                "wsd",
                "sgdr",
                "tanh",
            ],
            Self::Keras => &[
                "constant",
                "linear",
                "polynomial",
                "cosine",
                "exponential",
                "inverse-time",
                "step",
                "sgdr",
            ],
            Self::Mxnet => &[
                "constant",
                "linear",
                "polynomial",
                "cosine",
                "step",
                "wsd",
                "one-cycle",
                "triangular",
                "cyclical",
                "sgdr",
            ],
        }
    }
}

impl ScheduleSpec {
    /// The schedule with the index and end conventions of `library`. From
    /// update `steps` on the last value holds; for Keras, whose warm-up
    /// comes on top of the budget, from the end of both.
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
        let (ahead, on_top) = match (library, self.warmup) {
            // Counts updates from 1.
            (Library::Mxnet, _) => (1.0, 0),
            (Library::Keras, Some(warmup)) => (0.0, warmup.length(steps)),
            _ => (0.0, 0),
        };
        Ok(scaled(peak, steps + on_top, ahead, factor))
    }
}

/// What a library lacks.
impl Library {
    fn check(self, spec: &ScheduleSpec) -> Result<(), Problem> {
        let name = self.name();
        if !self.kinds().contains(&spec.kind()) {
            let message = format!(
                "{name} has no `{}`, it has {}",
                spec.kind(),
                self.kinds().join(", ")
            );
            return Err(Problem::at("kind", message));
        }
        if let Form::Join(parts) = &spec.form {
            for part in parts {
                self.check(&part.spec)?;
            }
        }
        if let Form::Kind(kind) = &spec.form
            && let Some((key, remedy)) = self.lacks(kind)
        {
            let message = format!("{name} has no such `{key}`: {remedy}");
            return Err(Problem::at(key, message));
        }
        let wrappers = [Self::Torch, Self::Optax, Self::Mxnet];
        if spec.cooldown.is_some() && !wrappers.contains(&self) {
            let message = format!("{name} has no `cooldown`, leave it out");
            return Err(Problem::at("cooldown", message));
        }
        let has_rise = match spec.warmup.map_or(Rise::Linear, |w| w.shape) {
            Rise::Linear => true,
            Rise::Cosine if self == Self::Hf => spec.kind() == "wsd",
            _ => self == Self::Torch,
        };
        if has_rise {
            return Ok(());
        }
        let message = format!("{name} has no such `warmup_shape`: use linear");
        Err(Problem::at("warmup_shape", message))
    }

    /// The parameter of a kind that the library has only in part, and what
    /// it has.
    fn lacks(self, kind: &Kind) -> Option<(&'static str, &'static str)> {
        let mxnet = self == Self::Mxnet;
        let hf = self == Self::Hf;
        match *kind {
            Kind::Cosine { cycles, .. } => {
                (cycles != 0.5 && !hf && self != Self::Torch)
                    .then_some(("cycles", "it has 0.5"))
            }
            Kind::Wsd { shape, .. } => {
                let has = match self {
                    Self::Hf => {
                        shape != Shape::Exponential && shape != Shape::Square
                    }
                    Self::Timm => shape != Shape::Exponential,
                    Self::Mxnet => shape == Shape::Linear,
                    _ => true,
                };
                (!has).then_some(("shape", "use \"linear\""))
            }
            Kind::OneCycle { anneal, three_phase, .. } => match self {
                Self::Optax if three_phase && anneal == Anneal::Cos => {
                    Some(("three_phase", "only with `anneal` \"linear\""))
                }
                Self::Mxnet if !three_phase => {
                    Some(("three_phase", "set it to true"))
                }
                Self::Mxnet if anneal == Anneal::Cos => {
                    Some(("anneal", "set it to \"linear\""))
                }
                _ => None,
            },
            Kind::Triangular { start_ratio, end_ratio, .. } => {
                let same = end_ratio.is_none_or(|end| end == start_ratio);
                (mxnet && !same)
                    .then_some(("end_ratio", "it ends at `start_ratio`"))
            }
            Kind::Cyclical { mode, .. } => (mxnet && mode != Mode::Triangular)
                .then_some(("mode", "use \"triangular\"")),
            Kind::Sgdr { t_mult, end_ratio, magnitude_decay, .. } => {
                if hf && t_mult != 1.0 {
                    Some(("t_mult", "its cycles are of one length"))
                } else if hf && end_ratio != 0.0 {
                    Some(("end_ratio", "its cycles end at 0"))
                } else if mxnet && t_mult.fract() != 0.0 {
                    Some(("t_mult", "it rounds, use a whole number"))
                } else if (hf || self == Self::Torch) && magnitude_decay != 1.0
                {
                    Some(("magnitude_decay", "its cycles are of one height"))
                } else {
                    None
                }
            }
            _ => None,
        }
    }
}

/// The sequences.
impl Library {
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
        // Whose steps the warm-up uses: its own (a prefix), nobody's (it
        // comes on top), or those of the schedule under it.
        let overwrites = self == Self::Timm && spec.kind() != "wsd";
        let rise = match self {
            Self::Keras => warmup.length(steps),
            _ => warmup.steps(steps)?,
        };
        let after = if overwrites || self == Self::Keras {
            steps
        } else {
            steps - rise
        };
        let body = self.body(spec, after, rise)?;
        let whole = rise as f64;
        let top = match (self, spec.kind()) {
            (Self::Timm, "tanh") => body.at(whole),
            (Self::Mxnet, _) => body.at(0.0),
            _ => 1.0,
        };
        let start = self.start_ratio(spec, warmup);
        let shift = if overwrites { 0.0 } else { whole };
        let x = match warmup.shape {
            Rise::Cosine => 1.0 - half_cosine(Expr::Time / whole),
            Rise::Linear | Rise::Exponential => Expr::Time / whole,
        };
        let rise = start + (top - start) * x;
        let after = body.of(Expr::Time - shift);
        Ok(Formula::new("warmup", Expr::Time.below(whole, rise, after)))
    }

    /// Where the warm-up starts: at 0, but Hugging Face's wsd at its end.
    fn start_ratio(self, spec: &ScheduleSpec, warmup: Warmup) -> f64 {
        let usual = match &spec.form {
            Form::Kind(Kind::Wsd { shape, end_ratio, .. })
                if self == Self::Hf =>
            {
                shape.end_or_default(*end_ratio)
            }
            _ => 0.0,
        };
        warmup.start_ratio.unwrap_or(usual)
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
                Self::Timm | Self::Keras | Self::Mxnet,
                Kind::Step { milestones, gamma },
            ) => self.milestones().decay(milestones, *gamma, whole),
            (Self::Optax | Self::Mxnet, Kind::OneCycle { .. }) => {
                self.one_cycle(kind, whole)
            }
            (Self::Keras | Self::Mxnet, Kind::Sgdr { .. }) => {
                self.sgdr(kind, whole)
            }
            _ => return kind.factor(steps, warmup),
        };
        Ok(Formula::new(kind.name(), value))
    }

    /// timm compares milestones with the next update. Keras leaves the
    /// milestone itself at the rate before it, and so does `MXNet`, whose
    /// count is ahead by one, so that it decays where `PyTorch` does.
    fn milestones(self) -> Milestones {
        let strictly = self != Self::Timm;
        Milestones { strictly, ahead: if strictly { 0.0 } else { 1.0 } }
    }

    /// The end stands at `steps`, not at the last update, and phases begin
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

    /// Keras and `MXNet` let the height of a cycle scale its end too, each
    /// in its own way.
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
