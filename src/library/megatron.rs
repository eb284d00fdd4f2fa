//! Megatron's `OptimizerParamScheduler`, set by the flags of a training script
//! and stepped by `train_step`.

use std::f64::consts::PI;

use super::{Arguments, Entry, Notes, Package, Run};
use crate::error::Problem;

pub(super) const PACKAGE: Package = Package {
    name: "megatron",
    title: "Megatron",
    version: "0.19.2",
    frame: "t counts samples, the global batch size for each update. Update \
            t has the value after t steps: with a warm-up update 0 has \
            lr-warmup-init, by default 0.",
    entries: ENTRIES,
    flags: Some("OptimizerParamScheduler"),
    torch: None,
};

const ENTRIES: &[Entry] = &[Entry {
    name: "OptimizerParamScheduler",
    signature: "lr=None, min_lr=0.0, lr_decay_style='linear', \
                lr_wsd_decay_style='exponential', lr_decay_iters=None, \
                lr_decay_samples=None, lr_wsd_decay_iters=None, \
                lr_wsd_decay_samples=None, lr_warmup_fraction=None, \
                lr_warmup_iters=0, lr_warmup_samples=0, lr_warmup_init=0.0, \
                train_iters=None, train_samples=None, global_batch_size=1, \
                use_checkpoint_opt_param_scheduler=False, \
                override_opt_param_scheduler=False, **others",
    example: "lr_decay_style='cosine', lr_warmup_iters=10, min_lr=0.1",
    formula: "lr-warmup-init + (lr - lr-warmup-init) * t / warm-up up to its \
              end, then the decay style from lr to min-lr at lr-decay-iters. \
              inverse-square-root: max(min-lr, lr * sqrt(warm-up / t)). WSD: \
              lr until lr-wsd-decay-iters before the end, then by \
              lr-wsd-decay-style; its default 'exponential' is 2 * 0.5 ** r - \
              1 of the share r of these",
    notes: Notes {
        frame: "Counted in samples, the end of a warm-up that is no multiple \
                of the global batch size falls between two updates, and none \
                has the peak. The global batch size is taken as 1 where \
                iterations count and it is not given.",
        absolute: "min-lr and lr-warmup-init are rates.",
        changes: "Sets the weight decay of every parameter group at each \
                  step.",
        after: "Stays at min-lr: inverse-square-root falls there in one step. \
                constant stays at lr.",
        resume: "The peak must be that of the checkpoint, or is replaced by it \
                 with --use-checkpoint-opt_param-scheduler. The settings of \
                 WSD are not in the checkpoint: those of the command line \
                 count.",
        versions: "0.16.1 and 0.19.2 give the same rates.",
    },
    rates,
}];

/// The settings in samples.
struct Plan {
    init: f64,
    low: f64,
    high: f64,
    warmup: f64,
    decay: f64,
    style: Style,
}

enum Style {
    Constant,
    Linear,
    Cosine,
    InverseSqrt,
    /// The samples of the decay, and its shape.
    Stable(f64, Shape),
}

/// The factor at the share of a decay that is done.
type Shape = fn(f64) -> f64;

fn cosine(done: f64) -> f64 {
    0.5 * ((PI * done).cos() + 1.0)
}

impl Plan {
    fn read(
        arguments: &Arguments,
        run: &Run,
        batch: f64,
    ) -> Result<Self, Problem> {
        let counts_samples = arguments.given("train_samples");
        if counts_samples && arguments.given("train_iters") {
            let why = "a training counts in iterations or in samples, not in \
                       both";
            return Err(arguments.refused("train_samples", why));
        }
        if counts_samples && !arguments.given("global_batch_size") {
            let why = "a training that counts in samples needs \
                       `--global-batch-size`";
            return Err(arguments.refused("global_batch_size", why));
        }
        let (unit, other, size) = if counts_samples {
            ("samples", "iters", 1.0)
        } else {
            ("iters", "samples", batch)
        };
        for name in ["lr_decay", "lr_wsd_decay", "lr_warmup"] {
            let key = format!("{name}_{other}");
            if arguments.given(&key) {
                let why = format!("this training counts in {unit}");
                return Err(arguments.refused(&key, &why));
            }
        }
        let train = match arguments.whole_or_none(&format!("train_{unit}"))? {
            None => run.steps as f64,
            Some(_) => arguments.positive(&format!("train_{unit}"))? as f64,
        };
        let decay = arguments.number_or_none(&format!("lr_decay_{unit}"))?;
        let decay = decay.unwrap_or(train) * size;
        let warmup = match arguments.number_or_none("lr_warmup_fraction")? {
            None => arguments.number(&format!("lr_warmup_{unit}"))? * size,
            Some(_) if arguments.given(&format!("lr_warmup_{unit}")) => {
                let why = "the warm-up is given twice";
                return Err(arguments.refused("lr_warmup_fraction", why));
            }
            Some(share) => share * decay,
        };
        let style =
            Style::read(arguments, &format!("lr_wsd_decay_{unit}"), size)?;
        let made = Self {
            init: arguments.number("lr_warmup_init")?,
            low: arguments.number("min_lr")?,
            high: run.peak,
            warmup,
            decay,
            style,
        };
        made.checked(arguments)
    }

