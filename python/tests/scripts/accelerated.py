"""A regression with accelerate, as people write it, and one added line."""

import argparse

import torch
import torch.nn as nn
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch.utils.data import DataLoader, TensorDataset

import lrscout

p = argparse.ArgumentParser()
p.add_argument("--epochs", type=int, default=3)
p.add_argument("--lr", type=float, default=0.1)
p.add_argument("--seed", type=int, default=42)
args = p.parse_args()

set_seed(args.seed)
accelerator = Accelerator(gradient_accumulation_steps=2, cpu=True)
g = torch.Generator().manual_seed(0)
x = torch.randn(400, 4, generator=g)
y = x.sum(1, keepdim=True)
model = nn.Linear(4, 1)
optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr)
scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, total_iters=20)
loader = DataLoader(TensorDataset(x, y), batch_size=20, shuffle=True)
model, optimizer, loader, scheduler = accelerator.prepare(
    model, optimizer, loader, scheduler
)


@lrscout.on_eval
@torch.no_grad()
def evaluate():
    model.eval()
    return ((model(x) - y) ** 2).mean()


for epoch in range(args.epochs):
    model.train()
    for a, b in loader:
        with accelerator.accumulate(model):
            loss = ((model(a) - b) ** 2).mean()
            accelerator.backward(loss)
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()
print(f"validation loss {evaluate()}")
