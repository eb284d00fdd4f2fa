//! The keys that all optimizers have, and what sets them apart.

use super::OptimizerSpec;
use std::collections::BTreeMap;

impl OptimizerSpec {
    /// The same with another momentum, or another first beta.
    pub(crate) fn with_momentum(&self, value: f64) -> Self {
        let mut spec = self.clone();
        let (Self::Sgd { momentum, .. }
        | Self::Adamw { beta1: momentum, .. }
        | Self::Adam { beta1: momentum, .. }
        | Self::Rmsprop { momentum, .. }
        | Self::Lion { beta1: momentum, .. }
        | Self::Muon { momentum, .. }) = &mut spec;
        *momentum = value;
        spec
    }

    /// Factors on the learning rate, by a part of the weights' names.
    pub(crate) fn lr_multipliers(&self) -> &BTreeMap<String, f64> {
        let (Self::Sgd { lr_multipliers, .. }
        | Self::Adamw { lr_multipliers, .. }
        | Self::Adam { lr_multipliers, .. }
        | Self::Rmsprop { lr_multipliers, .. }
        | Self::Lion { lr_multipliers, .. }
        | Self::Muon { lr_multipliers, .. }) = self;
        lr_multipliers
    }

    /// Largest global gradient norm.
    pub(crate) fn clip_norm(&self) -> Option<f64> {
        let (Self::Sgd { clip_norm, .. }
        | Self::Adamw { clip_norm, .. }
        | Self::Adam { clip_norm, .. }
        | Self::Rmsprop { clip_norm, .. }
        | Self::Lion { clip_norm, .. }
        | Self::Muon { clip_norm, .. }) = self;
        *clip_norm
    }

    /// Whether it names weights, which a model has to have.
    pub(crate) fn names_weights(&self) -> bool {
        let named = matches!(self, Self::Muon { adamw_for: Some(_), .. });
        named || !self.lr_multipliers().is_empty()
    }

    /// Whether it keeps a second moment of each weight.
    pub(crate) fn has_second_moment(&self) -> bool {
        !matches!(self, Self::Sgd { .. } | Self::Lion { .. })
    }

    /// Whether the length of its steps does not follow that of the gradients:
    /// all but SGD.
    pub(crate) fn is_adaptive(&self) -> bool {
        !matches!(self, Self::Sgd { .. })
    }

    /// Length of the first update, over that of each of many updates with the
    /// same gradient.
    pub(crate) fn first_share(&self) -> f64 {
        match *self {
            Self::Sgd { momentum, .. } => 1.0 - momentum,
            Self::Rmsprop { alpha, momentum, .. } => {
                (1.0 - momentum) / (1.0 - alpha).sqrt()
            }
            Self::Adamw { .. }
            | Self::Adam { .. }
            | Self::Lion { .. }
            | Self::Muon { .. } => 1.0,
        }
    }
}
