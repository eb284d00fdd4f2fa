//! Gated recurrent units, over sequences of different lengths.
//!
//! Arrays that belong to whole sequences are padded, `(sequences, longest,
//! ...)`. What is kept for the backward pass lies step by step, the sequences
//! in falling order of their lengths: those that take part in a step are the
//! first ones of its block, and of the block before it.

use super::activation::{add_column_sums, exp};
use super::gemm::{Finish, Matrix, gemm};
use super::scratch::scratch;
use super::vectorised;

/// Sequences of a batch, each a number of steps from the start of its row.
pub(crate) struct Steps {
    /// Rows in falling order of their lengths.
    order: Vec<usize>,
    /// Sequences that take each step; falling.
    active: Vec<usize>,
    /// Positions of a row.
    longest: usize,
}

impl Steps {
    /// Of sequences with these `lengths` in rows of `longest` positions.
    pub(crate) fn new(lengths: &[usize], longest: usize) -> Self {
        assert!(lengths.iter().all(|&length| length <= longest));
        let mut order: Vec<usize> = (0..lengths.len()).collect();
        order.sort_by_key(|&row| std::cmp::Reverse(lengths[row]));
        let count = |step| lengths.iter().filter(|&&l| l > step).count();
        let counts = (0..longest).map(count);
        let active = counts.take_while(|&count| count > 0).collect();
        Self { order, active, longest }
    }

    /// Position of a sequence of step `step` in the padded arrays.
    fn places(&self, step: usize) -> Vec<usize> {
        let taking = &self.order[..self.active[step]];
        taking.iter().map(|row| row * self.longest + step).collect()
    }

    /// Positions that a sequence takes.
    fn positions(&self) -> usize {
        self.active.iter().sum()
    }
}

/// Values that are kept for each position, in widths of the state: the state,
/// the gates r and z, the new part n, and what r multiplies in it.
const KEPT: usize = 5;

/// Values to keep for `rows` rows of `longest` positions.
pub(crate) fn kept_len(rows: usize, longest: usize, width: usize) -> usize {
    KEPT * rows * longest * width
}

/// The parts of what is kept.
fn parts(kept: &[f32], positions: usize, width: usize) -> [&[f32]; KEPT] {
    let len = positions * width;
    std::array::from_fn(|i| &kept[i * len..(i + 1) * len])
}

/// The states of PyTorch's GRU, from the state 0: of the gates r, z and n side
/// by side, `x` has the share of the inputs, `(rows, longest, 3 width)`, and
/// `weight` `(3 width, width)` and `bias` that of the state. To `y`, `(rows,
/// longest, width)`; 0 beyond the end of a sequence.
///
/// Source: Cho et al., *Learning Phrase Representations using RNN
/// Encoder-Decoder* (2014), with r applied after the product.
pub(crate) fn forward(
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    steps: &Steps,
    y: &mut [f32],
    kept: &mut [f32],
) {
    let width = weight.len() / bias.len();
    let positions = steps.positions();
    let (states, rest) = kept.split_at_mut(positions * width);
    let (r, rest) = rest.split_at_mut(positions * width);
    let (z, rest) = rest.split_at_mut(positions * width);
    let (n, rest) = rest.split_at_mut(positions * width);
    let q = &mut rest[..positions * width];
    // Turned once, not in every step.
    let mut turned = scratch(weight.len());
    for (row, weights) in weight.chunks_exact(width).enumerate() {
        let column = turned.iter_mut().skip(row).step_by(bias.len());
        column.zip(weights).for_each(|(to, from)| *to = *from);
    }
    if positions < y.len() / width {
        y.fill(0.0);
    }
    let zeros = vec![0.0; steps.active.first().unwrap_or(&0) * width];
    let mut own = scratch(steps.active.first().unwrap_or(&0) * bias.len());
    let mut from = 0;
    for (step, &count) in steps.active.iter().enumerate() {
        let own = &mut own[..count * bias.len()];
        let (before, now) = states.split_at_mut(from * width);
        let state = if step == 0 {
            own.chunks_exact_mut(bias.len())
                .for_each(|own| own.copy_from_slice(bias));
            &zeros[..count * width]
        } else {
            let begin = (from - steps.active[step - 1]) * width;
            let state = &before[begin..begin + count * width];
            gemm(
                Matrix::new(state, count, width),
                Matrix::new(&turned, width, bias.len()),
                own,
                Finish { bias, ..Finish::default() },
            );
            state
        };
        let block = from * width..(from + count) * width;
        let places = steps.places(step);
        let now = &mut now[..count * width];
        gates(
            x,
            &places,
            own,
            state,
            [
                &mut r[block.clone()],
                &mut z[block.clone()],
                &mut n[block.clone()],
                &mut q[block],
                now,
            ],
        );
        for (state, place) in now.chunks_exact(width).zip(places) {
            y[place * width..][..width].copy_from_slice(state);
        }
        from += count;
    }
}

#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// NaN stays NaN.
#[inline(always)]
fn tanh(x: f32) -> f32 {
    2.0 / (1.0 + exp(-2.0 * x)) - 1.0
}

