"""Lightning: the metrics that `validation_step` logs give the validation loss."""

import functools
import importlib
from typing import Any, Dict, List, Optional

from .imports import when_imported
from .session import Session

SOURCE = "lightning"
PACKAGES = ("lightning.pytorch", "pytorch_lightning")
FABRICS = ("lightning.fabric", "lightning_fabric")
# How people name it, in this order; else the first name with "loss" in it that is not
# one of the training.
NAMES = ("val_loss", "valid_loss", "validation_loss", "val/loss", "valid/loss", "loss")


def watch(session: Session) -> None:
    """Waits for the import of a Trainer."""
    for package in PACKAGES:
        when_imported(
            package + ".trainer.trainer", lambda module: _install(session, module)
        )
    for package in FABRICS:
        when_imported(
            package + ".strategies.launchers.subprocess_script", _launch_like_us
        )


def _launch_like_us(module: Any) -> None:
    """Processes that Lightning starts for other devices set the same rates."""
    original = module._basic_subprocess_cmd

    @functools.wraps(original)
    def command() -> List[str]:
        program, *words = original()
        return [program, "-m", "lrscout.launch", *words]

    module._basic_subprocess_cmd = command


def _install(session: Session, module: Any) -> None:
    trainer_class = module.Trainer
    fit = trainer_class.fit
    package = module.__name__[: -len(".trainer.trainer")]
    callbacks: Any = importlib.import_module(package + ".callbacks")

    @functools.wraps(fit)
    def watched(self: Any, *args: Any, **kwargs: Any) -> Any:
        if session.active and not any(isinstance(c, Reports) for c in self.callbacks):
            if not session.record:
                # Early stopping is overruled: the task has its number of updates.
                early = callbacks.EarlyStopping
                self.callbacks = [c for c in self.callbacks if not isinstance(c, early)]
            self.callbacks.append(Reports())
            session.summed |= self.accumulate_grad_batches > 1
            _validate_when_due(session, self)
        return fit(self, *args, **kwargs)

    class Reports(callbacks.Callback):  # type: ignore[misc]
        """Reports validations."""

        def on_train_start(self, trainer: Any, _: Any) -> None:
            if trainer.enable_validation:
                session.expect(SOURCE)
            session.updates = _whole(trainer.estimated_stepping_batches)
            batches = _whole(trainer.num_training_batches)
            if batches is not None:
                session.epoch = -(-batches // trainer.accumulate_grad_batches)

        def on_validation_end(self, trainer: Any, _: Any) -> None:
            if trainer.sanity_checking:
                return
            metrics = dict(trainer.callback_metrics)
            name = _loss_name(metrics)
            if name is None:
                session.note(
                    "validation_step logs no loss: nothing among "
                    f"{', '.join(metrics) or 'its metrics'} has `loss` in its name"
                )
            else:
                loss = metrics.pop(name)
                session.report(loss, _of_validation(metrics), SOURCE)

    trainer_class.fit = watched


def _validate_when_due(session: Session, trainer: Any) -> None:
    """Has the loop validate also when the session asks for it, without the callbacks
    of the script, and without a trace in its random generators."""
    loop = trainer.fit_loop.epoch_loop
    validation = loop.val_loop
    checks, run = loop._should_check_val_fx, validation.run
    ours = False

    def should_check(*args: Any, **kwargs: Any) -> bool:
        nonlocal ours
        own = checks(*args, **kwargs)
        last = trainer.global_step == trainer.estimated_stepping_batches
        ours = not own and trainer.enable_validation and session.asks(last)
        return own or ours

    def run_quietly(*args: Any, **kwargs: Any) -> Any:
        nonlocal ours
        if not ours:
            return run(*args, **kwargs)
        ours = False
        callbacks = trainer.callbacks
        trainer.callbacks = [c for c in callbacks if type(c).__name__ == "Reports"]
        try:
            with session.preserved():
                return run(*args, **kwargs)
        finally:
            trainer.callbacks = callbacks

    loop._should_check_val_fx, validation.run = should_check, run_quietly


def _whole(number: Any) -> Optional[int]:
    """A number of batches, which may be infinite or unknown."""
    return int(number) if 0 < number < float("inf") else None


def _loss_name(metrics: Dict[str, Any]) -> Optional[str]:
    for name in NAMES:
        if name in metrics:
            return name
    for name in metrics:
        if "loss" in name.lower() and "train" not in name.lower():
            return name
    return None


def _of_validation(metrics: Dict[str, Any]) -> Dict[str, Any]:
    named = {}
    for name, value in metrics.items():
        if "train" in name.lower():
            continue
        for prefix in ("val_", "valid_", "validation_", "val/", "valid/"):
            if name.startswith(prefix):
                name = name[len(prefix) :]
                break
        named[name] = value
    return named
