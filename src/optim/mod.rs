//! Optimizers: SGD with momentum and Nesterov, AdamW; weight decay, gradient
//! clipping.
//!
//! candle's SGD has no momentum, and the moments of its AdamW are private. The
//! state of these optimizers can be cloned. On a CPU, weights and moments are
//! updated in place, in one pass.

mod checkpoint;
mod groups;
mod norm;
#[cfg(test)]
mod tests;

pub use checkpoint::Checkpoint;
pub(crate) use checkpoint::weights;

use crate::kernels::update::{self, Adamw, Sgd};
use crate::spec::OptimizerSpec;
use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, InplaceOp1, Layout, Result, Tensor, Var, bail};
use std::cell::RefCell;

/// An optimizer with its state, for a fixed set of weights.
#[derive(Clone)]
pub(crate) struct Optim {
    spec: OptimizerSpec,
    vars: Vec<Var>,
    /// Factors on the learning rate, one for each weight.
    multipliers: Vec<f64>,
    moments: Moments,
    /// Updates done.
    steps: i32,
    /// Momentum, or AdamW's first beta, instead of the spec's.
    momentum: Option<f64>,
}

/// First and second moments of the gradients; SGD uses the first alone.
#[derive(Clone)]
enum Moments {
    /// On the CPU: those of all weights in one array each, updated in place
    /// (candle hands an in-place op to itself by shared reference, hence the
    /// cell).
    Flat(RefCell<[Vec<f32>; 2]>),
    /// On another device: two of each weight, replaced by every update.
    Tensors(Vec<[Tensor; 2]>),
}

/// Gradients by the weights of an optimizer, `None` where the loss does not
/// depend on one.
pub(crate) enum Gradients<'a> {
    /// On the CPU, in the order of the weights.
    Slices(Vec<Option<&'a [f32]>>),
    /// On any device.
    Tensors(&'a GradStore),
}

impl Optim {
    /// Zero moments for `vars`, which are in a fixed order.
    ///
    /// # Errors
    ///
    /// If the device has no room for the moments.
    pub(crate) fn new(spec: &OptimizerSpec, vars: Vec<Var>) -> Result<Self> {
        let moments = if vars.iter().all(|var| var.device().is_cpu()) {
            let n: usize = vars.iter().map(|var| var.elem_count()).sum();
            let second = match spec {
                OptimizerSpec::Sgd { .. } => vec![],
                OptimizerSpec::Adamw { .. } => vec![0.0; n],
            };
            Moments::Flat(RefCell::new([vec![0.0; n], second]))
        } else {
            let zeros = |var: &Var| -> Result<[Tensor; 2]> {
                let zeros = var.as_detached_tensor().zeros_like()?;
                Ok([zeros.clone(), zeros])
            };
            Moments::Tensors(vars.iter().map(zeros).collect::<Result<_>>()?)
        };
        Ok(Self {
            spec: spec.clone(),
            multipliers: vec![1.0; vars.len()],
            vars,
            moments,
            steps: 0,
            momentum: None,
        })
    }

    /// Replaces the momentum, or AdamW's first beta, from the next update
    /// on; `None` for the spec's.
    pub(crate) fn set_momentum(&mut self, momentum: Option<f64>) {
        self.momentum = momentum;
    }

    /// First and second moments, each of all weights in one array; the
    /// second is empty for SGD.
    ///
    /// # Errors
    ///
    /// If they cannot be read back from their device.
    pub(crate) fn moments(&self) -> Result<[Vec<f32>; 2]> {
        match &self.moments {
            Moments::Flat(moments) => Ok(moments.borrow().clone()),
            Moments::Tensors(pairs) => {
                let flat = |which: usize| -> Result<Vec<f32>> {
                    let mut all = vec![];
                    for pair in pairs {
                        all.extend(
                            pair[which].flatten_all()?.to_vec1::<f32>()?,
                        );
                    }
                    Ok(all)
                };
                let second = match self.spec {
                    OptimizerSpec::Sgd { .. } => vec![],
                    OptimizerSpec::Adamw { .. } => flat(1)?,
                };
                Ok([flat(0)?, second])
            }
        }
    }

    /// Goes on from `moments` after `steps` updates.
    ///
    /// # Errors
    ///
    /// If they are those of another optimizer or other weights.
    pub(crate) fn restore(
        &mut self,
        steps: usize,
        moments: &[Vec<f32>; 2],
    ) -> Result<()> {
        let own = self.moments()?;
        if own.each_ref().map(Vec::len) != moments.each_ref().map(Vec::len) {
            bail!("the checkpoint is of another optimizer or other weights")
        }
        self.steps = i32::try_from(steps).unwrap_or(i32::MAX);
        match &mut self.moments {
            Moments::Flat(own) => *own = RefCell::new(moments.clone()),
            Moments::Tensors(pairs) => {
                let mut from = 0;
                for (var, pair) in self.vars.iter().zip(pairs) {
                    let to = from + var.elem_count();
                    for (tensor, values) in pair.iter_mut().zip(moments) {
                        if let Some(values) = values.get(from..to) {
                            *tensor = Tensor::from_slice(
                                values,
                                var.shape(),
                                var.device(),
                            )?;
                        }
                    }
                    from = to;
                }
            }
        }
        Ok(())
    }

    /// One update at learning rate `lr`. Weights without a gradient stay.
    ///
    /// # Errors
    ///
    /// If a gradient has another shape than its weight.
    pub(crate) fn step(
        &mut self,
        gradients: &Gradients<'_>,
        lr: f64,
    ) -> Result<()> {
        self.steps = self.steps.saturating_add(1);
        let scale = self.clip(gradients)?;
        let spec = match self.momentum {
            Some(momentum) => &self.spec.with_momentum(momentum),
            None => &self.spec,
        };
        let steps = self.steps;
        let update =
            |multiplier| Update { spec, steps, lr: lr * multiplier, scale };
        match (&mut self.moments, gradients) {
            (Moments::Flat(moments), Gradients::Slices(gradients)) => {
                let mut from = 0;
                let each = self.vars.iter().zip(&self.multipliers);
                for ((var, multiplier), gradient) in each.zip(gradients) {
                    let to = from + var.elem_count();
                    if let Some(gradient) = gradient {
                        let range = (from, to);
                        let update = update(multiplier);
                        let fused = Fused { update, gradient, moments, range };
                        var.inplace_op1(&fused)?;
                    }
                    from = to;
                }
            }
            (Moments::Tensors(moments), Gradients::Tensors(gradients)) => {
                let each = self.vars.iter().zip(&self.multipliers);
                for ((var, multiplier), moments) in each.zip(moments) {
                    if let Some(gradient) = gradients.get(var.as_tensor()) {
                        // Keeping its graph would keep every step's.
                        let update = update(multiplier);
                        update.composed(var, &gradient.detach(), moments)?;
                    }
                }
            }
            _ => bail!("gradients lie on another device than the moments"),
        }
        Ok(())
    }

    /// Factor that brings the gradients' norm within the spec's limit.
    fn clip(&self, gradients: &Gradients<'_>) -> Result<f64> {
        let (OptimizerSpec::Sgd { clip_norm, .. }
        | OptimizerSpec::Adamw { clip_norm, .. }) = self.spec;
        let Some(limit) = clip_norm else { return Ok(1.0) };
        let norm = self.norm(gradients, 2)?;
        // As PyTorch's clip_grad_norm_; a NaN norm passes on as NaN.
        Ok(if norm <= limit { 1.0 } else { limit / (norm + 1e-6) })
    }
}

/// The numbers of one weight's update.
#[derive(Clone, Copy)]
struct Update<'a> {
    spec: &'a OptimizerSpec,
    steps: i32,
    lr: f64,
    scale: f64,
}

