//! Initial weights from a seed.

use crate::seed;
use candle_core::{DType, Device, Error, Result, Shape, Tensor, Var};
use candle_nn::init::{FanInOut, NormalOrUniform};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Init, VarBuilder};
use rand_distr::{Distribution, Normal, Uniform};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// The weights of one model. Each is created when the model builder requests
/// it, from the seed and its own name, so that a further layer does not change
/// the weights of the others.
#[derive(Clone)]
pub(crate) struct Weights {
    seed: u64,
    /// Sorted by name, so that reductions over them have a fixed order.
    vars: Arc<Mutex<BTreeMap<String, Var>>>,
    /// Given initial weights, by name.
    given: Arc<HashMap<String, Tensor>>,
}

impl Weights {
    /// Weights from `seed`, except those with a name in `given`.
    pub(crate) fn new(seed: u64, given: Arc<HashMap<String, Tensor>>) -> Self {
        Self { seed, vars: Arc::default(), given }
    }

    /// The `VarBuilder` for the model builder.
    pub(crate) fn builder(&self, device: &Device) -> VarBuilder<'static> {
        let backend = Box::new(self.clone());
        VarBuilder::from_backend(backend, DType::F32, device.clone())
    }

    /// All weights created so far, sorted by name.
    pub(crate) fn trainable(&self) -> Vec<(String, Var)> {
        let vars = self.vars.lock().unwrap_or_else(PoisonError::into_inner);
        vars.iter().map(|(name, var)| (name.clone(), var.clone())).collect()
    }

    fn fresh(&self, shape: &Shape, name: &str, init: Init) -> Result<Vec<f32>> {
        let mut rng = seed::stream(self.seed, name);
        let n = shape.elem_count();
        let mut draw = |distribution: &dyn Draw| -> Vec<f32> {
            (0..n).map(|_| distribution.draw(&mut rng)).collect()
        };
        Ok(match init {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "weights are f32"
            )]
            Init::Const(value) => vec![value as f32; n],
            Init::Randn { mean, stdev } => {
                draw(&Normal::new(mean, stdev).map_err(Error::wrap)?)
            }
            Init::Uniform { lo, up } => {
                draw(&Uniform::new(lo, up).map_err(Error::wrap)?)
            }
            Init::Kaiming { dist, fan, non_linearity } => {
                let fan = match fan {
                    FanInOut::FanIn => fan_in(shape),
                    FanInOut::FanOut => {
                        shape.dims().iter().product::<usize>()
                            / shape.dims().get(1).copied().unwrap_or(1)
                    }
                };
                let stdev = non_linearity.gain() / (fan as f64).sqrt();
                match dist {
                    NormalOrUniform::Normal => {
                        draw(&Normal::new(0.0, stdev).map_err(Error::wrap)?)
                    }
                    NormalOrUniform::Uniform => {
                        let bound = 3.0_f64.sqrt() * stdev;
                        draw(
                            &Uniform::new(-bound, bound)
                                .map_err(Error::wrap)?,
                        )
                    }
                }
            }
        })
    }
}

/// Fan-in: the number of inputs that each output sums over.
fn fan_in(shape: &Shape) -> usize {
    shape.dims().iter().skip(1).product::<usize>().max(1)
}

/// PyTorch's default for weights and biases of linear layers and convolutions:
/// uniform, with the bound one over the square root of the fan-in.
pub(super) fn uniform(inputs: usize) -> Init {
    let bound = 1.0 / (inputs.max(1) as f64).sqrt();
    Init::Uniform { lo: -bound, up: bound }
}

/// A distribution of weights, drawn in f64 and rounded to f32.
trait Draw {
    fn draw(&self, rng: &mut rand_chacha::ChaCha8Rng) -> f32;
}

impl<D: Distribution<f64>> Draw for D {
    #[expect(clippy::cast_possible_truncation, reason = "weights are f32")]
    fn draw(&self, rng: &mut rand_chacha::ChaCha8Rng) -> f32 {
        self.sample(rng) as f32
    }
}

impl SimpleBackend for Weights {
    fn get(
        &self,
        shape: Shape,
        name: &str,
        init: Init,
        dtype: DType,
        device: &Device,
    ) -> Result<Tensor> {
        let mut vars = self.vars.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(var) = vars.get(name) {
            if var.shape() != &shape {
                return Err(Error::Msg(format!(
                    "weight `{name}` is asked for as {shape:?} and as {:?}",
                    var.shape()
                )));
            }
            return Ok(var.as_tensor().clone());
        }
        let tensor = match self.given.get(name) {
            Some(given) if given.shape() != &shape => {
                return Err(Error::Msg(format!(
                    "weight `{name}` is {:?} in the file and {shape:?} in \
                     the model",
                    given.shape()
                )));
            }
            Some(given) => given.to_device(device)?.copy()?,
            None => {
                let values = self.fresh(&shape, name, init)?;
                Tensor::from_vec(values, shape, device)?
            }
        };
        let var = Var::from_tensor(&tensor.to_dtype(dtype)?)?;
        let tensor = var.as_tensor().clone();
        vars.insert(name.to_owned(), var);
        Ok(tensor)
    }

    fn get_unchecked(
        &self,
        name: &str,
        _: DType,
        _: &Device,
    ) -> Result<Tensor> {
        Err(Error::Msg(format!("no shape given for fresh weight `{name}`")))
    }

    fn contains_tensor(&self, _: &str) -> bool {
        true
    }
}
