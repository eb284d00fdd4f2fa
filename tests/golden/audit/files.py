"""The files, and the check of each."""

import collections
import csv
import importlib.metadata
import io
import itertools
import json
import math
import subprocess
import sys
import tempfile

import numpy as np
from tensorboard.backend.event_processing import event_accumulator as ea
from torch.utils.tensorboard import SummaryWriter

VERSIONS = {name: f"{name} {importlib.metadata.version(name)}" for name in (
    "torch", "transformers", "accelerate", "timm", "keras", "lightning",
    "optax")}
FRAMES = list(itertools.product(
    ["from-0", "from-1", "last-0", "one-1"], ["before", "after"]))
DIGITS = [None, "%.2e", "f32", "%.5e", "%.3e", "%.4g", "%.1e", "%.6g"]


def shown(rate, digits):
    """The rate in all its digits, as single precision, or in a format."""
    if digits is None:
        return repr(float(rate))
    if digits == "f32":
        return repr(float(np.float32(rate)))
    return digits % rate


def unit(text, digits, peak):
    """Half a unit of the last digit printed, and what single precision leaves
    to a schedule."""
    rounding = 2e-6 * peak
    value = abs(float(text))
    if digits in (None, "f32") or value == 0.0:
        return rounding
    places = int(digits[2]) - (digits[3] == "g")
    return rounding + 0.51 * 10.0 ** (math.floor(math.log10(value)) - places)


def labels(rows, every, frame):
    """The rows that are logged: (label, rate, loss)."""
    count, reading = frame
    for update, before, after, loss in rows:
        first = update % every == 0
        last = (update + 1) % every == 0
        if not (last if count in ("from-1", "last-0") else first):
            continue
        label = update + (count in ("from-1", "one-1"))
        yield label, before if reading == "before" else after, loss


def written(style, rows, digits, extra):
    """The name and the text of a log in a style. `extra`: rows of a validation
    in between, rows missing, or fewer rows in the second half."""
    rows = list(rows)
    if extra == "thinner":
        half = len(rows) // 2
        rows = rows[:half] + rows[half::4]
    if extra == "missing":
        rows = [row for i, row in enumerate(rows) if i % 11 != 7]
    validate = extra == "validation"
    out = io.StringIO()
    if style == "tensorboard":
        return "tensorboard.csv", tensorboard(rows)
    if style in ("jsonl", "hf.jsonl"):
        step, lr = {"jsonl": ("step", "lr"),
                    "hf.jsonl": ("global_step", "learning_rate")}[style]
        for i, (label, rate, loss) in enumerate(rows):
            out.write(f'{{"{step}": {label}, "loss": {loss:.4f}, '
                      f'"{lr}": {shown(rate, digits)}}}\n')
            if validate and i % 10 == 9:
                out.write(f'{{"{step}": {label}, "val_loss": {loss:.4f}}}\n')
        return "log.jsonl", out.getvalue()
    head, order = {
        "csv": ("step,loss,lr", "slr"),
        "iteration.csv": ("iteration,learning_rate,train_loss", "srl"),
        "keras.csv": ("batch,learning_rate,loss", "srl"),
        "wandb.csv": ("_step,train/loss,train/lr", "slr"),
    }[style]
    out.write(head + (",val_loss" if validate else "") + "\n")
    for i, (label, rate, loss) in enumerate(rows):
        cells = {"s": str(label), "l": f"{loss:.4f}",
                 "r": shown(rate, digits)}
        out.write(",".join(cells[c] for c in order)
                  + ("," if validate else "") + "\n")
        if validate and i % 10 == 9:
            out.write(f"{label},,,{loss:.4f}\n")
    return style if "wandb" in style else "log.csv", out.getvalue()


def tensorboard(rows):
    """Event files, read back, as the CSV that TensorBoard offers."""
    with tempfile.TemporaryDirectory() as folder:
        with SummaryWriter(folder) as writer:
            for i, (label, rate, _) in enumerate(rows):
                writer.add_scalar("train/lr", rate, label,
                                  walltime=1795000000.0 + i)
        events = ea.EventAccumulator(folder, {ea.SCALARS: 0}).Reload()
        scalars = events.Scalars("train/lr")
    return "Wall time,Step,Value\n" + "".join(
        f"{s.wall_time},{s.step},{s.value}\n" for s in scalars)


