//! Causal pre-norm transformer over characters.
//!
//! Source: Vaswani et al., *Attention Is All You Need* (2017), with the
//! pre-norm blocks, GELU and learned positions of GPT-2 (Radford et al.,
//! 2019).
//!
//! On a CPU, padding is left out of every layer and its logits are 0. The loss
//! ignores them, and no other position attends to padding.

use crate::nn::{self, Embedding, LayerNorm, Linear};
use candle_core::{Module, Result, Tensor};
use candle_nn::{Init, VarBuilder};

/// Standard deviation of fresh embeddings (GPT-2).
const EMBEDDING_STDEV: f64 = 0.02;

/// Sizes of a [`transformer`].
pub(crate) struct Size {
    pub(crate) width: usize,
    pub(crate) layers: usize,
    pub(crate) heads: usize,
    pub(crate) context: usize,
    pub(crate) vocabulary: usize,
    /// Character that sequences are filled up with.
    pub(crate) padding: Option<u32>,
}

/// A language model; see [`transformer`].
pub(crate) struct Transformer {
    token: Embedding,
    position: Tensor,
    blocks: Vec<Block>,
    norm: LayerNorm,
    head: Linear,
    padding: Option<u32>,
    vocabulary: usize,
}

struct Block {
    norm1: LayerNorm,
    qkv: Linear,
    out: Linear,
    norm2: LayerNorm,
    up: Linear,
    down: Linear,
    heads: usize,
}

/// Takes `(batch, context)` characters, gives `(batch, context, vocabulary)`
/// logits of the characters that follow.
pub(crate) fn transformer(
    size: &Size,
    vb: VarBuilder<'_>,
) -> Result<Transformer> {
    let &Size { width, layers, heads, context, vocabulary, padding } = size;
    let normal = Init::Randn { mean: 0.0, stdev: EMBEDDING_STDEV };
    let block = |vb: VarBuilder<'_>| {
        Ok(Block {
            norm1: nn::layer_norm(width, 1e-5, vb.pp("norm1"))?,
            qkv: nn::linear(width, 3 * width, vb.pp("qkv"))?,
            out: nn::linear(width, width, vb.pp("out"))?,
            norm2: nn::layer_norm(width, 1e-5, vb.pp("norm2"))?,
            up: nn::linear_gelu(width, 4 * width, vb.pp("up"))?,
            down: nn::linear(4 * width, width, vb.pp("down"))?,
            heads,
        })
    };
    Ok(Transformer {
        token: nn::embedding(
            vocabulary,
            width,
            EMBEDDING_STDEV,
            vb.pp("token"),
        )?,
        position: vb.get_with_hints((context, width), "position", normal)?,
        blocks: (0..layers)
            .map(|i| block(vb.pp(format!("block{i}"))))
            .collect::<Result<_>>()?,
        norm: nn::layer_norm(width, 1e-5, vb.pp("norm"))?,
        head: nn::linear(width, vocabulary, vb.pp("head"))?,
        padding,
        vocabulary,
    })
}

impl Module for Transformer {
    fn forward(&self, characters: &Tensor) -> Result<Tensor> {
        if !characters.device().is_cpu() {
            let x = self.token.forward(characters)?;
            let x = x.broadcast_add(&self.position)?;
            let attend =
                |qkv: &Tensor, heads| nn::causal_self_attention(qkv, heads);
            return self.body(x, &attend);
        }
        let (batch, context) = characters.dims2()?;
        let packed = Packed::new(characters, self.padding)?;
        let tokens = nn::gather_rows(self.token.weight(), packed.characters)?;
        let places = nn::gather_rows(&self.position, packed.positions)?;
        let attend = |qkv: &Tensor, heads| {
            let lengths = packed.lengths.clone();
            nn::packed_causal_self_attention(qkv, heads, lengths)
        };
        let logits = self.body(nn::add(&tokens, &places)?, &attend)?;
        nn::scatter_rows(&logits, packed.places, batch * context)?.reshape((
            batch,
            context,
            self.vocabulary,
        ))
    }
}

/// Attention over queries, keys and values of so many heads.
type Attend<'a> = &'a dyn Fn(&Tensor, usize) -> Result<Tensor>;

impl Transformer {
    fn body(&self, mut x: Tensor, attend: Attend<'_>) -> Result<Tensor> {
        for block in &self.blocks {
            x = block.forward(&x, attend)?;
        }
        self.head.forward(&self.norm.forward(&x)?)
    }
}

