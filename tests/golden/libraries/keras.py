#!/usr/bin/env python3
"""Writes keras.jsonl: the rate of an optimizer under Keras's schedules.

    pip install keras==3.15.1 torch==2.15.0
    python -P keras.py > keras.jsonl

The loop is `Model.fit`, on the backend torch. A rate is the number that the
optimizer hands to its `update_step`, in float32. The backend jax compiles the
schedule, so it rounds otherwise: up to 5e-7 of the peak. Where `t_mul` is no
whole number, the two backends begin some restarts at different updates; no
call here has one.

The rate that a call leaves out (`initial_learning_rate`) is the peak.
`SGD(...)` and `Adam(...)` are optimizers with further settings. `{peak}` in a
call below is the peak. No call has `values` of which the first is a whole
number and others are not: this backend raises an error.

Made on 2026-11-28 with Python 3.11.7, keras 3.15.1, torch 2.15.0.
"""

import json
import os

os.environ["KERAS_BACKEND"] = "torch"

import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras.optimizers import schedules  # noqa: E402

PEAKS = [1.0, 5e-05, 0.001]
UPDATES = 44

CALLS = [
    "ExponentialDecay(decay_steps=10, decay_rate=0.5)",
    "ExponentialDecay(decay_steps=10, decay_rate=0.5, staircase=True)",
    "InverseTimeDecay(decay_steps=10, decay_rate=0.5)",
    "InverseTimeDecay(decay_steps=10, decay_rate=2.0, staircase=True)",
    "PolynomialDecay(decay_steps=30)",
    "PolynomialDecay(decay_steps=30, end_learning_rate=0.0, power=2.0)",
    "PolynomialDecay(decay_steps=12, end_learning_rate=1e-05, power=0.5,"
    " cycle=True)",
    "CosineDecay(decay_steps=30)",
    "CosineDecay(decay_steps=30, alpha=0.1)",
    "CosineDecay(initial_learning_rate=0.0, warmup_target={peak},"
    " warmup_steps=8, decay_steps=24, alpha=0.05)",
    "CosineDecay(initial_learning_rate=1e-05, warmup_target={peak},"
    " warmup_steps=5, decay_steps=30)",
    "CosineDecay(warmup_steps=8, decay_steps=24, alpha=0.1)",
    "CosineDecayRestarts(first_decay_steps=6, alpha=0.1)",
    "CosineDecayRestarts(first_decay_steps=10, t_mul=1.0, m_mul=0.8,"
    " alpha=0.05)",
    "CosineDecayRestarts(first_decay_steps=4, t_mul=3.0, m_mul=0.5,"
    " alpha=0.1)",
    "PiecewiseConstantDecay(boundaries=[10, 25], values=[{peak}, 0.1, 0.02])",
    "SGD(learning_rate=ExponentialDecay({peak}, decay_steps=10,"
    " decay_rate=0.5), gradient_accumulation_steps=4)",
    "SGD(learning_rate=CosineDecay({peak}, decay_steps=80, alpha=0.1),"
    " gradient_accumulation_steps=2)",
    "SGD(learning_rate=PolynomialDecay({peak}, decay_steps=60),"
    " gradient_accumulation_steps=3)",
    "SGD(learning_rate=CosineDecay({peak}, decay_steps=10, alpha=0.1))",
    "Adam(learning_rate=CosineDecay({peak}, decay_steps=80, alpha=0.1),"
    " gradient_accumulation_steps=2)",
]

# Whole numbers: the peak has no part in them.
WHOLE = [
    "ExponentialDecay(1, 10, 0.5)",
    "ExponentialDecay(1, 10, 2)",
    "InverseTimeDecay(1, 10, 0.5)",
    "InverseTimeDecay(1, 10, 2)",
    "PolynomialDecay(1, 30)",
    "PolynomialDecay(1, 30, end_learning_rate=0.5, power=0.5)",
    "PolynomialDecay(2, 10, end_learning_rate=1, power=2.0, cycle=True)",
    "CosineDecay(1, 30, alpha=0.1)",
    "CosineDecay(0, 20, warmup_target=1.0, warmup_steps=8, alpha=0.1)",
    "CosineDecay(0, 20, warmup_target=0.5, warmup_steps=8)",
    "CosineDecayRestarts(1, 10, t_mul=1.0)",
    "CosineDecayRestarts(1, 6, alpha=0.1)",
    "PiecewiseConstantDecay([10, 25], [3, 2, 1])",
    "PiecewiseConstantDecay([10, 25], [1.0, 0.5, 0.25])",
]


class Recorded:
    """An optimizer that notes its rate at each update."""

    rates = []

    def update_step(self, gradient, variable, learning_rate):
        self.rates.append(float(learning_rate))
        super().update_step(gradient, variable, learning_rate)


class RecordedSGD(Recorded, keras.optimizers.SGD):
    pass


class RecordedAdam(Recorded, keras.optimizers.Adam):
    pass


def schedule(call, peak):
    def taking(name):
        def make(*given, **named):
            if not given and name != "PiecewiseConstantDecay":
                named.setdefault("initial_learning_rate", peak)
            return getattr(schedules, name)(*given, **named)
        return make
    names = {name: taking(name) for name in (
        "ExponentialDecay", "InverseTimeDecay", "PolynomialDecay",
        "CosineDecay", "CosineDecayRestarts", "PiecewiseConstantDecay")}
    return eval(call, names | {"SGD": RecordedSGD, "Adam": RecordedAdam})


def train(call, peak):
    Recorded.rates = []
    optimizer = schedule(call, peak)
    accumulated = 1
    if isinstance(optimizer, Recorded):
        accumulated = optimizer.gradient_accumulation_steps or 1
    else:
        optimizer = RecordedSGD(learning_rate=optimizer)
    model = keras.Sequential([keras.layers.Dense(1, use_bias=False)])
    model.compile(optimizer=optimizer, loss="mse")
    batches = UPDATES * accumulated // 2
    data = np.full((batches, 1), 1e-3, "float32")
    model.fit(data, data, batch_size=1, epochs=2, shuffle=False, verbose=0)
    return Recorded.rates


for calls, peaks in [(CALLS, PEAKS), (WHOLE, [1.0])]:
    for template in calls:
        for peak in peaks:
            call = template.replace("{peak}", repr(peak))
            print(json.dumps({
                "library": "keras", "version": keras.__version__,
                "loop": "Model.fit", "call": call, "peak": peak, "f32": True,
                "rates": train(call, peak)}))
