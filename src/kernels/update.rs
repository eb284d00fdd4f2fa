//! Optimizer updates: one pass over weights, gradients and moments.

use super::scratch::scratch;
use super::{orthogonal, vectorised};

/// SGD's numbers for one update.
#[derive(Clone, Copy)]
pub(crate) struct Sgd {
    pub(crate) lr: f32,
    pub(crate) momentum: f32,
    pub(crate) nesterov: bool,
    pub(crate) weight_decay: f32,
    /// Factor on the gradient, from clipping.
    pub(crate) scale: f32,
}

/// The numbers of Adam or AdamW for one update.
#[derive(Clone, Copy)]
pub(crate) struct Adam {
    pub(crate) lr: f32,
    pub(crate) beta1: f32,
    pub(crate) beta2: f32,
    /// `1 - beta1`.
    pub(crate) fresh1: f32,
    /// `1 - beta2`.
    pub(crate) fresh2: f32,
    pub(crate) eps: f32,
    pub(crate) weight_decay: f32,
    /// `1 / (1 - beta1^t)`.
    pub(crate) correction1: f32,
    /// `1 / (1 - beta2^t)`.
    pub(crate) correction2: f32,
    /// Factor on the gradient, from clipping.
    pub(crate) scale: f32,
}

/// RMSprop's numbers for one update.
#[derive(Clone, Copy)]
pub(crate) struct Rmsprop {
    pub(crate) lr: f32,
    pub(crate) alpha: f32,
    pub(crate) eps: f32,
    pub(crate) momentum: f32,
    pub(crate) weight_decay: f32,
    /// Factor on the gradient, from clipping.
    pub(crate) scale: f32,
}

/// Lion's numbers for one update.
#[derive(Clone, Copy)]
pub(crate) struct Lion {
    pub(crate) lr: f32,
    pub(crate) beta1: f32,
    pub(crate) beta2: f32,
    pub(crate) weight_decay: f32,
    /// Factor on the gradient, from clipping.
    pub(crate) scale: f32,
}

/// The numbers of Muon for one update of one matrix.
#[derive(Clone, Copy)]
pub(crate) struct Muon {
    /// Learning rate of the weight decay.
    pub(crate) lr: f32,
    /// That of the step, with the factor for the matrix's shape.
    pub(crate) step_lr: f32,
    pub(crate) momentum: f32,
    pub(crate) nesterov: bool,
    pub(crate) weight_decay: f32,
    /// Steps of the Newton-Schulz iteration.
    pub(crate) ns_steps: usize,
    /// Factor on the gradient, from clipping.
    pub(crate) scale: f32,
}

vectorised! {
    /// Moves `a` by `share` of the way to `b`.
    fn approach(a: &mut [f32], b: &[f32], share: f32) {
        for (a, b) in a.iter_mut().zip(b) {
            *a += share * (b - *a);
        }
    }
}

/// The numbers of one update of the schedule-free form of SGD; with them the
/// form of AdamW begins.
#[derive(Clone, Copy)]
pub(crate) struct Free {
    /// Rate of z.
    pub(crate) lr: f32,
    /// Rate of y: `lr (1 - beta (1 - share))`.
    pub(crate) inner_lr: f32,
    /// Share of z in the average.
    pub(crate) share: f32,
    pub(crate) weight_decay: f32,
    /// Factor on the gradient, from clipping.
    pub(crate) scale: f32,
}

/// The numbers of one update of the schedule-free form of AdamW.
#[derive(Clone, Copy)]
pub(crate) struct FreeAdam {
    pub(crate) free: Free,
    pub(crate) beta2: f32,
    /// `1 - beta2`.
    pub(crate) fresh2: f32,
    pub(crate) eps: f32,
    /// `1 / (1 - beta2^t)`.
    pub(crate) correction2: f32,
}

vectorised! {
    /// Schedule-free SGD (Defazio et al., *The Road Less Scheduled*, 2024) as
    /// the package schedulefree has it, with x left out: `g += decay y; y +=
    /// share (z - y) - inner_lr g; z -= lr g`.
    fn free_sgd(y: &mut [f32], g: &[f32], z: &mut [f32], s: Free) {
        for ((y, g), z) in y.iter_mut().zip(g).zip(z.iter_mut()) {
            let g = g * s.scale + s.weight_decay * *y;
            *y += s.share * (*z - *y) - s.inner_lr * g;
            *z -= s.lr * g;
        }
    }
}

vectorised! {
    /// The same of AdamW without its first moment.
    fn free_adamw(
        y: &mut [f32],
        g: &[f32],
        z: &mut [f32],
        v: &mut [f32],
        s: FreeAdam,
    ) {
        let FreeAdam { free, beta2, fresh2, eps, correction2 } = s;
        let moments = z.iter_mut().zip(v.iter_mut());
        for ((y, g), (z, v)) in y.iter_mut().zip(g).zip(moments) {
            let g = g * free.scale;
            *v = beta2 * *v + fresh2 * g * g;
            let deviation = (*v * correction2).sqrt() + eps;
            let g = g / deviation + free.weight_decay * *y;
            *y += free.share * (*z - *y) - free.inner_lr * g;
            *z -= free.lr * g;
        }
    }
}

