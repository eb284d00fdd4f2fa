//! The flags of Megatron-LM.
//!
//! Source: `megatron/core/optimizer_param_scheduler.py` (core 0.16) and
//! `get_optimizer_param_scheduler` of `megatron/training/training.py`, which
//! multiplies every number of iterations by the global batch. The scheduler is
//! set to 0 when it is made and goes on by a global batch after each update,
//! so update `t` has the value at `t` iterations.

use super::{Own, decay_steps, down_to, half_cosine, rise};
use crate::report::code::Export;

pub(super) fn candidates(export: &Export<'_>) -> Vec<Own> {
    let end = export.spec.number("end_ratio").unwrap_or(0.0);
    match export.spec.kind() {
        "constant" => vec![style(export, "constant", 1.0, |_| 1.0)],
        "linear" => vec![style(export, "linear", end, |x| 1.0 - x)],
        "cosine" => vec![style(export, "cosine", end, half_cosine)],
        "inverse-sqrt" => inverse_sqrt(export).into_iter().collect(),
        "wsd" => decay_steps(export)
            .zip(export.spec.word("shape"))
            .and_then(|(decay, shape)| {
                wsd_shape(&shape).map(|shape| wsd(export, decay, shape, end))
            })
            .into_iter()
            .collect(),
        _ => vec![],
    }
}

/// Name and form of a decay.
type Decay = (&'static str, fn(f64) -> f64);

const DECAYS: [Decay; 3] = [
    ("linear", |x| 1.0 - x),
    ("cosine", half_cosine),
    ("minus_sqrt", |x| 1.0 - x.sqrt()),
];

fn wsd_shape(shape: &str) -> Option<Decay> {
    match shape {
        "linear" => Some(DECAYS[0]),
        "cosine" => Some(DECAYS[1]),
        "one-minus-sqrt" => Some(DECAYS[2]),
        _ => None,
    }
}

/// The rates, the budget and the warm-up, and `more`; `body` follows the
/// warm-up, at an update.
fn flags(
    export: &Export<'_>,
    name: &str,
    end: f64,
    more: Vec<(&'static str, String)>,
    body: impl Fn(usize) -> f64 + 'static,
) -> Own {
    let Export { peak, steps, .. } = export;
    let (warmup, first) = rise(export);
    let mut settings = vec![
        ("--lr", format!("{peak:?}")),
        ("--min-lr", format!("{:?}", peak * end)),
        ("--lr-decay-style", name.to_owned()),
        ("--train-iters", steps.to_string()),
        ("--lr-decay-iters", steps.to_string()),
        ("--lr-warmup-iters", warmup.to_string()),
    ];
    if warmup > 0 {
        settings.push(("--lr-warmup-init", format!("{:?}", peak * first)));
    }
    settings.extend(more);
    Own::new(name, settings, move |step| {
        if step < warmup {
            return down_to(first, step as f64 / warmup as f64);
        }
        body(step)
    })
}

fn style(
    export: &Export<'_>,
    name: &str,
    end: f64,
    shape: fn(f64) -> f64,
) -> Own {
    let (warmup, _) = rise(export);
    let after = (export.steps - warmup) as f64;
    flags(export, name, end, vec![], move |step| {
        down_to(end, shape((step - warmup) as f64 / after))
    })
}

fn wsd(
    export: &Export<'_>,
    decay: usize,
    (name, shape): Decay,
    end: f64,
) -> Own {
    let begin = export.steps - decay;
    let more = vec![
        ("--lr-wsd-decay-style", name.to_owned()),
        ("--lr-wsd-decay-iters", decay.to_string()),
    ];
    flags(export, "WSD", end, more, move |step| {
        let since = step.saturating_sub(begin) as f64;
        down_to(end, shape(since / decay as f64))
    })
}

/// Only with a warm-up: without one Megatron counts in samples.
fn inverse_sqrt(export: &Export<'_>) -> Option<Own> {
    let (warmup, _) = rise(export);
    let whole = warmup as f64;
    (warmup > 0).then(|| {
        flags(export, "inverse-square-root", 0.0, vec![], move |step| {
            (whole / step.max(1) as f64).sqrt()
        })
    })
}

/// The flags as an array of the shell.
pub(in crate::report::code) fn file(own: &Own) -> String {
    let lines = own.listed("", |flag, value| format!("    {flag} {value}\n"));
    format!(
        "# `source` this file and add \"${{LR_FLAGS[@]}}\" to the command. It \
         is for\n# training in iterations, without --rampup-batch-size and \
         --train-samples.\nLR_FLAGS=(\n{lines})\n"
    )
}

/// That the flags cannot say it, and which come nearest.
pub(in crate::report::code) fn refusal(export: &Export<'_>) -> String {
    let factors = export.factors();
    let last = factors.last().copied().unwrap_or(0.0);
    let ends = if last > 0.0 { vec![0.0, last] } else { vec![0.0] };
    let after = export.steps - rise(export).0;
    let tenths = (1..=10).map(|tenth| (after * tenth).div_ceil(10));
    let tenths: Vec<usize> = tenths.filter(|&decay| decay > 0).collect();
    let mut all: Vec<Own> = inverse_sqrt(export).into_iter().collect();
    all.push(style(export, "constant", 1.0, |_| 1.0));
    for end in ends {
        all.push(style(export, "linear", end, |x| 1.0 - x));
        all.push(style(export, "cosine", end, half_cosine));
        let decays = DECAYS.iter().flat_map(|&shape| {
            tenths.iter().map(move |&decay| wsd(export, decay, shape, end))
        });
        all.extend(decays);
    }
    let distance = |own: &Own| own.distance(&factors);
    let nearest = all
        .iter()
        .min_by(|a, b| distance(a).total_cmp(&distance(b)))
        .expect("the constant rate is always there");
    let words = nearest.listed(" ", |flag, value| format!("{flag} {value}"));
    let momentum = if export.momentum.is_some() {
        "; no flag cycles the momentum"
    } else {
        ""
    };
    format!(
        "Megatron has no flags for `{}` at {} steps{momentum}. The nearest are \
         off by up to {:.1} % of the peak: {}. For the schedule itself, take \
         `factor` of `--target torch` into `get_lr` of \
         megatron/core/optimizer_param_scheduler.py",
        export.label,
        export.steps,
        100.0 * distance(nearest),
        words
    )
}
