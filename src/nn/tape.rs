//! Reverse-mode differentiation without the cost of candle's.
//!
//! candle's backward pass makes a tensor of zeros for every gradient and
//! adds to it, three passes over memory where one would do, and keeps a map
//! of all of them; on short steps that costs as much as the arithmetic. While
//! a tape is recording, the operations of this room write themselves down
//! instead, and [`Recording::backward`] plays them back into buffers that are
//! kept from step to step, and into one flat array for the weights.
//!
//! Operations of candle's own may stand between ours. An output of ours is a
//! leaf of candle's graph, so such an island is differentiated by candle,
//! from the place where one of ours takes it up again. Tensors that share
//! memory and length (a reshape) are one and the same here, without any
//! island.

use super::op::{Gradient, Kept, Op, Pass};
use super::slices;
use crate::kernels::scratch::{Scratch, scratch};
use candle_core::{Device, Result, Shape, Tensor, TensorId, Var};
use std::cell::RefCell;
use std::collections::HashMap;

thread_local! {
    static TAPE: RefCell<Option<Vec<Entry>>> = const { RefCell::new(None) };
}

enum Entry {
    /// An operation of this room.
    Ours(Step),
    /// A tensor from candle's operations that ours take up.
    Island(Tensor),
}

struct Step {
    op: Box<dyn Op>,
    inputs: Vec<Tensor>,
    y: Tensor,
    kept: Kept,
}

/// First number and length: what a tensor is known by.
type Key = (usize, usize);

fn key(tensor: &Tensor) -> Result<Key> {
    slices::with_all(&[tensor], |all| {
        Ok((all[0].as_ptr() as usize, all[0].len()))
    })
}

/// Whether this thread's operations go to a tape.
pub(super) fn is_recording() -> bool {
    TAPE.with_borrow(Option::is_some)
}

/// Runs an operation and writes it down.
pub(super) fn apply(
    op: Box<dyn Op>,
    inputs: Vec<Tensor>,
    shape: Shape,
) -> Result<Tensor> {
    let mut y = vec![0.0; shape.elem_count()];
    let mut kept = None;
    let views: Vec<&Tensor> = inputs.iter().collect();
    slices::with_all(&views, |inputs| {
        op.forward(inputs, &mut y, &mut kept);
        Ok(())
    })?;
    let wanted = inputs.iter().any(Tensor::track_op);
    if !wanted {
        return Tensor::from_vec(y, shape, &Device::Cpu);
    }
    // A variable in candle's eyes: a leaf, where its islands end.
    let y = Var::from_vec(y, shape, &Device::Cpu)?.into_inner();
    TAPE.with_borrow_mut(|tape| {
        let tape = tape.get_or_insert_default();
        for x in &inputs {
            if x.track_op() && !x.is_variable() {
                tape.push(Entry::Island(x.clone()));
            }
        }
        tape.push(Entry::Ours(Step { op, inputs, y: y.clone(), kept }));
    });
    Ok(y)
}

/// A loss with the operations that led to it.
pub(crate) struct Recording {
    loss: Tensor,
    entries: Vec<Entry>,
}

/// Runs `forward`, which gives a scalar on the CPU, and records it.
pub(crate) fn record(
    forward: impl FnOnce() -> Result<Tensor>,
) -> Result<Recording> {
    /// Ends the recording, also when `forward` fails.
    struct End;
    impl Drop for End {
        fn drop(&mut self) {
            TAPE.set(None);
        }
    }
    let end = End;
    TAPE.set(Some(vec![]));
    let loss = forward()?;
    let mut entries = TAPE.take().unwrap_or_default();
    drop(end);
    if !loss.is_variable() {
        entries.push(Entry::Island(loss.clone()));
    }
    Ok(Recording { loss, entries })
}

impl Recording {
    /// The loss.
    pub(crate) fn loss(&self) -> Result<f64> {
        self.loss.to_scalar::<f32>().map(f64::from)
    }

