"""A small classification task for the range tests of every tool, and what
each of them really did: the raw loss and the rate of every update.

Outside CI. Every make.py of this folder uses it:

    python -m venv venv && venv/bin/pip install torch==2.15.0 \
        torch-lr-finder==0.2.2 lightning==2.6.6 fastai==2.8.12 \
        pytorch-ignite==0.5.5 monai==1.6.1 keras==3.15.1 pandas==3.1.1
    venv/bin/python torch-lr-finder/make.py
"""

import json
import random
from pathlib import Path

import numpy
import torch

CLASSES, FEATURES = 8, 16


def examples(seed=0, count=2048):
    """Noisy points around one centre per class."""
    draw = numpy.random.default_rng(seed)
    centres = draw.normal(size=(CLASSES, FEATURES)) * 1.2
    labels = draw.integers(0, CLASSES, size=count)
    points = centres[labels] + draw.normal(size=(count, FEATURES))
    return points.astype("float32"), labels.astype("int64")


def dataset(seed=0, count=2048):
    points, labels = examples(seed, count)
    return torch.utils.data.TensorDataset(
        torch.from_numpy(points), torch.from_numpy(labels)
    )


def loader(seed=0, batch=32, count=2048):
    order = torch.Generator().manual_seed(seed)
    return torch.utils.data.DataLoader(
        dataset(seed, count), batch_size=batch, shuffle=True, generator=order
    )


def model(seed=0):
    random.seed(seed)
    numpy.random.seed(seed)
    torch.manual_seed(seed)
    return torch.nn.Sequential(
        torch.nn.Linear(FEATURES, 64),
        torch.nn.ReLU(),
        torch.nn.Linear(64, CLASSES),
    )


class Witness:
    """Notes the loss of every training batch and the rate it is used with."""

    def __init__(self, optimizer=None):
        self.optimizer, self.rows = optimizer, []
        self.loss = torch.nn.CrossEntropyLoss()

    def __call__(self, outputs, labels):
        loss = self.loss(outputs, labels)
        if loss.requires_grad:
            self.note(loss)
        return loss

    def note(self, loss):
        self.rows.append((self.optimizer.param_groups[0]["lr"], loss.item()))


class Shelf:
    """The files of one tool, and what is right about them."""

    def __init__(self, script, **versions):
        self.folder = Path(script).parent
        self.right = {"versions": versions, "files": {}}

    def keep(self, name, rows, **right):
        """`rows`: rate and raw loss of every update, as they really were."""
        stem = Path(name).stem
        raw = self.folder / "raw" / f"{stem}.csv"
        raw.parent.mkdir(exist_ok=True)
        # Nine digits are exact for a float of 32 bits.
        lines = [f"{lr:.12g},{loss:.9g}" for lr, loss in rows]
        raw.write_text("lr,loss\n" + "\n".join(lines) + "\n")
        self.right["files"][name] = {"raw": f"raw/{raw.name}", **right}

    def close(self):
        text = json.dumps(self.right, indent=1)
        (self.folder / "right.json").write_text(text + "\n")
