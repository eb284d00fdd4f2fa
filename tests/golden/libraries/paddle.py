#!/usr/bin/env python3
"""Writes paddle.jsonl: the rate of an optimizer of PaddlePaddle at each update.

    python -m venv venv && venv/bin/pip install paddlepaddle==3.3.1
    venv/bin/python -P paddle.py > paddle.jsonl

The loop is the documented one: `optimizer.step(); optimizer.clear_grad();
scheduler.step()`. The last calls run in `paddle.Model.fit` as well, which
steps the scheduler of its optimizer after each batch. A rate is
`optimizer.get_lr()` at the moment of `optimizer.step()`. The weights see this
number rounded to float32; the program checks that.

The rate that a call leaves out (`learning_rate`, `max_learning_rate`, the
`end_lr` of a LinearWarmup) is the peak.

Made on 2026-11-28 with Python 3.11.7 and paddlepaddle 3.3.1 (CPU).
"""

import json
import sys

import numpy as np
import paddle
import paddle.optimizer.lr as lr

UPDATES = 48
PEAKS = [1.0, 5e-05, 0.001]

CALLS = [
    "NoamDecay(d_model=64, warmup_steps=12)",
    "NoamDecay(d_model=512, warmup_steps=40)",
    "PiecewiseDecay(boundaries=[10, 25], values=[0.1, 0.02, 0.003])",
    "PiecewiseDecay(boundaries=[1, 5, 40], values=[1e-3, 2e-3, 5e-4, 0.0])",
    "NaturalExpDecay(gamma=0.1)",
    "NaturalExpDecay(gamma=0.01)",
    "InverseTimeDecay(gamma=0.1)",
    "InverseTimeDecay(gamma=2.0)",
    "PolynomialDecay(decay_steps=30)",
    "PolynomialDecay(decay_steps=30, end_lr=0.0, power=2.0)",
    "PolynomialDecay(decay_steps=12, end_lr=1e-05, power=0.5, cycle=True)",
    "ExponentialDecay(gamma=0.9)",
    "ExponentialDecay(gamma=0.5)",
    "MultiStepDecay(milestones=[10, 25])",
    "MultiStepDecay(milestones=[0, 7, 31], gamma=0.5)",
    "StepDecay(step_size=10)",
    "StepDecay(step_size=7, gamma=0.8)",
    "CosineAnnealingDecay(T_max=30)",
    "CosineAnnealingDecay(T_max=15, eta_min=1e-05)",
    "CosineAnnealingDecay(T_max=25, eta_min=0.01)",
    "CosineAnnealingWarmRestarts(T_0=10)",
    "CosineAnnealingWarmRestarts(T_0=5, T_mult=3, eta_min=1e-05)",
    "LinearLR(total_steps=20)",
    "LinearLR(total_steps=30, start_factor=0.1, end_factor=0.7)",
    "LinearLR(total_steps=30, start_factor=1.0, end_factor=0.05)",
    "LinearLR(total_steps=10, start_factor=1.0, end_factor=0.0)",
    "OneCycleLR(total_steps=47)",
    "OneCycleLR(total_steps=47, divide_factor=10.0, end_learning_rate=0.0,"
    " phase_pct=0.25, anneal_strategy='linear')",
    "OneCycleLR(total_steps=47, phase_pct=0.4, three_phase=True)",
    "OneCycleLR(total_steps=60)",
    "CyclicLR(base_learning_rate=1e-05, step_size_up=8)",
    "CyclicLR(base_learning_rate=0.0, step_size_up=4, step_size_down=9,"
    " mode='triangular2')",
    "CyclicLR(base_learning_rate=0.01, step_size_up=6, mode='exp_range',"
    " exp_gamma=0.95)",
    "LinearWarmup(warmup_steps=8, start_lr=0.0)",
    "LinearWarmup(warmup_steps=20, start_lr=1e-05)",
    "LinearWarmup(warmup_steps=8, start_lr=0.0, end_lr=2.0)",
    "LinearWarmup(learning_rate=CosineAnnealingDecay(T_max=22),"
    " warmup_steps=8, start_lr=0.0)",
    "LinearWarmup(learning_rate=CosineAnnealingDecay(T_max=10, eta_min=1e-06),"
    " warmup_steps=12, start_lr=0.0)",
    "LinearWarmup(learning_rate=PolynomialDecay(decay_steps=22),"
    " warmup_steps=8, start_lr=1e-06)",
    "LinearWarmup(learning_rate=NoamDecay(d_model=64, warmup_steps=10),"
    " warmup_steps=8, start_lr=0.0)",
    "LinearWarmup(learning_rate=PiecewiseDecay(boundaries=[4, 12],"
    " values=[0.1, 0.01, 0.001]), warmup_steps=8, start_lr=0.0)",
    "LinearWarmup(learning_rate=LinearLR(total_steps=20, start_factor=0.9,"
    " end_factor=0.1), warmup_steps=8, start_lr=0.0)",
    "LinearWarmup(learning_rate=CosineAnnealingWarmRestarts(T_0=4),"
    " warmup_steps=8, start_lr=0.0)",
    "LinearWarmup(learning_rate=CosineAnnealingWarmRestarts(T_0=2, T_mult=3),"
    " warmup_steps=8, start_lr=0.0)",
    "LinearWarmup(learning_rate=OneCycleLR(total_steps=40), warmup_steps=8,"
    " start_lr=0.0)",
    "LinearWarmup(learning_rate=MultiStepDecay(milestones=[10, 25]),"
    " warmup_steps=5, start_lr=0.0)",
    "LinearWarmup(learning_rate=StepDecay(step_size=10), warmup_steps=5,"
    " start_lr=0.0)",
    "LinearWarmup(learning_rate=ExponentialDecay(gamma=0.9), warmup_steps=5,"
    " start_lr=0.0)",
]

