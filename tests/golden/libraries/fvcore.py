#!/usr/bin/env python3
"""Writes fvcore.jsonl: the rate of an optimizer in Detectron2's SimpleTrainer
with the schedulers of fvcore at each update.

    python -m venv venv
    venv/bin/pip install fvcore==0.1.5.post20221221 torch==2.15.0 \\
        omegaconf hydra-core pycocotools cloudpickle matplotlib pillow
    git clone https://github.com/facebookresearch/detectron2
    git -C detectron2 checkout 02b5c4e295e990042a714712c21dc79b731e8833
    PYTHONPATH=detectron2 venv/bin/python -P fvcore.py > fvcore.jsonl

fvcore has functions of `where` in [0, 1) only. Detectron2's `LRMultiplier`
makes a schedule of one: it multiplies the rates of the optimizer by the value
at `update / max_iter`. The trainer steps it in `hooks.LRScheduler` after each
update. That hook also takes a scheduler of fvcore as it is; `max_iter` is then
the trainer's, here all updates of the sequence. A rate is that of the
optimizer at the moment of `optimizer.step()`. A sequence is shorter where a
scheduler refuses to go on; its last update has been made.

Made on 2026-11-28 with Python 3.11.7, torch 2.15.0, fvcore
0.1.5.post20221221 and Detectron2 0.6 of the commit above (CPU).
"""

import json
import sys

import torch
from detectron2 import solver
from detectron2.engine import SimpleTrainer, hooks
from detectron2.solver.lr_scheduler import (
    WarmupCosineLR, WarmupMultiStepLR)
from fvcore.common import param_scheduler

UPDATES = 48
PEAKS = [1.0, 5e-05, 0.001]
VERSION = "0.1.5.post20221221"

