//! A training step as a flat list of kernel calls.
//!
//! The shapes of a training never change from one update to the next. Two
//! recordings of the [`tape`](super::tape), made on different batches, show
//! whether the step is the same list of operations each time ([`graph`]). If
//! it is, the list is replayed on buffers of its own ([`plan`]): no tensors,
//! no allocation, no maps. The operations and their order are the tape's, and
//! so is every bit of the result.

mod graph;
mod plan;

use super::op::{Gradient, Kept, Op, Pass};
use super::slices;
use super::tape::{Recording, WeightGradients};
use candle_core::{CpuStorage, DType, Result, Storage, Tensor, bail};
pub(crate) use graph::Graph;
use graph::{Node, Source};
use plan::{Back, Place, Plan, Target};
use std::mem;

/// Most inputs that an operation has.
const INPUTS: usize = 3;

/// The step of one training.
pub(crate) struct Replay {
    /// Rows of a batch.
    rows: usize,
    batch: [Rows; 2],
    /// Weights that are inputs; others are free to change within a step, as
    /// the running statistics of batch norm do.
    read: Vec<usize>,
    calls: Vec<Call>,
    /// Output and kept values of each call.
    outputs: Vec<(Vec<f32>, Kept)>,
    /// Gradients of activations, reused within an update; the first is that
    /// of the loss.
    gradients: Vec<Vec<f32>>,
    /// Weights that receive a gradient.
    reached: Vec<bool>,
}

/// One operation, forward and backward.
struct Call {
    op: Box<dyn Op>,
    inputs: Vec<Source>,
    /// The part of the batch that its integers are.
    indices: Option<usize>,
    back: Back,
}

/// Rows of a resident tensor, one after the other.
enum Rows {
    Floats(Vec<f32>),
    Indices(Vec<u32>),
}

impl Rows {
    /// Space for a part of a batch; nothing for other types than the two.
    fn new((dtype, len): (DType, usize)) -> Option<Self> {
        match dtype {
            DType::F32 => Some(Self::Floats(vec![0.0; len])),
            DType::U32 => Some(Self::Indices(vec![0; len])),
            _ => None,
        }
    }

    /// Copies `rows` of `source`, whose shape but for the first extent is
    /// that of the batch.
    fn gather(&mut self, source: &Tensor, rows: &[u32]) -> Result<()> {
        let (storage, layout) = source.storage_and_layout();
        let Some((from, to)) = layout.contiguous_offsets() else {
            bail!("a resident tensor is not contiguous")
        };
        match (self, &*storage) {
            (Self::Floats(into), Storage::Cpu(CpuStorage::F32(values))) => {
                copy_rows(&values[from..to], rows, into);
            }
            (Self::Indices(into), Storage::Cpu(CpuStorage::U32(values))) => {
                copy_rows(&values[from..to], rows, into);
            }
            _ => bail!("a resident tensor has changed its type"),
        }
        Ok(())
    }

    fn floats(&self) -> &[f32] {
        match self {
            Self::Floats(values) => values,
            Self::Indices(_) => &[],
        }
    }

    fn indices(&self) -> &[u32] {
        match self {
            Self::Floats(_) => &[],
            Self::Indices(values) => values,
        }
    }
}

fn copy_rows<T: Copy>(from: &[T], rows: &[u32], into: &mut [T]) {
    let width = into.len() / rows.len().max(1);
    for (row, into) in rows.iter().zip(into.chunks_exact_mut(width.max(1))) {
        into.copy_from_slice(&from[*row as usize * width..][..width]);
    }
}

impl Replay {
    /// The step of `recording`, whose gradients are taken and whose operations
    /// are joined as in `graph`; nothing if another batch has another graph,
    /// or if this cannot do it.
    pub(crate) fn of(
        recording: Recording,
        graph: Graph,
        other: &Graph,
        weights: &WeightGradients,
    ) -> Option<Self> {
        if graph != *other {
            return None;
        }
        let Graph { rows, parts: [inputs, targets], nodes } = graph;
        let ops = recording.into_ops();
        let passes_on: Vec<bool> =
            ops.iter().map(|op| op.passes_on()).collect();
        let plan = Plan::of(&nodes, &passes_on, weights.vars.len())?;
        let outputs =
            nodes.iter().map(|node| (vec![0.0; node.len], None)).collect();
        let mut read = vec![];
        let mut calls = vec![];
        for ((op, node), back) in ops.into_iter().zip(nodes).zip(plan.backs) {
            let Node { mut inputs, indices, .. } = node;
            for input in &mut inputs {
                if let Source::Weight(i) = input {
                    let known = read.iter().position(|other| other == i);
                    let place = known.unwrap_or_else(|| {
                        read.push(*i);
                        read.len() - 1
                    });
                    *i = place;
                }
            }
            calls.push(Call { op, inputs, indices, back });
        }
        let buffers = plan.buffers.into_iter().map(|len| vec![0.0; len]);
        Some(Self {
            rows,
            batch: [Rows::new(inputs)?, Rows::new(targets)?],
            read,
            calls,
            outputs,
            gradients: buffers.collect(),
            reached: plan.reached,
        })
    }

