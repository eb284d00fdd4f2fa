//! Optimizer updates: one pass over weights, gradients and moments.

use super::vectorised;

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

/// AdamW's numbers for one update.
#[derive(Clone, Copy)]
pub(crate) struct Adamw {
    pub(crate) lr: f32,
    pub(crate) beta1: f32,
    pub(crate) beta2: f32,
    pub(crate) eps: f32,
    pub(crate) weight_decay: f32,
    /// `1 / (1 - beta1^t)`.
    pub(crate) correction1: f32,
    /// `1 / (1 - beta2^t)`.
    pub(crate) correction2: f32,
    /// Factor on the gradient, from clipping.
    pub(crate) scale: f32,
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
    fn adamw(w: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32], s: Adamw) {
        let moments = m.iter_mut().zip(v.iter_mut());
        for ((w, g), (m, v)) in w.iter_mut().zip(g).zip(moments) {
            let g = g * s.scale;
            *m = s.beta1 * *m + (1.0 - s.beta1) * g;
            *v = s.beta2 * *v + (1.0 - s.beta2) * g * g;
            let deviation = (*v * s.correction2).sqrt() + s.eps;
            let step = *m * s.correction1 / deviation;
            *w -= s.lr * (s.weight_decay * *w + step);
        }
    }
}
