//! Activations, alone or fused into another layer, and sums.

use super::image;
use super::op::{self, Kept, Op, Pass, keep};
use crate::kernels::activation::{self, Activation};
use candle_core::{Result, Tensor, bail};

/// Gaussian error linear unit (tanh form), element by element.
///
/// Source: Hendrycks & Gimpel, *Gaussian Error Linear Units* (2016),
/// section 2.
///
/// # Errors
///
/// If `x` is not f32.
pub fn gelu(x: &Tensor) -> Result<Tensor> {
    activated(x, Activation::Gelu)
}

/// `max(x, 0)`, element by element.
///
/// # Errors
///
/// If `x` is not f32.
pub fn relu(x: &Tensor) -> Result<Tensor> {
    activated(x, Activation::Relu)
}

/// `x / (1 + e^-x)`, element by element.
///
/// Source: Elfwing, Uchibe & Doya, *Sigmoid-Weighted Linear Units* (2018).
///
/// # Errors
///
/// If `x` is not f32.
pub fn silu(x: &Tensor) -> Result<Tensor> {
    activated(x, Activation::Silu)
}

fn activated(x: &Tensor, activation: Activation) -> Result<Tensor> {
    if x.device().is_cpu() {
        image::elementwise(&[x], |x| {
            op::apply(Activate { activation }, x, x[0].shape())
        })
    } else {
        composed(x, activation)
    }
}

/// `a + b` of equal shapes: a residual connection.
///
/// # Errors
///
/// If the shapes differ.
pub fn add(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    sum(a, b, false)
}

/// `max(a + b, 0)` of equal shapes: the end of a residual block.
///
/// # Errors
///
/// If the shapes differ.
pub fn add_relu(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    sum(a, b, true)
}

fn sum(a: &Tensor, b: &Tensor, rectified: bool) -> Result<Tensor> {
    if a.shape() != b.shape() {
        bail!("{:?} and {:?} cannot be added", a.shape(), b.shape())
    }
    if a.device().is_cpu() {
        return image::elementwise(&[a, b], |x| {
            op::apply(Sum { rectified }, x, x[0].shape())
        });
    }
    let y = (a + b)?;
    if rectified { y.relu() } else { Ok(y) }
}

/// `activation(x)`, from candle's operations.
pub(super) fn composed(x: &Tensor, activation: Activation) -> Result<Tensor> {
    match activation {
        Activation::Identity => Ok(x.clone()),
        Activation::Relu => x.relu(),
        Activation::Gelu => x.gelu(),
        Activation::Silu => x.silu(),
    }
}

/// Activates `y`, unless the layer before has done so (layers fuse ReLU), and
/// keeps what [`backward`] needs.
pub(super) fn after(activation: Activation, y: &mut [f32], kept: &mut Kept) {
    match activation {
        Activation::Identity | Activation::Relu => {}
        Activation::Gelu => activation::gelu(y, keep(kept, y.len())),
        Activation::Silu => activation::silu(y, keep(kept, y.len())),
    }
}

/// Propagates the gradient `dy` back through the activation, in place.
pub(super) fn backward(
    activation: Activation,
    y: &[f32],
    kept: &[f32],
    dy: &mut [f32],
) {
    match activation {
        Activation::Identity => {}
        Activation::Relu => activation::relu_backward(y, dy),
        Activation::Gelu | Activation::Silu => activation::multiply(kept, dy),
    }
}

#[derive(Debug)]
struct Activate {
    activation: Activation,
}

impl Op for Activate {
    fn name(&self) -> &'static str {
        "activation"
    }

    fn forward(&self, inputs: &[&[f32]], y: &mut [f32], kept: &mut Kept) {
        if self.activation == Activation::Relu {
            activation::relu_forward(inputs[0], y);
        } else {
            y.copy_from_slice(inputs[0]);
            after(self.activation, y, kept);
        }
    }

    fn backward(&self, pass: Pass<'_>) {
        backward(self.activation, pass.y, pass.kept, pass.dy);
    }

    fn passes_on(&self) -> bool {
        true
    }
}

#[derive(Debug)]
struct Sum {
    rectified: bool,
}

impl Op for Sum {
    fn name(&self) -> &'static str {
        "sum"
    }

    fn forward(&self, inputs: &[&[f32]], y: &mut [f32], _: &mut Kept) {
        activation::sum(inputs[0], inputs[1], self.rectified, y);
    }

    fn backward(&self, pass: Pass<'_>) {
        if self.rectified {
            activation::relu_backward(pass.y, pass.dy);
        }
    }

    fn passes_on(&self) -> bool {
        true
    }
}
