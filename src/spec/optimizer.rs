//! Optimizers, all but their learning rates.

mod free;
mod muon;
mod problem;
mod shared_keys;

pub use muon::AdjustLr;
pub(crate) use muon::EMBEDDINGS_AND_HEADS;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An optimizer with everything but its learning rate.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum OptimizerSpec {
    /// Stochastic gradient descent with momentum, `PyTorch`'s convention:
    /// `v = momentum v + g`, `w = w - lr v`.
    ///
    /// Source: Sutskever et al., *On the importance of initialization and
    /// momentum in deep learning* (2013).
    Sgd {
        /// Momentum in `[0, 1)`.
        #[serde(default = "momentum")]
        momentum: f64,
        /// Nesterov's look-ahead.
        #[serde(default)]
        nesterov: bool,
        /// L2 penalty, added to the gradient.
        #[serde(default)]
        weight_decay: f64,
        /// Largest global gradient norm; larger ones are scaled down.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        clip_norm: Option<f64>,
        /// Factors on the learning rate of some weights, by a part of their
        /// names: `bias`, `hidden0`. The longest part counts.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        lr_multipliers: BTreeMap<String, f64>,
    },
    /// Adam with decoupled weight decay.
    ///
    /// Source: Loshchilov & Hutter, *Decoupled Weight Decay Regularization*
    /// (2019), algorithm 2.
    Adamw {
        /// Decay of the first moment.
        #[serde(default = "beta1")]
        beta1: f64,
        /// Decay of the second moment.
        #[serde(default = "beta2")]
        beta2: f64,
        /// Added to the root of the second moment.
        #[serde(default = "eps")]
        eps: f64,
        /// Decoupled weight decay, times the learning rate.
        #[serde(default = "adamw_decay")]
        weight_decay: f64,
        /// Largest global gradient norm; larger ones are scaled down.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        clip_norm: Option<f64>,
        /// Factors on the learning rate of some weights, by a part of their
        /// names: `bias`, `hidden0`. The longest part counts.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        lr_multipliers: BTreeMap<String, f64>,
    },
    /// Adam with an L2 penalty, as `PyTorch` has it.
    ///
    /// Source: Kingma & Ba, *Adam: A Method for Stochastic Optimization*
    /// (2015), algorithm 1.
    Adam {
        /// Decay of the first moment.
        #[serde(default = "beta1")]
        beta1: f64,
        /// Decay of the second moment.
        #[serde(default = "beta2")]
        beta2: f64,
        /// Added to the root of the second moment.
        #[serde(default = "eps")]
        eps: f64,
        /// L2 penalty, added to the gradient.
        #[serde(default)]
        weight_decay: f64,
        /// Largest global gradient norm; larger ones are scaled down.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        clip_norm: Option<f64>,
        /// Factors on the learning rate of some weights, by a part of their
        /// names: `bias`, `hidden0`. The longest part counts.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        lr_multipliers: BTreeMap<String, f64>,
    },
    /// RMSprop, `PyTorch`'s convention: `v = momentum v + g / (sqrt(s) + eps)`,
    /// `w = w - lr v`, with `s` a moving average of `g^2`. Not centered.
    ///
    /// Source: Tieleman & Hinton, *Lecture 6.5: RMSprop* (2012).
    Rmsprop {
        /// Decay of the moving average of squares.
        #[serde(default = "alpha")]
        alpha: f64,
        /// Added to the root of that average.
        #[serde(default = "eps")]
        eps: f64,
        /// Momentum in `[0, 1)`.
        #[serde(default)]
        momentum: f64,
        /// L2 penalty, added to the gradient.
        #[serde(default)]
        weight_decay: f64,
        /// Largest global gradient norm; larger ones are scaled down.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        clip_norm: Option<f64>,
        /// Factors on the learning rate of some weights, by a part of their
        /// names: `bias`, `hidden0`. The longest part counts.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        lr_multipliers: BTreeMap<String, f64>,
    },
    /// Lion: every weight moves by the learning rate, in the direction of the
    /// sign of an average of its gradients.
    ///
    /// Source: Chen et al., *Symbolic Discovery of Optimization Algorithms*
    /// (2023), with the defaults of `lion-pytorch`.
    Lion {
        /// Share of the moment in the average whose sign is taken.
        #[serde(default = "beta1")]
        beta1: f64,
        /// Decay of the moment.
        #[serde(default = "lion_beta2")]
        beta2: f64,
        /// Decoupled weight decay, times the learning rate.
        #[serde(default)]
        weight_decay: f64,
        /// Largest global gradient norm; larger ones are scaled down.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        clip_norm: Option<f64>,
        /// Factors on the learning rate of some weights, by a part of their
        /// names: `bias`, `hidden0`. The longest part counts.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        lr_multipliers: BTreeMap<String, f64>,
    },
    /// Muon for matrices, `AdamW` for the rest.
    ///
    /// The matrices are the weights of two or more dimensions (of a
    /// convolution: outputs by all the rest), except those that `adamw_for`
    /// names: embeddings and heads. Their momentum is made orthogonal by a
    /// Newton-Schulz iteration before it is applied, in f32 where
    /// `torch.optim.Muon` uses bfloat16.
    ///
    /// Source: Jordan et al., *Muon: An optimizer for hidden layers in neural
    /// networks* (2024), with the defaults of `torch.optim.Muon`.
    Muon {
        /// Decay of the moment of the matrices.
        #[serde(default = "muon_momentum")]
        momentum: f64,
        /// Nesterov's look-ahead, for the matrices.
        #[serde(default = "yes")]
        nesterov: bool,
        /// Steps of the Newton-Schulz iteration.
        #[serde(default = "ns_steps")]
        ns_steps: usize,
        /// How the size of a matrix changes its learning rate.
        #[serde(default)]
        adjust_lr_fn: AdjustLr,
        /// Decoupled weight decay of the matrices, times the learning rate.
        #[serde(default = "muon_decay")]
        weight_decay: f64,
        /// Parts of the names of the weights that get `AdamW` although they
        /// are matrices; `None` for the usual names of embeddings and
        /// heads (`head`, `lm_head`, `classifier`, `embed`, `embedding`,
        /// `embeddings`, `token`, `position`, `wte`, `wpe`).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        adamw_for: Option<Vec<String>>,
        /// Learning rate of the rest over that of the matrices; `None` for
        /// 1 with [`AdjustLr::MatchRmsAdamw`], else 0.015.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        adamw_lr_ratio: Option<f64>,
        /// Decoupled weight decay of the rest, times its learning rate.
        #[serde(default = "adamw_decay")]
        adamw_weight_decay: f64,
        /// Of the rest: decay of the first moment.
        #[serde(default = "beta1")]
        beta1: f64,
        /// Of the rest: decay of the second moment.
        #[serde(default = "beta2")]
        beta2: f64,
        /// Of the rest: added to the root of the second moment.
        #[serde(default = "eps")]
        eps: f64,
        /// Largest global gradient norm; larger ones are scaled down.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        clip_norm: Option<f64>,
        /// Factors on the learning rate of some weights, by a part of their
        /// names: `bias`, `hidden0`. The longest part counts.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        lr_multipliers: BTreeMap<String, f64>,
    },
}

