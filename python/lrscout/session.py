"""The task of a launched script: which update it is at, when its evaluations are
due, and when it ends. The adapters (for_torch, for_transformers, for_lightning,
for_keras) tell the session what happens in the script."""

import contextlib
import json
import os
import sys
import threading
import time
from typing import Any, Callable, ContextManager, Dict, Iterator, List, NoReturn
from typing import Optional, Tuple

from . import randomness
from .client import claim_stdout, read_npy
from .events import Events, Silence, plain

Evaluate = Callable[[], Any]
# Added to the path of the task: a file by which the first process of several says that
# the task is done.
DONE = ".done"
# Updates with one rate, on average, from which on a schedule is one of stairs.
STAIR = 5
# Seconds of an undisturbed training after which the launcher says what it has seen.
SEEN = 1.0

# The session of this process, if lrscout started it.
current: Optional["Session"] = None


class Session:
    """A task, as the launched script works on it."""

    def __init__(self, path: str, version: str) -> None:
        with open(path) as file:
            task: Dict[str, Any] = json.load(file)
        self._path = path
        self._version = version
        launch = task.get("launch") or {}
        self.record: bool = bool(launch.get("record"))
        # Seconds of training after which an undisturbed start ends.
        self._short: Optional[float] = launch.get("seconds")
        self.run_dir: Optional[str] = launch.get("run_dir")
        self.seed: int = task["seed"]
        self.steps: int = task["steps"]
        self.eval_steps = frozenset(task.get("eval_steps") or ())
        self.grad_norm: Optional[str] = task.get("grad_norm")
        self._rates = None if self.record else read_npy(task["lr_table"])
        momenta = task.get("momentum_table")
        self._momenta = read_npy(momenta) if momenta else None
        self._interactive = task.get("mode") == "interactive" and not self.record
        self._factor = 1.0
        # Completed updates; how many there were at the last evaluation.
        self.done = 0
        self._evaluated: Optional[int] = None
        self._greeted = False
        # The function of `on_eval`, and whether the script (or an adapter) will
        # report evaluations of its own.
        self._evaluate: Optional[Evaluate] = None
        self._expected: Optional[str] = None
        # What is known of the training that the script makes by itself: its updates,
        # those of an epoch, and whether a scheduler sets its rates.
        self.updates: Optional[int] = None
        self.epoch: Optional[int] = None
        # Batches of an epoch, where they are known instead, and of an update.
        self.batches: Optional[int] = None
        self._accumulated = 1
        self.scheduled = False
        self._told = False
        # When the first update began, when it ended, and when the last one did.
        self._times = [0.0, 0.0, 0.0]
        # Whether the losses of accumulated batches add up to that of the update:
        # Trainer, accelerate and Lightning divide each by their number.
        self.summed = False
        # What has to be preserved around an evaluation that the launcher adds.
        self.guards: List[Callable[[], ContextManager[Any]]] = [randomness.preserved]
        self.notes: List[str] = []
        # Of a record: the rate of the last update, and how often it has changed.
        self._recorded: Optional[float] = None
        self._stairs = 0
        # In forked processes, such as the workers of a data loader, nothing is
        # changed and nothing is said.
        self.active = True
        os.register_at_fork(after_in_child=self._leave)
        self._rank = max(0, int(os.environ.get("RANK", os.environ.get("LOCAL_RANK", 0))))
        self._world = int(os.environ.get("WORLD_SIZE", 1))
        self._descriptor = claim_stdout()
        self._events = (Silence if self._rank else Events)(self._descriptor)
        if self._interactive and self._world > 1:
            self.fault(
                "interactive",
                "a schedule that reacts to the validation loss (plateau) works with "
                f"one process, and this training has {self._world}; leave it out",
            )

    # Rates.

    def rate(self) -> float:
        """The rate of the next update."""
        assert self._rates is not None
        return self._rates[self.done] * self._factor

    def last_rate(self) -> float:
        """The rate of the update that was completed last."""
        assert self._rates is not None
        return self._rates[max(0, self.done - 1)] * self._factor

    def momentum(self) -> Optional[float]:
        """The momentum of the next update, if the schedule cycles it."""
        return self._momenta[self.done] if self._momenta else None

    # Updates.

    def before_update(self) -> None:
        """The script is about to make an update."""
        self._greet()
        if self.done >= self.steps:
            self.finish()
        if self._evaluate and self.due():
            self.evaluate(self._evaluate, "on_eval")

    def after_update(
        self, losses: List[Any], lr: float, momentum: Any = None, norm: Any = None
    ) -> None:
        """The script has made an update, with `losses` of its batches before it."""
        count = 1 if self.summed else len(losses)
        self._events.train((self.done, losses, count, lr, momentum, norm))
        self.done += 1
        if self.record:
            self._accumulated = max(1, len(losses))
            self._watch(lr)
        # Now, not before the next update: the batch of that one will already have
        # changed the statistics of batch normalization.
        if self._evaluate and self.due():
            self.evaluate(self._evaluate, "on_eval")
        if self.done < self.steps:
            return
        # Else the evaluation comes from the script: it goes on until then, at most
        # to its next update.
        wanted = self.eval_steps or self.record
        if self._evaluate or not self._expected or not wanted:
            self.finish()
        if self._rank:
            threading.Thread(target=self._wait_for_the_first, daemon=True).start()

    def _watch(self, lr: float) -> None:
        """Notes what the script does by itself; a short start ends here."""
        if lr != self._recorded:
            self._recorded = lr
            self._stairs += 1
        now = time.monotonic()
        self._times[1:] = self._times[1] or now, now
        trained = now - self._times[0]
        if self.done > 1 and trained >= (self._short or SEEN):
            if self._short:
                self.finish()
            if not self._told:
                self._tell_of_script(False)

    def _tell_of_script(self, whole: bool) -> None:
        self._told = True
        began, first, last = self._times
        more = self.done - 1
        self._events.tell(
            "script",
            trained=time.monotonic() - began,
            pace=(last - first) / more if more else last - began,
            updates=self.done if whole else self.updates,
            epoch=self.epoch or (self.batches or 0) // self._accumulated or None,
            evaluates="on_eval" if self._evaluate else self._expected,
            scheduled=self.scheduled,
        )

    # Evaluations.

    def expect(self, source: str) -> None:
        """The script, or an adapter, will report evaluations of its own."""
        self._expected = source

    def on_eval(self, f: Evaluate) -> None:
        """Evaluates by `f` from now on."""
        self._evaluate = f

    def due(self, last: bool = False) -> bool:
        """Whether an evaluation is due now that the launcher makes itself. `last`:
        the script knows that it makes no more updates."""
        if self._evaluated == self.done:
            return False
        if self.done in self.eval_steps:
            return True
        last = last or self.done >= self.steps
        return last and bool(self.eval_steps or self.record)

    def asks(self, last: bool = False) -> bool:
        """Whether an evaluation by an adapter is due; `on_eval` has priority."""
        return self.active and self._evaluate is None and self.due(last)

    def evaluate(self, f: Evaluate, source: str) -> None:
        """Evaluates by `f`, which returns the loss, the loss and metrics, or a dict
        with both, and leaves no trace of it."""
        with self.preserved():
            result = f()
        if result is not None:
            self.report(*_loss_and_metrics(result), source)

    @contextlib.contextmanager
    def preserved(self) -> Iterator[None]:
        """Restores random generators, training modes and gradient mode."""
        with contextlib.ExitStack() as stack:
            for guard in self.guards:
                stack.enter_context(guard())
            yield

    def report(self, loss: Any, metrics: Dict[str, Any], source: str) -> None:
        """Reports an evaluation; after the last update, this is the end."""
        if not self.active:
            return
        if source != "report" and self._evaluated == self.done:
            return  # the adapter has evaluated already, and now the script does
        self._greet()
        self._evaluated = self.done
        self._events.tell(
            "eval",
            step=self.done,
            loss=plain(loss),
            metrics={name: plain(value) for name, value in metrics.items()},
            source=source,
        )
        if self._interactive:
            self._factor = json.loads(self._answers.readline())["factor"]
        if self.done >= self.steps:
            self.finish()

    # Ends.

    def script_ended(self) -> None:
        """The script came to its own end."""
        if self._evaluate and self.done and self.due(last=True):
            self.evaluate(self._evaluate, "on_eval")
        if self.done >= self.steps or (self.record and self.done):
            self.finish(whole=True)
        if not self.done:
            self.fault("no_optimizer", _no_optimizer())
        self.fault(
            "early_end",
            f"the script ended after {self.done} of {self.steps} updates; let it train "
            "longer (more epochs), or ask for fewer updates",
        )

    def finish(self, whole: bool = False) -> NoReturn:
        """Ends the process: everything is reported. `whole`: the script came to its
        own end."""
        more: Dict[str, Any] = {"steps": self.done} if self.record else {}
        if self._short:
            self._tell_of_script(whole)
        if 1 < self._stairs <= self.done / STAIR:
            self.note(
                f"the script has {self._stairs} rates in {self.done} updates, as with a "
                "scheduler that steps once an epoch; most schedules change the rate at "
                "every update"
            )
        if self.notes:
            more["notes"] = self.notes
        self._events.tell("done", **more)
        if self._world > 1 and not self._rank:
            with contextlib.suppress(OSError):
                open(self._path + DONE, "w").close()
        self.exit(0)

    def _wait_for_the_first(self) -> None:
        """Ends this process with the first one, which alone may know when: the others
        would wait for it in a collective operation."""
        while not os.path.exists(self._path + DONE):
            time.sleep(0.02)
        self.exit(0)

    def fault(self, status: str, message: str) -> NoReturn:
        """Ends the process: the training cannot be used, and `message` says why and
        what to do."""
        self.crash(status, message)
        print(f"lrscout: {message}", file=sys.stderr)
        self.exit(1)

    def crash(self, status: str, message: str) -> None:
        """Says why the process ends, which programs that start several processes
        bury under reports of their own."""
        self._events.tell("error", status=status, message=message)

    def note(self, text: str) -> None:
        """Says something that the reader of the results should know."""
        if text not in self.notes:
            self.notes.append(text)

    def flush(self) -> None:
        """Writes the events that wait."""
        self._events.flush()

    def step_aside(self) -> int:
        """The script speaks the protocol itself: from now on, the launcher only
        watches. Returns the descriptor for events."""
        self.active = False
        return self._descriptor

    def _greet(self) -> None:
        if not self._greeted:
            self._greeted = True
            self._times[0] = time.monotonic()
            self._events.tell("hello", protocol=1, launcher=self._version)
            if self._interactive:
                # The script is not to read the answers.
                self._answers = os.fdopen(os.dup(0), "r")
                os.dup2(os.open(os.devnull, os.O_RDONLY), 0)

    def _leave(self) -> None:
        self.active = False

    def exit(self, code: int) -> NoReturn:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        if "multiprocessing" in sys.modules:
            import multiprocessing

            for child in multiprocessing.active_children():
                child.kill()
        # Not sys.exit: a script may catch it, and the end of an interpreter with
        # torch and its threads takes seconds.
        os._exit(code)


