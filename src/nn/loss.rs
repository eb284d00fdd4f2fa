//! Losses, as means over what is counted.

use super::slices;
use crate::kernels::softmax::{self, IGNORED};
use candle_core::{
    CpuStorage, CustomOp2, DType, Layout, Result, Shape, Tensor, bail,
};

/// Mean cross-entropy in nats of `logits` `(n, classes)` against `targets`
/// `(n)` of u32. Targets equal to `u32::MAX` (padding) are not counted.
///
/// # Errors
///
/// If the shapes do not fit.
pub fn cross_entropy(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    if logits.device().is_cpu() {
        let targets = targets.contiguous()?;
        return logits.contiguous()?.apply_op2(&targets, CrossEntropy);
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

/// Mean squared error of `output` against `targets`, of one shape.
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
    (output - targets)?.sqr()?.mean_all()
}

struct CrossEntropy;

impl CustomOp2 for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross_entropy"
    }

    fn cpu_fwd(
        &self,
        logits: &CpuStorage,
        logits_layout: &Layout,
        targets: &CpuStorage,
        targets_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (n, classes) = logits_layout.shape().dims2()?;
        if targets_layout.shape().dims1()? != n {
            bail!("{n} rows of logits for {:?} targets", targets_layout)
        }
        let logits = slices::of(logits, logits_layout)?;
        let Some((from, to)) = targets_layout.contiguous_offsets() else {
            bail!("targets are not contiguous")
        };
        let targets = &targets.as_slice::<u32>()?[from..to];
        let mut gradient = vec![0.0; logits.len()];
        let loss =
            softmax::cross_entropy(logits, targets, classes, &mut gradient);
        Ok((CpuStorage::F32(vec![loss]), Shape::from(())))
    }

    fn bwd(
        &self,
        logits: &Tensor,
        targets: &Tensor,
        _: &Tensor,
        dloss: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let classes = logits.dim(1)?;
        let mut gradient = vec![0.0; logits.elem_count()];
        let targets = targets.to_vec1::<u32>()?;
        slices::with(logits, |logits| {
            softmax::cross_entropy(logits, &targets, classes, &mut gradient);
            Ok(())
        })?;
        let scale = dloss.to_scalar::<f32>()?;
        if scale != 1.0 {
            for g in &mut gradient {
                *g *= scale;
            }
        }
        let shape = logits.shape();
        let gradient = Tensor::from_vec(gradient, shape, logits.device())?;
        Ok((Some(gradient), None))
    }
}
