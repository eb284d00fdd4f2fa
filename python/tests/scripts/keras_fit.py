"""A classifier with Keras, as people write it."""

import argparse

import keras
import numpy as np

p = argparse.ArgumentParser()
p.add_argument("--epochs", type=int, default=2)
p.add_argument("--lr", type=float, default=1e-2)
p.add_argument("--seed", type=int, default=42)
p.add_argument("--split", action="store_true")
p.add_argument("--batches", action="store_true", help="train_on_batch")
args = p.parse_args()

keras.utils.set_random_seed(args.seed)
rng = np.random.default_rng(0)
x = rng.normal(size=(600, 20)).astype("float32")
y = (x @ rng.normal(size=(20, 5))).argmax(1)
model = keras.Sequential(
    [
        keras.Input((20,)),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dropout(0.1),
        keras.layers.Dense(5, activation="softmax"),
    ]
)
schedule = keras.optimizers.schedules.CosineDecay(args.lr, 20 * args.epochs)
model.compile(
    optimizer=keras.optimizers.Adam(schedule),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
if args.batches:
    for epoch in range(args.epochs):
        for i in range(0, 500, 25):
            model.train_on_batch(x[i : i + 25], y[i : i + 25])
elif args.split:
    model.fit(x, y, batch_size=25, epochs=args.epochs, validation_split=1 / 6)
else:
    fitted = model.fit(
        x[:500], y[:500], batch_size=25, epochs=args.epochs,
        validation_data=(x[500:], y[500:]),
        callbacks=[keras.callbacks.EarlyStopping(min_delta=1.0, patience=0)],
    )
    print(f"validation loss {fitted.history['val_loss'][-1]}")
