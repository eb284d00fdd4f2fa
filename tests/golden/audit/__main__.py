#!/usr/bin/env python3
"""Writes audit.jsonl.gz: logs of learning rates of real trainings, most with a
planted fault, for `lrscout audit`.

    pip install torch==2.15.0 transformers==5.24.0 accelerate==1.15.0 \\
        lightning==2.6.6 timm==1.0.31 keras==3.15.1 jax optax==0.2.8 \\
        tensorboard==2.21.0
    python tests/golden/audit --lrscout PATH

Each training is a loop of the library named: an optimizer of the library makes
the updates under a schedule of the library (`LambdaLR` where torch has none of
that kind). The rate of each update is read in the optimizer. The intended
rates are those of the same plan stepped once an update; `first_update` is the
first update, counted from 0, whose rate is further than 1 % of the peak from
the intended one. No rate of lrscout enters.

The program stops unless, within the digits printed, each log without a fault
has the rates that `lrscout schedules values` prints for `spec` (with `compat`
where a line has one), and each log with a fault has at least two rows that are
further than 2 % of the peak from them, whichever update a row is read for.

One JSON object a line. `file` is the name that the log would have, `text` its
content; `loop` tells how it was trained and logged. The logs of HF Trainer and
Lightning are as the library wrote them. TensorBoard's are read back from its
event files and written as its CSV download; `wandb.csv` has the columns of a
downloaded history, but W&B did not write it. Losses are those of the training.
Only the times of HF Trainer's evaluations differ from run to run.

Made on 2026-11-28 with Python 3.11.7 and the versions above, jax 0.10.2.

`plans` makes the schedules of the libraries, `loops` trains, `files` writes and
checks the logs, `trainings` has those without a fault, `faults` the others.
"""

import argparse
import collections
import gzip
import json
import logging
import os
import pathlib
import sys
import warnings

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"
warnings.filterwarnings("ignore")

import faults
import files
import torch
import trainings
import transformers

for name in ("lightning.pytorch", "transformers", "accelerate"):
    logging.getLogger(name).setLevel(logging.ERROR)
transformers.logging.disable_progress_bar()
torch.set_num_threads(1)

parser = argparse.ArgumentParser()
parser.add_argument("--lrscout", default="lrscout")
logs = files.Logs(parser.parse_args().lrscout)
trainings.clean(logs)
for fault in faults.ALL:
    fault(logs)
text = "".join(json.dumps(line) + "\n" for line in logs.lines)
out = pathlib.Path(__file__).resolve().parent.with_name("audit.jsonl.gz")
out.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
counts = collections.Counter(line["fault"] for line in logs.lines)
print(len(logs.lines), dict(counts), file=sys.stderr)
