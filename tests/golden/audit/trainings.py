"""The trainings without a fault, and what all trainings share."""

from loops import (keras_loop, lightning_loop, optax_loop, torch_loop,
                   trainer_loop)
from plans import SPECS, Plan, hf_make, keras_schedule, optax_schedule

PEAKS = [5e-5, 3e-4, 1e-3, 0.1, 1e-4, 3e-3, 0.5, 0.01, 0.05]
SHARES = [0.0, 0.1, 0.05, 0.2, 0.02]
BUDGETS = {1: [200, 300, 250, 400], 10: [500, 1000, 800, 2000, 1500],
           50: [2000, 3000, 5000]}


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


def rows_of(actual, updates):
    """The rows of so many updates under a plan, stepped once an update."""
    if actual.library == "optax":
        return optax_loop(optax_schedule(actual), updates)
    if actual.library == "keras":
        return keras_loop(keras_schedule(actual), updates)
    return torch_loop(actual, updates)


def rates_of(rows):
    """The rates of the updates."""
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
    """All logs without a fault."""
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
                rows = rows_of(plan, plan.steps)
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
    for j, kind in enumerate(["cosine", "linear", "wsd"]):
        plan = chosen("accelerate", kind, j + 3, 10)
        logs.rows(plan, 10, "none", LOOPS["accelerate"] + "; 4 micro-batches an"
                  " update under accelerator.accumulate",
                  rates_of(rows_of(plan, plan.steps)),
                  torch_loop(plan, plan.steps, micro=4))
    for j, kind in enumerate(["cosine", "linear", "one-cycle", "wsd-sqrt",
                              "step", "cosine-10", "triangular",
                              "inverse-sqrt", "sgdr", "exponential"]):
        every = [10, 1, 10, 50][j % 4]
        plan = chosen("lightning", kind, j, every)
        more = [{}, {"validate": 100}, {"epoch": plan.steps // 5},
                {"accumulate": 4}][j // 2 % 4]
        lightning_log(logs, plan, every, "none", **more)
    for j, kind in enumerate(HF_KINDS + ["linear", "cosine"]):
        every = [10, 50, 10, 1][j % 4]
        plan = chosen("transformers", kind, j + 1, every)
        more = [{"stop": plan.steps // 2}, {"logging_first_step": True},
                {"evaluate": plan.steps // 10},
                {"gradient_accumulation_steps": 4}, {}][j % 5]
        trainer_log(logs, plan, every, "none", **more)


def lightning_log(logs, plan, every, fault, actual=None, loop="", **more):
    """A log of Lightning itself; `actual` is the plan that it was given."""
    rates, text = lightning_loop(actual or plan, plan.steps, every, **more)
    logs.add(plan, every, fault,
             "lightning.Trainer, LearningRateMonitor and CSVLogger"
             + ("; validations in between" if more.get("validate") else "")
             + (f"; epochs of {more['epoch']} updates" if more.get("epoch")
                else "")
             + ("; accumulate_grad_batches=4" if more.get("accumulate") else "")
             + loop,
             rates_of(torch_loop(plan, plan.steps)), rates, "metrics.csv", text,
             None, ("last-0", "before"))


def trainer_log(logs, plan, every, fault, actual=None, loop="", **more):
    """trainer_state.json of HF Trainer; `actual` is a plan given to it as
    `optimizers=`."""
    if actual:
        more["schedulers"] = lambda optimizer: hf_make(actual, optimizer)
    rates, text = trainer_loop(plan, plan.steps, every, **more)
    for key, words in [
            ("stop", "; stopped and resumed at update {}"),
            ("evaluate", "; an evaluation each {} updates"),
            ("logging_first_step", "; logging_first_step={}"),
            ("gradient_accumulation_steps",
             "; gradient_accumulation_steps={}")]:
        if more.get(key):
            loop = words.format(more[key]) + loop
    logs.add(plan, every, fault, "transformers.Trainer" + loop,
             rates_of(torch_loop(plan, plan.steps)), rates,
             "trainer_state.json", text, None, ("from-1", "before"))


def run(logs, plan, every, fault, loop, rows):
    """Adds a log of `rows` with a fault."""
    logs.rows(plan, every, fault, LOOPS[plan.library] + "; " + loop,
              rates_of(rows_of(plan, plan.steps)), rows)
