#!/usr/bin/env python3
"""Writes mmengine.jsonl: the rate of an optimizer in MMEngine's Runner at each
update.

    python -m venv venv && venv/bin/pip install mmengine==0.10.7 torch==2.15.0
    venv/bin/python -P mmengine.py > mmengine.jsonl

The Runner trains by iterations, or by epochs of `epoch` updates; a scheduler
by epoch needs the latter. A rate is that of the optimizer at the moment of
`optimizer.step()`. A call is what `param_scheduler` of the configuration gets:
one `dict(type=...)` or a list of them, or Python calls, which are made with
the Runner's optimizer. The `end` that a dict leaves out is the end of the
training, that of a Python call is never.

Made on 2026-11-28 with Python 3.11.7, torch 2.15.0 and mmengine 0.10.7 (CPU).
"""

import json
import logging
import sys
import tempfile

import mmengine
import torch
from mmengine.model import BaseModel
from mmengine.optim import scheduler as schedulers
from mmengine.runner import Runner

UPDATES = 42
EPOCH = 6
PEAKS = [1.0, 5e-05, 0.001]

BY_ITERATION = [
    "dict(type='LinearLR', by_epoch=False)",
    "dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=4)",
    "dict(type='LinearLR', start_factor=0.2, end_factor=0.9, by_epoch=False,"
    " begin=5, end=25)",
    "dict(type='ConstantLR', by_epoch=False, end=10)",
    "dict(type='ConstantLR', factor=0.1, by_epoch=False, begin=4, end=12)",
    "dict(type='CosineAnnealingLR', by_epoch=False)",
    "dict(type='CosineAnnealingLR', T_max=30, by_epoch=False)",
    "dict(type='CosineAnnealingLR', eta_min=1e-05, by_epoch=False, end=30)",
    "dict(type='CosineAnnealingLR', T_max=20, eta_min_ratio=0.1,"
    " by_epoch=False, begin=6, end=40)",
    "dict(type='ExponentialLR', gamma=0.9, by_epoch=False)",
    "dict(type='ExponentialLR', gamma=0.8, by_epoch=False, begin=5, end=20)",
    "dict(type='StepLR', step_size=10, by_epoch=False)",
    "dict(type='StepLR', step_size=7, gamma=0.5, by_epoch=False, begin=3,"
    " end=30)",
    "dict(type='MultiStepLR', milestones=[10, 25], by_epoch=False)",
    "dict(type='MultiStepLR', milestones=[0, 5, 5, 30], gamma=0.5,"
    " by_epoch=False, begin=4, end=30)",
    "dict(type='PolyLR', by_epoch=False)",
    "dict(type='PolyLR', power=0.9, eta_min=1e-06, by_epoch=False, begin=3,"
    " end=33)",
    "dict(type='PolyLR', power=2.0, by_epoch=False, end=30)",
    "dict(type='OneCycleLR', by_epoch=False)",
    "dict(type='OneCycleLR', eta_max=0.5, by_epoch=False)",
    "dict(type='OneCycleLR', eta_max=1e-04, total_steps=60, pct_start=0.25, div_factor=10.0,"
    " final_div_factor=100.0, anneal_strategy='linear', by_epoch=False)",
    "dict(type='OneCycleLR', eta_max=0.1, three_phase=True, by_epoch=False,"
    " end=35)",
    "OneCycleLR(eta_max=0.1, total_steps=41, by_epoch=False)",
    "ConstantLR(factor=0.5, by_epoch=False)",
    "LinearLR(start_factor=0.5, by_epoch=False)",
    "dict(type='CosineRestartLR', periods=[10, 20], restart_weights=[1, 0.5],"
    " eta_min=0.0, by_epoch=False)",
    "dict(type='CosineRestartLR', periods=[8, 8, 16],"
    " restart_weights=[1, 0.5, 0.25], eta_min_ratio=0.01, by_epoch=False,"
    " begin=4)",
    "[dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=8),"
    " dict(type='CosineAnnealingLR', T_max=32, by_epoch=False, begin=8,"
    " end=40)]",
    "[dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0,"
    " end=10), dict(type='MultiStepLR', milestones=[20, 35], by_epoch=False)]",
    "[dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=6),"
    " dict(type='PolyLR', power=0.9, eta_min=1e-06, by_epoch=False, begin=6,"
    " end=30), dict(type='ConstantLR', factor=0.5, by_epoch=False, begin=30,"
    " end=36)]",
    "LinearLR(start_factor=0.1, by_epoch=False, begin=0, end=4)",
    "CosineAnnealingLR(T_max=30, by_epoch=False)",
    "ExponentialLR(gamma=0.9, by_epoch=False)",
    "[LinearLR(start_factor=0.1, by_epoch=False, end=8),"
    " CosineAnnealingLR(T_max=32, eta_min=1e-06, by_epoch=False, begin=8,"
    " end=40)]",
]

