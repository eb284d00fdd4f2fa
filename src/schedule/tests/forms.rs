//! Every kind and modifier against its closed form, written out.

use super::{assert_close, complaint, factors, spec};
use crate::schedule::Schedule;
use std::f64::consts::PI;

/// A factor by the share of the steps that has passed.
type Form = Box<dyn Fn(f64) -> f64>;

/// `form` at p = t / steps.
fn at_shares(steps: usize, form: impl Fn(f64) -> f64) -> Vec<f64> {
    (0..steps).map(|t| form(t as f64 / steps as f64)).collect()
}

#[test]
fn kinds_that_only_know_the_share_have_their_closed_forms() {
    let cosine = |x: f64| (1.0 + (PI * x).cos()) / 2.0;
    let forms: [(&str, Form); 14] = [
        (r#"{"kind":"constant"}"#, Box::new(|_| 1.0)),
        (r#"{"kind":"linear","end_ratio":0.2}"#, Box::new(|p| 1.0 - 0.8 * p)),
        (
            r#"{"kind":"polynomial","power":3,"end_ratio":0.1}"#,
            Box::new(|p| 0.9 * (1.0 - p).powi(3) + 0.1),
        ),
        (
            r#"{"kind":"cosine","end_ratio":0.1}"#,
            Box::new(move |p| 0.1 + 0.9 * cosine(p)),
        ),
        (
            r#"{"kind":"cosine","cycles":1.5}"#,
            Box::new(move |p| cosine(3.0 * p)),
        ),
        (r#"{"kind":"k-decay"}"#, Box::new(move |p| cosine(p.powf(1.5)))),
        (
            r#"{"kind":"one-minus-sqrt","end_ratio":0.1}"#,
            Box::new(|p| 0.9 * (1.0 - p.sqrt()) + 0.1),
        ),
        (
            r#"{"kind":"exponential","end_ratio":0.05}"#,
            Box::new(|p| 0.05_f64.powf(p)),
        ),
        (r#"{"kind":"inverse-time"}"#, Box::new(|p| 1.0 / (1.0 + 9.0 * p))),
        (
            r#"{"kind":"knee","explore":0.3}"#,
            Box::new(|p| if p < 0.3 { 1.0 } else { (1.0 - p) / 0.7 }),
        ),
        (
            r#"{"kind":"rex"}"#,
            Box::new(|p| (1.0 - p) / (0.5 + 0.5 * (1.0 - p))),
        ),
        (
            r#"{"kind":"triangular","inc_fraction":0.2,"end_ratio":0}"#,
            Box::new(|p| if p < 0.2 { 0.1 + 4.5 * p } else { (1.0 - p) / 0.8 }),
        ),
        (
            r#"{"kind":"tanh","end_ratio":0.01}"#,
            Box::new(|p| {
                let bent = (-7.0 * (1.0 - p) + 3.0 * p).tanh();
                0.01 + 0.99 * (1.0 - bent) / 2.0
            }),
        ),
        (
            r#"{"kind":"piecewise","points":[[0.1,0.5],[0.5,1],[0.5,0.2],
                [1,0]]}"#,
            Box::new(|p| {
                if p < 0.1 {
                    0.5
                } else if p < 0.5 {
                    0.5 + (p - 0.1) * 1.25
                } else {
                    0.4 * (1.0 - p)
                }
            }),
        ),
    ];
    for (json, form) in forms {
        for steps in [1, 10, 97] {
            let want = at_shares(steps, &form);
            assert_close(&factors(json, steps), &want, 1e-12, json);
        }
    }
}

#[test]
fn wsd_holds_the_peak_exactly_and_then_takes_its_shape() {
    let end = 0.1;
    let shapes: [(&str, Form); 4] = [
        ("linear", Box::new(|x| 1.0 - x)),
        ("one-minus-sqrt", Box::new(|x| 1.0 - x.sqrt())),
        ("cosine", Box::new(|x| (1.0 + (PI * x).cos()) / 2.0)),
        ("square", Box::new(|x| 1.0 - x * x)),
    ];
    for (shape, form) in shapes {
        let json = format!(
            r#"{{"kind":"wsd","decay":0.4,"shape":"{shape}","end_ratio":0.1}}"#
        );
        let got = factors(&json, 20);
        assert_eq!(&got[..13], &[1.0; 13], "{shape}: shared steps differ");
        let want: Vec<f64> = (0..8)
            .map(|t| end + (1.0 - end) * form(f64::from(t) / 8.0))
            .collect();
        assert_close(&got[12..], &want, 1e-12, shape);
    }
}

#[test]
fn exponential_wsd_ends_at_a_hundredth_unless_told_otherwise() {
    let got = factors(r#"{"kind":"wsd","shape":"exponential"}"#, 10);
    assert_close(&got[8..], &[1.0, 0.1], 1e-12, "default");
    let json = r#"{"kind":"wsd","shape":"exponential","end_ratio":0.25}"#;
    assert_close(&factors(json, 10)[8..], &[1.0, 0.5], 1e-12, "a quarter");
}

#[test]
fn milestones_are_shares_below_one_and_steps_above() {
    let shares = factors(r#"{"kind":"step","milestones":[0.07,0.5]}"#, 100);
    let steps = factors(r#"{"kind":"step","milestones":[7,50]}"#, 100);
    assert_eq!(shares, steps);
    let drops: Vec<usize> =
        (1..100).filter(|&t| steps[t] < steps[t - 1]).collect();
    assert_eq!(drops, [7, 50]);
    let one = factors(r#"{"kind":"step","milestones":[1,3]}"#, 5);
    assert_close(&one, &[1.0, 0.1, 0.1, 0.01, 0.01], 1e-12, "a step of 1");
}

#[test]
fn shares_and_steps_are_passed_as_they_come_at_the_budget() {
    for milestones in ["[0.5,3]", "[3,0.5]"] {
        let json = format!(r#"{{"kind":"step","milestones":{milestones}}}"#);
        let want = [1.0, 1.0, 1.0, 0.1, 0.1, 0.01, 0.01, 0.01, 0.01, 0.01];
        assert_close(&factors(&json, 10), &want, 1e-12, milestones);
        let want = [1.0, 1.0, 0.1, 0.01];
        assert_close(&factors(&json, 4), &want, 1e-12, milestones);
    }
}

#[test]
fn inverse_sqrt_takes_the_warmup_as_its_timescale() {
    let got = factors(r#"{"kind":"inverse-sqrt","warmup":4}"#, 12);
    let want: Vec<f64> =
        (0..8).map(|t| 1.0 / (1.0 + f64::from(t) / 4.0).sqrt()).collect();
    assert_close(&got[4..], &want, 1e-12, "warmup");
    let got = factors(r#"{"kind":"inverse-sqrt","timescale":9}"#, 28);
    assert_close(&got[27..], &[0.5], 1e-12, "timescale");
}

#[test]
fn noam_is_scaled_by_its_highest_value_within_the_run() {
    let long = factors(r#"{"kind":"noam","warmup_steps":4}"#, 16);
    let model = 512.0_f64.powf(-0.5);
    let raw: Vec<f64> = (1..=16)
        .map(f64::from)
        .map(|n| model * n.powf(-0.5).min(n * 4.0_f64.powf(-1.5)))
        .collect();
    let want: Vec<f64> = raw.iter().map(|r| r / raw[3]).collect();
    assert_close(&long, &want, 1e-12, "peak inside");
    let short = factors(r#"{"kind":"noam"}"#, 4);
    assert_close(&short, &[0.25, 0.5, 0.75, 1.0], 1e-12, "peak beyond");
}

#[test]
fn cycles_fill_the_steps_whatever_their_number() {
    let got = factors(r#"{"kind":"sgdr","cycles":3}"#, 9);
    let third: Vec<f64> =
        (0..3).map(|t| (1.0 + (PI * f64::from(t) / 3.0).cos()) / 2.0).collect();
    assert_close(&got, &third.repeat(3), 1e-12, "3 of 3");
    let fractional = factors(r#"{"kind":"sgdr","cycles":3}"#, 10);
    let restarts: Vec<usize> =
        (1..10).filter(|&t| fractional[t] > fractional[t - 1]).collect();
    assert_eq!(restarts, [4, 7]);
}

#[test]
fn growing_cycles_fill_the_steps_too() {
    let restarts = |json: &str, steps: usize| -> Vec<usize> {
        let got = factors(json, steps);
        (1..steps).filter(|&t| got[t] > got[t - 1]).collect()
    };
    let json = r#"{"kind":"sgdr","cycles":4,"t_mult":2}"#;
    assert_eq!(restarts(json, 3000), [200, 600, 1400]);
    let json = r#"{"kind":"sgdr","cycles":3,"t_mult":3}"#;
    assert_eq!(restarts(json, 1300), [100, 400]);
    let json = r#"{"kind":"sgdr","t_0":40,"t_mult":1.5}"#;
    assert_eq!(restarts(json, 300), [40, 100, 190]);
}

#[test]
fn two_restarts_over_twice_the_steps_begin_as_cosine() {
    let twice = factors(r#"{"kind":"sgdr","cycles":2}"#, 74);
    let once = factors(r#"{"kind":"cosine"}"#, 37);
    assert_eq!(twice[..37], once[..], "bit for bit, so that runs share them");
}

#[test]
fn a_later_cycle_is_lower() {
    let json = r#"{"kind":"sgdr","t_0":2,"magnitude_decay":0.5,
        "end_ratio":0.1}"#;
    let want = [1.0, 0.55, 0.5, 0.3, 0.25, 0.175];
    assert_close(&factors(json, 6), &want, 1e-12, json);
}

#[test]
fn cyclical_takes_an_eighth_of_the_steps_up_and_down() {
    let got = factors(r#"{"kind":"cyclical"}"#, 32);
    let explicit = factors(r#"{"kind":"cyclical","step_size_up":4}"#, 32);
    assert_eq!(got, explicit);
    let tiny = factors(r#"{"kind":"cyclical"}"#, 3);
    assert_close(&tiny, &[0.1, 1.0, 0.1], 1e-12, "at least one");
}

#[test]
fn a_warmup_does_not_begin_at_zero_unless_told() {
    let got = factors(r#"{"kind":"linear","warmup":3}"#, 7);
    let want = [0.25, 0.5, 0.75, 1.0, 0.75, 0.5, 0.25];
    assert_close(&got, &want, 1e-12, "plain");
    let json = r#"{"kind":"linear","warmup":4,"warmup_start_ratio":0.2}"#;
    let want = [0.2, 0.4, 0.6, 0.8, 1.0, 0.5];
    assert_close(&factors(json, 6), &want, 1e-12, json);
    let json = r#"{"kind":"linear","warmup":2,"warmup_start_ratio":0}"#;
    assert_close(&factors(json, 3), &[0.0, 0.5, 1.0], 1e-12, json);
}

#[test]
fn warmups_have_shapes() {
    let json = r#"{"kind":"constant","warmup":3,"warmup_shape":"cosine"}"#;
    let want: Vec<f64> = (1..4)
        .map(|n| (1.0 - (PI * f64::from(n) / 4.0).cos()) / 2.0)
        .chain([1.0])
        .collect();
    assert_close(&factors(json, 4), &want, 1e-12, json);
    let json = r#"{"kind":"constant","warmup":2,"warmup_shape":"exponential",
        "warmup_start_ratio":0.01}"#;
    assert_close(&factors(json, 3), &[0.01, 0.1, 1.0], 1e-12, json);
}

#[test]
fn a_warmup_in_per_cent_is_of_the_whole_budget() {
    let warm = |percent: &str, steps: usize| {
        let json = format!(r#"{{"kind":"constant","warmup":"{percent}"}}"#);
        factors(&json, steps).iter().filter(|f| **f < 1.0).count()
    };
    assert_eq!(warm("5%", 1000), 50);
    assert_eq!(warm("5%", 50), 3, "2.5 rounds up");
    assert_eq!(warm("29%", 50), 15, "14.5 rounds up");
    assert_eq!(warm("5%", 4), 1, "at least one");
    assert_eq!(warm(" 12.5 % ", 16), 2);
}

#[test]
fn a_cooldown_replaces_the_tail_of_any_kind() {
    let got = factors(r#"{"kind":"linear","cooldown":0.4}"#, 10);
    let want = [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1];
    assert_close(&got, &want, 1e-12, "onto itself");
    let json = r#"{"kind":"constant","cooldown":0.5,"warmup":2,
        "cooldown_end_ratio":0.2}"#;
    let flat = [1.0 / 3.0, 2.0 / 3.0, 1.0, 1.0, 1.0, 1.0];
    let got = factors(json, 8);
    assert_close(&got[..6], &flat, 1e-12, json);
    assert_close(&got[6..], &[1.0 - 0.8 / 3.0, 1.0 - 1.6 / 3.0], 1e-12, json);
}

#[test]
fn a_cooldown_may_begin_between_two_updates() {
    let json = r#"{"kind":"linear","cooldown":0.25,"cooldown_end_ratio":0.1,
        "cooldown_shape":"cosine"}"#;
    let got = factors(json, 10);
    let tail = |t: f64| {
        let x = (t / 10.0 - 0.75) / 0.25;
        0.1 + 0.15 * (1.0 + (PI * x).cos()) / 2.0
    };
    assert_close(&got[7..8], &[0.3], 1e-12, "before");
    assert_close(&got[8..], &[tail(8.0), tail(9.0)], 1e-12, "after");
}

#[test]
fn joined_parts_each_start_at_their_own_zero() {
    let json = r#"{"join":[{"kind":"linear","steps":4},
        {"kind":"cosine","share":0.3,"warmup":1},{"kind":"constant",
        "share":0.3}]}"#;
    let want = [1.0, 0.75, 0.5, 0.25, 0.5, 1.0, 0.5, 1.0, 1.0, 1.0];
    assert_close(&factors(json, 10), &want, 1e-12, json);
}

#[test]
fn joined_schedules_take_modifiers_too() {
    let json = r#"{"join":[{"kind":"constant","share":0.5},
        {"kind":"linear","share":0.5}],"warmup":1,"cooldown":0.25}"#;
    let want = [0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25];
    assert_close(&factors(json, 9), &want, 1e-12, json);
}

#[test]
fn tables_have_a_row_for_each_step() {
    let json = r#"{"kind":"table","factors":[1,0.5,0.25]}"#;
    assert_eq!(factors(json, 3), [1.0, 0.5, 0.25]);
    let json = r#"{"kind":"table","factors":[0.5,0.25],"warmup":1}"#;
    assert_eq!(factors(json, 3), [0.5, 0.5, 0.25], "rows after the warm-up");
    let json = r#"{"kind":"table","factors":[9,0.5,0.25],"warmup":1}"#;
    assert_eq!(factors(json, 3), [0.5, 0.5, 0.25], "rows of the whole run");
}

#[test]
fn the_last_value_holds_after_the_budget() {
    for json in [
        r#"{"kind":"linear"}"#,
        r#"{"kind":"one-cycle"}"#,
        r#"{"kind":"sgdr","t_0":4}"#,
        r#"{"kind":"cosine","warmup":2,"cooldown":0.5}"#,
    ] {
        let schedule = spec(json).build(0.1, 10).expect("stands");
        let last = schedule.lr(9);
        assert_eq!((schedule.lr(10), schedule.lr(1 << 40)), (last, last));
    }
}

#[test]
fn a_budget_that_cannot_be_says_both_numbers() {
    let warm = r#"{"kind":"linear","warmup":50}"#;
    assert_eq!(
        complaint(warm, 50),
        "`warmup` is 50 steps, but the budget is 50; leave at least one step \
         after the warm-up"
    );
    let joined = r#"{"join":[{"kind":"linear","steps":40},
        {"kind":"constant","share":0.5}]}"#;
    assert_eq!(
        complaint(joined, 100),
        "the parts of `join` take 90 steps, the budget is 100; they must \
         fill it exactly"
    );
    let table = r#"{"kind":"table","factors":[1,1,1],"warmup":2}"#;
    assert_eq!(
        complaint(table, 10),
        "`factors` has 3 rows, the budget is 10 steps (8 after the warm-up); \
         a table needs one row a step"
    );
    let nested = r#"{"join":[{"kind":"linear","steps":5,"warmup":5}]}"#;
    assert_eq!(
        complaint(nested, 5),
        "part 1 of `join`: `warmup` is 5 steps, but the budget is 5; leave at \
         least one step after the warm-up"
    );
    assert_eq!(
        complaint(r#"{"kind":"linear"}"#, 0),
        "the budget is 0 steps, it must be 1 or more"
    );
    assert_eq!(
        complaint(r#"{"kind":"linear"}"#, usize::MAX),
        format!(
            "the budget is {} steps, it must be at most 100000000",
            usize::MAX
        )
    );
    assert!(spec(r#"{"kind":"linear"}"#).build(f64::NAN, 1).is_err());
    assert!(spec(r#"{"kind":"linear"}"#).build(0.0, 1).is_err());
}
