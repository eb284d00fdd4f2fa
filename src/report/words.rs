//! The report in sentences, each made from the numbers.
//!
//! Names stand between backticks, here and in terminals; pages turn them into
//! code.

mod headline;

use super::board::{self, Board, boards, budgets, control, multiples};
use super::number::{percent, probability, regret};
use super::{ReportInput, conditions};
use crate::results::rows::{LeaderboardRow, PairRow, Verdict};
use crate::schedule::never_reached;
use crate::stats::power;
use crate::text::{count, listed, quoted};
use headline::{all_diverged, chance_explains, headline, leads_by_chance};
use std::fmt::Write as _;

/// The parts of a report that are prose, in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Words {
    /// The recommendation, in one sentence.
    pub(super) headline: String,
    /// Whether it is one that chance does not explain.
    pub(super) decided: bool,
    /// Why, and what about the other schedules.
    pub(super) reasons: Vec<String>,
    /// What the recommendation rests on.
    pub(super) evidence: Vec<String>,
    /// What changes with the learning rate and the budget.
    pub(super) conditions: Vec<String>,
    /// What the report may not be used for.
    pub(super) limits: Vec<String>,
}

/// The report of `input` in words.
pub(super) fn words(input: &ReportInput) -> Words {
    let rows = input.leading();
    if rows.is_empty() {
        return Words {
            headline: "There are no results to compare.".to_owned(),
            ..Words::default()
        };
    }
    let boards = boards(input);
    let mut conditions = conditions::rates(&boards);
    // One schedule to take where the rate is not to be trusted, not two.
    conditions.extend(
        conditions::robust(&input.analysis.robustness)
            .or_else(|| conditions::safe(&boards)),
    );
    conditions.extend(conditions::budgets(&boards));
    conditions.extend(conditions::tuned(input));
    conditions.extend(conditions::theory(&input.analysis.theory));
    Words {
        headline: headline(rows),
        decided: !with(rows, Verdict::Recommended).is_empty()
            && !chance_explains(rows)
            && !leads_by_chance(rows)
            && !all_diverged(rows),
        reasons: reasons(input, rows),
        evidence: evidence(input, &boards),
        conditions,
        limits: conditions::limits(input, &boards),
    }
}

/// What a reader must know beside the numbers.
pub(super) fn notes(input: &ReportInput) -> Vec<String> {
    let missing = input
        .missing
        .iter()
        .map(|name| format!("{name} was missing when this report was made."));
    let budgets = input.analysis.budgets().into_iter();
    let budgets: Vec<usize> =
        budgets.filter_map(|steps| steps.try_into().ok()).collect();
    let never = never_reached(&input.schedules, &budgets)
        .into_iter()
        .map(|line| format!("{line}."));
    let notes = input.analysis.leading().notes().iter().cloned();
    notes.chain(never).chain(missing).collect()
}

/// The pieces of a sentence and whether each is a name.
pub(super) fn pieces(sentence: &str) -> impl Iterator<Item = (bool, &str)> {
    sentence
        .split('`')
        .enumerate()
        .map(|(i, piece)| (i % 2 == 1, piece))
        .filter(|(_, piece)| !piece.is_empty())
}

fn with(rows: &[LeaderboardRow], verdict: Verdict) -> Vec<&str> {
    rows.iter()
        .filter(|row| row.verdict == verdict)
        .map(|row| row.schedule.as_str())
        .collect()
}

/// p below which chance is no explanation.
const ALPHA: f64 = 0.05;

fn reasons(input: &ReportInput, rows: &[LeaderboardRow]) -> Vec<String> {
    let first = rows
        .iter()
        .find(|row| row.verdict == Verdict::Recommended)
        .unwrap_or(&rows[0]);
    let mut reasons = vec![];
    if rows.len() > 1 {
        let standing = standing(first, rows);
        reasons.push(match input.found() {
            Some(_) => format!("At the learning rate found, {standing}"),
            None => standing,
        });
        reasons.extend(against_control(input, first));
    }
    let equals = with(rows, Verdict::Equivalent);
    if !equals.is_empty() {
        reasons.push(format!(
            "{} {} as good for practical purposes: take whichever is at hand.",
            listed(&equals),
            is_are(equals.len())
        ));
    }
    let undecided = with(rows, Verdict::Undecided);
    if !undecided.is_empty() {
        reasons.push(format!(
            "{} {} undecided: these results show neither that {} worse than \
             {} nor that {} as good as the best.",
            listed(&undecided),
            is_are(undecided.len()),
            it_is(undecided.len()),
            control(input).map_or_else(|| "the control".to_owned(), quoted),
            it_is(undecided.len()),
        ));
    }
    let dominated = with(rows, Verdict::Dominated);
    if !dominated.is_empty() {
        reasons.push(format!(
            "{} {} worse than {}, more clearly than chance explains: do not \
             try {}.",
            listed(&dominated),
            is_are(dominated.len()),
            control(input).map_or_else(|| "the control".to_owned(), quoted),
            if dominated.len() == 1 { "it" } else { "them" }
        ));
    }
    reasons.extend(stopped(input, rows));
    reasons.push(divergence(input));
    reasons.extend(failures(input));
    reasons
}

