//! What a run leaves behind: numbers only, no tensors, no paths.

use serde::{Deserialize, Serialize};

/// How a run ended. Divergence is a result, not an error.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize,
)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Outcome {
    /// Spent its whole budget.
    Completed,
    /// The loss was not finite, or stayed above its start by more than noise
    /// and by more than it had fallen.
    Diverged,
    /// An error or panic of this one run; the others went on.
    Failed,
    /// Took longer than a run may; the others went on.
    TimedOut,
    /// Not run, because a race had stopped its schedule; in tables of other
    /// tools a run that was stopped early, by a pruner.
    Stopped,
    /// Not over yet: in tables of other tools only.
    Running,
}

/// Words for how a run ended, ours first, then those of other tools: wandb,
/// Optuna, `MLflow`, Slurm.
const WORDS: [(Outcome, &str); 6] = [
    (
        Outcome::Completed,
        "completed, complete, finished, done, success, succeeded, \
         successful, ok",
    ),
    (Outcome::Diverged, "diverged, nan"),
    (
        Outcome::Failed,
        "failed, fail, failure, crashed, crash, killed, error, errored, \
         preempted, cancelled, canceled, aborted, interrupted, node-fail, \
         out-of-memory, oom",
    ),
    (Outcome::TimedOut, "timed-out, timeout"),
    (Outcome::Stopped, "stopped, pruned"),
    (Outcome::Running, "running, pending, queued, scheduled, waiting"),
];

impl Outcome {
    /// The outcome that a table calls `word`; capitals do not matter, nor
    /// whether words are joined by `-`, `_` or a space.
    ///
    /// # Errors
    ///
    /// The known words, if it is none of them.
    pub(crate) fn named(word: &str) -> Result<Self, String> {
        let plain = word.trim().to_lowercase().replace(['_', ' '], "-");
        WORDS
            .iter()
            .find(|(_, words)| words.split(", ").any(|word| word == plain))
            .map(|(outcome, _)| *outcome)
            .ok_or_else(|| WORDS.map(|(_, words)| words).join("; "))
    }
}

/// The [`metric`](RunRecord::metric) of a run that was never evaluated after its
/// last update: its validation loss and metric are its training loss.
pub(crate) const ON_TRAINING: &str = "training loss (last tenth)";

/// One row of `results/<grid>/runs.csv`. Field order is column order; new
/// columns go to the end only.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct RunRecord {
    /// Content hash of the run's spec; the key that makes a rerun a no-op.
    pub(crate) run_id: String,
    /// Name of the workload (model x data set x optimizer).
    pub(crate) workload: String,
    /// Workloads that share a data set share a cluster.
    pub(crate) cluster: String,
    /// Label of the optimizer.
    pub(crate) optimizer: String,
    /// Label of the schedule.
    pub(crate) schedule: String,
    /// Budget, in optimizer updates.
    pub(crate) budget: usize,
    /// Peak rate as a multiple of the rate found.
    pub(crate) lr_multiple: f64,
    /// Seed of weights and batch order.
    pub(crate) seed: u64,
    /// Peak learning rate of the schedule.
    pub(crate) peak_lr: f64,
    /// Optimizer updates done.
    pub(crate) steps: usize,
    /// How it ended.
    pub(crate) outcome: Outcome,
    /// Mean training loss over the last tenth of the steps.
    pub(crate) train_loss: Option<f64>,
    /// Mean validation loss at the end; empty if it diverged.
    pub(crate) valid_loss: Option<f64>,
    /// Mean test loss at the end.
    pub(crate) test_loss: Option<f64>,
    /// Validation metric at the end, in the unit of `metric`.
    pub(crate) valid_metric: Option<f64>,
    /// Test metric at the end, in the unit of `metric`.
    pub(crate) test_metric: Option<f64>,
    /// `accuracy` (share), `rmse` or `bits-per-character`; where a program
    /// trains, as the grid calls it, or `loss`, or [`ON_TRAINING`].
    pub(crate) metric: String,
}

impl RunRecord {
    /// The run as a ranking sees it, with `score` if it completed; `line` is
    /// where its row stands.
    pub(crate) fn observation(
        &self,
        score: Option<f64>,
        line: usize,
    ) -> Observation {
        Observation {
            workload: self.workload.clone(),
            cluster: self.cluster.clone(),
            schedule: self.schedule.clone(),
            seed: self.seed,
            budget: Some(self.budget as u64),
            lr_multiple: Some(self.lr_multiple),
            score,
            outcome: self.outcome,
            line,
        }
    }
}

/// One run as the ranking sees it, from our `runs.csv` or another tool's.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Observation {
    /// Name of the workload, the block of the test.
    pub workload: String,
    /// Workloads of one cluster count once; the workload's own name if the
    /// file has no clusters.
    pub cluster: String,
    /// Label of the schedule.
    pub schedule: String,
    /// Seed, the replicate inside a workload.
    pub seed: u64,
    /// Budget, where the file has one.
    pub budget: Option<u64>,
    /// Multiple of the found rate, where the file has one.
    pub lr_multiple: Option<f64>,
    /// Score, which counts if the run completed; NaN or infinite if it
    /// diverged at the end, `None` if there is none.
    pub score: Option<f64>,
    /// How the run ended. One that diverged ranks behind all that did not;
    /// one that failed or was stopped shows nothing about its schedule.
    pub outcome: Outcome,
    /// 1-based line of the file, for messages.
    pub line: usize,
}

/// What a run shows about its schedule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shown {
    /// A finite score.
    Score(f64),
    /// That it diverges.
    Divergence,
    /// Nothing: the run failed, was stopped, is not over or has no score.
    Nothing,
}

