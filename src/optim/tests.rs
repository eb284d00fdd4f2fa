mod free;
mod golden;

use super::*;
use crate::kernels::on_every_path;
use candle_core::Device;
use candle_nn::{AdamW, Optimizer as _, ParamsAdamW};
use std::collections::BTreeMap;

fn weight(values: &[f32]) -> Var {
    Var::new(values, &Device::Cpu).expect("a variable")
}

fn values(var: &Var) -> Vec<f32> {
    var.to_vec1::<f32>().expect("f32")
}

/// Gradient `c * w^2 / 2` summed: the curvatures `c` times `w`.
fn gradients(var: &Var) -> GradStore {
    let curvatures = Tensor::new(&[1.0_f32, 3.0, -0.5], &Device::Cpu);
    let loss = var
        .sqr()
        .and_then(|square| square.mul(&curvatures?))
        .and_then(|product| (product.sum_all()? * 0.5)?.backward());
    loss.expect("gradients")
}

fn run(spec: &OptimizerSpec, steps: usize, lr: f64) -> Vec<f32> {
    let var = weight(&[1.0, -2.0, 0.5]);
    let mut optim = Optim::new(spec, vec![var.clone()]).expect("an optimizer");
    for _ in 0..steps {
        let gradient = gradients(&var).remove(&var).expect("a gradient");
        let gradient = gradient.to_vec1::<f32>().expect("f32");
        let all = Gradients::Slices(vec![Some(&gradient)]);
        optim.step(&all, lr).expect("a step");
    }
    values(&var)
}

fn sgd(momentum: f64, nesterov: bool, weight_decay: f64) -> OptimizerSpec {
    OptimizerSpec::Sgd {
        momentum,
        nesterov,
        weight_decay,
        clip_norm: None,
        lr_multipliers: BTreeMap::new(),
    }
}

/// PyTorch's recurrence in f64.
fn by_hand(
    momentum: f64,
    nesterov: bool,
    decay: f64,
    steps: usize,
    lr: f64,
) -> Vec<f64> {
    let curvatures = [1.0, 3.0, -0.5];
    let mut w = [1.0, -2.0, 0.5];
    let mut v = [0.0; 3];
    for _ in 0..steps {
        for i in 0..3 {
            let g = curvatures[i] * w[i] + decay * w[i];
            v[i] = momentum * v[i] + g;
            w[i] -= lr * if nesterov { g + momentum * v[i] } else { v[i] };
        }
    }
    w.to_vec()
}

#[test]
fn sgd_follows_pytorchs_recurrence() {
    on_every_path(|path| {
        for (momentum, nesterov, decay) in [
            (0.0, false, 0.0),
            (0.9, false, 0.0),
            (0.9, true, 0.01),
            (0.5, false, 0.1),
        ] {
            let got = run(&sgd(momentum, nesterov, decay), 20, 0.05);
            let want = by_hand(momentum, nesterov, decay, 20, 0.05);
            for (got, want) in got.iter().zip(want) {
                let error = (f64::from(*got) - want).abs();
                assert!(error < 1e-5, "{path} {momentum}: {got} {want}");
            }
        }
    });
}

#[test]
fn adamw_agrees_with_candles() {
    on_every_path(|path| {
        let mine = run(&OptimizerSpec::adamw(), 50, 0.02);
        let var = weight(&[1.0, -2.0, 0.5]);
        let params = ParamsAdamW {
            lr: 0.02,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            weight_decay: 0.01,
        };
        let mut theirs =
            AdamW::new(vec![var.clone()], params).expect("candle's");
        for _ in 0..50 {
            theirs.step(&gradients(&var)).expect("a step");
        }
        for (a, b) in mine.iter().zip(values(&var)) {
            assert!((a - b).abs() < 2e-5, "{path}: {a} {b}");
        }
    });
}

#[test]
fn the_fused_update_is_the_composed_one() {
    let mut clipped = OptimizerSpec::adamw();
    if let OptimizerSpec::Adamw { clip_norm, .. } = &mut clipped {
        *clip_norm = Some(0.1);
    }
    for spec in [sgd(0.9, true, 0.01), clipped] {
        let fused = run(&spec, 10, 0.02);
        let var = weight(&[1.0, -2.0, 0.5]);
        let mut optim =
            Optim::new(&spec, vec![var.clone()]).expect("an optimizer");
        optim.moments =
            Moments::zeros(std::slice::from_ref(&var)).expect("zeros");
        for _ in 0..10 {
            let store = gradients(&var);
            let all = Gradients::Tensors(&store);
            optim.step(&all, 0.02).expect("a step");
        }
        for (a, b) in fused.iter().zip(values(&var)) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
    }
}

#[test]
fn norms_are_those_of_all_gradients_together() {
    let (a, b) = (weight(&[0.0, 0.0]), weight(&[0.0]));
    let all = Gradients::Slices(vec![Some(&[3.0, -4.0]), Some(&[12.0])]);
    for (spec, want) in
        [(sgd(0.9, false, 0.0), 13.0), (OptimizerSpec::adamw(), 19.0)]
    {
        let optim = Optim::new(&spec, vec![a.clone(), b.clone()]);
        let norm = optim.expect("an optimizer").refining_norm(&all);
        assert_eq!(norm.expect("a norm"), want);
    }
}

