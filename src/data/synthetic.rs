//! Generated data sets.

use super::DATA_SEED;
use super::plain::Plain;
use crate::seed::{NumpyLegacy, stream};
use rand::Rng;
use rand_distr::{Distribution as _, StandardNormal};

/// MNIST-1D, procedurally generated: 3,500 / 500 / 1,000 signals of 40
/// points, 10 classes.
///
/// The default recipe of the package `mnist1d` 0.0.2 (Greydanus & Kobak,
/// *Scaling down Deep Learning with MNIST-1D*, 2024) with its seed 42: the
/// numbers are those of the published set.
pub(super) fn mnist1d() -> Plain {
    const PER_CLASS: usize = 500;
    const LENGTH: usize = 40;
    let mut rng = NumpyLegacy::new(42);
    let mut signals = vec![];
    for template in templates() {
        for _ in 0..PER_CLASS {
            signals.push(signal(&template, LENGTH, &mut rng));
        }
    }
    let order = rng.permutation(5000);
    let all: Vec<f64> = order
        .iter()
        .flat_map(|&i| signals[i as usize].iter().copied())
        .collect();
    let labels: Vec<u32> = order.iter().map(|&i| i / 500).collect();
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    let square =
        all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / all.len() as f64;
    let deviation = square.sqrt();
    let values: Vec<f32> =
        all.iter().map(|x| narrow((x - mean) / deviation)).collect();
    let cuts = [0..3500, 3500..4000, 4000..5000];
    Plain::classify(
        vec![1, LENGTH],
        10,
        cuts.clone()
            .map(|cut| values[cut.start * LENGTH..cut.end * LENGTH].to_vec()),
        cuts.map(|cut| labels[cut].to_vec()),
    )
}

/// The ten digits as curves of 12 points: standardised, from 0, over 6.
fn templates() -> [[f64; 12]; 10] {
    let digits = [
        [5., 6., 6.5, 6.75, 7., 7., 7., 7., 6.75, 6.5, 6., 5.],
        [5., 3., 3., 3.4, 3.8, 4.2, 4.6, 5., 5.4, 5.8, 5., 5.],
        [5., 6., 6.5, 6.5, 6., 5.25, 4.75, 4., 3.5, 3.5, 4., 5.],
        [5., 6., 6.5, 6.5, 6., 5., 5., 6., 6.5, 6.5, 6., 5.],
        [5., 4.4, 3.8, 3.2, 2.6, 2.6, 5., 5., 5., 5., 5., 5.],
        [5., 3., 3., 3., 3., 5., 6., 6.5, 6.5, 6., 4.5, 5.],
        [5., 4., 3.5, 3.25, 3., 3., 3., 3., 3.25, 3.5, 4., 5.],
        [5., 7., 7., 6.6, 6.2, 5.8, 5.4, 5., 4.6, 4.2, 5., 5.],
        [5., 4., 3.5, 3.5, 4., 5., 5., 4., 3.5, 3.5, 4., 5.],
        [5., 4., 3.5, 3.5, 4., 5., 5., 5., 5., 4.7, 4.3, 5.],
    ];
    digits.map(|row| {
        let mean = row.iter().sum::<f64>() / 12.0;
        let square = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
        let deviation = (square / 12.0).sqrt();
        let first = (row[0] - mean) / deviation;
        row.map(|x| ((x - mean) / deviation - first) / 6.0)
    })
}

/// Pads, stretches, scales, shifts, adds noise, shears and samples anew; the
/// draws are in the recipe's order.
fn signal(
    template: &[f64; 12],
    length: usize,
    rng: &mut NumpyLegacy,
) -> Vec<f64> {
    const PADDED: usize = 72;
    let mut x: Vec<f64> = template.iter().map(|x| x + 1e-8).collect();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "below 25"
    )]
    let padding = 36 + (rng.uniform() * 25.0).floor() as usize;
    x.resize(x.len() + padding, 0.0);
    let mut x = resample(&x, PADDED);
    let scale = 1.0 + 0.4 * (rng.uniform() - 0.5);
    for x in &mut x {
        *x *= scale;
    }
    x.rotate_right(rng.below(48) as usize);
    let noise: Vec<f64> = (0..PADDED).map(|_| 0.25 * rng.normal()).collect();
    let noise = blur(&noise);
    for (x, noise) in x.iter_mut().zip(noise) {
        if *x == 0.0 {
            *x = noise;
        }
    }
    for x in &mut x {
        *x += 0.02 * rng.normal();
    }
    let shear = 0.75 * (rng.uniform() - 0.5);
    for (i, x) in x.iter_mut().enumerate() {
        *x -= shear * (i as f64 / (PADDED - 1) as f64 - 0.5);
    }
    resample(&x, length)
}

/// Linear interpolation to `n` points, both ends included.
fn resample(x: &[f64], n: usize) -> Vec<f64> {
    let last = x.len() - 1;
    (0..n)
        .map(|i| {
            let place = i as f64 / (n - 1) as f64 * last as f64;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "within the signal"
            )]
            let left = (place.floor() as usize).min(last - 1);
            let share = place - left as f64;
            x[left] + share * (x[left + 1] - x[left])
        })
        .collect()
}

