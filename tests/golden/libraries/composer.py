#!/usr/bin/env python3
"""Writes composer.jsonl: the rates of Composer's schedulers in its own Trainer.

    pip install mosaicml==0.32.1 torch==2.7.0
    python composer.py > composer.jsonl

Each rate is read from the optimizer at the moment of its step, inside
`Trainer.fit` on the CPU. A call without `Trainer(...)` runs for
`max_duration=f"{updates}ba"` and is stepped every batch, as is Composer's
default for its own schedulers; `epoch` is the number of batches of the
dataloader. `python composer.py facts` prints what else the pages of this
library say.

28 November 2026: python 3.11.7, torch 2.7.0, mosaicml 0.32.1.
"""

import contextlib
import io
import json
import logging
import sys
import warnings

sys.path.pop(0)  # this folder, where the program has the name of the library

import composer
import torch
from composer import ComposerModel, Trainer, optim

PEAKS = [1.0, 5e-5, 1e-3]
STEPS = 45
PART = dict(t_max="30ba")

# (name, arguments, batches of an epoch)
CALLS = [
    ("ConstantScheduler", {}, None),
    ("ConstantScheduler", dict(alpha=0.1, t_max="12ba"), None),
    ("StepScheduler", dict(step_size="10ba"), None),
    ("StepScheduler", dict(step_size="2ep", gamma=0.5), 7),
    ("MultiStepScheduler", dict(milestones=["10ba", "25ba"]), None),
    ("MultiStepScheduler", dict(milestones=["1ep", "0.5dur"], gamma=0.3), 7),
    ("LinearScheduler", {}, None),
    ("LinearScheduler", dict(alpha_i=0.1, alpha_f=1.0, **PART), None),
    ("LinearScheduler", dict(t_max="0.5dur", alpha_f=0.2), None),
    ("ExponentialScheduler", dict(gamma=0.9), 7),
    ("ExponentialScheduler", dict(gamma=0.8, decay_period="4ba"), None),
    ("CosineAnnealingScheduler", {}, None),
    ("CosineAnnealingScheduler", dict(alpha_f=0.1, **PART), None),
    ("CosineAnnealingWarmRestartsScheduler", dict(t_0="10ba"), None),
    ("CosineAnnealingWarmRestartsScheduler", dict(t_0="1ep", t_mult=1.5, alpha_f=0.1), 7),
    ("PolynomialScheduler", dict(power=2.0), None),
    ("PolynomialScheduler", dict(power=0.9, alpha_f=0.05, **PART), None),
    ("MultiStepWithWarmupScheduler", dict(t_warmup="8ba", milestones=["20ba", "30ba"]), None),
    ("MultiStepWithWarmupScheduler", dict(t_warmup="0.1dur", milestones=["2ep"], gamma=0.5), 7),
    ("ConstantWithWarmupScheduler", dict(t_warmup="8ba"), None),
    ("ConstantWithWarmupScheduler", dict(t_warmup="1ep", alpha=0.5), 7),
    ("LinearWithWarmupScheduler", dict(t_warmup="8ba"), None),
    ("LinearWithWarmupScheduler", dict(t_warmup="0.1dur", alpha_i=0.8, alpha_f=0.1), None),
    ("LinearWithWarmupScheduler", dict(t_warmup="8ba", t_max="60ba"), None),
    ("CosineAnnealingWithWarmupScheduler", dict(t_warmup="8ba"), None),
    ("CosineAnnealingWithWarmupScheduler", dict(t_warmup="1ep", alpha_f=0.1), 7),
    ("CosineAnnealingWithWarmupScheduler", dict(t_warmup="0ba"), None),
    ("PolynomialWithWarmupScheduler", dict(t_warmup="8ba"), None),
    ("PolynomialWithWarmupScheduler", dict(t_warmup="0.15dur", power=1.0, alpha_f=0.1), None),
]
# (name, arguments, arguments of the Trainer, batches of an epoch)
EPOCHS = dict(max_duration="6ep", step_schedulers_every_batch=False)
HALF = dict(max_duration="90ba", scale_schedule_ratio=0.5)
TRAINERS = [
    ("StepScheduler", dict(step_size="2ep", gamma=0.5), EPOCHS, 7),
    ("LinearScheduler", {}, EPOCHS, 7),
    ("ExponentialScheduler", dict(gamma=0.9), EPOCHS, 7),
    ("CosineAnnealingScheduler", {}, EPOCHS, 7),
    ("CosineAnnealingWithWarmupScheduler", dict(t_warmup="2ep"), EPOCHS, 7),
    ("LinearWithWarmupScheduler", dict(t_warmup="10ba"), EPOCHS, 7),
    ("CosineAnnealingScheduler", {}, dict(max_duration="6ep"), 7),
    ("StepScheduler", dict(step_size="20ba"), HALF, None),
    ("LinearScheduler", dict(t_max="80ba"), HALF, None),
    ("LinearWithWarmupScheduler", dict(t_warmup="16ba"), HALF, None),
    ("LinearWithWarmupScheduler", dict(t_warmup="16ba", scale_warmup=True), HALF, None),
    ("PolynomialWithWarmupScheduler", dict(t_warmup="16ba", scale_warmup=True), HALF, None),
    ("CosineAnnealingWithWarmupScheduler", dict(t_warmup="16ba", scale_warmup=True), HALF, None),
    ("MultiStepWithWarmupScheduler", dict(t_warmup="16ba", milestones=["40ba"], scale_warmup=True), HALF, None),
]
# Schedulers of torch, made on the optimizer.
TORCH = [
    ("LinearLR", dict(start_factor=0.1, total_iters=5), {}),
    ("CosineAnnealingLR", dict(T_max=60), dict(step_schedulers_every_batch=True)),
    ("OneCycleLR", dict(max_lr=2e-3, total_steps=60), dict(step_schedulers_every_batch=True)),
    ("ExponentialLR", dict(gamma=0.9), dict(step_schedulers_every_batch=False, max_duration="6ep")),
]


