#!/usr/bin/env python3
"""Writes audit.jsonl.gz: logs of learning rates of real trainings, most with a
planted fault, for `lrscout audit`.

    pip install torch==2.15.0 transformers==5.24.0 accelerate==1.15.0 \\
        lightning==2.6.6 timm==1.0.31 keras==3.15.1 jax optax==0.2.8 \\
        tensorboard==2.21.0
    python -P audit.py --lrscout PATH

Each training is a loop of the library named: an optimizer of the library makes
the updates under a schedule of the library (`LambdaLR` where torch has none of
that kind). The rate of each update is read in the optimizer. The intended
rates are those of the same plan stepped once an update; `first_update` is the
first update, counted from 0, whose rate is further than 1 % of the peak from
the intended one. No rate of lrscout enters.

The program stops unless, within the digits printed, each log without a fault
has the rates that `lrscout schedules values` prints for `spec` (with `compat`
where a line has one), and each log with a fault has at least two rows that are
further than 2 % of the peak from them, whichever update a row is read for.

One JSON object a line. `file` is the name that the log would have, `text` its
content; `loop` tells how it was trained and logged. Logs of HF Trainer,
Lightning and Keras' CSVLogger are as the library wrote them. TensorBoard's are
read back from its event files and written as its CSV download; `wandb.csv`
has the columns of a downloaded history. Losses are those of the training.

Made on 2026-11-28 with Python 3.11.7 and the versions above, jax 0.10.2.
"""

import argparse
import collections
import csv
import gzip
import importlib.metadata
import io
import itertools
import json
import logging
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import warnings

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"
warnings.filterwarnings("ignore")

import accelerate
import jax
import jax.numpy as jnp
import keras
import lightning
import numpy as np
import optax
import timm.scheduler
import torch
import transformers
from torch.optim import lr_scheduler as ts

for name in ("lightning.pytorch", "transformers", "accelerate"):
    logging.getLogger(name).setLevel(logging.ERROR)
transformers.logging.disable_progress_bar()
torch.set_num_threads(1)

VERSIONS = {name: f"{name} {importlib.metadata.version(name)}" for name in (
    "torch", "transformers", "accelerate", "timm", "keras", "lightning",
    "optax")}
PEAKS = [5e-5, 3e-4, 1e-3, 0.1, 1e-4, 3e-3, 0.5, 0.01, 0.05]
SHARES = [0.0, 0.1, 0.05, 0.2, 0.02]
BUDGETS = {1: [200, 300, 250, 400], 10: [500, 1000, 800, 2000, 1500],
           50: [2000, 3000, 5000]}
FRAMES = list(itertools.product(
    ["from-0", "from-1", "last-0", "one-1"], ["before", "after"]))
DIGITS = [None, "%.2e", "f32", "%.5e", "%.3e", "%.4g", "%.1e", "%.6g"]


class Plan:
    """What was intended: a SPEC, and how to make the library's schedule of it.

    `make(optimizer)` gives the scheduler, for updates `steps` and a warm-up of
    `warmup`; with `times` the plan is as many times as long."""

    def __init__(self, library, kind, steps, warmup, peak):
        self.library, self.kind, self.peak = library, kind, peak
        self.steps, self.warmup = steps, warmup
        self.compat = {"torch": None, "transformers": "hf", "accelerate": "hf",
                       "optax": "optax", "timm": "timm-prefix",
                       "keras": "keras", "lightning": None}[library]

    def longer(self, times=1, warmup=1, peak=1):
        """The same plan, a number of times as long, warm, high."""
        plan = Plan(self.library, self.kind, round(self.steps * times),
                    round(self.warmup * warmup), self.peak * peak)
        return plan

    @property
    def spec(self):
        keys = dict(SPECS[self.kind])
        for key, value in keys.items():
            if callable(value):
                keys[key] = value(self)
        kind = keys.pop("kind")
        words = [f'kind = "{kind}"'] + [
            f"{key} = {json.dumps(value)}" for key, value in keys.items()]
        if self.warmup:
            words.append(f"warmup = {self.warmup}")
        return "{ " + ", ".join(words) + " }"


