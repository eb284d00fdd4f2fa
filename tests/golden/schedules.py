#!/usr/bin/env python3
"""Writes schedules.json: learning rates as other libraries give them.

    pip install torch torchvision pillow transformers optax timm keras
    python schedules.py > schedules.json

Each case is a schedule as TOML names it, the library, the peak, the number of
steps, their rates, and those of the updates after them. MXNet's cases come
from the formulas of its tutorial on advanced schedules, which no package has,
and of its lr_scheduler module, written out below; mxnet.py has those of the
module itself.
"""

import bisect
import json
import math
import os
import sys
import types
import warnings

os.environ["KERAS_BACKEND"] = "torch"
warnings.simplefilter("ignore")

import jax  # noqa: E402

jax.config.update("jax_enable_x64", True)
import keras  # noqa: E402
import optax  # noqa: E402
import timm  # noqa: E402
import timm.scheduler as ts  # noqa: E402
import torch  # noqa: E402
import torch.optim.lr_scheduler as tl  # noqa: E402
import transformers  # noqa: E402

AFTER = 3  # updates beyond the budget

cases = []


def case(library, spec, steps, rates, peak=1.0, tolerance=1e-12):
    """Takes `rates` of `steps` updates, those of a warm-up among them, and of
    what follows, if the library goes on."""
    rates = [float(rate) for rate in rates]
    assert steps <= len(rates) <= steps + AFTER, (library, spec, len(rates))
    cases.append({
        "library": library, "spec": spec, "peak": peak, "steps": steps,
        "tolerance": tolerance, "rates": rates[:steps], "after": rates[steps:],
    })


def optimizer(peak):
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=peak)


# --- PyTorch ---------------------------------------------------------------

def of_torch(spec, steps, make, peak=1.0):
    opt = optimizer(peak)
    scheduler = make(opt)
    rates = []
    # OneCycleLR gives nonsense at its end (issue 91765) and then raises;
    # CyclicLR, which makes a triangle, begins another one.
    after = {"one-cycle": 0, "triangular": 1}.get(spec.get("kind"), AFTER)
    for _ in range(steps + after):
        rates.append(opt.param_groups[0]["lr"])
        opt.step()
        scheduler.step()
    case("torch", spec, steps, rates, peak)


of_torch({"kind": "constant"}, 7, lambda o: tl.ConstantLR(o, 1.0))
of_torch({"kind": "linear"}, 20, lambda o: tl.LinearLR(o, 1.0, 0.0, 20), 0.3)
of_torch({"kind": "linear", "end_ratio": 0.1}, 20,
         lambda o: tl.LinearLR(o, 1.0, 0.1, 20))
of_torch({"kind": "polynomial", "power": 2.0}, 20,
         lambda o: tl.PolynomialLR(o, 20, 2.0))
of_torch({"kind": "polynomial", "power": 0.9}, 33,
         lambda o: tl.PolynomialLR(o, 33, 0.9), 3e-3)
of_torch({"kind": "cosine"}, 20, lambda o: tl.CosineAnnealingLR(o, 20))
of_torch({"kind": "cosine", "end_ratio": 0.1}, 50,
         lambda o: tl.CosineAnnealingLR(o, 50, 0.02), 0.2)
of_torch({"kind": "cosine", "cycles": 1.0}, 20,
         lambda o: tl.CosineAnnealingLR(o, 10))
of_torch({"kind": "exponential", "end_ratio": 0.05}, 30,
         lambda o: tl.ExponentialLR(o, 0.05 ** (1 / 30)))
of_torch({"kind": "step", "milestones": [5, 8], "gamma": 0.1}, 10,
         lambda o: tl.MultiStepLR(o, [5, 8], 0.1))
of_torch({"kind": "step", "milestones": [0.3, 0.6, 0.8], "gamma": 0.2}, 50,
         lambda o: tl.MultiStepLR(o, [15, 30, 40], 0.2))
of_torch({"kind": "one-cycle"}, 10, lambda o: tl.OneCycleLR(o, 1.0, 10))
of_torch({"kind": "one-cycle"}, 57, lambda o: tl.OneCycleLR(o, 3e-3, 57), 3e-3)
of_torch({"kind": "one-cycle", "anneal": "linear", "three_phase": True}, 10,
         lambda o: tl.OneCycleLR(o, 1.0, 10, anneal_strategy="linear",
                                 three_phase=True))
