//! Convolutions over signals and images.

use super::init::uniform;
use super::slices;
use crate::kernels::activation;
use crate::kernels::conv::{self, Geometry};
use candle_core::{
    CpuStorage, CustomOp3, Layout, Module, Result, Shape, Tensor, bail,
};
use candle_nn::{Conv1dConfig, Conv2dConfig, VarBuilder};

/// A convolution of signals: `(batch, in, length)` to `(batch, out, length')`.
#[derive(Clone, Debug)]
pub struct Conv1d {
    weight: Tensor,
    bias: Tensor,
    config: Conv1dConfig,
    relu: bool,
}

/// A convolution of images: `(batch, in, height, width)` to
/// `(batch, out, height', width')`.
#[derive(Clone, Debug)]
pub struct Conv2d {
    weight: Tensor,
    bias: Option<Tensor>,
    config: Conv2dConfig,
    relu: bool,
}

/// A convolution of signals with bias. Weight `(out, in, kernel)`.
///
/// # Errors
///
/// If `vb` has one of its weights in another shape.
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
    Ok(Conv1d { weight, bias, config, relu: false })
}

/// [`conv1d`] with ReLU in the same pass.
///
/// # Errors
///
/// If `vb` has one of its weights in another shape.
pub fn conv1d_relu(
    inputs: usize,
    outputs: usize,
    kernel: usize,
    config: Conv1dConfig,
    vb: VarBuilder<'_>,
) -> Result<Conv1d> {
    let layer = conv1d(inputs, outputs, kernel, config, vb)?;
    Ok(Conv1d { relu: true, ..layer })
}

/// A convolution of images with bias. Weight `(out, in, kernel, kernel)`.
///
/// # Errors
///
/// If `vb` has one of its weights in another shape.
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

/// [`conv2d`] without bias, for a norm that follows.
///
/// # Errors
///
/// If `vb` has one of its weights in another shape.
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
    Ok(Conv2d { weight, bias: None, config, relu: false })
}

/// [`conv2d`] with ReLU in the same pass.
///
/// # Errors
///
/// If `vb` has one of its weights in another shape.
pub fn conv2d_relu(
    inputs: usize,
    outputs: usize,
    kernel: usize,
    config: Conv2dConfig,
    vb: VarBuilder<'_>,
) -> Result<Conv2d> {
    let layer = conv2d(inputs, outputs, kernel, config, vb)?;
    Ok(Conv2d { relu: true, ..layer })
}

impl Module for Conv1d {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let Conv1dConfig { padding, stride, dilation, groups, .. } =
            self.config;
        if !x.device().is_cpu() || dilation != 1 || groups != 1 {
            let y =
                x.conv1d(&self.weight, padding, stride, dilation, groups)?;
            return finish(&y, Some(&self.bias), self.relu);
        }
        // A signal is an image of height 1.
        let weight = self.weight.unsqueeze(2)?;
        let op = Convolve {
            stride: (1, stride),
            padding: (0, padding),
            relu: self.relu,
            needs_dx: x.track_op(),
        };
        let image = x.contiguous()?.unsqueeze(2)?;
        image.apply_op3(&weight, &self.bias, op)?.squeeze(2)
    }
}

impl Module for Conv2d {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let Conv2dConfig { padding, stride, dilation, groups, .. } =
            self.config;
        if !x.device().is_cpu() || dilation != 1 || groups != 1 {
            let y =
                x.conv2d(&self.weight, padding, stride, dilation, groups)?;
            return finish(&y, self.bias.as_ref(), self.relu);
        }
        let op = Convolve {
            stride: (stride, stride),
            padding: (padding, padding),
            relu: self.relu,
            needs_dx: x.track_op(),
        };
        let none = Tensor::zeros(0, x.dtype(), x.device())?;
        let bias = self.bias.as_ref().unwrap_or(&none);
        x.contiguous()?.apply_op3(&self.weight, bias, op)
    }
}

/// Bias and activation by candle's operations.
fn finish(y: &Tensor, bias: Option<&Tensor>, relu: bool) -> Result<Tensor> {
    let mut shape = vec![1; y.rank()];
    shape[1] = y.dim(1)?;
    let y = match bias {
        Some(bias) => y.broadcast_add(&bias.reshape(shape)?)?,
        None => y.clone(),
    };
    if relu { y.relu() } else { Ok(y) }
}

struct Convolve {
    stride: (usize, usize),
    padding: (usize, usize),
    relu: bool,
    needs_dx: bool,
}

impl Convolve {
    fn geometry(&self, x: &Shape, weight: &Shape) -> Result<Geometry> {
        let (_, in_channels, height, width) = x.dims4()?;
        let (out_channels, planes, kernel_height, kernel_width) =
            weight.dims4()?;
        let fits = planes == in_channels
            && height + 2 * self.padding.0 >= kernel_height
            && width + 2 * self.padding.1 >= kernel_width;
        if !fits {
            bail!("a convolution with weight {weight:?} got a tensor {x:?}")
        }
        Ok(Geometry {
            in_channels,
            height,
            width,
            out_channels,
            kernel_height,
            kernel_width,
            stride_height: self.stride.0,
            stride_width: self.stride.1,
            pad_height: self.padding.0,
            pad_width: self.padding.1,
        })
    }
}

impl CustomOp3 for Convolve {
    fn name(&self) -> &'static str {
        "convolve"
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
        let g = self.geometry(x_layout.shape(), weight_layout.shape())?;
        let batch = x_layout.dims()[0];
        let shape = (batch, g.out_channels, g.out_height(), g.out_width());
        let shape = Shape::from(shape);
        let mut y = vec![0.0; shape.elem_count()];
        conv::forward(
            slices::of(x, x_layout)?,
            slices::of(weight, weight_layout)?,
            slices::of(bias, bias_layout)?,
            self.relu,
            g,
            &mut y,
        );
        Ok((CpuStorage::F32(y), shape))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let g = self.geometry(x.shape(), weight.shape())?;
        let mut dx =
            if self.needs_dx { vec![0.0; x.elem_count()] } else { vec![] };
        let mut dweight = vec![0.0; weight.elem_count()];
        let mut dbias = vec![0.0; bias.elem_count()];
        let mut gradients = |x: &[f32], weight: &[f32], dy: &[f32]| {
            let dx = self.needs_dx.then_some(dx.as_mut_slice());
            conv::backward(x, weight, dy, g, dx, &mut dweight, &mut dbias);
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
        let dbias = if bias.elem_count() > 0 {
            Some(Tensor::from_vec(dbias, bias.shape(), device)?)
        } else {
            None
        };
        Ok((
            dx,
            Some(Tensor::from_vec(dweight, weight.shape(), device)?),
            dbias,
        ))
    }
}
