//! Schedules that a race stopped, beside those that have all their runs.

use super::notes::Note;
use super::protocol::Protocol;
use super::race::{Evidence, race};
use super::{Pair, Ranking, Verdict};
use crate::error::Result;
use crate::record::Observation;
use crate::results::rows::OF_RACE;
use std::collections::{BTreeMap, BTreeSet};

/// The schedules without runs from some seed on.
pub(super) struct Raced {
    /// The first seed that each lacks, by name.
    from: BTreeMap<String, u64>,
    /// What the race has against each.
    evidence: BTreeMap<String, Evidence>,
    /// Seeds of the whole study.
    seeds: usize,
}

/// Where and why a schedule stopped.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    /// Seeds it had, of how many.
    seeds: (usize, usize),
    evidence: Option<Evidence>,
}

/// The runs of schedules of which none is marked as stopped.
pub(super) fn never_stopped(runs: &[Observation]) -> Vec<Observation> {
    let stopped: BTreeSet<&str> = runs
        .iter()
        .filter(|run| run.is_stopped())
        .map(|run| run.schedule.as_str())
        .collect();
    let live = |run: &&Observation| !stopped.contains(run.schedule.as_str());
    runs.iter().filter(live).cloned().collect()
}

impl Raced {
    /// A schedule counts if from one seed on all of its runs are marked as
    /// stopped, and none before; the control never does. Other runs with that
    /// mark show nothing, like those that failed.
    ///
    /// # Errors
    ///
    /// If the runs cannot be compared.
    pub(super) fn among(
        observations: &[Observation],
        column: &str,
        protocol: &Protocol,
    ) -> Result<Self> {
        let mut first: BTreeMap<&str, u64> = BTreeMap::new();
        for run in observations.iter().filter(|run| run.is_stopped()) {
            let seed = first.entry(&run.schedule).or_insert(run.seed);
            *seed = run.seed.min(*seed);
        }
        let none =
            Self { from: BTreeMap::new(), evidence: BTreeMap::new(), seeds: 0 };
        if first.is_empty() {
            return Ok(none);
        }
        let names: BTreeSet<&str> =
            observations.iter().map(|run| run.schedule.as_str()).collect();
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let control = &names[protocol.control_among(&names)?];
        let ordered = |schedule: &str, from: u64| {
            let mut own =
                observations.iter().filter(|run| run.schedule == schedule);
            own.clone().any(|run| !run.is_stopped())
                && own.all(|run| run.is_stopped() == (run.seed >= from))
        };
        let from: BTreeMap<String, u64> = first
            .into_iter()
            .filter(|&(name, from)| name != control && ordered(name, from))
            .map(|(name, from)| (name.to_owned(), from))
            .collect();
        if from.is_empty() {
            return Ok(none);
        }
        let seeds: BTreeSet<u64> =
            observations.iter().map(|run| run.seed).collect();
        let seeds: Vec<u64> = seeds.into_iter().collect();
        let kept =
            names.into_iter().filter(|name| !from.contains_key(name)).collect();
        let evidence = race(observations, &seeds, &kept, column, protocol)?;
        Ok(Self { from, evidence, seeds: seeds.len() })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.from.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.from.len()
    }

    /// The runs of all other schedules.
    pub(super) fn live(
        &self,
        observations: &[Observation],
    ) -> Vec<Observation> {
        let live = |run: &&Observation| !self.from.contains_key(&run.schedule);
        observations.iter().filter(live).cloned().collect()
    }

    /// Each stopped schedule with its runs and those of all that went on on
    /// the same seeds; the one that lasted longest comes first.
    pub(super) fn each<'a>(
        &'a self,
        observations: &'a [Observation],
    ) -> impl Iterator<Item = (&'a str, Vec<Observation>, End)> {
        let mut order: Vec<(&String, u64)> =
            self.from.iter().map(|(name, from)| (name, *from)).collect();
        order.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        order.into_iter().map(|(name, from)| {
            let beside = |run: &&Observation| {
                run.seed < from
                    && (run.schedule == *name
                        || !self.from.contains_key(&run.schedule))
            };
            let runs: Vec<Observation> =
                observations.iter().filter(beside).cloned().collect();
            let seeds: BTreeSet<u64> =
                runs.iter().map(|run| run.seed).collect();
            let end = End {
                seeds: (seeds.len(), self.seeds),
                evidence: self.evidence.get(name).copied(),
            };
            (name.as_str(), runs, end)
        })
    }
}

impl Ranking {
    /// Adds the stopped `schedule` behind all others, with its numbers from
    /// `beside`, the ranking on the seeds that it has.
    ///
    /// Its p values are the reciprocal of the race's e-value, which holds
    /// whenever the race ended; a signed-rank test on data that were looked
    /// at before would not. It is `dominated` if the race shows it on these
    /// runs, by this protocol.
    pub(super) fn append(&mut self, beside: &Self, schedule: &str, end: End) {
        let shown = end.evidence.is_some_and(|e| e.stopped_after.is_some());
        let verdict =
            if shown { Verdict::Dominated } else { Verdict::Undecided };
        let p = end.evidence.map_or(1.0, |e| (1.0 / e.e).min(1.0));
        let name = schedule.to_owned();
        let at = self.schedules.partition_point(|s| *s < name);
        self.schedules.insert(at, name.clone());
        self.k += 1;
        self.mean_ranks.insert(name.clone(), beside.mean_ranks[schedule]);
        self.regret.insert(name.clone(), beside.regret[schedule]);
        self.diverged.insert(name.clone(), beside.diverged[schedule]);
        self.failed.insert(name.clone(), beside.failed[schedule]);
        self.verdicts.insert(name.clone(), verdict);
        let pair = beside.pairs.iter().find(|pair| pair.a == schedule);
        self.pairs.extend(pair.map(|pair| Pair {
            p,
            p_holm: p,
            p_hochberg: p,
            p_hommel: p,
            p_benjamini_hochberg: p,
            method: OF_RACE,
            ..pair.clone()
        }));
        self.pairs.sort_by(|a, b| a.a.cmp(&b.a));
        let rows = beside.workload_rows.iter();
        self.workload_rows
            .extend(rows.filter(|row| row.schedule == schedule).cloned());
        self.workload_rows.sort_by(|a, b| {
            (&a.workload, &a.schedule).cmp(&(&b.workload, &b.schedule))
        });
        let row = beside.leaderboard.iter().find(|r| r.schedule == schedule);
        if let Some(row) = row {
            let mut row = row.clone();
            row.place = self.leaderboard.len() + 1;
            row.group = self.next_letter();
            row.p_holm = Some(p);
            row.p_equivalent = None;
            row.verdict = verdict;
            self.leaderboard.push(row);
        }
        let (had, all) = end.seeds;
        self.notes.push(Note::Stopped {
            schedule: schedule.to_owned(),
            seeds: had,
            of: all,
            e: shown.then_some(1.0 / p),
        });
    }

    /// A letter that no group has yet.
    fn next_letter(&self) -> String {
        let used = |letter: &char| {
            self.leaderboard.iter().any(|row| row.group.contains(*letter))
        };
        let mut letters = ('a'..='z').chain('A'..='Z').chain('α'..='ω');
        letters.find(|c| !used(c)).map_or_else(String::new, String::from)
    }
}
