"""How much the launcher adds to an update: blocks of updates with and without it, in
turns in one process, so that a busy machine slows both. Prints the median difference.

    python tests/overhead.py [WIDTH]       an MLP of 20-WIDTH-WIDTH-5, batches of 64
"""

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

import torch
import torch.nn as nn
import torch.nn.functional as F
from play import npy
from torch.optim import optimizer as hooks

from lrscout import for_torch
from lrscout.session import Session

BLOCK, BLOCKS = 50, 200
width = int(sys.argv[1]) if len(sys.argv) > 1 else 64
torch.set_num_threads(1)
with tempfile.TemporaryDirectory() as folder:
    spec = Path(folder) / "spec.json"
    rates = [1e-3] * (BLOCK * BLOCKS + 1)
    task = {"seed": 1, "steps": len(rates), "lr_table": npy(Path(folder) / "lr", rates)}
    spec.write_text(json.dumps(task))
    said = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the events
    session = Session(str(spec), "overhead")
plain = torch.autograd.backward
for_torch.TorchHooks(session, torch).install()
watched = torch.autograd.backward
pre, post = (
    dict(h) for h in (hooks._global_optimizer_pre_hooks, hooks._global_optimizer_post_hooks)
)


def launched(yes):
    for own, all_hooks in (
        (pre, hooks._global_optimizer_pre_hooks),
        (post, hooks._global_optimizer_post_hooks),
    ):
        all_hooks.clear()
        all_hooks.update(own if yes else {})
    torch.autograd.backward = watched if yes else plain


model = nn.Sequential(
    nn.Linear(20, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 5)
)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
x, y = torch.randn(64, 20), torch.randint(5, (64,))
times = {True: [], False: []}
for block in range(2 * BLOCKS):
    yes = block % 2 == 1
    launched(yes)
    began = time.perf_counter()
    for _ in range(BLOCK):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
    times[yes].append((time.perf_counter() - began) / BLOCK * 1e6)
bare = statistics.median(times[False])
more = statistics.median(b - a for a, b in zip(times[False], times[True]))
text = f"bare {bare:.1f} us, launcher +{more:.1f} us ({100 * more / bare:.1f} %)\n"
os.write(said, text.encode())
