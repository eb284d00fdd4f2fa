//! Checkpoints, and the learning rate to go on with from given weights.
//!
//! Trains on labels of which a third are wrong, saves the weights, and finds
//! the rate to fine-tune them with on the right ones.
//!
//! ```sh
//! cargo run --release --example fine_tune letter
//! ```

#![expect(clippy::print_stdout, reason = "what the example is for")]

use candle_core::{Device, Result};
use candle_nn::{Func, Module as _, VarBuilder};
use lrscout::{Dataset, Learner, OptimizerSpec, ScheduleSpec, nn};

/// The built-in `{ kind = "mlp", hidden = [64, 32] }`, with its names.
fn mlp(vb: VarBuilder<'_>, data: &Dataset) -> Result<Func<'static>> {
    let hidden0 = nn::linear_relu(data.features(), 64, vb.pp("hidden0"))?;
    let hidden1 = nn::linear_relu(64, 32, vb.pp("hidden1"))?;
    let head = nn::linear(32, data.outputs(), vb.pp("head"))?;
    Ok(candle_nn::func(move |x| {
        head.forward(&hidden1.forward(&hidden0.forward(x)?)?)
    }))
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let name = std::env::args().nth(1).unwrap_or_else(|| "letter".to_owned());
    let clean = Dataset::builtin(&name, &Device::Cpu)?;
    let noisy = clean.clone().with_label_noise(0.33)?;
    let on = |data| Learner::new(mlp, data).optimizer(OptimizerSpec::adamw());

    let steps = 400;
    let schedule = ScheduleSpec::cosine();
    let lr = on(noisy.clone()).find_lr_for(&schedule, steps)?.lr;
    let trained = on(noisy).train(&schedule.build(lr, steps)?, steps)?;
    let file = format!("{name}.safetensors");
    trained.save(&file)?;

    let from_scratch = on(clean.clone()).find_lr_for(&schedule, steps)?;
    let tuned = on(clean).weights(&file)?.find_lr_for(&schedule, steps)?;
    println!("from scratch {:.2e}: {}", from_scratch.lr, from_scratch.reason);
    println!("fine-tuned {:.2e}: {}", tuned.lr, tuned.reason);
    Ok(())
}
