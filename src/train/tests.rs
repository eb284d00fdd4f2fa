mod average;
mod sets;

use super::pilot::measure;
use super::{Branch, Growth, Replica, Score, Snapshot, follow};
use crate::data::{Dataset, Split, Task};
use crate::error::Error;
use crate::learner::Learner;
use crate::record::Outcome;
use crate::schedule::{Course, ScheduleSpec};
use crate::spec::{ModelSpec, OptimizerSpec};
use crate::{Fit, nn};
use candle_core::{Device, Tensor};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

const STEPS: usize = 60;

/// A plane with some bumps, 48 points for each part.
fn plane() -> Dataset {
    let part = |from: usize| {
        let point = |i: usize| {
            let i = (from + i) as f32;
            [(0.7 * i).sin(), (1.3 * i).cos()]
        };
        let inputs: Vec<[f32; 2]> = (0..48).map(point).collect();
        let height = |&[x, y]: &[f32; 2]| x - 0.5 * y + 0.3 * (9.0 * x).sin();
        let targets: Vec<f32> = inputs.iter().map(height).collect();
        let tensor = |rows: Vec<f32>, width: usize| {
            Tensor::from_vec(rows, (48, width), &Device::Cpu)
        };
        let inputs = tensor(inputs.concat(), 2).expect("a tensor");
        let targets = tensor(targets, 1).expect("a tensor");
        Split { inputs, targets }
    };
    Dataset {
        train: part(0),
        valid: part(48),
        test: part(96),
        task: Task::Regress { width: 1 },
        optimum: None,
    }
}

fn learner(optimizer: OptimizerSpec) -> Learner {
    Learner::new(|vb, _| nn::linear(2, 1, vb), plane())
        .optimizer(optimizer)
        .batch(8)
        .seed(3)
}

fn spec(json: &str) -> ScheduleSpec {
    serde_json::from_str(json).expect("a spec that reads")
}

/// A run without its wall time.
fn run(learner: &Learner, spec: &ScheduleSpec, peak: f64) -> Fit {
    let fit = learner.fit_spec(spec, peak, STEPS).expect("trains");
    Fit { train_seconds: 0.0, ..fit }
}

#[test]
fn a_spec_trains_as_the_schedule_that_it_builds() {
    let learner = learner(OptimizerSpec::sgd());
    let spec = ScheduleSpec::cosine().warmup(5);
    let schedule = spec.build(0.05, STEPS).expect("stands");
    let built = learner.fit(&schedule, STEPS).expect("trains");
    let built = Fit { train_seconds: 0.0, ..built };
    assert_eq!(run(&learner, &spec, 0.05), built);
}

#[test]
fn a_plateau_lowers_the_rate_once_the_loss_no_longer_falls() {
    let learner = learner(OptimizerSpec::sgd());
    // At such a rate no evaluation is a ten-thousandth better.
    let spec = spec(
        r#"{"kind":"plateau","factor":0.5,"patience":2,"evaluations":15}"#,
    );
    let fit = run(&learner, &spec, 1e-9);
    // The first one is the best so far; then every third lowers the rate.
    let rates: Vec<f64> = fit.curve.iter().map(|point| point.lr).collect();
    let lowered = [0, 1, 2, 3, 4].map(|times| 1e-9 * 0.5_f64.powi(times));
    for (got, want) in rates.iter().zip(lowered) {
        assert!((got / want - 1.0).abs() < 1e-12, "{rates:?}");
    }
    assert_eq!(run(&learner, &spec, 1e-9), fit, "the same every time");
    // A loss that falls leaves the rate alone, whatever looks at it.
    let falling = run(&learner, &spec, 1e-3);
    let constant = run(&learner, &ScheduleSpec::constant(), 1e-3);
    assert_eq!(falling, constant);
}

#[test]
fn a_refined_schedule_is_made_from_a_run_of_its_own() {
    for optimizer in [OptimizerSpec::sgd(), OptimizerSpec::adamw()] {
        let adaptive = optimizer.is_adaptive();
        let learner = learner(optimizer);
        let spec = ScheduleSpec::refined().warmup(5);
        let workload = learner.resident().expect("resident");
        let pilot = spec.pilot().expect("refined");
        let pilot = measure(&workload, &pilot, 0.05, STEPS, &|| false);
        let norms = pilot.expect("trains").norms;
        assert_eq!(norms.len(), STEPS);
        assert!(norms.iter().all(|norm| *norm > 0.0), "{norms:?}");
        let table = spec.refined_by(&norms, adaptive).expect("stands");
        let fit = run(&learner, &spec, 0.05);
        assert_eq!(fit, run(&learner, &table, 0.05));
        assert_ne!(fit, run(&learner, &ScheduleSpec::linear(), 0.05));
    }
}

