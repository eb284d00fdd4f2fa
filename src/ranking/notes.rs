//! What a reader must know beside the numbers, in sentences.

use super::cells::Table;
use super::noise::{self, ControlAgain};
use super::protocol::{Protocol, Scale};
use super::replicates::{Parts, fewest_seeds};
use crate::stats::power::{smallest_wilcoxon_p, workloads_needed};
use crate::text::{count, quoted};
use std::fmt::Write as _;

/// What the notes are made from, beside the table.
pub(super) struct Facts<'a> {
    pub(super) protocol: &'a Protocol,
    /// Comparisons with the control.
    pub(super) comparisons: usize,
    pub(super) column: &'a str,
    pub(super) control: usize,
    pub(super) rope: f64,
    pub(super) all_diverged: bool,
    /// Schedules without a mean difference to the control.
    pub(super) incomparable: Vec<usize>,
    /// Pairs of schedules with equal scores everywhere, and all pairs.
    pub(super) tied: (usize, usize),
    pub(super) variance: Option<Parts>,
    pub(super) control_again: Option<ControlAgain>,
}

/// The notes, most important first.
pub(super) fn notes(table: &Table, facts: &Facts<'_>) -> Vec<String> {
    let mut notes = vec![];
    let k = table.schedules.len();
    let quoted = |j: usize| quoted(&table.schedules[j]);
    if facts.all_diverged {
        notes.push(
            "Every run diverged or failed, so no schedule is recommended."
                .to_owned(),
        );
    }
    if facts.comparisons > 0 {
        notes.push(power(table, facts.protocol.alpha, facts.comparisons));
    }
    notes.extend(
        table.left_out.iter().map(|place| format!("Left out: {place}.")),
    );
    if table.unpaired > 0 {
        notes.push(format!(
            "{} not used, because another schedule has no run with that seed.",
            count(table.unpaired, "run was", "runs were")
        ));
    }
    if facts.protocol.control.is_none() && k > 1 {
        notes.push(format!(
            "No control was named, so {} is the control.",
            quoted(facts.control)
        ));
    }
    notes.push(scale(table, facts));
    if facts.comparisons > 0 {
        notes.push(within(table, facts));
    }
    notes.extend(facts.variance.map(|parts| sources(&parts)));
    notes.extend(
        facts.control_again.map(|test| again(&test, facts.protocol.alpha)),
    );
    if !facts.incomparable.is_empty() {
        let names: Vec<String> =
            facts.incomparable.iter().map(|&j| quoted(j)).collect();
        notes.push(format!(
            "No mean difference to the control, because one of the two \
             diverged more often on some workload: {}.",
            names.join(", ")
        ));
    }
    let (tied, pairs) = facts.tied;
    if tied > 0 {
        notes.push(format!(
            "{tied} of {} {} equal on every workload.",
            count(pairs, "pair of schedules", "pairs of schedules"),
            if tied == 1 { "is" } else { "are" }
        ));
    }
    notes
}

/// What this number of workloads can show.
fn power(table: &Table, alpha: f64, comparisons: usize) -> String {
    let n = table.clusters.len();
    let needed = workloads_needed(comparisons, alpha);
    let smallest = smallest_wilcoxon_p(n);
    let corrected = (smallest * comparisons as f64).min(1.0);
    let has = if n < table.blocks.len() {
        format!(
            "{} in {}",
            count(table.blocks.len(), "workload", "workloads"),
            count(n, "cluster", "clusters")
        )
    } else {
        count(n, "workload", "workloads")
    };
    let smallest = format!(
        "the smallest attainable p is {}, {} after Holm's correction over {}",
        short(smallest),
        short(corrected),
        count(comparisons, "comparison", "comparisons")
    );
    if n >= needed {
        return format!("With {has} {smallest}.");
    }
    let what = if n < table.blocks.len() { "clusters" } else { "workloads" };
    let mut note = format!(
        "With {has} no schedule can be shown to be worse at {alpha}: \
         {smallest}; {needed} {what} are wanted."
    );
    let for_one = workloads_needed(1, alpha);
    if n < for_one {
        // Writing to a String cannot fail.
        let _ = write!(
            note,
            " None is called equivalent either with fewer than {for_one}."
        );
    }
    note
}

/// What the seeds of one workload can show.
fn within(table: &Table, facts: &Facts<'_>) -> String {
    let seeds = fewest_seeds(table);
    let needed = workloads_needed(facts.comparisons, facts.protocol.alpha);
    let has = count(seeds, "seed", "seeds");
    if seeds >= needed {
        return format!(
            "With {has} a schedule can be shown to be worse on one workload; \
             that says nothing about others."
        );
    }
    format!(
        "With {has} no schedule can be shown to be worse on a single \
         workload at {}: {needed} seeds are wanted.",
        facts.protocol.alpha
    )
}

/// Whether seeds or workloads would tell more.
fn sources(parts: &Parts) -> String {
    let cell = parts.components.interaction;
    let run = parts.components.residual / parts.seeds as f64;
    let more = if cell >= run { "workloads" } else { "seeds" };
    format!(
        "From workload to workload the advantage of a schedule varies by {} \
         (standard deviation), from the seeds of one workload by {}, the \
         noise floor: more {more} would tell more.",
        short((2.0 * cell).sqrt()),
        short(noise::floor(parts)),
    )
}

/// The control against itself.
fn again(test: &ControlAgain, alpha: f64) -> String {
    let sound = if test.p >= alpha {
        "as it should be"
    } else {
        "which chance brings about in few studies: distrust small differences"
    };
    format!(
        "The control against itself under other seeds ({} a side) has p = \
         {}, {sound}.",
        count(test.seeds, "seed", "seeds"),
        short(test.p)
    )
}

fn scale(table: &Table, facts: &Facts<'_>) -> String {
    let (column, rope) = (facts.column, short(facts.rope));
    match table.scale {
        Scale::Relative => format!(
            "Differences and regrets are in logarithms of `{column}`; \
             schedules within {rope} are practically equal."
        ),
        Scale::Raw => format!(
            "Differences and regrets are in units of `{column}`; schedules \
             within {rope} are practically equal."
        ),
    }
}

/// A number in few digits.
fn short(number: f64) -> String {
    if number >= 0.001 || number == 0.0 {
        let text = format!("{number:.4}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        format!("{number:.1e}")
    }
}
