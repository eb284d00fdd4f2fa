//! The optimizers against PyTorch's and lion-pytorch's, on given gradients.

use super::*;
use serde::Deserialize;

type ByName<T> = BTreeMap<String, Vec<T>>;

#[derive(Deserialize)]
struct Golden {
    shapes: BTreeMap<String, Vec<usize>>,
    start: ByName<f32>,
    rates: Vec<f64>,
    cycle: Vec<f64>,
    gradients: Vec<ByName<f32>>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    optimizer: OptimizerSpec,
    peak: f64,
    cycled: bool,
    /// By the number of updates.
    weights: BTreeMap<usize, ByName<f64>>,
    #[serde(default)]
    bfloat16: bool,
}

/// Where the updates are computed.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Fused,
    Composed,
}

fn tensor(values: &[f32], shape: &[usize]) -> Tensor {
    Tensor::from_slice(values, shape, &Device::Cpu).expect("a tensor")
}

/// The largest error of a weight over the largest weight of its tensor.
fn error(golden: &Golden, case: &Case, way: Way) -> Result<f64> {
    let names: Vec<String> = golden.shapes.keys().cloned().collect();
    let var = |(name, shape): (&String, &Vec<usize>)| {
        Var::from_tensor(&tensor(&golden.start[name], shape))
    };
    let vars: Vec<Var> =
        golden.shapes.iter().map(var).collect::<Result<_>>()?;
    let mut optim = Optim::new(&case.optimizer, vars.clone())?;
    if way == Way::Composed {
        optim.moments = Moments::zeros(&vars)?;
    }
    optim = optim.named(&names)?;
    let mut worst: f64 = 0.0;
    for (i, gradients) in golden.gradients.iter().enumerate() {
        // An empty store.
        let mut store = Tensor::new(0.0_f32, &Device::Cpu)?.backward()?;
        for (var, (name, g)) in vars.iter().zip(gradients) {
            store.insert(var, tensor(g, &golden.shapes[name]));
        }
        let gradients = match way {
            Way::Fused => {
                let all = gradients.values().map(|g| Some(g.as_slice()));
                Gradients::Slices(all.collect())
            }
            Way::Composed => Gradients::Tensors(&store),
        };
        optim.set_momentum(case.cycled.then(|| golden.cycle[i]));
        optim.step(&gradients, case.peak * golden.rates[i])?;
        let Some(want) = case.weights.get(&(i + 1)) else { continue };
        for (var, want) in vars.iter().zip(want.values()) {
            let largest = want.iter().fold(0.0_f64, |a, b| a.max(b.abs()));
            let got = var.flatten_all()?.to_vec1::<f32>()?;
            for (got, want) in got.iter().zip(want) {
                worst = worst.max((f64::from(*got) - want).abs() / largest);
            }
        }
    }
    Ok(worst)
}

#[test]
fn optimizers_agree_with_the_public_ones() {
    let text = include_str!("../../../tests/golden/optimizers.json");
    let golden: Golden = serde_json::from_str(text).expect("golden numbers");
    for case in &golden.cases {
        let close = |way: Way, path: &str| {
            let error = error(&golden, case, way).expect("updates");
            let limit = match way {
                _ if case.bfloat16 => 2e-2,
                Way::Fused => 2e-6,
                Way::Composed => 4e-6,
            };
            let optimizer = case.optimizer.label();
            assert!(error < limit, "{path} {optimizer}: {error:e}");
        };
        on_every_path(|path| close(Way::Fused, path));
        close(Way::Composed, "composed");
    }
}
