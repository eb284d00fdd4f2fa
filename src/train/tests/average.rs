//! Runs that are evaluated at an average of their weights.

use super::{Branch, Growth, Replica, follow, learner, spec};
use crate::data::{Batches, Dataset, Split, Task};
use crate::error::Error;
use crate::learner::Learner;
use crate::schedule::{Average, Course, ScheduleSpec};
use crate::spec::OptimizerSpec;
use crate::workload::Workload;
use crate::{Checkpoint, Fit, nn};
use candle_core::{Device, Result, Tensor};
use candle_nn::{Conv1dConfig, ModuleT};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

#[derive(Deserialize)]
struct Golden {
    batches: Vec<Vec<u32>>,
    data: BTreeMap<String, Part>,
    start: BTreeMap<String, Vec<f32>>,
    shapes: BTreeMap<String, Vec<usize>>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Part {
    inputs: Vec<f32>,
    targets: Vec<f32>,
}

#[derive(Deserialize)]
struct Case {
    schedule: ScheduleSpec,
    optimizer: OptimizerSpec,
    lr: f64,
    /// Of every update.
    train_loss: Vec<f64>,
    /// At the five points of a run.
    valid: Vec<f64>,
    test: f64,
}

/// A convolution, batch norm, a dense layer.
struct Net {
    conv: nn::Conv1d,
    norm: nn::BatchNorm,
    head: nn::Linear,
}

impl ModuleT for Net {
    fn forward_t(&self, x: &Tensor, train: bool) -> Result<Tensor> {
        let x = self.norm.forward_t(&self.conv.forward_t(x, train)?, train)?;
        self.head.forward_t(&nn::flatten(&x)?, train)
    }
}

fn golden() -> Golden {
    let text = include_str!("../../../tests/golden/averages.json");
    serde_json::from_str(text).expect("golden numbers")
}

impl Golden {
    fn dataset(&self) -> Dataset {
        let part = |name: &str| {
            let Part { inputs, targets } = &self.data[name];
            let (rows, device) = (targets.len(), &Device::Cpu);
            let inputs = Tensor::from_slice(inputs, (rows, 2, 5), device);
            let targets = Tensor::from_slice(targets, (rows, 1), device);
            Split {
                inputs: inputs.expect("a tensor"),
                targets: targets.expect("a tensor"),
            }
        };
        Dataset {
            train: part("train"),
            valid: part("valid"),
            test: part("test"),
            task: Task::Regress { width: 1 },
            optimum: None,
        }
    }

    fn learner(&self, optimizer: &OptimizerSpec) -> Learner {
        let build = |vb: candle_nn::VarBuilder<'_>, _: &Dataset| {
            let config = Conv1dConfig { padding: 1, ..Default::default() };
            Ok(Net {
                conv: nn::conv1d(2, 3, 3, config, vb.pp("conv"))?,
                norm: nn::batch_norm_relu(3, 1e-5, vb.pp("norm"))?,
                head: nn::linear(15, 1, vb.pp("head"))?,
            })
        };
        let weight = |(name, shape): (&String, &Vec<usize>)| {
            let values = self.start[name].as_slice();
            let tensor =
                Tensor::from_slice(values, shape.as_slice(), &Device::Cpu);
            (name.clone(), tensor.expect("a tensor"))
        };
        let weights: HashMap<_, _> = self.shapes.iter().map(weight).collect();
        let mut learner = Learner::new(build, self.dataset())
            .optimizer(optimizer.clone())
            .batch(4)
            .seed(3);
        learner.workload.weights = Arc::new(weights);
        learner
    }

    fn workload(&self) -> Workload {
        self.learner(&OptimizerSpec::sgd()).resident().expect("resident")
    }
}

fn close(got: Option<f64>, want: f64, what: &str) {
    let got = got.expect("a finite loss");
    assert!((got / want - 1.0).abs() < 2e-5, "{what}: {got}, want {want}");
}

#[test]
fn losses_at_averages_are_those_of_pytorch() {
    let golden = golden();
    let mut batches = Batches::new(10, 4, 3);
    for rows in &golden.batches {
        assert_eq!(batches.next_rows(), rows, "the script needs these");
    }
    let steps = golden.batches.len();
    for case in &golden.cases {
        let learner = golden.learner(&case.optimizer);
        let fit = learner.fit_spec(&case.schedule, case.lr, steps);
        let fit = fit.expect("trains");
        let what =
            format!("{} {}", case.schedule.label(), case.optimizer.label());
        for (point, want) in fit.curve.iter().zip(&case.valid) {
            let what = format!("{what} after {}", point.step);
            close(point.valid_loss, *want, &what);
        }
        close(fit.valid.map(|score| score.loss), case.valid[4], &what);
        close(fit.test.map(|score| score.loss), case.test, &what);
        let last = &case.train_loss[steps - 2..];
        close(fit.train_loss, last.iter().sum::<f64>() / 2.0, &what);
    }
}

