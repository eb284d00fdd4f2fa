//! Layer norm and batch norm.

use super::op::{self, Gradient, Kept, Op, Pass, keep};
use super::{activate, image, slices};
use crate::kernels::activation::Activation;
use crate::kernels::norm::{self, Normalised};
use crate::kernels::scratch::scratch;
use candle_core::{
    CpuStorage, D, InplaceOp1, Layout, Module, ModuleT, Result, Tensor, Var,
    bail,
};
use candle_nn::{Init, VarBuilder};
use std::fmt;

/// Normalises the last dimension to mean 0 and deviation 1, then scales and
/// shifts (Ba, Kiros & Hinton 2016).
///
/// The fast path of candle-nn's layer norm has no backward pass; this one has.
#[derive(Clone, Debug)]
pub struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
    eps: f64,
}

/// Layer norm over a last dimension of `width`; weight 1, bias 0.
///
/// # Errors
///
/// If `vb` has one of its weights with another shape.
pub fn layer_norm(
    width: usize,
    eps: f64,
    vb: VarBuilder<'_>,
) -> Result<LayerNorm> {
    let weight = vb.get_with_hints(width, "weight", Init::Const(1.0))?;
    let bias = vb.get_with_hints(width, "bias", Init::Const(0.0))?;
    Ok(LayerNorm { weight, bias, eps })
}

impl Module for LayerNorm {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (weight, bias) = (&self.weight, &self.bias);
        if x.device().is_cpu() {
            let op = NormaliseRows { eps: narrow(self.eps) };
            return op::apply(op, &[x, weight, bias], x.shape());
        }
        let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
        let square = centred.sqr()?.mean_keepdim(D::Minus1)?;
        let normed = centred.broadcast_div(&(square + self.eps)?.sqrt()?)?;
        normed.broadcast_mul(weight)?.broadcast_add(bias)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "kernels are f32")]
fn narrow(x: f64) -> f32 {
    x as f32
}

#[derive(Debug)]
struct NormaliseRows {
    eps: f32,
}

impl Op for NormaliseRows {
    fn name(&self) -> &'static str {
        "layer_norm"
    }

    fn forward(&self, inputs: &[&[f32]], y: &mut [f32], kept: &mut Kept) {
        let (x, weight, bias) = (inputs[0], inputs[1], inputs[2]);
        let kept = keep(kept, 2 * x.len() / weight.len());
        norm::layer_norm(x, weight, bias, self.eps, y, kept);
    }

    fn backward(&self, pass: Pass<'_>) {
        let Pass { inputs, kept, dy, gradients, .. } = pass;
        let [dx, dweight, dbias] = gradients else { return };
        let (x, weight) = (inputs[0], inputs[1]);
        let mut slopes = scratch(2 * weight.len());
        slopes.fill(0.0);
        let (dw, db) = slopes.split_at_mut(weight.len());
        let mut by_row = |dx: &mut [f32]| {
            norm::layer_norm_backward(x, weight, kept, dy, dx, dw, db);
        };
        if let Some(dx) = dx {
            dx.write(by_row);
        } else {
            by_row(&mut scratch(x.len()));
        }
        take(dweight, dw);
        take(dbias, db);
    }
}

/// Passes on a gradient if it is wanted.
fn take(gradient: &mut Option<Gradient<'_>>, values: &[f32]) {
    if let Some(gradient) = gradient {
        gradient.take(values);
    }
}

/// Weight of a batch in the running mean and variance, as in PyTorch.
const RUNNING_SHARE: f64 = 0.1;

/// Normalises each channel (dimension 1) to mean 0 and deviation 1 over the
/// batch, then scales and shifts (Ioffe & Szegedy 2015). In evaluation it uses
/// the running mean and variance of the training batches.
#[derive(Clone, Debug)]
pub struct BatchNorm {
    weight: Tensor,
    bias: Tensor,
    running_mean: Var,
    running_var: Var,
    eps: f64,
    activation: Activation,
}

