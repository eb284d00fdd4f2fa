//! The tables of `bench-finder`.

use super::cases::{Answer, Case};
use serde::Serialize;

/// Regret up to which a rate is near enough.
const NEAR: f64 = 0.05;

type Judged<'a> = [(&'a Case<'a>, &'a Vec<Answer>)];

/// A finder over all cases, or those of one budget.
#[derive(Serialize)]
pub(super) struct FinderRow {
    finder: &'static str,
    /// In updates; empty over all cases.
    budget: Option<usize>,
    /// In trainings.
    cost: f64,
    mean_regret: f64,
    p95_regret: f64,
    worst_case_regret: f64,
    worst_single_regret: f64,
    share_of_cases_near: f64,
    median_decades_off: f64,
    seed_spread_decades: f64,
    unanswered: usize,
    cases: usize,
}

/// A finder on a case.
#[derive(Serialize)]
pub(super) struct CaseRow {
    case: String,
    finder: &'static str,
    cost: f64,
    mean_regret: f64,
    worst_regret: f64,
    median_lr: f64,
    median_decades_off: f64,
    seed_spread_decades: f64,
}

/// What a finder's asks on one case come to.
struct Summary {
    cost: f64,
    mean: f64,
    worst: f64,
    lr: f64,
    off: f64,
    spread: f64,
}

fn finders(judged: &Judged<'_>) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = vec![];
    for (_, answers) in judged {
        for answer in *answers {
            if !names.contains(&answer.finder) {
                names.push(answer.finder);
            }
        }
    }
    names
}

fn of<'a>(
    answers: &'a [Answer],
    finder: &'static str,
) -> impl Iterator<Item = &'a Answer> {
    answers.iter().filter(move |answer| answer.finder == finder)
}

fn summary(answers: &[Answer], finder: &'static str) -> Summary {
    let regrets: Vec<f64> = of(answers, finder).map(|a| a.regret).collect();
    let offs: Vec<f64> = of(answers, finder).map(|a| a.off).collect();
    let rates: Vec<f64> = of(answers, finder).map(|a| a.lr).collect();
    let costs: Vec<f64> = of(answers, finder).map(|a| a.cost).collect();
    Summary {
        cost: mean(&costs),
        mean: mean(&regrets),
        worst: quantile(&regrets, 1.0),
        lr: quantile(&rates, 0.5),
        off: quantile(&offs, 0.5),
        spread: quantile(&offs, 1.0) - quantile(&offs, 0.0),
    }
}

pub(super) fn by_finder(judged: &Judged<'_>) -> Vec<FinderRow> {
    let mut budgets: Vec<usize> =
        judged.iter().map(|(case, _)| case.horizon).collect();
    budgets.sort_unstable();
    budgets.dedup();
    if budgets.len() == 1 {
        budgets.clear();
    }
    let row = |finder, budget: Option<usize>| {
        let of_budget = || {
            judged.iter().filter(move |(case, _)| {
                budget.is_none_or(|budget| budget == case.horizon)
            })
        };
        let cases: Vec<Summary> =
            of_budget().map(|(_, answers)| summary(answers, finder)).collect();
        let column = |value: fn(&Summary) -> f64| -> Vec<f64> {
            cases.iter().map(value).collect()
        };
        let means = column(|case| case.mean);
        let near = means.iter().filter(|mean| **mean <= NEAR).count();
        let unanswered = of_budget()
            .flat_map(|(_, answers)| of(answers, finder))
            .filter(|answer| !answer.answered)
            .count();
        FinderRow {
            finder,
            budget,
            cost: round(mean(&column(|case| case.cost))),
            mean_regret: round(mean(&means)),
            p95_regret: round(quantile(&means, 0.95)),
            worst_case_regret: round(quantile(&means, 1.0)),
            worst_single_regret: round(quantile(
                &column(|case| case.worst),
                1.0,
            )),
            share_of_cases_near: round(near as f64 / cases.len() as f64),
            median_decades_off: round(quantile(&column(|case| case.off), 0.5)),
            seed_spread_decades: round(quantile(
                &column(|case| case.spread),
                0.5,
            )),
            unanswered,
            cases: cases.len(),
        }
    };
    let groups = std::iter::once(None).chain(budgets.into_iter().map(Some));
    groups
        .flat_map(|budget| {
            let all = finders(judged).into_iter();
            all.map(move |finder| row(finder, budget)).collect::<Vec<_>>()
        })
        .collect()
}

pub(super) fn by_case(judged: &Judged<'_>) -> Vec<CaseRow> {
    let mut rows = vec![];
    for (case, answers) in judged {
        for finder in finders(judged) {
            let summary = summary(answers, finder);
            rows.push(CaseRow {
                case: case.name(),
                finder,
                cost: round(summary.cost),
                mean_regret: round(summary.mean),
                worst_regret: round(summary.worst),
                median_lr: summary.lr,
                median_decades_off: round(summary.off),
                seed_spread_decades: round(summary.spread),
            });
        }
    }
    rows
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The value below which a share of them lies; the nearest above.
fn quantile(values: &[f64], share: f64) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index below the length"
    )]
    let at = (share * (values.len() - 1) as f64).ceil() as usize;
    values[at]
}

/// Four digits after the point.
fn round(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}
