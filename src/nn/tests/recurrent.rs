//! The gated recurrent unit against PyTorch's, its own composition of
//! candle's operations, and finite differences.

use super::super::recurrent::{Reach, last_place};
use super::{check, on_every_path, random, var, weights};
use crate::nn::{Gru, gru};
use candle_core::{Device, Module as _, Result, Tensor, Var};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    /// Sequences, positions, inputs, values of a state.
    sizes: [usize; 4],
    lengths: Option<Vec<usize>>,
    x: Vec<f32>,
    shares: Vec<f32>,
    weights: BTreeMap<String, Vec<f32>>,
    y: Vec<f32>,
    dx: Vec<f32>,
    gradients: BTreeMap<String, Vec<f32>>,
}

/// Characters of which the ends beyond these `lengths` are padding.
fn characters(lengths: &[usize], longest: usize) -> Reach {
    let row = |length: &usize| {
        let place = |i| u32::from(i < *length) * 3;
        (0..longest).map(place).collect::<Vec<u32>>()
    };
    let characters = lengths.iter().flat_map(row).collect();
    Reach::Characters { characters, padding: 0 }
}

fn states(
    layer: &Gru,
    x: &Tensor,
    lengths: Option<&[usize]>,
) -> Result<Tensor> {
    let (batch, length, _) = x.dims3()?;
    let Some(lengths) = lengths else { return layer.forward(x) };
    let reach = characters(lengths, length);
    let y = layer.run(&layer.input(x)?, (batch, length), reach)?;
    y.reshape((batch, length, ()))
}

fn close(got: &Tensor, want: &[f32], what: &str) {
    let got = got.flatten_all().and_then(|got| got.to_vec1::<f32>());
    let got = got.expect("floats");
    let largest = want.iter().fold(1.0_f32, |most, x| most.max(x.abs()));
    assert_eq!(got.len(), want.len(), "{what}");
    for (got, want) in got.iter().zip(want) {
        let error = (got - want).abs() / largest;
        assert!(error < 2e-6, "{what}: {got}, want {want}");
    }
}

#[test]
fn the_unit_is_that_of_pytorch() {
    let text = include_str!("../../../tests/golden/gru.json");
    let golden: Golden = serde_json::from_str(text).expect("golden numbers");
    let agree = |path: &str, case: &Case| -> Result<()> {
        let [batch, length, inputs, width] = case.sizes;
        let weights = weights();
        let layer = gru(inputs, width, weights.builder(&Device::Cpu))?;
        for (name, values) in &case.weights {
            let var = var(&weights, name);
            var.set(&Tensor::from_slice(values, var.shape(), &Device::Cpu)?)?;
        }
        let of = |values: &[f32], last: usize| {
            Tensor::from_slice(values, (batch, length, last), &Device::Cpu)
        };
        let x = Var::from_tensor(&of(&case.x, inputs)?)?;
        let y = states(&layer, &x, case.lengths.as_deref())?;
        close(&y, &case.y, &format!("{path} states"));
        let loss = (y * of(&case.shares, width)?)?.sum_all()?;
        let gradients = loss.backward()?;
        let dx = gradients.get(&x).expect("tracked");
        close(dx, &case.dx, &format!("{path} inputs"));
        for (name, want) in &case.gradients {
            let got = gradients.get(&var(&weights, name)).expect("tracked");
            close(got, want, &format!("{path} {name}"));
        }
        Ok(())
    };
    for case in &golden.cases {
        on_every_path(|path| agree(path, case).expect("no error"));
    }
}

#[test]
fn units_of_odd_sizes() {
    on_every_path(|path| {
        for (batch, length, inputs, width) in
            [(1, 1, 1, 1), (3, 4, 2, 19), (5, 3, 7, 16)]
        {
            let name = format!("{path} {batch} {length} {inputs} {width}");
            let x = random("x", &[batch, length, inputs]);
            let weights = weights();
            let layer = gru(inputs, width, weights.builder(&Device::Cpu));
            let layer = layer.expect("a layer");
            let all: Vec<Var> =
                weights.trainable().into_iter().map(|(_, var)| var).collect();
            let mut vars: Vec<&Var> = all.iter().collect();
            vars.push(&x);
            check(
                &name,
                true,
                &vars,
                &|| layer.forward(&x),
                Some(&|| layer.composed(&layer.input(&x)?)),
            );
            let last = || last_place(&layer.forward(&x)?);
            check(&format!("{name} last"), true, &vars, &last, None);
        }
        let x = random("x", &[4, 5, 2]);
        let weights = weights();
        let layer = gru(2, 9, weights.builder(&Device::Cpu));
        let layer = layer.expect("a layer");
        let lengths = [3, 5, 1, 3];
        let f = || states(&layer, &x, Some(&lengths));
        check(&format!("{path} padded"), true, &[&x], &f, None);
    });
}

#[test]
fn what_is_no_number_reaches_the_states_of_its_sequence() {
    on_every_path(|_| {
        let weights = weights();
        let layer = gru(1, 4, weights.builder(&Device::Cpu)).expect("a layer");
        let x = [[[0.0_f32], [f32::NAN], [0.0]], [[1.0], [0.0], [0.0]]];
        let x = Tensor::new(&x, &Device::Cpu).expect("a tensor");
        let y = layer.forward(&x).expect("states");
        let y = y.to_vec3::<f32>().expect("floats");
        let nan = |row: usize, step: usize| y[row][step][0].is_nan();
        assert!(!nan(0, 0) && nan(0, 1) && nan(0, 2));
        assert!(!nan(1, 0) && !nan(1, 2));
    });
}
