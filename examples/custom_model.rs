//! The whole command line on your own models and data sets: grids may name
//! `wide` and `spiral` beside the built-in ones.
//!
//! ```sh
//! cargo run --release --example custom_model -- check my-grid.toml
//! ```

use candle_core::{Device, Module, Result, Tensor};
use candle_nn::VarBuilder;
use lrscout::nn::{self, Linear};
use lrscout::{Dataset, Registry, Split, Task};
use std::process::ExitCode;

struct Wide {
    hidden: Linear,
    out: Linear,
}

fn wide(vb: VarBuilder<'_>, data: &Dataset) -> Result<Wide> {
    Ok(Wide {
        hidden: nn::linear_relu(data.features(), 256, vb.pp("hidden"))?,
        out: nn::linear(256, data.outputs(), vb.pp("out"))?,
    })
}

impl Module for Wide {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.out.forward(&self.hidden.forward(x)?)
    }
}

/// Two interleaved spirals, without noise: `n` points from `phase` on.
fn spiral(n: u16, phase: f32, device: &Device) -> Result<Split> {
    let mut points = vec![];
    let mut arms = vec![];
    for i in 0..n {
        let arm = u32::from(i % 2);
        let turn =
            3.0 * std::f32::consts::PI * (f32::from(i) + phase) / f32::from(n);
        let side = if arm == 0 { 1.0 } else { -1.0 };
        points.extend([side * turn * turn.cos(), side * turn * turn.sin()]);
        arms.push(arm);
    }
    let rows = usize::from(n);
    Ok(Split {
        inputs: Tensor::from_vec(points, (rows, 2), device)?,
        targets: Tensor::from_vec(arms, rows, device)?,
    })
}

fn main() -> ExitCode {
    let registry =
        Registry::builtin().model("wide", wide).dataset("spiral", |device| {
            Ok(Dataset::new(
                spiral(2000, 0.0, device)?,
                spiral(400, 0.3, device)?,
                spiral(400, 0.6, device)?,
                Task::Classify { classes: 2 },
            ))
        });
    lrscout::main(registry)
}
