//! Rows of tables: embeddings, and the packing of sequences.

use super::op::{self, Indices, Kept, Op, Pass};
use super::slices;
use crate::kernels::activation::add;
use candle_core::{Module, Result, Tensor, bail};
use candle_nn::{Init, VarBuilder};

/// A table of vectors: `(...)` of u32 to `(..., width)`.
#[derive(Clone, Debug)]
pub struct Embedding {
    weight: Tensor,
}

/// `vocabulary` vectors of `width` values, normal with standard deviation
/// `stdev`.
///
/// # Errors
///
/// If `vb` has one of its weights with another shape.
pub fn embedding(
    vocabulary: usize,
    width: usize,
    stdev: f64,
    vb: VarBuilder<'_>,
) -> Result<Embedding> {
    let init = Init::Randn { mean: 0.0, stdev };
    let weight = vb.get_with_hints((vocabulary, width), "weight", init)?;
    Ok(Embedding { weight })
}

impl Embedding {
    /// The table, `(vocabulary, width)`.
    pub(crate) fn weight(&self) -> &Tensor {
        &self.weight
    }
}

impl Module for Embedding {
    fn forward(&self, indices: &Tensor) -> Result<Tensor> {
        let mut shape = indices.dims().to_vec();
        shape.push(self.weight.dim(1)?);
        if indices.device().is_cpu() {
            let indices = slices::indices(indices)?;
            return gather_rows(&self.weight, indices)?.reshape(shape);
        }
        let rows = indices.flatten_all()?;
        self.weight.index_select(&rows, 0)?.reshape(shape)
    }
}

/// Rows `indices` of `table`, on the CPU.
pub(crate) fn gather_rows(table: &Tensor, indices: Vec<u32>) -> Result<Tensor> {
    let (rows, width) = table.dims2()?;
    if let Some(index) = indices.iter().find(|&&i| i as usize >= rows) {
        bail!("row {index} of a table with {rows} rows")
    }
    let shape = (indices.len(), width);
    op::apply(Gather { indices: Indices(indices), width }, &[table], shape)
}

/// A table of `rows` rows with the rows of `x` at `indices`, which are
/// distinct, and 0 elsewhere, on the CPU.
pub(crate) fn scatter_rows(
    x: &Tensor,
    indices: Vec<u32>,
    rows: usize,
) -> Result<Tensor> {
    let (given, width) = x.dims2()?;
    if given != indices.len() || indices.iter().any(|&i| i as usize >= rows) {
        bail!("{given} rows for {} positions of {rows}", indices.len())
    }
    op::apply(Scatter { indices: Indices(indices), width }, &[x], (rows, width))
}

#[derive(Debug)]
struct Gather {
    indices: Indices,
    width: usize,
}

impl Op for Gather {
    fn name(&self) -> &'static str {
        "gather_rows"
    }

    fn indices(&mut self) -> Option<&mut Indices> {
        Some(&mut self.indices)
    }

    fn forward(&self, inputs: &[&[f32]], y: &mut [f32], _: &mut Kept) {
        let rows = y.chunks_exact_mut(self.width);
        for (y, index) in rows.zip(&self.indices.0) {
            let from = *index as usize * self.width;
            y.copy_from_slice(&inputs[0][from..from + self.width]);
        }
    }

    fn backward(&self, pass: Pass<'_>) {
        let Some(dtable) = &mut pass.gradients[0] else { return };
        let dtable = dtable.begin();
        let rows = pass.dy.chunks_exact(self.width);
        for (dy, index) in rows.zip(&self.indices.0) {
            let from = *index as usize * self.width;
            add(dy, &mut dtable[from..from + self.width]);
        }
    }
}

#[derive(Debug)]
struct Scatter {
    indices: Indices,
    width: usize,
}

impl Op for Scatter {
    fn name(&self) -> &'static str {
        "scatter_rows"
    }

    fn indices(&mut self) -> Option<&mut Indices> {
        Some(&mut self.indices)
    }

    fn forward(&self, inputs: &[&[f32]], y: &mut [f32], _: &mut Kept) {
        y.fill(0.0);
        let rows = inputs[0].chunks_exact(self.width);
        for (x, index) in rows.zip(&self.indices.0) {
            let to = *index as usize * self.width;
            y[to..to + self.width].copy_from_slice(x);
        }
    }

    fn backward(&self, pass: Pass<'_>) {
        let Some(dx) = &mut pass.gradients[0] else { return };
        dx.write(|dx| {
            let rows = dx.chunks_exact_mut(self.width);
            for (dx, index) in rows.zip(&self.indices.0) {
                let from = *index as usize * self.width;
                dx.copy_from_slice(&pass.dy[from..from + self.width]);
            }
        });
    }
}
