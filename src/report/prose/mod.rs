//! The sentences of the reports and the advice, each made from the findings.
//!
//! Names stand between backticks, here and in terminals; pages turn them into
//! code.

mod evidence;
mod notes;
mod scope;
#[cfg(test)]
mod tests;

use super::findings::{Answer, Comparison, Findings};
use super::number::rate;
use crate::ranking::Note;
use crate::results::rows::Verdict;
use crate::text::{listed, quoted};

pub(super) use evidence::{evidence, wanted, without_results};
pub(super) use scope::{likely, robust, scope};

/// The parts of a report that are prose, in their order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Prose {
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
    /// What a reader must know beside the numbers.
    pub(super) notes: Vec<String>,
}

impl Prose {
    /// A report of `findings`. Points that schedules `never` reach and files
    /// that were `missing` are told, too.
    pub(super) fn of(
        findings: &Findings,
        never: &[String],
        missing: &[String],
    ) -> Self {
        // The headline and the reasons say these.
        let told = |note: &&Note| {
            matches!(
                note,
                Note::AllDiverged
                    | Note::Failures { .. }
                    | Note::Stopped { .. }
                    | Note::Unranked(_)
            )
        };
        let notes = findings.notes.iter().filter(|note| !told(note));
        let never = never.iter().map(|line| format!("{line}."));
        let missing = missing.iter().map(|name| {
            format!("{name} was missing when this report was made.")
        });
        Self {
            headline: headline(&findings.leading),
            decided: findings.leading.answer == Answer::Use,
            reasons: reasons(findings),
            evidence: scope::size(&findings.size),
            conditions: scope::conditions(findings),
            limits: scope::limits(findings),
            notes: notes
                .map(Note::to_string)
                .chain(never)
                .chain(missing)
                .collect(),
        }
    }
}

/// The pieces of a sentence and whether each is a name.
pub(super) fn pieces(sentence: &str) -> impl Iterator<Item = (bool, &str)> {
    sentence
        .split('`')
        .enumerate()
        .map(|(i, piece)| (i % 2 == 1, piece))
        .filter(|(_, piece)| !piece.is_empty())
}

/// The recommendation in one sentence.
pub(super) fn headline(comparison: &Comparison) -> String {
    let first = comparison.best().or(comparison.choices.first());
    let name = first.map_or_else(String::new, |c| quoted(&c.row.schedule));
    let control = quoted(&comparison.control);
    match comparison.answer {
        Answer::AllDiverged => "Every run diverged or failed, so there is \
                                nothing to recommend: use a lower learning \
                                rate, or see failures.csv for the reasons."
            .to_owned(),
        Answer::Only => format!(
            "{name} is the only schedule here, so there is nothing to \
             compare it with."
        ),
        Answer::Use => format!("Use {name}."),
        Answer::Ahead => format!(
            "Use {name}: it ranks first, but its lead over the control \
             {control} may be due to chance."
        ),
        Answer::Open => format!(
            "{name} ranks first, but all differences here may be due to \
             chance."
        ),
    }
}

fn reasons(findings: &Findings) -> Vec<String> {
    let leading = &findings.leading;
    let mut reasons = vec![];
    if let Some(best) = leading.best() {
        reasons.extend(evidence(leading, best));
        if findings.lr_multiple == Some(1.0) && findings.rates.len() > 1 {
            let place = "At the learning rate found, ";
            reasons[0].insert_str(0, place);
        }
        reasons.extend(scope::likely(findings));
        reasons.extend(equivalent(leading));
        reasons.extend(undecided(leading));
        reasons.extend(dominated(leading));
    }
    let said = |wanted: fn(&Note) -> bool| {
        let notes = findings.notes.iter().filter(move |note| wanted(note));
        notes.map(Note::to_string)
    };
    reasons.extend(said(|note| {
        matches!(note, Note::Stopped { .. } | Note::Unranked(_))
    }));
    reasons.push(scope::divergence(findings));
    reasons.extend(said(|note| matches!(note, Note::Failures { .. })));
    reasons
}

/// The advice at `multiple` times the learning rate found.
pub(super) fn at_rate(multiple: f64, comparison: &Comparison) -> String {
    let at = times(multiple);
    let control = quoted(&comparison.control);
    let best_name = comparison.best().map(|best| &best.row.schedule);
    let name = quoted(best_name.unwrap_or(&comparison.control));
    let advice = match comparison.answer {
        Answer::AllDiverged => "every run diverged or failed.".to_owned(),
        Answer::Only => format!("{name} is the only schedule."),
        _ if best_name == Some(&comparison.control) => {
            format!("use the control {name}.")
        }
        Answer::Use => format!("use {name}."),
        Answer::Ahead | Answer::Open => format!(
            "{name} ranks first, but its lead over the control {control} may \
             be due to chance."
        ),
    };
    [
        Some(format!("At {at}, {advice}")),
        equivalent(comparison),
        dominated(comparison),
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join(" ")
}

fn equivalent(comparison: &Comparison) -> Option<String> {
    let names = comparison.names(Verdict::Equivalent);
    let best = comparison.best()?;
    (!names.is_empty()).then(|| {
        format!(
            "{} {} as good as {} in practice.",
            listed(&names),
            be(&names),
            quoted(&best.row.schedule)
        )
    })
}

fn undecided(comparison: &Comparison) -> Option<String> {
    let names = comparison.names(Verdict::Undecided);
    let best = quoted(&comparison.best()?.row.schedule);
    let control = quoted(&comparison.control);
    let one = names.len() == 1;
    (!names.is_empty()).then(|| {
        format!(
            "{} {} undecided: {}.",
            listed(&names),
            be(&names),
            neither(if one { "it was" } else { "they were" }, &best, &control)
        )
    })
}

/// What is not known about an undecided schedule.
fn neither(it_was: &str, best: &str, control: &str) -> String {
    if best == control {
        return format!(
            "{it_was} shown neither to be worse than the control nor to be as \
             good"
        );
    }
    format!(
        "{it_was} shown neither to be worse than the control {control} nor to \
         be as good as {best}"
    )
}

fn dominated(comparison: &Comparison) -> Option<String> {
    let names = comparison.names(Verdict::Dominated);
    (!names.is_empty()).then(|| {
        format!(
            "{} {} significantly worse than the control {}: do not use {}.",
            listed(&names),
            be(&names),
            quoted(&comparison.control),
            if names.len() == 1 { "it" } else { "them" }
        )
    })
}

fn be<T>(names: &[T]) -> &'static str {
    if names.len() == 1 { "is" } else { "are" }
}

/// A multiple in words.
fn times(multiple: f64) -> String {
    let word = [
        (0.25, "a quarter of "),
        (0.5, "half "),
        (1.0, ""),
        (2.0, "twice "),
        (4.0, "four times "),
    ];
    let known = word.iter().find(|(m, _)| *m == multiple);
    match known {
        Some((_, word)) => format!("{word}the learning rate found"),
        None => format!("{} times the learning rate found", rate(multiple)),
    }
}
