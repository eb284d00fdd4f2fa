//! Claims that were written down before the runs, and what the runs say.

use super::analysis::{Runs, TEST_COLUMN};
use super::cells::Table;
use super::extras::tuned::tuned;
use super::pairs;
use super::protocol::Protocol;
use crate::error::{Error, Result};
use crate::record::Observation;
use crate::results::rows::{ClaimRow, Relation, Stand, Statement};
use crate::stats::bootstrap::Interval;
use crate::stats::multiple::holm;
use crate::stats::paired::student;
use crate::stats::wilcoxon::signed_rank;
use crate::text::quoted;

/// The word for runs with the multiple tuned for every schedule.
const TUNED: &str = "tuned";

/// What one claim comes to, but for the correction of its p.
struct Tested {
    clusters: usize,
    effect: Option<f64>,
    interval: Option<Interval>,
    p: f64,
    /// Whether the effect is as large as claimed.
    holds: bool,
    /// Whether the interval excludes that.
    excluded: bool,
}

/// Tests each claim; p is corrected over all of them by Holm's method.
///
/// An effect is the mean over clusters of the difference `a - b`, turned so
/// that more means that `a` is worse. With `above`, the test is the signed-rank
/// test of the differences against 0, and the effect must reach the size.
/// With `below` and `within`, it is that of the differences against the size:
/// for `within` on both sides, of which the larger p counts.
///
/// # Errors
///
/// If there are no claims, one makes no sense, a schedule is unknown, or no
/// cluster has both.
pub(crate) fn claims(
    runs: &Runs,
    statements: &[Statement],
    protocol: &Protocol,
) -> Result<Vec<ClaimRow>> {
    if statements.is_empty() {
        return Err(Error::Invalid("the table has no claims".to_owned()));
    }
    let tested = statements
        .iter()
        .map(|statement| {
            test(runs, statement, protocol).map_err(|error| {
                let claim = quoted(&statement.claim);
                Error::Invalid(format!("claim {claim}: {error}"))
            })
        })
        .collect::<Result<Vec<Tested>>>()?;
    let p: Vec<f64> = tested.iter().map(|tested| tested.p).collect();
    let rows = statements.iter().zip(tested).zip(holm(&p));
    let row = |((statement, tested), p_holm): ((&Statement, Tested), f64)| {
        let stand = if tested.holds && p_holm < protocol.alpha {
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
        }
    };
    Ok(rows.map(row).collect())
}

fn test(
    runs: &Runs,
    statement: &Statement,
    protocol: &Protocol,
) -> Result<Tested> {
    if !statement.size.is_finite()
        || (statement.relation == Relation::Within && statement.size <= 0.0)
    {
        let message = "`size` is a finite number, for `within` above 0";
        return Err(Error::Invalid(message.to_owned()));
    }
    if statement.a == statement.b {
        let message = "`a` and `b` are the same schedule";
        return Err(Error::Invalid(message.to_owned()));
    }
    let (picked, column) = picked(runs, statement)?;
    for name in [&statement.a, &statement.b] {
        if !picked.iter().any(|run| run.schedule == *name) {
            let message = format!("there are no such runs of {}", quoted(name));
            return Err(Error::Invalid(message));
        }
    }
    let table = Table::new(&picked, column, protocol)?;
    let place = |name: &String| table.schedules.binary_search(name).ok();
    let Some((a, b)) = place(&statement.a).zip(place(&statement.b)) else {
        return Err(Error::Invalid(table.nothing()));
    };
    let differences = pairs::differences(&table, a, b);
    if differences.is_empty() {
        return Err(Error::Invalid(table.nothing()));
    }
    Ok(tested(&differences, statement.relation, statement.size))
}

