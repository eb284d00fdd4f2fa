//! Causal self-attention over short sequences (Vaswani et al. 2017), with
//! queries, keys and values side by side as one linear layer leaves them.
//!
//! One head of one sequence at a time is copied into blocks of 16 columns.
//! The inner loops of [`tile`](super::tile) can use such blocks as left and as
//! right operand.

use super::activation::exp;
use super::scratch::{Scratch, scratch};
use super::tile::{self, Columns, Panel, Places, Rows, Target};
use super::{LANES, copy, vectorised};

/// Heads, and numbers in a head. `qkv` is `(places, 3, heads, size)`, the
/// output `(places, heads, size)`, the sequences one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heads {
    pub(crate) heads: usize,
    pub(crate) size: usize,
}

impl Heads {
    fn width(self) -> usize {
        self.heads * self.size
    }

    /// Where a head of queries (0), keys (1) or values (2) is in its place.
    fn part(self, part: usize, head: usize) -> Part {
        Part {
            place: 3 * self.width(),
            at: part * self.width() + head * self.size,
            size: self.size,
        }
    }

    /// Where a head is in a place of the output.
    fn mixed(self, head: usize) -> Part {
        let Self { size, .. } = self;
        Part { place: self.width(), at: head * size, size }
    }

    fn scale(self) -> f32 {
        1.0 / (self.size as f32).sqrt()
    }
}

/// `size` numbers from `at` on of every `place` numbers.
#[derive(Clone, Copy)]
struct Part {
    place: usize,
    at: usize,
    size: usize,
}

/// A matrix of `rows` rows in blocks of 16 columns, filled up with 0.
struct Blocks {
    data: Scratch,
    rows: usize,
    blocks: usize,
}

impl Blocks {
    /// With unspecified values.
    fn new(rows: usize, columns: usize) -> Self {
        let blocks = columns.div_ceil(LANES);
        Self { data: scratch(blocks * rows * LANES), rows, blocks }
    }

    /// `n` places of `part`, filled up to `rows` rows.
    fn load(x: &[f32], part: Part, n: usize, rows: usize) -> Self {
        let mut to = Self::new(rows, part.size);
        let block = rows * LANES;
        for (b, to) in to.data.chunks_exact_mut(block).enumerate() {
            let first = b * LANES;
            let count = LANES.min(part.size - first);
            let (whole, rest) = to.split_at_mut(n * LANES);
            for (t, row) in whole.chunks_exact_mut(LANES).enumerate() {
                let from = &x[t * part.place + part.at + first..];
                if count < LANES {
                    row.fill(0.0);
                }
                copy(&from[..count], &mut row[..count]);
            }
            rest.fill(0.0);
        }
        to
    }

    /// Its transpose, of `n` columns: one block of 16 after the other.
    fn load_transposed(x: &[f32], part: Part, n: usize) -> Self {
        let rows = part.size.div_ceil(LANES) * LANES;
        let mut to = Self::new(rows, n);
        to.data.fill(0.0);
        for t in 0..n {
            let from = &x[t * part.place + part.at..][..part.size];
            let column = &mut to.data[t / LANES * rows * LANES + t % LANES..];
            let places = column.iter_mut().step_by(LANES);
            places.zip(from).for_each(|(to, from)| *to = *from);
        }
        to
    }

    /// The first `n` rows to `part`.
    fn store(&self, part: Part, n: usize, x: &mut [f32]) {
        for (b, block) in self.data.chunks_exact(self.rows * LANES).enumerate()
        {
            let first = b * LANES;
            let count = LANES.min(part.size - first);
            for (t, row) in block.chunks_exact(LANES).take(n).enumerate() {
                let to = &mut x[t * part.place + part.at + first..];
                copy(&row[..count], &mut to[..count]);
            }
        }
    }

    fn block(&self, b: usize) -> &[f32] {
        &self.data[b * self.rows * LANES..][..self.rows * LANES]
    }

