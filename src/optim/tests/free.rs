//! The schedule-free forms against the package schedulefree, over 200 updates
//! of a small problem.

use super::*;
use crate::kernels::on_every_path;
use candle_core::Device;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Golden {
    shapes: BTreeMap<String, Vec<usize>>,
    start: Vec<f32>,
    target: Vec<f64>,
    curvature: Vec<f64>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    optimizer: OptimizerSpec,
    rates: Vec<f64>,
    /// By the number of updates.
    weights: BTreeMap<usize, Weights>,
}

#[derive(Deserialize)]
struct Weights {
    x: BTreeMap<String, Vec<f64>>,
    y: BTreeMap<String, Vec<f64>>,
}

fn golden() -> Golden {
    let text = include_str!("../../../tests/golden/schedule-free.json");
    serde_json::from_str(text).expect("golden numbers")
}

fn floats(tensor: &Tensor) -> Vec<f32> {
    let flat = tensor.flatten_all().expect("a tensor");
    flat.to_vec1().expect("floats")
}

impl Golden {
    fn vars(&self) -> Vec<Var> {
        let mut at = 0;
        let var = |shape: &Vec<usize>| {
            let size: usize = shape.iter().product();
            let values: Vec<f32> = self.start[at..at + size].to_vec();
            at += size;
            Var::from_vec(values, shape.as_slice(), &Device::Cpu).expect("var")
        };
        self.shapes.values().map(var).collect()
    }

    /// Gradients of all weights at update `t`.
    #[expect(clippy::cast_possible_truncation, reason = "gradients are f32")]
    fn gradients(&self, vars: &[Var], t: usize) -> Vec<Vec<f32>> {
        let mut i = 0;
        let mut one = |y: f32| {
            let pull = self.curvature[i] * (f64::from(y) - self.target[i]);
            let noise = 0.3 * (1.7 * i as f64 + 0.9 * t as f64).sin();
            i += 1;
            (pull + noise) as f32
        };
        let each = vars.iter().map(|var| floats(var.as_tensor()));
        each.map(|y| y.into_iter().map(&mut one).collect()).collect()
    }

    /// The largest error of a weight over the largest weight of its tensor.
    fn error(&self, case: &Case, fused: bool) -> Result<f64> {
        let vars = self.vars();
        let mut optim = Optim::new(&case.optimizer, vars.clone())?;
        if !fused {
            optim.moments = Moments::zeros(&vars)?;
        }
        let names: Vec<String> = self.shapes.keys().cloned().collect();
        optim = optim.named(&names)?;
        optim.make_free()?;
        let mut worst: f64 = 0.0;
        for (t, &lr) in case.rates.iter().enumerate() {
            let all = self.gradients(&vars, t);
            let mut store = Tensor::new(0.0_f32, &Device::Cpu)?.backward()?;
            for (var, g) in vars.iter().zip(&all) {
                let g = Tensor::from_slice(g, var.shape(), &Device::Cpu)?;
                store.insert(var, g);
            }
            let gradients = if fused {
                let all = all.iter().map(|g| Some(g.as_slice()));
                Gradients::Slices(all.collect())
            } else {
                Gradients::Tensors(&store)
            };
            optim.step(&gradients, lr)?;
            let Some(Weights { x, y }) = case.weights.get(&(t + 1)) else {
                continue;
            };
            let averaged = optim.averaged()?;
            let x = averaged.iter().zip(x.values());
            let y = vars.iter().map(Var::as_tensor).zip(y.values());
            for (got, want) in x.chain(y) {
                let largest = want.iter().fold(0.0_f64, |a, b| a.max(b.abs()));
                for (got, want) in floats(got).iter().zip(want) {
                    let off = (f64::from(*got) - want).abs();
                    worst = worst.max(off / largest);
                }
            }
        }
        Ok(worst)
    }
}

#[test]
fn both_forms_are_those_of_the_package() {
    let golden = golden();
    for case in &golden.cases {
        let close = |fused: bool, path: &str| {
            let error = golden.error(case, fused).expect("updates");
            let optimizer = case.optimizer.label();
            assert!(error < 1e-6, "{path} {optimizer}: {error:e}");
        };
        on_every_path(|path| close(true, path));
        close(false, "composed");
    }
}

#[test]
fn a_weight_without_a_gradient_is_its_own_average() {
    let golden = golden();
    let vars = golden.vars();
    let mut optim =
        Optim::new(&OptimizerSpec::sgd(), vars.clone()).expect("an optimizer");
    optim.make_free().expect("has the form");
    for t in 0..3 {
        let all = golden.gradients(&vars, t);
        let mut all: Vec<_> = all.iter().map(|g| Some(g.as_slice())).collect();
        all[1] = None;
        // As running statistics do.
        let moved = vars[1].affine(1.5, 0.1).expect("a tensor");
        vars[1].set(&moved).expect("of its shape");
        optim.step(&Gradients::Slices(all), 0.1).expect("an update");
    }
    let averaged = optim.averaged().expect("on the CPU");
    assert_eq!(floats(&averaged[1]), floats(vars[1].as_tensor()));
    assert_ne!(floats(&averaged[0]), floats(vars[0].as_tensor()));
}

#[test]
fn optimizers_without_the_form_say_so() {
    let of = |json: &str| -> OptimizerSpec {
        serde_json::from_str(json).expect("an optimizer")
    };
    for (json, says) in [
        (r#"{"kind": "lion"}"#, "lion has no schedule-free form"),
        (r#"{"kind": "muon"}"#, "muon has no schedule-free form"),
        (r#"{"kind": "adam"}"#, "only sgd and adamw have one"),
        (r#"{"kind": "sgd", "nesterov": true}"#, "leave it out"),
        (r#"{"kind": "sgd", "momentum": 0}"#, "`momentum` is 0"),
        (r#"{"kind": "adamw", "beta1": 0}"#, "`beta1` is 0"),
    ] {
        let mut optim =
            Optim::new(&of(json), golden().vars()).expect("an optimizer");
        let error = optim.make_free().expect_err("it has none").to_string();
        assert!(error.contains(says), "{json}: {error}");
    }
}