impl OptimizerSpec {
    /// The kinds.
    pub(crate) fn kinds() -> &'static [&'static str] {
        &["sgd", "adamw", "adam", "rmsprop", "lion", "muon"]
    }

    /// SGD with momentum 0.9 and nothing else.
    pub fn sgd() -> Self {
        Self::Sgd {
            momentum: momentum(),
            nesterov: false,
            weight_decay: 0.0,
            clip_norm: None,
            lr_multipliers: BTreeMap::new(),
        }
    }

    /// `AdamW` with `PyTorch`'s defaults.
    pub fn adamw() -> Self {
        Self::Adamw {
            beta1: beta1(),
            beta2: beta2(),
            eps: eps(),
            weight_decay: adamw_decay(),
            clip_norm: None,
            lr_multipliers: BTreeMap::new(),
        }
    }

    /// Adam with `PyTorch`'s defaults.
    pub fn adam() -> Self {
        Self::Adam {
            beta1: beta1(),
            beta2: beta2(),
            eps: eps(),
            weight_decay: 0.0,
            clip_norm: None,
            lr_multipliers: BTreeMap::new(),
        }
    }

    /// RMSprop with `PyTorch`'s defaults.
    pub fn rmsprop() -> Self {
        Self::Rmsprop {
            alpha: alpha(),
            eps: eps(),
            momentum: 0.0,
            weight_decay: 0.0,
            clip_norm: None,
            lr_multipliers: BTreeMap::new(),
        }
    }

    /// Lion with the defaults of `lion-pytorch`.
    pub fn lion() -> Self {
        Self::Lion {
            beta1: beta1(),
            beta2: lion_beta2(),
            weight_decay: 0.0,
            clip_norm: None,
            lr_multipliers: BTreeMap::new(),
        }
    }

    /// Muon for matrices and `AdamW` for the rest, both with `PyTorch`'s
    /// defaults.
    pub fn muon() -> Self {
        Self::Muon {
            momentum: muon_momentum(),
            nesterov: true,
            ns_steps: ns_steps(),
            adjust_lr_fn: AdjustLr::Original,
            weight_decay: muon_decay(),
            adamw_for: None,
            adamw_lr_ratio: None,
            adamw_weight_decay: adamw_decay(),
            beta1: beta1(),
            beta2: beta2(),
            eps: eps(),
            clip_norm: None,
            lr_multipliers: BTreeMap::new(),
        }
    }

    /// The kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sgd { .. } => "sgd",
            Self::Adamw { .. } => "adamw",
            Self::Adam { .. } => "adam",
            Self::Rmsprop { .. } => "rmsprop",
            Self::Lion { .. } => "lion",
            Self::Muon { .. } => "muon",
        }
    }
}

pub(super) fn momentum() -> f64 {
    0.9
}
pub(super) fn beta1() -> f64 {
    0.9
}
pub(super) fn beta2() -> f64 {
    0.999
}
pub(super) fn eps() -> f64 {
    1e-8
}
pub(super) fn adamw_decay() -> f64 {
    0.01
}
pub(super) fn alpha() -> f64 {
    0.99
}
pub(super) fn lion_beta2() -> f64 {
    0.99
}
pub(super) fn muon_momentum() -> f64 {
    0.95
}
pub(super) fn muon_decay() -> f64 {
    0.1
}
pub(super) fn ns_steps() -> usize {
    5
}
fn yes() -> bool {
    true
}
