//! Dense layers.

use super::activate;
use super::init::uniform;
use super::op::{self, Kept, Op, Pass};
use crate::kernels::activation::{self, Activation};
use crate::kernels::gemm::{Finish, Matrix, gemm};
use candle_core::{Module, Result, Tensor, bail};
use candle_nn::VarBuilder;

/// `activation(x W^T + b)`: `(..., inputs)` to `(..., outputs)`.
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
/// If `vb` has one of its weights with another shape.
pub fn linear(
    inputs: usize,
    outputs: usize,
    vb: VarBuilder<'_>,
) -> Result<Linear> {
    layer(inputs, outputs, Activation::Identity, vb)
}

/// A dense layer without bias.
///
/// # Errors
///
/// If `vb` has one of its weights with another shape.
pub fn linear_no_bias(
    inputs: usize,
    outputs: usize,
    vb: VarBuilder<'_>,
) -> Result<Linear> {
    let hint = uniform(inputs);
    let weight = vb.get_with_hints((outputs, inputs), "weight", hint)?;
    Ok(Linear { weight, bias: None, activation: Activation::Identity })
}

/// A dense layer with bias, and ReLU in the same pass.
///
/// # Errors
///
/// If `vb` has one of its weights with another shape.
pub fn linear_relu(
    inputs: usize,
    outputs: usize,
    vb: VarBuilder<'_>,
) -> Result<Linear> {
    layer(inputs, outputs, Activation::Relu, vb)
}

/// A dense layer with bias, and GELU (tanh form).
///
/// # Errors
///
/// If `vb` has one of its weights with another shape.
pub fn linear_gelu(
    inputs: usize,
    outputs: usize,
    vb: VarBuilder<'_>,
) -> Result<Linear> {
    layer(inputs, outputs, Activation::Gelu, vb)
}

/// A dense layer with bias, and SiLU.
///
/// # Errors
///
/// If `vb` has one of its weights with another shape.
pub fn linear_silu(
    inputs: usize,
    outputs: usize,
    vb: VarBuilder<'_>,
) -> Result<Linear> {
    layer(inputs, outputs, Activation::Silu, vb)
}

/// A dense layer of these weights.
pub(super) fn of(weight: Tensor, bias: Tensor) -> Linear {
    Linear { weight, bias: Some(bias), activation: Activation::Identity }
}

fn layer(
    inputs: usize,
    outputs: usize,
    activation: Activation,
    vb: VarBuilder<'_>,
) -> Result<Linear> {
    let bias = vb.get_with_hints(outputs, "bias", uniform(inputs))?;
    let layer = linear_no_bias(inputs, outputs, vb)?;
    Ok(Linear { bias: Some(bias), activation, ..layer })
}

impl Module for Linear {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let Some((outputs, shape)) = self.shape(x)? else {
            bail!(
                "a linear layer of {} inputs got a tensor of shape {:?}",
                self.weight.dim(1)?,
                x.shape()
            )
        };
        if !x.device().is_cpu() {
            return self.composed(x, shape);
        }
        let op = Dense { outputs, activation: self.activation };
        match &self.bias {
            Some(bias) => op::apply(op, &[x, &self.weight, bias], shape),
            None => op::apply(op, &[x, &self.weight], shape),
        }
    }
}

impl Linear {
    /// The number of outputs, and the output shape for `x`, if `x` fits.
    fn shape(&self, x: &Tensor) -> Result<Option<(usize, Vec<usize>)>> {
        let (outputs, inputs) = self.weight.dims2()?;
        let mut shape = x.dims().to_vec();
        Ok(match shape.last_mut() {
            Some(last) if *last == inputs => {
                *last = outputs;
                Some((outputs, shape))
            }
            _ => None,
        })
    }

    /// The same, from candle's operations.
    fn composed(&self, x: &Tensor, shape: Vec<usize>) -> Result<Tensor> {
        let flat = x.reshape(((), self.weight.dim(1)?))?;
        let mut y = flat.matmul(&self.weight.t()?)?;
        if let Some(bias) = &self.bias {
            y = y.broadcast_add(bias)?;
        }
        activate::composed(&y.reshape(shape)?, self.activation)
    }
}

/// `activation(x W^T + b)`; inputs `x`, `W` and the optional `b`.
#[derive(Debug)]
struct Dense {
    outputs: usize,
    activation: Activation,
}

impl Op for Dense {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn forward(&self, inputs: &[&[f32]], y: &mut [f32], kept: &mut Kept) {
        let (x, weight) = (inputs[0], inputs[1]);
        let columns = weight.len() / self.outputs;
        let finish = Finish {
            add: false,
            bias: inputs.get(2).copied().unwrap_or_default(),
            relu: self.activation == Activation::Relu,
        };
        gemm(
            Matrix::new(x, x.len() / columns, columns),
            Matrix::new(weight, self.outputs, columns).t(),
            y,
            finish,
        );
        activate::after(self.activation, y, kept);
    }

    fn backward(&self, pass: Pass<'_>) {
        let Pass { inputs, y, kept, dy, gradients } = pass;
        activate::backward(self.activation, y, kept, dy);
        let (x, weight) = (inputs[0], inputs[1]);
        let columns = weight.len() / self.outputs;
        let rows = x.len() / columns;
        if let Some(Some(dbias)) = gradients.get_mut(2) {
            activation::add_column_sums(dy, dbias.begin());
        }
        let dy = Matrix::new(dy, rows, self.outputs);
        let onto = |add| Finish { add, ..Finish::default() };
        if let Some(dweight) = &mut gradients[1] {
            let x = Matrix::new(x, rows, columns);
            gemm(dy.t(), x, dweight.values, onto(dweight.add));
        }
        if let Some(dx) = &mut gradients[0] {
            let weight = Matrix::new(weight, self.outputs, columns);
            gemm(dy, weight, dx.values, onto(dx.add));
        }
    }
}