impl Block {
    fn forward(&self, x: &Tensor, attend: Attend<'_>) -> Result<Tensor> {
        let qkv = self.qkv.forward(&self.norm1.forward(x)?)?;
        let mixed = attend(&qkv, self.heads)?;
        let x = nn::add(x, &self.out.forward(&mixed)?)?;
        let hidden = self.up.forward(&self.norm2.forward(&x)?)?;
        nn::add(&x, &self.down.forward(&hidden)?)
    }
}

/// The positions that are no padding, one sequence after the other.
#[derive(Default)]
struct Packed {
    lengths: Vec<usize>,
    characters: Vec<u32>,
    /// Of each place in its sequence.
    positions: Vec<u32>,
    /// Of each place in the batch.
    places: Vec<u32>,
}

impl Packed {
    /// Leaves out the padding of `sequences`, `(batch, context)` of u32; the
    /// first position always stays.
    fn new(sequences: &Tensor, padding: Option<u32>) -> Result<Self> {
        let mut packed = Self::default();
        let mut first = 0;
        for sequence in sequences.to_vec2::<u32>()? {
            let last = sequence.iter().rposition(|&c| Some(c) != padding);
            let length = last.unwrap_or(0) + 1;
            packed.lengths.push(length);
            packed.characters.extend(&sequence[..length]);
            for position in (0..).take(length) {
                packed.positions.push(position);
                packed.places.push(first + position);
            }
            first += u32::try_from(sequence.len()).unwrap_or(u32::MAX);
        }
        Ok(packed)
    }
}

/// Multiply-adds of each product for one sequence.
pub(crate) fn products(
    width: usize,
    layers: usize,
    context: usize,
    vocabulary: usize,
) -> Vec<f64> {
    let dense = 12 * width * width * context;
    // Causal: half of the scores, and as much again for the mixing.
    let attention = context * (context + 1) * width;
    let mut products = vec![(dense + attention) as f64; layers];
    products.push((context * width * vocabulary) as f64);
    products
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{WeightGradients, Weights, cross_entropy, record};
    use candle_core::{Device, Var};
    use std::sync::Arc;

    const CONTEXT: usize = 6;
    const IGNORED: u32 = u32::MAX;

    /// Loss and gradients of one batch, with or without leaving out 4, which
    /// sequences begin with and are filled up with.
    fn step(padding: Option<u32>) -> Result<(f64, Vec<Vec<f32>>)> {
        let weights = Weights::new(1, Arc::default());
        let size = Size {
            width: 8,
            layers: 2,
            heads: 2,
            context: CONTEXT,
            vocabulary: 5,
            padding,
        };
        let model = transformer(&size, weights.builder(&Device::Cpu))?;
        let characters: [[u32; CONTEXT]; 3] =
            [[4, 0, 1, 4, 4, 4], [4, 4, 4, 4, 4, 4], [4, 3, 2, 1, 0, 2]];
        let targets: [[u32; CONTEXT]; 3] = [
            [0, 1, 3, IGNORED, IGNORED, IGNORED],
            [3, IGNORED, IGNORED, IGNORED, IGNORED, IGNORED],
            [3, 2, 1, 0, 2, 3],
        ];
        let characters = Tensor::new(&characters, &Device::Cpu)?;
        let targets = Tensor::new(&targets, &Device::Cpu)?.flatten_all()?;
        let vars: Vec<Var> =
            weights.trainable().into_iter().map(|(_, var)| var).collect();
        let mut gradients = WeightGradients::new(vars);
        let mut recording = record(|| {
            let logits = model.forward(&characters)?;
            cross_entropy(&logits.reshape(((), 5))?, &targets)
        })?;
        let loss = recording.loss()?;
        recording.backward(1.0, &mut gradients, false)?;
        let all = gradients.all().into_iter().flatten().map(<[f32]>::to_vec);
        Ok((loss, all.collect()))
    }

    #[test]
    fn leaving_out_padding_changes_no_gradient() {
        let (loss, packed) = step(Some(4)).expect("no error");
        let (same, padded) = step(None).expect("no error");
        assert!((loss - same).abs() < 1e-6, "{loss} {same}");
        assert_eq!(packed.len(), padded.len(), "every weight is reached");
        for (a, b) in packed.iter().flatten().zip(padded.iter().flatten()) {
            assert!((a - b).abs() < 1e-6, "{a} {b}");
        }
    }
}
