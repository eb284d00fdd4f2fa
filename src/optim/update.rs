//! The update of one weight: fused on a CPU, of candle's operations elsewhere.

use crate::kernels::orthogonal::{LEAST_NORM, QUINTIC};
use crate::kernels::update::{self, Adam, Lion, Muon, Rmsprop, Sgd};
use crate::spec::OptimizerSpec;
use candle_core::{CpuStorage, InplaceOp1, Layout, Result, Tensor, Var, bail};
use std::cell::RefCell;

/// The numbers of one weight's update.
#[derive(Clone, Copy)]
pub(super) struct Update<'a> {
    pub(super) spec: &'a OptimizerSpec,
    pub(super) steps: i32,
    pub(super) lr: f64,
    /// Factor on the gradient, from clipping.
    pub(super) scale: f64,
    /// In the schedule-free form, the share of z in the average.
    pub(super) share: Option<f64>,
}

impl Update<'_> {
    /// `1 / (1 - beta^t)`.
    pub(super) fn correction(&self, beta: f64) -> f64 {
        1.0 / (1.0 - beta.powi(self.steps))
    }

    /// One update of a weight of `rows` rows.
    #[expect(clippy::cast_possible_truncation, reason = "kernels are f32")]
    fn fused(
        &self,
        weight: &mut [f32],
        rows: usize,
        gradient: &[f32],
        first: &mut [f32],
        second: &mut [f32],
    ) {
        if let Some(share) = self.share {
            return self.fused_free(share, weight, gradient, first, second);
        }
        let (lr, scale) = (self.lr as f32, self.scale as f32);
        let adam = |beta1, beta2, eps, weight_decay| Adam {
            lr,
            beta1: beta1 as f32,
            beta2: beta2 as f32,
            fresh1: (1.0 - beta1) as f32,
            fresh2: (1.0 - beta2) as f32,
            eps: eps as f32,
            weight_decay: weight_decay as f32,
            correction1: self.correction(beta1) as f32,
            correction2: self.correction(beta2) as f32,
            scale,
        };
        match *self.spec {
            OptimizerSpec::Sgd { momentum, nesterov, weight_decay, .. } => {
                let numbers = Sgd {
                    lr,
                    momentum: momentum as f32,
                    nesterov,
                    weight_decay: weight_decay as f32,
                    scale,
                };
                update::sgd(weight, gradient, first, numbers);
            }
            OptimizerSpec::Adamw {
                beta1, beta2, eps, weight_decay, ..
            } => {
                // Rounded before the subtraction, as in stored results.
                let numbers = Adam {
                    fresh1: 1.0 - beta1 as f32,
                    fresh2: 1.0 - beta2 as f32,
                    ..adam(beta1, beta2, eps, weight_decay)
                };
                update::adamw(weight, gradient, first, second, numbers);
            }
            OptimizerSpec::Adam { beta1, beta2, eps, weight_decay, .. } => {
                let numbers = adam(beta1, beta2, eps, weight_decay);
                update::adam(weight, gradient, first, second, numbers);
            }
            OptimizerSpec::Rmsprop {
                alpha,
                eps,
                momentum,
                weight_decay,
                ..
            } => {
                let numbers = Rmsprop {
                    lr,
                    alpha: alpha as f32,
                    eps: eps as f32,
                    momentum: momentum as f32,
                    weight_decay: weight_decay as f32,
                    scale,
                };
                update::rmsprop(weight, gradient, first, second, numbers);
            }
            OptimizerSpec::Lion { beta1, beta2, weight_decay, .. } => {
                let numbers = Lion {
                    lr,
                    beta1: beta1 as f32,
                    beta2: beta2 as f32,
                    weight_decay: weight_decay as f32,
                    scale,
                };
                update::lion(weight, gradient, first, numbers);
            }
            OptimizerSpec::Muon {
                momentum,
                nesterov,
                ns_steps,
                adjust_lr_fn,
                weight_decay,
                ..
            } => {
                let columns = weight.len() / rows.max(1);
                let numbers = Muon {
                    lr,
                    step_lr: (self.lr * adjust_lr_fn.factor(rows, columns))
                        as f32,
                    momentum: momentum as f32,
                    nesterov,
                    weight_decay: weight_decay as f32,
                    ns_steps,
                    scale,
                };
                update::muon(weight, gradient, first, rows, numbers);
            }
        }
    }

    /// The same, made of candle's operations.
    pub(super) fn composed(
        &self,
        var: &Var,
        gradient: &Tensor,
        moments: &mut [Tensor; 2],
    ) -> Result<()> {
        let weight = var.as_detached_tensor();
        let gradient = (gradient * self.scale)?;
        if let Some(share) = self.share {
            let y = self.composed_free(share, &weight, &gradient, moments)?;
            return var.set(&y);
        }
        let [first, second] = moments;
        let step = match *self.spec {
            OptimizerSpec::Sgd { momentum, nesterov, weight_decay, .. } => {
                let gradient = (gradient + (&weight * weight_decay)?)?;
                *first = ((&*first * momentum)? + &gradient)?;
                if nesterov {
                    (gradient + (&*first * momentum)?)?
                } else {
                    first.clone()
                }
            }
            OptimizerSpec::Adamw {
                beta1, beta2, eps, weight_decay, ..
            } => {
                let step =
                    self.adam(&gradient, first, second, [beta1, beta2, eps])?;
                (step + (&weight * weight_decay)?)?
            }
            OptimizerSpec::Adam { beta1, beta2, eps, weight_decay, .. } => {
                let gradient = (gradient + (&weight * weight_decay)?)?;
                self.adam(&gradient, first, second, [beta1, beta2, eps])?
            }
            OptimizerSpec::Rmsprop {
                alpha,
                eps,
                momentum,
                weight_decay,
                ..
            } => {
                let gradient = (gradient + (&weight * weight_decay)?)?;
                *second = average(second, &gradient.sqr()?, alpha)?;
                let deviation = (second.sqrt()? + eps)?;
                *first = ((&*first * momentum)? + gradient.div(&deviation)?)?;
                first.clone()
            }
            OptimizerSpec::Lion { beta1, beta2, weight_decay, .. } => {
                let mixed = average(first, &gradient, beta1)?;
                *first = average(first, &gradient, beta2)?;
                // candle's sign of NaN is 0.
                let sign = (mixed.sign()? + (mixed * 0.0)?)?;
                (sign + (&weight * weight_decay)?)?
            }
            OptimizerSpec::Muon {
                momentum,
                nesterov,
                ns_steps,
                adjust_lr_fn,
                weight_decay,
                ..
            } => {
                *first = average(first, &gradient, momentum)?;
                let mixed = if nesterov {
                    average(first, &gradient, momentum)?
                } else {
                    first.clone()
                };
                let matrix = mixed.flatten_from(1)?;
                let (rows, columns) = matrix.dims2()?;
                let factor = adjust_lr_fn.factor(rows, columns);
                let step = orthogonal(&matrix, ns_steps)?;
                let step = (step.reshape(weight.shape())? * factor)?;
                (step + (&weight * weight_decay)?)?
            }
        };
        var.set(&(weight - (step * self.lr)?)?)
    }

    /// Adam's step, before the learning rate.
    fn adam(
        &self,
        gradient: &Tensor,
        first: &mut Tensor,
        second: &mut Tensor,
        [beta1, beta2, eps]: [f64; 3],
    ) -> Result<Tensor> {
        *first = average(first, gradient, beta1)?;
        *second = average(second, &gradient.sqr()?, beta2)?;
        let deviation = ((&*second * self.correction(beta2))?.sqrt()? + eps)?;
        (&*first * self.correction(beta1))?.div(&deviation)
    }
}

