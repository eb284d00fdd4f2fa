//! Checks that the values make a valid optimizer.

use super::super::check::{real, size};
use super::OptimizerSpec;
use crate::error::Problem;

impl OptimizerSpec {
    /// The first value that makes no optimizer.
    pub(crate) fn problem(&self) -> Option<Problem> {
        self.own_problem()
            .or_else(|| decay("weight_decay", self.weight_decay()))
            .or_else(|| {
                real("clip_norm", self.clip_norm()?, "above 0", |x| {
                    x > 0.0 && x.is_finite()
                })
            })
            .or_else(|| {
                let wrong = |factor: &f64| !(0.0..=1e3).contains(factor);
                let all = self.lr_multipliers();
                let (name, factor) = all.iter().find(|(_, f)| wrong(f))?;
                let message = format!(
                    "`lr_multipliers` of `{name}` must be from 0 to 1000, got \
                     {factor}"
                );
                Some(Problem::at("lr_multipliers", message))
            })
    }

    fn weight_decay(&self) -> f64 {
        let (Self::Sgd { weight_decay, .. }
        | Self::Adamw { weight_decay, .. }
        | Self::Adam { weight_decay, .. }
        | Self::Rmsprop { weight_decay, .. }
        | Self::Lion { weight_decay, .. }
        | Self::Muon { weight_decay, .. }) = self;
        *weight_decay
    }

    /// The first wrong value of a key that not all kinds have.
    fn own_problem(&self) -> Option<Problem> {
        match *self {
            Self::Sgd { momentum, nesterov, .. } => {
                below_one("momentum", momentum)
                    .or_else(|| looks_ahead(nesterov, momentum))
            }
            Self::Adamw { beta1, beta2, eps, .. }
            | Self::Adam { beta1, beta2, eps, .. } => adam(beta1, beta2, eps),
            Self::Rmsprop { alpha, eps, momentum, .. } => {
                below_one("alpha", alpha)
                    .or_else(|| small(eps))
                    .or_else(|| below_one("momentum", momentum))
            }
            Self::Lion { beta1, beta2, .. } => {
                below_one("beta1", beta1).or_else(|| below_one("beta2", beta2))
            }
            Self::Muon {
                momentum,
                nesterov,
                ns_steps,
                adamw_lr_ratio,
                adamw_weight_decay,
                beta1,
                beta2,
                eps,
                ..
            } => below_one("momentum", momentum)
                .or_else(|| looks_ahead(nesterov, momentum))
                .or_else(|| size("ns_steps", ns_steps, 1, 99))
                .or_else(|| {
                    real(
                        "adamw_lr_ratio",
                        adamw_lr_ratio?,
                        "above 0, at most 1000",
                        |x| x > 0.0 && x <= 1e3,
                    )
                })
                .or_else(|| decay("adamw_weight_decay", adamw_weight_decay))
                .or_else(|| adam(beta1, beta2, eps)),
        }
    }
}

fn adam(beta1: f64, beta2: f64, eps: f64) -> Option<Problem> {
    below_one("beta1", beta1)
        .or_else(|| below_one("beta2", beta2))
        .or_else(|| small(eps))
}

fn below_one(key: &'static str, got: f64) -> Option<Problem> {
    real(key, got, "at least 0 and below 1", |x| (0.0..1.0).contains(&x))
}

fn small(eps: f64) -> Option<Problem> {
    real("eps", eps, "above 0, at most 1", |x| x > 0.0 && x <= 1.0)
}

fn decay(key: &'static str, got: f64) -> Option<Problem> {
    real(key, got, "from 0 to 10", |x| (0.0..=10.0).contains(&x))
}

fn looks_ahead(nesterov: bool, momentum: f64) -> Option<Problem> {
    (nesterov && momentum == 0.0).then(|| {
        Problem::at(
            "nesterov",
            "`nesterov` looks ahead along the momentum; give a `momentum` \
             above 0, or `nesterov = false`",
        )
    })
}
