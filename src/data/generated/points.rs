//! Classes and values of points in a few dimensions.

use super::{Draws, Rows, classes_of, floor};
use crate::data::plain::Targets;
use std::f64::consts::PI;

/// Five arms of a spiral, 1.25 turns long, in the first two of eight columns;
/// the others are noise.
pub(super) fn spirals(draws: &mut Draws, n: usize) -> Rows {
    let labels = draws.belows(5, n);
    let radii: Vec<f64> =
        draws.uniforms(n).into_iter().map(f64::sqrt).collect();
    let noise = draws.normals(2 * n);
    let others = draws.normals(6 * n);
    let mut inputs = vec![];
    for i in 0..n {
        let (t, label) = (radii[i], labels[i] as f64);
        let angle = 2.0 * PI * (1.25 * t + label / 5.0);
        inputs.push(3.0 * t * libm::cos(angle) + 0.16 * noise[2 * i]);
        inputs.push(3.0 * t * libm::sin(angle) + 0.16 * noise[2 * i + 1]);
        inputs.extend_from_slice(&others[6 * i..6 * i + 6]);
    }
    (inputs, classes_of(labels.into_iter()))
}

/// The squares of a turned board of 6 x 6 in three colours; a tenth of the
/// labels are drawn anew.
pub(super) fn checkerboard(draws: &mut Draws, n: usize) -> Rows {
    let (cos, sin) = (libm::cos(0.4), libm::sin(0.4));
    let points: Vec<f64> =
        draws.uniforms(2 * n).into_iter().map(|u| 6.0 * u - 3.0).collect();
    let colour = |point: &[f64]| {
        let u = cos * point[0] - sin * point[1];
        let v = sin * point[0] + cos * point[1];
        floor((u.floor() + 2.0 * v.floor()).rem_euclid(3.0))
    };
    let labels: Vec<usize> = points.chunks_exact(2).map(colour).collect();
    let labels = draws.flip(&labels, 3, 0.1);
    (points, labels)
}

/// The class of the nearest of 120 points in 12 dimensions; a twentieth of the
/// labels are drawn anew.
pub(super) fn prototypes(draws: &mut Draws, n: usize) -> Rows {
    const SIDES: usize = 12;
    let prototypes = draws.normals(120 * SIDES);
    let points = draws.normals(n * SIDES);
    let nearest = |point: &[f64]| {
        let distance = |prototype: &[f64]| {
            let sides = prototype.iter().zip(point);
            sides.map(|(a, b)| (a - b) * (a - b)).sum::<f64>()
        };
        let distances = prototypes.chunks_exact(SIDES).map(distance);
        let nearest = distances.enumerate().min_by(|a, b| a.1.total_cmp(&b.1));
        nearest.map_or(0, |(index, _)| index % 10)
    };
    let labels: Vec<usize> = points.chunks_exact(SIDES).map(nearest).collect();
    let labels = draws.flip(&labels, 10, 0.05);
    (points, labels)
}

/// log(1 + steps) of z -> z^2 + c inside the circle of radius 2, at most 60;
/// the inputs are c and 36 waves of it.
pub(super) fn mandelbrot(draws: &mut Draws, n: usize) -> Rows {
    const STEPS: usize = 60;
    let frequencies: Vec<(f64, f64)> = (0..4)
        .flat_map(|k| (-3..4).map(move |l: i32| (k, l)))
        .filter(|&(k, l)| (k, l) > (0, 0) && k + l.abs() <= 4)
        .map(|(k, l)| (f64::from(k), f64::from(l)))
        .collect();
    let (mut inputs, mut targets) = (vec![], vec![]);
    for point in draws.uniforms(2 * n).chunks_exact(2) {
        let (u, v) = (point[0], point[1]);
        let (re, im) = (-2.1 + 2.7 * u, 1.2 * v);
        inputs.extend([re, im]);
        for (k, l) in &frequencies {
            let angle = 2.0 * PI * (k * u + l * v) / 2.0;
            inputs.extend([libm::sin(angle), libm::cos(angle)]);
        }
        let (mut x, mut y, mut steps) = (0.0, 0.0, 0.0);
        for _ in 0..STEPS {
            (x, y) = (x * x - y * y + re, 2.0 * x * y + im);
            if x * x + y * y > 4.0 {
                break;
            }
            steps += 1.0;
        }
        targets.push(libm::log1p(steps));
    }
    (inputs, Targets::Values(targets))
}