impl Update<'_> {
    /// `1 / (1 - beta^t)`.
    fn correction(&self, beta: f64) -> f64 {
        1.0 / (1.0 - beta.powi(self.steps))
    }

    #[expect(clippy::cast_possible_truncation, reason = "kernels are f32")]
    fn fused(
        &self,
        weight: &mut [f32],
        gradient: &[f32],
        first: &mut [f32],
        second: &mut [f32],
    ) {
        let (lr, scale) = (self.lr as f32, self.scale as f32);
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
                let numbers = Adamw {
                    lr,
                    beta1: beta1 as f32,
                    beta2: beta2 as f32,
                    eps: eps as f32,
                    weight_decay: weight_decay as f32,
                    correction1: self.correction(beta1) as f32,
                    correction2: self.correction(beta2) as f32,
                    scale,
                };
                update::adamw(weight, gradient, first, second, numbers);
            }
        }
    }

    /// The same, made of candle's operations.
    fn composed(
        &self,
        var: &Var,
        gradient: &Tensor,
        [first, second]: &mut [Tensor; 2],
    ) -> Result<()> {
        let weight = var.as_detached_tensor();
        let gradient = (gradient * self.scale)?;
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
                *first = ((&*first * beta1)? + (&gradient * (1.0 - beta1))?)?;
                *second =
                    ((&*second * beta2)? + (gradient.sqr()? * (1.0 - beta2))?)?;
                let deviation =
                    ((&*second * self.correction(beta2))?.sqrt()? + eps)?;
                let moved = (&*first * self.correction(beta1))?;
                (moved.div(&deviation)? + (&weight * weight_decay)?)?
            }
        };
        var.set(&(weight - (step * self.lr)?)?)
    }
}

/// An update as an operation on a weight's storage.
struct Fused<'a> {
    update: Update<'a>,
    gradient: &'a [f32],
    moments: &'a RefCell<[Vec<f32>; 2]>,
    /// Where the weight's moments are.
    range: (usize, usize),
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
        self.update.fused(weight, self.gradient, first, second);
        Ok(())
    }
}
