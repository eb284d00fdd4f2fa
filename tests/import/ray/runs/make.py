"""progress.csv, result.json and params.json of Ray Tune 2.60.0.

Run in this folder: python make.py
"""

import glob
import os
import shutil
import tempfile

from ray import tune

SCORES = {"constant": 0.50, "linear": 0.40, "cosine": 0.30}


def train(config):
    for step in range(3):
        score = SCORES[config["schedule"]] + 0.01 * config["seed"]
        tune.report({"val_loss": score + 0.1 * (2 - step)})


folder = tempfile.mkdtemp()
tuner = tune.Tuner(
    train,
    param_space={
        "schedule": tune.grid_search(sorted(SCORES)),
        "seed": tune.grid_search([0, 1]),
        "lr": 0.01,
    },
    run_config=tune.RunConfig(name="sweep", storage_path=folder),
)
results = tuner.fit()
shutil.rmtree("trials", ignore_errors=True)
for i, path in enumerate(sorted(glob.glob(f"{folder}/sweep/train_*"))):
    if not os.path.isdir(path):
        continue
    home = f"trials/train_{i:05}"
    os.makedirs(home)
    for file in ["progress.csv", "result.json", "params.json"]:
        # The name of this machine and its address.
        text = open(f"{path}/{file}").read()
        import socket

        text = text.replace(socket.gethostname(), "host")
        address = results[0].metrics["node_ip"]
        text = text.replace(address, "127.0.0.1")
        open(f"{home}/{file}", "w").write(text)
frame = results.get_dataframe()
frame = frame.drop(columns=["hostname", "node_ip", "logdir"], errors="ignore")
frame.to_csv("dataframe.csv", index=False)
shutil.rmtree(folder)
