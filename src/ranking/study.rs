//! From a table of runs to all that is said about it.

mod output;

use super::cells::{Cell, Count, Table, mean_rows, mean_there};
use super::protocol::Protocol;
use super::regret::{self, Regret};
use super::verdict::Evidence;
use super::{Bayes, Draws, Pair, pairs};
use crate::results::rows::Verdict;
use crate::seed::stream;
use crate::stats::bayes::{self, Regions};
use crate::stats::bootstrap::Interval;
use crate::stats::multiple::{
    among, benjamini_hochberg, hochberg, holm, hommel,
};
use crate::stats::paired::student;
use crate::stats::wilcoxon::{SignedRank, signed_rank};
use crate::stats::{power, superiority};
use std::collections::BTreeMap;

/// Everything computed on the way from a table to a ranking. Vectors have one
/// entry a schedule, in the order of the names.
pub(super) struct Study<'a> {
    table: &'a Table,
    control: usize,
    protocol: &'a Protocol,
    draws: Draws,
    /// Comparisons with the control, stopped schedules included.
    comparisons: usize,
    /// `(clusters, schedules)`; NaN where a cluster lacks a schedule.
    ranks: Vec<Vec<f64>>,
    mean_ranks: Vec<f64>,
    regrets: Vec<Regret>,
    /// 95 % intervals of the mean differences to the control.
    intervals: Vec<Option<Interval>>,
    /// Best first.
    order: Vec<usize>,
    /// Differences `a - b` of each cluster that has both, for all pairs
    /// `a < b`, lower is better.
    differences: BTreeMap<(usize, usize), Vec<f64>>,
    tests: BTreeMap<(usize, usize), SignedRank>,
    /// p of all pairs, with Holm's correction over all of them.
    p_all: BTreeMap<(usize, usize), f64>,
    rope: f64,
}

/// What the tests of a study say; vectors have one entry a schedule.
struct Judged {
    /// The schedule to use.
    best: Option<usize>,
    all_diverged: bool,
    /// Schedules that are significantly worse than that one, with p.
    behind: BTreeMap<usize, f64>,
    /// To be practically equal to that one.
    p_equivalent: Vec<Option<f64>>,
    /// Practically equal to it.
    equal: Vec<bool>,
    verdicts: Vec<Verdict>,
    /// Against the control, by schedule.
    pairs: Vec<Pair>,
}

impl<'a> Study<'a> {
    pub(super) fn new(
        table: &'a Table,
        control: usize,
        protocol: &'a Protocol,
        draws: Draws,
        stopped: usize,
    ) -> Self {
        let k = table.schedules.len();
        let all = k + stopped;
        let ranks = table.by_cluster(Cell::ranks);
        let mean_ranks = if table.is_complete() {
            mean_rows(ranks.iter())
        } else {
            pairs::mean_ranks(table)
        };
        let effects =
            regret::effects(table, control, protocol.seed, draws.bootstrap);
        let mut order: Vec<usize> = (0..k).collect();
        // Means of equal ranks in another order may differ in the last bit.
        let coarse = |j: usize| (mean_ranks[j] * 1e9).round();
        let mean_regret = |j: usize| effects.regrets[j].mean;
        order.sort_by(|&a, &b| {
            coarse(a)
                .total_cmp(&coarse(b))
                .then(table.runs[a].diverged.cmp(&table.runs[b].diverged))
                .then(mean_regret(a).total_cmp(&mean_regret(b)))
                .then(a.cmp(&b))
        });
        let pairs = || (0..k).flat_map(|b| (0..b).map(move |a| (a, b)));
        let differences: BTreeMap<(usize, usize), Vec<f64>> = pairs()
            .map(|(a, b)| ((a, b), pairs::differences(table, a, b)))
            .collect();
        let tests: BTreeMap<(usize, usize), SignedRank> = differences
            .iter()
            .map(|(&pair, differences)| (pair, signed_rank(differences)))
            .collect();
        let p: Vec<f64> = tests.values().map(|test| test.p).collect();
        let p_all = among(&p, all * (all - 1) / 2, holm);
        let p_all = tests.keys().copied().zip(p_all).collect();
        Self {
            table,
            control,
            protocol,
            draws,
            comparisons: all - 1,
            ranks,
            mean_ranks,
            regrets: effects.regrets,
            intervals: effects.differences,
            order,
            differences,
            tests,
            p_all,
            rope: pairs::rope(table, control, protocol),
        }
    }

