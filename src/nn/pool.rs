//! Max-pooling without overlap.

use super::image;
use super::op::{self, Kept, Op, Pass};
use crate::kernels::pool::{self, Windows};
use candle_core::{Result, Tensor};

/// The maximum of every `window` positions of `(batch, channels, length)`.
///
/// # Errors
///
/// If `x` has another rank.
pub fn max_pool1d(x: &Tensor, window: usize) -> Result<Tensor> {
    if !x.device().is_cpu() {
        return composed(&x.unsqueeze(2)?, 1, window)?.squeeze(2);
    }
    image::to_signal(&pool(&image::of_signal(x)?, 1, window)?)
}

/// The maximum of every `window` x `window` positions of
/// `(batch, channels, height, width)`.
///
/// # Errors
///
/// If `x` has another rank.
pub fn max_pool2d(x: &Tensor, window: usize) -> Result<Tensor> {
    if !x.device().is_cpu() {
        return composed(x, window, window);
    }
    image::channels_first(&pool(&image::channels_last(x)?, window, window)?)
}

/// Max-pooling of channels-last images.
fn pool(x: &Tensor, rows: usize, columns: usize) -> Result<Tensor> {
    let (batch, height, width, channels) = x.dims4()?;
    let windows = Windows { height, width, channels, rows, columns };
    let (out_height, out_width) = (windows.out_height(), windows.out_width());
    let shape = (batch, out_height, out_width, channels);
    op::apply(MaxPool { windows }, &[x], shape)
}

/// The same, from candle's operations. `Tensor::max_pool2d` is not used: its
/// backward pass divides the gradient by the size of the window.
pub(super) fn composed(
    x: &Tensor,
    rows: usize,
    columns: usize,
) -> Result<Tensor> {
    let (batch, channels, height, width) = x.dims4()?;
    let (height, width) = (height / rows, width / columns);
    x.narrow(2, 0, height * rows)?
        .narrow(3, 0, width * columns)?
        .contiguous()?
        .reshape((batch * channels, height, rows, width, columns))?
        .max(4)?
        .max(2)?
        .reshape((batch, channels, height, width))
}

#[derive(Debug)]
struct MaxPool {
    windows: Windows,
}

impl Op for MaxPool {
    fn name(&self) -> &'static str {
        "max_pool"
    }

    fn forward(&self, inputs: &[&[f32]], y: &mut [f32], _: &mut Kept) {
        pool::max_pool(inputs[0], self.windows, y);
    }

    fn backward(&self, pass: Pass<'_>) {
        let Some(dx) = &mut pass.gradients[0] else { return };
        let (x, w) = (pass.inputs[0], self.windows);
        dx.write(|dx| pool::max_pool_backward(x, pass.y, pass.dy, w, dx));
    }
}
