//! Gated recurrent units over characters or signals.
//!
//! Source: Cho et al., *Learning Phrase Representations using RNN
//! Encoder-Decoder* (2014).
//!
//! On a CPU, padding is left out of the recurrence: its states are 0. The loss
//! ignores its logits, and no other position depends on it.

use crate::nn::{self, Embedding, Gru, Linear, Reach};
use candle_core::{Module, Result, Tensor};
use candle_nn::VarBuilder;

/// Standard deviation of fresh embeddings (PyTorch's).
const EMBEDDING_STDEV: f64 = 1.0;

/// What a [`Recurrent`] reads.
pub(crate) enum Reader {
    /// Characters, of which it tells the next at each place.
    Text {
        /// Values of a character's vector.
        embedding: usize,
        /// Number of characters.
        vocabulary: usize,
        /// Character that sequences are filled up with.
        padding: Option<u32>,
    },
    /// Signals of so many channels, each as a whole.
    Signal {
        /// Channels of a signal.
        channels: usize,
    },
}

/// A recurrent model; see [`gru`].
pub(crate) struct Recurrent {
    token: Option<(Embedding, Option<u32>)>,
    first: Gru,
    others: Vec<Gru>,
    head: Linear,
}

/// `layers` units with states of `hidden` values, one on the other, then a
/// dense layer. Takes `(batch, context)` characters and gives `(batch,
/// context, outputs)`, or takes `(batch, channels, length)` and gives `(batch,
/// outputs)` from the last state.
pub(crate) fn gru(
    reader: &Reader,
    (hidden, layers): (usize, usize),
    outputs: usize,
    vb: VarBuilder<'_>,
) -> Result<Recurrent> {
    let (token, inputs) = match *reader {
        Reader::Text { embedding, vocabulary, padding } => {
            let vb = vb.pp("token");
            let table =
                nn::embedding(vocabulary, embedding, EMBEDDING_STDEV, vb)?;
            (Some((table, padding)), embedding)
        }
        Reader::Signal { channels } => (None, channels),
    };
    let layer = |i: usize| nn::gru(hidden, hidden, vb.pp(format!("gru{i}")));
    Ok(Recurrent {
        token,
        first: nn::gru(inputs, hidden, vb.pp("gru0"))?,
        others: (1..layers).map(layer).collect::<Result<_>>()?,
        head: nn::linear(hidden, outputs, vb.pp("head"))?,
    })
}

impl Module for Recurrent {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        match &self.token {
            Some((token, padding)) => self.of_text(x, token, *padding),
            None => self.of_signal(x),
        }
    }
}

impl Recurrent {
    fn of_text(
        &self,
        characters: &Tensor,
        token: &Embedding,
        padding: Option<u32>,
    ) -> Result<Tensor> {
        let (batch, context) = characters.dims2()?;
        if !characters.device().is_cpu() {
            let x = self.first.forward(&token.forward(characters)?)?;
            return self.head.forward(&self.rest(x)?);
        }
        let all = characters.flatten_all()?.to_vec1::<u32>()?;
        let run = |layer: &Gru, input: &Tensor| {
            let reach = match padding {
                None => Reach::Whole,
                Some(padding) => {
                    Reach::Characters { characters: all.clone(), padding }
                }
            };
            layer.run(input, (batch, context), reach)
        };
        // There are fewer characters than places: their share in the gates is
        // computed once and looked up.
        let table = self.first.input(token.weight())?;
        let input = nn::gather_rows(&table, all.clone())?;
        let mut x = run(&self.first, &input)?;
        for layer in &self.others {
            x = run(layer, &layer.input(&x)?)?;
        }
        self.head.forward(&x)?.reshape((batch, context, ()))
    }

    fn of_signal(&self, x: &Tensor) -> Result<Tensor> {
        let (batch, channels, length) = x.dims3()?;
        let x = if x.device().is_cpu() {
            nn::of_signal(x)?.reshape((batch, length, channels))?
        } else {
            x.transpose(1, 2)?.contiguous()?
        };
        let states = self.rest(self.first.forward(&x)?)?;
        self.head.forward(&nn::last_place(&states)?)
    }

