#[cfg(test)]
mod tests;
mod winner;

use crate::error::{Error, Result};
use crate::grid::{parse_schedule, schedule_text};
use crate::report::code::{self, Target};
use crate::schedule::{ScheduleSpec, bound};
use clap::Args;
use clap::builder::PossibleValuesParser;
use std::io::Write;
use std::path::PathBuf;
use winner::Results;

/// Print a schedule as source code for another framework.
///
/// With `--results`, the schedule is the one that `lrscout recommend` names for
/// that folder, over all its workloads; its peak is the rate found for the
/// workload times the multiple of that ranking, and its steps are the budget.
/// What is given on the command line wins.
///
/// The code needs no other file. It has the closed form as a pure function of
/// the step, and what the framework wants around it. Where a scheduler of the
/// framework itself gives the same rate at every update, its settings are
/// written instead. The header states the peak, the budget, the evidence for the
/// schedule, and how to rescale it. docs/exporting.md has the frameworks.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    lrscout export --results results/auto-train --target hf > schedule.py\n  \
    lrscout export --results results/standard --workload digits-mlp \
    --steps 1000 --target torch\n  \
    lrscout export cosine --peak 3e-4 --steps 20000 --target lightning\n  \
    lrscout export '{ kind = \"wsd\", warmup = \"5%\" }' --peak 0.1 \
    --steps 5000 --target megatron")]
pub(crate) struct Export {
    /// The schedule: an inline TOML table, or the name of a kind.
    #[arg(required_unless_present = "results")]
    spec: Option<String>,
    /// Its highest learning rate.
    #[arg(long, allow_negative_numbers = true)]
    #[arg(required_unless_present = "results")]
    peak: Option<f64>,
    /// The budget, in optimizer updates.
    #[arg(long, required_unless_present = "results")]
    steps: Option<usize>,
    /// The framework to write for.
    #[arg(long, value_name = "FRAMEWORK",
        value_parser = PossibleValuesParser::new(Target::ALL.map(Target::name)))]
    target: String,
    /// Take what is not given from this results folder, and quote the place
    /// on its leaderboard.
    #[arg(long, value_name = "DIR")]
    results: Option<PathBuf>,
    /// The workload whose rate is taken, if the folder has several.
    #[arg(long, value_name = "NAME", requires = "results")]
    workload: Option<String>,
}

/// A schedule with its peak and its budget.
struct Choice {
    spec: ScheduleSpec,
    peak: f64,
    steps: usize,
    /// Its place on a leaderboard.
    evidence: Vec<String>,
}

impl Export {
    pub(crate) fn run(self, out: &mut impl Write) -> anyhow::Result<()> {
        let Choice { spec, peak, steps, mut evidence } = self.choice()?;
        refuse(&spec)?;
        let text = self.spec.unwrap_or_else(|| schedule_text(&spec));
        let label = spec.label();
        let rates = spec.rates(peak, steps).map_err(Error::from)?;
        let formula = spec.formula(steps).map_err(Error::from)?;
        let momentum = spec.momentum(steps).map_err(Error::from)?;
        evidence.extend(predicted(&rates, peak));
        let export = code::Export {
            label: &label,
            text: &text,
            spec: &spec,
            formula: &formula,
            momentum: momentum.as_ref(),
            peak,
            steps,
            evidence: &evidence,
        };
        let target = Target::ALL.into_iter().find(|t| t.name() == self.target);
        let target = target.expect("clap lets no other name pass");
        out.write_all(export.source(target)?.as_bytes())?;
        Ok(())
    }

    /// What is asked for, completed from the results.
    fn choice(&self) -> Result<Choice> {
        let spec = self.spec.as_deref().map(parse_schedule).transpose()?;
        let Some(dir) = &self.results else {
            let (Some(spec), Some(peak), Some(steps)) =
                (spec, self.peak, self.steps)
            else {
                unreachable!("clap wants them without `--results`");
            };
            return Ok(Choice { spec, peak, steps, evidence: vec![] });
        };
        let results = Results::open(dir)?;
        // Before the ranking, which takes longer.
        let steps = self.steps.map_or_else(|| results.steps(), Ok)?;
        let wanted = self.workload.as_deref();
        let workload = match self.peak {
            Some(_) => None,
            None => Some(results.workload(wanted)?),
        };
        let ranked = results.ranked()?;
        let spec = spec.map_or_else(|| ranked.winner(), Ok)?;
        let peak = match workload {
            Some(name) => ranked.peak(&spec, name, steps)?,
            None => self.peak.expect("no workload is needed with a peak"),
        };
        let evidence = ranked.evidence(&spec)?;
        Ok(Choice { spec, peak, steps, evidence: vec![evidence] })
    }
}

/// What no table of rates can say.
fn refuse(spec: &ScheduleSpec) -> Result<()> {
    let why = if spec.is_schedule_free() {
        "`schedule-free` is another form of the optimizer, not a table of \
         rates: train with `SGDScheduleFree` or `AdamWScheduleFree` of the \
         package schedulefree, or `optax.contrib.schedule_free`, at its \
         `lr_ratio` times the peak"
    } else if spec.averages() {
        "`average` is no part of a rate: export the schedule without it and \
         average the weights in the training, with `AveragedModel` and \
         `update_bn` of torch.optim.swa_utils or `optax.ema`"
    } else {
        return Ok(());
    };
    Err(Error::Invalid(why.to_owned()))
}

/// What the convex bound says, with the straight line for comparison.
fn predicted(rates: &[f64], peak: f64) -> Option<String> {
    let factors: Vec<f64> = rates.iter().map(|lr| lr / peak).collect();
    let own = bound(&factors)?;
    let line = ScheduleSpec::linear().rates(1.0, rates.len()).ok()?;
    let line = bound(&line)?;
    Some(format!(
        "convex bound {:.4} (linear {:.4}), best peak expected at {:.2} of \
         linear's; no training",
        own.omega,
        line.omega,
        own.peak / line.peak
    ))
}
