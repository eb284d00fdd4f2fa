"""A classifier with the Trainer of Hugging Face, as people write it."""

import argparse

import numpy as np
import torch
from torch.utils.data import Dataset
from transformers import BertConfig, BertForSequenceClassification
from transformers import EarlyStoppingCallback, Trainer, TrainingArguments, set_seed


class Synthetic(Dataset):
    def __init__(self, n, seed):
        g = torch.Generator().manual_seed(seed)
        self.ids = torch.randint(10, 50, (n, 8), generator=g)
        self.labels = (self.ids % 2).sum(1) // 5

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, i):
        return {"input_ids": self.ids[i], "labels": self.labels[i]}


def compute_metrics(p):
    return {"accuracy": float((np.argmax(p.predictions, -1) == p.label_ids).mean())}


p = argparse.ArgumentParser()
p.add_argument("--epochs", type=float, default=2)
p.add_argument("--lr", type=float, default=1e-3)
p.add_argument("--seed", type=int, default=42)
p.add_argument("--accumulate", type=int, default=1)
p.add_argument("--patience", type=int)
p.add_argument("--no-eval", action="store_true")
args = p.parse_args()

set_seed(args.seed)
config = BertConfig(
    vocab_size=50, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
    intermediate_size=32, max_position_embeddings=16, num_labels=2,
)
evals = {} if args.no_eval else {"eval_dataset": Synthetic(100, 1)}
trainer = Trainer(
    model=BertForSequenceClassification(config),
    args=TrainingArguments(
        output_dir="out", num_train_epochs=args.epochs,
        per_device_train_batch_size=16, gradient_accumulation_steps=args.accumulate,
        learning_rate=args.lr, weight_decay=0.01, warmup_steps=3, seed=args.seed,
        eval_strategy="no" if args.no_eval else "epoch",
        save_strategy="no" if args.no_eval else "epoch",
        load_best_model_at_end=not args.no_eval, metric_for_best_model="accuracy",
        report_to="none", use_cpu=True, disable_tqdm=True, logging_steps=1,
    ),
    train_dataset=Synthetic(320, 0),
    compute_metrics=compute_metrics,
    callbacks=[EarlyStoppingCallback(args.patience)] if args.patience else [],
    **evals,
)
trainer.train()
if not args.no_eval:
    print(trainer.evaluate())  # of the best epoch
    losses = [log["eval_loss"] for log in trainer.state.log_history if "eval_loss" in log]
    print(f"validation loss {losses[-2]}")  # of the last one
