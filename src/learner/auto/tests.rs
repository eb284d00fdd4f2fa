use super::*;
use crate::data::{Dataset, Split, Task};
use crate::nn;
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;

fn candidate(label: &str, losses: &[f64]) -> Candidate {
    let loss = |l: &f64| Some(*l).filter(|l| l.is_finite());
    Candidate {
        label: label.to_owned(),
        losses: losses.iter().map(loss).collect(),
        stopped: false,
        e_value: 0.0,
    }
}

#[test]
fn what_is_clearly_worse_stops_and_what_is_not_goes_on() {
    let mut race = [
        candidate("good", &[1.00, 1.02, 0.99, 1.01, 1.00]),
        candidate("same", &[1.01, 1.01, 1.00, 1.00, 1.01]),
        candidate("bad", &[2.00, 2.03, 1.99, 2.00, 2.01]),
        candidate("dead", &[1.0, f64::NAN, 1.0, 1.0, 1.0]),
    ];
    look(&mut race);
    let stopped: Vec<&str> =
        race.iter().filter(|c| c.stopped).map(|c| c.label.as_str()).collect();
    assert_eq!(stopped, ["bad", "dead"]);
    assert!(race[2].e_value >= 20.0 && race[1].e_value < 20.0);
}

#[test]
fn equal_schedules_are_seldom_stopped() {
    // Roughly normal luck, shared by the schedules of a seed and their
    // own, from a small generator.
    let mut state = 7_u64;
    let mut uniform = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        f64::from((state >> 40) as u32) / f64::from(1_u32 << 24)
    };
    let mut normal = || (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
    let studies = 400;
    let mut false_alarms = 0;
    for _ in 0..studies {
        let mut race =
            ["a", "b", "c", "d", "e", "f"].map(|label| candidate(label, &[]));
        for _ in 0..8 {
            let shared = 1.0 + 0.1 * normal();
            for candidate in race.iter_mut().filter(|c| !c.stopped) {
                candidate.losses.push(Some(shared + 0.02 * normal()));
            }
            look(&mut race);
        }
        false_alarms += usize::from(race.iter().any(|c| c.stopped));
    }
    // 5 % are 20; three standard deviations more are 33.
    assert!(false_alarms <= 33, "{false_alarms} of {studies}");
}

#[test]
fn two_seeds_stop_nothing() {
    let mut race = [candidate("a", &[1.0, 1.01]), candidate("b", &[9.0, 9.02])];
    look(&mut race);
    assert!(race.iter().all(|c| !c.stopped));
}

#[test]
fn a_budget_that_makes_no_sense_is_refused() {
    for (budget, said) in [
        (Budget::steps(0), "1 step"),
        (Budget::steps(10).seeds(0), "1 seed"),
        (Budget::steps(10).schedules([]), "1 schedule"),
    ] {
        let error = budget.check().expect_err("refused").to_string();
        assert!(error.contains(said), "{error}");
    }
    assert!(Budget::steps(2_000).check().is_ok());
}

#[test]
fn a_model_that_panics_is_at_fault_and_not_the_input() {
    let part = || {
        let ones = Tensor::ones((8, 1), DType::F32, &Device::Cpu);
        let ones = ones.expect("a tensor");
        Split { inputs: ones.clone(), targets: ones }
    };
    let task = Task::Regress { width: 1 };
    let data = Dataset::new(part(), part(), part(), task);
    let build = |vb: VarBuilder<'_>, data: &Dataset| {
        let rest = data.features().checked_sub(2);
        nn::linear(rest.expect("no such layer"), 1, vb)
    };
    let auto = Learner::new(build, data).auto(Budget::steps(20).seeds(1));
    let error = auto.expect_err("it panics");
    assert!(matches!(error, Error::Tensor { .. }), "{error:?}");
    assert!(error.to_string().contains("no such layer"), "{error}");
}
