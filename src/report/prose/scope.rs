//! What the results rest on, what changes with the learning rate and the
//! budget, and where the results end.

use super::{at_rate, be, times};
use crate::ranking::extras::robust::REACH;
use crate::report::findings::{
    Correlation, Findings, Likely, Regime, Size, Tuned,
};
use crate::report::number::{percent, rate, regret};
use crate::text::{count, listed, quoted};
use std::fmt::Write as _;

/// How much there is of everything.
pub(super) fn size(size: &Size) -> Vec<String> {
    let mut parts = vec![
        count(size.schedules, "schedule", "schedules"),
        data(size.workloads, size.data_sets),
    ];
    if !size.budgets.is_empty() {
        parts.push(count(size.budgets.len(), "budget", "budgets"));
    }
    if !size.lr_multiples.is_empty() {
        let all = count(size.lr_multiples.len(), "multiple", "multiples");
        parts.push(format!("{all} of the learning rate found"));
    }
    parts.extend(size.seeds.map(|seeds| count(seeds, "seed", "seeds")));
    let runs = count(size.runs, "run", "runs");
    let mut text = vec![format!("{}: {runs} in all.", parts.join(", "))];
    if size.data_sets < size.workloads {
        text.push(
            "Workloads that share a data set count as one in every test, \
             because they are not independent evidence."
                .to_owned(),
        );
    }
    text
}

fn data(workloads: usize, data_sets: usize) -> String {
    let mut text = count(workloads, "workload", "workloads");
    if data_sets < workloads {
        let sets = count(data_sets, "data set", "data sets");
        // Writing to a String cannot fail.
        let _ = write!(text, " over {sets}");
    }
    text
}

/// What the model of all runs expects of the recommended schedule.
pub(in crate::report) fn likely(findings: &Findings) -> Option<String> {
    let Likely { recommended, first } = findings.likely.as_ref()?;
    let mut text = format!(
        "A Bayesian model of these runs gives {} a probability of {} of being \
         within 1 % of the best schedule on average over data sets. On a data \
         set of your own it expects a regret of {}",
        quoted(&recommended.schedule),
        percent(recommended.p_near_best),
        regret(recommended.regret_new_data),
    );
    if first.schedule != recommended.schedule {
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            ", and of {} one of {}",
            quoted(&first.schedule),
            regret(first.regret_new_data)
        );
    }
    text.push('.');
    Some(text)
}

/// Where the runs that diverged are.
pub(super) fn divergence(findings: &Findings) -> String {
    let all = findings.diverged.iter().map(|found| {
        let runs = count(found.runs, "run", "runs");
        let name = quoted(&found.schedule);
        format!("{} of {runs} of {name}", found.diverged)
    });
    let all: Vec<String> = all.collect();
    if all.is_empty() {
        return "No run diverged.".to_owned();
    }
    let place = if findings.rates.is_empty() {
        ""
    } else {
        ", at all learning rates together"
    };
    format!(
        "Diverged{place}: {}. A diverged run ranks behind all others.",
        all.join(", ")
    )
}

/// What changes with the learning rate and the budget.
pub(super) fn conditions(findings: &Findings) -> Vec<String> {
    let mut text = rates(findings);
    text.extend(robust(findings));
    text.extend(budgets(findings));
    text.extend(findings.tuned.as_ref().map(tuned));
    text.extend(theory(&findings.theory));
    text
}

/// What to use at each multiple of the learning rate found.
fn rates(findings: &Findings) -> Vec<String> {
    let rates = &findings.rates;
    let best = |i: usize| Some(rates.get(i)?.1.best()?.row.schedule.as_str());
    if let Some(first) = best(0)
        && (1..rates.len()).all(|i| best(i) == Some(first))
    {
        return vec![format!(
            "{} is recommended at every learning rate, from {} to {} times \
             the one found.",
            quoted(first),
            rate(rates[0].0),
            rate(rates[rates.len() - 1].0)
        )];
    }
    let rates = rates.iter();
    rates.map(|(multiple, ranked)| at_rate(*multiple, ranked)).collect()
}

/// What to use where the rate may be off.
pub(in crate::report) fn robust(findings: &Findings) -> Option<String> {
    let row = findings.robustness.as_ref()?;
    let factors = findings.rates.iter().map(|(m, _)| m.max(1.0 / m));
    let reach = match factors.filter(|f| *f <= REACH).reduce(f64::max) {
        Some(reach) if reach < REACH => rate(reach),
        _ => "four".to_owned(),
    };
    Some(format!(
        "If the learning rate may be off by up to {reach} times, use {}: \
         against the best schedule at its best rate, it loses {} on average \
         and {} at worst, at {}.",
        quoted(&row.schedule),
        regret(row.mean_regret),
        regret(row.worst_regret),
        times(row.worst_multiple)
    ))
}

