"""Runs of wandb 0.31.0, offline: no account is needed. `../offline.py` says
what of this the package makes, and what is written by hand.

Made by the package: `export.csv` and `export.json`, with the snippet of its
documentation ("Export runs from project to CSV"); `history/*.csv`, the
`history()` of each run; `histories.csv`, `histories()` of all runs with the
configuration of each beside it; `sampled.json`, `history(keys=...)` of each,
with the configuration.
Written from the documented form: `table.csv`, the CSV of the table of runs;
`panel.csv`, that of a panel; both with the numbers of the same runs.

Run in this folder: python make.py
"""

import json
import shutil
import sys
from pathlib import Path

import pandas

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import offline

SCORES = {"constant": 0.50, "linear": 0.40, "cosine": 0.30}

with offline.temporary() as folder:
    for schedule, score in SCORES.items():
        for seed in range(2):
            config = {
                "dataset": "digits",
                "seed": seed,
                "optimizer": {"lr": 0.01, "schedule": schedule},
            }
            run = offline.start(folder, f"{schedule}-{seed}", config)
            for step in range(3):
                value = score + 0.01 * seed + 0.1 * (2 - step)
                run.log({"val/loss": value})
            run.finish()
    runs = offline.runs(folder)

    # The snippet of the documentation.
    summary_list, config_list, name_list = [], [], []
    for run in runs:
        summary_list.append(run.summary._json_dict)
        config_list.append(
            {k: v for k, v in run.config.items() if not k.startswith("_")}
        )
        name_list.append(run.name)
    runs_df = pandas.DataFrame(
        {"summary": summary_list, "config": config_list, "name": name_list}
    )
    runs_df.to_csv("export.csv")
    runs_df.to_json("export.json")

    shutil.rmtree("history", ignore_errors=True)
    Path("history").mkdir()
    for run in runs:
        run.history().to_csv(f"history/{run.name}.csv", index=False)

    settings = {
        run.id: pandas.json_normalize(dict(run.config)).add_prefix("config.")
        for run in runs
    }
    histories = runs.histories(format="pandas")
    configs = pandas.concat(
        frame.assign(run_id=run) for run, frame in settings.items()
    )
    histories.merge(configs, on="run_id").to_csv("histories.csv", index=False)

    rows = [
        {**row, **dict(run.config)}
        for run in runs
        for row in run.history(keys=["val/loss"], pandas=False)
    ]
    Path("sampled.json").write_text(json.dumps(rows))

    offline.table(runs).to_csv("table.csv", index=False)
    offline.panel(runs, "val/loss", "_step").to_csv("panel.csv", index=False)
