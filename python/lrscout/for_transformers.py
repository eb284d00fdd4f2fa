"""The Trainer of Hugging Face, whose `evaluate` gives the validation loss; and
accelerate."""

import functools
from typing import Any, Dict, Optional

from .imports import when_imported
from .session import Session

SOURCE = "trainer"
# What Trainer.evaluate measures besides the model.
NO_METRICS = ("runtime", "per_second", "preparation_time", "epoch")


def watch(session: Session) -> None:
    """Waits for the imports."""
    when_imported("transformers.trainer", lambda module: _install(session, module))
    when_imported("accelerate.accelerator", lambda module: _watch(session, module))


def _watch(session: Session, module: Any) -> None:
    accelerator_class = module.Accelerator
    backward = accelerator_class.backward

    @functools.wraps(backward)
    def watched(self: Any, *args: Any, **kwargs: Any) -> Any:
        session.summed |= self.gradient_accumulation_steps > 1
        return backward(self, *args, **kwargs)

    accelerator_class.backward = watched


def _install(session: Session, module: Any) -> None:
    trainer_class = module.Trainer
    original = trainer_class.__init__

    class Reports(module.TrainerCallback):  # type: ignore[misc]
        """Evaluates when the session wants it, and reports what the script does."""

        def __init__(self, trainer: Any) -> None:
            self.trainer = trainer

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            # Last, so as to have the last word about an early end.
            callbacks = self.trainer.callback_handler.callbacks
            callbacks.remove(self)
            callbacks.append(self)
            if self._can_evaluate():
                session.expect(SOURCE)
            session.summed |= args.gradient_accumulation_steps > 1
            session.updates = state.max_steps
            if args.max_steps <= 0 and args.num_train_epochs > 0:
                session.epoch = round(state.max_steps / args.num_train_epochs)
            self._evaluate_if_due(last=False)

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self._evaluate_if_due(last=state.global_step >= state.max_steps)
            self._go_on(state, control)

        def on_evaluate(
            self, args: Any, state: Any, control: Any, metrics: Any = None, **_: Any
        ) -> None:
            _report(session, metrics or {})
            self._go_on(state, control)

        def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self._go_on(state, control)

        def _go_on(self, state: Any, control: Any) -> None:
            """Early stopping is overruled: the task has its number of updates."""
            if not session.record and state.global_step < state.max_steps:
                control.should_training_stop = False

        def _can_evaluate(self) -> bool:
            return self.trainer.eval_dataset is not None

        def _evaluate_if_due(self, last: bool) -> None:
            if session.active and self._can_evaluate() and session.asks(last):
                metrics: Dict[str, Any] = {}
                with session.preserved():
                    metrics.update(_quietly(self.trainer))
                _report(session, metrics)

    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self.add_callback(Reports(self))

    trainer_class.__init__ = __init__


def _quietly(trainer: Any) -> Dict[str, Any]:
    """Evaluates without the trainer's callbacks and its log: they belong to the
    evaluations of the script."""
    handler, state = trainer.callback_handler, trainer.state
    callbacks, handler.callbacks = handler.callbacks, []
    logged = len(state.log_history)
    try:
        metrics: Dict[str, Any] = trainer.evaluate()
        return metrics
    finally:
        handler.callbacks = callbacks
        del state.log_history[logged:]


def _report(session: Session, metrics: Dict[str, Any]) -> None:
    loss = _loss(metrics)
    if loss is not None:
        named = {
            name[len("eval_") :]: value
            for name, value in metrics.items()
            if name.startswith("eval_")
            and isinstance(value, (int, float))
            and not any(word in name for word in NO_METRICS)
        }
        named.pop("loss", None)
        session.report(loss, named, SOURCE)


def _loss(metrics: Dict[str, Any]) -> Optional[float]:
    if "eval_loss" in metrics:
        return float(metrics["eval_loss"])
    losses = [
        value
        for name, value in metrics.items()
        if name.startswith("eval_") and name.endswith("_loss")
    ]
    return sum(losses) / len(losses) if losses else None  # several data sets