/// `share old + (1 - share) new`.
pub(super) fn average(
    old: &Tensor,
    new: &Tensor,
    share: f64,
) -> Result<Tensor> {
    (old * share)? + (new * (1.0 - share))?
}

/// [`newton_schulz`](crate::kernels::orthogonal::newton_schulz) on any device.
fn orthogonal(matrix: &Tensor, steps: usize) -> Result<Tensor> {
    let (rows, columns) = matrix.dims2()?;
    let wide = rows <= columns;
    let matrix = if wide { matrix.clone() } else { matrix.t()? };
    let norm = matrix.sqr()?.sum_all()?.sqrt()?;
    // A maximum, which keeps a NaN.
    let norm = ((norm - LEAST_NORM)?.relu()? + LEAST_NORM)?;
    let mut x = matrix.broadcast_div(&norm)?;
    let [a, b, c] = QUINTIC;
    for _ in 0..steps {
        let gram = x.matmul(&x.t()?)?;
        let polynomial = ((&gram * b)? + (gram.matmul(&gram)? * c)?)?;
        x = ((&x * a)? + polynomial.matmul(&x)?)?;
    }
    if wide { Ok(x) } else { x.t()?.contiguous() }
}

/// An update as an operation on a weight's storage.
pub(super) struct Fused<'a> {
    pub(super) update: Update<'a>,
    pub(super) gradient: &'a [f32],
    pub(super) moments: &'a RefCell<[Vec<f32>; 2]>,
    /// Where the weight's moments are.
    pub(super) range: (usize, usize),
}

impl InplaceOp1 for Fused<'_> {
    fn name(&self) -> &'static str {
        "optimizer_update"
    }

    fn cpu_fwd(&self, weight: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let CpuStorage::F32(weight) = weight else { bail!("weights are f32") };
        let Some((start, end)) = layout.contiguous_offsets() else {
            bail!("weights are contiguous")
        };
        let (from, to) = self.range;
        if to - from != end - start || self.gradient.len() != end - start {
            bail!("a gradient has another size than its weight")
        }
        let mut moments = self.moments.borrow_mut();
        let [first, second] = &mut *moments;
        let weight = &mut weight[start..end];
        let first = &mut first[from..to];
        let second = second.get_mut(from..to).unwrap_or_default();
        let rows = layout.dims().first().copied().unwrap_or(1);
        self.update.fused(weight, rows, self.gradient, first, second);
        Ok(())
    }
}
