//! Layer norm (Ba, Kiros & Hinton 2016).

use super::{LANES, vectorised};

/// Sum in sixteen independent lanes, so that it vectorises, always in the
/// same order.
#[inline(always)]
fn sum(values: &[f32], of: impl Fn(f32, usize) -> f32) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let whole = values.len() / LANES * LANES;
    for start in (0..whole).step_by(LANES) {
        for (l, lane) in lanes.iter_mut().enumerate() {
            *lane += of(values[start + l], start + l);
        }
    }
    let mut rest = 0.0;
    for (i, &value) in values.iter().enumerate().skip(whole) {
        rest += of(value, i);
    }
    lanes.iter().sum::<f32>() + rest
}

/// Mean and reciprocal deviation of a row.
#[inline(always)]
fn moments(row: &[f32], eps: f32) -> (f32, f32) {
    let n = row.len() as f32;
    let mean = sum(row, |x, _| x) / n;
    let square = sum(row, |x, _| (x - mean) * (x - mean)) / n;
    (mean, 1.0 / (square + eps).sqrt())
}

vectorised! {
    /// `y = (x - mean) / deviation * weight + bias` for rows of the weight's
    /// length.
    fn layer_norm(
        x: &[f32],
        weight: &[f32],
        bias: &[f32],
        eps: f32,
        y: &mut [f32],
    ) {
        let width = weight.len();
        for (x, y) in x.chunks_exact(width).zip(y.chunks_exact_mut(width)) {
            let (mean, inverse) = moments(x, eps);
            for (((y, x), w), b) in y.iter_mut().zip(x).zip(weight).zip(bias) {
                *y = (x - mean) * inverse * w + b;
            }
        }
    }
}

vectorised! {
    /// Gradients of [`layer_norm`]: writes `dx`, adds to `dweight` and
    /// `dbias`.
    fn layer_norm_backward(
        x: &[f32],
        weight: &[f32],
        eps: f32,
        dy: &[f32],
        dx: &mut [f32],
        dweight: &mut [f32],
        dbias: &mut [f32],
    ) {
        let width = weight.len();
        let rows = x
            .chunks_exact(width)
            .zip(dy.chunks_exact(width))
            .zip(dx.chunks_exact_mut(width));
        for ((x, dy), dx) in rows {
            let (mean, inverse) = moments(x, eps);
            for i in 0..width {
                let normed = (x[i] - mean) * inverse;
                dweight[i] += dy[i] * normed;
                dbias[i] += dy[i];
            }
            let n = width as f32;
            let mean_dy = sum(dy, |dy, i| dy * weight[i]) / n;
            let mean_dy_normed = sum(dy, |dy, i| {
                dy * weight[i] * (x[i] - mean) * inverse
            }) / n;
            for i in 0..width {
                let normed = (x[i] - mean) * inverse;
                dx[i] = inverse
                    * (dy[i] * weight[i] - mean_dy - normed * mean_dy_normed);
            }
        }
    }
}
