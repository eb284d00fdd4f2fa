//! What to take at each multiple of the learning rate found.

use super::{leader, numbers};
use crate::ranking::Ranking;
use crate::report::number::rate;
use crate::results::rows::{LeaderboardRow, Verdict};
use crate::text::{listed, quoted};
use serde::Serialize;
use std::fmt::Write as _;

/// The schedule to take at one multiple of the learning rate found.
#[derive(Clone, Debug, Serialize)]
pub(super) struct RateAdvice {
    lr_multiple: f64,
    recommended: Option<String>,
    equivalent: Vec<String>,
    dominated: Vec<String>,
    pub(super) sentence: String,
    /// What the numbers of the recommended schedule are there, and what they
    /// show.
    evidence: Option<[String; 2]>,
}

impl RateAdvice {
    /// The advice with its evidence.
    pub(super) fn line(&self) -> String {
        let evidence = self.evidence.iter().flatten().map(String::as_str);
        let sentences: Vec<&str> =
            [self.sentence.as_str()].into_iter().chain(evidence).collect();
        sentences.join(" ")
    }
}

/// The advice at `multiple`, from the ranking of the runs there.
pub(super) fn at_rate(multiple: f64, ranking: &Ranking) -> RateAdvice {
    let rows = ranking.leaderboard();
    let with = |verdict: Verdict| -> Vec<String> {
        let rows = rows.iter().filter(|row| row.verdict == verdict);
        rows.map(|row| row.schedule.clone()).collect()
    };
    let (equivalent, dominated) =
        (with(Verdict::Equivalent), with(Verdict::Dominated));
    let names = |list: &[String]| listed(list);
    let recommended = ranking.recommended().map(str::to_owned);
    let mut sentence = match &recommended {
        Some(best) => {
            let lead = lead(ranking, rows).unwrap_or_default();
            format!("At {} take {}{lead}", times(multiple), quoted(best))
        }
        None => format!("At {} every run diverged", times(multiple)),
    };
    if !equivalent.is_empty() {
        let _ = write!(sentence, ", or just as well {}", names(&equivalent));
    }
    if !dominated.is_empty() {
        let _ = write!(sentence, ", and not {}", names(&dominated));
    }
    sentence.push('.');
    RateAdvice {
        lr_multiple: multiple,
        recommended,
        equivalent,
        dominated,
        sentence,
        evidence: evidence(ranking, rows),
    }
}

fn evidence(ranking: &Ranking, rows: &[LeaderboardRow]) -> Option<[String; 2]> {
    let row = rows.iter().find(|r| r.verdict == Verdict::Recommended)?;
    let pairs = ranking.pairwise();
    let pair = pairs.iter().find(|pair| pair.a == row.schedule);
    Some([numbers(rows.len(), row), leader(ranking, row, pair)])
}

/// What is to be said about the lead of the recommended schedule, unless it
/// is more than chance explains.
fn lead(ranking: &Ranking, rows: &[LeaderboardRow]) -> Option<String> {
    let mut best = rows.iter().filter(|r| r.verdict == Verdict::Recommended);
    match best.next()?.p_holm {
        None => Some(", the control".to_owned()),
        Some(p) if p < ranking.alpha() => None,
        Some(_) => Some(format!(
            ", though chance may be all of its lead over {}",
            quoted(ranking.control())
        )),
    }
}

/// A multiple in words.
pub(super) fn times(multiple: f64) -> String {
    let word = [
        (0.25, "a quarter of the rate found"),
        (0.5, "half the rate found"),
        (1.0, "the rate found"),
        (2.0, "twice the rate found"),
        (4.0, "four times the rate found"),
    ];
    word.iter().find(|(m, _)| *m == multiple).map_or_else(
        || format!("{} times the rate found", rate(multiple)),
        |(_, word)| (*word).to_owned(),
    )
}
