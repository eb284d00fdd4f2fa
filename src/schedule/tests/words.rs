//! Names, labels and messages, as users see them.

use super::super::{MODIFIERS, kinds};
use super::{complaint, spec};
use crate::error::Problem;
use crate::schedule::ScheduleSpec;

#[test]
fn labels_say_what_differs_from_the_defaults() {
    for (json, want) in [
        (r#"{"kind":"wsd"}"#, "wsd"),
        (r#"{"kind":"wsd","decay":0.2,"end_ratio":0}"#, "wsd(end_ratio=0)"),
        (r#"{"kind":"wsd","decay":0.6}"#, "wsd(decay=0.6)"),
        (
            r#"{"kind":"wsd","shape":"one-minus-sqrt","warmup":"5%"}"#,
            "wsd(shape=one-minus-sqrt,warmup=5%)",
        ),
        (r#"{"kind":"cosine","warmup":50}"#, "cosine(warmup=50)"),
        (r#"{"kind":"cosine","warmup":0,"warmup_shape":"cosine"}"#, "cosine"),
        (
            r#"{"kind":"linear","warmup":9,"warmup_start_ratio":0,
                "cooldown":0.1,"cooldown_shape":"square"}"#,
            "linear(warmup=9,warmup_start_ratio=0,cooldown=0.1,\
             cooldown_shape=square)",
        ),
        (
            r#"{"kind":"step","milestones":[0.3,0.6],"gamma":0.2}"#,
            "step(milestones=[0.3,0.6],gamma=0.2)",
        ),
        (
            r#"{"kind":"one-cycle","final_div_factor":1e9}"#,
            "one-cycle(final_div_factor=1e9)",
        ),
        (
            r#"{"kind":"piecewise","points":[[0,1],[1,0]]}"#,
            "piecewise(points=[[0,1],[1,0]])",
        ),
        (r#"{"kind":"table","factors":[1,1]}"#, "table(rows=2)"),
        (
            r#"{"kind":"table","file":"a.csv","factors":[1,1]}"#,
            "table(file=a.csv)",
        ),
        (
            r#"{"join":[{"kind":"constant","steps":5},{"kind":"linear",
                "end_ratio":0.1,"share":0.5}],"warmup":2}"#,
            "join(constant(steps=5),linear(end_ratio=0.1,share=0.5),warmup=2)",
        ),
        (
            r#"{"kind":"constant","average":"ema","average_decay":0.999}"#,
            "constant(average=ema)",
        ),
        (
            r#"{"kind":"wsd","warmup":9,"average":"swa",
                "average_from":"50%"}"#,
            "wsd(warmup=9,average=swa,average_from=0.5)",
        ),
        (r#"{"kind":"wsd","average":"off","average_decay":0.9}"#, "wsd"),
    ] {
        assert_eq!(spec(json).label(), want);
    }
}

#[test]
fn unknown_keys_are_refused_with_the_nearest() {
    for (json, want) in [
        (
            r#"{"kind":"cosin"}"#,
            "`kind` \"cosin\" is unknown, did you mean `cosine`?",
        ),
        (
            r#"{"kind":"one_cycle"}"#,
            "`kind` \"one_cycle\" is unknown, did you mean `one-cycle`?",
        ),
        (
            r#"{"kind":"wsd","decy":0.5}"#,
            "`wsd` has no key `decy`, did you mean `decay`?",
        ),
        (
            r#"{"kind":"cosine","warm_up":5}"#,
            "`cosine` has no key `warm_up`, did you mean `warmup`?",
        ),
        (
            r#"{"kind":"constant","power":2}"#,
            "`constant` has no key `power`, it belongs to `polynomial`; \
             leave it out",
        ),
        (
            r#"{"kind":"constant","colour":2}"#,
            "`constant` has no key `colour`, it takes warmup, warmup_shape, \
             warmup_start_ratio, cooldown, cooldown_shape, cooldown_end_ratio, average, \
             average_decay, average_from",
        ),
        (
            r#"{"join":[{"kind":"linear","steps":5,"powr":1}]}"#,
            "part 1 of `join`: `linear` has no key `powr`, it takes \
             end_ratio, warmup, warmup_shape, warmup_start_ratio, cooldown, \
             cooldown_shape, cooldown_end_ratio, average, average_decay, \
             average_from",
        ),
    ] {
        let message = complaint(json, 10);
        // serde_json adds where it stood.
        let message = message.split(" at line").next().unwrap_or_default();
        assert_eq!(message, want);
    }
}

#[test]
fn values_of_another_type_are_refused() {
    for (json, want) in [
        (
            r#"{"kind":"wsd","decay":"much"}"#,
            "`decay` takes a number (also in per cent, as \"20%\"), not the \
             string \"much\"",
        ),
        (
            r#"{"kind":"wsd","shape":"cos"}"#,
            "`shape` takes one of \"linear\", \"one-minus-sqrt\", \"cosine\", \
             \"square\", \"exponential\", not the string \"cos\"",
        ),
        (
            r#"{"kind":"linear","warmup":0.05}"#,
            "`warmup` takes a whole number of steps or a share of the budget \
             such as \"5%\", not 0.05",
        ),
        (
            r#"{"kind":"cosine","warmup":5.0}"#,
            "`warmup` takes a whole number such as 5, not 5.0",
        ),
        (
            r#"{"kind":"sgdr","t_0":3.0}"#,
            "`t_0` takes a whole number such as 3, not 3.0",
        ),
        (
            r#"{"kind":"step","milestones":["50%","200%"]}"#,
            "`milestones` takes a list of numbers (also in per cent, as \
             \"20%\"), not this list",
        ),
        (
            r#"{"kind":"step","milestones":["50%","100%"]}"#,
            "`milestones` takes a list of numbers (also in per cent, as \
             \"20%\"), not this list",
        ),
        (
            r#"{"kind":"polynomial","power":"20%"}"#,
            "`power` takes a number, not the string \"20%\"",
        ),
        (
            r#"{"kind":"linear","warmup_shape":"cosine"}"#,
            "`warmup_shape` needs `warmup`, add it",
        ),
        (
            r#"{"kind":"sgdr","t_0":-1}"#,
            "`t_0` takes a whole number, 0 or more, not -1",
        ),
        (r#"{"kind":7}"#, "`kind` takes a name such as \"cosine\""),
        (
            r#"{"kind":"linear","join":[]}"#,
            "a schedule has `kind` or `join`, leave one out",
        ),
        (
            r#"{"join":[{"kind":"linear"}]}"#,
            "part 1 of `join`: give it either `steps` or `share`",
        ),
        (
            r#"{"kind":"linear","kind":"cosine"}"#,
            "`kind` appears twice, keep one",
        ),
    ] {
        let message = complaint(json, 10);
        let message = message.split(" at line").next().unwrap_or_default();
        assert_eq!(message, want);
    }
}

#[test]
fn words_of_other_libraries_get_what_does_it_here() {
    for (json, want) in [
        (
            r#"{"kind":"cosine","warmup_steps":10}"#,
            "`cosine` has no key `warmup_steps`, here it is `warmup`, in \
             steps, such as 100, or as a share: \"5%\"",
        ),
        (
            r#"{"kind":"cosine","warmup_ratio":0.1}"#,
            "`cosine` has no key `warmup_ratio`, here it is `warmup`, with a \
             share in per cent, such as \"10%\"",
        ),
        (
            r#"{"kind":"cosine","eta_min":0.1}"#,
            "`cosine` has no key `eta_min`, here it is `end_ratio`, a ratio \
             of the peak, not a rate",
        ),
        (
            r#"{"kind":"plateau","min_lr":0.1}"#,
            "`plateau` has no key `min_lr`, here it is `min_ratio`, a ratio \
             of the peak, not a rate",
        ),
        (
            r#"{"kind":"cosine","T_max":100}"#,
            "`cosine` has no key `T_max`, here it is the budget, leave it \
             out: `budgets` at the top of the grid, or `--steps`",
        ),
        (
            r#"{"kind":"sgdr","T_0":10}"#,
            "`sgdr` has no key `T_0`, here it is `t_0`, in steps",
        ),
        (
            r#"{"kind":"CosineAnnealingLR"}"#,
            "`kind` \"CosineAnnealingLR\" is unknown, here it is `kind = \
             \"cosine\"`, with `warmup` for a warm-up",
        ),
        (
            r#"{"kind":"cosine_with_restarts"}"#,
            "`kind` \"cosine_with_restarts\" is unknown, here it is `kind = \
             \"sgdr\"`, with `cycles` or `t_0`",
        ),
        (
            r#"{"kind":"ReduceLROnPlateau"}"#,
            "`kind` \"ReduceLROnPlateau\" is unknown, here it is `kind = \
             \"plateau\"`",
        ),
        (
            r#"{"kind":"warmup_stable_decay"}"#,
            "`kind` \"warmup_stable_decay\" is unknown, here it is `kind = \
             \"wsd\"`, with `warmup` for a warm-up",
        ),
    ] {
        let message = complaint(json, 20);
        let message = message.split(" at line").next().unwrap_or_default();
        assert_eq!(message, want);
    }
}

#[test]
fn a_share_may_stand_in_per_cent() {
    for (percent, share) in [
        (r#"{"kind":"wsd","decay":"20%"}"#, r#"{"kind":"wsd"}"#),
        (
            r#"{"kind":"step","milestones":["50%"," 75 % "]}"#,
            r#"{"kind":"step"}"#,
        ),
        (
            r#"{"kind":"one-cycle","pct_start":"40%","cooldown":"5%"}"#,
            r#"{"kind":"one-cycle","pct_start":0.4,"cooldown":0.05}"#,
        ),
        (
            r#"{"kind":"triangular","inc_fraction":"10%","end_ratio":"1%"}"#,
            r#"{"kind":"triangular","inc_fraction":0.1,"end_ratio":0.01}"#,
        ),
        (
            r#"{"kind":"piecewise","points":[["0%",1],["100%","7%"]]}"#,
            r#"{"kind":"piecewise","points":[[0,1],[1,0.07]]}"#,
        ),
        (
            r#"{"join":[{"kind":"knee","explore":"30%","share":"40%"},
                {"kind":"refined","tau":"5%","share":"60%"}]}"#,
            r#"{"join":[{"kind":"knee","explore":0.3,"share":0.4},
                {"kind":"refined","tau":0.05,"share":0.6}]}"#,
        ),
    ] {
        assert_eq!(spec(percent), spec(share));
    }
}

