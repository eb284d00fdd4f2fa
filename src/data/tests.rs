//! Built-in and generated data sets, and the checks on every data set.

mod files;
mod sets;
mod vision;

use super::pack::Idx;
use super::plain::{Scale, standardise_columns, standardise_targets};
use super::{Dataset, Split, Task, load};
use crate::error::Result;
use crate::seed::NumpyLegacy;
use crate::spec::{DatasetSpec, TableTask};
use candle_core::{DType, Device, Tensor};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What numpy makes of the same files: tests/golden/data.py.
#[derive(Deserialize)]
struct Golden {
    generator: Generator,
    sets: BTreeMap<String, [Summary; 3]>,
}

#[derive(Deserialize)]
struct Generator {
    uniform: Vec<f64>,
    normal: Vec<f64>,
    below_48: Vec<u32>,
    permutation_12: Vec<u32>,
    after: f64,
}

#[derive(Deserialize)]
struct Summary {
    rows: usize,
    first: Vec<f64>,
    sum: f64,
    placed: f64,
    first_targets: Vec<f64>,
    target_sum: f64,
    target_placed: f64,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../../tests/golden/data.json"))
        .expect("the golden file is JSON")
}

fn builtin(name: &str) -> Dataset {
    Dataset::builtin(name, &Device::Cpu).expect("a built-in set")
}

fn parts(data: &Dataset) -> [&Split; 3] {
    [&data.train, &data.valid, &data.test]
}

/// All values; uncounted targets as -1, as in the golden file.
fn values(tensor: &Tensor) -> Vec<f64> {
    let flat = tensor.flatten_all().expect("a tensor");
    match flat.dtype() {
        DType::U32 => flat
            .to_vec1::<u32>()
            .expect("indices")
            .into_iter()
            .map(|i| if i == u32::MAX { -1.0 } else { f64::from(i) })
            .collect(),
        _ => flat
            .to_vec1::<f32>()
            .expect("numbers")
            .into_iter()
            .map(f64::from)
            .collect(),
    }
}

fn placed(values: &[f64]) -> f64 {
    let weight = |i: usize| (i % 97 + 1) as f64 / 97.0;
    values.iter().enumerate().map(|(i, x)| x * weight(i)).sum()
}

#[track_caller]
fn close(got: f64, expected: f64, within: f64, what: &str) {
    assert!(
        (got - expected).abs() <= within,
        "{what}: {got}, expected {expected}"
    );
}

/// Sums of f32 values lose at most this, per value.
const ROUNDING: f64 = 2e-7;

fn agrees_with_numpy(name: &str) {
    let golden = golden();
    let data = builtin(name);
    data.check().expect("a sound data set");
    for (part, expected) in parts(&data).into_iter().zip(&golden.sets[name]) {
        assert_eq!(part.len(), expected.rows, "{name}");
        let (inputs, targets) = (values(&part.inputs), values(&part.targets));
        assert_eq!(expected.first.len(), data.features(), "{name}");
        for (got, expected) in inputs.iter().zip(&expected.first) {
            close(*got, *expected, 1e-6, name);
        }
        for (got, expected) in targets.iter().zip(&expected.first_targets) {
            close(*got, *expected, 1e-6, name);
        }
        let within = ROUNDING * inputs.len() as f64;
        close(inputs.iter().sum(), expected.sum, within, name);
        close(placed(&inputs), expected.placed, within, name);
        let within = ROUNDING * targets.len() as f64;
        close(targets.iter().sum(), expected.target_sum, within, name);
        close(placed(&targets), expected.target_placed, within, name);
    }
}

#[test]
fn pictures_agree_with_numpy() {
    agrees_with_numpy("fashion");
    agrees_with_numpy("digits");
}

#[test]
fn tables_agree_with_numpy() {
    for name in ["letter", "satimage", "dna", "spam", "diamonds"] {
        agrees_with_numpy(name);
    }
}

#[test]
fn words_agree_with_numpy() {
    agrees_with_numpy("words");
}

