//! Speed of single kernels, for `bench --kernels`.

use crate::error::Result;
use crate::kernels::attention::{self, Heads};
use crate::kernels::conv::{self, Geometry};
use crate::kernels::gemm::{Finish, Matrix, gemm};
use crate::runner::all_in_parallel;
use serde::Serialize;
use std::sync::Barrier;
use std::time::Instant;

/// Target seconds of a block, and number of blocks; the median is reported.
const BLOCK_SECONDS: f64 = 0.05;
const BLOCKS: usize = 7;

#[derive(Serialize)]
pub(super) struct KernelRow {
    kernel: String,
    pass: &'static str,
    us: f64,
    gflops: f64,
    share_of_peak: f64,
}

/// One kernel, with the work of one call.
struct Case {
    kernel: String,
    pass: &'static str,
    flops: f64,
    call: Box<dyn FnMut() + Send>,
}

/// Times every kernel, with `jobs` workers that run the same one at once.
pub(super) fn rows(jobs: usize, peak: f64) -> Result<Vec<KernelRow>> {
    let workers: Vec<usize> = (0..jobs).collect();
    let mut rows = vec![];
    for (i, case) in cases().into_iter().enumerate() {
        let together = Barrier::new(jobs);
        let work = |_| Ok(seconds(&mut cases().swap_remove(i), &together));
        let mut times = all_in_parallel(jobs, &workers, work)?;
        times.sort_by(f64::total_cmp);
        let seconds = times[times.len() / 2];
        let gflops = case.flops / seconds / 1e9;
        rows.push(KernelRow {
            kernel: case.kernel,
            pass: case.pass,
            us: round(seconds * 1e6),
            gflops: round(gflops),
            share_of_peak: round(gflops / peak),
        });
    }
    Ok(rows)
}

/// Four significant digits: more would be noise.
pub(super) fn round(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

/// Median seconds of a call.
fn seconds(case: &mut Case, together: &Barrier) -> f64 {
    (case.call)();
    let began = Instant::now();
    (case.call)();
    let once = began.elapsed().as_secs_f64().max(1e-9);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive count"
    )]
    let calls = (BLOCK_SECONDS / once).ceil() as usize;
    together.wait();
    let mut blocks: Vec<f64> = (0..BLOCKS)
        .map(|_| {
            let began = Instant::now();
            for _ in 0..calls {
                (case.call)();
            }
            began.elapsed().as_secs_f64() / calls as f64
        })
        .collect();
    blocks.sort_by(f64::total_cmp);
    blocks[BLOCKS / 2]
}

/// Numbers that differ, of the size that activations have.
fn numbers(n: usize) -> Vec<f32> {
    (0..n).map(|i| (i % 17) as f32 / 17.0 - 0.5).collect()
}

fn cases() -> Vec<Case> {
    let mut cases = vec![];
    for (rows, inputs, outputs) in
        [(128, 784, 256), (128, 256, 128), (64, 128, 64), (32, 64, 64)]
    {
        dense(rows, inputs, outputs, &mut cases);
    }
    for (inputs, outputs, side, stride) in [
        (16, 16, 32, 1),
        (16, 32, 32, 2),
        (16, 32, 7, 1),
        (32, 32, 16, 1),
        (64, 64, 8, 1),
    ] {
        convolution(inputs, outputs, (side, side), 3, stride, &mut cases);
    }
    convolution(25, 25, (1, 19), 3, 2, &mut cases);
    heads(64, 16, &mut cases);
    cases
}

