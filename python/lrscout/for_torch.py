"""Optimizers of PyTorch, through the hooks that all of them call (torch 2.1 and
later): rates are set before every update and read back after it."""

import contextlib
import functools
from types import ModuleType
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

from .around_torch import keep_hooks, watch_loaders
from .imports import when_imported
from .randomness import Seeds
from .session import Session

# In a group of an optimizer: its rate over that of the reference. There it is kept
# when an optimizer loads a state or wraps another one.
RATIO = "lrscout_ratio"
# On a loss that a GradScaler has scaled: the loss itself.
UNSCALED = "lrscout_unscaled"
# In a group whose momentum is cycled by a scheduler of torch.
CYCLED = "max_momentum"
# In a group whose rate is set by a scheduler of torch.
INITIAL = "initial_lr"
# Of a rate in f32 from a rate of the task.
TOLERANCE = 1e-6

SEVERAL_LOSSES = (
    "{} evaluates its closure several times in one update, so that an update has "
    "neither one loss nor one rate; use an optimizer that takes a gradient, such as "
    "AdamW or SGD"
)


class TorchHooks:
    """What the optimizers and the losses of a script report."""

    def __init__(self, session: Session, torch: Any) -> None:
        self._session = session
        self._torch = torch
        self._reference: Any = None
        self._base: Optional[float] = None
        self._running: List[Any] = []  # optimizers whose step runs, outermost first
        self._steps = 0
        self._losses: List[Any] = []
        self._slopes: List[Any] = []  # losses of autograd.grad
        self._earlier: List[Any] = []  # losses of other optimizers' updates
        self._in_backward = False
        self._known: Dict[int, Any] = {}

    def install(self) -> None:
        """Installs the hooks."""
        from torch.optim import optimizer

        if not hasattr(optimizer, "register_optimizer_step_pre_hook"):
            self._session.fault(
                "old_torch",
                f"torch {self._torch.__version__} has no hooks for optimizers; "
                "lrscout needs torch 2.1 or later",
            )
        optimizer.register_optimizer_step_pre_hook(self._before)
        optimizer.register_optimizer_step_post_hook(self._after)
        when_imported("torch._dynamo.eval_frame", keep_hooks)
        if self._session.record:
            when_imported(
                "torch.utils.data.dataloader",
                lambda module: watch_loaders(self._session, module),
            )
        self._watch_losses()
        self._watch_scalers()
        self._session.guards += [self._torch.no_grad, self._modes, self._generators]

    # Updates.

    def _before(self, optimizer: Any, args: Any, kwargs: Any) -> Any:
        session = self._session
        if not session.active:
            return None
        self._running.append(optimizer)
        if len(self._running) > 1:  # a wrapper steps the optimizer in it
            if optimizer is not self._running[0] and not session.record:
                self._set(optimizer, *self._wanted())
            return None
        if id(optimizer) not in self._known:
            self._meet(optimizer)
        if optimizer is self._reference:
            session.before_update()
        if not session.record:
            self._set(optimizer, *self._wanted())
        closure = args[1] if len(args) > 1 else kwargs.get("closure")
        if closure is None:
            return None
        counted = self._counted(optimizer, closure)
        if len(args) > 1:
            return (args[0], counted, *args[2:]), kwargs
        return args, {**kwargs, "closure": counted}

    def _after(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        session = self._session
        if not session.active or not self._running:
            return
        self._running.pop()
        if self._running:
            return
        self._steps += 1
        losses, self._losses = self._losses or self._slopes, []
        self._slopes = []
        found = getattr(optimizer, "found_inf", None)
        if found is not None and bool(found):  # a fused optimizer: no update was made
            return
        lr = self._read(optimizer)
        if optimizer is not self._reference:
            self._earlier = losses or self._earlier
            wanted = None if session.record else self._rate_of_others()
            if wanted is not None and abs(lr - wanted) > TOLERANCE * abs(wanted):
                session.fault(
                    "invalid_lr",
                    f"{type(optimizer).__name__} trained with a rate {lr:g} where the "
                    f"task wants {wanted:g}: something sets rates during the update",
                )
            return
        losses, self._earlier = losses or self._earlier, []
        if not losses:
            session.fault(
                "no_loss",
                "the script updates its weights without a loss: neither backward() nor "
                "autograd.grad() was called on a number. Report with `lrscout.Task` "
                "(docs/external.md)",
            )
        momentum = norm = None
        group = optimizer.param_groups[0]
        if session.momentum() is not None or (session.record and CYCLED in group):
            momentum = _momentum(group)
        if session.grad_norm is not None:
            norm = self._norm(optimizer, 1 if session.grad_norm == "l1" else 2)
        session.after_update(losses, lr, momentum, norm)

    def _meet(self, optimizer: Any) -> None:
        """Decides about an optimizer's part at its first update: the first one is the
        reference, until another one takes over its weights."""
        self._known[id(optimizer)] = optimizer
        if type(optimizer).__name__ == "LBFGS":
            self._session.fault("closure", SEVERAL_LOSSES.format("LBFGS"))
        self._session.scheduled |= any(INITIAL in g for g in optimizer.param_groups)
        reference = self._reference
        if reference is None or _weights(reference) & _weights(optimizer):
            self._reference = optimizer

    def _counted(self, optimizer: Any, closure: Callable[..., Any]) -> Any:
        calls = 0

        def counted(*args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls > 1:
                name = type(optimizer).__name__
                self._session.fault("closure", SEVERAL_LOSSES.format(name))
            result = closure(*args, **kwargs)
            if not self._session.record:  # a scheduler may have stepped in it
                self._set(optimizer, *self._wanted())
            return result

        return counted

    # Rates.

    def _rate_of_others(self) -> float:
        """Other optimizers follow: their update belongs to the reference's last one."""
        return self._session.last_rate()

    def _wanted(self) -> Tuple[float, Optional[float]]:
        session = self._session
        if self._running[0] is self._reference:
            return session.rate(), session.momentum()
        return self._rate_of_others(), None

    def _set(self, optimizer: Any, rate: float, momentum: Optional[float]) -> None:
        for group in optimizer.param_groups:
            ratio = group.get(RATIO)
            if ratio is None:
                ratio = group[RATIO] = self._ratio(optimizer, group)
            lr = group["lr"]
            if isinstance(lr, self._torch.Tensor):
                lr.fill_(rate * ratio)
            else:
                group["lr"] = rate * ratio
            if momentum is not None or CYCLED in group:
                self._set_momentum(optimizer, group, momentum)

    def _ratio(self, optimizer: Any, group: Dict[str, Any]) -> float:
        own = _base_rate(optimizer, group)
        if own is None:
            self._session.fault(
                "no_rate",
                f"{type(optimizer).__name__} has no learning rate to set: it chooses "
                "its own. Give it one (for Adafactor: relative_step=False and lr=...), "
                "or use another optimizer",
            )
        if self._base is None:
            bases = (_base_rate(optimizer, g) for g in optimizer.param_groups)
            self._base = next((base for base in bases if base), None)
        if self._base is None:
            self._session.fault(
                "no_rate",
                f"all rates of {type(optimizer).__name__} are 0 before the first "
                "update; set the rate of the training before it",
            )
        return own / self._base

    def _set_momentum(
        self, optimizer: Any, group: Dict[str, Any], momentum: Optional[float]
    ) -> None:
        if momentum is None:  # a scheduler of the script cycles it: overruled too
            momentum = _momentum(optimizer.defaults)
        if "betas" in group:
            group["betas"] = (momentum, *group["betas"][1:])
        elif "momentum" in group:
            group["momentum"] = momentum
        else:
            self._session.fault(
                "no_momentum",
                f"{type(optimizer).__name__} has no momentum to cycle; leave out "
                "schedules that cycle it",
            )

    def _read(self, optimizer: Any) -> float:
        """The rate in the optimizer, of the group that deviates most."""
        groups = optimizer.param_groups
        if self._session.record:
            return float(groups[0]["lr"])
        if optimizer is self._reference:
            wanted = self._session.rate()
        else:
            wanted = self._rate_of_others()
        worst = wanted
        for group in groups:
            ratio, lr = group.get(RATIO), float(group["lr"])
            if ratio and lr != wanted * ratio:
                lr /= ratio
                if not abs(lr - wanted) <= abs(worst - wanted):
                    worst = lr
        return worst

    def _norm(self, optimizer: Any, order: int) -> Any:
        slopes = []
        for group in optimizer.param_groups:
            for weight in group["params"]:
                slope = weight.grad
                if slope is not None:
                    slope = slope.coalesce().values() if slope.is_sparse else slope
                    slopes.append(self._torch.linalg.vector_norm(slope, order))
        device = slopes[0].device
        slopes = [slope.to(device) for slope in slopes]
        return self._torch.linalg.vector_norm(self._torch.stack(slopes), order)

    # Losses.

    def _watch_losses(self) -> None:
        for name in ("backward", "grad"):
            self._watch(self._torch.autograd, name)

    def _watch(self, autograd: Any, name: str) -> None:
        original = getattr(autograd, name)
        is_backward = name == "backward"

        @functools.wraps(original)
        def watched(tensors: Any, *args: Any, **kwargs: Any) -> Any:
            # Checkpointed layers call backward within backward.
            if self._in_backward or not self._session.active:
                return original(tensors, *args, **kwargs)
            self._in_backward = True
            try:
                loss = self._loss(tensors)
                if loss is not None:
                    kept = self._losses if is_backward else self._slopes
                    kept.append(loss)
                return original(tensors, *args, **kwargs)
            finally:
                self._in_backward = False

        setattr(autograd, name, watched)

    def _loss(self, tensors: Any) -> Any:
        if not isinstance(tensors, self._torch.Tensor):
            if not isinstance(tensors, (tuple, list)):
                return None
            losses = [loss for loss in map(self._loss, tensors) if loss is not None]
            return sum(losses[1:], losses[0]) if losses else None
        tensor = getattr(tensors, UNSCALED, tensors)
        if tensor.numel() != 1:
            return None
        if tensor.is_cpu:
            return tensor.item()
        # Read later: to wait for the device here would slow the training down.
        return tensor.detach().clone()

    def _watch_scalers(self) -> None:
        torch = self._torch
        scaler = getattr(torch.amp, "GradScaler", None) or torch.cuda.amp.GradScaler
        scale, step = scaler.scale, scaler.step

        @functools.wraps(scale)
        def scaled(scaler: Any, outputs: Any) -> Any:
            result = scale(scaler, outputs)
            if isinstance(outputs, torch.Tensor) and result is not outputs:
                setattr(result, UNSCALED, outputs.detach())
            return result

        @functools.wraps(step)
        def stepped(scaler: Any, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
            before = self._steps
            result = step(scaler, optimizer, *args, **kwargs)
            if self._steps == before:  # it has skipped an update that overflowed
                self._losses.clear()
            return result

        scaler.scale, scaler.step = scaled, stepped

    # What an evaluation must leave as it was.

    @contextlib.contextmanager
    def _generators(self) -> Iterator[None]:
        torch = self._torch
        state = torch.get_rng_state()
        cuda = torch.cuda.is_available() and torch.cuda.is_initialized()
        states = torch.cuda.get_rng_state_all() if cuda else None
        try:
            yield
        finally:
            torch.set_rng_state(state)
            if cuda:
                torch.cuda.set_rng_state_all(states)

    @contextlib.contextmanager
    def _modes(self) -> Iterator[None]:
        module = self._torch.nn.Module
        train = module.train
        modes: Dict[int, Any] = {}

        @functools.wraps(train)
        def remembered(self: Any, mode: bool = True) -> Any:
            modes.setdefault(id(self), (self, self.training))
            return train(self, mode)

        module.train = remembered
        try:
            yield
        finally:
            module.train = train
            for one, mode in modes.values():
                one.training = mode


def _base_rate(optimizer: Any, group: Dict[str, Any]) -> Optional[float]:
    """The rate that a group was given, before a schedule changes it."""
    for rate in (group.get(INITIAL), group.get("lr"), optimizer.defaults.get("lr")):
        if rate is not None and float(rate) > 0:
            return float(rate)
    return None if group.get("lr") is None else 0.0


def _momentum(group: Dict[str, Any]) -> Any:
    return group["betas"][0] if "betas" in group else group.get("momentum")


def _weights(optimizer: Any) -> Any:
    return {id(w) for group in optimizer.param_groups for w in group["params"]}


def install(session: Session, seeds: Optional[Seeds], torch: ModuleType) -> None:
    """Installs the hooks once torch is imported."""
    TorchHooks(session, torch).install()
    if seeds:
        seeds.torch(torch)
