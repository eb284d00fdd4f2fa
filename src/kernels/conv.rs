//! Convolutions as matrix products over gathered patches.
//!
//! Layout `(batch, channels, height, width)`; a signal is an image of
//! height 1. For each example the patches are laid out as `(channels x taps, places)`,
//! so the product with the weights `(out, channels x taps)` is the output as it
//! stands in memory.

use super::gemm::{Matrix, gemm};
use super::vectorised;

/// Extents of a convolution without dilation or groups.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Geometry {
    pub(crate) in_channels: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) out_channels: usize,
    pub(crate) kernel_height: usize,
    pub(crate) kernel_width: usize,
    pub(crate) stride_height: usize,
    pub(crate) stride_width: usize,
    pub(crate) pad_height: usize,
    pub(crate) pad_width: usize,
}

impl Geometry {
    /// Rows of the output.
    pub(crate) fn out_height(&self) -> usize {
        (self.height + 2 * self.pad_height - self.kernel_height)
            / self.stride_height
            + 1
    }

    /// Columns of the output.
    pub(crate) fn out_width(&self) -> usize {
        (self.width + 2 * self.pad_width - self.kernel_width)
            / self.stride_width
            + 1
    }

    fn places(&self) -> usize {
        self.out_height() * self.out_width()
    }

    fn patch(&self) -> usize {
        self.in_channels * self.kernel_height * self.kernel_width
    }

    fn in_size(&self) -> usize {
        self.in_channels * self.height * self.width
    }

    /// The columns of the output that see column `tap` of the kernel inside
    /// the image, and the first input column they see.
    #[inline(always)]
    fn inside(&self, tap: usize) -> (usize, usize, usize) {
        let s = self.stride_width;
        let first = self.pad_width.saturating_sub(tap).div_ceil(s);
        let beyond = (self.width + self.pad_width).saturating_sub(tap);
        let end = beyond.div_ceil(s).min(self.out_width()).max(first);
        let from = (first * s + tap).saturating_sub(self.pad_width);
        (first, end, from.min(self.width))
    }
}

vectorised! {
    /// Patches of one example; places outside the image are 0.
    fn gather_patches(x: &[f32], g: Geometry, patches: &mut [f32]) {
        let (out_height, out_width) = (g.out_height(), g.out_width());
        let mut rows = patches.chunks_exact_mut(out_height * out_width);
        for plane in x.chunks_exact(g.height * g.width) {
            for tap_row in 0..g.kernel_height {
                for tap in 0..g.kernel_width {
                    let Some(row) = rows.next() else { return };
                    let (first, end, from) = g.inside(tap);
                    for (i, out) in row.chunks_exact_mut(out_width).enumerate()
                    {
                        let y = i * g.stride_height + tap_row;
                        let inside = y >= g.pad_height
                            && y - g.pad_height < g.height;
                        if !inside {
                            out.fill(0.0);
                            continue;
                        }
                        let start = (y - g.pad_height) * g.width;
                        let line = &plane[start..start + g.width];
                        out[..first].fill(0.0);
                        out[end..].fill(0.0);
                        if g.stride_width == 1 {
                            out[first..end]
                                .copy_from_slice(&line[from..][..end - first]);
                        } else {
                            let seen =
                                line[from..].iter().step_by(g.stride_width);
                            for (o, x) in out[first..end].iter_mut().zip(seen)
                            {
                                *o = *x;
                            }
                        }
                    }
                }
            }
        }
    }
}

vectorised! {
    /// Adds every patch back to where it came from.
    fn scatter_patches(patches: &[f32], g: Geometry, dx: &mut [f32]) {
        let (out_height, out_width) = (g.out_height(), g.out_width());
        let mut rows = patches.chunks_exact(out_height * out_width);
        for plane in dx.chunks_exact_mut(g.height * g.width) {
            for tap_row in 0..g.kernel_height {
                for tap in 0..g.kernel_width {
                    let Some(row) = rows.next() else { return };
                    let (first, end, from) = g.inside(tap);
                    for (i, out) in row.chunks_exact(out_width).enumerate() {
                        let y = i * g.stride_height + tap_row;
                        if y < g.pad_height || y - g.pad_height >= g.height {
                            continue;
                        }
                        let start = (y - g.pad_height) * g.width + from;
                        let line = &mut plane[start..];
                        if g.stride_width == 1 {
                            let line = &mut line[..end - first];
                            for (x, o) in line.iter_mut().zip(&out[first..end])
                            {
                                *x += o;
                            }
                        } else {
                            let seen = line.iter_mut().step_by(g.stride_width);
                            for (x, o) in seen.zip(&out[first..end]) {
                                *x += o;
                            }
                        }
                    }
                }
            }
        }
    }
}