    /// Differences `a - b` of each cluster that has both.
    fn differences(&self, a: usize, b: usize) -> Vec<f64> {
        if a < b {
            self.differences[&(a, b)].clone()
        } else {
            self.differences[&(b, a)].iter().map(|d| -d).collect()
        }
    }

    /// Rank sums in favour of `a` and of `b`, and p.
    fn test(&self, a: usize, b: usize) -> SignedRank {
        let test = self.tests[&(a.min(b), a.max(b))];
        if a < b {
            return test;
        }
        SignedRank { plus: test.minus, minus: test.plus, ..test }
    }

    /// Whether `a` and `b` differ significantly among all pairs.
    fn differ(&self, a: usize, b: usize) -> bool {
        self.p_all[&(a.min(b), a.max(b))] < self.protocol.alpha
    }

    /// All schedules but `j`.
    fn others(&self, j: usize) -> Vec<usize> {
        (0..self.mean_ranks.len()).filter(|&i| i != j).collect()
    }

    /// Posterior probabilities of each schedule of `of` against the control,
    /// then of each of `against_best` against `best`.
    fn posterior(
        &self,
        of: &[usize],
        best: Option<usize>,
        against_best: &[usize],
    ) -> (Vec<Regions>, Vec<Regions>) {
        let mut differences: Vec<Vec<f64>> =
            of.iter().map(|&j| self.differences(j, self.control)).collect();
        if let Some(best) = best {
            let more = against_best.iter();
            differences.extend(more.map(|&j| self.differences(j, best)));
        }
        let pairs: Vec<bayes::Pair<'_>> = differences
            .iter()
            .map(|d| bayes::Pair { differences: d, rope: self.rope })
            .collect();
        let mut rng = stream(self.protocol.seed, "posterior");
        let mut regions = match self.draws.posterior {
            None => bayes::signed_rank(&pairs, &mut rng),
            Some(draws) => bayes::signed_rank_with(&pairs, draws, &mut rng),
        };
        let best = regions.split_off(of.len());
        (regions, best)
    }

    /// What the tests say.
    fn judged(&self) -> Judged {
        let table = self.table;
        let k = table.schedules.len();
        let others = self.others(self.control);
        let tests: Vec<SignedRank> =
            others.iter().map(|&j| self.test(j, self.control)).collect();
        let p: Vec<f64> = tests.iter().map(|test| test.p).collect();
        let adjust = |by| among(&p, self.comparisons, by);
        let p_holm = adjust(holm);
        let mut dominated = vec![false; k];
        for ((&j, test), p) in others.iter().zip(&tests).zip(&p_holm) {
            dominated[j] = *p < self.protocol.alpha && test.plus > test.minus;
        }
        let evidence = Evidence {
            alpha: self.protocol.alpha,
            comparisons: self.comparisons,
            control: self.control,
            order: &self.order,
            all_diverged: table.runs.iter().all(Count::none_finished),
            dominated: &dominated,
        };
        let best = evidence.recommended();
        let rivals = best.map_or(vec![], |best| self.others(best));
        let (to_control, to_best) = self.posterior(&others, best, &rivals);
        let mut p_equivalent = vec![None; k];
        for (&j, regions) in rivals.iter().zip(&to_best) {
            p_equivalent[j] = Some(regions.rope);
        }
        let behind: BTreeMap<usize, f64> =
            best.map_or_else(BTreeMap::new, |best| self.behind(best));
        let judge = |(j, &p): (usize, &Option<f64>)| {
            let clusters = match best {
                Some(best) if best != j => self.differences(j, best).len(),
                _ => table.clusters.len(),
            };
            let behind = behind.contains_key(&j);
            let verdict = evidence.verdict(j, clusters, p, behind);
            (verdict, evidence.equal(clusters, p, behind))
        };
        let (verdicts, equal) =
            p_equivalent.iter().enumerate().map(judge).unzip();
        let wins = mean_there(
            &table.averages(|c| pairs::win_shares(table, c, self.control)),
        );
        let (hochberg, hommel) = (adjust(hochberg), adjust(hommel));
        let discovered = adjust(benjamini_hochberg);
        let pairs = others
            .iter()
            .enumerate()
            // Two that no workload has are not compared.
            .filter(|(_, j)| !self.differences(**j, self.control).is_empty())
            .map(|(i, &j)| Pair {
                p_holm: p_holm[i],
                p_hochberg: hochberg[i],
                p_hommel: hommel[i],
                p_benjamini_hochberg: discovered[i],
                ..self.pair(j, &tests[i], to_control[i], wins[j])
            })
            .collect();
        let all_diverged = evidence.all_diverged;
        Judged {
            best,
            all_diverged,
            behind,
            p_equivalent,
            equal,
            verdicts,
            pairs,
        }
    }

