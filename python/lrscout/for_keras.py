"""Keras 3 on any backend: `fit` and `train_on_batch` of a model."""

import functools
import inspect
from typing import Any, Dict, Optional, Tuple

from .imports import when_imported
from .session import Session

SOURCE = "keras"


def watch(session: Session) -> None:
    """Waits for the import of Keras."""
    when_imported("keras.src.models.model", lambda module: _install(session, module))


class Updates:
    """The updates of a model: their rate and their loss."""

    def __init__(self, session: Session, model: Any) -> None:
        self._session = session
        self.model = model
        self._lr = 0.0
        self._sums: Tuple[Any, ...] = ()
        if not session.record:
            self._make_settable()

    def _make_settable(self) -> None:
        """Replaces a schedule object, which is part of the update, by a number."""
        import keras

        for status, wanted, what in (
            ("no_momentum", self._session.momentum(), "momentum to cycle"),
            ("no_grad_norm", self._session.grad_norm, "norm of the gradient"),
        ):
            if wanted is not None:
                self._session.fault(
                    status,
                    f"the launcher has no {what} with Keras; leave out the schedules "
                    "that need it (cycled momentum, refined)",
                )
        optimizer = self.model.optimizer
        inner = getattr(optimizer, "inner_optimizer", optimizer)  # of a loss scale
        if not isinstance(inner._learning_rate, keras.Variable):
            rate = keras.Variable(0.0, name="learning_rate", trainable=False)
            inner._track_variable(rate)
            inner._learning_rate = rate

    def begin(self) -> None:
        """Sets the rate; called before an update."""
        session = self._session
        self._sync()
        session.before_update()
        optimizer = self.model.optimizer
        if not session.record:
            optimizer.learning_rate = session.rate()
        self._lr = float(optimizer.learning_rate)
        tracker = self.model._loss_tracker
        if tracker is not None:
            # It holds the mean of the epoch; here it is to hold one batch.
            self._sums = tuple(_numpy(v) for v in tracker.variables)
            tracker.reset_state()

    def end(self, logs: Any) -> None:
        """Reports the loss; called after an update."""
        self._sync()
        tracker = self.model._loss_tracker
        if tracker is not None and float(tracker.count) > 0:
            loss = float(tracker.result())
        elif isinstance(logs, dict) and "loss" in logs:
            loss = float(logs["loss"])  # of a train_step of the script's own
        else:
            self._session.fault(
                "no_loss", "train_step returns no `loss`; let it return one"
            )
        if tracker is not None:
            for variable, value in zip(tracker.variables, self._sums):
                variable.assign(variable + value)
        self._session.after_update([loss], self._lr)

    def _sync(self) -> None:
        sync = getattr(self.model, "jax_state_sync", None)
        if sync is not None:
            sync()


def _install(session: Session, module: Any) -> None:
    model_class = module.Model
    fit, train_on_batch = model_class.fit, model_class.train_on_batch
    signature = inspect.signature(fit)

    from keras.src.callbacks.callback import Callback

    class Reports(Callback):  # type: ignore[misc]
        """Follows `fit`, after the callbacks of the script."""

        def __init__(self, model: Any, arguments: Dict[str, Any]) -> None:
            super().__init__()
            self._updates = Updates(session, model)
            self._arguments = arguments
            if arguments["validation_data"] is not None:
                session.expect(SOURCE)

        def on_train_begin(self, logs: Any = None) -> None:
            epochs, steps = self.params.get("epochs"), self.params.get("steps")
            if epochs and steps:
                session.updates, session.epoch = epochs * steps, steps

        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            self._updates.begin()

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self._updates.end(logs)
            if self._arguments["validation_data"] is not None and session.asks():
                logs = _evaluated(session, self._updates.model, self._arguments)
                _report(session, logs, "")
            self._go_on()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            _report(session, logs or {}, "val_")
            self._go_on()

        def _go_on(self) -> None:
            """Early stopping is overruled: the task has its number of updates."""
            if not session.record:
                self._updates.model.stop_training = False

    @functools.wraps(fit)
    def watched_fit(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not session.active or self.optimizer is None:
            return fit(self, *args, **kwargs)
        bound = signature.bind(self, *args, **kwargs)
        bound.apply_defaults()
        arguments = bound.arguments
        _split(arguments)
        self.steps_per_execution = 1  # every update is seen
        reports = Reports(self, arguments)
        callbacks = arguments["callbacks"]
        if hasattr(callbacks, "append") and not isinstance(callbacks, list):
            callbacks.append(reports)
        else:
            own = callbacks if isinstance(callbacks, (list, tuple)) else [callbacks]
            arguments["callbacks"] = [c for c in own if c is not None] + [reports]
        return fit(*bound.args, **bound.kwargs)

    @functools.wraps(train_on_batch)
    def watched_batch(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not session.active or self.optimizer is None:
            return train_on_batch(self, *args, **kwargs)
        updates = self.__dict__.get("_lrscout_updates")
        if updates is None:
            updates = Updates(session, self)
            object.__setattr__(self, "_lrscout_updates", updates)
        updates.begin()
        logs = train_on_batch(self, *args, **kwargs)
        updates.end(logs)
        return logs

    model_class.fit, model_class.train_on_batch = watched_fit, watched_batch


def _split(arguments: Dict[str, Any]) -> None:
    """Splits off the validation part as `fit` does, so that it is known."""
    if arguments["validation_split"] and arguments["validation_data"] is None:
        from keras.src.trainers.data_adapters import array_slicing

        train, valid = array_slicing.train_validation_split(
            (arguments["x"], arguments["y"], arguments["sample_weight"]),
            validation_split=arguments["validation_split"],
        )
        arguments["x"], arguments["y"], arguments["sample_weight"] = train
        arguments["validation_data"], arguments["validation_split"] = valid, 0.0


def _evaluated(session: Session, model: Any, arguments: Dict[str, Any]) -> Any:
    """The logs of an evaluation amid an epoch, whose own means are kept."""
    from keras.src.trainers.data_adapters import data_adapter_utils

    x, y, weight = data_adapter_utils.unpack_x_y_sample_weight(
        arguments["validation_data"]
    )
    kept = [(variable, _numpy(variable)) for variable in model.metrics_variables]
    with session.preserved():
        logs = model.evaluate(
            x=x,
            y=y,
            sample_weight=weight,
            batch_size=arguments["validation_batch_size"] or arguments["batch_size"],
            steps=arguments["validation_steps"],
            verbose=0,
            return_dict=True,
        )
    for variable, value in kept:
        variable.assign(value)
    return logs


def _report(session: Session, logs: Dict[str, Any], prefix: str) -> None:
    loss: Optional[Any] = logs.get(prefix + "loss")
    if loss is not None:
        metrics = {
            name[len(prefix) :]: value
            for name, value in logs.items()
            if name.startswith(prefix) and name != prefix + "loss"
        }
        session.report(loss, metrics, SOURCE)


def _numpy(variable: Any) -> Any:
    from keras import ops

    return ops.convert_to_numpy(variable)
