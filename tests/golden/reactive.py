#!/usr/bin/env python3
"""Writes reactive.json: what PyTorch's ReduceLROnPlateau makes of given
losses, and how its OneCycleLR and CyclicLR cycle the momentum.

    pip install torch
    python reactive.py > reactive.json
"""

import json
import random
import sys

import torch
import torch.optim.lr_scheduler as tl


def optimizer(peak=1.0):
    weight = torch.nn.Parameter(torch.zeros(1))
    return torch.optim.SGD([weight], lr=peak, momentum=0.9)


# --- Plateau ---------------------------------------------------------------

def noisy(seed, count, rate, noise):
    draw = random.Random(seed)
    return [2.0 * rate ** i + noise * draw.random() for i in range(count)]


LOSSES = {
    "falling": [1.0 / (1 + i) for i in range(12)],
    "flat": [1.0] * 30,
    "a ten-thousandth": [0.5 * (1 - 1.01e-4) ** i for i in range(10)]
    + [0.4 * (1 - 0.99e-4) ** i for i in range(10)],
    "noisy": noisy(1, 60, 0.9, 0.2),
    "noisier": noisy(2, 60, 0.97, 0.5),
    "rising": [1.0 + 0.1 * i for i in range(20)],
}

plateaus = []
for name, losses in LOSSES.items():
    for factor, patience, least in [
        (0.1, 10, 0.0), (0.5, 2, 0.0), (0.5, 0, 0.05), (0.3, 4, 0.01),
    ]:
        opt = optimizer()
        scheduler = tl.ReduceLROnPlateau(
            opt, factor=factor, patience=patience, min_lr=least, eps=0.0)
        rates = []
        for loss in losses:
            scheduler.step(loss)
            rates.append(opt.param_groups[0]["lr"])
        plateaus.append({
            "name": name, "losses": losses, "rates": rates,
            "spec": {"kind": "plateau", "factor": factor,
                     "patience": patience, "min_ratio": least},
        })


# --- Momentum --------------------------------------------------------------

momenta = []


def cycled(spec, steps, make):
    opt = optimizer()
    scheduler = make(opt)
    values = []
    for _ in range(steps):
        values.append(opt.param_groups[0]["momentum"])
        opt.step()
        scheduler.step()
    momenta.append({"spec": spec, "momenta": values})


for anneal in ["cos", "linear"]:
    for three_phase in [False, True]:
        for low, high in [(0.85, 0.95), (0.0, 0.5)]:
            spec = {"kind": "one-cycle", "anneal": anneal,
                    "three_phase": three_phase, "cycle_momentum": [low, high]}
            cycled(spec, 30, lambda opt: tl.OneCycleLR(
                opt, max_lr=1.0, total_steps=30, anneal_strategy=anneal,
                three_phase=three_phase, base_momentum=low,
                max_momentum=high))
for mode in ["triangular", "triangular2", "exp_range"]:
    spec = {"kind": "cyclical", "mode": mode.replace("_", "-"),
            "step_size_up": 3, "step_size_down": 5, "gamma": 0.98,
            "cycle_momentum": [0.8, 0.9]}
    cycled(spec, 30, lambda opt: tl.CyclicLR(
        opt, base_lr=0.1, max_lr=1.0, step_size_up=3, step_size_down=5,
        mode=mode, gamma=0.98, base_momentum=0.8, max_momentum=0.9))

json.dump({
    "torch": torch.__version__, "plateaus": plateaus, "momenta": momenta,
}, sys.stdout, separators=(",", ":"))
print()
