"""The loops. Each gives rows (update, rate of it, rate after it, loss), or
the rates and the file that the library wrote."""

import io
import math
import pathlib
import tempfile
from contextlib import nullcontext

import accelerate
import jax
import jax.numpy as jnp
import keras
import lightning
import numpy as np
import optax
import torch
import transformers
from plans import MAKE, hf_make, hf_name, torch_make

class SGD(torch.optim.SGD):
    """SGD that notes the rate of each update."""

    def step(self, closure=None):
        self.rates.append(self.param_groups[0]["lr"])
        return super().step(closure)


def recorded(parameters, peak):
    optimizer = SGD(parameters, lr=peak)
    optimizer.rates = []
    return optimizer


def once(update):
    """A scheduler that is stepped once an update."""
    return 1


def torch_loop(plan, updates, steps_of=once, make=None, at=None, prepared=1,
               micro=1):
    """The usual loop of torch. `steps_of(update)` are the calls of
    `scheduler.step()` after an update; `at` is (stop, checkpoint, plan or None,
    steps): the training stops before update `stop` and resumes from
    `checkpoint`, with the saved states or with a new scheduler of another plan
    that is stepped `steps` times first. For accelerate, `prepared` is the number
    of processes that it believes in, `micro` the micro-batches of an update."""
    make = make or MAKE[plan.library]
    weight = torch.nn.Parameter(torch.tensor([3.0]))
    optimizer = recorded([weight], plan.peak)
    scheduler = make(plan, optimizer)
    if plan.library == "accelerate":
        accelerator = accelerate.Accelerator(
            cpu=True, gradient_accumulation_steps=micro)
        optimizer, scheduler = accelerator.prepare(optimizer, scheduler)
        accelerate.PartialState._shared_state["num_processes"] = prepared
    rates = optimizer.rates if plan.library != "accelerate" else (
        optimizer.optimizer.rates)
    rows, update, saved = [], 0, None
    stop, checkpoint, other, forward = at or (None, None, None, 0)
    while update < updates:
        if update == checkpoint and saved is None:
            saved = io.BytesIO()
            torch.save((optimizer.state_dict(), scheduler.state_dict()), saved)
        if update == stop:
            stop, update = None, checkpoint
            peak = other.peak if other else plan.peak
            optimizer = recorded([weight], peak)
            scheduler = make(other or plan, optimizer)
            rates = optimizer.rates
            for _ in range(forward):
                scheduler.step()
            if other is None:
                saved.seek(0)
                states = torch.load(saved, weights_only=False)
                optimizer.load_state_dict(states[0])
                scheduler.load_state_dict(states[1])
        for _ in range(micro):
            with accelerator.accumulate() if micro > 1 else nullcontext():
                loss = torch.sqrt(1 + weight**2).sum()
                loss.backward()
                optimizer.step()
                for _ in range(steps_of(update)):
                    scheduler.step()
                optimizer.zero_grad()
        rows.append((update, rates[-1], optimizer.param_groups[0]["lr"],
                     loss.item()))
        update += 1
    if plan.library == "accelerate":
        accelerate.state.AcceleratorState._reset_state(
            reset_partial_state=True)
    return rows


def optax_loop(schedule, updates, at=None):
    """optax's loop; the rate is the hyperparameter of the optimizer's state.
    `at` is (update, schedule): from there on a new optimizer and state."""
    def made(schedule):
        optimizer = optax.inject_hyperparams(optax.sgd)(learning_rate=schedule)

        @jax.jit
        def step(weight, state):
            loss, slope = jax.value_and_grad(
                lambda w: jnp.sqrt(1 + w**2))(weight)
            change, state = optimizer.update(slope, state, weight)
            return optax.apply_updates(weight, change), state, loss
        return optimizer, step

    weight = jnp.float32(3.0)
    optimizer, step = made(schedule)
    state = optimizer.init(weight)
    rows = []
    for update in range(updates):
        if at and update == at[0]:
            optimizer, step = made(at[1])
            state = optimizer.init(weight)
        weight, state, loss = step(weight, state)
        rows.append([update, float(state.hyperparams["learning_rate"]), None,
                     float(loss)])
    rates = [row[1] for row in rows] + [rows[-1][1]]
    return [(u, rate, rates[u + 1], loss) for u, rate, _, loss in rows]


def keras_loop(schedule, updates, accumulate=None, at=None):
    """`model.fit`, and a callback that asks the schedule for the rate of the
    optimizer's count before and after each batch; with `accumulate` only the
    batches that update count. `at` is (update, schedule): compiled anew."""
    rows = []

    class Rates(keras.callbacks.Callback):
        def __init__(self, schedule):
            super().__init__()
            self.asked = jax.jit(schedule)

        def now(self):
            # `optimizer.learning_rate` is this, compiled anew at each reading.
            return float(self.asked(self.model.optimizer._iterations.value))

        def on_train_end(self, logs=None):
            rate = float(self.model.optimizer.learning_rate)
            assert math.isclose(self.now(), rate, rel_tol=1e-5, abs_tol=1e-7)

        def on_train_batch_begin(self, batch, logs=None):
            self.rate = self.now()

        def on_train_batch_end(self, batch, logs=None):
            if accumulate and (batch + 1) % accumulate:
                return
            rows.append((len(rows), self.rate, self.now(),
                         float(logs["loss"])))

    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.layers.Input((1,)),
                              keras.layers.Dense(1)])

    def fit(schedule, updates):
        model.compile(optimizer=keras.optimizers.SGD(
            schedule, gradient_accumulation_steps=accumulate),
            loss="huber")
        batches = updates * (accumulate or 1)
        x = np.linspace(-1, 1, batches, dtype="float32")[:, None]
        model.fit(x, 2 * x, batch_size=1, epochs=1, verbose=0, shuffle=False,
                  callbacks=[Rates(schedule)])

    fit(schedule, at[0] if at else updates)
    if at:
        fit(at[1], updates - at[0])
    return rows


