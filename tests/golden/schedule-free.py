#!/usr/bin/env python3
"""Writes schedule-free.json: weights of a small problem under the optimizers
of the package schedulefree.

    pip install torch==2.15.0 schedulefree==1.4.1
    python schedule-free.py > schedule-free.json

The gradient of weight i at update t is

    curvature_i (y_i - target_i) + 0.3 sin(1.7 i + 0.9 t)

with i counted over all weights, so that the file needs no gradients. The
optimizers run in f64. Kept are y, the weights that are trained, and x, the
averaged ones that are evaluated, as `optimizer.eval()` gives them.
"""

import json
import math
import sys
from importlib.metadata import version

import torch
from schedulefree import AdamWScheduleFree, SGDScheduleFree

UPDATES = 200
SEEN = [1, 2, 50, UPDATES]
SHAPES = {"bias": [5], "head.weight": [2, 3], "weight": [4, 3]}
SIZES = [math.prod(shape) for shape in SHAPES.values()]
COUNT = sum(SIZES)
START = [round(math.cos(2.3 * i), 3) for i in range(COUNT)]
TARGET = [round(math.sin(1.1 * i), 3) for i in range(COUNT)]
CURVATURE = [round(0.05 + 0.15 * (i % 7), 3) for i in range(COUNT)]


def follow(make, rates=None, clip=None):
    w = {}
    at = 0
    for (name, shape), size in zip(SHAPES.items(), SIZES):
        values = torch.tensor(START[at : at + size]).double().reshape(shape)
        w[name] = torch.nn.Parameter(values)
        at += size
    optimizer = make(w)
    optimizer.train()
    seen = {}
    base = [group["lr"] for group in optimizer.param_groups]
    for t in range(UPDATES):
        i = 0
        for weight in w.values():
            g = []
            for y in weight.flatten().tolist():
                g.append(
                    CURVATURE[i] * (y - TARGET[i])
                    + 0.3 * math.sin(1.7 * i + 0.9 * t)
                )
                i += 1
            weight.grad = torch.tensor(g).double().reshape(weight.shape)
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(w.values(), clip)
        if rates is not None:
            for group, lr in zip(optimizer.param_groups, base):
                group["lr"] = lr * rates[t]
        optimizer.step()
        if t + 1 in SEEN:
            numbers = lambda: {
                n: [float(f"{x:.9g}") for x in v.flatten().tolist()]
                for n, v in w.items()
            }
            y = numbers()
            optimizer.eval()
            seen[t + 1] = {"y": y, "x": numbers()}
            optimizer.train()
    return seen


cases = []


def case(ours, kind, lr, warmup=0, rates=None, clip=None, multiplier=1, **keys):
    """`rates` are factors on `lr` that a scheduler would set; `multiplier` is
    that of the rate of the head."""

    def make(w):
        rest = [v for n, v in w.items() if n != "head.weight"]
        groups = [
            {"params": rest, "lr": lr},
            {"params": [w["head.weight"]], "lr": lr * multiplier},
        ]
        return kind(groups, lr=lr, warmup_steps=warmup, **keys)

    factors = rates or [min(t + 1, warmup) / max(warmup, 1) if t < warmup
                        else 1.0 for t in range(UPDATES)]
    cases.append({
        "optimizer": ours,
        "rates": [float(f"{lr * f:.17g}") for f in factors],
        "weights": follow(make, rates, clip),
    })


SGD, ADAMW = SGDScheduleFree, AdamWScheduleFree
COSINE = [(1 + math.cos(math.pi * t / UPDATES)) / 2 for t in range(UPDATES)]
case({"kind": "sgd"}, SGD, 1.0)
case({"kind": "sgd", "weight_decay": 0.05}, SGD, 0.5, warmup=20,
     weight_decay=0.05)
case({"kind": "sgd", "momentum": 0.5, "clip_norm": 0.2}, SGD, 1.0, warmup=7,
     clip=0.2, momentum=0.5)
case({"kind": "sgd", "momentum": 0.98, "weight_decay": 0.01}, SGD, 1.0,
     rates=COSINE, momentum=0.98, weight_decay=0.01)
case({"kind": "sgd", "lr_multipliers": {"head": 0.25}}, SGD, 1.0, warmup=20,
     multiplier=0.25)
case({"kind": "adamw", "weight_decay": 0}, ADAMW, 0.02)
case({"kind": "adamw", "weight_decay": 0.2}, ADAMW, 0.02, warmup=20,
     weight_decay=0.2)
case({"kind": "adamw", "beta1": 0.98, "beta2": 0.95, "eps": 1e-3,
      "weight_decay": 0.1, "clip_norm": 0.2}, ADAMW, 0.05, warmup=7, clip=0.2,
     betas=(0.98, 0.95), eps=1e-3, weight_decay=0.1)
case({"kind": "adamw"}, ADAMW, 0.03, rates=COSINE, weight_decay=0.01)
case({"kind": "adamw", "weight_decay": 0, "lr_multipliers": {"head": 4}},
     ADAMW, 0.01, warmup=20, multiplier=4)

json.dump({
    "versions": {
        "torch": torch.__version__,
        "schedulefree": version("schedulefree"),
    },
    "shapes": SHAPES,
    "start": START,
    "target": TARGET,
    "curvature": CURVATURE,
    "cases": cases,
}, sys.stdout, separators=(",", ":"))
