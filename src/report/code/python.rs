//! What each Python framework wants around the pure function.

use super::own::Own;
use super::{Export, Target};

/// The imports of `target`, and what follows the pure function.
pub(super) fn wrapper(
    export: &Export<'_>,
    target: Target,
    own: Option<&Own>,
) -> (&'static str, String) {
    const LAMBDA: &str = "from torch.optim.lr_scheduler import LambdaLR\n";
    match (target, own) {
        (Target::Optax, _) => ("import jax.numpy as jnp\n", OPTAX.to_owned()),
        (Target::Keras, _) => ("import keras\n", keras(export)),
        (Target::Mxnet, _) => ("import mxnet as mx\n", MXNET.to_owned()),
        (Target::Hf, Some(own)) => {
            ("from transformers import TrainingArguments\n", arguments(own))
        }
        (Target::Accelerate, _) => (LAMBDA, accelerate(export)),
        _ => {
            let more = match target {
                Target::Hf => HF,
                Target::Lightning => LIGHTNING,
                Target::Deepspeed => DEEPSPEED,
                Target::Composer => COMPOSER,
                _ => "",
            };
            (LAMBDA, format!("{}{more}", torch(export)))
        }
    }
}

/// `scheduler(optimizer)` of torch; with momentum, a class that sets that too.
fn torch(export: &Export<'_>) -> String {
    if export.momentum.is_none() {
        return TORCH.to_owned();
    }
    format!(
        "{MOMENTUM}\n\n{}",
        TORCH.replace("LambdaLR(optimizer, factor)", "Schedule(optimizer)")
    )
}

fn accelerate(export: &Export<'_>) -> String {
    if export.momentum.is_none() {
        return ACCELERATE.to_owned();
    }
    let plain = "LambdaLR(optimizer, lambda count: factor(count // times))";
    let made = ACCELERATE.replace(plain, "Schedule(optimizer, times)");
    format!("{MOMENTUM}\n\n{made}")
}

fn arguments(own: &Own) -> String {
    let settings =
        own.listed("", |key, value| format!("        {key}={value},\n"));
    format!(
        "def training_arguments(output_dir, **others):\n    \
         \"\"\"Arguments with which the Trainer's own scheduler gives these \
         rates.\"\"\"\n    \
         return TrainingArguments(\n        output_dir,\n        \
         learning_rate=PEAK,\n        max_steps=STEPS,\n        \
         lr_scheduler_type=\"{}\",\n{}        **others,\n    )\n",
        own.name, settings
    )
}

fn keras(export: &Export<'_>) -> String {
    let name = format!("{}, {} steps", export.label, export.steps);
    let name = name.replace(char::is_control, " ");
    format!(
        "@keras.saving.register_keras_serializable(\n    \
         package=\"lrscout\", name={}\n)\n{KERAS}",
        serde_json::Value::from(name)
    )
}

const TORCH: &str = r#"def scheduler(optimizer):
    """For an optimizer made with `lr=PEAK`; step it after each update."""
    return LambdaLR(optimizer, factor)
"#;

const MOMENTUM: &str = r#"class Schedule(LambdaLR):
    """Sets the momentum (Adam's first beta) with the rate.

    An update counts as `times` steps of the scheduler.
    """

    def __init__(self, optimizer, times=1):
        if not {"momentum", "betas"} & optimizer.defaults.keys():
            raise ValueError("the optimizer has neither momentum nor betas")
        self.times = times
        super().__init__(optimizer, lambda count: factor(count // times))

    def get_lr(self):
        value = momentum(self.last_epoch // self.times)
        for group in self.optimizer.param_groups:
            if "betas" in group:
                group["betas"] = (value, *group["betas"][1:])
            else:
                group["momentum"] = value
        return super().get_lr()
"#;

const HF: &str = r#"

def optimizers(optimizer):
    """`optimizers=` of a Trainer whose `max_steps` is STEPS."""
    return optimizer, scheduler(optimizer)


def scheduled(trainer):
    """The same for a Trainer that makes its optimizer itself, as it does by
    default, with `learning_rate` PEAK: `scheduled(trainer).train()`.
    """

    def create_scheduler(num_training_steps, optimizer=None):
        trainer.lr_scheduler = scheduler(optimizer or trainer.optimizer)
        return trainer.lr_scheduler

    trainer.create_scheduler = create_scheduler
    return trainer
"#;

const LIGHTNING: &str = r#"

def scheduled(optimizer):
    """What `configure_optimizers` returns; the Trainer's `max_steps` is STEPS."""
    return {
        "optimizer": optimizer,
        "lr_scheduler": {"scheduler": scheduler(optimizer), "interval": "step"},
    }
"#;

const ACCELERATE: &str = r#"def scheduler(optimizer, accelerator):
    """To be given to `accelerator.prepare`; step it after each update.

    A prepared scheduler goes on by the number of processes with each update,
    unless batches are split or the optimizer does not drive it.
    """
    times = accelerator.num_processes
    if accelerator.split_batches or not accelerator.step_scheduler_with_optimizer:
        times = 1
    return LambdaLR(optimizer, lambda count: factor(count // times))
"#;

const DEEPSPEED: &str = r"
# deepspeed.initialize(..., lr_scheduler=scheduler), without a `scheduler` in the
# configuration, whose optimizer has `lr` PEAK. The warm-ups of DeepSpeed itself
# are an update late: they give the first value twice.
";

const COMPOSER: &str = r"
# Trainer(..., schedulers=scheduler(optimizer), step_schedulers_every_batch=True).
# A function of Composer's state would be an update late: schedulers are stepped
# before the batch is counted.
";

const OPTAX: &str = r#"def schedule():
    """The `learning_rate` of an optax optimizer.

    The rates are made in float64 beforehand: JAX traces the count and would
    compute in float32.
    """
    rates = jnp.asarray([lr(step) for step in range(STEPS)])
    return lambda count: rates[jnp.minimum(count, STEPS - 1)]
"#;

const KERAS: &str = r#"class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """The `learning_rate` of a Keras optimizer; saved and loaded with it.

    The rates are made in float64 beforehand: inside a graph the step is a
    tensor and all would be computed in float32.
    """

    def __init__(self, peak=PEAK):
        self.peak = peak
        self.rates = [peak * factor(step) for step in range(STEPS)]

    def __call__(self, step):
        rates = keras.ops.convert_to_tensor(self.rates, "float32")
        step = keras.ops.minimum(keras.ops.cast(step, "int32"), STEPS - 1)
        return keras.ops.take(rates, step)

    def get_config(self):
        return {"peak": self.peak}
"#;

const MXNET: &str = r#"class Schedule(mx.lr_scheduler.LRScheduler):
    """The `lr_scheduler` of an MXNet optimizer, which counts from 1."""

    def __init__(self):
        super().__init__(base_lr=PEAK)

    def __call__(self, num_update):
        return lr(max(num_update - 1, 0))
"#;