of_torch({"kind": "one-cycle", "three_phase": True, "pct_start": 0.4}, 45,
         lambda o: tl.OneCycleLR(o, 1.0, 45, pct_start=0.4, three_phase=True))
of_torch({"kind": "one-cycle", "pct_start": 0.1, "div_factor": 10.0,
          "final_div_factor": 100.0, "anneal": "linear"}, 40,
         lambda o: tl.OneCycleLR(o, 1.0, 40, pct_start=0.1, div_factor=10.0,
                                 final_div_factor=100.0,
                                 anneal_strategy="linear"))
for mode, gamma in [("triangular", 1.0), ("triangular2", 1.0),
                    ("exp_range", 0.9)]:
    of_torch({"kind": "cyclical", "mode": mode.replace("_", "-"),
              "step_size_up": 4, "gamma": gamma}, 17,
             lambda o: tl.CyclicLR(o, 0.1, 1.0, 4, mode=mode, gamma=gamma,
                                   cycle_momentum=False))
of_torch({"kind": "cyclical", "step_size_up": 3, "step_size_down": 7,
          "base_ratio": 0.25}, 35,
         lambda o: tl.CyclicLR(o, 0.25, 1.0, 3, 7, cycle_momentum=False))
of_torch({"kind": "cyclical"}, 40,
         lambda o: tl.CyclicLR(o, 0.1, 1.0, 5, cycle_momentum=False))
of_torch({"kind": "triangular", "inc_fraction": 0.25}, 40,
         lambda o: tl.CyclicLR(o, 0.1, 1.0, 10, 30, cycle_momentum=False))
of_torch({"kind": "sgdr", "t_0": 4, "t_mult": 2}, 28,
         lambda o: tl.CosineAnnealingWarmRestarts(o, 4, 2))
of_torch({"kind": "sgdr", "cycles": 3, "end_ratio": 0.05}, 30,
         lambda o: tl.CosineAnnealingWarmRestarts(o, 10, 1, 0.05))
of_torch({"kind": "sgdr", "cycles": 4, "t_mult": 2}, 30,
         lambda o: tl.CosineAnnealingWarmRestarts(o, 2, 2))
of_torch({"kind": "cosine", "warmup": 5, "warmup_start_ratio": 0.2}, 30,
         lambda o: tl.SequentialLR(o, [
             tl.LinearLR(o, 0.2, 1.0, 5), tl.CosineAnnealingLR(o, 25)], [5]))
of_torch({"kind": "linear", "warmup": "10%", "warmup_start_ratio": 0.01}, 40,
         lambda o: tl.SequentialLR(o, [
             tl.LinearLR(o, 0.01, 1.0, 4), tl.LinearLR(o, 1.0, 0.0, 36)], [4]))
of_torch({"kind": "wsd", "decay": 0.4}, 25,
         lambda o: tl.SequentialLR(o, [
             tl.ConstantLR(o, 1.0), tl.LinearLR(o, 1.0, 0.0, 10)], [15]))
of_torch({"join": [{"kind": "constant", "steps": 6},
                   {"kind": "cosine", "steps": 14}]}, 20,
         lambda o: tl.SequentialLR(o, [
             tl.ConstantLR(o, 1.0), tl.CosineAnnealingLR(o, 14)], [6]))


# --- Hugging Face ----------------------------------------------------------

def of_hf(spec, steps, name, warmup, peak=1.0, **more):
    opt = optimizer(peak)
    scheduler = transformers.get_scheduler(
        name, opt, num_warmup_steps=warmup, num_training_steps=steps,
        scheduler_specific_kwargs=more)
    rates = []
    for _ in range(steps + AFTER):
        rates.append(opt.param_groups[0]["lr"])
        opt.step()
        scheduler.step()
    case("hf", spec, steps, rates, peak)


of_hf({"kind": "constant", "warmup": 4}, 12, "constant_with_warmup", 4)
of_hf({"kind": "linear", "warmup": 5}, 30, "linear", 5, 2e-5)
of_hf({"kind": "linear"}, 30, "linear", 0)
of_hf({"kind": "cosine", "warmup": 6}, 40, "cosine", 6)
of_hf({"kind": "cosine", "warmup": 6, "cycles": 1.5}, 40, "cosine", 6,
      num_cycles=1.5)
of_hf({"kind": "cosine", "warmup": 6, "end_ratio": 0.1}, 40,
      "cosine_with_min_lr", 6, min_lr_rate=0.1)
of_hf({"kind": "polynomial", "power": 3.0, "end_ratio": 0.01, "warmup": 3},
      30, "polynomial", 3, power=3.0, lr_end=0.01)
