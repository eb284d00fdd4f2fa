"""Linear regression by SGD in plain Python, without any package.

train_torch.py makes the same calls with a PyTorch model.
"""

import math
import random

from lrscout import Task

WEIGHTS = [2.0, -1.0, 0.5, 3.0, 0.0, -2.0]
NOISE = 0.5


def examples(count, rng):
    """Inputs of different scales, with noisy targets."""
    for _ in range(count):
        x = [rng.gauss(0, 1) / (i + 1) for i in range(len(WEIGHTS))]
        y = sum(w * v for w, v in zip(WEIGHTS, x))
        yield x, y + NOISE * rng.gauss(0, 1)


def error(x, y):
    return sum(w * v for w, v in zip(weights, x)) - y


def mean_loss(part):
    return sum(error(x, y) ** 2 for x, y in part) / len(part)


def evaluate(done, part, split):
    loss = mean_loss(part)
    task.eval(done, loss, split=split, rmse=math.sqrt(loss))


task = Task()
data = random.Random("data")  # the same for every seed
train, valid, test = (list(examples(n, data)) for n in (400, 200, 200))
rng = random.Random(task.seed)
weights = [rng.gauss(0, 1) for _ in WEIGHTS]
velocity = [0.0] * len(weights)

for step in range(task.steps):
    if step in task.eval_steps:
        evaluate(step, valid, "valid")
    lr, momentum = task.lr(step), task.momentum(step)
    batch = rng.sample(train, task.batch or 16)
    loss = mean_loss(batch)
    slopes = [0.0] * len(weights)
    for x, y in batch:
        slope = 2 * error(x, y) / len(batch)
        slopes = [s + slope * v for s, v in zip(slopes, x)]
    inertia = 0.9 if momentum is None else momentum
    velocity = [inertia * v + s for v, s in zip(velocity, slopes)]
    weights = [w - lr * v for w, v in zip(weights, velocity)]
    more = {} if momentum is None else {"momentum": momentum}
    if task.grad_norm:
        more["grad_norm"] = math.sqrt(sum(s * s for s in slopes))
    task.train(step, loss, lr, **more)

if task.steps in task.eval_steps:
    evaluate(task.steps, valid, "valid")
    evaluate(task.steps, test, "test")
task.done()
