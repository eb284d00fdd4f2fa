#!/usr/bin/env python3
"""Writes optax.jsonl: the rate of an optimizer under optax's schedules.

    pip install optax==0.2.8 jax==0.10.2
    python -P optax.py > optax.jsonl

The loop is the documented one: `optimizer = optax.sgd(schedule)`, then
`optimizer.update` and `optax.apply_updates`. With a gradient of 1 the
update is minus the rate, and that is where the rate is read. The rates are in
float32. With `jax_enable_x64` most of them still are, because the count is an
int32 and an int32 divided by a whole number is a float32.

The rate that a call leaves out (`init_value`, or `peak_value` where there is
one) is the peak. `{low}` in a call below is a hundredth of the peak, `{peak}`
is the peak.

Made on 2026-11-28 with Python 3.11.7, optax 0.2.8, jax 0.10.2.
"""

import json

import jax.numpy as jnp
import optax

PEAKS = [1.0, 5e-05, 0.001]
UPDATES = 44

CALLS = [
    "constant_schedule()",
    "linear_schedule(end_value=0.0, transition_steps=30)",
    "linear_schedule(end_value=1e-05, transition_steps=20,"
    " transition_begin=10)",
    "polynomial_schedule(end_value=1e-06, power=2.0, transition_steps=30)",
    "polynomial_schedule(end_value=0.0, power=0.5, transition_steps=25,"
    " transition_begin=5)",
    "piecewise_constant_schedule()",
    "piecewise_constant_schedule(boundaries_and_scales={10: 0.1, 25: 0.5})",
    "exponential_decay(transition_steps=10, decay_rate=0.5)",
    "exponential_decay(transition_steps=8, decay_rate=0.5,"
    " transition_begin=5, staircase=True, end_value={low})",
    "cosine_decay_schedule(decay_steps=30)",
    "cosine_decay_schedule(decay_steps=30, alpha=0.1, exponent=2.0)",
    "piecewise_interpolate_schedule('linear',"
    " boundaries_and_scales={10: 2.0, 30: 0.1})",
    "piecewise_interpolate_schedule(interpolate_type='cosine',"
    " boundaries_and_scales={8: 0.5, 20: 3.0, 30: 0.0})",
    "linear_onecycle_schedule(transition_steps=30)",
    "linear_onecycle_schedule(transition_steps=33, pct_start=0.4,"
    " pct_final=0.7, div_factor=10.0, final_div_factor=100.0)",
    "cosine_onecycle_schedule(transition_steps=30)",
    "cosine_onecycle_schedule(transition_steps=35, pct_start=0.25,"
    " div_factor=5.0, final_div_factor=50.0)",
    "warmup_constant_schedule(init_value=0.0, warmup_steps=8)",
    "warmup_cosine_decay_schedule(init_value=0.0, warmup_steps=8,"
    " decay_steps=30)",
    "warmup_cosine_decay_schedule(init_value=1e-06, warmup_steps=5,"
    " decay_steps=30, end_value={low}, exponent=2.0)",
    "warmup_exponential_decay_schedule(init_value=0.0, warmup_steps=6,"
    " transition_steps=10, decay_rate=0.5)",
    "warmup_exponential_decay_schedule(init_value=1e-06, warmup_steps=6,"
    " transition_steps=6, decay_rate=0.6, transition_begin=4,"
    " staircase=True, end_value={low})",
    "sgdr_schedule([{'init_value': 0.0, 'peak_value': {peak},"
    " 'warmup_steps': 3, 'decay_steps': 12}, {'init_value': {low},"
    " 'peak_value': 0.001, 'warmup_steps': 4, 'decay_steps': 20,"
    " 'end_value': 1e-05}])",
    "cosine_decay_schedule(decay_steps=30, alpha=0.1)",
    "join_schedules([linear_schedule(0.0, {peak}, 8),"
    " cosine_decay_schedule({peak}, 14), constant_schedule({low})],"
    " [8, 22])",
]

# Where a function takes the peak.
RATE = {"constant_schedule": "value"}
RATE |= {name: "init_value" for name in (
    "linear_schedule", "polynomial_schedule", "piecewise_constant_schedule",
    "exponential_decay", "cosine_decay_schedule",
    "piecewise_interpolate_schedule")}
RATE |= {name: "peak_value" for name in (
    "linear_onecycle_schedule", "cosine_onecycle_schedule",
    "warmup_constant_schedule", "warmup_cosine_decay_schedule",
    "warmup_exponential_decay_schedule")}


def schedule(call, peak):
    def taking(name):
        def make(*given, **named):
            # The parts of a join are given whole, by position.
            if len(given) < 2 and call.startswith(name):
                named.setdefault(RATE[name], peak)
            return getattr(optax.schedules, name)(*given, **named)
        return make
    names = {name: taking(name) for name in RATE}
    names["sgdr_schedule"] = optax.sgdr_schedule
    names["join_schedules"] = optax.join_schedules
    return eval(call, names)


def train(call, peak):
    optimizer = optax.sgd(schedule(call, peak))
    weight = jnp.zeros(())
    state = optimizer.init(weight)
    rates = []
    for _ in range(UPDATES):
        updates, state = optimizer.update(jnp.ones_like(weight), state, weight)
        rates.append(abs(float(updates)))
        weight = optax.apply_updates(weight, updates)
    return rates


for template in CALLS:
    for peak in PEAKS:
        call = template.replace("{peak}", repr(peak))
        call = call.replace("{low}", repr(peak / 100))
        print(json.dumps({
            "library": "optax", "version": optax.__version__,
            "loop": "optimizer.update; apply_updates", "call": call,
            "peak": peak, "f32": True, "rates": train(call, peak)}))
