//! Convolutions over signals and images.

use super::init::uniform;
use super::op::{self, Kept, Op, Pass};
use super::{activate, image};
use crate::kernels::activation::{Activation, add_column_sums};
use crate::kernels::conv::{self, Geometry};
use candle_core::{Module, Result, Tensor, bail};
use candle_nn::{Conv1dConfig, Conv2dConfig, VarBuilder};

/// A convolution of signals: `(batch, in, length)` to `(batch, out, length')`.
#[derive(Clone, Debug)]
pub struct Conv1d {
    weight: Tensor,
    bias: Tensor,
    config: Conv1dConfig,
    activation: Activation,
}

/// A convolution of images: `(batch, in, height, width)` to
/// `(batch, out, height', width')`.
#[derive(Clone, Debug)]
pub struct Conv2d {
    weight: Tensor,
    bias: Option<Tensor>,
    config: Conv2dConfig,
    activation: Activation,
}

/// A convolution of signals with bias. Weight `(out, in, kernel)`.
///
/// # Errors
///
/// If `vb` has one of its weights with another shape.
pub fn conv1d(
    inputs: usize,
    outputs: usize,
    kernel: usize,
    config: Conv1dConfig,
    vb: VarBuilder<'_>,
) -> Result<Conv1d> {
    let init = uniform(inputs / config.groups * kernel);
    let shape = (outputs, inputs / config.groups, kernel);
    let weight = vb.get_with_hints(shape, "weight", init)?;
    let bias = vb.get_with_hints(outputs, "bias", init)?;
    Ok(Conv1d { weight, bias, config, activation: Activation::Identity })
}

/// [`conv1d`] with ReLU in the same pass.
///
/// # Errors
///
/// If `vb` has one of its weights with another shape.
pub fn conv1d_relu(
    inputs: usize,
    outputs: usize,
    kernel: usize,
    config: Conv1dConfig,
    vb: VarBuilder<'_>,
) -> Result<Conv1d> {
    let layer = conv1d(inputs, outputs, kernel, config, vb)?;
    Ok(Conv1d { activation: Activation::Relu, ..layer })
}

/// A convolution of images with bias. Weight `(out, in, kernel, kernel)`.
///
/// # Errors
///
/// If `vb` has one of its weights with another shape.
pub fn conv2d(
    inputs: usize,
    outputs: usize,
    kernel: usize,
    config: Conv2dConfig,
    vb: VarBuilder<'_>,
) -> Result<Conv2d> {
    let init = uniform(inputs / config.groups * kernel * kernel);
    let bias = vb.get_with_hints(outputs, "bias", init)?;
    let layer = conv2d_no_bias(inputs, outputs, kernel, config, vb)?;
    Ok(Conv2d { bias: Some(bias), ..layer })
}

/// [`conv2d`] without bias, to be followed by a norm.
///
/// # Errors
///
/// If `vb` has one of its weights with another shape.
pub fn conv2d_no_bias(
    inputs: usize,
    outputs: usize,
    kernel: usize,
    config: Conv2dConfig,
    vb: VarBuilder<'_>,
) -> Result<Conv2d> {
    let init = uniform(inputs / config.groups * kernel * kernel);
    let shape = (outputs, inputs / config.groups, kernel, kernel);
    let weight = vb.get_with_hints(shape, "weight", init)?;
    Ok(Conv2d { weight, bias: None, config, activation: Activation::Identity })
}

/// [`conv2d`] with ReLU in the same pass.
///
/// # Errors
///
/// If `vb` has one of its weights with another shape.
pub fn conv2d_relu(
    inputs: usize,
    outputs: usize,
    kernel: usize,
    config: Conv2dConfig,
    vb: VarBuilder<'_>,
) -> Result<Conv2d> {
    let layer = conv2d(inputs, outputs, kernel, config, vb)?;
    Ok(Conv2d { activation: Activation::Relu, ..layer })
}

