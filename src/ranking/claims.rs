//! Claims that were written down before the runs, and what the runs say.
//!
//! `picked` finds the runs that a claim is about, `order` compares orders of
//! the schedules.

mod order;
mod picked;
#[cfg(test)]
mod tests;

use super::analysis::Runs;
use super::pairs;
use super::protocol::Protocol;
use crate::error::{Error, Result};
use crate::results::rows::{
    Budgets, ClaimRow, Measure, Relation, Stand, Statement,
};
use crate::schedule::ScheduleSpec;
use crate::stats::bootstrap::Interval;
use crate::stats::multiple::holm;
use crate::stats::paired::student;
use crate::stats::wilcoxon::signed_rank;
use crate::text::quoted;
use picked::Picked;

/// What one claim comes to, but for the correction of its p.
struct Tested {
    clusters: usize,
    effect: Option<f64>,
    interval: Option<Interval>,
    /// `None` where the interval decides.
    p: Option<f64>,
    /// Whether the effect is as large as claimed.
    holds: bool,
    /// Whether the interval excludes that.
    excluded: bool,
}

/// Tests each claim; p is corrected over all that have one by Holm's method.
///
/// An effect is the mean over clusters of the difference `a - b`, turned so
/// that more means that `a` is worse; with two budgets, it is that at the first
/// minus that at the second. With `above`, the test is the signed-rank test of
/// the differences against 0, and the effect must reach the size. With `below`
/// and `within`, it is that of the differences against the size: for `within`
/// on both sides, of which the larger p counts. The orders are decided by
/// 95 % bootstrap intervals over clusters; `schedules` have the convex bounds.
///
/// # Errors
///
/// If there are no claims, one makes no sense, a schedule is unknown, or no
/// cluster has both.
pub(crate) fn claims(
    runs: &Runs,
    schedules: &[ScheduleSpec],
    statements: &[Statement],
    protocol: &Protocol,
) -> Result<Vec<ClaimRow>> {
    if statements.is_empty() {
        return Err(Error::Invalid("the table has no claims".to_owned()));
    }
    let tested = statements
        .iter()
        .map(|statement| {
            test(runs, schedules, statement, protocol).map_err(|error| {
                let claim = quoted(&statement.claim);
                Error::Invalid(format!("claim {claim}: {error}"))
            })
        })
        .collect::<Result<Vec<Tested>>>()?;
    let p: Vec<f64> = tested.iter().filter_map(|tested| tested.p).collect();
    let mut corrected = holm(&p).into_iter();
    let row = |(statement, tested): (&Statement, Tested)| {
        let p_holm = tested.p.and_then(|_| corrected.next());
        // Without p, the interval has to be on the side of the claim.
        let shown = p_holm.is_none_or(|p| p < protocol.alpha);
        let stand = if tested.holds && shown {
            Stand::Confirmed
        } else if tested.excluded {
            Stand::Refuted
        } else {
            Stand::NotDecided
        };
        ClaimRow {
            claim: statement.claim.clone(),
            a: statement.a.clone(),
            b: statement.b.clone(),
            optimizer: statement.optimizer.clone(),
            budget: statement.budget,
            lr_multiple: statement.lr_multiple.clone(),
            relation: statement.relation,
            size: statement.size,
            clusters: tested.clusters,
            effect: tested.effect,
            low: tested.interval.map(|interval| interval.low),
            high: tested.interval.map(|interval| interval.high),
            p: tested.p,
            p_holm,
            stand,
            measure: statement.measure,
        }
    };
    Ok(statements.iter().zip(tested).map(row).collect())
}

fn test(
    runs: &Runs,
    schedules: &[ScheduleSpec],
    statement: &Statement,
    protocol: &Protocol,
) -> Result<Tested> {
    check(statement)?;
    match (statement.measure, statement.budget) {
        (Measure::Difference, budget) => {
            let differences = match budget {
                Budgets::Two(first, second) => {
                    let at = |budget| {
                        let budget = Budgets::One(budget);
                        differences(runs, statement, budget, protocol)
                    };
                    change(&at(first)?, &at(second)?)
                }
                budget => {
                    let all = differences(runs, statement, budget, protocol)?;
                    all.into_iter().map(|(_, difference)| difference).collect()
                }
            };
            if differences.is_empty() {
                let message = "no data set has runs at both budgets";
                return Err(Error::Invalid(message.to_owned()));
            }
            Ok(tested(&differences, statement.relation, statement.size))
        }
        (Measure::BoundOrder, budget) => {
            let table =
                Picked::all(runs, statement, budget)?.table(protocol)?;
            order::of_bound(&table, schedules, protocol)
                .map(|order| of_order(&order, statement))
        }
        (Measure::BudgetOrder, Budgets::Two(first, second)) => {
            let at = |budget| {
                let budget = Budgets::One(budget);
                Picked::all(runs, statement, budget)?.table(protocol)
            };
            order::of_budgets(&at(first)?, &at(second)?, protocol)
                .map(|order| of_order(&order, statement))
        }
        (Measure::BudgetOrder, _) => Err(Error::Invalid(
            "`budget` must name two budgets, such as `250 - 1000`".to_owned(),
        )),
    }
}