/// Batch norm over `channels`; weight 1, bias 0.
///
/// # Errors
///
/// If `vb` has one of its weights with another shape.
pub fn batch_norm(
    channels: usize,
    eps: f64,
    vb: VarBuilder<'_>,
) -> Result<BatchNorm> {
    let get = |name: &str, value: f64| {
        vb.get_with_hints(channels, name, Init::Const(value))
    };
    Ok(BatchNorm {
        weight: get("weight", 1.0)?,
        bias: get("bias", 0.0)?,
        running_mean: Var::from_tensor(&get("running_mean", 0.0)?)?,
        running_var: Var::from_tensor(&get("running_var", 1.0)?)?,
        eps,
        activation: Activation::Identity,
    })
}

/// [`batch_norm`] with ReLU in the same pass.
///
/// # Errors
///
/// If `vb` has one of its weights with another shape.
pub fn batch_norm_relu(
    channels: usize,
    eps: f64,
    vb: VarBuilder<'_>,
) -> Result<BatchNorm> {
    let layer = batch_norm(channels, eps, vb)?;
    Ok(BatchNorm { activation: Activation::Relu, ..layer })
}

impl ModuleT for BatchNorm {
    fn forward_t(&self, x: &Tensor, train: bool) -> Result<Tensor> {
        if !x.device().is_cpu() {
            let y = self.composed(x, train)?;
            return activate::composed(&y, self.activation);
        }
        if x.rank() == 3 {
            return image::to_signal(&self.of(&image::of_signal(x)?, train)?);
        }
        image::channels_first(&self.of(&image::channels_last(x)?, train)?)
    }
}

impl BatchNorm {
    /// Batch norm of channels-last images on the CPU.
    fn of(&self, x: &Tensor, train: bool) -> Result<Tensor> {
        // What the operation cannot report.
        let running = [self.running_mean.as_tensor(), &self.running_var];
        slices::with_all(&running, |_| Ok(()))?;
        let op = NormaliseColumns {
            running_mean: self.running_mean.clone(),
            running_var: self.running_var.clone(),
            eps: narrow(self.eps),
            fixed: !train,
            relu: self.activation == Activation::Relu,
        };
        op::apply(op, &[x, &self.weight, &self.bias], x.shape())
    }

    /// Moves the running mean and variance towards those of a batch with
    /// `numbers` values.
    fn follow(
        &self,
        mean: &Tensor,
        variance: &Tensor,
        numbers: usize,
    ) -> Result<()> {
        let n = numbers as f64 / self.weight.elem_count() as f64;
        let unbiased = (variance * (n / (n - 1.0).max(1.0)))?;
        for (running, batch) in
            [(&self.running_mean, mean), (&self.running_var, &unbiased)]
        {
            let old = running.as_detached_tensor();
            let kept = (old * (1.0 - RUNNING_SHARE))?;
            running.set(&(kept + (batch.detach() * RUNNING_SHARE)?)?)?;
        }
        Ok(())
    }

    /// The same, from candle's operations.
    pub(super) fn composed(&self, x: &Tensor, train: bool) -> Result<Tensor> {
        let mut shape = vec![1; x.rank()];
        shape[1] = self.weight.elem_count();
        let (mean, variance) = if train {
            let by_channel = x.transpose(0, 1)?.flatten_from(1)?;
            let mean = by_channel.mean_keepdim(1)?;
            let square = by_channel.broadcast_sub(&mean)?.sqr()?;
            let (mean, variance) = (mean.flatten_all()?, square.mean(1)?);
            self.follow(&mean, &variance, x.elem_count())?;
            (mean, variance)
        } else {
            let (mean, variance) = (&self.running_mean, &self.running_var);
            (mean.as_detached_tensor(), variance.as_detached_tensor())
        };
        let scale = (&self.weight / (variance + self.eps)?.sqrt()?)?;
        x.broadcast_sub(&mean.reshape(&*shape)?)?
            .broadcast_mul(&scale.reshape(&*shape)?)?
            .broadcast_add(&self.bias.reshape(&*shape)?)
    }
}

/// Batch norm of channels-last images; inputs `x`, weight, bias. Keeps mean
/// and reciprocal deviation of every channel.
struct NormaliseColumns {
    running_mean: Var,
    running_var: Var,
    eps: f32,
    /// Takes the running mean and variance, and leaves them alone.
    fixed: bool,
    relu: bool,
}

