"""A training script as people write them, but for a stand-in for a framework: it
calls the launcher where the hooks of PyTorch would."""

import argparse
import math
import os
import random
import sys
import time

from model import WIDTH, loss_of, slope_of

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--lr", type=float, default=0.02)
parser.add_argument("--silent", action="store_true")
parser.add_argument("--fault", default="")
parser.add_argument("--cycle", action="store_true")
parser.add_argument("--warmup", type=int, default=0)
parser.add_argument("--pause", type=float, default=0.0)
parser.add_argument("--cold", type=float, default=0.0)
args = parser.parse_args()
random.seed(42)
if args.fault == "crash":
    raise SystemExit("the data are gone")

data = random.Random(0)
true = [data.gauss(0, 1) for _ in range(WIDTH)]


def example(source):
    x = [source.gauss(0, 1) for _ in range(WIDTH)]
    return x, sum(a * b for a, b in zip(x, true)) + source.gauss(0, 0.3)


train_set = [example(data) for _ in range(320)]
valid_set = [example(data) for _ in range(200)]
weights = [random.gauss(0, 0.1) for _ in range(WIDTH)]

hooks = sys.modules["lrscout.session"].current if "lrscout.session" in sys.modules else None
if hooks and not args.silent:
    import lrscout
starts = os.environ.get("STARTS", os.devnull)
if not os.path.exists(starts):
    time.sleep(args.cold)
with open(starts, "a") as starts:
    print(os.getcwd(), file=starts)
os.makedirs("checkpoints", exist_ok=True)
step, batch = 0, 16
momenta, speed = [], [0.0] * WIDTH
for epoch in range(args.epochs):
    random.shuffle(train_set)
    for at in range(0, len(train_set), batch):
        lr = 0.5 * args.lr * (1 + math.cos(math.pi * epoch / args.epochs))
        lr *= min(1.0, (step + 1) / (args.warmup + 1))
        part = train_set[at : at + batch]
        loss, slope = loss_of(weights, part), slope_of(weights, part)
        if args.fault == "none":
            continue
        momentum = (0.9 - step / 100 if hooks and hooks.record else 0.9) if args.cycle else 0.0
        if hooks:
            hooks.before_update()
            if hooks.momentum() is not None:
                momentum = hooks.momentum()
            if not hooks.record:
                lr = hooks.rate() * (2 if args.fault == "rate" and step == 5 else 1)
        time.sleep(args.pause)
        speed = [momentum * v + s for v, s in zip(speed, slope)]
        weights = [w - lr * v for w, v in zip(weights, speed)]
        momenta.append(momentum)
        if len(momenta) == 40:
            with open(os.environ.get("MOMENTA", os.devnull), "a") as file:
                print(momenta, file=file)
        if hooks:
            cycles = args.cycle and (hooks.record or hooks.momentum() is not None)
            hooks.after_update([loss], lr, momentum if cycles else None)
        step += 1
    with open("checkpoints/last.txt", "w") as file:
        print(weights, file=file)
    if hooks and not args.silent:
        lrscout.report(valid_loss=loss_of(weights, valid_set))
print("trained", step, "updates")
