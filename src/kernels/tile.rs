//! The inner loops of every matrix product: a tile of the result stays in
//! registers while the sum runs.
//!
//! Two loops differ in how they walk the left operand. [`Loops::rows`] has
//! rows that begin anywhere and consist of equally long runs: a dense matrix
//! (one run), or the patches of a convolution over channels-last images (one
//! run for each row of the kernel). [`Loops::columns`] has a transposed left
//! operand whose columns begin anywhere: the weight gradients of both. The
//! right operand is packed into panels as wide as a tile.

use super::Level;
use super::vector::SQUARE;

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

/// A right operand, as wide as a tile: row `k` is the `columns` numbers from
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

/// The loops of the best instruction set that this machine has.
pub(super) fn loops() -> &'static Loops {
    match super::level() {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => &avx512::LOOPS,
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => &avx2::LOOPS,
        _ => &portable::LOOPS,
    }
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

/// The loops over one vector type.
macro_rules! loops_for {
    (
        $module:ident, lanes: $lanes:literal, rows: $rows:literal,
        $(#[$feature:meta])?
        use $path:path
    ) => {
        mod $module {
            use super::{
                CHAINS, Columns, Loops, Panel, Places, Rows, SQUARE, Target,
            };
            use $path::{
                Vector, add, fma, load, part, rectify, splat, square, store,
                zero,
            };

            const LANES: usize = $lanes;

            pub(super) const LOOPS: Loops = Loops {
                lanes: LANES,
                // SAFETY: `loops` gives these out only where the features
                // were found.
                rows: |a, panel, out| unsafe {
                    match panel.vectors {
                        1 => rows::<1>(a, panel, out),
                        _ => rows::<2>(a, panel, out),
                    }
                },
                // SAFETY: as above.
                columns: |a, panel, out| unsafe {
                    match panel.vectors {
                        1 => by_columns::<1>(a, panel, out),
                        _ => by_columns::<2>(a, panel, out),
                    }
                },
                // SAFETY: as above.
                turn: |lines, depth, width, panel| unsafe {
                    turn(lines, depth, width, panel);
                },
                // SAFETY: as above.
                chains: |rounds| unsafe { chains(rounds) },
            };

            $(#[$feature])?
            unsafe fn rows<const N: usize>(
                a: Rows<'_>,
                panel: Panel<'_>,
                out: &mut Target<'_>,
            ) {
                let mut row = 0;
                // SAFETY: `Loops::by_rows` checked every index.
                unsafe {
                    while row + $rows <= a.starts.len() {
                        row_tile::<$rows, N>(a, row, panel, out);
                        row += $rows;
                    }
                    if $rows > 8 && row + 8 <= a.starts.len() {
                        row_tile::<8, N>(a, row, panel, out);
                        row += 8;
                    }
                    if row + 4 <= a.starts.len() {
                        row_tile::<4, N>(a, row, panel, out);
                        row += 4;
                    }
                    if row + 2 <= a.starts.len() {
                        row_tile::<2, N>(a, row, panel, out);
                        row += 2;
                    }
                    if row < a.starts.len() {
                        row_tile::<1, N>(a, row, panel, out);
                    }
                }
            }

            $(#[$feature])?
            unsafe fn row_tile<const M: usize, const N: usize>(
                a: Rows<'_>,
                row: usize,
                panel: Panel<'_>,
                out: &mut Target<'_>,
            ) {
                // SAFETY: every index was checked by `Loops::by_rows`.
                unsafe {
                    let mut sums = [[zero(); N]; M];
                    let mut y = panel.data.as_ptr();
                    let mut whole = panel.whole(LANES);
                    for &run in a.runs {
                        let mut x = [a.data.as_ptr(); M];
                        for (i, x) in x.iter_mut().enumerate() {
                            *x = x.add(a.starts.place(row + i) + run);
                        }
                        let fast = whole.min(a.length);
                        whole -= fast;
                        for k in 0..fast {
                            let line = line::<N>(y);
                            multiply(|i| *x[i].add(k), line, &mut sums);
                            y = y.add(panel.apart);
                        }
                        for k in fast..a.length {
                            let line = line_part::<N>(y, panel.columns);
                            multiply(|i| *x[i].add(k), line, &mut sums);
                            y = y.add(panel.apart);
                        }
                    }
                    finish(sums, row, panel, out);
                }
            }

            $(#[$feature])?
            unsafe fn by_columns<const N: usize>(
                a: Columns<'_>,
                panel: Panel<'_>,
                out: &mut Target<'_>,
            ) {
                let mut row = 0;
                // SAFETY: `Loops::by_columns` checked every index.
                unsafe {
                    while row + $rows <= a.rows {
                        column_tile::<$rows, N>(a, row, panel, out);
                        row += $rows;
                    }
                    if $rows > 8 && row + 8 <= a.rows {
                        column_tile::<8, N>(a, row, panel, out);
                        row += 8;
                    }
                    if row + 4 <= a.rows {
                        column_tile::<4, N>(a, row, panel, out);
                        row += 4;
                    }
                    if row + 2 <= a.rows {
                        column_tile::<2, N>(a, row, panel, out);
                        row += 2;
                    }
                    if row < a.rows {
                        column_tile::<1, N>(a, row, panel, out);
                    }
                }
            }

            $(#[$feature])?
            unsafe fn column_tile<const M: usize, const N: usize>(
                a: Columns<'_>,
                row: usize,
                panel: Panel<'_>,
                out: &mut Target<'_>,
            ) {
                // SAFETY: every index was checked by `Loops::by_columns`.
                unsafe {
                    let data = a.data.as_ptr().add(a.offset + row);
                    let sums = match a.starts {
                        Places::Every { apart, count } => {
                            let starts = (0..count).map(|k| k * apart);
                            column_sums::<M, N>(data, starts, panel)
                        }
                        Places::At(starts) => {
                            let starts = starts.iter().copied();
                            column_sums::<M, N>(data, starts, panel)
                        }
                    };
                    finish(sums, row, panel, out);
                }
            }

            #[inline]
            $(#[$feature])?
            unsafe fn column_sums<const M: usize, const N: usize>(
                data: *const f32,
                mut starts: impl Iterator<Item = usize>,
                panel: Panel<'_>,
            ) -> [[Vector; N]; M] {
                let mut sums = [[zero(); N]; M];
                let mut y = panel.data.as_ptr();
                // SAFETY: every index was checked by `Loops::by_columns`.
                unsafe {
                    for start in starts.by_ref().take(panel.whole(LANES)) {
                        let x = data.add(start);
                        multiply(|i| *x.add(i), line::<N>(y), &mut sums);
                        y = y.add(panel.apart);
                    }
                    for start in starts {
                        let x = data.add(start);
                        let line = line_part::<N>(y, panel.columns);
                        multiply(|i| *x.add(i), line, &mut sums);
                        y = y.add(panel.apart);
                    }
                }
                sums
            }

            /// A row of a panel.
            #[inline]
            $(#[$feature])?
            unsafe fn line<const N: usize>(y: *const f32) -> [Vector; N] {
                let mut line = [zero(); N];
                for (j, line) in line.iter_mut().enumerate() {
                    // SAFETY: as the caller promises.
                    *line = unsafe { load(y.add(j * LANES)) };
                }
                line
            }

            /// The same, of which no more than `columns` can be read.
            #[inline]
            $(#[$feature])?
            unsafe fn line_part<const N: usize>(
                y: *const f32,
                columns: usize,
            ) -> [Vector; N] {
                let mut line = [zero(); N];
                for (j, line) in line.iter_mut().enumerate() {
                    let count = (columns - j * LANES).min(LANES);
                    // SAFETY: as the caller promises.
                    *line = unsafe { part(y.add(j * LANES), count) };
                }
                line
            }

            /// Adds the products of a column of the left operand and a row of
            /// the right one. The column is read number by number: as an
            /// array it would take registers that the sums need.
            #[inline]
            $(#[$feature])?
            fn multiply<const M: usize, const N: usize>(
                x: impl Fn(usize) -> f32,
                line: [Vector; N],
                sums: &mut [[Vector; N]; M],
            ) {
                for (i, sums) in sums.iter_mut().enumerate() {
                    let x = splat(x(i));
                    for (sum, line) in sums.iter_mut().zip(line) {
                        *sum = fma(x, line, *sum);
                    }
                }
            }

            /// Sums, bias and activation to the target.
            $(#[$feature])?
            unsafe fn finish<const M: usize, const N: usize>(
                sums: [[Vector; N]; M],
                row: usize,
                Panel { columns, at, .. }: Panel<'_>,
                out: &mut Target<'_>,
            ) {
                // SAFETY: every index was checked by `Loops::check`.
                unsafe {
                    for j in 0..N {
                        let first = j * LANES;
                        if first >= columns {
                            break;
                        }
                        let count = (columns - first).min(LANES);
                        let bias = if out.bias.is_empty() {
                            zero()
                        } else {
                            part(out.bias.as_ptr().add(at + first), count)
                        };
                        for (i, sums) in sums.iter().enumerate() {
                            let start = out.starts.place(row + i);
                            let to =
                                out.data.as_mut_ptr().add(start + at + first);
                            let mut sum = add(sums[j], bias);
                            if out.add {
                                sum = add(sum, part(to, count));
                            }
                            if out.relu {
                                sum = rectify(sum);
                            }
                            store(to, sum, count);
                        }
                    }
                }
            }

            $(#[$feature])?
            unsafe fn turn(
                lines: &[f32],
                depth: usize,
                width: usize,
                panel: &mut [f32],
            ) {
                let columns = lines.len() / depth.max(1);
                let whole = depth / SQUARE * SQUARE;
                for first in (0..columns).step_by(SQUARE) {
                    let line = |i: usize| {
                        // The last line again where there is none.
                        &lines[(first + i).min(columns - 1) * depth..][..depth]
                    };
                    for k in (0..whole).step_by(SQUARE) {
                        let from: [*const f32; SQUARE] =
                            std::array::from_fn(|i| line(i)[k..].as_ptr());
                        let to = panel[k * width + first..].as_mut_ptr();
                        // SAFETY: eight numbers follow in every line, and
                        // `Loops::turn` checked that rows are wide enough.
                        unsafe { square(from, to, width) };
                    }
                    for k in whole..depth {
                        for i in 0..SQUARE {
                            panel[k * width + first + i] = line(i)[k];
                        }
                    }
                }
            }

            $(#[$feature])?
            unsafe fn chains(rounds: usize) -> f32 {
                // SAFETY: the array has LANES numbers.
                unsafe {
                    let (factor, term) = (splat(0.999), splat(1e-3));
                    let mut sums = [splat(2.0); CHAINS];
                    for _ in 0..rounds {
                        for sum in &mut sums {
                            *sum = fma(*sum, factor, term);
                        }
                    }
                    let mut spare = [0.0; LANES];
                    let mut total = 0.0;
                    for sum in sums {
                        store(spare.as_mut_ptr(), sum, LANES);
                        total += spare.iter().sum::<f32>();
                    }
                    total
                }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
loops_for!(
    avx512, lanes: 16, rows: 12,
    #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
    use super::super::vector::wide
);
// Four rows: with six, compilers load the column into registers that the sums
// need (measured: 1.4 times slower).
#[cfg(target_arch = "x86_64")]
loops_for!(
    avx2, lanes: 8, rows: 4,
    #[target_feature(enable = "avx2,fma")]
    use super::super::vector::narrow
);
loops_for!(portable, lanes: 8, rows: 4, use super::super::vector::plain);