/// Checks the key and the message of each spec's problem.
fn assert_problems(cases: &[(&str, &str, &str)]) {
    for (json, key, want) in cases {
        let problem = spec(json).problem().expect("it is out of range");
        assert_eq!(problem.key.as_deref(), Some(*key));
        assert_eq!(problem.message, *want);
    }
}

#[test]
fn values_out_of_range_are_refused_before_any_budget() {
    assert_problems(&[
        (
            r#"{"kind":"linear","end_ratio":1.5}"#,
            "end_ratio",
            "`end_ratio` is 1.5, it must be from 0 to 1",
        ),
        (
            r#"{"kind":"polynomial","power":0}"#,
            "power",
            "`power` is 0, it must be above 0",
        ),
        (
            r#"{"kind":"exponential","end_ratio":0}"#,
            "end_ratio",
            "`end_ratio` is 0, it must be above 0 and at most 1",
        ),
        (
            r#"{"kind":"wsd","shape":"exponential","end_ratio":0}"#,
            "end_ratio",
            "`end_ratio` is 0, it must be above 0 and at most 1",
        ),
        (
            r#"{"kind":"rex","d":1}"#,
            "d",
            "`d` is 1, it must be 0 or more and below 1",
        ),
        (
            r#"{"kind":"step","milestones":[2.5]}"#,
            "milestones",
            "`milestones` has 2.5, give shares between 0 and 1 or whole \
             steps above 1",
        ),
        (
            r#"{"kind":"step","milestones":[0.75,0.5]}"#,
            "milestones",
            "`milestones` go back from 0.75 to 0.5, put them in order",
        ),
        (
            r#"{"kind":"step","milestones":[0.2,400,0.5,200]}"#,
            "milestones",
            "`milestones` go back from 400 to 200, put them in order",
        ),
        (
            r#"{"kind":"cosine","cycles":1e308}"#,
            "cycles",
            "`cycles` is 1e308, it must be above 0 and at most 1e9",
        ),
        (
            r#"{"kind":"sgdr","t_0":1,"t_mult":1e300}"#,
            "t_mult",
            "`t_mult` is 1e300, it must be from 1 to 1e6",
        ),
        (
            r#"{"kind":"sgdr","t_0":3,"cycles":2}"#,
            "cycles",
            "`cycles` and `t_0` both set the length of the first cycle, \
             leave one out",
        ),
        (
            r#"{"kind":"tanh","lower":3,"upper":-7}"#,
            "upper",
            "`upper` is -7, it must be above `lower` (3)",
        ),
        (
            r#"{"kind":"inverse-sqrt","timescale":0}"#,
            "timescale",
            "`timescale` is 0, it must be 1 or more",
        ),
        (
            r#"{"kind":"one-cycle","pct_start":0.6,"three_phase":true}"#,
            "pct_start",
            "`pct_start` is 0.6, with `three_phase` it must be 0.5 at most: \
             the way down takes as long as the way up",
        ),
    ]);
}

