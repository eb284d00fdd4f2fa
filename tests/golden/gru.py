#!/usr/bin/env python3
"""Writes gru.json: states and gradients of torch.nn.GRU.

    pip install torch==2.15.0
    python gru.py > gru.json

The loss is the sum of the states, each times a number of its own. Sequences
that end early are packed; their states beyond the end are 0. All is in f64.
"""

import json
import sys

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

torch.manual_seed(4)
LENGTH = 6


def rounded(*shape, scale=1.0):
    return (torch.randn(shape) * scale).mul(256).round().div(256).double()


def case(batch, inputs, width, lengths=None):
    unit = torch.nn.GRU(inputs, width, batch_first=True).double()
    with torch.no_grad():
        for weight in unit.parameters():
            weight.copy_(rounded(*weight.shape, scale=0.7))
    x = rounded(batch, LENGTH, inputs).requires_grad_()
    shares = rounded(batch, LENGTH, width)
    if lengths is None:
        y, _ = unit(x)
    else:
        packed = pack_padded_sequence(
            x, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
        y, _ = pad_packed_sequence(
            unit(packed)[0], batch_first=True, total_length=LENGTH)
    (y * shares).sum().backward()
    flat = lambda t: [float(f"{v:.9g}") for v in t.flatten().tolist()]
    weights = dict(unit.named_parameters())
    names = {
        "input.weight": "weight_ih_l0",
        "input.bias": "bias_ih_l0",
        "state.weight": "weight_hh_l0",
        "state.bias": "bias_hh_l0",
    }
    return {
        "sizes": [batch, LENGTH, inputs, width],
        "lengths": lengths,
        "x": flat(x),
        "shares": flat(shares),
        "weights": {n: flat(weights[t]) for n, t in names.items()},
        "y": flat(y),
        "dx": flat(x.grad),
        "gradients": {n: flat(weights[t].grad) for n, t in names.items()},
    }


json.dump({
    "versions": {"torch": torch.__version__},
    "cases": [
        case(3, 2, 5),
        case(5, 3, 17),
        case(4, 2, 8, [2, 6, 1, 4]),
        case(3, 1, 3, [5, 3, 5]),
    ],
}, sys.stdout, separators=(",", ":"))
