use super::super::{Library, bound, kinds};
use super::{assert_close, factors, spec};
use crate::schedule::ScheduleSpec;
use serde_json::Value;

fn oracles(part: &str) -> serde_json::Map<String, Value> {
    let text = include_str!("../../../tests/golden/schedule-oracles.json");
    let all: Value = serde_json::from_str(text).expect("valid JSON");
    all[part].as_object().expect("a table").clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).expect("numbers")
}

/// Our name for each shape of the oracles.
fn shape(name: &str) -> String {
    let of = |kind: &str, rest: &str| format!(r#"{{"kind":"{kind}"{rest}}}"#);
    match name {
        "linear_to_0.1" => of("linear", r#","end_ratio":0.1"#),
        "cosine_to_0.1" => of("cosine", r#","end_ratio":0.1"#),
        "step_0.5_0.75_x0.1" => of("step", ""),
        "exp_to_0.01" => of("exponential", ""),
        "inv_sqrt" => of("inverse-sqrt", ""),
        "rex_0.5" => of("rex", ""),
        "rex_0.9" => of("rex", r#","d":0.9"#),
        "poly_2" => of("polynomial", ""),
        "poly_0.5" => of("polynomial", r#","power":0.5"#),
        "one_minus_sqrt" => of("one-minus-sqrt", ""),
        "sgdr_2" => of("sgdr", r#","cycles":2"#),
        "constant" | "linear" | "cosine" => of(name, ""),
        wsd => {
            let (name, decay) = wsd.rsplit_once('_').expect("wsd_shape_c");
            let shape = match name {
                "wsd_linear" => "linear",
                "wsd_1-sqrt" => "one-minus-sqrt",
                other => panic!("no such oracle: {other}"),
            };
            of("wsd", &format!(r#","shape":"{shape}","decay":{decay}"#))
        }
    }
}

#[test]
fn shapes_are_those_of_numpy() {
    for (name, want) in oracles("shapes_T10") {
        let got = factors(&shape(&name), 10);
        assert_close(&got, &numbers(&want), 1e-12, &name);
    }
}

#[test]
fn sequences_are_those_of_torch() {
    let ours = [
        ("OneCycleLR total_steps=10", r#"{"kind":"one-cycle"}"#),
        (
            "OneCycleLR total_steps=10 anneal=linear three_phase",
            r#"{"kind":"one-cycle","anneal":"linear","three_phase":true}"#,
        ),
        (
            "CyclicLR 0.1..1 step_size_up=4 triangular",
            r#"{"kind":"cyclical","step_size_up":4}"#,
        ),
        (
            "CyclicLR 0.1..1 step_size_up=4 triangular2",
            r#"{"kind":"cyclical","step_size_up":4,"mode":"triangular2"}"#,
        ),
        (
            "CyclicLR 0.1..1 step_size_up=4 exp_range gamma=0.9",
            r#"{"kind":"cyclical","step_size_up":4,"mode":"exp-range",
                "gamma":0.9}"#,
        ),
        (
            "CosineAnnealingWarmRestarts T_0=4 T_mult=2",
            r#"{"kind":"sgdr","t_0":4,"t_mult":2}"#,
        ),
        (
            "MultiStepLR [5, 8] gamma=0.1",
            r#"{"kind":"step","milestones":[5,8]}"#,
        ),
    ];
    let oracles = oracles("torch_2_15_peak_1");
    assert_eq!(oracles.len(), ours.len());
    for (name, json) in ours {
        let want = numbers(&oracles[name]);
        let got = factors(json, want.len());
        assert_close(&got, &want, 1e-12, name);
    }
}

#[test]
fn bounds_are_those_of_numpy() {
    for (name, want) in oracles("omega_T400") {
        let found = bound(&factors(&shape(&name), 400)).expect("rates");
        let want = |key: &str| want[key].as_f64().expect("a number");
        for (got, want) in [
            (found.omega, want("omega_star")),
            (found.peak, want("base_lr_star")),
        ] {
            let error = (got / want - 1.0).abs();
            assert!(error < 1e-10, "{name}: {got} is not {want}");
        }
    }
}

#[test]
fn bounds_are_the_published_ones_to_five_places() {
    for (json, want) in [
        (r#"{"kind":"knee"}"#, 0.10242),
        (r#"{"kind":"polynomial","power":0.4}"#, 0.10910),
        (r#"{"kind":"cyclical"}"#, 0.13008),
        (r#"{"kind":"sgdr","cycles":2}"#, 0.11487),
    ] {
        let found = bound(&factors(json, 400)).expect("rates").omega;
        assert!((found - want).abs() < 6e-6, "{json}: {found}, not {want}");
    }
}

#[test]
fn the_bound_of_a_constant_is_harmonic() {
    let steps = 50;
    let harmonic: f64 = (1..steps).map(|k| 1.0 / f64::from(k)).sum();
    let t1 = 0.5 / f64::from(steps);
    let rest = 0.5 + harmonic / 2.0;
    let found = bound(&vec![1.0; 50]).expect("rates");
    assert!((found.omega - 2.0 * (t1 * rest).sqrt()).abs() < 1e-14);
}

#[test]
fn no_rates_have_no_bound() {
    assert_eq!(bound(&[]), None);
    assert_eq!(bound(&[1.0, f64::NAN]), None);
    assert_eq!(bound(&[1.0, -1.0]), None);
}

/// What libraries give, a case for each schedule.
fn cases() -> Vec<Value> {
    let files = [
        include_str!("../../../tests/golden/schedules.json"),
        include_str!("../../../tests/golden/mxnet.json"),
    ];
    let cases = files.map(|text| {
        let all: Value = serde_json::from_str(text).expect("valid JSON");
        all["cases"].as_array().expect("a list").clone()
    });
    cases.concat()
}

#[test]
fn every_kind_that_a_library_has_was_compared_and_so_was_its_warmup() {
    let cases = cases();
    assert!(cases.len() >= 60, "only {} cases", cases.len());
    for library in Library::ALL {
        let name = library.name();
        let own = || cases.iter().filter(|case| case["library"] == name);
        assert!(own().any(|case| case["spec"].get("warmup").is_some()));
        for kind in kinds().iter().map(|kind| kind.name) {
            let spec = ScheduleSpec::of_kind(kind).expect("a kind");
            // Some libraries take a number where a rate is constant.
            let has = kind != "constant"
                && spec.build_compat(library, 1.0, 10).is_ok();
            let compared = own().any(|case| case["spec"]["kind"] == kind);
            assert!(compared || !has, "{name} {kind}");
        }
    }
}

#[test]
fn libraries_are_reproduced() {
    for case in cases() {
        let library = Library::ALL
            .into_iter()
            .find(|library| case["library"] == library.name())
            .expect("a library");
        let spec: ScheduleSpec =
            serde_json::from_value(case["spec"].clone()).expect("a spec");
        let want = [numbers(&case["rates"]), numbers(&case["after"])].concat();
        let peak = case["peak"].as_f64().expect("a number");
        let steps = serde_json::from_value(case["steps"].clone());
        let steps = steps.expect("a number");
        let tolerance = case["tolerance"].as_f64().expect("a number");
        let name = format!("{} {}", library.name(), spec.label());
        let schedule = spec
            .build_compat(library, peak, steps)
            .unwrap_or_else(|problem| panic!("{name}: {problem}"));
        let got: Vec<f64> =
            (0..want.len()).map(|step| schedule.lr(step)).collect();
        assert_close(&got, &want, tolerance * peak.max(1e-3), &name);
    }
}

#[test]
fn a_library_says_what_it_lacks() {
    for (library, json, want) in [
        (
            Library::Timm,
            r#"{"kind":"constant"}"#,
            "timm has no `constant`, it has linear, polynomial, cosine, \
             k-decay, step, wsd, sgdr, tanh",
        ),
        (
            Library::Hf,
            r#"{"kind":"sgdr","t_mult":2}"#,
            "hf has no such `t_mult`: its cycles are of one length",
        ),
        (
            Library::Keras,
            r#"{"kind":"linear","cooldown":0.1}"#,
            "keras has no `cooldown`, leave it out",
        ),
        (
            Library::Optax,
            r#"{"kind":"linear","warmup":2,"warmup_shape":"cosine"}"#,
            "optax has no such `warmup_shape`: use linear",
        ),
        (
            Library::Hf,
            r#"{"kind":"cosine","warmup":2,"warmup_start_ratio":0.1}"#,
            "hf has no `warmup_start_ratio` but 0, leave it out",
        ),
        (
            Library::Mxnet,
            r#"{"kind":"one-cycle"}"#,
            "mxnet has no such `three_phase`: set it to true",
        ),
    ] {
        let problem = spec(json).build_compat(library, 1.0, 10).err();
        let message = problem.expect("it lacks that").message;
        assert_eq!(message, want);
    }
}

#[test]
fn hugging_faces_warmup_share_is_rounded_up() {
    for (share, steps, want) in
        [("5%", 101, 6), ("3%", 1010, 31), ("10%", 333, 34), ("6%", 70, 5)]
    {
        let schedule =
            spec(&format!(r#"{{"kind":"linear","warmup":"{share}"}}"#));
        let schedule = schedule.build_compat(Library::Hf, 1.0, steps);
        let schedule = schedule.expect("stands");
        let peak = (0..steps).find(|&step| schedule.lr(step) == 1.0);
        assert_eq!(peak, Some(want), "{share} of {steps}");
    }
}

#[test]
fn kerass_warmup_counts_inside_the_budget() {
    let schedule = spec(r#"{"kind":"linear","warmup":5}"#)
        .build_compat(Library::Keras, 1.0, 15)
        .expect("stands");
    let lr = |step| schedule.lr(step);
    assert_eq!((lr(0), lr(5), lr(10)), (0.0, 1.0, 0.5));
    assert_eq!((lr(15), lr(99)), (0.0, 0.0));
    assert!((lr(14) - 0.1).abs() < 1e-12);
}

#[test]
fn torch_refuses_cycles_that_end_between_two_updates() {
    let whole = "torch has no such `t_mult`: it takes a whole number";
    let of_ten = "torch has no such `cycles`: it takes a whole `t_0`, and the \
                  first cycle would be 3.3333333333333335 of 10 steps; give \
                  `t_0`, or other steps";
    for (json, key, want) in [
        (r#"{"kind":"sgdr","t_0":3,"t_mult":1.5}"#, "t_mult", whole),
        (r#"{"kind":"sgdr","cycles":3}"#, "cycles", of_ten),
        (r#"{"kind":"sgdr","cycles":3,"warmup":"17%"}"#, "cycles", of_ten),
        (
            r#"{"join":[{"kind":"sgdr","cycles":3,"steps":10},
                {"kind":"linear","steps":2}]}"#,
            "cycles",
            of_ten,
        ),
    ] {
        let steps =
            if json.contains("join") || json.contains("17%") { 12 } else { 10 };
        let problem = spec(json).build_compat(Library::Torch, 1.0, steps);
        let problem = problem.err().expect("torch refuses it");
        assert_eq!(problem.key.as_deref(), Some(key), "{json}");
        assert_eq!(problem.message, want, "{json}");
    }
    for (json, steps) in [
        (r#"{"kind":"sgdr","cycles":3}"#, 12),
        (r#"{"kind":"sgdr","cycles":2,"t_mult":2}"#, 12),
        (r#"{"kind":"sgdr","t_0":3,"t_mult":2}"#, 10),
        (r#"{"kind":"sgdr"}"#, 10),
    ] {
        let stands = spec(json).build_compat(Library::Torch, 1.0, steps);
        assert!(stands.is_ok(), "{json}");
    }
}

#[test]
fn after_the_budget_libraries_hold_the_end_or_go_on() {
    let one_cycle = r#"{"kind":"one-cycle"}"#;
    for (library, json, want) in [
        (Library::Torch, r#"{"kind":"cosine"}"#, [0.25, 0.0, 0.25]),
        (Library::Optax, r#"{"kind":"cosine"}"#, [0.25, 0.0, 0.0]),
        (Library::Timm, r#"{"kind":"sgdr","cycles":1}"#, [0.25, 0.0, 0.0]),
        (Library::Torch, one_cycle, [4e-6; 3]),
        (
            Library::Torch,
            r#"{"kind":"cosine","cooldown":1}"#,
            [1.0 / 3.0, 0.0, 0.0],
        ),
        (
            Library::Torch,
            r#"{"join":[{"kind":"constant","steps":1},
                {"kind":"exponential","end_ratio":0.25,"steps":2}]}"#,
            [0.5, 0.25, 0.125],
        ),
    ] {
        let schedule = spec(json).build_compat(library, 1.0, 3);
        let schedule = schedule.expect("stands");
        let got = [2, 3, 4].map(|step| schedule.lr(step));
        assert_close(&got, &want, 1e-12, json);
        assert!(schedule.lr(usize::MAX).is_finite(), "{json}");
    }
}
