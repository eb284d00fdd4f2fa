//! What holds for every schedule.

use super::super::{KindInfo, Library, Schedule, kinds};
use crate::grid::parse_schedule;
use crate::schedule::ScheduleSpec;
use proptest::prelude::*;
use serde_json::{Value, json};

const MODES: [&str; 3] = ["triangular", "triangular2", "exp-range"];

fn ratio() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), Just(1.0), 0.0..1.0]
}

fn above_zero() -> impl Strategy<Value = f64> {
    1e-3..=1.0
}

fn shape() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["linear", "one-minus-sqrt", "cosine", "square"])
}

/// Any kind with any parameters that stand.
fn any_kind() -> impl Strategy<Value = Value> {
    let plain = prop::sample::select(
        kinds()
            .iter()
            .filter(|kind| kind.stands_alone())
            // It may not be joined; its rates are `constant`'s.
            .filter(|kind| kind.name != "schedule-free")
            .map(|kind| json!({ "kind": kind.name }))
            .collect::<Vec<_>>(),
    );
    prop_oneof![
        plain,
        (ratio(), 0.1..5.0).prop_map(|(end_ratio, power)| json!({
            "kind": "polynomial", "end_ratio": end_ratio, "power": power,
        })),
        (ratio(), 0.1..5.0).prop_map(|(end_ratio, cycles)| json!({
            "kind": "cosine", "end_ratio": end_ratio, "cycles": cycles,
        })),
        (above_zero(), shape(), ratio()).prop_map(
            |(decay, shape, end)| json!({
                "kind": "wsd", "decay": decay, "shape": shape, "end_ratio": end,
            })
        ),
        (above_zero(), above_zero()).prop_map(|(decay, end)| json!({
            "kind": "wsd", "decay": decay, "shape": "exponential",
            "end_ratio": end,
        })),
        (0.01..0.5, 1.0..50.0, any::<bool>(), any::<bool>()).prop_map(
            |(pct_start, div_factor, cos, three_phase)| json!({
                "kind": "one-cycle", "pct_start": pct_start,
                "div_factor": div_factor, "three_phase": three_phase,
                "anneal": if cos { "cos" } else { "linear" },
            })
        ),
        (ratio(), ratio(), ratio()).prop_map(|(inc, start, end)| json!({
            "kind": "triangular", "inc_fraction": inc, "start_ratio": start,
            "end_ratio": end,
        })),
        (0..3usize, 1..50usize, 1..50usize, ratio()).prop_map(
            |(mode, up, down, base)| json!({
                "kind": "cyclical",
                "mode": MODES[mode],
                "step_size_up": up, "step_size_down": down,
                "base_ratio": base, "gamma": 0.99,
            })
        ),
        (1..20usize, 1.0..3.0, ratio(), above_zero()).prop_map(
            |(t_0, t_mult, end, decay)| json!({
                "kind": "sgdr", "t_0": t_0, "t_mult": t_mult,
                "end_ratio": end, "magnitude_decay": decay,
            })
        ),
        (ratio(), 0.2..5.0).prop_map(|(end, k)| json!({
            "kind": "k-decay", "end_ratio": end, "k": k,
        })),
        (0.0..0.99, 0.0..20.0).prop_map(|(d, rate)| if d < 0.5 {
            json!({ "kind": "rex", "d": d })
        } else {
            json!({ "kind": "inverse-time", "rate": rate })
        }),
        (1..400usize, 1..50usize).prop_map(|(rise, timescale)| {
            if rise < 200 {
                json!({ "kind": "noam", "warmup_steps": rise })
            } else {
                json!({ "kind": "inverse-sqrt", "timescale": timescale })
            }
        }),
        (-9.0..0.0, 0.1..9.0, ratio()).prop_map(|(lower, upper, end)| json!({
            "kind": "tanh", "lower": lower, "upper": upper, "end_ratio": end,
        })),
        (above_zero(), any::<bool>(), 1..9usize).prop_map(
            |(gamma, in_steps, first)| {
                let milestones = if in_steps {
                    json!([first, first + 3, 40])
                } else {
                    json!([0.1, 0.11 * first as f64])
                };
                json!({
                    "kind": "step", "gamma": gamma, "milestones": milestones,
                })
            }
        ),
        (1..5usize, 1.0..3.0).prop_map(|(cycles, t_mult)| json!({
            "kind": "sgdr", "cycles": cycles, "t_mult": t_mult,
        })),
        (above_zero(), ratio()).prop_map(|(at, height)| json!({
            "kind": "piecewise",
            "points": [[0.0, height], [at, 1.0], [1.0, 0.0]],
        })),
    ]
}

