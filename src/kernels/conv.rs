//! Convolutions as matrix products whose left operand is read in place.
//!
//! Images are channels-last, `(batch, height, width, channels)`; a signal is
//! an image of height 1. In that layout a row of the kernel covers one
//! contiguous run of numbers. A patch is a few runs and need not be copied
//! ([`tile`](super::tile)). Examples are processed in groups that fit into the
//! cache together with their zero border.

mod patches;

use super::gemm::{Matrix, Panels};
use super::scratch::{Scratch, scratch};
use super::tile::{Columns, Places, Rows, Target};
use patches::{Bordered, Patches};

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

/// Values in a group of examples: a quarter of a usual second-level cache.
const GROUP: usize = 64 * 1024;

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

    /// Numbers under the kernel.
    fn patch(&self) -> usize {
        self.in_channels * self.kernel_height * self.kernel_width
    }

    fn in_size(&self) -> usize {
        self.in_channels * self.height * self.width
    }

    fn out_size(&self) -> usize {
        self.out_channels * self.places()
    }

    /// Examples taken together.
    fn group(&self) -> usize {
        let border = (self.height + 2 * self.pad_height)
            * (self.width + 2 * self.pad_width)
            * self.in_channels;
        let largest = border.max(self.out_size()).max(1);
        (GROUP / largest).max(1)
    }
}

/// Along one axis, the outputs that feed the inputs of one phase (every
/// `stride`-th from `phase` on): input `stride q + phase` gets output
/// `q + shift - m` through tap `first + stride m`, for each `m` below `taps`.
#[derive(Clone, Copy)]
struct Phase {
    first: usize,
    taps: usize,
    shift: usize,
    inputs: usize,
}

impl Phase {
    fn new(
        phase: usize,
        extent: usize,
        kernel: usize,
        stride: usize,
        pad: usize,
    ) -> Self {
        let first = (phase + pad) % stride;
        Self {
            first,
            taps: kernel.saturating_sub(first).div_ceil(stride),
            shift: (phase + pad) / stride,
            inputs: extent.saturating_sub(phase).div_ceil(stride),
        }
    }

    /// Outputs needed before the first, and past `outputs`.
    fn border(&self, outputs: usize) -> (usize, usize) {
        if self.taps == 0 || self.inputs == 0 {
            return (0, 0);
        }
        let before = (self.taps - 1).saturating_sub(self.shift);
        let after = (self.inputs + self.shift).saturating_sub(outputs);
        (before, after)
    }
}

/// `weight` `(out, in, height, width)` as `(height x width x in, out)`.
fn by_patch(weight: &[f32], g: Geometry) -> Scratch {
    let taps = g.kernel_height * g.kernel_width;
    let mut ordered = scratch(weight.len());
    for (out, filter) in weight.chunks_exact(g.patch()).enumerate() {
        for (channel, plane) in filter.chunks_exact(taps).enumerate() {
            for (tap, w) in plane.iter().enumerate() {
                let row = tap * g.in_channels + channel;
                ordered[row * g.out_channels + out] = *w;
            }
        }
    }
    ordered
}

/// `y = x * weight + bias`, rectified if `relu`. `x` is
/// `(batch, height, width, in)`, `y` `(batch, height', width', out)`,
/// `weight` `(out, in, kernel height, kernel width)`, `bias` empty for none.
pub(crate) fn forward(
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    relu: bool,
    g: Geometry,
    y: &mut [f32],
) {
    let weight = by_patch(weight, g);
    let panels = Panels::of(Matrix::new(&weight, g.patch(), g.out_channels));
    let groups = x
        .chunks(g.group() * g.in_size())
        .zip(y.chunks_mut(g.group() * g.out_size()));
    for (x, y) in groups {
        let patches = Patches::new(x, g);
        let Patches { data, starts, runs, length } = &patches;
        let count = starts.len();
        let starts = Places::At(starts);
        let rows = Rows { data, starts, runs, length: *length };
        let starts = Places::Every { apart: g.out_channels, count };
        let mut out = Target { data: y, starts, add: false, bias, relu };
        panels.times_rows(rows, &mut out);
    }
}

/// Adds the gradient with respect to the weights. `dy` is the
/// gradient with respect to the value before the activation.
pub(crate) fn weight_gradient(
    x: &[f32],
    dy: &[f32],
    g: Geometry,
    dweight: &mut [f32],
) {
    let mut slopes = scratch(dweight.len());
    slopes.fill(0.0);
    let groups = x
        .chunks(g.group() * g.in_size())
        .zip(dy.chunks(g.group() * g.out_size()));
    for (x, dy) in groups {
        let patches = Patches::new(x, g);
        let places = patches.starts.len();
        let panels = Panels::of(Matrix::new(dy, places, g.out_channels));
        for (i, &run) in patches.runs.iter().enumerate() {
            let (apart, count) = (g.out_channels, patches.length);
            let (data, starts) = (&*patches.data, Places::At(&patches.starts));
            let columns =
                Columns { data, starts, offset: run, rows: patches.length };
            let mut out = Target {
                data: &mut slopes[i * count * apart..],
                starts: Places::Every { apart, count },
                add: true,
                bias: &[],
                relu: false,
            };
            panels.times_columns(columns, &mut out);
        }
    }
    let taps = g.kernel_height * g.kernel_width;
    for (out, filter) in dweight.chunks_exact_mut(g.patch()).enumerate() {
        for (channel, plane) in filter.chunks_exact_mut(taps).enumerate() {
            for (tap, slope) in plane.iter_mut().enumerate() {
                let row = tap * g.in_channels + channel;
                *slope += slopes[row * g.out_channels + out];
            }
        }
    }
}

