"""Records of fastai's `lr_find`: the recorder's `lrs` and `losses`, which are
a bias-corrected average in single precision."""

import json
import sys
from pathlib import Path

import fastai
import pandas
import torch
from fastai.callback.core import Callback
from fastai.callback.schedule import minimum, slide, steep, valley
from fastai.data.core import DataLoaders
from fastai.learner import Learner
from fastai.optimizer import SGD

sys.path.insert(0, str(Path(__file__).parent.parent))
import task

shelf = task.Shelf(
    __file__, torch=torch.__version__, fastai=fastai.__version__
)


class Note(Callback):
    order = 55

    def __init__(self, rows):
        self.rows = rows

    def after_batch(self):
        lr = self.learn.opt.hypers[-1]["lr"]
        self.rows.append((lr, self.learn.loss.item()))


def record(seed, **settings):
    rows = []
    net = task.model(seed)
    learn = Learner(
        DataLoaders(task.loader(seed), task.loader(seed)),
        net,
        loss_func=torch.nn.CrossEntropyLoss(),
        opt_func=SGD,
        cbs=[Note(rows)],
    )
    rules = (valley, slide, minimum, steep)
    with learn.no_bar():
        found = learn.lr_find(
            suggest_funcs=rules, show_plot=False, **settings
        )
    losses = [loss.item() for loss in learn.recorder.losses]
    data = {"lrs": learn.recorder.lrs, "losses": losses}
    said = {f"fastai-{name}": lr for name, lr in found._asdict().items()}
    return data, rows, said


data, rows, said = record(9)
(shelf.folder / "recorder.json").write_text(json.dumps(data))
shelf.keep("recorder.json", rows, suggestions=said)
data, rows, said = record(10, start_lr=1e-5, end_lr=100, num_it=120)
pandas.DataFrame(data).to_csv(shelf.folder / "wide-range.csv", index=False)
shelf.keep("wide-range.csv", rows, suggestions=said)
# Never stopped: the end is not finite.
data, rows, said = record(11, end_lr=1e5, stop_div=False)
(shelf.folder / "no-stop.json").write_text(json.dumps(data))
shelf.keep("no-stop.json", rows)
shelf.close()
