"""Runs exported schedules in the real frameworks, outside CI.

exports.py LRSCOUT [FRAMEWORK...]: writes every schedule with the program LRSCOUT,
executes the text in a training of the framework, and compares the rate of every
update with `lr` of the torch export, and the momentum where it is cycled. Fails
if one differs. A framework that is not installed is named and skipped.
"""

import contextlib
import functools
import io
import json
import logging
import os
import re
import subprocess
import sys
import tempfile
import warnings

PEAK, STEPS = 0.3, 97
MOMENTUM = '{ kind = "one-cycle", cycle_momentum = [0.85, 0.95] }'
SPECS = [
    "cosine",
    "constant",
    '{ kind = "constant", warmup = 9 }',
    '{ kind = "cosine", warmup = 9, end_ratio = 0.1 }',
    '{ kind = "linear", warmup = 9 }',
    '{ kind = "linear", warmup = 9, warmup_start_ratio = 0 }',
    '{ kind = "linear", end_ratio = 0.1 }',
    '{ kind = "polynomial", power = 3 }',
    '{ kind = "inverse-sqrt", warmup = 9, warmup_start_ratio = 0 }',
    '{ kind = "sgdr", cycles = 3 }',
    '{ kind = "wsd", decay = 0.5, warmup = 7, shape = "one-minus-sqrt" }',
    '{ kind = "triangular", inc_fraction = 1 }',
    "one-cycle",
    MOMENTUM,
    "rex",
]


class NoFlags(Exception):
    """Megatron cannot say the schedule."""


@functools.lru_cache(maxsize=None)
def export(spec, target):
    command = [sys.argv[1], "export", spec, "--peak", repr(PEAK)]
    command += ["--steps", str(STEPS), "--target", target]
    done = subprocess.run(command, capture_output=True, text=True)
    if target == "megatron" and "has no flags" in done.stderr:
        raise NoFlags
    assert done.returncode == 0, done.stderr
    return done.stdout


def space(spec, target):
    made = {"__name__": "schedule"}
    exec(export(spec, target), made)
    return made


def sgd(parameters=None):
    import torch

    parameters = parameters or [torch.nn.Parameter(torch.zeros(1))]
    return torch.optim.SGD(parameters, lr=PEAK, momentum=0.9)


class Record:
    """Rate and momentum of every update, as the optimizer has them."""

    def __init__(self, optimizer):
        self.rates, self.momenta = [], []
        optimizer.register_step_pre_hook(self.note)

    def note(self, optimizer, *_):
        (group,) = optimizer.param_groups
        self.rates.append(group["lr"])
        self.momenta.append(group["momentum"] if "momentum" in group else group["betas"][0])


def stepped(optimizer, scheduler):
    record = Record(optimizer)
    for _ in range(STEPS):
        optimizer.step()
        scheduler.step()
    return record


def torch(spec):
    made, own = space(spec, "torch"), sgd()
    return stepped(own, made["scheduler"](own))


def torch_adam(spec):
    from torch import nn, optim, zeros

    made, own = space(spec, "torch"), optim.AdamW([nn.Parameter(zeros(1))], lr=PEAK)
    return stepped(own, made["scheduler"](own))


def hf(spec, own_optimizer=True):
    import torch
    from transformers import Trainer, TrainingArguments

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Linear(1, 1)

        def forward(self, x):
            return {"loss": self.linear(x).square().mean()}

    net, made = Net(), space(spec, "hf")
    own = sgd(net.parameters())
    record = Record(own)
    data = [{"x": torch.ones(1)} for _ in range(4)]
    quiet = dict(report_to=[], save_strategy="no", use_cpu=True, disable_tqdm=True)
    with tempfile.TemporaryDirectory() as folder:
        if "training_arguments" in made:
            # The scheduler is the Trainer's.
            arguments, optimizers = made["training_arguments"](folder, **quiet), (own, None)
        else:
            arguments = TrainingArguments(folder, max_steps=STEPS, **quiet)
            optimizers = made["optimizers"](own) if own_optimizer else (own, None)
        trainer = Trainer(net, arguments, train_dataset=data, optimizers=optimizers)
        if not own_optimizer:
            trainer = made.get("scheduled", lambda same: same)(trainer)
        trainer.train()
    return record


