//! Optimizers: SGD with momentum and Nesterov, AdamW; weight decay, gradient
//! clipping.
//!
//! candle's SGD has no momentum, and its AdamW keeps its moments to itself.
//! Here the state can be cloned, and on a CPU weights and moments are updated
//! in one pass, in place.

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
        let spec = spec.clone();
        Ok(Self { spec, vars, moments, steps: 0, momentum: None })
    }

    /// Replaces the momentum, or AdamW's first beta, from the next update
    /// on; `None` for the spec's.
    pub(crate) fn set_momentum(&mut self, momentum: Option<f64>) {
        self.momentum = momentum;
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
        let update = Update { spec, steps: self.steps, lr, scale };
        match (&mut self.moments, gradients) {
            (Moments::Flat(moments), Gradients::Slices(gradients)) => {
                let mut from = 0;
                for (var, gradient) in self.vars.iter().zip(gradients) {
                    let to = from + var.elem_count();
                    if let Some(gradient) = gradient {
                        let range = (from, to);
                        let fused = Fused { update, gradient, moments, range };
                        var.inplace_op1(&fused)?;
                    }
                    from = to;
                }
            }
            (Moments::Tensors(moments), Gradients::Tensors(gradients)) => {
                for (var, moments) in self.vars.iter().zip(moments) {
                    if let Some(gradient) = gradients.get(var.as_tensor()) {
                        // Keeping its graph would keep every step's.
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

impl Optim {
    /// The norm of all gradients together by which this optimizer's
    /// schedules are refined: L1 for AdamW, L2 for SGD.
    ///
    /// # Errors
    ///
    /// If the device fails.
    pub(crate) fn refining_norm(
        &self,
        gradients: &Gradients<'_>,
    ) -> Result<f64> {
        self.norm(gradients, if self.spec.is_adaptive() { 1 } else { 2 })
    }

    /// The L1 or L2 norm of all gradients together.
    fn norm(&self, gradients: &Gradients<'_>, power: i32) -> Result<f64> {
        let sum: f64 = match gradients {
            Gradients::Slices(all) => {
                let all = all.iter().flatten().flat_map(|g| g.iter());
                all.map(|&g| f64::from(g).abs().powi(power)).sum()
            }
            Gradients::Tensors(store) => {
                let mut sum = 0.0;
                for var in &self.vars {
                    if let Some(gradient) = store.get(var.as_tensor()) {
                        let gradient = gradient.detach();
                        let each = match power {
                            1 => gradient.abs()?,
                            _ => gradient.sqr()?,
                        };
                        let part = each.sum_all()?.to_scalar::<f32>()?;
                        sum += f64::from(part);
                    }
                }
                sum
            }
        };
        Ok(if power == 1 { sum } else { sum.sqrt() })
    }
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
        let mut optim =
            Optim::new(spec, vec![var.clone()]).expect("an optimizer");
        for _ in 0..steps {
            let gradient = gradients(&var).remove(&var).expect("a gradient");
            let gradient = gradient.to_vec1::<f32>().expect("f32");
            let all = Gradients::Slices(vec![Some(&gradient)]);
            optim.step(&all, lr).expect("a step");
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
            let mut optim =
                Optim::new(&spec, vec![var.clone()]).expect("an optimizer");
            let zeros = var.zeros_like().expect("zeros");
            optim.moments = Moments::Tensors(vec![[zeros.clone(), zeros]]);
            for _ in 0..10 {
                let store = gradients(&var);
                let all = Gradients::Tensors(&store);
                optim.step(&all, 0.02).expect("a step");
            }
            for (a, b) in fused.iter().zip(values(&var)) {
                assert!((a - b).abs() < 1e-5, "{a} {b}");
            }
        }
    }

    #[test]
    fn norms_are_those_of_all_gradients_together() {
        let (a, b) = (weight(&[0.0, 0.0]), weight(&[0.0]));
        let all = Gradients::Slices(vec![Some(&[3.0, -4.0]), Some(&[12.0])]);
        for (spec, want) in
            [(sgd(0.9, false, 0.0), 13.0), (OptimizerSpec::adamw(), 19.0)]
        {
            let optim = Optim::new(&spec, vec![a.clone(), b.clone()]);
            let norm = optim.expect("an optimizer").refining_norm(&all);
            assert_eq!(norm.expect("a norm"), want);
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