#[test]
fn mnist1d_agrees_with_numpy() {
    agrees_with_numpy("mnist1d");
    // The label counts of the published training part, 4,000 signals.
    let data = builtin("mnist1d");
    let mut counts = [0; 10];
    for part in [&data.train, &data.valid] {
        for label in part.targets.to_vec1::<u32>().expect("labels") {
            counts[label as usize] += 1;
        }
    }
    assert_eq!(counts, [398, 396, 411, 394, 394, 402, 401, 404, 402, 398]);
}

#[test]
fn the_generator_is_that_of_numpy() {
    let expected = golden().generator;
    let mut rng = NumpyLegacy::new(42);
    let uniform: Vec<f64> = (0..3).map(|_| rng.uniform()).collect();
    assert_eq!(uniform, expected.uniform);
    for normal in expected.normal {
        close(rng.normal(), normal, 1e-15, "normal");
    }
    let below: Vec<u32> = (0..5).map(|_| rng.below(48)).collect();
    assert_eq!(below, expected.below_48);
    assert_eq!(rng.permutation(12), expected.permutation_12);
    assert_eq!(rng.uniform(), expected.after, "as many words are drawn");
}

#[test]
fn shapes_and_tasks_are_as_documented() {
    let classify = |classes| Task::Classify { classes };
    let value = Task::Regress { width: 1 };
    let text = Task::NextToken { vocabulary: 28, padding: Some(27) };
    for (name, shape, task) in [
        ("fashion", &[1, 14, 14][..], classify(10)),
        ("letter", &[16], classify(26)),
        ("satimage", &[36], classify(6)),
        ("dna", &[180], classify(3)),
        ("spam", &[57], classify(2)),
        ("digits", &[1, 8, 8], classify(10)),
        ("diamonds", &[26], value),
        ("words", &[16], text),
        ("mnist1d", &[1, 40], classify(10)),
        ("teacher-student", &[32], value),
        ("power-law", &[64], value),
    ] {
        let data = builtin(name);
        assert_eq!(data.input_shape(), shape, "{name}");
        assert_eq!(data.task, task, "{name}");
        if let Task::Classify { classes } = task {
            for part in parts(&data) {
                let labels: BTreeSet<u32> = part
                    .targets
                    .to_vec1::<u32>()
                    .expect("labels")
                    .into_iter()
                    .collect();
                assert_eq!(labels.len(), classes, "{name}: every class");
            }
        }
    }
}

#[test]
fn training_inputs_have_mean_0_and_deviation_1() {
    let moments = |column: &[f64]| {
        let n = column.len() as f64;
        let mean = column.iter().sum::<f64>() / n;
        (mean, column.iter().map(|x| x * x).sum::<f64>() / n)
    };
    let data = builtin("letter");
    let inputs = values(&data.train.inputs);
    for i in 0..16 {
        let column: Vec<f64> =
            inputs.iter().skip(i).step_by(16).copied().collect();
        let (mean, square) = moments(&column);
        close(mean, 0.0, 1e-2, "letter, less what was clipped");
        close(square, 1.0, 2e-2, "letter, less what was clipped");
    }
    let data = builtin("fashion");
    let (mean, square) = moments(&values(&data.train.inputs));
    close(mean, 0.0, 1e-5, "fashion");
    close(square, 1.0, 1e-5, "fashion");
    let data = builtin("diamonds");
    let (mean, square) = moments(&values(&data.train.targets));
    close(mean, 0.0, 1e-5, "prices");
    close(square, 1.0, 1e-5, "prices");
    let inputs = values(&data.train.inputs);
    assert!(inputs.iter().all(|x| x.abs() <= 6.0), "clipped");
}

/// Rows that the source does not repeat are in one part only.
#[test]
fn no_word_and_no_signal_is_in_two_parts() {
    for name in ["words", "mnist1d", "teacher-student", "power-law"] {
        let data = builtin(name);
        let mut seen = BTreeSet::new();
        for part in parts(&data) {
            for row in values(&part.inputs).chunks_exact(data.features()) {
                let bits: Vec<u64> = row.iter().map(|x| x.to_bits()).collect();
                assert!(seen.insert(bits), "{name}: a row twice");
            }
        }
    }
}

