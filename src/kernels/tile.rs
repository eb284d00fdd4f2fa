//! The inner loops of every matrix product: a tile of the result stays in
//! registers while the sum runs.
//!
//! Two loops differ in how they walk the left operand. [`Loops::rows`] has
//! rows that begin anywhere and consist of equally long runs: a dense matrix
//! (one run), or the patches of a convolution over channels-last images (one
//! run for each row of the kernel). [`Loops::columns`] has a transposed left
//! operand whose columns begin anywhere: the weight gradients of both. The
//! right operand comes in panels as wide as a tile. Its rows may be any
//! distance apart, so a row-major matrix need not be copied.

mod loops;

use super::vector::SQUARE;
pub(super) use loops::loops;

/// Columns of a panel: as many vectors as a tile is wide.
pub(super) const VECTORS: usize = 2;

/// Where rows begin.
#[derive(Clone, Copy)]
pub(super) enum Places<'a> {
    /// `count` rows, `apart` numbers from each other.
    Every {
        apart: usize,
        count: usize,
    },
    At(&'a [usize]),
}

impl Places<'_> {
    pub(super) fn len(&self) -> usize {
        match *self {
            Self::Every { count, .. } => count,
            Self::At(places) => places.len(),
        }
    }

    /// The largest of them.
    fn last(&self) -> usize {
        match *self {
            Self::Every { apart, count } => count.saturating_sub(1) * apart,
            Self::At(places) => largest(places),
        }
    }

    /// # Safety
    ///
    /// There are more than `i`.
    #[inline(always)]
    unsafe fn place(self, i: usize) -> usize {
        match self {
            Self::Every { apart, .. } => i * apart,
            // SAFETY: as the caller promises.
            Self::At(places) => unsafe { *places.get_unchecked(i) },
        }
    }
}

/// A left operand by rows: row `i` is, for each of `runs`, the `length`
/// numbers from `data[starts[i] + run]` on.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) data: &'a [f32],
    pub(super) starts: Places<'a>,
    pub(super) runs: &'a [usize],
    pub(super) length: usize,
}

/// A left operand by columns: column `k` is the `rows` numbers from
/// `data[starts[k] + offset]` on.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a> {
    pub(super) data: &'a [f32],
    pub(super) starts: Places<'a>,
    pub(super) offset: usize,
    pub(super) rows: usize,
}

/// A part of the right operand, as wide as a tile: row `k` is the `columns` numbers from
/// `data[k * apart]` on, computed in `vectors` vectors. Lanes beyond the
/// columns read what lies there.
#[derive(Clone, Copy)]
pub(super) struct Panel<'a> {
    pub(super) data: &'a [f32],
    pub(super) apart: usize,
    pub(super) vectors: usize,
    pub(super) columns: usize,
    /// Its first column in the target.
    pub(super) at: usize,
}

impl Panel<'_> {
    /// Rows of which whole vectors can be read.
    fn whole(&self, lanes: usize) -> usize {
        match self.data.len().checked_sub(self.vectors * lanes) {
            Some(last) => last / self.apart.max(1) + 1,
            None => 0,
        }
    }
}

/// The target of a product: row `i`, column `j` at `data[starts[i] + j]`.
pub(super) struct Target<'a> {
    pub(super) data: &'a mut [f32],
    pub(super) starts: Places<'a>,
    /// Add to the target instead of overwriting it.
    pub(super) add: bool,
    /// Added to every row; empty for none.
    pub(super) bias: &'a [f32],
    /// Apply ReLU at the end.
    pub(super) relu: bool,
}

/// The loops of one instruction set.
pub(super) struct Loops {
    /// Numbers in a vector.
    pub(super) lanes: usize,
    rows: fn(Rows<'_>, Panel<'_>, &mut Target<'_>),
    columns: fn(Columns<'_>, Panel<'_>, &mut Target<'_>),
    turn: fn(&[f32], usize, usize, &mut [f32]),
    chains: fn(usize) -> f32,
}

impl Loops {
    /// All rows of `a` against one panel.
    pub(super) fn by_rows(
        &self,
        a: Rows<'_>,
        panel: Panel<'_>,
        out: &mut Target<'_>,
    ) {
        let last = a.starts.last() + largest(a.runs) + a.length;
        assert!(last <= a.data.len(), "rows lie in their operand");
        self.check(a.runs.len() * a.length, panel, out);
        assert_eq!(a.starts.len(), out.starts.len(), "a target for each row");
        (self.rows)(a, panel, out);
    }

    /// The same for a transposed left operand.
    pub(super) fn by_columns(
        &self,
        a: Columns<'_>,
        panel: Panel<'_>,
        out: &mut Target<'_>,
    ) {
        let last = a.starts.last() + a.offset + a.rows;
        assert!(last <= a.data.len(), "columns lie in their operand");
        self.check(a.starts.len(), panel, out);
        assert_eq!(a.rows, out.starts.len(), "a target for each row");
        (self.columns)(a, panel, out);
    }

    /// Checks the indices that both loops rely on.
    fn check(&self, depth: usize, panel: Panel<'_>, out: &Target<'_>) {
        let Panel { data, apart, vectors, columns, at } = panel;
        assert!((1..=VECTORS).contains(&vectors));
        let lanes = (vectors - 1) * self.lanes..vectors * self.lanes;
        assert!(lanes.contains(&(columns - 1)), "columns fill their vectors");
        let last = depth.saturating_sub(1) * apart + columns;
        assert!(last <= data.len(), "the panel has every row");
        let last = out.starts.last() + at + columns;
        assert!(last <= out.data.len(), "rows lie in the target");
        assert!(out.bias.is_empty() || out.bias.len() >= at + columns);
    }

    /// Lines of `depth` numbers, as columns of rows that are `width` wide.
    /// Columns beyond the lines have unspecified numbers.
    pub(super) fn turn(
        &self,
        lines: &[f32],
        depth: usize,
        width: usize,
        panel: &mut [f32],
    ) {
        let columns = lines.len() / depth.max(1);
        assert_eq!(lines.len(), columns * depth, "whole lines");
        assert!(columns.next_multiple_of(SQUARE) <= width);
        assert_eq!(panel.len(), depth * width, "a place for every row");
        (self.turn)(lines, depth, width, panel);
    }

    /// Fused multiply-adds in `rounds` of [`CHAINS`] independent chains, and
    /// a number that depends on all.
    pub(super) fn chains(&self, rounds: usize) -> f32 {
        (self.chains)(rounds)
    }
}

/// Chains that hide the latency of a fused multiply-add, and fit the
/// registers.
pub(super) const CHAINS: usize = 12;

fn largest(starts: &[usize]) -> usize {
    starts.iter().copied().max().unwrap_or(0)
}
