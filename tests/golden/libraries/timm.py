#!/usr/bin/env python3
"""Writes timm.jsonl: the rate of an optimizer under timm's schedulers.

    pip install timm==1.0.31 torch torchvision
    python -P timm.py > timm.jsonl

The loop is the one of timm's train.py: `step_update(num_updates)` after each
update, `step(epoch + 1)` after each epoch, and nothing before the first
update. A rate is read in `optimizer.step()`. `epoch` is the number of updates
in an epoch. The optimizer is made with the peak.

Made on 2026-11-28 with Python 3.11.7, timm 1.0.31, torch 2.15.0.
"""

import json
import logging

import timm
import timm.scheduler as ts
import torch
from timm.scheduler import create_scheduler_v2

logging.disable(logging.CRITICAL)

PEAKS = [1.0, 5e-05, 0.001]
UPDATES = 48

IN_EPOCHS = [
    "CosineLRScheduler(t_initial=12)",
    "CosineLRScheduler(t_initial=12, lr_min=1e-05, warmup_t=3,"
    " warmup_lr_init=1e-06)",
    "CosineLRScheduler(t_initial=9, warmup_t=3, warmup_prefix=True)",
    "StepLRScheduler(decay_t=3)",
    "StepLRScheduler(decay_t=3, decay_rate=0.5, warmup_t=2)",
    "MultiStepLRScheduler(decay_t=[4, 8], decay_rate=0.1)",
    "MultiStepLRScheduler(decay_t=[1, 5], decay_rate=0.5, warmup_t=2,"
    " warmup_prefix=False)",
    "TanhLRScheduler(t_initial=12)",
    "PolyLRScheduler(t_initial=12, warmup_t=2)",
    "WSDLRScheduler(t_initial=10, decay_t=4, warmup_t=2)",
    "create_scheduler_v2(sched='cosine', num_epochs=12, warmup_epochs=3)",
    "create_scheduler_v2(sched='step', num_epochs=12, decay_epochs=4,"
    " cooldown_epochs=2)",
    "create_scheduler_v2(sched='multistep', num_epochs=12,"
    " decay_milestones=[5, 9], warmup_epochs=2)",
    "create_scheduler_v2(sched='poly', num_epochs=12)",
    "create_scheduler_v2(sched='wsd', num_epochs=12, warmup_epochs=2)",
    "create_scheduler_v2(sched='rsqrt', num_epochs=12, warmup_epochs=2,"
    " warmup_prefix=True, decay_epochs=3)",
    "create_scheduler_v2(sched='tanh', num_epochs=6, cycle_limit=2,"
    " warmup_epochs=1)",
    "create_scheduler_v2(sched='constant', num_epochs=12, warmup_epochs=4)",
]

