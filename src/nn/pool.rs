//! Max-pooling without overlap.

use super::slices;
use crate::kernels::pool::{self, Windows};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

/// The largest of every `window` places of `(batch, channels, length)`.
///
/// # Errors
///
/// If `x` has another rank.
pub fn max_pool1d(x: &Tensor, window: usize) -> Result<Tensor> {
    pool(&x.unsqueeze(2)?, 1, window)?.squeeze(2)
}

/// The largest of every `window` x `window` places of
/// `(batch, channels, height, width)`.
///
/// # Errors
///
/// If `x` has another rank.
pub fn max_pool2d(x: &Tensor, window: usize) -> Result<Tensor> {
    pool(x, window, window)
}

fn pool(x: &Tensor, rows: usize, columns: usize) -> Result<Tensor> {
    if x.device().is_cpu() {
        x.contiguous()?.apply_op1(MaxPool { rows, columns })
    } else {
        composed(x, rows, columns)
    }
}

/// The same, made of candle's operations. (Not `Tensor::max_pool2d`: its
/// backward pass divides the gradient by the size of the window.)
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

struct MaxPool {
    rows: usize,
    columns: usize,
}

impl MaxPool {
    fn windows(&self, x: &Shape) -> Result<(Windows, Shape)> {
        let (batch, channels, height, width) = x.dims4()?;
        let Self { rows, columns } = *self;
        let out = (batch, channels, height / rows, width / columns);
        Ok((Windows { height, width, rows, columns }, out.into()))
    }
}

impl CustomOp1 for MaxPool {
    fn name(&self) -> &'static str {
        "max_pool"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (windows, shape) = self.windows(layout.shape())?;
        let mut y = vec![0.0; shape.elem_count()];
        pool::max_pool(slices::of(x, layout)?, windows, &mut y);
        Ok((CpuStorage::F32(y), shape))
    }

    fn bwd(
        &self,
        x: &Tensor,
        y: &Tensor,
        dy: &Tensor,
    ) -> Result<Option<Tensor>> {
        let (windows, _) = self.windows(x.shape())?;
        let mut dx = vec![0.0; x.elem_count()];
        slices::with(x, |x| {
            slices::with(y, |y| {
                slices::with(dy, |dy| {
                    pool::max_pool_backward(x, y, dy, windows, &mut dx);
                    Ok(())
                })
            })
        })?;
        Ok(Some(Tensor::from_vec(dx, x.shape(), x.device())?))
    }
}
