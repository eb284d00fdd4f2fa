//! Residual network for images.
//!
//! Source: He et al., *Deep Residual Learning for Image Recognition* (2016),
//! section 4.2 (the CIFAR form, projection shortcuts).

use crate::nn::{self, BatchNorm, Conv2d, Linear};
use candle_core::{Module as _, ModuleT, Result, Tensor, bail};
use candle_nn::{Conv2dConfig, VarBuilder};

/// A residual network; see [`resnet`].
pub(crate) struct Resnet {
    stem: Conv2d,
    norm: BatchNorm,
    blocks: Vec<Block>,
    head: Linear,
}

struct Block {
    first: (Conv2d, BatchNorm),
    second: (Conv2d, BatchNorm),
    shortcut: Option<(Conv2d, BatchNorm)>,
}

/// A 3x3 stem, for each of `channels` a stage of `blocks` residual blocks
/// (every stage after the first at half the resolution), the mean over the
/// image, and a linear head.
pub(crate) fn resnet(
    shape: &[usize],
    channels: &[usize],
    blocks: usize,
    outputs: usize,
    vb: VarBuilder<'_>,
) -> Result<Resnet> {
    let &[planes, ..] = shape else {
        bail!("a resnet needs images, got examples of shape {shape:?}")
    };
    if shape.len() != 3 {
        bail!("a resnet needs images, got examples of shape {shape:?}");
    }
    let Some(&first) = channels.first() else {
        bail!("a resnet needs at least one stage in `channels`")
    };
    let stem = conv(planes, first, 3, 1, vb.pp("stem"))?;
    let norm = nn::batch_norm_relu(first, 1e-5, vb.pp("stem_norm"))?;
    let mut width = first;
    let mut all = vec![];
    for (s, &next) in channels.iter().enumerate() {
        for b in 0..blocks {
            let stride = if s > 0 && b == 0 { 2 } else { 1 };
            let vb = vb.pp(format!("stage{s}.block{b}"));
            all.push(block(width, next, stride, vb)?);
            width = next;
        }
    }
    let head = nn::linear(width, outputs, vb.pp("head"))?;
    Ok(Resnet { stem, norm, blocks: all, head })
}

fn block(
    inputs: usize,
    outputs: usize,
    stride: usize,
    vb: VarBuilder<'_>,
) -> Result<Block> {
    let norm = |name: &str| nn::batch_norm(outputs, 1e-5, vb.pp(name));
    let shortcut = if stride > 1 || inputs != outputs {
        let projection = conv(inputs, outputs, 1, stride, vb.pp("shortcut"))?;
        Some((projection, norm("shortcut_norm")?))
    } else {
        None
    };
    Ok(Block {
        first: (
            conv(inputs, outputs, 3, stride, vb.pp("first"))?,
            nn::batch_norm_relu(outputs, 1e-5, vb.pp("first_norm"))?,
        ),
        second: (
            conv(outputs, outputs, 3, 1, vb.pp("second"))?,
            norm("second_norm")?,
        ),
        shortcut,
    })
}

/// Batch norm follows, so there is no bias.
fn conv(
    inputs: usize,
    outputs: usize,
    kernel: usize,
    stride: usize,
    vb: VarBuilder<'_>,
) -> Result<Conv2d> {
    let config =
        Conv2dConfig { padding: kernel / 2, stride, ..Default::default() };
    nn::conv2d_no_bias(inputs, outputs, kernel, config, vb)
}

impl ModuleT for Resnet {
    fn forward_t(&self, x: &Tensor, train: bool) -> Result<Tensor> {
        let x = self.stem.forward(x)?;
        let mut x = self.norm.forward_t(&x, train)?;
        for block in &self.blocks {
            x = block.forward_t(&x, train)?;
        }
        self.head.forward(&nn::mean_pool(&x)?)
    }
}

impl ModuleT for Block {
    fn forward_t(&self, x: &Tensor, train: bool) -> Result<Tensor> {
        let normed = |(conv, norm): &(Conv2d, BatchNorm), x: &Tensor| {
            norm.forward_t(&conv.forward(x)?, train)
        };
        let residual = match &self.shortcut {
            Some(shortcut) => normed(shortcut, x)?,
            None => x.clone(),
        };
        let x = normed(&self.first, x)?;
        nn::add_relu(&normed(&self.second, &x)?, &residual)
    }
}

/// Multiply-adds of each layer for one example.
pub(crate) fn products(
    shape: &[usize],
    channels: &[usize],
    blocks: usize,
    outputs: usize,
) -> Vec<f64> {
    let mut area: usize = shape[1..].iter().product();
    let mut width = channels[0];
    let mut products = vec![(area * 9 * shape[0] * width) as f64];
    for (s, &next) in channels.iter().enumerate() {
        for b in 0..blocks {
            let strided = s > 0 && b == 0;
            if strided {
                area = area.div_ceil(4);
            }
            products.push((area * 9 * width * next) as f64);
            products.push((area * 9 * next * next) as f64);
            if strided || width != next {
                products.push((area * width * next) as f64);
            }
            width = next;
        }
    }
    products.push((width * outputs) as f64);
    products
}
