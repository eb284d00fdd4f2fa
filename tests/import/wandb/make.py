"""Range tests in wandb 0.31.0, offline: `offline.py` says what of this the
package makes, and what is written by hand.

Made by the package: `lightning.csv`, `history()` of a run of Lightning's
WandbLogger, whose rates and losses stand in rows of their own; `loop.json`,
`history(keys=...)` of a loop that logs both at once. Written from the
documented form: `panel.csv`, the CSV of a panel of the first run.

Run with a PyTorch, Lightning, wandb and pandas: python make.py
"""

import json
import sys
import warnings
from pathlib import Path

import lightning
import torch
import wandb
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import LearningRateMonitor
from lightning.pytorch.loggers import WandbLogger

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import offline
import task

warnings.filterwarnings("ignore")
shelf = task.Shelf(
    __file__,
    torch=torch.__version__,
    lightning=lightning.__version__,
    wandb=wandb.__version__,
)
START, RATIO, STEPS = 1e-5, 1.16, 100


class Module(LightningModule):
    def __init__(self, seed):
        super().__init__()
        self.net, self.witness = task.model(seed), task.Witness()

    def training_step(self, batch, _):
        points, labels = batch
        self.witness.optimizer = self.trainer.optimizers[0]
        loss = self.witness(self.net(points), labels)
        self.log("train_loss", loss)
        return loss

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=START)
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, RATIO)
        rises = {"scheduler": schedule, "interval": "step"}
        return {"optimizer": optimizer, "lr_scheduler": rises}


with offline.temporary() as folder:
    module = Module(21)
    logger = WandbLogger(
        experiment=offline.start(folder, "range-test", {}), save_dir=folder
    )
    trainer = Trainer(
        accelerator="cpu",
        default_root_dir=folder,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        log_every_n_steps=1,
        max_steps=STEPS,
        logger=logger,
        callbacks=[LearningRateMonitor("step")],
    )
    trainer.fit(module, task.loader(21))
    logger.experiment.finish()
    (run,) = offline.runs(folder)
    run.history().to_csv(shelf.folder / "lightning.csv", index=False)
    panels = [
        offline.panel([run], metric, "trainer/global_step")
        for metric in ["lr-SGD", "train_loss"]
    ]
    panel = panels[0].merge(panels[1], how="outer")
    panel.to_csv(shelf.folder / "panel.csv", index=False)
shelf.keep("lightning.csv", module.witness.rows)
shelf.keep("panel.csv", module.witness.rows)

with offline.temporary() as folder:
    run = offline.start(folder, "loop", {})
    net = task.model(22)
    optimizer = torch.optim.Adam(net.parameters(), lr=START)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, RATIO)
    witness = task.Witness(optimizer)
    batches = (batch for _ in range(9) for batch in task.loader(22))
    for _, (points, labels) in zip(range(STEPS), batches):
        loss = witness(net(points), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rate = optimizer.param_groups[0]["lr"]
        run.log({"learning_rate": rate, "train/loss": loss.item()})
        schedule.step()
    run.finish()
    (run,) = offline.runs(folder)
    keys = ["learning_rate", "train/loss"]
    rows = run.history(keys=keys, pandas=False)
    (shelf.folder / "loop.json").write_text(json.dumps(rows))
shelf.keep("loop.json", witness.rows)
shelf.close()