def _loss_and_metrics(result: Any) -> Tuple[Any, Dict[str, Any]]:
    if isinstance(result, dict):
        metrics = dict(result)
        for name in ("loss", "valid_loss", "val_loss", "eval_loss"):
            if name in metrics:
                return metrics.pop(name), metrics
        raise TypeError(f"on_eval: no `loss` among {', '.join(map(repr, metrics))}")
    if not isinstance(result, (tuple, list)):
        return result, {}
    metrics = {}
    for place, value in enumerate(result[1:]):
        if isinstance(value, dict):
            metrics.update(value)
        else:
            metrics["metric" if place == 0 else f"metric_{place + 1}"] = value
    return result[0], metrics


def _no_optimizer() -> str:
    message = "the script ended, and no optimizer made an update. "
    if "torch" in sys.modules or "keras" in sys.modules:
        return message + (
            "If it trains in processes of its own (multiprocessing, torch's spawn), "
            "start it with torchrun; if it only trains on demand, add that argument"
        )
    return message + (
        "The launcher knows the optimizers of PyTorch (also through Trainer, "
        "Lightning and accelerate) and model.fit of Keras. For others, report with "
        "`lrscout.Task` (docs/external.md)"
    )


def on_eval(f: Evaluate) -> Evaluate:
    """Evaluates the model by `f` whenever lrscout wants to know its validation loss.

    `f` takes nothing. It returns the loss, or the loss and metrics: `(loss, {"name":
    value})`, or a dict with `loss`. Random generators and training modes are restored
    after it. Returns `f`, so that it can be a decorator. Without lrscout, `f` is never
    called."""
    if current is not None and current.active:
        current.on_eval(f)
    return f


def report(*, valid_loss: Any, **metrics: Any) -> None:
    """Reports a validation loss, and metrics, at the script's own time.

    The reports of an epoch's end suffice: what counts is the one after the last
    update. Without lrscout, nothing happens."""
    if current is not None:
        current.report(valid_loss, metrics, "report")