#[test]
fn lists_files_and_modifiers_are_checked_before_any_budget() {
    assert_problems(&[
        (
            r#"{"kind":"piecewise","points":[[0.5,1],[0.2,0]]}"#,
            "points",
            "`points` go back from share 0.5 to 0.2, put them in order",
        ),
        (
            r#"{"kind":"table"}"#,
            "file",
            "`table` needs `file`, a CSV file `step,factor` or a .npy file",
        ),
        (
            r#"{"kind":"table","factors":[1,-1]}"#,
            "factors",
            "`factors` has -1 at step 1, a factor is 0 or more",
        ),
        (
            r#"{"kind":"linear","warmup":"100%"}"#,
            "warmup",
            "`warmup` is 100%, it must be above 0% and below 100%",
        ),
        (
            r#"{"kind":"linear","warmup":2,"warmup_shape":"exponential"}"#,
            "warmup_start_ratio",
            "an exponential `warmup_shape` needs `warmup_start_ratio`, for \
             instance 0.01",
        ),
        (
            r#"{"kind":"linear","cooldown":1.5}"#,
            "cooldown",
            "`cooldown` is 1.5, it must be above 0 and at most 1",
        ),
        (
            r#"{"join":[]}"#,
            "join",
            "`join` is empty, list the schedules to join",
        ),
        (
            r#"{"join":[{"kind":"rex","d":2,"steps":1}]}"#,
            "join",
            "part 1 of `join`: `d` is 2, it must be 0 or more and below 1",
        ),
    ]);
}

