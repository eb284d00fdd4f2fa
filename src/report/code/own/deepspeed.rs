//! The schedulers of `DeepSpeed`'s JSON.
//!
//! Source: `deepspeed/runtime/lr_schedules.py` (0.19). The engine makes the
//! scheduler at iteration -1, where it sets its lowest rate, and steps it
//! after each update. `WarmupLR`, `WarmupDecayLR` and `WarmupCosineLR` then
//! give iteration 0, the lowest rate again: update `t` has their value at
//! `t - 1`, an update late throughout. `OneCycle` looks one iteration ahead
//! and is in our frame. A name that `DeepSpeed` does not know is one of
//! `torch.optim.lr_scheduler`, which the engine steps after each update.

use super::{Own, down_to, half_cosine};
use crate::report::code::Export;

pub(super) fn candidates(export: &Export<'_>) -> Vec<Own> {
    let peak = format!("{:?}", export.peak);
    let number = |key: &str| export.spec.number(key).unwrap_or(0.0);
    let steps = export.steps as f64;
    let whole = export.steps.to_string();
    let end = number("end_ratio");
    match export.spec.kind() {
        "constant" => {
            let settings = [
                ("warmup_min_lr", peak.clone()),
                ("warmup_max_lr", peak),
                ("warmup_type", "\"linear\"".to_owned()),
            ];
            vec![Own::new("WarmupLR", settings, |_| 1.0)]
        }
        "linear" => {
            let settings = [
                ("start_factor", "1.0".to_owned()),
                ("end_factor", format!("{end:?}")),
                ("total_iters", whole),
            ];
            let factor =
                move |step: usize| down_to(end, 1.0 - step as f64 / steps);
            vec![Own::new("LinearLR", settings, factor)]
        }
        "cosine" => {
            let settings = [
                ("T_max", whole),
                ("eta_min", format!("{:?}", export.peak * end)),
            ];
            let factor = move |step: usize| {
                down_to(end, half_cosine(step as f64 / steps))
            };
            vec![Own::new("CosineAnnealingLR", settings, factor)]
        }
        "polynomial" => {
            let power = number("power");
            let settings =
                [("total_iters", whole), ("power", format!("{power:?}"))];
            let factor =
                move |step: usize| (1.0 - step as f64 / steps).powf(power);
            vec![Own::new("PolynomialLR", settings, factor)]
        }
        "triangular" => triangle(export).into_iter().collect(),
        "one-cycle" => torch_one_cycle(export).into_iter().collect(),
        _ => vec![],
    }
}

/// `OneCycleLR` of torch, whose last update has the last value of its formula.
fn torch_one_cycle(export: &Export<'_>) -> Option<Own> {
    let spec = export.spec;
    let pct = spec.number("pct_start")?;
    let (div, last) =
        (spec.number("div_factor")?, spec.number("final_div_factor")?);
    let anneal = spec.word("anneal")?;
    let (name, shape): (_, fn(f64) -> f64) = match anneal.as_str() {
        "cos" => ("cos", half_cosine),
        _ => ("linear", |x| 1.0 - x),
    };
    let settings = [
        ("max_lr", format!("{:?}", export.peak)),
        ("total_steps", export.steps.to_string()),
        ("pct_start", format!("{pct:?}")),
        ("anneal_strategy", format!("\"{name}\"")),
        ("cycle_momentum", "false".to_owned()),
        ("div_factor", format!("{div:?}")),
        ("final_div_factor", format!("{last:?}")),
    ];
    let steps = export.steps as f64;
    let up = pct * steps - 1.0;
    let (first, end) = (1.0 / div, 1.0 / div / last);
    Some(Own::new("OneCycleLR", settings, move |step| {
        let t = step as f64;
        if t <= up {
            down_to(first, 1.0 - shape(t / up))
        } else {
            down_to(end, shape((t - up) / (steps - 1.0 - up)))
        }
    }))
}

fn triangle(export: &Export<'_>) -> Option<Own> {
    let spec = export.spec;
    let start = spec.number("start_ratio")?;
    let up = (spec.number("inc_fraction")? * export.steps as f64).round();
    let down = export.steps as f64 - up;
    let low = format!("{:?}", export.peak * start);
    let settings = [
        ("cycle_min_lr", low),
        ("cycle_max_lr", format!("{:?}", export.peak)),
        ("cycle_first_step_size", format!("{up:.0}")),
        ("cycle_second_step_size", format!("{down:.0}")),
        ("cycle_momentum", "false".to_owned()),
    ];
    (up >= 1.0).then(|| {
        Own::new("OneCycle", settings, move |step| {
            let t = step as f64;
            let x = if t <= up { t / up } else { (up + down - t) / down };
            down_to(start, x)
        })
    })
}

/// The part of a configuration that has the scheduler. JSON has no comments,
/// and `DeepSpeed` passes over a key that it does not know.
pub(in crate::report::code) fn file(own: &Own, header: &[String]) -> String {
    let header: Vec<String> = header
        .iter()
        .map(|line| format!("    {}", serde_json::Value::from(line.trim_end())))
        .collect();
    let settings =
        own.listed(",\n", |key, value| format!("      \"{key}\": {value}"));
    format!(
        "{{\n  \"comment\": [\n{}\n  ],\n  \"scheduler\": {{\n    \"type\": \
         \"{}\",\n    \"params\": {{\n{}\n    }}\n  }}\n}}\n",
        header.join(",\n"),
        own.name,
        settings
    )
}
