#!/usr/bin/env python3
"""Writes averages.json: losses of a small net with batch norm at averages of
its weights.

    pip install torch==2.15.0 schedulefree==1.4.1
    python averages.py > averages.json

The averages are those of torch.optim.swa_utils.AveragedModel, and those that
the optimizers of the package schedulefree keep. Before an evaluation the
statistics of batch norm are computed anew by torch.optim.swa_utils.update_bn,
on the batches of the first pass. BATCHES are those of the stream of seed 3;
the test checks them. All is in f64.
"""

import copy
import json
import math
import sys
from importlib.metadata import version

import torch
from schedulefree import AdamWScheduleFree, SGDScheduleFree
from torch.optim.swa_utils import (
    AveragedModel,
    get_ema_multi_avg_fn,
    get_swa_multi_avg_fn,
    update_bn,
)

BATCHES = [
    [7, 6, 8, 0], [5, 1, 3, 2], [3, 8, 5, 6], [4, 1, 2, 0], [8, 2, 0, 5],
    [9, 3, 1, 6], [3, 2, 6, 0], [5, 1, 8, 4], [7, 2, 6, 3], [1, 9, 0, 4],
    [1, 2, 8, 3], [4, 0, 6, 7], [5, 3, 4, 0], [8, 1, 7, 9], [4, 1, 8, 0],
    [7, 5, 3, 2], [8, 7, 3, 4], [0, 6, 9, 2], [3, 5, 4, 0], [1, 7, 2, 9],
]
A_PASS = 2
UPDATES = len(BATCHES)
# A fifth of the updates lies between two evaluations.
SEEN = [UPDATES * i // 5 for i in range(1, 6)]
SIZES = {"train": 10, "valid": 6, "test": 5}
# Weights by name, as PyTorch and lrscout shape them.
SHAPES = {
    "conv.weight": [3, 2, 3],
    "conv.bias": [3],
    "norm.weight": [3],
    "norm.bias": [3],
    "head.weight": [1, 15],
    "head.bias": [1],
}


def numbers(count, a, b):
    return [round(math.sin(a * i + b), 4) for i in range(count)]


def part(offset, size):
    inputs = numbers(size * 10, 0.7, offset)
    # A sum of each example, bent.
    targets = [
        round(math.tanh(sum(inputs[10 * i : 10 * i + 4])), 4)
        for i in range(size)
    ]
    return inputs, targets


DATA = {name: part(i, size) for i, (name, size) in enumerate(SIZES.items())}


def start():
    weights = {}
    for i, (name, shape) in enumerate(SHAPES.items()):
        values = [x / 2 for x in numbers(math.prod(shape), 1.3, i)]
        if name == "norm.weight":
            values = [1 + x / 2 for x in values]
        weights[name] = values
    return weights


START = start()


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv1d(2, 3, 3, padding=1)
        self.norm = torch.nn.BatchNorm1d(3)
        self.head = torch.nn.Linear(15, 1)
        self.double()
        with torch.no_grad():
            for name, weight in self.named_parameters():
                values = torch.tensor(START[name]).double()
                weight.copy_(values.reshape(weight.shape))

    def forward(self, x):
        return self.head(torch.relu(self.norm(self.conv(x))).flatten(1))


def tensors(name):
    inputs, targets = DATA[name]
    x = torch.tensor(inputs).double().reshape(-1, 2, 5)
    return x, torch.tensor(targets).double().reshape(-1, 1)


def loss(net, name):
    net.eval()
    x, y = tensors(name)
    with torch.no_grad():
        return torch.nn.functional.mse_loss(net(x), y).item()


def follow(make, average=None):
    """`average` gives an AveragedModel and the first update it takes."""
    net = Net()
    optimizer = make(net.parameters())
    free = hasattr(optimizer, "train")
    averaged, after = average(net) if average else (None, 0)
    x, y = tensors("train")
    seen = {"valid": [], "train_loss": []}
    for t, rows in enumerate(BATCHES):
        net.train()
        if free:
            optimizer.train()
        optimizer.zero_grad()
        value = torch.nn.functional.mse_loss(net(x[rows]), y[rows])
        value.backward()
        optimizer.step()
        seen["train_loss"].append(value.item())
        if averaged is not None and t + 1 > after:
            averaged.update_parameters(net)
        if t + 1 not in SEEN:
            continue
        if free:
            optimizer.eval()
        if averaged is not None and t + 1 > after:
            at = copy.deepcopy(averaged)
        else:
            at = copy.deepcopy(net)
        if free or t + 1 > after and averaged is not None:
            update_bn([x[rows] for rows in BATCHES[:A_PASS]], at)
        seen["valid"].append(loss(at, "valid"))
        seen["test"] = loss(at, "test")
    return seen


def ema(decay):
    return lambda net: (
        AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(decay)), 0)


def swa(share):
    return lambda net: (
        AveragedModel(net, multi_avg_fn=get_swa_multi_avg_fn()),
        round(share * UPDATES))


cases = []


def case(schedule, optimizer, lr, make, average=None):
    cases.append({
        "schedule": schedule,
        "optimizer": optimizer,
        "lr": lr,
        **follow(make, average),
    })


sgd = lambda w: torch.optim.SGD(w, lr=0.05, momentum=0.9)
# The bias before batch norm has no gradient but rounding errors; with an `eps`
# this large Adam does not make steps of them.
# lrscout's AdamW rounds 1 - beta of a rounded beta; these are exact in f32.
adamw = lambda w: torch.optim.AdamW(
    w, lr=0.02, betas=(0.875, 0.75), eps=1e-3, weight_decay=0.01)
ADAMW = {"kind": "adamw", "beta1": 0.875, "beta2": 0.75, "eps": 1e-3}
constant = {"kind": "constant"}
case(constant, {"kind": "sgd"}, 0.05, sgd)
case(constant | {"average": "ema"}, {"kind": "sgd"}, 0.05, sgd, ema(0.999))
case(constant | {"average": "ema", "average_decay": 0.8}, {"kind": "sgd"},
     0.05, sgd, ema(0.8))
case(constant | {"average": "swa"}, {"kind": "sgd"}, 0.05, sgd, swa(0.75))
case(constant | {"average": "swa", "average_from": 0}, {"kind": "sgd"},
     0.05, sgd, swa(0))
case(constant | {"average": "ema", "average_decay": 0.9}, ADAMW,
     0.02, adamw, ema(0.9))
case(constant | {"average": "swa", "average_from": 0.5}, ADAMW,
     0.02, adamw, swa(0.5))
free = {"kind": "schedule-free"}
case(free, {"kind": "sgd", "weight_decay": 0.01}, 0.2,
     lambda w: SGDScheduleFree(w, lr=0.2, weight_decay=0.01))
# A warm-up of 4 is the `warmup_steps` of 5 there: both reach the peak at the
# fifth update.
case(free | {"warmup": 4}, {"kind": "adamw", "eps": 1e-3}, 0.05,
     lambda w: AdamWScheduleFree(w, lr=0.05, eps=1e-3, weight_decay=0.01,
                                 warmup_steps=5))

json.dump({
    "versions": {
        "torch": torch.__version__,
        "schedulefree": version("schedulefree"),
    },
    "batches": BATCHES,
    "data": {n: {"inputs": i, "targets": t} for n, (i, t) in DATA.items()},
    "start": START,
    "shapes": SHAPES,
    "cases": cases,
}, sys.stdout, separators=(",", ":"))