#[test]
fn clipping_bounds_the_norm_and_keeps_the_direction() {
    let mut spec = sgd(0.0, false, 0.0);
    if let OptimizerSpec::Sgd { clip_norm, .. } = &mut spec {
        *clip_norm = Some(1.0);
    }
    // The gradient is (1, -6, -0.25), of norm 6.09.
    let moved = run(&spec, 1, 1.0);
    let norm = (1.0_f64 + 36.0 + 0.0625).sqrt();
    for ((got, from), g) in
        moved.iter().zip([1.0, -2.0, 0.5]).zip([1.0, -6.0, -0.25])
    {
        assert!((f64::from(*got) - (from - g / norm)).abs() < 1e-5);
    }
}

#[test]
fn weights_have_multiples_of_the_rate() {
    for (optimizer, lr) in [
        (sgd(0.9, false, 0.01), 0.05),
        (OptimizerSpec::adamw(), 0.02),
        (OptimizerSpec::adam(), 0.02),
        (OptimizerSpec::rmsprop(), 0.02),
        (OptimizerSpec::lion(), 0.02),
        // Of a weight that its AdamW trains.
        (OptimizerSpec::muon(), 0.2),
    ] {
        let run = |multipliers: &[(&str, f64)], name: &str, lr: f64| {
            let mut spec = optimizer.clone();
            let all = multipliers.iter().map(|&(n, f)| (n.to_owned(), f));
            set_multipliers(&mut spec, all.collect());
            let var = weight(&[1.0, -2.0, 0.5]);
            let optim = Optim::new(&spec, vec![var.clone()]);
            let names = [name.to_owned()];
            let mut optim = optim?.named(&names)?;
            for _ in 0..5 {
                let gradient = values(&var);
                let all = Gradients::Slices(vec![Some(&gradient)]);
                optim.step(&all, lr)?;
            }
            Ok::<_, candle_core::Error>(values(&var))
        };
        let plain = |lr: f64| run(&[], "head.bias", lr).expect("steps");
        let all = [("head", 0.5), ("head.bias", 0.25), ("norm", 7.0)];
        // `norm` names nothing here, so the names are refused as a whole.
        let error = run(&all, "head.bias", lr).expect_err("no such weight");
        let want = "`lr_multipliers` has `norm`, which is part of no \
                    weight's name; they are head.bias";
        // candle's errors end in a backtrace where one is asked for.
        assert!(error.to_string().starts_with(want), "{error}");
        let got = |name: &str| run(&all[..2], name, lr);
        assert_eq!(got("head.bias").expect("steps"), plain(lr * 0.25));
        assert!(got("ahead.bias").is_err(), "a part is a whole word");
        let half = run(&all[..1], "a.head.weight", lr).expect("steps");
        assert_eq!(half, plain(lr * 0.5));
        let frozen = run(&[("bias", 0.0)], "head.bias", lr).expect("steps");
        assert_eq!(frozen, [1.0, -2.0, 0.5]);
    }
}

fn set_multipliers(
    spec: &mut OptimizerSpec,
    multipliers: BTreeMap<String, f64>,
) {
    let (OptimizerSpec::Sgd { lr_multipliers, .. }
    | OptimizerSpec::Adamw { lr_multipliers, .. }
    | OptimizerSpec::Adam { lr_multipliers, .. }
    | OptimizerSpec::Rmsprop { lr_multipliers, .. }
    | OptimizerSpec::Lion { lr_multipliers, .. }
    | OptimizerSpec::Muon { lr_multipliers, .. }) = spec;
    *lr_multipliers = multipliers;
}

#[test]
fn muon_trains_matrices_that_are_no_embedding_or_head() {
    let rest = |spec: &OptimizerSpec| -> Result<Vec<bool>> {
        let mut vars = vec![];
        let mut names = vec![];
        for (name, shape) in [
            ("block0.norm.weight", vec![3]),
            ("block0.qkv.weight", vec![3, 2]),
            ("conv0.weight", vec![2, 3, 3, 1]),
            ("dense.head.weight", vec![2, 3]),
            ("overhead.weight", vec![2, 3]),
            ("position", vec![4, 3]),
            ("token.weight", vec![4, 3]),
        ] {
            let zeros =
                Tensor::zeros(shape, candle_core::DType::F32, &Device::Cpu)?;
            vars.push(Var::from_tensor(&zeros)?);
            names.push(name.to_owned());
        }
        let optim = Optim::new(spec, vars)?.named(&names)?;
        Ok(optim.parts.iter().map(|part| part.is_rest).collect())
    };
    let (yes, no) = (true, false);
    let usual = rest(&OptimizerSpec::muon()).expect("names");
    assert_eq!(usual, [yes, no, no, yes, no, yes, yes]);
    let own = |name: &str| {
        let mut spec = OptimizerSpec::muon();
        if let OptimizerSpec::Muon { adamw_for, .. } = &mut spec {
            *adamw_for = Some(vec![name.to_owned()]);
        }
        rest(&spec)
    };
    let got = own("conv0").expect("names");
    assert_eq!(got, [yes, no, yes, no, no, no, no]);
    let error = own("conv1").expect_err("no such weight").to_string();
    let want = "`adamw_for` has `conv1`, which is part of no weight's name";
    assert!(error.starts_with(want), "{error}");
    let others = rest(&OptimizerSpec::adamw()).expect("names");
    assert_eq!(others, [no; 7]);
}
