//! What Muon has beside its moments: rates by shape, and an optimizer for the
//! weights that it does not train.

use super::OptimizerSpec;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How [`Muon`](OptimizerSpec::Muon) multiplies the learning rate of a matrix
/// of `a` rows (outputs) and `b` columns, by the names of `torch.optim.Muon`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AdjustLr {
    /// `sqrt(max(1, a / b))` (Jordan et al., 2024).
    #[default]
    Original,
    /// `0.2 sqrt(max(a, b))`, so that updates are as large as those of
    /// `AdamW` (Liu et al., *Muon is Scalable for LLM Training*, 2025).
    MatchRmsAdamw,
    /// `sqrt(a / b)` (Bernstein, *Deriving Muon*, 2025).
    SpectralUnclamped,
}

/// Parts of names that tell an embedding or a head.
pub(crate) const EMBEDDINGS_AND_HEADS: &[&str] = &[
    "head",
    "lm_head",
    "classifier",
    "embed",
    "embedding",
    "embeddings",
    "token",
    "position",
    "wte",
    "wpe",
];

impl AdjustLr {
    /// The names.
    pub(crate) const NAMES: &'static [&'static str] =
        &["original", "match-rms-adamw", "spectral-unclamped"];

    /// The name.
    pub(crate) fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// The factor for a matrix of this many rows and columns.
    pub(crate) fn factor(self, rows: usize, columns: usize) -> f64 {
        let (a, b) = (rows as f64, columns.max(1) as f64);
        match self {
            Self::Original => (a / b).max(1.0).sqrt(),
            Self::MatchRmsAdamw => 0.2 * a.max(b).sqrt(),
            Self::SpectralUnclamped => (a / b).sqrt(),
        }
    }
}

impl OptimizerSpec {
    /// What trains the weights that Muon does not, and its learning rate
    /// over that of the matrices.
    pub(crate) fn rest(&self) -> Option<(Self, f64)> {
        let Self::Muon {
            adjust_lr_fn,
            adamw_lr_ratio,
            adamw_weight_decay,
            beta1,
            beta2,
            eps,
            ..
        } = *self
        else {
            return None;
        };
        let usual = match adjust_lr_fn {
            AdjustLr::MatchRmsAdamw => 1.0,
            AdjustLr::Original | AdjustLr::SpectralUnclamped => 0.015,
        };
        let rest = Self::Adamw {
            beta1,
            beta2,
            eps,
            weight_decay: adamw_weight_decay,
            clip_norm: None,
            lr_multipliers: BTreeMap::new(),
        };
        Some((rest, adamw_lr_ratio.unwrap_or(usual)))
    }
}
