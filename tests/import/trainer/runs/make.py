"""trainer_state.json of the Trainer of transformers 5.24.0.

Run in this folder: python make.py
"""

import os
import shutil
import tempfile

import torch
from transformers import (
    PretrainedConfig,
    PreTrainedModel,
    Trainer,
    TrainingArguments,
)


class Tiny(PreTrainedModel):
    config_class = PretrainedConfig

    def __init__(self, config):
        super().__init__(config)
        self.linear = torch.nn.Linear(4, 1)
        self.post_init()

    def forward(self, x, labels):
        out = self.linear(x)
        return {"loss": ((out - labels) ** 2).mean(), "logits": out}


torch.manual_seed(0)
xs = torch.randn(64, 4)
data = [{"x": x, "labels": x.sum().reshape(1)} for x in xs]
for schedule in ["linear", "cosine", "constant"]:
    folder = tempfile.mkdtemp()
    args = TrainingArguments(
        output_dir=folder,
        lr_scheduler_type=schedule,
        seed=1,
        learning_rate=0.05,
        per_device_train_batch_size=16,
        num_train_epochs=3,
        eval_strategy="epoch",
        save_strategy="epoch",
        logging_steps=2,
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
    )
    torch.manual_seed(1)
    model = Tiny(PretrainedConfig())
    Trainer(
        model=model, args=args, train_dataset=data, eval_dataset=data[:16]
    ).train()
    for step in [8, 12] if schedule == "linear" else [12]:
        home = f"{schedule}-s1/checkpoint-{step}"
        os.makedirs(home, exist_ok=True)
        shutil.copy(f"{folder}/checkpoint-{step}/trainer_state.json", home)
    shutil.rmtree(folder)
