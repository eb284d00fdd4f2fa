"""The launcher with the real frameworks: `make test-python` installs them and runs
this. A framework that is not there is skipped."""

import importlib.util
import os
import re
import shutil
import sys
import unittest

from play import TESTS, play

SCRIPTS = TESTS / "scripts"
RATES = [0.01 * (1 - t / 50) for t in range(50)]
TORCHRUN = os.path.join(os.path.dirname(sys.executable), "torchrun")
EVALS = [15, 20, 50]


def launch(script, *arguments, rates=RATES, **more):
    return play([str(SCRIPTS / script), *arguments], rates, **more)


def needs(*modules):
    missing = [m for m in modules if importlib.util.find_spec(m) is None]
    return unittest.skipIf(missing, f"without {', '.join(missing)}")


class Test(unittest.TestCase):
    def check(self, run, updates, rates=RATES):
        self.assertEqual((run.code, run.error), (0, None), run.errors[-2000:])
        self.assertEqual((len(run.losses), run.strays), (updates, []))
        self.assertEqual(run.events[-1]["event"], "done")
        if rates is not None:
            for lr, table in zip(run.rates, rates):
                self.assertAlmostEqual(lr, table, delta=1e-7 * table)


LOOK = {"record": True, "seconds": 60.0}


@needs("torch", "numpy", "tqdm")
class Plain(Test):
    def test_a_short_start_knows_the_epoch(self):
        run = launch("plain.py", "--how", "report", rates=None, launch=LOOK, steps=30)
        self.check(run, 30, rates=None)
        self.assertEqual((run.script["updates"], run.script["epoch"]), (None, 20))
        self.assertEqual(run.script["evaluates"], "report")
        self.assertTrue(run.script["scheduled"])
        whole = launch("plain.py", rates=None, launch=LOOK)
        self.assertEqual(whole.script["updates"], 40)
        self.assertIsNone(whole.script["evaluates"])

    def test_equals_the_protocol_by_hand_to_the_bit(self):
        by_hand = launch("plain_by_hand.py", launcher=False, eval_steps=EVALS)
        self.check(by_hand, 50)
        run = launch("plain.py", "--epochs", "3", "--how", "on_eval", eval_steps=EVALS)
        self.check(run, 50)
        self.assertEqual(run.rates, RATES)
        self.assertEqual(run.losses, by_hand.losses)
        self.assertEqual(run.evals, by_hand.evals)
        silent = launch("plain.py", "--epochs", "3", eval_steps=EVALS)
        self.check(silent, 50)
        self.assertEqual((silent.losses, silent.evals), (by_hand.losses, []))
        # A report of its own at the end of an epoch, which is that of the last update.
        own = launch("plain.py", "--how", "report", rates=RATES[:40], eval_steps=[40])
        self.check(own, 40)
        self.assertEqual(own.losses, by_hand.losses[:40])
        self.assertEqual([step for step, _ in own.evals], [20, 40])

    def test_with_workers_ends_in_an_epoch(self):
        run = launch("plain.py", "--workers", "2", rates=RATES[:30], timeout=120)
        self.check(run, 30)

    def test_records_what_the_script_does(self):
        run = launch("plain.py", "--how", "report", rates=None)
        self.check(run, 40, rates=None)
        self.assertEqual(run.events[-1]["steps"], 40)
        # Cosine annealing, stepped once an epoch.
        self.assertEqual(run.rates[:20], [0.01] * 20)
        self.assertAlmostEqual(run.rates[20], 0.005)
        self.assertEqual([step for step, _ in run.evals], [20, 40])


