"""Event files of torch.utils.tensorboard (torch 2.15.0, tensorboard 2.21.0)
and of tensorboardX 2.6.5; with `python make.py tf` in an environment with
tensorflow 2.21.0 those of tf.summary, which has scalars as tensors.
`../range-test` is a recorded range test, and `../range-test.csv` what it was
written from.

Run in this folder.
"""

import glob
import os
import shutil
import sys

RUNS = [("cosine", 0, 0.30), ("linear", 0, 0.40)]


def fresh(folder):
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def values(score):
    for step in range(4):
        yield step * 10, score + 0.1 * (3 - step)


def named(folder):
    """A name without the host."""
    for i, path in enumerate(sorted(glob.glob(f"{folder}/events*"))):
        os.rename(path, f"{folder}/events.out.tfevents.{1700000000 + i}.host")


if sys.argv[1:] == ["tf"]:
    import tensorflow as tf

    for schedule, seed, score in RUNS:
        folder = fresh(f"tf/{schedule}-{seed}")
        writer = tf.summary.create_file_writer(folder)
        with writer.as_default():
            for step, value in values(score):
                tf.summary.scalar("val_loss", value, step=step)
                tf.summary.scalar("lr", 0.1, step=step)
        writer.close()
        named(folder)
else:
    import numpy
    from tensorboardX import SummaryWriter as WriterX
    from torch.utils.tensorboard import SummaryWriter

    for kind, make in [("torch", SummaryWriter), ("x", WriterX)]:
        for schedule, seed, score in RUNS:
            folder = fresh(f"{kind}/{schedule}-{seed}")
            writer = make(folder)
            for step, value in values(score):
                writer.add_scalar("val/loss", value, step)
            writer.add_text("note", "a text is no scalar", 0)
            writer.add_histogram("weights", numpy.ones(3), 0)
            writer.close()
            named(folder)
    folder = fresh("new-style")
    writer = SummaryWriter(folder)
    for step, value in values(0.5):
        writer.add_scalar("val/loss", value, step, new_style=True)
    writer.close()
    named(folder)
    folder = fresh("../range-test")
    writer = SummaryWriter(folder)
    with open("../range-test.csv", "w") as table:
        table.write("lr,loss\n")
        for step in range(90):
            rate = numpy.float32(1e-6 * 10 ** (step / 12))
            noise = 0.02 * ((step * step % 31) / 15 - 1)
            fall = 1.5 / (1 + numpy.exp(0.4 * (45 - step)))
            loss = 2.3 - fall + numpy.exp(0.5 * (step - 78)) + noise
            loss = numpy.float32(loss)
            writer.add_scalar("lr-SGD", rate, step)
            writer.add_scalar("train_loss", loss, step)
            table.write(f"{rate:.9g},{loss:.9g}\n")
    writer.close()
    named(folder)
