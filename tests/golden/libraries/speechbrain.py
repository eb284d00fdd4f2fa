#!/usr/bin/env python3
"""Writes speechbrain.jsonl: the rate of an optimizer in SpeechBrain's Brain at
each update.

    python -m venv venv && venv/bin/pip install speechbrain==1.1.2 torch==2.15.0
    venv/bin/python -P speechbrain.py > speechbrain.jsonl

`Brain.fit` trains; the recipes' hooks call the scheduler. Most are called in
`on_fit_batch_end`, after each update, some of them with `optimizer_step`, the
number of updates made. LinearScheduler and StepScheduler are called in
`on_stage_end`, after each epoch of `epoch` updates, counted from 1.
CyclicLRScheduler is called in both, or in the first only. The optimizer of
the recipes has the rate that the scheduler gets. A rate is that of the
optimizer at the moment of `optimizer.step()`. LinearScheduler has a list of
float32 numbers; it raises an error one epoch after the list's end.

The rate that a call leaves out (`lr`, `lr_initial`, `initial_value`) is the
peak, but for CyclicCosineScheduler, where it is optional.

Made on 2026-11-28 with Python 3.11.7, torch 2.15.0 and speechbrain 1.1.2 (CPU).
"""

import json
import logging
import sys

import speechbrain
import torch
from speechbrain.nnet import schedulers

UPDATES = 48
EPOCH = 6
PEAKS = [1.0, 5e-05, 0.001]

AFTER_UPDATES = [
    "NoamScheduler(n_warmup_steps=10)",
    "NoamScheduler(n_warmup_steps=25, model_size=64)",
    "NoamIntervalScheduler(n_warmup_steps=8, anneal_steps=[20, 35],"
    " anneal_rates=[0.5, 0.1])",
    "NoamIntervalScheduler(n_warmup_steps=8, anneal_steps=[12],"
    " anneal_rates=[0.2], model_size=128)",
    "LinearNoamScheduler(n_warmup_steps=8, n_keep_steps=12)",
    "LinearNoamScheduler(n_warmup_steps=15, n_keep_steps=0)",
    "LinearWarmupScheduler(num_warmup_steps=8, num_training_steps=36)",
    "LinearWarmupScheduler(num_warmup_steps=0, num_training_steps=30)",
    "WarmAndExpDecayLRSchedule(n_warmup_steps=8, total_steps=36)",
    "WarmAndExpDecayLRSchedule(n_warmup_steps=4, total_steps=30,"
    " decay_factor=0.01)",
    "CyclicCosineScheduler(n_warmup_steps=8, total_steps=20)",
    "CyclicCosineScheduler(n_warmup_steps=8)",
    "CyclicCosineScheduler(n_warmup_steps=8, lr_initial=0.01, total_steps=20)",
    "IntervalScheduler(intervals=[{'steps': 5, 'lr': 0.01},"
    " {'steps': 20, 'lr': 0.002}, {'steps': 40, 'lr': 5e-06}])",
    "InverseSquareRootScheduler(warmup_steps=10)",
    "InverseSquareRootScheduler(warmup_steps=1)",
    "CyclicLRScheduler(step_size=8)",
    "CyclicLRScheduler(base_lr=1e-06, max_lr=0.01, step_size=6,"
    " mode='triangular2')",
    "CyclicLRScheduler(base_lr=0.0, max_lr=1.0, step_size=6.5,"
    " mode='exp_range', gamma=0.95)",
]

AFTER_UPDATES_NUMBERED = [
    "WarmCoolDecayLRSchedule(warmup=8, cooldown=10, total_steps=38)",
    "WarmCoolDecayLRSchedule(warmup=6, cooldown=8, total_steps=36,"
    " decay_factor=0.5, decay_every=10)",
    "TriStageLRSchedule(warmup_steps=8, hold_steps=10, decay_steps=20,"
    " total_steps=38)",
    "TriStageLRSchedule(warmup_steps=5, hold_steps=0, decay_steps=25,"
    " total_steps=30, init_lr_scale=0.1, final_lr_scale=0.001)",
]

