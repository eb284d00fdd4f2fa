#!/usr/bin/env python3
"""Writes ignite.jsonl: the rate of an optimizer under the parameter
schedulers of pytorch-ignite.

    pip install pytorch-ignite==0.5.5 torch==2.15.0
    python -P ignite.py > ignite.jsonl

The loop is an Engine whose scheduler is attached as documented: to
ITERATION_STARTED, and with `use_legacy` to ITERATION_COMPLETED. A rate is read
in `optimizer.step()`. The optimizer is made with the peak. `{peak}` in a call
below is that number, `{low}` a hundredth of it. A call that raises in the
training has no line; a run ends where the library refuses to go on.

Made on 2026-11-28 with Python 3.11.7, pytorch-ignite 0.5.5, torch 2.15.0.
"""

import json
import sys
import warnings

import ignite
import ignite.handlers.param_scheduler as ps
import torch
import torch.optim.lr_scheduler as tl
from ignite.engine import Engine, Events

warnings.simplefilter("ignore")

PEAKS = [1.0, 5e-05, 0.001]
UPDATES = 48

CALLS = [
    "LinearCyclicalScheduler('lr', {peak}, {low}, 20)",
    "LinearCyclicalScheduler(param_name='lr', start_value={low},"
    " end_value={peak}, cycle_size=10, cycle_mult=1.5,"
    " start_value_mult=0.9, end_value_mult=0.5)",
    "LinearCyclicalScheduler('lr', {peak}, 1e-05, 15, monotonic=True)",
    "LinearCyclicalScheduler('lr', {peak}, 1e-05, 12, monotonic=True,"
    " warmup_duration=4, start_value_mult=0.5)",
    "CosineAnnealingScheduler('lr', {peak}, {low}, 30)",
    "CosineAnnealingScheduler('lr', {peak}, 0.0, 10, cycle_mult=2.0,"
    " end_value_mult=0.5, start_value_mult=0.8)",
    "CosineAnnealingScheduler('lr', 0.1, 0.01, 12, warmup_duration=5)",
    "PiecewiseLinear('lr', milestones_values=[(0, 0.0), (8, {peak}),"
    " (30, {low})])",
    "PiecewiseLinear('lr', [(5, 0.5), (21, 0.45), (22, 0.3), (30, 0.02)])",
    "ConcatScheduler(schedulers=[LinearCyclicalScheduler('lr', {low}, {peak},"
    " 16), CosineAnnealingScheduler('lr', {peak}, 0.0, 22)], durations=[8])",
    "ConcatScheduler([PiecewiseLinear('lr', [(0, 0.0), (6, {peak})]),"
    " LRScheduler(StepLR(step_size=10)),"
    " LinearCyclicalScheduler('lr', {low}, {peak}, 10)], [6, 20])",
    "create_lr_scheduler_with_warmup(CosineAnnealingScheduler('lr', {peak},"
    " {low}, 30), warmup_start_value=0.0, warmup_duration=8)",
    "create_lr_scheduler_with_warmup(CosineAnnealingScheduler('lr', {peak},"
    " {low}, 30), warmup_start_value=0.0, warmup_duration=8,"
    " warmup_end_value={low})",
    "create_lr_scheduler_with_warmup(LinearCyclicalScheduler('lr', {peak},"
    " 0.0, 60), warmup_start_value={low}, warmup_duration=2)",
    "create_lr_scheduler_with_warmup(StepLR(step_size=10),"
    " warmup_start_value=0.0, warmup_duration=8)",
    "create_lr_scheduler_with_warmup(StepLR(step_size=10, gamma=0.5),"
    " warmup_start_value={low}, warmup_duration=6, warmup_end_value=0.5)",
    "create_lr_scheduler_with_warmup(ExponentialLR(gamma=0.9),"
    " warmup_start_value=0.0, warmup_duration=5)",
    "create_lr_scheduler_with_warmup(CosineAnnealingLR(T_max=30),"
    " warmup_start_value=0.0, warmup_duration=5)",
    "LRScheduler(StepLR(step_size=10))",
    "LRScheduler(MultiStepLR(milestones=[10, 25]))",
    "LRScheduler(ConstantLR(factor=0.5, total_iters=10))",
    "LRScheduler(LinearLR(start_factor=0.1, total_iters=20))",
    "LRScheduler(LinearLR(start_factor=1.0, end_factor=0.1, total_iters=20))",
    "LRScheduler(ExponentialLR(gamma=0.9))",
    "LRScheduler(PolynomialLR(total_iters=30))",
    "LRScheduler(PolynomialLR(total_iters=30, power=2.0))",
    "LRScheduler(CosineAnnealingLR(T_max=30))",
    "LRScheduler(CosineAnnealingLR(T_max=15, eta_min=1e-05))",
    "LRScheduler(CosineAnnealingWarmRestarts(T_0=10))",
    "LRScheduler(CosineAnnealingWarmRestarts(T_0=5, T_mult=2))",
    "LRScheduler(OneCycleLR(max_lr={peak}, total_steps=47))",
    "LRScheduler(CyclicLR(base_lr={low}, max_lr={peak}, step_size_up=8))",
    "LRScheduler(StepLR(step_size=10), use_legacy=True)",
    "LRScheduler(ExponentialLR(gamma=0.9), use_legacy=True)",
    "LRScheduler(LinearLR(start_factor=0.1, total_iters=20),"
    " use_legacy=True)",
    "LRScheduler(CosineAnnealingLR(T_max=30), use_legacy=True)",
    "LRScheduler(OneCycleLR(max_lr={peak}, total_steps=48),"
    " use_legacy=True)",
]

