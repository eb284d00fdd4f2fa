#!/usr/bin/env python3
"""Writes optimizers.json: weights of a small net under the optimizers of
PyTorch and lion-pytorch.

    pip install torch==2.15.0 lion-pytorch==0.2.5
    python optimizers.py > optimizers.json

The gradients are those of one training of the net. They are rounded to three
digits, so that the file is small and every program reads the same numbers,
and given to all optimizers, with learning rates that change.

The optimizers run in f64. torch.optim.Muon makes matrices orthogonal in
bfloat16 whatever they are in; here it does so in their own type, but for the
case that says otherwise.
"""

import inspect
import json
import math
import sys
from importlib.metadata import version

import torch
import torch.optim._muon as muon
from lion_pytorch import Lion

torch.manual_seed(15)
UPDATES = 24
# Updates after which the weights are kept.
SEEN = [1, 2, 12, UPDATES]
SHAPES = {
    "block0.bias": [7],
    "block0.weight": [7, 5],
    "conv0.bias": [4],
    "conv0.weight": [4, 3, 2],
    "dense.hidden0.weight": [5, 8],
    "head.weight": [2, 7],
    "token.weight": [5, 3],
}
START = {
    name: (torch.randn(shape) / 2).mul(256).round().div(256).double()
    for name, shape in SHAPES.items()
}
RATES = [
    (i + 1) / 5 if i < 5 else (1 + math.cos(math.pi * (i - 5) / 19)) / 2
    for i in range(UPDATES)
]
CYCLE = [0.95 - 0.1 * rate for rate in RATES]


def net(w, inputs):
    x = w["token.weight"][inputs].transpose(1, 2)
    x = torch.nn.functional.conv1d(x, w["conv0.weight"], w["conv0.bias"])
    x = torch.tanh(x).flatten(1) @ w["dense.hidden0.weight"].T
    x = torch.tanh(x) @ w["block0.weight"].T + w["block0.bias"]
    return torch.tanh(x) @ w["head.weight"].T


def rounded(gradient):
    digits = [float(f"{value:.3g}") for value in gradient.flatten().tolist()]
    return torch.tensor(digits).double().reshape(gradient.shape)


def record():
    """The gradients of a training by plain SGD, on random batches."""
    w = {n: v.clone().requires_grad_() for n, v in START.items()}
    sgd = torch.optim.SGD(w.values(), lr=0.3)
    steps = []
    for _ in range(UPDATES):
        inputs = torch.randint(5, (6, 3))
        targets = inputs.sum(1) % 2
        sgd.zero_grad()
        torch.nn.functional.cross_entropy(net(w, inputs), targets).backward()
        steps.append({n: rounded(v.grad) for n, v in w.items()})
        sgd.step()
    return steps


GRADIENTS = record()
exact = inspect.getsource(muon._zeropower_via_newtonschulz)
in_bfloat16 = muon._zeropower_via_newtonschulz
exec(exact.replace("torch.bfloat16", "grad.dtype"), muon.__dict__)


def follow(make, peak, cycled=None, clip=None):
    """Weights after some updates. `make` gives optimizers with the learning
    rate of each over the peak, `cycled` those whose momentum follows CYCLE."""
    w = {n: torch.nn.Parameter(v.clone()) for n, v in START.items()}
    # Muon takes matrices only: a kernel as one.
    flat = w["conv0.weight"]
    flat.data = flat.data.flatten(1)
    optimizers = make(w)
    seen = {}
    for i, gradients in enumerate(GRADIENTS):
        for name, weight in w.items():
            weight.grad = gradients[name].clone().reshape(weight.shape)
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(w.values(), clip)
        for optimizer, ratio in optimizers:
            group = optimizer.param_groups[0]
            group["lr"] = peak * RATES[i] * ratio
            if cycled is not None and optimizer is optimizers[0][0]:
                if "betas" in group:
                    group["betas"] = (CYCLE[i], group["betas"][1])
                else:
                    group["momentum"] = CYCLE[i]
            optimizer.step()
        if i + 1 in SEEN:
            seen[i + 1] = {
                n: [float(f"{x:.9g}") for x in v.flatten().tolist()]
                for n, v in w.items()
            }
    return seen


def one(kind, **keys):
    return lambda w: [(kind(w.values(), lr=1.0, **keys), 1.0)]


