"""Learning rates of torch.optim.lr_scheduler at each update.

pip install torch numpy; python torch.py > torch.jsonl

Each optimizer makes updates of a parameter, in the documented order:
optimizer.step(), then scheduler.step(). The rate is read when the update is
made.
2026-11-28: Python 3.11.7, torch 2.15.0
"""

import json
import sys
import warnings

sys.path = [entry for entry in sys.path if not entry.endswith("libraries")]

import torch  # noqa: E402
from torch.optim import lr_scheduler, swa_utils  # noqa: E402

warnings.simplefilter("ignore")
PEAKS = (1.0, 5e-5, 1e-3)
CALLS = {  # the updates of each
    "StepLR(step_size=7)": 40,
    "StepLR(optimizer, 5, gamma=0.5)": 40,
    "MultiStepLR(milestones=[10, 20, 20])": 40,
    "MultiStepLR(milestones=[3, 30], gamma=0.3)": 40,
    "ConstantLR()": 20,
    "ConstantLR(factor=0.5, total_iters=12)": 20,
    "LinearLR()": 20,
    "LinearLR(start_factor=0.01, end_factor=0.5, total_iters=15)": 30,
    "LinearLR(start_factor=1.0, end_factor=0.0, total_iters=20)": 30,
    "ExponentialLR(gamma=0.9)": 40,
    "PolynomialLR()": 15,
    "PolynomialLR(total_iters=20, power=2.0)": 30,
    "PolynomialLR(total_iters=20, power=0.5)": 30,
    "CosineAnnealingLR(T_max=20)": 50,
    "CosineAnnealingLR(T_max=15, eta_min=1e-5)": 50,
    "CosineAnnealingWarmRestarts(T_0=9)": 40,
    "CosineAnnealingWarmRestarts(T_0=5, T_mult=2, eta_min=1e-5)": 50,
    "CyclicLR(base_lr=1e-4, max_lr=1e-2, step_size_up=8)": 50,
    "CyclicLR(base_lr=0.1, max_lr=1, step_size_up=4, step_size_down=9, mode='triangular2')": 50,
    "CyclicLR(base_lr=0.1, max_lr=1, step_size_up=6, mode='exp_range', gamma=0.97, cycle_momentum=False)": 50,
    "OneCycleLR(max_lr=0.1, total_steps=30)": 31,
    "OneCycleLR(max_lr=1, epochs=5, steps_per_epoch=8, anneal_strategy='linear', three_phase=True)": 41,
    "OneCycleLR(max_lr=1e-3, total_steps=40, pct_start=0.1, div_factor=10, final_div_factor=100)": 41,
    "SWALR(swa_lr=0.05)": 25,
    "SWALR(swa_lr=0.01, anneal_epochs=5, anneal_strategy='linear')": 25,
    "SWALR(swa_lr=0.01, anneal_epochs=0)": 5,
    "SequentialLR(schedulers=[LinearLR(start_factor=0.1, total_iters=5), CosineAnnealingLR(T_max=25)], milestones=[5])": 45,
    "SequentialLR(schedulers=[ConstantLR(factor=0.1, total_iters=4), LinearLR(start_factor=0.5, total_iters=6), ExponentialLR(gamma=0.9)], milestones=[4, 12])": 40,
    "SequentialLR([CosineAnnealingLR(T_max=20, eta_min=1e-6), SWALR(swa_lr=0.05, anneal_epochs=4)], [20])": 40,
    "SequentialLR([LinearLR(), MultiStepLR(milestones=[10, 20]), CosineAnnealingWarmRestarts(T_0=6)], [5, 30])": 50,
    "SequentialLR([LinearLR(), PolynomialLR(total_iters=20, power=1.5)], [5])": 40,
    "SequentialLR([LinearLR(), StepLR(step_size=5, gamma=0.5)], [4])": 40,
    "SequentialLR([ConstantLR(factor=0.5, total_iters=3), OneCycleLR(max_lr=1, total_steps=20)], [3])": 20,
    "ChainedScheduler(schedulers=[ConstantLR(factor=0.1, total_iters=6), ExponentialLR(gamma=0.9)])": 40,
    "ChainedScheduler([LinearLR(start_factor=0.1, total_iters=8), CosineAnnealingLR(T_max=20, eta_min=1e-4)])": 30,
}


def make(call, optimizer):
    """The scheduler of a call, with the optimizer put in."""
    names = {
        name: (lambda cls: lambda *args, **keys: cls(optimizer, *args, **keys))(cls)
        for module in (lr_scheduler, swa_utils)
        for name, cls in vars(module).items()
        if isinstance(cls, type)
    }
    names["ChainedScheduler"] = lambda schedulers: lr_scheduler.ChainedScheduler(
        schedulers, optimizer
    )
    return eval(call.replace("optimizer, ", ""), names)


def main():
    for call, updates in CALLS.items():
        for peak in PEAKS:
            weight = torch.nn.Parameter(torch.zeros(1))
            optimizer = torch.optim.SGD([weight], lr=peak, momentum=0.9)
            scheduler = make(call, optimizer)
            rates = []
            for update in range(updates):
                rates.append(float(optimizer.param_groups[0]["lr"]))
                weight.grad = torch.ones(1)
                optimizer.step()
                if update + 1 < updates:
                    scheduler.step()
            golden = {
                "library": "torch",
                "version": torch.__version__.split("+")[0],
                "loop": "optimizer.step(), then scheduler.step()",
                "call": call,
                "peak": peak,
                "rates": rates,
            }
            print(json.dumps(golden))


main()
