//! Element-wise functions, and the exponential that others build on.

use super::{LANES, vectorised};
use serde::{Deserialize, Serialize};

/// What follows a linear layer.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// Nothing.
    #[default]
    Identity,
    /// `max(x, 0)`.
    Relu,
    /// Gaussian error linear unit, tanh form (Hendrycks & Gimpel 2016).
    Gelu,
    /// `x / (1 + e^-x)` (Elfwing, Uchibe & Doya 2018).
    Silu,
}

/// e^x to about 2 units in the last place, branch-free so that it
/// vectorises; 0 below -87, infinity only for infinity, NaN for NaN.
///
/// Cody-Waite reduction to `[-ln 2 / 2, ln 2 / 2]` and a polynomial of degree
/// 6 (Taylor, whose remainder there is below 2e-8).
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    // 1.5 * 2^23: adding it rounds to a whole number in the low bits.
    const ROUND: f32 = 12_582_912.0;
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let limited = if x > 88.0 { 88.0 } else { x };
    let limited = if limited < -87.0 { -87.0 } else { limited };
    let shifted = limited * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = limited - n * LN2_HIGH - n * LN2_LOW;
    let p = 1.0 / 720.0;
    let p = p * r + 1.0 / 120.0;
    let p = p * r + 1.0 / 24.0;
    let p = p * r + 1.0 / 6.0;
    let p = p * r + 0.5;
    let p = p * r + 1.0;
    let p = p * r + 1.0;
    let exponent = (shifted.to_bits() << 23).wrapping_add(127 << 23);
    let y = p * f32::from_bits(exponent);
    let y = if x < -87.0 { 0.0 } else { y };
    if x > 88.0 { f32::INFINITY } else { y }
}

/// Argument of the sigmoid that GELU multiplies with, and its derivative.
#[inline(always)]
fn gelu_argument(x: f32) -> (f32, f32) {
    // 2 sqrt(2 / pi), and the cubic term of the tanh form.
    const SCALE: f32 = 1.595_769;
    const CUBIC: f32 = 0.044_715;
    let square = x * x;
    (SCALE * x * (1.0 + CUBIC * square), SCALE * (1.0 + 3.0 * CUBIC * square))
}

/// NaN stays NaN, other than with `f32::max`.
#[inline(always)]
fn relu(x: f32) -> f32 {
    if x < 0.0 { 0.0 } else { x }
}

vectorised! {
    /// `x = gelu(x)`, and the derivative there.
    fn gelu(x: &mut [f32], slopes: &mut [f32]) {
        for (x, slope) in x.iter_mut().zip(slopes) {
            let (argument, steepness) = gelu_argument(*x);
            let s = 1.0 / (1.0 + exp(-argument));
            *slope = s + *x * s * (1.0 - s) * steepness;
            *x *= s;
        }
    }
}

vectorised! {
    /// `x = silu(x)`, and the derivative there.
    fn silu(x: &mut [f32], slopes: &mut [f32]) {
        for (x, slope) in x.iter_mut().zip(slopes) {
            let s = 1.0 / (1.0 + exp(-*x));
            *slope = s * (1.0 + *x * (1.0 - s));
            *x *= s;
        }
    }
}

vectorised! {
    /// `y = relu(x)`.
    fn relu_forward(x: &[f32], y: &mut [f32]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y = relu(*x);
        }
    }
}

vectorised! {
    /// `dy = dy slopes`.
    fn multiply(slopes: &[f32], dy: &mut [f32]) {
        for (dy, slope) in dy.iter_mut().zip(slopes) {
            *dy *= slope;
        }
    }
}

vectorised! {
    /// `dy = 0` where the rectified output `y` is 0 (NaN passes on).
    fn relu_backward(y: &[f32], dy: &mut [f32]) {
        for (dy, y) in dy.iter_mut().zip(y) {
            *dy = if *y == 0.0 { 0.0 } else { *dy };
        }
    }
}

vectorised! {
    /// `into = into + x`.
    fn add(x: &[f32], into: &mut [f32]) {
        for (into, x) in into.iter_mut().zip(x) {
            *into += x;
        }
    }
}