@needs("torch")
class Odd(Test):
    def odd(self, what, **more):
        more.setdefault("rates", RATES[:30])
        return launch("odd.py", what, **more)

    def test_trainings_give_their_updates(self):
        for what in (
            "momentum betas tensor grad closure accumulate two gan stages scaler "
            "compile compiled-step checkpointed lightning-rates manual"
        ).split():
            with self.subTest(what):
                run = self.odd(what)
                if "torch 2.3 or later" not in run.errors:
                    self.check(run, 30)

    def test_losses_are_those_of_the_update(self):
        one = self.odd("momentum").losses
        self.assertAlmostEqual(self.odd("accumulate").losses[0], one[0], places=6)
        self.assertEqual(self.odd("grad").losses[:2], one[:2])
        self.assertEqual(self.odd("checkpointed").losses[:2], one[:2])
        self.assertLess(max(self.odd("gan").losses), 100)
        for loss in self.odd("scaler").losses[:1]:  # none on a CPU before torch 2.3
            self.assertAlmostEqual(loss, one[0], delta=0.01)
        self.assertEqual(self.odd("compile").losses, self.odd("betas").losses)

    def test_momentum_and_norms_are_those_of_torch(self):
        momenta = [0.95 - t / 100 for t in range(30)]
        for what in ("momentum", "betas"):
            run = self.odd(what, momenta=momenta, grad_norm="l2")
            self.check(run, 30)
            self.assertEqual([e["momentum"] for e in run.all("train")], momenta)
        import torch

        torch.manual_seed(1)
        from torch import nn

        model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
        x, y = torch.randn(64, 4), torch.randn(64, 1)
        ((model(x) - y) ** 2).mean().backward()
        slopes = torch.cat([w.grad.flatten() for w in model.parameters()])
        for name, order in (("l1", 1), ("l2", 2)):
            norm = self.odd("momentum", grad_norm=name).all("train")[0]["grad_norm"]
            self.assertAlmostEqual(norm, float(slopes.norm(order)), places=5)

    def test_a_recorded_momentum_is_replayed_to_the_bit(self):
        for what in ("one-cycle", "cyclic"):
            with self.subTest(what):
                own = self.odd(what, rates=None, steps=30)
                self.check(own, 30, rates=None)
                momenta = [e["momentum"] for e in own.all("train")]
                self.assertGreater(max(momenta) - min(momenta), 0.05)
                # With the seed of the script, it is the same training again.
                again = self.odd(what, rates=own.rates, momenta=momenta, seed=3)
                self.check(again, 30, rates=own.rates)
                self.assertEqual([e["momentum"] for e in again.all("train")], momenta)
                self.assertEqual(again.losses, own.losses)
                # Without it, the momentum is held.
                held = self.odd(what, rates=own.rates, seed=3)
                self.assertNotEqual(held.losses, own.losses)

    def test_faults_are_told(self):
        for what, status in (
            ("none", "no_optimizer"),
            ("short", "early_end"),
            ("no-loss", "no_loss"),
            ("lbfgs", "closure"),
            ("module", "no_module"),
        ):
            with self.subTest(what):
                run = self.odd(what)
                self.assertEqual((run.error, run.code), (status, 1))

    def test_a_rate_that_the_script_sets_in_a_hook_is_seen(self):
        self.assertEqual(set(self.odd("sabotage").rates), {0.3})

    def test_processes_under_torchrun_train_alike(self):
        python = (TORCHRUN, "--nproc-per-node", "2")
        self.check(self.odd("ddp", python=python), 30)
        run = self.odd("ddp-report", python=python, rates=RATES[:20], eval_steps=[20])
        self.check(run, 20)
        self.assertEqual([step for step, _ in run.evals], [10, 20])


@needs("torch", "transformers", "accelerate")
class Trainer(Test):
    def test_evaluates_when_it_is_asked_to(self):
        run = launch("trainer.py", "--epochs", "3", eval_steps=[0, *EVALS])
        self.check(run, 50)
        # The script's own, after every 20 updates, are taken too.
        self.assertEqual([step for step, _ in run.evals], [0, 15, 20, 40, 50])
        self.assertEqual(list(run.all("eval")[0]["metrics"]), ["accuracy"])
        self.assertEqual(run.all("eval")[0]["source"], "trainer")
        # An evaluation changes nothing: without any of ours, the same losses.
        self.assertEqual(launch("trainer.py", "--epochs", "3").losses, run.losses)
        # Nor does early stopping, nor does a trainer without a validation part.
        more = {"eval_steps": [50]}
        patient = launch("trainer.py", "--epochs", "3", "--patience", "1", **more)
        self.check(patient, 50)
        none = launch("trainer.py", "--epochs", "3", "--no-eval", **more)
        self.check(none, 50)
        # (At the end of its first epoch, the script's own evaluation draws numbers.)
        self.assertEqual((none.losses[:20], none.evals), (run.losses[:20], []))

    def test_accumulates(self):
        run = launch("trainer.py", "--accumulate", "4", rates=RATES[:10])
        self.check(run, 10)
        # The Trainer logs the sum too. (It is 4 log 2 with transformers 5.24: BERT takes
        # the number of items and does not divide by it.)
        logged = re.findall(r"'loss': '?([0-9.]+)", run.errors)
        self.assertAlmostEqual(run.losses[0], float(logged[0]), places=2)

    def test_records_what_the_script_does(self):
        run = launch("trainer.py", rates=None)
        self.check(run, 40, rates=None)
        self.assertEqual(run.rates[0], 0.0)  # warm-up
        self.assertAlmostEqual(run.rates[3], 1e-3)
        self.assertEqual([step for step, _ in run.evals], [20, 40])

    def test_a_short_start_knows_its_length(self):
        run = launch("trainer.py", rates=None, launch=LOOK, steps=5)
        self.check(run, 5, rates=None)
        self.assertEqual((run.script["updates"], run.script["epoch"]), (40, 20))
        self.assertEqual(run.script["evaluates"], "trainer")

    def test_a_loop_with_accelerate_is_one_of_torch(self):
        run = launch("accelerated.py", rates=RATES[:20], eval_steps=[10, 20])
        self.check(run, 20)
        self.assertEqual([step for step, _ in run.evals], [10, 20])
        # accelerate divides each of two batches by two: the sum is about their mean,
        # which is near the four terms of the target.
        self.assertAlmostEqual(run.losses[0], 5.0, delta=1.5)

    def test_adafactor_without_a_rate_is_refused(self):
        run = launch("odd.py", "adafactor")
        self.assertEqual(run.error, "no_rate")


