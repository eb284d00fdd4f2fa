"""The launcher with a small fake of torch (fake/torch): what the standard library can
test."""

import os
import tempfile
import textwrap
import unittest
from pathlib import Path

from play import PACKAGE, TESTS, play

FAKE = os.pathsep.join([str(PACKAGE), str(TESTS / "fake")])
RATES = [0.1, 0.2, 0.3, 0.4]
BEGIN = """
import torch
w = torch.Tensor(1.0)
def loss_of(x=1.0):
    return torch.Tensor(w.value * x, {w: x})
def train(optimizer, steps=9):
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of().backward()
        optimizer.step()
"""


def launch(script, rates=RATES, begin=BEGIN, env=None, **more):
    """Runs a script that knows the names in BEGIN."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "train.py").write_text(begin + textwrap.dedent(script))
        env = {"PYTHONPATH": FAKE, **(env or {})}
        return play(["train.py"], rates, cwd=folder, env=env, **more)


class Rates(unittest.TestCase):
    def test_are_set_before_every_update_and_read_back(self):
        run = launch("train(torch.optim.SGD([w], lr=7.0))")
        self.assertEqual(run.rates, RATES)
        self.assertEqual([e["step"] for e in run.all("train")], [0, 1, 2, 3])
        # Each loss is that before the update.
        for loss, wanted in zip(run.losses, [1.0, 0.9, 0.7, 0.4]):
            self.assertAlmostEqual(loss, wanted)
        self.assertEqual(run.events[0]["event"], "hello")
        self.assertEqual(run.events[-1], {"event": "done"})
        self.assertEqual((run.code, run.error), (0, None))

    def test_a_short_start_ends_after_its_time_and_says_what_it_saw(self):
        script = """
            import time
            class Slow(torch.optim.SGD):
                def zero_grad(self):
                    time.sleep(0.02)
                    super().zero_grad()
            """
        short = {"record": True, "seconds": 0.2}
        train = "train(Slow([dict(params=[w], initial_lr=1.0)], lr=0.5), {})"
        run = launch(
            textwrap.dedent(script) + train.format(1000), rates=None, launch=short
        )
        self.assertEqual((run.code, run.error), (0, None), run.errors)
        self.assertTrue(5 <= len(run.losses) <= 12, len(run.losses))
        seen = run.script
        self.assertTrue(0.02 <= seen["pace"] < 0.1 and seen["trained"] >= 0.2, seen)
        self.assertEqual((seen["updates"], seen["scheduled"]), (None, True))
        self.assertIsNone(seen["evaluates"])
        # One that ends before is known.
        run = launch(textwrap.dedent(script) + train.format(3), None, launch=short)
        self.assertEqual((run.script["updates"], len(run.losses)), (3, 3))
        # A recorded start goes on to its end.
        whole = launch(textwrap.dedent(script) + train.format(20), rates=None)
        self.assertEqual((whole.all("script"), len(whole.losses)), ([], 20))

    def test_keep_the_ratios_of_the_groups(self):
        run = launch(
            """
            v, u = torch.Tensor(0.0), torch.Tensor(0.0)
            a = torch.optim.SGD([{"params": [w], "lr": 0.5}, {"params": [v], "lr": 5.0}])
            b = torch.optim.SGD([u], lr=1.0)
            a.param_groups[1]["initial_lr"] = 2.5     # a scheduler's: it warms up
            for t in range(9):
                loss_of().backward()
                a.step()
                b.step()
                print("rates", [g["lr"] for g in a.param_groups + b.param_groups])
            """
        )
        self.assertEqual(run.rates, RATES)
        self.assertIn("rates [0.1, 0.5, 0.2]", run.errors)
        self.assertIn("rates [0.3, 1.5, 0.6]", run.errors)

    def test_of_a_group_that_deviates_are_reported(self):
        run = launch(
            """
            v = torch.Tensor(0.0)
            groups = [{"params": [w], "lr": 1.0}, {"params": [v], "lr": 2.0}]
            optimizer = torch.optim.SGD(groups)
            def closure():
                loss_of().backward()
            class Own(list):
                pass
            for t in range(9):
                closure()
                step = optimizer.step
                original = torch.optim.optimizer._after[0]
                def meddle(o, a, k):
                    o.param_groups[1]["lr"] *= 3
                    original(o, a, k)
                torch.optim.optimizer._after[0] = meddle
                step()
                torch.optim.optimizer._after[0] = original
            """
        )
        for lr, table in zip(run.rates, RATES):
            self.assertAlmostEqual(lr, 3 * table)

    def test_of_a_tensor_are_filled_in(self):
        run = launch("train(torch.optim.SGD([w], lr=torch.Tensor(7.0)))")
        self.assertEqual(run.rates, RATES)

    def test_that_begin_at_zero_have_the_base_of_the_optimizer(self):
        run = launch(
            """
            optimizer = torch.optim.SGD([w], lr=7.0)
            for t in range(9):
                optimizer.param_groups[0]["lr"] = 7.0 * t / 10
                loss_of().backward()
                optimizer.step()
            """
        )
        self.assertEqual(run.rates, RATES)

    def test_may_not_be_missing(self):
        run = launch("train(torch.optim.SGD([w], lr=None))")
        self.assertEqual((run.error, run.code), ("no_rate", 1))
        run = launch("train(torch.optim.SGD([w], lr=0.0))")
        self.assertEqual(run.error, "no_rate")

    def test_momentum_is_cycled_where_there_is_one(self):
        momenta = [0.9, 0.8, 0.7, 0.6]
        for more in ("momentum=0.5", "betas=(0.9, 0.99)"):
            run = launch(f"train(torch.optim.SGD([w], lr=1.0, {more}))", momenta=momenta)
            self.assertEqual([e["momentum"] for e in run.all("train")], momenta)
        run = launch("train(torch.optim.SGD([w], lr=1.0))", momenta=momenta)
        self.assertEqual(run.error, "no_momentum")

    def test_momentum_that_the_script_cycles_is_recorded_and_replayed(self):
        script = """
            optimizer = torch.optim.SGD([w], lr=1.0, momentum=0.5)
            group = optimizer.param_groups[0]
            group["max_momentum"] = 0.95
            for t in range(4):
                group["momentum"] = 0.95 - t / 10
                train(optimizer, 1)
                print("had", group["momentum"])
            """
        momenta = [0.95 - t / 10 for t in range(4)]
        own = launch(script, rates=None)
        self.assertEqual([e["momentum"] for e in own.all("train")], momenta)
        other = [0.7, 0.6, 0.5, 0.4]
        run = launch(script, momenta=other)
        self.assertEqual([e["momentum"] for e in run.all("train")], other)
        self.assertIn("had 0.7\nhad 0.6\nhad 0.5", run.errors)

    def test_momentum_that_the_script_cycles_is_held(self):
        run = launch(
            """
            optimizer = torch.optim.SGD([w], lr=1.0, momentum=0.5)
            group = optimizer.param_groups[0]
            group["max_momentum"] = 0.95
            for t in range(4):
                group["momentum"] = 0.95 - t / 10
                loss_of().backward()
                optimizer.step()
                assert group["momentum"] == 0.5
            """
        )
        self.assertEqual((run.code, run.rates), (0, RATES))


class Losses(unittest.TestCase):
    def test_of_accumulated_batches_are_averaged(self):
        run = launch(
            """
            optimizer = torch.optim.SGD([w], lr=1.0)
            for t in range(9):
                for x in (1.0, 2.0, 6.0):
                    loss_of(x).backward()
                optimizer.step()
                optimizer.zero_grad()
            """
        )
        self.assertEqual(run.losses[0], 3.0)
        self.assertEqual(len(run.losses), 4)

    def test_of_a_scaler_are_divided_back_and_its_skipped_updates_not_counted(self):
        run = launch(
            """
            optimizer, scaler = torch.optim.SGD([w], lr=1.0), torch.amp.GradScaler()
            for t in range(9):
                optimizer.zero_grad()
                scaled = scaler.scale(loss_of(1.0 if t != 1 else 50.0))
                (scaled * float("inf") if t == 1 else scaled).backward()
                scaler.step(optimizer)
            """
        )
        self.assertEqual(run.losses[0], 1.0)
        self.assertAlmostEqual(run.losses[1], 0.9)
        self.assertEqual(run.rates, RATES)

    def test_of_autograd_grad_count_where_there_is_no_backward(self):
        run = launch(
            """
            optimizer = torch.optim.SGD([w], lr=1.0)
            for t in range(9):
                (w.grad,) = torch.autograd.grad(loss_of(), [w])
                if t == 2:
                    optimizer.zero_grad()
                    loss_of(5.0).backward()
                optimizer.step()
            """
        )
        self.assertAlmostEqual(run.losses[0], 1.0)
        self.assertAlmostEqual(run.losses[2], 5 * 0.7)

    def test_of_another_optimizer_are_its_own(self):
        run = launch(
            """
            v = torch.Tensor(50.0)
            a, b = torch.optim.SGD([w], lr=1.0), torch.optim.SGD([v], lr=1.0)
            for t in range(9):
                loss_of().backward()
                a.step()
                torch.Tensor(100.0, {v: 0.0}).backward()
                b.step()
            """
        )
        self.assertAlmostEqual(run.losses[1], 0.9)

    def test_that_are_not_finite_are_told(self):
        run = launch(
            """
            optimizer = torch.optim.SGD([w], lr=1.0)
            for x in (1.0, float("inf"), float("nan"), -float("inf")):
                optimizer.zero_grad()
                torch.Tensor(x, {w: 0.0}).backward()
                optimizer.step()
            """
        )
        self.assertEqual(str(run.losses), "[1.0, inf, nan, -inf]")

    def test_there_must_be_one(self):
        run = launch("w.grad = 1.0\ntorch.optim.SGD([w]).step()")
        self.assertEqual((run.error, run.code), ("no_loss", 1))


class Closures(unittest.TestCase):
    def test_called_once_are_like_any_update(self):
        run = launch(
            """
            optimizer = torch.optim.SGD([w], lr=1.0)
            def closure():
                optimizer.zero_grad()
                loss_of().backward()
                optimizer.param_groups[0]["lr"] = 9.0      # a scheduler's step
            for t in range(9):
                optimizer.step(closure) if t % 2 else optimizer.step(closure=closure)
            """
        )
        self.assertEqual(run.rates, RATES)
        self.assertAlmostEqual(run.losses[1], 0.9)

    def test_called_several_times_are_refused(self):
        run = launch("torch.optim.LBFGS([w]).step(lambda: None)")
        self.assertEqual((run.error, run.code), ("closure", 1))
        run = launch(
            """
            class Searching(torch.optim.SGD):
                @torch.optim.optimizer.hooked
                def step(self, closure):
                    closure(), closure()
            Searching([w], lr=1.0).step(lambda: loss_of().backward())
            """
        )
        self.assertEqual(run.error, "closure")


class Evaluations(unittest.TestCase):
    def test_by_on_eval_leave_no_trace(self):
        script = """
            import random, lrscout
            model = torch.nn.Module()
            def f():
                model.eval()
                random.random(), torch.rand()
                return 10 * w.value, {"accuracy": 0.5}
            LINE
            optimizer = torch.optim.SGD([w], lr=1.0)
            for t in range(9):
                model.train(t != 2)
                optimizer.zero_grad()
                loss_of(1 + random.random() + torch.rand()).backward()
                optimizer.step()
                assert model.training == (t != 2)
            """
        steps = {"eval_steps": [0, 2, 4]}
        run = launch(script.replace("LINE", "lrscout.on_eval(f)"), **steps)
        self.assertEqual([step for step, _ in run.evals], [0, 2, 4])
        self.assertEqual(run.evals[0][1], 10.0)
        self.assertEqual(run.all("eval")[0]["metrics"], {"accuracy": 0.5})
        self.assertEqual(run.all("eval")[0]["source"], "on_eval")
        self.assertEqual(run.events[-1]["event"], "done")
        self.assertEqual(launch(script.replace("LINE", ""), **steps).losses, run.losses)

    def test_of_the_script_are_taken_when_they_come(self):
        script = """
            import lrscout
            optimizer = torch.optim.SGD([w], lr=1.0)
            for epoch in range(9):
                train(optimizer, 2)
                lrscout.report(valid_loss=torch.Tensor(epoch), accuracy=1)
            """
        run = launch(script, eval_steps=[4])
        self.assertEqual(run.evals, [(2, 0.0), (4, 1.0)])
        self.assertEqual(run.events[-1]["event"], "done")
        # In the middle of an epoch, the next update ends it.
        run = launch(script, RATES[:3], eval_steps=[3])
        self.assertEqual(run.evals, [(2, 0.0)])
        self.assertEqual((len(run.losses), run.all("done")), (3, [{"event": "done"}]))
        # Where none is wanted, none is waited for.
        run = launch(script, eval_steps=[])
        self.assertEqual(run.evals, [(2, 0.0)])

    def test_react_in_interactive_mode(self):
        run = launch(
            """
            import lrscout, sys
            optimizer = torch.optim.SGD([w], lr=1.0)
            for epoch in range(9):
                train(optimizer, 2)
                assert sys.stdin.read() == ""
                lrscout.report(valid_loss=w)
            """,
            answers='{"lr": 0.03, "factor": 0.1}\n{"lr": 1, "factor": 1}\n',
            mode="interactive",
            eval_steps=[2, 4],
        )
        self.assertEqual(run.rates[:2], RATES[:2])
        self.assertEqual(run.rates[2:], [0.3 * 0.1, 0.4 * 0.1])
        self.assertEqual(len(run.evals), 2)

    def test_are_nothing_without_lrscout(self):
        with tempfile.TemporaryDirectory() as folder:
            script = Path(folder) / "train.py"
            script.write_text(
                "import lrscout\n"
                "lrscout.on_eval(lambda: 1 / 0)\nlrscout.report(valid_loss=1)\n"
            )
            env = {"LRSCOUT_SPEC": ""}
            run = play([str(script)], RATES, launcher=False, env=env)
        self.assertEqual((run.code, run.events, run.errors), (0, [], ""))


class Ends(unittest.TestCase):
    def test_come_with_the_last_update_wherever_it_is(self):
        run = launch(
            """
            import atexit, threading, time
            atexit.register(lambda: print("at exit"))
            threading.Thread(target=time.sleep, args=(60,)).start()
            try:
                train(torch.optim.SGD([w], lr=1.0))
            except BaseException:
                print("caught")
            """,
            timeout=20,
        )
        self.assertEqual((run.code, len(run.losses)), (0, 4))
        self.assertNotIn("caught", run.errors)

    def test_without_an_update_are_errors(self):
        run = launch("print('help')")
        self.assertEqual((run.error, run.code), ("no_optimizer", 1))
        run = launch("print('help')", begin="")
        self.assertIn("Keras", run.all("error")[0]["message"])

    def test_before_the_last_update_are_errors(self):
        run = launch("train(torch.optim.SGD([w]), 2)")
        self.assertEqual((run.error, run.code, len(run.losses)), ("early_end", 1, 2))
        self.assertIn("2 of 4", run.all("error")[0]["message"])

    def test_by_an_exception_are_told_as_python_does(self):
        run = launch("train(torch.optim.SGD([w]), 2)\nraise KeyError('column')")
        self.assertEqual((run.code, run.error, len(run.losses)), (1, "exit_code", 2))
        self.assertIn("KeyError: 'column'", run.errors)
        said = run.all("error")[0]["message"]
        self.assertRegex(said, r"^ended with KeyError: 'column' \(\S+, line \d+\)$")
        self.assertNotIn("launch.py", run.errors)
        run = launch("raise SystemExit(7)")
        self.assertEqual(run.code, 7)
        run = launch("raise SystemExit('give me data')")
        self.assertEqual((run.code, run.error), (1, "exit_code"))
        self.assertIn("give me data", run.errors)

    def test_for_lack_of_a_module_name_the_python(self):
        run = launch("import no_such_module")
        self.assertEqual((run.error, run.code), ("no_module", 1))
        self.assertIn("no_such_module", run.all("error")[0]["message"])

    def test_with_an_old_torch_say_so(self):
        run = launch("train(torch.optim.SGD([w]))", env={"FAKE_TORCH_IS_OLD": "1"})
        self.assertEqual(run.error, "old_torch")
        self.assertIn("2.1", run.all("error")[0]["message"])


class Records(unittest.TestCase):
    def test_are_undisturbed(self):
        run = launch(
            """
            import random, lrscout
            random.seed(5)
            optimizer = torch.optim.SGD([w], lr=1.0)
            for t in range(3):
                optimizer.param_groups[0]["lr"] = 1.0 / (t + 1)
                loss_of(random.random()).backward()
                optimizer.step()
                lrscout.report(valid_loss=t)
            print("ended by itself")
            """,
            None,
        )
        self.assertEqual(run.rates, [1.0, 0.5, 1 / 3])
        self.assertAlmostEqual(run.losses[0], 0.6229016948897019)
        self.assertEqual(run.evals, [(1, 0.0), (2, 1.0), (3, 2.0)])
        self.assertEqual(run.events[-1], {"event": "done", "steps": 3})
        self.assertIn("ended by itself", run.errors)

    def test_note_a_scheduler_that_steps_once_an_epoch(self):
        def notes(every):
            run = launch(
                f"""
                optimizer = torch.optim.SGD([w], lr=1.0)
                for t in range(20):
                    loss_of().backward()
                    optimizer.step()
                    if t % {every} == {every - 1}:
                        optimizer.param_groups[0]["lr"] *= 0.5
                """,
                None,
            )
            return run.events[-1].get("notes", [])

        self.assertIn("2 rates in 20 updates", notes(10)[0])
        self.assertEqual((notes(1), notes(30)), ([], []))

    def test_end_at_the_limit(self):
        run = launch("train(torch.optim.SGD([w], lr=1.0))", None, steps=5)
        self.assertEqual(run.events[-1], {"event": "done", "steps": 5})


class Seeds(unittest.TestCase):
    SCRIPT = """
        import random
        random.seed(42)
        torch.manual_seed(42)
        x = random.random() + torch.rand()
        torch.manual_seed(43)
        print("draws", x, torch.rand())
        train(torch.optim.SGD([w], lr=1.0))
        """

    def test_are_those_of_the_task(self):
        def drawn(seed):
            run = launch(self.SCRIPT, seed=seed)
            lines = run.errors.splitlines()
            return [x for x in lines if x.startswith("draws")]

        self.assertEqual(drawn(5), drawn(5))
        self.assertNotEqual(drawn(5), drawn(6))
        import random

        first, second = random.Random(5), random.Random(6)
        x = 2 * first.random()
        # The second seed of the script keeps its distance to the first one.
        self.assertEqual(drawn(5), [f"draws {x} {second.random()}"])

    def test_of_workers_are_their_own(self):
        run = launch(
            """
            import os, random
            if os.fork() == 0:
                random.seed(9)
                assert random.random() == random.Random(9).random()
                train(torch.optim.SGD([w], lr=1.0))    # nobody hears of it
                print(f"worker {w.value}")
                os._exit(0)
            os.wait()
            train(torch.optim.SGD([w], lr=1.0))
            """
        )
        self.assertEqual((run.code, len(run.losses)), (0, 4))
        self.assertIn("worker -8.0", run.errors)


class Outputs(unittest.TestCase):
    def test_of_the_script_do_not_disturb(self):
        run = launch(
            """
            import os, subprocess, sys
            print('{"event": "done"}')
            os.write(1, b"raw")
            subprocess.run([sys.executable, "-c", "print('child')"])
            train(torch.optim.SGD([w], lr=1.0))
            """
        )
        self.assertEqual(run.strays, [])
        self.assertEqual(len(run.all("done")), 1)
        for word in ("raw", "child"):
            self.assertIn(word, run.errors)

    def test_are_those_of_the_first_process(self):
        script = "train(torch.optim.SGD([w], lr=1.0))"
        self.assertEqual(launch(script, env={"RANK": "1"}).events, [])
        self.assertEqual(len(launch(script, env={"RANK": "0"}).losses), 4)

    def test_are_seen_within_a_second(self):
        run = launch(
            """
            import time
            def slow():
                time.sleep(1.0)
            train(torch.optim.SGD([w], lr=1.0), 2)
            slow()
            import os
            os._exit(3)
            """
        )
        self.assertEqual((run.code, len(run.losses)), (3, 2))

    def test_of_a_script_with_a_task_of_its_own_are_its_own(self):
        run = launch(
            """
            from lrscout import Task
            task = Task()
            optimizer = torch.optim.SGD([w], lr=1.0)
            for t in range(task.steps):
                optimizer.param_groups[0]["lr"] = task.lr(t)
                optimizer.step()
                task.train(t, 1.0, task.lr(t))
            task.done()
            """
        )
        self.assertEqual((run.code, run.rates), (0, RATES))
        self.assertEqual(len(run.all("hello")), 1)


class Scripts(unittest.TestCase):
    def test_run_as_under_python(self):
        with tempfile.TemporaryDirectory() as folder:
            code = Path(folder) / "code"
            code.mkdir()
            (code / "sibling.py").write_text("here = __file__\n")
            (code / "train.py").write_text(
                BEGIN + "import sys, sibling\n"
                "assert __name__ == '__main__' and sys.modules['__main__'].w is w\n"
                "print('argv', sys.argv, __file__, sys.path[0])\n"
                "train(torch.optim.SGD([w], lr=1.0))\n"
            )
            env = {"PYTHONPATH": FAKE}
            run = play(["code/train.py", "--x", "1"], RATES, cwd=folder, env=env)
            self.assertEqual((run.code, run.rates), (0, RATES), run.errors)
            self.assertIn("argv ['code/train.py', '--x', '1']", run.errors)
            (code / "__init__.py").write_text("")
            (code / "__main__.py").write_text(
                BEGIN + "from . import sibling\ntrain(torch.optim.SGD([w], lr=1.0))\n"
            )
            run = play(["-m", "code"], RATES, cwd=folder, env=env)
        self.assertEqual((run.code, run.rates), (0, RATES), run.errors)

    def test_the_launcher_alone_says_how_it_is_used(self):
        run = play([], RATES, env={"LRSCOUT_SPEC": ""})
        self.assertEqual(run.code, 1)
        self.assertIn("lrscout auto -- python train.py", run.errors)

    def test_the_version_is_that_of_the_program(self):
        import re

        import lrscout

        cargo = (PACKAGE.parent / "Cargo.toml").read_text()
        version = re.search(r'^version = "(.+)"', cargo, re.M)
        self.assertIn(f'"{lrscout.__version__}"', version[0])


if __name__ == "__main__":
    unittest.main()
