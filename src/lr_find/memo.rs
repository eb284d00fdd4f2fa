//! Stored runs of a finder: an interrupted search for a rate continues after
//! them.

use super::{LossKind, TrialLosses, Watch};
use crate::digest;
use crate::error::Result;
use crate::record::AnyFloat;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// The result of a run.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Recorded {
    /// The losses of a range test.
    Losses(Vec<AnyFloat>),
    /// The losses of a trial; `None` if it diverged.
    Trial(Option<TrialLosses>),
}

/// The storage of the runs. A name is made from the seed and the rates.
#[derive(Clone, Copy)]
pub(crate) struct Memo<'a> {
    /// The run of a name, if it was stored.
    pub(crate) recall: &'a (dyn Fn(&str) -> Option<Recorded> + Sync),
    /// Stores a run, with its time.
    pub(crate) keep: &'a (dyn Fn(&str, &Recorded, Duration) + Sync),
}

impl Memo<'_> {
    /// Stores nothing.
    pub(crate) const NONE: Memo<'static> =
        Memo { recall: &|_| None, keep: &|_, _, _| () };

    /// The losses of a range test: stored ones, or new ones from `train`.
    pub(super) fn losses(
        &self,
        (rates, seed, on): (&[f64], u64, LossKind),
        watch: &mut Watch<'_>,
        train: impl FnOnce(&mut Watch<'_>) -> Result<Vec<f64>>,
    ) -> Result<Vec<f64>> {
        let name = name("range test", rates, seed, on);
        if let Some(Recorded::Losses(losses)) = (self.recall)(&name) {
            let losses = losses.into_iter().map(|AnyFloat(loss)| loss);
            let losses: Vec<f64> = losses.collect();
            // It ended where the watch broke, and ends there again.
            for (i, &loss) in losses.iter().enumerate() {
                if watch(i, loss).is_break() {
                    break;
                }
            }
            return Ok(losses);
        }
        let began = Instant::now();
        let losses = train(watch)?;
        let known = losses.iter().copied().map(AnyFloat).collect();
        (self.keep)(&name, &Recorded::Losses(known), began.elapsed());
        Ok(losses)
    }

    /// The losses at the end of a trial: stored ones, or new ones from `run`.
    pub(super) fn trial(
        &self,
        rates: &[f64],
        seed: u64,
        run: impl FnOnce() -> Result<Option<TrialLosses>>,
    ) -> Result<Option<TrialLosses>> {
        let name = name("trial", rates, seed, LossKind::Valid);
        if let Some(Recorded::Trial(losses)) = (self.recall)(&name) {
            return Ok(losses);
        }
        let began = Instant::now();
        let losses = run()?;
        (self.keep)(&name, &Recorded::Trial(losses), began.elapsed());
        Ok(losses)
    }
}

fn name(kind: &str, rates: &[f64], seed: u64, on: LossKind) -> String {
    let run = serde_json::to_vec(&(kind, rates, seed, on));
    digest::of(&run.expect("plain data"))
}

#[cfg(test)]
mod tests {
    use super::super::one_by_one;
    use super::super::{FindOutcome, Means, RangeTest, Verify, on_workload};
    use super::*;
    use crate::schedule::ScheduleSpec;
    use crate::spec::{DatasetSpec, ModelSpec, OptimizerSpec, WorkloadSpec};
    use crate::train::Trainer;
    use crate::workload::Registry;
    use candle_core::Device;
    use std::collections::HashMap;
    use std::path::Path;
    use std::sync::{Arc, Mutex};

    #[test]
    fn a_search_goes_on_behind_what_was_run_before() {
        let dataset = DatasetSpec::PowerLaw { noise: 0.5, exponent: 1.0 };
        let registry = Registry::builtin();
        let data = registry.load(&dataset, 0.0, Path::new(""), &Device::Cpu);
        let spec = WorkloadSpec {
            model: ModelSpec::Mlp { hidden: vec![] },
            dataset,
            label_noise: 0.0,
            optimizer: OptimizerSpec::sgd(),
            batch: 8,
            accumulate: 1,
            weights: None,
        };
        let data = Arc::new(data.expect("generated"));
        let workload = registry.workload("w", &spec, data, Arc::default());
        let trainer = Trainer::Candle(workload.expect("built in"));
        let kept: Mutex<HashMap<String, Recorded>> = Mutex::default();
        // As a file has them.
        let recall = |run: &str| {
            let known = kept.lock().expect("whole").get(run).cloned()?;
            let text = serde_json::to_string(&known).expect("plain data");
            Some(serde_json::from_str(&text).expect("its own words"))
        };
        let runs = Mutex::new(0);
        let keep = |run: &str, known: &Recorded, _| {
            *runs.lock().expect("whole") += 1;
            kept.lock().expect("whole").insert(run.to_owned(), known.clone());
        };
        let find = |memo: Memo<'_>| {
            let verify = Verify { horizon: 200, trainings: 5.0 };
            let (steps, seeds) = verify.range_test();
            let test = RangeTest { steps, seeds, ..RangeTest::default() };
            let control = ScheduleSpec::linear();
            let verify = Some((&verify, &control));
            let means = Means { several: &one_by_one, memo, stop: &|| false };
            on_workload(&trainer, &test, verify, 1, means).expect("trains")
        };
        let fresh = find(Memo::NONE);
        assert_eq!(fresh.outcome, FindOutcome::Found, "{}", fresh.reason);
        let memo = Memo { recall: &recall, keep: &keep };
        assert_eq!(find(memo), fresh);
        let all = std::mem::take(&mut *runs.lock().expect("whole"));
        assert_eq!(all, kept.lock().expect("whole").len());
        // Half of them are lost.
        let mut names: Vec<String> =
            kept.lock().expect("whole").keys().cloned().collect();
        names.sort_unstable();
        for name in &names[..all / 2] {
            kept.lock().expect("whole").remove(name);
        }
        assert_eq!(find(memo), fresh);
        assert_eq!(*runs.lock().expect("whole"), all / 2);
    }
}
