"""What is intended, and the schedules of the libraries for it."""

import json
import math

import keras
import optax
import timm.scheduler
import transformers
from torch.optim import lr_scheduler as ts

class Plan:
    """What was intended: a SPEC, and how to make the library's schedule of it.

    `steps` are all updates, `warmup` those of the warm-up among them."""

    def __init__(self, library, kind, steps, warmup, peak):
        self.library, self.kind, self.peak = library, kind, peak
        self.steps, self.warmup = steps, warmup
        self.compat = {"torch": None, "transformers": "hf", "accelerate": "hf",
                       "optax": "optax", "timm": "timm-prefix",
                       "keras": "keras", "lightning": None}[library]

    def longer(self, times=1, warmup=1, peak=1):
        """The plan with the steps, the warm-up and the peak so many times."""
        return Plan(self.library, self.kind, round(self.steps * times),
                    round(self.warmup * warmup), self.peak * peak)

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
    }[plan.kind]()
    return KerasPlan(peak, w, after, whole) if w else after
