//! `create_scheduler_v2`, which train.py calls with its own options.

use super::super::{Arguments, Call, Literal, Run};
use super::PACKAGE;
use crate::error::Problem;

/// The rates of the class that the factory makes.
pub(super) fn rates(
    arguments: &Arguments,
    run: &Run,
) -> Result<Vec<f64>, Problem> {
    if *arguments.literal("noise")? != Literal::None {
        let why = "the noise comes from torch's random numbers, which are not \
                   read here";
        return Err(arguments.refused("noise", why));
    }
    let names = [
        "cosine",
        "tanh",
        "step",
        "multistep",
        "poly",
        "wsd",
        "rsqrt",
        "constant",
        "none",
        "plateau",
    ];
    let name = names[arguments.word("sched", &names)?];
    if name == "none" {
        return Ok(run.each(|_| run.peak));
    }
    if name == "plateau" {
        let why = "'plateau' follows the loss, use `kind = \"plateau\"`";
        return Err(arguments.refused("sched", why));
    }
    PACKAGE.rates(&Factory::of(arguments)?.call(name)?, run)
}

/// The call that it makes, with lengths in epochs or in updates.
struct Factory<'a> {
    arguments: &'a Arguments,
    /// Units of the scheduler in an epoch.
    scale: f64,
    prefix: bool,
    keyword: Vec<(String, Literal)>,
}

impl<'a> Factory<'a> {
    fn of(arguments: &'a Arguments) -> Result<Self, Problem> {
        let in_epochs = arguments.flag("step_on_epochs")?;
        let scale =
            if in_epochs { 1 } else { arguments.count("updates_per_epoch")? };
        let prefix = arguments.flag("warmup_prefix")?;
        let keyword =
            vec![("t_in_epochs".to_owned(), Literal::Bool(in_epochs))];
        Ok(Self { arguments, scale: scale as f64, prefix, keyword })
    }

    fn give(&mut self, key: &str, value: Literal) {
        self.keyword.push((key.to_owned(), value));
    }

    fn number(&mut self, key: &str, of: &str) -> Result<(), Problem> {
        let value = self.arguments.number(of)?;
        self.give(key, Literal::Real(value));
        Ok(())
    }

    fn scaled(&self, key: &str) -> Result<f64, Problem> {
        Ok(self.arguments.number(key)? * self.scale)
    }

    fn call(mut self, name: &str) -> Result<Call, Problem> {
        let warmup = self.scaled("warmup_epochs")?;
        self.give("warmup_t", Literal::Real(warmup));
        self.number("warmup_lr_init", "warmup_lr")?;
        if !["wsd", "rsqrt"].contains(&name) {
            let prefix = Literal::Bool(self.prefix);
            self.give("warmup_prefix", prefix);
        }
        let class = match name {
            "cosine" => {
                self.cycles()?;
                self.number("k_decay", "k_decay")?;
                "CosineLRScheduler"
            }
            "tanh" => {
                self.cycles()?;
                "TanhLRScheduler"
            }
            "poly" => {
                self.cycles()?;
                self.number("k_decay", "k_decay")?;
                self.number("power", "decay_rate")?;
                "PolyLRScheduler"
            }
            "step" => {
                let every = self.arguments.number_or_none("decay_epochs")?;
                let every = every.unwrap_or(90.0) * self.scale;
                self.give("decay_t", Literal::Real(every));
                self.number("decay_rate", "decay_rate")?;
                "StepLRScheduler"
            }
            "constant" => {
                self.give("decay_t", Literal::Whole(1));
                "StepLRScheduler"
            }
            "multistep" => {
                let milestones = self.arguments.numbers("decay_milestones")?;
                let scale = self.scale;
                let scaled =
                    milestones.iter().map(|at| Literal::Real(at * scale));
                self.give("decay_t", Literal::List(scaled.collect()));
                self.number("decay_rate", "decay_rate")?;
                "MultiStepLRScheduler"
            }
            _ => {
                self.wsd(name == "rsqrt", warmup)?;
                "WSDLRScheduler"
            }
        };
        let keyword = self.keyword;
        Ok(Call { name: class.to_owned(), keyword, ..Call::default() })
    }

    fn cycles(&mut self) -> Result<(), Problem> {
        let initial = self.scaled("num_epochs")?;
        self.give("t_initial", Literal::Real(initial));
        self.number("lr_min", "min_lr")?;
        for key in ["cycle_mul", "cycle_decay", "cycle_limit"] {
            self.number(key, key)?;
        }
        Ok(())
    }

    /// The warm-up is a part of the epochs unless it is a prefix.
    fn wsd(&mut self, rsqrt: bool, warmup: f64) -> Result<(), Problem> {
        let whole = self.scaled("num_epochs")?;
        let whole = if self.prefix { whole } else { whole - warmup };
        let decay = self.arguments.number_or_none("decay_epochs")?;
        let decay = decay.unwrap_or(0.2);
        let is_share = 0.0 < decay && decay < 1.0;
        let decay = decay * if is_share { whole } else { self.scale };
        let timescale = self.arguments.number_or_none("stable_timescale")?;
        let stable = if rsqrt { "rsqrt" } else { "constant" };
        let shape = match self.arguments.literal("decay_fn")? {
            Literal::None => {
                let usual = if rsqrt { "linear" } else { "1-sqrt" };
                Literal::Text(usual.to_owned())
            }
            given => given.clone(),
        };
        self.give("t_initial", Literal::Real(whole));
        self.give("decay_t", Literal::Real(decay.round_ties_even()));
        self.number("lr_min", "min_lr")?;
        self.give("stable_fn", Literal::Text(stable.to_owned()));
        self.give("decay_fn", shape);
        if let Some(value) = timescale {
            self.give("stable_timescale", Literal::Real(value * self.scale));
        }
        Ok(())
    }
}
