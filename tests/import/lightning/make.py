"""Results of Lightning's `lr_find`, and a range test of one's own in the
table of its CSVLogger."""

import json
import shutil
import sys
import tempfile
import warnings
from pathlib import Path

import lightning
import pandas
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import LearningRateMonitor
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.tuner import Tuner

sys.path.insert(0, str(Path(__file__).parent.parent))
import task

warnings.filterwarnings("ignore")
shelf = task.Shelf(
    __file__, torch=torch.__version__, lightning=lightning.__version__
)


class Module(LightningModule):
    def __init__(self, seed, ladder=None):
        super().__init__()
        self.net, self.lr, self.ladder = task.model(seed), 1e-3, ladder
        self.witness = task.Witness()

    def training_step(self, batch, _):
        points, labels = batch
        self.witness.optimizer = self.trainer.optimizers[0]
        loss = self.witness(self.net(points), labels)
        if self.ladder:
            self.log("train_loss", loss)
        return loss

    def configure_optimizers(self):
        if not self.ladder:
            return torch.optim.SGD(self.parameters(), lr=self.lr)
        start, ratio = self.ladder
        optimizer = torch.optim.SGD(self.parameters(), lr=start)
        schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, ratio)
        rises = {"scheduler": schedule, "interval": "step"}
        return {"optimizer": optimizer, "lr_scheduler": rises}


def trainer(folder, **settings):
    return Trainer(
        accelerator="cpu",
        default_root_dir=folder,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        log_every_n_steps=1,
        **settings,
    )


def results(seed, **settings):
    module = Module(seed)
    with tempfile.TemporaryDirectory() as folder:
        tuner = Tuner(trainer(folder, max_epochs=5, logger=False))
        found = tuner.lr_find(
            module, task.loader(seed), update_attr=False, **settings
        )
    return found, module.witness.rows


found, rows = results(12)
(shelf.folder / "results.json").write_text(json.dumps(found.results))
shelf.keep(
    "results.json", rows, suggestion=found.suggestion(), rule="lightning"
)
found, rows = results(13, min_lr=1e-6, max_lr=100, early_stop_threshold=None)
pandas.DataFrame(found.results).to_csv(
    shelf.folder / "wide-range.csv", index=False
)
shelf.keep(
    "wide-range.csv", rows, suggestion=found.suggestion(), rule="lightning"
)
# A range test of one's own: rates and losses stand in rows of their own.
module = Module(14, ladder=(1e-5, 1.16))
with tempfile.TemporaryDirectory() as folder:
    logger = CSVLogger(folder)
    run = trainer(
        folder,
        max_steps=100,
        logger=logger,
        callbacks=[LearningRateMonitor("step")],
    )
    run.fit(module, task.loader(14))
    logger.save()
    shutil.copy(
        Path(logger.log_dir) / "metrics.csv", shelf.folder / "metrics.csv"
    )
shelf.keep("metrics.csv", module.witness.rows)
shelf.close()
