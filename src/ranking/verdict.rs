//! What the numbers say about each schedule.
//!
//! The rules, for `n` clusters at level alpha:
//!
//! - `dominated`: `p_holm < alpha` and worse than the control. The family is
//!   the `k - 1` comparisons with the control, which is fixed before the
//!   results are seen, so with no difference anywhere the chance of one false
//!   `dominated` is at most alpha, whatever the number of schedules, seeds or
//!   budgets. A rule against the best schedule found would need all
//!   `k (k - 1) / 2` pairs to hold as much. Significance is enough: whether
//!   the difference matters is for `mean_difference` and the ROPE to say.
//!   A schedule that a race stopped is `dominated` by the race's own evidence,
//!   which has the other half of alpha: the tests here are two-sided, and
//!   only one side is a verdict.
//! - `recommended`: the best place among those not dominated; exactly one,
//!   however little evidence there is, unless every run diverged or there is
//!   one schedule only.
//! - `control`: the control, if it is not recommended.
//! - `equivalent`: not significantly worse than the recommended one (Holm
//!   over all pairs, because that one was chosen by the same data), and
//!   practically equal to it with a probability of 0.9. With fewer clusters
//!   than one comparison needs to become significant nothing is called
//!   equivalent either.
//! - `undecided`: the rest.

use crate::results::rows::Verdict;
use crate::stats::power::smallest_wilcoxon_p;

/// Posterior probability from which two schedules count as practically equal.
const EQUAL: f64 = 0.9;

/// What the verdicts rest on; one entry a schedule.
pub(super) struct Evidence<'a> {
    pub(super) alpha: f64,
    /// Comparisons with the control, stopped schedules included.
    pub(super) comparisons: usize,
    pub(super) control: usize,
    /// Best first.
    pub(super) order: &'a [usize],
    pub(super) all_diverged: bool,
    /// Worse than the control, `p_holm < alpha`.
    pub(super) dominated: &'a [bool],
}

impl Evidence<'_> {
    /// The schedule to use.
    pub(super) fn recommended(&self) -> Option<usize> {
        if self.all_diverged || self.comparisons == 0 {
            return None;
        }
        self.order.iter().copied().find(|&j| !self.dominated[j])
    }

    /// Whether a schedule is practically equal to the recommended one, by the
    /// rule for `equivalent`; the numbers are those of [`Self::verdict`].
    pub(super) fn equal(
        &self,
        clusters: usize,
        p_equivalent: Option<f64>,
        worse_than_best: bool,
    ) -> bool {
        smallest_wilcoxon_p(clusters) < self.alpha
            && !worse_than_best
            && p_equivalent.is_some_and(|p| p >= EQUAL)
    }

    /// The verdict on schedule `j`, whose probability of being practically
    /// equal to the recommended one over the `clusters` that have both is
    /// `p_equivalent`, and which may be significantly `worse_than_best`.
    pub(super) fn verdict(
        &self,
        j: usize,
        clusters: usize,
        p_equivalent: Option<f64>,
        worse_than_best: bool,
    ) -> Verdict {
        if self.recommended() == Some(j) {
            Verdict::Recommended
        } else if j == self.control {
            Verdict::Control
        } else if self.dominated[j] {
            Verdict::Dominated
        } else if self.equal(clusters, p_equivalent, worse_than_best) {
            Verdict::Equivalent
        } else {
            Verdict::Undecided
        }
    }
}

/// Letters for `order`, best first: schedules that share one are not told
/// apart. A letter spans neighbours of which no two differ (`differ(a, b)`).
pub(super) fn groups(
    order: &[usize],
    differ: impl Fn(usize, usize) -> bool,
) -> Vec<String> {
    let mut groups = vec![String::new(); order.len()];
    let mut letters = ('a'..='z').chain('A'..='Z').chain('α'..='ω');
    let mut end = 0;
    for start in 0..order.len() {
        // What is left of a span without its first has no difference either,
        // so the end only moves on.
        let reached = end;
        end = end.max(start + 1);
        while end < order.len()
            && order[start..end].iter().all(|&i| !differ(i, order[end]))
        {
            end += 1;
        }
        // One that ends no further than the last is part of it.
        if end > reached
            && let Some(letter) = letters.next()
        {
            for &j in &order[start..end] {
                groups[j].push(letter);
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_span_neighbours_that_are_not_told_apart() {
        // 0 and 1 are close to their neighbours only; 3 is far from all.
        let far = |a: usize, b: usize| a.abs_diff(b) > 1 || a.max(b) == 3;
        assert_eq!(groups(&[0, 1, 2, 3], far), ["a", "ab", "b", "c"]);
        assert_eq!(groups(&[1, 0], |_, _| false), ["a", "a"]);
        assert_eq!(groups(&[1, 0], |_, _| true), ["b", "a"]);
        assert!(groups(&[], |_, _| true).is_empty());
    }

    #[test]
    fn a_letter_is_shared_where_nothing_between_differs() {
        // Whether two differ, for each of the 2^10 relations among five.
        let bit = |a: usize, b: usize| {
            let (low, high) = (a.min(b), a.max(b));
            high * (high - 1) / 2 + low
        };
        let order = [0, 1, 2, 3, 4];
        for relation in 0..1_u32 << 10 {
            let differ = |a, b| relation >> bit(a, b) & 1 == 1;
            let letters = groups(&order, differ);
            for b in 0..5 {
                for a in 0..b {
                    let shared =
                        letters[a].chars().any(|c| letters[b].contains(c));
                    let mut pairs =
                        (a..=b).flat_map(|j| (a..j).map(move |i| (i, j)));
                    let alike = pairs.all(|(i, j)| !differ(i, j));
                    assert_eq!(shared, alike, "{relation:b}: {letters:?}");
                }
            }
        }
    }

    #[test]
    fn one_schedule_is_recommended_and_it_is_not_dominated() {
        let evidence = Evidence {
            alpha: 0.05,
            comparisons: 3,
            control: 2,
            order: &[1, 0, 2, 3],
            all_diverged: false,
            dominated: &[false, true, false, false],
        };
        assert_eq!(evidence.recommended(), Some(0));
        let of = |j, p| evidence.verdict(j, 10, p, false);
        assert_eq!(of(0, None), Verdict::Recommended);
        assert_eq!(of(1, Some(1.0)), Verdict::Dominated);
        assert_eq!(of(2, Some(1.0)), Verdict::Control);
        assert_eq!(of(3, Some(0.95)), Verdict::Equivalent);
        assert_eq!(of(3, Some(0.5)), Verdict::Undecided);
        let few = evidence.verdict(3, 5, Some(1.0), false);
        assert_eq!(few, Verdict::Undecided);
    }
}
