#!/usr/bin/env python3
"""Writes hf.jsonl: the rates of transformers' schedules in its own Trainer.

    pip install transformers==5.24.0 torch==2.15.0 accelerate==1.15.0
    python hf.py > hf.jsonl

Each rate is read from the optimizer at the moment of its step, inside
`Trainer.train` on the CPU. A call of a `get_...` function is handed to the
Trainer with `optimizers=`, which then runs beyond the plan; for
`TrainingArguments(...)` the Trainer makes the schedule, with `max_steps` = the
updates made. `python hf.py facts` prints what else the pages of this library say.

28 November 2026: python 3.11.7, torch 2.15.0, transformers 5.24.0, accelerate 1.15.0.
"""

import json
import logging
import sys
import tempfile
import warnings

sys.path.pop(0)  # this folder, whose programs have the names of libraries

import torch
import transformers
from transformers import Trainer, TrainingArguments

PEAKS = [1.0, 5e-5, 1e-3]
STEPS = 45
WARM = dict(num_warmup_steps=8)
PLAN = dict(WARM, num_training_steps=30)
WSD = dict(num_warmup_steps=8, num_decay_steps=12)

# (name, arguments); None as arguments: the schedule of `get_scheduler`.
CALLS = [
    ("get_constant_schedule", {}),
    ("get_constant_schedule_with_warmup", WARM),
    ("get_linear_schedule_with_warmup", PLAN),
    ("get_linear_schedule_with_warmup", dict(num_warmup_steps=0, num_training_steps=30)),
    ("get_cosine_schedule_with_warmup", PLAN),
    ("get_cosine_schedule_with_warmup", dict(PLAN, num_cycles=1.25)),
    ("get_cosine_with_hard_restarts_schedule_with_warmup", PLAN),
    ("get_cosine_with_hard_restarts_schedule_with_warmup", dict(PLAN, num_cycles=3)),
    ("get_polynomial_decay_schedule_with_warmup", PLAN),
    ("get_polynomial_decay_schedule_with_warmup", dict(PLAN, lr_end=1e-5, power=2.0)),
    ("get_inverse_sqrt_schedule", WARM),
    ("get_inverse_sqrt_schedule", dict(WARM, timescale=20)),
    ("get_inverse_sqrt_schedule", dict(num_warmup_steps=0)),
    ("get_cosine_with_min_lr_schedule_with_warmup", dict(PLAN, min_lr=1e-5)),
    ("get_cosine_with_min_lr_schedule_with_warmup", dict(PLAN, min_lr_rate=0.1)),
    ("get_cosine_with_min_lr_schedule_with_warmup_lr_rate", dict(PLAN, min_lr=1e-5)),
    ("get_cosine_with_min_lr_schedule_with_warmup_lr_rate", dict(PLAN, min_lr_rate=0.1, warmup_lr_rate=0.05)),
    ("get_wsd_schedule", dict(WSD, num_training_steps=30)),
    ("get_wsd_schedule", dict(WSD, num_stable_steps=15, min_lr_ratio=0.1, decay_type="linear")),
    ("get_wsd_schedule", dict(WSD, num_stable_steps=15, warmup_type="cosine", decay_type="1-sqrt")),
    ("get_wsd_schedule", dict(WSD, num_stable_steps=9, warmup_type="1-sqrt", min_lr_ratio=0.2, num_cycles=1.0)),
    ("get_scheduler", dict(name="linear", **PLAN)),
    ("get_scheduler", dict(name="cosine_with_min_lr", **PLAN, scheduler_specific_kwargs={"min_lr_rate": 0.1})),
    ("get_scheduler", dict(name="inverse_sqrt", **WARM)),
    ("get_scheduler", dict(name="constant")),
]
ARGUMENTS = [
    {},
    dict(lr_scheduler_type="linear", warmup_steps=8),
    dict(lr_scheduler_type="cosine", warmup_steps=0.1),
    dict(lr_scheduler_type="cosine", warmup_steps=0.07),
    dict(lr_scheduler_type="cosine_with_restarts", warmup_steps=5, lr_scheduler_kwargs={"num_cycles": 2}),
    dict(lr_scheduler_type="polynomial", warmup_steps=0.2),
    dict(lr_scheduler_type="polynomial", lr_scheduler_kwargs={"power": 2.0, "lr_end": 1e-6}),
    dict(lr_scheduler_type="constant", warmup_steps=8),
    dict(lr_scheduler_type="constant_with_warmup", warmup_steps=8),
    dict(lr_scheduler_type="inverse_sqrt", warmup_steps=8),
    dict(lr_scheduler_type="cosine_with_min_lr", warmup_steps=0.1, lr_scheduler_kwargs={"min_lr": 1e-5}),
    dict(lr_scheduler_type="cosine_warmup_with_min_lr", warmup_steps=5, lr_scheduler_kwargs={"min_lr_rate": 0.1}),
    dict(lr_scheduler_type="warmup_stable_decay", warmup_steps=5, lr_scheduler_kwargs={"num_decay_steps": 10}),
]


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(1, 1)

    def forward(self, x):
        return {"loss": self.linear(x).square().mean()}


