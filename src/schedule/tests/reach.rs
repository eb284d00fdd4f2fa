//! What a run never comes to, and that nothing is said where it does.

use super::super::kinds;
use super::spec;
use crate::schedule::ScheduleSpec;

#[test]
fn what_lies_beyond_a_run_is_named() {
    for (json, steps, want) in [
        (
            r#"{"kind":"step","milestones":[60,90]}"#,
            30,
            "no milestone lies within the 30 steps, so it is `constant`",
        ),
        (
            r#"{"kind":"noam"}"#,
            30,
            "its 4000 warm-up steps do not end within the 30 steps, so it only \
             rises",
        ),
        (
            r#"{"kind":"step","milestones":[10,29,30,90]}"#,
            30,
            "the milestones 30, 90 do not lie within the 30 steps",
        ),
        (
            r#"{"kind":"step","milestones":[28],"warmup":"10%"}"#,
            30,
            "no milestone lies within the 27 steps after its warm-up, so it is \
             `constant`",
        ),
        (
            r#"{"kind":"step","milestones":[0.5],"cooldown":0.75}"#,
            20,
            "no milestone lies within the 6 steps before its cooldown",
        ),
        (
            r#"{"kind":"step","milestones":[0.97]}"#,
            30,
            "no milestone lies within the 30 steps, so it is `constant`",
        ),
        (
            r#"{"kind":"wsd","decay":0.03}"#,
            30,
            "its decay begins after the last step, so it is `constant`",
        ),
        (
            r#"{"kind":"knee","explore":0.97}"#,
            30,
            "its way down begins after the last step, so it is `constant`",
        ),
        (
            r#"{"kind":"constant","cooldown":0.03}"#,
            30,
            "its cooldown begins after the last step, so it is `constant`",
        ),
        (
            r#"{"kind":"cyclical","step_size_up":31}"#,
            30,
            "its first rise takes 31 steps and does not end within the 30 \
             steps",
        ),
        (
            r#"{"kind":"sgdr","t_0":100,"t_mult":2}"#,
            30,
            "its first cycle takes 100 steps and does not end within the 30 \
             steps",
        ),
        (
            r#"{"kind":"plateau","patience":18}"#,
            30,
            "it needs 20 evaluations to react and has 19 before the last of \
             the 30 steps, so it is `constant`",
        ),
        (r#"{"kind":"linear","end_ratio":1}"#, 30, "it is `constant`"),
        (
            r#"{"join":[{"kind":"linear","steps":20},
                {"kind":"noam","warmup_steps":11,"steps":10}]}"#,
            30,
            "in part 2, its 11 warm-up steps do not end within the 10 steps, \
             so it only rises",
        ),
    ] {
        assert_eq!(spec(json).never_reached(steps).as_deref(), Some(want));
    }
}

#[test]
fn nothing_is_said_where_all_is_reached() {
    for (json, steps) in [
        (r#"{"kind":"step","milestones":[10,29]}"#, 30),
        (r#"{"kind":"step","milestones":[0.5,0.96]}"#, 30),
        (r#"{"kind":"step","milestones":[0.5],"cooldown":0.5}"#, 30),
        (r#"{"kind":"noam","warmup_steps":30}"#, 30),
        (r#"{"kind":"wsd","decay":0.04}"#, 30),
        (r#"{"kind":"sgdr","t_0":30}"#, 30),
        (r#"{"kind":"cyclical","step_size_up":30}"#, 30),
        (r#"{"kind":"plateau","patience":17}"#, 30),
        (r#"{"kind":"piecewise","points":[[0,1],[1,1]]}"#, 30),
        // It cannot stand at all, which is another complaint.
        (r#"{"kind":"linear","warmup":50}"#, 30),
    ] {
        assert_eq!(spec(json).never_reached(steps), None, "{json}");
    }
}

#[test]
fn every_kind_reaches_all_of_its_defaults_in_a_usual_run() {
    for kind in kinds().iter().map(|kind| kind.name) {
        let spec = ScheduleSpec::of_kind(kind).expect("a kind");
        let never = spec.never_reached(10_000);
        assert_eq!(never, None, "{kind}");
    }
}
