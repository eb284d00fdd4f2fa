//! The layout of images and signals: channels first in shape, channels last in
//! memory.
//!
//! Shapes are candle's: `(batch, channels, height, width)` and
//! `(batch, channels, length)`. The kernels need the channels of a position
//! next to each other. Layers therefore return a transposed view of such
//! memory. They convert their inputs to it, at no cost if they have it already
//! (PyTorch's `channels_last`).

use super::op::{self, Kept, Op, Pass};
use candle_core::{D, Result, Tensor};

/// `(batch, channels, height, width)` as `(batch, height, width, channels)`.
pub(super) fn channels_last(x: &Tensor) -> Result<Tensor> {
    let (batch, channels, height, width) = x.dims4()?;
    if channels == 1 || !x.is_contiguous() {
        return x.permute((0, 2, 3, 1))?.contiguous();
    }
    let op = Turn { lines: channels, length: height * width };
    op::apply(op, &[x], (batch, height, width, channels))
}

/// The inverse, without moving a number.
pub(super) fn channels_first(x: &Tensor) -> Result<Tensor> {
    x.permute((0, 3, 1, 2))
}

/// `(batch, channels, length)` as `(batch, 1, length, channels)`.
pub(crate) fn of_signal(x: &Tensor) -> Result<Tensor> {
    let (batch, channels, length) = x.dims3()?;
    if channels == 1 || !x.is_contiguous() {
        let last = x.permute((0, 2, 1))?.contiguous()?;
        return last.reshape((batch, 1, length, channels));
    }
    let op = Turn { lines: channels, length };
    op::apply(op, &[x], (batch, 1, length, channels))
}

/// The inverse, without moving a number.
pub(super) fn to_signal(x: &Tensor) -> Result<Tensor> {
    let (batch, _, length, channels) = x.dims4()?;
    x.reshape((batch, length, channels))?.permute((0, 2, 1))
}

/// Applies `each`, an element-wise operation, to tensors of equal shapes. If
/// they share an order in memory, it is applied in that order.
pub(super) fn elementwise(
    tensors: &[&Tensor],
    each: impl FnOnce(&[&Tensor]) -> Result<Tensor>,
) -> Result<Tensor> {
    type Turn = fn(&Tensor) -> Result<Tensor>;
    let (there, back): (Turn, Turn) =
        match tensors.iter().find(|x| !x.is_contiguous()).map(|x| x.rank()) {
            Some(3) => (of_signal, to_signal),
            Some(4) => (channels_last, channels_first),
            _ => return each(tensors),
        };
    let moved: Vec<Tensor> =
        tensors.iter().map(|x| there(x)).collect::<Result<_>>()?;
    let moved: Vec<&Tensor> = moved.iter().collect();
    back(&each(&moved)?)
}

/// `(batch, channels, ...)` as `(batch, channels x ...)`, in that order for
/// every memory layout.
///
/// # Errors
///
/// If `x` has fewer than two dimensions.
pub fn flatten(x: &Tensor) -> Result<Tensor> {
    if x.rank() < 3 || x.is_contiguous() || !x.device().is_cpu() {
        return x.flatten_from(1);
    }
    let (batch, channels) = (x.dim(0)?, x.dim(1)?);
    let places = x.elem_count() / (batch * channels).max(1);
    let x = if x.rank() == 3 { of_signal(x)? } else { channels_last(x)? };
    let op = Turn { lines: places, length: channels };
    op::apply(op, &[&x], (batch, channels * places))
}

/// The mean over all positions: `(batch, channels, height, width)` to
/// `(batch, channels)`.
///
/// # Errors
///
/// If `x` has another rank.
pub fn mean_pool(x: &Tensor) -> Result<Tensor> {
    let (batch, channels, height, width) = x.dims4()?;
    if !x.device().is_cpu() {
        return x.flatten_from(2)?.mean(D::Minus1);
    }
    let op = MeanPool { channels, places: height * width };
    op::apply(op, &[&channels_last(x)?], (batch, channels))
}

/// The transpose of each example, `(lines, length)` to `(length, lines)`:
/// between channels first and channels last.
#[derive(Debug)]
struct Turn {
    lines: usize,
    length: usize,
}

impl Turn {
    fn turn(x: &[f32], (lines, length): (usize, usize), y: &mut [f32]) {
        let examples = x.chunks_exact(lines * length);
        for (x, y) in examples.zip(y.chunks_exact_mut(lines * length)) {
            for (line, x) in x.chunks_exact(length).enumerate() {
                let to = y.iter_mut().skip(line).step_by(lines);
                to.zip(x).for_each(|(to, x)| *to = *x);
            }
        }
    }
}

impl Op for Turn {
    fn name(&self) -> &'static str {
        "transpose"
    }

    fn forward(&self, inputs: &[&[f32]], y: &mut [f32], _: &mut Kept) {
        Self::turn(inputs[0], (self.lines, self.length), y);
    }

    fn backward(&self, pass: Pass<'_>) {
        let Some(dx) = &mut pass.gradients[0] else { return };
        let back = (self.length, self.lines);
        dx.write(|dx| Self::turn(pass.dy, back, dx));
    }
}

#[derive(Debug)]
struct MeanPool {
    channels: usize,
    places: usize,
}

impl Op for MeanPool {
    fn name(&self) -> &'static str {
        "mean_pool"
    }

    fn forward(&self, inputs: &[&[f32]], y: &mut [f32], _: &mut Kept) {
        let examples = inputs[0].chunks_exact(self.channels * self.places);
        for (x, y) in examples.zip(y.chunks_exact_mut(self.channels)) {
            y.fill(0.0);
            crate::kernels::activation::add_column_sums(x, y);
            for y in y {
                *y /= self.places as f32;
            }
        }
    }

    fn backward(&self, pass: Pass<'_>) {
        let Some(dx) = &mut pass.gradients[0] else { return };
        dx.write(|dx| {
            let examples = dx.chunks_exact_mut(self.channels * self.places);
            for (dx, dy) in examples.zip(pass.dy.chunks_exact(self.channels)) {
                for dx in dx.chunks_exact_mut(self.channels) {
                    for (dx, dy) in dx.iter_mut().zip(dy) {
                        *dx = dy / self.places as f32;
                    }
                }
            }
        });
    }
}
