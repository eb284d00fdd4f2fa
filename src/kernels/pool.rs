//! Max-pooling without overlap.

use super::vectorised;

/// Extents of a pooling: planes of `height` x `width`, windows of `rows` x
/// `columns`. What does not fill a window at the right and lower edge is
/// left out.
#[derive(Clone, Copy)]
pub(crate) struct Windows {
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

vectorised! {
    /// The largest of each window, NaN if there is one.
    fn max_pool(x: &[f32], windows: Windows, y: &mut [f32]) {
        let Windows { height, width, rows, columns } = windows;
        let (out_height, out_width) = (height / rows, width / columns);
        let planes = x
            .chunks_exact(height * width)
            .zip(y.chunks_exact_mut(out_height * out_width));
        for (plane, out) in planes {
            for (i, out_row) in out.chunks_exact_mut(out_width).enumerate() {
                for (j, largest) in out_row.iter_mut().enumerate() {
                    let mut most = f32::NEG_INFINITY;
                    for r in 0..rows {
                        let start = (i * rows + r) * width + j * columns;
                        for &x in &plane[start..start + columns] {
                            most = if x > most || x.is_nan() { x } else { most };
                        }
                    }
                    *largest = most;
                }
            }
        }
    }
}

vectorised! {
    /// Gives each window's gradient to the first place that holds its
    /// maximum; `dx` comes zeroed.
    fn max_pool_backward(
        x: &[f32],
        y: &[f32],
        dy: &[f32],
        windows: Windows,
        dx: &mut [f32],
    ) {
        let Windows { height, width, rows, columns } = windows;
        let (out_height, out_width) = (height / rows, width / columns);
        let out = out_height * out_width;
        let planes = x
            .chunks_exact(height * width)
            .zip(dx.chunks_exact_mut(height * width))
            .zip(y.chunks_exact(out).zip(dy.chunks_exact(out)));
        for ((x, dx), (y, dy)) in planes {
            for i in 0..out_height {
                for j in 0..out_width {
                    let most = y[i * out_width + j];
                    let gradient = dy[i * out_width + j];
                    'window: for r in 0..rows {
                        let start = (i * rows + r) * width + j * columns;
                        for place in start..start + columns {
                            // A NaN is its own place.
                            if x[place] == most || x[place].is_nan() {
                                dx[place] = gradient;
                                break 'window;
                            }
                        }
                    }
                }
            }
        }
    }
}
