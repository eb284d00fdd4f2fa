//! The evidence for one schedule, in sentences.

use super::neither;
use crate::report::findings::{Choice, Comparison};
use crate::report::number::{difference, percent, probability, regret};
use crate::results::rows::Verdict;
use crate::text::{count, listed, quoted};
use std::fmt::Write as _;

/// The numbers of `choice`, and what they show.
pub(in crate::report) fn evidence(
    comparison: &Comparison,
    choice: &Choice,
) -> [String; 2] {
    let meaning = match choice.row.verdict {
        Verdict::Recommended | Verdict::Control => lead(comparison, choice),
        Verdict::Dominated => loss(comparison, choice),
        Verdict::Equivalent | Verdict::Undecided => rival(comparison, choice),
    };
    [numbers(comparison, choice), meaning]
}

/// Rank and regret.
fn numbers(comparison: &Comparison, choice: &Choice) -> String {
    let row = &choice.row;
    let ranks = comparison.choices.iter().map(|c| c.row.mean_rank);
    let is_best = row.mean_rank <= ranks.fold(f64::NAN, f64::min);
    let all = comparison.choices.len();
    let (a, of) = if is_best { ("the best", ",") } else { ("a", " of") };
    let mut text = format!(
        "{} has {a} mean rank{of} {:.2} among {}, and a mean regret of {}",
        quoted(&row.schedule),
        row.mean_rank,
        count(all, "schedule", "schedules"),
        regret(row.mean_regret)
    );
    // Writing to a String cannot fail.
    if row.regret_low.is_finite() && row.regret_high.is_finite() {
        let _ = write!(
            text,
            " ({})",
            interval(regret(row.regret_low), regret(row.regret_high))
        );
    }
    text.push('.');
    if row.diverged > 0 {
        let runs = count(row.runs, "run", "runs");
        let _ = write!(text, " Of its {runs}, {} diverged.", row.diverged);
    }
    if let Some(failed) = failed(choice) {
        let _ = write!(text, " {failed}");
    }
    text
}

/// The runs of a schedule that gave no result.
fn failed(choice: &Choice) -> Option<String> {
    let row = &choice.row;
    let runs = count(row.runs, "run", "runs");
    (row.failed > 0).then(|| {
        format!(
            "{} of its {runs} gave no result, which counts neither for nor \
             against it.",
            row.failed
        )
    })
}

/// The schedules with runs that gave no result, each in a sentence.
pub(in crate::report) fn without_results(
    comparison: &Comparison,
) -> Vec<String> {
    let told = |choice: &Choice| {
        let name = quoted(&choice.row.schedule);
        failed(choice).map(|failed| format!("{name}: {failed}"))
    };
    comparison.choices.iter().filter_map(told).collect()
}

/// How a recommended schedule stands to the control.
fn lead(comparison: &Comparison, choice: &Choice) -> String {
    if choice.row.schedule == comparison.control {
        let better = comparison.better_than_control();
        if better.is_empty() {
            return "It is the control, and no other schedule was shown to \
                    be better."
                .to_owned();
        }
        return format!(
            "It is the control, but the signed-rank test shows that {} {} \
             better.",
            listed(&better),
            super::be(&better)
        );
    }
    let Some(pair) = &choice.against_control else {
        return format!(
            "It was not compared with the control {}: no workload has both.",
            quoted(&comparison.control)
        );
    };
    let wins = percent(pair.probability_a_better);
    let mut text = format!(
        "It beats the control {} in {wins} of the paired runs",
        quoted(&comparison.control)
    );
    if let Some((low, high)) = pair.probability_low.zip(pair.probability_high) {
        let _ = write!(
            text,
            " (interval over data sets {} to {})",
            percent(low),
            percent(high)
        );
    }
    let _ = write!(
        text,
        ", p {} after correction: {}.",
        equals(pair.p_holm),
        if pair.p_holm < comparison.alpha {
            "the difference is significant"
        } else {
            "the difference may be due to chance"
        }
    );
    let _ = write!(
        text,
        " With a probability of {} it is better by more than {}, with {} the \
         two differ by less.",
        percent(pair.p_a_better),
        regret(pair.rope_width),
        percent(pair.p_equivalent)
    );
    text
}

