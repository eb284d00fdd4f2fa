#!/usr/bin/env python3
"""Writes megatron.jsonl: the rates of Megatron's OptimizerParamScheduler.

    pip install megatron-core==0.19.2 torch==2.15.0 numpy einops regex tqdm setuptools  # python 3.12
    python megatron.py > new.jsonl

and the same with 0.16.1 (python 3.11); the file is the two outputs, one after the
other. The flags are read, and the scheduler is built, by `parse_args` and
`get_optimizer_param_scheduler` of Megatron's own `megatron.training`; the wheel of
0.16.1 lacks that package, so the same lines of training.py stand below for it. The
loop is the one of `train_step`: `optimizer.step()`, then
`opt_param_scheduler.step(increment=global batch size)`. Each rate is read from
the optimizer at the moment of its step. A call without --train-iters and
--train-samples runs with --train-iters = the updates made, without
--global-batch-size with 1; --lr is the peak. `python megatron.py facts` prints
what else the pages of this library say.

28 November 2026: python 3.12.1, torch 2.15.0, megatron-core 0.19.2; python 3.11.7,
torch 2.15.0, megatron-core 0.16.1.
"""

import argparse
import json
import logging
import sys
import warnings

sys.path.pop(0)  # this folder, where the program has the name of the library
OUT, sys.stdout = sys.stdout, sys.stderr

import megatron.core
import torch
from megatron.core.optimizer_param_scheduler import OptimizerParamScheduler

PEAKS = [1.0, 5e-5, 1e-3]
STEPS = 45
SHORT = "--lr-warmup-iters 8 --lr-decay-iters 30"
WSD = f"--lr-decay-style WSD {SHORT} --lr-wsd-decay-iters 10 --min-lr 1e-5"
SAMPLES = "--train-samples 1080 --global-batch-size 24"

CALLS = [
    "--lr-decay-style linear",
    "--lr-decay-style linear --lr-warmup-iters 8",
    f"--lr-decay-style linear {SHORT} --min-lr 1e-5",
    f"--lr-decay-style linear {SHORT} --lr-warmup-init 2e-6",
    f"--lr-decay-style cosine {SHORT} --min-lr 1e-5",
    "--lr-decay-style cosine --lr-decay-iters 30 --lr-warmup-fraction 0.07",
    f"--lr-decay-style constant {SHORT}",
    "--lr-decay-style constant",
    f"--lr-decay-style inverse-square-root {SHORT} --min-lr 1e-5",
    "--lr-decay-style inverse-square-root --lr-decay-iters 30",
    f"{WSD}",
    f"{WSD} --lr-wsd-decay-style linear",
    f"{WSD} --lr-wsd-decay-style cosine",
    f"{WSD} --lr-wsd-decay-style minus_sqrt",
    f"--lr-decay-style cosine --lr-warmup-samples 200 --lr-decay-samples 700 {SAMPLES}",
    f"--lr-decay-style linear --lr-warmup-fraction 0.1 --min-lr 1e-5 {SAMPLES}",
    f"--lr-decay-style WSD --lr-warmup-samples 100 --lr-decay-samples 800 --lr-wsd-decay-samples 250 {SAMPLES}",
    f"--lr-decay-style inverse-square-root --lr-warmup-samples 100 --lr-decay-samples 700 {SAMPLES}",
    f"--lr-decay-style cosine {SHORT} --global-batch-size 24 --train-iters 40",
]


def own_arguments(flags):
    """What `megatron.training` reads, of the flags that a scheduler takes."""
    parser = argparse.ArgumentParser()
    for name, default in (("lr", None), ("min-lr", 0.0), ("lr-warmup-init", 0.0), ("lr-warmup-fraction", None)):
        parser.add_argument(f"--{name}", type=float, default=default)
    for name in ("train", "lr-decay", "lr-wsd-decay", "lr-warmup"):
        for unit in ("iters", "samples"):
            default = 0 if name == "lr-warmup" else None
            parser.add_argument(f"--{name}-{unit}", type=int, default=default)
    parser.add_argument("--global-batch-size", type=int)
    parser.add_argument("--lr-decay-style", default="linear")
    parser.add_argument("--lr-wsd-decay-style", default="exponential")
    return parser.parse_args(flags)