/// Gaussian filter of deviation 2, radius 8, edges reflected.
fn blur(x: &[f64]) -> Vec<f64> {
    const RADIUS: usize = 8;
    let weights: Vec<f64> = (0..=2 * RADIUS)
        .map(|i| {
            let distance = (i as f64 - RADIUS as f64) / 2.0;
            (-0.5 * distance * distance).exp()
        })
        .collect();
    let total: f64 = weights.iter().sum();
    let n = x.len();
    let at = |i: usize| {
        // `i` counts from RADIUS before the start.
        match i.checked_sub(RADIUS) {
            None => x[RADIUS - 1 - i],
            Some(i) if i >= n => x[2 * n - 1 - i],
            Some(i) => x[i],
        }
    };
    (0..n)
        .map(|i| {
            weights.iter().enumerate().map(|(k, w)| w * at(i + k)).sum::<f64>()
                / total
        })
        .collect()
}

/// Regression on the output of a random network of 64 `ReLU` units in 32
/// dimensions: 8,000 / 1,000 / 2,000 rows. Clean targets are standardised,
/// then `noise` deviations of noise are added.
pub(super) fn teacher_student(noise: f64) -> Plain {
    const INPUTS: usize = 32;
    const UNITS: usize = 64;
    const ROWS: usize = 11_000;
    let mut rng = stream(DATA_SEED, "teacher-student");
    let x = normals(&mut rng, ROWS * INPUTS, 1.0);
    let first = normals(&mut rng, INPUTS * UNITS, 1.0 / (INPUTS as f64).sqrt());
    let second = normals(&mut rng, UNITS, 1.0 / (UNITS as f64).sqrt());
    let bias = normals(&mut rng, UNITS, 0.5);
    let clean: Vec<f64> = x
        .chunks_exact(INPUTS)
        .map(|row| {
            let unit = |u: usize| {
                let sum: f64 = row
                    .iter()
                    .enumerate()
                    .map(|(i, x)| x * first[i * UNITS + u])
                    .sum();
                (sum + bias[u]).max(0.0) * second[u]
            };
            (0..UNITS).map(unit).sum()
        })
        .collect();
    let mean = clean.iter().sum::<f64>() / ROWS as f64;
    let square =
        clean.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / ROWS as f64;
    let deviation = square.sqrt();
    let errors = normals(&mut rng, ROWS, noise);
    let y = clean
        .iter()
        .zip(&errors)
        .map(|(y, error)| (y - mean) / deviation + error)
        .collect();
    regression(INPUTS, &x, y, &errors, [0..8000, 8000..9000, 9000..ROWS])
}

/// Linear regression whose features have variance `i^-exponent` and whose
/// true weights are all 1, scaled to targets of variance 1 before `noise`:
/// 4,000 / 1,000 / 1,000 rows in 64 dimensions.
///
/// The true weights' loss on the validation part is the data set's
/// `optimum`; late progress is along directions of small variance, as in
/// language modelling (Bordelon et al. 2024).
pub(super) fn power_law(noise: f64, exponent: f64) -> Plain {
    const INPUTS: usize = 64;
    const ROWS: usize = 6000;
    let mut rng = stream(DATA_SEED, "power-law");
    let deviations: Vec<f64> =
        (1..=INPUTS).map(|i| (i as f64).powf(-0.5 * exponent)).collect();
    let total: f64 = deviations.iter().map(|d| d * d).sum();
    let mut x = normals(&mut rng, ROWS * INPUTS, 1.0);
    for row in x.chunks_exact_mut(INPUTS) {
        row.iter_mut().zip(&deviations).for_each(|(x, d)| *x *= d);
    }
    let errors = normals(&mut rng, ROWS, noise);
    let y = x
        .chunks_exact(INPUTS)
        .zip(&errors)
        .map(|(row, error)| row.iter().sum::<f64>() / total.sqrt() + error)
        .collect();
    regression(INPUTS, &x, y, &errors, [0..4000, 4000..5000, 5000..ROWS])
}

/// `errors` is the noise that no predictor can know; its mean square on the
/// validation rows is the optimum.
fn regression(
    inputs: usize,
    x: &[f64],
    y: Vec<f64>,
    errors: &[f64],
    cuts: [std::ops::Range<usize>; 3],
) -> Plain {
    let valid = &errors[cuts[1].clone()];
    let optimum = valid.iter().map(|e| e * e).sum::<f64>() / valid.len() as f64;
    let y: Vec<f32> = y.into_iter().map(narrow).collect();
    let x: Vec<f32> = x.iter().copied().map(narrow).collect();
    let features = cuts
        .clone()
        .map(|cut| x[cut.start * inputs..cut.end * inputs].to_vec());
    let targets = cuts.map(|cut| y[cut].to_vec());
    let plain = Plain::regress(inputs, features, targets);
    Plain { optimum: Some(optimum), ..plain }
}

fn normals(rng: &mut impl Rng, n: usize, deviation: f64) -> Vec<f64> {
    (0..n)
        .map(|_| {
            let x: f64 = StandardNormal.sample(rng);
            deviation * x
        })
        .collect()
}

#[expect(clippy::cast_possible_truncation, reason = "tensors are f32")]
fn narrow(x: f64) -> f32 {
    x as f32
}
