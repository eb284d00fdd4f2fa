"""metrics.csv and hparams.yaml of the CSVLogger of lightning 2.6.6.

Run in this folder: python make.py
"""

import os
import shutil
import tempfile

import lightning
import torch
from lightning.pytorch.callbacks import LearningRateMonitor
from lightning.pytorch.loggers import CSVLogger


class Tiny(lightning.LightningModule):
    def __init__(self, schedule, seed, lr=0.05):
        super().__init__()
        self.save_hyperparameters()
        self.layer = torch.nn.Linear(4, 1)

    def loss(self, batch):
        x, y = batch
        return ((self.layer(x) - y) ** 2).mean()

    def training_step(self, batch, _):
        loss = self.loss(batch)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, _):
        self.log("val_loss", self.loss(batch))

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=self.hparams.lr)
        decay = {"constant": 1.0, "exponential": 0.9}[self.hparams.schedule]
        return [optimizer], [
            torch.optim.lr_scheduler.ExponentialLR(optimizer, decay)
        ]


folder = tempfile.mkdtemp()
torch.manual_seed(0)
xs = torch.randn(64, 4)
data = torch.utils.data.TensorDataset(xs, xs.sum(1, keepdim=True))
for schedule, seed in [("constant", 0), ("constant", 1), ("exponential", 0)]:
    lightning.seed_everything(seed)
    logger = CSVLogger(folder, name=f"{schedule}-{seed}", version=0)
    trainer = lightning.Trainer(
        max_epochs=3,
        logger=logger,
        accelerator="cpu",
        log_every_n_steps=2,
        enable_progress_bar=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        callbacks=[LearningRateMonitor()],
    )
    loader = torch.utils.data.DataLoader(data, batch_size=16)
    trainer.fit(Tiny(schedule, seed), loader, loader)
    home = f"{schedule}-{seed}/version_0"
    os.makedirs(home, exist_ok=True)
    for file in ["metrics.csv", "hparams.yaml"]:
        shutil.copy(f"{logger.log_dir}/{file}", home)
shutil.rmtree(folder)
