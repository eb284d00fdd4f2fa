"""An MLP classifier in PyTorch, trained by lrscout.

To adapt it, keep the calls on `task`; replace data, model and optimizers.
"""

import torch
from torch import nn
from torch.nn.utils import parameters_to_vector
from torch.utils.data import DataLoader, TensorDataset

from lrscout import Task

INPUTS, CLASSES = 20, 5
OPTIMIZERS = {
    "sgd": lambda weights: torch.optim.SGD(weights, momentum=0.9),
    "adamw": lambda weights: torch.optim.AdamW(weights, weight_decay=0.01),
}


def data():
    """Training, validation and test parts, labelled by a random net with noise."""
    torch.manual_seed(0)  # the same for every seed of the task
    x = torch.randn(6000, INPUTS)
    hidden = torch.tanh(x @ torch.randn(INPUTS, 32))
    y = (hidden @ torch.randn(32, CLASSES)).argmax(1)
    y = torch.where(torch.rand(6000) < 0.1, torch.randint(CLASSES, (6000,)), y)
    sizes = (4000, 1000, 1000)
    return [TensorDataset(*p) for p in zip(x.split(sizes), y.split(sizes))]


def forever(loader):
    while True:
        yield from loader


def set_rates(lr, momentum):
    for group in optimizer.param_groups:
        group["lr"] = lr
        if momentum is not None:
            if "betas" in group:  # AdamW: the momentum is the first beta
                group["betas"] = (momentum, group["betas"][1])
            else:
                group["momentum"] = momentum


@torch.no_grad()
def evaluate(done, part, split="valid"):
    model.eval()
    x, y = part.tensors
    scores = model(x)
    accuracy = (scores.argmax(1) == y).float().mean()
    task.eval(done, loss_of(scores, y), split, accuracy=accuracy)
    model.train()


task = Task()
torch.set_num_threads(1)  # the same sums for any number of simultaneous trainings
torch.use_deterministic_algorithms(True)
train, valid, test = data()
torch.manual_seed(task.seed)
model = nn.Sequential(
    nn.Linear(INPUTS, 64), nn.ReLU(),
    nn.Linear(64, 64), nn.ReLU(),
    nn.Linear(64, CLASSES),
)
loss_of = nn.CrossEntropyLoss()
optimizer = OPTIMIZERS[task.optimizer](model.parameters())
# A separate generator: other random draws (dropout) do not change the batches.
order = torch.Generator().manual_seed(task.seed)
batches = forever(DataLoader(train, task.batch, shuffle=True, generator=order))

for step, (x, y) in zip(range(task.steps), batches):
    if step in task.eval_steps:
        evaluate(step, valid)
    momentum = task.momentum(step)
    more = {} if momentum is None else {"momentum": momentum}
    set_rates(task.lr(step), momentum)
    loss = loss_of(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    if task.grad_norm:
        slopes = parameters_to_vector(p.grad for p in model.parameters())
        more["grad_norm"] = slopes.norm(1 if task.grad_norm == "l1" else 2)
    optimizer.step()
    task.train(step, loss.item(), optimizer.param_groups[0]["lr"], **more)

if task.steps in task.eval_steps:
    evaluate(task.steps, valid)
    evaluate(task.steps, test, "test")
task.done()
