"""Trainings that are not one loss, one backward pass and one optimizer."""

import argparse

import torch
import torch.nn as nn

p = argparse.ArgumentParser()
p.add_argument("what")
args = p.parse_args()
what = args.what
torch.manual_seed(3)
model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
x, y = torch.randn(64, 4), torch.randn(64, 1)


def loss_of(part=slice(None)):
    return ((model(x[part]) - y[part]) ** 2).mean()


def train(optimizer, steps=30):
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        optimizer.step()


if what == "none":
    print("nothing to train")
elif what == "short":
    train(torch.optim.SGD(model.parameters(), lr=0.1), 3)
elif what == "crash":
    train(torch.optim.SGD(model.parameters(), lr=0.1), 3)
    raise KeyError("no such column")
elif what == "exit":
    train(torch.optim.SGD(model.parameters(), lr=0.1), 3)
    raise SystemExit("give me data")
elif what == "module":
    import no_such_package  # noqa: F401
elif what in ("one-cycle", "cyclic"):
    if what == "one-cycle":
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
        cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.05, total_steps=30)
    else:
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        cycle = torch.optim.lr_scheduler.CyclicLR(optimizer, 0.001, 0.05, step_size_up=10)
    for _ in range(30):
        train(optimizer, 1)
        cycle.step()
elif what == "momentum":
    train(torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9))
elif what == "betas":
    train(torch.optim.AdamW(model.parameters(), lr=0.1))
elif what == "tensor":
    train(torch.optim.Adam(model.parameters(), lr=torch.tensor(0.1)))
elif what == "grad":
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(30):
        slopes = torch.autograd.grad(loss_of(), list(model.parameters()))
        for weight, slope in zip(model.parameters(), slopes):
            weight.grad = slope
        optimizer.step()
elif what == "no-loss":
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for weight in model.parameters():
        weight.grad = torch.ones_like(weight)
    optimizer.step()
elif what == "lbfgs":
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        return loss

    optimizer.step(closure)
elif what == "closure":
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)

    def closure():
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        schedule.step()
        return loss

    for _ in range(30):
        optimizer.step(closure=closure)
elif what == "accumulate":
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(30):
        for k in range(4):
            loss_of(slice(16 * k, 16 * k + 16)).backward()
        optimizer.step()
        optimizer.zero_grad()
elif what == "two":  # of one loss
    a = torch.optim.SGD(model[0].parameters(), lr=0.1)
    b = torch.optim.SGD(model[2].parameters(), lr=0.3)
    for _ in range(30):
        loss_of().backward()
        for optimizer in (a, b):
            optimizer.step()
            optimizer.zero_grad()
elif what == "gan":
    other = nn.Linear(4, 4)
    a = torch.optim.Adam(model.parameters(), lr=0.1)
    b = torch.optim.Adam(other.parameters(), lr=0.05)
    for _ in range(30):
        a.zero_grad()
        loss_of().backward()
        a.step()
        b.zero_grad()
        (1000 + model(other(x)).mean()).backward()
        b.step()
elif what == "stages":
    train(torch.optim.SGD(model[2].parameters(), lr=0.1), 10)
    train(torch.optim.SGD(model.parameters(), lr=0.01), 20)
elif what == "scaler":
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    if not hasattr(torch.amp, "GradScaler"):
        raise SystemExit("torch 2.3 or later")
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    for t in range(32):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = loss_of()
        scaled = scaler.scale(loss)
        if t in (3, 7):  # an overflow
            scaled = scaled * float("inf")
        scaled.backward()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
elif what == "compile":
    fast = torch.compile(model, backend="aot_eager")
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    for _ in range(30):
        optimizer.zero_grad()
        ((fast(x) - y) ** 2).mean().backward()
        optimizer.step()
elif what == "compiled-step":
    optimizer = torch.optim.AdamW(model.parameters(), lr=torch.tensor(0.1))

    @torch.compile(backend="aot_eager")
    def step():
        optimizer.step()

    for _ in range(30):
        optimizer.zero_grad()
        loss_of().backward()
        step()
elif what == "checkpointed":
    from torch.utils.checkpoint import checkpoint

    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x.requires_grad_()
    for _ in range(30):
        optimizer.zero_grad()
        ((checkpoint(model, x, use_reentrant=True) - y) ** 2).mean().backward()
        optimizer.step()
elif what == "adafactor":
    from transformers.optimization import Adafactor

    train(Adafactor(model.parameters(), relative_step=True, lr=None))
elif what == "lightning-rates":  # a scheduler that cycles the momentum too
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=30)
    for _ in range(30):
        optimizer.zero_grad()
        loss_of().backward()
        optimizer.step()
        assert optimizer.param_groups[0]["momentum"] == 0.9
        schedule.step()
elif what == "sabotage":  # sets its own rate in a hook
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def own_rate(optimizer, *_):
        optimizer.param_groups[0]["lr"] = 0.3

    optimizer.register_step_pre_hook(own_rate)
    train(optimizer)
elif what == "manual":  # a rate of its own before every update, from 0
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for t in range(30):
        optimizer.param_groups[0]["lr"] = 0.1 * t / 30
        loss_of().backward()
        optimizer.step()
elif what.startswith("ddp"):
    import torch.distributed as dist

    dist.init_process_group("gloo")
    if what == "ddp-deaf":  # to being asked to end, and slow
        import signal
        import time

        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        torch.optim.SGD.zero_grad = lambda self: time.sleep(1)
    torch.manual_seed(42 + dist.get_rank())
    net = nn.parallel.DistributedDataParallel(model)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    for t in range(30):
        part = slice(32 * dist.get_rank(), 32 * dist.get_rank() + 32)
        optimizer.zero_grad()
        ((net(x[part]) - y[part]) ** 2).mean().backward()
        optimizer.step()
        sums = torch.tensor([sum(w.sum().item() for w in model.parameters())])
        both = [torch.zeros(1), torch.zeros(1)]
        dist.all_gather(both, sums)
        assert both[0] == both[1], "the replicas differ"
        print("rank", dist.get_rank(), "says hello")
        if what == "ddp-report" and t % 10 == 9:
            import lrscout

            if dist.get_rank() == 0:
                lrscout.report(valid_loss=loss_of())
    dist.destroy_process_group()
