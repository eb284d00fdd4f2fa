//! What is said about a study.

use super::{Judged, Study};
use crate::ranking::noise;
use crate::ranking::notes::{self, Computed, Note};
use crate::ranking::rows::workload_rows;
use crate::ranking::verdict;
use crate::ranking::{Nemenyi, Pair, Ranking, ScoreUsed, Within, replicates};
use crate::results::rows::{LeaderboardRow, Verdict, WorkloadRow};
use crate::seed::stream;
use crate::stats::friedman::{Friedman, friedman};
use crate::stats::nemenyi;
use crate::stats::skillings_mack::{SkillingsMack, skillings_mack};
use std::collections::BTreeMap;

/// The tests of all schedules at once: those of complete workloads, or the
/// one that takes what is there.
struct Omnibus {
    friedman: Friedman,
    nemenyi: Nemenyi,
    skillings_mack: Option<SkillingsMack>,
}

impl Omnibus {
    fn of(study: &Study<'_>) -> Self {
        if study.table.is_complete() {
            return Self {
                friedman: friedman(&study.ranks),
                nemenyi: study.nemenyi(),
                skillings_mack: None,
            };
        }
        let mut rng = stream(study.protocol.seed, "arrangements");
        let test = skillings_mack(&study.ranks, &mut rng);
        Self {
            friedman: Friedman::default(),
            nemenyi: Nemenyi::default(),
            skillings_mack: Some(test),
        }
    }
}

