//! The recommendation in words, each sentence made from the numbers.

mod rates;

use super::number::{difference, percent, probability, regret};
pub(crate) use super::regime::Basis;
use super::regime::regime;
use super::words::control_leads;
use crate::ranking::{Analysis, Ranking};
use crate::results::rows::{LeaderboardRow, PairRow, Verdict};
use crate::stats::power::smallest_wilcoxon_p;
use crate::text::{count, quoted};
use rates::{RateAdvice, at_rate, times};
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

impl Advice {
    /// Puts `analysis` into words; `basis` is what its runs are of.
    pub(crate) fn new(analysis: &Analysis, basis: &Basis<'_>) -> Self {
        let ranking = analysis.leading();
        let rows = ranking.leaderboard();
        let pairs = ranking.pairwise();
        let with = |verdict: Verdict| -> Vec<Choice> {
            rows.iter()
                .filter(|row| row.verdict == verdict)
                .map(|row| choice(ranking, rows, &pairs, row))
                .collect()
        };
        let robust = analysis.robustness.first().map(|row| {
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
            rates: analysis
                .rates
                .iter()
                .map(|(multiple, ranking)| at_rate(*multiple, ranking))
                .collect(),
            any_rate: robust,
            regime: regime(analysis, basis),
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
        let mut rates: Vec<String> =
            self.rates.iter().map(RateAdvice::line).collect();
        rates.extend(self.any_rate.clone());
        if !rates.is_empty() {
            text.push(rates.join("\n"));
        }
        if !self.notes.is_empty() {
            text.push(self.notes.join(" "));
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
            let rope = pairs.first().map_or(f64::NAN, |p| p.rope_width);
            rival(ranking, row, best, rope)
        }
    };
    let open = row.verdict == Verdict::Undecided
        && ranking.behind(&row.schedule).is_none();
    let wanted = open.then(|| wanted(ranking, &row.schedule, best));
    Choice {
        schedule: row.schedule.clone(),
        evidence: [numbers(rows.len(), row), meaning],
        wanted,
    }
}

/// How `row`, neither recommended nor dominated, stands to `best`.
fn rival(
    ranking: &Ranking,
    row: &LeaderboardRow,
    best: &str,
    rope: f64,
) -> String {
    let (name, control) = (quoted(best), quoted(ranking.control()));
    // A schedule that a race stopped was not compared with the best.
    let Some(p) = row.p_equivalent else {
        return format!("It was not compared with {name}.");
    };
    let equal = format!(
        "With a probability of {} it differs from {name} by less than {}",
        percent(p),
        regret(rope)
    );
    if row.verdict == Verdict::Equivalent {
        return equal + ", which no practice would notice.";
    }
    let clusters = ranking.size().1;
    if smallest_wilcoxon_p(clusters) >= ranking.alpha() {
        let sets = count(clusters, "data set is", "data sets are");
        return format!(
            "{equal}; {sets} too few to show that it is worse or as good."
        );
    }
    if let Some(p) = ranking.behind(&row.schedule) {
        return format!(
            "{equal}; it is worse than {name} by more than chance explains, p \
             {} after correction over all pairs, though not shown to be worse \
             than the control {control}.",
            equals(p)
        );
    }
    if best == ranking.control() {
        return equal
            + ": it was shown neither to be worse than this control nor to \
               be as good.";
    }
    format!(
        "{equal}: it was shown neither to be worse than the control {control} \
         nor to be as good as {name}."
    )
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
    let runs = count(row.runs, "run", "runs");
    if row.diverged > 0 {
        let _ = write!(text, "; {} of its {runs} diverged", row.diverged);
    }
    if row.failed > 0 {
        let _ = write!(
            text,
            "; {} of its {runs} gave no result, which counts neither for it \
             nor against it",
            row.failed
        );
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
        return control_leads(&ranking.pairwise(), ranking.alpha());
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
    let significant = row.p_holm.is_some_and(|p| p < ranking.alpha());
    let _ = write!(
        text,
        ", p {p} after correction: {}.",
        if significant {
            "more than chance explains"
        } else {
            "chance may be all of the difference"
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
    if pair.is_some_and(PairRow::is_of_race) {
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
