//! The recommendation in words, each sentence made from the numbers.

use super::RegimeRow;
use super::number::{count, difference, percent, probability, rate, regret};
use super::regime::regime;
use super::words::{listed, quoted};
use crate::ranking::{
    LeaderboardRow, PairRow, Ranking, RobustnessRow, Verdict,
};
use serde::Serialize;
use std::fmt::Write as _;

/// What to use, what not to try, and why.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Advice {
    /// The schedule to use; `None` if every run diverged.
    recommended: Option<Choice>,
    /// As good for practical purposes.
    equivalent: Vec<Choice>,
    /// Not to try.
    dominated: Vec<Choice>,
    /// Neither shown to differ nor to be as good.
    undecided: Vec<Choice>,
    control: String,
    /// What to take at each multiple of the learning rate found.
    rates: Vec<RateAdvice>,
    /// Where the rate may be off by up to four times.
    any_rate: Option<String>,
    /// What the advice may be used for, and what not.
    regime: Vec<String>,
    notes: Vec<String>,
}

/// A schedule and its evidence.
#[derive(Clone, Debug, Serialize)]
struct Choice {
    schedule: String,
    /// What the numbers are, and what they show.
    evidence: [String; 2],
    /// What it would take to decide, for an undecided schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    wanted: Option<String>,
}

/// The schedule to take at one multiple of the learning rate found.
#[derive(Clone, Debug, Serialize)]
struct RateAdvice {
    lr_multiple: f64,
    recommended: Option<String>,
    equivalent: Vec<String>,
    dominated: Vec<String>,
    sentence: String,
}

/// What the advice is made from.
pub(crate) struct Evidence<'a> {
    /// Over all budgets, at the rate found where there are several multiples.
    pub(crate) leading: &'a Ranking,
    /// At each multiple, rising.
    pub(crate) multiples: &'a [(f64, Ranking)],
    pub(crate) robustness: &'a [RobustnessRow],
    /// In steps, rising.
    pub(crate) budgets: &'a [u64],
    /// Sizes of the workloads, as far as they are known.
    pub(crate) regime: &'a [RegimeRow],
}

impl Advice {
    /// Puts `evidence` into words.
    pub(crate) fn new(evidence: &Evidence<'_>) -> Self {
        let ranking = evidence.leading;
        let rows = ranking.leaderboard();
        let pairs = ranking.pairwise();
        let with = |verdict: Verdict| -> Vec<Choice> {
            rows.iter()
                .filter(|row| row.verdict == verdict)
                .map(|row| choice(ranking, &rows, &pairs, row))
                .collect()
        };
        let robust = evidence.robustness.first().map(|row| {
            format!(
                "If the rate may be off by up to four times, take {}: it \
                 loses {} on average and {} at worst, at {}, against the \
                 best schedule at its best rate.",
                quoted(&row.schedule),
                regret(row.mean_regret),
                regret(row.worst_regret),
                times(row.worst_multiple)
            )
        });
        Self {
            recommended: with(Verdict::Recommended).pop(),
            equivalent: with(Verdict::Equivalent),
            dominated: with(Verdict::Dominated),
            undecided: with(Verdict::Undecided),
            control: ranking.control().to_owned(),
            rates: evidence
                .multiples
                .iter()
                .map(|(multiple, ranking)| at_rate(*multiple, ranking))
                .collect(),
            any_rate: robust,
            regime: regime(ranking, evidence.budgets, evidence.regime),
            notes: ranking.notes().to_vec(),
        }
    }

    /// The advice as paragraphs, most important first.
    pub(crate) fn paragraphs(&self) -> Vec<String> {
        let mut text = vec![];
        match &self.recommended {
            Some(choice) => text.push(paragraph("Use", choice)),
            None => text.push(
                "There is nothing to recommend: every run diverged, or there \
                 is nothing to compare. Take a lower learning rate."
                    .to_owned(),
            ),
        }
        for (head, choices) in [
            ("As good:", &self.equivalent),
            ("Do not try", &self.dominated),
            ("Undecided:", &self.undecided),
        ] {
            text.extend(choices.iter().map(|c| paragraph(head, c)));
        }
        let mut rates: Vec<&str> =
            self.rates.iter().map(|rate| rate.sentence.as_str()).collect();
        rates.extend(self.any_rate.as_deref());
        if !rates.is_empty() {
            text.push(rates.join("\n"));
        }
        text.push(self.regime.join(" "));
        text
    }
}