/// Any kind that is defined in steps: its budget only says where it ends.
fn any_in_steps() -> impl Strategy<Value = ScheduleSpec> {
    let kind = prop_oneof![
        Just(json!({ "kind": "constant" })),
        (1..50usize).prop_map(|timescale| json!({
            "kind": "inverse-sqrt", "timescale": timescale,
        })),
        (1..9usize).prop_map(|rise| json!({
            "kind": "noam", "warmup_steps": rise,
        })),
        (1..30usize, above_zero()).prop_map(|(first, gamma)| json!({
            "kind": "step", "milestones": [first, first + 7], "gamma": gamma,
        })),
        (1..20usize, 0..3usize).prop_map(|(up, mode)| json!({
            "kind": "cyclical", "step_size_up": up, "mode": MODES[mode],
            "gamma": 0.98,
        })),
        (1..20usize, 1.0..3.0).prop_map(|(t_0, t_mult)| json!({
            "kind": "sgdr", "t_0": t_0, "t_mult": t_mult,
        })),
    ];
    (kind, 0..6usize).prop_map(|(mut table, rise)| {
        table["warmup"] = rise.into();
        serde_json::from_value(table).expect("a spec that reads")
    })
}

/// Any kind with any modifiers.
pub(super) fn any_spec() -> impl Strategy<Value = ScheduleSpec> {
    let rise = prop::option::of(1..5usize);
    let fall = prop::option::of((above_zero(), shape(), ratio()));
    (any_kind(), rise, any::<bool>(), fall).prop_map(
        |(mut table, rise, cosine, fall)| {
            if let Some(rise) = rise {
                table["warmup"] = rise.into();
                if cosine {
                    table["warmup_shape"] = "cosine".into();
                }
            }
            if let Some((share, shape, end)) = fall {
                table["cooldown"] = share.into();
                table["cooldown_shape"] = shape.into();
                table["cooldown_end_ratio"] = end.into();
            }
            serde_json::from_value(table).expect("a spec that reads")
        },
    )
}