impl Observation {
    /// A run that spent its budget and gave `score`; NaN if it diverged at
    /// the end. Its workload is a cluster of its own; it has no budget and no
    /// multiple.
    ///
    /// ```
    /// use lrscout::{Observation, Outcome};
    ///
    /// let run = Observation::new("letter-mlp", "cosine", 0, 0.31)
    ///     .cluster("letter")
    ///     .budget(1000)
    ///     .lr_multiple(0.5);
    /// assert_eq!(run.score, Some(0.31));
    /// let failed = Observation::new("letter-mlp", "cosine", 1, None)
    ///     .outcome(Outcome::Failed);
    /// assert_eq!(failed.cluster, "letter-mlp");
    /// ```
    pub fn new(
        workload: &str,
        schedule: &str,
        seed: u64,
        score: impl Into<Option<f64>>,
    ) -> Self {
        Self {
            workload: workload.to_owned(),
            cluster: workload.to_owned(),
            schedule: schedule.to_owned(),
            seed,
            budget: None,
            lr_multiple: None,
            score: score.into(),
            outcome: Outcome::Completed,
            line: 0,
        }
    }

    /// Names its cluster: workloads of one cluster, as those on one data set,
    /// count once.
    #[must_use]
    pub fn cluster(self, cluster: &str) -> Self {
        Self { cluster: cluster.to_owned(), ..self }
    }

    /// Sets its budget, in optimizer updates.
    #[must_use]
    pub fn budget(self, budget: u64) -> Self {
        Self { budget: Some(budget), ..self }
    }

    /// Sets its peak rate as a multiple of the rate found.
    #[must_use]
    pub fn lr_multiple(self, multiple: f64) -> Self {
        Self { lr_multiple: Some(multiple), ..self }
    }

    /// Says how it ended, if not by spending its whole budget.
    #[must_use]
    pub fn outcome(self, outcome: Outcome) -> Self {
        Self { outcome, ..self }
    }

    /// What the run shows about its schedule.
    pub(crate) fn shown(&self) -> Shown {
        match (self.outcome, self.score) {
            (Outcome::Completed, Some(score)) if score.is_finite() => {
                Shown::Score(score)
            }
            (Outcome::Completed, Some(_)) | (Outcome::Diverged, _) => {
                Shown::Divergence
            }
            _ => Shown::Nothing,
        }
    }

    /// Its score, if it is one that counts.
    pub(crate) fn counted(&self) -> Option<f64> {
        match self.shown() {
            Shown::Score(score) => Some(score),
            Shown::Divergence | Shown::Nothing => None,
        }
    }

    /// Whether a race had stopped the schedule before this run.
    pub(crate) fn is_stopped(&self) -> bool {
        self.outcome == Outcome::Stopped
    }
}

/// A number that may be infinite or none at all, in JSON as a number or as
/// one of the words `nan`, `inf` and `-inf`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(transparent)]
pub(crate) struct AnyFloat(#[serde(with = "any_float")] pub(crate) f64);

/// Numbers that JSON lacks, as the strings `nan`, `inf` and `-inf`.
pub(crate) mod any_float {
    use serde::de::{Error, Unexpected, Visitor};
    use serde::{Deserializer, Serializer};
    use std::fmt;

    struct AnyNumber;

    impl Visitor<'_> for AnyNumber {
        type Value = f64;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a number, or \"nan\", \"inf\" or \"-inf\"")
        }

        fn visit_f64<E: Error>(self, value: f64) -> Result<f64, E> {
            Ok(value)
        }

        fn visit_u64<E: Error>(self, value: u64) -> Result<f64, E> {
            Ok(value as f64)
        }

        fn visit_i64<E: Error>(self, value: i64) -> Result<f64, E> {
            Ok(value as f64)
        }

        fn visit_str<E: Error>(self, word: &str) -> Result<f64, E> {
            let wrong = |_| E::invalid_value(Unexpected::Str(word), &self);
            word.parse().map_err(wrong)
        }
    }

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the signature that serde calls"
    )]
    pub(crate) fn serialize<S: Serializer>(
        value: &f64,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match *value {
            value if value.is_finite() => serializer.serialize_f64(value),
            value if value.is_nan() => serializer.serialize_str("nan"),
            value if value > 0.0 => serializer.serialize_str("inf"),
            _ => serializer.serialize_str("-inf"),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<f64, D::Error> {
        deserializer.deserialize_any(AnyNumber)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_have_many_words() {
        for (word, outcome) in [
            ("completed", Outcome::Completed),
            ("finished", Outcome::Completed),
            ("FINISHED", Outcome::Completed),
            ("COMPLETE", Outcome::Completed),
            (" done ", Outcome::Completed),
            ("diverged", Outcome::Diverged),
            ("NaN", Outcome::Diverged),
            ("FAIL", Outcome::Failed),
            ("CRASHED", Outcome::Failed),
            ("killed", Outcome::Failed),
            ("NODE_FAIL", Outcome::Failed),
            ("out of memory", Outcome::Failed),
            ("timed-out", Outcome::TimedOut),
            ("TIMEOUT", Outcome::TimedOut),
            ("pruned", Outcome::Stopped),
            ("stopped", Outcome::Stopped),
            ("RUNNING", Outcome::Running),
        ] {
            assert_eq!(Outcome::named(word), Ok(outcome), "{word}");
        }
        for word in ["", "complet", "yes", "terminated"] {
            let known = Outcome::named(word).expect_err(word);
            assert!(known.starts_with("completed, complete, fin"), "{known}");
            assert!(known.ends_with("scheduled, waiting"), "{known}");
        }
    }

    #[test]
    fn our_own_words_are_those_of_the_tables() {
        for (outcome, words) in WORDS {
            let json = serde_json::to_value(outcome).expect("JSON");
            assert_eq!(json, words.split(", ").next().expect("a word"));
        }
    }
}
