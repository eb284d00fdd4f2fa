//! What a reader must know beside the numbers, in sentences.

use super::Within;
use super::cells::Table;
use super::noise::{self, ControlAgain};
use super::protocol::{Protocol, Scale};
use super::replicates::{Parts, fewest_seeds};
use super::score::Direction;
use crate::stats::power::{smallest_wilcoxon_p, workloads_needed};
use crate::stats::skillings_mack::SkillingsMack;
use crate::text::{count, listed, quoted};
use std::fmt::Write as _;

/// What the notes are made from, beside the table.
pub(super) struct Facts<'a> {
    pub(super) protocol: &'a Protocol,
    /// Comparisons with the control.
    pub(super) comparisons: usize,
    pub(super) column: &'a str,
    pub(super) control: usize,
    pub(super) rope: f64,
    /// Schedules without a mean difference to the control.
    pub(super) incomparable: Vec<String>,
    /// Schedules that were compared with the control on fewer clusters than
    /// there are, and on how many.
    pub(super) partly: Vec<(String, usize)>,
    /// Schedules that share no cluster with the control.
    pub(super) uncompared: Vec<String>,
    /// Pairs of schedules with equal scores everywhere, and all pairs.
    pub(super) tied: (usize, usize),
    pub(super) computed: Computed<'a>,
}

/// What was computed from the table as a whole.
pub(super) struct Computed<'a> {
    pub(super) all_diverged: bool,
    pub(super) variance: Option<Parts>,
    pub(super) control_again: Option<ControlAgain>,
    /// The test of all schedules, where some workload lacks one.
    pub(super) omnibus: Option<SkillingsMack>,
    pub(super) within: &'a [Within],
}

/// Places that a note names before it counts the rest.
const NAMED: usize = 5;

