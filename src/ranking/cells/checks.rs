//! What runs must be like before they can be compared.

use super::{conditions, key, place};
use crate::error::{Error, Result};
use crate::ranking::protocol::Protocol;
use crate::record::Observation;
use crate::text::quoted;

/// The largest score in size. Squares of it and sums of those are numbers
/// still; what is larger is a run that diverged and was not marked so.
const LARGEST: f64 = 1e100;

/// Refuses runs of the same cell, schedule and seed.
pub(super) fn no_duplicates(sorted: &[&Observation]) -> Result<()> {
    let Some(twice) = sorted.windows(2).find(|w| key(w[0]) == key(w[1])) else {
        return Ok(());
    };
    let (run, lines) = (twice[0], [twice[0].line, twice[1].line]);
    Err(Error::Invalid(format!(
        "lines {} and {}: schedule {} with seed {} on {} is there twice; \
         keep one",
        lines[0].min(lines[1]),
        lines[0].max(lines[1]),
        quoted(&run.schedule),
        run.seed,
        place(run)
    )))
}

/// Refuses a workload in two clusters.
pub(super) fn one_cluster_each(sorted: &[&Observation]) -> Result<()> {
    for runs in sorted.chunk_by(|a, b| a.workload == b.workload) {
        let first = runs[0];
        if let Some(other) = runs.iter().find(|r| r.cluster != first.cluster) {
            return Err(Error::Invalid(format!(
                "lines {} and {}: workload {} is in the clusters {} and \
                 {}; a workload has one",
                first.line.min(other.line),
                first.line.max(other.line),
                quoted(&first.workload),
                quoted(&first.cluster),
                quoted(&other.cluster)
            )));
        }
    }
    Ok(())
}

/// Refuses scores that sums and squares would overflow with.
pub(super) fn none_too_large(runs: &[&Observation]) -> Result<()> {
    let large = runs.iter().find_map(|run| {
        let score = run.counted().filter(|score| score.abs() > LARGEST)?;
        Some((run.line, score))
    });
    large.map_or(Ok(()), |(line, score)| {
        Err(Error::Invalid(format!(
            "line {line}: the score {score:e} is too large to compute with; \
             write `nan` if the run diverged"
        )))
    })
}

/// Keeps the runs of the budget and multiple that `protocol` names.
pub(super) fn pick(
    runs: &mut Vec<&Observation>,
    all: &[Observation],
    protocol: &Protocol,
) -> Result<()> {
    if all.is_empty() {
        return Err(Error::Invalid("there are no runs to rank".to_owned()));
    }
    runs.retain(|run| protocol.picks(run));
    if !runs.is_empty() {
        return Ok(());
    }
    let there = conditions(all).into_iter().map(|(budget, multiple)| {
        let budget = budget.map(|budget| format!("budget {budget}"));
        let multiple = multiple.map(|multiple| format!("multiple {multiple}"));
        let both: Vec<_> = budget.into_iter().chain(multiple).collect();
        if both.is_empty() {
            return "neither budgets nor multiples".to_owned();
        }
        both.join(" with ")
    });
    Err(Error::Invalid(format!(
        "no run has this budget and multiple; the runs have {}",
        there.collect::<Vec<_>>().join(", ")
    )))
}
