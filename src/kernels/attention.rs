//! Causal self-attention on short sequences (Vaswani et al. 2017), with
//! queries, keys and values side by side as one linear layer leaves them.

use super::activation::exp;
use super::vectorised;

/// Extents: `qkv` is `(batch, length, 3, heads, size)`, the output
/// `(batch, length, heads, size)`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heads {
    pub(crate) length: usize,
    pub(crate) heads: usize,
    pub(crate) size: usize,
}

impl Heads {
    #[inline(always)]
    fn width(self) -> usize {
        self.heads * self.size
    }

    /// Numbers in one sequence of `qkv`.
    #[inline(always)]
    fn sequence(self) -> usize {
        3 * self.width() * self.length
    }

    #[inline(always)]
    fn scale(self) -> f32 {
        1.0 / (self.size as f32).sqrt()
    }

    /// One head of one sequence, transposed to `(size, length)` so that
    /// loops run along the sequence.
    #[inline(always)]
    fn load(self, qkv: &[f32], part: usize, head: usize, into: &mut [f32]) {
        let at = part * self.width() + head * self.size;
        for t in 0..self.length {
            let row = &qkv[3 * self.width() * t + at..][..self.size];
            for (d, &x) in row.iter().enumerate() {
                into[d * self.length + t] = x;
            }
        }
    }

    /// Softmax of the causal scores of `q` and `k`, both `(size, length)`;
    /// `weights` is `(length, length)`, 0 above the diagonal.
    #[inline(always)]
    fn weights(self, q: &[f32], k: &[f32], weights: &mut [f32]) {
        let n = self.length;
        weights.fill(0.0);
        for d in 0..self.size {
            let (q, k) = (&q[d * n..][..n], &k[d * n..][..n]);
            for (row, &q) in weights.chunks_exact_mut(n).zip(q) {
                for (w, &k) in row.iter_mut().zip(k) {
                    *w += q * k;
                }
            }
        }
        let scale = self.scale();
        for (t, row) in weights.chunks_exact_mut(n).enumerate() {
            let (seen, hidden) = row.split_at_mut(t + 1);
            let mut most = f32::NEG_INFINITY;
            for &x in &*seen {
                most = if x > most || x.is_nan() { x } else { most };
            }
            let mut sum = 0.0;
            for x in &mut *seen {
                *x = exp((*x - most) * scale);
            }
            for x in &*seen {
                sum += x;
            }
            let factor = 1.0 / sum;
            for x in seen {
                *x *= factor;
            }
            hidden.fill(0.0);
        }
    }
}

vectorised! {
    /// `out[t] = sum over s <= t of softmax(q[t] k[s] / sqrt(size)) v[s]`.
    fn forward(qkv: &[f32], h: Heads, out: &mut [f32]) {
        let n = h.length;
        let mut q = vec![0.0; h.size * n];
        let mut k = vec![0.0; h.size * n];
        let mut weights = vec![0.0; n * n];
        let sequences = qkv
            .chunks_exact(h.sequence())
            .zip(out.chunks_exact_mut(h.width() * n));
        for (qkv, out) in sequences {
            for head in 0..h.heads {
                h.load(qkv, 0, head, &mut q);
                h.load(qkv, 1, head, &mut k);
                h.weights(&q, &k, &mut weights);
                let values = 2 * h.width() + head * h.size;
                for t in 0..n {
                    let row = &mut out[t * h.width() + head * h.size..];
                    let row = &mut row[..h.size];
                    row.fill(0.0);
                    for s in 0..=t {
                        let w = weights[t * n + s];
                        let v = &qkv[3 * h.width() * s + values..][..h.size];
                        for (o, v) in row.iter_mut().zip(v) {
                            *o += w * v;
                        }
                    }
                }
            }
        }
    }
}

vectorised! {
    /// Gradient of [`forward`] by `qkv`, all of which is written.
    fn backward(qkv: &[f32], dout: &[f32], h: Heads, dqkv: &mut [f32]) {
        let n = h.length;
        let mut q = vec![0.0; h.size * n];
        let mut k = vec![0.0; h.size * n];
        let mut weights = vec![0.0; n * n];
        let mut slopes = vec![0.0; n * n];
        let scale = h.scale();
        let sequences = qkv
            .chunks_exact(h.sequence())
            .zip(dout.chunks_exact(h.width() * n))
            .zip(dqkv.chunks_exact_mut(h.sequence()));
        for ((qkv, dout), dqkv) in sequences {
            dqkv.fill(0.0);
            for head in 0..h.heads {
                h.load(qkv, 0, head, &mut q);
                h.load(qkv, 1, head, &mut k);
                h.weights(&q, &k, &mut weights);
                let at = |part: usize, t: usize| {
                    3 * h.width() * t + part * h.width() + head * h.size
                };
                for t in 0..n {
                    let dout = &dout[t * h.width() + head * h.size..][..h.size];
                    // Gradient by the weights, then through the softmax.
                    let mut mean = 0.0;
                    for s in 0..=t {
                        let w = weights[t * n + s];
                        let v = &qkv[at(2, s)..][..h.size];
                        let mut slope = 0.0;
                        for (d, v) in dout.iter().zip(v) {
                            slope += d * v;
                        }
                        slopes[t * n + s] = slope;
                        mean += w * slope;
                        let dv = &mut dqkv[at(2, s)..][..h.size];
                        for (dv, d) in dv.iter_mut().zip(dout) {
                            *dv += w * d;
                        }
                    }
                    for s in 0..=t {
                        let w = weights[t * n + s];
                        let score = w * (slopes[t * n + s] - mean) * scale;
                        let (dq, key) = (at(0, t), at(1, s));
                        for d in 0..h.size {
                            dqkv[dq + d] += score * qkv[key + d];
                        }
                        let query = at(0, t);
                        for d in 0..h.size {
                            dqkv[key + d] += score * qkv[query + d];
                        }
                    }
                }
            }
        }
    }
}
