//! Lightning's `Trainer`: what `configure_optimizers` returns as
//! `lr_scheduler`, a scheduler of torch or a dictionary with it.

use super::{Arguments, Entry, Notes, Package, Run, torch};
use crate::error::Problem;

pub(super) const PACKAGE: Package = Package {
    name: "lightning",
    title: "Lightning",
    version: "2.6.6",
    frame: "A scheduler of torch alone is stepped at the end of each epoch, \
            also OneCycleLR: all updates of epoch e have the value after e \
            steps.",
    entries: ENTRIES,
    flags: None,
    torch: Some(|call, run| {
        let epoch = run.epoch()?;
        torch::stepped(call, run, |update| update / epoch)
    }),
};

const ENTRIES: &[Entry] = &[Entry {
    name: "lr_scheduler",
    signature: "scheduler, interval='epoch', frequency=1, name=None, \
                monitor=None, strict=True, reduce_on_plateau=False",
    example: "scheduler=CosineAnnealingLR(T_max=100), interval='step'",
    formula: "that of the scheduler of torch",
    notes: Notes {
        frame: "Written as the dictionary of Lightning, {'scheduler': ..., \
                'interval': 'step'}. With interval 'step' it is stepped after \
                each update, with 'epoch' (the default) after each epoch. A \
                frequency of n steps it after every nth of these; the updates \
                are counted from the beginning of their epoch, so what is \
                left of an epoch is lost.",
        after: "As the scheduler of torch.",
        ..Notes::NONE
    },
    rates,
}];

fn rates(arguments: &Arguments, run: &Run) -> Result<Vec<f64>, Problem> {
    let call = arguments.call("scheduler")?;
    let by_epoch = arguments.word("interval", &["epoch", "step"])? == 0;
    let every = arguments.count("frequency")?;
    if by_epoch {
        let epoch = run.epoch()?;
        return torch::stepped(call, run, |update| update / epoch / every);
    }
    if every == 1 {
        return torch::stepped(call, run, |update| update);
    }
    let epoch = run.epoch()?;
    torch::stepped(call, run, |update| {
        update / epoch * (epoch / every) + update % epoch / every
    })
}
