//! The advice of `lrscout recommend`, as text and as JSON.

use super::findings::{Choice, Comparison, Findings};
use super::prose::{
    at_rate, evidence, headline, likely, robust, scope, wanted, without_results,
};
use super::table::{choices, wrapped};
use crate::results::rows::Verdict;
use serde::Serialize;

/// What to use, what not to try, and why.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Advice<'a> {
    headline: String,
    /// The schedule to use; `None` if every run diverged.
    recommended: Option<Told<'a>>,
    /// As good in practice.
    equivalent: Vec<Told<'a>>,
    /// Not to try.
    dominated: Vec<Told<'a>>,
    /// Neither shown to differ nor to be as good.
    undecided: Vec<Told<'a>>,
    control: &'a str,
    /// What to use at each multiple of the learning rate found.
    rates: Vec<AtRate<'a>>,
    /// Where the rate may be off by up to four times.
    any_rate: Option<String>,
    /// What the advice may be used for, and what not.
    regime: Vec<String>,
    findings: &'a Findings,
    notes: Vec<String>,
}

/// A schedule and what is said about it.
#[derive(Clone, Debug, Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    choice: &'a Choice,
    /// What the numbers are, and what they show.
    evidence: [String; 2],
    /// What it would take to decide, for an undecided schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    wanted: Option<String>,
}

/// The advice at one multiple of the learning rate found.
#[derive(Clone, Debug, Serialize)]
struct AtRate<'a> {
    lr_multiple: f64,
    recommended: Option<&'a str>,
    equivalent: Vec<&'a str>,
    dominated: Vec<&'a str>,
    sentence: String,
    /// That of the recommended schedule.
    evidence: Option<[String; 2]>,
    schedules: &'a [Choice],
}

impl<'a> Advice<'a> {
    /// Puts `findings` into words.
    pub(crate) fn new(findings: &'a Findings) -> Self {
        let leading = &findings.leading;
        let with = |verdict: Verdict| -> Vec<Told<'a>> {
            let choices = leading.with(verdict);
            choices.map(|choice| Told::of(leading, choice)).collect()
        };
        let rates = findings.rates.iter();
        Self {
            headline: headline(leading),
            recommended: with(Verdict::Recommended).pop(),
            equivalent: with(Verdict::Equivalent),
            dominated: with(Verdict::Dominated),
            undecided: with(Verdict::Undecided),
            control: &leading.control,
            rates: rates.map(|(m, ranked)| AtRate::of(*m, ranked)).collect(),
            any_rate: robust(findings),
            regime: scope(findings),
            notes: findings.notes.iter().map(ToString::to_string).collect(),
            findings,
        }
    }

    /// The advice for a terminal: a sentence, a table, and the limits, at
    /// most 100 columns wide.
    pub(crate) fn text(&self) -> String {
        let leading = &self.findings.leading;
        let mut limits = without_results(leading);
        limits.extend(likely(self.findings));
        limits.extend_from_slice(&self.regime);
        format!(
            "{}\n{}\n{}",
            wrapped(&self.headline),
            choices(leading),
            wrapped(&limits.join(" "))
        )
    }
}

impl<'a> Told<'a> {
    fn of(comparison: &Comparison, choice: &'a Choice) -> Self {
        Self {
            choice,
            evidence: evidence(comparison, choice),
            wanted: wanted(comparison, choice),
        }
    }
}

impl<'a> AtRate<'a> {
    fn of(lr_multiple: f64, comparison: &'a Comparison) -> Self {
        let best = comparison.best();
        Self {
            lr_multiple,
            recommended: best.map(|best| best.row.schedule.as_str()),
            equivalent: comparison.names(Verdict::Equivalent),
            dominated: comparison.names(Verdict::Dominated),
            sentence: at_rate(lr_multiple, comparison),
            evidence: best.map(|best| evidence(comparison, best)),
            schedules: &comparison.choices,
        }
    }
}

#[cfg(test)]
mod tests;
