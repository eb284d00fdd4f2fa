//! Dense layers with ReLU between them.

use crate::nn::{self, Linear};
use candle_core::{Module, Result, Tensor};
use candle_nn::VarBuilder;

/// A multilayer perceptron; see [`mlp`].
pub(crate) struct Mlp {
    hidden: Vec<Linear>,
    head: Linear,
}

/// `inputs -> hidden[0] -> ... -> outputs`, ReLU after every hidden layer.
/// Takes `(batch, ...)` with `inputs` features in all, gives
/// `(batch, outputs)`.
pub(crate) fn mlp(
    inputs: usize,
    hidden: &[usize],
    outputs: usize,
    vb: VarBuilder<'_>,
) -> Result<Mlp> {
    let mut width = inputs;
    let mut layers = Vec::with_capacity(hidden.len());
    for (i, &next) in hidden.iter().enumerate() {
        layers.push(nn::linear_relu(width, next, vb.pp(format!("hidden{i}")))?);
        width = next;
    }
    let head = nn::linear(width, outputs, vb.pp("head"))?;
    Ok(Mlp { hidden: layers, head })
}

impl Module for Mlp {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let mut x = nn::flatten(x)?;
        for layer in &self.hidden {
            x = layer.forward(&x)?;
        }
        self.head.forward(&x)
    }
}

/// Multiply-adds of each layer for one example.
pub(crate) fn products(
    inputs: usize,
    hidden: &[usize],
    outputs: usize,
) -> Vec<f64> {
    let mut widths = vec![inputs];
    widths.extend(hidden);
    widths.push(outputs);
    widths.windows(2).map(|pair| (pair[0] * pair[1]) as f64).collect()
}
