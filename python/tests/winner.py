"""Brings the answer of `auto` back into the script, as its user would, and trains it
without lrscout: outside CI, `make test-exports` runs it.

winner.py LRSCOUT [FRAMEWORK...]: for each framework, `auto --max-trainings 12` on a
script of the folder `scripts`, `export --results`, and a copy of the script with the
exported schedule in the place of its own. With the seeds of the table, the copy must
give the losses of the table; with five other seeds, their mean, within the noise of
seeds. A framework that is not installed is named and skipped.
"""

import csv
import importlib.util
import json
import math
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).parent
LRSCOUT = os.path.abspath(sys.argv[1])
TRAININGS, FRESH = 12, range(101, 106)
# Largest relative distance of a loss in f32 that was summed in another order.
ROUNDING = 1e-4
# Standard errors of the difference of two means: chance is beyond it once in 500,
# with the standard deviation of five seeds (Student, 4 degrees of freedom).
NOISE = 7.2

ONE_CYCLE = """\
        scheduler = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, max_lr=self.lr, total_steps=self.trainer.estimated_stepping_batches
        )
        return [optimizer], [{"scheduler": scheduler, "interval": "step"}]
"""

# What a user has: the script, its arguments with a choice of his own (too low a rate),
# and what he writes: the target, and texts of the script with what replaces them.
FRAMEWORKS = {
    "torch": (
        "plain.py --epochs 5 --lr 3e-4 --how on_eval",
        "torch",
        ("import torch.nn as nn\n", "import torch.nn as nn\n\nimport schedule\n"),
        ("10 * args.lr}], lr=args.lr", "10 * schedule.PEAK}], lr=schedule.PEAK"),
        (
            "torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, args.epochs)",
            "schedule.scheduler(optimizer)",
        ),
        ("        scheduler.step()\n", ""),
        (
            "            optimizer.step()\n",
            "            optimizer.step()\n            scheduler.step()\n",
        ),
    ),
    "hf": (
        "trainer.py --epochs 4 --lr 1e-4",
        "hf",
        ("import torch\n", "import schedule\nimport torch\n"),
        ("args=TrainingArguments(", "args=schedule.training_arguments("),
        ('output_dir="out", num_train_epochs=args.epochs,', '"out",'),
        ("learning_rate=args.lr, ", ""),
        ("warmup_steps=3, ", ""),
    ),
    "lightning": (
        "lit.py --lr 1e-3",
        "lightning",
        ("import torch.nn as nn\n", "import torch.nn as nn\n\nimport schedule\n"),
        ("lr=self.lr)\n", "lr=schedule.PEAK)\n"),
        (ONE_CYCLE, "        return schedule.scheduled(optimizer)\n"),
        ("max_epochs=args.epochs", "max_steps=schedule.STEPS"),
    ),
    "accelerate": (
        "accelerated.py --lr 0.01",
        "accelerate",
        ("import torch.nn as nn\n", "import torch.nn as nn\n\nimport schedule\n"),
        ("lr=args.lr)", "lr=schedule.PEAK)"),
        (
            "torch.optim.lr_scheduler.LinearLR(optimizer, total_iters=20)",
            "schedule.scheduler(optimizer, accelerator)",
        ),
    ),
    "keras": (
        "keras_fit.py --epochs 4 --lr 1e-4",
        "keras",
        ("import keras\n", "import keras\nimport schedule as exported\n"),
        (
            "keras.optimizers.schedules.CosineDecay(args.lr, 20 * args.epochs)",
            "exported.Schedule()",
        ),
    ),
}
# Instead, where no scheduler of the Trainer gives the rates.
SCHEDULED = (
    ("import torch\n", "import schedule\nimport torch\n"),
    ("num_train_epochs=args.epochs", "max_steps=schedule.STEPS"),
    ("learning_rate=args.lr, ", "learning_rate=schedule.PEAK, "),
    ("warmup_steps=3, ", ""),
    ("trainer.train()\n", "schedule.scheduled(trainer).train()\n"),
)
MODULES = {"torch": "tqdm", "hf": "transformers"}


def said(command, folder, **more):
    """What `command` prints."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, **more)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr[-3000:]}"
    return done.stdout


def answered(framework, folder):
    """What `auto` answers, with the runs of its table."""
    words = FRAMEWORKS[framework][0].split()
    limit = ["--max-trainings", str(TRAININGS)]
    command = [LRSCOUT, "auto", *limit, "--format", "json", "--"]
    answer = json.loads(said([*command, sys.executable, *words], folder))
    stem = words[0].partition(".")[0]
    with open(folder / f"results/auto-{stem}/runs.csv") as file:
        runs = [run for run in csv.DictReader(file) if run["schedule"] == answer["label"]]
    return answer, {int(run["seed"]): float(run["valid_loss"]) for run in runs}


def bring_back(framework, folder):
    """Writes `mine.py`, the script with the winner in it, and `schedule.py`."""
    words, target, *edits = FRAMEWORKS[framework]
    script = words.split()[0]
    results = f"results/auto-{script.partition('.')[0]}"
    export = [LRSCOUT, "export", "--results", results, "--target", target]
    text = said(export, folder)
    (folder / "schedule.py").write_text(text)
    edits = SCHEDULED if "def scheduled(trainer)" in text else edits
    mine = (folder / script).read_text()
    for old, new in edits:
        assert mine.count(old) == 1, f"{script}: {old}"
        mine = mine.replace(old, new)
    (folder / "mine.py").write_text(mine)
    return float(re.search(r"^PEAK = (.+)$", text, re.M)[1])


def trained(framework, folder, seed):
    """The loss of the script with the winner in it, without lrscout."""
    words = FRAMEWORKS[framework][0].split()[1:]
    python = [sys.executable, "mine.py", *words, "--seed", str(seed)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(TESTS.parent)}
    text = said(python, folder, env=environment)
    return float(re.findall(r"validation loss ([^\s,]+)", text)[-1])


def check(framework):
    """Prints a line, and gives whether the promise is kept."""
    module = MODULES.get(framework, framework)
    if importlib.util.find_spec(module) is None:
        print(f"{framework}: skipped, there is no {module}", flush=True)
        return True
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        script = FRAMEWORKS[framework][0].split()[0]
        (here / script).write_text((TESTS / "scripts" / script).read_text())
        answer, table = answered(framework, here)
        peak = bring_back(framework, here)
        again = {seed: trained(framework, here, seed) for seed in table}
        fresh = [trained(framework, here, seed) for seed in FRESH]
    off = max(abs(again[seed] / table[seed] - 1) for seed in table)
    promised, mean = statistics.mean(table.values()), statistics.mean(fresh)
    scatter = statistics.stdev(fresh)
    error = scatter * math.sqrt(1 / len(fresh) + 1 / len(table))
    away = abs(mean - promised) / error
    right = peak == answer["lr"] and off <= ROUNDING and away <= NOISE
    print(
        f"{framework}: {answer['label']} at {peak:.3e}; table {promised:.4f} "
        f"({len(table)} seeds), the same seeds again within {off:.0e}, "
        f"{len(fresh)} others {mean:.4f} (deviation {scatter:.4f}), {away:.1f} errors "
        f"away{'' if right else ': NOT KEPT'}",
        flush=True,
    )
    return right


if __name__ == "__main__":
    os.environ.setdefault("KERAS_BACKEND", "jax")
    kept = [check(framework) for framework in sys.argv[2:] or FRAMEWORKS]
    sys.exit(0 if all(kept) else 1)
