//! Images with a zero border, and their patches as a left operand.

use super::super::copy;
use super::super::scratch::{Scratch, scratch};
use super::Geometry;

/// Runs shorter than this are gathered into whole patches instead.
const SHORT_RUN: usize = 12;

impl Geometry {
    /// Whether the runs of kernel rows are too short for the inner loop.
    fn gathers(&self) -> bool {
        self.kernel_width * self.in_channels < SHORT_RUN
    }
}

/// Images with a zero border, and how far apart their parts are.
pub(super) struct Bordered {
    pub(super) data: Scratch,
    pub(super) top: usize,
    pub(super) left: usize,
    pub(super) line: usize,
    pub(super) example: usize,
}

impl Bordered {
    /// `x` of `(examples, height, width, channels)` with `border` rows and
    /// columns before and after.
    pub(super) fn new(
        x: &[f32],
        (height, width, channels): (usize, usize, usize),
        ((top, bottom), (left, right)): ((usize, usize), (usize, usize)),
    ) -> Self {
        let line = (left + width + right) * channels;
        let example = (top + height + bottom) * line;
        let examples = x.len() / (height * width * channels);
        // What a wide copy of the last run reads beyond it.
        let mut data = scratch(examples * example + SHORT_RUN);
        data[examples * example..].fill(0.0);
        let row = width * channels;
        let images = x.chunks_exact(height * row);
        let whole = &mut data[..examples * example];
        for (to, image) in whole.chunks_exact_mut(example).zip(images) {
            let (above, rest) = to.split_at_mut(top * line);
            let (inside, below) = rest.split_at_mut(height * line);
            above.fill(0.0);
            below.fill(0.0);
            for (to, from) in
                inside.chunks_exact_mut(line).zip(image.chunks_exact(row))
            {
                let (before, rest) = to.split_at_mut(left * channels);
                before.fill(0.0);
                copy(from, &mut rest[..row]);
                rest[row..].fill(0.0);
            }
        }
        Self { data, top, left, line, example }
    }
}

/// The patches of a group of examples, as a left operand.
pub(super) struct Patches {
    pub(super) data: Scratch,
    pub(super) starts: Vec<usize>,
    pub(super) runs: Vec<usize>,
    pub(super) length: usize,
}

impl Patches {
    pub(super) fn new(x: &[f32], g: Geometry) -> Self {
        let examples = x.len() / g.in_size();
        let channels = g.in_channels;
        let border = ((g.pad_height, g.pad_height), (g.pad_width, g.pad_width));
        let extents = (g.height, g.width, channels);
        let bordered = Bordered::new(x, extents, border);
        let mut starts = Vec::with_capacity(examples * g.places());
        for example in 0..examples {
            for row in 0..g.out_height() {
                let line = row * g.stride_height * bordered.line;
                let line = example * bordered.example + line;
                let step = g.stride_width * channels;
                starts.extend((0..g.out_width()).map(|c| line + c * step));
            }
        }
        let runs: Vec<usize> =
            (0..g.kernel_height).map(|row| row * bordered.line).collect();
        let length = g.kernel_width * channels;
        if !g.gathers() {
            return Self { data: bordered.data, starts, runs, length };
        }
        let mut data = scratch(starts.len() * g.patch() + SHORT_RUN);
        let gather = match length {
            0..=4 => gather::<4>,
            5..=8 => gather::<8>,
            _ => gather::<SHORT_RUN>,
        };
        gather(&bordered.data, &starts, &runs, length, &mut data);
        let starts = (0..starts.len()).map(|i| i * g.patch()).collect();
        Self { data, starts, runs: vec![0], length: g.patch() }
    }
}

/// Copies runs of `length`, from each of `starts`, one after the other. `N`
/// numbers at a time are faster than the few that are meant; the next run
/// overwrites what is too much.
fn gather<const N: usize>(
    from: &[f32],
    starts: &[usize],
    runs: &[usize],
    length: usize,
    to: &mut [f32],
) {
    let mut at = 0;
    for start in starts {
        for run in runs {
            let run = &from[start + run..][..N];
            to[at..at + N].copy_from_slice(run);
            at += length;
        }
    }
}
