"""A regression with accelerate, as people write it, and one added line."""

import torch
import torch.nn as nn
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch.utils.data import DataLoader, TensorDataset

import lrscout

set_seed(42)
accelerator = Accelerator(gradient_accumulation_steps=2, cpu=True)
g = torch.Generator().manual_seed(0)
x = torch.randn(400, 4, generator=g)
y = x.sum(1, keepdim=True)
model = nn.Linear(4, 1)
optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
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


for epoch in range(3):
    model.train()
    for a, b in loader:
        with accelerator.accumulate(model):
            loss = ((model(a) - b) ** 2).mean()
            accelerator.backward(loss)
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()