/// The notes, most important first.
pub(super) fn notes(table: &Table, facts: &Facts<'_>) -> Vec<String> {
    let Facts { protocol, comparisons, computed, .. } = facts;
    let mut notes: Vec<String> =
        protocol.caution(facts.column).into_iter().collect();
    if computed.all_diverged {
        notes.push(
            "Every run diverged or failed, so no schedule is recommended."
                .to_owned(),
        );
    }
    notes.extend(failures(table));
    if *comparisons > 0 {
        notes.push(power(table, protocol.alpha, *comparisons));
    }
    notes.extend(left_out(table));
    notes.extend(incomplete(table, facts));
    if table.unpaired > 0 {
        notes.push(format!(
            "{} not used, because another schedule has no result with that \
             seed.",
            count(table.unpaired, "run was", "runs were")
        ));
    }
    if protocol.control.is_none() && table.schedules.len() > 1 {
        notes.push(format!(
            "No control was named, so {} is the control.",
            quoted(&table.schedules[facts.control])
        ));
    }
    notes.push(scale(table, facts));
    if *comparisons > 0 {
        notes.push(within(table, facts));
    }
    notes.extend(alone(computed.within));
    notes.extend(computed.variance.map(|parts| sources(&parts)));
    notes.extend(
        computed.control_again.map(|test| again(&test, protocol.alpha)),
    );
    if !facts.incomparable.is_empty() {
        let names: Vec<String> =
            facts.incomparable.iter().map(|name| quoted(name)).collect();
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

/// The runs that show nothing.
fn failures(table: &Table) -> Option<String> {
    let all = table.schedules.iter().zip(&table.runs);
    let told: Vec<String> = all
        .chain(table.without.iter().map(|(name, runs)| (name, runs)))
        .filter(|(_, runs)| runs.failed() > 0)
        .map(|(name, runs)| runs.told(name))
        .collect();
    if told.is_empty() {
        return None;
    }
    let mut note = format!(
        "Runs without a result show nothing about a schedule; their seeds are \
         left out there for all schedules: {}.",
        told.join("; ")
    );
    let without: Vec<&str> =
        table.without.iter().map(|(name, _)| name.as_str()).collect();
    if !without.is_empty() {
        let are = if without.len() == 1 { "is" } else { "are" };
        // Writing to a String cannot fail.
        let _ = write!(
            note,
            " {} {are} not ranked: there is no result at all.",
            listed(&without)
        );
    }
    Some(note)
}

/// The first of `places`, and how many more there are.
fn first(places: &[String]) -> String {
    let shown = &places[..places.len().min(NAMED)];
    let mut text = shown.join("; ");
    if let more @ 1.. = places.len() - shown.len() {
        // Writing to a String cannot fail.
        let _ = write!(text, "; and {more} more");
    }
    text
}

/// Workloads that were left out.
fn left_out(table: &Table) -> Option<String> {
    if table.left_out.is_empty() {
        return None;
    }
    let remedy = if table.is_complete() {
        " `rank --allow-missing` takes in what is there."
    } else {
        ""
    };
    Some(format!("Left out: {}.{remedy}", first(&table.left_out)))
}

/// Workloads that lack a schedule and were taken in.
fn incomplete(table: &Table, facts: &Facts<'_>) -> Option<String> {
    let test = facts.computed.omnibus.as_ref()?;
    let mut note = format!(
        "Not every workload has every schedule: {}. A mean rank is 1 plus the \
         share, for each other schedule, of the workloads with both in which \
         that one is ahead; a regret is over the workloads that the schedule \
         has.",
        first(&table.incomplete)
    );
    // Writing to a String cannot fail.
    if let Some(p) = test.p {
        let _ = write!(
            note,
            " All schedules together, by the test of Skillings and Mack: p = \
             {}.",
            short(p)
        );
    }
    let partly: Vec<String> = facts
        .partly
        .iter()
        .map(|(name, n)| format!("{} on {n}", quoted(name)))
        .collect();
    if !partly.is_empty() {
        let _ = write!(
            note,
            " Compared with the control where both are: {} of {}.",
            partly.join(", "),
            extent(table)
        );
    }
    if !facts.uncompared.is_empty() {
        let _ = write!(
            note,
            " Never beside the control, so not compared with it: {}.",
            listed(&facts.uncompared)
        );
    }
    Some(note)
}

/// What the seeds of the only workload show.
fn alone(within: &[Within]) -> Option<String> {
    let [first, ..] = within else { return None };
    let of = |test: &Within| {
        let mut text = quoted(&test.a);
        // Writing to a String cannot fail.
        let ends = test.low.zip(test.high);
        if let Some((mean, (low, high))) = test.mean_difference.zip(ends) {
            let _ = write!(
                text,
                " {} (95 % interval {} to {})",
                signed(mean),
                signed(low),
                signed(high)
            );
        }
        text + &format!(" p = {}", short(test.p_holm))
    };
    let tests: Vec<String> = within.iter().map(of).collect();
    Some(format!(
        "On {} alone, over {}, with Holm's correction, against {}: {}. That \
         holds for this workload and says nothing about others.",
        quoted(&first.workload),
        count(first.seeds, "seed", "seeds"),
        quoted(&first.b),
        tests.join("; ")
    ))
}

/// "9 workloads", or "9 workloads in 4 clusters".
fn extent(table: &Table) -> String {
    let n = table.clusters.len();
    let workloads = count(table.blocks.len(), "workload", "workloads");
    if n < table.blocks.len() {
        format!("{workloads} in {}", count(n, "cluster", "clusters"))
    } else {
        workloads
    }
}

/// What this number of workloads can show.
fn power(table: &Table, alpha: f64, comparisons: usize) -> String {
    let n = table.clusters.len();
    let needed = workloads_needed(comparisons, alpha);
    let smallest = smallest_wilcoxon_p(n);
    let corrected = (smallest * comparisons as f64).min(1.0);
    let has = extent(table);
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
    let (column, rope) = (quoted(facts.column), short(facts.rope));
    let better = match table.direction {
        Direction::Lower => String::new(),
        Direction::Higher => format!("Higher {column} is better. "),
    };
    let units = match table.scale {
        Scale::Relative => "logarithms",
        Scale::Raw => "units",
    };
    format!(
        "{better}Differences and regrets are in {units} of {column}; \
         schedules within {rope} are practically equal."
    )
}

/// The same with its sign.
fn signed(number: f64) -> String {
    let sign = if number < 0.0 { "−" } else { "+" };
    format!("{sign}{}", short(number.abs()))
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