impl Study<'_> {
    /// All of it, by the scores of `column`.
    pub(in crate::ranking) fn ranking(&self, column: &str) -> Ranking {
        let table = self.table;
        let judged = self.judged();
        let omnibus = Omnibus::of(self);
        let variance = replicates::variance(table);
        let control_again = noise::control_again(table, self.control);
        let workload_rows = workload_rows(table, self.control);
        let within = self.within(&workload_rows);
        let computed = Computed {
            all_diverged: judged.all_diverged,
            variance,
            control_again,
            omnibus: omnibus.skillings_mack,
            within: &within,
        };
        Ranking {
            notes: self.notes(column, &judged.pairs, computed),
            leaderboard: self.leaderboard(&judged),
            clusters_wanted: self.wanted(&judged),
            schedules: table.schedules.clone(),
            workloads: table
                .blocks
                .iter()
                .map(|block| block.workload.clone())
                .collect(),
            n: table.clusters.len(),
            k: table.schedules.len(),
            alpha: self.protocol.alpha,
            score: ScoreUsed {
                column: column.to_owned(),
                better: table.direction,
                scale: table.scale,
            },
            mean_ranks: self.named(self.mean_ranks.iter().copied()),
            friedman: omnibus.friedman,
            skillings_mack: omnibus.skillings_mack,
            nemenyi: omnibus.nemenyi,
            regret: self.named(self.regrets.iter().copied()),
            noise_floor: variance.map(|parts| noise::floor(&parts)),
            variance: variance.map(|parts| parts.components),
            control_again,
            diverged: self.named(table.runs.iter().map(|runs| runs.diverged)),
            failed: table.failed(),
            verdicts: self.named(judged.verdicts.iter().copied()),
            behind: judged
                .behind
                .into_iter()
                .map(|(j, p)| (table.schedules[j].clone(), p))
                .collect(),
            within,
            equal: table
                .schedules
                .iter()
                .zip(&judged.equal)
                .filter(|(_, equal)| **equal)
                .map(|(name, _)| name.clone())
                .collect(),
            control: table.schedules[self.control].clone(),
            workload_rows,
            pairs: judged.pairs,
        }
    }

    /// Clusters that tell each undecided schedule from the best.
    fn wanted(&self, judged: &Judged) -> BTreeMap<String, usize> {
        let Some(best) = judged.best else { return BTreeMap::new() };
        let open = |j: &usize| {
            judged.verdicts[*j] == Verdict::Undecided
                && !judged.behind.contains_key(j)
        };
        let open: Vec<usize> =
            (0..judged.verdicts.len()).filter(open).collect();
        self.clusters_wanted(best, &open)
    }

    fn nemenyi(&self) -> Nemenyi {
        let names = &self.table.schedules;
        let (n, k) = (self.ranks.len(), names.len());
        let pairs = (0..k).flat_map(|a| (a + 1..k).map(move |b| (a, b)));
        let keys = pairs.map(|(a, b)| format!("{}|{}", names[a], names[b]));
        Nemenyi {
            critical_difference: nemenyi::critical_difference(
                k,
                n,
                self.protocol.alpha,
            ),
            p: keys.zip(nemenyi::pairwise(&self.mean_ranks, n)).collect(),
        }
    }

    fn leaderboard(&self, judged: &Judged) -> Vec<LeaderboardRow> {
        let Judged { pairs, p_equivalent, verdicts, .. } = judged;
        let groups = verdict::groups(&self.order, |a, b| self.differ(a, b));
        let row = |(i, &j): (usize, &usize)| {
            let schedule = &self.table.schedules[j];
            let pair = pairs.iter().find(|pair| pair.a == *schedule);
            LeaderboardRow {
                place: i + 1,
                group: groups[j].clone(),
                schedule: schedule.clone(),
                mean_rank: self.mean_ranks[j],
                mean_regret: self.regrets[j].mean,
                regret_low: self.regrets[j].low,
                regret_high: self.regrets[j].high,
                win_rate_vs_control: pair.map(|p| p.probability_a_better),
                p_holm: pair.map(|pair| pair.p_holm),
                p_equivalent: p_equivalent[j],
                diverged: self.table.runs[j].diverged,
                runs: self.table.runs[j].all,
                verdict: verdicts[j],
                failed: self.table.runs[j].failed(),
            }
        };
        self.order.iter().enumerate().map(row).collect()
    }

    /// The tests over the seeds of a study of one workload.
    fn within(&self, rows: &[WorkloadRow]) -> Vec<Within> {
        let [block] = self.table.blocks.as_slice() else { return vec![] };
        let control = &self.table.schedules[self.control];
        rows.iter()
            .filter_map(|row| {
                Some(Within {
                    workload: block.workload.clone(),
                    a: row.schedule.clone(),
                    b: control.clone(),
                    seeds: row.seeds,
                    mean_difference: row.difference,
                    low: row.difference_low,
                    high: row.difference_high,
                    p_holm: row.p_within?,
                })
            })
            .collect()
    }

    fn notes(
        &self,
        column: &str,
        pairs: &[Pair],
        computed: Computed<'_>,
    ) -> Vec<Note> {
        let tied = self
            .differences
            .values()
            .filter(|of| !of.is_empty() && of.iter().all(|d| *d == 0.0));
        let without = |pair: &&Pair| pair.mean_difference.is_none();
        let fewer = |pair: &&Pair| pair.n < self.table.clusters.len();
        let names = |pairs: Vec<&Pair>| -> Vec<String> {
            pairs.into_iter().map(|pair| pair.a.clone()).collect()
        };
        let incomparable = names(pairs.iter().filter(without).collect());
        let partly = pairs.iter().filter(fewer);
        let partly = partly.map(|pair| (pair.a.clone(), pair.n)).collect();
        let uncompared = self
            .others(self.control)
            .into_iter()
            .map(|j| self.table.schedules[j].clone())
            .filter(|name| pairs.iter().all(|pair| pair.a != *name))
            .collect();
        let facts = notes::Facts {
            protocol: self.protocol,
            comparisons: self.comparisons,
            column,
            control: self.control,
            rope: self.rope,
            incomparable,
            partly,
            uncompared,
            tied: (tied.count(), self.differences.len()),
            computed,
        };
        notes::notes(self.table, &facts)
    }
}