#[test]
fn builtin_names_that_need_more_say_so() {
    let message = |name: &str| {
        let got = Dataset::builtin(name, &Device::Cpu);
        got.expect_err("no data set").to_string()
    };
    assert_eq!(
        message("leter"),
        "unknown data set `leter`, did you mean `letter`?"
    );
    assert_eq!(
        message("csv"),
        "data set `csv` needs more than a name: give its file in a grid, or \
         to `Dataset::csv`"
    );
    #[cfg(not(feature = "hub"))]
    assert_eq!(
        message("cifar-10"),
        "`cifar-10` without `dir` must be downloaded: give the folder of its \
         files with `dir`, or build with `--features hub`"
    );
}

#[test]
fn label_noise_is_exact_and_repeatable() {
    let noisy = |share| {
        let spec = DatasetSpec::builtin("digits").expect("a set");
        load(&spec, share, Path::new(""), &Device::Cpu).expect("digits")
    };
    let (clean, some, all) = (noisy(0.0), noisy(0.1234), noisy(1.0));
    let wrong = |data: &Dataset| {
        let (a, b) =
            (values(&clean.train.targets), values(&data.train.targets));
        a.iter().zip(&b).filter(|(a, b)| a != b).count()
    };
    assert_eq!(wrong(&some), 123);
    assert_eq!(wrong(&all), 1000);
    some.check().expect("labels stay classes");
    assert_eq!(values(&some.valid.targets), values(&clean.valid.targets));
    let print = |data: &Dataset| data.fingerprint().expect("a digest");
    assert_eq!(print(&some), print(&noisy(0.1234)));
    assert_ne!(print(&some), print(&clean));
    let spec = DatasetSpec::builtin("words").expect("a set");
    let error = load(&spec, 0.1, Path::new(""), &Device::Cpu);
    assert_eq!(
        error.expect_err("text has no labels").to_string(),
        "`label_noise` needs classes: leave it out for regression and text"
    );
}

/// Mean squared error of `predict` on the validation part.
fn valid_loss(data: &Dataset, predict: impl Fn(&[f64]) -> f64) -> f64 {
    let inputs = values(&data.valid.inputs);
    let targets = values(&data.valid.targets);
    let rows = inputs.chunks_exact(data.features());
    let square = |(x, y): (&[f64], &f64)| (predict(x) - y).powi(2);
    rows.zip(&targets).map(square).sum::<f64>() / targets.len() as f64
}

#[test]
fn the_power_laws_optimum_is_the_true_weights_loss() {
    let data = builtin("power-law");
    let optimum = data.optimum.expect("it is known");
    let total: f64 = (1..=64).map(|i| f64::from(i).powf(-1.5)).sum();
    let loss = valid_loss(&data, |x| x.iter().sum::<f64>() / total.sqrt());
    close(loss, optimum, 1e-6, "true weights");
    close(optimum, 0.25, 0.05, "noise of 0.5");
    close(valid_loss(&data, |_| 0.0), 1.25, 0.2, "clean variance of 1");
    let first = values(&data.train.inputs);
    let variance = |column: usize| {
        let cells = first.iter().skip(column).step_by(64);
        cells.map(|x| x * x).sum::<f64>() / 4000.0
    };
    close(variance(0), 1.0, 0.1, "first feature");
    close(variance(15) * 64.0, 1.0, 0.1, "sixteenth feature");
}

#[test]
fn the_teachers_targets_are_standardised_before_the_noise() {
    let spec = DatasetSpec::TeacherStudent { noise: 0.0 };
    let clean = load(&spec, 0.0, Path::new(""), &Device::Cpu).expect("clean");
    assert_eq!(clean.optimum, Some(0.0));
    let noisy = builtin("teacher-student");
    close(noisy.optimum.expect("known"), 0.01, 0.002, "noise of 0.1");
    let (mut n, mut sum, mut square, mut errors) = (0.0, 0.0, 0.0, 0.0);
    for (a, b) in parts(&clean).into_iter().zip(parts(&noisy)) {
        let (a, b) = (values(&a.targets), values(&b.targets));
        for (a, b) in a.into_iter().zip(b) {
            n += 1.0;
            sum += a;
            square += a * a;
            errors += (b - a).powi(2);
        }
    }
    close(sum / n, 0.0, 1e-6, "mean");
    close(square / n, 1.0, 1e-6, "variance");
    close(errors / n, 0.01, 1e-3, "noise");
}

