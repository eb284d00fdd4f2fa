#!/usr/bin/env python3
"""Writes deepspeed.jsonl: the rates of DeepSpeed's schedulers in its own engine.

    pip install deepspeed==0.19.8 torch==2.15.0      # ninja on the PATH
    python deepspeed.py > new.jsonl

and the same with 0.19.3 and 0.19.2; the file is the three outputs, one after the
other. Each rate is read from the optimizer at the moment of its step, inside
`engine.step` of an engine that `deepspeed.initialize` made on the CPU.
`python deepspeed.py facts` prints what else the pages of this library say.

28 November 2026: python 3.11.7, torch 2.15.0, deepspeed 0.19.8, 0.19.3, 0.19.2.
"""

import json
import logging
import os
import sys
import warnings

sys.path.pop(0)  # this folder, where the program has the name of the library
OUT, sys.stdout = sys.stdout, sys.stderr  # DeepSpeed logs to stdout

import deepspeed
import torch

PEAKS = [1.0, 5e-5, 1e-3]
STEPS = 45
WARM = dict(total_num_steps=30, warmup_num_steps=8)
LINEAR = dict(warmup_num_steps=8, warmup_type="linear")
CYCLE = dict(cycle_min_lr=1e-4, cycle_max_lr=1e-2)
SHORT = dict(cycle_first_step_size=9, cycle_second_step_size=14)
DECAY = dict(decay_lr_rate=0.5, decay_step_size=5)
STAIRS = dict(cycle_first_stair_count=3, cycle_second_stair_count=4)
RANGE = dict(lr_range_test_min_lr=1e-4, lr_range_test_step_size=7, lr_range_test_step_rate=5.0)

# (name, arguments, peaks)
CALLS = [
    ("WarmupLR", {}, PEAKS),
    ("WarmupLR", dict(warmup_num_steps=8), PEAKS),
    ("WarmupLR", LINEAR, PEAKS),
    ("WarmupLR", dict(LINEAR, warmup_min_lr=1e-5, warmup_max_lr=2e-3), PEAKS),
    ("WarmupLR", dict(warmup_num_steps=1), [1e-3]),
    ("WarmupDecayLR", dict(total_num_steps=30), PEAKS),
    ("WarmupDecayLR", WARM, PEAKS),
    ("WarmupDecayLR", dict(LINEAR, total_num_steps=30), PEAKS),
    ("WarmupDecayLR", dict(WARM, warmup_min_lr=1e-5, warmup_max_lr=2e-3), PEAKS),
    ("WarmupDecayLR", dict(total_num_steps=8, warmup_num_steps=12), [1e-3]),
    ("WarmupCosineLR", dict(total_num_steps=30), PEAKS),
    ("WarmupCosineLR", WARM, PEAKS),
    ("WarmupCosineLR", dict(LINEAR, total_num_steps=30), PEAKS),
    ("WarmupCosineLR", dict(WARM, warmup_min_ratio=0.1, cos_min_ratio=0.05), PEAKS),
    ("WarmupCosineLR", dict(total_num_steps=8, warmup_num_steps=12), [1e-3]),
    ("OneCycle", CYCLE, PEAKS),
    ("OneCycle", dict(CYCLE, **SHORT), PEAKS),
    ("OneCycle", dict(CYCLE, cycle_first_step_size=10), [1e-3]),
    ("OneCycle", dict(CYCLE, **SHORT, decay_lr_rate=0.5), [1e-3]),
    ("OneCycle", dict(CYCLE, **SHORT, **DECAY), PEAKS),
    ("OneCycle", dict(CYCLE, **SHORT, **STAIRS), [1e-3]),
    ("OneCycle", dict(CYCLE, cycle_first_step_size=10, cycle_first_stair_count=5), [1e-3]),
    ("LRRangeTest", {}, PEAKS),
    ("LRRangeTest", RANGE, PEAKS),
    ("LRRangeTest", dict(RANGE, lr_range_test_staircase=True), PEAKS),
]


def call(name, arguments):
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})"


# Schedulers of torch, made on the optimizer and handed to the engine.
TORCH = [
    ("LinearLR", dict(start_factor=0.1, total_iters=20)),
    ("CosineAnnealingLR", dict(T_max=60)),
    ("OneCycleLR", dict(max_lr=2e-3, total_steps=60)),
]


