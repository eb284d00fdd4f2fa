//! A differentiable operation, defined once: for candle's graph, and for the
//! [`tape`](super::tape) that training uses.

use super::{slices, tape};
use crate::kernels::scratch::{Scratch, scratch};
use candle_core::{
    CpuStorage, CustomOp1, CustomOp2, CustomOp3, Device, Layout, Result, Shape,
    Tensor, bail,
};
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// An operation on up to three f32 arrays in CPU memory, of known extents.
/// Operations that print alike compute the same.
pub(super) trait Op: fmt::Debug + Send + Sync + 'static {
    /// Name for error messages.
    fn name(&self) -> &'static str;

    /// Writes all of `y`; `kept` is passed to the backward pass.
    fn forward(&self, inputs: &[&[f32]], y: &mut [f32], kept: &mut Kept);

    /// Computes every wanted gradient.
    fn backward(&self, pass: Pass<'_>);

    /// The integers that it takes beside its inputs, if any.
    fn indices(&mut self) -> Option<&mut Indices> {
        None
    }

    /// Whether every gradient equals the final content of `dy` after
    /// [`Op::backward`], so that it need not be copied.
    fn passes_on(&self) -> bool {
        false
    }
}

/// Integers of a batch: targets, rows of a table. They print as their number.
pub(super) struct Indices(pub(super) Vec<u32>);

impl fmt::Debug for Indices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} indices", self.0.len())
    }
}

/// Values that a forward pass keeps for its backward pass.
pub(super) type Kept = Option<Scratch>;

/// Space for `len` kept values.
pub(super) fn keep(kept: &mut Kept, len: usize) -> &mut [f32] {
    // A replayed operation has it from the update before.
    kept.take_if(|kept| kept.len() != len);
    kept.get_or_insert_with(|| scratch(len))
}

/// The arguments of a backward pass.
pub(super) struct Pass<'a> {
    pub(super) inputs: &'a [&'a [f32]],
    pub(super) y: &'a [f32],
    pub(super) kept: &'a [f32],
    /// Gradient with respect to `y`; may be overwritten.
    pub(super) dy: &'a mut [f32],
    /// Gradient with respect to each input; `None` if not wanted.
    pub(super) gradients: &'a mut [Option<Gradient<'a>>],
}

/// The target of a gradient.
pub(super) struct Gradient<'a> {
    pub(super) values: &'a mut [f32],
    /// Add to the target instead of overwriting it.
    pub(super) add: bool,
}

impl Gradient<'_> {
    /// Clears the values, unless the gradient is added to them.
    pub(super) fn begin(&mut self) -> &mut [f32] {
        if !self.add {
            self.values.fill(0.0);
        }
        self.values
    }

    /// Lets `work` write the gradient.
    pub(super) fn write(&mut self, work: impl FnOnce(&mut [f32])) {
        if self.add {
            let mut own = scratch(self.values.len());
            work(&mut own);
            self.take(&own);
        } else {
            work(self.values);
        }
    }

    /// Stores the gradient `values`.
    pub(super) fn take(&mut self, values: &[f32]) {
        if self.add {
            crate::kernels::activation::add(values, self.values);
        } else {
            self.values.copy_from_slice(values);
        }
    }
}

/// Applies `op` to CPU tensors; returns a differentiable tensor of `shape`.
pub(super) fn apply<O: Op>(
    op: O,
    inputs: &[&Tensor],
    shape: impl Into<Shape>,
) -> Result<Tensor> {
    let shape = shape.into();
    let inputs: Vec<Tensor> =
        inputs.iter().map(|x| x.contiguous()).collect::<Result<_>>()?;
    if tape::is_recording() {
        return tape::apply(Box::new(op), inputs, shape);
    }
    let wanted = inputs.iter().map(Tensor::track_op).collect();
    let node = Node { op, shape, wanted, kept: Mutex::default() };
    match &*inputs {
        [a] => a.apply_op1(node),
        [a, b] => a.apply_op2(b, node),
        [a, b, c] => a.apply_op3(b, c, node),
        _ => bail!("{}: candle takes one to three inputs", node.op.name()),
    }
}

/// An operation in candle's graph.
struct Node<O> {
    op: O,
    shape: Shape,
    wanted: Vec<bool>,
    kept: Mutex<Kept>,
}

impl<O: Op> Node<O> {
    fn forward(
        &self,
        inputs: &[(&CpuStorage, &Layout)],
    ) -> Result<(CpuStorage, Shape)> {
        let inputs: Vec<&[f32]> = inputs
            .iter()
            .map(|(storage, layout)| slices::of(storage, layout))
            .collect::<Result<_>>()?;
        let mut y = vec![0.0; self.shape.elem_count()];
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        self.op.forward(&inputs, &mut y, &mut kept);
        Ok((CpuStorage::F32(y), self.shape.clone()))
    }

    fn backward(
        &self,
        inputs: &[&Tensor],
        y: &Tensor,
        dy: &Tensor,
    ) -> Result<Vec<Option<Tensor>>> {
        let mut gradients: Vec<Option<Vec<f32>>> = inputs
            .iter()
            .zip(&self.wanted)
            .map(|(x, wanted)| wanted.then(|| vec![0.0; x.elem_count()]))
            .collect();
        let mut dy = dy.flatten_all()?.to_vec1::<f32>()?;
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        slices::with_all(inputs, |inputs| {
            slices::with_all(&[y], |y| {
                let mut wanted: Vec<Option<Gradient<'_>>> = gradients
                    .iter_mut()
                    .map(|g| {
                        g.as_mut().map(|g| Gradient { values: g, add: false })
                    })
                    .collect();
                let (y, dy) = (y[0], &mut *dy);
                let kept = kept.as_deref().unwrap_or_default();
                let gradients = &mut *wanted;
                self.op.backward(Pass { inputs, y, kept, dy, gradients });
                Ok(())
            })
        })?;
        if self.op.passes_on() {
            gradients.iter_mut().flatten().for_each(|g| g.clone_from(&dy));
        }
        gradients
            .into_iter()
            .zip(inputs)
            .map(|(gradient, x)| {
                gradient
                    .map(|g| Tensor::from_vec(g, x.shape(), &Device::Cpu))
                    .transpose()
            })
            .collect()
    }
}

impl<O: Op> CustomOp1 for Node<O> {
    fn name(&self) -> &'static str {
        self.op.name()
    }

    fn cpu_fwd(
        &self,
        storage: &CpuStorage,
        layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.forward(&[(storage, layout)])
    }

    fn bwd(
        &self,
        a: &Tensor,
        y: &Tensor,
        dy: &Tensor,
    ) -> Result<Option<Tensor>> {
        Ok(self.backward(&[a], y, dy)?.swap_remove(0))
    }
}

impl<O: Op> CustomOp2 for Node<O> {
    fn name(&self) -> &'static str {
        self.op.name()
    }

    fn cpu_fwd(
        &self,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.forward(&[(a, a_layout), (b, b_layout)])
    }

    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let mut all = self.backward(&[a, b], y, dy)?.into_iter();
        Ok((all.next().flatten(), all.next().flatten()))
    }
}

impl<O: Op> CustomOp3 for Node<O> {
    fn name(&self) -> &'static str {
        self.op.name()
    }

    fn cpu_fwd(
        &self,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
        c: &CpuStorage,
        c_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.forward(&[(a, a_layout), (b, b_layout), (c, c_layout)])
    }

    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        c: &Tensor,
        y: &Tensor,
        dy: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let mut all = self.backward(&[a, b, c], y, dy)?.into_iter();
        Ok((all.next().flatten(), all.next().flatten(), all.next().flatten()))
    }
}
