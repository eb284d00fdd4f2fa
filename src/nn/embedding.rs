//! Vectors for characters.

use candle_core::{Module, Result, Tensor};
use candle_nn::{Init, VarBuilder};

/// A table of vectors: `(...)` of u32 to `(..., width)`.
#[derive(Clone, Debug)]
pub struct Embedding {
    weight: Tensor,
}

/// `vocabulary` vectors of `width` numbers, normal with deviation `stdev`.
///
/// # Errors
///
/// If `vb` has one of its weights in another shape.
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

impl Module for Embedding {
    fn forward(&self, indices: &Tensor) -> Result<Tensor> {
        let mut shape = indices.dims().to_vec();
        shape.push(self.weight.dim(1)?);
        let rows = indices.flatten_all()?;
        self.weight.index_select(&rows, 0)?.reshape(shape)
    }
}