vectorised! {
    /// `y = a + b`, rectified if `rectified`.
    fn sum(a: &[f32], b: &[f32], rectified: bool, y: &mut [f32]) {
        for ((y, a), b) in y.iter_mut().zip(a).zip(b) {
            let sum = a + b;
            *y = if rectified { relu(sum) } else { sum };
        }
    }
}

/// Columns that are summed at once, in registers.
const STRIPE: usize = 32;

/// Adds the columns of `x`, `WIDTH` from `at` on, to `sums`.
#[inline(always)]
fn add_stripe<const WIDTH: usize>(
    x: &[f32],
    columns: usize,
    at: usize,
    sums: &mut [f32],
) {
    let mut stripe = [0.0_f32; WIDTH];
    stripe.copy_from_slice(&sums[at..at + WIDTH]);
    for row in x.chunks_exact(columns) {
        for (sum, x) in stripe.iter_mut().zip(&row[at..at + WIDTH]) {
            *sum += x;
        }
    }
    sums[at..at + WIDTH].copy_from_slice(&stripe);
}

vectorised! {
    /// Sums of the columns of `x`, rows of `sums`'s length, added to `sums`.
    fn add_column_sums(x: &[f32], sums: &mut [f32]) {
        let columns = sums.len();
        let mut at = 0;
        while at + STRIPE <= columns {
            add_stripe::<STRIPE>(x, columns, at, sums);
            at += STRIPE;
        }
        while at + LANES <= columns {
            add_stripe::<LANES>(x, columns, at, sums);
            at += LANES;
        }
        if at + LANES / 2 <= columns {
            add_stripe::<{ LANES / 2 }>(x, columns, at, sums);
            at += LANES / 2;
        }
        if at < columns {
            for row in x.chunks_exact(columns) {
                for (sum, x) in sums[at..].iter_mut().zip(&row[at..]) {
                    *sum += x;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::on_every_path;

    #[test]
    fn the_exponential_is_accurate_and_keeps_special_values() {
        for i in -8700..8800 {
            let x = i as f32 / 100.0;
            let (got, want) = (f64::from(exp(x)), f64::from(x).exp());
            assert!((got / want - 1.0).abs() < 1e-6, "{x}: {got} {want}");
        }
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp(f32::INFINITY), f32::INFINITY);
        assert!(exp(f32::NAN).is_nan());
        assert_eq!(exp(0.0), 1.0);
    }

    #[test]
    fn gelu_and_its_derivative_match_the_formula() {
        on_every_path(|path| {
            let x: Vec<f32> = (-50..=50).map(|i| i as f32 / 10.0).collect();
            let (mut y, mut dx) = (x.clone(), vec![0.0; x.len()]);
            gelu(&mut y, &mut dx);
            let exact = |x: f64| {
                let u = (2.0 / std::f64::consts::PI).sqrt()
                    * (x + 0.044_715 * x.powi(3));
                0.5 * x * (1.0 + u.tanh())
            };
            for ((&x, &y), &dx) in x.iter().zip(&y).zip(&dx) {
                let x = f64::from(x);
                assert!((f64::from(y) - exact(x)).abs() < 1e-6, "{path} {x}");
                let slope = (exact(x + 1e-5) - exact(x - 1e-5)) / 2e-5;
                assert!((f64::from(dx) - slope).abs() < 1e-5, "{path} {x}");
            }
        });
    }

    #[test]
    fn relu_lets_nan_through_both_ways() {
        on_every_path(|path| {
            let mut y = [0.0; 3];
            relu_forward(&[f32::NAN, -1.0, 2.0], &mut y);
            assert!(y[0].is_nan(), "{path}");
            assert_eq!(y[1..], [0.0, 2.0], "{path}");
            let mut dx = [1.0, 1.0, f32::NAN];
            relu_backward(&y, &mut dx);
            assert_eq!(dx[..2], [1.0, 0.0], "{path}");
            assert!(dx[2].is_nan(), "{path}");
        });
    }
}
