#!/bin/sh
# deepspeed 0.19.8, torch 2.15.0: three things that its schedulers do.
#
# 1. OneCycle with decay_mom_rate multiplies Adam's first beta by a factor
#    that grows for ever: it passes 1, where Adam's average diverges. (The
#    rate is divided by such a factor.) The second beta is 0.99 from the first
#    update on, whatever the optimizer has.
# 2. All warm-ups give the first two updates their lowest rate.
# 3. A scheduler that is made on an optimizer whose state was loaded sets it to
#    the lowest rate for an update; WarmupCosineLR also takes the rate that was
#    loaded for the peak, so the rest of the run is scaled down by it.
# Output seen:
#   betas at updates 0, 9, 44: (0.8, 0.99) (0.8, 0.99) (1.278, 0.99)
#   linear warm-up over 8: 0.0 0.0 0.125 0.25
#   WarmupCosineLR at update 15: 0.001 * 0.7703, resumed there: 0.0, then 0.001 * 0.5452
# Exit status 0 while this holds, 1 if it changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.15.0 ninja numpy setuptools wheel
"$folder/venv/bin/pip" install -q --no-build-isolation deepspeed==0.19.8
cat > "$folder/show.py" << 'END'
import sys

# DeepSpeed logs to the standard output.
out, sys.stdout = sys.stdout, sys.stderr
import torch
from deepspeed.runtime.lr_schedules import OneCycle, WarmupCosineLR, WarmupLR


def adam():
    return torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=1e-3)


def stepped(own, schedule, updates):
    seen = []
    for _ in range(updates):
        seen.append(dict(own.param_groups[0]))
        own.step()
        schedule.step()
    return seen


own = adam()
cycle = OneCycle(
    own, 1e-4, 1e-2, cycle_first_step_size=9, cycle_second_step_size=14,
    decay_step_size=5, decay_mom_rate=0.1,
)
betas = [group["betas"] for group in stepped(own, cycle, 45)]
betas = [(round(betas[t][0], 6), betas[t][1]) for t in (0, 9, 44)]
print("betas at updates 0, 9, 44:", *betas, file=out)

own = adam()
warm = WarmupLR(own, warmup_max_lr=1.0, warmup_num_steps=8, warmup_type="linear")
rates = [group["lr"] for group in stepped(own, warm, 4)]
print("linear warm-up over 8:", *rates, file=out)

plan = dict(total_num_steps=30, warmup_num_steps=8)
own = adam()
cosine = WarmupCosineLR(own, **plan)
stepped(own, cosine, 15)
before, saved, counts = own.param_groups[0]["lr"], own.state_dict(), cosine.state_dict()
own = adam()
own.load_state_dict(saved)
cosine = WarmupCosineLR(own, **plan)
cosine.load_state_dict(counts)
first, second = (group["lr"] for group in stepped(own, cosine, 2))
factor, after = round(before / 1e-3, 4), round(second / 1e-3, 4)
resumed = f"resumed there: {first}, then 0.001 * {after}"
print(f"WarmupCosineLR at update 15: 0.001 * {factor}, {resumed}", file=out)
right = betas[2][0] > 1 and rates == [0.0, 0.0, 0.125, 0.25]
sys.exit(not right or first != 0.0 or after > 0.9 * factor)
END
"$folder/venv/bin/python" "$folder/show.py" 2> /dev/null
