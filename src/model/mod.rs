//! The built-in models: candle modules, written like candle-nn's, with
//! seeded weights and sizes from TOML.

mod cnn;
mod gru;
mod mlp;
mod resnet;
mod transformer;

use crate::data::{Dataset, Task};
use crate::spec::ModelSpec;
use candle_core::{Result, bail};
use candle_nn::{ModuleT, VarBuilder};

/// A model is any candle module; nothing of ours to implement.
pub(crate) type Model = Box<dyn ModuleT + Send + Sync>;

/// Builds the model of `spec` for `data`.
///
/// # Errors
///
/// If the sizes do not fit the data: an image model on a table, a
/// convolution that shrinks a signal to nothing.
pub(crate) fn build(
    spec: &ModelSpec,
    vb: VarBuilder<'_>,
    data: &Dataset,
) -> Result<Model> {
    let shape = data.input_shape();
    let outputs = data.outputs();
    match spec {
        ModelSpec::Mlp { hidden } => {
            Ok(Box::new(mlp::mlp(data.features(), hidden, outputs, vb)?))
        }
        ModelSpec::Cnn { channels, kernels, stride, padding, pool, hidden } => {
            let size = cnn::Size {
                channels,
                kernels,
                stride: *stride,
                padding: *padding,
                pool: *pool,
                hidden,
            };
            Ok(Box::new(cnn::cnn(&shape, &size, outputs, vb)?))
        }
        ModelSpec::Resnet { channels, blocks } => Ok(Box::new(resnet::resnet(
            &shape, channels, *blocks, outputs, vb,
        )?)),
        ModelSpec::Transformer { width, layers, heads } => {
            let Task::NextToken { vocabulary, padding } = data.task else {
                bail!("a transformer needs text, as `words` or `text` have it")
            };
            let size = transformer::Size {
                width: *width,
                layers: *layers,
                heads: *heads,
                context: shape[0],
                vocabulary,
                padding,
            };
            Ok(Box::new(transformer::transformer(&size, vb)?))
        }
        ModelSpec::Gru { hidden, layers, embedding } => {
            let reader = reader(data, *embedding)?;
            let size = (*hidden, *layers);
            Ok(Box::new(gru::gru(&reader, size, outputs, vb)?))
        }
        ModelSpec::Registered { name } => {
            bail!("model `{name}` is not among the built-in ones")
        }
    }
}

/// What a recurrent model reads of `data`.
fn reader(data: &Dataset, embedding: usize) -> Result<gru::Reader> {
    match (&data.task, &*data.input_shape()) {
        (&Task::NextToken { vocabulary, padding }, _) => {
            Ok(gru::Reader::Text { embedding, vocabulary, padding })
        }
        (_, &[channels, _]) => Ok(gru::Reader::Signal { channels }),
        _ => bail!(
            "a gru needs text, as `words` or `text` have it, or signals, as \
             `mnist1d` has them"
        ),
    }
}

/// Useful floating-point operations of one training step: twice the
/// multiply-adds of the matrix products and convolutions, forward, and again
/// for each of the two gradients, less the gradient of the inputs. `None` for
/// models that are not built in.
pub(crate) fn step_flops(
    spec: &ModelSpec,
    data: &Dataset,
    batch: usize,
) -> Option<f64> {
    let shape = data.input_shape();
    // Multiply-adds of each product for one example, in forward order.
    let products = match spec {
        ModelSpec::Mlp { hidden } => {
            mlp::products(data.features(), hidden, data.outputs())
        }
        ModelSpec::Cnn { channels, kernels, stride, padding, pool, hidden } => {
            let size = cnn::Size {
                channels,
                kernels,
                stride: *stride,
                padding: *padding,
                pool: *pool,
                hidden,
            };
            cnn::products(&shape, &size, data.outputs()).ok()?
        }
        ModelSpec::Resnet { channels, blocks } => {
            resnet::products(&shape, channels, *blocks, data.outputs())
        }
        ModelSpec::Transformer { width, layers, .. } => {
            transformer::products(*width, *layers, shape[0], data.outputs())
        }
        ModelSpec::Gru { hidden, layers, embedding } => {
            let reader = reader(data, *embedding).ok()?;
            let (size, length) = ((*hidden, *layers), *shape.last()?);
            gru::products(&reader, size, length, data.outputs())
        }
        ModelSpec::Registered { .. } => return None,
    };
    // The first layer needs no gradient of its inputs, unless an embedding
    // stands before it.
    let first = match spec {
        ModelSpec::Transformer { .. } => 0.0,
        _ => products.first().copied().unwrap_or(0.0),
    };
    let all: f64 = products.iter().sum();
    Some(2.0 * batch as f64 * (3.0 * all - first))
}
