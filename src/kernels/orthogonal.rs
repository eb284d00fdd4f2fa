//! Matrices made orthogonal by products alone.

use super::gemm::{Finish, Matrix, gemm};
use super::scratch::scratch;
use super::{LANES, vectorised};

/// Coefficients of the quintic polynomial that Muon iterates: `a x + b x^3 +
/// c x^5`, of the steepest slope at 0 (Jordan et al., 2024).
pub(crate) const QUINTIC: [f64; 3] = [3.4445, -4.7750, 2.0315];

/// Least norm that a matrix is divided by.
pub(crate) const LEAST_NORM: f64 = 1e-7;

/// Brings the singular values of `x`, a row-major matrix of `rows` rows, to
/// about 1 (0.7 to 1.2) and keeps its singular vectors: `steps` steps of the
/// Newton-Schulz iteration, after a division by the Frobenius norm.
#[expect(clippy::cast_possible_truncation, reason = "kernels are f32")]
pub(crate) fn newton_schulz(x: &mut [f32], rows: usize, steps: usize) {
    let columns = x.len() / rows.max(1);
    if x.is_empty() {
        return;
    }
    let norm = squares(x).sqrt();
    // `max` would lose a NaN.
    let norm = if norm < LEAST_NORM { LEAST_NORM } else { norm };
    scale(x, (1.0 / norm) as f32);
    let [a, b, c] = QUINTIC.map(|number| number as f32);
    // The smaller of `x x^T` and `x^T x`.
    let side = rows.min(columns);
    let mut gram = scratch(side * side);
    let mut polynomial = scratch(side * side);
    let mut product = scratch(x.len());
    for _ in 0..steps {
        let matrix = Matrix::new(x, rows, columns);
        let (left, right) = if rows <= columns {
            (matrix, matrix.t())
        } else {
            (matrix.t(), matrix)
        };
        gemm(left, right, &mut gram, Finish::default());
        let square = Matrix::new(&gram, side, side);
        gemm(square, square, &mut polynomial, Finish::default());
        combine(&mut polynomial, &gram, b, c);
        for entry in polynomial.iter_mut().step_by(side + 1) {
            *entry += a;
        }
        let factor = Matrix::new(&polynomial, side, side);
        let (left, right) =
            if rows <= columns { (factor, matrix) } else { (matrix, factor) };
        gemm(left, right, &mut product, Finish::default());
        x.copy_from_slice(&product);
    }
}

vectorised! {
    /// Sum of squares.
    fn squares(x: &[f32]) -> f64 {
        let mut sums = [0.0; LANES];
        let (chunks, rest) = x.as_chunks::<LANES>();
        for chunk in chunks {
            for (sum, x) in sums.iter_mut().zip(chunk) {
                *sum += f64::from(*x) * f64::from(*x);
            }
        }
        for (sum, x) in sums.iter_mut().zip(rest) {
            *sum += f64::from(*x) * f64::from(*x);
        }
        sums.iter().sum()
    }
}

vectorised! {
    fn scale(x: &mut [f32], factor: f32) {
        for x in x {
            *x *= factor;
        }
    }
}

vectorised! {
    /// `c x + b gram` in place of `x`.
    fn combine(x: &mut [f32], gram: &[f32], b: f32, c: f32) {
        for (x, gram) in x.iter_mut().zip(gram) {
            *x = b * gram + c * *x;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::on_every_path;
    use super::*;

    #[test]
    fn singular_values_come_near_one() {
        // Those of a diagonal matrix are its entries, in f64 by hand.
        let entries = [1.0_f32, 0.5, 0.25, 0.0625];
        let squares = entries.iter().map(|x| f64::from(x * x));
        let norm = squares.sum::<f64>().sqrt();
        let [a, b, c] = QUINTIC;
        on_every_path(|path| {
            for (rows, columns) in [(4, 4), (4, 7), (6, 4)] {
                let mut x = vec![0.0_f32; rows * columns];
                for (i, entry) in entries.iter().enumerate() {
                    x[i * columns + i] = *entry;
                }
                newton_schulz(&mut x, rows, 5);
                for (at, got) in x.iter().enumerate() {
                    let (row, column) = (at / columns, at % columns);
                    let mut want = 0.0;
                    if row == column && row < 4 {
                        want = f64::from(entries[row]) / norm;
                        for _ in 0..5 {
                            want *= a + b * want.powi(2) + c * want.powi(4);
                        }
                        assert!((0.6..1.3).contains(&want), "{want}");
                    }
                    let error = (f64::from(*got) - want).abs();
                    assert!(error < 1e-5, "{path} {rows} {at}: {got} {want}");
                }
            }
        });
    }

    #[test]
    fn nothing_stays_nothing_and_nan_stays_nan() {
        let mut x = [0.0; 6];
        newton_schulz(&mut x, 2, 5);
        assert_eq!(x, [0.0; 6]);
        x[1] = f32::NAN;
        newton_schulz(&mut x, 2, 5);
        assert!(x.iter().any(|x| x.is_nan()));
    }
}
