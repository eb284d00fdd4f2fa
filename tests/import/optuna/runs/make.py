"""Studies of Optuna 5.0.0 as trials_dataframe CSV and as SQLite: one that is
minimized (`trials.csv`, `study.db`), one that is maximized (`accuracy`), one
of two objectives with names (`objectives`).

Run in this folder: python make.py
"""

import os
import sqlite3

import optuna

SCORES = {"constant": 0.50, "linear": 0.40, "cosine": 0.30}

optuna.logging.set_verbosity(optuna.logging.ERROR)


def suggest(trial):
    schedule = trial.suggest_categorical("lr_scheduler", sorted(SCORES))
    seed = trial.suggest_int("seed", 0, 2)
    trial.suggest_float("lr", 1e-4, 1e-1, log=True)
    trial.set_user_attr("dataset", "digits")
    return schedule, seed


def one(trial):
    schedule, seed = suggest(trial)
    for step in range(3):
        trial.report(1.0 / (step + 1), step)
    if schedule == "constant" and seed == 2:
        raise optuna.TrialPruned
    if schedule == "linear" and seed == 2:
        raise RuntimeError("out of memory")
    return SCORES[schedule] + 0.01 * seed


def two(trial):
    schedule, seed = suggest(trial)
    loss = SCORES[schedule] + 0.01 * seed
    return loss, 1.0 - loss


def write(name, table, objective, directions, names=None):
    path = f"{name}.db"
    if os.path.exists(path):
        os.remove(path)
    study = optuna.create_study(
        study_name=name, storage=f"sqlite:///{path}", directions=directions
    )
    if names:
        study.set_metric_names(names)
    for schedule in sorted(SCORES):
        for seed in range(3):
            study.enqueue_trial(
                {"lr_scheduler": schedule, "seed": seed, "lr": 0.01}
            )
    study.optimize(objective, n_trials=9, catch=(RuntimeError,))
    study.trials_dataframe().to_csv(table)
    # Small pages: most of the file is empty tables.
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA page_size = 512")
        db.execute("VACUUM")
    db.close()


write("study", "trials.csv", one, ["minimize"])
write("accuracy", "accuracy.csv", one, ["maximize"])
write(
    "objectives",
    "objectives.csv",
    two,
    ["minimize", "maximize"],
    ["val_loss", "val_acc"],
)