#[test]
fn numbers_that_are_none_are_refused() {
    for number in [f64::NAN, f64::INFINITY] {
        let spec = ScheduleSpec::inverse_time().with("rate", number);
        assert!(spec.expect("a number").problem().is_some());
    }
}

#[test]
fn parameters_are_set_by_their_names() -> Result<(), Problem> {
    let spec = ScheduleSpec::step()
        .with("milestones", [0.5, 0.9])?
        .with("gamma", 0.3)?
        .warmup(5)
        .cooldown(0.1);
    assert_eq!(
        spec.label(),
        "step(milestones=[0.5,0.9],gamma=0.3,warmup=5,cooldown=0.1)"
    );
    assert_eq!(
        spec.clone()
            .warmup(0)
            .cooldown(0.0)
            .with("warmup", 5)?
            .with("cooldown", 0.1)?,
        spec
    );
    assert!(ScheduleSpec::step().with("power", 2).is_err());
    let points = ScheduleSpec::piecewise([[0.0, 1.0], [1.0, 0.5]]);
    assert_eq!(points.rates(1.0, 2)?, [1.0, 0.75]);
    assert_eq!(ScheduleSpec::table([1.0, 0.5]).rates(2.0, 2)?, [2.0, 1.0]);
    Ok(())
}

#[test]
fn integers_stand_for_floats() {
    let text = r#"{"kind":"polynomial","power":2,"end_ratio":0}"#;
    assert_eq!(spec(text), ScheduleSpec::polynomial());
}

