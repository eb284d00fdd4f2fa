#!/bin/sh
# accelerate 1.15.0, torch 2.15.0: Accelerator(split_batches=True) is taken and
# never looked at, and `accelerate launch --cpu --num_processes 2` starts one
# process.
#
# Expected: with split_batches a prepared scheduler advances once an update,
# as its documentation says; two processes where two are asked for.
# Behaviour: the argument of Accelerator is stored nowhere. The scheduler
# advances once for each process, so a schedule of N updates ends after N / 2.
# Only DataLoaderConfiguration(split_batches=True) counts.
# Output seen:
#   launch --cpu --num_processes 2: processes 1
#   split_batches=True:                          0.1 0.3 0.5 0.7
#   DataLoaderConfiguration(split_batches=True): 0.1 0.2 0.3 0.4
# Exit status 0 while this holds, 1 if it changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.15.0 accelerate==1.15.0 numpy
cat > "$folder/count.py" << 'END'
from accelerate import Accelerator

accelerator = Accelerator(cpu=True)
if accelerator.is_main_process:
    print("launch --cpu --num_processes 2: processes", accelerator.num_processes)
END
cat > "$folder/show.py" << 'END'
import sys

import torch
from accelerate import Accelerator, DataLoaderConfiguration


def rates(**settings):
    accelerator = Accelerator(cpu=True, **settings)
    net = torch.nn.Linear(1, 1)
    own = torch.optim.SGD(net.parameters(), lr=1.0)
    schedule = torch.optim.lr_scheduler.LinearLR(own, 0.1, total_iters=9)
    net, own, schedule = accelerator.prepare(net, own, schedule)
    seen = []
    for _ in range(4):
        seen.append(round(own.param_groups[0]["lr"], 6))
        accelerator.backward(net(torch.ones(1, 1)).square().sum())
        own.step()
        schedule.step()
    return accelerator.is_main_process, seen


configured = DataLoaderConfiguration(split_batches=True)
first, given = rates(split_batches=True)
_, right = rates(dataloader_config=configured)
if first:
    print("split_batches=True:                         ", *given)
    print("DataLoaderConfiguration(split_batches=True):", *right)
sys.exit(given != [0.1, 0.3, 0.5, 0.7] or right != [0.1, 0.2, 0.3, 0.4])
END
export OMP_NUM_THREADS=1
"$folder/venv/bin/python" -m accelerate.commands.launch --cpu --num_processes 2 \
    "$folder/count.py" 2> /dev/null | tee "$folder/count"
grep -q 'processes 1$' "$folder/count"
"$folder/venv/bin/python" -m torch.distributed.run --standalone \
    --nproc_per_node 2 "$folder/show.py" 2> /dev/null
