"""plain.py with calls of the protocol written by hand: the launcher must give the
same losses to the bit."""

import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader

from lrscout import Task
from plain import evaluate, get_data

task = Task()
random.seed(task.seed)
np.random.seed(task.seed)
torch.manual_seed(task.seed)
train_set, val_set = get_data()
train_loader = DataLoader(train_set, batch_size=50, shuffle=True)
val_loader = DataLoader(val_set, batch_size=100, shuffle=True)
model = nn.Sequential(
    nn.Linear(20, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 5)
)
head = list(model[4].parameters())
body = list(model[0].parameters()) + list(model[1].parameters())
optimizer = torch.optim.AdamW([{"params": body}, {"params": head}])


def evaluated(done):
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    loss, accuracy = evaluate(model, val_loader)
    random.setstate(states[0])
    np.random.set_state(states[1])
    torch.set_rng_state(states[2])
    task.eval(done, loss, metric=accuracy)


step = 0
while step < task.steps:
    model.train()
    for x, y in train_loader:
        if step == task.steps:
            break
        x = x + 0.01 * torch.from_numpy(np.random.randn(*x.shape)).float()
        if random.random() < 0.5:
            x = -x
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.param_groups[0]["lr"] = task.lr(step)
        optimizer.param_groups[1]["lr"] = 10 * task.lr(step)
        optimizer.step()
        task.train(step, loss.item(), optimizer.param_groups[0]["lr"])
        step += 1
        if step in task.eval_steps:
            evaluated(step)
            model.train()
    if step < task.steps:
        evaluate(model, val_loader)  # as the script does at the end of an epoch
task.done()
