//! Layers for models: replacements for those of candle-nn, several times
//! faster on a CPU.
//!
//! Constructors take a [`VarBuilder`](candle_nn::VarBuilder) and return candle
//! modules. On a CPU, forward and backward pass use lrscout's own kernels, with
//! bias and activation in the same pass. On other devices the same functions
//! use candle's operations. All layers are f32 only.
//!
//! Initial weights depend on a seed and on the name of the weight, and have
//! PyTorch's default distributions.
//!
//! ```
//! use candle_core::{DType, Device, Module as _, Tensor};
//! use candle_nn::VarBuilder;
//! use lrscout::nn;
//!
//! # fn main() -> candle_core::Result<()> {
//! let vb = VarBuilder::zeros(DType::F32, &Device::Cpu);
//! let hidden = nn::linear_relu(16, 32, vb.pp("hidden"))?;
//! let out = nn::linear(32, 10, vb.pp("out"))?;
//! let x = Tensor::zeros((8, 16), DType::F32, &Device::Cpu)?;
//! assert_eq!(out.forward(&hidden.forward(&x)?)?.dims(), [8, 10]);
//! # Ok(())
//! # }
//! ```

mod activate;
mod attention;
mod conv;
mod image;
mod init;
mod linear;
mod loss;
mod norm;
mod op;
mod pool;
mod recurrent;
mod replay;
mod rows;
mod slices;
mod tape;

#[cfg(test)]
mod tests;

pub use activate::{add, add_relu, gelu, relu, silu};
pub use attention::causal_self_attention;
pub(crate) use attention::packed_causal_self_attention;
pub use conv::{
    Conv1d, Conv2d, conv1d, conv1d_relu, conv2d, conv2d_no_bias, conv2d_relu,
};
pub(crate) use image::of_signal;
pub use image::{flatten, mean_pool};
pub(crate) use init::Weights;
pub use linear::{
    Linear, linear, linear_gelu, linear_no_bias, linear_relu, linear_silu,
};
pub use loss::{cross_entropy, mse};
pub use norm::{BatchNorm, LayerNorm, batch_norm, batch_norm_relu, layer_norm};
pub use pool::{max_pool1d, max_pool2d};
pub use recurrent::{Gru, gru};
pub(crate) use recurrent::{Reach, last_place};
pub(crate) use replay::{Graph, Replay};
pub use rows::{Embedding, embedding};
pub(crate) use rows::{gather_rows, scatter_rows};
pub(crate) use tape::{Recording, WeightGradients, record};

pub use crate::kernels::activation::Activation;