IN_UPDATES = [
    "CosineLRScheduler(t_initial=30, t_in_epochs=False)",
    "CosineLRScheduler(t_initial=30, lr_min=1e-06, warmup_t=8,"
    " t_in_epochs=False)",
    "CosineLRScheduler(t_initial=30, warmup_t=8, warmup_lr_init=1e-05,"
    " warmup_prefix=True, t_in_epochs=False)",
    "CosineLRScheduler(t_initial=10, cycle_limit=3, cycle_decay=0.5,"
    " t_in_epochs=False)",
    "CosineLRScheduler(t_initial=6, cycle_mul=2.0, cycle_limit=3,"
    " cycle_decay=0.7, lr_min=1e-06, t_in_epochs=False)",
    "CosineLRScheduler(t_initial=5, cycle_mul=1.5, cycle_limit=4, warmup_t=3,"
    " warmup_prefix=True, t_in_epochs=False)",
    "CosineLRScheduler(t_initial=30, k_decay=2.0, t_in_epochs=False)",
    "StepLRScheduler(decay_t=10, decay_rate=0.1, t_in_epochs=False)",
    "StepLRScheduler(decay_t=7.5, decay_rate=0.5, warmup_t=5,"
    " t_in_epochs=False)",
    "StepLRScheduler(decay_t=10, decay_rate=0.5, warmup_t=5,"
    " warmup_prefix=False, t_in_epochs=False)",
    "MultiStepLRScheduler(decay_t=[10, 20], decay_rate=0.1,"
    " t_in_epochs=False)",
    "MultiStepLRScheduler(decay_t=[10, 20], decay_rate=0.1, warmup_t=6,"
    " t_in_epochs=False)",
    "MultiStepLRScheduler(decay_t=[1, 30], t_in_epochs=False)",
    "TanhLRScheduler(t_initial=30, t_in_epochs=False)",
    "TanhLRScheduler(t_initial=30, lb=-6.0, ub=4.0, lr_min=1e-06, warmup_t=6,"
    " t_in_epochs=False)",
    "TanhLRScheduler(t_initial=30, warmup_t=6, warmup_prefix=True,"
    " t_in_epochs=False)",
    "PolyLRScheduler(t_initial=30, t_in_epochs=False)",
    "PolyLRScheduler(t_initial=30, power=2.0, lr_min=1e-06, warmup_t=5,"
    " warmup_prefix=True, t_in_epochs=False)",
    "PolyLRScheduler(t_initial=10, power=1.0, cycle_limit=2, cycle_decay=0.5,"
    " k_decay=0.5, t_in_epochs=False)",
    "WSDLRScheduler(t_initial=30, decay_t=10, t_in_epochs=False)",
    "WSDLRScheduler(t_initial=28, decay_t=8, stable_fn='rsqrt',"
    " decay_fn='linear', warmup_t=6, t_in_epochs=False)",
    "WSDLRScheduler(t_initial=28, decay_t=8, stable_fn='power',"
    " stable_power=0.8, stable_timescale=5.0, decay_fn='cosine',"
    " lr_min=1e-06, t_in_epochs=False)",
    "WSDLRScheduler(t_initial=28, decay_t=12, decay_fn='exp',"
    " decay_ratio=0.05, warmup_t=4, warmup_lr_init=1e-06, t_in_epochs=False)",
    "WSDLRScheduler(t_initial=28, decay_t=12, decay_fn='power',"
    " decay_power=2.0, lr_min=2e-05, t_in_epochs=False)",
    "create_scheduler_v2(num_epochs=6, warmup_epochs=1, step_on_epochs=False,"
    " updates_per_epoch=5)",
    "create_scheduler_v2(sched='wsd', num_epochs=6, warmup_epochs=1,"
    " step_on_epochs=False, updates_per_epoch=5, decay_fn='cosine')",
]


class Recorded(torch.optim.SGD):
    """SGD that notes its rate at each update."""

    def step(self, closure=None):
        self.rates.append(self.param_groups[0]["lr"])
        return super().step(closure)


def train(call, peak, epoch):
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = Recorded([weight], lr=peak)
    optimizer.rates = []

    def made(make):
        return lambda **given: make(optimizer, **given)
    names = {name: made(getattr(ts, name)) for name in (
        "CosineLRScheduler", "StepLRScheduler", "MultiStepLRScheduler",
        "TanhLRScheduler", "PolyLRScheduler")}
    names["WSDLRScheduler"] = made(ts.wsd_lr.WSDLRScheduler)
    names["create_scheduler_v2"] = lambda **given: create_scheduler_v2(
        optimizer, **given)[0]
    scheduler = eval(call, names)
    updates_per_epoch = epoch or 1
    for number in range(UPDATES // updates_per_epoch):
        num_updates = number * updates_per_epoch
        for _ in range(updates_per_epoch):
            weight.grad = torch.ones(1)
            optimizer.step()
            num_updates += 1
            scheduler.step_update(num_updates=num_updates)
        scheduler.step(number + 1)
    return optimizer.rates


for calls, epoch in [(IN_EPOCHS, 3), (IN_UPDATES, None)]:
    for call in calls:
        for peak in PEAKS:
            line = {"library": "timm", "version": timm.__version__,
                    "loop": "train.py: step_update, then step once an epoch",
                    "call": call, "peak": peak}
            if epoch:
                line["epoch"] = epoch
            line["rates"] = [float(rate) for rate in train(call, peak, epoch)]
            print(json.dumps(line))
