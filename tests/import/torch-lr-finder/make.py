"""Histories of torch-lr-finder, as people save them."""

import json
import sys
from pathlib import Path

import numpy
import pandas
import torch
from torch_lr_finder import LRFinder

sys.path.insert(0, str(Path(__file__).parent.parent))
import task

shelf = task.Shelf(
    __file__, torch=torch.__version__, **{"torch-lr-finder": "0.2.2"}
)


def history(seed, optimizer, **settings):
    net = task.model(seed)
    optimizer = optimizer(net.parameters())
    witness = task.Witness(optimizer)
    finder = LRFinder(net, optimizer, witness)
    finder.range_test(task.loader(seed), **settings)
    return finder.history, witness.rows


def suggestion(history):
    # As in `plot`, which returns it only with a figure.
    losses = history["loss"][10:-5]
    return history["lr"][10:-5][numpy.gradient(numpy.array(losses)).argmin()]


def sgd(parameters):
    return torch.optim.SGD(parameters, lr=1e-5, momentum=0.9)


def adam(parameters):
    return torch.optim.Adam(parameters, lr=1e-6)


# The defaults: each recorded loss is 0.05 new and 0.95 old.
data, rows = history(0, sgd, end_lr=10, num_iter=100)
(shelf.folder / "history.json").write_text(json.dumps(data))
shelf.keep(
    "history.json", rows, suggestion=suggestion(data), rule="torch-lr-finder"
)
# Without smoothing, by way of pandas.
data, rows = history(1, adam, end_lr=1, num_iter=80, smooth_f=0)
pandas.DataFrame(data).to_csv(shelf.folder / "raw-losses.csv")
# The rule smooths by itself, so there is nothing to compare it with.
shelf.keep("raw-losses.csv", rows)
# The defaults again, with six digits and semicolons.
data, rows = history(2, sgd, end_lr=10, num_iter=120)
pandas.DataFrame(data).to_csv(
    shelf.folder / "six-digits.csv", float_format="%.6g", sep=";", index=False
)
shelf.keep(
    "six-digits.csv", rows, suggestion=suggestion(data), rule="torch-lr-finder"
)
shelf.close()
