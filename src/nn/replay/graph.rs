//! What a recording comes to: its operations, and how they are joined.

use super::super::slices;
use super::super::tape::{Entry, Key, Recording, WeightGradients, key};
use candle_core::{DType, Result, Tensor};
use std::collections::HashMap;

/// Where an input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// A weight: its number; in a call, its place among those that are read.
    Weight(usize),
    /// The output of this call.
    Output(usize),
    /// Inputs (0) or targets (1) of the batch.
    Batch(usize),
}

/// The operations of a recording and how they are joined.
#[derive(PartialEq)]
pub(crate) struct Graph {
    /// Rows of the batch.
    pub(super) rows: usize,
    /// Type and values of its inputs and of its targets.
    pub(super) parts: [(DType, usize); 2],
    /// The last one gives the loss.
    pub(super) nodes: Vec<Node>,
}

#[derive(PartialEq)]
pub(super) struct Node {
    /// Operation and its settings.
    op: String,
    pub(super) inputs: Vec<Source>,
    /// Whether the gradient by each input is wanted.
    pub(super) wanted: Vec<bool>,
    /// The part of the batch that its integers are.
    pub(super) indices: Option<usize>,
    /// Values of the output.
    pub(super) len: usize,
}

impl Graph {
    /// Of a recording of a batch, inputs and targets; nothing if a part of it
    /// cannot be replayed.
    ///
    /// # Errors
    ///
    /// If one of its tensors cannot be read.
    pub(crate) fn of(
        recording: &mut Recording,
        (inputs, targets): &(Tensor, Tensor),
        weights: &WeightGradients,
    ) -> Result<Option<Self>> {
        let mut known: HashMap<Key, Source> = HashMap::new();
        let parts = [inputs, targets];
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
            let indices = match step.op.indices() {
                None => None,
                Some(own) => match places_of(&own.0, parts)[..] {
                    [part] => Some(part),
                    // None, or both by chance.
                    _ => return Ok(None),
                },
            };
            known.insert(key(&step.y)?, Source::Output(nodes.len()));
            nodes.push(Node {
                op: format!("{:?}", step.op),
                wanted: step.inputs.iter().map(Tensor::track_op).collect(),
                inputs,
                indices,
                len: step.y.elem_count(),
            });
        }
        let last = Source::Output(nodes.len().saturating_sub(1));
        let ends = known.get(&key(&recording.loss)?) == Some(&last);
        let rows = inputs.dim(0)?;
        let parts = parts.map(|part| (part.dtype(), part.elem_count()));
        Ok(ends.then_some(Self { rows, parts, nodes }))
    }
}

/// The parts of a batch that consist of these integers.
fn places_of(indices: &[u32], parts: [&Tensor; 2]) -> Vec<usize> {
    let is_equal = |part: &usize| {
        slices::indices(parts[*part]).is_ok_and(|part| part == indices)
    };
    (0..parts.len()).filter(is_equal).collect()
}
