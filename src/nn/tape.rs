//! Reverse-mode differentiation without the overhead of candle's.
//!
//! candle's backward pass allocates a tensor of zeros for every gradient and
//! adds to it (three passes over memory instead of one), and keeps a map of
//! all of them. For short steps that costs as much as the arithmetic. While a
//! tape is recording, the operations of this room record themselves.
//! [`Recording::backward`] then runs them backwards, into buffers that are
//! reused from step to step, and into one array for each weight.
//!
//! Models may mix candle's operations with these. Every output of this room is
//! a leaf of candle's graph. A part that consists of candle's operations is
//! differentiated by candle, from the operation of this room that takes its
//! output. Tensors that share memory and length (a reshape) count as the same
//! tensor here.

use super::op::{Gradient, Kept, Op, Pass};
use super::slices;
use crate::kernels::scratch::{Scratch, scratch};
use candle_core::{Device, Result, Shape, Tensor, TensorId, Var};
use std::cell::RefCell;
use std::collections::HashMap;

thread_local! {
    static TAPE: RefCell<Option<Vec<Entry>>> = const { RefCell::new(None) };
}

pub(super) enum Entry {
    /// An operation of this room.
    Ours(Step),
    /// A tensor from candle's operations that is an input here.
    Island(Tensor),
}

pub(super) struct Step {
    pub(super) op: Box<dyn Op>,
    pub(super) inputs: Vec<Tensor>,
    pub(super) y: Tensor,
    kept: Kept,
}

/// Identity of a tensor: the address of its first value, and its length.
pub(super) type Key = (usize, usize);

pub(super) fn key(tensor: &Tensor) -> Result<Key> {
    slices::with_all(&[tensor], |all| {
        Ok((all[0].as_ptr() as usize, all[0].len()))
    })
}

/// Whether the operations of this thread are recorded.
pub(super) fn is_recording() -> bool {
    TAPE.with_borrow(Option::is_some)
}

/// Runs an operation and records it.
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
    let y = if inputs.iter().any(Tensor::track_op) {
        // A variable for candle: a leaf, where its own graph ends.
        Var::from_vec(y, shape, &Device::Cpu)?.into_inner()
    } else {
        Tensor::from_vec(y, shape, &Device::Cpu)?
    };
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

/// A loss with the recorded operations.
pub(crate) struct Recording {
    pub(super) loss: Tensor,
    pub(super) entries: Vec<Entry>,
}

/// Runs `forward`, which returns a scalar on the CPU, and records it.
pub(crate) fn record(
    forward: impl FnOnce() -> Result<Tensor>,
) -> Result<Recording> {
    /// Ends the recording, even if `forward` fails.
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

    /// Adds `share` times the gradient of the loss, with respect to every
    /// weight, to `weights`. Operations are freed as the pass leaves them,
    /// or kept with their tensors if `keep`.
    pub(crate) fn backward(
        &mut self,
        share: f32,
        weights: &mut WeightGradients,
        keep: bool,
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
        for i in (0..self.entries.len()).rev() {
            match &self.entries[i] {
                Entry::Ours(step) => step.backward(&mut sums)?,
                Entry::Island(x) => {
                    let key = key(x)?;
                    // A reshape shares the memory of a known tensor.
                    if !known.contains(&key) {
                        island(x, key, &leaves, &mut sums)?;
                    }
                }
            }
            if !keep {
                self.entries.truncate(i);
            }
        }
        Ok(())
    }

    /// Its operations, in their order.
    pub(super) fn into_ops(self) -> Vec<Box<dyn Op>> {
        let ours = self.entries.into_iter().filter_map(|entry| match entry {
            Entry::Ours(step) => Some(step.op),
            Entry::Island(_) => None,
        });
        ours.collect()
    }
}

/// The gradients of activations and weights during a backward pass.
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

    /// Whether there is no gradient of `key` yet.
    fn is_new(&self, key: Key) -> bool {
        !self.of_weight.contains_key(&key)
            && self.live.iter().all(|(other, _)| *other != key)
    }

    /// Adds `values` to the gradient of `key`.
    fn add(&mut self, key: Key, values: &[f32]) {
        if let Some(&i) = self.of_weight.get(&key) {
            let add = std::mem::replace(&mut self.weights.reached[i], true);
            let into = &mut self.weights.values[i];
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

/// The target of the gradient of an input.
enum Place {
    Nowhere,
    Weight { index: usize, add: bool },
    Activation { key: Key, buffer: Scratch, add: bool },
}

impl Step {
    /// Propagates the gradient of its output, if there is one, to its inputs.
    fn backward(&self, sums: &mut Sums<'_>) -> Result<()> {
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
            // A weight that is used for two inputs has one array. The second
            // input gets a buffer, which is added afterwards.
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
                let values = sums.weights.values.iter_mut();
                let mut weights: Vec<Option<&mut Vec<f32>>> =
                    values.map(Some).collect();
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

    /// The backward pass of an operation whose gradients all equal the final
    /// content of `dy`: the last input gets the buffer itself.
    fn pass_on(&self, mut dy: Scratch, sums: &mut Sums<'_>) -> Result<()> {
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

/// Propagates the gradient of `x` through candle's operations to the leaves.
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

/// Gradients of a fixed set of weights.
pub(crate) struct WeightGradients {
    pub(super) vars: Vec<Var>,
    pub(super) values: Vec<Vec<f32>>,
    /// Which of them have received a gradient since they were cleared.
    pub(super) reached: Vec<bool>,
}

impl WeightGradients {
    pub(crate) fn new(vars: Vec<Var>) -> Self {
        let values = vars.iter().map(|var| vec![0.0; var.elem_count()]);
        let (values, reached) = (values.collect(), vec![false; vars.len()]);
        Self { vars, values, reached }
    }

    /// Clears the gradients, so that the next backward pass starts from 0.
    pub(crate) fn clear(&mut self) {
        self.reached.fill(false);
    }

    /// The gradient with respect to each weight that the loss depends on.
    pub(crate) fn all(&self) -> Vec<Option<&[f32]>> {
        self.values
            .iter()
            .zip(&self.reached)
            .map(|(values, reached)| reached.then_some(&**values))
            .collect()
    }
}
