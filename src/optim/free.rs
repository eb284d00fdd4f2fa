//! The schedule-free form of SGD and `AdamW`.
//!
//! Three sequences of weights: z makes the steps of the optimizer, x is an
//! average of z, and y lies between them, with the share beta of x. Gradients
//! are taken at y, which the model holds during training; x is what is
//! evaluated. z takes the place of the first moment, x follows from y and z.
//!
//! Source: Defazio et al., *The Road Less Scheduled* (2024), as the package
//! `schedulefree` 1.4.1 has it, with its defaults (`r` = 0,
//! `weight_lr_power` = 2): z counts in the average with the square of the
//! highest rate so far.

use super::update::Update;
use super::{Gradients, Moments, Optim};
use crate::kernels::update::{self, Free};
use crate::spec::OptimizerSpec;
use candle_core::{Result, Tensor, bail};

/// What the form keeps beside the moments.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Weighing {
    /// Highest rate of an update so far.
    pub(crate) highest: f64,
    /// Sum of the shares of all updates.
    pub(crate) sum: f64,
}

impl Weighing {
    /// The share of z after an update at rate `lr` in the average.
    pub(super) fn share(&mut self, lr: f64) -> f64 {
        self.highest = self.highest.max(lr);
        let weight = self.highest * self.highest;
        self.sum += weight;
        if self.sum > 0.0 { weight / self.sum } else { 0.0 }
    }
}

/// The share beta of x in y.
fn beta(spec: &OptimizerSpec) -> f64 {
    match *spec {
        OptimizerSpec::Adamw { beta1, .. } => beta1,
        OptimizerSpec::Sgd { momentum, .. } => momentum,
        _ => 0.0,
    }
}

impl Optim {
    /// Takes the schedule-free form, before the first update.
    ///
    /// # Errors
    ///
    /// If the optimizer has none.
    pub(crate) fn make_free(&mut self) -> Result<()> {
        if self.free.is_some() {
            return Ok(());
        }
        if let Err(problem) = self.spec.check_schedule_free() {
            bail!("{problem}")
        }
        if self.steps > 0 {
            bail!("the schedule-free form needs the whole run")
        }
        self.free = Some(Weighing::default());
        for i in 0..self.vars.len() {
            self.begin(i)?;
        }
        Ok(())
    }

    /// The averaged weights x.
    ///
    /// # Errors
    ///
    /// If the device fails.
    pub(crate) fn averaged(&self) -> Result<Vec<Tensor>> {
        let outwards = 1.0 - 1.0 / beta(&self.spec);
        let mut from = 0;
        let mut all = vec![];
        for (i, var) in self.vars.iter().enumerate() {
            let y = var.as_detached_tensor();
            let to = from + var.elem_count();
            let z = match &self.moments {
                Moments::Flat(moments) => {
                    let z = &moments.borrow()[0][from..to];
                    Tensor::from_slice(z, var.shape(), var.device())?
                }
                Moments::Tensors(pairs) => pairs[i][0].clone(),
            };
            all.push((&y + ((z - &y)? * outwards)?)?);
            from = to;
        }
        Ok(all)
    }

    /// Sets z of weight `i` to the weight: so it is before its first update,
    /// and if it has no gradient.
    fn begin(&mut self, i: usize) -> Result<()> {
        let weight = self.vars[i].as_detached_tensor();
        match &mut self.moments {
            Moments::Flat(moments) => {
                let before = self.vars[..i].iter();
                let from: usize = before.map(|var| var.elem_count()).sum();
                let values = weight.flatten_all()?.to_vec1::<f32>()?;
                moments.get_mut()[0][from..from + values.len()]
                    .copy_from_slice(&values);
            }
            Moments::Tensors(pairs) => pairs[i][0] = weight.copy()?,
        }
        Ok(())
    }

    /// Lets weights without a gradient be their own average.
    pub(super) fn skip(&mut self, gradients: &Gradients<'_>) -> Result<()> {
        for i in 0..self.vars.len() {
            let has = match gradients {
                Gradients::Slices(all) => all[i].is_some(),
                Gradients::Tensors(store) => {
                    store.get(self.vars[i].as_tensor()).is_some()
                }
            };
            if !has {
                self.begin(i)?;
            }
        }
        Ok(())
    }
}

impl Update<'_> {
    /// The numbers of an update with the share `share` of z in the average.
    #[expect(clippy::cast_possible_truncation, reason = "kernels are f32")]
    fn free(&self, share: f64, weight_decay: f64) -> Free {
        Free {
            lr: self.lr as f32,
            inner_lr: (self.lr * (1.0 - beta(self.spec) * (1.0 - share)))
                as f32,
            share: share as f32,
            weight_decay: weight_decay as f32,
            scale: self.scale as f32,
        }
    }

    /// One update of the weight y.
    #[expect(clippy::cast_possible_truncation, reason = "kernels are f32")]
    pub(super) fn fused_free(
        &self,
        share: f64,
        y: &mut [f32],
        gradient: &[f32],
        z: &mut [f32],
        second: &mut [f32],
    ) {
        match *self.spec {
            OptimizerSpec::Adamw { beta2, eps, weight_decay, .. } => {
                let numbers = update::FreeAdam {
                    free: self.free(share, weight_decay),
                    beta2: beta2 as f32,
                    fresh2: (1.0 - beta2) as f32,
                    eps: eps as f32,
                    correction2: self.correction(beta2) as f32,
                };
                update::free_adamw(y, gradient, z, second, numbers);
            }
            OptimizerSpec::Sgd { weight_decay, .. } => {
                update::free_sgd(
                    y,
                    gradient,
                    z,
                    self.free(share, weight_decay),
                );
            }
            _ => {}
        }
    }

    /// The same, made of candle's operations: y after the update.
    pub(super) fn composed_free(
        &self,
        share: f64,
        y: &Tensor,
        gradient: &Tensor,
        [z, second]: &mut [Tensor; 2],
    ) -> Result<Tensor> {
        let (step, weight_decay) = match *self.spec {
            OptimizerSpec::Adamw { beta2, eps, weight_decay, .. } => {
                *second =
                    super::update::average(second, &gradient.sqr()?, beta2)?;
                let mean = (&*second * self.correction(beta2))?;
                (gradient.div(&(mean.sqrt()? + eps)?)?, weight_decay)
            }
            OptimizerSpec::Sgd { weight_decay, .. } => {
                (gradient.clone(), weight_decay)
            }
            _ => bail!("{} has no schedule-free form", self.spec.kind()),
        };
        let step = (step + (y * weight_decay)?)?;
        let inner = self.lr * (1.0 - beta(self.spec) * (1.0 - share));
        let change = (((&*z - y)? * share)? - (&step * inner)?)?;
        *z = (&*z - (step * self.lr)?)?;
        y + change
    }
}
