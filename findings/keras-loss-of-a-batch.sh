#!/bin/sh
# Keras 3.15.1 (torch backend, torch 2.15.0): logs["loss"] in
# on_train_batch_end is the mean over the epoch so far, not the loss of the
# batch. Callbacks for range tests that record it see a divergence late.
#
# Expected: the loss of the batch, as the name of the hook suggests.
# Behaviour: the mean of all batches since the start of the epoch.
# Output seen:
#   losses of batches 1 to 5:     2.8641 4.9572 9.8955 15.8114 30.2358
#   logs["loss"], batches 1 to 5: 2.8641 3.9106 5.9056 8.3820 12.7528
#   logs["loss"] is the running mean: True, the loss of the batch: False
# Exit status 0 while this holds, 1 if it changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.15.0 keras==3.15.1 numpy
cat > "$folder/show.py" << 'END'
import os

os.environ["KERAS_BACKEND"] = "torch"
import keras
import numpy

keras.utils.set_random_seed(0)
draw = numpy.random.default_rng(0)
points = draw.normal(size=(160, 4)).astype("float32")
# Each batch of 32 has its own target, and so its own loss.
targets = numpy.repeat([1.0, 2.0, 3.0, 4.0, 5.0], 32).astype("float32")
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(0.0), loss="mse")
# Nothing is learnt at a rate of 0: these are the losses of the batches.
outputs = numpy.asarray(model.predict(points, verbose=0))[:, 0]
errors = (outputs - targets) ** 2
batches = errors.reshape(5, 32).mean(axis=1)
shown = []


class Record(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        shown.append(float(logs["loss"]))


model.fit(
    points, targets, batch_size=32, shuffle=False, callbacks=[Record()],
    verbose=0,
)
means = numpy.cumsum(batches) / numpy.arange(1, 6)
print("losses of batches 1 to 5:    ", *(f"{x:.4f}" for x in batches))
print('logs["loss"], batches 1 to 5:', *(f"{x:.4f}" for x in shown))
mean = bool(numpy.allclose(shown, means, rtol=1e-4))
batch = bool(numpy.allclose(shown, batches, rtol=1e-4))
print(f'logs["loss"] is the running mean: {mean}, the loss of the batch: {batch}')
raise SystemExit(0 if mean and not batch else 1)
END
"$folder/venv/bin/python" "$folder/show.py"