def engine(name, arguments, peak, **config):
    """An engine with the scheduler in its configuration, or one of torch."""
    net = torch.nn.Linear(1, 1)
    own = torch.optim.AdamW(net.parameters(), lr=peak)
    config.update(train_micro_batch_size_per_gpu=1)
    scheduler = None
    if hasattr(torch.optim.lr_scheduler, name):
        scheduler = getattr(torch.optim.lr_scheduler, name)(own, **arguments)
    else:
        config["scheduler"] = dict(type=name, params=arguments)
    made, *_ = deepspeed.initialize(model=net, optimizer=own, config=config, lr_scheduler=scheduler)
    return made, own


def trained(made, own, steps=STEPS):
    groups = []
    hook = own.register_step_pre_hook(lambda optimizer, *_: groups.append(dict(optimizer.param_groups[0])))
    for _ in range(steps):
        made.backward(made(torch.ones(1, 1)).square().sum())
        made.step()
    hook.remove()
    return groups


def rates(name, arguments, peak):
    return [float(group["lr"]) for group in trained(*engine(name, arguments, peak))]


def line(text, peak, found):
    return json.dumps({
        "library": "deepspeed", "version": deepspeed.__version__,
        "loop": "engine.step of deepspeed.initialize", "call": text, "peak": peak, "rates": found,
    })


def facts():
    print("version", deepspeed.__version__)
    for name in ("WarmupLR", "WarmupCosineLR"):
        try:
            arguments = dict(warmup_num_steps=0)
            if name != "WarmupLR":
                arguments["total_num_steps"] = 30
            print(name, "warmup_num_steps=0:", rates(name, arguments, 1.0)[:4])
        except ValueError as error:
            print(name, "warmup_num_steps=0 raises:", error)
    groups = trained(*engine("OneCycle", dict(CYCLE, **SHORT), 1e-3))
    betas = [group["betas"] for group in groups]
    print("OneCycle, betas of updates 0, 9, 23, 44:", [betas[t] for t in (0, 9, 23, 44)])
    groups = trained(*engine("OneCycle", dict(CYCLE, **SHORT, cycle_momentum=False), 1e-3))
    print("OneCycle, cycle_momentum=False, betas:", {group["betas"] for group in groups})
    groups = trained(*engine("OneCycle", dict(CYCLE, **SHORT, decay_mom_rate=0.1, decay_step_size=5), 1e-3))
    print("OneCycle, decay_mom_rate=0.1, last betas:", groups[-1]["betas"])
    made, own = engine("WarmupLR", LINEAR, 1.0, gradient_accumulation_steps=2)
    print("accumulation of 2, rates:", [float(group["lr"]) for group in trained(made, own, 12)])
    # A resume in the order that a loop of one's own has: the optimizer's state is
    # loaded, the scheduler is made, and its state is loaded.
    for name, arguments in dict((name, arguments) for name, arguments, _ in CALLS).items():
        make = getattr(deepspeed.runtime.lr_schedules, name)
        net = torch.nn.Linear(1, 1)
        own = torch.optim.AdamW(net.parameters(), lr=1e-3)
        schedule = make(own, **arguments)
        for _ in range(15):
            own.step()
            schedule.step()
        rate, saved, states = own.param_groups[0]["lr"], own.state_dict(), schedule.state_dict()
        again = torch.optim.AdamW(net.parameters(), lr=1e-3)
        again.load_state_dict(saved)
        schedule = make(again, **arguments)
        schedule.load_state_dict(states)
        first = again.param_groups[0]["lr"]
        again.step()
        schedule.step()
        print("resume of", name, "at 15:", rate, "becomes", first, "then", again.param_groups[0]["lr"])


def main():
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    where = dict(RANK="0", LOCAL_RANK="0", WORLD_SIZE="1", MASTER_ADDR="127.0.0.1")
    os.environ.update(where, MASTER_PORT=os.environ.get("MASTER_PORT", "29631"))
    if sys.argv[1:] == ["facts"]:
        facts()
        return
    old = deepspeed.__version__ != "0.19.8"
    for name, arguments, peaks in CALLS:
        if old and name not in ("WarmupCosineLR", "OneCycle"):
            peaks = peaks[-1:]
        for peak in peaks:
            if old and arguments is CYCLE and peak != 1e-3:
                continue
            try:
                found = rates(name, arguments, peak)
            except ZeroDivisionError:
                continue
            print(line(call(name, arguments), peak, found), file=OUT)
            if peak == 5e-5 and not old:
                text = json.dumps({"scheduler": {"type": name, "params": arguments}})
                print(line(text, peak, found), file=OUT)
    for name, arguments in [] if old else TORCH:
        for peak in PEAKS[2:]:
            print(line(call(name, arguments), peak, rates(name, arguments, peak)), file=OUT)


main()