    /// A block as a right operand, in vectors of so many lanes.
    fn panel(&self, b: usize, lanes: usize) -> Panel<'_> {
        let (data, vectors) = (self.block(b), LANES / lanes);
        Panel { data, apart: LANES, vectors, columns: LANES, at: 0 }
    }

    /// This times `b`.
    fn times(&self, b: &Self) -> Self {
        let loops = tile::loops();
        let mut out = Self::new(self.rows, b.blocks * LANES);
        let runs: Vec<usize> =
            (0..self.blocks).map(|block| block * self.rows * LANES).collect();
        let length = if self.blocks == 1 { b.rows } else { LANES };
        let starts = Places::Every { apart: LANES, count: self.rows };
        let source = Rows { data: &self.data, starts, runs: &runs, length };
        for i in 0..b.blocks {
            let data = &mut out.data[i * self.rows * LANES..];
            let (add, bias, relu) = (false, &[][..], false);
            let mut target = Target { data, starts, add, bias, relu };
            loops.by_rows(source, b.panel(i, loops.lanes), &mut target);
        }
        out
    }

    /// The transpose of this times `b`, both over places.
    fn transposed_times(&self, b: &Self) -> Self {
        let loops = tile::loops();
        let mut out = Self::new(self.rows, b.blocks * LANES);
        let rows = self.rows.min(LANES);
        for i in 0..b.blocks {
            for j in 0..self.blocks {
                let source = Columns {
                    data: self.block(j),
                    starts: Places::Every { apart: LANES, count: self.rows },
                    offset: 0,
                    rows,
                };
                let at = (i * self.rows + j * LANES) * LANES;
                let data = &mut out.data[at..];
                let (add, bias, relu) = (false, &[][..], false);
                let starts = Places::Every { apart: LANES, count: rows };
                let mut target = Target { data, starts, add, bias, relu };
                loops.by_columns(source, b.panel(i, loops.lanes), &mut target);
            }
        }
        out
    }
}

/// What `n` places are filled up to: one short block needs no more rows than a
/// small tile has.
fn filled(n: usize) -> usize {
    let step = if n <= LANES { 4 } else { LANES };
    n.div_ceil(step) * step
}

vectorised! {
    /// Softmax of each of the first `n` rows of scores, as far as its own
    /// place; 0 beyond, and in further rows.
    fn causal_softmax(scores: &mut [f32], n: usize, rows: usize, scale: f32) {
        let blocks = n.div_ceil(LANES);
        for t in 0..n {
            let mut most = [f32::NEG_INFINITY; LANES];
            for b in 0..blocks {
                let row = &mut scores[(b * rows + t) * LANES..][..LANES];
                for (l, (x, most)) in row.iter_mut().zip(&mut most).enumerate() {
                    *x = if b * LANES + l > t { f32::NEG_INFINITY } else { *x };
                    *most = if *x > *most || x.is_nan() { *x } else { *most };
                }
            }
            let most = most.into_iter().fold(f32::NEG_INFINITY, |most, x| {
                if x > most || x.is_nan() { x } else { most }
            });
            let mut sum = [0.0_f32; LANES];
            for b in 0..blocks {
                let row = &mut scores[(b * rows + t) * LANES..][..LANES];
                for (x, sum) in row.iter_mut().zip(&mut sum) {
                    *x = exp((*x - most) * scale);
                    *sum += *x;
                }
            }
            let factor = 1.0 / sum.iter().sum::<f32>();
            for b in 0..blocks {
                let row = &mut scores[(b * rows + t) * LANES..][..LANES];
                for x in row {
                    *x *= factor;
                }
            }
        }
        for block in scores.chunks_exact_mut(rows * LANES) {
            block[n * LANES..].fill(0.0);
        }
    }
}

