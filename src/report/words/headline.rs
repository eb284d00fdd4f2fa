//! The recommendation in one sentence.

use super::{ALPHA, with};
use crate::results::rows::{LeaderboardRow, Verdict};
use crate::text::{listed, quoted};

/// The recommendation of a board.
pub(super) fn headline(rows: &[LeaderboardRow]) -> String {
    if all_diverged(rows) {
        return "Every run diverged or failed, so there is nothing to \
                recommend: take a lower learning rate, or look at why in \
                failures.csv."
            .to_owned();
    }
    if let [row] = rows {
        return format!(
            "{} is the only schedule here, so there is nothing to compare it \
             with.",
            quoted(&row.schedule)
        );
    }
    let best = with(rows, Verdict::Recommended);
    if best.is_empty() {
        return "The evidence does not single out a schedule.".to_owned();
    }
    if chance_explains(rows) {
        return format!(
            "{} is ahead, but chance may be all of every difference here.",
            listed(&best)
        );
    }
    if leads_by_chance(rows) {
        let control = with(rows, Verdict::Control);
        return format!(
            "Use {}: it is ahead, though chance may be all of its lead over \
             the control {}.",
            listed(&best),
            listed(&control)
        );
    }
    format!("Use {}.", listed(&best))
}

/// Whether no run of any schedule came to its end.
pub(super) fn all_diverged(rows: &[LeaderboardRow]) -> bool {
    rows.iter().all(|row| row.diverged + row.failed >= row.runs)
}

/// Whether the recommended schedule was shown neither to be better than the
/// control nor to be practically equal to it.
pub(super) fn leads_by_chance(rows: &[LeaderboardRow]) -> bool {
    let of = |verdict| rows.iter().find(|row| row.verdict == verdict);
    let best = of(Verdict::Recommended);
    let behind = of(Verdict::Control).is_some_and(|control| {
        control.p_equivalent.is_none_or(|p| p <= 1.0 - ALPHA)
    });
    behind && best.is_some_and(|b| b.p_holm.is_some_and(|p| p >= ALPHA))
}

/// Whether no difference to the control is significant, and yet not all
/// schedules are equivalent.
pub(super) fn chance_explains(rows: &[LeaderboardRow]) -> bool {
    let significant =
        |row: &LeaderboardRow| row.p_holm.is_some_and(|p| p < ALPHA);
    let equal = |row: &LeaderboardRow| {
        row.verdict == Verdict::Recommended
            || row.p_equivalent.is_some_and(|p| p > 1.0 - ALPHA)
    };
    !rows.iter().any(significant) && !rows.iter().all(equal)
}
