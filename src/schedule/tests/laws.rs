//! What holds for every schedule.

use super::super::{KindInfo, kinds};
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
        (1..5usize, 1.0..3.0).prop_map(|(cycles, t_mult)| json!({
            "kind": "sgdr", "cycles": cycles, "t_mult": t_mult,
        })),
        (above_zero(), ratio()).prop_map(|(at, height)| json!({
            "kind": "piecewise",
            "points": [[0.0, height], [at, 1.0], [1.0, 0.0]],
        })),
    ]
}

/// Any kind with any modifiers.
fn any_spec() -> impl Strategy<Value = ScheduleSpec> {
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
