"""`lrscout auto` with the commands by which people start a training: outside CI,
`make test-python` runs it.

starts.py LRSCOUT: every start works or says what to do, no more trainings are started
than allowed, and no process outlives its run, however that ends.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

SCRIPTS = Path(__file__).parent / "scripts"
LRSCOUT = os.path.abspath(sys.argv.pop(1))
TORCHRUN = ["torchrun", "--nproc-per-node", "2"]


class Starts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.here = Path(folder.name)
        self.tasks = self.here / "tasks"
        self.tasks.mkdir()
        for script in ("odd.py", "accelerated.py"):
            shutil.copy(SCRIPTS / script, self.here)

    def start(self, command, most=4):
        path = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
        more = {"TMPDIR": str(self.tasks), "LRSCOUT_KEEP_TASKS": "1", "PATH": path}
        return subprocess.Popen(
            [LRSCOUT, "auto", "--max-trainings", str(most), "--", *command],
            cwd=self.here,
            env={**os.environ, **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def auto(self, command, most=4):
        """What `auto` says about the training that `command` starts."""
        running = self.start(command, most)
        output, errors = running.communicate(timeout=900)
        self.assertEqual(self.left(), [])
        return running.returncode, output, errors

    def trainings(self):
        """How many were started."""
        return len(list(self.tasks.glob("lrscout-*/spec.json")))

    def left(self):
        """The processes that work on a task."""
        mark, found = f"LRSCOUT_SPEC={self.tasks}/".encode(), []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (process / "environ").read_bytes():
                    found.append(process.name)
            except OSError:  # of another user, or gone
                pass
        return found

    def answers(self, command, most=4):
        code, output, errors = self.auto(command, most)
        self.assertEqual(code, 0, errors[-3000:])
        first = output.partition("\n")[0]
        self.assertIn("yours", first)
        self.assertIn("probability", first)
        made = self.trainings()
        self.assertTrue(most - 1 <= made <= most, f"{made} trainings of {most}")
        again = self.auto(command, most)
        self.assertEqual((again[1], self.trainings()), (output, made))
        return errors

    def test_torchrun_starts_two_processes(self):
        errors = self.answers([*TORCHRUN, "odd.py", "ddp-report"], most=12)
        self.assertIn("the score is its validation (report)", errors)

    def test_so_does_its_module(self):
        python = ["python", "-m", "torch.distributed.run", *TORCHRUN[1:]]
        self.answers([*python, "odd.py", "ddp-report"])

    def test_accelerate_launch(self):
        errors = self.answers(["accelerate", "launch", "accelerated.py"])
        self.assertIn("the score is its validation (on_eval)", errors)

    def test_modules(self):
        package = self.here / "package"
        package.mkdir()
        (package / "sizes.py").write_text("WHAT = 'betas'\n")
        script = (SCRIPTS / "odd.py").read_text()
        script = script.replace("import argparse\n", "import argparse\n\nfrom . import sizes\n")
        script = script.replace("what = args.what", "what = sizes.WHAT")
        (package / "__main__.py").write_text(script)
        (package / "train.py").write_text(script)
        for starter in (["python"], ["accelerate", "launch"], TORCHRUN):
            for module in ("package", "package.train"):
                if (starter, module) == (["python"], "package"):
                    self.answers([*starter, "-m", module, "x"], most=12)
                elif module == "package.train":
                    for task in self.tasks.glob("lrscout-*"):
                        shutil.rmtree(task)
                    self.answers([*starter, "-m", module, "x"])

    def test_faults_say_how_to_mend_them(self):
        for command, expected, wanted in (
            ([*TORCHRUN, "odd.py", "none"], 1, "no optimizer made an update"),
            ([*TORCHRUN, "odd.py", "crash"], 1, "KeyError: 'no such column' (odd.py, line"),
            ([*TORCHRUN, "gone.py"], 65, "name the script, as in `python train.py"),
            (["accelerate", "launch", "odd.py", "module"], 1, "has no module `no_such_package`"),
            (["python", "-m", "no_such_package"], 1, "no_such_package"),
            (["no-such-program", "odd.py", "betas"], 65, "there is no program `no-such-program`"),
        ):
            with self.subTest(command):
                code, _, errors = self.auto(command)
                self.assertEqual(code, expected, errors)
                self.assertIn(wanted, errors)

    def test_no_process_outlives_the_run(self):
        # Workers of torchrun, which lead their own process groups, and are deaf.
        for number, code, patience in (
            (signal.SIGINT, 130, 0),
            (signal.SIGTERM, 130, 0),
            # Then nobody is there to end them: they notice it at their next report.
            (signal.SIGKILL, -9, 60),
        ):
            with self.subTest(number):
                running = self.start([*TORCHRUN, "odd.py", "ddp-deaf"])
                began = time.monotonic()
                while len(self.left()) < 3 and time.monotonic() - began < 300:
                    time.sleep(0.2)
                time.sleep(5)  # until they are at work
                self.assertGreaterEqual(len(self.left()), 3)
                running.send_signal(number)
                running.communicate(timeout=60)
                self.assertEqual(running.returncode, code)
                ended = time.monotonic()
                while self.left() and time.monotonic() - ended < patience:
                    time.sleep(0.2)
                self.assertEqual(self.left(), [])


if __name__ == "__main__":
    unittest.main()
