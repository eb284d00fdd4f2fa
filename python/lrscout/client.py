"""The client of the protocol, for programs that report their training themselves
(docs/external.md). This file needs nothing else of the package."""

import json
import os
import sys
from array import array
from typing import Any, List, Optional


def read_npy(path: str) -> "array[float]":
    """The numbers of a one-dimensional .npy file of little-endian f64."""
    with open(path, "rb") as file:
        file.read(int.from_bytes(file.read(10)[8:], "little"))
        values = array("d", file.read())
    if sys.byteorder == "big":
        values.byteswap()
    return values


def claim_stdout() -> int:
    """A descriptor for events: what was standard output. From now on, prints go
    to standard error."""
    sys.stdout.flush()
    events = os.dup(1)
    os.dup2(2, 1)
    return events


class Task:
    """What to train: seed, steps, eval_steps, model, dataset, batch, ..."""

    seed: int
    steps: int
    eval_steps: List[int]
    mode: str
    grad_norm: Optional[str]
    model: Optional[str]
    dataset: Optional[str]
    optimizer: Optional[str]
    batch: Optional[int]
    lr_table: str
    momentum_table: Optional[str]

    # The launcher replaces it: it owns the standard output of its script.
    _claim = staticmethod(claim_stdout)

    def __init__(self, path: Optional[str] = None) -> None:
        path = path or os.environ.get("LRSCOUT_SPEC")
        if not path:
            sys.exit("no task: start this script with lrscout, or set LRSCOUT_SPEC")
        with open(path) as file:
            self.__dict__.update(json.load(file))
        self._rates = read_npy(self.lr_table)
        self._momenta = self.momentum_table and read_npy(self.momentum_table)
        self._factor = 1.0
        self._events = os.fdopen(self._claim(), "w", buffering=1)
        self._tell("hello", protocol=1)

    def lr(self, step: int) -> float:
        """The learning rate to set before update `step`, counted from 0."""
        return self._rates[step] * self._factor

    def momentum(self, step: int) -> Optional[float]:
        """The momentum to set before update `step`; None leaves it unchanged."""
        return self._momenta[step] if self._momenta else None

    def train(self, step: int, loss: Any, lr: Any, **more: Any) -> None:
        """Reports update `step`: its loss and the rate in the optimizer. Where the
        task wants them, `more` is `momentum` and `grad_norm`."""
        self._tell("train", step=step, loss=loss, lr=lr, **more)

    def eval(self, done: int, loss: Any, split: str = "valid", **metrics: Any) -> None:
        """Reports an evaluation after `done` updates."""
        self._tell("eval", step=done, loss=loss, metrics=metrics, split=split)
        if self.mode == "interactive" and split == "valid":
            self._factor = json.loads(sys.stdin.readline())["factor"]

    def done(self) -> None:
        """Says that this was the last report."""
        self._tell("done")

    def _tell(self, event: str, **fields: Any) -> None:
        plain = lambda x: x.item() if hasattr(x, "item") else float(x)  # tensors
        print(json.dumps({"event": event, **fields}, default=plain), file=self._events)
