//! Values of functions, and of differential equations.

use super::{Draws, Rows};
use crate::data::plain::Targets;
use std::f64::consts::PI;

/// Friedman's first function (1991): five of ten inputs count; noise 1.
pub(super) fn friedman(draws: &mut Draws, n: usize) -> Rows {
    let inputs = draws.uniforms(10 * n);
    let value = |x: &[f64]| {
        10.0 * libm::sin(PI * x[0] * x[1])
            + 20.0 * (x[2] - 0.5) * (x[2] - 0.5)
            + 10.0 * x[3]
            + 5.0 * x[4]
    };
    let targets: Vec<f64> =
        inputs.chunks_exact(10).map(|x| value(x) + draws.normal()).collect();
    (inputs, Targets::Values(targets))
}

/// The distance from the end of an arm with eight joints in space to a point,
/// from the angles of the joints; noise 0.01. Like kin8nm of Delve.
pub(super) fn arm(draws: &mut Draws, n: usize) -> Rows {
    const JOINTS: usize = 8;
    let angles: Vec<f64> = draws
        .uniforms(JOINTS * n)
        .into_iter()
        .map(|u| (u - 0.5) * PI)
        .collect();
    let reach = |angles: &[f64]| {
        // Axes of the frame, each a column.
        let mut axes = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
        let mut end = [0.0; 3];
        for (joint, &angle) in angles.iter().enumerate() {
            let (c, s) = (libm::cos(angle), libm::sin(angle));
            let [a, b, d] = axes;
            let mix = |x: f64, a: [f64; 3], y: f64, b: [f64; 3]| {
                [0, 1, 2].map(|i| x * a[i] + y * b[i])
            };
            axes = if joint % 2 == 0 {
                [mix(c, a, s, b), mix(-s, a, c, b), d]
            } else {
                [mix(c, a, -s, d), b, mix(s, a, c, d)]
            };
            for (end, axis) in end.iter_mut().zip(axes[0]) {
                *end += axis / JOINTS as f64;
            }
        }
        end.iter().map(|x| (x - 0.1) * (x - 0.1)).sum::<f64>().sqrt()
    };
    let targets: Vec<f64> = angles
        .chunks_exact(JOINTS)
        .map(|angles| reach(angles) + 0.01 * draws.normal())
        .collect();
    (angles, Targets::Values(targets))
}

/// A sample of a Gaussian process (squared exponential, length 2) in five
/// dimensions, by 500 random waves; noise 0.1.
pub(super) fn waves(draws: &mut Draws, n: usize) -> Rows {
    const WAVES: usize = 500;
    let frequencies = draws.normals(5 * WAVES);
    let phases = draws.uniforms(WAVES);
    let heights = draws.normals(WAVES);
    let inputs = draws.normals(5 * n);
    let value = |x: &[f64]| -> f64 {
        let wave = |i: usize| {
            let of = frequencies[5 * i..5 * i + 5].iter().zip(x);
            let along: f64 = of.map(|(w, x)| w / 2.0 * x).sum();
            heights[i] * libm::cos(along + 2.0 * PI * phases[i])
        };
        (2.0 / WAVES as f64).sqrt() * (0..WAVES).map(wave).sum::<f64>()
    };
    let targets: Vec<f64> = inputs
        .chunks_exact(5)
        .map(|x| value(x) + 0.1 * draws.normal())
        .collect();
    (inputs, Targets::Values(targets))
}

/// Sine and cosine of both angles of a double pendulum 1.5 seconds after it
/// was let go (unit masses and lengths), from angles and speeds.
pub(super) fn pendulum(draws: &mut Draws, n: usize) -> Rows {
    let reach = [2.0, 2.0, 1.0, 1.0];
    let start: Vec<f64> = draws
        .uniforms(4 * n)
        .into_iter()
        .zip(reach.into_iter().cycle())
        .map(|(u, reach)| (2.0 * u - 1.0) * reach)
        .collect();
    let mut targets = vec![];
    for row in start.chunks_exact(4) {
        let mut state = [row[0], row[1], row[2], row[3]];
        for _ in 0..150 {
            state = runge_kutta(state, 0.01, swing);
        }
        for angle in [state[0], state[1]] {
            targets.extend([libm::sin(angle), libm::cos(angle)]);
        }
    }
    (start, Targets::Values(targets))
}

/// What angles and speeds of the pendulum change by.
fn swing([a, b, p, q]: [f64; 4]) -> [f64; 4] {
    const G: f64 = 9.81;
    let d = a - b;
    let (sin, cos) = (libm::sin(d), libm::cos(d));
    let k = 3.0 - libm::cos(2.0 * d);
    let pull = -3.0 * G * libm::sin(a) - G * libm::sin(a - 2.0 * b);
    [
        p,
        q,
        (pull - 2.0 * sin * (q * q + p * p * cos)) / k,
        2.0 * sin * (2.0 * p * p + 2.0 * G * libm::cos(a) + q * q * cos) / k,
    ]
}

/// One step of the classical Runge-Kutta method. Sums are in the order of the
/// reference, so that chaotic systems agree to the bit.
pub(super) fn runge_kutta<const N: usize>(
    x: [f64; N],
    step: f64,
    rate: impl Fn([f64; N]) -> [f64; N],
) -> [f64; N] {
    let after = |h: f64, k: &[f64; N]| std::array::from_fn(|i| x[i] + h * k[i]);
    let k1 = rate(x);
    let k2 = rate(after(step / 2.0, &k1));
    let k3 = rate(after(step / 2.0, &k2));
    let k4 = rate(after(step, &k3));
    std::array::from_fn(|i| {
        x[i] + step / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i])
    })
}

/// Burgers' equation u_t + u u_x = 0.02 u_xx on a circle, from four random
/// waves to t = 0.5: 32 values from 32.
pub(super) fn burgers(draws: &mut Draws, n: usize) -> Rows {
    const CELLS: usize = 64;
    let heights = draws.normals(4 * n);
    let phases = draws.uniforms(4 * n);
    let (mut inputs, mut targets) = (vec![], vec![]);
    for (heights, phases) in heights.chunks_exact(4).zip(phases.chunks_exact(4))
    {
        let mut u: [f64; CELLS] = std::array::from_fn(|i| {
            let wave = |k: usize| {
                let turns = (k + 1) as f64 * (i as f64 / CELLS as f64);
                let height = heights[k] / (k + 1) as f64;
                height * libm::sin(2.0 * PI * turns + 2.0 * PI * phases[k])
            };
            (0..4).map(wave).sum()
        });
        inputs.extend(u.iter().step_by(2));
        for _ in 0..1000 {
            u = burgers_step(&u);
        }
        targets.extend(u.iter().step_by(2));
    }
    (inputs, Targets::Values(targets))
}

/// A step of 1/2000 with Rusanov's fluxes.
fn burgers_step<const N: usize>(u: &[f64; N]) -> [f64; N] {
    let h = 1.0 / N as f64;
    // Through the right edge of each cell.
    let mut flux = [0.0; N];
    for i in 0..N {
        let (left, right) = (u[i], u[(i + 1) % N]);
        let mean = 0.25 * (left * left + right * right);
        let speed = left.abs().max(right.abs());
        flux[i] =
            mean - 0.5 * speed * (right - left) - 0.02 * (right - left) / h;
    }
    std::array::from_fn(|i| {
        u[i] - 1.0 / 2000.0 / h * (flux[i] - flux[(i + N - 1) % N])
    })
}