vectorised! {
    /// PyTorch's SGD: `g += decay w; v = momentum v + g; w -= lr v`, with
    /// Nesterov `w -= lr (g + momentum v)`.
    fn sgd(w: &mut [f32], g: &[f32], v: &mut [f32], s: Sgd) {
        for ((w, g), v) in w.iter_mut().zip(g).zip(v.iter_mut()) {
            let g = g * s.scale + s.weight_decay * *w;
            *v = s.momentum * *v + g;
            let step = if s.nesterov { g + s.momentum * *v } else { *v };
            *w -= s.lr * step;
        }
    }
}

vectorised! {
    /// AdamW (Loshchilov & Hutter, *Decoupled Weight Decay Regularization*,
    /// 2019, algorithm 2), as PyTorch has it.
    fn adamw(w: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32], s: Adam) {
        let moments = m.iter_mut().zip(v.iter_mut());
        for ((w, g), (m, v)) in w.iter_mut().zip(g).zip(moments) {
            let g = g * s.scale;
            *m = s.beta1 * *m + s.fresh1 * g;
            *v = s.beta2 * *v + s.fresh2 * g * g;
            let deviation = (*v * s.correction2).sqrt() + s.eps;
            let step = *m * s.correction1 / deviation;
            *w -= s.lr * (s.weight_decay * *w + step);
        }
    }
}

vectorised! {
    /// Adam (Kingma & Ba, 2015, algorithm 1) with PyTorch's `g += decay w`.
    fn adam(w: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32], s: Adam) {
        let moments = m.iter_mut().zip(v.iter_mut());
        for ((w, g), (m, v)) in w.iter_mut().zip(g).zip(moments) {
            let g = g * s.scale + s.weight_decay * *w;
            *m = s.beta1 * *m + s.fresh1 * g;
            *v = s.beta2 * *v + s.fresh2 * g * g;
            let deviation = (*v * s.correction2).sqrt() + s.eps;
            *w -= s.lr * (*m * s.correction1 / deviation);
        }
    }
}

vectorised! {
    /// PyTorch's RMSprop, not centered: `g += decay w; v = alpha v + (1 -
    /// alpha) g^2; m = momentum m + g / (sqrt(v) + eps); w -= lr m`.
    fn rmsprop(
        w: &mut [f32],
        g: &[f32],
        m: &mut [f32],
        v: &mut [f32],
        s: Rmsprop,
    ) {
        let moments = m.iter_mut().zip(v.iter_mut());
        for ((w, g), (m, v)) in w.iter_mut().zip(g).zip(moments) {
            let g = g * s.scale + s.weight_decay * *w;
            *v = s.alpha * *v + (1.0 - s.alpha) * g * g;
            *m = s.momentum * *m + g / (v.sqrt() + s.eps);
            *w -= s.lr * *m;
        }
    }
}

vectorised! {
    /// Lion (Chen et al., *Symbolic Discovery of Optimization Algorithms*,
    /// 2023, algorithm 2).
    fn lion(w: &mut [f32], g: &[f32], m: &mut [f32], s: Lion) {
        for ((w, g), m) in w.iter_mut().zip(g).zip(m.iter_mut()) {
            let g = g * s.scale;
            let mixed = s.beta1 * *m + (1.0 - s.beta1) * g;
            // The sign of 0 is 0, and that of NaN is NaN.
            let sign = if mixed > 0.0 {
                1.0
            } else if mixed < 0.0 {
                -1.0
            } else {
                mixed
            };
            *w -= s.lr * (s.weight_decay * *w + sign);
            *m = s.beta2 * *m + (1.0 - s.beta2) * g;
        }
    }
}

/// Muon (Jordan et al., *Muon: An optimizer for hidden layers in neural
/// networks*, 2024) as PyTorch has it, of a matrix of `rows` rows: `m =
/// momentum m + (1 - momentum) g; w -= lr decay w + step_lr
/// orthogonal(m)`, with Nesterov of `(1 - momentum) g + momentum m`.
pub(crate) fn muon(
    w: &mut [f32],
    g: &[f32],
    m: &mut [f32],
    rows: usize,
    s: Muon,
) {
    let mut step = scratch(w.len());
    average(&mut step, g, m, s);
    orthogonal::newton_schulz(&mut step, rows, s.ns_steps);
    apply(w, &step, s);
}

vectorised! {
    /// Muon's moment, and the matrix to make orthogonal.
    fn average(step: &mut [f32], g: &[f32], m: &mut [f32], s: Muon) {
        for ((step, g), m) in step.iter_mut().zip(g).zip(m.iter_mut()) {
            let g = g * s.scale;
            *m = s.momentum * *m + (1.0 - s.momentum) * g;
            *step = if s.nesterov {
                (1.0 - s.momentum) * g + s.momentum * *m
            } else {
                *m
            };
        }
    }
}

vectorised! {
    fn apply(w: &mut [f32], step: &[f32], s: Muon) {
        for (w, step) in w.iter_mut().zip(step) {
            *w -= s.lr * s.weight_decay * *w + s.step_lr * step;
        }
    }
}
