mod average;
mod course;
mod forms;
mod golden;
mod laws;
mod reach;
mod words;

use super::{Schedule, ScheduleSpec};
use crate::error::Problem;

/// A spec from the JSON way of writing it.
fn spec(json: &str) -> ScheduleSpec {
    serde_json::from_str(json).expect("a spec that reads")
}

/// The rates at peak 1.
fn factors(json: &str, steps: usize) -> Vec<f64> {
    spec(json).rates(1.0, steps).expect("a spec that stands")
}

/// What is wrong with a spec, at this budget if not before.
fn complaint(json: &str, steps: usize) -> String {
    match serde_json::from_str::<ScheduleSpec>(json) {
        Err(error) => error.to_string(),
        Ok(spec) => match spec.build(1.0, steps) {
            Err(Problem { message, .. }) => message,
            Ok(_) => panic!("{json} stands at {steps} steps"),
        },
    }
}

fn assert_close(got: &[f64], want: &[f64], tolerance: f64, what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (step, (got, want)) in got.iter().zip(want).enumerate() {
        assert!(
            (got - want).abs() <= tolerance,
            "{what} at step {step}: {got} is not {want}"
        );
    }
}

#[test]
fn closures_and_boxes_are_schedules() {
    let boxed: Box<dyn Schedule> = Box::new(|step: usize| step as f64);
    let generic = |schedule: &dyn Schedule| schedule.lr(3);
    assert_eq!(generic(&boxed), 3.0);
    assert_eq!(generic(&|_: usize| 0.5), 0.5);
}
