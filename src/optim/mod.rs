//! Optimizers: SGD with momentum and Nesterov, AdamW; weight decay, gradient
//! clipping.
//!
//! candle's SGD has no momentum, and its AdamW keeps its moments to itself.
//! Here the state can be cloned, and on a CPU weights and moments are updated
//! in one pass, in place.

use crate::kernels::update::{self, Adamw, Sgd};
use crate::spec::OptimizerSpec;
use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, InplaceOp2, Layout, Result, Tensor, Var, bail};
use std::cell::RefCell;

/// An optimizer with its state, for a fixed set of weights.
#[derive(Clone)]
pub(crate) struct Optim {
    spec: OptimizerSpec,
    slots: Vec<Slot>,
    /// Updates done.
    steps: i32,
}

/// A weight with its first and second moment; SGD uses the first alone.
#[derive(Clone)]
struct Slot {
    var: Var,
    moments: Moments,
}

#[derive(Clone)]
enum Moments {
    /// On the CPU, updated in place (candle hands an in-place op to itself by
    /// shared reference, hence the cell).
    Slices(RefCell<[Vec<f32>; 2]>),
    /// On another device, replaced by every update.
    Tensors([Tensor; 2]),
}

impl Optim {
    /// Zero moments for `weights`, which are named and in a fixed order.
    ///
    /// # Errors
    ///
    /// If the device has no room for the moments.
    pub(crate) fn new(
        spec: &OptimizerSpec,
        weights: Vec<(String, Var)>,
    ) -> Result<Self> {
        let slots = weights
            .into_iter()
            .map(|(_, var)| {
                let n = var.elem_count();
                let moments = if var.device().is_cpu() {
                    Moments::Slices(RefCell::new([vec![0.0; n], vec![0.0; n]]))
                } else {
                    let zeros = var.as_detached_tensor().zeros_like()?;
                    Moments::Tensors([zeros.clone(), zeros])
                };
                Ok(Slot { var, moments })
            })
            .collect::<Result<_>>()?;
        Ok(Self { spec: spec.clone(), slots, steps: 0 })
    }

    /// One update at learning rate `lr`. Weights without a gradient stay.
    ///
    /// # Errors
    ///
    /// If a gradient has another shape than its weight.
    pub(crate) fn step(
        &mut self,
        gradients: &GradStore,
        lr: f64,
    ) -> Result<()> {
        self.steps = self.steps.saturating_add(1);
        let scale = self.clip(gradients)?;
        let update = Update { spec: &self.spec, steps: self.steps, lr, scale };
        for slot in &mut self.slots {
            let Some(gradient) = gradients.get(slot.var.as_tensor()) else {
                continue;
            };
            // Keeping the graph of a gradient would keep every step's.
            let gradient = gradient.detach().contiguous()?;
            match &mut slot.moments {
                Moments::Slices(moments) => {
                    let fused = Fused { update, moments };
                    slot.var.inplace_op2(&gradient, &fused)?;
                }
                Moments::Tensors(moments) => {
                    update.composed(&slot.var, &gradient, moments)?;
                }
            }
        }
        Ok(())
    }

    /// Factor that brings the gradients' norm within the spec's limit.
    fn clip(&self, gradients: &GradStore) -> Result<f64> {
        let (OptimizerSpec::Sgd { clip_norm, .. }
        | OptimizerSpec::Adamw { clip_norm, .. }) = self.spec;
        let Some(limit) = clip_norm else { return Ok(1.0) };
        let mut square = 0.0;
        for slot in &self.slots {
            if let Some(gradient) = gradients.get(slot.var.as_tensor()) {
                square += sum_of_squares(gradient)?;
            }
        }
        let norm = f64::sqrt(square);
        // As PyTorch's clip_grad_norm_; a NaN norm passes on as NaN.
        Ok(if norm <= limit { 1.0 } else { limit / (norm + 1e-6) })
    }
}

fn sum_of_squares(gradient: &Tensor) -> Result<f64> {
    let flat = gradient.detach().flatten_all()?;
    if flat.device().is_cpu() {
        let values = flat.to_vec1::<f32>()?;
        return Ok(values.iter().map(|&g| f64::from(g).powi(2)).sum());
    }
    Ok(f64::from(flat.sqr()?.sum_all()?.to_scalar::<f32>()?))
}

/// The numbers of one update, of all weights alike.
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
        [first, second]: &mut [Vec<f32>; 2],
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
    moments: &'a RefCell<[Vec<f32>; 2]>,
}

