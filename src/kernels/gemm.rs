//! Matrix products on one thread.

use super::scratch::{Scratch, scratch};
use super::tile::{
    self, CHAINS, Columns, Panel, Places, Rows, Target, VECTORS,
};

/// A matrix in a slice, row-major or transposed.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    transposed: bool,
}

impl<'a> Matrix<'a> {
    /// `(rows, columns)`, row-major.
    pub(crate) fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(data.len(), rows * columns, "a matrix fills its slice");
        Self { data, rows, columns, transposed: false }
    }

    /// The transpose, without moving a number.
    pub(crate) fn t(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            transposed: !self.transposed,
            ..self
        }
    }
}

/// How a product is stored.
#[derive(Clone, Copy, Default)]
pub(crate) struct Finish<'a> {
    /// Add to the target instead of overwriting it.
    pub(crate) add: bool,
    /// Added to every row; empty for none.
    pub(crate) bias: &'a [f32],
    /// Apply ReLU at the end.
    pub(crate) relu: bool,
}

/// `c = a b`, stored as `finish` says; `c` is row-major `(a.rows, b.columns)`.
pub(crate) fn gemm(
    a: Matrix<'_>,
    b: Matrix<'_>,
    c: &mut [f32],
    finish: Finish<'_>,
) {
    let (m, n, depth) = (a.rows, b.columns, a.columns);
    assert_eq!(depth, b.rows, "inner extents agree");
    assert_eq!(c.len(), m * n, "the product fills its slice");
    let Finish { add, bias, relu } = finish;
    let starts = Places::Every { apart: n, count: m };
    let mut out = Target { data: c, starts, add, bias, relu };
    let panels = if b.transposed { Panels::turned(b) } else { Panels::of(b) };
    if a.transposed {
        let starts = Places::Every { apart: m, count: depth };
        let a = Columns { data: a.data, starts, offset: 0, rows: m };
        panels.times_columns(a, &mut out);
    } else {
        let starts = Places::Every { apart: depth, count: m };
        let a = Rows { data: a.data, starts, runs: &[0], length: depth };
        panels.times_rows(a, &mut out);
    }
}

/// A right operand in panels, each as wide as a tile.
pub(super) struct Panels<'a> {
    data: Numbers<'a>,
    depth: usize,
    columns: usize,
    lanes: usize,
}

/// The numbers of a right operand.
enum Numbers<'a> {
    /// Row by row, where they are.
    There(&'a [f32]),
    /// Panel by panel, each filled up to whole vectors.
    Packed(Scratch),
}

impl<'a> Panels<'a> {
    /// Of a matrix that is not transposed, without moving a number.
    pub(super) fn of(b: Matrix<'a>) -> Self {
        assert!(!b.transposed, "its rows have to lie one after the other");
        let data = Numbers::There(b.data);
        let lanes = tile::loops().lanes;
        Self { data, depth: b.rows, columns: b.columns, lanes }
    }

    /// Of a transposed matrix, copied.
    pub(super) fn turned(b: Matrix<'_>) -> Self {
        assert!(b.transposed, "its columns have to lie one after the other");
        let loops = tile::loops();
        let lanes = loops.lanes;
        let padded = b.columns.div_ceil(lanes) * lanes;
        let mut data = scratch(b.rows * padded);
        let lines = b.data.chunks((VECTORS * lanes * b.rows).max(1));
        let panels = data.chunks_mut((VECTORS * lanes * b.rows).max(1));
        for (lines, panel) in lines.zip(panels) {
            loops.turn(lines, b.rows, panel.len() / b.rows, panel);
        }
        let data = Numbers::Packed(data);
        Self { data, depth: b.rows, columns: b.columns, lanes }
    }

    /// `a` times this, to `out`.
    pub(super) fn times_rows(&self, a: Rows<'_>, out: &mut Target<'_>) {
        let loops = tile::loops();
        for panel in self.panels() {
            loops.by_rows(a, panel, out);
        }
    }

    /// The transposed `a` times this, to `out`.
    pub(super) fn times_columns(&self, a: Columns<'_>, out: &mut Target<'_>) {
        let loops = tile::loops();
        for panel in self.panels() {
            loops.by_columns(a, panel, out);
        }
    }

    fn panels(&self) -> impl Iterator<Item = Panel<'_>> {
        let width = VECTORS * self.lanes;
        (0..self.columns).step_by(width).map(move |at| {
            let columns = width.min(self.columns - at);
            let vectors = columns.div_ceil(self.lanes);
            let (data, apart) = match &self.data {
                Numbers::There(data) => (&data[at..], self.columns),
                Numbers::Packed(data) => {
                    let wide = vectors * self.lanes;
                    (&data[self.depth * at..][..self.depth * wide], wide)
                }
            };
            Panel { data, apart, vectors, columns, at }
        })
    }
}

/// Peak rate of fused multiply-adds on one core, in GFLOP/s: the best of
/// several short measurements.
pub(crate) fn peak_gflops() -> f64 {
    const ROUNDS: usize = 400_000;
    let loops = tile::loops();
    let flops = (2 * CHAINS * loops.lanes * ROUNDS) as f64;
    let tries = (0..10).map(|_| {
        let began = std::time::Instant::now();
        std::hint::black_box(loops.chains(std::hint::black_box(ROUNDS)));
        flops / began.elapsed().as_secs_f64() / 1e9
    });
    tries.fold(0.0, f64::max)
}

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
            let bias: Vec<f32> = (0..n).map(|j| -(20.0 * j as f32)).collect();
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
            gemm(
                Matrix::new(&a, m, k),
                Matrix::new(&b, k, n),
                &mut c,
                Finish::default(),
            );
            assert_eq!(c, expected);
            gemm(
                Matrix::new(&at, k, m).t(),
                Matrix::new(&bt, n, k).t(),
                &mut c,
                Finish { add: true, bias: &bias, relu: true },
            );
            for (i, (c, once)) in c.iter().zip(&expected).enumerate() {
                assert_eq!(*c, (2.0 * once + bias[i % n]).max(0.0));
            }
        }
    }
}
