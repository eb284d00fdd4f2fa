//! Gated recurrent units.

use super::init::uniform;
use super::linear::{self, Linear};
use super::op::{self, Indices, Kept, Op, Pass, keep};
use crate::kernels::activation;
use crate::kernels::recurrent::{self, Steps};
use crate::kernels::scratch::scratch;
use candle_core::{Module, Result, Tensor, bail};
use candle_nn::VarBuilder;

/// A gated recurrent unit from the state 0: `(batch, length, inputs)` to the
/// states, `(batch, length, width)`.
///
/// ```text
/// r = sigmoid(W_r x + b_r + U_r h + c_r)
/// z = sigmoid(W_z x + b_z + U_z h + c_z)
/// n = tanh(W_n x + b_n + r * (U_n h + c_n))
/// h = (1 - z) * n + z * h
/// ```
///
/// Source: Cho et al., *Learning Phrase Representations using RNN
/// Encoder-Decoder* (2014), as `torch.nn.GRU` of one layer has it.
#[derive(Clone, Debug)]
pub struct Gru {
    input: Linear,
    weight: Tensor,
    bias: Tensor,
    width: usize,
}

/// A gated recurrent unit with a state of `width` values. Weights
/// `input.weight` `(3 width, inputs)`, `input.bias` `(3 width)`,
/// `state.weight` `(3 width, width)` and `state.bias` `(3 width)`, of r, z and
/// n one after the other: `PyTorch`'s `weight_ih_l0`, `bias_ih_l0`,
/// `weight_hh_l0` and `bias_hh_l0`, with its fresh values.
///
/// # Errors
///
/// If `vb` has one of its weights with another shape.
pub fn gru(inputs: usize, width: usize, vb: VarBuilder<'_>) -> Result<Gru> {
    let triple = 3 * width;
    let part = |vb: VarBuilder<'_>, columns: usize| {
        let hint = uniform(width);
        let weight = vb.get_with_hints((triple, columns), "weight", hint)?;
        Result::Ok((weight, vb.get_with_hints(triple, "bias", hint)?))
    };
    let (weight, bias) = part(vb.pp("input"), inputs)?;
    let input = linear::of(weight, bias);
    let (weight, bias) = part(vb.pp("state"), width)?;
    Ok(Gru { input, weight, bias, width })
}

impl Module for Gru {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (batch, length, _) = x.dims3()?;
        let x = self.input.forward(x)?;
        if !x.device().is_cpu() {
            return self.composed(&x);
        }
        self.run(&x, (batch, length), Reach::Whole)?
            .reshape((batch, length, self.width))
    }
}

/// How far the sequences of a batch reach.
pub(crate) enum Reach {
    /// All to the end of their rows.
    Whole,
    /// Their characters to the last one that is no padding, the first always.
    Characters {
        /// Of all rows, one after the other.
        characters: Vec<u32>,
        /// The character that rows are filled up with.
        padding: u32,
    },
}

impl Gru {
    /// The share of inputs in the gates: `(..., inputs)` to `(..., 3 width)`.
    pub(crate) fn input(&self, x: &Tensor) -> Result<Tensor> {
        self.input.forward(x)
    }

    /// The states `(batch length, width)` from the share of the inputs, rows
    /// of 3 width, on the CPU; 0 beyond the end of a sequence.
    pub(crate) fn run(
        &self,
        x: &Tensor,
        (batch, length): (usize, usize),
        reach: Reach,
    ) -> Result<Tensor> {
        if x.elem_count() != batch * length * 3 * self.width {
            bail!("{:?} is not the share of {batch} x {length}", x.shape())
        }
        let (characters, padding) = match reach {
            Reach::Whole => (None, 0),
            Reach::Characters { characters, padding } => {
                if characters.len() != batch * length {
                    bail!("as many characters as positions are wanted")
                }
                (Some(Indices(characters)), padding)
            }
        };
        let op = Recurrent { length, width: self.width, characters, padding };
        let inputs = [x, &self.weight, &self.bias];
        op::apply(op, &inputs, (batch * length, self.width))
    }