    /// Whether a batch of so many rows can be replayed.
    pub(crate) fn takes(&self, rows: usize) -> bool {
        rows == self.rows
    }

    /// Loss of the rows `rows` of `source`, inputs and targets, and its
    /// gradient in `weights`.
    ///
    /// # Errors
    ///
    /// If a tensor of `source` is not what was recorded.
    pub(crate) fn run(
        &mut self,
        source: [&Tensor; 2],
        rows: &[u32],
        weights: &mut WeightGradients,
    ) -> Result<f64> {
        for (part, source) in self.batch.iter_mut().zip(source) {
            part.gather(source, rows)?;
        }
        let WeightGradients { vars, values, reached, .. } = weights;
        reached.copy_from_slice(&self.reached);
        let read: Vec<&Tensor> =
            self.read.iter().map(|&i| vars[i].as_tensor()).collect();
        slices::with_all(&read, |vars| {
            self.forward(vars);
            self.backward(vars, values);
            Ok(())
        })?;
        let loss = self.outputs.last().and_then(|(y, _)| y.first());
        Ok(f64::from(loss.copied().unwrap_or(f32::NAN)))
    }

    fn forward(&mut self, vars: &[&[f32]]) {
        for i in 0..self.calls.len() {
            let (mut y, mut kept) = mem::take(&mut self.outputs[i]);
            let call = &mut self.calls[i];
            if let Some(part) = call.indices
                && let Some(indices) = call.op.indices()
            {
                indices.0.copy_from_slice(self.batch[part].indices());
            }
            let inputs =
                sources(&call.inputs, vars, &self.outputs, &self.batch);
            call.op.forward(&inputs[..call.inputs.len()], &mut y, &mut kept);
            self.outputs[i] = (y, kept);
        }
    }

    fn backward(&mut self, vars: &[&[f32]], weights: &mut [Vec<f32>]) {
        self.gradients[0][0] = 1.0;
        for i in (0..self.calls.len()).rev() {
            let call = &self.calls[i];
            let (dy, targets) = match &call.back {
                Back::None => continue,
                Back::Each { dy, targets } => (*dy, &**targets),
                Back::PassOn { dy, .. } => (*dy, &[][..]),
            };
            let (y, kept) = &self.outputs[i];
            let inputs =
                sources(&call.inputs, vars, &self.outputs, &self.batch);
            let mut dy_values = mem::take(&mut self.gradients[dy]);
            let mut taken: [Vec<f32>; INPUTS] = Default::default();
            for (taken, target) in taken.iter_mut().zip(targets) {
                if let Some(target) = target {
                    *taken = mem::take(place(
                        target.place,
                        weights,
                        &mut self.gradients,
                    ));
                }
            }
            let mut wanted =
                targets.iter().zip(&mut taken).map(|(target, values)| {
                    target.map(|target| Gradient { values, add: target.add })
                });
            let mut wanted: [Option<Gradient<'_>>; INPUTS] =
                std::array::from_fn(|_| wanted.next().flatten());
            call.op.backward(Pass {
                inputs: &inputs[..call.inputs.len()],
                y,
                kept: kept.as_deref().unwrap_or_default(),
                dy: &mut dy_values,
                gradients: &mut wanted[..targets.len()],
            });
            for (taken, target) in taken.into_iter().zip(targets) {
                if let Some(target) = target {
                    *place(target.place, weights, &mut self.gradients) = taken;
                }
            }
            if let Back::PassOn { copies, .. } = &call.back {
                for &Target { place: to, add } in copies {
                    let values = place(to, weights, &mut self.gradients);
                    Gradient { values, add }.take(&dy_values);
                }
            }
            self.gradients[dy] = dy_values;
        }
    }
}

/// The buffer at a place.
fn place<'a>(
    place: Place,
    weights: &'a mut [Vec<f32>],
    gradients: &'a mut [Vec<f32>],
) -> &'a mut Vec<f32> {
    match place {
        Place::Weight(i) => &mut weights[i],
        Place::Buffer(i) => &mut gradients[i],
    }
}

/// The inputs of a call; those that it does not have are empty.
fn sources<'a>(
    inputs: &[Source],
    vars: &[&'a [f32]],
    outputs: &'a [(Vec<f32>, Kept)],
    batch: &'a [Rows; 2],
) -> [&'a [f32]; INPUTS] {
    std::array::from_fn(|i| match inputs.get(i) {
        None => &[][..],
        Some(Source::Weight(i)) => vars[*i],
        Some(Source::Output(i)) => &*outputs[*i].0,
        Some(Source::Batch(part)) => batch[*part].floats(),
    })
}
