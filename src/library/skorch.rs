//! skorch's callback `LRScheduler` in `NeuralNet.fit`.

use super::{Arguments, Call, Entry, Literal, Notes, Package, Run, torch};
use crate::error::Problem;
use std::f64::consts::PI;

pub(super) const PACKAGE: Package = Package {
    name: "skorch",
    title: "skorch",
    version: "1.4.0",
    frame: "Stepped at the end of each epoch, also OneCycleLR: all updates of \
            epoch e have the value after e steps. With step_every='batch' \
            update t has the value after t steps.",
    entries: ENTRIES,
    flags: None,
    torch: None,
};

/// The parameters of the callback itself; the others go to the scheduler.
const OWN: [&str; 4] = ["policy", "monitor", "event_name", "step_every"];

const ENTRIES: &[Entry] = &[Entry {
    name: "LRScheduler",
    signature: "policy='WarmRestartLR', monitor='train_loss', \
                event_name='event_lr', step_every='epoch', *, min_lr, max_lr, \
                base_period, period_mult, step_size, gamma, milestones, \
                factor, total_iters, start_factor, end_factor, power, T_max, \
                eta_min, T_0, T_mult, base_lr, step_size_up, step_size_down, \
                mode, scale_fn, scale_mode, cycle_momentum, base_momentum, \
                max_momentum, total_steps, epochs, steps_per_epoch, \
                pct_start, anneal_strategy, div_factor, final_div_factor, \
                three_phase, swa_lr, anneal_epochs",
    example: "policy='CosineAnnealingLR', T_max=100, step_every='batch'",
    formula: "that of the scheduler of torch; by default WarmRestartLR: \
              min_lr + (max_lr - min_lr) * (1 + cos(pi * t / period)) / 2",
    notes: Notes {
        frame: "A period of WarmRestartLR has one value more than its \
                length: base_period + 1 of them from max_lr to min_lr, then \
                base_period * period_mult + 1.",
        absolute: "WarmRestartLR, the default policy, has the rates max_lr = \
                   0.05 and min_lr = 1e-6. The rate of the net is not used.",
        changes: "OneCycleLR and CyclicLR set the momentum, as in torch.",
        after: "As the scheduler of torch; WarmRestartLR goes on.",
        ..Notes::NONE
    },
    rates,
}];

fn rates(arguments: &Arguments, run: &Run) -> Result<Vec<f64>, Problem> {
    let by_epoch = arguments.word("step_every", &["epoch", "batch"])? == 0;
    let epoch = if by_epoch { run.epoch()? } else { 1 };
    let name = match arguments.literal("policy")? {
        Literal::Text(name) | Literal::Name(name) => name.clone(),
        _ => return Err(arguments.wrong("policy", "the name of a scheduler")),
    };
    let keyword = arguments.others(&OWN);
    let call = Call { name, keyword, ..Call::default() };
    if call.name == "WarmRestartLR" {
        return warm_restarts(&call, run, epoch);
    }
    torch::stepped(&call, run, |update| update / epoch)
}

fn warm_restarts(
    call: &Call,
    run: &Run,
    epoch: usize,
) -> Result<Vec<f64>, Problem> {
    let parameters = "min_lr=1e-6, max_lr=0.05, base_period=10, period_mult=2";
    let arguments = Arguments::bind(parameters, call)?;
    let number = |key| arguments.number(key);
    let (low, top) = (number("min_lr")?, number("max_lr")?);
    let base = arguments.count("base_period")? as f64;
    let mult = arguments.count("period_mult")? as f64;
    Ok(run.each(|update| {
        let mut at = (update / epoch) as f64;
        let mut period = base;
        while at / period > 1.0 {
            at -= period + 1.0;
            period *= mult;
        }
        low + 0.5 * (top - low) * (1.0 + (at * PI / period).cos())
    }))
}