vectorised! {
    /// Propagates the gradient of the weights of [`causal_softmax`] back to the
    /// scores, in place.
    fn softmax_backward(
        weights: &[f32],
        slopes: &mut [f32],
        rows: usize,
        scale: f32,
    ) {
        let blocks = weights.len() / (rows * LANES);
        for t in 0..rows {
            let mut mean = [0.0_f32; LANES];
            for b in 0..blocks {
                let at = (b * rows + t) * LANES;
                let (w, slope) = (&weights[at..][..LANES], &slopes[at..][..LANES]);
                for ((mean, w), slope) in mean.iter_mut().zip(w).zip(slope) {
                    *mean += w * slope;
                }
            }
            let mean = mean.iter().sum::<f32>();
            for b in 0..blocks {
                let at = (b * rows + t) * LANES;
                let w = &weights[at..][..LANES];
                let slope = &mut slopes[at..][..LANES];
                for (slope, w) in slope.iter_mut().zip(w) {
                    *slope = w * (*slope - mean) * scale;
                }
            }
        }
    }
}

/// Number of values that [`forward`] keeps for [`backward`].
pub(crate) fn kept_len(lengths: &[usize], h: Heads) -> usize {
    let of_head = |n: &usize| {
        let blocks = n.div_ceil(LANES);
        filled(*n) * blocks * LANES
    };
    h.heads * lengths.iter().map(of_head).sum::<usize>()
}

/// `out[t] = sum over s <= t of softmax(q[t] k[s] / sqrt(size)) v[s]` in each
/// of the sequences of `lengths`; the softmax goes to `kept`.
pub(crate) fn forward(
    qkv: &[f32],
    lengths: &[usize],
    h: Heads,
    out: &mut [f32],
    kept: &mut [f32],
) {
    let (mut place, mut used) = (0, 0);
    for &n in lengths {
        let rows = filled(n);
        let qkv = &qkv[place * 3 * h.width()..][..n * 3 * h.width()];
        let out = &mut out[place * h.width()..][..n * h.width()];
        for head in 0..h.heads {
            let q = Blocks::load(qkv, h.part(0, head), n, rows);
            let k = Blocks::load_transposed(qkv, h.part(1, head), n);
            let v = Blocks::load(qkv, h.part(2, head), n, rows);
            let mut weights = q.times(&k);
            causal_softmax(&mut weights.data, n, rows, h.scale());
            weights.times(&v).store(h.mixed(head), n, out);
            let size = weights.data.len();
            kept[used..used + size].copy_from_slice(&weights.data);
            used += size;
        }
        place += n;
    }
}

/// Gradient of [`forward`] with respect to `qkv`, which is overwritten.
pub(crate) fn backward(
    qkv: &[f32],
    kept: &[f32],
    dout: &[f32],
    lengths: &[usize],
    h: Heads,
    dqkv: &mut [f32],
) {
    let (mut place, mut used) = (0, 0);
    for &n in lengths {
        let rows = filled(n);
        let range = place * 3 * h.width()..(place + n) * 3 * h.width();
        let (qkv, dqkv) = (&qkv[range.clone()], &mut dqkv[range]);
        let dout = &dout[place * h.width()..][..n * h.width()];
        for head in 0..h.heads {
            let [q_part, k_part, v_part] =
                [0, 1, 2].map(|part| h.part(part, head));
            let mut weights = Blocks::new(rows, n);
            let size = weights.data.len();
            weights.data.copy_from_slice(&kept[used..used + size]);
            used += size;
            let dmixed = Blocks::load(dout, h.mixed(head), n, rows);
            weights.transposed_times(&dmixed).store(v_part, n, dqkv);
            let v = Blocks::load_transposed(qkv, v_part, n);
            let mut slopes = dmixed.times(&v);
            softmax_backward(&weights.data, &mut slopes.data, rows, h.scale());
            let k = Blocks::load(qkv, k_part, n, rows);
            slopes.times(&k).store(q_part, n, dqkv);
            let q = Blocks::load(qkv, q_part, n, rows);
            slopes.transposed_times(&q).store(k_part, n, dqkv);
        }
        place += n;
    }
}