SPECS = {
    "constant": {"kind": "constant"},
    "linear": {"kind": "linear"},
    "cosine": {"kind": "cosine"},
    "cosine-10": {"kind": "cosine", "end_ratio": 0.1},
    "polynomial": {"kind": "polynomial", "power": 2.0},
    "hf-polynomial": {"kind": "polynomial", "power": 2.0,
                      "end_ratio": lambda plan: 1e-7 / plan.peak},
    "exponential": {"kind": "exponential"},
    "step": {"kind": "step", "milestones": [0.25, 0.5, 0.75], "gamma": 0.5},
    "multi-step": {"kind": "step"},
    "inverse-sqrt": {"kind": "inverse-sqrt",
                     "timescale": lambda plan: max(plan.steps // 20, 1)},
    "wsd": {"kind": "wsd", "decay": 0.2},
    "wsd-sqrt": {"kind": "wsd", "decay": 0.2, "shape": "one-minus-sqrt"},
    "one-cycle": {"kind": "one-cycle"},
    "sgdr": {"kind": "sgdr", "cycles": 4},
    "cyclical": {"kind": "cyclical"},
    "triangular": {"kind": "triangular"},
}


# The schedules of torch, and LambdaLR where torch has none.

def lambda_rate(kind, n, timescale):
    """The factor at update t of n, for LambdaLR."""
    def wsd(t, shape):
        return shape(min(max(1 - (n - t) / n / 0.2, 0.0), 1.0))
    return {
        "inverse-sqrt": lambda t: 1 / math.sqrt(1 + t / timescale),
        "wsd": lambda t: wsd(t, lambda x: 1 - x),
        "wsd-sqrt": lambda t: wsd(t, lambda x: 1 - math.sqrt(x)),
        "triangular": lambda t: max(0.1, 0.1 + 0.9 * (
            t / n / 0.5 if t < n / 2 else (1 - t / n) / 0.5)),
    }[kind]


def torch_body(plan, optimizer, n):
    kind, peak = plan.kind, plan.peak
    if kind == "constant":
        return ts.ConstantLR(optimizer, factor=1.0, total_iters=1)
    if kind == "linear":
        return ts.LinearLR(optimizer, 1.0, 0.0, total_iters=n)
    if kind == "cosine":
        return ts.CosineAnnealingLR(optimizer, T_max=n)
    if kind == "cosine-10":
        return ts.CosineAnnealingLR(optimizer, T_max=n, eta_min=0.1 * peak)
    if kind == "polynomial":
        return ts.PolynomialLR(optimizer, total_iters=n, power=2.0)
    if kind == "exponential":
        return ts.ExponentialLR(optimizer, gamma=0.01 ** (1 / n))
    if kind == "step":
        return ts.StepLR(optimizer, n // 4, gamma=0.5)
    if kind == "multi-step":
        return ts.MultiStepLR(optimizer, [math.ceil(n / 2),
                                          math.ceil(n * 3 / 4)])
    if kind == "one-cycle":
        return ts.OneCycleLR(optimizer, max_lr=peak, total_steps=n,
                             cycle_momentum=False)
    if kind == "sgdr":
        return ts.CosineAnnealingWarmRestarts(optimizer, T_0=n // 4)
    if kind == "cyclical":
        return ts.CyclicLR(optimizer, 0.1 * peak, peak, n // 8,
                           cycle_momentum=False)
    return ts.LambdaLR(optimizer, lambda_rate(
        kind, n, max(plan.steps // 20, 1)))


def torch_make(plan, optimizer):
    warmup = plan.warmup
    if not warmup:
        return torch_body(plan, optimizer, plan.steps)
    rise = ts.LinearLR(optimizer, 1 / (warmup + 1), 1.0, total_iters=warmup)
    after = torch_body(plan, optimizer, plan.steps - warmup)
    return ts.SequentialLR(optimizer, [rise, after], milestones=[warmup])


def hf_name(plan):
    """The arguments of get_scheduler and of TrainingArguments."""
    n = plan.steps - plan.warmup
    return {
        "constant": ("constant_with_warmup", {}),
        "linear": ("linear", {}),
        "cosine": ("cosine", {}),
        "cosine-10": ("cosine_with_min_lr", {"min_lr_rate": 0.1}),
        "hf-polynomial": ("polynomial", {"power": 2.0}),
        "inverse-sqrt": ("inverse_sqrt",
                         {"timescale": max(plan.steps // 20, 1)}),
        "wsd": ("warmup_stable_decay", {
            "num_decay_steps": round(n * 0.2), "decay_type": "linear"}),
        "wsd-sqrt": ("warmup_stable_decay", {
            "num_decay_steps": round(n * 0.2), "decay_type": "1-sqrt"}),
        "sgdr": ("cosine_with_restarts", {"num_cycles": 4}),
    }[plan.kind]


def hf_make(plan, optimizer):
    name, more = hf_name(plan)
    return transformers.get_scheduler(
        name, optimizer, num_warmup_steps=plan.warmup,
        num_training_steps=plan.steps, scheduler_specific_kwargs=more)


class Timm:
    """A timm scheduler under the calls of the loop in `steps_of`."""

    def __init__(self, plan, optimizer):
        n = plan.steps - plan.warmup
        given = dict(warmup_t=plan.warmup, warmup_lr_init=0.0,
                     warmup_prefix=True, t_in_epochs=False)
        s = timm.scheduler
        self.inner = {
            "cosine": lambda: s.CosineLRScheduler(
                optimizer, t_initial=n, **given),
            "cosine-10": lambda: s.CosineLRScheduler(
                optimizer, t_initial=n, lr_min=0.1 * plan.peak, **given),
            "polynomial": lambda: s.PolyLRScheduler(
                optimizer, t_initial=n, power=2.0, **given),
            "linear": lambda: s.PolyLRScheduler(
                optimizer, t_initial=n, power=1.0, **given),
            }[plan.kind]()
        self.updates = 0

    def step(self):
        self.updates += 1
        self.inner.step_update(self.updates)

    def state_dict(self):
        return {"updates": self.updates, "inner": self.inner.state_dict()}

    def load_state_dict(self, state):
        self.updates = state["updates"]
        self.inner.load_state_dict(state["inner"])


MAKE = {"torch": torch_make, "lightning": torch_make, "transformers": hf_make,
        "accelerate": hf_make, "timm": Timm}


def optax_schedule(plan):
    n, w, peak = plan.steps - plan.warmup, plan.warmup, plan.peak
    after = {
        "constant": lambda: optax.constant_schedule(peak),
        "linear": lambda: optax.linear_schedule(peak, 0.0, n),
        "cosine": lambda: optax.cosine_decay_schedule(peak, n),
        "cosine-10": lambda: optax.cosine_decay_schedule(peak, n, alpha=0.1),
        "polynomial": lambda: optax.polynomial_schedule(peak, 0.0, 2, n),
        "exponential": lambda: optax.exponential_decay(peak, n, 0.01),
        "multi-step": lambda: optax.piecewise_constant_schedule(
            peak, {math.ceil(n / 2): 0.1, math.ceil(n * 3 / 4): 0.1}),
        "sgdr": lambda: optax.join_schedules(
            [optax.cosine_decay_schedule(peak, n // 4)] * 4,
            [n // 4 * i for i in (1, 2, 3)]),
    }[plan.kind]()
    if not w:
        return after
    return optax.join_schedules([optax.linear_schedule(0.0, peak, w), after],
                                [w])


class KerasPlan(keras.optimizers.schedules.LearningRateSchedule):
    """A linear rise to the peak before a schedule of Keras."""

    def __init__(self, peak, warmup, after, whole=False):
        self.peak, self.warmup, self.after = peak, warmup, after
        self.whole = whole

    def __call__(self, step):
        step = keras.ops.cast(step, "float32")
        x = step / self.warmup
        x = keras.ops.floor(x) if self.whole else x
        return keras.ops.where(step < self.warmup, self.peak * x,
                               self.after(step - self.warmup))


def keras_schedule(plan, whole=False):
    s = keras.optimizers.schedules
    n, w, peak = plan.steps - plan.warmup, plan.warmup, plan.peak
    if plan.kind in ("cosine", "cosine-10") and not whole:
        alpha = 0.1 if plan.kind == "cosine-10" else 0.0
        if w:
            return s.CosineDecay(0.0, n, alpha=alpha, warmup_target=peak,
                                 warmup_steps=w)
        return s.CosineDecay(peak, n, alpha=alpha)
    after = {
        "linear": lambda: s.PolynomialDecay(peak, n, 0.0),
        "polynomial": lambda: s.PolynomialDecay(peak, n, 0.0, power=2.0),
        "cosine": lambda: s.CosineDecay(peak, n),
        "exponential": lambda: s.ExponentialDecay(peak, n, 0.01),
        "multi-step": lambda: s.PiecewiseConstantDecay(
            [math.ceil(n / 2), math.ceil(n * 3 / 4)],
            [peak, peak * 0.1, peak * 0.01]),
        "default-end": lambda: s.PolynomialDecay(peak, n),
    }[plan.kind]()
    return KerasPlan(peak, w, after, whole) if w else after


# The loops. Each gives rows (update, rate of it, rate after it, loss).

class SGD(torch.optim.SGD):
    """SGD that notes the rate of each update."""

    def step(self, closure=None):
        self.rates.append(self.param_groups[0]["lr"])
        return super().step(closure)


def recorded(parameters, peak):
    optimizer = SGD(parameters, lr=peak)
    optimizer.rates = []
    return optimizer


def once(update):
    """A scheduler that is stepped once an update."""
    return 1


def torch_loop(plan, updates, steps_of=once, make=None, at=None, prepared=1):
    """The usual loop of torch. `steps_of(update)` are the calls of
    `scheduler.step()` after an update; `at` is (stop, checkpoint, plan or None,
    steps): the training stops before update `stop` and resumes from
    `checkpoint`, with the saved states or with a new scheduler of another plan
    that is stepped `steps` times first. `prepared` is the number of processes
    that accelerate believes in."""
    make = make or MAKE[plan.library]
    weight = torch.nn.Parameter(torch.tensor([3.0]))
    optimizer = recorded([weight], plan.peak)
    scheduler = make(plan, optimizer)
    if plan.library == "accelerate":
        accelerator = accelerate.Accelerator(cpu=True)
        optimizer, scheduler = accelerator.prepare(optimizer, scheduler)
        accelerate.PartialState._shared_state["num_processes"] = prepared
    rates = optimizer.rates if plan.library != "accelerate" else (
        optimizer.optimizer.rates)
    rows, update, saved = [], 0, None
    stop, checkpoint, other, forward = at or (None, None, None, 0)
    while update < updates:
        if update == checkpoint and saved is None:
            saved = io.BytesIO()
            torch.save((optimizer.state_dict(), scheduler.state_dict()), saved)
        if update == stop:
            stop, update = None, checkpoint
            peak = other.peak if other else plan.peak
            optimizer = recorded([weight], peak)
            scheduler = make(other or plan, optimizer)
            rates = optimizer.rates
            for _ in range(forward):
                scheduler.step()
            if other is None:
                saved.seek(0)
                states = torch.load(saved, weights_only=False)
                optimizer.load_state_dict(states[0])
                scheduler.load_state_dict(states[1])
        loss = torch.sqrt(1 + weight**2).sum()
        loss.backward()
        optimizer.step()
        for _ in range(steps_of(update)):
            scheduler.step()
        optimizer.zero_grad()
        rows.append((update, rates[-1], optimizer.param_groups[0]["lr"],
                     loss.item()))
        update += 1
    if plan.library == "accelerate":
        accelerate.state.AcceleratorState._reset_state(
            reset_partial_state=True)
    return rows


def optax_loop(schedule, updates, at=None):
    """optax's loop; the rate is the hyperparameter of the optimizer's state.
    `at` is (update, schedule): from there on a new optimizer and state."""
    def made(schedule):
        optimizer = optax.inject_hyperparams(optax.sgd)(learning_rate=schedule)

        @jax.jit
        def step(weight, state):
            loss, slope = jax.value_and_grad(
                lambda w: jnp.sqrt(1 + w**2))(weight)
            change, state = optimizer.update(slope, state, weight)
            return optax.apply_updates(weight, change), state, loss
        return optimizer, step

    weight = jnp.float32(3.0)
    optimizer, step = made(schedule)
    state = optimizer.init(weight)
    rows = []
    for update in range(updates):
        if at and update == at[0]:
            optimizer, step = made(at[1])
            state = optimizer.init(weight)
        weight, state, loss = step(weight, state)
        rows.append([update, float(state.hyperparams["learning_rate"]), None,
                     float(loss)])
    rates = [row[1] for row in rows] + [rows[-1][1]]
    return [(u, rate, rates[u + 1], loss) for u, rate, _, loss in rows]


def keras_loop(schedule, updates, accumulate=None, at=None):
    """`model.fit`, and a callback that asks the schedule for the rate of the
    optimizer's count before and after each batch; with `accumulate` only the
    batches that update count. `at` is (update, schedule): compiled anew."""
    rows = []

    class Rates(keras.callbacks.Callback):
        def __init__(self, schedule):
            super().__init__()
            self.asked = jax.jit(schedule)

        def now(self):
            # `optimizer.learning_rate` is this, compiled anew at each reading.
            return float(self.asked(self.model.optimizer._iterations.value))

        def on_train_end(self, logs=None):
            rate = float(self.model.optimizer.learning_rate)
            assert math.isclose(self.now(), rate, rel_tol=1e-5, abs_tol=1e-9)

        def on_train_batch_begin(self, batch, logs=None):
            self.rate = self.now()

        def on_train_batch_end(self, batch, logs=None):
            if accumulate and (batch + 1) % accumulate:
                return
            rows.append((len(rows), self.rate, self.now(),
                         float(logs["loss"])))

    model = keras.Sequential([keras.layers.Input((1,)),
                              keras.layers.Dense(1)])

    def fit(schedule, updates):
        model.compile(optimizer=keras.optimizers.SGD(
            schedule, gradient_accumulation_steps=accumulate),
            loss="huber")
        batches = updates * (accumulate or 1)
        x = np.linspace(-1, 1, batches, dtype="float32")[:, None]
        model.fit(x, 2 * x, batch_size=1, epochs=1, verbose=0, shuffle=False,
                  callbacks=[Rates(schedule)])

    fit(schedule, at[0] if at else updates)
    if at:
        fit(at[1], updates - at[0])
    return rows


class Net(lightning.LightningModule):
    """One weight; `interval` is that of Lightning's scheduler."""

    def __init__(self, plan, interval="step"):
        super().__init__()
        self.plan, self.interval = plan, interval
        self.weight = torch.nn.Parameter(torch.tensor([3.0]))

    def training_step(self, batch, index):
        loss = torch.sqrt(1 + self.weight**2).mean()
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, index):
        self.log("val_loss", self.weight.abs().mean())

    def configure_optimizers(self):
        optimizer = recorded([self.weight], self.plan.peak)
        scheduler = torch_make(self.plan, optimizer)
        if self.interval is None:
            return [optimizer], [scheduler]
        return {"optimizer": optimizer, "lr_scheduler": {
            "scheduler": scheduler, "interval": self.interval}}


def lightning_loop(plan, updates, every, interval="step", validate=None,
                   epoch=None):
    """A Trainer with CSVLogger and LearningRateMonitor. Gives the rates and
    metrics.csv. `interval` None is the short form of configure_optimizers;
    `validate` is the number of batches between validations."""
    loader = torch.utils.data.DataLoader(
        torch.zeros(epoch or updates, 1), batch_size=1)
    val = torch.utils.data.DataLoader(torch.zeros(2, 1)) if validate else None
    net = Net(plan, interval)
    with tempfile.TemporaryDirectory() as folder:
        logger = lightning.pytorch.loggers.CSVLogger(folder)
        trainer = lightning.Trainer(
            max_steps=updates, max_epochs=-1, logger=logger, accelerator="cpu",
            log_every_n_steps=every, enable_progress_bar=False,
            enable_checkpointing=False, enable_model_summary=False,
            num_sanity_val_steps=0, val_check_interval=validate,
            callbacks=[lightning.pytorch.callbacks.LearningRateMonitor(
                logging_interval="step")])
        trainer.fit(net, loader, val)
        text = pathlib.Path(logger.log_dir, "metrics.csv").read_text()
    return trainer.optimizers[0].rates, text


class Pairs(torch.utils.data.Dataset):
    def __init__(self, length):
        self.length = length

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        return {"x": torch.ones(1)}


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor([3.0]))

    def forward(self, x):
        return {"loss": torch.sqrt(1 + self.weight**2).mean()}


class Noted(transformers.Trainer):
    """A Trainer whose optimizer notes its rates."""

    def create_optimizer(self, *given, **more):
        self.optimizer = recorded(self.model.parameters(),
                                  self.args.learning_rate)
        return self.optimizer


def trainer_loop(plan, updates, every, stop=None, drop_scheduler=False,
                 schedulers=None, **more):
    """HF Trainer on its own files. `stop`: a first run ends there and saves,
    a second one resumes from that; `drop_scheduler` loses the files of the
    optimizer and the scheduler in between. Gives the rates and
    trainer_state.json."""
    name, extra = hf_name(plan)
    rates = []
    with tempfile.TemporaryDirectory() as folder:
        def train(save, resume=None):
            arguments = transformers.TrainingArguments(
                folder, max_steps=updates, per_device_train_batch_size=1,
                learning_rate=plan.peak, lr_scheduler_type=name,
                lr_scheduler_kwargs=extra, warmup_steps=plan.warmup,
                logging_steps=every, save_steps=save, report_to=[],
                use_cpu=True, disable_tqdm=True, dataloader_num_workers=0,
                max_grad_norm=0.0, **more)
            model = Model()
            trainer = Noted(model=model, args=arguments,
                            train_dataset=Pairs(updates * 8),
                            callbacks=[Stop(stop)] if save == stop else [])
            trainer.remove_callback(transformers.PrinterCallback)
            if schedulers:
                optimizer = recorded(model.parameters(), plan.peak)
                trainer.optimizer = optimizer
                trainer.lr_scheduler = schedulers(optimizer)
                trainer.create_optimizer = lambda *a, **k: optimizer
            trainer.train(resume_from_checkpoint=resume)
            inner = trainer.optimizer
            rates.extend(getattr(inner, "optimizer", inner).rates)
        if stop:
            train(stop)
            saved = pathlib.Path(folder, f"checkpoint-{stop}")
            if drop_scheduler:
                for file in ("scheduler.pt", "optimizer.pt"):
                    saved.joinpath(file).unlink()
            train(updates, str(saved))
        else:
            train(updates)
        state = pathlib.Path(folder, f"checkpoint-{updates}",
                             "trainer_state.json").read_text()
    return rates, state


class Stop(transformers.TrainerCallback):
    def __init__(self, update):
        self.update = update

    def on_step_end(self, args, state, control, **_):
        if state.global_step == self.update:
            control.should_training_stop = True
        return control


# The files.

def shown(rate, digits):
    if digits is None:
        return repr(float(rate))
    if digits == "f32":
        return repr(float(np.float32(rate)))
    return digits % rate


def unit(text, digits, peak):
    """Half a unit of the last digit printed, and what single precision leaves
    to a schedule."""
    rounding = 2e-6 * peak
    value = abs(float(text))
    if digits in (None, "f32") or value == 0.0:
        return rounding
    places = int(digits[2]) - (digits[3] == "g")
    return rounding + 0.51 * 10.0 ** (math.floor(math.log10(value)) - places)


def labels(rows, every, frame):
    """The rows that are logged: (label, rate, loss)."""
    count, reading = frame
    for update, before, after, loss in rows:
        first = update % every == 0
        last = (update + 1) % every == 0
        if not (last if count in ("from-1", "last-0") else first):
            continue
        label = update + (count in ("from-1", "one-1"))
        yield label, before if reading == "before" else after, loss


def written(style, rows, digits, extra):
    """The name and the text of a log in a style. `extra`: rows of a validation
    in between, or rows missing."""
    rows = list(rows)
    if extra == "missing":
        rows = [row for i, row in enumerate(rows) if i % 11 != 7]
    validate = extra == "validation"
    out = io.StringIO()
    if style == "tensorboard":
        return "tensorboard.csv", tensorboard(rows)
    if style in ("jsonl", "hf.jsonl"):
        step, lr = {"jsonl": ("step", "lr"),
                    "hf.jsonl": ("global_step", "learning_rate")}[style]
        for i, (label, rate, loss) in enumerate(rows):
            out.write(f'{{"{step}": {label}, "loss": {loss:.4f}, '
                      f'"{lr}": {shown(rate, digits)}}}\n')
            if validate and i % 10 == 9:
                out.write(f'{{"{step}": {label}, "val_loss": {loss:.4f}}}\n')
        return "log.jsonl", out.getvalue()
    head, order = {
        "csv": ("step,loss,lr", "slr"),
        "iteration.csv": ("iteration,learning_rate,train_loss", "srl"),
        "keras.csv": ("batch,learning_rate,loss", "srl"),
        "wandb.csv": ("_step,train/loss,train/lr", "slr"),
    }[style]
    out.write(head + (",val_loss" if validate else "") + "\n")
    for i, (label, rate, loss) in enumerate(rows):
        cells = {"s": str(label), "l": f"{loss:.4f}",
                 "r": shown(rate, digits)}
        out.write(",".join(cells[c] for c in order)
                  + ("," if validate else "") + "\n")
        if validate and i % 10 == 9:
            out.write(f"{label},,,{loss:.4f}\n")
    return style if "wandb" in style else "log.csv", out.getvalue()


def tensorboard(rows):
    from tensorboard.backend.event_processing import event_accumulator as ea
    from torch.utils.tensorboard import SummaryWriter
    with tempfile.TemporaryDirectory() as folder:
        with SummaryWriter(folder) as writer:
            for i, (label, rate, _) in enumerate(rows):
                writer.add_scalar("train/lr", rate, label,
                                  walltime=1795000000.0 + i)
        events = ea.EventAccumulator(folder, {ea.SCALARS: 0}).Reload()
        scalars = events.Scalars("train/lr")
    return "Wall time,Step,Value\n" + "".join(
        f"{s.wall_time},{s.step},{s.value}\n" for s in scalars)


def read(file, text):
    """(label, rate as printed) of each row with a rate."""
    if file == "trainer_state.json":
        found = json.loads(text, parse_float=str)["log_history"]
    elif file.endswith(".jsonl"):
        found = [json.loads(line, parse_float=str)
                 for line in text.splitlines()]
    else:
        found = list(csv.DictReader(io.StringIO(text)))
    steps = ("step", "global_step", "iteration", "batch", "_step", "Step")
    rates = ("lr", "learning_rate", "train/lr", "lr-SGD", "Value")
    for row in found:
        step = next(row[name] for name in steps if name in row)
        rate = next((row[name] for name in rates
                     if row.get(name) not in (None, "")), None)
        if rate is not None:
            yield int(step), rate


class Logs:
    """All lines, each checked as it is added."""

    def __init__(self, lrscout):
        self.lrscout, self.lines = lrscout, []
        self.names = collections.Counter()
        self.turn = 0

    def next(self, every):
        """A frame, digits, a style and an extra for the next log."""
        self.turn += 1
        i = self.turn
        styles = ["csv", "jsonl", "iteration.csv", "hf.jsonl", "csv",
                  "tensorboard", "wandb.csv"]
        style = styles[i % len(styles)]
        digits = DIGITS[i % len(DIGITS)]
        extra = [None, "validation", None, "missing", None][i % 5]
        return (FRAMES[i * 3 % len(FRAMES)],
                "f32" if style == "tensorboard" else digits, style, extra)

    def intended(self, plan):
        """The rates that lrscout prints for the plan."""
        command = [self.lrscout, "schedules", "values", plan.spec, "--peak",
                   repr(plan.peak), "--steps", str(plan.steps)]
        command += ["--compat", plan.compat] if plan.compat else []
        out = subprocess.run(command, capture_output=True, text=True,
                             check=True).stdout
        return [float(row.split(",")[1]) for row in out.split()[1:]]

    def rows(self, plan, every, fault, loop, clean, rows, fixed=None):
        """Adds a log of `rows`; `clean` has the intended rates."""
        frame, digits, style, extra = self.next(every)
        frame, digits, style, extra = fixed or (frame, digits, style, extra)
        if plan.library == "keras":
            style = "keras.csv" if style.endswith("csv") else style
        file, text = written(style, labels(rows, every, frame), digits, extra)
        if extra and style != "tensorboard":
            loop += "; " + {"validation": "rows of validations in between",
                            "missing": "some rows are missing"}[extra]
        actual = dict((row[0], row[1]) for row in rows)
        loop += (f"; read {frame[1]} the schedule's step, counted as "
                 f"{frame[0]}")
        self.add(plan, every, fault, loop, clean,
                 [actual[u] for u in range(plan.steps)], file, text, digits,
                 frame)

    def add(self, plan, every, fault, loop, clean, actual, file, text, digits,
            frame):
        peak, steps = plan.peak, plan.steps
        first = next((u for u, (a, b) in enumerate(zip(actual, clean))
                      if abs(a - b) > 0.01 * peak), None)
        kind = plan.kind.removeprefix("hf-")
        name = "-".join([plan.library, kind]
                        + (["warmup"] if plan.warmup else [])
                        + [f"every{every}",
                           "clean" if fault == "none" else fault])
        self.names[name] += 1
        if self.names[name] > 1:
            name += f"-{self.names[name]}"
        assert (first is None) == (fault == "none"), (name, first)
        want = self.intended(plan)
        off = max(abs(a - b) for a, b in zip(clean, want))
        assert off < 3e-6 * peak, (name, off / peak)
        base = frame[0] in ("from-1", "one-1")
        late = {"before": 0, "after": 1}[frame[1]]
        found = list(read(file, text))
        assert len(found) >= 15, (name, len(found))

        def beyond(shift, slack):
            return sum(
                abs(float(rate) - want[label - base + shift])
                > slack * peak + unit(rate, digits, peak)
                for label, rate in found if 0 <= label - base + shift < steps)
        if fault == "none":
            assert beyond(late, 0.0) == 0, (name, beyond(late, 0.0))
        else:
            seen = min(beyond(late + s, 0.02) for s in (-1, 0, 1))
            assert seen >= 2, (name, seen, loop)
        line = {"name": name, "library": VERSIONS[plan.library], "loop": loop,
                "file": file, "text": text, "spec": plan.spec, "peak": peak,
                "steps": steps, "every": every, "fault": fault,
                "first_update": first}
        if plan.compat:
            line["compat"] = plan.compat
        self.lines.append(line)
        print(len(self.lines), name, first, file=sys.stderr)


# The trainings.

def chosen(library, kind, i, every, warmup=None, peak=None):
    """Plan number i of a kind: budget, warm-up and peak by turns."""
    budgets = BUDGETS[every]
    steps = budgets[i % len(budgets)]
    share = SHARES[i % len(SHARES)] if warmup is None else warmup
    if kind in ("one-cycle", "cyclical", "sgdr") and warmup is None:
        share = 0.0
    if kind == "constant" or kind.startswith("inverse"):
        share = share or 0.1
    warmup = round(share * steps)
    if kind in ("step", "sgdr", "cyclical"):  # equal parts in whole updates
        steps, warmup = steps - steps % 8, warmup - warmup % 8
    return Plan(library, kind, steps, warmup, peak or PEAKS[i % len(PEAKS)])


def schedule_of(plan):
    return optax_schedule(plan) if plan.library == "optax" else (
        keras_schedule(plan))


def clean_rows(plan):
    if plan.library == "optax":
        return optax_loop(optax_schedule(plan), plan.steps)
    if plan.library == "keras":
        return keras_loop(keras_schedule(plan), plan.steps)
    return torch_loop(plan, plan.steps)


def rates_of(rows):
    return [row[1] for row in rows]


LOOPS = {
    "torch": "torch optimizer and scheduler, one scheduler.step() an update",
    "transformers": "torch optimizer, get_scheduler, one scheduler.step() an"
                    " update",
    "accelerate": "get_scheduler, optimizer and scheduler prepared by an"
                  " Accelerator, one process",
    "timm": "torch optimizer, step_update(num_updates) after each update",
    "optax": "optax.inject_hyperparams(optax.sgd), jax.jit",
    "keras": "model.fit with a LearningRateSchedule, a callback logs the rate",
}
HF_KINDS = ["linear", "cosine", "constant", "cosine-10", "hf-polynomial",
            "inverse-sqrt", "wsd", "wsd-sqrt", "sgdr"]
TORCH_KINDS = [kind for kind in SPECS if kind != "hf-polynomial"]
KINDS = {
    "torch": TORCH_KINDS, "transformers": HF_KINDS,
    "accelerate": ["linear", "cosine", "wsd"],
    "timm": ["cosine", "cosine-10", "polynomial", "linear"],
    "optax": ["constant", "linear", "cosine", "cosine-10", "polynomial",
              "exponential", "multi-step", "sgdr"],
    "keras": ["linear", "cosine", "cosine-10", "polynomial", "exponential",
              "multi-step"],
}


def clean(logs):
    i = 0
    for library, times in [("torch", 3), ("transformers", 2),
                           ("accelerate", 1), ("timm", 2), ("optax", 1),
                           ("keras", 1)]:
        for turn in range(times):
            for kind in KINDS[library]:
                i += 1
                every = [10, 1, 50][
                    (i + turn) % 3 if library != "keras" else i % 2]
                plan = chosen(library, kind, i, every)
                loop = LOOPS[library]
                rows = clean_rows(plan)
                if library in ("torch", "transformers", "timm") and i % 6 == 0:
                    stop, saved = round(plan.steps * 0.7), plan.steps // 2
                    twice = torch_loop(plan, plan.steps,
                                       at=(stop, saved, None, 0))
                    loop += (f"; stopped at update {stop}, resumed from a"
                             f" checkpoint of update {saved}, its rows stand"
                             " twice")
                    logs.rows(plan, every, "none", loop, rates_of(rows), twice)
                    continue
                logs.rows(plan, every, "none", loop, rates_of(rows), rows)
    for j, kind in enumerate(["cosine", "linear", "one-cycle", "wsd-sqrt",
                              "step", "cosine-10", "triangular",
                              "inverse-sqrt"]):
        lightning_log(logs, chosen("lightning", kind, j, 10), 10, "none",
                      validate=[None, 100][j % 2])
    for j, kind in enumerate(HF_KINDS[:8]):
        plan = chosen("transformers", kind, j + 1, 10)
        stop = plan.steps // 2 if j % 3 == 0 else None
        trainer_log(logs, plan, 10, "none", stop=stop)


def lightning_log(logs, plan, every, fault, actual=None, loop="", **more):
    """A log of Lightning itself; `actual` is the plan that it was given."""
    rates, text = lightning_loop(actual or plan, plan.steps, every, **more)
    logs.add(plan, every, fault,
             "lightning.Trainer, LearningRateMonitor and CSVLogger"
             + ("; validations in between" if more.get("validate") else "")
             + loop,
             rates_of(torch_loop(plan, plan.steps)), rates, "metrics.csv", text,
             None, ("last-0", "before"))


def trainer_log(logs, plan, every, fault, actual=None, loop="", **more):
    """trainer_state.json of HF Trainer; `actual` is a plan given to it as
    `optimizers=`."""
    if actual:
        more["schedulers"] = lambda optimizer: hf_make(actual, optimizer)
    rates, text = trainer_loop(plan, plan.steps, every, **more)
    if more.get("stop"):
        loop = f"; stopped and resumed at update {more['stop']}" + loop
    logs.add(plan, every, fault, "transformers.Trainer" + loop,
             rates_of(torch_loop(plan, plan.steps)), rates,
             "trainer_state.json", text, None, ("from-1", "before"))


def run(logs, plan, every, fault, loop, rows):
    logs.rows(plan, every, fault, LOOPS[plan.library] + "; " + loop,
              rates_of(clean_rows(plan)), rows, fixed=None)


def other_plan(plan, actual, start=None):
    """The rows of `plan.steps` updates under another plan."""
    if plan.library == "optax":
        return optax_loop(optax_schedule(actual), plan.steps)
    if plan.library == "keras":
        return keras_loop(keras_schedule(actual), plan.steps)
    return torch_loop(actual, plan.steps)


EVERY = [10, 1, 50, 10, 10, 1]


def cases(pairs):
    """(number, interval, library, kind); Keras is slow, so never every 50."""
    for i, (library, kind) in enumerate(pairs):
        every = EVERY[i % len(EVERY)]
        yield i, 10 if library == "keras" and every == 50 else every, (
            library), kind


def pairs(text):
    return [tuple(word.split(":")) for word in text.split()]


def peak_not_reached(logs):
    for i, every, library, kind in cases(pairs(
            "torch:cosine transformers:linear optax:cosine torch:linear"
            " timm:cosine keras:cosine torch:wsd transformers:cosine"
            " transformers:wsd torch:polynomial optax:linear timm:polynomial"
            " torch:constant accelerate:linear keras:linear")):
        plan = chosen(library, kind, i, every, warmup=[0.1, 0.05][i % 2])
        run(logs, plan, every, "peak-not-reached",
            "warm-up and length given in samples, 32 an update",
            other_plan(plan, plan.longer(32, 32)))
    for i, kind in enumerate(["linear", "cosine"]):
        plan = chosen("transformers", kind, i, 10, warmup=0.1)
        trainer_log(logs, plan, 10, "peak-not-reached",
                    plan.longer(20, 20), "; a schedule for 20 times the"
                    " updates in optimizers=")
    plan = chosen("lightning", "cosine", 2, 10, warmup=0.1)
    lightning_log(logs, plan, 10, "peak-not-reached", plan.longer(16, 16),
                  "; length and warm-up in samples, 16 an update")


def zero_start(logs):
    def whole(plan, optimizer):
        w, n = plan.warmup, plan.steps - plan.warmup
        after = {"cosine": lambda t: 0.5 * (1 + math.cos(math.pi * t / n)),
                 "linear": lambda t: 1 - t / n, "constant": lambda t: 1.0}.get(
            plan.kind) or lambda_rate(plan.kind, n, max(plan.steps // 20, 1))
        return ts.LambdaLR(
            optimizer, lambda t: t // w if t < w else after(t - w))

    for i, every, library, kind in cases(pairs(
            "torch:cosine transformers:cosine optax:cosine torch:linear"
            " timm:cosine keras:cosine torch:constant transformers:linear"
            " torch:wsd optax:linear timm:linear keras:linear"
            " transformers:constant torch:inverse-sqrt accelerate:cosine"
            " optax:polynomial")):
        plan = chosen(library, kind, i, every, warmup=0.1)
        held = max(4 * every, plan.steps // 10)
        if library in ("torch", "keras"):
            plan = chosen(library, kind, i, every, warmup=0.2)
            loop = "the warm-up is `t // warmup`, in whole numbers"
            rows = torch_loop(plan, plan.steps, make=whole) if (
                library == "torch") else keras_loop(
                    keras_schedule(plan, whole=True), plan.steps)
        elif library == "optax":
            loop = f"joined after a constant 0 of {held} updates"
            rows = optax_loop(optax.join_schedules(
                [optax.constant_schedule(0.0), optax_schedule(plan)], [held]),
                plan.steps)
        elif library == "timm":
            loop = f"step_update only after the first epoch of {held} updates"
            rows = torch_loop(plan, plan.steps, lambda u, h=held: (
                0 if u < h else h + 1 if u == h else 1))
        else:
            loop = ("scheduler.step() only after the first epoch of"
                    f" {held} updates")
            rows = torch_loop(plan, plan.steps,
                              lambda u, h=held: int(u >= h))
        run(logs, plan, every, "zero-start", loop, rows)


def stepped_too_often(logs):
    for i, every, library, kind in cases(pairs(
            "torch:cosine transformers:linear accelerate:cosine torch:linear"
            " optax:cosine keras:cosine accelerate:linear transformers:cosine"
            " timm:cosine torch:exponential accelerate:wsd keras:linear"
            " torch:wsd transformers:inverse-sqrt optax:exponential"
            " torch:step accelerate:linear")):
        plan = chosen(library, kind, i, every)
        k = [4, 8][i // 2 % 2]
        loop = f"scheduler.step() per micro-batch, {k} an update"
        if library == "accelerate":
            rows = torch_loop(plan, plan.steps, prepared=k)
            loop = (f"num_processes of the state set to {k} for the prepared"
                    " scheduler")
        elif library == "optax":
            inner = optax_schedule(plan)
            rows = optax_loop(lambda t: inner(t * k), plan.steps)
            loop = f"the schedule counts micro-batches, {k} an update"
        elif library == "keras":
            rows = keras_loop(keras_schedule(plan), plan.steps, accumulate=k)
            loop = f"gradient_accumulation_steps={k}"
        else:
            rows = torch_loop(plan, plan.steps, lambda u: k)
        run(logs, plan, every, "stepped-too-often", loop, rows)


def stepped_per_epoch(logs):
    for i, every, library, kind in cases(pairs(
            "torch:cosine transformers:linear torch:linear torch:polynomial"
            " timm:cosine optax:cosine transformers:cosine timm:linear"
            " torch:wsd torch:one-cycle transformers:wsd optax:linear")):
        plan = chosen(library, kind, i, every)
        epoch = plan.steps // [20, 10, 25][i % 3]
        if library == "optax":
            inner = optax_schedule(plan)
            rows = optax_loop(lambda t: inner(t // epoch), plan.steps)
        else:
            rows = torch_loop(plan, plan.steps,
                              lambda u: int((u + 1) % epoch == 0))
        run(logs, plan, every, "stepped-per-epoch",
            f"stepped once an epoch of {epoch} updates", rows)
    for i, kind in enumerate(["one-cycle", "cosine", "linear", "cosine-10"]):
        plan = chosen("lightning", kind, i, 10)
        epoch = plan.steps // [20, 10][i % 2]
        lightning_log(logs, plan, 10, "stepped-per-epoch",
                      loop=f"; interval left at its default, epochs of {epoch}"
                      " updates", interval=[None, "epoch"][i % 2], epoch=epoch)


def end_not_reached(logs):
    for i, every, library, kind in cases(pairs(
            "torch:cosine transformers:linear optax:cosine torch:linear"
            " timm:cosine keras:cosine torch:wsd transformers:cosine"
            " torch:one-cycle optax:linear transformers:wsd keras:polynomial"
            " torch:polynomial accelerate:linear timm:polynomial")):
        plan = chosen(library, kind, i, every)
        times = [2, 4, 1.5][i % 3]
        run(logs, plan, every, "end-not-reached",
            f"a plan for {times} times the updates",
            other_plan(plan, plan.longer(times)))
    for i, kind in enumerate(["linear", "cosine"]):
        plan = chosen("transformers", kind, i + 2, 10)
        trainer_log(logs, plan, 10, "end-not-reached", plan.longer(3),
                    "; a schedule for 3 times the updates in optimizers=")
        plan = chosen("lightning", kind, i + 1, 10)
        lightning_log(logs, plan, 10, "end-not-reached", plan.longer(2),
                      "; a plan for twice the updates")


def ended_early(logs):
    for i, every, library, kind in cases(pairs(
            "torch:linear transformers:linear optax:cosine torch:polynomial"
            " timm:cosine keras:cosine transformers:hf-polynomial torch:wsd"
            " optax:linear keras:linear transformers:wsd timm:polynomial"
            " torch:wsd-sqrt accelerate:linear optax:polynomial")):
        plan = chosen(library, kind, i, every)
        times = [0.5, 0.75, 0.25][i % 3]
        run(logs, plan, every, "ended-early",
            f"a plan for {times} of the updates",
            other_plan(plan, plan.longer(times)))
    for i, kind in enumerate(["linear", "wsd"]):
        plan = chosen("transformers", kind, i + 2, 10)
        trainer_log(logs, plan, 10, "ended-early", plan.longer(0.5),
                    "; a schedule for half the updates in optimizers=")
    plan = chosen("lightning", "linear", 4, 10)
    lightning_log(logs, plan, 10, "ended-early", plan.longer(0.6),
                  "; a plan for 0.6 of the updates")


def resumed(logs, fault, i, every, plan, other, loop, forward=0):
    at = plan.steps * [5, 6, 4][i % 3] // 10
    loop = f"resumed at update {at} " + loop
    if plan.library == "optax":
        after = optax_schedule(other)
        rows = optax_loop(optax_schedule(plan), plan.steps, at=(
            at, lambda t: after(t + (at if forward else 0))))
    elif plan.library == "keras":
        rows = keras_loop(keras_schedule(plan), plan.steps,
                          at=(at, keras_schedule(other)))
    else:
        rows = torch_loop(plan, plan.steps, at=(
            at, at, other, at if forward else 0))
    run(logs, plan, every, fault, loop, rows)


def restart(logs):
    for i, every, library, kind in cases(pairs(
            "torch:cosine transformers:linear optax:cosine torch:linear"
            " timm:cosine keras:cosine torch:one-cycle transformers:cosine"
            " torch:exponential optax:linear transformers:inverse-sqrt"
            " keras:linear torch:polynomial timm:linear torch:step")):
        plan = chosen(library, kind, i, every)
        resumed(logs, "restart", i, every, plan, plan,
                "with a new scheduler and optimizer of the same plan")
    for i, kind in enumerate(["linear", "cosine", "inverse-sqrt"]):
        plan = chosen("transformers", kind, i, 10)
        trainer_log(logs, plan, 10, "restart", stop=plan.steps // 2,
                    drop_scheduler=True, loop=" from a checkpoint without"
                    " scheduler.pt and optimizer.pt")


def jump(logs):
    for i, every, library, kind in cases(pairs(
            "torch:cosine transformers:linear optax:cosine torch:linear"
            " timm:cosine keras:cosine torch:polynomial transformers:cosine"
            " torch:exponential optax:linear transformers:cosine-10"
            " keras:polynomial torch:constant transformers:constant"
            " timm:polynomial torch:wsd")):
        plan = chosen(library, kind, i, every)
        how = 1 if kind in ("constant", "wsd") else i % 3
        if library == "keras":
            how = 2
        if how == 0:
            resumed(logs, "jump", i, every, plan, plan.longer(3),
                    "with a plan three times as long, at the same update",
                    forward=1)
        elif how == 1:
            resumed(logs, "jump", i, every, plan, plan.longer(peak=0.3),
                    "with 0.3 of the peak, at the same update", forward=1)
        else:
            rest = plan.steps - plan.steps * [5, 6, 4][i % 3] // 10
            other = Plan(library, kind, rest, 0, plan.peak / 2)
            resumed(logs, "jump", i, every, plan, other,
                    "with a new plan for the rest, from half the peak")


def rises(logs):
    for i, every, library, kind in cases(pairs(
            "torch:cosine transformers:cosine accelerate:cosine torch:cosine"
            " transformers:cosine torch:cosine torch:cosine-10"
            " transformers:cosine accelerate:cosine")):
        plan = chosen(library, kind, i, every)
        times = [0.6, 0.5, 0.7][i % 3]
        run(logs, plan, every, "rises",
            f"a cosine over {times} of the updates",
            other_plan(plan, plan.longer(times)))
    for i, (library, every) in enumerate([
            ("keras", 10), ("keras", 1), ("optax", 10), ("optax", 50),
            ("torch", 10), ("torch", 1)]):
        kind = "cosine" if library == "torch" else "linear"
        plan = chosen(library, kind, i, every, warmup=0.0,
                      peak=[5e-5, 2e-5][i % 2])
        n = plan.steps
        loop = "the end is the absolute 1e-4"
        if library == "keras":
            rows = keras_loop(keras.optimizers.schedules.PolynomialDecay(
                plan.peak, n), n)
        elif library == "optax":
            rows = optax_loop(optax.polynomial_schedule(
                plan.peak, 1e-4, 1, n), n)
        else:
            rows = torch_loop(plan, n, make=lambda plan, optimizer:
                              ts.CosineAnnealingLR(optimizer, n, eta_min=1e-4))
        run(logs, plan, every, "rises", loop, rows)
    for i in range(2):
        plan = chosen("transformers", "cosine", i + 3, 10)
        trainer_log(logs, plan, 10, "rises", plan.longer(0.6),
                    "; a cosine over 0.6 of the updates in optimizers=")
        plan = chosen("lightning", "cosine", i + 2, 10)
        lightning_log(logs, plan, 10, "rises", plan.longer(0.5),
                      "; a cosine over half the updates")


def above_peak(logs):
    for i, every, library, kind in cases(pairs(
            "torch:cosine transformers:linear optax:cosine torch:one-cycle"
            " timm:cosine keras:cosine torch:constant transformers:cosine"
            " torch:wsd optax:multi-step keras:linear torch:cyclical"
            " accelerate:linear transformers:inverse-sqrt torch:sgdr")):
        plan = chosen(library, kind, i, every)
        times = [2, 10][i % 2]
        run(logs, plan, every, "above-peak", f"{times} times the peak",
            other_plan(plan, plan.longer(peak=times)))
    for i, kind in enumerate(["linear", "cosine"]):
        plan = chosen("lightning", kind, i + 4, 10)
        lightning_log(logs, plan, 10, "above-peak", plan.longer(peak=2),
                      "; twice the peak")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lrscout", default="lrscout")
    logs = Logs(parser.parse_args().lrscout)
    for part in (clean, peak_not_reached, zero_start, stepped_too_often,
                 stepped_per_epoch, end_not_reached, ended_early, restart,
                 jump, rises, above_peak):
        part(logs)
    text = "".join(json.dumps(line) + "\n" for line in logs.lines)
    out = pathlib.Path(__file__).with_name("audit.jsonl.gz")
    out.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(json.dumps(collections.Counter(
        line["fault"] for line in logs.lines)), len(text), file=sys.stderr)


if __name__ == "__main__":
    main()
