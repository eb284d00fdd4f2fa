"""Events of a launched script: one JSON object a line (docs/external.md)."""

import collections
import json
import os
import select
import threading
from typing import Any, Deque, Sequence, Tuple

# Seconds for which updates may wait: to write each alone would cost more than
# all the rest of a report.
PATIENCE = 0.2

# Step, losses, by how much to divide their sum, rate, momentum, norm.
Update = Tuple[int, Sequence[Any], int, float, Any, Any]


def plain(value: Any) -> float:
    """A number of any library as a float. A tensor is read from its device."""
    return float(value.item() if hasattr(value, "item") else value)


def written(value: float) -> str:
    """`value` as JSON, with NaN and Infinity as Python's json writes them."""
    if value - value == 0.0:
        return repr(value)
    return json.dumps(value)


def line(update: Update) -> str:
    """The event of an update. Several losses are those of accumulated batches."""
    step, losses, count, lr, momentum, norm = update
    loss = sum(map(plain, losses)) / count
    if momentum is None and norm is None and loss - loss == lr - lr == 0.0:
        return '{"event":"train","step":%d,"loss":%r,"lr":%r}\n' % (step, loss, lr)
    text = '{"event":"train","step":%d,"loss":%s,"lr":%s' % (
        step,
        written(loss),
        written(lr),
    )
    if momentum is not None:
        text += ',"momentum":' + written(plain(momentum))
    if norm is not None:
        text += ',"grad_norm":' + written(plain(norm))
    return text + "}\n"


class Events:
    """Writes events to a descriptor, updates some at a time, all in order."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._updates: Deque[Update] = collections.deque()
        self._writing = threading.Lock()
        self._reader = select.poll()
        self._reader.register(descriptor, 0)
        threading.Thread(target=self._write_now_and_then, daemon=True).start()

    def train(self, update: Update) -> None:
        """Takes an update. Losses and norm may be tensors that nobody changes any more;
        they are read when they are written."""
        self._updates.append(update)

    def tell(self, event: str, **fields: Any) -> None:
        """Writes an event at once."""
        text = json.dumps({"event": event, **fields}, default=plain)
        with self._writing:
            self._write(self._taken() + text + "\n")

    def flush(self) -> None:
        """Writes the updates that wait."""
        with self._writing:
            self._write(self._taken())

    def _taken(self) -> str:
        updates = self._updates
        return "".join(line(updates.popleft()) for _ in range(len(updates)))

    def _write(self, text: str) -> None:
        data = text.encode()
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except BrokenPipeError:  # nobody reads: lrscout is gone
            os._exit(1)

    def _write_now_and_then(self) -> None:
        pause = threading.Event()
        while True:
            pause.wait(PATIENCE)
            if self._reader.poll(0):  # nobody reads: lrscout is gone
                os._exit(1)
            self.flush()


class Silence(Events):
    """In the place of events: what processes other than the first one say, which is
    only why they end."""

    def train(self, update: Update) -> None:
        pass

    def tell(self, event: str, **fields: Any) -> None:
        if event == "error":
            super().tell(event, **fields)

    def flush(self) -> None:
        pass