AFTER_EPOCHS = [
    "LinearScheduler(final_value=1e-06, epoch_count=6)",
    "LinearScheduler(final_value=2.0, epoch_count=10)",
    "StepScheduler()",
    "StepScheduler(decay_factor=0.3, decay_drop=3)",
    "StepScheduler(half_life=2)",
]

AFTER_BOTH = [
    "CyclicLRScheduler(step_size=8)",
    "CyclicLRScheduler(base_lr=1e-06, max_lr=0.01, step_size=7,"
    " mode='triangular2')",
]

# Where a class takes the peak.
RATES = {name: "lr_initial" for name in (
    "NoamScheduler", "NoamIntervalScheduler", "LinearNoamScheduler")}
RATES |= {name: "initial_value" for name in (
    "LinearWarmupScheduler", "LinearScheduler", "StepScheduler")}
RATES |= {name: "lr" for name in (
    "WarmAndExpDecayLRSchedule", "WarmCoolDecayLRSchedule",
    "TriStageLRSchedule")}


class Recorded(torch.optim.SGD):
    """SGD that notes its rate at each update."""

    rates = []

    def step(self, closure=None):
        self.rates.append(float(self.param_groups[0]["lr"]))
        return super().step(closure)


class Brain(speechbrain.Brain):
    hook = None

    def compute_forward(self, batch, stage):
        return self.modules.net(batch)

    def compute_objectives(self, predictions, batch, stage):
        return predictions.sum()

    def on_fit_batch_end(self, batch, outputs, loss, should_step):
        if not should_step:
            return
        if self.hook in ("updates", "both"):
            if isinstance(self.schedule, schedulers.CyclicLRScheduler):
                self.schedule.on_batch_end(self.optimizer)
            else:
                self.schedule(self.optimizer)
        elif self.hook == "numbered":
            self.schedule(self.optimizer, self.optimizer_step)

    def on_stage_end(self, stage, stage_loss, epoch=None):
        if stage == speechbrain.Stage.VALID and self.hook in ("epochs", "both"):
            _, rate = self.schedule(epoch)
            schedulers.update_learning_rate(self.optimizer, rate)


def run(call, peak, hook):
    Recorded.rates = []
    name = call.partition("(")[0]
    scheduler = getattr(schedulers, name)
    rate = {RATES[name]: peak} if name in RATES else {}
    net = torch.nn.Linear(1, 1)
    brain = Brain(
        {"net": net}, lambda weights: Recorded(weights, lr=peak),
        run_opts={"device": "cpu"})
    brain.hook = hook
    brain.schedule = eval(
        call, {name: lambda **given: scheduler(**{**rate, **given})})
    epochs = UPDATES // EPOCH
    try:
        brain.fit(range(1, epochs + 1), [torch.ones(1, 1)] * EPOCH,
                  [torch.ones(1, 1)], progressbar=False)
    except IndexError as refusal:
        print(f"{call}: after {len(Recorded.rates)} updates: {refusal}",
              file=sys.stderr)
    return Recorded.rates


logging.disable()
for hook, loop, calls in [
    ("updates", "Brain.fit, on_fit_batch_end", AFTER_UPDATES),
    ("numbered", "Brain.fit, on_fit_batch_end", AFTER_UPDATES_NUMBERED),
    ("epochs", "Brain.fit, on_stage_end", AFTER_EPOCHS),
    ("both", "Brain.fit, on_fit_batch_end and on_stage_end", AFTER_BOTH),
]:
    for call in calls:
        for peak in PEAKS:
            line = {"library": "speechbrain",
                    "version": speechbrain.__version__, "loop": loop,
                    "call": call, "peak": peak}
            if hook in ("epochs", "both"):
                line["epoch"] = EPOCH
            if call.startswith("LinearScheduler("):
                line["f32"] = True
            print(json.dumps({**line, "rates": run(call, peak, hook)}))
            sys.stdout.flush()