class Net(ComposerModel):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(1, 1)

    def forward(self, batch):
        return self.linear(batch)

    def loss(self, outputs, _):
        return outputs.square().mean()


def call(name, arguments):
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})"


def rates(scheduler, peak, epoch=None, arguments=None, **trainer):
    net, found = Net(), []
    own = torch.optim.SGD(net.parameters(), lr=peak)
    if isinstance(scheduler, type):
        scheduler = scheduler(own, **arguments)
    own.register_step_pre_hook(lambda optimizer, *_: found.append(optimizer.param_groups[0]["lr"]))
    data = torch.utils.data.DataLoader(torch.ones(epoch or STEPS, 1), batch_size=1)
    trainer.setdefault("max_duration", f"{STEPS}ba")
    with contextlib.redirect_stdout(io.StringIO()):
        Trainer(
            model=net, train_dataloader=data, optimizers=own, schedulers=scheduler,
            device="cpu", progress_bar=False, **trainer,
        ).fit()
    return found


def write(text, scheduler, peak, epoch, **settings):
    print(json.dumps({
        "library": "composer", "version": composer.__version__, "loop": "Trainer.fit",
        "call": text, "peak": peak, **({"epoch": epoch} if epoch else {}),
        "rates": rates(scheduler, peak, epoch, **settings),
    }), flush=True)


def facts():
    def raises(text, *arguments, **trainer):
        try:
            print(text, rates(*arguments, **trainer)[:9])
        except Exception as error:
            print(text, "raises", type(error).__name__, str(error)[:160])

    for name in ("Constant", "Linear", "CosineAnnealing", "Polynomial"):
        scheduler = getattr(optim, f"{name}WithWarmupScheduler")("8ba", t_max="30ba")
        raises(f"{name}WithWarmup, t_max before the end:", scheduler, 1.0)
    raises("StepScheduler past max_duration:", optim.StepScheduler("10ba"), 1.0, max_duration="12ba")
    raises("warm-up in samples, t_max in batches:", optim.LinearWithWarmupScheduler("8sp"), 1.0)
    raises("warm-up of no batch:", optim.LinearWithWarmupScheduler("0ba"), 1.0)
    raises("warm-up of 0.01 of 45:", optim.LinearWithWarmupScheduler("0.01dur"), 1.0)
    raises("StepScheduler of 0.01 of 45:", optim.StepScheduler("0.01dur"), 1.0)
    net, seen = Net(), []
    own = torch.optim.SGD(net.parameters(), lr=1.0)
    own.register_step_pre_hook(lambda optimizer, *_: seen.append(optimizer.param_groups[0]["lr"]))
    data = torch.utils.data.DataLoader(torch.ones(3, 1), batch_size=1)
    Trainer(
        model=net, train_dataloader=data, optimizers=own, max_duration="3ep",
        schedulers=torch.optim.lr_scheduler.LinearLR(own, 0.1, total_iters=5), device="cpu", progress_bar=False,
    ).fit()
    print("torch's LinearLR by default, epochs of 3 batches:", seen)


def main():
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    if sys.argv[1:] == ["facts"]:
        facts()
        return
    for name, arguments, epoch in CALLS:
        for peak in PEAKS:
            write(call(name, arguments), getattr(optim, name)(**arguments), peak, epoch)
    for name, arguments, trainer, epoch in TRAINERS:
        others = call("", trainer)[1:]
        text = f"Trainer(schedulers={call(name, arguments)}, {others}"
        for peak in PEAKS[1:]:
            write(text, getattr(optim, name)(**arguments), peak, epoch, **trainer)
    for name, arguments, trainer in TORCH:
        text, kind = call(name, arguments), getattr(torch.optim.lr_scheduler, name)
        if trainer:
            text = f"Trainer(schedulers={text}, {call('', trainer)[1:]}"
        for peak in PEAKS[1:]:
            write(text, kind, peak, 7, arguments=arguments, **trainer)


main()