fn paragraph(head: &str, choice: &Choice) -> String {
    let [numbers, meaning] = &choice.evidence;
    let name = quoted(&choice.schedule);
    let mut text = format!("{head} {name}. {numbers} {meaning}");
    if let Some(wanted) = &choice.wanted {
        text.push(' ');
        text.push_str(wanted);
    }
    text
}

fn choice(
    ranking: &Ranking,
    rows: &[LeaderboardRow],
    pairs: &[PairRow],
    row: &LeaderboardRow,
) -> Choice {
    let pair = pairs.iter().find(|pair| pair.a == row.schedule);
    let best = ranking.recommended().unwrap_or(ranking.control());
    let meaning = match row.verdict {
        Verdict::Recommended | Verdict::Control => leader(ranking, row, pair),
        Verdict::Dominated => loser(ranking, row, pair),
        Verdict::Equivalent | Verdict::Undecided => {
            let p = row.p_equivalent.unwrap_or(f64::NAN);
            let rope = pairs.first().map_or(f64::NAN, |p| p.rope_width);
            let mut text = format!(
                "With a probability of {} it differs from {} by less than {}",
                percent(p),
                quoted(best),
                regret(rope)
            );
            text.push_str(if row.verdict == Verdict::Equivalent {
                ", which no practice would notice."
            } else {
                ": neither a difference that matters was shown nor that \
                 there is none."
            });
            text
        }
    };
    let wanted = (row.verdict == Verdict::Undecided)
        .then(|| wanted(ranking, &row.schedule, best));
    Choice {
        schedule: row.schedule.clone(),
        evidence: [numbers(rows.len(), row), meaning],
        wanted,
    }
}

/// What it would take to tell `schedule` from `best`.
fn wanted(ranking: &Ranking, schedule: &str, best: &str) -> String {
    let clusters = ranking.size().1;
    let has = count(clusters, "data set", "data sets");
    let best = quoted(best);
    match ranking.clusters_wanted(schedule) {
        Some(wanted) => format!(
            "To tell it from {best} takes about {wanted} data sets, if the \
             difference seen is the true one; there are {has}."
        ),
        None if clusters < 2 => {
            let alone = within(ranking, schedule).unwrap_or_default();
            format!("One data set says nothing about others.{alone}")
        }
        None => format!(
            "More data sets are unlikely to tell it from {best}: over {has} \
             the two differ by too little."
        ),
    }
}

/// What the seeds of a single workload show.
fn within(ranking: &Ranking, schedule: &str) -> Option<String> {
    let rows = ranking.workload_rows();
    let mut rows = rows.iter().filter(|row| row.schedule == schedule);
    let (row, None) = (rows.next()?, rows.next()) else { return None };
    let ends = row.difference_low.zip(row.difference_high);
    let (mean, (low, high)) = row.difference.zip(ends)?;
    Some(format!(
        " On this one it differs from {} by {} over {} (95 % interval {} to \
         {}; p {} after correction).",
        quoted(ranking.control()),
        difference(mean),
        count(row.seeds, "seed", "seeds"),
        difference(low),
        difference(high),
        equals(row.p_within?)
    ))
}

/// Rank and regret.
fn numbers(schedules: usize, row: &LeaderboardRow) -> String {
    let mut text = format!(
        "Its mean rank is {:.2} among {}, and it falls behind the best \
         schedule of each workload by {} on average",
        row.mean_rank,
        count(schedules, "schedule", "schedules"),
        regret(row.mean_regret)
    );
    // Writing to a String cannot fail.
    if row.regret_low.is_finite() {
        let _ = write!(
            text,
            " (95 % interval {} to {})",
            regret(row.regret_low),
            regret(row.regret_high)
        );
    }
    if row.diverged > 0 {
        let runs = count(row.runs, "run", "runs");
        let _ = write!(text, "; {} of its {runs} diverged", row.diverged);
    }
    text + "."
}