def own_scheduler(optimizer, args):
    """`get_optimizer_param_scheduler` of megatron/training/training.py."""
    if args.train_iters:
        if args.lr_decay_iters is None:
            args.lr_decay_iters = args.train_iters
        lr_decay_steps = args.lr_decay_iters * args.global_batch_size
        wd_incr_steps = args.train_iters * args.global_batch_size
        wsd_decay_steps = None
        if args.lr_wsd_decay_iters is not None:
            wsd_decay_steps = args.lr_wsd_decay_iters * args.global_batch_size
        if args.lr_warmup_fraction is not None:
            lr_warmup_steps = args.lr_warmup_fraction * lr_decay_steps
        else:
            lr_warmup_steps = args.lr_warmup_iters * args.global_batch_size
    else:
        if args.lr_decay_samples is None:
            args.lr_decay_samples = args.train_samples
        lr_decay_steps = args.lr_decay_samples
        wd_incr_steps = args.train_samples
        wsd_decay_steps = args.lr_wsd_decay_samples
        if args.lr_warmup_fraction is not None:
            lr_warmup_steps = args.lr_warmup_fraction * lr_decay_steps
        else:
            lr_warmup_steps = args.lr_warmup_samples
    return OptimizerParamScheduler(
        optimizer,
        init_lr=args.lr_warmup_init,
        max_lr=args.lr,
        min_lr=args.min_lr,
        lr_warmup_steps=lr_warmup_steps,
        lr_decay_steps=lr_decay_steps,
        lr_decay_style=args.lr_decay_style,
        start_wd=0.01,
        end_wd=0.01,
        wd_incr_steps=wd_incr_steps,
        wd_incr_style="constant",
        wsd_decay_steps=wsd_decay_steps,
        lr_wsd_decay_style=args.lr_wsd_decay_style,
    )


def made(optimizer, flags):
    """The scheduler and the global batch size."""
    try:
        from megatron.training import arguments, global_vars, training
    except ImportError:
        args = own_arguments(flags)
        return own_scheduler(optimizer, args), args.global_batch_size
    sys.argv = ["train", "--micro-batch-size", "1", *flags]
    args = arguments.parse_args()
    # As validate_args does.
    args.start_weight_decay = args.end_weight_decay = args.weight_decay
    args.step_batch_size_schedule = args.rampup_batch_size = None
    global_vars.set_args(args)
    return training.get_optimizer_param_scheduler(optimizer), args.global_batch_size


def complete(text, peak):
    flags = text.split() + ["--lr", repr(peak)]
    if "--train-samples" not in flags and "--train-iters" not in flags:
        flags += ["--train-iters", str(STEPS)]
    if "--global-batch-size" not in flags:
        flags += ["--global-batch-size", "1"]
    return flags


def trained(optimizer, scheduler, batch, steps=STEPS):
    rates = []
    hook = optimizer.register_step_pre_hook(lambda own, *_: rates.append(own.param_groups[0]["lr"]))
    for _ in range(steps):
        optimizer.step()
        scheduler.step(increment=batch)
    hook.remove()
    return rates


def sgd(peak):
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=peak)


def facts():
    say = lambda *words: print(*words, file=OUT)  # noqa: E731
    say("version", megatron.core.__version__)
    own = sgd(1e-3)
    before = own.param_groups[0]["weight_decay"]
    scheduler, batch = made(own, complete(WSD, 1e-3))
    say("weight decay", before, "becomes", own.param_groups[0]["weight_decay"])
    trained(own, scheduler, batch, 24)
    say("the checkpoint holds", sorted(scheduler.state_dict()))
    changed = WSD.replace("--lr-wsd-decay-iters 10", "--lr-wsd-decay-iters 20 --lr-wsd-decay-style linear")
    again, batch = made(own, complete(changed, 2e-3))
    try:
        again.load_state_dict(scheduler.state_dict())
        say("resume with another peak and WSD: max_lr", again.max_lr, "rate", own.param_groups[0]["lr"])
    except AssertionError as error:
        say("resume with another peak:", error)
    again, batch = made(own, complete(changed, 2e-3))
    again.use_checkpoint_opt_param_scheduler = True
    again.load_state_dict(scheduler.state_dict())
    say("resume, checkpoint used: max_lr", again.max_lr, "rate", own.param_groups[0]["lr"])
    for text in ("--lr-decay-style WSD --lr-decay-iters 30", "--lr-warmup-iters 30 --lr-decay-iters 30", "--min-lr 2"):
        try:
            made(sgd(1.0), complete(text, 1.0))
            say(text, "is taken")
        except AssertionError as error:
            say(text, "raises AssertionError", error)


def main():
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    if sys.argv[1:] == ["facts"]:
        facts()
        return
    for text in CALLS:
        for peak in PEAKS:
            own = sgd(peak)
            scheduler, batch = made(own, complete(text, peak))
            print(json.dumps({
                "library": "megatron", "version": megatron.core.__version__,
                "loop": "optimizer.step, opt_param_scheduler.step of train_step",
                "call": text, "peak": peak, "rates": trained(own, scheduler, batch),
            }), file=OUT)


main()
