#!/usr/bin/env python3
"""Writes stable-baselines3.jsonl: the rates of Stable-Baselines3's optimizers.

    pip install stable-baselines3==2.9.2 torch==2.15.0
    python stable-baselines3.py > stable-baselines3.jsonl

Each rate is read from the optimizer of the policy (of SAC: of the critic) at the
moment of its step, inside `learn` on the CPU, with gymnasium's Pendulum-v1. Beside the
arguments of the algorithm a call has `total_timesteps`, those of `learn`, and
`n_envs`, the environments. The peak is `learning_rate` where the call gives none.
`python stable-baselines3.py facts` prints what else the pages of this library say.

28 November 2026: python 3.11.7, torch 2.15.0, stable-baselines3 2.9.2.
"""

import json
import logging
import sys
import warnings

sys.path.pop(0)  # this folder, whose programs have the names of libraries

import stable_baselines3
from stable_baselines3 import A2C, PPO, SAC
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.utils import ConstantSchedule, FloatSchedule, LinearSchedule, get_linear_fn

PEAKS = [1.0, 5e-5, 1e-3]
SHORT = "n_steps=8, batch_size=4, n_epochs=2"
CALLS = [
    (f"PPO({SHORT}, total_timesteps=90)", PEAKS),
    (f"PPO(learning_rate=LinearSchedule(start=1e-3, end=1e-5, end_fraction=1.0), {SHORT}, total_timesteps=90)", PEAKS),
    (f"PPO(learning_rate=LinearSchedule(1e-3, 0.0, 0.5), {SHORT}, total_timesteps=96)", [1e-3]),
    (f"PPO(learning_rate=get_linear_fn(1e-3, 1e-4, 0.8), {SHORT}, total_timesteps=90)", [1e-3]),
    (f"PPO(learning_rate=FloatSchedule(2e-4), {SHORT}, total_timesteps=90)", [1e-3]),
    (f"PPO(learning_rate=FloatSchedule(LinearSchedule(1e-3, 1e-5, 1.0)), {SHORT}, total_timesteps=90)", [1e-3]),
    (f"PPO(learning_rate=ConstantSchedule(2e-4), {SHORT}, total_timesteps=90)", [1e-3]),
    ("PPO(learning_rate=LinearSchedule(1e-3, 1e-5, 1.0), n_steps=6, batch_size=5, n_epochs=1, n_envs=2, total_timesteps=200)", [1e-3]),
    ("A2C(learning_rate=LinearSchedule(1e-3, 1e-5, 1.0), total_timesteps=203)", PEAKS),
    ("A2C(learning_rate=LinearSchedule(1e-3, 1e-5, 0.5), n_steps=4, n_envs=2, total_timesteps=320)", [1e-3]),
    ("SAC(total_timesteps=60, learning_starts=20, batch_size=4)", PEAKS),
    ("SAC(learning_rate=LinearSchedule(1e-3, 1e-5, 1.0), total_timesteps=60, learning_starts=20, batch_size=4)", PEAKS),
    ("SAC(learning_rate=LinearSchedule(1e-3, 0.0, 0.7), total_timesteps=90, learning_starts=10, train_freq=4, gradient_steps=2, batch_size=4)", [1e-3]),
    ("SAC(learning_rate=LinearSchedule(1e-3, 0.0, 1.0), total_timesteps=61, learning_starts=10, train_freq=4, gradient_steps=-1, batch_size=4)", [1e-3]),
    ("SAC(learning_rate=LinearSchedule(1e-3, 0.0, 1.0), total_timesteps=90, learning_starts=11, n_envs=2, gradient_steps=1, batch_size=4)", [1e-3]),
]
MADE = [ConstantSchedule, FloatSchedule, LinearSchedule, get_linear_fn]


def learned(kind, peak, total_timesteps, n_envs=1, learning_rate=None, **arguments):
    """The algorithm after `learn`, and the rates of its optimizer."""
    rates = []
    model = kind(
        "MlpPolicy", make_vec_env("Pendulum-v1", n_envs), learning_rate=peak if learning_rate is None else learning_rate,
        device="cpu", seed=0, policy_kwargs=dict(net_arch=[2]), **arguments,
    )
    optimizer = model.critic.optimizer if kind is SAC else model.policy.optimizer
    optimizer.register_step_pre_hook(lambda own, *_: rates.append(own.param_groups[0]["lr"]))
    model.learn(total_timesteps)
    return rates


def rates(text, peak):
    names = {kind.__name__: kind for kind in MADE}
    for kind in (PPO, A2C, SAC):
        names[kind.__name__] = lambda kind=kind, **arguments: learned(kind, peak, **arguments)
    return eval(text, names)  # noqa: S307: the calls above


def facts():
    asked = []

    def schedule(progress):
        asked.append(progress)
        return 1e-3 * progress

    for kind, more in ((PPO, dict(n_steps=8, batch_size=4, n_epochs=2)), (SAC, dict(learning_starts=10, batch_size=4))):
        asked.clear()
        found = learned(kind, 1.0, 20, learning_rate=schedule, **more)
        print(kind.__name__, "asked", asked[:12], "...", asked[-3:], "rates", found[-3:])


def main():
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    if sys.argv[1:] == ["facts"]:
        facts()
        return
    for text, peaks in CALLS:
        for peak in peaks:
            print(json.dumps({
                "library": "stable-baselines3", "version": stable_baselines3.__version__, "loop": "learn",
                "call": text, "peak": peak, "rates": rates(text, peak),
            }))


main()
