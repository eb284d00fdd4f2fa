//! Schedules that need the run itself, and cycled momentum.

use super::super::course::Plateau;
use super::super::spec::Form;
use super::{assert_close, complaint, spec};
use crate::schedule::{Average, ScheduleSpec, parts, shared_steps};
use serde_json::Value;

fn goldens(part: &str) -> Vec<Value> {
    let text = include_str!("../../../tests/golden/reactive.json");
    let all: Value = serde_json::from_str(text).expect("valid JSON");
    all[part].as_array().expect("a list").clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).expect("numbers")
}

fn spec_of(value: &Value) -> ScheduleSpec {
    serde_json::from_value(value.clone()).expect("a spec")
}

#[test]
fn plateau_does_as_pytorch_on_the_same_losses() {
    let cases = goldens("plateaus");
    assert!(cases.len() >= 24);
    for case in cases {
        let spec = spec_of(&case["spec"]);
        let Form::Kind(kind) = &spec.form else { panic!("a kind") };
        let mut plateau = Plateau::new(kind).expect("a plateau");
        let losses = numbers(&case["losses"]).into_iter();
        let got: Vec<f64> = losses.map(|loss| plateau.hear(loss)).collect();
        let name = format!("{} {}", case["name"], spec.label());
        assert_close(&got, &numbers(&case["rates"]), 1e-12, &name);
    }
}

#[test]
fn momentum_is_cycled_as_pytorch_does() {
    for case in goldens("momenta") {
        let spec = spec_of(&case["spec"]);
        let want = numbers(&case["momenta"]);
        let course = spec.course(1.0, want.len()).expect("stands");
        let got: Option<Vec<f64>> =
            (0..want.len()).map(|step| course.momentum(step)).collect();
        assert_close(&got.expect("cycled"), &want, 1e-12, &spec.label());
    }
}

#[test]
fn schedule_free_has_the_rates_of_constant_and_runs_of_its_own() {
    let free = ScheduleSpec::schedule_free().with("lr_ratio", 10);
    let free = free.expect("a key").warmup(5);
    assert_eq!(free.label(), "schedule-free(lr_ratio=10,warmup=5)");
    let constant = ScheduleSpec::constant().warmup(5);
    let rates = constant.rates(0.3, 40).expect("stands");
    let want: Vec<f64> = rates.iter().map(|lr| lr * 10.0).collect();
    let got = free.rates(0.3, 40).expect("stands");
    assert_close(&got, &want, 1e-12, "rates");
    let courses = [
        ScheduleSpec::constant().course(0.3, 40).expect("stands"),
        ScheduleSpec::schedule_free().course(0.3, 40).expect("stands"),
    ];
    let [constant, free] = &courses;
    assert_eq!(constant.average(), None);
    assert_eq!(free.average(), Some(Average::ScheduleFree));
    let both = [constant, free];
    assert_eq!(shared_steps(&both, 0), 80, "they share no update");
    assert_eq!(parts(&both, 3).len(), 2);
}

#[test]
fn momentum_stays_unless_it_is_asked_for() {
    for kind in ["one-cycle", "cyclical"] {
        let spec = ScheduleSpec::of_kind(kind).expect("a kind");
        let course = spec.course(1.0, 10).expect("stands");
        assert_eq!(course.momentum(3), None);
        let cycled = spec.clone().with("cycle_momentum", [0.8, 0.9]);
        let cycled = cycled.expect("a key").warmup(4);
        assert_eq!(
            cycled.label(),
            format!("{kind}(cycle_momentum=[0.8,0.9],warmup=4)")
        );
        let course = cycled.course(1.0, 30).expect("stands");
        let momenta: Option<Vec<f64>> =
            (0..30).map(|step| course.momentum(step)).collect();
        let momenta = momenta.expect("cycled");
        assert_eq!(momenta[..5], [0.9; 5], "it waits for the warm-up");
        assert!(momenta.iter().all(|m| (0.8..=0.9).contains(m)));
        let rates = spec.warmup(4).rates(1.0, 30).expect("stands");
        for (step, rate) in rates.into_iter().enumerate() {
            assert_eq!(course.lr(step), rate, "{kind} at {step}");
        }
    }
}