BY_EPOCH = [
    "dict(type='LinearLR', start_factor=0.1, end=4)",
    "dict(type='CosineAnnealingLR')",
    "dict(type='CosineAnnealingLR', T_max=5, by_epoch=True, begin=1, end=6)",
    "dict(type='StepLR', step_size=2)",
    "dict(type='MultiStepLR', milestones=[3, 6])",
    "dict(type='ExponentialLR', gamma=0.8)",
    "dict(type='PolyLR', power=0.9)",
    "dict(type='ConstantLR', end=3)",
    "dict(type='OneCycleLR', eta_max=0.1)",
    "dict(type='CosineRestartLR', periods=[3, 5], restart_weights=[1, 0.5],"
    " eta_min=0.0)",
    "dict(type='CosineAnnealingLR', convert_to_iter_based=True)",
    "dict(type='LinearLR', start_factor=0.1, end=3,"
    " convert_to_iter_based=True)",
    "dict(type='MultiStepLR', milestones=[3, 6], convert_to_iter_based=True)",
    "[dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0,"
    " end=10), dict(type='MultiStepLR', milestones=[3, 6])]",
    "[dict(type='LinearLR', start_factor=0.1, by_epoch=True, begin=0, end=2,"
    " convert_to_iter_based=True), dict(type='CosineAnnealingLR', T_max=6,"
    " by_epoch=True, begin=2, end=8, convert_to_iter_based=True)]",
    "StepLR(step_size=2)",
    "CosineAnnealingLR(T_max=5, eta_min=1e-06)",
]

NAMES = ["ConstantLR", "CosineAnnealingLR", "ExponentialLR", "LinearLR",
         "MultiStepLR", "StepLR", "PolyLR", "OneCycleLR", "CosineRestartLR"]


class Net(BaseModel):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, *x, mode="loss"):
        return {"loss": (self.weight * torch.stack(x)).sum()}


class Recorded(torch.optim.SGD):
    """SGD that notes its rate at each update."""

    rates = []

    def step(self, closure=None):
        self.rates.append(float(self.param_groups[0]["lr"]))
        return super().step(closure)


def run(call, peak, by_epoch):
    Recorded.rates = []
    net = Net()
    optimizer = Recorded(net.parameters(), lr=peak)
    names = {name: lambda _class=getattr(schedulers, name), **given:
             _class(optimizer, **given) for name in NAMES}
    value = eval(call, names)
    loop = (dict(by_epoch=True, max_epochs=UPDATES // EPOCH)
            if by_epoch else dict(by_epoch=False, max_iters=UPDATES))
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(
            model=net, work_dir=folder, train_cfg=loop,
            train_dataloader=dict(
                batch_size=1, num_workers=0,
                sampler=dict(type="DefaultSampler", shuffle=False),
                dataset=[torch.ones(1)] * (EPOCH if by_epoch else UPDATES)),
            optim_wrapper=dict(optimizer=optimizer), param_scheduler=value,
            default_hooks=dict(checkpoint=None, logger=None),
            log_level=logging.ERROR, experiment_name=f"r{id(net)}",
        )
        try:
            runner.train()
        except ValueError as refusal:
            print(f"{call}: after {len(Recorded.rates)} updates: {refusal}",
                  file=sys.stderr)
    return Recorded.rates


for by_epoch, calls in [(False, BY_ITERATION), (True, BY_EPOCH)]:
    for call in calls:
        for peak in PEAKS:
            line = {
                "library": "mmengine", "version": mmengine.__version__,
                "loop": "Runner by epoch" if by_epoch
                else "Runner by iteration", "call": call, "peak": peak}
            if by_epoch:
                line["epoch"] = EPOCH
            line["rates"] = run(call, peak, by_epoch)
            print(json.dumps(line))
            sys.stdout.flush()
