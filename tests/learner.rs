//! The library, as a Rust programmer uses it.

use candle_core::{Device, Tensor};
use candle_nn::{Func, Module as _, VarBuilder};
use lrscout::{
    Checkpoint, Dataset, FindOutcome, Learner, OptimizerSpec, RangeTest,
    ScheduleSpec, Split, Task, nn,
};
use std::collections::BTreeMap;

/// Two spirals of `n` points each way around, no randomness.
fn spirals(n: u16) -> Split {
    let mut inputs = vec![];
    let mut targets = vec![];
    for i in 0..n {
        let class = u32::from(i % 2);
        let turn = f32::from(i) / f32::from(n) * 7.0;
        let angle = turn + class as f32 * std::f32::consts::PI;
        inputs.extend([turn * angle.cos() / 4.0, turn * angle.sin() / 4.0]);
        targets.push(class);
    }
    let inputs = Tensor::from_vec(inputs, (usize::from(n), 2), &Device::Cpu);
    let targets = Tensor::from_vec(targets, usize::from(n), &Device::Cpu);
    Split {
        inputs: inputs.expect("a tensor"),
        targets: targets.expect("a tensor"),
    }
}

fn net(
    vb: VarBuilder<'_>,
    data: &Dataset,
) -> candle_core::Result<Func<'static>> {
    let hidden = nn::linear_relu(2, 24, vb.pp("hidden"))?;
    let out = nn::linear(24, data.outputs(), vb.pp("out"))?;
    Ok(candle_nn::func(move |x| out.forward(&hidden.forward(x)?)))
}

fn learner(optimizer: OptimizerSpec) -> Learner {
    let task = Task::Classify { classes: 2 };
    let data = Dataset::new(spirals(300), spirals(90), spirals(70), task);
    Learner::new(net, data).optimizer(optimizer).batch(32).seed(3)
}

fn optimizers() -> [OptimizerSpec; 6] {
    [
        OptimizerSpec::sgd(),
        OptimizerSpec::adamw(),
        OptimizerSpec::adam(),
        OptimizerSpec::rmsprop(),
        OptimizerSpec::lion(),
        OptimizerSpec::muon(),
    ]
}

#[test]
fn a_finder_call_disturbs_no_training() {
    let schedule = ScheduleSpec::cosine().build(0.03, 60).expect("a schedule");
    for optimizer in optimizers() {
        let learner = learner(optimizer);
        let print = |learner: &Learner, steps| {
            let checkpoint = learner.train(&schedule, steps);
            let checkpoint = checkpoint.expect("a training");
            checkpoint.fingerprint().expect("readable")
        };
        let undisturbed = print(&learner, 60);
        let fit = learner.fit(&schedule, 60).expect("a training");
        let first = learner.find_lr().expect("a rate");
        assert_eq!(print(&learner, 60), undisturbed);
        // From the middle too: weights, moments, place in the data.
        let middle = learner.train(&schedule, 25).expect("a training");
        let resumed = learner.clone().resume(middle.clone());
        let there = resumed.find_lr().expect("a rate");
        assert_ne!(there.curve, first.curve, "it starts from the middle");
        assert_eq!(print(&resumed, 60), undisturbed);
        assert_eq!(resumed.find_lr().expect("a rate"), there);
        assert_eq!(learner.find_lr().expect("a rate"), first);
        let again = learner.fit(&schedule, 60).expect("a training");
        let (valid, train) = (fit.valid, fit.train_loss);
        assert_eq!((again.valid, again.train_loss), (valid, train));
        let end = resumed.fit(&schedule, 60).expect("a training");
        assert_eq!(end.valid, valid, "resumed and undisturbed end alike");
    }
}

