"""Histories of MONAI's LearningRateFinder."""

import json
import sys
from pathlib import Path

import monai
import pandas
import torch
from monai.optimizers import LearningRateFinder

sys.path.insert(0, str(Path(__file__).parent.parent))
import task

shelf = task.Shelf(__file__, torch=torch.__version__, monai=monai.__version__)


def finder(seed, lr=1e-6, **settings):
    net = task.model(seed)
    optimizer = torch.optim.AdamW(net.parameters(), lr=lr)
    witness = task.Witness(optimizer)
    finder = LearningRateFinder(net, optimizer, witness, verbose=False)
    finder.range_test(task.loader(seed), **settings)
    return finder, witness.rows


found, rows = finder(3, end_lr=10, num_iter=100)
(shelf.folder / "history.json").write_text(json.dumps(found.history))
shelf.keep("history.json", rows)
# The range ends before the loss diverges; smoothed otherwise.
found, rows = finder(4, end_lr=3e-3, num_iter=60, smooth_f=0.2)
lrs, losses = found.get_lrs_and_losses()
pandas.DataFrame({"lrs": lrs, "losses": losses}).to_csv(
    shelf.folder / "never-diverged.csv", index=False
)
# `get_lrs_and_losses` drops the last row.
shelf.keep("never-diverged.csv", rows[: len(lrs)])
found, rows = finder(5, lr=1e-3, end_lr=1, num_iter=60, step_mode="linear")
with (shelf.folder / "linear.json").open("w") as file:
    json.dump(found.history, file, indent=2)
shelf.keep("linear.json", rows)
shelf.close()
