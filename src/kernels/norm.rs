//! Layer norm (Ba, Kiros & Hinton 2016) and batch norm (Ioffe & Szegedy
//! 2015).

use super::scratch::scratch;
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
    // By halves, which vectorises; the order is fixed.
    let mut half = LANES / 2;
    while half > 0 {
        for l in 0..half {
            lanes[l] += lanes[l + half];
        }
        half /= 2;
    }
    lanes[0] + rest
}

vectorised! {
    /// `y = (x - mean) / deviation * weight + bias` for rows of the weight's
    /// length; the mean and the reciprocal deviation of each row go to
    /// `moments`.
    fn layer_norm(
        x: &[f32],
        weight: &[f32],
        bias: &[f32],
        eps: f32,
        y: &mut [f32],
        moments: &mut [f32],
    ) {
        let width = weight.len();
        let rows = x
            .chunks_exact(width)
            .zip(y.chunks_exact_mut(width))
            .zip(moments.chunks_exact_mut(2));
        for ((x, y), moments) in rows {
            let n = width as f32;
            let mean = sum(x, |x, _| x) / n;
            let square = sum(x, |x, _| (x - mean) * (x - mean)) / n;
            let inverse = 1.0 / (square + eps).sqrt();
            moments.copy_from_slice(&[mean, inverse]);
            for (((y, x), w), b) in y.iter_mut().zip(x).zip(weight).zip(bias) {
                *y = (x - mean) * inverse * w + b;
            }
        }
    }
}

vectorised! {
    /// Gradients of [`layer_norm`]: writes `dx`, adds to the others.
    fn layer_norm_backward(
        x: &[f32],
        weight: &[f32],
        moments: &[f32],
        dy: &[f32],
        dx: &mut [f32],
        dweight: &mut [f32],
        dbias: &mut [f32],
    ) {
        let width = weight.len();
        let rows = x
            .chunks_exact(width)
            .zip(dy.chunks_exact(width))
            .zip(dx.chunks_exact_mut(width))
            .zip(moments.chunks_exact(2));
        for (((x, dy), dx), moments) in rows {
            let (mean, inverse) = (moments[0], moments[1]);
            for (((dweight, dbias), x), dy) in
                dweight.iter_mut().zip(&mut *dbias).zip(x).zip(dy)
            {
                *dweight += dy * ((x - mean) * inverse);
                *dbias += dy;
            }
            let n = width as f32;
            let weight = &weight[..dy.len()];
            let x = &x[..dy.len()];
            let mean_dy = sum(dy, |dy, i| dy * weight[i]) / n;
            let mean_dy_normed =
                sum(dy, |dy, i| dy * weight[i] * (x[i] - mean)) * inverse / n;
            for (((dx, dy), w), x) in dx.iter_mut().zip(dy).zip(weight).zip(x) {
                let normed = (x - mean) * inverse;
                *dx = inverse * (dy * w - mean_dy - normed * mean_dy_normed);
            }
        }
    }
}

/// Rows per partial sum: longer sums in f32 lose digits.
const ROWS: usize = 1024;

vectorised! {
    /// Adds the columns' sums of the distances from `origin`, and of their
    /// squares.
    fn add_column_powers(
        x: &[f32],
        origin: &[f32],
        sums: &mut [f32],
        squares: &mut [f32],
    ) {
        for row in x.chunks_exact(origin.len()) {
            for (((sum, square), x), origin) in
                sums.iter_mut().zip(&mut *squares).zip(row).zip(origin)
            {
                let distance = x - origin;
                *sum += distance;
                *square += distance * distance;
            }
        }
    }
}

/// Mean and variance (over n, not n - 1) of each column, channels-last, in
/// one pass: from the distances to the first row, so that no digits cancel.
pub(crate) fn column_moments(
    x: &[f32],
    mean: &mut [f32],
    variance: &mut [f32],
) {
    let width = mean.len();
    let n = (x.len() / width) as f64;
    let origin = &x[..width];
    let mut totals = vec![(0.0_f64, 0.0_f64); width];
    let (mut sums, mut squares) = (scratch(width), scratch(width));
    for rows in x.chunks(ROWS * width) {
        sums.fill(0.0);
        squares.fill(0.0);
        add_column_powers(rows, origin, &mut sums, &mut squares);
        for ((total, sum), square) in
            totals.iter_mut().zip(&*sums).zip(&*squares)
        {
            total.0 += f64::from(*sum);
            total.1 += f64::from(*square);
        }
    }
    let columns = mean.iter_mut().zip(variance).zip(origin).zip(totals);
    for (((mean, variance), origin), (sum, square)) in columns {
        let shift = sum / n;
        *mean = narrow(f64::from(*origin) + shift);
        *variance = narrow((square / n - shift * shift).max(0.0));
    }
}