impl fmt::Debug for NormaliseColumns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { eps, fixed, relu, .. } = self;
        write!(f, "NormaliseColumns({eps} {fixed} {relu})")
    }
}

impl NormaliseColumns {
    /// Mean and variance of every channel; in training those of the batch,
    /// which the running ones follow.
    fn moments(
        &self,
        x: &[f32],
        mean: &mut [f32],
        variance: &mut [f32],
    ) -> Result<()> {
        let running = [&self.running_mean, &self.running_var];
        if self.fixed {
            let into = [mean, variance];
            for (running, into) in running.into_iter().zip(into) {
                slices::with_all(&[running], |all| {
                    into.copy_from_slice(all[0]);
                    Ok(())
                })?;
            }
            return Ok(());
        }
        norm::column_moments(x, mean, variance);
        let n = x.len() as f64 / mean.len() as f64;
        let unbiased = n / (n - 1.0).max(1.0);
        for ((running, batch), scale) in
            running.into_iter().zip([mean, variance]).zip([1.0, unbiased])
        {
            running.inplace_op1(&Follow { batch, scale: narrow(scale) })?;
        }
        Ok(())
    }
}

/// Moves running statistics towards `scale` times those of a batch.
struct Follow<'a> {
    batch: &'a [f32],
    scale: f32,
}

impl InplaceOp1 for Follow<'_> {
    fn name(&self) -> &'static str {
        "running_statistics"
    }

    fn cpu_fwd(&self, running: &mut CpuStorage, at: &Layout) -> Result<()> {
        let CpuStorage::F32(running) = running else {
            bail!("running statistics are f32")
        };
        let Some((from, to)) = at.contiguous_offsets() else {
            bail!("running statistics are contiguous")
        };
        let (kept, share) =
            (narrow(1.0 - RUNNING_SHARE), narrow(RUNNING_SHARE));
        for (running, batch) in running[from..to].iter_mut().zip(self.batch) {
            *running = *running * kept + batch * self.scale * share;
        }
        Ok(())
    }
}

impl Op for NormaliseColumns {
    fn name(&self) -> &'static str {
        "batch_norm"
    }

    fn forward(&self, inputs: &[&[f32]], y: &mut [f32], kept: &mut Kept) {
        let (x, weight, bias) = (inputs[0], inputs[1], inputs[2]);
        let (mean, inverse) =
            keep(kept, 2 * weight.len()).split_at_mut(weight.len());
        self.moments(x, mean, inverse).expect("`BatchNorm::of` has checked");
        for value in &mut *inverse {
            *value = 1.0 / (*value + self.eps).sqrt();
        }
        let mut line = scratch(2 * weight.len());
        let (scale, shift) = line.split_at_mut(weight.len());
        for ((scale, weight), inverse) in
            scale.iter_mut().zip(weight).zip(&*inverse)
        {
            *scale = weight * inverse;
        }
        for (((shift, bias), mean), scale) in
            shift.iter_mut().zip(bias).zip(&*mean).zip(&*scale)
        {
            *shift = bias - mean * scale;
        }
        norm::scale_columns(x, scale, shift, self.relu, y);
    }

    fn backward(&self, pass: Pass<'_>) {
        let Pass { inputs, y, kept, dy, gradients } = pass;
        let [dx, dweight, dbias] = gradients else { return };
        if self.relu {
            crate::kernels::activation::relu_backward(y, dy);
        }
        let (x, weight) = (inputs[0], inputs[1]);
        let (mean, inverse) = kept.split_at(weight.len());
        let by = Normalised { mean, inverse, fixed: self.fixed };
        let mut slopes = scratch(2 * weight.len());
        let (dw, db) = slopes.split_at_mut(weight.len());
        norm::batch_norm_slopes(x, dy, by, dw, db);
        if let Some(dx) = dx {
            let slopes = (&*dw, &*db);
            dx.write(|dx| {
                norm::batch_norm_backward(x, dy, by, weight, slopes, dx);
            });
        }
        take(dweight, dw);
        take(dbias, db);
    }
}
