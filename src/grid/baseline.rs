//! `baseline`: what is done without lrscout. It is trained beside the
//! schedules, at its own rate.

use super::wire::{Entry, Node, Source, Table, Value, find};
use super::{Experiment, WorkloadEntry, axes, schedules};
use crate::error::Result;
use crate::schedule::ScheduleSpec;
use crate::spec::TrainerSpec;
use crate::text::excerpt;
use std::collections::BTreeMap;

/// What a workload is trained with without lrscout.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Baseline {
    /// A peak and a schedule.
    Given(f64, ScheduleSpec),
    /// What the script does by itself: peak and rates over it at each budget
    /// that was recorded.
    Recorded(BTreeMap<usize, (f64, ScheduleSpec)>),
}

impl Baseline {
    /// Its label, in the place of that of a schedule.
    pub(crate) const LABEL: &'static str = "baseline";

    /// Peak and schedule at a budget; `None` if they are to be recorded.
    pub(crate) fn at(&self, budget: usize) -> Option<(f64, &ScheduleSpec)> {
        match self {
            Self::Given(lr, schedule) => Some((*lr, schedule)),
            Self::Recorded(budgets) => {
                budgets.get(&budget).map(|(lr, schedule)| (*lr, schedule))
            }
        }
    }
}

impl WorkloadEntry {
    /// A workload without a baseline, whose table begins at byte `at`.
    pub(super) fn new(
        at: usize,
        name: String,
        spec: TrainerSpec,
        cluster: String,
        lr: Option<f64>,
    ) -> Self {
        Self { at, name, spec, cluster, lr, baseline: None }
    }
}

impl Experiment {
    /// Label of the schedule `index` of a run: the baselines of all workloads
    /// come after the schedules.
    pub(crate) fn label(&self, index: usize) -> String {
        match self.schedules.get(index) {
            Some(schedule) => schedule.label(),
            None => Baseline::LABEL.to_owned(),
        }
    }

    /// Starts that record what scripts do by themselves.
    pub(crate) fn recordings(&self) -> usize {
        let recorded = |entry: &&WorkloadEntry| {
            matches!(entry.baseline, Some(Baseline::Recorded(_)))
        };
        self.budgets.len() * self.workloads.iter().filter(recorded).count()
    }

    /// What a run of the schedule `index` follows; `None` for a baseline that
    /// is still to be recorded.
    pub(crate) fn schedule(
        &self,
        index: usize,
        workload: usize,
        budget: usize,
    ) -> Option<&ScheduleSpec> {
        if let Some(schedule) = self.schedules.get(index) {
            return Some(schedule);
        }
        let baseline = self.workloads[workload].baseline.as_ref()?;
        baseline.at(budget).map(|(_, schedule)| schedule)
    }
}

const WANTED: &str = "\"recorded\", or a table such as { lr = 0.001, schedule \
                      = \"cosine\" }";

/// The `baseline` of `table`, if it has one; its `words` start a script.
pub(super) fn read(
    source: Source<'_>,
    table: &Table,
    words: &[String],
) -> Result<Option<Baseline>> {
    let Some(entry) = find(table, "baseline") else { return Ok(None) };
    let node = &entry.node;
    let Value::Table(table) = &node.value else {
        if source.text("baseline", node, WANTED)? != "recorded" {
            return Err(source.mismatch("baseline", node, WANTED));
        }
        if let Some(word) = words.iter().find(|word| word.contains("{lr}")) {
            let message = format!(
                "`{word}` asks for the rate, so the script has none of its \
                 own to record: give {{ lr = ..., schedule = ... }}"
            );
            return Err(source.error(node.at, message));
        }
        return Ok(Some(Baseline::Recorded(BTreeMap::new())));
    };
    source.keys(table, "`baseline`", &["lr", "schedule"])?;
    let needed = |key: &str| {
        find(table, key).ok_or_else(|| {
            let message = format!("`baseline` has no `{key}`: it is {WANTED}");
            source.error(node.at, message)
        })
    };
    let wanted = "a learning rate above 0, at most 1000000";
    let lr = source
        .number("lr", &needed("lr")?.node, wanted, |x| x > 0.0 && x <= 1e6)?;
    let schedule = schedule(source, &needed("schedule")?.node)?;
    Ok(Some(Baseline::Given(lr, schedule)))
}

/// A schedule by the name of its kind, or as a table.
fn schedule(source: Source<'_>, node: &Node) -> Result<ScheduleSpec> {
    let Value::Table(table) = &node.value else {
        let name = source.text("schedule", node, WANTED)?;
        let kind = Node { at: node.at, value: Value::Text(name.to_owned()) };
        let (key, at) = ("kind".to_owned(), node.at);
        return schedules::read_one(
            source,
            at,
            &vec![Entry { key, at, node: kind }],
        );
    };
    if axes::count(table) > 1 {
        let message = "the lists in this table make several schedules, but a \
                       baseline is one";
        return Err(source.error(node.at, message));
    }
    let tables = axes::expand(source, table)?;
    schedules::read_one(source, node.at, &tables[0])
}

/// Refuses baselines that cannot be ranked with the schedules: a ranking is
/// over workloads that have all of them, at the same multiples.
pub(super) fn fits(
    source: Source<'_>,
    tables: &[(usize, &Table)],
    workloads: &[WorkloadEntry],
    budgets: &[usize],
    lr_multiples: &[f64],
) -> Result<()> {
    let of = |at: usize| {
        let table = tables.iter().find(|(place, _)| *place == at);
        table.and_then(|(_, table)| find(table, "baseline"))
    };
    for entry in workloads {
        let Some(baseline) = &entry.baseline else { continue };
        let at = of(entry.at).map_or(entry.at, |entry| entry.node.at);
        if lr_multiples.len() > 1 {
            let message = "a baseline is trained at its own rate and at no \
                           multiple of it, so it cannot be ranked in a grid \
                           with `lr_multiples`: leave these out, or the \
                           baseline";
            return Err(source.error(at, message));
        }
        if let Some(other) = workloads.iter().find(|w| w.baseline.is_none()) {
            let message = format!(
                "`{}` has no `baseline`, and schedules are ranked on \
                 workloads that have all of them: give it one, or a grid of \
                 its own",
                other.name
            );
            return Err(source.error(other.at, message));
        }
        let Baseline::Given(_, schedule) = baseline else { continue };
        for &steps in budgets {
            if let Err(problem) = schedule.stands_at(steps) {
                let message = format!(
                    "{} (at the budget of {steps} steps)",
                    problem.message
                );
                return Err(source.error(at, message));
            }
        }
        let reacts = matches!(schedule.kind(), "refined" | "plateau");
        if reacts || schedule.averages() {
            let message = format!(
                "a baseline cannot be {}: it takes rates that are known \
                 before the training",
                excerpt(schedule.kind())
            );
            return Err(source.error(at, message));
        }
    }
    Ok(())
}
