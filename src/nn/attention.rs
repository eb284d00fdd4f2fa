//! Causal self-attention.

use super::op::{self, Kept, Op, Pass, keep};
use crate::kernels::attention::{self, Heads};
use candle_core::{D, Result, Tensor, bail};

/// Scaled dot-product attention in which no position sees a later one.
///
/// `qkv` is `(batch, length, 3 width)`: queries, keys and values side by
/// side, each with `heads` heads. Returns `(batch, length, width)`.
///
/// Source: Vaswani et al., *Attention Is All You Need* (2017), section 3.2.
///
/// # Errors
///
/// If the width is not a multiple of three times `heads`.
pub fn causal_self_attention(qkv: &Tensor, heads: usize) -> Result<Tensor> {
    let (batch, length, triple) = qkv.dims3()?;
    if !qkv.device().is_cpu() {
        return composed(qkv, heads);
    }
    let rows = qkv.reshape((batch * length, triple))?;
    packed_causal_self_attention(&rows, heads, vec![length; batch])?.reshape((
        batch,
        length,
        triple / 3,
    ))
}

/// [`causal_self_attention`] in sequences of different `lengths`, one after
/// the other in `(positions, 3 width)`; returns `(positions, width)`. CPU only.
///
/// # Errors
///
/// If the width is not a multiple of three times `heads`, or the lengths do
/// not add up.
pub(crate) fn packed_causal_self_attention(
    qkv: &Tensor,
    heads: usize,
    lengths: Vec<usize>,
) -> Result<Tensor> {
    let (places, triple) = qkv.dims2()?;
    if heads == 0 || triple % (3 * heads) != 0 {
        bail!("a width of {triple} is not a multiple of 3 x {heads} heads")
    }
    if lengths.iter().sum::<usize>() != places {
        bail!("sequences of {lengths:?} do not add up to {places} positions")
    }
    let heads = Heads { heads, size: triple / 3 / heads };
    op::apply(Attention { heads, lengths }, &[qkv], (places, triple / 3))
}

/// The same, from candle's operations.
pub(super) fn composed(qkv: &Tensor, heads: usize) -> Result<Tensor> {
    let (batch, length, _) = qkv.dims3()?;
    let part = |i: usize| -> Result<Tensor> {
        let parts = qkv.reshape((batch, length, 3, heads, ()))?;
        let part = parts.narrow(2, i, 1)?.squeeze(2)?;
        part.transpose(1, 2)?.contiguous()
    };
    let (q, k, v) = (part(0)?, part(1)?, part(2)?);
    let scale = 1.0 / (q.dim(D::Minus1)? as f64).sqrt();
    let scores = (q.matmul(&k.transpose(2, 3)?.contiguous()?)? * scale)?;
    let hidden: Vec<f32> = (0..length * length)
        .map(|i| {
            let later = i % length > i / length;
            if later { f32::NEG_INFINITY } else { 0.0 }
        })
        .collect();
    let hidden = Tensor::from_vec(hidden, (length, length), qkv.device())?;
    let scores = scores.broadcast_add(&hidden)?;
    let weights = candle_nn::ops::softmax(&scores, D::Minus1)?;
    let mixed = weights.matmul(&v)?.transpose(1, 2)?.contiguous()?;
    mixed.reshape((batch, length, ()))
}

#[derive(Debug)]
struct Attention {
    heads: Heads,
    lengths: Vec<usize>,
}

impl Op for Attention {
    fn name(&self) -> &'static str {
        "causal_self_attention"
    }

    fn forward(&self, inputs: &[&[f32]], y: &mut [f32], kept: &mut Kept) {
        let (lengths, heads) = (&self.lengths, self.heads);
        let kept = keep(kept, attention::kept_len(lengths, heads));
        attention::forward(inputs[0], lengths, heads, y, kept);
    }

    fn backward(&self, pass: Pass<'_>) {
        let Some(dqkv) = &mut pass.gradients[0] else { return };
        let (qkv, lengths, heads) = (pass.inputs[0], &self.lengths, self.heads);
        dqkv.write(|to| {
            attention::backward(qkv, pass.kept, pass.dy, lengths, heads, to);
        });
    }
}
