#!/usr/bin/env python3
"""Writes lightning.jsonl: the rate of an optimizer in Lightning's Trainer.

    pip install lightning==2.6.6 torch==2.15.0
    python -P lightning.py > lightning.jsonl

The loop is `Trainer.fit`. The call is what `configure_optimizers` returns as
`lr_scheduler`: a scheduler of torch, or the dictionary with it. A rate is read
in `optimizer.step()`. The optimizer is made with the peak. `epoch` is the
number of batches in an epoch. `{peak}` in a call below is the peak. A run ends
where a scheduler refuses to go on.

Made on 2026-11-28 with Python 3.11.7, lightning 2.6.6, torch 2.15.0.
"""

import json
import logging
import sys
import warnings

import lightning
import torch
import torch.optim.lr_scheduler as tl

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

PEAKS = [1.0, 5e-05, 0.001]
EPOCHS, EPOCH = 12, 4

CALLS = [
    "StepLR(step_size=3)",
    "{'scheduler': StepLR(step_size=3)}",
    "{'scheduler': StepLR(step_size=10, gamma=0.5), 'interval': 'step'}",
    "{'scheduler': StepLR(step_size=2), 'interval': 'epoch',"
    " 'frequency': 2}",
    "{'scheduler': StepLR(step_size=3), 'interval': 'step',"
    " 'frequency': 3}",
    "CosineAnnealingLR(T_max=10)",
    "{'scheduler': CosineAnnealingLR(T_max=36), 'interval': 'step'}",
    "LinearLR(start_factor=0.1, total_iters=8)",
    "{'scheduler': LinearLR(start_factor=0.1, total_iters=8),"
    " 'interval': 'step', 'frequency': 1}",
    "ExponentialLR(gamma=0.8)",
    "OneCycleLR(max_lr={peak}, total_steps=48)",
    "{'scheduler': OneCycleLR(max_lr={peak}, total_steps=49),"
    " 'interval': 'step'}",
    "MultiStepLR(milestones=[4, 9])",
    "{'scheduler': CosineAnnealingWarmRestarts(T_0=10), 'interval': 'step',"
    " 'frequency': 2}",
    "{'scheduler': PolynomialLR(total_iters=30, power=2.0),"
    " 'interval': 'step'}",
]

TORCH = ["StepLR", "CosineAnnealingLR", "LinearLR", "ExponentialLR",
         "OneCycleLR", "MultiStepLR", "CosineAnnealingWarmRestarts",
         "PolynomialLR"]


class Recorded(torch.optim.SGD):
    """SGD with momentum that notes its rate at each update."""

    rates = []

    def step(self, closure=None):
        self.rates.append(self.param_groups[0]["lr"])
        return super().step(closure)


class Module(lightning.LightningModule):
    def __init__(self, call, peak):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.call, self.peak = call, peak

    def training_step(self, batch):
        return self.layer(batch).mean()

    def configure_optimizers(self):
        optimizer = Recorded(self.parameters(), lr=self.peak, momentum=0.9)

        def made(make):
            return lambda **given: make(optimizer, **given)
        names = {name: made(getattr(tl, name)) for name in TORCH}
        return {"optimizer": optimizer, "lr_scheduler": eval(self.call, names)}


def train(call, peak):
    Recorded.rates = []
    data = torch.utils.data.DataLoader(torch.zeros(EPOCH, 1))
    trainer = lightning.Trainer(
        max_epochs=EPOCHS, accelerator="cpu", devices=1, logger=False,
        enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False)
    try:
        trainer.fit(Module(call, peak), data)
    except ValueError as refusal:
        print(f"{call} after {len(Recorded.rates)} updates: {refusal}",
              file=sys.stderr)
    return Recorded.rates


for template in CALLS:
    for peak in PEAKS:
        call = template.replace("{peak}", repr(peak))
        print(json.dumps({
            "library": "lightning", "version": lightning.__version__,
            "loop": "Trainer.fit", "call": call, "peak": peak, "epoch": EPOCH,
            "rates": [float(rate) for rate in train(call, peak)]}))