OWN = ["LinearCyclicalScheduler", "CosineAnnealingScheduler",
       "PiecewiseLinear"]
TORCH = ["StepLR", "MultiStepLR", "ConstantLR", "LinearLR", "ExponentialLR",
         "PolynomialLR", "CosineAnnealingLR", "CosineAnnealingWarmRestarts",
         "OneCycleLR", "CyclicLR"]


class Recorded(torch.optim.SGD):
    """SGD with momentum that notes its rate at each update."""

    def step(self, closure=None):
        self.rates.append(self.param_groups[0]["lr"])
        return super().step(closure)


def train(call, peak):
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = Recorded([weight], lr=peak, momentum=0.9)
    optimizer.rates = []

    def made(make):
        return lambda *given, **named: make(optimizer, *given, **named)
    names = {name: made(getattr(ps, name)) for name in OWN}
    names |= {name: made(getattr(tl, name)) for name in TORCH}
    for name in ["ConcatScheduler", "LRScheduler",
                 "create_lr_scheduler_with_warmup"]:
        names[name] = getattr(ps, name)
    scheduler = eval(call, names)

    def update(engine, batch):
        weight.grad = torch.ones(1)
        optimizer.step()

    trainer = Engine(update)
    legacy = "use_legacy=True" in call
    event = Events.ITERATION_COMPLETED if legacy else Events.ITERATION_STARTED
    trainer.add_event_handler(event, scheduler)
    try:
        trainer.run([0] * (UPDATES // 2), max_epochs=2)
    except (ValueError, ZeroDivisionError) as refusal:
        print(f"{call} after {len(optimizer.rates)} updates: {refusal}",
              file=sys.stderr)
    return optimizer.rates


for template in CALLS:
    for peak in PEAKS:
        call = template.replace("{peak}", repr(peak))
        call = call.replace("{low}", repr(peak / 100))
        print(json.dumps({
            "library": "ignite", "version": ignite.__version__,
            "loop": "Engine.run, scheduler on "
            + ("ITERATION_COMPLETED" if "use_legacy" in call
               else "ITERATION_STARTED"),
            "call": call, "peak": peak,
            "rates": [float(rate) for rate in train(call, peak)]}))