#[test]
fn constant_columns_become_0_everywhere() {
    let mut parts =
        [vec![0.1, 1.0, 0.1, 3.0], vec![7.0, 2.0], vec![0.1, 100.0]];
    standardise_columns(&mut parts, 2);
    assert_eq!(parts[0], [0.0, -1.0, 0.0, 1.0]);
    assert_eq!(parts[1], [0.0, 0.0]);
    assert_eq!(parts[2], [0.0, 6.0], "clipped");
    // Sums of 0.1 round, so that the deviation is not quite 0.
    assert!(Scale::of([0.1; 7].into_iter()).is_constant());
    assert!(!Scale::of([1.7e9, 1.7e9 + 1.0].into_iter()).is_constant());
    let targets = [vec![0.0, 2.0], vec![1.0], vec![21.0]];
    let [_, _, test] = standardise_targets(targets, 1);
    assert_eq!(test, [20.0], "targets are not clipped");
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let real = |shape: &[usize]| {
        Tensor::zeros(shape, DType::F32, &Device::Cpu).expect("a tensor")
    };
    let index = |shape: &[usize]| {
        Tensor::zeros(shape, DType::U32, &Device::Cpu).expect("a tensor")
    };
    let split = |inputs: &Tensor, targets: &Tensor| Split {
        inputs: inputs.clone(),
        targets: targets.clone(),
    };
    let good = split(&real(&[8, 3]), &index(&[8]));
    let classes = Task::Classify { classes: 2 };
    let of = |valid: Split, task| {
        Dataset::new(good.clone(), valid, good.clone(), task).check()
    };
    of(good.clone(), classes).expect("a data set");
    let message = |inputs: &Tensor, targets: &Tensor| {
        of(split(inputs, targets), classes).expect_err("a fault").to_string()
    };
    let bytes = index(&[8]).to_dtype(DType::U8).expect("bytes");
    let two = (index(&[8]) + 2.0).expect("twos");
    let nan = (real(&[8, 3]) * f64::NAN).expect("nans");
    for (inputs, targets, expected) in [
        (
            real(&[8, 3]),
            index(&[7]),
            "its targets have shape [7], expected [8]",
        ),
        (
            real(&[8, 4]),
            index(&[8]),
            "its examples have shape [4], those of the training part [3]",
        ),
        (real(&[0, 3]), index(&[0]), "there are no examples in it"),
        (
            real(&[8, 3]),
            bytes,
            "its targets are u8, expected u32: convert them with `to_dtype`",
        ),
        (
            real(&[8, 3]),
            two,
            "its targets hold 2, but only 2 are declared, from 0",
        ),
        (
            nan,
            index(&[8]),
            "its inputs hold NaN: replace it by a finite number",
        ),
    ] {
        assert_eq!(
            message(&inputs, &targets),
            format!("validation part of the data set: {expected}")
        );
    }
    let regress = of(good.clone(), Task::Regress { width: 1 });
    assert_eq!(
        regress.expect_err("a fault").to_string(),
        "training part of the data set: its targets have shape [8], expected \
         [8, 1]"
    );
    let scalar = split(&real(&[]), &index(&[]));
    let flat = Dataset::new(scalar.clone(), scalar.clone(), scalar, classes);
    assert_eq!(flat.input_shape(), [0; 0]);
    assert!(flat.check().is_err());
    let text = split(&index(&[2, 4]), &(index(&[2, 4]) + 3.0).expect("threes"));
    let task = Task::NextToken { vocabulary: 3, padding: None };
    let text = Dataset::new(text.clone(), text.clone(), text, task);
    assert!(text.check().is_err(), "a character beyond the vocabulary");
}

#[test]
fn fingerprints_tell_data_apart() {
    let digest = |name: &str| builtin(name).fingerprint().expect("a digest");
    assert_eq!(digest("digits"), digest("digits"));
    assert_ne!(digest("digits"), digest("letter"));
    let mut swapped = builtin("digits");
    std::mem::swap(&mut swapped.valid, &mut swapped.test);
    assert_ne!(swapped.fingerprint().expect("a digest"), digest("digits"));
}
