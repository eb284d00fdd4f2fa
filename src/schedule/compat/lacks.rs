//! What each library has, and what it lacks.

use super::Library;
use crate::error::Problem;
use crate::schedule::compose::lengths;
use crate::schedule::cycles::Cycles;
use crate::schedule::kinds::{Anneal, Kind, Mode, Rise, Shape};
use crate::schedule::spec::{Form, ScheduleSpec};

impl Library {
    /// The kinds that the library has, with commas between them.
    fn kinds(self) -> &'static str {
        match self {
            Self::Torch => {
                "constant, linear, polynomial, cosine, exponential, step, \
                 wsd, one-cycle, triangular, cyclical, sgdr, join"
            }
            Self::Hf => {
                "constant, linear, polynomial, cosine, inverse-sqrt, wsd, \
                 sgdr"
            }
            Self::Optax => {
                "constant, linear, polynomial, cosine, exponential, step, \
                 wsd, one-cycle, sgdr, join"
            }
            Self::Timm | Self::TimmPrefix => {
                "linear, polynomial, cosine, k-decay, step, wsd, sgdr, tanh"
            }
            Self::Keras => {
                "constant, linear, polynomial, cosine, exponential, \
                 inverse-time, step, sgdr"
            }
            Self::Mxnet => {
                "constant, linear, polynomial, cosine, step, wsd, \
                 one-cycle, triangular, cyclical, sgdr"
            }
        }
    }

    /// Refuses what the library does not have.
    ///
    /// # Errors
    ///
    /// If it lacks the kind or one of its parameters.
    pub(super) fn check(self, spec: &ScheduleSpec) -> Result<(), Problem> {
        let name = self.name();
        let (kind, kinds) = (spec.kind(), self.kinds());
        if !kinds.split(", ").any(|known| known == kind) {
            let message = format!("{name} has no `{kind}`, it has {kinds}");
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
        if let Some(start) = spec.warmup.and_then(|w| w.start_ratio)
            && self == Self::Hf
            && start != self.usual_start(spec)
        {
            let message = format!(
                "{name} has no `warmup_start_ratio` but {}, leave it out",
                self.usual_start(spec)
            );
            return Err(Problem::at("warmup_start_ratio", message));
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

    /// Refuses warm restarts of `PyTorch` that would not fall on an update,
    /// where `spec` has `steps` updates.
    ///
    /// # Errors
    ///
    /// If it has cycles that are no whole number of updates long.
    pub(super) fn check_cycles(
        self,
        spec: &ScheduleSpec,
        steps: usize,
    ) -> Result<(), Problem> {
        if self != Self::Torch {
            return Ok(());
        }
        let rise = spec.warmup.map_or(Ok(0), |warmup| warmup.steps(steps))?;
        let steps = steps - rise;
        match &spec.form {
            Form::Join(parts) => {
                for (part, steps) in parts.iter().zip(lengths(parts, steps)?) {
                    self.check_cycles(&part.spec, steps)?;
                }
                Ok(())
            }
            &Form::Kind(Kind::Sgdr { t_0, cycles, t_mult, .. }) => {
                let cycles = Cycles::new(t_0, cycles, t_mult, steps as f64);
                let first = cycles.first();
                if first.fract() == 0.0 {
                    return Ok(());
                }
                let message = format!(
                    "torch has no such `cycles`: it takes a whole `t_0`, and \
                     the first cycle would be {first} of {steps} steps; give \
                     `t_0`, or other steps"
                );
                Err(Problem::at("cycles", message))
            }
            Form::Kind(_) => Ok(()),
        }
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
                    Self::Timm | Self::TimmPrefix => {
                        shape != Shape::Exponential
                    }
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
                } else if self == Self::Torch && t_mult.fract() != 0.0 {
                    Some(("t_mult", "it takes a whole number"))
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
