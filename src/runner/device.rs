//! The device of a grid, with a stream for each worker.

use super::workers::lock;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::grid::DeviceSpec;
use crate::train::Trainer;
use crate::workload::Workload;
use candle_core::{Device, DeviceLocation};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// The device that a grid requests.
///
/// # Errors
///
/// If it is not available.
pub(super) fn open(spec: DeviceSpec) -> Result<Device> {
    let missing = |name: &str| {
        let remedy = format!(
            "device `{name}` is not available: build with `--features {name}` \
             on a machine that has one, or take `device = \"cpu\"`"
        );
        move |_| Error::Invalid(remedy)
    };
    match spec {
        DeviceSpec::Cpu => Ok(Device::Cpu),
        DeviceSpec::Cuda(index) => {
            Device::new_cuda_with_stream(index).map_err(missing("cuda"))
        }
        DeviceSpec::Metal => Device::new_metal(0).map_err(missing("metal")),
        DeviceSpec::Auto => Ok(Device::new_cuda_with_stream(0)
            .or_else(|_| Device::new_metal(0))
            .unwrap_or(Device::Cpu)),
    }
}

/// The class of a device, which separates results of different devices.
pub(super) fn class(device: &Device) -> &'static str {
    match device {
        Device::Cpu => "cpu",
        Device::Cuda(_) => "cuda",
        Device::Metal(_) => "metal",
    }
}

/// The trainers of a grid for each worker. On a CUDA device each worker has
/// its own stream, with its own copy of the data: operations of one stream run
/// one after the other, so workers on a common stream would not run at once.
pub(super) struct Streams {
    /// Number of the CUDA device, if it is one.
    cuda: Option<usize>,
    /// The trainers of all workers but the first, which uses the stream that
    /// the data were loaded on.
    others: Mutex<HashMap<usize, Vec<Trainer>>>,
}

impl Streams {
    pub(super) fn new(device: &Device) -> Self {
        let cuda = match device.location() {
            DeviceLocation::Cuda { gpu_id } => Some(gpu_id),
            DeviceLocation::Cpu | DeviceLocation::Metal { .. } => None,
        };
        Self { cuda, others: Mutex::default() }
    }

    /// One of `trainers` for `worker`.
    ///
    /// # Errors
    ///
    /// If the device memory is too small for its data.
    pub(super) fn trainer(
        &self,
        trainers: &[Trainer],
        workload: usize,
        worker: usize,
    ) -> Result<Trainer> {
        // External programs need neither stream nor data.
        let moves =
            worker > 0 && matches!(trainers[workload], Trainer::Candle(_));
        let Some(gpu) = self.cuda.filter(|_| moves) else {
            return Ok(trainers[workload].clone());
        };
        let mut others = lock(&self.others);
        if let Some(own) = others.get(&worker) {
            return Ok(own[workload].clone());
        }
        let device = Device::new_cuda_with_stream(gpu)
            .map_err(Error::tensor("making a stream"))?;
        let own = moved(trainers, &device)?;
        let found = own[workload].clone();
        others.insert(worker, own);
        Ok(found)
    }
}

/// `trainers` with their data on `device`; shared data are copied once.
fn moved(trainers: &[Trainer], device: &Device) -> Result<Vec<Trainer>> {
    let mut known: Vec<(&Arc<Dataset>, Arc<Dataset>)> = vec![];
    trainers
        .iter()
        .map(|trainer| {
            let Trainer::Candle(workload) = trainer else {
                return Ok(trainer.clone());
            };
            let same =
                known.iter().find(|(a, _)| Arc::ptr_eq(a, &workload.data));
            let data = if let Some((_, data)) = same {
                Arc::clone(data)
            } else {
                // Copied through the host, which every stream waits for.
                let data = workload
                    .data
                    .to_device(&Device::Cpu)
                    .and_then(|data| data.to_device(device))
                    .map_err(Error::tensor("copying the data set"))?;
                let data = Arc::new(data);
                known.push((&workload.data, Arc::clone(&data)));
                data
            };
            Ok(Trainer::Candle(Workload { data, ..workload.clone() }))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::Experiment;
    use crate::workload::Registry;
    use std::path::Path;

    const GRID: &str = r#"
budgets = [10]
[[workload]]
model = ["mlp", { kind = "mlp", hidden = [8] }]
dataset = ["digits", "satimage"]
name = "{model}-{dataset}"
[[schedule]]
kind = "linear"
"#;

    #[test]
    fn what_workloads_share_is_moved_once() {
        let registry = Registry::builtin();
        let known = registry.known();
        let grid = Experiment::parse(Path::new("a.toml"), GRID, &known);
        let grid = grid.expect("a right grid");
        let prepared = super::super::prepare(&grid, &registry, Path::new(""))
            .expect("prepared");
        let data = |trainers: &[Trainer]| {
            let data =
                |t: &Trainer| Arc::clone(&t.workload().expect("candle").data);
            trainers.iter().map(data).collect::<Vec<_>>()
        };
        let own = moved(&prepared.trainers, &Device::Cpu).expect("moved");
        let (ours, own) = (data(&prepared.trainers), data(&own));
        for (a, there) in ours.iter().zip(&own) {
            assert!(!Arc::ptr_eq(a, there));
            for (b, too) in ours.iter().zip(&own) {
                assert_eq!(Arc::ptr_eq(a, b), Arc::ptr_eq(there, too));
            }
            let print = |data: &Dataset| data.fingerprint().expect("read");
            assert_eq!(print(a), print(there));
        }
    }

    #[test]
    fn without_a_gpu_its_name_is_an_error_and_auto_is_the_cpu() {
        if !cfg!(any(feature = "cuda", feature = "metal")) {
            for spec in [DeviceSpec::Cuda(1), DeviceSpec::Metal] {
                let why = open(spec).expect_err("none").to_string();
                assert!(why.contains("--features"), "{why}");
            }
            let auto = open(DeviceSpec::Auto).expect("the CPU");
            assert_eq!(class(&auto), "cpu");
        }
    }
}
