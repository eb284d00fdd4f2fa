//! Calls that a library refuses, or that have no rates of their own.

use super::*;

/// A library, a call of it, and what is said.
const REFUSED: &[(&str, &str, &str)] = &[
    (
        "deepspeed",
        "WarmupLR(warmup_num_steps=0)",
        "`WarmupLR`: `warmup_num_steps` must be 1 or more",
    ),
    (
        "deepspeed",
        "WarmupDecayLR(warmup_num_steps=8)",
        "`WarmupDecayLR` needs `total_num_steps`",
    ),
    (
        "deepspeed",
        "OneCycle(1e-4, 1e-2, cycle_first_step_size=0)",
        "`cycle_first_step_size` must be above 0",
    ),
    (
        "deepspeed",
        "WarmupLR(warmup_min_lr=[0, 1])",
        "`warmup_min_lr` must be a number, not a list",
    ),
    (
        "deepspeed@0.19.2",
        "WarmupCosineLR(total_num_steps=8, warmup_num_steps=8)",
        "divides by 0",
    ),
    (
        "megatron",
        "--lr-decay-style WSD --lr-decay-iters 30",
        "WSD needs the length of its decay",
    ),
    (
        "megatron",
        "--lr-warmup-iters 30 --lr-decay-iters 30",
        "the warm-up must end before the decay does",
    ),
    (
        "megatron",
        "--train-samples 90 --global-batch-size 2 --lr-decay-iters 30",
        "this training counts in samples",
    ),
    ("megatron", "--min-lr 2", "`--min-lr` must be between 0 and the peak"),
    ("megatron", "--lr 2e-3", "`--lr` is the rate that the optimizer"),
    (
        "composer",
        "LinearWithWarmupScheduler('8ba', t_max='30ba')",
        "`t_max`, here 30 batches, is below the 45 of the training",
    ),
    ("composer", "StepScheduler('0.01dur')", "Composer divides by"),
    ("composer", "StepScheduler('100sp')", "is no time in batches"),
    ("composer", "StepScheduler('1.5ba')", "batches are whole numbers"),
    (
        "composer",
        "Trainer(schedulers=LinearScheduler(), max_duration='8ep')",
        "the Trainer stops after 40 updates",
    ),
    (
        "hf",
        "get_cosine_with_min_lr_schedule_with_warmup(1, 9)",
        "give either `min_lr` or `min_lr_rate`",
    ),
    (
        "hf",
        "get_polynomial_decay_schedule_with_warmup(1, 9, lr_end=1.0)",
        "refuses a peak that is not above it",
    ),
    (
        "hf",
        "TrainingArguments(lr_scheduler_type='greedy')",
        "this schedule follows the loss",
    ),
    (
        "hf",
        "TrainingArguments(lr_scheduler_kwargs={'num_cycles': 2})",
        "unknown argument `num_cycles` in \
             get_linear_schedule_with_warmup",
    ),
    (
        "hf",
        "TrainingArguments(warmup_ratio=0.1)",
        "unknown argument `warmup_ratio`",
    ),
    (
        "hf",
        "TrainingArguments(max_steps=30)",
        "the Trainer stops after 30 updates",
    ),
    (
        "stable-baselines3",
        "PPO(learning_rate=schedule(1))",
        "another function of the script cannot be read here",
    ),
    (
        "stable-baselines3",
        "A2C(total_timesteps=203, n_envs=2)",
        "`learn` stops after 21 updates",
    ),
    ("paddle", "OneCycleLR(total_steps=30)", "raises an error after update 30"),
    (
        "paddle",
        "OneCycleLR(total_steps=10, phase_pct=0.1)",
        "paddle divides by 0",
    ),
    ("paddle", "StepDecay(step_size=8, gamma=1)", "`gamma` must be below 1"),
    (
        "paddle",
        "LinearWarmup(warmup_steps=8, start_lr=0.1)",
        "`end_lr` must be above `start_lr`",
    ),
    (
        "mindspore",
        "warmup_lr(total_step=30, step_per_epoch=5, warmup_epoch=2)",
        "raises an error after update 29",
    ),
    (
        "mindspore",
        "CosineDecayLR(0, 1.0, 30)",
        "`min_lr` must be a number with a point, not a whole number",
    ),
    (
        "mmengine",
        "dict(type='CosineRestartLR', periods=[9], restart_weights=[1])",
        "give `eta_min` or `eta_min_ratio`",
    ),
    (
        "mmengine",
        "OneCycleLR(eta_max=0.1, total_steps=30, by_epoch=False)",
        "raises an error after update 30",
    ),
    (
        "mmengine",
        "StepLR(3, convert_to_iter_based=True)",
        "belongs to a dict that counts in epochs",
    ),
    (
        "fvcore",
        "LRMultiplier(ConstantParamScheduler(1), max_iter=30)",
        "raises an error after update 29",
    ),
    (
        "fvcore",
        "LRMultiplier(PolynomialDecayParamScheduler(1, 0.9), max_iter=30)",
        "raises an error after update 30",
    ),
    (
        "monai",
        "LinearLR(end_lr=1, num_iter=1)",
        "MONAI divides by `num_iter` - 1",
    ),
    (
        "speechbrain",
        "LinearScheduler(final_value=0.1, epoch_count=6)",
        "raises an error after update 34",
    ),
    (
        "speechbrain",
        "StepScheduler(decay_factor=0.5, half_life=2)",
        "it cannot be with `decay_factor` or `decay_drop`",
    ),
    (
        "flair",
        "LinearSchedulerPlugin(0.1, dataset_size=30, mini_batch_size=8, \
         max_epochs=5)",
        "the trainer stops after 20 updates",
    ),
];