proptest! {
    #[test]
    fn rates_are_finite_and_within_the_peak(
        spec in any_spec(),
        peak in 1e-6..10.0,
        steps in 6..300usize,
    ) {
        let rates = spec.rates(peak, steps).expect("stands");
        for (step, &lr) in rates.iter().enumerate() {
            prop_assert!(lr.is_finite() && lr >= 0.0, "{step}: {lr}");
            prop_assert!(lr <= peak * (1.0 + 1e-12), "{step}: {lr} > {peak}");
        }
    }

    #[test]
    fn libraries_keep_within_the_peak_and_linear_in_it(
        spec in any_spec(),
        steps in 6..100usize,
    ) {
        for library in Library::ALL {
            let Ok(one) = spec.build_compat(library, 1.0, steps) else {
                continue;
            };
            let seven = spec.build_compat(library, 7.0, steps).expect("stands");
            for step in (0..2 * steps).chain([usize::MAX]) {
                let lr = one.lr(step);
                prop_assert!((0.0..=1.0 + 1e-12).contains(&lr), "{step}: {lr}");
                prop_assert_eq!(7.0 * lr, seven.lr(step), "at {}", step);
            }
        }
    }

    #[test]
    fn schedules_are_linear_in_the_peak(
        spec in any_spec(),
        steps in 6..300usize,
    ) {
        let one = spec.rates(1.0, steps).expect("stands");
        let seven = spec.rates(7.0, steps).expect("stands");
        for (step, (one, seven)) in one.iter().zip(&seven).enumerate() {
            prop_assert_eq!(7.0 * one, *seven, "at {}", step);
        }
    }

    #[test]
    fn from_the_end_on_the_last_rate_holds(
        spec in any_spec(),
        steps in 6..300usize,
        later in 0..1000usize,
    ) {
        let schedule = spec.build(0.3, steps).expect("stands");
        prop_assert_eq!(schedule.lr(steps + later), schedule.lr(steps - 1));
    }

    #[test]
    fn a_definition_in_steps_has_one_beginning_at_every_budget(
        spec in any_in_steps(),
        steps in 15..200usize,
        more in 0..200usize,
    ) {
        let short = spec.rates(0.3, steps).expect("stands");
        let long = spec.rates(0.3, steps + more).expect("stands");
        prop_assert_eq!(&short[..], &long[..steps]);
    }

    #[test]
    fn runs_follow_and_export_writes_what_the_spec_builds(
        spec in any_spec(),
        steps in 6..300usize,
    ) {
        let rates = spec.rates(0.3, steps).expect("stands");
        let course = spec.course(0.3, steps).expect("stands");
        let formula = spec.formula(steps).expect("stands");
        prop_assert_eq!(course.steps(), steps);
        for (step, &lr) in rates.iter().enumerate() {
            prop_assert_eq!(course.lr(step), lr);
            prop_assert_eq!(0.3 * formula.at(step as f64), lr);
            prop_assert!(!course.listens(step + 1));
        }
    }

    #[test]
    fn refined_schedules_reach_the_peak_and_end_at_0(
        norms in prop::collection::vec(0.0..100.0, 2..200),
        tau in ratio(),
        adaptive in any::<bool>(),
    ) {
        let spec = ScheduleSpec::refined().with("tau", tau).expect("a key");
        let made = spec.refined_by(&norms, adaptive).expect("stands");
        let rates = made.rates(2.0, norms.len()).expect("stands");
        let highest = rates.iter().copied().fold(0.0, f64::max);
        prop_assert_eq!(highest, 2.0);
        prop_assert_eq!(rates[norms.len() - 1], 0.0);
        prop_assert!(rates.iter().all(|lr| *lr >= 0.0));
        // The unit of the norms is nobody's business.
        let doubled: Vec<f64> = norms.iter().map(|norm| 2.0 * norm).collect();
        prop_assert_eq!(spec.refined_by(&doubled, adaptive), Ok(made));
    }

    #[test]
    fn a_plateau_only_ever_goes_down(
        losses in prop::collection::vec(-1.0..9.0, 1..60),
        patience in 0..4usize,
        least in ratio(),
    ) {
        let table = json!({
            "kind": "plateau", "patience": patience, "min_ratio": least,
        });
        let spec: ScheduleSpec = serde_json::from_value(table).expect("reads");
        let mut course = spec.course(1.0, 10).expect("stands");
        let mut before = course.lr(0);
        prop_assert_eq!(before, 1.0);
        for loss in losses {
            course.hear(loss);
            prop_assert!(course.lr(0) <= before && course.lr(0) >= least);
            before = course.lr(0);
        }
    }

    #[test]
    fn what_is_written_reads_back(spec in any_spec()) {
        // Not by way of text: serde_json's default reader may be off by the
        // last bit.
        let data = serde_json::to_value(&spec).expect("plain data");
        let back: ScheduleSpec =
            serde_json::from_value(data).expect("reads");
        prop_assert_eq!(&back, &spec);
        prop_assert_eq!(back.label(), spec.label());
    }

    #[test]
    fn a_grid_reads_what_is_written_as_toml(a in any_spec(), b in any_spec()) {
        let both = ScheduleSpec::join([(a.clone(), 7), (b, 9)]);
        for spec in [a, both] {
            let text = toml::Value::try_from(&spec).expect("plain data");
            let back = parse_schedule(&text.to_string()).expect("reads");
            prop_assert_eq!(back, spec);
        }
    }

    #[test]
    fn equal_specs_have_equal_labels_only(a in any_spec(), b in any_spec()) {
        prop_assert_eq!(a == b, a.label() == b.label());
    }

    #[test]
    fn joining_one_schedule_changes_nothing(
        spec in any_spec(),
        steps in 6..100usize,
    ) {
        let joined = ScheduleSpec::join([(spec.clone(), steps)]);
        prop_assert_eq!(joined.rates(1.0, steps), spec.rates(1.0, steps));
    }

    #[test]
    fn a_plain_trunk_is_shared_bit_for_bit(
        warmup in 0..20usize,
        steps in 40..200usize,
    ) {
        let constant = ScheduleSpec::constant().warmup(warmup);
        let trunk = constant.rates(0.3, steps).expect("stands");
        for spec in [ScheduleSpec::wsd(), ScheduleSpec::knee()] {
            let rates = spec.warmup(warmup).rates(0.3, steps).expect("stands");
            let half = warmup + (steps - warmup) / 2;
            prop_assert_eq!(&rates[..half], &trunk[..half]);
        }
    }
}

#[test]
fn every_kind_stands_with_its_defaults_at_any_budget() {
    for KindInfo { name, .. } in kinds().iter().filter(|k| k.stands_alone()) {
        let spec = ScheduleSpec::of_kind(name).expect("a kind");
        assert_eq!(spec.problem(), None, "{name}");
        assert_eq!(spec.label(), *name);
        for steps in [1, 2, 3, 10, 1000] {
            let rates = spec.rates(1.0, steps).expect("stands");
            let sane = |lr: &f64| (0.0..=1.0 + 1e-12).contains(lr);
            assert!(rates.iter().all(sane), "{name} at {steps}: {rates:?}");
        }
    }
}
