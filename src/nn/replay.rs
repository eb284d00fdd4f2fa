//! A training step as a flat list of kernel calls.
//!
//! The shapes of a training never change from one update to the next. Two
//! recordings of the [`tape`](super::tape), made on different batches, show
//! whether the step is the same list of operations each time. If it is, the
//! list is replayed on buffers of its own: no tensors, no allocation, no maps.
//! The operations and their order are the tape's, and so is every bit of the
//! result.

use super::op::{Gradient, Kept, Op, Pass};
use super::slices;
use super::tape::{Entry, Key, Recording, WeightGradients, key};
use candle_core::{CpuStorage, DType, Result, Storage, Tensor, bail};
use std::collections::HashMap;
use std::mem;

/// Most inputs that an operation has.
const INPUTS: usize = 3;

/// A batch that was recorded: its inputs, then its targets.
pub(crate) type Batch = (Tensor, Tensor);

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
    /// Gradients of activations, reused within an update.
    gradients: Vec<Vec<f32>>,
    /// The gradient of the loss.
    seed: usize,
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

/// Where an input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// A weight: its number; in a [`Call`], its place in [`Replay::read`].
    Weight(usize),
    /// The output of this call.
    Output(usize),
    /// Inputs (0) or targets (1) of the batch.
    Batch(usize),
}

/// The backward pass of a call; numbers are those of gradient buffers.
enum Back {
    /// The loss does not depend on it.
    None,
    Each {
        dy: usize,
        targets: Vec<Option<Target>>,
    },
    /// Every gradient equals `dy`, whose buffer the last input takes over.
    PassOn {
        dy: usize,
        copies: Vec<Target>,
    },
}

/// The target of a gradient.
#[derive(Clone, Copy)]
struct Target {
    place: Place,
    /// Add to it instead of overwriting it.
    add: bool,
}

#[derive(Clone, Copy)]
enum Place {
    Weight(usize),
    Buffer(usize),
}

/// Rows of a resident tensor, one after the other.
enum Rows {
    Floats(Vec<f32>),
    Indices(Vec<u32>),
}