    /// Schedules that are significantly worse than `best`, with p among all
    /// pairs.
    fn behind(&self, best: usize) -> BTreeMap<usize, f64> {
        let worse = |j: usize| {
            let test = self.test(j, best);
            self.differ(j, best) && test.plus > test.minus
        };
        let p = |j: usize| (j, self.p_all[&(j.min(best), j.max(best))]);
        self.others(best).into_iter().filter(|&j| worse(j)).map(p).collect()
    }

    /// Clusters that tell each of the schedules `open` from `best`: more than
    /// there are, for these do not.
    ///
    /// From the control a schedule is told among the comparisons with it, from
    /// any other, which the same data chose, among all pairs.
    fn clusters_wanted(
        &self,
        best: usize,
        open: &[usize],
    ) -> BTreeMap<String, usize> {
        let all = self.comparisons + 1;
        let tests = if best == self.control {
            self.comparisons
        } else {
            all * (all - 1) / 2
        };
        let wanted = |j: usize| {
            let mut differences = self.differences(j, best);
            // Divergence is the largest difference, whatever its unit.
            let finite = differences.iter().filter(|d| d.is_finite());
            let most = finite.map(|d| d.abs()).fold(0.0, f64::max);
            for difference in &mut differences {
                *difference = difference.clamp(-most, most);
            }
            let effect = student(&differences)?.effect;
            let clusters =
                power::clusters_needed(effect, tests, self.protocol.alpha)?;
            Some(clusters.max(differences.len() + 1))
        };
        open.iter()
            .filter_map(|&j| {
                Some((self.table.schedules[j].clone(), wanted(j)?))
            })
            .collect()
    }

    /// Values of the schedules by their names.
    fn named<T>(&self, values: impl Iterator<Item = T>) -> BTreeMap<String, T> {
        self.table.schedules.iter().cloned().zip(values).collect()
    }

    /// `j` against the control, but for the corrections of its p.
    fn pair(
        &self,
        j: usize,
        test: &SignedRank,
        regions: Regions,
        wins: f64,
    ) -> Pair {
        let names = &self.table.schedules;
        let differences = self.differences(j, self.control);
        let n = differences.len();
        let mean = differences.iter().sum::<f64>() / n as f64;
        // Back to the user's sign; `+ 0` turns -0 into 0.
        let turn = |d: f64| self.table.sign * d + 0.0;
        let interval = self.intervals[j].map(|interval| {
            let (a, b) = (turn(interval.low), turn(interval.high));
            (a.min(b), a.max(b))
        });
        let superior = superiority::interval(wins, n, self.protocol.alpha);
        Pair {
            a: names[j].clone(),
            b: names[self.control].clone(),
            n,
            mean_difference: mean.is_finite().then(|| turn(mean)),
            wilcoxon_w: test.w(),
            p: test.p,
            p_holm: test.p,
            p_hochberg: test.p,
            p_hommel: test.p,
            p_benjamini_hochberg: test.p,
            method: if test.exact { "exact" } else { "normal" },
            bayes: Bayes {
                left: regions.left,
                rope: regions.rope,
                right: regions.right,
                rope_width: self.rope,
            },
            probability_a_better: wins,
            probability_low: superior.low,
            probability_high: superior.high,
            interval,
        }
    }
}