/// The three products of a dense layer.
fn dense(rows: usize, inputs: usize, outputs: usize, cases: &mut Vec<Case>) {
    let kernel = format!("dense {inputs}->{outputs} batch {rows}");
    let flops = (2 * rows * inputs * outputs) as f64;
    let x = numbers(rows * inputs);
    let w = numbers(inputs * outputs);
    let dy = numbers(rows * outputs);
    let mut add = |pass, call| {
        cases.push(Case { kernel: kernel.clone(), pass, flops, call });
    };
    let mut y = dy.clone();
    let (a, b) = (x.clone(), w.clone());
    add(
        "forward",
        Box::new(move || {
            let (a, b) = (
                Matrix::new(&a, rows, inputs),
                Matrix::new(&b, outputs, inputs).t(),
            );
            gemm(a, b, &mut y, Finish::default());
        }) as Box<dyn FnMut() + Send>,
    );
    let mut dw = w.clone();
    let (a, b) = (dy.clone(), x.clone());
    add(
        "weights",
        Box::new(move || {
            let (a, b) = (
                Matrix::new(&a, rows, outputs).t(),
                Matrix::new(&b, rows, inputs),
            );
            gemm(a, b, &mut dw, Finish::default());
        }),
    );
    let mut dx = x;
    add(
        "inputs",
        Box::new(move || {
            let (a, b) = (
                Matrix::new(&dy, rows, outputs),
                Matrix::new(&w, outputs, inputs),
            );
            gemm(a, b, &mut dx, Finish::default());
        }),
    );
}

/// The three passes of a convolution with half of the kernel as border, 64
/// examples.
fn convolution(
    in_channels: usize,
    out_channels: usize,
    (height, width): (usize, usize),
    kernel: usize,
    stride: usize,
    cases: &mut Vec<Case>,
) {
    const BATCH: usize = 64;
    let signal = height == 1;
    let g = Geometry {
        in_channels,
        height,
        width,
        out_channels,
        kernel_height: if signal { 1 } else { kernel },
        kernel_width: kernel,
        stride_height: if signal { 1 } else { stride },
        stride_width: stride,
        pad_height: if signal { 0 } else { kernel / 2 },
        pad_width: kernel / 2,
    };
    let places = g.out_height() * g.out_width();
    let taps = g.kernel_height * g.kernel_width * in_channels;
    let flops = (2 * BATCH * places * out_channels * taps) as f64;
    let name = format!(
        "conv {in_channels}->{out_channels} {height}x{width} kernel {kernel} \
         stride {stride} batch {BATCH}"
    );
    let x = numbers(BATCH * height * width * in_channels);
    let w = numbers(out_channels * taps);
    let dy = numbers(BATCH * places * out_channels);
    let mut add = |pass, call| {
        cases.push(Case { kernel: name.clone(), pass, flops, call });
    };
    let mut y = dy.clone();
    let (a, b) = (x.clone(), w.clone());
    add(
        "forward",
        Box::new(move || conv::forward(&a, &b, &[], false, g, &mut y))
            as Box<dyn FnMut() + Send>,
    );
    let mut dw = w.clone();
    let (a, b) = (x.clone(), dy.clone());
    add("weights", Box::new(move || conv::weight_gradient(&a, &b, g, &mut dw)));
    let mut dx = x;
    add(
        "inputs",
        Box::new(move || conv::input_gradient(&w, &dy, g, &mut dx, false)),
    );
}

/// Attention of 4 heads of 16 in `sequences` of `length`.
fn heads(sequences: usize, length: usize, cases: &mut Vec<Case>) {
    let h = Heads { heads: 4, size: 16 };
    let kernel = format!("attention 4x16 {sequences}x{length}");
    let flops = (2 * sequences * length * (length + 1) * 64) as f64;
    let lengths = vec![length; sequences];
    let qkv = numbers(sequences * length * 3 * 64);
    let mut out = numbers(sequences * length * 64);
    let mut kept = numbers(attention::kept_len(&lengths, h));
    attention::forward(&qkv, &lengths, h, &mut out, &mut kept);
    let dout = out.clone();
    let (a, b) = (qkv.clone(), lengths.clone());
    let mut weights = kept.clone();
    cases.push(Case {
        kernel: kernel.clone(),
        pass: "forward",
        flops,
        call: Box::new(move || {
            attention::forward(&a, &b, h, &mut out, &mut weights);
        }),
    });
    let mut dqkv = qkv.clone();
    cases.push(Case {
        kernel,
        pass: "inputs",
        flops: 2.0 * flops,
        call: Box::new(move || {
            attention::backward(&qkv, &kept, &dout, &lengths, h, &mut dqkv);
        }),
    });
}
