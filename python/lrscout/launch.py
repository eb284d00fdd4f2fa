"""Runs a training script under lrscout, unchanged.

lrscout starts it; you need not:

    lrscout auto -- python train.py --epochs 3
    lrscout run grid.toml          with [[workload]] script = "train.py"

To debug a script under the launcher, keep the tasks with LRSCOUT_KEEP_TASKS=1, then

    LRSCOUT_SPEC=/tmp/lrscout-.../spec.json python -m lrscout.launch train.py --epochs 3
    LRSCOUT_SPEC=/tmp/lrscout-.../spec.json python -m lrscout.launch -m package ...
"""

import io
import os
import runpy
import sys
import traceback
from types import ModuleType, TracebackType
from typing import Any, List, NoReturn, Optional

import lrscout
from lrscout import client, for_keras, for_lightning, for_torch, for_transformers
from lrscout import guard, session as sessions
from lrscout.imports import when_imported
from lrscout.randomness import Seeds
from lrscout.session import Session


def main(arguments: List[str]) -> None:
    """Runs the script that `arguments` name."""
    spec = os.environ.get("LRSCOUT_SPEC")
    module = arguments[:1] == ["-m"]
    words = arguments[1:] if module else arguments
    if not spec or not words:
        sys.exit(__doc__)
    session = Session(spec, lrscout.__version__)
    prepare(session)
    try:
        run_module(words) if module else run_file(words)
    except SystemExit as exit:
        if exit.code not in (None, 0):
            failed(session, exit)
    except BaseException as error:
        failed(session, error)
    if session.active:
        session.script_ended()


def prepare(session: Session) -> None:
    """Watches what the script will import."""
    sessions.current = session
    client.Task._claim = staticmethod(session.step_aside)
    if session.run_dir:
        guard.install(session.run_dir)
    seeds = None if session.record else Seeds(session.seed)
    if seeds:
        os.register_at_fork(after_in_child=seeds.leave)
    when_imported("torch", lambda torch: for_torch.install(session, seeds, torch))
    for_transformers.watch(session)
    for_lightning.watch(session)
    for_keras.watch(session)
    # A script that imports lrscout will report to it.
    del sys.modules["lrscout"]

    def expect_reports(_: ModuleType) -> None:
        session.expect("report")

    when_imported("lrscout", expect_reports)


def run_file(words: List[str]) -> None:
    """Runs a file as Python does: as the module `__main__`, which processes that it
    starts can find, with its folder first on the path."""
    path = words[0]
    sys.argv = words
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = os.path.dirname(os.path.abspath(path))
    with io.open_code(os.path.abspath(path)) as file:
        code = compile(file.read(), path, "exec")
    main = ModuleType("__main__")
    main.__dict__.update(__file__=os.path.abspath(path), __builtins__=__builtins__)
    sys.modules["__main__"] = main
    exec(code, main.__dict__)


def run_module(words: List[str]) -> None:
    """Runs a module, as `python -m` does."""
    sys.argv = words
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)


def failed(session: Session, error: BaseException) -> NoReturn:
    """Ends the process as Python does after an error."""
    if not session.active:
        raise error
    if session.done >= session.steps:  # it had nothing more to do
        session.finish()
    session.flush()
    if isinstance(error, ModuleNotFoundError):
        session.fault(
            "no_module",
            f"{sys.executable} has no module `{error.name}`; start lrscout with the "
            "Python of the script's environment",
        )
    if isinstance(error, SystemExit):
        code: Any = error.code
        if not isinstance(code, int):
            print(code, file=sys.stderr)
            session.crash("exit_code", f"ended with exit code 1: {code}")
            code = 1
        session.exit(code)
    frames: Optional[Any] = error.__traceback__
    while frames and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    traceback.print_exception(type(error), error, frames)
    name, place = type(error).__name__, where(frames)
    session.crash("exit_code", f"ended with {name}: {error}{place}")
    session.exit(1)


def where(frames: Optional[TracebackType]) -> str:
    """Where the script was: its last line that is in no installed package."""
    lines = [line for line in traceback.extract_tb(frames) if "/lib/" not in line.filename]
    if not lines:
        return ""
    return f" ({os.path.basename(lines[-1].filename)}, line {lines[-1].lineno})"


if __name__ == "__main__":
    main(sys.argv[1:])
