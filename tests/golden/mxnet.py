#!/usr/bin/env python3
"""Writes mxnet.json: learning rates of MXNet's own schedulers.

    pip install --no-deps mxnet
    python mxnet.py > mxnet.json

In the form of schedules.json. MXNet 1.9 itself does not import beside a
current numpy; its lr_scheduler module stands alone and is loaded by its file.
MXNet counts updates from 1.
"""

import importlib.metadata
import importlib.util
import json
import sys

AFTER = 3  # updates beyond the budget

mxnet = importlib.metadata.distribution("mxnet")
path = mxnet.locate_file("mxnet/lr_scheduler.py")
spec = importlib.util.spec_from_file_location("lr_scheduler", path)
mx = importlib.util.module_from_spec(spec)
spec.loader.exec_module(mx)

cases = []


def case(schedule, steps, scheduler, peak=1.0):
    rates = [scheduler(update) for update in range(1, steps + AFTER + 1)]
    cases.append({
        "library": "mxnet", "spec": schedule, "peak": peak, "steps": steps,
        "tolerance": 1e-12, "rates": rates[:steps], "after": rates[steps:],
    })


case({"kind": "linear"}, 20, mx.PolyScheduler(20, 0.2, 1), 0.2)
case({"kind": "linear", "end_ratio": 0.1}, 20,
     mx.PolyScheduler(20, 0.2, 1, final_lr=0.02), 0.2)
case({"kind": "polynomial", "power": 2.0, "end_ratio": 0.1}, 20,
     mx.PolyScheduler(20, 1, 2, final_lr=0.1))
case({"kind": "polynomial", "power": 3.0}, 17,
     mx.PolyScheduler(17, 0.5, 3), 0.5)
case({"kind": "cosine", "end_ratio": 0.1}, 20,
     mx.CosineScheduler(20, 1, final_lr=0.1))
case({"kind": "cosine", "warmup": 5}, 30,
     mx.CosineScheduler(30, 1, warmup_steps=5))
case({"kind": "cosine", "warmup": 5, "warmup_start_ratio": 0.1}, 30,
     mx.CosineScheduler(30, 1, warmup_steps=5, warmup_begin_lr=0.1))
case({"kind": "linear", "warmup": 5, "warmup_start_ratio": 0.1}, 30,
     mx.PolyScheduler(30, 2, 1, warmup_steps=5, warmup_begin_lr=0.2), 2.0)
case({"kind": "linear", "warmup": 1}, 10,
     mx.PolyScheduler(10, 2, 1, warmup_steps=1), 2.0)
case({"kind": "step", "milestones": [5, 8], "gamma": 0.1}, 12,
     mx.MultiFactorScheduler([5, 8], 0.1, 1))
case({"kind": "step", "milestones": [5, 8], "gamma": 0.5, "warmup": 3}, 15,
     mx.MultiFactorScheduler([8, 11], 0.5, 1, warmup_steps=3))

json.dump({"versions": {"mxnet": mxnet.version}, "cases": cases}, sys.stdout,
          separators=(",", ":"))
print()
print(len(cases), "cases", file=sys.stderr)
