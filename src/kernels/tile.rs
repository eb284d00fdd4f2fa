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

/// Columns of a panel: as many vectors as a tile is wide.
pub(super) const VECTORS: usize = 2;

/// A left operand by rows: row `i` is, for each of `runs`, the `length`
/// numbers from `data[starts[i] + run]` on.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) data: &'a [f32],
    pub(super) starts: &'a [usize],
    pub(super) runs: &'a [usize],
    pub(super) length: usize,
}

/// A left operand by columns: column `k` is the `rows` numbers from
/// `data[starts[k] + offset]` on.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a> {
    pub(super) data: &'a [f32],
    pub(super) starts: &'a [usize],
    pub(super) offset: usize,
    pub(super) rows: usize,
}

/// The target of a product: row `i`, column `j` at `data[starts[i] + j]`.
pub(super) struct Target<'a> {
    pub(super) data: &'a mut [f32],
    pub(super) starts: &'a [usize],
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
    rows: fn(Rows<'_>, &[f32], usize, usize, usize, &mut Target<'_>),
    columns: fn(Columns<'_>, &[f32], usize, usize, usize, &mut Target<'_>),
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
    /// All rows of `a` against one panel of `vectors` vectors, of whose
    /// columns the first `columns` are wanted, at column `at` of the target.
    pub(super) fn by_rows(
        &self,
        a: Rows<'_>,
        panel: &[f32],
        (vectors, columns, at): (usize, usize, usize),
        out: &mut Target<'_>,
    ) {
        let last = largest(a.starts) + largest(a.runs) + a.length;
        assert!(last <= a.data.len(), "rows lie in their operand");
        let depth = a.runs.len() * a.length;
        self.check(depth, panel, (vectors, columns, at), out);
        assert_eq!(a.starts.len(), out.starts.len(), "a target for each row");
        (self.rows)(a, panel, vectors, columns, at, out);
    }

    /// The same for a transposed left operand.
    pub(super) fn by_columns(
        &self,
        a: Columns<'_>,
        panel: &[f32],
        (vectors, columns, at): (usize, usize, usize),
        out: &mut Target<'_>,
    ) {
        let last = largest(a.starts) + a.offset + a.rows;
        assert!(last <= a.data.len(), "columns lie in their operand");
        self.check(a.starts.len(), panel, (vectors, columns, at), out);
        assert_eq!(a.rows, out.starts.len(), "a target for each row");
        (self.columns)(a, panel, vectors, columns, at, out);
    }

    /// Checks the indices that both loops rely on.
    fn check(
        &self,
        depth: usize,
        panel: &[f32],
        (vectors, columns, at): (usize, usize, usize),
        out: &Target<'_>,
    ) {
        let width = vectors * self.lanes;
        assert!((1..=VECTORS).contains(&vectors) && columns <= width);
        assert_eq!(panel.len(), depth * width, "the panel has every row");
        let last = largest(out.starts) + at + columns;
        assert!(last <= out.data.len(), "rows lie in the target");
        assert!(out.bias.is_empty() || out.bias.len() >= at + columns);
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
            use super::{CHAINS, Columns, Loops, Rows, Target};
            use $path::{Vector, add, fma, load, part, rectify, splat, store, zero};

            const LANES: usize = $lanes;

            pub(super) const LOOPS: Loops = Loops {
                lanes: LANES,
                // SAFETY: `loops` gives these out only where the features
                // were found.
                rows: |a, panel, vectors, columns, at, out| unsafe {
                    match vectors {
                        1 => rows::<1>(a, panel, columns, at, out),
                        _ => rows::<2>(a, panel, columns, at, out),
                    }
                },
                // SAFETY: as above.
                columns: |a, panel, vectors, columns, at, out| unsafe {
                    match vectors {
                        1 => by_columns::<1>(a, panel, columns, at, out),
                        _ => by_columns::<2>(a, panel, columns, at, out),
                    }
                },
                // SAFETY: as above.
                chains: |rounds| unsafe { chains(rounds) },
            };

            $(#[$feature])?
            unsafe fn rows<const N: usize>(
                a: Rows<'_>,
                panel: &[f32],
                columns: usize,
                at: usize,
                out: &mut Target<'_>,
            ) {
                let mut row = 0;
                // SAFETY: `Loops::by_rows` checked every index.
                unsafe {
                    while row + $rows <= a.starts.len() {
                        row_tile::<$rows, N>(a, row, panel, columns, at, out);
                        row += $rows;
                    }
                    while row + 4 <= a.starts.len() {
                        row_tile::<4, N>(a, row, panel, columns, at, out);
                        row += 4;
                    }
                    while row < a.starts.len() {
                        row_tile::<1, N>(a, row, panel, columns, at, out);
                        row += 1;
                    }
                }
            }

            $(#[$feature])?
            unsafe fn row_tile<const M: usize, const N: usize>(
                a: Rows<'_>,
                row: usize,
                panel: &[f32],
                columns: usize,
                at: usize,
                out: &mut Target<'_>,
            ) {
                // SAFETY: every index was checked by `Loops::by_rows`.
                unsafe {
                    let mut sums = [[zero(); N]; M];
                    let mut y = panel.as_ptr();
                    for &run in a.runs {
                        let mut x = [a.data.as_ptr(); M];
                        for (i, x) in x.iter_mut().enumerate() {
                            *x = x.add(a.starts.get_unchecked(row + i) + run);
                        }
                        for k in 0..a.length {
                            let mut line = [zero(); N];
                            for (j, line) in line.iter_mut().enumerate() {
                                *line = load(y.add(j * LANES));
                            }
                            for (x, sums) in x.iter().zip(&mut sums) {
                                let x = splat(*x.add(k));
                                for (sum, line) in sums.iter_mut().zip(line) {
                                    *sum = fma(x, line, *sum);
                                }
                            }
                            y = y.add(N * LANES);
                        }
                    }
                    finish(sums, row, columns, at, out);
                }
            }

            $(#[$feature])?
            unsafe fn by_columns<const N: usize>(
                a: Columns<'_>,
                panel: &[f32],
                columns: usize,
                at: usize,
                out: &mut Target<'_>,
            ) {
                let mut row = 0;
                // SAFETY: `Loops::by_columns` checked every index.
                unsafe {
                    while row + $rows <= a.rows {
                        column_tile::<$rows, N>(a, row, panel, columns, at, out);
                        row += $rows;
                    }
                    while row + 4 <= a.rows {
                        column_tile::<4, N>(a, row, panel, columns, at, out);
                        row += 4;
                    }
                    while row < a.rows {
                        column_tile::<1, N>(a, row, panel, columns, at, out);
                        row += 1;
                    }
                }
            }

            $(#[$feature])?
            unsafe fn column_tile<const M: usize, const N: usize>(
                a: Columns<'_>,
                row: usize,
                panel: &[f32],
                columns: usize,
                at: usize,
                out: &mut Target<'_>,
            ) {
                // SAFETY: every index was checked by `Loops::by_columns`.
                unsafe {
                    let mut sums = [[zero(); N]; M];
                    let data = a.data.as_ptr().add(a.offset + row);
                    let mut y = panel.as_ptr();
                    for &start in a.starts {
                        let x = data.add(start);
                        let mut line = [zero(); N];
                        for (j, line) in line.iter_mut().enumerate() {
                            *line = load(y.add(j * LANES));
                        }
                        for (i, sums) in sums.iter_mut().enumerate() {
                            let x = splat(*x.add(i));
                            for (sum, line) in sums.iter_mut().zip(line) {
                                *sum = fma(x, line, *sum);
                            }
                        }
                        y = y.add(N * LANES);
                    }
                    finish(sums, row, columns, at, out);
                }
            }

            /// Sums, bias and activation to the target.
            $(#[$feature])?
            unsafe fn finish<const M: usize, const N: usize>(
                sums: [[Vector; N]; M],
                row: usize,
                columns: usize,
                at: usize,
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
                            let start = *out.starts.get_unchecked(row + i);
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
#[cfg(target_arch = "x86_64")]
loops_for!(
    avx2, lanes: 8, rows: 6,
    #[target_feature(enable = "avx2,fma")]
    use super::super::vector::narrow
);
loops_for!(portable, lanes: 8, rows: 4, use super::super::vector::plain);