impl Rows {
    fn like(part: &Tensor) -> Option<Self> {
        match part.dtype() {
            DType::F32 => Some(Self::Floats(vec![0.0; part.elem_count()])),
            DType::U32 => Some(Self::Indices(vec![0; part.elem_count()])),
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
    /// The step that two recordings of different batches have in common, or
    /// nothing if they differ, or if it contains operations of candle's.
    /// `first` lends its operations and ends here.
    pub(crate) fn of(
        mut first: Recording,
        second: &mut Recording,
        batches: [&Batch; 2],
        weights: &WeightGradients,
    ) -> Result<Option<Self>> {
        let (Some(one), Some(other)) = (
            Graph::of(&mut first, batches[0], weights)?,
            Graph::of(second, batches[1], weights)?,
        ) else {
            return Ok(None);
        };
        let is_same = one == other;
        let parts = [&batches[0].0, &batches[0].1].map(Rows::like);
        let [Some(inputs), Some(targets)] = parts else { return Ok(None) };
        if !is_same {
            return Ok(None);
        }
        let rows = batches[0].0.dim(0)?;
        let Graph { nodes, loss } = one;
        let ops = first.into_ops();
        let mut plan = Plan::new(&nodes, weights.vars.len());
        let seed = plan.seed(loss);
        let mut backs: Vec<Back> = (0..nodes.len())
            .rev()
            .map(|i| plan.back(i, ops[i].passes_on()))
            .collect::<Option<_>>()
            .unwrap_or_default();
        if backs.len() < nodes.len() {
            return Ok(None);
        }
        backs.reverse();
        let outputs =
            nodes.iter().map(|node| (vec![0.0; node.len], None)).collect();
        let Plan { gradients, reached, .. } = plan;
        let mut read = vec![];
        let mut calls = vec![];
        for ((op, node), back) in ops.into_iter().zip(nodes).zip(backs) {
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
        Ok(Some(Self {
            rows,
            batch: [inputs, targets],
            read,
            calls,
            outputs,
            gradients: gradients.iter().map(|&len| vec![0.0; len]).collect(),
            seed,
            reached,
        }))
    }

    /// Whether a recording consists of what can be replayed.
    ///
    /// # Errors
    ///
    /// If one of its tensors cannot be read.
    pub(crate) fn is_possible(
        recording: &mut Recording,
        batch: &Batch,
        weights: &WeightGradients,
    ) -> Result<bool> {
        Ok(Graph::of(recording, batch, weights)?.is_some())
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
        self.gradients[self.seed][0] = 1.0;
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

/// The operations of a recording and how they are joined.
#[derive(PartialEq)]
struct Graph {
    nodes: Vec<Node>,
    /// The call that gives the loss.
    loss: usize,
}

#[derive(PartialEq)]
struct Node {
    /// Operation and its settings.
    op: String,
    inputs: Vec<Source>,
    /// Whether the gradient by each input is wanted.
    wanted: Vec<bool>,
    /// The part of the batch that its integers are.
    indices: Option<usize>,
    /// Values of the output.
    len: usize,
}

impl Graph {
    /// Nothing if a part of it cannot be replayed.
    fn of(
        recording: &mut Recording,
        batch: &Batch,
        weights: &WeightGradients,
    ) -> Result<Option<Self>> {
        let mut known: HashMap<Key, Source> = HashMap::new();
        let parts = [&batch.0, &batch.1];
        for (part, tensor) in parts.into_iter().enumerate() {
            if tensor.dtype() == DType::F32 {
                known.insert(key(tensor)?, Source::Batch(part));
            }
        }
        for (i, var) in weights.vars.iter().enumerate() {
            known.insert(key(var)?, Source::Weight(i));
        }
        let mut nodes = vec![];
        for entry in &mut recording.entries {
            let step = match entry {
                Entry::Ours(step) => step,
                // A reshape shares the memory of a known tensor.
                Entry::Island(x) if known.contains_key(&key(x)?) => continue,
                Entry::Island(_) => return Ok(None),
            };
            let mut inputs = vec![];
            for x in &step.inputs {
                match known.get(&key(x)?) {
                    Some(source) => inputs.push(*source),
                    None => return Ok(None),
                }
            }
            let own = step.op.indices();
            let has_indices = own.is_some();
            let indices = own.and_then(|own| {
                parts.iter().position(|part| {
                    slices::indices(part).is_ok_and(|part| part == own.0)
                })
            });
            if has_indices && indices.is_none() {
                return Ok(None);
            }
            known.insert(key(&step.y)?, Source::Output(nodes.len()));
            nodes.push(Node {
                op: format!("{:?}", step.op),
                wanted: step.inputs.iter().map(Tensor::track_op).collect(),
                inputs,
                indices,
                len: step.y.elem_count(),
            });
        }
        let last = nodes.len().saturating_sub(1);
        let loss = known.get(&key(&recording.loss)?);
        let ends = loss == Some(&Source::Output(last));
        Ok(ends.then_some(Self { nodes, loss: last }))
    }
}

/// Where gradients go: made once, in the order in which the tape would.
struct Plan<'a> {
    nodes: &'a [Node],
    /// Lengths of the buffers.
    gradients: Vec<usize>,
    /// Buffers whose content is no longer needed.
    free: Vec<usize>,
    /// The buffer with the gradient of each output.
    live: Vec<Option<usize>>,
    reached: Vec<bool>,
}

impl<'a> Plan<'a> {
    fn new(nodes: &'a [Node], weights: usize) -> Self {
        Self {
            nodes,
            gradients: vec![],
            free: vec![],
            live: vec![None; nodes.len()],
            reached: vec![false; weights],
        }
    }

    /// The buffer of the gradient of the loss.
    fn seed(&mut self, loss: usize) -> usize {
        let buffer = self.buffer(1);
        self.live[loss] = Some(buffer);
        buffer
    }

    /// A buffer for `len` values: a free one of that length, or a new one.
    fn buffer(&mut self, len: usize) -> usize {
        let free =
            self.free.iter().position(|&free| self.gradients[free] == len);
        if let Some(free) = free {
            return self.free.swap_remove(free);
        }
        self.gradients.push(len);
        self.gradients.len() - 1
    }

    /// The backward pass of call `i`; nothing if this cannot do it.
    fn back(&mut self, i: usize, passes_on: bool) -> Option<Back> {
        let nodes = self.nodes;
        let node = &nodes[i];
        let Some(dy) = self.live[i].take() else { return Some(Back::None) };
        let wanted = node.inputs.iter().zip(&node.wanted);
        let wanted: Vec<Option<Source>> =
            wanted.map(|(x, wanted)| wanted.then_some(*x)).collect();
        let mut each: Vec<Source> = wanted.iter().flatten().copied().collect();
        if (1..each.len()).any(|i| each[..i].contains(&each[i])) {
            return None;
        }
        if passes_on {
            let last = each.pop();
            let mut copies = vec![];
            for x in each {
                copies.push(self.target(x)?);
            }
            match last {
                Some(Source::Output(x)) if self.live[x].is_none() => {
                    self.live[x] = Some(dy);
                }
                Some(x) => {
                    copies.push(self.target(x)?);
                    self.free.push(dy);
                }
                None => self.free.push(dy),
            }
            return Some(Back::PassOn { dy, copies });
        }
        let mut targets = vec![];
        for x in wanted {
            targets.push(match x {
                None => None,
                Some(x) => Some(self.target(x)?),
            });
        }
        self.free.push(dy);
        Some(Back::Each { dy, targets })
    }

    /// The target of a gradient by `x`.
    fn target(&mut self, x: Source) -> Option<Target> {
        match x {
            Source::Weight(i) => {
                let add = mem::replace(&mut self.reached[i], true);
                Some(Target { place: Place::Weight(i), add })
            }
            Source::Output(i) => {
                let live = self.live[i];
                let add = live.is_some();
                let buffer =
                    live.unwrap_or_else(|| self.buffer(self.nodes[i].len));
                self.live[i] = Some(buffer);
                Some(Target { place: Place::Buffer(buffer), add })
            }
            Source::Batch(_) => None,
        }
    }
}