/// The schedules that a race stopped: they have fewer runs than the others.
fn stopped(input: &ReportInput, rows: &[LeaderboardRow]) -> Option<String> {
    let all = rows.iter().map(|row| row.runs).max()?;
    let pairs = input.analysis.leading().pairwise();
    let raced = |row: &LeaderboardRow| {
        let mut pairs = pairs.iter().filter(|pair| pair.is_of_race());
        pairs.any(|pair| pair.a == row.schedule)
    };
    let stopped: Vec<String> = rows
        .iter()
        .filter(|row| raced(row))
        .map(|row| {
            let runs = count(all, "run", "runs");
            format!("{} after {} of {runs}", quoted(&row.schedule), row.runs)
        })
        .collect();
    (!stopped.is_empty()).then(|| {
        format!(
            "The race stopped {}; they rank behind those that went on.",
            stopped.join(", ")
        )
    })
}

/// Where `row` stands among `rows`.
fn standing(row: &LeaderboardRow, rows: &[LeaderboardRow]) -> String {
    let mean_rank = rows.iter().map(|r| r.mean_rank).fold(f64::NAN, f64::min);
    let place = if row.mean_rank <= mean_rank {
        "has the best mean rank"
    } else {
        "has the mean rank"
    };
    let mut text = format!(
        "{} {place}, {:.2} among {}",
        quoted(&row.schedule),
        row.mean_rank,
        count(rows.len(), "schedule", "schedules")
    );
    if row.mean_regret.is_finite() {
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            ", and falls behind the best schedule of each workload by {} on \
             average",
            regret(row.mean_regret)
        );
        if row.regret_low.is_finite() && row.regret_high.is_finite() {
            let _ = write!(
                text,
                " (95 % interval {} to {})",
                regret(row.regret_low),
                regret(row.regret_high)
            );
        }
    }
    text + "."
}

fn against_control(
    input: &ReportInput,
    row: &LeaderboardRow,
) -> Option<String> {
    let control = control(input)?;
    if control == row.schedule {
        return Some(control_leads(
            &input.analysis.leading().pairwise(),
            ALPHA,
        ));
    }
    let wins = row.win_rate_vs_control?;
    let mut text = format!(
        "It beats the control {} in {} of the paired runs",
        quoted(control),
        percent(wins)
    );
    match row.p_holm {
        Some(p) => {
            let sign = if p < 0.001 { "" } else { "= " };
            let _ = write!(
                text,
                " (p {sign}{}, corrected for all comparisons)",
                probability(p)
            );
        }
        None => text += ", with too few workloads for a test",
    }
    let pairs = input.analysis.leading().pairwise();
    let pair = pairs.iter().find(|pair| pair.a == row.schedule);
    if let Some(pair) = pair {
        let _ = write!(
            text,
            "; with a probability of {} it is better by more than {}, with \
             {} they differ by less",
            percent(pair.p_a_better),
            regret(pair.rope_width),
            percent(pair.p_equivalent)
        );
    }
    Some(text + ".")
}

/// What the tests say of a control that is recommended. Its mean rank may be
/// the best although another schedule beats it: more often or by more, but
/// far behind where it loses.
pub(super) fn control_leads(pairs: &[PairRow], alpha: f64) -> String {
    let better: Vec<&str> = pairs
        .iter()
        .filter(|pair| pair.p_holm < alpha && pair.p_a_better > pair.p_b_better)
        .map(|pair| pair.a.as_str())
        .collect();
    if better.is_empty() {
        return "It is the control itself: nothing else was shown to be \
                better."
            .to_owned();
    }
    format!(
        "It is the control itself, and has the best mean rank; but by the \
         signed-rank test {} {} better, more clearly than chance explains.",
        listed(&better),
        is_are(better.len())
    )
}

