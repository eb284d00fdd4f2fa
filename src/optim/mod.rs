//! Optimizers: SGD with momentum and Nesterov, AdamW, Adam, RMSprop, Lion, Muon;
//! schedule-free SGD and AdamW; weight decay, gradient clipping; averages of
//! weights.
//!
//! candle's SGD has no momentum, and the moments of its AdamW are private. The
//! state of these optimizers can be cloned. On a CPU, weights and moments are
//! updated in place, in one pass.

mod average;
mod checkpoint;
mod free;
mod groups;
mod norm;
#[cfg(test)]
mod tests;
mod update;

pub(crate) use average::WeightAverage;
pub use checkpoint::Checkpoint;
pub(crate) use checkpoint::weights;
pub(crate) use free::Weighing;

use crate::spec::OptimizerSpec;
use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor, Var, bail};
use std::cell::RefCell;
use update::{Fused, Update};

/// An optimizer with its state, for a fixed set of weights.
#[derive(Clone)]
pub(crate) struct Optim {
    spec: OptimizerSpec,
    vars: Vec<Var>,
    /// What is special about each weight.
    parts: Vec<Part>,
    /// What trains the weights that Muon does not.
    rest: Option<OptimizerSpec>,
    moments: Moments,
    /// Updates done.
    steps: i32,
    /// Momentum, or the first beta, instead of the spec's.
    momentum: Option<f64>,
    /// In the schedule-free form; then the weights are its y, and the first
    /// moments its z.
    free: Option<Weighing>,
}

/// What is special about a weight.
#[derive(Clone, Copy)]
struct Part {
    /// Factor on the learning rate.
    multiplier: f64,
    /// Whether the optimizer for the rest trains it.
    is_rest: bool,
}

/// First and second moments of the gradients; SGD and Lion use the first alone.
#[derive(Clone)]
enum Moments {
    /// On the CPU: those of all weights in one array each, updated in place
    /// (candle hands an in-place op to itself by shared reference, hence the
    /// cell).
    Flat(RefCell<[Vec<f32>; 2]>),
    /// On another device: two of each weight, replaced by every update.
    Tensors(Vec<[Tensor; 2]>),
}

impl Moments {
    /// Two tensors of zeros for each weight.
    fn zeros(vars: &[Var]) -> Result<Self> {
        let zeros = |var: &Var| -> Result<[Tensor; 2]> {
            let zeros = var.as_detached_tensor().zeros_like()?;
            Ok([zeros.clone(), zeros])
        };
        Ok(Self::Tensors(vars.iter().map(zeros).collect::<Result<_>>()?))
    }
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
            let seconds = if spec.has_second_moment() { n } else { 0 };
            Moments::Flat(RefCell::new([vec![0.0; n], vec![0.0; seconds]]))
        } else {
            Moments::zeros(&vars)?
        };
        Ok(Self {
            spec: spec.clone(),
            parts: groups::parts(spec, &vars),
            rest: spec.rest().map(|(rest, _)| rest),
            vars,
            moments,
            steps: 0,
            momentum: None,
            free: None,
        })
    }

    /// Replaces the momentum, or the first beta, from the next update on;
    /// `None` for the spec's.
    pub(crate) fn set_momentum(&mut self, momentum: Option<f64>) {
        self.momentum = momentum;
    }

    /// First and second moments, each of all weights in one array; the
    /// second is empty for SGD and Lion.
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
                let has_second = self.spec.has_second_moment();
                Ok([flat(0)?, if has_second { flat(1)? } else { vec![] }])
            }
        }
    }

    /// What the schedule-free form keeps beside the moments.
    pub(crate) fn weighing(&self) -> Option<Weighing> {
        self.free
    }

    /// Goes on from `moments` after `steps` updates, and from `free` in the
    /// schedule-free form.
    ///
    /// # Errors
    ///
    /// If they are those of another optimizer or other weights.
    pub(crate) fn restore(
        &mut self,
        steps: usize,
        moments: &[Vec<f32>; 2],
        free: Option<Weighing>,
    ) -> Result<()> {
        let own = self.moments()?;
        if own.each_ref().map(Vec::len) != moments.each_ref().map(Vec::len)
            || self.free.is_some() != free.is_some()
        {
            bail!("the checkpoint is of another optimizer or other weights")
        }
        self.free = free;
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
        if self.free.is_some() {
            self.skip(gradients)?;
        }
        let spec = match self.momentum {
            Some(momentum) => &self.spec.with_momentum(momentum),
            None => &self.spec,
        };
        let (steps, rest) = (self.steps, self.rest.as_ref());
        let share = self.free.as_mut().map(|free| free.share(lr));
        let update = |part: &Part| Update {
            spec: rest.filter(|_| part.is_rest).unwrap_or(spec),
            steps,
            lr: lr * part.multiplier,
            scale,
            share,
        };
        match (&mut self.moments, gradients) {
            (Moments::Flat(moments), Gradients::Slices(gradients)) => {
                let mut from = 0;
                let each = self.vars.iter().zip(&self.parts);
                for ((var, part), gradient) in each.zip(gradients) {
                    let to = from + var.elem_count();
                    if let Some(gradient) = gradient {
                        let fused = Fused {
                            update: update(part),
                            gradient,
                            moments,
                            range: (from, to),
                        };
                        var.inplace_op1(&fused)?;
                    }
                    from = to;
                }
            }
            (Moments::Tensors(moments), Gradients::Tensors(gradients)) => {
                let each = self.vars.iter().zip(&self.parts);
                for ((var, part), moments) in each.zip(moments) {
                    if let Some(gradient) = gradients.get(var.as_tensor()) {
                        // Keeping its graph would keep every step's.
                        let update = update(part);
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
        let Some(limit) = self.spec.clip_norm() else { return Ok(1.0) };
        let norm = self.norm(gradients, 2)?;
        // As PyTorch's clip_grad_norm_; a NaN norm passes on as NaN.
        Ok(if norm <= limit { 1.0 } else { limit / (norm + 1e-6) })
    }
}
