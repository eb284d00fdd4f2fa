#!/usr/bin/env python3
"""Writes skorch.jsonl: the rate of an optimizer under skorch's LRScheduler.

    pip install skorch==1.4.0 torch==2.15.0
    python -P skorch.py > skorch.jsonl

The loop is `NeuralNet.fit`. A rate is read in `optimizer.step()`. The net is
made with the peak as `lr`. `epoch` is the number of batches in an epoch.
`{peak}` in a call below is the peak. A run ends where the library refuses to
go on.

Made on 2026-11-28 with Python 3.11.7, skorch 1.4.0, torch 2.15.0.
"""

import json
import logging
import sys
import warnings

import numpy as np
import skorch
import torch
import torch.optim.lr_scheduler as tl
from skorch.callbacks import LRScheduler, WarmRestartLR

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

PEAKS = [1.0, 5e-05, 0.001]
EPOCHS, EPOCH = 16, 3

CALLS = [
    "LRScheduler()",
    "LRScheduler(policy='WarmRestartLR', min_lr=1e-05, max_lr=0.1,"
    " base_period=4, period_mult=2)",
    "LRScheduler(policy=WarmRestartLR, max_lr={peak}, base_period=6,"
    " step_every='batch')",
    "LRScheduler(policy='StepLR', step_size=5)",
    "LRScheduler(policy='StepLR', step_size=5, gamma=0.5, step_every='batch')",
    "LRScheduler(policy=MultiStepLR, milestones=[4, 9])",
    "LRScheduler(policy='MultiStepLR', milestones=[10, 25],"
    " step_every='batch')",
    "LRScheduler(policy=ExponentialLR, gamma=0.9)",
    "LRScheduler(policy=ExponentialLR, gamma=0.95, step_every='batch')",
    "LRScheduler(policy='CosineAnnealingLR', T_max=12)",
    "LRScheduler(policy='CosineAnnealingLR', T_max=30, eta_min=1e-06,"
    " step_every='batch')",
    "LRScheduler(policy=LinearLR, start_factor=0.1, total_iters=10,"
    " step_every='batch')",
    "LRScheduler(policy=PolynomialLR, total_iters=12, power=2.0)",
    "LRScheduler(policy=OneCycleLR, max_lr={peak}, total_steps=49,"
    " step_every='batch')",
    "LRScheduler(policy=OneCycleLR, max_lr={peak}, total_steps=48)",
    "LRScheduler(policy='CyclicLR', base_lr=1e-06, max_lr={peak},"
    " step_size_up=6, step_every='batch')",
]


class Recorded(torch.optim.SGD):
    """SGD with momentum that notes its rate at each update."""

    rates = []

    def step(self, closure=None):
        self.rates.append(self.param_groups[0]["lr"])
        return super().step(closure)


NAMES = {name: getattr(tl, name) for name in (
    "MultiStepLR", "ExponentialLR", "LinearLR", "PolynomialLR", "OneCycleLR")}
NAMES |= {"LRScheduler": LRScheduler, "WarmRestartLR": WarmRestartLR}


def train(call, peak):
    Recorded.rates = []
    net = skorch.NeuralNet(
        torch.nn.Linear, module__in_features=1, module__out_features=1,
        criterion=torch.nn.MSELoss, optimizer=Recorded,
        optimizer__momentum=0.9, lr=peak, max_epochs=EPOCHS, batch_size=1,
        train_split=None, callbacks=[eval(call, dict(NAMES))], verbose=0)
    data = np.full((EPOCH, 1), 1e-3, "float32")
    try:
        net.fit(data, data)
    except ValueError as refusal:
        print(f"{call} after {len(Recorded.rates)} updates: {refusal}",
              file=sys.stderr)
    return Recorded.rates


for template in CALLS:
    for peak in PEAKS:
        call = template.replace("{peak}", repr(peak))
        print(json.dumps({
            "library": "skorch", "version": skorch.__version__,
            "loop": "NeuralNet.fit", "call": call, "peak": peak,
            "epoch": EPOCH,
            "rates": [float(rate) for rate in train(call, peak)]}))