vectorised! {
    /// Adds `bias` to its channel's places, and rectifies if `relu`.
    fn bias_channels(y: &mut [f32], bias: &[f32], places: usize, relu: bool) {
        let channels = bias.iter().cycle();
        for (plane, b) in y.chunks_exact_mut(places).zip(channels) {
            for y in plane {
                let sum = *y + b;
                *y = if relu && sum < 0.0 { 0.0 } else { sum };
            }
        }
    }
}

vectorised! {
    /// Sums of each channel's places, added to `sums`.
    fn add_channel_sums(dy: &[f32], places: usize, sums: &mut [f32]) {
        for example in dy.chunks_exact(places * sums.len()) {
            for (plane, sum) in example.chunks_exact(places).zip(&mut *sums) {
                let mut lanes = [0.0_f32; super::LANES];
                let (whole, rest) = plane.as_chunks::<{ super::LANES }>();
                for chunk in whole {
                    for (lane, x) in lanes.iter_mut().zip(chunk) {
                        *lane += x;
                    }
                }
                *sum += lanes.iter().sum::<f32>() + rest.iter().sum::<f32>();
            }
        }
    }
}

/// `y = x * weight + bias`, rectified if `relu`; `weight` is
/// `(out, in, kernel height, kernel width)`, `bias` empty for none.
pub(crate) fn forward(
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    relu: bool,
    g: Geometry,
    y: &mut [f32],
) {
    let mut patches = vec![0.0; g.patch() * g.places()];
    let out_size = g.out_channels * g.places();
    let kernel = Matrix::new(weight, g.out_channels, g.patch());
    for (x, y) in x.chunks_exact(g.in_size()).zip(y.chunks_exact_mut(out_size))
    {
        gather_patches(x, g, &mut patches);
        let patches = Matrix::new(&patches, g.patch(), g.places());
        gemm(kernel, patches, y, false);
    }
    if !bias.is_empty() {
        bias_channels(y, bias, g.places(), relu);
    }
}

/// Gradients: adds to `dweight` and `dbias` (empty for none), writes `dx`
/// where wanted. `dy` is already masked by the activation.
pub(crate) fn backward(
    x: &[f32],
    weight: &[f32],
    dy: &[f32],
    g: Geometry,
    mut dx: Option<&mut [f32]>,
    dweight: &mut [f32],
    dbias: &mut [f32],
) {
    let mut patches = vec![0.0; g.patch() * g.places()];
    // Transposed, so that the smaller operand is the one that gets packed.
    let mut slopes = vec![0.0; g.patch() * g.out_channels];
    let out_size = g.out_channels * g.places();
    let kernel = Matrix::new(weight, g.out_channels, g.patch());
    for (i, (x, dy)) in
        x.chunks_exact(g.in_size()).zip(dy.chunks_exact(out_size)).enumerate()
    {
        let dy = Matrix::new(dy, g.out_channels, g.places());
        gather_patches(x, g, &mut patches);
        let seen = Matrix::new(&patches, g.patch(), g.places());
        gemm(seen, dy.t(), &mut slopes, true);
        if let Some(dx) = dx.as_deref_mut() {
            gemm(kernel.t(), dy, &mut patches, false);
            let dx = &mut dx[i * g.in_size()..(i + 1) * g.in_size()];
            dx.fill(0.0);
            scatter_patches(&patches, g, dx);
        }
    }
    for (out, row) in dweight.chunks_exact_mut(g.patch()).enumerate() {
        let column = slopes.iter().skip(out).step_by(g.out_channels);
        row.iter_mut().zip(column).for_each(|(d, slope)| *d += slope);
    }
    if !dbias.is_empty() {
        add_channel_sums(dy, g.places(), dbias);
    }
}
