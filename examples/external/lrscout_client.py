"""Connects a training script of any framework to lrscout (docs/external.md).

Copy this file beside your script. It needs Python 3.8 and nothing else.
"""

import json
import os
import sys
from array import array


def read_npy(path):
    with open(path, "rb") as file:  # one-dimensional, little-endian, f64
        file.read(int.from_bytes(file.read(10)[8:], "little"))
        values = array("d", file.read())
    if sys.byteorder == "big":
        values.byteswap()
    return values


class Task:
    """What to train: seed, steps, eval_steps, model, dataset, batch, ..."""

    def __init__(self, path=os.environ.get("LRSCOUT_SPEC")):
        if not path:
            sys.exit("no task: start this script with lrscout, or set LRSCOUT_SPEC")
        with open(path) as file:
            self.__dict__.update(json.load(file))
        self._rates = read_npy(self.lr_table)
        self._momenta = self.momentum_table and read_npy(self.momentum_table)
        self._factor = 1.0
        # Standard output is for events; prints go to standard error.
        self._events = os.fdopen(os.dup(1), "w", buffering=1)
        os.dup2(2, 1)
        self._tell("hello", protocol=1)

    def lr(self, step):
        """The learning rate to set before update `step`, counted from 0."""
        return self._rates[step] * self._factor

    def momentum(self, step):
        """The momentum to set before update `step`; None leaves it unchanged."""
        return self._momenta and self._momenta[step]

    def train(self, step, loss, lr, **more):  # more: momentum, grad_norm
        """Reports update `step`: its loss and the rate in the optimizer."""
        self._tell("train", step=step, loss=loss, lr=lr, **more)

    def eval(self, done, loss, split="valid", **metrics):
        """Reports an evaluation after `done` updates, for each of `eval_steps`."""
        self._tell("eval", step=done, loss=loss, metrics=metrics, split=split)
        if self.mode == "interactive" and split == "valid":
            self._factor = json.loads(sys.stdin.readline())["factor"]

    def done(self):  # after the last report
        self._tell("done")

    def _tell(self, event, **fields):
        plain = lambda x: x.item() if hasattr(x, "item") else float(x)  # tensors
        print(json.dumps({"event": event, **fields}, default=plain), file=self._events)
