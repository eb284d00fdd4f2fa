"""Plays lrscout: writes a task, starts a script under the launcher, reads events."""

import json
import os
import subprocess
import sys
import tempfile
from array import array
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent
sys.path.insert(0, str(PACKAGE))


def npy(path: Path, values: Sequence[float]) -> str:
    """Writes a one-dimensional .npy file."""
    header = "{'descr': '<f8', 'fortran_order': False, 'shape': (%d,), }" % len(values)
    header += " " * (63 - (len(header) + 10) % 64) + "\n"
    numbers = array("d", values)
    if sys.byteorder == "big":
        numbers.byteswap()
    size = len(header).to_bytes(2, "little")
    path.write_bytes(b"\x93NUMPY\x01\x00" + size + header.encode() + numbers.tobytes())
    return str(path)


class Played:
    """What a script did."""

    def __init__(self, code: int, output: str, errors: str) -> None:
        self.code = code
        self.errors = errors
        self.strays = [x for x in output.splitlines() if not x.startswith("{")]
        self.events: List[Dict[str, Any]] = [
            json.loads(x) for x in output.splitlines() if x.startswith("{")
        ]

    def all(self, event: str) -> List[Dict[str, Any]]:
        return [e for e in self.events if e["event"] == event]

    @property
    def losses(self) -> List[float]:
        return [e["loss"] for e in self.all("train")]

    @property
    def rates(self) -> List[float]:
        return [e["lr"] for e in self.all("train")]

    @property
    def evals(self) -> List[Any]:
        return [(e["step"], e["loss"]) for e in self.all("eval")]

    @property
    def script(self) -> Dict[str, Any]:
        """What was seen of the script."""
        return self.all("script")[-1]

    @property
    def error(self) -> Optional[str]:
        errors = self.all("error")
        return errors[0]["status"] if errors else None


def play(
    command: Sequence[str],
    rates: Optional[Sequence[float]] = None,
    momenta: Optional[Sequence[float]] = None,
    launcher: bool = True,
    python: Sequence[str] = (sys.executable,),
    cwd: Optional[str] = None,
    env: Optional[Dict[str, str]] = None,
    answers: str = "",
    timeout: float = 300,
    **task: Any,
) -> Played:
    """Runs `command` (a script and its arguments). Without `rates`, its own training
    is recorded."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        record = rates is None
        spec = {
            "protocol": 1,
            "task": "test",
            "seed": 1,
            "steps": len(rates) if rates is not None else 100000,
            "lr_table": None if rates is None else npy(here / "lr.npy", rates),
            "momentum_table": momenta and npy(here / "momentum.npy", momenta),
            "eval_steps": [],
            "mode": "table",
            "grad_norm": None,
            **task,
        }
        spec.setdefault("launch", {"record": record, "run_dir": task.get("run_dir")})
        (here / "spec.json").write_text(json.dumps(spec))
        words = [*python, *(("-m", "lrscout.launch") if launcher else ()), *command]
        done = subprocess.run(
            words,
            cwd=cwd or folder,
            env={
                **os.environ,
                "PYTHONPATH": str(PACKAGE),
                "PYTHONUNBUFFERED": "1",
                "OMP_NUM_THREADS": "1",
                "LRSCOUT_SPEC": str(here / "spec.json"),
                **(env or {}),
            },
            input=answers,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        return Played(done.returncode, done.stdout, done.stderr)
