"""Runs of wandb 0.31.0, offline: no account is needed.

`export.csv`: the table that the snippet of wandb's documentation ("Export
runs from project to CSV") makes, with summary and config of the run objects
of this process, for `wandb.Api` needs a server. `export.json` is the same
table by `to_json`. `table.csv` has the columns of the CSV button of the table
of runs, filled by hand from the same objects: the button needs a server, too.
An offline run leaves neither config.yaml nor wandb-summary.json.

Run in this folder: python make.py
"""

import shutil
import tempfile

import pandas
import wandb

SCORES = {"constant": 0.50, "linear": 0.40, "cosine": 0.30}

folder = tempfile.mkdtemp()
summaries, configs, names = [], [], []
for schedule, score in SCORES.items():
    for seed in range(2):
        name = f"{schedule}-{seed}"
        config = {
            "dataset": "digits",
            "seed": seed,
            "optimizer": {"lr": 0.01, "schedule": schedule},
        }
        run = wandb.init(
            mode="offline",
            project="sweep",
            name=name,
            dir=folder,
            config=config,
            settings=wandb.Settings(
                console="off", disable_git=True, save_code=False
            ),
        )
        for step in range(3):
            run.log({"val/loss": score + 0.01 * seed + 0.1 * (2 - step)})
        summary = dict(run.summary)
        settings = dict(run.config)
        run.finish()
        summaries.append(summary)
        configs.append(settings)
        names.append(name)
# The snippet of the documentation.
runs_df = pandas.DataFrame(
    {"summary": summaries, "config": configs, "name": names}
)
runs_df.to_csv("export.csv")
runs_df.to_json("export.json")
pandas.DataFrame(
    [
        {
            "Name": name,
            "State": "finished",
            "Notes": "-",
            "Tags": "",
            "Runtime": 3,
            "Sweep": "",
            "dataset": config["dataset"],
            "optimizer.lr": config["optimizer"]["lr"],
            "optimizer.schedule": config["optimizer"]["schedule"],
            "seed": config["seed"],
            "val/loss": summary["val/loss"],
        }
        for name, config, summary in zip(names, configs, summaries)
    ]
).to_csv("table.csv", index=False)
shutil.rmtree(folder)