class Net(lightning.LightningModule):
    """One weight; `interval` is that of Lightning's scheduler."""

    def __init__(self, plan, interval="step"):
        super().__init__()
        self.plan, self.interval = plan, interval
        self.weight = torch.nn.Parameter(torch.tensor([3.0]))

    def training_step(self, batch, index):
        loss = torch.sqrt(1 + self.weight**2).mean()
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, index):
        self.log("val_loss", self.weight.abs().mean())

    def configure_optimizers(self):
        optimizer = recorded([self.weight], self.plan.peak)
        scheduler = torch_make(self.plan, optimizer)
        if self.interval is None:
            return [optimizer], [scheduler]
        return {"optimizer": optimizer, "lr_scheduler": {
            "scheduler": scheduler, "interval": self.interval}}


def lightning_loop(plan, updates, every, interval="step", validate=None,
                   epoch=None, accumulate=1):
    """A Trainer with CSVLogger and LearningRateMonitor. Gives the rates and
    metrics.csv. `interval` None is the short form of configure_optimizers;
    `validate` is the number of batches between validations, `epoch` the updates
    of an epoch, `accumulate` the batches of an update."""
    loader = torch.utils.data.DataLoader(
        torch.zeros((epoch or updates) * accumulate, 1), batch_size=1)
    val = torch.utils.data.DataLoader(torch.zeros(2, 1)) if validate else None
    net = Net(plan, interval)
    with tempfile.TemporaryDirectory() as folder:
        logger = lightning.pytorch.loggers.CSVLogger(folder)
        trainer = lightning.Trainer(
            max_steps=updates, max_epochs=-1, logger=logger, accelerator="cpu",
            log_every_n_steps=every, enable_progress_bar=False,
            enable_checkpointing=False, enable_model_summary=False,
            num_sanity_val_steps=0, val_check_interval=validate,
            accumulate_grad_batches=accumulate,
            callbacks=[lightning.pytorch.callbacks.LearningRateMonitor(
                logging_interval="step")])
        trainer.fit(net, loader, val)
        text = pathlib.Path(logger.log_dir, "metrics.csv").read_text()
    return trainer.optimizers[0].rates, text


class Pairs(torch.utils.data.Dataset):
    def __init__(self, length):
        self.length = length

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        return {"x": torch.ones(1)}


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor([3.0]))

    def forward(self, x):
        return {"loss": torch.sqrt(1 + self.weight**2).mean()}


class Noted(transformers.Trainer):
    """A Trainer whose optimizer notes its rates."""

    def create_optimizer(self, *given, **more):
        self.optimizer = recorded(self.model.parameters(),
                                  self.args.learning_rate)
        return self.optimizer


def trainer_loop(plan, updates, every, stop=None, drop_scheduler=False,
                 schedulers=None, resumed=None, evaluate=None, **more):
    """HF Trainer on its own files. `stop`: a first run ends there and saves,
    a second one resumes from that; `drop_scheduler` loses the files of the
    optimizer and the scheduler in between; `resumed` is the `max_steps` of the
    second run, which also ends after `updates`. `evaluate` is the number of
    updates between evaluations. Gives the rates and trainer_state.json."""
    name, extra = hf_name(plan)
    rates = []
    if evaluate:
        more |= {"eval_strategy": "steps", "eval_steps": evaluate}
    with tempfile.TemporaryDirectory() as folder:
        def train(save, length=updates, resume=None):
            arguments = transformers.TrainingArguments(
                folder, max_steps=length, per_device_train_batch_size=1,
                learning_rate=plan.peak, lr_scheduler_type=name,
                lr_scheduler_kwargs=extra, warmup_steps=plan.warmup,
                logging_steps=every, save_steps=save, report_to=[],
                use_cpu=True, disable_tqdm=True, dataloader_num_workers=0,
                max_grad_norm=0.0, **more)
            model = Model()
            trainer = Noted(model=model, args=arguments,
                            train_dataset=Pairs(length * 8),
                            eval_dataset=Pairs(4), callbacks=[Stop(save)])
            trainer.remove_callback(transformers.PrinterCallback)
            if schedulers:
                optimizer = recorded(model.parameters(), plan.peak)
                trainer.optimizer = optimizer
                trainer.lr_scheduler = schedulers(optimizer)
                trainer.create_optimizer = lambda *a, **k: optimizer
            trainer.train(resume_from_checkpoint=resume)
            inner = trainer.optimizer
            rates.extend(getattr(inner, "optimizer", inner).rates)
        if stop:
            train(stop)
            saved = pathlib.Path(folder, f"checkpoint-{stop}")
            if drop_scheduler:
                for file in ("scheduler.pt", "optimizer.pt"):
                    saved.joinpath(file).unlink()
            train(updates, resumed or updates, str(saved))
        else:
            train(updates)
        state = pathlib.Path(folder, f"checkpoint-{updates}",
                             "trainer_state.json").read_text()
    return rates, state


class Stop(transformers.TrainerCallback):
    def __init__(self, update):
        self.update = update

    def on_step_end(self, args, state, control, **_):
        if state.global_step == self.update:
            control.should_training_stop = True
        return control
