#!/usr/bin/env python3
"""Writes mindspore.jsonl: the rate of an optimizer of MindSpore at each update.

    python -m venv venv && venv/bin/pip install mindspore==2.10.0 "numpy<2"
    venv/bin/python -P mindspore.py > mindspore.jsonl

The list functions and the classes of `mindspore.nn` run in `Model.train` in
graph mode; a callback asks the optimizer for its rate at the begin of each
step, and the program checks that the weight moved by it. The classes of
`mindspore.experimental.optim.lr_scheduler` run in their documented loop,
`optimizer(gradients); scheduler.step()`. All rates are float32.

The rate that a call leaves out (`learning_rate`, `max_lr`) is the peak. A
list that has been used up raises an error in the next update.

Made on 2026-11-28 with Python 3.11.7 and mindspore 2.10.0 (CPU).
"""

import json
import sys

import mindspore as ms
import numpy as np
from mindspore import nn
from mindspore.experimental import optim
from mindspore.experimental.optim import lr_scheduler

UPDATES = 48
PEAKS = [1.0, 5e-05, 0.001]

LISTS = [
    "cosine_decay_lr(min_lr=0.0, total_step=48, step_per_epoch=6,"
    " decay_epoch=6)",
    "cosine_decay_lr(min_lr=1e-05, total_step=30, step_per_epoch=1,"
    " decay_epoch=30)",
    "exponential_decay_lr(decay_rate=0.9, total_step=48, step_per_epoch=4,"
    " decay_epoch=3)",
    "exponential_decay_lr(decay_rate=0.5, total_step=40, step_per_epoch=4,"
    " decay_epoch=3, is_stair=True)",
    "natural_exp_decay_lr(decay_rate=0.1, total_step=48, step_per_epoch=4,"
    " decay_epoch=3)",
    "natural_exp_decay_lr(decay_rate=0.3, total_step=40, step_per_epoch=4,"
    " decay_epoch=3, is_stair=True)",
    "inverse_decay_lr(decay_rate=0.5, total_step=48, step_per_epoch=4,"
    " decay_epoch=3)",
    "inverse_decay_lr(decay_rate=0.5, total_step=40, step_per_epoch=4,"
    " decay_epoch=3, is_stair=True)",
    "polynomial_decay_lr(end_learning_rate=0.0, total_step=48,"
    " step_per_epoch=4, decay_epoch=8, power=1.0)",
    "polynomial_decay_lr(end_learning_rate=1e-05, total_step=40,"
    " step_per_epoch=2, decay_epoch=8, power=2.0, update_decay_epoch=True)",
    "piecewise_constant_lr(milestone=[10, 25, 40],"
    " learning_rates=[0.1, 0.02, 0.003])",
    "warmup_lr(total_step=48, step_per_epoch=6, warmup_epoch=3)",
    "warmup_lr(total_step=40, step_per_epoch=1, warmup_epoch=12)",
]

CLASSES = [
    "CosineDecayLR(min_lr=0.0, decay_steps=30)",
    "CosineDecayLR(min_lr=1e-05, decay_steps=24)",
    "ExponentialDecayLR(decay_rate=0.9, decay_steps=4)",
    "ExponentialDecayLR(decay_rate=0.5, decay_steps=10, is_stair=True)",
    "NaturalExpDecayLR(decay_rate=0.1, decay_steps=4)",
    "NaturalExpDecayLR(decay_rate=0.05, decay_steps=10, is_stair=True)",
    "InverseDecayLR(decay_rate=0.5, decay_steps=4)",
    "InverseDecayLR(decay_rate=0.5, decay_steps=10, is_stair=True)",
    "PolynomialDecayLR(end_learning_rate=0.0, decay_steps=30, power=1.0)",
    "PolynomialDecayLR(end_learning_rate=1e-05, decay_steps=12, power=2.0,"
    " update_decay_steps=True)",
    "WarmUpLR(warmup_steps=12)",
    "WarmUpLR(warmup_steps=40)",
]