of_hf({"kind": "sgdr", "cycles": 3, "warmup": 4}, 34, "cosine_with_restarts",
      4, num_cycles=3)
of_hf({"kind": "inverse-sqrt", "warmup": 5}, 30, "inverse_sqrt", 5)
of_hf({"kind": "inverse-sqrt"}, 30, "inverse_sqrt", 0)
of_hf({"kind": "inverse-sqrt", "warmup": 5, "timescale": 9}, 30,
      "inverse_sqrt", 5, timescale=9)
for share, steps in [(0.05, 101), (0.03, 110), (0.1, 133), (0.06, 70),
                     (0.07, 100)]:
    arguments = types.SimpleNamespace(warmup_steps=share)
    warmup = transformers.TrainingArguments.get_warmup_steps(arguments, steps)
    of_hf({"kind": "linear", "warmup": f"{100 * share:g}%"}, steps, "linear",
          warmup)
for ours, theirs in [("linear", "linear"), ("cosine", "cosine"),
                     ("one-minus-sqrt", "1-sqrt")]:
    of_hf({"kind": "wsd", "decay": 0.25, "shape": ours, "warmup": 8,
           "end_ratio": 0.1}, 48, "warmup_stable_decay", 8,
          num_decay_steps=10, decay_type=theirs, min_lr_ratio=0.1)
of_hf({"kind": "wsd", "decay": 0.5, "warmup": 4}, 24, "warmup_stable_decay",
      4, num_decay_steps=10, decay_type="linear")
of_hf({"kind": "wsd", "decay": 0.5, "warmup": 4, "warmup_shape": "cosine"},
      24, "warmup_stable_decay", 4, num_decay_steps=10, decay_type="linear",
      warmup_type="cosine")


# --- optax -----------------------------------------------------------------

def of_optax(spec, steps, schedule, peak=1.0):
    rates = [schedule(step) for step in range(steps + AFTER)]
    case("optax", spec, steps, rates, peak)


of_optax({"kind": "constant"}, 5, optax.constant_schedule(0.5), 0.5)
of_optax({"kind": "linear", "end_ratio": 0.1}, 20,
         optax.linear_schedule(1.0, 0.1, 20))
of_optax({"kind": "polynomial", "power": 3.0, "end_ratio": 0.1}, 20,
         optax.polynomial_schedule(1.0, 0.1, 3, 20))
of_optax({"kind": "cosine", "end_ratio": 0.1}, 20,
         optax.cosine_decay_schedule(1.0, 20, 0.1))
of_optax({"kind": "cosine", "warmup": 5}, 30,
         optax.warmup_cosine_decay_schedule(0.0, 1.0, 5, 30))
of_optax({"kind": "cosine", "warmup": 5, "warmup_start_ratio": 0.1,
          "end_ratio": 0.2}, 30,
         optax.warmup_cosine_decay_schedule(0.05, 0.5, 5, 30, 0.1), 0.5)
of_optax({"kind": "exponential", "end_ratio": 0.01}, 25,
         optax.exponential_decay(1.0, 25, 0.01))
of_optax({"kind": "step", "milestones": [5, 8], "gamma": 0.1}, 12,
         optax.piecewise_constant_schedule(1.0, {5: 0.1, 8: 0.1}))
of_optax({"kind": "one-cycle"}, 40, optax.cosine_onecycle_schedule(40, 1.0))
of_optax({"kind": "one-cycle", "pct_start": 0.25, "div_factor": 10.0,
          "final_div_factor": 100.0}, 37,
         optax.cosine_onecycle_schedule(37, 1.0, 0.25, 10.0, 100.0))
of_optax({"kind": "one-cycle", "anneal": "linear"}, 40,
         optax.linear_onecycle_schedule(40, 1.0))
of_optax({"kind": "one-cycle", "anneal": "linear"}, 33,
         optax.linear_onecycle_schedule(33, 0.1), 0.1)
of_optax({"kind": "sgdr", "t_0": 6, "t_mult": 2, "end_ratio": 0.05,
          "magnitude_decay": 0.5}, 42,
         optax.sgdr_schedule([
             {"init_value": 0.5 ** i, "peak_value": 0.5 ** i,
              "warmup_steps": 0, "decay_steps": 6 * 2 ** i,
              "end_value": 0.05} for i in range(3)]))