/// By how much a dominated schedule is worse.
fn loss(comparison: &Comparison, choice: &Choice) -> String {
    let control = quoted(&comparison.control);
    let mut text = format!("It is worse than the control {control}");
    let Some(pair) = &choice.against_control else { return text + "." };
    let ends = pair.low.zip(pair.high);
    if let Some((mean, (low, high))) = pair.mean_difference.zip(ends) {
        let _ = write!(
            text,
            ": the mean difference is {} ({})",
            difference(mean),
            interval(difference(low), difference(high))
        );
    } else {
        let lost = percent(1.0 - pair.probability_a_better);
        let _ = write!(text, " in {lost} of the paired runs");
    }
    let _ = write!(text, ", p {} after correction.", equals(pair.p_holm));
    if pair.is_of_race() {
        let runs = count(choice.row.runs, "run", "runs");
        let _ = write!(text, " The race stopped it after {runs}.");
    }
    text
}

/// How a schedule, neither recommended nor dominated, stands to the best.
fn rival(comparison: &Comparison, choice: &Choice) -> String {
    let best = best(comparison);
    let rope = comparison.choices.iter();
    let rope =
        rope.filter_map(|c| Some(c.against_control.as_ref()?.rope_width));
    let rope = rope.fold(f64::NAN, f64::max);
    let Some(p) = choice.row.p_equivalent else {
        return match &choice.against_control {
            Some(pair) if pair.is_of_race() => format!(
                "It was not compared with {best}, because the race stopped it."
            ),
            _ => format!("It was not compared with {best}."),
        };
    };
    let equal = format!(
        "With a probability of {} it differs from {best} by less than {}",
        percent(p),
        regret(rope)
    );
    if choice.row.verdict == Verdict::Equivalent {
        return equal + ", which is too little to matter.";
    }
    if comparison.is_too_small() {
        let sets = count(comparison.data_sets, "data set", "data sets");
        return format!(
            "{equal}. With {sets} it can be shown neither to be worse nor to \
             be as good."
        );
    }
    let control = quoted(&comparison.control);
    match choice.worse_than_best_p {
        Some(p) => format!(
            "{equal}. It is significantly worse than {best} (p {} after \
             correction over all pairs), but was not shown to be worse than \
             the control {control}.",
            equals(p)
        ),
        None => format!("{equal}. {}.", neither("It was", &best, &control)),
    }
}

/// What it would take to decide about an undecided schedule.
pub(in crate::report) fn wanted(
    comparison: &Comparison,
    choice: &Choice,
) -> Option<String> {
    if !choice.is_open() {
        return None;
    }
    let best = best(comparison);
    let sets = count(comparison.data_sets, "data set", "data sets");
    Some(match choice.data_sets_to_decide {
        Some(wanted) => format!(
            "About {wanted} data sets would tell it from {best}, if the \
             difference seen is the true one. These results have {sets}."
        ),
        None if comparison.data_sets < 2 => {
            let own = within(comparison, choice).unwrap_or_default();
            format!("One data set shows nothing about others.{own}")
        }
        None => format!(
            "More data sets are unlikely to tell it from {best}: over {sets} \
             the two differ by too little."
        ),
    })
}

/// What the seeds of a single workload show.
fn within(comparison: &Comparison, choice: &Choice) -> Option<String> {
    let row = choice.within.as_ref()?;
    let ends = row.difference_low.zip(row.difference_high);
    let (mean, (low, high)) = row.difference.zip(ends)?;
    Some(format!(
        " On this one, it differs from the control {} by {} over {} ({}, p {} \
         after correction).",
        quoted(&comparison.control),
        difference(mean),
        count(row.seeds, "seed", "seeds"),
        interval(difference(low), difference(high)),
        equals(row.p_within?)
    ))
}

fn best(comparison: &Comparison) -> String {
    let best = comparison.best().map(|best| best.row.schedule.as_str());
    quoted(best.unwrap_or(&comparison.control))
}

fn interval(low: String, high: String) -> String {
    format!("95 % interval {low} to {high}")
}

/// `= 0.018`, `< 0.001`.
fn equals(p: f64) -> String {
    let sign = if p < 0.001 { "" } else { "= " };
    format!("{sign}{}", probability(p))
}
