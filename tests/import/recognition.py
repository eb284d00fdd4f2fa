"""How often averages in place of losses are recognised, and raw losses are
taken for averages, on range tests of real trainings.

    python recognition.py ../../target/release/lrscout [COUNT]

Trains small networks (classification, regression, autoencoders; the loss of
batches or of a fixed set; SGD and Adam; batches of 1 to 2048; 40 to 300
updates), writes the losses of each and their averages, and counts what
`find-lr --curve` says. Outside CI; it needs torch (made with 2.15.0).
"""

import collections
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
import torch

sys.path.insert(0, str(Path(__file__).parent))
import task

BATCHES = [1, 2, 4, 8, 16, 32, 64, 128, 512, 2048]


def training(draw):
    """Rates and losses of one range test, until it has clearly diverged."""
    kind = draw.choice(["classes", "classes", "values", "inputs", "fixed"])
    batch, seed = int(draw.choice(BATCHES)), int(draw.integers(1_000_000))
    count = int(draw.choice([40, 60, 80, 100, 100, 100, 150, 200, 300]))
    low, high = 10 ** draw.uniform(-8, -4), 10 ** draw.uniform(-1, 2)
    points, labels = task.dataset(seed % 17).tensors
    net, loss_of = task.model(seed), torch.nn.CrossEntropyLoss()
    if kind == "values":
        labels = points[:, :1] * 2 + torch.randn(len(points), 1) / 2
        net = torch.nn.Sequential(
            torch.nn.Linear(16, 32), torch.nn.Tanh(), torch.nn.Linear(32, 1)
        )
    if kind == "inputs":
        labels = points
        net = torch.nn.Sequential(
            torch.nn.Linear(16, 8), torch.nn.ReLU(), torch.nn.Linear(8, 16)
        )
    if kind in ("values", "inputs"):
        loss_of = torch.nn.MSELoss()
    optimizer = [
        torch.optim.SGD(net.parameters(), lr=low),
        torch.optim.SGD(net.parameters(), lr=low, momentum=0.9),
        torch.optim.Adam(net.parameters(), lr=low),
    ][draw.integers(3)]
    rates, losses = [], []
    order, at = torch.randperm(len(points)), 0
    for i in range(count):
        rate = low * (high / low) ** (i / (count - 1))
        optimizer.param_groups[0]["lr"] = rate
        if at + batch > len(points):
            order, at = torch.randperm(len(points)), 0
        rows = order[at : at + batch]
        at += batch
        optimizer.zero_grad()
        loss = loss_of(net(points[rows]), labels[rows])
        loss.backward()
        optimizer.step()
        if kind == "fixed":
            with torch.no_grad():
                loss = loss_of(net(points[:256]), labels[:256])
        rates.append(rate)
        losses.append(loss.item())
        risen = i > 10 and min(losses[-3:]) > 4 * losses[0]
        if risen or not math.isfinite(losses[-1]):
            break
    return rates, losses


def average(losses, new, divisor, first=0.0):
    shown, past = [], first
    for k, loss in enumerate(losses, 1):
        past = new * loss + (1 - new) * past
        shown.append(past / divisor(k))
    return shown


def since_first(losses, new):
    return losses[:1] + average(losses[1:], new, lambda k: 1, losses[0])


RECORDS = {
    "raw": lambda losses: losses,
    "torch-lr-finder": lambda losses: since_first(losses, 0.05),
    "weight 0.2": lambda losses: since_first(losses, 0.2),
    "lightning": lambda losses: average(
        losses, 1 - 0.98, lambda k: 1 - 0.98 ** (k + 1)
    ),
    "fastai": lambda losses: average(
        losses, 1 - 0.98, lambda k: 1 - 0.98**k
    ),
    "uncorrected": lambda losses: average(losses, 1 - 0.98, lambda k: 1),
    "means": lambda losses: [
        sum(losses[:k]) / k for k in range(1, len(losses) + 1)
    ],
}

# What the line says of each record if it was undone rightly.
RIGHT = {
    "torch-lr-finder": "weight 0.05, started at the first loss",
    "weight 0.2": "weight 0.2, started at the first loss",
    "lightning": "one update ahead",
    "fastai": "weight 0.02, bias-corrected)",
    "uncorrected": "weight 0.02, started at 0",
    "means": "means since the start,",
}


def verdict(said, record):
    if "undone" in said and "nothing was undone" not in said:
        right = RIGHT.get(record)
        return "right" if right and right in said else "wrong"
    for words in ("look like", "too few digits"):
        if words in said:
            return "suspected"
    if "may be off" in said:
        return "unknown"
    return "raw" if "read as raw: " in said else "unknown"


def main():
    program = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 300
    torch.set_num_threads(1)
    torch.manual_seed(5)
    draw = numpy.random.default_rng(5)
    tests = [training(draw) for _ in range(count)]
    forms = {
        "all digits": (repr, []),
        "single": (lambda loss: repr(float(numpy.float32(loss))), []),
        "six digits": (lambda loss: f"{loss:.6g}", []),
        "six digits, tool said": (lambda loss: f"{loss:.6g}", ["--from"]),
        "single, tool said": (
            lambda loss: repr(float(numpy.float32(loss))),
            ["--from"],
        ),
    }
    tools = {"means": "keras", "weight 0.2": None, "uncorrected": None}
    names = ["right", "wrong", "suspected", "unknown", "raw"]
    print("| form | record | " + " | ".join(names) + " |")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "curve.csv"
        for form, (write, flag) in forms.items():
            for record, made in RECORDS.items():
                tool = tools.get(record, record)
                if flag and (tool is None or record == "raw"):
                    continue
                if record == "fastai" and form == "all digits":
                    continue
                counts = collections.Counter()
                for rates, losses in tests:
                    rows = zip(rates, made(losses))
                    lines = [f"{lr!r},{write(loss)}" for lr, loss in rows]
                    path.write_text("lr,loss\n" + "\n".join(lines) + "\n")
                    command = [program, "find-lr", "--curve", path]
                    command += ["--rule", "mxnet-stop", "--format", "json"]
                    command += [*flag, tool] if flag else []
                    answer = subprocess.run(
                        command, check=True, capture_output=True, text=True
                    )
                    said = json.loads(answer.stdout)["losses"]
                    counts[verdict(said, record)] += 1
                row = " | ".join(str(counts[name]) for name in names)
                print(f"| {form} | {record} | {row} |", flush=True)


main()