    /// Adds `share` times the gradient of the loss by every weight to what
    /// `weights` has since it was cleared.
    pub(crate) fn backward(
        self,
        share: f32,
        weights: &mut WeightGradients,
    ) -> Result<()> {
        let mut leaves: HashMap<TensorId, Key> = HashMap::new();
        let mut of_weight = HashMap::new();
        for (i, var) in weights.vars.iter().enumerate() {
            let key = key(var.as_tensor())?;
            of_weight.insert(key, i);
            leaves.insert(var.as_tensor().id(), key);
        }
        let has_islands =
            self.entries.iter().any(|e| matches!(e, Entry::Island(_)));
        if has_islands {
            for entry in &self.entries {
                if let Entry::Ours(step) = entry {
                    leaves.insert(step.y.id(), key(&step.y)?);
                }
            }
        }
        let known: Vec<Key> = leaves.values().copied().collect();
        let mut sums = Sums { live: vec![], of_weight, weights };
        let mut seed = scratch(1);
        seed[0] = share;
        sums.live.push((key(&self.loss)?, seed));
        let mut entries = self.entries;
        while let Some(entry) = entries.pop() {
            match entry {
                Entry::Ours(step) => step.backward(&mut sums)?,
                Entry::Island(x) => {
                    let key = key(&x)?;
                    // A reshape shares its memory with what is known.
                    if !known.contains(&key) {
                        island(&x, key, &leaves, &mut sums)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Gradients on their way: of activations, and of weights.
struct Sums<'a> {
    live: Vec<(Key, Scratch)>,
    of_weight: HashMap<Key, usize>,
    weights: &'a mut WeightGradients,
}

impl Sums<'_> {
    fn take(&mut self, key: Key) -> Option<Scratch> {
        let place = self.live.iter().position(|(other, _)| *other == key)?;
        Some(self.live.swap_remove(place).1)
    }

    /// Whether nothing is known of `key` yet.
    fn is_new(&self, key: Key) -> bool {
        !self.of_weight.contains_key(&key)
            && self.live.iter().all(|(other, _)| *other != key)
    }

    /// Adds `values` to the gradient of `key`.
    fn add(&mut self, key: Key, values: &[f32]) {
        if let Some(&i) = self.of_weight.get(&key) {
            let add = std::mem::replace(&mut self.weights.reached[i], true);
            let (from, to) = self.weights.ranges[i];
            let into = &mut self.weights.values[from..to];
            Gradient { values: into, add }.take(values);
            return;
        }
        let kept = self.take(key);
        let add = kept.is_some();
        let mut into = kept.unwrap_or_else(|| scratch(values.len()));
        Gradient { values: &mut into, add }.take(values);
        self.live.push((key, into));
    }
}

/// Where the gradient by an input of a step goes.
enum Place {
    Nowhere,
    Weight { index: usize, add: bool },
    Activation { key: Key, buffer: Scratch, add: bool },
}

impl Step {
    /// Hands the gradient by its output, if there is one, to its inputs.
    fn backward(self, sums: &mut Sums<'_>) -> Result<()> {
        let Some(mut dy) = sums.take(key(&self.y)?) else {
            return Ok(());
        };
        if self.op.passes_on() {
            return self.pass_on(dy, sums);
        }
        let mut places = Vec::with_capacity(self.inputs.len());
        for x in &self.inputs {
            if !x.track_op() {
                places.push(Place::Nowhere);
                continue;
            }
            let key = key(x)?;
            // A weight that is two inputs at once has one array: the second
            // gets a buffer, which is added afterwards.
            let index = sums.of_weight.get(&key).copied().filter(|index| {
                !places.iter().any(|place| {
                    matches!(place, Place::Weight { index: i, .. } if i == index)
                })
            });
            if let Some(index) = index {
                let reached = &mut sums.weights.reached[index];
                let add = std::mem::replace(reached, true);
                places.push(Place::Weight { index, add });
                continue;
            }
            let kept = sums.take(key);
            let add = kept.is_some();
            let buffer = kept.unwrap_or_else(|| scratch(key.1));
            places.push(Place::Activation { key, buffer, add });
        }
        let views: Vec<&Tensor> = self.inputs.iter().collect();
        slices::with_all(&views, |inputs| {
            slices::with_all(&[&self.y], |y| {
                let mut weights = sums.weights.slots();
                let mut gradients: Vec<Option<Gradient<'_>>> = places
                    .iter_mut()
                    .map(|place| match place {
                        Place::Nowhere => None,
                        Place::Weight { index, add } => weights[*index]
                            .take()
                            .map(|values| Gradient { values, add: *add }),
                        Place::Activation { buffer, add, .. } => {
                            Some(Gradient { values: buffer, add: *add })
                        }
                    })
                    .collect();
                self.op.backward(Pass {
                    inputs,
                    y: y[0],
                    kept: self.kept.as_deref().unwrap_or_default(),
                    dy: &mut dy,
                    gradients: &mut gradients,
                });
                Ok(())
            })
        })?;
        for place in places {
            if let Place::Activation { key, buffer, .. } = place {
                if sums.is_new(key) {
                    sums.live.push((key, buffer));
                } else {
                    sums.add(key, &buffer);
                }
            }
        }
        Ok(())
    }

    /// The backward pass of an operation all of whose gradients are what it
    /// makes of `dy`: the last one gets the buffer itself.
    fn pass_on(self, mut dy: Scratch, sums: &mut Sums<'_>) -> Result<()> {
        let inputs: Vec<&Tensor> = self.inputs.iter().collect();
        slices::with_all(&inputs, |inputs| {
            slices::with_all(&[&self.y], |y| {
                self.op.backward(Pass {
                    inputs,
                    y: y[0],
                    kept: self.kept.as_deref().unwrap_or_default(),
                    dy: &mut dy,
                    gradients: &mut [],
                });
                Ok(())
            })
        })?;
        let wanted = inputs.iter().filter(|x| x.track_op());
        let mut keys = wanted.map(|x| key(x)).collect::<Result<Vec<_>>>()?;
        let Some(last) = keys.pop() else { return Ok(()) };
        for key in keys {
            sums.add(key, &dy);
        }
        if sums.is_new(last) {
            sums.live.push((last, dy));
        } else {
            sums.add(last, &dy);
        }
        Ok(())
    }
}

/// Takes the gradient of `x` through candle's operations to the leaves.
fn island(
    x: &Tensor,
    key: Key,
    leaves: &HashMap<TensorId, Key>,
    sums: &mut Sums<'_>,
) -> Result<()> {
    let Some(dx) = sums.take(key) else { return Ok(()) };
    let dx = Tensor::from_slice(&dx, x.shape(), x.device())?;
    let gradients = (x * dx)?.sum_all()?.backward()?;
    for (id, key) in leaves {
        if let Some(gradient) = gradients.get_id(*id) {
            let gradient = gradient.detach().flatten_all()?;
            slices::with_all(&[&gradient.contiguous()?], |all| {
                sums.add(*key, all[0]);
                Ok(())
            })?;
        }
    }
    Ok(())
}

/// Gradients of a fixed set of weights, in one array.
pub(crate) struct WeightGradients {
    vars: Vec<Var>,
    values: Vec<f32>,
    ranges: Vec<(usize, usize)>,
    /// Which of them a backward pass came to since they were cleared.
    reached: Vec<bool>,
}

impl WeightGradients {
    pub(crate) fn new(vars: Vec<Var>) -> Self {
        let mut ranges = Vec::with_capacity(vars.len());
        let mut from = 0;
        for var in &vars {
            let to = from + var.elem_count();
            ranges.push((from, to));
            from = to;
        }
        let reached = vec![false; vars.len()];
        Self { vars, values: vec![0.0; from], ranges, reached }
    }

    /// Forgets what earlier backward passes left, so that the next one is not
    /// added to them.
    pub(crate) fn clear(&mut self) {
        self.reached.fill(false);
    }

    /// The gradient by each weight that the loss depends on.
    pub(crate) fn all(&self) -> Vec<Option<&[f32]>> {
        self.ranges
            .iter()
            .zip(&self.reached)
            .map(|((from, to), reached)| {
                reached.then(|| &self.values[*from..*to])
            })
            .collect()
    }

    /// Room for each of them, to be taken once.
    fn slots(&mut self) -> Vec<Option<&mut [f32]>> {
        let mut rest = &mut *self.values;
        self.ranges
            .iter()
            .map(|(from, to)| {
                let (slot, others) =
                    std::mem::take(&mut rest).split_at_mut(to - from);
                rest = others;
                Some(slot)
            })
            .collect()
    }
}