def read(file, text):
    """(label, rate as printed) of each row with a rate."""
    if file == "trainer_state.json":
        found = json.loads(text, parse_float=str)["log_history"]
    elif file.endswith(".jsonl"):
        found = [json.loads(line, parse_float=str)
                 for line in text.splitlines()]
    else:
        found = list(csv.DictReader(io.StringIO(text)))
    steps = ("step", "global_step", "iteration", "batch", "_step", "Step")
    rates = ("lr", "learning_rate", "train/lr", "lr-SGD", "Value")
    for row in found:
        step = next(row[name] for name in steps if name in row)
        rate = next((row[name] for name in rates
                     if row.get(name) not in (None, "")), None)
        if rate is not None:
            yield int(step), rate


class Logs:
    """All lines, each checked as it is added."""

    def __init__(self, lrscout):
        self.lrscout, self.lines = lrscout, []
        self.names = collections.Counter()
        self.turn = 0

    def next(self):
        """A frame, digits, a style and an extra for the next log."""
        self.turn += 1
        i = self.turn
        styles = ["csv", "jsonl", "iteration.csv", "hf.jsonl", "csv",
                  "tensorboard", "wandb.csv"]
        style = styles[i % len(styles)]
        digits = DIGITS[i % len(DIGITS)]
        extra = [None, "validation", None, "missing", None, "validation",
                 None, "thinner", None, "missing", None][i % 11]
        return (FRAMES[(i * 3 + i // len(DIGITS)) % len(FRAMES)],
                "f32" if style == "tensorboard" else digits, style, extra)

    def intended(self, plan):
        """The rates that lrscout prints for the plan."""
        command = [self.lrscout, "schedules", "values", plan.spec, "--peak",
                   repr(plan.peak), "--steps", str(plan.steps)]
        command += ["--compat", plan.compat] if plan.compat else []
        out = subprocess.run(command, capture_output=True, text=True,
                             check=True).stdout
        return [float(row.split(",")[1]) for row in out.split()[1:]]

    def rows(self, plan, every, fault, loop, clean, rows):
        """Adds a log of `rows`; `clean` has the intended rates."""
        frame, digits, style, extra = self.next()
        if every == 50 and extra == "thinner":
            extra = None
        if plan.library == "keras":
            style = "keras.csv" if style.endswith("csv") else style
        file, text = written(style, labels(rows, every, frame), digits, extra)
        if extra and (style, extra) != ("tensorboard", "validation"):
            loop += "; " + {
                "validation": "rows of validations in between",
                "missing": "some rows are missing",
                "thinner": "in the second half every fourth row"}[extra]
        actual = dict((row[0], row[1]) for row in rows)
        loop += (f"; read {frame[1]} the schedule's step, counted as "
                 f"{frame[0]}")
        self.add(plan, every, fault, loop, clean,
                 [actual[u] for u in range(plan.steps)], file, text, digits,
                 frame)

    def add(self, plan, every, fault, loop, clean, actual, file, text, digits,
            frame):
        """Checks a log and adds it; `actual` has the rates of the updates."""
        peak, steps = plan.peak, plan.steps
        first = next((u for u, (a, b) in enumerate(zip(actual, clean))
                      if abs(a - b) > 0.01 * peak), None)
        kind = plan.kind.removeprefix("hf-")
        name = "-".join([plan.library, kind]
                        + (["warmup"] if plan.warmup else [])
                        + [f"every{every}",
                           "clean" if fault == "none" else fault])
        self.names[name] += 1
        if self.names[name] > 1:
            name += f"-{self.names[name]}"
        assert (first is None) == (fault == "none"), (name, first)
        want = self.intended(plan)
        off = max(abs(a - b) for a, b in zip(clean, want))
        assert off < 3e-6 * peak, (name, off / peak)
        base = frame[0] in ("from-1", "one-1")
        late = {"before": 0, "after": 1}[frame[1]]
        found = list(read(file, text))
        assert len(found) >= 15, (name, len(found))

        def beyond(shift, slack):
            return sum(
                abs(float(rate) - want[label - base + shift])
                > slack * peak + unit(rate, digits, peak)
                for label, rate in found if 0 <= label - base + shift < steps)
        if fault == "none":
            assert beyond(late, 0.0) == 0, (name, beyond(late, 0.0))
        else:
            seen = min(beyond(late + s, 0.02) for s in (-1, 0, 1))
            assert seen >= 2, (name, seen, loop)
        line = {"name": name, "library": VERSIONS[plan.library], "loop": loop,
                "file": file, "text": text, "spec": plan.spec, "peak": peak,
                "steps": steps, "every": every, "fault": fault,
                "first_update": first}
        if plan.compat:
            line["compat"] = plan.compat
        self.lines.append(line)
        print(len(self.lines), name, first, file=sys.stderr)
