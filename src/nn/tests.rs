//! Every op's gradients against finite differences and against candle's own
//! operations, on every path of the kernels that the machine has, over shapes
//! that divide nothing evenly.

mod recurrent;

use super::*;
use crate::kernels::on_every_path;
use crate::seed;
use candle_core::{
    DType, Device, Module as _, ModuleT as _, Result, Tensor, Var,
};
use candle_nn::{Conv1dConfig, Conv2dConfig};
use rand_distr::{Distribution as _, StandardNormal};
use std::sync::Arc;

fn random(name: &str, shape: &[usize]) -> Var {
    let mut rng = seed::stream(1, name);
    let n = shape.iter().product();
    let values: Vec<f32> =
        (0..n).map(|_| StandardNormal.sample(&mut rng)).collect();
    let tensor = Tensor::from_vec(values, shape, &Device::Cpu);
    Var::from_tensor(&tensor.expect("the shape fits")).expect("a variable")
}

/// A scalar that depends on every output with another weight.
fn weighed(y: &Tensor) -> Result<Tensor> {
    let weights = random("weights of outputs", y.dims());
    (y * weights.as_detached_tensor())?.sum_all()
}

/// Checks the gradient of `f` at `vars` against `reference`'s (candle's own
/// operations) and, where the function is `smooth` (ReLU has a kink), against
/// central differences at a few places.
fn check(
    name: &str,
    smooth: bool,
    vars: &[&Var],
    f: &dyn Fn() -> Result<Tensor>,
    reference: Option<Reference<'_>>,
) {
    let run = || -> Result<()> {
        let y = weighed(&f()?)?;
        let gradients = y.backward()?;
        // The tape, with candle's operations at its end.
        let owned = vars.iter().map(|var| (*var).clone()).collect();
        let mut taped = WeightGradients::new(owned);
        record(|| weighed(&f()?))?.backward(1.0, &mut taped, false)?;
        for (var, taped) in vars.iter().zip(taped.all()) {
            let gradient = gradients.get(var.as_tensor()).expect("tracked");
            let taped = taped.expect("reached");
            let taped = Tensor::from_slice(taped, var.shape(), &Device::Cpu)?;
            let scale = gradient.abs()?.max_all()?.to_scalar::<f32>()?;
            let tolerance = 1e-5 * scale.max(1.0);
            close(name, "taped gradient", &taped, gradient, tolerance)?;
        }
        let differentiable = if smooth { vars } else { &[] };
        for var in differentiable {
            let gradient = gradients.get(var.as_tensor()).expect("tracked");
            let gradient = gradient.flatten_all()?.to_vec1::<f32>()?;
            let values = var.flatten_all()?.to_vec1::<f32>()?;
            let scale = gradient.iter().fold(1.0_f32, |m, g| m.max(g.abs()));
            for place in (0..values.len()).step_by(values.len() / 60 + 1) {
                let at = |shift: f32| -> Result<f64> {
                    let mut moved = values.clone();
                    moved[place] += shift;
                    var.set(&Tensor::from_vec(
                        moved,
                        var.shape(),
                        &Device::Cpu,
                    )?)?;
                    let y = f()?;
                    // Summed in f64: differences are small.
                    let w = random("weights of outputs", y.dims());
                    let w = w.flatten_all()?.to_vec1::<f32>()?;
                    let y = y.flatten_all()?.to_vec1::<f32>()?;
                    Ok(y.iter()
                        .zip(w)
                        .map(|(y, w)| f64::from(*y) * f64::from(w))
                        .sum())
                };
                let slope = (at(1e-2)? - at(-1e-2)?) / 2e-2;
                at(0.0)?;
                let error = (slope - f64::from(gradient[place])).abs();
                assert!(
                    error < 2e-2 * f64::from(scale),
                    "{name} at {place}: {slope} against {}",
                    gradient[place]
                );
            }
        }
        if let Some(reference) = reference {
            let (mine, theirs) = (f()?, reference()?);
            let scale = theirs.abs()?.max_all()?.to_scalar::<f32>()?;
            close(name, "output", &mine, &theirs, 1e-5 * scale.max(1.0))?;
            let other = weighed(&theirs)?.backward()?;
            for var in vars {
                let mine = gradients.get(var.as_tensor()).expect("tracked");
                let theirs = other.get(var.as_tensor()).expect("tracked");
                let scale = theirs.abs()?.max_all()?.to_scalar::<f32>()?;
                let what = format!("gradient {:?}", var.dims());
                close(name, &what, mine, theirs, 2e-5 * scale.max(1.0))?;
            }
        }
        Ok(())
    };
    run().unwrap_or_else(|error| panic!("{name}: {error}"));
}