vectorised! {
    /// One step of the sequences at `places` of `x`: gates and new states from
    /// the share of the states in the gates, `own`, and the states before.
    fn gates(
        x: &[f32],
        places: &[usize],
        own: &[f32],
        before: &[f32],
        to: [&mut [f32]; KEPT],
    ) {
        let [r, z, n, q, state] = to;
        let width = before.len() / places.len().max(1);
        for (i, place) in places.iter().enumerate() {
            let x = &x[place * 3 * width..][..3 * width];
            let own = &own[i * 3 * width..][..3 * width];
            let (x_r, x_z, x_n) =
                (&x[..width], &x[width..2 * width], &x[2 * width..]);
            let (own_r, own_z, own_n) =
                (&own[..width], &own[width..2 * width], &own[2 * width..]);
            let at = i * width;
            let before = &before[at..][..width];
            let r = &mut r[at..][..width];
            let z = &mut z[at..][..width];
            let n = &mut n[at..][..width];
            let q = &mut q[at..][..width];
            let state = &mut state[at..][..width];
            for j in 0..width {
                r[j] = sigmoid(x_r[j] + own_r[j]);
                z[j] = sigmoid(x_z[j] + own_z[j]);
                q[j] = own_n[j];
                n[j] = tanh(x_n[j] + r[j] * own_n[j]);
                state[j] = n[j] + z[j] * (before[j] - n[j]);
            }
        }
    }
}

/// Gradients of [`forward`] by the share of the inputs, to `dx`, and, added,
/// by `weight` and `bias`, from that by `y`.
pub(crate) fn backward(
    weight: &[f32],
    kept: &[f32],
    dy: &[f32],
    steps: &Steps,
    dx: &mut [f32],
    dweight: &mut [f32],
    dbias: &mut [f32],
) {
    let triple = dbias.len();
    let width = weight.len() / triple;
    let positions = steps.positions();
    let [states, r, z, n, q] = parts(kept, positions, width);
    if positions < dy.len() / width {
        dx.fill(0.0);
    }
    let first = steps.active.first().copied().unwrap_or(0);
    // Of the states before each step, at the place of these states; 0 where
    // the sequence has ended.
    let mut down = scratch(positions * triple);
    let mut start = scratch(first * triple);
    let mut carried = scratch(first * width);
    carried.fill(0.0);
    let zeros = vec![0.0; first * width];
    let mut from = positions;
    let mut later = 0;
    for (step, &count) in steps.active.iter().enumerate().rev() {
        from -= count;
        // Of the states of this step, for the step after it.
        down[(from + later) * triple..(from + count) * triple].fill(0.0);
        later = count;
        let block = from * width..(from + count) * width;
        let (state, own) = if step == 0 {
            (&zeros[..count * width], &mut start[..])
        } else {
            let begin = from - steps.active[step - 1];
            let state = &states[begin * width..(begin + count) * width];
            (state, &mut down[begin * triple..(begin + count) * triple])
        };
        slopes(
            dy,
            &steps.places(step),
            state,
            [
                &r[block.clone()],
                &z[block.clone()],
                &n[block.clone()],
                &q[block],
            ],
            dx,
            own,
            &mut carried[..count * width],
        );
        if step > 0 {
            gemm(
                Matrix::new(own, count, triple),
                Matrix::new(weight, triple, width),
                &mut carried[..count * width],
                Finish { add: true, ..Finish::default() },
            );
        }
    }
    add_column_sums(&start, dbias);
    add_column_sums(&down, dbias);
    gemm(
        Matrix::new(&down, positions, triple).t(),
        Matrix::new(states, positions, width),
        dweight,
        Finish { add: true, ..Finish::default() },
    );
}

vectorised! {
    /// One step backwards of the sequences at `places`: the gradients by both
    /// shares in the gates and, in place of that by the new state in
    /// `carried`, the direct one by the state before.
    fn slopes(
        dy: &[f32],
        places: &[usize],
        before: &[f32],
        kept: [&[f32]; 4],
        dx: &mut [f32],
        own: &mut [f32],
        carried: &mut [f32],
    ) {
        let [r, z, n, q] = kept;
        let width = before.len() / places.len().max(1);
        for (i, place) in places.iter().enumerate() {
            let dx = &mut dx[place * 3 * width..][..3 * width];
            let (dx_r, dx) = dx.split_at_mut(width);
            let (dx_z, dx_n) = dx.split_at_mut(width);
            let own = &mut own[i * 3 * width..][..3 * width];
            let (own_r, own) = own.split_at_mut(width);
            let (own_z, own_n) = own.split_at_mut(width);
            let dy = &dy[place * width..][..width];
            let at = i * width;
            let before = &before[at..][..width];
            let r = &r[at..][..width];
            let z = &z[at..][..width];
            let n = &n[at..][..width];
            let q = &q[at..][..width];
            let carried = &mut carried[at..][..width];
            for j in 0..width {
                let d = carried[j] + dy[j];
                let new = d * (1.0 - z[j]) * (1.0 - n[j] * n[j]);
                let update = d * (before[j] - n[j]) * z[j] * (1.0 - z[j]);
                let reset = new * q[j] * r[j] * (1.0 - r[j]);
                dx_r[j] = reset;
                own_r[j] = reset;
                dx_z[j] = update;
                own_z[j] = update;
                dx_n[j] = new;
                own_n[j] = new * r[j];
                carried[j] = d * z[j];
            }
        }
    }
}