@needs("torch", "lightning")
class Lightning(Test):
    def test_validates_when_it_is_asked_to(self):
        run = launch("lit.py", "--epochs", "3", eval_steps=EVALS)
        self.check(run, 50)
        self.assertEqual([step for step, _ in run.evals], [15, 20, 40, 50])
        self.assertEqual(list(run.all("eval")[0]["metrics"]), ["acc"])
        self.assertEqual(launch("lit.py", "--epochs", "3").losses, run.losses)

    def test_accumulates(self):
        run = launch("lit.py", "--accumulate", "4", rates=RATES[:10])
        self.check(run, 10)
        self.assertAlmostEqual(run.losses[0], 1.61, delta=0.3)  # log 5

    def test_a_short_start_knows_its_length(self):
        run = launch("lit.py", rates=None, launch=LOOK, steps=5)
        self.check(run, 5, rates=None)
        self.assertEqual((run.script["updates"], run.script["epoch"]), (40, 20))
        self.assertEqual(run.script["evaluates"], "lightning")

    def test_starts_its_processes_under_the_launcher(self):
        run = launch(
            "lit.py", "--epochs", "3", "--devices", "2", rates=RATES[:30], eval_steps=[30]
        )
        self.check(run, 30)
        self.assertEqual(run.evals[-1][0], 30)

    def test_records_what_the_script_does(self):
        run = launch("lit.py", "--epochs", "3", rates=None)
        self.check(run, 40, rates=None)  # early stopping is its own
        self.assertEqual([step for step, _ in run.evals], [20, 40])
        self.assertIn("momentum", run.all("train")[0])  # OneCycleLR


@needs("keras")
class Keras(Test):
    def backends(self):
        for backend in ("torch", "jax", "tensorflow"):
            if importlib.util.find_spec(backend):
                with self.subTest(backend):
                    yield {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}

    def test_fit_evaluates_when_it_is_asked_to(self):
        for env in self.backends():
            run = launch("keras_fit.py", "--epochs", "3", eval_steps=EVALS, env=env)
            self.check(run, 50)
            self.assertEqual([step for step, _ in run.evals], [15, 20, 40, 50])
            self.assertEqual(list(run.all("eval")[0]["metrics"]), ["accuracy"])
            more = {"eval_steps": [20, 50], "env": env}
            split = launch("keras_fit.py", "--epochs", "3", "--split", **more)
            self.check(split, 50)
            # An evaluation changes nothing but itself.
            self.assertEqual(split.losses, run.losses)
            self.assertEqual(split.evals, run.evals[1:])

    def test_a_short_start_knows_its_length(self):
        for env in self.backends():
            run = launch("keras_fit.py", rates=None, launch=LOOK, steps=5, env=env)
            self.check(run, 5, rates=None)
            self.assertEqual((run.script["updates"], run.script["epoch"]), (40, 20))
            self.assertEqual(run.script["evaluates"], "keras")

    def test_batches_are_updates(self):
        for env in self.backends():
            run = launch("keras_fit.py", "--epochs", "3", "--batches", env=env)
            self.check(run, 50)

    def test_seeds_are_those_of_the_task(self):
        for env in self.backends():
            one, two = (
                launch("keras_fit.py", rates=RATES[:5], seed=seed, env=env).losses
                for seed in (1, 2)
            )
            self.assertNotEqual(one, two)

    def test_records_what_the_script_does(self):
        for env in self.backends():
            run = launch("keras_fit.py", "--epochs", "3", rates=None, env=env)
            self.check(run, 40, rates=None)  # early stopping is its own
            self.assertAlmostEqual(run.rates[0], 0.01, places=6)
            self.assertLess(run.rates[-1], 0.006)
            self.assertEqual([step for step, _ in run.evals], [20, 40])

    def test_what_it_cannot_do_is_refused(self):
        for env in self.backends():
            run = launch("keras_fit.py", grad_norm="l1", env=env)
            self.assertEqual(run.error, "no_grad_norm")
            run = launch("keras_fit.py", momenta=RATES, env=env)
            self.assertEqual(run.error, "no_momentum")


if __name__ == "__main__":
    if not shutil.which(TORCHRUN):
        print("without torchrun", file=sys.stderr)
    unittest.main()
