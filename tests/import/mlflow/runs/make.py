"""Runs of MLflow 3.17.2: the SQLite store and search_runs as CSV.

Run in this folder: python make.py
"""

import os
import shutil
import sqlite3
import tempfile

import mlflow

SCORES = {"constant": 0.50, "linear": 0.40, "cosine": 0.30}

for path in ["mlflow.db", "search_runs.csv"]:
    if os.path.exists(path):
        os.remove(path)
folder = tempfile.mkdtemp()
mlflow.set_tracking_uri(f"sqlite:///{os.path.abspath('mlflow.db')}")
mlflow.create_experiment("sweep", artifact_location=f"file://{folder}")
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
runs = mlflow.search_runs(experiment_names=["sweep"])
# The paths of this machine.
runs = runs.drop(columns=["artifact_uri"])
runs = runs[[c for c in runs.columns if not c.startswith("tags.mlflow.source")]]
runs = runs.drop(columns=["tags.mlflow.user"], errors="ignore")
runs.to_csv("search_runs.csv", index=False)
with sqlite3.connect("mlflow.db") as db:
    db.execute("DELETE FROM tags WHERE key LIKE 'mlflow.source%'")
    db.execute("DELETE FROM tags WHERE key = 'mlflow.user'")
    db.execute("UPDATE runs SET artifact_uri = '', user_id = '', source_name = ''")
    db.execute("UPDATE experiments SET artifact_location = ''")
    # Without its empty tables the file is a tenth as large.
    db.execute("PRAGMA foreign_keys = OFF")
    tables = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    for (table,) in tables.fetchall():
        if not db.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchall():
            db.execute(f"DROP TABLE {table}")
    db.commit()
    db.execute("PRAGMA page_size = 512")
    db.execute("VACUUM")
db.close()
shutil.rmtree(folder)
