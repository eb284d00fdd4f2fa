//! What became of the runs of a schedule.

use crate::record::{Observation, Outcome, Shown};
use crate::text::{count, quoted};
use std::collections::BTreeMap;

/// Runs of one schedule.
#[derive(Clone, Debug, Default)]
pub(in crate::ranking) struct Count {
    pub(in crate::ranking) all: usize,
    pub(in crate::ranking) diverged: usize,
    /// Runs that show nothing, by what they did instead.
    pub(in crate::ranking) nothing: BTreeMap<&'static str, usize>,
}

impl Count {
    pub(in crate::ranking) fn add(&mut self, run: &Observation) {
        self.all += 1;
        match run.shown() {
            Shown::Score(_) => {}
            Shown::Divergence => self.diverged += 1,
            Shown::Nothing => {
                let what = match run.outcome {
                    Outcome::Failed => "failed",
                    Outcome::TimedOut => "timed out",
                    Outcome::Stopped => "stopped early",
                    Outcome::Running => "not over",
                    Outcome::Completed | Outcome::Diverged => "without a score",
                };
                *self.nothing.entry(what).or_default() += 1;
            }
        }
    }

    /// Runs that show nothing.
    pub(in crate::ranking) fn failed(&self) -> usize {
        self.nothing.values().sum()
    }

    /// Whether no run came to its end.
    pub(in crate::ranking) fn none_finished(&self) -> bool {
        self.diverged + self.failed() == self.all
    }

    /// Runs that show something.
    pub(in crate::ranking) fn shown(&self) -> usize {
        self.all - self.failed()
    }

    /// "`cosine` 3 failed, 1 timed out, of 21 runs": what those that show
    /// nothing did instead.
    pub(in crate::ranking) fn told(&self, schedule: &str) -> String {
        let what = self.nothing.iter().map(|(what, n)| format!("{n} {what}"));
        let what: Vec<String> = what.collect();
        let of = count(self.all, "run", "runs");
        format!("{} {}, of {of}", quoted(schedule), what.join(", "))
    }
}
