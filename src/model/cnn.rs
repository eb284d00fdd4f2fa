//! Convolutions over signals (1-D) or images (2-D), then dense layers.

use super::mlp::{self, Mlp, mlp};
use crate::nn::{self, Conv1d, Conv2d};
use candle_core::{Module, Result, Tensor, bail};
use candle_nn::{Conv1dConfig, Conv2dConfig, VarBuilder};

/// Sizes of a [`cnn`], as TOML names them.
pub(crate) struct Size<'a> {
    pub(crate) channels: &'a [usize],
    pub(crate) kernels: &'a [usize],
    pub(crate) stride: usize,
    pub(crate) padding: Option<usize>,
    pub(crate) pool: usize,
    pub(crate) hidden: &'a [usize],
}

/// A convolutional network; see [`cnn`].
pub(crate) struct Cnn {
    convolutions: Convolutions,
    pool: usize,
    dense: Mlp,
}

enum Convolutions {
    Signal(Vec<Conv1d>),
    Image(Vec<Conv2d>),
}

/// For each of `size.channels` a convolution with ReLU and, where `pool > 1`,
/// max-pooling; then a perceptron. `shape` is `(channels, length)` or
/// `(channels, height, width)` of one example.
pub(crate) fn cnn(
    shape: &[usize],
    size: &Size<'_>,
    outputs: usize,
    vb: VarBuilder<'_>,
) -> Result<Cnn> {
    let stages = stages(shape, size)?;
    let features = stages.last().map_or_else(
        || shape.iter().product(),
        |stage| stage.channels * stage.pooled.iter().product::<usize>(),
    );
    let mut channels = shape[0];
    let mut signal = vec![];
    let mut image = vec![];
    for (i, stage) in stages.iter().enumerate() {
        let vb = vb.pp(format!("conv{i}"));
        let (padding, stride) = (stage.padding, size.stride);
        if shape.len() == 2 {
            let config = Conv1dConfig { padding, stride, ..Default::default() };
            signal.push(nn::conv1d_relu(
                channels,
                stage.channels,
                stage.kernel,
                config,
                vb,
            )?);
        } else {
            let config = Conv2dConfig { padding, stride, ..Default::default() };
            image.push(nn::conv2d_relu(
                channels,
                stage.channels,
                stage.kernel,
                config,
                vb,
            )?);
        }
        channels = stage.channels;
    }
    let convolutions = if shape.len() == 2 {
        Convolutions::Signal(signal)
    } else {
        Convolutions::Image(image)
    };
    let dense = mlp(features, size.hidden, outputs, vb.pp("dense"))?;
    Ok(Cnn { convolutions, pool: size.pool, dense })
}

impl Module for Cnn {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let mut x = x.clone();
        match &self.convolutions {
            Convolutions::Signal(layers) => {
                for layer in layers {
                    x = layer.forward(&x)?;
                    if self.pool > 1 {
                        x = nn::max_pool1d(&x, self.pool)?;
                    }
                }
            }
            Convolutions::Image(layers) => {
                for layer in layers {
                    x = layer.forward(&x)?;
                    if self.pool > 1 {
                        x = nn::max_pool2d(&x, self.pool)?;
                    }
                }
            }
        }
        self.dense.forward(&x)
    }
}

/// Multiply-adds of each layer for one example.
pub(crate) fn products(
    shape: &[usize],
    size: &Size<'_>,
    outputs: usize,
) -> Result<Vec<f64>> {
    let stages = stages(shape, size)?;
    let mut channels = shape[0];
    let mut features = shape.iter().product();
    let mut products = vec![];
    for stage in &stages {
        let area: usize = stage.out.iter().product();
        let taps = stage.kernel.pow(u32::from(shape.len() > 2) + 1);
        products.push((area * taps * channels * stage.channels) as f64);
        channels = stage.channels;
        features = channels * stage.pooled.iter().product::<usize>();
    }
    products.extend(mlp::products(features, size.hidden, outputs));
    Ok(products)
}

/// One convolution with the extents it makes.
struct Stage {
    channels: usize,
    kernel: usize,
    padding: usize,
    /// Extents after the convolution.
    out: Vec<usize>,
    /// Extents after the pooling.
    pooled: Vec<usize>,
}

fn stages(shape: &[usize], size: &Size<'_>) -> Result<Vec<Stage>> {
    if !matches!(shape.len(), 2 | 3) {
        bail!(
            "a cnn needs signals (channels, length) or images (channels, \
             height, width), got examples of shape {shape:?}"
        );
    }
    let mut extents = shape[1..].to_vec();
    let mut stages = vec![];
    for (i, &channels) in size.channels.iter().enumerate() {
        let kernel = match size.kernels {
            [kernel] => *kernel,
            kernels => kernels[i],
        };
        let padding = size.padding.unwrap_or(kernel / 2);
        let mut out = vec![];
        for &extent in &extents {
            let padded = extent + 2 * padding;
            if padded < kernel
                || (padded - kernel) / size.stride + 1 < size.pool
            {
                bail!(
                    "convolution {i} shrinks an extent of {extent} to \
                     nothing: take fewer `channels`, a smaller `pool` or \
                     `stride`"
                );
            }
            out.push((padded - kernel) / size.stride + 1);
        }
        let pooled: Vec<usize> = out.iter().map(|n| n / size.pool).collect();
        extents.clone_from(&pooled);
        stages.push(Stage { channels, kernel, padding, out, pooled });
    }
    Ok(stages)
}
