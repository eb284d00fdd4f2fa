"""A classifier in plain PyTorch, as people write it. Nothing in it knows lrscout,
but for the one line with `on_eval` (without `--silent`)."""

import argparse
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, random_split
from tqdm import tqdm


def get_data():
    g = torch.Generator().manual_seed(0)
    x = torch.randn(1200, 20, generator=g)
    w = torch.randn(20, 5, generator=g)
    return random_split(TensorDataset(x, torch.tanh(x @ w).argmax(1)), [1000, 200], generator=g)


@torch.no_grad()
def evaluate(model, loader):
    model.eval()
    loss, correct = 0.0, 0
    for x, y in loader:
        out = model(x)
        loss += F.cross_entropy(out, y, reduction="sum").item()
        correct += (out.argmax(1) == y).sum().item()
    return loss / 200, correct / 200


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--epochs", type=int, default=2)
    p.add_argument("--lr", type=float, default=1e-2)
    p.add_argument("--seed", type=int, default=42)
    p.add_argument("--workers", type=int, default=0)
    p.add_argument("--how", choices=["silent", "on_eval", "report"], default="silent")
    args = p.parse_args()

    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    train_set, val_set = get_data()
    train_loader = DataLoader(
        train_set, batch_size=50, shuffle=True, num_workers=args.workers
    )
    val_loader = DataLoader(val_set, batch_size=100, shuffle=True)
    model = nn.Sequential(
        nn.Linear(20, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 5)
    )
    head = list(model[4].parameters())
    body = list(model[0].parameters()) + list(model[1].parameters())
    optimizer = torch.optim.AdamW(
        [{"params": body}, {"params": head, "lr": 10 * args.lr}], lr=args.lr
    )
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, args.epochs)
    if args.how != "silent":
        import lrscout
    if args.how == "on_eval":
        lrscout.on_eval(lambda: evaluate(model, val_loader))

    for epoch in range(args.epochs):
        model.train()
        for x, y in tqdm(train_loader):
            x = x + 0.01 * torch.from_numpy(np.random.randn(*x.shape)).float()
            if random.random() < 0.5:
                x = -x
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        scheduler.step()
        loss, accuracy = evaluate(model, val_loader)
        print(f"epoch {epoch}: validation loss {loss}, accuracy {accuracy}")
        if args.how == "report":
            lrscout.report(valid_loss=loss, accuracy=accuracy)
    torch.save(model.state_dict(), "model.pt")


if __name__ == "__main__":
    main()