    /// The units after the first one.
    fn rest(&self, x: Tensor) -> Result<Tensor> {
        self.others.iter().try_fold(x, |x, layer| layer.forward(&x))
    }
}

/// Multiply-adds of each product for one example of `length` places; those
/// of characters looked up are none.
pub(crate) fn products(
    reader: &Reader,
    (hidden, layers): (usize, usize),
    length: usize,
    outputs: usize,
) -> Vec<f64> {
    let gates = |inputs: usize| (length * inputs * 3 * hidden) as f64;
    let mut products = vec![];
    for layer in 0..layers {
        products.push(match reader {
            _ if layer > 0 => gates(hidden),
            Reader::Text { .. } => 0.0,
            Reader::Signal { channels } => gates(*channels),
        });
        products.push(gates(hidden));
    }
    products.push(match reader {
        Reader::Text { .. } => (length * hidden * outputs) as f64,
        Reader::Signal { .. } => (hidden * outputs) as f64,
    });
    products
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{WeightGradients, Weights, cross_entropy, record};
    use candle_core::{DType, Device, Var};
    use std::sync::Arc;

    const CONTEXT: usize = 5;
    const IGNORED: u32 = u32::MAX;

    /// Loss and gradients of one batch, with or without leaving out 3, which
    /// sequences begin with and are filled up with.
    fn step(padding: Option<u32>) -> Result<(f64, Vec<Vec<f32>>)> {
        let weights = Weights::new(1, Arc::default());
        let reader = Reader::Text { embedding: 3, vocabulary: 4, padding };
        let vb = weights.builder(&Device::Cpu);
        let model = gru(&reader, (6, 2), 4, vb)?;
        let characters: [[u32; CONTEXT]; 3] =
            [[3, 0, 1, 3, 3], [3, 3, 3, 3, 3], [3, 2, 1, 0, 2]];
        let targets: [[u32; CONTEXT]; 3] = [
            [0, 1, 3, IGNORED, IGNORED],
            [3, IGNORED, IGNORED, IGNORED, IGNORED],
            [2, 1, 0, 2, 3],
        ];
        let characters = Tensor::new(&characters, &Device::Cpu)?;
        let targets = Tensor::new(&targets, &Device::Cpu)?.flatten_all()?;
        let vars: Vec<Var> =
            weights.trainable().into_iter().map(|(_, var)| var).collect();
        let mut gradients = WeightGradients::new(vars);
        let mut recording = record(|| {
            let logits = model.forward(&characters)?;
            assert_eq!(logits.dims(), [3, CONTEXT, 4]);
            cross_entropy(&logits.reshape(((), 4))?, &targets)
        })?;
        let loss = recording.loss()?;
        recording.backward(1.0, &mut gradients, false)?;
        let all = gradients.all().into_iter().flatten().map(<[f32]>::to_vec);
        Ok((loss, all.collect()))
    }

    #[test]
    fn leaving_out_padding_changes_no_gradient() {
        let (loss, packed) = step(Some(3)).expect("no error");
        let (same, padded) = step(None).expect("no error");
        assert!((loss - same).abs() < 1e-6, "{loss} {same}");
        assert_eq!(packed.len(), 11, "every weight is reached");
        assert_eq!(packed.len(), padded.len());
        for (a, b) in packed.iter().flatten().zip(padded.iter().flatten()) {
            assert!((a - b).abs() < 1e-6, "{a} {b}");
        }
    }

    #[test]
    fn a_signal_gives_its_classes() {
        let weights = Weights::new(1, Arc::default());
        for channels in [1, 3] {
            let vb = weights.builder(&Device::Cpu).pp(channels.to_string());
            let model = gru(&Reader::Signal { channels }, (4, 2), 7, vb);
            let x = Tensor::ones((2, channels, 9), DType::F32, &Device::Cpu);
            let y = model.expect("sizes").forward(&x.expect("a tensor"));
            assert_eq!(y.expect("no error").dims(), [2, 7]);
        }
    }
}
