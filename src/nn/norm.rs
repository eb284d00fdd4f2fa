//! Layer norm and batch norm.

use super::slices;
use crate::kernels::norm;
use candle_core::{
    CpuStorage, CustomOp3, D, Layout, Module, Result, Shape, Tensor,
};
use candle_nn::{BatchNormConfig, Init, VarBuilder};

pub use candle_nn::BatchNorm;

/// Normalises the last dimension to mean 0 and deviation 1, then scales and
/// shifts (Ba, Kiros & Hinton 2016).
///
/// candle-nn's own has no backward pass on its fast path; this one does.
#[derive(Clone, Debug)]
pub struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
    eps: f64,
}

/// Layer norm over a last dimension of `width`; weight 1, bias 0.
///
/// # Errors
///
/// If `vb` has one of its weights in another shape.
pub fn layer_norm(
    width: usize,
    eps: f64,
    vb: VarBuilder<'_>,
) -> Result<LayerNorm> {
    let weight = vb.get_with_hints(width, "weight", Init::Const(1.0))?;
    let bias = vb.get_with_hints(width, "bias", Init::Const(0.0))?;
    Ok(LayerNorm { weight, bias, eps })
}

/// Batch norm over `channels`, dimension 1; candle-nn's, with running
/// statistics for evaluation (Ioffe & Szegedy 2015).
///
/// # Errors
///
/// If `vb` has one of its weights in another shape.
pub fn batch_norm(
    channels: usize,
    eps: f64,
    vb: VarBuilder<'_>,
) -> Result<BatchNorm> {
    let config = BatchNormConfig { eps, ..BatchNormConfig::default() };
    candle_nn::batch_norm(channels, config, vb)
}

impl Module for LayerNorm {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (weight, bias) = (&self.weight, &self.bias);
        if x.device().is_cpu() {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "kernels are f32"
            )]
            let op = Normalise { eps: self.eps as f32 };
            return x.contiguous()?.apply_op3(weight, bias, op);
        }
        let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
        let square = centred.sqr()?.mean_keepdim(D::Minus1)?;
        let normed = centred.broadcast_div(&(square + self.eps)?.sqrt()?)?;
        normed.broadcast_mul(weight)?.broadcast_add(bias)
    }
}

struct Normalise {
    eps: f32,
}

impl CustomOp3 for Normalise {
    fn name(&self) -> &'static str {
        "layer_norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let x = slices::of(x, x_layout)?;
        let mut y = vec![0.0; x.len()];
        norm::layer_norm(
            x,
            slices::of(weight, weight_layout)?,
            slices::of(bias, bias_layout)?,
            self.eps,
            &mut y,
        );
        Ok((CpuStorage::F32(y), x_layout.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let mut dx = vec![0.0; x.elem_count()];
        let mut dweight = vec![0.0; weight.elem_count()];
        let mut dbias = vec![0.0; bias.elem_count()];
        slices::with(x, |x| {
            slices::with(weight, |weight| {
                slices::with(dy, |dy| {
                    norm::layer_norm_backward(
                        x,
                        weight,
                        self.eps,
                        dy,
                        &mut dx,
                        &mut dweight,
                        &mut dbias,
                    );
                    Ok(())
                })
            })
        })?;
        let device = x.device();
        Ok((
            Some(Tensor::from_vec(dx, x.shape(), device)?),
            Some(Tensor::from_vec(dweight, weight.shape(), device)?),
            Some(Tensor::from_vec(dbias, bias.shape(), device)?),
        ))
    }
}
