//! Stable-Baselines3: `learning_rate` as a function of the progress that
//! remains, asked for before the updates of each rollout.

use super::{Arguments, Call, Entry, Literal, Notes, Package, Run};
use crate::error::Problem;

pub(super) const PACKAGE: Package = Package {
    name: "stable-baselines3",
    title: "Stable-Baselines3",
    version: "2.9.2",
    frame: "The rate is asked for after a rollout and before its updates, so \
            the progress that remains is never 1 at an update. A call names \
            the algorithm, with total_timesteps of `learn()` and n_envs of \
            the environment; without total_timesteps the training ends with \
            the updates asked for.",
    entries: ENTRIES,
    flags: None,
    torch: None,
};

const OWN_RATES: &str = "A schedule has rates of its own; the rate that the \
                         optimizer was made with is not used.";
const END: &str = "LinearSchedule stays at its end. Where total_timesteps is \
                   no multiple of a rollout the progress ends below 0: a \
                   function of the script gives a negative rate there. \
                   `learn()` stops after that.";

const ENTRIES: &[Entry] = &[
    Entry {
        name: "PPO",
        signature: "policy=None, env=None, learning_rate=None, n_steps=2048, \
                    batch_size=64, n_epochs=10, total_timesteps=None, \
                    n_envs=1, **others",
        example: "learning_rate=LinearSchedule(1e-3, 0.0, 1.0), n_steps=32, \
                  batch_size=16, n_epochs=5",
        formula: "learning_rate(1 - r * n_steps * n_envs / total_timesteps) \
                  for all updates after rollout r = 1, 2, ...",
        notes: Notes {
            frame: "A rollout has n_epochs * ceil(n_steps * n_envs / \
                    batch_size) updates at one rate. The function is asked \
                    twice.",
            absolute: OWN_RATES,
            after: END,
            ..Notes::NONE
        },
        rates: |arguments, run| {
            let steps = arguments.count("n_steps")?;
            let steps = steps.saturating_mul(arguments.count("n_envs")?);
            let batches = steps.div_ceil(arguments.count("batch_size")?);
            let updates = batches.saturating_mul(arguments.count("n_epochs")?);
            Rollouts { before: 0, steps, updates }.rates(arguments, run)
        },
    },
    Entry {
        name: "A2C",
        signature: "policy=None, env=None, learning_rate=None, n_steps=5, \
                    total_timesteps=None, n_envs=1, **others",
        example: "learning_rate=LinearSchedule(1e-3, 0.0, 1.0)",
        formula: "learning_rate(1 - (t + 1) * n_steps * n_envs / \
                  total_timesteps)",
        notes: Notes { absolute: OWN_RATES, after: END, ..Notes::NONE },
        rates: |arguments, run| {
            let steps = arguments.count("n_steps")?;
            let steps = steps.saturating_mul(arguments.count("n_envs")?);
            Rollouts { before: 0, steps, updates: 1 }.rates(arguments, run)
        },
    },
    Entry {
        name: "SAC",
        signature: "policy=None, env=None, learning_rate=None, \
                    buffer_size=1_000_000, learning_starts=100, \
                    batch_size=256, tau=0.005, gamma=0.99, train_freq=1, \
                    gradient_steps=1, total_timesteps=None, n_envs=1, \
                    **others",
        example: "learning_rate=LinearSchedule(1e-3, 0.0, 1.0)",
        formula: "learning_rate(1 - n / total_timesteps) for the \
                  gradient_steps updates after step n of the environment, the \
                  multiples of train_freq * n_envs above learning_starts",
        notes: Notes {
            frame: "The steps before learning_starts count: the first update \
                    is below the start of the schedule. The function is \
                    asked four times.",
            absolute: OWN_RATES,
            after: END,
            ..Notes::NONE
        },
        rates: |arguments, run| {
            let steps = arguments.count("train_freq")?;
            let steps = steps.saturating_mul(arguments.count("n_envs")?);
            let updates = match arguments.whole("gradient_steps")? {
                ..0 => steps,
                _ => arguments.count("gradient_steps")?,
            };
            let starts = arguments.whole("learning_starts")?;
            let starts = usize::try_from(starts).unwrap_or_default();
            let before = starts / steps;
            Rollouts { before, steps, updates }.rates(arguments, run)
        },
    },
];

/// What an algorithm does between two questions for a rate.
struct Rollouts {
    /// Rollouts without an update at the beginning.
    before: usize,
    /// Steps of the environments.
    steps: usize,
    /// Updates after them.
    updates: usize,
}

impl Rollouts {
    fn rates(
        &self,
        arguments: &Arguments,
        run: &Run,
    ) -> Result<Vec<f64>, Problem> {
        let schedule = match arguments.literal("learning_rate")? {
            Literal::None => Schedule::Constant(run.peak),
            Literal::Call(call) => Schedule::read(call)?,
            _ => Schedule::Constant(arguments.number("learning_rate")?),
        };
        let key = "total_timesteps";
        let whole = run.steps.div_ceil(self.updates) + self.before;
        let total = match arguments.whole_or_none(key)? {
            None => whole.saturating_mul(self.steps),
            Some(_) => arguments.count(key)?,
        };
        let all = total.div_ceil(self.steps).saturating_sub(self.before);
        if run.steps > all.saturating_mul(self.updates) {
            let message = format!(
                "`learn` stops after {} updates, with `total_timesteps`",
                all.saturating_mul(self.updates)
            );
            return Err(Problem::at("steps", message));
        }
        Ok(run.each(|update| {
            let rollouts = self.before + update / self.updates + 1;
            let done = (rollouts * self.steps) as f64 / total as f64;
            schedule.rate(1.0 - done)
        }))
    }
}

/// A rate by the progress that remains.
enum Schedule {
    Constant(f64),
    Linear { start: f64, end: f64, fraction: f64 },
}

impl Schedule {
    fn read(call: &Call) -> Result<Self, Problem> {
        let signature = match call.name.as_str() {
            "LinearSchedule" | "get_linear_fn" => "start, end, end_fraction",
            "ConstantSchedule" => "val",
            "FloatSchedule" => "value_schedule",
            _ => {
                let message = "Stable-Baselines3 has `LinearSchedule`, \
                               `ConstantSchedule` and `FloatSchedule`; another \
                               function of the script cannot be read here";
                return Err(Problem::at("learning_rate", message));
            }
        };
        let arguments = Arguments::bind(signature, call)?;
        if arguments.has("val") {
            return arguments.number("val").map(Self::Constant);
        }
        if arguments.has("value_schedule") {
            return match arguments.literal("value_schedule")? {
                Literal::Call(inner) => Self::read(inner),
                _ => arguments.number("value_schedule").map(Self::Constant),
            };
        }
        let number = |key| arguments.number(key);
        Ok(Self::Linear {
            start: number("start")?,
            end: number("end")?,
            fraction: number("end_fraction")?,
        })
    }

    fn rate(&self, remains: f64) -> f64 {
        match *self {
            Self::Constant(rate) => rate,
            Self::Linear { end, fraction, .. } if 1.0 - remains > fraction => {
                end
            }
            Self::Linear { start, end, fraction } => {
                start + (1.0 - remains) * (end - start) / fraction
            }
        }
    }
}