def hf_scheduled(spec):
    return hf(spec, own_optimizer=False)


def lightning(spec):
    import torch
    from lightning import LightningModule, Trainer

    made, records = space(spec, "lightning"), []

    class Net(LightningModule):
        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Linear(1, 1)

        def training_step(self, batch, _):
            return self.linear(batch).square().mean()

        def configure_optimizers(self):
            own = sgd(self.parameters())
            records.append(Record(own))
            return made["scheduled"](own)

    data = torch.utils.data.DataLoader(torch.ones(8, 1), batch_size=4)
    trainer = Trainer(
        max_steps=STEPS,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Net(), data)
    return records[0]


def accelerate(spec):
    from accelerate import Accelerator

    accelerator, made, own = Accelerator(cpu=True), space(spec, "accelerate"), sgd()
    assert accelerator.num_processes == int(os.environ.get("WORLD_SIZE", 1))
    record = Record(own)
    scheduler = made["scheduler"](own, accelerator)
    own, scheduler = accelerator.prepare(own, scheduler)
    for _ in range(STEPS):
        own.step()
        scheduler.step()
    return record


def accelerate_two(spec):
    """Two processes: a prepared scheduler goes on by two with each update."""
    import accelerate  # noqa: F401

    # `accelerate launch --cpu` starts one process, whatever it is told.
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", __file__, sys.argv[1], "--worker", spec]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    record = Record(sgd())
    lines = done.stdout.strip().splitlines()
    assert len(lines) == 2 and lines[0] == lines[1], done.stdout
    record.rates, record.momenta = json.loads(lines[0])
    return record


def deepspeed(spec):
    import deepspeed
    import torch

    where = dict(RANK="0", LOCAL_RANK="0", WORLD_SIZE="1", MASTER_ADDR="127.0.0.1")
    os.environ.update(where, MASTER_PORT="29617")
    text, net = export(spec, "deepspeed"), torch.nn.Linear(1, 1)
    own, config = sgd(net.parameters()), {"train_micro_batch_size_per_gpu": 1}
    record, scheduler = Record(own), None
    if text.startswith("{"):
        config.update(json.loads(text))
    else:
        scheduler = space(spec, "deepspeed")["scheduler"]
    engine, *_ = deepspeed.initialize(
        model=net, optimizer=own, config=config, lr_scheduler=scheduler
    )
    for _ in range(STEPS):
        engine.backward(engine(torch.ones(1, 1)).square().sum())
        engine.step()
    return record


def megatron(spec):
    from megatron.core.optimizer_param_scheduler import OptimizerParamScheduler

    text = export(spec, "megatron")
    flags = dict(re.findall(r"^    (--\S+) (\S+)$", text, re.M))
    batch, own = 24, sgd()

    def samples(flag):
        return int(flags[flag]) * batch if flag in flags else None

    # As `get_optimizer_param_scheduler` of megatron/training/training.py.
    scheduler = OptimizerParamScheduler(
        own,
        init_lr=float(flags.get("--lr-warmup-init", 0)),
        max_lr=float(flags["--lr"]),
        min_lr=float(flags["--min-lr"]),
        lr_warmup_steps=samples("--lr-warmup-iters"),
        lr_decay_steps=samples("--lr-decay-iters"),
        lr_decay_style=flags["--lr-decay-style"],
        start_wd=0.0,
        end_wd=0.0,
        wd_incr_steps=STEPS * batch,
        wd_incr_style="constant",
        wsd_decay_steps=samples("--lr-wsd-decay-iters"),
        lr_wsd_decay_style=flags.get("--lr-wsd-decay-style"),
    )
    record = Record(own)
    for _ in range(STEPS):
        own.step()
        scheduler.step(batch)
    return record


