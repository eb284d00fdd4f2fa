//! Causal pre-norm transformer over characters.
//!
//! Source: Vaswani et al., *Attention Is All You Need* (2017), with the
//! pre-norm blocks, GELU and learned positions of GPT-2 (Radford et al.,
//! 2019).

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
}

/// A language model; see [`transformer`].
pub(crate) struct Transformer {
    token: Embedding,
    position: Tensor,
    blocks: Vec<Block>,
    norm: LayerNorm,
    head: Linear,
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
    let &Size { width, layers, heads, context, vocabulary } = size;
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
    })
}

impl Module for Transformer {
    fn forward(&self, characters: &Tensor) -> Result<Tensor> {
        let x = self.token.forward(characters)?;
        let mut x = x.broadcast_add(&self.position)?;
        for block in &self.blocks {
            x = block.forward(&x)?;
        }
        self.head.forward(&self.norm.forward(&x)?)
    }
}

impl Module for Block {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let qkv = self.qkv.forward(&self.norm1.forward(x)?)?;
        let mixed = nn::causal_self_attention(&qkv, self.heads)?;
        let x = (x + self.out.forward(&mixed)?)?;
        let hidden = self.up.forward(&self.norm2.forward(&x)?)?;
        x + self.down.forward(&hidden)?
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
