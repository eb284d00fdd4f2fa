#!/usr/bin/env python3
"""Writes mxnet.jsonl: the rate of an optimizer under MXNet's schedulers.

    pip install mxnet==1.9.1 numpy==1.23.5
    python -P mxnet.py > mxnet.jsonl

The loop is the one of Gluon: `trainer.step` after `loss.backward`. The trainer
is made with `{'learning_rate': peak, 'lr_scheduler': ...}`; without a
`learning_rate` the scheduler's own `base_lr` counts, which is the same as both
being equal. A rate is read where SGD updates a weight. `{peak}` in a call
below is the peak.

Made on 2026-11-28 with Python 3.11.7, mxnet 1.9.1, numpy 1.23.5.
"""

import contextlib
import json
import sys
import warnings

import mxnet
from mxnet import autograd, gluon, lr_scheduler

warnings.simplefilter("ignore")

PEAKS = [1.0, 5e-05, 0.001]
UPDATES = 48

CALLS = [
    "FactorScheduler(step=10)",
    "FactorScheduler(step=10, factor=0.5)",
    "FactorScheduler(step=4, factor=0.1, stop_factor_lr=1e-06)",
    "FactorScheduler(step=10, factor=0.5, base_lr={peak}, warmup_steps=6)",
    "FactorScheduler(step=7, factor=0.5, warmup_steps=9)",
    "MultiFactorScheduler(step=[10, 25])",
    "MultiFactorScheduler(step=[10, 25], factor=0.1)",
    "MultiFactorScheduler(step=[10, 25], factor=0.5, base_lr={peak},"
    " warmup_steps=5, warmup_begin_lr=1e-06)",
    "MultiFactorScheduler(step=[3, 20], factor=0.5, base_lr={peak},"
    " warmup_steps=6, warmup_mode='constant', warmup_begin_lr=1e-05)",
    "PolyScheduler(max_update=30)",
    "PolyScheduler(max_update=30, base_lr={peak})",
    "PolyScheduler(max_update=30, base_lr={peak}, pwr=1, final_lr=1e-06)",
    "PolyScheduler(max_update=30, base_lr={peak}, warmup_steps=6)",
    "PolyScheduler(max_update=30, warmup_steps=6, warmup_begin_lr=0.001)",
    "CosineScheduler(max_update=30)",
    "CosineScheduler(max_update=30, base_lr={peak})",
    "CosineScheduler(max_update=30, base_lr={peak}, final_lr=1e-05)",
    "CosineScheduler(max_update=30, base_lr={peak}, warmup_steps=6,"
    " warmup_begin_lr=1e-06)",
    "CosineScheduler(max_update=30, base_lr={peak}, warmup_steps=6,"
    " warmup_begin_lr=1e-06, warmup_mode='constant')",
]


@mxnet.optimizer.register
class Recorded(mxnet.optimizer.SGD):
    """SGD that notes its rate at each update."""

    rates = []

    def _update_impl(self, indices, weights, grads, states, **more):
        super()._update_impl(indices, weights, grads, states, **more)
        self.rates.append(self._get_lrs(indices)[0])


def train(call, peak):
    Recorded.rates = []
    net = gluon.nn.Dense(1, use_bias=False, in_units=1)
    net.initialize()
    names = {name: getattr(lr_scheduler, name) for name in (
        "FactorScheduler", "MultiFactorScheduler", "PolyScheduler",
        "CosineScheduler")}
    # It prints that the rate of the scheduler is overwritten.
    with contextlib.redirect_stdout(sys.stderr):
        trainer = gluon.Trainer(net.collect_params(), "recorded", {
            "learning_rate": peak, "lr_scheduler": eval(call, names)})
    for _ in range(UPDATES):
        with autograd.record():
            loss = net(mxnet.nd.ones((1, 1))).mean()
        loss.backward()
        trainer.step(1)
    return Recorded.rates


for template in CALLS:
    for peak in PEAKS:
        call = template.replace("{peak}", repr(peak))
        print(json.dumps({
            "library": "mxnet", "version": mxnet.__version__,
            "loop": "gluon.Trainer.step", "call": call, "peak": peak,
            "rates": [float(rate) for rate in train(call, peak)]}))