type Reference<'a> = &'a dyn Fn() -> Result<Tensor>;

/// candle's backward pass of strided convolutions refuses rectangular images.
/// (That of signals serves nowhere as reference: its weight gradient fails
/// the finite differences that ours pass.)
fn plain_only(stride: usize) -> bool {
    stride == 1
}

fn close(
    name: &str,
    what: &str,
    mine: &Tensor,
    theirs: &Tensor,
    tolerance: f32,
) -> Result<()> {
    let error = (mine - theirs)?.abs()?.max_all()?.to_scalar::<f32>()?;
    assert!(error <= tolerance, "{name}: {what} differs by {error}");
    Ok(())
}

fn weights() -> Weights {
    Weights::new(3, Arc::default())
}

fn var(weights: &Weights, name: &str) -> Var {
    let all = weights.trainable();
    let found = all.into_iter().find(|(n, _)| n == name);
    found.unwrap_or_else(|| panic!("no weight `{name}`")).1
}

type Make = fn(usize, usize, candle_nn::VarBuilder<'_>) -> Result<Linear>;
type Apply = fn(&Tensor) -> Result<Tensor>;

#[test]
fn linear_layers_and_their_activations() {
    on_every_path(|path| {
        for (rows, inputs, outputs) in [(1, 1, 1), (5, 7, 3), (33, 17, 19)] {
            let name = format!("{path} {rows} {inputs} {outputs}");
            let x = random("x", &[rows, inputs]);
            let layers: [(Make, bool, Apply); 4] = [
                (linear, true, |y| Ok(y.clone())),
                (linear_relu, false, Tensor::relu),
                (linear_gelu, true, Tensor::gelu),
                (linear_silu, true, Tensor::silu),
            ];
            for (make, smooth, activation) in layers {
                let weights = weights();
                let vb = weights.builder(&Device::Cpu);
                let layer = make(inputs, outputs, vb).expect("a layer");
                let (w, b) = (var(&weights, "weight"), var(&weights, "bias"));
                check(
                    &name,
                    smooth,
                    &[&x, &w, &b],
                    &|| layer.forward(&x),
                    Some(&|| {
                        let y = x.matmul(&w.t()?)?.broadcast_add(&b)?;
                        activation(&y)
                    }),
                );
            }
        }
    });
}

#[test]
fn convolutions_of_images() {
    on_every_path(|path| {
        for (channels, out, side, kernel, stride, padding) in [
            (1, 2, 5, 3, 1, 1),
            (3, 5, 7, 3, 2, 1),
            (2, 3, 6, 5, 1, 0),
            (3, 4, 9, 1, 2, 0),
            (2, 2, 3, 5, 1, 2),
        ] {
            let name = format!("{path} {side} {kernel} {stride} {padding}");
            let x = random("x", &[2, channels, side, side + 1]);
            let config = Conv2dConfig { padding, stride, ..Default::default() };
            let weights = weights();
            let vb = weights.builder(&Device::Cpu);
            let relu = conv2d_relu(channels, out, kernel, config, vb.clone());
            let relu = relu.expect("a layer");
            let plain = conv2d(channels, out, kernel, config, vb);
            let plain = plain.expect("a layer");
            let (w, b) = (var(&weights, "weight"), var(&weights, "bias"));
            let reference = || {
                let y = x.conv2d(&w, padding, stride, 1, 1)?;
                y.broadcast_add(&b.reshape((1, out, 1, 1))?)
            };
            check(
                &name,
                true,
                &[&x, &w, &b],
                &|| plain.forward(&x),
                plain_only(stride).then_some(&reference as Reference<'_>),
            );
            check(
                &name,
                false,
                &[&x, &w, &b],
                &|| relu.forward(&x),
                plain_only(stride).then_some(&|| reference()?.relu()),
            );
        }
    });
}

#[test]
fn convolutions_of_signals() {
    on_every_path(|path| {
        for (channels, out, length, kernel, stride, padding) in
            [(1, 3, 11, 5, 2, 1), (3, 2, 8, 3, 1, 1), (2, 5, 7, 3, 2, 0)]
        {
            let name = format!("{path} {length} {kernel} {stride} {padding}");
            let x = random("x", &[3, channels, length]);
            let config = Conv1dConfig { padding, stride, ..Default::default() };
            let weights = weights();
            let vb = weights.builder(&Device::Cpu);
            let layer = conv1d(channels, out, kernel, config, vb);
            let layer = layer.expect("a layer");
            let (w, b) = (var(&weights, "weight"), var(&weights, "bias"));
            check(&name, true, &[&x, &w, &b], &|| layer.forward(&x), None);
        }
    });
}

#[test]
fn pooling() {
    on_every_path(|path| {
        let x = random("x", &[2, 3, 7, 9]);
        let name = format!("{path} image");
        // candle's own max-pooling divides its gradient by the size of the
        // window, so the reference is a maximum over reshaped windows.
        check(
            &name,
            true,
            &[&x],
            &|| max_pool2d(&x, 2),
            Some(&|| super::pool::composed(&x, 2, 2)),
        );
        let x = random("x", &[2, 3, 11]);
        let name = format!("{path} signal");
        check(&name, true, &[&x], &|| max_pool1d(&x, 3), None);
    });
}

#[test]
fn layer_norms() {
    on_every_path(|path| {
        for (rows, width) in [(1, 2), (5, 19), (7, 64)] {
            let name = format!("{path} {rows} {width}");
            let x = random("x", &[rows, width]);
            let weights = weights();
            let vb = weights.builder(&Device::Cpu);
            let layer = layer_norm(width, 1e-5, vb).expect("a layer");
            let (w, b) = (var(&weights, "weight"), var(&weights, "bias"));
            check(
                &name,
                true,
                &[&x, &w, &b],
                &|| layer.forward(&x),
                Some(&|| candle_nn::ops::layer_norm_slow(&x, &w, &b, 1e-5)),
            );
        }
    });
}

#[test]
fn batch_norms() {
    on_every_path(|path| {
        for (batch, channels, side) in [(3, 1, 2), (4, 5, 3), (2, 19, 4)] {
            let x = random("x", &[batch, channels, side, side + 1]);
            for train in [true, false] {
                let name = format!("{path} {batch} {channels} {train}");
                let weights = weights();
                let vb = weights.builder(&Device::Cpu);
                let layer = batch_norm(channels, 1e-5, vb.clone());
                let layer = layer.expect("a layer");
                let relu = batch_norm_relu(channels, 1e-5, vb);
                let relu = relu.expect("a layer");
                let (w, b) = (var(&weights, "weight"), var(&weights, "bias"));
                check(
                    &name,
                    true,
                    &[&x, &w, &b],
                    &|| layer.forward_t(&x, train),
                    Some(&|| layer.composed(&x, train)),
                );
                check(
                    &name,
                    false,
                    &[&x, &w, &b],
                    &|| relu.forward_t(&x, train),
                    Some(&|| relu.composed(&x, train)?.relu()),
                );
            }
        }
    });
}

#[test]
fn running_statistics_follow_the_batches() {
    let weights = weights();
    let layer = batch_norm(1, 0.0, weights.builder(&Device::Cpu));
    let layer = layer.expect("a layer");
    let run = || -> Result<f32> {
        // Mean 3, variance 5 over n, 20 / 3 over n - 1.
        let x = Tensor::new(&[[[0.0_f32, 2.0, 4.0, 6.0]]], &Device::Cpu)?;
        layer.forward_t(&x, true)?;
        // Running mean 0.3, variance 0.9 + 0.1 x 20 / 3.
        let y = layer.forward_t(&x.zeros_like()?, false)?;
        y.flatten_all()?.get(0)?.to_scalar()
    };
    let got = run().expect("no error");
    let want = -0.3 / (0.9_f32 + 2.0 / 3.0).sqrt();
    assert!((got - want).abs() < 1e-6, "{got} {want}");
}

#[test]
fn sums_and_means_in_any_layout() {
    on_every_path(|path| {
        let x = random("x", &[2, 3, 4, 5]);
        let other = random("other", &[2, 3, 4, 5]);
        // A view as our convolutions leave it: channels last in memory.
        let turned = |x: &Var| -> Result<Tensor> {
            x.permute((0, 2, 3, 1))?.contiguous()?.permute((0, 3, 1, 2))
        };
        let vars = [&x, &other];
        check(
            path,
            true,
            &vars,
            &|| add(&turned(&x)?, &other),
            Some(&|| x.add(&other)),
        );
        check(
            path,
            false,
            &vars,
            &|| add_relu(&turned(&x)?, &turned(&other)?),
            Some(&|| x.add(&other)?.relu()),
        );
        check(
            path,
            true,
            &[&x],
            &|| add(&x, &turned(&x)?),
            Some(&|| x.add(&x)),
        );
        check(
            path,
            true,
            &[&x],
            &|| flatten(&turned(&x)?),
            Some(&|| x.flatten_from(1)),
        );
        check(
            path,
            true,
            &[&x],
            &|| mean_pool(&turned(&x)?),
            Some(&|| x.flatten_from(2)?.mean(candle_core::D::Minus1)),
        );
    });
}

#[test]
fn rows_of_tables() {
    let table = random("table", &[5, 3]);
    let indices = [4_u32, 0, 4, 2];
    let rows = Tensor::new(&indices, &Device::Cpu).expect("rows");
    check(
        "gather",
        true,
        &[&table],
        &|| gather_rows(&table, indices.to_vec()),
        Some(&|| table.index_select(&rows, 0)),
    );
    let places = Tensor::new(&[6_u32, 1, 0, 3, 2], &Device::Cpu);
    let places = places.expect("places");
    check(
        "scatter",
        true,
        &[&table],
        &|| scatter_rows(&table, vec![6, 1, 0, 3, 2], 7),
        Some(&|| {
            let zeros = Tensor::zeros((7, 3), DType::F32, &Device::Cpu)?;
            zeros.index_add(&places, &table, 0)
        }),
    );
    let error = gather_rows(&table, vec![5]).expect_err("there are five");
    assert!(
        error.to_string().contains("row 5 of a table with 5 rows"),
        "{error}"
    );
}

#[test]
fn squared_errors() {
    let (x, y) = (random("x", &[3, 5]), random("y", &[3, 5]));
    check(
        "mse",
        true,
        &[&x, &y],
        &|| mse(&x, &y),
        Some(&|| candle_nn::loss::mse(&x, &y)),
    );
}

#[test]
fn packed_sequences_are_the_padded_ones_without_padding() {
    on_every_path(|path| {
        let lengths = [1_usize, 5, 3, 17];
        let places: usize = lengths.iter().sum();
        let x = random("qkv", &[places, 3 * 2 * 7]);
        check(
            path,
            true,
            &[&x],
            &|| packed_causal_self_attention(&x, 2, lengths.to_vec()),
            Some(&|| {
                let mut from = 0;
                let mut all = vec![];
                for length in lengths {
                    let one = x.narrow(0, from, length)?.unsqueeze(0)?;
                    let y = super::attention::composed(&one.contiguous()?, 2)?;
                    all.push(y.squeeze(0)?);
                    from += length;
                }
                Tensor::cat(&all, 0)
            }),
        );
    });
}

#[test]
fn candles_operations_may_stand_anywhere_on_the_tape() {
    let x = random("x", &[4, 6]);
    let weights = weights();
    let vb = weights.builder(&Device::Cpu);
    let first = linear_relu(6, 5, vb.pp("a")).expect("a layer");
    let second = linear(5, 5, vb.pp("b")).expect("a layer");
    let vars = [
        var(&weights, "a.weight"),
        var(&weights, "b.weight"),
        var(&weights, "b.bias"),
    ];
    let vars: Vec<&Var> = vars.iter().collect();
    // Ours, candle's, a reshape, one output used three times, a weight used
    // outside its layer.
    check(
        "islands",
        true,
        &vars,
        &|| {
            let hidden = first.forward(&x)?;
            let wavy = hidden.sin()?.reshape((2, 10))?.reshape((4, 5))?;
            let y = second.forward(&(&wavy * 2.0)?)?;
            let y = second.forward(&(y + &hidden)?)?;
            let tied = (vars[1].as_tensor() * 0.5)?.sum_all()?;
            add(&y, &hidden)?.broadcast_add(&tied)
        },
        None,
    );
}

#[test]
fn steps_leave_nothing_behind() {
    let x = random("x", &[8, 3, 6, 6]);
    let weights = weights();
    let vb = weights.builder(&Device::Cpu);
    let config = Conv2dConfig { padding: 1, ..Conv2dConfig::default() };
    let conv = conv2d_relu(3, 20, 3, config, vb.pp("conv")).expect("a layer");
    let head = linear(20 * 9, 4, vb.pp("head")).expect("a layer");
    let vars = weights.trainable().into_iter().map(|(_, var)| var).collect();
    let mut gradients = WeightGradients::new(vars);
    let mut step = || -> Result<()> {
        let forward = || {
            let y = max_pool2d(&conv.forward(&x)?, 2)?;
            head.forward(&flatten(&y)?)?.sqr()?.sum_all()
        };
        record(forward)?.backward(1.0, &mut gradients, false)
    };
    step().and_then(|()| step()).expect("no error");
    let before = crate::kernels::scratch::spare();
    for _ in 0..50 {
        step().expect("no error");
    }
    assert_eq!(crate::kernels::scratch::spare(), before);
}

#[test]
fn attention_sees_nothing_later() {
    on_every_path(|path| {
        for (batch, length, heads, size) in
            [(1, 1, 1, 1), (2, 5, 3, 7), (1, 19, 2, 18)]
        {
            let name = format!("{path} {length} {heads} {size}");
            let x = random("qkv", &[batch, length, 3 * heads * size]);
            check(
                &name,
                true,
                &[&x],
                &|| causal_self_attention(&x, heads),
                Some(&|| super::attention::composed(&x, heads)),
            );
        }
    });
}

#[test]
fn cross_entropy_counts_no_padding() {
    on_every_path(|path| {
        for classes in [2, 7, 28] {
            let x = random("logits", &[9, classes]);
            let last = u32::try_from(classes).expect("small") - 1;
            let mut targets = vec![0, last, 1, 1, 0, last, 0, 1, 0];
            targets[4] = u32::MAX;
            let all = Tensor::new(targets.as_slice(), &Device::Cpu);
            let all = all.expect("targets");
            let kept = [0_u32, 1, 2, 3, 5, 6, 7, 8];
            let kept = Tensor::new(&kept, &Device::Cpu).expect("rows");
            check(
                &format!("{path} {classes}"),
                true,
                &[&x],
                &|| cross_entropy(&x, &all),
                Some(&|| {
                    candle_nn::loss::cross_entropy(
                        &x.index_select(&kept, 0)?,
                        &all.index_select(&kept, 0)?,
                    )
                }),
            );
        }
    });
}

#[test]
fn nan_passes_through_every_op() {
    on_every_path(|path| {
        let run = || -> Result<Vec<f32>> {
            let poisoned = |shape: &[usize]| -> Result<Tensor> {
                let mut values = vec![1.0_f32; shape.iter().product()];
                values[0] = f32::NAN;
                Tensor::from_vec(values, shape, &Device::Cpu)
            };
            let weights = weights();
            let vb = weights.builder(&Device::Cpu);
            let targets = Tensor::new(&[0_u32, 1], &Device::Cpu)?;
            let outputs = [
                linear_relu(4, 4, vb.pp("a"))?.forward(&poisoned(&[2, 4])?)?,
                linear_gelu(4, 4, vb.pp("b"))?.forward(&poisoned(&[2, 4])?)?,
                layer_norm(4, 1e-5, vb.pp("c"))?
                    .forward(&poisoned(&[2, 4])?)?,
                max_pool2d(&poisoned(&[1, 1, 4, 4])?, 2)?,
                causal_self_attention(&poisoned(&[1, 2, 6])?, 1)?,
                cross_entropy(&poisoned(&[2, 3])?, &targets)?,
            ];
            outputs
                .iter()
                .map(|y| y.flatten_all()?.sum_all()?.to_scalar::<f32>())
                .collect()
        };
        let sums = run().expect("no error");
        assert!(sums.iter().all(|sum| sum.is_nan()), "{path}: {sums:?}");
    });
}

#[test]
fn a_weight_depends_on_its_seed_and_name_alone() {
    let device = Device::Cpu;
    let values = |seed, names: &[&str], wanted: &str| {
        let weights = Weights::new(seed, Arc::default());
        for name in names {
            let vb = weights.builder(&device).pp(name);
            linear(5, 4, vb).expect("a layer");
        }
        let wanted = var(&weights, &format!("{wanted}.weight"));
        wanted.flatten_all().and_then(|t| t.to_vec1::<f32>()).expect("f32")
    };
    let alone = values(1, &["a"], "a");
    assert_eq!(alone, values(1, &["b", "a", "c"], "a"));
    assert_ne!(alone, values(2, &["a"], "a"));
    assert_ne!(alone, values(1, &["b"], "b"));
    let bound = 1.0 / 5.0_f32.sqrt();
    assert!(alone.iter().all(|w| w.abs() <= bound));
    assert_eq!(alone.len(), 20);
    let tensor = Tensor::new(alone.as_slice(), &device).expect("a tensor");
    assert_eq!(tensor.dtype(), DType::F32);
}
