"""Study of Optuna 5.0.0 as trials_dataframe CSV and as SQLite.

Run in this folder: python make.py
"""

import os
import sqlite3

import optuna

SCORES = {"constant": 0.50, "linear": 0.40, "cosine": 0.30}

optuna.logging.set_verbosity(optuna.logging.ERROR)


def objective(trial):
    schedule = trial.suggest_categorical("lr_scheduler", sorted(SCORES))
    seed = trial.suggest_int("seed", 0, 2)
    lr = trial.suggest_float("lr", 1e-4, 1e-1, log=True)
    trial.set_user_attr("dataset", "digits")
    for step in range(3):
        trial.report(1.0 / (step + 1), step)
    if schedule == "constant" and seed == 2:
        raise optuna.TrialPruned
    if schedule == "linear" and seed == 2:
        raise RuntimeError("out of memory")
    return SCORES[schedule] + 0.01 * seed + 0 * lr


for name, direction in [("study", "minimize"), ("accuracy", "maximize")]:
    path = f"{name}.db"
    if os.path.exists(path):
        os.remove(path)
    study = optuna.create_study(
        study_name=name, storage=f"sqlite:///{path}", direction=direction
    )
    for schedule in sorted(SCORES):
        for seed in range(3):
            study.enqueue_trial(
                {"lr_scheduler": schedule, "seed": seed, "lr": 0.01}
            )
    study.optimize(objective, n_trials=9, catch=(RuntimeError,))
    if name == "study":
        study.trials_dataframe().to_csv("trials.csv")
    # Small pages: most of the file is empty tables.
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA page_size = 512")
        db.execute("VACUUM")
    db.close()
