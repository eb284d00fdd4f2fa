//! `optax.schedules`: functions of the count of updates.

mod shapes;

use super::{Arguments, Entry, Notes, Package, Run};
use crate::error::Problem;

pub(super) const PACKAGE: Package = Package {
    name: "optax",
    title: "optax",
    version: "0.2.8",
    frame: "Update t has the value at t. An init_value, or a peak_value where \
            there is one, that the call leaves out is taken to be lr. The \
            rates are in float32, most of them also with jax_enable_x64, \
            because the count is an int32.",
    entries: ENTRIES,
    flags: None,
    torch: None,
};

const STAYS: &str = "Stays at the last value.";
const END: &str = "end_value is a rate, not a ratio.";
const RATES: &str = "init_value, peak_value and end_value are rates.";

/// An entry of a function of optax.
const fn entry(
    name: &'static str,
    signature: &'static str,
    example: &'static str,
    formula: &'static str,
    [frame, absolute, after]: [&'static str; 3],
) -> Entry {
    let notes = Notes { frame, absolute, after, ..Notes::NONE };
    Entry { name, signature, example, formula, notes, rates }
}

const ENTRIES: &[Entry] = &[
    entry("constant_schedule", "value", "", "value", ["", "", ""]),
    entry(
        "linear_schedule",
        "init_value, end_value, transition_steps, transition_begin=0",
        "end_value=0.0, transition_steps=100",
        "init_value to end_value over transition_steps",
        ["", END, STAYS],
    ),
    entry(
        "polynomial_schedule",
        "init_value, end_value, power, transition_steps, transition_begin=0",
        "end_value=0.0, power=2.0, transition_steps=100",
        "(init_value - end_value) * (1 - x) ** power + end_value, \
         x the share of transition_steps",
        ["", END, STAYS],
    ),
    entry(
        "piecewise_constant_schedule",
        "init_value, boundaries_and_scales=None",
        "boundaries_and_scales={50: 0.1, 75: 0.1}",
        "init_value * the scales of the boundaries not after t",
        ["", "", ""],
    ),
    entry(
        "exponential_decay",
        "init_value, transition_steps, decay_rate, transition_begin=0, \
         staircase=False, end_value=None",
        "transition_steps=25, decay_rate=0.5",
        "init_value * decay_rate ** ((t - transition_begin) / \
         transition_steps), not past end_value",
        ["", END, "Goes on, not past end_value."],
    ),
    entry(
        "cosine_decay_schedule",
        "init_value, decay_steps, alpha=0.0, exponent=1.0",
        "decay_steps=100",
        "init_value * ((1 - alpha) * ((1 + cos(pi * t / decay_steps)) / 2) \
         ** exponent + alpha)",
        ["", "", STAYS],
    ),
    entry(
        "piecewise_interpolate_schedule",
        "interpolate_type, init_value, boundaries_and_scales=None",
        "'linear', boundaries_and_scales={10: 10.0, 100: 0.01}",
        "from each boundary's value to that of the next, a value the last one \
         times the scale",
        ["", "", STAYS],
    ),
    entry(
        "linear_onecycle_schedule",
        "transition_steps, peak_value, pct_start=0.3, pct_final=0.85, \
         div_factor=25.0, final_div_factor=1e4",
        "transition_steps=100",
        "peak_value / div_factor to peak_value at int(pct_start * \
         transition_steps), back at int(pct_final * transition_steps), to \
         that / final_div_factor",
        ["", "", STAYS],
    ),
    entry(
        "cosine_onecycle_schedule",
        "transition_steps, peak_value, pct_start=0.3, div_factor=25.0, \
         final_div_factor=1e4",
        "transition_steps=100",
        "peak_value / div_factor to peak_value at int(pct_start * \
         transition_steps), to peak_value / (div_factor * final_div_factor)",
        ["", "", STAYS],
    ),
    entry(
        "warmup_constant_schedule",
        "init_value, peak_value, warmup_steps",
        "init_value=0.0, warmup_steps=5",
        "init_value to peak_value over warmup_steps",
        ["", RATES, STAYS],
    ),
    entry(
        "warmup_cosine_decay_schedule",
        "init_value, peak_value, warmup_steps, decay_steps, end_value=0.0, \
         exponent=1.0",
        "init_value=0.0, warmup_steps=5, decay_steps=100",
        "init_value to peak_value over warmup_steps, then a \
         cosine_decay_schedule",
        [
            "decay_steps counts the warm-up too. An init_value of 1e-6 under a \
             peak_value of 1 comes out as 1.013e-6 in float32.",
            RATES,
            STAYS,
        ],
    ),
    entry(
        "warmup_exponential_decay_schedule",
        "init_value, peak_value, warmup_steps, transition_steps, decay_rate, \
         transition_begin=0, staircase=False, end_value=None",
        "init_value=0.0, warmup_steps=5, transition_steps=25, decay_rate=0.5",
        "init_value to peak_value over warmup_steps, then an \
         exponential_decay",
        [
            "transition_steps and transition_begin count from the end of the \
             warm-up.",
            RATES,
            "Goes on, not past end_value.",
        ],
    ),
    entry(
        "sgdr_schedule",
        "cosine_kwargs",
        "[{'init_value': 0.0, 'peak_value': 1.0, 'warmup_steps': 5, \
         'decay_steps': 40}, {'init_value': 0.1, 'peak_value': 0.5, \
         'warmup_steps': 5, 'decay_steps': 60}]",
        "a warmup_cosine_decay_schedule for each dictionary, one after the \
         other",
        ["", "The rate is not used: each dictionary has its own.", STAYS],
    ),
    entry(
        "join_schedules",
        "schedules, boundaries",
        "[linear_schedule(0.0, 1.0, 5), cosine_decay_schedule(1.0, 95)], [5]",
        "schedules[i] from boundaries[i - 1] on, counted from 0 there",
        ["", "The parts have rates of their own.", "As the last schedule."],
    ),
];

fn rates(arguments: &Arguments, run: &Run) -> Result<Vec<f64>, Problem> {
    let schedule = shapes::schedule(arguments, Some(run.peak))?;
    Ok(run.each(|update| schedule(update as f32).into()))
}