fn check(statement: &Statement) -> Result<()> {
    let Statement { measure, a, b, relation, size, .. } = statement;
    let is_order = *measure != Measure::Difference;
    let message = if !size.is_finite()
        || (*relation == Relation::Within && *size <= 0.0)
    {
        "`size` is a finite number, for `within` above 0"
    } else if is_order && !(a.is_empty() && b.is_empty()) {
        "an order is of all schedules: leave `a` and `b` empty"
    } else if is_order && *relation == Relation::Within {
        "an order is `above` or `below` its size"
    } else if !is_order && a == b {
        "`a` and `b` are the same schedule"
    } else {
        return Ok(());
    };
    Err(Error::Invalid(message.to_owned()))
}

/// Differences `a - b` of the clusters, by their names.
fn differences(
    runs: &Runs,
    statement: &Statement,
    budget: Budgets,
    protocol: &Protocol,
) -> Result<Vec<(String, f64)>> {
    let table = Picked::both(runs, statement, budget)?.table(protocol)?;
    let place = |name: &String| table.schedules.binary_search(name).ok();
    let Some((a, b)) = place(&statement.a).zip(place(&statement.b)) else {
        return Err(Error::Invalid(table.nothing()));
    };
    // One schedule or the other may be missing on some cluster.
    let differences = pairs::by_cluster(&table, a, b);
    if differences.is_empty() {
        return Err(Error::Invalid(table.nothing()));
    }
    Ok(differences)
}

/// What `first` has more than `second`, over the clusters of both.
fn change(first: &[(String, f64)], second: &[(String, f64)]) -> Vec<f64> {
    let of = |(name, before): &(String, f64)| {
        let (_, after) = second.iter().find(|(other, _)| other == name)?;
        // Two infinite differences of one sign do not differ.
        Some(if before == after { 0.0 } else { before - after })
    };
    first.iter().filter_map(of).collect()
}

fn of_order(order: &order::Order, statement: &Statement) -> Tested {
    let Statement { relation, size, .. } = statement;
    let Interval { low, high } = order.interval;
    let (holds, excluded) = match relation {
        Relation::Below => (high < *size, low > *size),
        Relation::Above | Relation::Within => (low > *size, high < *size),
    };
    Tested {
        clusters: order.clusters,
        effect: Some(order.spearman),
        interval: Some(order.interval),
        p: None,
        holds,
        excluded,
    }
}

fn tested(differences: &[f64], relation: Relation, size: f64) -> Tested {
    let against = |size: f64| {
        let off: Vec<f64> = differences.iter().map(|d| d - size).collect();
        signed_rank(&off)
    };
    let summary = student(differences);
    let effect = summary.map(|summary| summary.mean);
    let interval = summary.map(|summary| summary.interval);
    let is = |holds: &dyn Fn(f64) -> bool| effect.is_some_and(holds);
    let all = |holds: &dyn Fn(Interval) -> bool| interval.is_some_and(holds);
    let (p, holds, excluded) = match relation {
        Relation::Above => {
            let test = against(0.0);
            let reached = test.plus > test.minus && is(&|mean| mean >= size);
            (test.p, reached, all(&|interval| interval.high < size))
        }
        Relation::Below => {
            let test = against(size);
            (
                test.p,
                test.minus > test.plus,
                all(&|interval| interval.low > size),
            )
        }
        Relation::Within => {
            let (upper, lower) = (against(size), against(-size));
            let inside = upper.minus > upper.plus && lower.plus > lower.minus;
            let outside = |interval: Interval| {
                interval.low > size || interval.high < -size
            };
            (upper.p.max(lower.p), inside, all(&outside))
        }
    };
    let clusters = differences.len();
    Tested { clusters, effect, interval, p: Some(p), holds, excluded }
}
