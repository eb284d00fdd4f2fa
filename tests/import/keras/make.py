"""Records of range tests in Keras, as people write them."""

import json
import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"
import keras
import numpy

sys.path.insert(0, str(Path(__file__).parent.parent))
import task

shelf = task.Shelf(__file__, keras=keras.__version__, backend="torch")
cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def compiled(seed, lr):
    keras.utils.set_random_seed(seed)
    net = keras.Sequential(
        [
            keras.Input((task.FEATURES,)),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(task.CLASSES),
        ]
    )
    optimizer = keras.optimizers.SGD(lr, momentum=0.9)
    net.compile(optimizer, loss=cross_entropy, run_eagerly=True)
    return net


class RangeTest(keras.callbacks.Callback):
    """The callback of many notebooks."""

    def __init__(self, first, last, steps):
        super().__init__()
        self.first, self.ratio = first, (last / first) ** (1 / (steps - 1))
        self.steps = steps
        self.history = {"lr": [], "loss": []}

    def on_train_begin(self, logs=None):
        self.model.optimizer.learning_rate = self.first

    def on_train_batch_end(self, batch, logs=None):
        lr = float(self.model.optimizer.learning_rate)
        self.history["lr"].append(lr)
        self.history["loss"].append(logs["loss"])
        if len(self.history["lr"]) == self.steps:
            self.model.stop_training = True
        self.model.optimizer.learning_rate = lr * self.ratio


def witnessed(net):
    """The loss of each batch before its update."""
    losses, compute = [], net.compute_loss

    def noted(*arguments, **named):
        loss = compute(*arguments, **named)
        losses.append(float(loss.detach()))
        return loss

    net.compute_loss = noted
    return losses


def by_batch(seed, batch, steps):
    points, labels = task.examples(seed)
    net = compiled(seed, 1e-5)
    losses = witnessed(net)
    test = RangeTest(1e-5, 10, steps)
    net.fit(
        points, labels, batch_size=batch, epochs=9, callbacks=[test], verbose=0
    )
    rates = test.history["lr"]
    # Keras calls the loss once more, to build the model.
    return test.history, list(zip(rates, losses[1:]))


# One epoch, and three: `logs["loss"]` is the mean of the epoch so far.
data, rows = by_batch(15, 16, 120)
(shelf.folder / "one-epoch.json").write_text(json.dumps(data))
shelf.keep("one-epoch.json", rows)
data, rows = by_batch(16, 64, 96)
(shelf.folder / "three-epochs.json").write_text(json.dumps(data))
shelf.keep("three-epochs.json", rows)
# A rate an epoch, and the table of CSVLogger: each loss is a mean, none is
# smoothed.
points, labels = task.examples(17, 512)
net = compiled(17, 1e-4)
rates = keras.callbacks.LearningRateScheduler(
    lambda epoch, lr: float(1e-4 * 10 ** (epoch / 10))
)
log = shelf.folder / "epochs.csv"
fit = net.fit(
    points,
    labels,
    batch_size=128,
    epochs=55,
    callbacks=[rates, keras.callbacks.CSVLogger(log)],
    verbose=0,
)
history = fit.history
shelf.keep("epochs.csv", list(zip(history["learning_rate"], history["loss"])))
shelf.close()
