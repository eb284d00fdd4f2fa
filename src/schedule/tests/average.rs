//! Averages of the weights, as keys of a schedule.

use super::laws::any_spec;
use super::{complaint, spec};
use crate::grid::parse_schedule;
use crate::schedule::{Average, ScheduleSpec};
use proptest::prelude::*;

fn averaged(spec: &ScheduleSpec, ema: bool, share: f64) -> ScheduleSpec {
    let (kind, key) =
        if ema { ("ema", "average_decay") } else { ("swa", "average_from") };
    let spec = spec.clone().with("average", kind).expect("a key");
    spec.with(key, share).expect("a key")
}

proptest! {
    #[test]
    fn an_average_is_read_as_it_is_written_and_changes_no_rate(
        plain in any_spec(),
        ema in any::<bool>(),
        share in 0.001..0.999,
        steps in 6..200usize,
    ) {
        let spec = averaged(&plain, ema, share);
        let text = toml::Value::try_from(&spec).expect("plain data");
        let back = parse_schedule(&text.to_string()).expect("reads");
        prop_assert_eq!(&back, &spec);
        prop_assert_ne!(spec.label(), plain.label());
        prop_assert_eq!(spec.rates(0.3, steps), plain.rates(0.3, steps));
        let courses = [&spec, &plain].map(|spec| spec.course(0.3, steps));
        let [own, other] = courses.map(|course| course.expect("stands"));
        prop_assert_eq!(other.average(), None);
        match own.average() {
            Some(Average::Ema { decay }) => prop_assert_eq!(decay, share),
            Some(Average::Swa { after }) => prop_assert!(after < steps),
            other => prop_assert!(false, "{:?}", other),
        }
    }
}

#[test]
fn a_mean_begins_at_its_share_of_all_updates() {
    for (from, steps, want) in
        [(0.0, 40, 0), (0.75, 40, 30), (0.5, 41, 21), (0.99, 10, 9)]
    {
        let spec = averaged(&ScheduleSpec::constant().warmup(3), false, from);
        let course = spec.course(0.1, steps).expect("stands");
        assert_eq!(course.average(), Some(Average::Swa { after: want }));
    }
}

#[test]
fn averages_that_make_no_sense_are_refused() {
    for (json, want) in [
        (
            r#"{"kind":"constant","average":"mean"}"#,
            "`average` takes \"ema\", \"swa\" or \"off\", not \"mean\"",
        ),
        (
            r#"{"kind":"constant","average":true}"#,
            "`average` takes \"ema\", \"swa\" or \"off\", not \"true\"",
        ),
        (
            r#"{"kind":"constant","average_decay":0.9}"#,
            "`average_decay` belongs to `average = \"ema\"`, add that or \
             leave it out",
        ),
        (
            r#"{"kind":"constant","average":"ema","average_from":0.9}"#,
            "`average_from` belongs to `average = \"swa\"`, add that or \
             leave it out",
        ),
        (
            r#"{"kind":"constant","average":"ema","average_decay":1}"#,
            "`average_decay` is 1, it must be above 0 and below 1",
        ),
        (
            r#"{"kind":"constant","average":"swa","average_from":1}"#,
            "`average_from` is 1, it must be 0 or more and below 1",
        ),
        (
            r#"{"kind":"schedule-free","average":"ema"}"#,
            "`schedule-free` has an average of its own, leave `average` out",
        ),
        (
            r#"{"kind":"schedule-free","lr_ratio":0}"#,
            "`lr_ratio` is 0, it must be from 0.001 to 1000",
        ),
        (
            r#"{"kind":"refined","from":"schedule-free"}"#,
            "`from` is \"schedule-free\", which is for another form of the \
             optimizer, take \"linear\"",
        ),
        (
            r#"{"join":[{"kind":"linear","average":"ema","share":1}]}"#,
            "part 1 of `join`: `average` is of the whole run, give it to the \
             schedule that has `join`",
        ),
        (
            r#"{"join":[{"kind":"schedule-free","share":1}]}"#,
            "part 1 of `join`: `schedule-free` needs the whole run, let it \
             stand alone",
        ),
    ] {
        let message = complaint(json, 10);
        let message = message.split(" at line").next().unwrap_or_default();
        assert_eq!(message, want, "{json}");
    }
}

#[test]
fn off_is_no_average_whatever_else_an_axis_has() {
    let off = spec(r#"{"kind":"wsd","average":"off","average_decay":0.9}"#);
    assert_eq!(off, ScheduleSpec::wsd());
}