/// The runs that a claim is about, and the column of their scores.
fn picked<'a>(
    runs: &'a Runs,
    statement: &Statement,
) -> Result<(Vec<Observation>, &'a str)> {
    let wanted = |run: &&Observation| {
        let optimizer = runs.traits.optimizers.get(&run.workload);
        [&statement.a, &statement.b].contains(&&run.schedule)
            && statement.budget.is_none_or(|own| run.budget == Some(own))
            && (statement.optimizer.is_none()
                || statement.optimizer.as_ref() == optimizer)
    };
    let of = |runs: &[Observation]| -> Vec<Observation> {
        runs.iter().filter(wanted).cloned().collect()
    };
    let Some(multiple) = &statement.lr_multiple else {
        return Ok((of(&runs.observations), &runs.column));
    };
    if multiple == TUNED {
        let tuned = tuned(&of(&runs.observations), &of(&runs.tests));
        let tuned = tuned.ok_or_else(|| {
            Error::Invalid(
                "nothing can be tuned; that takes several multiples, two \
                 seeds and a test loss"
                    .to_owned(),
            )
        })?;
        return Ok((tuned, TEST_COLUMN));
    }
    let own: f64 = multiple.parse().map_err(|_| {
        Error::Invalid(format!(
            "`lr_multiple` is a number or `{TUNED}`, not {}",
            quoted(multiple)
        ))
    })?;
    let mut at = of(&runs.observations);
    at.retain(|run| run.lr_multiple == Some(own));
    Ok((at, &runs.column))
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
    Tested { clusters, effect, interval, p, holds, excluded }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(relation: Relation, size: f64, multiple: &str) -> Statement {
        Statement {
            claim: "a against b".to_owned(),
            a: "a".to_owned(),
            b: "b".to_owned(),
            optimizer: None,
            budget: None,
            lr_multiple: Some(multiple.to_owned()).filter(|m| !m.is_empty()),
            relation,
            size,
        }
    }

    /// `a` is 5 % behind `b` on twelve data sets, give or take a little.
    fn runs() -> Runs {
        let mut observations = vec![];
        for data in 0..12 {
            let off = 0.001 * f64::from(data % 4);
            for (schedule, log) in [("a", 0.05 + off), ("b", 0.0)] {
                let name = format!("w{data}");
                let run = Observation::new(&name, schedule, 0, log.exp());
                observations.push(run.lr_multiple(1.0));
            }
        }
        let column = "valid_loss".to_owned();
        Runs { observations, column, ..Runs::default() }
    }

    fn stand(relation: Relation, size: f64) -> Stand {
        let statement = statement(relation, size, "1");
        let rows = claims(&runs(), &[statement], &Protocol::default());
        rows.expect("runs of both")[0].stand
    }

    #[test]
    fn planted_effects_confirm_and_refute() {
        assert_eq!(stand(Relation::Above, 0.0), Stand::Confirmed);
        assert_eq!(stand(Relation::Above, 0.05), Stand::Confirmed);
        assert_eq!(stand(Relation::Above, 0.06), Stand::Refuted);
        assert_eq!(stand(Relation::Above, 0.0518), Stand::NotDecided);
        assert_eq!(stand(Relation::Below, 0.06), Stand::Confirmed);
        assert_eq!(stand(Relation::Below, 0.04), Stand::Refuted);
        assert_eq!(stand(Relation::Within, 0.06), Stand::Confirmed);
        assert_eq!(stand(Relation::Within, 0.02), Stand::Refuted);
    }

    #[test]
    fn the_numbers_stand_beside() {
        let statement = statement(Relation::Above, 0.02, "");
        let both = [statement.clone(), statement];
        let rows = claims(&runs(), &both, &Protocol::default());
        let rows = rows.expect("runs of both");
        assert_eq!(rows[0].clusters, 12);
        let effect = rows[0].effect.expect("finite");
        assert!((effect - 0.0515).abs() < 1e-12, "{effect}");
        // Twelve of one sign, exact and two-sided, twice.
        assert_eq!(rows[0].p, 2.0 / 4096.0);
        assert_eq!(rows[0].p_holm, 4.0 / 4096.0);
    }

    #[test]
    fn what_cannot_be_tested_is_an_error_that_names_the_claim() {
        let mut unknown = statement(Relation::Above, 0.0, "1");
        unknown.b = "c".to_owned();
        let tuned = statement(Relation::Above, 0.0, "tuned");
        let word = statement(Relation::Above, 0.0, "best");
        let size = statement(Relation::Above, f64::NAN, "1");
        let empty = statement(Relation::Within, 0.0, "1");
        let mut itself = statement(Relation::Above, 0.0, "1");
        itself.b = "a".to_owned();
        let all = [unknown, tuned, word, size, empty, itself];
        let errors = all.map(|statement| {
            claims(&runs(), &[statement], &Protocol::default())
                .expect_err("no such runs")
                .to_string()
        });
        insta::assert_snapshot!(errors.join("\n"), @r"
        claim `a against b`: there are no such runs of `c`
        claim `a against b`: nothing can be tuned; that takes several multiples, two seeds and a test loss
        claim `a against b`: `lr_multiple` is a number or `tuned`, not `best`
        claim `a against b`: `size` is a finite number, for `within` above 0
        claim `a against b`: `size` is a finite number, for `within` above 0
        claim `a against b`: `a` and `b` are the same schedule
        ");
    }
}
