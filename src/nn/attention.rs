//! Causal self-attention.

use super::slices;
use crate::kernels::attention::{self, Heads};
use candle_core::{CpuStorage, CustomOp1, D, Layout, Result, Shape, Tensor};

/// Scaled dot-product attention in which no place sees a later one.
///
/// `qkv` is `(batch, length, 3 width)`: queries, keys and values side by
/// side, each of `heads` heads; gives `(batch, length, width)`.
///
/// Source: Vaswani et al., *Attention Is All You Need* (2017), section 3.2.
///
/// # Errors
///
/// If the width is no multiple of three times `heads`.
pub fn causal_self_attention(qkv: &Tensor, heads: usize) -> Result<Tensor> {
    if qkv.device().is_cpu() {
        qkv.contiguous()?.apply_op1(Attention { heads })
    } else {
        composed(qkv, heads)
    }
}

/// The same, made of candle's operations.
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

struct Attention {
    heads: usize,
}

impl Attention {
    fn extents(&self, qkv: &Shape) -> Result<Heads> {
        let (_, length, triple) = qkv.dims3()?;
        if triple % (3 * self.heads) != 0 {
            candle_core::bail!(
                "a width of {triple} is no multiple of 3 x {} heads",
                self.heads
            )
        }
        let size = triple / 3 / self.heads;
        Ok(Heads { length, heads: self.heads, size })
    }
}

impl CustomOp1 for Attention {
    fn name(&self) -> &'static str {
        "causal_self_attention"
    }

    fn cpu_fwd(
        &self,
        qkv: &CpuStorage,
        layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let extents = self.extents(layout.shape())?;
        let (batch, length, triple) = layout.shape().dims3()?;
        let qkv = slices::of(qkv, layout)?;
        let mut out = vec![0.0; qkv.len() / 3];
        attention::forward(qkv, extents, &mut out);
        Ok((CpuStorage::F32(out), (batch, length, triple / 3).into()))
    }

    fn bwd(
        &self,
        qkv: &Tensor,
        _: &Tensor,
        dout: &Tensor,
    ) -> Result<Option<Tensor>> {
        let extents = self.extents(qkv.shape())?;
        let mut dqkv = vec![0.0; qkv.elem_count()];
        slices::with(qkv, |qkv| {
            slices::with(dout, |dout| {
                attention::backward(qkv, dout, extents, &mut dqkv);
                Ok(())
            })
        })?;
        Ok(Some(Tensor::from_vec(dqkv, qkv.shape(), qkv.device())?))
    }
}
