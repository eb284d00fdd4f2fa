//! The shape of the loss around the start, without a range test: its curvature,
//! and three losses along one step.

use super::spread;
use super::step::Replica;
use crate::error::{Error, Result};
use crate::seed;
use crate::spec::OptimizerSpec;
use crate::workload::Workload;
use candle_core::Tensor;
use rand::RngExt as _;

/// Training examples that a probe uses, always the same.
const EXAMPLES: usize = 256;

/// Rounds of the power iteration; the eigenvalue is then known to about a
/// fifth, and only its decade matters.
const ROUNDS: usize = 8;

/// Length of a difference of gradients, as a share of the weights' norm.
const REACH: f64 = 1e-3;

/// Work of both probes together, in updates.
pub(crate) const PROBE_STEPS: usize = ROUNDS + 4;

/// Largest learning rate at which gradient descent is stable on the local
/// quadratic, `2 (1 + momentum) / lambda_max`; `None` for all but SGD, and where
/// the curvature is not positive.
///
/// # Errors
///
/// If the model fails.
pub(crate) fn curvature_bound(
    workload: &Workload,
    seed: u64,
) -> Result<Option<f64>> {
    let OptimizerSpec::Sgd { momentum, .. } = workload.optimizer else {
        return Ok(None);
    };
    let replica = Replica::new(workload, seed)?;
    let largest = || {
        let (inputs, targets) = examples(workload)?;
        let weights = replica.weights()?;
        let at = replica.gradient(&inputs, &targets)?;
        let mut rng = seed::stream(seed, "power iteration");
        let mut direction = vec![];
        for weight in &weights {
            let values: Vec<f32> = (0..weight.elem_count())
                .map(|_| rng.random_range(-1.0..1.0))
                .collect();
            let shape = weight.shape();
            direction.push(Tensor::from_vec(values, shape, weight.device())?);
        }
        let reach = REACH * dot(&weights, &weights)?.sqrt().max(1.0);
        let mut largest = 0.0;
        for _ in 0..ROUNDS {
            let norm = dot(&direction, &direction)?.sqrt();
            if !(norm > 0.0 && norm.is_finite()) {
                return candle_core::Result::Ok(None);
            }
            direction = along(&direction, 1.0 / norm, None)?;
            replica.put(&along(&direction, reach, Some(&weights))?)?;
            let there = replica.gradient(&inputs, &targets)?;
            let change = along(&at, -1.0, Some(&there))?;
            let product = along(&change, 1.0 / reach, None)?;
            largest = dot(&direction, &product)?;
            direction = product;
        }
        let bound = 2.0 * (1.0 + momentum) / largest;
        Ok((bound > 0.0 && bound.is_finite()).then_some(bound))
    };
    largest().map_err(Error::tensor(format!("probing `{}`", workload.name)))
}

/// The rate at which the parabola through the losses before, after and
/// opposite one update at `lr` is lowest, in rates that add up over many
/// updates as momentum makes them; `None` where it opens downwards.
///
/// # Errors
///
/// If the model fails.
pub(crate) fn parabola(
    workload: &Workload,
    seed: u64,
    lr: f64,
) -> Result<Option<f64>> {
    let share = workload.optimizer.first_share();
    let mut replica = Replica::new(workload, seed)?;
    let context = || Error::tensor(format!("probing `{}`", workload.name));
    let start = replica.weights().map_err(context())?;
    replica.update(lr)?;
    let losses = || {
        let (inputs, targets) = examples(workload)?;
        let after = replica.weights()?;
        let ahead = replica.loss(&inputs, &targets)?;
        replica.put(&start)?;
        let middle = replica.loss(&inputs, &targets)?;
        let back = along(&after, -1.0, Some(&start))?;
        replica.put(&along(&back, 1.0, Some(&start))?)?;
        let behind = replica.loss(&inputs, &targets)?;
        candle_core::Result::Ok([behind, middle, ahead])
    };
    let [behind, middle, ahead] = losses().map_err(context())?;
    let curvature = behind - 2.0 * middle + ahead;
    let lowest = lr * (behind - ahead) / (2.0 * curvature) * share;
    let is_one = curvature > 0.0 && lowest > 0.0 && lowest.is_finite();
    Ok(is_one.then_some(lowest))
}

fn examples(workload: &Workload) -> candle_core::Result<(Tensor, Tensor)> {
    let some = spread(&workload.data.train, EXAMPLES)?;
    Ok((some.inputs, some.targets))
}

