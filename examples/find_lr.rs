//! The learning rate and the schedule of your own candle model, in a few
//! lines.
//!
//! ```sh
//! cargo run --release --example find_lr
//! ```

#![expect(clippy::print_stdout, reason = "what the example is for")]

use candle_core::{Device, Module, Result, Tensor};
use candle_nn::VarBuilder;
use lrscout::nn::{self, Linear};
use lrscout::{Dataset, Learner, OptimizerSpec, ScheduleSpec};

/// Any candle module does. Layers from `lrscout::nn` train several times
/// faster on a CPU than candle's own.
struct Tiny {
    hidden: Linear,
    out: Linear,
}

fn tiny(vb: VarBuilder<'_>, data: &Dataset) -> Result<Tiny> {
    Ok(Tiny {
        hidden: nn::linear_relu(data.features(), 64, vb.pp("hidden"))?,
        out: nn::linear(64, data.outputs(), vb.pp("out"))?,
    })
}

impl Module for Tiny {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.out.forward(&self.hidden.forward(x)?)
    }
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let dataset = Dataset::builtin("letter", &Device::Cpu)?;
    let learner =
        Learner::new(tiny, dataset).optimizer(OptimizerSpec::sgd()).seed(7);

    let found = learner.find_lr()?;
    println!("learning rate {:.3e}: {}", found.lr, found.reason);
    std::fs::write("lr_find.svg", found.plot())?;

    let steps = 500;
    for schedule in [ScheduleSpec::constant(), ScheduleSpec::cosine()] {
        let fit = learner.fit(&schedule.build(found.lr, steps)?, steps)?;
        if let Some(test) = fit.test {
            let accuracy = 100.0 * test.metric;
            println!("{}: test accuracy {accuracy:.1} %", schedule.label());
        }
    }
    Ok(())
}