#[test]
fn a_checkpoint_survives_its_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("middle.safetensors");
    let schedule = ScheduleSpec::linear().build(0.03, 60).expect("a schedule");
    for optimizer in optimizers() {
        let learner = learner(optimizer);
        let middle = learner.train(&schedule, 25).expect("a training");
        middle.save(&path).expect("writable");
        let back = Checkpoint::load(&path).expect("readable");
        let prints = [&middle, &back].map(|c| c.fingerprint().expect("one"));
        assert_eq!(prints[0], prints[1]);
        assert_eq!(back.step(), 25);
        // Its weights alone are a start for fine-tuning.
        let tuned = learner.clone().weights(&path).expect("weights");
        let start = tuned.train(&schedule, 0).expect("no update");
        let fresh = learner.train(&schedule, 0).expect("no update");
        let prints = [&start, &fresh].map(|c| c.fingerprint().expect("one"));
        assert_ne!(prints[0], prints[1]);
        let other = match learner.resume(back).fit(&schedule, 30) {
            Ok(fit) => fit.steps,
            Err(error) => unreachable!("{error}"),
        };
        assert_eq!(other, 5, "the updates that are left");
    }
    std::fs::write(&path, b"not a checkpoint").expect("writable");
    assert!(Checkpoint::load(&path).is_err());
}

#[test]
fn a_checkpoint_of_another_model_is_refused() {
    let schedule = ScheduleSpec::linear().build(0.03, 60).expect("a schedule");
    let [sgd, adamw, ..] = optimizers();
    let middle = learner(sgd).train(&schedule, 5).expect("a training");
    let error = learner(adamw).resume(middle).fit(&schedule, 60);
    let error = error.expect_err("moments of sgd").to_string();
    let want = "resuming `model`: the checkpoint is of another optimizer or other \
                weights";
    assert_eq!(error.lines().next(), Some(want), "{error}");
}

#[test]
fn accumulated_gradients_are_those_of_the_whole_batch() {
    let schedule = ScheduleSpec::linear().build(0.05, 40).expect("a schedule");
    let loss = |parts| {
        let learner = learner(OptimizerSpec::sgd()).accumulate(parts);
        let fit = learner.fit(&schedule, 40).expect("a training");
        fit.valid.expect("a score").loss
    };
    let whole = loss(1);
    for parts in [2, 3, 32, 100] {
        let off = (loss(parts) / whole - 1.0).abs();
        assert!(off < 1e-3, "{parts} parts are {off} off");
    }
}

/// Rows in the corners of a square, in equal numbers: the Hessian of a linear
/// model's mean squared error is 2 for each weight and the bias, and 0 between
/// them.
fn square(n: u16) -> Split {
    let corner = |i: u16| [f32::from(i % 2), f32::from(i / 2 % 2)];
    let corners = (0..n).map(|i| corner(i).map(|x| 2.0 * x - 1.0));
    let inputs: Vec<f32> = corners.flatten().collect();
    let targets: Vec<f32> = inputs
        .chunks(2)
        .map(|x| 1.0 + 2.0 * x[0] - x[1] + 0.5 * x[0] * x[1])
        .collect();
    let tensor = |rows: Vec<f32>, width: usize| {
        Tensor::from_vec(rows, (usize::from(n), width), &Device::Cpu)
            .expect("a tensor")
    };
    Split { inputs: tensor(inputs, 2), targets: tensor(targets, 1) }
}

#[test]
fn the_rate_is_found_below_the_edge_of_stability() {
    // Gradient descent diverges above 2 over the curvature. (Momentum would
    // overshoot the minimum long before that and be lowest there.)
    let edge = 2.0 / 2.0;
    let plain = OptimizerSpec::Sgd {
        momentum: 0.0,
        nesterov: false,
        weight_decay: 0.0,
        clip_norm: None,
        lr_multipliers: BTreeMap::new(),
    };
    let task = Task::Regress { width: 1 };
    let data = Dataset::new(square(64), square(64), square(64), task);
    let learner = Learner::new(|vb, _| nn::linear(2, 1, vb), data)
        .optimizer(plain)
        .batch(1000);
    for on in [lrscout::LossKind::Train, lrscout::LossKind::Valid] {
        let test = RangeTest { on, ..RangeTest::default() };
        let found = learner.find_lr_with(&test).expect("a rate");
        assert_eq!(found.outcome, FindOutcome::Found, "{}", found.reason);
        // The loss is lowest near the edge, and the rate is a third of that.
        let share = found.lr / edge;
        assert!((0.15..0.6).contains(&share), "{on:?}: {share} of the edge");
    }
}