    /// What Megatron asserts.
    fn checked(self, arguments: &Arguments) -> Result<Self, Problem> {
        let peak = arguments.number_or_none("lr")?.unwrap_or(self.high);
        if peak != self.high {
            let why = "`--lr` is the rate that the optimizer is made with: \
                       leave it out, or give the same as the peak";
            return Err(arguments.refused("lr", why));
        }
        if self.low < 0.0 || self.low > self.high {
            let why = "`--min-lr` must be between 0 and the peak";
            return Err(arguments.refused("min_lr", why));
        }
        if self.init > self.high {
            let why = "`--lr-warmup-init` must not be above the peak";
            return Err(arguments.refused("lr_warmup_init", why));
        }
        if self.decay <= 0.0 || self.warmup >= self.decay {
            let why = "the warm-up must end before the decay does";
            return Err(arguments.refused("lr_warmup_iters", why));
        }
        Ok(self)
    }

    /// The rate after `count` samples.
    fn rate(&self, count: f64) -> f64 {
        if self.warmup > 0.0 && count <= self.warmup {
            return self.init + (self.high - self.init) * count / self.warmup;
        }
        if matches!(self.style, Style::Constant) {
            return self.high;
        }
        if count > self.decay {
            return self.low;
        }
        let done = (count - self.warmup) / (self.decay - self.warmup);
        let factor = match self.style {
            Style::Constant => 1.0,
            Style::Linear => 1.0 - done,
            Style::Cosine => cosine(done),
            Style::InverseSqrt => {
                let root = self.warmup.max(1.0).sqrt() / count.max(1.0).sqrt();
                return self.low.max(self.high * root);
            }
            Style::Stable(length, shape) => {
                let begin = self.decay - length;
                if count <= begin {
                    1.0
                } else {
                    shape((count - begin) / length)
                }
            }
        };
        self.low + factor * (self.high - self.low)
    }
}

impl Style {
    /// `key` is the length of the decay of WSD in units of `size` samples.
    fn read(
        arguments: &Arguments,
        key: &str,
        size: f64,
    ) -> Result<Self, Problem> {
        let styles =
            ["constant", "linear", "cosine", "inverse-square-root", "WSD"];
        Ok(match arguments.word("lr_decay_style", &styles)? {
            0 => Self::Constant,
            1 => Self::Linear,
            2 => Self::Cosine,
            3 => Self::InverseSqrt,
            _ => {
                let length =
                    arguments.number_or_none(key)?.ok_or_else(|| {
                        let why = "WSD needs the length of its decay, \
                               `--lr-wsd-decay-iters` or \
                               `--lr-wsd-decay-samples`";
                        arguments.refused(key, why)
                    })?;
                let shapes = ["linear", "cosine", "exponential", "minus_sqrt"];
                let shape: Shape =
                    match arguments.word("lr_wsd_decay_style", &shapes)? {
                        0 => |done| 1.0 - done,
                        1 => cosine,
                        2 => |done| 2.0 * 0.5_f64.powf(done) - 1.0,
                        _ => |done| 1.0 - done.sqrt(),
                    };
                Self::Stable(length * size, shape)
            }
        })
    }
}

fn rates(arguments: &Arguments, run: &Run) -> Result<Vec<f64>, Problem> {
    let batch = arguments.positive("global_batch_size")? as f64;
    let plan = Plan::read(arguments, run, batch)?;
    Ok(run.each(|update| plan.rate(update as f64 * batch)))
}