CALLS = [
    "ConstantParamScheduler(0.5)",
    "CosineParamScheduler(1.0, 0.0)",
    "CosineParamScheduler(start_value=0.1, end_value=0.001)",
    "ExponentialParamScheduler(2.0, 0.02)",
    "LinearParamScheduler(1.0, 0.0)",
    "LinearParamScheduler(start_value=0.2, end_value=0.9)",
    "MultiStepParamScheduler([1.0, 0.1, 0.01], milestones=[20, 36],"
    " num_updates=48)",
    "MultiStepParamScheduler([1.0, 0.5, 0.25, 0.125], num_updates=48)",
    "MultiStepParamScheduler([1.0, 0.5, 0.1], milestones=[3, 7, 10])",
    "PolynomialDecayParamScheduler(1.0, 0.9)",
    "PolynomialDecayParamScheduler(base_value=0.5, power=2.0)",
    "StepParamScheduler(48, [1.0, 0.1, 0.01])",
    "StepParamScheduler(num_updates=10, values=[0.1, 0.01, 0.001, 0.0001])",
    "StepWithFixedGammaParamScheduler(base_value=1.0, num_decays=3,"
    " gamma=0.1, num_updates=48)",
    "CompositeParamScheduler([LinearParamScheduler(0.1, 1.0),"
    " CosineParamScheduler(1.0, 0.0)], lengths=[0.25, 0.75],"
    " interval_scaling=['rescaled', 'rescaled'])",
    "CompositeParamScheduler([LinearParamScheduler(0.1, 1.0),"
    " CosineParamScheduler(1.0, 0.0)], lengths=[0.25, 0.75],"
    " interval_scaling=['rescaled', 'fixed'])",
    "CompositeParamScheduler([ConstantParamScheduler(0.3),"
    " LinearParamScheduler(1.0, 0.2), PolynomialDecayParamScheduler(0.2, 1.0)],"
    " lengths=[0.3, 0.3, 0.4], interval_scaling=['fixed', 'fixed', 'rescaled'])",
    "CompositeParamScheduler([ConstantParamScheduler(1.0),"
    " ConstantParamScheduler(0.42)], lengths=[0.5, 0.4995],"
    " interval_scaling=['fixed', 'fixed'])",
    "WarmupParamScheduler(CosineParamScheduler(1.0, 0.0), 0.001, 0.25)",
    "LRMultiplier(CosineParamScheduler(1.0, 0.0), max_iter=30)",
    "LRMultiplier(LinearParamScheduler(1.0, 0.0), max_iter=30)",
    "LRMultiplier(ExponentialParamScheduler(1.0, 0.1), max_iter=30)",
    "LRMultiplier(PolynomialDecayParamScheduler(1.0, 1.0), max_iter=30)",
    "LRMultiplier(PolynomialDecayParamScheduler(1.0, 2.0), max_iter=30)",
    "LRMultiplier(ConstantParamScheduler(1.0), max_iter=30)",
    "LRMultiplier(StepParamScheduler(30, [1.0, 0.1]), max_iter=30)",
    "LRMultiplier(MultiStepParamScheduler([1.0, 0.1, 0.01],"
    " milestones=[15, 25], num_updates=30), max_iter=30)",
    "LRMultiplier(multiplier=WarmupParamScheduler(MultiStepParamScheduler("
    "[1, 0.1, 0.01], milestones=[25, 35], num_updates=40), 0.001, 10 / 40),"
    " max_iter=40)",
    "LRMultiplier(WarmupParamScheduler(CosineParamScheduler(1, 0), 0.001,"
    " 0.25), max_iter=40)",
    "LRMultiplier(WarmupParamScheduler(CosineParamScheduler(1, 0),"
    " warmup_factor=0.1, warmup_length=0.2, warmup_method='constant',"
    " rescale_interval=True), max_iter=40)",
    "LRMultiplier(WarmupParamScheduler(StepWithFixedGammaParamScheduler("
    "base_value=1.0, num_decays=3, gamma=0.1, num_updates=60), 0.01, 0.1),"
    " max_iter=60)",
    "LRMultiplier(WarmupParamScheduler(LinearParamScheduler(1.0, 0.1), 0.1,"
    " 0.125, rescale_interval=True), max_iter=40)",
    "WarmupMultiStepLR(milestones=[20, 35], warmup_iters=8)",
    "WarmupCosineLR(max_iters=40, warmup_factor=0.1, warmup_iters=8,"
    " warmup_method='constant')",
    "WarmupCosineLR(max_iters=40, warmup_iters=10)",
]


class Slope(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return {"loss": (self.weight * x).sum()}


class Recorded(torch.optim.SGD):
    """SGD that notes its rate at each update."""

    rates = []

    def step(self, closure=None):
        self.rates.append(float(self.param_groups[0]["lr"]))
        return super().step(closure)


def run(call, peak):
    Recorded.rates = []
    net = Slope()
    optimizer = Recorded(net.parameters(), lr=peak)
    names = {name: getattr(param_scheduler, name)
             for name in param_scheduler.__all__}
    names["WarmupParamScheduler"] = solver.WarmupParamScheduler
    for scheduler in (
            solver.LRMultiplier, WarmupMultiStepLR, WarmupCosineLR):
        names[scheduler.__name__] = (
            lambda *given, _class=scheduler, **named:
            _class(optimizer, *given, **named))
    trainer = SimpleTrainer(net, [torch.ones(1)] * UPDATES, optimizer)
    trainer.register_hooks([hooks.LRScheduler(scheduler=eval(call, names))])
    try:
        trainer.train(0, UPDATES)
    except (RuntimeError, IndexError, TypeError) as refusal:
        print(f"{call}: after {len(Recorded.rates)} updates: {refusal!r}",
              file=sys.stderr)
    return Recorded.rates


for call in CALLS:
    for peak in PEAKS:
        print(json.dumps({
            "library": "fvcore", "version": VERSION,
            "loop": "detectron2.engine.SimpleTrainer", "call": call,
            "peak": peak, "rates": run(call, peak)}))
