#!/usr/bin/env python3
"""Writes pytorch-optimizer.jsonl: the rate of an optimizer under the
schedulers of the package pytorch_optimizer.

    pip install pytorch_optimizer==4.1.0 torch
    python -P pytorch-optimizer.py > pytorch-optimizer.jsonl

The loop is the usual one: `optimizer.step(); scheduler.step()`, with an
optimizer of the package. A rate is read in `optimizer.step()`. The optimizer
is made with the peak. `{peak}` in a call below is that number.

Made on 2026-11-28 with Python 3.11.7, pytorch_optimizer 4.1.0, torch 2.15.0.
"""

import importlib.metadata
import json
import warnings

import pytorch_optimizer as po
import torch

warnings.simplefilter("ignore")

PEAKS = [1.0, 5e-05, 0.001]
UPDATES = 48

CALLS = [
    "LinearScheduler(t_max=30, max_lr={peak})",
    "LinearScheduler(t_max=30, max_lr=0.002, min_lr=1e-05, init_lr=1e-06,"
    " warmup_steps=6)",
    "CosineScheduler(t_max=30, max_lr={peak})",
    "CosineScheduler(t_max=30, max_lr={peak}, min_lr=1e-05, init_lr=1e-06,"
    " warmup_steps=6)",
    "PolyScheduler(t_max=30, max_lr={peak})",
    "PolyScheduler(poly_order=2.0, t_max=30, max_lr={peak}, min_lr=1e-06,"
    " warmup_steps=5)",
    "CosineAnnealingWarmupRestarts(first_cycle_steps=15)",
    "CosineAnnealingWarmupRestarts(first_cycle_steps=12, cycle_mult=1.5,"
    " max_lr={peak}, min_lr=1e-05, warmup_steps=4, gamma=0.5)",
    "CosineAnnealingWarmupRestarts(first_cycle_steps=10, max_lr={peak},"
    " warmup_steps=3, gamma=1.0)",
    "REXScheduler(total_steps=30)",
    "REXScheduler(total_steps=30, max_lr={peak}, min_lr=1e-06)",
    "get_chebyshev_schedule(num_epochs=16)",
    "get_chebyshev_schedule(num_epochs=30)",
    "get_chebyshev_schedule(num_epochs=1)",
    "get_chebyshev_schedule(num_epochs=30, is_warmup=True)",
    "get_wsd_schedule(num_warmup_steps=5, num_stable_steps=15,"
    " num_decay_steps=10)",
    "get_wsd_schedule(num_warmup_steps=5, num_stable_steps=10,"
    " num_decay_steps=15, min_lr_ratio=0.1)",
    "get_wsd_schedule(num_warmup_steps=0, num_stable_steps=10,"
    " num_decay_steps=20, min_lr_ratio=0.1, cooldown_type='cosine')",
    "get_wsd_schedule(num_warmup_steps=4, num_stable_steps=10,"
    " num_decay_steps=20, num_cycles=1.5, cooldown_type='cosine')",
    "get_wsd_schedule(num_warmup_steps=4, num_stable_steps=0,"
    " num_decay_steps=20, min_lr_ratio=0.2, cooldown_type='linear')",
    "get_wsd_schedule(num_warmup_steps=4, num_stable_steps=8,"
    " num_decay_steps=20, min_lr_ratio=0.3, cooldown_type='1-square')",
    "ConstantLR(factor=0.5, total_iters=10)",
    "StepLR(step_size=10)",
    "MultiStepLR(milestones=[10, 25])",
    "CosineAnnealingLR(T_max=30)",
    "CosineAnnealingWarmRestarts(T_0=10)",
    "OneCycleLR(max_lr={peak}, total_steps=48)",
    "CyclicLR(base_lr=1e-06, max_lr={peak}, step_size_up=8)",
]


class Recorded(po.AdamP):
    """AdamP, an optimizer of the package, that notes its rate."""

    def step(self, closure=None):
        self.rates.append(self.param_groups[0]["lr"])
        return super().step(closure)


def train(call, peak):
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = Recorded([weight], lr=peak)
    optimizer.rates = []

    def made(make):
        return lambda **given: make(optimizer, **given)
    name = call.split("(")[0]
    scheduler = eval(call, {name: made(getattr(po.lr_scheduler, name))})
    for update in range(UPDATES):
        weight.grad = torch.ones(1)
        optimizer.step()
        if update + 1 < UPDATES:
            scheduler.step()
    return optimizer.rates


for template in CALLS:
    for peak in PEAKS:
        call = template.replace("{peak}", repr(peak))
        print(json.dumps({
            "library": "pytorch-optimizer",
            "version": importlib.metadata.version("pytorch_optimizer"),
            "loop": "optimizer.step(); scheduler.step()",
            "call": call, "peak": peak,
            "rates": [float(rate) for rate in train(call, peak)]}))