of_optax({"kind": "wsd", "decay": 0.25, "warmup": 4}, 24,
         optax.join_schedules([
             optax.linear_schedule(0.0, 1.0, 4),
             optax.constant_schedule(1.0),
             optax.linear_schedule(1.0, 0.0, 5)], [4, 19]))
of_optax({"join": [{"kind": "linear", "end_ratio": 0.5, "steps": 5},
                   {"kind": "cosine", "warmup": 3, "share": 0.75}]}, 20,
         optax.join_schedules([
             optax.linear_schedule(1.0, 0.5, 5),
             optax.warmup_cosine_decay_schedule(0.0, 1.0, 3, 15)], [5]))


# --- timm ------------------------------------------------------------------

def of_timm(spec, steps, make, peak=1.0, library="timm"):
    opt = optimizer(peak)
    scheduler = make(opt)
    rates = []
    for step in range(steps + AFTER):
        scheduler.step(step)
        rates.append(opt.param_groups[0]["lr"])
    case(library, spec, steps, rates, peak)


of_timm({"kind": "cosine", "end_ratio": 0.01, "warmup": 5}, 40,
        lambda o: ts.CosineLRScheduler(o, 40, 0.01, warmup_t=5))
of_timm({"kind": "cosine", "warmup": 4, "warmup_start_ratio": 0.1}, 30,
        lambda o: ts.CosineLRScheduler(o, 30, warmup_t=4,
                                       warmup_lr_init=0.02), 0.2)
of_timm({"kind": "k-decay", "k": 1.5}, 30,
        lambda o: ts.CosineLRScheduler(o, 30, k_decay=1.5))
of_timm({"kind": "sgdr", "t_0": 4, "t_mult": 2, "magnitude_decay": 0.5,
         "end_ratio": 0.01}, 28,
        lambda o: ts.CosineLRScheduler(o, 4, 0.01, cycle_mul=2,
                                       cycle_decay=0.5, cycle_limit=3))
of_timm({"kind": "sgdr", "cycles": 3, "magnitude_decay": 0.5, "warmup": 3},
        30, lambda o: ts.CosineLRScheduler(o, 10, cycle_decay=0.5,
                                           cycle_limit=3, warmup_t=3))
of_timm({"kind": "polynomial", "power": 0.5, "end_ratio": 0.05, "warmup": 5},
        25, lambda o: ts.PolyLRScheduler(o, 25, 0.5, 0.05, warmup_t=5))
of_timm({"kind": "linear", "warmup": 5}, 25,
        lambda o: ts.PolyLRScheduler(o, 25, 1.0, warmup_t=5))
of_timm({"kind": "step", "milestones": [5, 8], "gamma": 0.1}, 12,
        lambda o: ts.MultiStepLRScheduler(o, [5, 8], 0.1))
of_timm({"kind": "step", "milestones": [6, 9], "gamma": 0.2, "warmup": 3},
        12, lambda o: ts.MultiStepLRScheduler(o, [6, 9], 0.2, warmup_t=3,
                                              warmup_prefix=False))
of_timm({"kind": "tanh"}, 30, lambda o: ts.TanhLRScheduler(o, 30))
of_timm({"kind": "tanh", "lower": -6.0, "upper": 3.0, "end_ratio": 0.01,
         "warmup": 6}, 30,
        lambda o: ts.TanhLRScheduler(o, 30, -6.0, 3.0, 0.01, warmup_t=6))
for ours, theirs in [("linear", "linear"), ("one-minus-sqrt", "1-sqrt"),
                     ("cosine", "cosine"), ("square", "power")]:
    of_timm({"kind": "wsd", "decay": 0.2, "shape": ours, "warmup": 5,
             "end_ratio": 0.01}, 45,
            lambda o: ts.WSDLRScheduler(o, 40, 8, 0.01, decay_fn=theirs,
                                        decay_power=2.0, warmup_t=5))


# With warmup_prefix, whose t_initial is what the warm-up leaves.

def of_prefix(spec, steps, make, peak=1.0):
    of_timm(spec, steps, make, peak, "timm-prefix")


of_prefix({"kind": "cosine", "end_ratio": 0.01, "warmup": 5}, 40,
          lambda o: ts.CosineLRScheduler(o, 35, 0.01, warmup_t=5,
                                         warmup_prefix=True))
of_prefix({"kind": "cosine", "warmup": 4, "warmup_start_ratio": 0.1}, 30,
          lambda o: ts.CosineLRScheduler(o, 26, warmup_t=4,
                                         warmup_lr_init=0.02,
                                         warmup_prefix=True), 0.2)
