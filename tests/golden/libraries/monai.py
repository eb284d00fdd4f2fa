#!/usr/bin/env python3
"""Writes monai.jsonl: the rate of an optimizer in MONAI's SupervisedTrainer at
each update.

    python -m venv venv
    venv/bin/pip install monai==1.6.1 pytorch-ignite==0.5.5 torch==2.15.0
    venv/bin/python -P monai.py > monai.jsonl

The trainer runs with an `LrScheduleHandler`: by iteration (`epoch_level=False`)
or once an epoch of `epoch` updates (the handler's default). A rate is that of
the optimizer at the moment of `optimizer.step()`. The documented loop,
`optimizer.step(); scheduler.step()`, is run for some calls as well.

Made on 2026-11-28 with Python 3.11.7, torch 2.15.0, pytorch-ignite 0.5.5 and
monai 1.6.1 (CPU).
"""

import json
import logging
import warnings

import monai
import torch
from monai.engines import SupervisedTrainer
from monai.handlers import LrScheduleHandler
from monai.optimizers import ExponentialLR, LinearLR, WarmupCosineSchedule

UPDATES = 48
EPOCH = 4
PEAKS = [1.0, 5e-05, 0.001]

CALLS = [
    "WarmupCosineSchedule(warmup_steps=8, t_total=36)",
    "WarmupCosineSchedule(warmup_steps=0, t_total=30)",
    "WarmupCosineSchedule(warmup_steps=10, t_total=36, end_lr=1e-05)",
    "WarmupCosineSchedule(warmup_steps=6, t_total=30, cycles=1.5,"
    " warmup_multiplier=0.1)",
    "WarmupCosineSchedule(warmup_steps=8, t_total=36, end_lr=0.01,"
    " warmup_multiplier=1)",
    "WarmupCosineSchedule(warmup_steps=40, t_total=30)",
    "LinearLR(end_lr=10.0, num_iter=30)",
    "LinearLR(end_lr=1e-06, num_iter=36)",
    "ExponentialLR(end_lr=10.0, num_iter=30)",
    "ExponentialLR(end_lr=1e-07, num_iter=36)",
]

EPOCH_CALLS = [
    "WarmupCosineSchedule(warmup_steps=2, t_total=10)",
    "WarmupCosineSchedule(warmup_steps=3, t_total=9, end_lr=1e-05,"
    " warmup_multiplier=0.2)",
    "ExponentialLR(end_lr=1e-06, num_iter=10)",
]

CLASSES = [WarmupCosineSchedule, LinearLR, ExponentialLR]


class Recorded(torch.optim.SGD):
    """SGD that notes its rate at each update."""

    rates = []

    def step(self, closure=None):
        self.rates.append(float(self.param_groups[0]["lr"]))
        return super().step(closure)


def made(call, peak):
    Recorded.rates = []
    net = torch.nn.Linear(1, 1)
    optimizer = Recorded(net.parameters(), lr=peak)
    names = {scheduler.__name__: lambda _class=scheduler, **given:
             _class(optimizer, **given) for scheduler in CLASSES}
    return net, optimizer, eval(call, names)


def documented(call, peak, epoch):
    _, optimizer, scheduler = made(call, peak)
    for _ in range(UPDATES):
        optimizer.step()
        scheduler.step()


def supervised(call, peak, epoch):
    net, optimizer, scheduler = made(call, peak)
    ones = {"image": torch.ones(1, 1), "label": torch.ones(1, 1)}
    SupervisedTrainer(
        device=torch.device("cpu"), max_epochs=UPDATES // EPOCH,
        train_data_loader=[ones] * EPOCH, network=net, optimizer=optimizer,
        loss_function=torch.nn.MSELoss(), train_handlers=[LrScheduleHandler(
            scheduler, print_lr=False, epoch_level=epoch)],
    ).run()


def write(loop, run, calls, epoch=False):
    for call in calls:
        for peak in PEAKS:
            run(call, peak, epoch)
            line = {"library": "monai", "version": monai.__version__,
                    "loop": loop, "call": call, "peak": peak}
            if epoch:
                line["epoch"] = EPOCH
            print(json.dumps({**line, "rates": Recorded.rates}))


logging.disable()
warnings.simplefilter("ignore")
write("SupervisedTrainer, LrScheduleHandler(epoch_level=False)", supervised,
      CALLS)
write("SupervisedTrainer, LrScheduleHandler()", supervised, EPOCH_CALLS, True)
write("optimizer.step(); scheduler.step()", documented, CALLS[:3])
