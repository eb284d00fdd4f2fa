#!/usr/bin/env python3
"""Writes accelerate.jsonl: the rates of a scheduler that accelerate prepared.

    pip install accelerate==1.15.0 torch==2.15.0 transformers==5.24.0
    python accelerate.py > accelerate.jsonl

The loop is the documented one: `accelerator.prepare`, then for each batch
`accelerator.backward`, `optimizer.step()`, `scheduler.step()`, under
`accelerator.accumulate` where gradients are accumulated. Each rate is read from the
optimizer at the moment of its step, on the first of `processes` processes. A
call of `AcceleratedScheduler` names what `prepare` makes of the arguments of the
Accelerator.

28 November 2026: python 3.11.7, torch 2.15.0, accelerate 1.15.0, transformers 5.24.0.
"""

import json
import os
import subprocess
import sys
import warnings

sys.path.pop(0)  # this folder, where the program has the name of the library
OUT, sys.stdout = sys.stdout, sys.stderr

import accelerate
import torch
from accelerate import Accelerator, DataLoaderConfiguration
from torch.optim import lr_scheduler

PEAKS = [1.0, 5e-5, 1e-3]
STEPS = 45
CYCLE = dict(max_lr=2e-3, total_steps=60)
HF = dict(num_warmup_steps=8, num_training_steps=30)
# (name, arguments)
ONE = [
    ("StepLR", dict(step_size=10, gamma=0.5)),
    ("LinearLR", dict(start_factor=0.1, total_iters=20)),
    ("CosineAnnealingLR", dict(T_max=60)),
    ("OneCycleLR", CYCLE),
    ("get_linear_schedule_with_warmup", HF),
]
TWO = ONE + [
    ("MultiStepLR", dict(milestones=[10, 25])),
    ("ExponentialLR", dict(gamma=0.97)),
    ("PolynomialLR", dict(total_iters=60, power=2.0)),
    ("CosineAnnealingWarmRestarts", dict(T_0=20)),
    ("CyclicLR", dict(base_lr=1e-4, max_lr=2e-3, step_size_up=10)),
    ("get_cosine_schedule_with_warmup", HF),
    ("get_wsd_schedule", dict(num_warmup_steps=8, num_decay_steps=12, num_stable_steps=20)),
]
LINEAR = ("LinearLR", dict(start_factor=0.1, total_iters=20))
HALF = ("get_linear_schedule_with_warmup", HF)
SPLIT = dict(dataloader_config=DataLoaderConfiguration(split_batches=True))
# (arguments of the Accelerator, those of its AcceleratedScheduler, processes,
# name, arguments)
OTHERS = [
    (SPLIT, dict(split_batches=True), 2, *LINEAR),
    (SPLIT, dict(split_batches=True), 2, *HALF),
    (SPLIT, dict(split_batches=True), 2, "OneCycleLR", CYCLE),
    (dict(split_batches=True), {}, 2, *HALF),  # taken, and never looked at
    (dict(step_scheduler_with_optimizer=False), dict(step_with_optimizer=False), 2, *LINEAR),
    (dict(step_scheduler_with_optimizer=False), dict(step_with_optimizer=False), 1, *HALF),
    (dict(gradient_accumulation_steps=4), {}, 1, *LINEAR),
    (dict(gradient_accumulation_steps=4), {}, 1, "OneCycleLR", CYCLE),
    (dict(gradient_accumulation_steps=4), {}, 2, "get_cosine_schedule_with_warmup", HF),
    (dict(gradient_accumulation_steps=4), {}, 2, "OneCycleLR", CYCLE),
]


def call(name, arguments):
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})"


def rates(name, arguments, peak, **settings):
    accelerator = Accelerator(cpu=True, **settings)
    assert accelerator.num_processes == int(os.environ.get("WORLD_SIZE", 1))
    net = torch.nn.Linear(1, 1)
    own = torch.optim.SGD(net.parameters(), lr=peak, momentum=0.9)
    found = []
    own.register_step_pre_hook(lambda optimizer, *_: found.append(optimizer.param_groups[0]["lr"]))
    if name.startswith("get_"):
        import transformers

        make = getattr(transformers, name, None) or getattr(transformers.optimization, name)
    else:
        make = getattr(lr_scheduler, name)
    net, own, schedule = accelerator.prepare(net, own, make(own, **arguments))
    while len(found) < STEPS:
        with accelerator.accumulate(net):
            accelerator.backward(net(torch.ones(1, 1)).square().sum())
            own.step()
            schedule.step()
            own.zero_grad()
    return found


def sequences(processes):
    """The calls, with what the Accelerator is given, of a number of processes."""
    own = [({}, {}, name, arguments) for name, arguments in (ONE if processes == 1 else TWO)]
    others = [(*settings, name, arguments) for *settings, number, name, arguments in OTHERS if number == processes]
    return own + others


def work(processes):
    """Writes the sequences of this number of processes, from the first one."""
    for settings, wrapped, name, arguments in sequences(processes):
        text = call(name, arguments)
        loop = "optimizer.step, scheduler.step of accelerator.prepare"
        if "gradient_accumulation_steps" in settings:
            loop += ", four batches accumulated"
        if "split_batches" in settings:
            loop += ", Accelerator(split_batches=True)"
        if wrapped:
            others = call("", wrapped)[1:]
            text = f"AcceleratedScheduler({text}, {others}"
        for peak in PEAKS if processes == 2 or settings else PEAKS[2:]:
            found = rates(name, arguments, peak, **settings)
            if os.environ.get("RANK", "0") == "0":
                print(json.dumps({
                    "library": "accelerate", "version": accelerate.__version__,
                    "loop": loop,
                    "call": text, "peak": peak, "processes": processes, "rates": found,
                }), file=OUT, flush=True)


def main():
    warnings.filterwarnings("ignore")
    if sys.argv[1:2] == ["--worker"]:
        work(int(sys.argv[2]))
        return
    work(1)
    # `accelerate launch --cpu --num_processes 2` starts one process only.
    command = [sys.executable, "-P", "-m", "torch.distributed.run", "--nproc_per_node", "2", "--standalone"]
    command += [os.path.abspath(__file__), "--worker", "2"]
    subprocess.run(command, check=True, stdout=OUT)


main()