/// What the call of a library, `deepspeed@0.19.2` for a version of it, says
/// over 45 updates in epochs of 5.
fn said(library: &str, call: &str) -> Result<Vec<f64>, String> {
    let (name, version) = library.split_once('@').unwrap_or((library, ""));
    let package = Package::named(name).expect("a library");
    let run = Run {
        peak: 1e-3,
        steps: 45,
        version: Version::read(version),
        epoch: Some(5),
        processes: 2,
    };
    let call = package.read(call).map_err(|error| error.to_string())?;
    package.rates(&call, &run).map_err(|error| error.to_string())
}

#[test]
fn what_a_library_refuses_is_refused() {
    for &(library, call, message) in REFUSED {
        let error = said(library, call).expect_err(call);
        assert!(error.contains(message), "{library}: {call}: {error}");
    }
}

#[test]
fn what_only_an_older_version_takes_is_taken() {
    for call in [
        "WarmupLR(warmup_num_steps=0)",
        "WarmupCosineLR(total_num_steps=30, warmup_num_steps=0)",
    ] {
        let older = said("deepspeed@0.19.2", call).expect("rates");
        assert_eq!(older[..3], [0.0, 0.0, 1e-3], "{call}");
        assert!(said("deepspeed@0.19.3", call).is_err(), "{call}");
    }
}

#[test]
fn what_a_training_has_beside_its_schedule_is_passed_over() {
    for (library, short, whole) in [
        (
            "megatron",
            "--lr-decay-style cosine --lr-decay-iters 30",
            "--num-layers 2 --lr-decay-style cosine --split 949,50,1 \
             --data-path 1 text --bf16 --lr-decay-iters 30",
        ),
        (
            "hf",
            "TrainingArguments(warmup_steps=8)",
            "TrainingArguments('out', num_train_epochs=3, warmup_steps=8, \
             save_steps=500, weight_decay=0.01)",
        ),
        (
            "composer",
            "LinearScheduler()",
            "Trainer(model=model, train_dataloader=DataLoader(data, 8), \
             schedulers=LinearScheduler())",
        ),
        ("stable-baselines3", "A2C()", "A2C('MlpPolicy', env, gamma=0.9)"),
    ] {
        let short = said(library, short).expect("rates");
        assert_eq!(said(library, whole).expect("rates"), short, "{whole}");
    }
    for (library, call) in [
        ("megatron", "--lr-decay-stile cosine"),
        ("megatron", "--rampup-batch-size 16 16 1000"),
        ("hf", "TrainingArguments(warmup_step=8)"),
        ("hf", "TrainingArguments(deepspeed='config.json')"),
        ("megatron", "--train-samples 90 --lr-decay-samples 30"),
    ] {
        assert!(said(library, call).is_err(), "{call}");
    }
}

#[test]
fn an_optimizer_in_the_call_is_passed_over() {
    let call = "get_scheduler('linear', optimizer, 8, 30)";
    let got = said("hf", call).expect("rates");
    let plain = "get_linear_schedule_with_warmup(optimizer, 8, 30)";
    assert_eq!(got, said("hf", plain).expect("rates"));
}
