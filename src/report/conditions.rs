//! What changes with the learning rate and the budget, and where the numbers
//! end, in sentences.

use super::ReportInput;
use super::board::{self, Board};
use super::number::{rate, regret};
use super::regime::sizes_in_words;
use crate::results::rows::{FindRow, RobustnessRow, TheoryRow, Verdict};
use crate::text::{count, listed, quoted};

/// What to take at each multiple of the learning rate found.
pub(super) fn rates(boards: &[Board<'_>]) -> Vec<String> {
    let multiples = board::multiples(boards);
    if multiples.len() < 2 {
        return vec![];
    }
    let best = |multiple: f64| {
        board::by_regret(boards, |board| board.multiple == multiple)
            .first()
            .filter(|(_, regret)| regret.is_finite())
            .copied()
    };
    let bests: Vec<_> = multiples.iter().map(|&m| best(m)).collect();
    let range = range(&multiples);
    let first = bests[0].map(|(schedule, _)| schedule);
    if let Some(schedule) = first
        && bests.iter().all(|b| b.is_some_and(|(s, _)| s == schedule))
    {
        return vec![format!(
            "{} has the lowest mean regret at every learning rate, {range}.",
            quoted(schedule)
        )];
    }
    multiples
        .iter()
        .zip(&bests)
        .map(|(&multiple, best)| match best {
            Some((schedule, behind)) => format!(
                "At {} {} has the lowest mean regret, {}.",
                times(multiple),
                quoted(schedule),
                regret(*behind)
            ),
            None => format!(
                "At {} no schedule has a regret: every one diverged \
                 somewhere.",
                times(multiple)
            ),
        })
        .collect()
}

/// What to take where the rate is not to be trusted, by the boards alone;
/// `None` where one schedule is best at every multiple.
pub(super) fn safe(boards: &[Board<'_>]) -> Option<String> {
    let multiples = board::multiples(boards);
    let best_at = |multiple: &f64| {
        let here = board::by_regret(boards, |b| b.multiple == *multiple);
        here.first().map(|(schedule, _)| *schedule)
    };
    let mut bests: Vec<_> = multiples.iter().map(best_at).collect();
    bests.dedup();
    if bests.len() < 2 {
        return None;
    }
    let (schedule, most) = safest(boards, &multiples)?;
    Some(format!(
        "If you do not trust your learning rate, take {}: {}, its mean regret \
         is {} at most.",
        quoted(schedule),
        range(&multiples),
        regret(most)
    ))
}

fn range(multiples: &[f64]) -> String {
    format!(
        "from {} to {} times the learning rate found",
        rate(multiples[0]),
        rate(multiples[multiples.len() - 1])
    )
}

/// The schedule whose highest mean regret over the multiples is lowest.
fn safest<'a>(
    boards: &[Board<'a>],
    multiples: &[f64],
) -> Option<(&'a str, f64)> {
    let mut highest: Vec<(&str, f64)> = vec![];
    for &multiple in multiples {
        for (schedule, regret) in
            board::by_regret(boards, |board| board.multiple == multiple)
        {
            match highest.iter_mut().find(|(s, _)| *s == schedule) {
                Some((_, most)) => *most = most.max(regret),
                None => highest.push((schedule, regret)),
            }
        }
    }
    highest
        .into_iter()
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .filter(|(_, most)| most.is_finite())
}

fn times(multiple: f64) -> String {
    if multiple == 1.0 {
        "the learning rate found".to_owned()
    } else {
        format!("{} times the learning rate found", rate(multiple))
    }
}

/// What is lost where the rate is off by up to four times.
pub(super) fn robust(rows: &[RobustnessRow]) -> Option<String> {
    let row = rows.first()?;
    Some(format!(
        "If you do not trust your learning rate, take {}: against the best \
         schedule at its best rate it loses least over the rates within four \
         times of the one found, {} on average and {} at {}.",
        quoted(&row.schedule),
        regret(row.mean_regret),
        regret(row.worst_regret),
        times(row.worst_multiple)
    ))
}

/// The board with a rate tuned for every schedule.
pub(super) fn tuned(input: &ReportInput) -> Option<String> {
    let rows = input.analysis.tuned.as_ref()?.leaderboard();
    let first = rows.first()?;
    let worse: Vec<&str> = rows
        .iter()
        .filter(|row| row.verdict == Verdict::Dominated)
        .map(|row| row.schedule.as_str())
        .collect();
    let also = if worse.is_empty() {
        String::new()
    } else {
        let are = if worse.len() == 1 { "is" } else { "are" };
        format!("; {} {are} still worse than the control", listed(&worse))
    };
    Some(format!(
        "With the multiple tuned for every schedule, on the validation loss \
         of even seeds, {} has the best mean rank on the test loss of the odd \
         ones{also}.",
        quoted(&first.schedule)
    ))
}

/// How well convex theory predicts the ranks.
pub(super) fn theory(rows: &[TheoryRow]) -> Option<String> {
    let mut boards: Vec<(u64, f64, f64)> = rows
        .iter()
        .filter_map(|row| Some((row.budget, row.lr_multiple, row.spearman?)))
        .collect();
    boards.dedup();
    let parts: Vec<String> = boards
        .iter()
        .map(|(budget, multiple, rho)| {
            format!("{rho:.2} with {budget} steps at {}", times(*multiple))
        })
        .collect();
    (!parts.is_empty()).then(|| {
        format!(
            "The convex bound of a schedule, which needs no training, goes \
             with its mean rank by Spearman's correlation: {}.",
            parts.join(", ")
        )
    })
}

/// Whether the best schedule depends on the budget.
pub(super) fn budgets(boards: &[Board<'_>]) -> Vec<String> {
    let budgets = board::budgets(boards);
    if budgets.len() < 2 {
        return vec![];
    }
    let best: Vec<(u64, &str)> = budgets
        .iter()
        .filter_map(|&budget| {
            let means =
                board::by_regret(boards, |board| board.budget == budget);
            let (schedule, regret) = means.first().copied()?;
            regret.is_finite().then_some((budget, schedule))
        })
        .collect();
    let Some(&(_, first)) = best.first() else { return vec![] };
    if best.len() == budgets.len() && best.iter().all(|(_, s)| *s == first) {
        return vec![format!(
            "{} has the lowest mean regret at every budget, from {} to {} \
             steps.",
            quoted(first),
            budgets[0],
            budgets[budgets.len() - 1]
        )];
    }
    let parts: Vec<String> = best
        .iter()
        .map(|(budget, schedule)| {
            format!("{} with {budget} steps", quoted(schedule))
        })
        .collect();
    vec![format!(
        "The lowest mean regret has {}; no test says that the budget is why.",
        parts.join(", ")
    )]
}

/// What the numbers do not show.
pub(super) fn limits(input: &ReportInput, boards: &[Board<'_>]) -> Vec<String> {
    let budgets = board::budgets(boards);
    let range = match budgets.as_slice() {
        [] => "the budgets".to_owned(),
        [one] => format!("the budget of {one} steps"),
        [first, .., last] => format!("the budgets of {first} to {last} steps"),
    };
    let mut limits = vec![format!(
        "This holds for the models, data sets and sizes of this grid and for \
         {range}. It says nothing about large models or long trainings."
    )];
    if boards.iter().all(|board| board.multiple == 1.0) {
        limits.push(
            "Every schedule peaked at the learning rate found for its \
             workload: with a rate found otherwise, another may be better."
                .to_owned(),
        );
    } else {
        limits.push(
            "A regret compares schedules at one learning rate; it does not \
             compare learning rates with each other."
                .to_owned(),
        );
    }
    limits.extend(sizes_in_words(&board::budgets(boards), &input.regime));
    limits.extend(given(&input.lr_finds));
    limits.extend(fallbacks(&input.lr_finds));
    limits
}

/// The rates that were not found.
fn given(finds: &[FindRow]) -> Option<String> {
    let number = finds.iter().filter(|find| find.outcome == "given").count();
    (number > 0).then(|| {
        format!(
            "{number} of {} given by the grid, not found.",
            count(finds.len(), "learning rate was", "learning rates were")
        )
    })
}

/// The rates that no range test stands behind.
fn fallbacks(finds: &[FindRow]) -> Option<String> {
    let settled = ["found", "given"];
    let unsure =
        finds.iter().filter(|find| !settled.contains(&find.outcome.as_str()));
    let number = unsure.clone().count();
    let mut outcomes: Vec<&str> =
        unsure.map(|find| find.outcome.as_str()).collect();
    outcomes.sort_unstable();
    outcomes.dedup();
    (number > 0).then(|| {
        format!(
            "The range test did not settle {number} of {}: it ended in {}.",
            count(finds.len(), "learning rate", "learning rates"),
            listed(&outcomes)
        )
    })
}