of_prefix({"kind": "k-decay", "k": 1.5, "warmup": 2}, 30,
          lambda o: ts.CosineLRScheduler(o, 28, k_decay=1.5, warmup_t=2,
                                         warmup_prefix=True))
of_prefix({"kind": "sgdr", "cycles": 3, "magnitude_decay": 0.5, "warmup": 3},
          33, lambda o: ts.CosineLRScheduler(o, 10, cycle_decay=0.5,
                                             cycle_limit=3, warmup_t=3,
                                             warmup_prefix=True))
of_prefix({"kind": "polynomial", "power": 0.5, "end_ratio": 0.05,
           "warmup": 5}, 25,
          lambda o: ts.PolyLRScheduler(o, 20, 0.5, 0.05, warmup_t=5,
                                       warmup_prefix=True))
of_prefix({"kind": "linear", "warmup": 5}, 25,
          lambda o: ts.PolyLRScheduler(o, 20, 1.0, warmup_t=5,
                                       warmup_prefix=True))
of_prefix({"kind": "step", "milestones": [6, 9], "gamma": 0.2, "warmup": 3},
          14, lambda o: ts.MultiStepLRScheduler(o, [6, 9], 0.2, warmup_t=3))
of_prefix({"kind": "tanh", "lower": -6.0, "upper": 3.0, "end_ratio": 0.01,
           "warmup": 6}, 30,
          lambda o: ts.TanhLRScheduler(o, 24, -6.0, 3.0, 0.01, warmup_t=6,
                                       warmup_prefix=True))
of_prefix({"kind": "wsd", "decay": 0.2, "warmup": 5, "end_ratio": 0.01}, 45,
          lambda o: ts.WSDLRScheduler(o, 40, 8, 0.01, decay_fn="linear",
                                      warmup_t=5))


# --- Keras (in f32) --------------------------------------------------------

def of_keras(spec, decay_steps, schedule, peak=1.0):
    steps = decay_steps + spec.get("warmup", 0)
    rates = [schedule(step) for step in range(steps + AFTER)]
    case("keras", spec, steps, rates, peak, 1e-6)


ks = keras.optimizers.schedules
of_keras({"kind": "linear", "end_ratio": 0.1}, 20,
         ks.PolynomialDecay(1.0, 20, 0.1))
of_keras({"kind": "polynomial", "power": 2.0, "end_ratio": 0.1}, 20,
         ks.PolynomialDecay(0.5, 20, 0.05, 2.0), 0.5)
of_keras({"kind": "cosine", "end_ratio": 0.1}, 20,
         ks.CosineDecay(1.0, 20, 0.1))
of_keras({"kind": "cosine", "warmup": 5}, 20,
         ks.CosineDecay(0.0, 20, warmup_target=1.0, warmup_steps=5))
of_keras({"kind": "cosine", "warmup": 4, "warmup_start_ratio": 0.1,
          "end_ratio": 0.2}, 20,
         ks.CosineDecay(0.1, 20, 0.2, warmup_target=1.0, warmup_steps=4))
of_keras({"kind": "cosine", "warmup": 3}, 7,
         ks.CosineDecay(0.0, 7, warmup_target=1.0, warmup_steps=3))
of_keras({"kind": "exponential", "end_ratio": 0.01}, 20,
         ks.ExponentialDecay(1.0, 20, 0.01))
of_keras({"kind": "inverse-time", "rate": 9.0}, 20,
         ks.InverseTimeDecay(1.0, 20, 9.0))
of_keras({"kind": "sgdr", "t_0": 4, "t_mult": 2, "magnitude_decay": 0.5,
          "end_ratio": 0.1}, 28,
         ks.CosineDecayRestarts(1.0, 4, 2.0, 0.5, 0.1))
of_keras({"kind": "sgdr", "cycles": 4, "magnitude_decay": 0.9}, 32,
         ks.CosineDecayRestarts(1.0, 8, 1.0, 0.9))
of_keras({"kind": "step", "milestones": [5, 8], "gamma": 0.1}, 12,
         ks.PiecewiseConstantDecay([5, 8], [1.0, 0.1, 0.01]))


# --- MXNet -----------------------------------------------------------------
# A schedule is a function of num_update, which is 1 at the first update.

def mx_poly(peak, end, power, length):
    return lambda n: end + (peak - end) * (1 - min(n, length) / length) ** power


