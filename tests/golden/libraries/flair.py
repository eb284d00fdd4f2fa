#!/usr/bin/env python3
"""Writes flair.jsonl: the rate of an optimizer in Flair's ModelTrainer at each
update.

    python -m venv venv && venv/bin/pip install flair==0.15.1 torch==2.15.0
    venv/bin/python -P flair.py > flair.jsonl

`ModelTrainer.train_custom` trains a small classifier with the
LinearSchedulerPlugin, which is what `fine_tune` does. The plugin gets
`dataset_size`, `mini_batch_size` and `max_epochs` from the trainer. A
scheduler of `flair.optim` is stepped in the trainer as the plugin does it. A
rate is that of the optimizer at the moment of `optimizer.step()`.

Made on 2026-11-28 with Python 3.11.7, torch 2.15.0 and flair 0.15.1 (CPU).
"""

import json
import logging
import sys
import tempfile

import flair
import torch
from flair.data import Corpus, Dictionary, Sentence
from flair.datasets import FlairDatapointDataset
from flair.embeddings import DocumentPoolEmbeddings, OneHotEmbeddings
from flair.models import TextClassifier
from flair.optim import ExpAnnealLR, LinearSchedulerWithWarmup
from flair.trainers import ModelTrainer
from flair.trainers.plugins import LinearSchedulerPlugin
from flair.trainers.plugins.base import TrainerPlugin

UPDATES = 48
PEAKS = [1.0, 5e-05, 0.001]

SCHEDULERS = [
    "LinearSchedulerWithWarmup(num_train_steps=36, num_warmup_steps=8)",
    "LinearSchedulerWithWarmup(num_train_steps=30, num_warmup_steps=0)",
    "LinearSchedulerWithWarmup(num_train_steps=60, num_warmup_steps=20)",
    "ExpAnnealLR(end_lr=1e-06, iterations=36)",
    "ExpAnnealLR(end_lr=10.0, iterations=30)",
]

PLUGINS = [
    "LinearSchedulerPlugin(warmup_fraction=0.1, dataset_size=24,"
    " mini_batch_size=4, max_epochs=8)",
    "LinearSchedulerPlugin(warmup_fraction=0.25, dataset_size=12,"
    " mini_batch_size=1, max_epochs=4)",
    "LinearSchedulerPlugin(warmup_fraction=0.0, dataset_size=30,"
    " mini_batch_size=8, max_epochs=12)",
]


class Recorded(torch.optim.SGD):
    """SGD that notes its rate at each update."""

    rates = []

    def step(self, closure=None):
        self.rates.append(float(self.param_groups[0]["lr"]))
        return super().step(closure)


class Stepped(TrainerPlugin):
    """Steps a scheduler after each batch."""

    def __init__(self, call):
        super().__init__()
        self.call = call

    @TrainerPlugin.hook
    def after_setup(self, **setup):
        names = {scheduler.__name__: lambda _class=scheduler, **given:
                 _class(self.trainer.optimizer, **given)
                 for scheduler in (LinearSchedulerWithWarmup, ExpAnnealLR)}
        self.scheduler = eval(self.call, names)

    @TrainerPlugin.hook
    def after_training_batch(self, optimizer_was_run, **batch):
        if optimizer_was_run:
            self.scheduler.step()


def train(plugin, peak, dataset_size, mini_batch_size, max_epochs):
    Recorded.rates = []
    sentences = [Sentence(f"word{i % 3}") for i in range(dataset_size)]
    for i, sentence in enumerate(sentences):
        sentence.add_label("topic", "ab"[i % 2])
    corpus = Corpus(train=FlairDatapointDataset(sentences),
                    dev=FlairDatapointDataset(sentences[:2]),
                    test=FlairDatapointDataset(sentences[:2]))
    words = Dictionary()
    for word in ("word0", "word1", "word2"):
        words.add_item(word)
    labels = corpus.make_label_dictionary("topic", add_unk=False)
    classifier = TextClassifier(
        DocumentPoolEmbeddings([OneHotEmbeddings(words)]), "topic",
        label_dictionary=labels)
    with tempfile.TemporaryDirectory() as folder:
        ModelTrainer(classifier, corpus).train_custom(
            folder, learning_rate=peak, mini_batch_size=mini_batch_size,
            max_epochs=max_epochs, optimizer=Recorded, plugins=[plugin],
            save_final_model=False, create_file_logs=False,
            create_loss_file=False)
    return Recorded.rates


def with_sizes(warmup_fraction, **sizes):
    return LinearSchedulerPlugin(warmup_fraction), sizes


def write(call, peak, rates):
    print(json.dumps({
        "library": "flair", "version": flair.__version__,
        "loop": "ModelTrainer.train_custom", "call": call, "peak": peak,
        "rates": rates}))
    sys.stdout.flush()


logging.disable()
for peak in PEAKS:
    for call in SCHEDULERS:
        write(call, peak, train(Stepped(call), peak, UPDATES, 4, 4))
    for call in PLUGINS:
        plugin, sizes = eval(call, {"LinearSchedulerPlugin": with_sizes})
        write(call, peak, train(plugin, peak, **sizes))