#[expect(clippy::cast_possible_truncation, reason = "kernels are f32")]
fn narrow(x: f64) -> f32 {
    x as f32
}

vectorised! {
    /// `y = x * scale + shift` by columns, rectified if `relu`.
    fn scale_columns(
        x: &[f32],
        scale: &[f32],
        shift: &[f32],
        relu: bool,
        y: &mut [f32],
    ) {
        let width = scale.len();
        for (x, y) in x.chunks_exact(width).zip(y.chunks_exact_mut(width)) {
            for (((y, x), a), b) in y.iter_mut().zip(x).zip(scale).zip(shift) {
                let z = x * a + b;
                *y = if relu && z < 0.0 { 0.0 } else { z };
            }
        }
    }
}

vectorised! {
    /// Adds the columns' sums of `dy` and of `dy (x - mean)`.
    fn add_column_slopes(
        x: &[f32],
        dy: &[f32],
        mean: &[f32],
        sums: &mut [f32],
        products: &mut [f32],
    ) {
        let width = mean.len();
        for (x, dy) in x.chunks_exact(width).zip(dy.chunks_exact(width)) {
            for ((((sum, product), x), dy), mean) in
                sums.iter_mut().zip(&mut *products).zip(x).zip(dy).zip(mean)
            {
                *sum += dy;
                *product += dy * (x - mean);
            }
        }
    }
}

vectorised! {
    /// `dx = dy by_dy + x by_x + shift` by columns.
    fn mix_columns(
        x: &[f32],
        dy: &[f32],
        by_dy: &[f32],
        by_x: &[f32],
        shift: &[f32],
        dx: &mut [f32],
    ) {
        let width = shift.len();
        let rows = x
            .chunks_exact(width)
            .zip(dy.chunks_exact(width))
            .zip(dx.chunks_exact_mut(width));
        for ((x, dy), dx) in rows {
            for (((((dx, x), dy), a), b), c) in
                dx.iter_mut().zip(x).zip(dy).zip(by_dy).zip(by_x).zip(shift)
            {
                *dx = dy * a + x * b + c;
            }
        }
    }
}

/// How a batch norm normalised.
#[derive(Clone, Copy)]
pub(crate) struct Normalised<'a> {
    pub(crate) mean: &'a [f32],
    /// Reciprocal deviation.
    pub(crate) inverse: &'a [f32],
    /// Neither depends on the batch.
    pub(crate) fixed: bool,
}

/// Writes the gradients of a batch norm with respect to its weight and bias.
/// `dy` is the gradient with respect to the value before the activation. Rows
/// have the length of the mean.
pub(crate) fn batch_norm_slopes(
    x: &[f32],
    dy: &[f32],
    by: Normalised<'_>,
    dweight: &mut [f32],
    dbias: &mut [f32],
) {
    let width = by.mean.len();
    let (mut sums, mut products) = (scratch(width), scratch(width));
    dweight.fill(0.0);
    dbias.fill(0.0);
    let groups = x.chunks(ROWS * width).zip(dy.chunks(ROWS * width));
    for (x, dy) in groups {
        sums.fill(0.0);
        products.fill(0.0);
        add_column_slopes(x, dy, by.mean, &mut sums, &mut products);
        super::activation::add(&sums, dbias);
        super::activation::add(&products, dweight);
    }
    for (dweight, inverse) in dweight.iter_mut().zip(by.inverse) {
        *dweight *= inverse;
    }
}

/// Writes the gradient of a batch norm with respect to its input, from the
/// gradients of its weight and its bias.
pub(crate) fn batch_norm_backward(
    x: &[f32],
    dy: &[f32],
    by: Normalised<'_>,
    weight: &[f32],
    (dweight, dbias): (&[f32], &[f32]),
    dx: &mut [f32],
) {
    let width = by.mean.len();
    let n = (x.len() / width) as f32;
    let (mut by_dy, mut by_x) = (scratch(width), scratch(width));
    let mut shift = scratch(width);
    by_x.fill(0.0);
    shift.fill(0.0);
    for i in 0..width {
        by_dy[i] = weight[i] * by.inverse[i];
        if !by.fixed {
            by_x[i] = -by_dy[i] * by.inverse[i] * dweight[i] / n;
            shift[i] = -by_dy[i] * dbias[i] / n - by_x[i] * by.mean[i];
        }
    }
    mix_columns(x, dy, &by_dy, &by_x, &shift, dx);
}
