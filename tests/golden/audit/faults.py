"""The trainings with a planted fault."""

import math

import keras
import optax
from loops import keras_loop, optax_loop, torch_loop
from plans import Plan, keras_schedule, lambda_rate, optax_schedule
from torch.optim import lr_scheduler as ts
from trainings import chosen, lightning_log, rows_of, run, trainer_log

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
            rows_of(plan.longer(32, 32), plan.steps))
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
            rows_of(plan.longer(times), plan.steps))
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
            rows_of(plan.longer(times), plan.steps))
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
    for i, kind in enumerate(["cosine", "linear", "cosine-10"]):
        plan = chosen("transformers", kind, i + 1, 10)
        trainer_log(logs, plan, 10, "jump", stop=plan.steps // 2,
                    resumed=plan.steps * 3, loop=" with max_steps three times"
                    " as high")


def rises(logs):
    for i, every, library, kind in cases(pairs(
            "torch:cosine transformers:cosine accelerate:cosine torch:cosine"
            " transformers:cosine torch:cosine torch:cosine-10"
            " transformers:cosine accelerate:cosine")):
        plan = chosen(library, kind, i, every)
        times = [0.6, 0.5, 0.7][i % 3]
        run(logs, plan, every, "rises",
            f"a cosine over {times} of the updates",
            rows_of(plan.longer(times), plan.steps))
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
            rows_of(plan.longer(peak=times), plan.steps))
    for i, kind in enumerate(["linear", "cosine"]):
        plan = chosen("lightning", kind, i + 4, 10)
        lightning_log(logs, plan, 10, "above-peak", plan.longer(peak=2),
                      "; twice the peak")


ALL = [peak_not_reached, zero_start, stepped_too_often, stepped_per_epoch,
       end_not_reached, ended_early, restart, jump, rises, above_peak]
