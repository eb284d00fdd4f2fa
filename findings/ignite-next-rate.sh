#!/bin/sh
# ignite 0.5.5 with torch 2.15.0: FastaiLRFinder records each loss beside the
# learning rate of the next update.
#
# Expected: history["lr"][k] is the rate with which update k is made, as in
# torch-lr-finder and fastai.
# Behaviour: history["lr"][k] is the rate of update k + 1. lr_suggestion() and
# the plot are one rung too high (with 100 updates over six decades: 15 %).
# Output seen:
#   updates made with: 1.148e-05 1.148e-05 1.318e-05 1.514e-05
#   recorded:          1.148e-05 1.318e-05 1.514e-05 1.738e-05
#   recorded[k] == made[k + 1] for every k: True
# Exit status 0 while this holds, 1 if it changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.15.0 pytorch-ignite==0.5.5 numpy
cat > "$folder/show.py" << 'END'
import torch
from ignite.engine import create_supervised_trainer
from ignite.handlers import FastaiLRFinder

torch.manual_seed(0)
model = torch.nn.Linear(4, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=1e-5)
data = [(torch.randn(8, 4), torch.randint(0, 2, (8,))) for _ in range(40)]
made, loss = [], torch.nn.CrossEntropyLoss()


def watched(outputs, labels):
    made.append(optimizer.param_groups[0]["lr"])
    return loss(outputs, labels)


trainer = create_supervised_trainer(model, optimizer, watched)
finder = FastaiLRFinder()
states = {"model": model, "optimizer": optimizer}
settings = {"num_iter": 100, "end_lr": 10.0, "diverge_th": 1e9}
with finder.attach(trainer, states, **settings) as attached:
    attached.run(data, max_epochs=3)
recorded = finder.get_results()["lr"]
made = made[: len(recorded)]
print("updates made with:", *(f"{lr:.3e}" for lr in made[:4]))
print("recorded:         ", *(f"{lr:.3e}" for lr in recorded[:4]))
pairs = zip(recorded, made[1:])
same = all(abs(a / b - 1) < 1e-9 for a, b in pairs) and recorded[1] != made[1]
print("recorded[k] == made[k + 1] for every k:", same)
raise SystemExit(0 if same else 1)
END
"$folder/venv/bin/python" "$folder/show.py"
