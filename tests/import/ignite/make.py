"""Results of ignite's FastaiLRFinder. Its rates are those of the next
update; the raw files have the rates that the updates were made with."""

import json
import sys
from pathlib import Path

import ignite
import pandas
import torch
from ignite.engine import create_supervised_trainer
from ignite.handlers import FastaiLRFinder

sys.path.insert(0, str(Path(__file__).parent.parent))
import task

shelf = task.Shelf(
    __file__, torch=torch.__version__, ignite=ignite.__version__
)


def results(seed, **settings):
    net = task.model(seed)
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-5, momentum=0.9)
    witness = task.Witness(optimizer)
    trainer = create_supervised_trainer(net, optimizer, witness)
    finder = FastaiLRFinder()
    to_save = {"model": net, "optimizer": optimizer}
    with finder.attach(trainer, to_save, **settings) as attached:
        attached.run(task.loader(seed), max_epochs=3)
    return finder, witness.rows


finder, rows = results(6, num_iter=100, end_lr=10.0)
data = finder.get_results()
(shelf.folder / "results.json").write_text(json.dumps(data))
# The package returns the rate that stands in its record, the next one.
shelf.keep(
    "results.json",
    rows[: len(data["lr"])],
    suggestion=finder.lr_suggestion(),
    rule="ignite",
)
finder, rows = results(7, num_iter=80, end_lr=10.0, smooth_f=0.0)
data = finder.get_results()
pandas.DataFrame(data).to_csv(shelf.folder / "raw-losses.csv", index=False)
shelf.keep("raw-losses.csv", rows[: len(data["lr"])])
finder, rows = results(8, num_iter=60, end_lr=0.5, step_mode="linear")
data = finder.get_results()
(shelf.folder / "linear.json").write_text(json.dumps(data))
shelf.keep("linear.json", rows[: len(data["lr"])])
shelf.close()
