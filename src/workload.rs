//! A workload: model x data set x optimizer; and the names that grids may use.

use crate::data::{Batches, Dataset};
use crate::error::{Error, Result};
use crate::model::{self, Model};
use crate::optim::Checkpoint;
use crate::spec::{DatasetSpec, ModelSpec, OptimizerSpec, WorkloadSpec};
use crate::text;
use candle_core::{Device, Tensor};
use candle_nn::{ModuleT, VarBuilder};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

/// Builds a model from fresh (or loaded) weights for a data set.
pub(crate) type Build = Arc<
    dyn Fn(VarBuilder<'_>, &Dataset) -> candle_core::Result<Model>
        + Send
        + Sync,
>;

type Load = Arc<dyn Fn(&Device) -> Result<Dataset> + Send + Sync>;

/// What is trained: a model on a data set by an optimizer.
#[derive(Clone)]
pub(crate) struct Workload {
    /// Unique in a grid.
    pub(crate) name: String,
    /// The data, resident once and shared by all runs.
    pub(crate) data: Arc<Dataset>,
    /// Makes the model.
    pub(crate) build: Build,
    /// Every forward pass of the model takes the same steps, whatever the
    /// values, and has no effect but on weights.
    pub(crate) is_static: bool,
    /// The optimizer, without its learning rate.
    pub(crate) optimizer: OptimizerSpec,
    /// Examples an update.
    pub(crate) batch: usize,
    /// Parts that the batch of an update is computed in.
    pub(crate) accumulate: usize,
    /// Weights to start from instead of fresh ones, by name.
    pub(crate) weights: Arc<HashMap<String, Tensor>>,
    /// Training to go on from.
    pub(crate) checkpoint: Option<Arc<Checkpoint>>,
}

/// The models and data sets that experiment files may name.
///
/// Starts with the built-in ones; a program of your own adds its models and
/// data sets and gets the whole command line on them (see
/// [`main`](crate::main)).
///
/// ```no_run
/// use lrscout::{Dataset, Registry, nn};
///
/// fn main() -> std::process::ExitCode {
///     let registry = Registry::builtin()
///         .model("linear", |vb, data| {
///             nn::linear(data.features(), data.outputs(), vb)
///         })
///         .dataset("wine", |device| {
///             Dataset::csv("wine.csv", "quality").load(device)
///         });
///     lrscout::main(registry)
/// }
/// ```
#[derive(Clone, Default)]
pub struct Registry {
    // BTreeMaps, so that messages list names in a stable order.
    models: BTreeMap<String, Build>,
    datasets: BTreeMap<String, Load>,
}

impl Registry {
    /// The built-in models and data sets alone.
    pub fn builtin() -> Self {
        Self::default()
    }

    /// Adds a model under `name`, replacing what had that name.
    ///
    /// All that its training changes has to be in weights from the builder:
    /// runs that begin alike are trained once, and copies of the weights go
    /// on from there.
    #[must_use]
    pub fn model<M, F>(mut self, name: &str, build: F) -> Self
    where
        M: ModuleT + Send + Sync + 'static,
        F: Fn(VarBuilder<'_>, &Dataset) -> candle_core::Result<M>
            + Send
            + Sync
            + 'static,
    {
        self.models.insert(name.to_owned(), boxed(build));
        self
    }

    /// Adds a data set under `name`, replacing what had that name.
    #[must_use]
    pub fn dataset<F>(mut self, name: &str, load: F) -> Self
    where
        F: Fn(&Device) -> Result<Dataset> + Send + Sync + 'static,
    {
        self.datasets.insert(name.to_owned(), Arc::new(load));
        self
    }

    /// The names added to the built-in ones, for the grid.
    pub(crate) fn known(&self) -> crate::grid::Known {
        crate::grid::Known {
            models: self.models.keys().cloned().collect(),
            datasets: self.datasets.keys().cloned().collect(),
            rules: vec![],
            epoch: self.epoch(),
        }
    }

    /// Tells how many updates a pass over the data of a workload takes.
    fn epoch(&self) -> crate::grid::Epoch {
        let registry = self.clone();
        let epoch = move |spec: &WorkloadSpec, base: &Path| {
            let examples = match &spec.dataset {
                DatasetSpec::Named(set) => set.kind.rows[0],
                other => {
                    registry.load(other, 0.0, base, &Device::Cpu)?.train.len()
                }
            };
            Ok(Batches::a_pass(examples, spec.batch))
        };
        crate::grid::Epoch(Some(Arc::new(epoch)))
    }

    /// Loads a data set onto `device`; relative paths count from `base`.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or makes no data set.
    pub(crate) fn load(
        &self,
        spec: &DatasetSpec,
        label_noise: f64,
        base: &Path,
        device: &Device,
    ) -> Result<Dataset> {
        match spec {
            DatasetSpec::Registered { name } => {
                let load = self.datasets.get(name).ok_or_else(|| {
                    unknown("data set", name, self.datasets.keys())
                })?;
                let data = load(device)?.with_label_noise(label_noise)?;
                data.check()?;
                Ok(data)
            }
            _ => crate::data::load(spec, label_noise, base, device),
        }
    }

    /// The workload `name` of `spec` on data and weights that are already
    /// loaded.
    ///
    /// # Errors
    ///
    /// If the model's name is unknown.
    pub(crate) fn workload(
        &self,
        name: &str,
        spec: &WorkloadSpec,
        data: Arc<Dataset>,
        weights: Arc<HashMap<String, Tensor>>,
    ) -> Result<Workload> {
        let build = match &spec.model {
            ModelSpec::Registered { name } => self
                .models
                .get(name)
                .cloned()
                .ok_or_else(|| unknown("model", name, self.models.keys()))?,
            model => {
                let model = model.clone();
                let build: Build =
                    Arc::new(move |vb, data| model::build(&model, vb, data));
                build
            }
        };
        Ok(Workload {
            name: name.to_owned(),
            data,
            build,
            is_static: !matches!(spec.model, ModelSpec::Registered { .. }),
            optimizer: spec.optimizer.clone(),
            batch: spec.batch,
            accumulate: spec.accumulate,
            weights,
            checkpoint: None,
        })
    }
}

/// Erases the type of the model that `build` makes.
pub(crate) fn boxed<M, F>(build: F) -> Build
where
    M: ModuleT + Send + Sync + 'static,
    F: Fn(VarBuilder<'_>, &Dataset) -> candle_core::Result<M>
        + Send
        + Sync
        + 'static,
{
    Arc::new(move |vb, data| Ok(Box::new(build(vb, data)?)))
}

fn unknown<'a>(
    kind: &str,
    name: &str,
    known: impl Iterator<Item = &'a String>,
) -> Error {
    let known: Vec<_> = known.map(String::as_str).collect();
    Error::Invalid(text::unknown(kind, name, &known))
}
