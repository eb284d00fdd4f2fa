//! Dense layers.

use super::init::uniform;
use super::slices;
use crate::kernels::activation::{self, Activation};
use crate::kernels::gemm::{Matrix, gemm};
use candle_core::{
    CpuStorage, CustomOp3, Layout, Module, Result, Shape, Tensor, bail,
};
use candle_nn::VarBuilder;

/// `activation(x W^T + b)`; takes `(..., inputs)`, gives `(..., outputs)`.
#[derive(Clone, Debug)]
pub struct Linear {
    weight: Tensor,
    bias: Option<Tensor>,
    activation: Activation,
}

/// A dense layer with bias. Weight `(outputs, inputs)`, bias `(outputs)`.
///
/// # Errors
///
/// If `vb` has one of its weights in another shape.
pub fn linear(
    inputs: usize,
    outputs: usize,
    vb: VarBuilder<'_>,
) -> Result<Linear> {
    layer(inputs, outputs, true, Activation::Identity, &vb)
}

/// A dense layer without bias.
///
/// # Errors
///
/// If `vb` has one of its weights in another shape.
pub fn linear_no_bias(
    inputs: usize,
    outputs: usize,
    vb: VarBuilder<'_>,
) -> Result<Linear> {
    layer(inputs, outputs, false, Activation::Identity, &vb)
}

/// A dense layer with ReLU in the same pass.
///
/// # Errors
///
/// If `vb` has one of its weights in another shape.
pub fn linear_relu(
    inputs: usize,
    outputs: usize,
    vb: VarBuilder<'_>,
) -> Result<Linear> {
    layer(inputs, outputs, true, Activation::Relu, &vb)
}

/// A dense layer with GELU (tanh form).
///
/// # Errors
///
/// If `vb` has one of its weights in another shape.
pub fn linear_gelu(
    inputs: usize,
    outputs: usize,
    vb: VarBuilder<'_>,
) -> Result<Linear> {
    layer(inputs, outputs, true, Activation::Gelu, &vb)
}

fn layer(
    inputs: usize,
    outputs: usize,
    with_bias: bool,
    activation: Activation,
    vb: &VarBuilder<'_>,
) -> Result<Linear> {
    let init = uniform(inputs);
    let weight = vb.get_with_hints((outputs, inputs), "weight", init)?;
    let bias = if with_bias {
        Some(vb.get_with_hints(outputs, "bias", init)?)
    } else {
        None
    };
    Ok(Linear { weight, bias, activation })
}

impl Module for Linear {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (Some(bias), true) = (&self.bias, x.device().is_cpu()) else {
            return self.composed(x);
        };
        let needs_dx = x.track_op();
        let relu = self.activation == Activation::Relu;
        let op = Dense { relu, needs_dx };
        let y = x.contiguous()?.apply_op3(&self.weight, bias, op)?;
        if self.activation == Activation::Gelu { gelu(&y) } else { Ok(y) }
    }
}

impl Linear {
    /// The same, made of candle's operations.
    fn composed(&self, x: &Tensor) -> Result<Tensor> {
        let inputs = self.weight.dim(1)?;
        let mut shape = x.dims().to_vec();
        let Some(last) = shape.last_mut() else {
            bail!("a linear layer needs at least one dimension")
        };
        *last = self.weight.dim(0)?;
        let flat = x.reshape(((), inputs))?;
        let mut y = flat.matmul(&self.weight.t()?)?;
        if let Some(bias) = &self.bias {
            y = y.broadcast_add(bias)?;
        }
        let y = y.reshape(shape)?;
        match self.activation {
            Activation::Identity => Ok(y),
            Activation::Relu => y.relu(),
            Activation::Gelu => gelu(&y),
        }
    }
}

/// Gaussian error linear unit (tanh form), element by element.
///
/// # Errors
///
/// If `x` is not f32.
pub fn gelu(x: &Tensor) -> Result<Tensor> {
    if x.device().is_cpu() { x.contiguous()?.apply_op1(Gelu) } else { x.gelu() }
}

struct Gelu;

impl candle_core::CustomOp1 for Gelu {
    fn name(&self) -> &'static str {
        "gelu"
    }

    fn cpu_fwd(
        &self,
        storage: &CpuStorage,
        layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let x = slices::of(storage, layout)?;
        let mut y = vec![0.0; x.len()];
        activation::gelu_forward(x, &mut y);
        Ok((CpuStorage::F32(y), layout.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        _: &Tensor,
        dy: &Tensor,
    ) -> Result<Option<Tensor>> {
        let mut dx = vec![0.0; x.elem_count()];
        slices::with(x, |x| {
            slices::with(dy, |dy| {
                activation::gelu_backward(x, dy, &mut dx);
                Ok(())
            })
        })?;
        Ok(Some(Tensor::from_vec(dx, x.shape(), x.device())?))
    }
}

/// `x W^T + b`, rectified if `relu`.
struct Dense {
    relu: bool,
    needs_dx: bool,
}

impl CustomOp3 for Dense {
    fn name(&self) -> &'static str {
        "dense"
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
        let (outputs, inputs) = weight_layout.shape().dims2()?;
        let mut shape = x_layout.shape().dims().to_vec();
        match shape.last_mut() {
            Some(last) if *last == inputs => *last = outputs,
            _ => bail!(
                "a linear layer of {inputs} inputs got a tensor of shape {:?}",
                x_layout.shape()
            ),
        }
        let x = slices::of(x, x_layout)?;
        let weight = slices::of(weight, weight_layout)?;
        let bias = slices::of(bias, bias_layout)?;
        let rows = x.len() / inputs;
        let mut y = vec![0.0; rows * outputs];
        gemm(
            Matrix::new(x, rows, inputs),
            Matrix::new(weight, outputs, inputs).t(),
            &mut y,
            false,
        );
        if self.relu {
            activation::bias_relu(&mut y, bias);
        } else {
            activation::bias(&mut y, bias);
        }
        Ok((CpuStorage::F32(y), shape.into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (outputs, inputs) = weight.dims2()?;
        let rows = x.elem_count() / inputs;
        let mut dx = vec![];
        let mut dweight = vec![0.0; outputs * inputs];
        let mut dbias = vec![0.0; outputs];
        let mut gradients = |x: &[f32], weight: &[f32], dy: &[f32]| {
            activation::add_column_sums(dy, &mut dbias);
            let dy = Matrix::new(dy, rows, outputs);
            gemm(dy.t(), Matrix::new(x, rows, inputs), &mut dweight, false);
            if self.needs_dx {
                dx = vec![0.0; rows * inputs];
                gemm(dy, Matrix::new(weight, outputs, inputs), &mut dx, false);
            }
            Ok(())
        };
        slices::with(x, |x| {
            slices::with(weight, |weight| {
                slices::with(dy, |dy| {
                    if !self.relu {
                        return gradients(x, weight, dy);
                    }
                    let mut masked = vec![0.0; dy.len()];
                    slices::with(y, |y| {
                        activation::relu_backward(y, dy, &mut masked);
                        Ok(())
                    })?;
                    gradients(x, weight, &masked)
                })
            })
        })?;
        let device = x.device();
        let dx = if self.needs_dx {
            Some(Tensor::from_vec(dx, x.shape(), device)?)
        } else {
            None
        };
        Ok((
            dx,
            Some(Tensor::from_vec(dweight, weight.shape(), device)?),
            Some(Tensor::from_vec(dbias, bias.shape(), device)?),
        ))
    }
}
