"""A classifier with Lightning, as people write it."""

import argparse

import lightning as L
import torch
import torch.nn as nn
import torch.nn.functional as F
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from torch.utils.data import DataLoader, TensorDataset


class Classifier(L.LightningModule):
    def __init__(self, lr):
        super().__init__()
        self.lr = lr
        self.net = nn.Sequential(
            nn.Linear(20, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 5)
        )

    def training_step(self, batch, _):
        x, y = batch
        loss = F.cross_entropy(self.net(x), y)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, _):
        x, y = batch
        out = self.net(x)
        self.log("val_loss", F.cross_entropy(out, y), prog_bar=True)
        self.log("val_acc", (out.argmax(1) == y).float().mean())

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.parameters(), lr=self.lr)
        scheduler = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, max_lr=self.lr, total_steps=self.trainer.estimated_stepping_batches
        )
        return [optimizer], [{"scheduler": scheduler, "interval": "step"}]


def loader(n, seed, **more):
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 20, generator=g)
    w = torch.randn(20, 5, generator=torch.Generator().manual_seed(7))
    return DataLoader(TensorDataset(x, (x @ w).argmax(1)), batch_size=25, **more)


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--epochs", type=int, default=2)
    p.add_argument("--lr", type=float, default=0.01)
    p.add_argument("--seed", type=int, default=42)
    p.add_argument("--accumulate", type=int, default=1)
    p.add_argument("--devices", type=int, default=1)
    args = p.parse_args()
    L.seed_everything(args.seed, workers=True)
    trainer = L.Trainer(
        max_epochs=args.epochs, accelerator="cpu", devices=args.devices,
        accumulate_grad_batches=args.accumulate, gradient_clip_val=1.0,
        callbacks=[
            EarlyStopping("val_loss", patience=1, min_delta=1.0),
            ModelCheckpoint(monitor="val_loss"),
        ],
        enable_progress_bar=False, enable_model_summary=False, log_every_n_steps=5,
    )
    trainer.fit(Classifier(args.lr), loader(500, 0, shuffle=True), loader(100, 1))
    print(f"validation loss {trainer.callback_metrics['val_loss']}")
