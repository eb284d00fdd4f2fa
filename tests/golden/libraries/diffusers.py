#!/usr/bin/env python3
"""Writes diffusers.jsonl: the rate of an optimizer under the schedules of
diffusers.

    pip install diffusers==0.42.0 torch
    python -P diffusers.py > diffusers.jsonl

The loop is the one of its training examples: `optimizer.step();
lr_scheduler.step()`, in one process. A rate is read in `optimizer.step()`.
The optimizer is made with the peak. A call that raises is told on stderr and
has no line.

Made on 2026-11-28 with Python 3.11.7, diffusers 0.42.0, torch 2.15.0.
"""

import importlib.metadata
import json
import sys

import diffusers.optimization as do
import torch

PEAKS = [1.0, 5e-05, 0.001]
UPDATES = 48

CALLS = [
    "get_scheduler('constant')",
    "get_scheduler('constant', num_warmup_steps=5)",
    "get_scheduler('constant_with_warmup', num_warmup_steps=8)",
    "get_scheduler('piecewise_constant',"
    " step_rules='1:10,0.1:20,0.01:30,0.005')",
    "get_scheduler('linear', num_warmup_steps=0, num_training_steps=30)",
    "get_scheduler('linear', num_warmup_steps=8, num_training_steps=30)",
    "get_scheduler('cosine', num_warmup_steps=0, num_training_steps=30)",
    "get_scheduler('cosine', num_warmup_steps=6, num_training_steps=30,"
    " num_cycles=3)",
    "get_scheduler('cosine_with_restarts', num_warmup_steps=0,"
    " num_training_steps=30)",
    "get_scheduler('cosine_with_restarts', num_warmup_steps=6,"
    " num_training_steps=36, num_cycles=3)",
    "get_scheduler('polynomial', num_warmup_steps=0, num_training_steps=30)",
    "get_scheduler('polynomial', num_warmup_steps=6, num_training_steps=30,"
    " power=2.0)",
    "get_linear_schedule_with_warmup(num_warmup_steps=6,"
    " num_training_steps=30, f_min=0.1, f_max=0.8)",
    "get_cosine_schedule_with_warmup(num_warmup_steps=6,"
    " num_training_steps=30, num_cycles=1.5)",
    "get_cosine_with_hard_restarts_schedule_with_warmup(num_warmup_steps=6,"
    " num_training_steps=30, num_cycles=2)",
    "get_polynomial_decay_schedule_with_warmup(num_warmup_steps=6,"
    " num_training_steps=30, lr_end=1e-05, power=0.5)",
    "get_constant_schedule()",
    "get_constant_schedule_with_warmup(num_warmup_steps=6)",
    "get_piecewise_constant_schedule(step_rules='0.5:5,2:12,1')",
]


class Recorded(torch.optim.AdamW):
    """AdamW that notes its rate at each update."""

    def step(self, closure=None):
        self.rates.append(self.param_groups[0]["lr"])
        return super().step(closure)


def train(call, peak):
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = Recorded([weight], lr=peak)
    optimizer.rates = []

    def made(make):
        if make is do.get_scheduler:
            return lambda name, **given: make(name, optimizer, **given)
        return lambda **given: make(optimizer, **given)
    name = call.split("(")[0]
    lr_scheduler = eval(call, {name: made(getattr(do, name))})
    for _ in range(UPDATES):
        weight.grad = torch.ones(1)
        optimizer.step()
        lr_scheduler.step()
        optimizer.zero_grad()
    return optimizer.rates


for call in CALLS:
    for peak in PEAKS:
        try:
            rates = train(call, peak)
        except ValueError as refusal:
            print(f"{call} at {peak}: {refusal}", file=sys.stderr)
            continue
        print(json.dumps({
            "library": "diffusers",
            "version": importlib.metadata.version("diffusers"),
            "loop": "optimizer.step(); lr_scheduler.step()",
            "call": call, "peak": peak, "rates": rates}))