fn divergence(input: &ReportInput) -> String {
    let diverged: Vec<String> = input
        .overall()
        .iter()
        .filter(|row| row.diverged > 0)
        .map(|row| {
            format!(
                "{} in {} of {}",
                quoted(&row.schedule),
                row.diverged,
                count(row.runs, "run", "runs")
            )
        })
        .collect();
    if diverged.is_empty() {
        return "No run diverged.".to_owned();
    }
    let at = match input.found() {
        Some(_) => "Diverged, at all learning rates together",
        None => "Diverged",
    };
    format!(
        "{at}: {}. A diverged run counts as worse than any other.",
        diverged.join(", ")
    )
}

/// The runs that show nothing.
fn failures(input: &ReportInput) -> Option<String> {
    let failed: Vec<String> = input
        .overall()
        .iter()
        .filter(|row| row.failed > 0)
        .map(|row| {
            format!("{} {} of {}", quoted(&row.schedule), row.failed, row.runs)
        })
        .collect();
    (!failed.is_empty()).then(|| {
        format!(
            "Runs without a result, failed or without a score: {}. They show \
             nothing about a schedule; their seeds are left out there for \
             all.",
            failed.join(", ")
        )
    })
}

fn evidence(input: &ReportInput, boards: &[Board<'_>]) -> Vec<String> {
    let rows = input.overall();
    let runs: usize = rows.iter().map(|row| row.runs).sum();
    let workloads = board::workload_names(input).len();
    let mut clusters: Vec<&str> =
        input.workloads().iter().map(|row| row.cluster.as_str()).collect();
    clusters.sort_unstable();
    clusters.dedup();
    let mut text = count(rows.len(), "schedule", "schedules");
    if workloads > 0 {
        let _ =
            write!(text, " on {}", count(workloads, "workload", "workloads"));
        if clusters.len() < workloads {
            let sets = count(clusters.len(), "data set", "data sets");
            let _ = write!(text, " over {sets}");
        }
    }
    let (budgets, multiples) = (budgets(boards), multiples(boards));
    if !budgets.is_empty() {
        let _ = write!(
            text,
            ", {}, {} of the learning rate found",
            count(budgets.len(), "budget", "budgets"),
            count(multiples.len(), "multiple", "multiples")
        );
    }
    if let Some(seeds) = seeds(rows, workloads, boards.len()) {
        let _ = write!(text, ", {}", count(seeds, "seed", "seeds"));
    }
    let _ = write!(text, ": {} in all.", count(runs, "run", "runs"));
    let mut evidence = vec![text];
    evidence.extend(attainable(clusters.len(), rows.len()));
    if clusters.len() < workloads {
        evidence.push(
            "Workloads that share a data set count as one in every test: \
             they are no independent evidence."
                .to_owned(),
        );
    }
    evidence
}

/// What this many data sets can show about this many schedules.
fn attainable(clusters: usize, schedules: usize) -> Option<String> {
    if clusters == 0 || schedules < 2 {
        return None;
    }
    let smallest = power::smallest_wilcoxon_p(clusters);
    let tests = schedules - 1;
    let corrected = (smallest * tests as f64).min(1.0);
    let needed = power::workloads_needed(tests, ALPHA);
    let sets = count(clusters, "data set", "data sets");
    let mut text = format!(
        "With {sets} and {schedules} schedules the smallest attainable p is \
         {} after correction",
        probability(corrected)
    );
    if clusters < needed {
        let _ = write!(
            text,
            ": no schedule can be shown to be worse, for that takes {needed}"
        );
    }
    Some(text + ".")
}

/// Seeds of every cell, if all have the same number.
fn seeds(
    rows: &[LeaderboardRow],
    workloads: usize,
    boards: usize,
) -> Option<usize> {
    let cells = workloads * boards.max(1);
    let runs = rows.first()?.runs;
    let even = cells > 0
        && runs % cells == 0
        && rows.iter().all(|row| row.runs == runs);
    even.then(|| runs / cells)
}

fn is_are(number: usize) -> &'static str {
    if number == 1 { "is" } else { "are" }
}

fn it_is(number: usize) -> &'static str {
    if number == 1 { "it is" } else { "they are" }
}