/// Whether the best schedule depends on the budget.
fn budgets(findings: &Findings) -> Option<String> {
    let [first, .., last] = findings.budgets.as_slice() else { return None };
    let mut budgets = findings.budgets.iter();
    if let Some(name) = &first.schedule
        && budgets.all(|best| best.schedule.as_ref() == Some(name))
    {
        return Some(format!(
            "{} has the lowest mean regret at every budget, from {} to {} \
             steps.",
            quoted(name),
            first.budget,
            last.budget
        ));
    }
    let parts: Vec<String> = findings
        .budgets
        .iter()
        .filter_map(|best| {
            let name = quoted(best.schedule.as_ref()?);
            Some(format!("{name} with {} steps", best.budget))
        })
        .collect();
    (!parts.is_empty()).then(|| {
        format!(
            "The schedule with the lowest mean regret differs between \
             budgets: {}. No test shows that the budget is the reason.",
            parts.join(", ")
        )
    })
}

/// The ranking with a multiple tuned for every schedule.
fn tuned(tuned: &Tuned) -> String {
    let worse = &tuned.dominated;
    let mut text = format!(
        "With the multiple tuned for every schedule, {} has the best mean \
         rank. The multiple is from the validation loss of the even seeds, \
         the ranks are from the test loss of the odd ones.",
        quoted(&tuned.first)
    );
    if !worse.is_empty() {
        let _ = write!(
            text,
            " Even then, {} {} worse than the control.",
            listed(worse),
            be(worse)
        );
    }
    text
}

/// How well the convex bound predicts the ranks.
fn theory(boards: &[Correlation]) -> Option<String> {
    let parts: Vec<String> = boards
        .iter()
        .map(|board| {
            format!(
                "{:.2} with {} steps at {}",
                board.spearman,
                board.budget,
                times(board.lr_multiple)
            )
        })
        .collect();
    (!parts.is_empty()).then(|| {
        format!(
            "The convex bound of a schedule needs no training. Its Spearman \
             correlation with the mean rank is {}.",
            parts.join(", ")
        )
    })
}

/// What the results rest on and may not be used for: at most three sentences.
pub(in crate::report) fn scope(findings: &Findings) -> Vec<String> {
    let size = &findings.size;
    let mut text = format!(
        "These results rest on {}",
        data(size.workloads, size.data_sets)
    );
    if !findings.optimizers.is_empty() {
        let _ = write!(text, ", trained with {}", listed(&findings.optimizers));
    }
    match size.budgets.as_slice() {
        [] => {}
        [one] => _ = write!(text, ", with a budget of {one} steps"),
        [first, .., last] => {
            _ = write!(text, ", with budgets of {first} to {last} steps");
        }
    }
    if let Some(multiple) = findings.lr_multiple {
        let _ = write!(text, ", at {}", times(multiple));
    }
    let mut sentences = vec![text + "."];
    sentences.extend(findings.regime.as_ref().map(regime));
    sentences.push(
        "Do not use them for larger models, other kinds of data, other \
         optimizers or longer trainings."
            .to_owned(),
    );
    sentences
}

/// How large the workloads are.
fn regime(regime: &Regime) -> String {
    let range = |(low, high): (f64, f64)| {
        if low == high {
            rate(low)
        } else {
            format!("{} to {}", rate(low), rate(high))
        }
    };
    let tenths = |number: f64| (number * 10.0).round() / 10.0;
    let epochs = regime.epochs.map_or_else(String::new, |(low, high)| {
        format!(", seen for {} epochs", range((tenths(low), tenths(high))))
    });
    format!(
        "The models have {} parameters, and the data sets have {} training \
         examples{epochs}.",
        range(regime.parameters),
        range(regime.samples)
    )
}

/// What the numbers do not show.
pub(super) fn limits(findings: &Findings) -> Vec<String> {
    let mut limits = scope(findings);
    let rate = if findings.size.lr_multiples.iter().all(|m| *m == 1.0) {
        "Every schedule peaked at the learning rate found for its workload. \
         With a rate found in another way, another schedule may be better."
    } else {
        "A regret compares schedules at one learning rate. It does not \
         compare learning rates with each other."
    };
    limits.push(rate.to_owned());
    if findings.given > 0 {
        limits.push(format!(
            "The grid gives {} of {}. No range test stands behind them.",
            findings.given,
            count(findings.lr_finds, "learning rate", "learning rates")
        ));
    }
    let mut outcomes = findings.unsettled.clone();
    outcomes.sort();
    outcomes.dedup();
    if !outcomes.is_empty() {
        limits.push(format!(
            "The range test did not settle {} of {}: its outcome was {}.",
            findings.unsettled.len(),
            count(findings.lr_finds, "learning rate", "learning rates"),
            crate::text::either(&outcomes)
        ));
    }
    limits
}