# The names of the torch-like classes stand with their module's name, because
# a MindSpore user has the classes above in mind otherwise.
EXPERIMENTAL = [
    "StepLR(step_size=10)",
    "StepLR(step_size=7, gamma=0.5)",
    "LinearLR()",
    "LinearLR(start_factor=0.1, end_factor=0.7, total_iters=30)",
    "ExponentialLR(gamma=0.9)",
    "ExponentialLR(gamma=0.5)",
    "PolynomialLR()",
    "PolynomialLR(total_iters=30, power=2.0)",
    "MultiStepLR(milestones=[10, 25])",
    "MultiStepLR(milestones=[5, 5, 30], gamma=0.5)",
    "ConstantLR()",
    "ConstantLR(factor=0.1, total_iters=12)",
    "CyclicLR(base_lr=1e-05, step_size_up=8)",
    "CyclicLR(base_lr=0.01, step_size_up=4, step_size_down=9,"
    " mode='triangular2')",
    "CyclicLR(base_lr=0.01, step_size_up=6, mode='exp_range', gamma=0.95)",
    "CosineAnnealingWarmRestarts(T_0=10)",
    "CosineAnnealingWarmRestarts(T_0=5, T_mult=2, eta_min=1e-05)",
    "CosineAnnealingLR(T_max=30)",
    "CosineAnnealingLR(T_max=15, eta_min=1e-05)",
]


def with_peak(name, call, peak, given):
    """The call, its missing rate filled with the peak."""
    if name in ("cosine_decay_lr", "CosineDecayLR", "CyclicLR"):
        rate = "max_lr"
    elif name == "piecewise_constant_lr":
        return call(**given)
    else:
        rate = "learning_rate"
    return call(**{rate: peak, **given})


def made(text, module, peak):
    name = text.partition("(")[0]
    call = getattr(module, name)
    return eval(text, {name: lambda **given: with_peak(name, call, peak, given)})


class Slope(nn.Cell):
    """A loss whose gradient is 1."""

    def __init__(self):
        super().__init__()
        self.weight = ms.Parameter(ms.Tensor(np.zeros(1, np.float32)), "w")

    def construct(self, x):
        return (self.weight * x).sum()


class Note(ms.Callback):
    def __init__(self, optimizer, weight):
        self.optimizer, self.weight, self.rates = optimizer, weight, []

    def on_train_step_begin(self, context):
        self.weight.set_data(ms.Tensor(np.zeros(1, np.float32)))
        self.rates.append(float(self.optimizer.get_lr().asnumpy()))

    def on_train_step_end(self, context):
        moved = -float(self.weight.asnumpy()[0])
        last = self.rates[-1]
        assert abs(moved - last) <= 3e-7 * max(self.rates), (moved, last)


def train(rate, updates):
    net = Slope()
    optimizer = nn.SGD(net.trainable_params(), learning_rate=rate)
    note = Note(optimizer, net.weight)
    ones = np.ones((updates, 1), np.float32)
    data = ms.dataset.NumpySlicesDataset((ones,), ["x"], shuffle=False)
    ms.Model(net, None, optimizer).train(
        1, data.batch(1), callbacks=[note], dataset_sink_mode=False)
    return note.rates


def documented(text, peak):
    """The loop of the examples in lr_scheduler."""
    net = Slope()
    optimizer = optim.SGD(net.trainable_params(), lr=peak)
    name = text.partition("(")[0]
    call = getattr(lr_scheduler, name)
    rate = {"max_lr": peak} if name == "CyclicLR" else {}
    scheduler = eval(text, {
        name: lambda **given: call(optimizer, **{**rate, **given})})
    gradient = ms.value_and_grad(net, None, optimizer.parameters)
    rates = []
    for _ in range(UPDATES):
        net.weight.set_data(ms.Tensor(np.zeros(1, np.float32)))
        _, gradients = gradient(ms.Tensor(np.ones(1, np.float32)))
        rates.append(float(optimizer.param_groups[0]["lr"].asnumpy()))
        optimizer(gradients)
        moved = -float(net.weight.asnumpy()[0])
        assert moved == rates[-1], (moved, rates[-1])
        scheduler.step()
    return rates


def write(loop, call, peak, rates):
    print(json.dumps({
        "library": "mindspore", "version": ms.__version__, "loop": loop,
        "call": call, "peak": peak, "f32": True, "rates": rates}))
    sys.stdout.flush()


ms.set_context(mode=ms.GRAPH_MODE)
ms.set_device("CPU")
for peak in PEAKS:
    for call in LISTS:
        rates = made(call, nn, peak)
        write("Model.train", call, peak, train(rates, len(rates)))
    for call in CLASSES:
        write("Model.train", call, peak, train(made(call, nn, peak), UPDATES))
ms.set_context(mode=ms.PYNATIVE_MODE)
for peak in PEAKS:
    for call in EXPERIMENTAL:
        write("optimizer(gradients); scheduler.step()", call, peak,
              documented(call, peak))
