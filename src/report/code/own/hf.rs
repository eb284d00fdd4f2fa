//! The schedulers that `TrainingArguments` of Hugging Face name.
//!
//! Source: `transformers/optimization.py` (5.24). The Trainer makes them with
//! `max_steps` as `num_training_steps` and steps them after each update, so
//! update `t` has the value at `t`. Their warm-ups begin at 0, with two
//! exceptions: that of `warmup_stable_decay` at its end ratio, and that of
//! `cosine_warmup_with_min_lr` where it is told to.

use super::{Own, decay_steps, down_to, half_cosine, rise};
use crate::report::code::Export;

pub(super) fn candidates(export: &Export<'_>) -> Vec<Own> {
    let (warmup, first) = rise(export);
    let spec = export.spec;
    let number = |key: &str| spec.number(key).unwrap_or(0.0);
    let steps = export.steps as f64;
    let after = steps - warmup as f64;
    let wait = ("warmup_steps", warmup.to_string());
    // What follows a warm-up from 0, at the updates since.
    let risen = |name: &str,
                 kwargs: &[(&str, String)],
                 body: Box<dyn Fn(f64) -> f64>| {
        let factor = move |step: usize| match step.checked_sub(warmup) {
            Some(since) => body(since as f64),
            None => step as f64 / warmup as f64,
        };
        Own::new(name, [wait.clone(), dict(kwargs)], factor)
    };
    let end = number("end_ratio");
    match spec.kind() {
        "constant" if warmup == 0 => {
            vec![risen("constant", &[], Box::new(|_| 1.0))]
        }
        "constant" => {
            let kwargs = [
                ("num_decay_steps", "0".to_owned()),
                ("min_lr_ratio", format!("{first:?}")),
            ];
            let factor = move |step: usize| {
                let x = step as f64 / warmup as f64;
                if step < warmup { down_to(first, x) } else { 1.0 }
            };
            vec![
                risen("constant_with_warmup", &[], Box::new(|_| 1.0)),
                Own::new(
                    "warmup_stable_decay",
                    [wait.clone(), dict(&kwargs)],
                    factor,
                ),
            ]
        }
        "linear" if end == 0.0 => {
            vec![risen("linear", &[], Box::new(move |t| (after - t) / after))]
        }
        "linear" | "polynomial" => {
            let power = spec.number("power").unwrap_or(1.0);
            let kwargs = [
                ("lr_end", format!("PEAK * {end:?}")),
                ("power", format!("{power:?}")),
            ];
            let body =
                move |t: f64| down_to(end, (1.0 - t / after).powf(power));
            vec![risen("polynomial", &kwargs, Box::new(body))]
        }
        "cosine" => cosines(export, &risen),
        "sgdr" => {
            let cycles = match spec.number("t_0") {
                Some(length) => after / length,
                None => spec.number("cycles").unwrap_or(1.0),
            };
            let kwargs = [("num_cycles", format!("{cycles:.0}"))];
            let body =
                move |t: f64| half_cosine((cycles.round() * t / after) % 1.0);
            vec![risen("cosine_with_restarts", &kwargs, Box::new(body))]
        }
        "inverse-sqrt" => {
            let timescale = spec.number("timescale");
            let timescale = timescale.unwrap_or(warmup as f64).max(1.0);
            let kwargs = [("timescale", format!("{timescale:.0}"))];
            let body = move |t: f64| ((t + timescale) / timescale).powf(-0.5);
            vec![risen("inverse_sqrt", &kwargs, Box::new(body))]
        }
        "wsd" => wsd(export).into_iter().collect(),
        _ => vec![],
    }
}

/// A scheduler with a warm-up from 0, of its name, its own settings, and what
/// follows.
type Risen<'a> =
    &'a dyn Fn(&str, &[(&str, String)], Box<dyn Fn(f64) -> f64>) -> Own;

fn cosines(export: &Export<'_>, risen: Risen<'_>) -> Vec<Own> {
    let (warmup, first) = rise(export);
    let spec = export.spec;
    let (end, cycles) = (
        spec.number("end_ratio").unwrap_or(0.0),
        spec.number("cycles").unwrap_or(0.5),
    );
    let after = (export.steps - warmup) as f64;
    let body = move |t: f64| {
        down_to(end, half_cosine(2.0 * cycles * t / after)).max(0.0)
    };
    let mut kwargs = vec![];
    if cycles != 0.5 {
        kwargs.push(("num_cycles", format!("{cycles:?}")));
    }
    let mut all = vec![if end == 0.0 {
        risen("cosine", &kwargs, Box::new(body))
    } else {
        kwargs.push(("min_lr_rate", format!("{end:?}")));
        risen("cosine_with_min_lr", &kwargs, Box::new(body))
    }];
    // This one reaches the peak at the last update of its warm-up, and its
    // cosine is one update ahead over one update less; `num_cycles` stretches
    // it to ours.
    if warmup > 0 && after > 1.0 {
        let cycles = cycles * (after - 1.0) / after;
        let kwargs = [
            ("num_cycles", format!("{cycles:?}")),
            ("min_lr_rate", format!("{end:?}")),
            ("warmup_lr_rate", format!("{first:?}")),
        ];
        let factor = move |step: usize| match step.checked_sub(warmup + 1) {
            Some(since) => {
                let x = (since as f64 + 1.0) / (after - 1.0);
                down_to(end, half_cosine(2.0 * cycles * x)).max(0.0)
            }
            None => down_to(first, step as f64 / warmup as f64),
        };
        let wait = ("warmup_steps", (warmup + 1).to_string());
        let settings = [wait, dict(&kwargs)];
        all.push(Own::new("cosine_warmup_with_min_lr", settings, factor));
    }
    all
}

fn wsd(export: &Export<'_>) -> Option<Own> {
    let decay = decay_steps(export)?;
    let (warmup, _) = rise(export);
    let end = export.spec.number("end_ratio").unwrap_or(0.0);
    let (name, shape): (_, fn(f64) -> f64) =
        match export.spec.word("shape")?.as_str() {
            "linear" => ("linear", |x| 1.0 - x),
            "cosine" => ("cosine", half_cosine),
            "one-minus-sqrt" => ("1-sqrt", |x| 1.0 - x.sqrt()),
            _ => return None,
        };
    let kwargs = [
        ("num_decay_steps", decay.to_string()),
        ("decay_type", format!("{name:?}")),
        ("min_lr_ratio", format!("{end:?}")),
    ];
    let begin = export.steps - decay;
    let factor = move |step: usize| {
        if step < warmup {
            down_to(end, step as f64 / warmup as f64)
        } else if step < begin {
            1.0
        } else {
            down_to(end, shape((step - begin) as f64 / decay as f64))
        }
    };
    let wait = ("warmup_steps", warmup.to_string());
    Some(Own::new("warmup_stable_decay", [wait, dict(&kwargs)], factor))
}

/// `lr_scheduler_kwargs`.
fn dict(kwargs: &[(&str, String)]) -> (&'static str, String) {
    let pairs: Vec<String> = kwargs
        .iter()
        .map(|(key, value)| format!("\"{key}\": {value}"))
        .collect();
    ("lr_scheduler_kwargs", format!("{{{}}}", pairs.join(", ")))
}