def mx_cosine(low, high, length):
    return lambda n: low + (high - low) * (
        (1 + math.cos(n * math.pi / length)) / 2 if n <= length else 0)


def mx_triangular(low, high, length, inc_fraction=0.5):
    def rate(n):
        if n <= length * inc_fraction:
            unit = n / (length * inc_fraction)
        elif n <= length:
            unit = (length - n) / (length * (1 - inc_fraction))
        else:
            unit = 0
        return low + unit * (high - low)
    return rate


def mx_warmup(schedule, start, length):
    finish = schedule(0)
    return lambda n: (start + n * (finish - start) / length if n <= length
                      else schedule(n - length))


def mx_cooldown(schedule, finish, start_idx, length):
    start = schedule(start_idx)

    def rate(n):
        if n <= start_idx:
            return schedule(n)
        if n <= start_idx + length:
            return start + (n - start_idx) * (finish - start) / length
        return finish
    return rate


def mx_one_cycle(start, high, cycle_length, cooldown_length, finish):
    cycle = mx_triangular(start, high, cycle_length)
    return mx_cooldown(cycle, finish, cycle_length, cooldown_length)


def mx_cyclical(make, length, length_decay=1, magnitude_decay=1):
    def rate(n):
        index, cycle_length, end = 0, length, length
        while end <= n:
            cycle_length = math.ceil(cycle_length * length_decay)
            index += 1
            end += cycle_length
        offset = n - end + cycle_length
        return make(cycle_length)(offset) * magnitude_decay ** index
    return rate


def mx_multi_factor(steps, factor):
    # It asks `num_update > step`, so bisect_left.
    return lambda n: factor ** bisect.bisect_left(steps, n)


def of_mxnet(spec, steps, schedule, peak=1.0):
    rates = [schedule(step + 1) for step in range(steps + AFTER)]
    case("mxnet", spec, steps, rates, peak)


of_mxnet({"kind": "linear"}, 20, mx_poly(0.2, 0, 1, 20), 0.2)
of_mxnet({"kind": "polynomial", "power": 2.0, "end_ratio": 0.1}, 20,
         mx_poly(1, 0.1, 2, 20))
of_mxnet({"kind": "cosine", "end_ratio": 0.1}, 20, mx_cosine(0.1, 1, 20))
of_mxnet({"kind": "cosine", "warmup": 5}, 30,
         mx_warmup(mx_cosine(0, 1, 25), 0, 5))
of_mxnet({"kind": "linear", "warmup": 5, "warmup_start_ratio": 0.1}, 30,
         mx_warmup(mx_poly(1, 0, 1, 25), 0.1, 5))
of_mxnet({"kind": "step", "milestones": [5, 8], "gamma": 0.1}, 12,
         mx_multi_factor([5, 8], 0.1))
of_mxnet({"kind": "triangular", "inc_fraction": 0.2}, 20,
         mx_triangular(0.1, 1, 20, 0.2))
of_mxnet({"kind": "triangular", "start_ratio": 0.5, "warmup": 4}, 24,
         mx_warmup(mx_triangular(0.5, 1, 20), 0, 4))
of_mxnet({"kind": "cyclical", "step_size_up": 3, "step_size_down": 5}, 24,
         mx_cyclical(lambda n: mx_triangular(0.1, 1, n, 0.375), 8))
of_mxnet({"kind": "sgdr", "t_0": 4, "t_mult": 2, "magnitude_decay": 0.5,
          "end_ratio": 0.1}, 28,
         mx_cyclical(lambda n: mx_cosine(0.1, 1, n), 4, 2, 0.5))
of_mxnet({"kind": "cosine", "cooldown": 0.25, "cooldown_end_ratio": 0.1}, 20,
         mx_cooldown(mx_cosine(0, 1, 20), 0.1, 15, 5))
of_mxnet({"kind": "wsd", "decay": 0.25}, 20,
         mx_cooldown(lambda n: 1.0, 0, 15, 5))
of_mxnet({"kind": "one-cycle", "anneal": "linear", "three_phase": True}, 30,
         mx_one_cycle(1 / 25, 1, 18, 12, 1 / 25 / 1e4))


# --- Everything else -------------------------------------------------------

json.dump({
    "versions": {
        "torch": torch.__version__, "transformers": transformers.__version__,
        "optax": optax.__version__, "timm": timm.__version__,
        "keras": keras.__version__,
    },
    "cases": cases,
}, sys.stdout, separators=(",", ":"))
print()
print(len(cases), "cases", file=sys.stderr)