# Once more in Model.fit, which ends before the plan of OneCycleLR raises.
FITTED = [
    "CosineAnnealingDecay(T_max=30)",
    "PolynomialDecay(decay_steps=30)",
    "OneCycleLR(total_steps=60)",
    "LinearWarmup(learning_rate=CosineAnnealingDecay(T_max=22),"
    " warmup_steps=8, start_lr=0.0)",
]

# Where a class takes the peak.
RATES = {name: ("learning_rate",) for name in (
    "NoamDecay", "NaturalExpDecay", "InverseTimeDecay", "PolynomialDecay",
    "ExponentialDecay", "MultiStepDecay", "StepDecay", "CosineAnnealingDecay",
    "CosineAnnealingWarmRestarts", "LinearLR")}
RATES["OneCycleLR"] = RATES["CyclicLR"] = ("max_learning_rate",)
RATES["LinearWarmup"] = ("learning_rate", "end_lr")
RATES["PiecewiseDecay"] = ()


def schedule(call, peak):
    def taking(name):
        def make(**given):
            rates = {key: peak for key in RATES[name] if key not in given}
            return getattr(lr, name)(**rates, **given)
        return make
    return eval(call, {name: taking(name) for name in RATES})


class Recorded(paddle.optimizer.SGD):
    """SGD that notes its rate at each update."""

    def step(self):
        self.rates.append(float(self.get_lr()))
        before = self._parameter_list[0].numpy().copy()
        gradient = self._parameter_list[0].grad.numpy()
        super().step()
        after = self._parameter_list[0].numpy()
        taken = before - np.float32(self.rates[-1]) * gradient
        assert np.allclose(after, taken, rtol=1e-6, atol=1e-9), self.rates


def documented(call, peak):
    net = paddle.nn.Linear(1, 1)
    scheduler = schedule(call, peak)
    optimizer = Recorded(learning_rate=scheduler, parameters=net.parameters())
    optimizer.rates = []
    for _ in range(UPDATES):
        net(paddle.ones([1, 1])).mean().backward()
        optimizer.step()
        optimizer.clear_grad()
        try:
            scheduler.step()
        except ValueError as refusal:
            print(f"{call}: {refusal}", file=sys.stderr)
            break
    return optimizer.rates


def fit(call, peak):
    net = paddle.nn.Linear(1, 1)
    optimizer = Recorded(
        learning_rate=schedule(call, peak), parameters=net.parameters())
    optimizer.rates = []
    model = paddle.Model(net)
    model.prepare(optimizer, loss=paddle.nn.MSELoss())
    data = [(np.ones([1], "float32"), np.ones([1], "float32"))] * (UPDATES // 4)
    model.fit(data, batch_size=1, epochs=4, verbose=0)
    return optimizer.rates


for loop, run, calls in [
    ("optimizer.step(); scheduler.step()", documented, CALLS),
    ("paddle.Model.fit", fit, FITTED),
]:
    for call in calls:
        for peak in PEAKS:
            print(json.dumps({
                "library": "paddle", "version": paddle.__version__,
                "loop": loop, "call": call, "peak": peak,
                "rates": run(call, peak)}))
