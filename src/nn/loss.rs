//! Losses, as means over the counted targets.

use super::op::{self, Indices, Kept, Op, Pass, keep};
use super::slices;
use crate::kernels::softmax::{self, IGNORED};
use candle_core::{DType, Result, Tensor, bail};

/// Mean cross-entropy in nats of `logits` `(n, classes)` against `targets`
/// `(n)` of u32. Targets equal to `u32::MAX` (padding) are not counted.
///
/// # Errors
///
/// If the shapes do not fit.
pub fn cross_entropy(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    let (n, classes) = logits.dims2()?;
    if targets.dims1()? != n {
        bail!("{n} rows of logits for targets of {:?}", targets.shape())
    }
    if logits.device().is_cpu() {
        let targets = Indices(slices::indices(targets)?);
        return op::apply(CrossEntropy { targets, classes }, &[logits], ());
    }
    let counted = targets.ne(IGNORED)?;
    let weight = counted.to_dtype(DType::F32)?;
    let zeros = targets.zeros_like()?;
    let safe = counted.where_cond(targets, &zeros)?;
    let logs = candle_nn::ops::log_softmax(logits, 1)?;
    let picked = logs.gather(&safe.unsqueeze(1)?, 1)?.squeeze(1)?;
    let total = (picked * &weight)?.sum_all()?;
    total.neg()?.div(&weight.sum_all()?)
}

/// Mean squared error of `output` against `targets` of the same shape.
///
/// # Errors
///
/// If the shapes differ.
pub fn mse(output: &Tensor, targets: &Tensor) -> Result<Tensor> {
    if output.shape() != targets.shape() {
        bail!(
            "outputs {:?} and targets {:?} differ in shape",
            output.shape(),
            targets.shape()
        )
    }
    if output.device().is_cpu() {
        return op::apply(SquaredError, &[output, targets], ());
    }
    (output - targets)?.sqr()?.mean_all()
}

#[derive(Debug)]
struct CrossEntropy {
    targets: Indices,
    classes: usize,
}

impl Op for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross_entropy"
    }

    fn indices(&mut self) -> Option<&mut Indices> {
        Some(&mut self.targets)
    }

    fn forward(&self, inputs: &[&[f32]], y: &mut [f32], kept: &mut Kept) {
        let logits = inputs[0];
        let kept = keep(kept, logits.len());
        y[0] =
            softmax::cross_entropy(logits, &self.targets.0, self.classes, kept);
    }

    fn backward(&self, pass: Pass<'_>) {
        let Some(dlogits) = &mut pass.gradients[0] else { return };
        let scale = pass.dy[0];
        dlogits.write(|dlogits| {
            for (dlogit, kept) in dlogits.iter_mut().zip(pass.kept) {
                *dlogit = scale * kept;
            }
        });
    }
}

/// Inputs are the outputs and the targets.
#[derive(Debug)]
struct SquaredError;

impl Op for SquaredError {
    fn name(&self) -> &'static str {
        "mse"
    }

    fn forward(&self, inputs: &[&[f32]], y: &mut [f32], _: &mut Kept) {
        let pairs = inputs[0].iter().zip(inputs[1]);
        let total: f64 =
            pairs.map(|(a, b)| f64::from(a - b) * f64::from(a - b)).sum();
        #[expect(clippy::cast_possible_truncation, reason = "a mean loss")]
        let mean = (total / inputs[0].len() as f64) as f32;
        y[0] = mean;
    }

    fn backward(&self, pass: Pass<'_>) {
        let Pass { inputs, dy, gradients, .. } = pass;
        let scale = 2.0 * dy[0] / inputs[0].len() as f32;
        for (i, sign) in [(0, 1.0), (1, -1.0)] {
            let Some(gradient) = &mut gradients[i] else { continue };
            let pairs = inputs[0].iter().zip(inputs[1]);
            gradient.write(|gradient| {
                for (gradient, (a, b)) in gradient.iter_mut().zip(pairs) {
                    *gradient = sign * scale * (a - b);
                }
            });
        }
    }
}
