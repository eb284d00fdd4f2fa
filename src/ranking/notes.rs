//! What a reader must know beside the numbers. Data only: the sentences are
//! in `report::prose`.

use super::Within;
use super::cells::Table;
use super::noise::{self, ControlAgain};
use super::protocol::{Protocol, Scale};
use super::replicates::{Parts, fewest_seeds};
use super::score::Direction;
use crate::stats::power::workloads_needed;
use crate::stats::skillings_mack::SkillingsMack;
use serde::{Serialize, Serializer};

/// A remark on a ranking; its `Display` is a sentence or more.
#[derive(Clone, Debug)]
pub(crate) enum Note {
    /// What must be said first.
    Caution(String),
    /// No run of any schedule completed.
    AllDiverged,
    /// What the runs without a result of each schedule did instead, and the
    /// schedules that have no result at all.
    Failures { told: Vec<String>, without: Vec<String> },
    /// What this many workloads can show.
    Power {
        workloads: usize,
        clusters: usize,
        /// Tests that Holm's correction is over.
        comparisons: usize,
        alpha: f64,
    },
    /// Workloads whose scores are training losses.
    OnTraining(Vec<String>),
    /// Workloads that were not used, and whether `--allow-missing` might use
    /// them.
    LeftOut { places: Vec<String>, allowed: bool },
    /// Workloads that lack a schedule and were taken in.
    Incomplete {
        places: Vec<String>,
        /// Of all schedules together.
        p: Option<f64>,
        /// Schedules compared with the control on so many clusters.
        partly: Vec<(String, usize)>,
        /// Schedules that share no cluster with the control.
        uncompared: Vec<String>,
        workloads: usize,
        clusters: usize,
    },
    /// Runs without a partner of the same seed.
    Unpaired(usize),
    /// The control where none was named.
    DefaultControl(String),
    /// What differences and regrets are in.
    Scale { column: String, scale: Scale, direction: Direction, rope: f64 },
    /// What the seeds of one workload can show.
    Seeds { seeds: usize, needed: usize, alpha: f64 },
    /// What the seeds of the only workload show.
    Alone(Vec<Within>),
    /// Standard deviations of the advantage of a schedule.
    Spread { between_workloads: f64, noise_floor: f64, more_workloads: bool },
    /// The control against itself.
    ControlAgain { seeds: usize, p: f64, as_expected: bool },
    /// Schedules that diverged more often than the control somewhere, or less.
    NoMeanDifference(Vec<String>),
    /// Pairs of schedules with equal scores everywhere.
    Tied { tied: usize, pairs: usize },
    /// A schedule that a race stopped, with the e-value if these runs show
    /// that it had to.
    Stopped { schedule: String, seeds: usize, of: usize, e: Option<f64> },
    /// A schedule that a race stopped and that shares no seed with the others.
    Unranked(String),
}

impl Serialize for Note {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// What the notes are made from, beside the table.
pub(super) struct Facts<'a> {
    pub(super) protocol: &'a Protocol,
    /// Comparisons with the control.
    pub(super) comparisons: usize,
    pub(super) column: &'a str,
    pub(super) control: usize,
    pub(super) rope: f64,
    /// Schedules without a mean difference to the control.
    pub(super) incomparable: Vec<String>,
    /// Schedules that were compared with the control on fewer clusters than
    /// there are, and on how many.
    pub(super) partly: Vec<(String, usize)>,
    /// Schedules that share no cluster with the control.
    pub(super) uncompared: Vec<String>,
    /// Pairs of schedules with equal scores everywhere, and all pairs.
    pub(super) tied: (usize, usize),
    pub(super) computed: Computed<'a>,
}

/// What was computed from the table as a whole.
pub(super) struct Computed<'a> {
    pub(super) all_diverged: bool,
    pub(super) variance: Option<Parts>,
    pub(super) control_again: Option<ControlAgain>,
    /// The test of all schedules, where some workload lacks one.
    pub(super) omnibus: Option<SkillingsMack>,
    pub(super) within: &'a [Within],
}

/// The notes, most important first.
pub(super) fn notes(table: &Table, facts: &Facts<'_>) -> Vec<Note> {
    let Facts { protocol, computed, .. } = facts;
    let (comparisons, alpha) = (facts.comparisons, protocol.alpha);
    let (workloads, clusters) = (table.blocks.len(), table.clusters.len());
    let caution = protocol.caution(facts.column).map(Note::Caution);
    let mut notes: Vec<Note> = caution.into_iter().collect();
    if computed.all_diverged {
        notes.push(Note::AllDiverged);
    }
    notes.extend(failures(table));
    if comparisons > 0 {
        notes.push(Note::Power { workloads, clusters, comparisons, alpha });
    }
    if !table.left_out.is_empty() {
        let (places, allowed) = (table.left_out.clone(), table.is_complete());
        notes.push(Note::LeftOut { places, allowed });
    }
    notes.extend(computed.omnibus.map(|test| Note::Incomplete {
        places: table.incomplete.clone(),
        p: test.p,
        partly: facts.partly.clone(),
        uncompared: facts.uncompared.clone(),
        workloads,
        clusters,
    }));
    if table.unpaired > 0 {
        notes.push(Note::Unpaired(table.unpaired));
    }
    if protocol.control.is_none() && table.schedules.len() > 1 {
        let control = table.schedules[facts.control].clone();
        notes.push(Note::DefaultControl(control));
    }
    notes.push(Note::Scale {
        column: facts.column.to_owned(),
        scale: table.scale,
        direction: table.direction,
        rope: facts.rope,
    });
    if comparisons > 0 {
        let needed = workloads_needed(comparisons, alpha);
        notes.push(Note::Seeds { seeds: fewest_seeds(table), needed, alpha });
    }
    if !computed.within.is_empty() {
        notes.push(Note::Alone(computed.within.to_vec()));
    }
    notes.extend(computed.variance.map(|parts| {
        let between = parts.components.interaction;
        let within = parts.components.residual / parts.seeds as f64;
        Note::Spread {
            between_workloads: (2.0 * between).sqrt(),
            noise_floor: noise::floor(&parts),
            more_workloads: between >= within,
        }
    }));
    notes.extend(computed.control_again.map(|again| Note::ControlAgain {
        seeds: again.seeds,
        p: again.p,
        as_expected: again.p >= alpha,
    }));
    if !facts.incomparable.is_empty() {
        notes.push(Note::NoMeanDifference(facts.incomparable.clone()));
    }
    let (tied, pairs) = facts.tied;
    if tied > 0 {
        notes.push(Note::Tied { tied, pairs });
    }
    notes
}

/// The runs that show nothing.
fn failures(table: &Table) -> Option<Note> {
    let all = table.schedules.iter().zip(&table.runs);
    let told: Vec<String> = all
        .chain(table.without.iter().map(|(name, runs)| (name, runs)))
        .filter(|(_, runs)| runs.failed() > 0)
        .map(|(name, runs)| runs.told(name))
        .collect();
    let without = table.without.iter().map(|(name, _)| name.clone());
    (!told.is_empty())
        .then(|| Note::Failures { told, without: without.collect() })
}