fn dot(a: &[Tensor], b: &[Tensor]) -> candle_core::Result<f64> {
    let mut sum = 0.0;
    for (a, b) in a.iter().zip(b) {
        sum += f64::from((a * b)?.sum_all()?.to_scalar::<f32>()?);
    }
    Ok(sum)
}

/// `start + share * direction`, without `start` from the origin.
fn along(
    direction: &[Tensor],
    share: f64,
    start: Option<&[Tensor]>,
) -> candle_core::Result<Vec<Tensor>> {
    let each = direction.iter().enumerate().map(|(i, tensor)| {
        let scaled = (tensor * share)?;
        match start {
            Some(start) => &start[i] + scaled,
            None => Ok(scaled),
        }
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Dataset;
    use crate::spec::{DatasetSpec, ModelSpec, WorkloadSpec};
    use crate::workload::Registry;
    use candle_core::Device;
    use std::path::Path;
    use std::sync::Arc;

    /// A linear regression, whose Hessian is known.
    fn linear(optimizer: OptimizerSpec) -> (Workload, Arc<Dataset>) {
        let dataset = DatasetSpec::PowerLaw { noise: 0.5, exponent: 1.0 };
        let registry = Registry::builtin();
        let data = registry.load(&dataset, 0.0, Path::new(""), &Device::Cpu);
        let data = Arc::new(data.expect("generated"));
        let spec = WorkloadSpec {
            model: ModelSpec::Mlp { hidden: vec![] },
            dataset,
            label_noise: 0.0,
            optimizer,
            batch: 10_000,
            accumulate: 1,
            weights: None,
        };
        let workload = registry.workload(
            "linear",
            &spec,
            Arc::clone(&data),
            Arc::default(),
        );
        (workload.expect("built in"), data)
    }

    fn sgd(momentum: f64) -> OptimizerSpec {
        OptimizerSpec::Sgd {
            momentum,
            nesterov: false,
            weight_decay: 0.0,
            clip_norm: None,
            lr_multipliers: std::collections::BTreeMap::new(),
        }
    }

    /// The largest eigenvalue of `2 / n * X'X`, with a column of ones, by
    /// many rounds in f64.
    fn largest_eigenvalue(inputs: &Tensor) -> f64 {
        let rows = inputs.to_vec2::<f32>().expect("rows");
        let n = rows.len() as f64;
        let mut v = vec![1.0_f64; rows[0].len() + 1];
        let mut largest = 0.0;
        for _ in 0..2000 {
            let mut product = vec![0.0; v.len()];
            for row in &rows {
                let x = || row.iter().map(|&x| f64::from(x)).chain([1.0]);
                let along: f64 = x().zip(&v).map(|(x, v)| x * v).sum();
                for (p, x) in product.iter_mut().zip(x()) {
                    *p += 2.0 / n * x * along;
                }
            }
            largest = product.iter().map(|p| p * p).sum::<f64>().sqrt();
            v = product.iter().map(|p| p / largest).collect();
        }
        largest
    }

    #[test]
    fn the_curvature_of_a_linear_regression_is_its_largest_eigenvalue() {
        for momentum in [0.0, 0.9] {
            let (workload, data) = linear(sgd(momentum));
            let some = spread(&data.train, EXAMPLES).expect("examples");
            let want =
                2.0 * (1.0 + momentum) / largest_eigenvalue(&some.inputs);
            let got = curvature_bound(&workload, 1).expect("a model");
            let got = got.expect("a convex loss");
            // From below the eigenvalue, so from above the bound.
            let ratio = got / want;
            assert!(ratio > 0.99 && ratio < 1.25, "{got} is not {want}");
        }
        let (workload, _) = linear(OptimizerSpec::adamw());
        assert_eq!(curvature_bound(&workload, 1).expect("a model"), None);
    }

    #[test]
    fn the_parabola_of_a_quadratic_is_the_same_from_any_step() {
        let (workload, _) = linear(sgd(0.0));
        let at = |lr| {
            let lowest = parabola(&workload, 1, lr).expect("a model");
            lowest.expect("a convex loss")
        };
        let want = at(0.1);
        let bound = curvature_bound(&workload, 1).expect("a model");
        assert!(want > 0.4 * bound.expect("a convex loss"), "{want}");
        for lr in [0.01, 1.0] {
            assert!((at(lr) / want - 1.0).abs() < 0.05, "{lr}: {}", at(lr));
        }
    }
}
