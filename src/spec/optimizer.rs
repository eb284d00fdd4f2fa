//! Optimizers, all but their learning rates.

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
}

impl OptimizerSpec {
    /// The kinds.
    pub(crate) fn kinds() -> &'static [&'static str] {
        &["sgd", "adamw"]
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

    /// The same with another momentum, or another first beta.
    pub(crate) fn with_momentum(&self, value: f64) -> Self {
        let mut spec = self.clone();
        let (Self::Sgd { momentum, .. } | Self::Adamw { beta1: momentum, .. }) =
            &mut spec;
        *momentum = value;
        spec
    }

    /// Factors on the learning rate, by a part of the weights' names.
    pub(crate) fn lr_multipliers(&self) -> &BTreeMap<String, f64> {
        let (Self::Sgd { lr_multipliers, .. }
        | Self::Adamw { lr_multipliers, .. }) = self;
        lr_multipliers
    }

    /// Whether it scales every weight's step by that weight's own gradients.
    pub(crate) fn is_adaptive(&self) -> bool {
        matches!(self, Self::Adamw { .. })
    }

    /// The kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sgd { .. } => "sgd",
            Self::Adamw { .. } => "adamw",
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