#[test]
fn where_the_pilot_diverges_so_does_the_schedule() {
    let learner = learner(OptimizerSpec::sgd());
    let fit = run(&learner, &ScheduleSpec::refined(), 1e6);
    assert_eq!(fit.outcome, crate::Outcome::Diverged);
    assert!(fit.valid.is_none());
}

#[test]
fn cycled_momentum_changes_the_training_and_no_rate() {
    for optimizer in [OptimizerSpec::sgd(), OptimizerSpec::adamw()] {
        let learner = learner(optimizer);
        let plain = ScheduleSpec::one_cycle();
        let still = plain.clone().with("cycle_momentum", [0.9, 0.9]);
        let cycled = plain.clone().with("cycle_momentum", [0.5, 0.95]);
        let fit = run(&learner, &plain, 0.05);
        // Both optimizers have 0.9 by default.
        assert_eq!(run(&learner, &still.expect("a key"), 0.05), fit);
        let other = run(&learner, &cycled.expect("a key"), 0.05);
        assert_ne!(other.valid, fit.valid);
        assert_eq!(
            other.curve.iter().map(|point| point.lr).collect::<Vec<_>>(),
            fit.curve.iter().map(|point| point.lr).collect::<Vec<_>>()
        );
    }
}

#[test]
fn a_spec_goes_on_from_a_checkpoint() {
    let learner = learner(OptimizerSpec::adamw());
    let spec = ScheduleSpec::one_cycle().with("cycle_momentum", [0.9, 0.9]);
    let spec = spec.expect("a key");
    let schedule = spec.build(0.05, STEPS).expect("stands");
    let checkpoint = learner.train(&schedule, 25).expect("trains");
    let resumed = learner.clone().resume(checkpoint);
    let whole = run(&learner, &spec, 0.05);
    let rest = run(&resumed, &spec, 0.05);
    assert_eq!(rest.steps, STEPS - 25);
    assert_eq!((rest.valid, rest.test), (whole.valid, whole.test));
    let refused = resumed.fit_spec(&ScheduleSpec::plateau(), 0.05, STEPS);
    assert_eq!(
        refused.expect_err("no whole run").to_string(),
        "`plateau` needs the whole run, it cannot go on from a checkpoint"
    );
}

