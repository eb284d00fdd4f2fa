//! `speechbrain.nnet.schedulers` in `Brain.fit`, called by the hooks of
//! SpeechBrain's recipes.

mod rules;

use super::{Entry, Notes, Package};

pub(super) const PACKAGE: Package = Package {
    name: "speechbrain",
    title: "SpeechBrain",
    version: "1.1.2",
    frame: "The recipes call a scheduler after each update, in \
            on_fit_batch_end. Update 0 has the rate of the optimizer, which \
            the recipes make with the peak, also where the schedule warms up; \
            update t has the value at the scheduler's count t. An `lr`, \
            `lr_initial` or `initial_value` that is left out is the peak.",
    entries: ENTRIES,
    flags: None,
    torch: None,
};

const ENTRIES: &[Entry] = &[
    entry!(
        rules::rates,
        "NoamScheduler",
        "lr_initial, n_warmup_steps, model_size=None",
        "n_warmup_steps=10",
        "lr_initial * sqrt(n_warmup_steps) * min(t ** -0.5, t * \
         n_warmup_steps ** -1.5); with model_size its root divides instead",
        absolute: "With model_size, lr_initial is a factor, not the highest \
                   rate, but update 0 has it.",
        after: "Goes on."
    ),
    entry!(
        rules::rates,
        "NoamIntervalScheduler",
        "lr_initial, n_warmup_steps, anneal_steps, anneal_rates, \
         model_size=None",
        "n_warmup_steps=10, anneal_steps=[50], anneal_rates=[0.5]",
        "NoamScheduler times anneal_rates[i] for t > anneal_steps[i]",
        absolute: "With model_size, lr_initial is a factor, not the highest \
                   rate, but update 0 has it.",
        after: "Goes on."
    ),
    entry!(
        rules::rates,
        "LinearNoamScheduler",
        "lr_initial, n_warmup_steps, n_keep_steps",
        "n_warmup_steps=10, n_keep_steps=20",
        "lr_initial * t / n_warmup_steps, lr_initial over n_keep_steps, then \
         lr_initial * n_warmup_steps / (t - n_keep_steps)",
        after: "Goes on."
    ),
    entry!(
        rules::rates,
        "LinearWarmupScheduler",
        "initial_value, num_warmup_steps, num_training_steps",
        "num_warmup_steps=10, num_training_steps=100",
        "initial_value * t / num_warmup_steps, then initial_value * \
         (num_training_steps - t) / (num_training_steps - num_warmup_steps)",
        after: "Stays at 0."
    ),
    entry!(
        rules::rates,
        "WarmAndExpDecayLRSchedule",
        "lr, n_warmup_steps, total_steps, decay_factor=0.1",
        "n_warmup_steps=10, total_steps=100",
        "lr * n / n_warmup_steps, then lr * decay_factor ** \
         ((n - n_warmup_steps) / (total_steps - n_warmup_steps)), n = t - 1",
        frame: "Update 0 has the rate of the optimizer, update 1 the rate 0: \
                the schedule is one update late.",
        after: "Goes on."
    ),
    entry!(
        rules::rates,
        "CyclicCosineScheduler",
        "n_warmup_steps, lr_initial=None, total_steps=100000",
        "n_warmup_steps=10, lr_initial=1.0, total_steps=100",
        "lr_initial * (1 + cos(pi * (t - n_warmup_steps) / total_steps)) / 2",
        frame: "Without lr_initial, each call multiplies the rate that it \
                finds: the factors pile up.",
        absolute: "lr_initial is a rate. n_warmup_steps only moves the \
                   cosine.",
        after: "Goes on along the cosine. Without lr_initial the rate does \
                not come back."
    ),
    entry!(
        rules::rates,
        "IntervalScheduler",
        "intervals",
        "intervals=[{'steps': 10, 'lr': 0.1}, {'steps': 50, 'lr': 0.01}]",
        "the lr of the last interval whose steps are not after t",
        absolute: "lr of an interval is a rate."
    ),
    entry!(
        rules::rates,
        "InverseSquareRootScheduler",
        "warmup_steps",
        "warmup_steps=10",
        "1 / sqrt(max(warmup_steps, t))",
        absolute: "The rate does not depend on that of the optimizer; only \
                   update 0 has it.",
        after: "Goes on."
    ),
    entry!(
        rules::rates,
        "CyclicLRScheduler",
        "base_lr=0.001, max_lr=0.006, step_size=2000.0, mode='triangular', \
         gamma=1.0, scale_fn=None, scale_mode='cycle'",
        "step_size=25",
        "from base_lr to max_lr over step_size and back",
        frame: "Where the recipe also calls it after each epoch, the first \
                update of an epoch has the value at t + 1: give the updates \
                of an epoch for that.",
        absolute: "base_lr = 0.001 and max_lr = 0.006 are rates. That of the \
                   optimizer is used at update 0 only.",
        after: "Goes on with further cycles."
    ),
    entry!(
        rules::rates,
        "WarmCoolDecayLRSchedule",
        "lr, warmup, cooldown, total_steps, decay_factor=0.75, \
         decay_every=100000",
        "warmup=10, cooldown=20, total_steps=100",
        "lr * t / warmup, then lr * decay_factor ** ((t - warmup) / \
         decay_every), over the last cooldown steps down to 0",
        frame: "The cool-down starts from decay_factor ** ((total_steps - \
                cooldown) / decay_every), without the warm-up taken off: the \
                rate jumps down there.",
        after: "Goes on along the line, below 0."
    ),
    entry!(
        rules::rates,
        "TriStageLRSchedule",
        "lr, warmup_steps, hold_steps, decay_steps, total_steps, \
         init_lr_scale=0.01, final_lr_scale=0.05",
        "warmup_steps=10, hold_steps=40, decay_steps=50, total_steps=100",
        "from lr * init_lr_scale to lr over warmup_steps, lr over hold_steps, \
         then lr * final_lr_scale ** ((t - warmup_steps - hold_steps) / \
         decay_steps)",
        frame: "total_steps is not used.",
        after: "Goes on below final_lr_scale."
    ),
    entry!(
        rules::rates,
        "LinearScheduler",
        "initial_value, final_value, epoch_count",
        "final_value=0.1, epoch_count=10",
        "initial_value to final_value in epoch_count values, one an epoch, in \
         float32",
        frame: "The recipes call it after each epoch: give the updates of \
                one. The first epoch has the rate of the optimizer.",
        absolute: "final_value is a rate, not a ratio.",
        after: "One more epoch has the last value, then it raises an error."
    ),
    entry!(
        rules::rates,
        "StepScheduler",
        "initial_value, decay_factor=None, decay_drop=None, half_life=None",
        "decay_factor=0.5, decay_drop=4",
        "initial_value * decay_factor ** ((1 + epoch) // decay_drop), epoch \
         from 1; decay_factor is 0.5 and decay_drop 2 where they are left out",
        frame: "The recipes call it after each epoch: give the updates of \
                one. The first epoch has the rate of the optimizer.",
        after: "Goes on."
    ),
];
