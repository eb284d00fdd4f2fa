"""CSVLogger and History of Keras 3.15.1 (on torch 2.15.0).

Run in this folder: KERAS_BACKEND=torch python make.py
"""

import json
import os

import keras
import numpy

numpy.random.seed(0)
xs = numpy.random.randn(64, 4).astype("float32")
ys = xs.sum(axis=1, keepdims=True)


class Rate(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)


for schedule, seed in [("constant", 0), ("cosine", 0)]:
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    rate = 0.05
    if schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(0.05, 16)
    model.compile(keras.optimizers.SGD(rate), "mse", metrics=["mae"])
    home = f"{schedule}-{seed}"
    os.makedirs(home, exist_ok=True)
    history = model.fit(
        xs,
        ys,
        batch_size=16,
        epochs=4,
        validation_data=(xs[:16], ys[:16]),
        callbacks=[Rate(), keras.callbacks.CSVLogger(f"{home}/training.csv")],
        verbose=0,
    )
    with open(f"{home}/history.json", "w") as file:
        json.dump(history.history, file)
