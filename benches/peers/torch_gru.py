#!/usr/bin/env python3
"""Microseconds of a training step of the nets of benches/gru.toml in PyTorch,
on one thread: the lowest of several rounds.

    pip install torch==2.15.0
    python torch_gru.py

Padding is computed, as in a plain program. The numbers in the batch do not
matter for the speed.
"""

import time

import torch

torch.set_num_threads(1)
VOCABULARY, CONTEXT, BATCH = 27, 16, 64
ROUNDS, STEPS = 8, 30


class Words(torch.nn.Module):
    def __init__(self, hidden, layers):
        super().__init__()
        self.token = torch.nn.Embedding(VOCABULARY, 32)
        self.gru = torch.nn.GRU(32, hidden, layers, batch_first=True)
        self.head = torch.nn.Linear(hidden, VOCABULARY)

    def forward(self, x):
        return self.head(self.gru(self.token(x))[0]).flatten(0, 1)


class Signal(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = torch.nn.GRU(1, 64, batch_first=True)
        self.head = torch.nn.Linear(64, 10)

    def forward(self, x):
        return self.head(self.gru(x)[0][:, -1])


def step_time(net, x, y):
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3, fused=True)
    lowest = float("inf")
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(STEPS):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(net(x), y).backward()
            optimizer.step()
        lowest = min(lowest, (time.perf_counter() - began) / STEPS)
    return lowest * 1e6


words = torch.randint(VOCABULARY, (BATCH, CONTEXT))
nexts = torch.randint(VOCABULARY, (BATCH * CONTEXT,))
print("words-gru", round(step_time(Words(64, 1), words, nexts)))
print("words-gru-128-2", round(step_time(Words(128, 2), words, nexts)))
signals, classes = torch.randn(BATCH, 40, 1), torch.randint(10, (BATCH,))
print("mnist1d-gru", round(step_time(Signal(), signals, classes)))