def two(ratio, rest=None, **keys):
    """Muon for the matrices but embedding and head, AdamW for the rest."""

    def make(w):
        hidden = ["block0.weight", "conv0.weight", "dense.hidden0.weight"]
        others = [v for n, v in w.items() if n not in hidden]
        return [
            (torch.optim.Muon([w[n] for n in hidden], lr=1.0, **keys), 1.0),
            (torch.optim.AdamW(others, lr=1.0, **(rest or {})), ratio),
        ]

    return make


cases = []


def case(ours, make, peak, **how):
    cases.append({
        "optimizer": ours,
        "peak": peak,
        "cycled": "cycled" in how,
        "weights": follow(make, peak, **how),
    })


T = torch.optim
case({"kind": "sgd", "nesterov": True, "weight_decay": 0.05},
     one(T.SGD, momentum=0.9, nesterov=True, weight_decay=0.05), 0.1)
case({"kind": "adamw", "weight_decay": 0.2},
     one(T.AdamW, weight_decay=0.2), 0.02)
case({"kind": "adam", "weight_decay": 0.05},
     one(T.Adam, weight_decay=0.05), 0.02)
case({"kind": "adam", "beta1": 0.5, "beta2": 0.9, "eps": 1e-3,
      "weight_decay": 0.1, "clip_norm": 0.1},
     one(T.Adam, betas=(0.5, 0.9), eps=1e-3, weight_decay=0.1), 0.05,
     clip=0.1)
case({"kind": "adam", "weight_decay": 0.05},
     one(T.Adam, weight_decay=0.05), 0.02, cycled=True)
case({"kind": "rmsprop", "weight_decay": 0.05},
     one(T.RMSprop, weight_decay=0.05), 0.01)
case({"kind": "rmsprop", "alpha": 0.9, "eps": 1e-3, "momentum": 0.8,
      "weight_decay": 0.1},
     one(T.RMSprop, alpha=0.9, eps=1e-3, momentum=0.8, weight_decay=0.1),
     0.01)
case({"kind": "rmsprop", "momentum": 0.9},
     one(T.RMSprop, momentum=0.9), 0.01, cycled=True)
case({"kind": "lion", "weight_decay": 0.2},
     one(Lion, weight_decay=0.2), 0.01)
case({"kind": "lion", "beta1": 0.95, "beta2": 0.98, "weight_decay": 0.1,
      "clip_norm": 0.1},
     one(Lion, betas=(0.95, 0.98), weight_decay=0.1), 0.02, clip=0.1)
case({"kind": "lion", "weight_decay": 0.2},
     one(Lion, weight_decay=0.2), 0.01, cycled=True)
case({"kind": "muon"}, two(0.015), 0.05)
case({"kind": "muon", "adjust_lr_fn": "match-rms-adamw", "weight_decay": 0.3,
      "adamw_weight_decay": 0.2, "beta2": 0.95, "clip_norm": 0.1},
     two(1.0, adjust_lr_fn="match_rms_adamw", weight_decay=0.3,
         rest={"weight_decay": 0.2, "betas": (0.9, 0.95)}), 0.02, clip=0.1)
case({"kind": "muon", "adjust_lr_fn": "spectral-unclamped",
      "nesterov": False, "momentum": 0.8, "ns_steps": 3,
      "adamw_lr_ratio": 0.1},
     two(0.1, adjust_lr_fn="spectral_unclamped", nesterov=False,
         momentum=0.8, ns_steps=3), 0.05)
case({"kind": "muon"}, two(0.015), 0.05, cycled=True)
muon._zeropower_via_newtonschulz = in_bfloat16
case({"kind": "muon"}, two(0.015), 0.05)
cases[-1]["bfloat16"] = True

json.dump({
    "versions": {"torch": torch.__version__, "lion-pytorch": version("lion-pytorch")},
    "shapes": SHAPES,
    "start": {n: v.flatten().tolist() for n, v in START.items()},
    "rates": RATES,
    "cycle": CYCLE,
    "gradients": [
        {n: [float(f"{x:.3g}") for x in v.flatten().tolist()]
         for n, v in step.items()}
        for step in GRADIENTS
    ],
    "cases": cases,
}, sys.stdout, separators=(",", ":"))
