//! Preparation before the first cell: data, trainers, the plan.

use super::device::{self, Streams};
use super::external::Programs;
use crate::data::Dataset;
use crate::digest;
use crate::error::Result;
use crate::grid::{Experiment, WorkloadEntry};
use crate::plan::Plan;
use crate::spec::{DatasetSpec, TrainerSpec};
use crate::train::{Replica, Trainer};
use crate::workload::Registry;
use candle_core::{Device, Tensor};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// An experiment with loaded data and planned cells.
pub(crate) struct Prepared {
    /// The trainers of its workloads, in the order of the experiment.
    pub(crate) trainers: Vec<Trainer>,
    /// The cells to compute.
    pub(crate) plan: Plan,
    /// `cpu`, `cuda` or `metal`.
    pub(crate) device_class: &'static str,
    pub(super) streams: Streams,
}

impl Prepared {
    /// The trainer of a workload for `worker`.
    ///
    /// # Errors
    ///
    /// If the device memory is too small for its data.
    pub(super) fn trainer(
        &self,
        workload: usize,
        worker: usize,
    ) -> Result<Trainer> {
        self.streams.trainer(&self.trainers, workload, worker)
    }
}

/// Loads every data set of `experiment` once and expands its cells. Paths are
/// relative to `base`, the folder of the grid.
///
/// # Errors
///
/// If a data set cannot be loaded or the device is not available.
pub(crate) fn prepare(
    experiment: &Experiment,
    registry: &Registry,
    base: &Path,
) -> Result<Prepared> {
    // External programs choose their own devices.
    let is_candle =
        |entry: &WorkloadEntry| matches!(entry.spec, TrainerSpec::Candle(_));
    let device = if experiment.workloads.iter().any(is_candle) {
        device::open(experiment.device)?
    } else {
        Device::Cpu
    };
    let mut loaded: Vec<(&DatasetSpec, f64, Arc<Dataset>, String)> = vec![];
    let mut trainers = vec![];
    let mut fingerprints = vec![];
    let mut programs = Programs::default();
    for entry in &experiment.workloads {
        let spec = match &entry.spec {
            TrainerSpec::Candle(spec) => spec,
            TrainerSpec::External(spec) => {
                let (external, print) =
                    programs.trainer(&entry.name, spec, base)?;
                trainers.push(Trainer::External(external));
                fingerprints.push(print);
                continue;
            }
        };
        let known = loaded.iter().find(|(dataset, noise, ..)| {
            **dataset == spec.dataset && *noise == spec.label_noise
        });
        let (data, fingerprint) = if let Some((.., data, print)) = known {
            (Arc::clone(data), print.clone())
        } else {
            let data = registry.load(
                &spec.dataset,
                spec.label_noise,
                base,
                &device,
            )?;
            let print = data.fingerprint()?;
            let data = Arc::new(data);
            let entry = (
                &spec.dataset,
                spec.label_noise,
                Arc::clone(&data),
                print.clone(),
            );
            loaded.push(entry);
            (data, print)
        };
        let (weights, print) = match &spec.weights {
            Some(file) => given_weights(&base.join(file))?,
            None => Default::default(),
        };
        let workload = registry.workload(&entry.name, spec, data, weights)?;
        if workload.optimizer.names_weights() {
            // Building a model shows whether the named weights exist.
            Replica::new(&workload, 0)?;
        }
        trainers.push(Trainer::Candle(workload));
        fingerprints.push(fingerprint + &print);
    }
    let device_class = device::class(&device);
    let plan = Plan::new(experiment, &fingerprints, device_class);
    let streams = Streams::new(&device);
    Ok(Prepared { trainers, plan, device_class, streams })
}

/// The weights of a file by name, and a digest of them.
fn given_weights(
    path: &Path,
) -> Result<(Arc<HashMap<String, Tensor>>, String)> {
    let weights = crate::optim::weights(path)?;
    let mut by_name: Vec<(&str, &Tensor)> =
        weights.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    by_name.sort_by_key(|(name, _)| *name);
    let print = format!("+{}", digest::tensors(by_name)?);
    Ok((Arc::new(weights), print))
}
