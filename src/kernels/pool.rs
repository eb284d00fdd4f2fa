//! Max-pooling without overlap, over channels-last images.

use super::{LANES, vectorised};

/// Extents of a pooling: images of `height` x `width` places of `channels`,
/// windows of `rows` x `columns`. Incomplete windows at the right and lower
/// edge are left out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Windows {
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) channels: usize,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

impl Windows {
    pub(crate) fn out_height(&self) -> usize {
        self.height / self.rows
    }

    pub(crate) fn out_width(&self) -> usize {
        self.width / self.columns
    }

    /// Where the window of output place (`i`, `j`) begins in its image.
    #[inline(always)]
    fn start(&self, i: usize, j: usize) -> usize {
        (i * self.rows * self.width + j * self.columns) * self.channels
    }

    /// Where its place (`r`, `c`) is from there.
    #[inline(always)]
    fn place(&self, r: usize, c: usize) -> usize {
        (r * self.width + c) * self.channels
    }
}

vectorised! {
    /// The largest of each window, NaN if there is one.
    fn max_pool(x: &[f32], w: Windows, y: &mut [f32]) {
        let images = x.chunks_exact(w.height * w.width * w.channels);
        let mut places = y.chunks_exact_mut(w.channels);
        for image in images {
            for i in 0..w.out_height() {
                for j in 0..w.out_width() {
                    let Some(y) = places.next() else { return };
                    let (whole, rest) = y.as_chunks_mut::<LANES>();
                    let mut start = w.start(i, j);
                    for y in whole {
                        *y = largest::<LANES>(image, start, w);
                        start += LANES;
                    }
                    for y in rest {
                        [*y] = largest::<1>(image, start, w);
                        start += 1;
                    }
                }
            }
        }
    }
}

/// The largest of `N` channels from `start` on in the window that begins
/// there.
#[inline(always)]
fn largest<const N: usize>(
    image: &[f32],
    start: usize,
    w: Windows,
) -> [f32; N] {
    let mut most = [f32::NEG_INFINITY; N];
    for r in 0..w.rows {
        for c in 0..w.columns {
            let x = &image[start + w.place(r, c)..][..N];
            for (most, x) in most.iter_mut().zip(x) {
                let other = *x > *most || x.is_nan();
                *most = if other { *x } else { *most };
            }
        }
    }
    most
}

vectorised! {
    /// Each window's gradient goes to the first place that holds its maximum,
    /// 0 to all others.
    fn max_pool_backward(
        x: &[f32],
        y: &[f32],
        dy: &[f32],
        w: Windows,
        dx: &mut [f32],
    ) {
        let covered = (w.out_height() * w.rows, w.out_width() * w.columns);
        if covered != (w.height, w.width) {
            dx.fill(0.0);
        }
        let size = w.height * w.width * w.channels;
        let mut outputs =
            y.chunks_exact(w.channels).zip(dy.chunks_exact(w.channels));
        let images = x.chunks_exact(size).zip(dx.chunks_exact_mut(size));
        for (x, dx) in images {
            for i in 0..w.out_height() {
                for j in 0..w.out_width() {
                    let Some((y, dy)) = outputs.next() else { return };
                    let (most, most_rest) = y.as_chunks::<LANES>();
                    let (left, left_rest) = dy.as_chunks::<LANES>();
                    let mut start = w.start(i, j);
                    for (most, left) in most.iter().zip(left) {
                        give(x, dx, start, w, most, *left);
                        start += LANES;
                    }
                    for (most, left) in most_rest.iter().zip(left_rest) {
                        give(x, dx, start, w, &[*most], [*left]);
                        start += 1;
                    }
                }
            }
        }
    }
}

/// Writes what is `left` to the first place of each channel that holds `most`
/// (a NaN is its own place), and 0 to the others.
#[inline(always)]
fn give<const N: usize>(
    x: &[f32],
    dx: &mut [f32],
    start: usize,
    w: Windows,
    most: &[f32; N],
    mut left: [f32; N],
) {
    for r in 0..w.rows {
        for c in 0..w.columns {
            let at = start + w.place(r, c);
            let (x, dx) = (&x[at..][..N], &mut dx[at..][..N]);
            for l in 0..N {
                // By bits: of a choice the compiler makes two masked stores
                // (measured: 6 % of the step of a small image net).
                let here = x[l] == most[l] || x[l].is_nan();
                let bits = if here { u32::MAX } else { 0 };
                dx[l] = f32::from_bits(left[l].to_bits() & bits);
                left[l] = f32::from_bits(left[l].to_bits() & !bits);
            }
        }
    }
}