fn leader(
    ranking: &Ranking,
    row: &LeaderboardRow,
    pair: Option<&PairRow>,
) -> String {
    let control = quoted(ranking.control());
    let Some(pair) = pair else {
        return "It is the control itself: nothing else was shown to be \
                better."
            .to_owned();
    };
    let mut text = format!(
        "Against the control {control} it wins {} of the paired runs",
        percent(pair.probability_a_better)
    );
    if let Some((low, high)) = pair.probability_low.zip(pair.probability_high) {
        let _ = write!(
            text,
            " (interval over data sets {} to {})",
            percent(low),
            percent(high)
        );
    }
    let p = row.p_holm.map_or_else(|| "–".to_owned(), equals);
    let significant = row.p_holm.is_some_and(|p| p < 0.05);
    let _ = write!(
        text,
        ", p {p} after correction: {}.",
        if significant {
            "more than chance explains"
        } else {
            "chance explains the difference"
        }
    );
    text
}

fn loser(
    ranking: &Ranking,
    row: &LeaderboardRow,
    pair: Option<&PairRow>,
) -> String {
    let control = quoted(ranking.control());
    let mut text = format!("It is worse than the control {control}");
    if let Some(pair) = pair {
        let ends = pair.low.zip(pair.high);
        if let Some((mean, (low, high))) = pair.mean_difference.zip(ends) {
            let (low, high) = (low.abs(), high.abs());
            let _ = write!(
                text,
                " by {} on average (95 % interval {} to {})",
                regret(mean.abs()),
                regret(low.min(high)),
                regret(low.max(high))
            );
        } else {
            let lost = percent(1.0 - pair.probability_a_better);
            let _ = write!(text, " in {lost} of the paired runs");
        }
    }
    if let Some(p) = row.p_holm {
        let _ = write!(text, ", p {} after correction", equals(p));
    }
    if pair.is_some_and(|pair| pair.method == "e-process") {
        let runs = count(row.runs, "run", "runs");
        let _ = write!(text, "; the race stopped it after {runs}");
    }
    text + "."
}

/// `= 0.018`, `< 0.001`.
fn equals(p: f64) -> String {
    let sign = if p < 0.001 { "" } else { "= " };
    format!("{sign}{}", probability(p))
}

fn at_rate(multiple: f64, ranking: &Ranking) -> RateAdvice {
    let rows = ranking.leaderboard();
    let with = |verdict: Verdict| -> Vec<String> {
        let rows = rows.iter().filter(|row| row.verdict == verdict);
        rows.map(|row| row.schedule.clone()).collect()
    };
    let (equivalent, dominated) =
        (with(Verdict::Equivalent), with(Verdict::Dominated));
    let names = |list: &[String]| {
        listed(&list.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let recommended = ranking.recommended().map(str::to_owned);
    let mut sentence = match &recommended {
        Some(best) => format!("At {} take {}", times(multiple), quoted(best)),
        None => format!("At {} every run diverged", times(multiple)),
    };
    if !equivalent.is_empty() {
        let _ = write!(sentence, ", or just as well {}", names(&equivalent));
    }
    if !dominated.is_empty() {
        let _ = write!(sentence, ", and not {}", names(&dominated));
    }
    if let Some(row) = rows.first()
        && row.p_holm.is_none_or(|p| p >= 0.05)
        && dominated.is_empty()
        && recommended.is_some()
    {
        sentence.push_str(", though chance explains its lead");
    }
    sentence.push('.');
    RateAdvice {
        lr_multiple: multiple,
        recommended,
        equivalent,
        dominated,
        sentence,
    }
}

/// A multiple in words.
fn times(multiple: f64) -> String {
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