/// Gradient with respect to the input; added to `dx` if `add`, else written.
///
/// The inputs with one remainder by the stride form a phase. Each phase is a
/// convolution of `dy` with stride 1 and its own part of the kernel.
pub(crate) fn input_gradient(
    weight: &[f32],
    dy: &[f32],
    g: Geometry,
    dx: &mut [f32],
    add: bool,
) {
    let (out_height, out_width) = (g.out_height(), g.out_width());
    let rows: Vec<Phase> = (0..g.stride_height)
        .map(|phase| {
            let (kernel, stride) = (g.kernel_height, g.stride_height);
            Phase::new(phase, g.height, kernel, stride, g.pad_height)
        })
        .collect();
    let columns: Vec<Phase> = (0..g.stride_width)
        .map(|phase| {
            let (kernel, stride) = (g.kernel_width, g.stride_width);
            Phase::new(phase, g.width, kernel, stride, g.pad_width)
        })
        .collect();
    let border = (
        widest(rows.iter().map(|phase| phase.border(out_height))),
        widest(columns.iter().map(|phase| phase.border(out_width))),
    );
    let phases: Vec<(usize, usize, Scratch)> = (0..rows.len())
        .flat_map(|i| (0..columns.len()).map(move |j| (i, j)))
        .filter(|&(i, j)| rows[i].taps * columns[j].taps > 0)
        .map(|(i, j)| (i, j, phase_kernel(weight, rows[i], columns[j], g)))
        .collect();
    let untouched = phases.len() < rows.len() * columns.len();
    let groups = dy
        .chunks(g.group() * g.out_size())
        .zip(dx.chunks_mut(g.group() * g.in_size()));
    for (dy, dx) in groups {
        if untouched && !add {
            dx.fill(0.0);
        }
        let extents = (out_height, out_width, g.out_channels);
        let bordered = Bordered::new(dy, extents, border);
        for (i, j, kernel) in &phases {
            let (row, column) = (rows[*i], columns[*j]);
            let depth = kernel.len() / g.in_channels;
            let kernel = Matrix::new(kernel, depth, g.in_channels);
            let (from, to) = phase_places(*i, *j, row, column, g, &bordered);
            let from =
                from_all(&from, dx.len() / g.in_size(), bordered.example);
            let to = from_all(&to, dx.len() / g.in_size(), g.in_size());
            let runs: Vec<usize> =
                (0..row.taps).map(|tap| tap * bordered.line).collect();
            let source = Rows {
                data: &bordered.data,
                starts: Places::At(&from),
                runs: &runs,
                length: column.taps * g.out_channels,
            };
            let (data, starts) = (&mut *dx, Places::At(&to));
            let (bias, relu) = (&[][..], false);
            let mut out = Target { data, starts, add, bias, relu };
            Panels::of(kernel).times_rows(source, &mut out);
        }
    }
}

/// Enough border for each.
fn widest(borders: impl Iterator<Item = (usize, usize)>) -> (usize, usize) {
    borders.fold((0, 0), |(a, b), (c, d)| (a.max(c), b.max(d)))
}

/// The starts of one example repeated for `examples` that lie `apart`.
fn from_all(starts: &[usize], examples: usize, apart: usize) -> Vec<usize> {
    (0..examples)
        .flat_map(|example| starts.iter().map(move |s| example * apart + s))
        .collect()
}

/// For each input of a phase of one example: where the outputs that feed it
/// begin, and where it is.
fn phase_places(
    i: usize,
    j: usize,
    row: Phase,
    column: Phase,
    g: Geometry,
    dy: &Bordered,
) -> (Vec<usize>, Vec<usize>) {
    let mut from = Vec::with_capacity(row.inputs * column.inputs);
    let mut to = Vec::with_capacity(row.inputs * column.inputs);
    for q in 0..row.inputs {
        let line = (q + row.shift + dy.top + 1 - row.taps) * dy.line;
        let y = q * g.stride_height + i;
        for p in 0..column.inputs {
            let place = p + column.shift + dy.left + 1 - column.taps;
            from.push(line + place * g.out_channels);
            let x = p * g.stride_width + j;
            to.push((y * g.width + x) * g.in_channels);
        }
    }
    (from, to)
}

/// The taps of a phase, last first as its runs meet them, as
/// `(taps x out, in)`.
fn phase_kernel(
    weight: &[f32],
    row: Phase,
    column: Phase,
    g: Geometry,
) -> Scratch {
    let depth = row.taps * column.taps * g.out_channels;
    let mut ordered = scratch(depth * g.in_channels);
    let mut lines = ordered.chunks_exact_mut(g.in_channels);
    let taps = g.kernel_height * g.kernel_width;
    for m in (0..row.taps).rev() {
        for n in (0..column.taps).rev() {
            let tap = (row.first + m * g.stride_height) * g.kernel_width
                + column.first
                + n * g.stride_width;
            for (filter, line) in weight.chunks_exact(g.patch()).zip(&mut lines)
            {
                let through = filter.iter().skip(tap).step_by(taps);
                for (to, w) in line.iter_mut().zip(through) {
                    *to = *w;
                }
            }
        }
    }
    ordered
}