class Recorded(Trainer):
    """The Trainer, with a record of its optimizer's rates."""

    def create_optimizer(self, *arguments, **keywords):
        made = super().create_optimizer(*arguments, **keywords)
        if not hasattr(self, "rates"):
            self.rates = []
            note = lambda own, *_: self.rates.append(own.param_groups[0]["lr"])  # noqa: E731
            self.optimizer.register_step_pre_hook(note)
        return made


def call(name, arguments):
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})"


def trainer(peak, schedule=None, steps=STEPS, folder=None, **arguments):
    with tempfile.TemporaryDirectory() as temporary:
        own = TrainingArguments(
            folder or temporary, learning_rate=peak, max_steps=steps, report_to=[], use_cpu=True, disable_tqdm=True,
            **{"save_strategy": "no", **arguments},
        )
    net = Net()
    data = [{"x": torch.ones(1)} for _ in range(8)]
    optimizers = (None, None)
    if schedule is not None:
        optimizer = torch.optim.AdamW(net.parameters(), lr=peak)
        optimizers = (optimizer, schedule(optimizer))
    made = Recorded(net, own, train_dataset=data, optimizers=optimizers)
    if schedule is not None:
        made.create_optimizer()
    return made


def rates(*arguments, resume=None, **keywords):
    made = trainer(*arguments, **keywords)
    made.train(resume_from_checkpoint=resume)
    return made.rates


def write(text, peak, found):
    print(json.dumps({
        "library": "hf", "version": transformers.__version__, "loop": "Trainer.train",
        "call": text, "peak": peak, "rates": found,
    }), file=OUT, flush=True)


def facts():
    say = lambda *words: print(*words, file=OUT)  # noqa: E731
    say("version", transformers.__version__)
    for share, steps in ((0.07, 100), (0.1, 45), (1.0, 45)):
        say("warmup_steps =", share, "of", steps, "is", TrainingArguments("x", warmup_steps=share).get_warmup_steps(steps))
    try:
        TrainingArguments("x", warmup_ratio=0.1)
        say("warmup_ratio is taken")
    except TypeError as error:
        say("warmup_ratio raises", error)
    for kind, more in (("cosine_with_min_lr", {}), ("cosine_warmup_with_min_lr", {}), ("constant_with_warmup", dict(num_cycles=2)), ("linear", dict(num_cycles=2)), ("polynomial", dict(lr_end=2.0))):
        try:
            say(kind, more, rates(1.0, lr_scheduler_type=kind, lr_scheduler_kwargs=more)[:3])
        except Exception as error:
            say(kind, more, "raises", type(error).__name__, str(error)[:120])
    for plan in (20, 10):
        with tempfile.TemporaryDirectory() as folder:
            whole = dict(folder=folder, save_strategy="steps", save_steps=10, lr_scheduler_type="linear")
            first = rates(1.0, steps=plan, **whole)
            second = rates(1.0, steps=40, resume=f"{folder}/checkpoint-10", **whole)
        say("trained with a plan of", plan, first[8:11], "resumed at 10 with a plan of 40", second[:4])
    say("accumulation of 2:", rates(1.0, steps=6, gradient_accumulation_steps=2))


def main():
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    if sys.argv[1:] == ["facts"]:
        facts()
        return
    for name, arguments in CALLS:
        make = getattr(transformers, name, None) or getattr(transformers.optimization, name)
        for peak in PEAKS:
            if name == "get_scheduler":
                own = dict(arguments)
                kind = own.pop("name")
                schedule = lambda optimizer: make(kind, optimizer, **own)  # noqa: E731, B023
            else:
                schedule = lambda optimizer: make(optimizer, **arguments)  # noqa: E731, B023
            write(call(name, arguments), peak, rates(peak, schedule))
    for arguments in ARGUMENTS:
        for peak in PEAKS[1:]:
            write(call("TrainingArguments", arguments), peak, rates(peak, **arguments))


OUT, sys.stdout = sys.stdout, sys.stderr  # the Trainer prints its logs
main()
