//! The loops of every instruction set, written once over a vector type.

use super::super::Level;
use super::super::vector::SQUARE;
use super::{CHAINS, Columns, Loops, Panel, Places, Rows, Target};

/// The loops of the best instruction set that this machine has.
pub(in super::super) fn loops() -> &'static Loops {
    match super::super::level() {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => &avx512::LOOPS,
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => &avx2::LOOPS,
        _ => &portable::LOOPS,
    }
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
                            y = y.wrapping_add(panel.apart);
                        }
                        for k in fast..a.length {
                            let line = line_part::<N>(y, panel.columns);
                            multiply(|i| *x[i].add(k), line, &mut sums);
                            y = y.wrapping_add(panel.apart);
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
                        y = y.wrapping_add(panel.apart);
                    }
                    for start in starts {
                        let x = data.add(start);
                        let line = line_part::<N>(y, panel.columns);
                        multiply(|i| *x.add(i), line, &mut sums);
                        y = y.wrapping_add(panel.apart);
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
    use super::super::super::vector::wide
);
// Four rows: with six, compilers load the column into registers that the sums
// need (measured: 1.4 times slower).
#[cfg(target_arch = "x86_64")]
loops_for!(
    avx2, lanes: 8, rows: 4,
    #[target_feature(enable = "avx2,fma")]
    use super::super::super::vector::narrow
);
loops_for!(portable, lanes: 8, rows: 4, use super::super::super::vector::plain);