def composer(spec):
    import torch
    from composer import ComposerModel, Trainer

    class Net(ComposerModel):
        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Linear(1, 1)

        def forward(self, batch):
            return self.linear(batch)

        def loss(self, outputs, _):
            return outputs.square().mean()

    made, net = space(spec, "composer"), Net()
    own = sgd(net.parameters())
    record = Record(own)
    Trainer(
        model=net,
        train_dataloader=torch.utils.data.DataLoader(torch.ones(8, 1), batch_size=4),
        max_duration=f"{STEPS}ba",
        optimizers=own,
        schedulers=made["scheduler"](own),
        step_schedulers_every_batch=True,
        device="cpu",
        progress_bar=False,
    ).fit()
    return record


def optax(spec):
    import optax
    from jax import numpy

    schedule = space(spec, "optax")["schedule"]()
    optimizer = optax.inject_hyperparams(optax.sgd)(learning_rate=schedule)
    state, record = optimizer.init(numpy.zeros(1)), Record(sgd())
    for _ in range(STEPS):
        _, state = optimizer.update(numpy.ones(1), state)
        record.rates.append(float(state.hyperparams["learning_rate"]))
    return record


def keras(spec):
    """Saved and loaded half-way."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    import keras
    import numpy

    made = space(spec, "keras")
    net = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    net.compile(keras.optimizers.SGD(made["Schedule"]()), loss="mse")
    record, x = Record(sgd()), numpy.zeros((1, 1), "float32")
    for step in range(STEPS):
        if step == STEPS // 2:
            with tempfile.TemporaryDirectory() as folder:
                net.save(f"{folder}/net.keras")
                net = keras.models.load_model(f"{folder}/net.keras")
        record.rates.append(float(net.optimizer.learning_rate))
        net.train_on_batch(x, x)
    return record


# Largest relative distance: float64 in two ways of writing, or float32.
FRAMEWORKS = {
    torch: 1e-9,
    torch_adam: 1e-9,
    hf: 1e-9,
    hf_scheduled: 1e-9,
    lightning: 1e-9,
    accelerate: 1e-9,
    accelerate_two: 1e-9,
    deepspeed: 1e-9,
    megatron: 1e-9,
    composer: 1e-9,
    optax: 1e-6,
    keras: 1e-6,
}


def distance(got, want):
    assert len(got) == STEPS, f"{len(got)} updates"
    # A rate of 0 may come out as the rounding of the peak.
    return max(abs(a - b) / max(abs(b), 1e-6 * PEAK) for a, b in zip(got, want))


def compare(run, spec, within):
    """What is wrong, or nothing."""
    made = space(spec, "torch")
    off = distance(run.rates, [made["lr"](step) for step in range(STEPS)])
    # JAX and Keras have no way to set the momentum: the export says so.
    if "momentum" in made and run.momenta:
        want = [made["momentum"](step) for step in range(STEPS)]
        off = max(off, distance(run.momenta, want))
    return f"off by {off:.1e}", off <= within


def check(framework, within):
    """Prints a line for each schedule, and gives whether all are right."""
    right = True
    for spec in SPECS:
        if framework is accelerate_two and spec not in ("rex", MOMENTUM):
            continue
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                run = framework(spec)
            said, is_right = compare(run, spec, within)
        except ImportError as error:
            print(f"{framework.__name__}: skipped, {error}", flush=True)
            return True
        except NoFlags:
            said, is_right = "no flags", True
        right &= is_right
        said = said if is_right else f"{said}: DIFFERS"
        print(f"{framework.__name__} {spec}: {said}", flush=True)
    return right


def main():
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    chosen = sys.argv[2:]
    if chosen[:1] == ["--worker"]:
        run = accelerate(chosen[1])
        print(json.dumps([run.rates, run.momenta]))
        return 0
    by_name = {framework.__name__: framework for framework in FRAMEWORKS}
    if len(chosen) == 1:
        framework = by_name[chosen[0]]
        return 0 if check(framework, FRAMEWORKS[framework]) else 1
    # A process for each: they do not share one well.
    again = [sys.executable, __file__, sys.argv[1]]
    codes = [subprocess.run([*again, name]).returncode for name in chosen or by_name]
    return 1 if any(codes) else 0


sys.exit(main())