#[test]
fn runs_that_share_updates_end_as_if_each_was_alone() {
    for optimizer in [OptimizerSpec::sgd(), OptimizerSpec::adamw()] {
        let workload = learner(optimizer).workload;
        let plateau =
            spec(r#"{"kind": "plateau", "patience": 1, "evaluations": 10}"#);
        let cycled =
            spec(r#"{"kind": "one-cycle", "cycle_momentum": [0.85, 0.95]}"#);
        let constant = ScheduleSpec::constant;
        let courses: Vec<Course> = [
            (constant(), 40),
            (constant(), 25),
            (constant(), 3),
            (ScheduleSpec::wsd(), 40),
            (ScheduleSpec::linear().warmup(7), 40),
            (ScheduleSpec::cosine().warmup(7), 40),
            (ScheduleSpec::linear().warmup(7), 40),
            (plateau, 40),
            (cycled, 40),
        ]
        .into_iter()
        .map(|(spec, steps)| spec.course(0.1, steps).expect("a course"))
        .collect();
        let alone: Vec<Fit> = courses
            .iter()
            .map(|c| {
                follow(&workload, 5, c.clone(), &|| false).expect("trains")
            })
            .collect();
        let named = courses.iter().cloned().enumerate().collect();
        let mut open = Branch::all(5, named);
        let all: usize = courses.iter().map(Course::steps).sum();
        let shared: usize = open.iter().map(Branch::steps).sum();
        assert!(shared < all * 3 / 4, "{shared} of {all}");
        let mut together = vec![None; courses.len()];
        while let Some(branch) = open.pop() {
            let mut tell = |growth| {
                match growth {
                    Growth::Finished(key, fit) => together[key] = Some(fit),
                    Growth::Forked(branch) => open.push(branch),
                    Growth::Reached(..) => unreachable!("not asked for"),
                }
                Ok(())
            };
            branch
                .grow(&workload, &|| false, Duration::MAX, &mut tell)
                .expect("trains");
        }
        for (alone, together) in alone.into_iter().zip(together) {
            let together = together.expect("every run ends");
            let train_seconds = alone.train_seconds;
            assert_eq!(Fit { train_seconds, ..together }, alone);
        }
    }
}

#[test]
fn a_shared_run_that_diverges_does_so_for_all() {
    let workload = learner(OptimizerSpec::sgd()).workload;
    let courses = [1e9, 0.1].map(|peak| {
        let long = spec(r#"{"kind": "constant"}"#).course(peak, 60);
        let short = spec(r#"{"kind": "constant"}"#).course(peak, 50);
        [long.expect("a course"), short.expect("a course")]
    });
    let mut outcomes = vec![];
    let mut open: Vec<Branch> = courses
        .into_iter()
        .flat_map(|runs| Branch::all(1, runs.into_iter().enumerate().collect()))
        .collect();
    while let Some(branch) = open.pop() {
        let mut tell = |growth| {
            if let Growth::Finished(_, fit) = growth {
                outcomes.push(fit.outcome);
            }
            Ok(())
        };
        branch
            .grow(&workload, &|| false, Duration::MAX, &mut tell)
            .expect("trains");
    }
    let of = [Outcome::Completed, Outcome::Diverged];
    assert_eq!(outcomes, [of[0], of[0], of[1], of[1]]);
}

#[test]
fn what_goes_on_from_a_snapshot_ends_the_same() {
    let workload = learner(OptimizerSpec::adamw()).workload;
    let plateau = spec(r#"{"kind": "plateau", "evaluations": 10}"#);
    let specs = [ScheduleSpec::constant(), ScheduleSpec::wsd(), plateau];
    let courses: Vec<(usize, Course)> = specs
        .iter()
        .map(|spec| spec.course(0.01, 40).expect("a course"))
        .enumerate()
        .collect();
    let alone = |i: usize| {
        let course = courses[i].1.clone();
        let fit = follow(&workload, 5, course, &|| false).expect("trains");
        Fit { train_seconds: 0.0, ..fit }
    };
    // Stops at every update with a snapshot of it, and goes on.
    let mut together = vec![None; specs.len()];
    let mut open = Branch::all(5, courses.clone());
    let mut places = BTreeSet::new();
    while let Some(branch) = open.pop() {
        let mut reached = None;
        let grown =
            branch.grow(&workload, &|| false, Duration::ZERO, &mut |growth| {
                match growth {
                    Growth::Finished(key, fit) => {
                        let fit = Fit { train_seconds: 0.0, ..fit };
                        together[key] = Some(fit);
                    }
                    Growth::Forked(branch) => open.push(branch),
                    Growth::Reached(snapshot, checkpoint) => {
                        let place = (checkpoint.step(), snapshot.keys());
                        if place.0 % 7 == 6 && places.insert(place) {
                            reached = Some((snapshot, checkpoint));
                            return Err(Error::Interrupted);
                        }
                    }
                }
                Ok(())
            });
        assert_eq!(grown.is_err(), reached.is_some());
        if let Some((snapshot, checkpoint)) = reached {
            let json = serde_json::to_string(&snapshot).expect("numbers");
            let snapshot: Snapshot =
                serde_json::from_str(&json).expect("numbers");
            let keys = snapshot.keys().into_iter();
            let courses = keys.map(|key| Some(courses[key].clone())).collect();
            open.push(Branch::resume(snapshot, checkpoint, courses));
        }
    }
    assert!(places.len() > 5, "{places:?}");
    for (i, fit) in together.into_iter().enumerate() {
        assert_eq!(fit, Some(alone(i)));
    }
}

/// Small pictures of two kinds, with `channels` colours.
fn pictures(channels: usize) -> Dataset {
    let part = |from: usize| {
        let size = channels * 64;
        let pixel = |i: usize| ((from * size + i) as f32 * 0.37).sin();
        let pixels: Vec<f32> = (0..48 * size).map(pixel).collect();
        let kinds = pixels.chunks(size).map(|x| u32::from(x[0] + x[9] > 0.0));
        let targets = Tensor::from_iter(kinds, &Device::Cpu);
        let shape = (48, channels, 8, 8);
        Split {
            inputs: Tensor::from_slice(&pixels, shape, &Device::Cpu)
                .expect("a tensor"),
            targets: targets.expect("a tensor"),
        }
    };
    Dataset {
        train: part(0),
        valid: part(48),
        test: part(96),
        task: Task::Classify { classes: 2 },
        optimum: None,
    }
}

/// Losses of some updates and a score, by recording every step anew or by
/// replaying it, and whether it was replayed.
fn trained(
    model: &str,
    data: Dataset,
    optimizer: OptimizerSpec,
    replay: bool,
) -> (Vec<f64>, Score, bool) {
    let model: ModelSpec = serde_json::from_str(model).expect("a model");
    let learner = Learner::new(|vb, _| nn::linear(2, 1, vb), data)
        .optimizer(optimizer)
        .batch(7);
    let mut workload = learner.resident().expect("resident");
    workload.build =
        Arc::new(move |vb, data| crate::model::build(&model, vb, data));
    workload.is_static = replay;
    let mut replica = Replica::new(&workload, 5).expect("builds");
    let mut losses = vec![];
    for step in 1..=30_u32 {
        losses.push(replica.update(0.05 / f64::from(step)).expect("ok"));
    }
    let score = replica.evaluate(&workload.data.valid).expect("evaluates");
    (losses, score, replica.replays().expect("updates"))
}

#[test]
fn a_replayed_step_is_the_recorded_one_to_the_bit() {
    let mlp = r#"{"kind":"mlp","hidden":[9,5]}"#;
    let cnn = r#"{"kind":"cnn","channels":[3,5],"kernels":[3],"pool":2,"hidden":[6]}"#;
    let resnet = r#"{"kind":"resnet","channels":[3,4],"blocks":1}"#;
    let cases = [(mlp, plane()), (cnn, pictures(1)), (resnet, pictures(3))];
    for (model, data) in cases {
        for optimizer in [OptimizerSpec::sgd(), OptimizerSpec::adamw()] {
            let run = |replay| {
                trained(model, data.clone(), optimizer.clone(), replay)
            };
            let (losses, score, replayed) = run(true);
            assert!(replayed, "{model}");
            let recorded = run(false);
            assert_eq!(recorded, (losses, score, false), "{model}");
        }
    }
}

#[test]
fn a_recurrent_step_is_replayed_to_the_bit_whatever_is_padding() {
    let spec = crate::spec::DatasetSpec::builtin("words").expect("a set");
    let base = std::path::Path::new("");
    let words = crate::data::load(&spec, 0.0, base, &Device::Cpu);
    let words = words.expect("embedded");
    let signals = Dataset {
        train: signals(&pictures(1).train),
        valid: signals(&pictures(1).valid),
        test: signals(&pictures(1).test),
        ..pictures(1)
    };
    let model = r#"{"kind":"gru","hidden":8,"layers":2,"embedding":4}"#;
    for data in [words, signals] {
        let run = |replay| {
            trained(model, data.clone(), OptimizerSpec::adamw(), replay)
        };
        let (losses, score, replayed) = run(true);
        assert!(replayed && losses[29] < losses[0], "{losses:?}");
        assert_eq!(run(false), (losses, score, false));
    }
}

/// Pictures as signals of two channels.
fn signals(pictures: &Split) -> Split {
    let inputs = pictures.inputs.reshape((48, 2, 32)).expect("as many");
    Split { inputs, targets: pictures.targets.clone() }
}

#[test]
fn a_step_whose_shapes_follow_the_batch_is_recorded_each_time() {
    let spec = crate::spec::DatasetSpec::builtin("words").expect("a set");
    let base = std::path::Path::new("");
    let words = crate::data::load(&spec, 0.0, base, &Device::Cpu);
    let model = r#"{"kind":"transformer","width":8,"layers":1,"heads":2}"#;
    let words = words.expect("embedded");
    let (_, _, replayed) = trained(model, words, OptimizerSpec::sgd(), true);
    assert!(!replayed, "padding is left out, and every batch has another");
}