#[test]
fn the_weights_of_a_run_score_as_it_does() {
    let golden = golden();
    let steps = golden.batches.len();
    for case in &golden.cases {
        let learner = golden.learner(&case.optimizer);
        let fit = learner.fit_spec(&case.schedule, case.lr, steps);
        let weights = learner.weights_under(&case.schedule, case.lr, steps);
        let mut other = learner;
        other.workload.weights =
            Arc::new(weights.expect("trains").into_iter().collect());
        let workload = other.resident().expect("resident");
        let replica = Replica::new(&workload, 0).expect("of its shapes");
        let score = replica.evaluate(&workload.data.valid);
        assert_eq!(Some(score.expect("evaluates")), fit.expect("trains").valid);
    }
}

#[test]
fn an_average_changes_no_bit_of_the_training() {
    let workload = golden().workload();
    let kinds = [Average::Ema { decay: 0.9 }, Average::Swa { after: 7 }];
    let train = |averages: &[Average]| {
        let mut replica = Replica::new(&workload, 3).expect("builds");
        replica.average(averages).expect("follows");
        let mut losses = vec![];
        for _ in 0..20 {
            losses.push(replica.update(0.05).expect("an update").to_bits());
            for &kind in averages {
                let at = replica.begun(Some(kind));
                let valid = &workload.data.valid;
                replica.evaluate_at(at, valid).expect("evaluates");
            }
        }
        let checkpoint = replica.checkpoint().expect("saved");
        let plain = Checkpoint { averages: vec![], ..checkpoint };
        (losses, plain.fingerprint().expect("a digest"))
    };
    assert_eq!(train(&kinds), train(&[]));
}

/// Every kind of average beside runs without one.
fn courses(steps: usize) -> Vec<Course> {
    [
        (r#"{"kind": "constant"}"#, steps),
        (
            r#"{"kind": "constant", "average": "ema", "average_decay": 0.9}"#,
            steps,
        ),
        (r#"{"kind": "constant", "average": "swa"}"#, steps),
        (r#"{"kind": "constant", "average": "swa"}"#, steps / 2),
        (r#"{"kind": "wsd", "average": "ema", "average_decay": 0.9}"#, steps),
        (r#"{"kind": "wsd", "average": "swa", "average_from": 0.2}"#, steps),
        (r#"{"kind": "schedule-free"}"#, steps),
        (r#"{"kind": "schedule-free"}"#, steps / 2),
        (r#"{"kind": "schedule-free", "cooldown": 0.5}"#, steps),
    ]
    .into_iter()
    .map(|(json, steps)| spec(json).course(0.05, steps).expect("stands"))
    .collect()
}

fn untimed(fit: Fit) -> Fit {
    Fit { train_seconds: 0.0, ..fit }
}

#[test]
fn sharing_and_snapshots_change_no_bit_of_averaged_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let workload = golden().workload();
    let courses = courses(20);
    let alone: Vec<Fit> = courses
        .iter()
        .map(|course| follow(&workload, 5, course.clone(), &|| false))
        .map(|fit| untimed(fit.expect("trains")))
        .collect();
    let named: Vec<(usize, Course)> =
        courses.iter().cloned().enumerate().collect();
    let mut together = vec![None; courses.len()];
    let mut open = Branch::all(5, named.clone());
    assert_eq!(open.len(), 2, "those of another form share nothing");
    // It stops at every update, is written and read, and goes on.
    let mut places = BTreeSet::new();
    while let Some(branch) = open.pop() {
        let mut reached = None;
        let mut tell = |growth| {
            match growth {
                Growth::Finished(key, fit) => together[key] = Some(fit),
                Growth::Forked(branch) => open.push(branch),
                Growth::Reached(snapshot, checkpoint) => {
                    if places.insert((checkpoint.step(), snapshot.keys())) {
                        reached = Some((snapshot, checkpoint));
                        return Err(Error::Interrupted);
                    }
                }
            }
            Ok(())
        };
        let grown =
            branch.grow(&workload, &|| false, Duration::ZERO, &mut tell);
        assert_eq!(grown.is_err(), reached.is_some());
        let Some((snapshot, checkpoint)) = reached else { continue };
        let path = folder.path().join("checkpoint");
        checkpoint.save(&path).expect("writable");
        let read = Checkpoint::load(&path).expect("its own");
        assert_eq!(
            read.fingerprint().expect("a digest"),
            checkpoint.fingerprint().expect("a digest")
        );
        let wanted = snapshot.keys().into_iter();
        let wanted = wanted.map(|key| Some(named[key].clone())).collect();
        open.push(Branch::resume(snapshot, read, wanted));
    }
    for (alone, together) in alone.into_iter().zip(together) {
        assert_eq!(untimed(together.expect("every run ends")), alone);
    }
}

#[test]
fn averages_need_the_whole_run_and_an_optimizer_with_the_form() {
    let free = ScheduleSpec::schedule_free();
    let lion = learner(OptimizerSpec::lion()).fit_spec(&free, 0.1, 20);
    let error = lion.expect_err("no such form").to_string();
    assert!(error.contains("only sgd and adamw have one"), "{error}");
    let learner = learner(OptimizerSpec::sgd());
    let start = learner.train(&|_| 0.05, 5).expect("trains");
    let resumed = learner.resume(start);
    let averaged = ScheduleSpec::constant().with("average", "swa");
    for spec in [free, averaged.expect("a key")] {
        let error = resumed.fit_spec(&spec, 0.1, 20).expect_err("half a run");
        assert!(error.to_string().contains("needs the whole run"), "{error}");
    }
}
