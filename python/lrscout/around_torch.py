"""What stands around the optimizers of torch: data loaders, and torch.compile."""

import functools
from typing import Any

from .session import Session


def watch_loaders(session: Session, module: Any) -> None:
    """Learns how many batches an epoch has: those of the data loader that is begun last
    before the first update."""
    loader_class = module.DataLoader
    original = loader_class.__iter__

    @functools.wraps(original)
    def watched(self: Any) -> Any:
        if session.active and not session.done:
            try:
                session.batches = len(self)
            except TypeError:  # of a stream
                session.batches = None
        return original(self)

    loader_class.__iter__ = watched


def keep_hooks(module: Any) -> None:
    """torch.compile removes the hooks of optimizers in torch 2.1 and some later
    versions; here they are put back."""
    from torch.optim.optimizer import Optimizer

    def step(_: Any) -> None: ...

    with_hooks = Optimizer.profile_hook_step(step).__code__
    patch = module.TorchPatcher.patch

    def patched() -> None:
        patch()
        classes = [Optimizer]
        while classes:
            one = classes.pop()
            classes += one.__subclasses__()
            step = vars(one).get("step")
            if getattr(step, "hooked", False) and step.__code__ is not with_hooks:
                one.step = Optimizer.profile_hook_step(step)
                one.step.hooked = True

    module.TorchPatcher.patch = staticmethod(patched)