    /// The same of `(batch, length, 3 width)`, from candle's operations and
    /// without a regard for padding: `(batch, length, width)`.
    pub(crate) fn composed(&self, x: &Tensor) -> Result<Tensor> {
        let (batch, length, _) = x.dims3()?;
        let mut state =
            Tensor::zeros((batch, self.width), x.dtype(), x.device())?;
        let mut states = vec![];
        for step in 0..length {
            let x = x.narrow(1, step, 1)?.squeeze(1)?;
            let own = state.matmul(&self.weight.t()?)?;
            let own = own.broadcast_add(&self.bias)?;
            let of = |all: &Tensor, gate: usize| {
                all.narrow(1, gate * self.width, self.width)
            };
            let gate = |gate: usize| {
                candle_nn::ops::sigmoid(&(of(&x, gate)? + of(&own, gate)?)?)
            };
            let (r, z) = (gate(0)?, gate(1)?);
            let n = (of(&x, 2)? + (r * of(&own, 2)?)?)?.tanh()?;
            state = (&n + (z * (&state - &n)?)?)?;
            states.push(state.clone());
        }
        Tensor::stack(&states, 1)
    }
}

/// The last place of each sequence: `(batch, length, width)` to `(batch,
/// width)`.
pub(crate) fn last_place(x: &Tensor) -> Result<Tensor> {
    let (batch, length, width) = x.dims3()?;
    if !x.device().is_cpu() {
        return x.narrow(1, length - 1, 1)?.squeeze(1);
    }
    op::apply(Last { length, width }, &[x], (batch, width))
}

#[derive(Debug)]
struct Last {
    length: usize,
    width: usize,
}

impl Op for Last {
    fn name(&self) -> &'static str {
        "last_place"
    }

    fn forward(&self, inputs: &[&[f32]], y: &mut [f32], _: &mut Kept) {
        let rows = inputs[0].chunks_exact(self.length * self.width);
        for (y, x) in y.chunks_exact_mut(self.width).zip(rows) {
            y.copy_from_slice(&x[x.len() - self.width..]);
        }
    }

    fn backward(&self, pass: Pass<'_>) {
        let Some(dx) = &mut pass.gradients[0] else { return };
        let rows = dx.begin().chunks_exact_mut(self.length * self.width);
        for (dy, dx) in pass.dy.chunks_exact(self.width).zip(rows) {
            let from = dx.len() - self.width;
            activation::add(dy, &mut dx[from..]);
        }
    }
}

/// States from the share of the inputs, the weight and the bias of the states.
#[derive(Debug)]
struct Recurrent {
    length: usize,
    width: usize,
    characters: Option<Indices>,
    padding: u32,
}

impl Recurrent {
    /// The steps of the sequences in `rows` rows.
    fn steps(&self, rows: usize) -> Steps {
        let Some(Indices(characters)) = &self.characters else {
            return Steps::new(&vec![self.length; rows], self.length);
        };
        let own = |row: &[u32]| {
            row.iter().rposition(|&c| c != self.padding).unwrap_or(0) + 1
        };
        let lengths: Vec<usize> =
            characters.chunks_exact(self.length).map(own).collect();
        Steps::new(&lengths, self.length)
    }
}

impl Op for Recurrent {
    fn name(&self) -> &'static str {
        "gru"
    }

    fn indices(&mut self) -> Option<&mut Indices> {
        self.characters.as_mut()
    }

    fn forward(&self, inputs: &[&[f32]], y: &mut [f32], kept: &mut Kept) {
        let rows = y.len() / (self.length * self.width);
        let steps = self.steps(rows);
        let len = recurrent::kept_len(rows, self.length, self.width);
        let (x, weight, bias) = (inputs[0], inputs[1], inputs[2]);
        recurrent::forward(x, weight, bias, &steps, y, keep(kept, len));
    }

    fn backward(&self, pass: Pass<'_>) {
        let Pass { inputs, kept, dy, gradients, .. } = pass;
        let [dx, dweight, dbias] = gradients else { return };
        let steps = self.steps(dy.len() / (self.length * self.width));
        let weight = inputs[1];
        let mut slopes = scratch(weight.len() + 3 * self.width);
        slopes.fill(0.0);
        let (dw, db) = slopes.split_at_mut(weight.len());
        let mut by_input = |dx: &mut [f32]| {
            recurrent::backward(weight, kept, dy, &steps, dx, dw, db);
        };
        match dx {
            Some(dx) => dx.write(by_input),
            None => by_input(&mut scratch(inputs[0].len())),
        }
        for (gradient, values) in [(dweight, dw), (dbias, db)] {
            if let Some(gradient) = gradient {
                gradient.take(values);
            }
        }
    }
}