#[test]
fn a_tables_factors_are_written_once_they_are_set() {
    let mut spec = spec(r#"{"kind":"table","file":"rates/a.csv"}"#);
    assert_eq!(spec.table_file(), Some(std::path::Path::new("rates/a.csv")));
    let written =
        |spec: &ScheduleSpec| serde_json::to_string(spec).expect("plain data");
    assert_eq!(written(&spec), r#"{"kind":"table","file":"rates/a.csv"}"#);
    spec.set_table(vec![1.0, 0.5], vec![]);
    assert_eq!(
        written(&spec),
        r#"{"kind":"table","file":"rates/a.csv","factors":[1.0,0.5]}"#
    );
    assert_eq!(spec.rates(1.0, 2), Ok(vec![1.0, 0.5]));
}

#[test]
fn a_table_may_cycle_the_momentum() {
    let text = r#"{"kind":"table","factors":[1,0.5],"momenta":[0.8,0.9]}"#;
    let table = spec(text);
    assert_eq!(table.label(), "table(rows=2)");
    let written = serde_json::to_string(&table).expect("plain data");
    assert_eq!(spec(&written), table);
    let course = table.course(1.0, 2).expect("two steps");
    assert_eq!([0, 1].map(|t| course.momentum(t)), [Some(0.8), Some(0.9)]);
    let plain = ScheduleSpec::table([1.0, 0.5]).course(1.0, 2);
    assert_eq!(plain.expect("two steps").momentum(0), None);
    // After a warm-up, with the rows of the warm-up or without them.
    let text = r#"{"kind":"table","factors":[1,0.5],"momenta":[0.8,0.9],
                   "warmup":2}"#;
    let course = spec(text).course(1.0, 4).expect("four steps");
    let momenta = [0, 1, 2, 3].map(|t| course.momentum(t).expect("cycled"));
    assert_eq!(momenta, [0.8, 0.8, 0.8, 0.9]);
    for (text, part) in [
        (
            r#"{"kind":"table","factors":[1,1],"momenta":[0.9]}"#,
            "1 momenta and 2 factors",
        ),
        (
            r#"{"kind":"table","factors":[1],"momenta":[1]}"#,
            "has the momentum 1 at step 0",
        ),
    ] {
        let problem = spec(text).problem().expect(text).to_string();
        assert!(problem.contains(part), "{problem}");
    }
}

#[test]
fn the_list_names_every_key_once() {
    let names: Vec<_> = kinds().iter().map(|kind| kind.name).collect();
    assert_eq!(names.len(), 24);
    for kind in kinds() {
        let mut keys: Vec<_> = kind.keys.iter().map(|key| key.name).collect();
        keys.extend(MODIFIERS.iter().map(|&(name, _)| name));
        let count = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), count, "{}", kind.name);
    }
}
