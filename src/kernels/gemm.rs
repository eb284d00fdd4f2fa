//! Matrix products on one thread.

use gemm::Parallelism;

/// A matrix in a slice.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// `(rows, columns)`, row-major.
    pub(crate) fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(data.len(), rows * columns, "a matrix fills its slice");
        Self { data, rows, columns, row_stride: columns, column_stride: 1 }
    }

    /// The transpose, without moving a number.
    pub(crate) fn t(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

/// `c = a b`, or `c += a b`; `c` is row-major `(a.rows, b.columns)`.
///
/// On AVX-512 and AVX2 by a kernel of our own: `b` is packed into panels as
/// wide as a tile, and tiles of `c` stay in registers. (The crate `gemm`
/// leaves operands unpacked at our sizes, and their power-of-two strides then
/// collide in the cache: measured 3 to 10 times slower on layers of width 64
/// to 256.) Elsewhere by the crate.
pub(crate) fn gemm(
    a: Matrix<'_>,
    b: Matrix<'_>,
    c: &mut [f32],
    accumulate: bool,
) {
    let (m, n, k) = (a.rows, b.columns, a.columns);
    assert_eq!(k, b.rows, "inner extents agree");
    assert_eq!(c.len(), m * n, "the product fills its slice");
    if k == 0 && !accumulate {
        c.fill(0.0);
    }
    match super::level() {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the features were found on this machine.
        super::Level::Avx512 => unsafe {
            avx512::product(a, b, c, accumulate);
        },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        super::Level::Avx2 => unsafe {
            avx2::product(a, b, c, accumulate);
        },
        _ => by_crate(a, b, c, accumulate),
    }
}

/// The same by the crate.
fn by_crate(a: Matrix<'_>, b: Matrix<'_>, c: &mut [f32], accumulate: bool) {
    let (m, n, k) = (a.rows, b.columns, a.columns);
    let stride = |s: usize| isize::try_from(s).expect("slices fit in isize");
    // SAFETY: `Matrix` is only made with rows x columns = length, and
    // transposing keeps every (row, column) inside the slice; `c` has m x n
    // elements and is borrowed mutably, so it overlaps neither.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            c.as_mut_ptr(),
            1,
            stride(n),
            accumulate,
            a.data.as_ptr(),
            stride(a.column_stride),
            stride(a.row_stride),
            b.data.as_ptr(),
            stride(b.column_stride),
            stride(b.row_stride),
            1.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// Rows of `b` in one packed panel: with the widest tile they fill 32 KiB,
/// two thirds of a first-level cache.
#[cfg(target_arch = "x86_64")]
const DEPTH: usize = 256;

/// Chains that hide the latency of a fused multiply-add, and fit the
/// registers.
const CHAINS: usize = 12;

/// Peak of fused multiply-adds on one core, in GFLOP/s: the best of several
/// short tries. `None` where this room has no kernel of its own.
pub(crate) fn peak_gflops() -> Option<f64> {
    const ROUNDS: usize = 400_000;
    let (lanes, chains): (usize, fn(usize) -> f32) = match super::level() {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the features were found on this machine.
        super::Level::Avx512 => (16, |n| unsafe { avx512::chains(n) }),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        super::Level::Avx2 => (8, |n| unsafe { avx2::chains(n) }),
        _ => return None,
    };
    let flops = (2 * CHAINS * lanes * ROUNDS) as f64;
    let tries = (0..10).map(|_| {
        let began = std::time::Instant::now();
        std::hint::black_box(chains(std::hint::black_box(ROUNDS)));
        flops / began.elapsed().as_secs_f64() / 1e9
    });
    tries.reduce(f64::max)
}

/// Copies rows `from .. from + depth` and columns `column ..` of `b` into
/// rows of `width`, filled up with 0.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn pack(
    b: Matrix<'_>,
    from: usize,
    column: usize,
    width: usize,
    panel: &mut [f32],
) {
    let columns = width.min(b.columns - column);
    if b.column_stride == 1 {
        for (i, row) in panel.chunks_exact_mut(width).enumerate() {
            let start = (from + i) * b.row_stride + column;
            row[..columns].copy_from_slice(&b.data[start..start + columns]);
            row[columns..].fill(0.0);
        }
    } else {
        for j in 0..width {
            let places = panel.iter_mut().skip(j).step_by(width);
            if j >= columns {
                places.for_each(|place| *place = 0.0);
                continue;
            }
            let start = from * b.row_stride + (column + j) * b.column_stride;
            let line = b.data[start..].iter().step_by(b.row_stride);
            places.zip(line).for_each(|(place, x)| *place = *x);
        }
    }
}

/// The kernel for one vector type.
macro_rules! product_for {
    (
        $module:ident, $features:literal, $lanes:literal,
        rows: $rows:literal,
        $zero:ident, $load:ident, $store:ident, $splat:ident, $add:ident,
        $fma:ident
    ) => {
        #[cfg(target_arch = "x86_64")]
        mod $module {
            use super::{CHAINS, DEPTH, Matrix, pack};
            use std::arch::x86_64::{$add, $fma, $load, $splat, $store, $zero};

            const LANES: usize = $lanes;
            /// Vectors side by side in a tile, and rows of it.
            const COLUMNS: usize = 2;
            const ROWS: usize = $rows;

            /// `c = a b`, or `c += a b`.
            #[target_feature(enable = $features)]
            pub(super) fn product(
                a: Matrix<'_>,
                b: Matrix<'_>,
                c: &mut [f32],
                accumulate: bool,
            ) {
                let mut panel = [0.0; DEPTH * COLUMNS * LANES];
                for from in (0..a.columns).step_by(DEPTH) {
                    let depth = DEPTH.min(a.columns - from);
                    let add = accumulate || from > 0;
                    let mut column = 0;
                    while column < b.columns {
                        let left = b.columns - column;
                        if left > LANES {
                            let panel = &mut panel[..depth * COLUMNS * LANES];
                            pack(b, from, column, COLUMNS * LANES, panel);
                            let place = (column, add);
                            rows::<COLUMNS>(a, from, panel, place, c);
                            column += COLUMNS * LANES;
                        } else {
                            let panel = &mut panel[..depth * LANES];
                            pack(b, from, column, LANES, panel);
                            rows::<1>(a, from, panel, (column, add), c);
                            column += LANES;
                        }
                    }
                }
            }

            /// Independent chains of fused multiply-adds, enough to hide
            /// their latency; gives a number that depends on all.
            #[target_feature(enable = $features)]
            pub(super) fn chains(rounds: usize) -> f32 {
                let (factor, term) = ($splat(0.999), $splat(1e-3));
                let mut sums = [$splat(2.0); CHAINS];
                for _ in 0..rounds {
                    for sum in &mut sums {
                        *sum = $fma(*sum, factor, term);
                    }
                }
                let mut spare = [0.0; LANES];
                let mut total = 0.0;
                for sum in sums {
                    // SAFETY: the array has LANES numbers.
                    unsafe { $store(spare.as_mut_ptr(), sum) };
                    total += spare.iter().sum::<f32>();
                }
                total
            }

            /// All rows of `a` against one panel.
            #[target_feature(enable = $features)]
            fn rows<const N: usize>(
                a: Matrix<'_>,
                from: usize,
                panel: &[f32],
                place: (usize, bool),
                c: &mut [f32],
            ) {
                let mut row = 0;
                while row + ROWS <= a.rows {
                    tile::<ROWS, N>(a, row, from, panel, place, c);
                    row += ROWS;
                }
                while row + 4 <= a.rows {
                    tile::<4, N>(a, row, from, panel, place, c);
                    row += 4;
                }
                while row < a.rows {
                    tile::<1, N>(a, row, from, panel, place, c);
                    row += 1;
                }
            }

            /// `M` rows of `a` against one panel, in registers; added to
            /// or written over columns of `c` from the place's on.
            #[target_feature(enable = $features)]
            fn tile<const M: usize, const N: usize>(
                a: Matrix<'_>,
                row: usize,
                from: usize,
                panel: &[f32],
                (column, add): (usize, bool),
                c: &mut [f32],
            ) {
                let depth = panel.len() / (N * LANES);
                let last = (row + M - 1) * a.row_stride
                    + (from + depth - 1) * a.column_stride;
                assert!(last < a.data.len(), "the rows are in the matrix");
                let mut sums = [[$zero(); N]; M];
                let start = row * a.row_stride + from * a.column_stride;
                // SAFETY: the largest index read from `a` is `last`, checked
                // above; the panel has `depth` rows of N x LANES numbers.
                unsafe {
                    let mut x = a.data.as_ptr().add(start);
                    let mut y = panel.as_ptr();
                    for _ in 0..depth {
                        let mut line = [$zero(); N];
                        for (j, line) in line.iter_mut().enumerate() {
                            *line = $load(y.add(j * LANES));
                        }
                        for (i, sums) in sums.iter_mut().enumerate() {
                            let x = $splat(*x.add(i * a.row_stride));
                            for (sum, line) in sums.iter_mut().zip(line) {
                                *sum = $fma(x, line, *sum);
                            }
                        }
                        x = x.wrapping_add(a.column_stride);
                        y = y.add(N * LANES);
                    }
                }
                let width = c.len() / a.rows;
                let columns = (width - column).min(N * LANES);
                for (i, sums) in sums.iter().enumerate() {
                    let start = (row + i) * width + column;
                    let line = &mut c[start..start + columns];
                    if columns == N * LANES {
                        for (part, sum) in
                            line.chunks_exact_mut(LANES).zip(sums)
                        {
                            // SAFETY: the part has LANES numbers.
                            unsafe {
                                let old = if add {
                                    $load(part.as_ptr())
                                } else {
                                    $zero()
                                };
                                $store(part.as_mut_ptr(), $add(old, *sum));
                            }
                        }
                    } else {
                        let mut spare = [[0.0; LANES]; N];
                        for (spare, sum) in spare.iter_mut().zip(sums) {
                            // SAFETY: the array has LANES numbers.
                            unsafe { $store(spare.as_mut_ptr(), *sum) };
                        }
                        let spare = spare.as_flattened();
                        for (c, sum) in line.iter_mut().zip(spare) {
                            *c = if add { *c + sum } else { *sum };
                        }
                    }
                }
            }
        }
    };
}

product_for!(
    avx512, "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma", 16,
    rows: 12,
    _mm512_setzero_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_set1_ps,
    _mm512_add_ps, _mm512_fmadd_ps
);
product_for!(
    avx2, "avx2,fma", 8,
    rows: 6,
    _mm256_setzero_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_set1_ps,
    _mm256_add_ps, _mm256_fmadd_ps
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_odd_shapes_are_right_in_every_orientation() {
        crate::kernels::on_every_path(|_| check());
    }

    fn check() {
        for (m, n, k) in
            [(1, 1, 1), (3, 5, 7), (17, 33, 9), (64, 10, 65), (30, 48, 600)]
        {
            let a: Vec<f32> = (0..m * k).map(|i| (i % 7) as f32).collect();
            let b: Vec<f32> = (0..k * n).map(|i| (i % 5) as f32).collect();
            let mut expected = vec![0.0; m * n];
            for i in 0..m {
                for j in 0..n {
                    expected[i * n + j] =
                        (0..k).map(|l| a[i * k + l] * b[l * n + j]).sum();
                }
            }
            let at: Vec<f32> =
                (0..k * m).map(|i| a[i % m * k + i / m]).collect();
            let bt: Vec<f32> =
                (0..n * k).map(|i| b[i % k * n + i / k]).collect();
            let mut c = vec![1.0; m * n];
            gemm(Matrix::new(&a, m, k), Matrix::new(&b, k, n), &mut c, false);
            assert_eq!(c, expected);
            let mut c = vec![0.0; m * n];
            gemm(
                Matrix::new(&at, k, m).t(),
                Matrix::new(&bt, n, k).t(),
                &mut c,
                true,
            );
            assert_eq!(c, expected);
        }
    }
}