#[test]
fn a_plateau_listens_at_even_distances_and_lowers_what_follows() {
    let spec = r#"{"kind":"plateau","factor":0.5,"patience":1,
        "evaluations":5,"warmup":2,"min_ratio":0.2}"#;
    let mut course = super::spec(spec).course(0.8, 50).expect("stands");
    let asked: Vec<usize> =
        (1..=50).filter(|&done| course.listens(done)).collect();
    assert_eq!(asked, [10, 20, 30, 40, 50]);
    assert_eq!(course.lr(9), 0.8);
    let heard = [1.0, 1.0, 1.0, f64::NAN, 2.0, 2.0, 2.0, 2.0];
    let rates = heard.map(|loss| {
        course.hear(loss);
        course.lr(9)
    });
    let want = [0.8, 0.8, 0.4, 0.4, 0.2, 0.2, 0.16, 0.16];
    assert_close(&rates, &want, 1e-15, "plateau");
    assert!(!ScheduleSpec::linear().course(1.0, 9).expect("stands").listens(9));
}

#[test]
fn refined_takes_its_shape_from_the_norms_of_its_pilot() {
    let spec = spec(
        r#"{"kind":"refined","from":"cosine","tau":0,"warmup":2,"cooldown":0.5}"#,
    );
    let pilot = spec.pilot().expect("refined");
    assert_eq!(pilot.label(), "cosine(warmup=2)");
    assert!(pilot.pilot().is_none());
    // The norms of the warm-up are none of the shape's.
    let norms = [9.0, 9.0, 3.0, 3.0, 3.0, 3.0];
    let made = spec.refined_by(&norms, false).expect("stands");
    let rates = made.rates(1.0, 6).expect("stands");
    let want = [1.0 / 3.0, 2.0 / 3.0, 1.0, 2.0 / 3.0, 1.0 / 3.0, 1.0 / 6.0];
    assert_close(&rates, &want, 1e-12, "refined");
    let adam = spec.refined_by(&[1.0, 1.0, 4.0, 2.0, 1.0, 1.0], true);
    let sgd = spec.refined_by(&[1.0, 1.0, 4.0, 2.0, 1.0, 1.0], false);
    assert_ne!(adam, sgd);
    let linear = ScheduleSpec::linear();
    assert_eq!(linear.refined_by(&norms, true), Ok(linear));
}

#[test]
fn no_step_gives_their_rates_away() {
    for (kind, what) in [
        ("refined", "is made from the gradient norms of a run"),
        ("plateau", "reacts to the validation loss of its run"),
    ] {
        let json = format!(r#"{{"kind":"{kind}"}}"#);
        let want = format!(
            "`{kind}` {what} and has no rates before it: put it in a grid, or \
             train with `Learner::fit_spec`"
        );
        assert_eq!(complaint(&json, 10), want);
        let spec = spec(&json);
        assert_eq!(spec.stands_at(10), Ok(()));
        assert!(spec.clone().warmup(10).stands_at(10).is_err());
        assert!(spec.formula(10).is_err());
        for library in crate::Library::ALL {
            let problem = spec.build_compat(library, 1.0, 10);
            assert_eq!(problem.err().map(|p| p.message), Some(want.clone()));
        }
    }
}

#[test]
fn what_needs_the_whole_run_is_checked_before_it() {
    for (json, want) in [
        (
            r#"{"kind":"refined","from":"liner"}"#,
            "`from` \"liner\" is unknown, did you mean `linear`?",
        ),
        (
            r#"{"kind":"refined","from":"plateau"}"#,
            "`from` is \"plateau\", which has no rates of its own, take \
             \"linear\"",
        ),
        (r#"{"kind":"refined","tau":2}"#, "`tau` is 2, it must be from 0 to 1"),
        (
            r#"{"kind":"plateau","factor":1}"#,
            "`factor` is 1, it must be above 0 and below 1",
        ),
        (
            r#"{"kind":"plateau","evaluations":0}"#,
            "`evaluations` is 0, it must be 1 or more",
        ),
        (
            r#"{"kind":"one-cycle","cycle_momentum":[0.9,0.8]}"#,
            "`cycle_momentum` is [0.9, 0.8], it must be two numbers from 0 to \
             below 1, the lower one first, such as [0.85, 0.95]",
        ),
        (
            r#"{"kind":"cyclical","cycle_momentum":0.9}"#,
            "`cycle_momentum` takes a pair of numbers [low, high], not 0.9",
        ),
        (
            r#"{"join":[{"kind":"plateau","share":1}]}"#,
            "part 1 of `join`: `plateau` needs the whole run, let it stand \
             alone",
        ),
        (
            r#"{"join":[{"kind":"one-cycle","cycle_momentum":[0.8,0.9],
                "share":1}]}"#,
            "part 1 of `join`: `cycle_momentum` has no value for the other \
             parts, leave it out",
        ),
    ] {
        assert_eq!(complaint(json, 10), want, "{json}");
    }
}