impl Module for Conv1d {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let Conv1dConfig { padding, stride, dilation, groups, .. } =
            self.config;
        if !x.device().is_cpu() || dilation != 1 || groups != 1 {
            let y =
                x.conv1d(&self.weight, padding, stride, dilation, groups)?;
            return finish(&y, Some(&self.bias), self.activation);
        }
        // A signal is an image of height 1.
        let x = image::of_signal(x)?;
        let (out, planes, kernel) = self.weight.dims3()?;
        let weight = self.weight.reshape((out, planes, 1, kernel))?;
        let convolve = Convolve::new(
            &x,
            &weight,
            (1, stride),
            (0, padding),
            self.activation,
        )?;
        image::to_signal(&convolve.of(&x, &weight, Some(&self.bias))?)
    }
}

impl Module for Conv2d {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let Conv2dConfig { padding, stride, dilation, groups, .. } =
            self.config;
        if !x.device().is_cpu() || dilation != 1 || groups != 1 {
            let y =
                x.conv2d(&self.weight, padding, stride, dilation, groups)?;
            return finish(&y, self.bias.as_ref(), self.activation);
        }
        let x = image::channels_last(x)?;
        let convolve = Convolve::new(
            &x,
            &self.weight,
            (stride, stride),
            (padding, padding),
            self.activation,
        )?;
        let y = convolve.of(&x, &self.weight, self.bias.as_ref())?;
        image::channels_first(&y)
    }
}

/// Bias and activation, from candle's operations.
fn finish(
    y: &Tensor,
    bias: Option<&Tensor>,
    activation: Activation,
) -> Result<Tensor> {
    let mut shape = vec![1; y.rank()];
    shape[1] = y.dim(1)?;
    let y = match bias {
        Some(bias) => y.broadcast_add(&bias.reshape(shape)?)?,
        None => y.clone(),
    };
    activate::composed(&y, activation)
}

/// A convolution of channels-last images; inputs `x`, weight and the optional
/// bias.
#[derive(Debug)]
struct Convolve {
    geometry: Geometry,
    activation: Activation,
}

impl Convolve {
    fn new(
        x: &Tensor,
        weight: &Tensor,
        stride: (usize, usize),
        padding: (usize, usize),
        activation: Activation,
    ) -> Result<Self> {
        let (_, height, width, in_channels) = x.dims4()?;
        let (out_channels, planes, kernel_height, kernel_width) =
            weight.dims4()?;
        let fits = planes == in_channels
            && height + 2 * padding.0 >= kernel_height
            && width + 2 * padding.1 >= kernel_width;
        if !fits {
            bail!(
                "a convolution with a weight of {:?} got images of \
                 ({in_channels}, {height}, {width})",
                weight.shape()
            )
        }
        let geometry = Geometry {
            in_channels,
            height,
            width,
            out_channels,
            kernel_height,
            kernel_width,
            stride_height: stride.0,
            stride_width: stride.1,
            pad_height: padding.0,
            pad_width: padding.1,
        };
        Ok(Self { geometry, activation })
    }

    fn of(
        self,
        x: &Tensor,
        weight: &Tensor,
        bias: Option<&Tensor>,
    ) -> Result<Tensor> {
        let g = self.geometry;
        let shape = (x.dim(0)?, g.out_height(), g.out_width(), g.out_channels);
        match bias {
            Some(bias) => op::apply(self, &[x, weight, bias], shape),
            None => op::apply(self, &[x, weight], shape),
        }
    }
}

impl Op for Convolve {
    fn name(&self) -> &'static str {
        "convolution"
    }

    fn forward(&self, inputs: &[&[f32]], y: &mut [f32], kept: &mut Kept) {
        let bias = inputs.get(2).copied().unwrap_or_default();
        let relu = self.activation == Activation::Relu;
        conv::forward(inputs[0], inputs[1], bias, relu, self.geometry, y);
        activate::after(self.activation, y, kept);
    }

    fn backward(&self, pass: Pass<'_>) {
        let Pass { inputs, y, kept, dy, gradients } = pass;
        let g = self.geometry;
        activate::backward(self.activation, y, kept, dy);
        if let Some(Some(dbias)) = gradients.get_mut(2) {
            add_column_sums(dy, dbias.begin());
        }
        if let Some(dweight) = &mut gradients[1] {
            conv::weight_gradient(inputs[0], dy, g, dweight.begin());
        }
        if let Some(dx) = &mut gradients[0] {
            conv::input_gradient(inputs[1], dy, g, dx.values, dx.add);
        }
    }
}
