//! Chaotic series to forecast, and random processes to tell apart.

use super::regression::runge_kutta;
use super::{Draws, Rows, classes_of};
use crate::data::plain::Targets;
use std::f64::consts::PI;

/// x of the Lorenz system 0.6 after the last of eight views, 0.06 apart, with
/// noise 0.2.
pub(super) fn lorenz(draws: &mut Draws, n: usize) -> Rows {
    const SKIPPED: usize = 1000;
    const AHEAD: usize = 42 + 60;
    let rate = |[x, y, z]: [f64; 3]| {
        [10.0 * (y - x), x * (28.0 - z) - y, x * y - 8.0 / 3.0 * z]
    };
    let mut state = [1.0, 1.0, 20.0];
    let mut x = vec![];
    for _ in 0..=SKIPPED + 6 * (n - 1) + AHEAD {
        x.push(state[0]);
        state = runge_kutta(state, 0.01, rate);
    }
    let x = &x[SKIPPED..];
    let view = |i: usize| x[6 * (i / 8) + 6 * (i % 8)];
    let inputs = (0..8 * n).map(|i| view(i) + 0.2 * draws.normal()).collect();
    let targets = (0..n).map(|t| x[6 * t + AHEAD]).collect();
    (inputs, Targets::Values(targets))
}

/// The Mackey-Glass series (0.2, 0.1, exponent 10, delay 30) 60 after the last
/// of ten views, 6 apart, with noise 0.02.
pub(super) fn mackey(draws: &mut Draws, n: usize) -> Rows {
    const DELAY: usize = 300;
    const SKIPPED: usize = 3000;
    const AHEAD: usize = 54 + 60;
    let mut x = vec![1.2; DELAY + 1];
    while x.len() < 10 * (SKIPPED + 2 * n + 130) {
        let now = x[x.len() - 1];
        let delayed = x[x.len() - 1 - DELAY];
        let square = delayed * delayed;
        let fourth = square * square;
        // No power function: its last bit would differ.
        let growth = 0.2 * delayed / (1.0 + fourth * fourth * square);
        x.push(now + 0.1 * (growth - 0.1 * now));
    }
    let m: Vec<f64> = x.into_iter().step_by(10).skip(SKIPPED).collect();
    let view = |i: usize| m[2 * (i / 10) + 6 * (i % 10)];
    let inputs = (0..10 * n).map(|i| view(i) + 0.02 * draws.normal()).collect();
    let targets = (0..n).map(|t| m[2 * t + AHEAD]).collect();
    (inputs, Targets::Values(targets))
}

/// Points of a signal.
const POINTS: usize = 48;

/// Which of eight processes made a signal: white noise, a walk, AR(1), AR(2),
/// MA(2), a telegraph, changing volatility, a sine in noise. Each signal is
/// standardised by itself.
pub(super) fn processes(draws: &mut Draws, n: usize) -> Rows {
    let labels = draws.belows(8, n);
    let errors = draws.normals(POINTS * n);
    let chances = draws.uniforms(POINTS * n);
    let sizes = draws.uniforms(n);
    let mut inputs = vec![];
    for (i, &label) in labels.iter().enumerate() {
        let row = POINTS * i..POINTS * (i + 1);
        let e = &errors[row.clone()];
        let signal = process(label, e, &chances[row], sizes[i]);
        let mean = signal.iter().sum::<f64>() / POINTS as f64;
        let square = signal.iter().map(|x| (x - mean) * (x - mean));
        let deviation = (square.sum::<f64>() / POINTS as f64).sqrt();
        inputs.extend(signal.iter().map(|x| (x - mean) / deviation));
    }
    (inputs, classes_of(labels.into_iter()))
}

/// The process `kind` from its errors `e`, uniform numbers `u` and a size `a`.
fn process(kind: usize, e: &[f64], u: &[f64], a: f64) -> [f64; POINTS] {
    let mut v = [0.0; POINTS];
    // The telegraph's state; the variance of the next error.
    let mut h = 1.0_f64;
    let turn = 1.6 * libm::cos(2.0 * PI * (0.08 + 0.2 * a));
    let back = |v: &[f64], t: usize, by: usize| {
        t.checked_sub(by).map_or(0.0, |t| v[t])
    };
    for t in 0..POINTS {
        let (p, q) = (back(&v, t, 1), back(&v, t, 2));
        v[t] = match kind {
            0 => e[t],
            1 => p + e[t],
            2 => (0.5 + 0.45 * a) * p + e[t],
            3 => turn * p - 0.64 * q + e[t],
            4 => e[t] + 0.8 * back(e, t, 1) + 0.6 * back(e, t, 2),
            5 => {
                if u[t] < 0.05 + 0.1 * a {
                    h = -h;
                }
                h + 0.6 * e[t]
            }
            6 => {
                let x = h.sqrt() * e[t];
                h = 0.1 + 0.5 * x * x + 0.45 * h;
                x
            }
            _ => {
                let turns = t as f64 * (0.03 + 0.15 * a) + u[0];
                libm::sin(2.0 * PI * turns) + 0.8 * e[t]
            }
        };
    }
    v
}