impl InplaceOp2 for Fused<'_> {
    fn name(&self) -> &'static str {
        "optimizer_update"
    }

    fn cpu_fwd(
        &self,
        weight: &mut CpuStorage,
        weight_layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> Result<()> {
        let (CpuStorage::F32(weight), CpuStorage::F32(gradient)) =
            (weight, gradient)
        else {
            bail!("weights and gradients are f32")
        };
        let (Some((from, to)), Some((start, end))) = (
            weight_layout.contiguous_offsets(),
            gradient_layout.contiguous_offsets(),
        ) else {
            bail!("weights and gradients are contiguous")
        };
        if to - from != end - start {
            bail!("a gradient has another size than its weight")
        }
        let mut moments = self.moments.borrow_mut();
        self.update.fused(
            &mut weight[from..to],
            &gradient[start..end],
            &mut moments,
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::on_every_path;
    use candle_core::Device;
    use candle_nn::{AdamW, Optimizer as _, ParamsAdamW};

    fn weight(values: &[f32]) -> Var {
        Var::new(values, &Device::Cpu).expect("a variable")
    }

    fn values(var: &Var) -> Vec<f32> {
        var.to_vec1::<f32>().expect("f32")
    }

    /// Gradient `c * w^2 / 2` summed: the curvatures `c` times `w`.
    fn gradients(var: &Var) -> GradStore {
        let curvatures = Tensor::new(&[1.0_f32, 3.0, -0.5], &Device::Cpu);
        let loss = var
            .sqr()
            .and_then(|square| square.mul(&curvatures?))
            .and_then(|product| (product.sum_all()? * 0.5)?.backward());
        loss.expect("gradients")
    }

    fn run(spec: &OptimizerSpec, steps: usize, lr: f64) -> Vec<f32> {
        let var = weight(&[1.0, -2.0, 0.5]);
        let named = vec![("w".to_owned(), var.clone())];
        let mut optim = Optim::new(spec, named).expect("an optimizer");
        for _ in 0..steps {
            optim.step(&gradients(&var), lr).expect("a step");
        }
        values(&var)
    }

    fn sgd(momentum: f64, nesterov: bool, weight_decay: f64) -> OptimizerSpec {
        OptimizerSpec::Sgd { momentum, nesterov, weight_decay, clip_norm: None }
    }

    /// PyTorch's recurrence in f64.
    fn by_hand(
        momentum: f64,
        nesterov: bool,
        decay: f64,
        steps: usize,
        lr: f64,
    ) -> Vec<f64> {
        let curvatures = [1.0, 3.0, -0.5];
        let mut w = [1.0, -2.0, 0.5];
        let mut v = [0.0; 3];
        for _ in 0..steps {
            for i in 0..3 {
                let g = curvatures[i] * w[i] + decay * w[i];
                v[i] = momentum * v[i] + g;
                w[i] -= lr * if nesterov { g + momentum * v[i] } else { v[i] };
            }
        }
        w.to_vec()
    }

    #[test]
    fn sgd_follows_pytorchs_recurrence() {
        on_every_path(|path| {
            for (momentum, nesterov, decay) in [
                (0.0, false, 0.0),
                (0.9, false, 0.0),
                (0.9, true, 0.01),
                (0.5, false, 0.1),
            ] {
                let got = run(&sgd(momentum, nesterov, decay), 20, 0.05);
                let want = by_hand(momentum, nesterov, decay, 20, 0.05);
                for (got, want) in got.iter().zip(want) {
                    let error = (f64::from(*got) - want).abs();
                    assert!(error < 1e-5, "{path} {momentum}: {got} {want}");
                }
            }
        });
    }

    #[test]
    fn adamw_agrees_with_candles() {
        on_every_path(|path| {
            let mine = run(&OptimizerSpec::adamw(), 50, 0.02);
            let var = weight(&[1.0, -2.0, 0.5]);
            let params = ParamsAdamW {
                lr: 0.02,
                beta1: 0.9,
                beta2: 0.999,
                eps: 1e-8,
                weight_decay: 0.01,
            };
            let mut theirs =
                AdamW::new(vec![var.clone()], params).expect("candle's");
            for _ in 0..50 {
                theirs.step(&gradients(&var)).expect("a step");
            }
            for (a, b) in mine.iter().zip(values(&var)) {
                assert!((a - b).abs() < 2e-5, "{path}: {a} {b}");
            }
        });
    }

    #[test]
    fn the_fused_update_is_the_composed_one() {
        let mut clipped = OptimizerSpec::adamw();
        if let OptimizerSpec::Adamw { clip_norm, .. } = &mut clipped {
            *clip_norm = Some(0.1);
        }
        for spec in [sgd(0.9, true, 0.01), clipped] {
            let fused = run(&spec, 10, 0.02);
            let var = weight(&[1.0, -2.0, 0.5]);
            let named = vec![("w".to_owned(), var.clone())];
            let mut optim = Optim::new(&spec, named).expect("an optimizer");
            let zeros = var.zeros_like().expect("zeros");
            optim.slots[0].moments = Moments::Tensors([zeros.clone(), zeros]);
            for _ in 0..10 {
                optim.step(&gradients(&var), 0.02).expect("a step");
            }
            for (a, b) in fused.iter().zip(values(&var)) {
                assert!((a - b).abs() < 1e-5, "{a} {b}");
            }
        }
    }

    #[test]
    fn clipping_bounds_the_norm_and_keeps_the_direction() {
        let mut spec = sgd(0.0, false, 0.0);
        if let OptimizerSpec::Sgd { clip_norm, .. } = &mut spec {
            *clip_norm = Some(1.0);
        }
        // The gradient is (1, -6, -0.25), of norm 6.09.
        let moved = run(&spec, 1, 1.0);
        let norm = (1.0_f64 + 36.0 + 0.0625).sqrt();
        for ((got, from), g) in
            moved.iter().zip([1.0, -2.0, 0.5]).zip([1.0, -6.0, -0.25])
        {
            assert!((f64::from(*got) - (from - g / norm)).abs() < 1e-5);
        }
    }
}
