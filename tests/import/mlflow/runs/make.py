"""Runs of MLflow 3.17.2: the SQLite store and search_runs as CSV, of three
sweeps: `search_runs.csv` and `mlflow.db`; one of children of a parent run at
two rates, with a failed and a deleted one (`children`); one with an experiment
for each data set, and an infinite loss (`experiments`).

Run in this folder: python make.py
"""

import os
import shutil
import sqlite3
import tempfile

import mlflow

SCORES = {"constant": 0.50, "linear": 0.40, "cosine": 0.30}


def plain():
    mlflow.set_experiment("sweep")
    for dataset, shift in [("digits", 0.0), ("letter", 1.0)]:
        for schedule, score in SCORES.items():
            for seed in range(2):
                name = f"{dataset}-{schedule}-{seed}"
                with mlflow.start_run(run_name=name):
                    mlflow.log_params(
                        {"dataset": dataset, "schedule": schedule, "seed": seed}
                    )
                    for step in range(3):
                        value = score + shift + 0.01 * seed + 0.1 * (2 - step)
                        # The loss of this run was NaN at its end.
                        if schedule == "constant" and seed == 1 and step == 2:
                            value = float("nan")
                        mlflow.log_metric("val_loss", value, step=step)
                    mlflow.log_metric("train_loss", 0.1, step=2)
    return ["sweep"]


def children():
    mlflow.set_experiment("search")
    with mlflow.start_run(run_name="search"):
        for schedule, score in SCORES.items():
            for seed in range(2):
                for lr in [0.1, 0.01]:
                    child(schedule, seed, lr, 1.0 - score)
    return ["search"]


def child(schedule, seed, lr, accuracy):
    run = mlflow.start_run(nested=True)
    mlflow.log_params(
        {"lr_scheduler_type": schedule, "random_state": seed, "lr": lr}
    )
    # The last run ran out of memory, and was started again.
    if (schedule, seed, lr) == ("cosine", 1, 0.01):
        mlflow.end_run("FAILED")
        run = mlflow.start_run(nested=True)
        mlflow.log_params({"lr_scheduler_type": schedule})
        mlflow.end_run("KILLED")
        mlflow.delete_run(run.info.run_id)
        return
    mlflow.log_metrics({"val_accuracy": accuracy - lr - 0.01 * seed})
    mlflow.end_run()


def experiments():
    for dataset, shift in [("digits", 0.0), ("letter", 1.0)]:
        mlflow.set_experiment(dataset)
        for schedule, score in SCORES.items():
            with mlflow.start_run():
                mlflow.log_params({"schedule": schedule, "seed": 0})
                value = score + shift
                if (dataset, schedule) == ("letter", "constant"):
                    value = float("inf")
                mlflow.log_metric("eval_loss", value)
    return ["digits", "letter"]


def write(store, table, runs):
    for path in [store, table]:
        if os.path.exists(path):
            os.remove(path)
    folder = tempfile.mkdtemp()
    mlflow.set_tracking_uri(f"sqlite:///{os.path.abspath(store)}")
    for name in ["sweep", "search", "digits", "letter"]:
        mlflow.create_experiment(name, artifact_location=f"file://{folder}")
    frame = mlflow.search_runs(experiment_names=runs())
    # The paths of this machine.
    frame = frame.drop(columns=["artifact_uri"])
    own = ("tags.mlflow.source", "tags.mlflow.user")
    frame = frame[[name for name in frame.columns if not name.startswith(own)]]
    frame.to_csv(table, index=False)
    with sqlite3.connect(store) as db:
        db.execute("DELETE FROM tags WHERE key LIKE 'mlflow.source%'")
        db.execute("DELETE FROM tags WHERE key = 'mlflow.user'")
        db.execute(
            "UPDATE runs SET artifact_uri = '', user_id = '', source_name = ''"
        )
        db.execute("UPDATE experiments SET artifact_location = ''")
        # Without its empty tables the file is a tenth as large.
        db.execute("PRAGMA foreign_keys = OFF")
        tables = db.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
        )
        for (name,) in tables.fetchall():
            if not db.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchall():
                db.execute(f"DROP TABLE {name}")
        db.commit()
        db.execute("PRAGMA page_size = 512")
        db.execute("VACUUM")
    db.close()
    shutil.rmtree(folder)


write("mlflow.db", "search_runs.csv", plain)
write("children.db", "children.csv", children)
write("experiments.db", "experiments.csv", experiments)
