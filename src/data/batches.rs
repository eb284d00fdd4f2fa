//! Which examples an update sees.

use super::Split;
use crate::seed;
use candle_core::{Result, Tensor};
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;

/// Endless batches of row numbers: a fresh permutation for every pass, the
/// incomplete last batch of a pass dropped. Of a set smaller than a batch,
/// every batch is the whole set.
#[derive(Clone, Debug)]
pub(crate) struct Batches {
    rows: Vec<u32>,
    batch: usize,
    next: usize,
    drawn: usize,
    rng: ChaCha8Rng,
}

impl Batches {
    /// Batches of `batch` out of `len` examples, in the order of `seed`.
    pub(crate) fn new(len: usize, batch: usize, seed: u64) -> Self {
        let end = u32::try_from(len).unwrap_or(u32::MAX);
        Self {
            rows: (0..end).collect(),
            batch: batch.clamp(1, len.max(1)),
            // Past the end: the first call shuffles.
            next: len,
            drawn: 0,
            rng: seed::stream(seed, "batches"),
        }
    }

    /// Batches of one pass.
    pub(crate) fn a_pass(len: usize, batch: usize) -> usize {
        len / batch.clamp(1, len.max(1))
    }

    /// Batches drawn so far.
    pub(crate) fn drawn(&self) -> usize {
        self.drawn
    }

    /// Rows of the next batch.
    pub(crate) fn next_rows(&mut self) -> &[u32] {
        if self.next + self.batch > self.rows.len() {
            self.rows.shuffle(&mut self.rng);
            self.next = 0;
        }
        let from = self.next;
        self.next += self.batch;
        self.drawn += 1;
        &self.rows[from..self.next.min(self.rows.len())]
    }
}

/// Inputs and targets of `rows`, copied from the resident tensors.
pub(crate) fn gather(split: &Split, rows: &[u32]) -> Result<(Tensor, Tensor)> {
    let rows = Tensor::new(rows, split.inputs.device())?;
    Ok((
        split.inputs.index_select(&rows, 0)?,
        split.targets.index_select(&rows, 0)?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pass_is_a_permutation_less_its_incomplete_batch() {
        let mut batches = Batches::new(10, 3, 5);
        let mut orders = vec![];
        for _ in 0..4 {
            let mut pass = vec![];
            for _ in 0..3 {
                pass.extend_from_slice(batches.next_rows());
            }
            orders.push(pass.clone());
            pass.sort_unstable();
            pass.dedup();
            assert_eq!(pass.len(), 9, "no row twice");
        }
        assert_ne!(orders[0], orders[1], "passes differ");
    }

    #[test]
    fn a_pass_has_so_many_batches() {
        for (len, batch, want) in
            [(10, 3, 3), (9, 3, 3), (4, 64, 1), (8, 1, 8), (64, 64, 1)]
        {
            assert_eq!(Batches::a_pass(len, batch), want);
            let mut batches = Batches::new(len, batch, 0);
            let first: Vec<u32> = batches.next_rows().to_vec();
            let mut seen = first;
            for _ in 1..want {
                seen.extend_from_slice(batches.next_rows());
            }
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len(), want * batch.min(len), "one pass");
        }
    }

    #[test]
    fn the_order_depends_on_the_seed_alone() {
        let order = |seed| {
            let mut batches = Batches::new(100, 10, seed);
            (0..25).map(|_| batches.next_rows().to_vec()).collect::<Vec<_>>()
        };
        assert_eq!(order(1), order(1));
        assert_ne!(order(1), order(2));
    }

    #[test]
    fn a_set_smaller_than_a_batch_is_taken_whole() {
        let mut batches = Batches::new(4, 64, 0);
        for _ in 0..3 {
            let mut rows = batches.next_rows().to_vec();
            rows.sort_unstable();
            assert_eq!(rows, [0, 1, 2, 3]);
        }
    }
}
