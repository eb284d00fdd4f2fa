use crate::error::Error;
use crate::grid::parse_schedule;
use crate::ranking::{Protocol, Ranking, Runs};
use crate::report::code::{self, Target};
use crate::results::Folder;
use crate::results::rows::LeaderboardRow;
use crate::schedule::{ScheduleSpec, bound};
use clap::Args;
use clap::builder::PossibleValuesParser;
use std::io::Write;
use std::path::PathBuf;

/// Print a schedule as source code for another framework.
///
/// The code needs no other file. It has the closed form as a pure function of
/// the step, and the wrapper that the framework expects. Its header states the
/// peak, the budget, the evidence for the schedule, and how to rescale it.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    lrscout export '{ kind = \"wsd\" }' --peak 0.1 --steps 5000 \
    --target torch > schedule.py\n  \
    lrscout export '{ kind = \"cosine\", warmup = \"5%\" }' --peak 3e-4 \
    --steps 20000 --target candle --results results/standard")]
pub(crate) struct Export {
    /// The schedule, as an inline TOML table.
    spec: String,
    /// Its highest learning rate.
    #[arg(long, allow_negative_numbers = true)]
    peak: f64,
    /// The budget, in optimizer updates.
    #[arg(long)]
    steps: usize,
    /// The framework to write for.
    #[arg(long, value_name = "FRAMEWORK",
        value_parser = PossibleValuesParser::new(Target::ALL.map(Target::name)))]
    target: String,
    /// Quote the schedule's place on the leaderboard of this results folder.
    #[arg(long, value_name = "DIR")]
    results: Option<PathBuf>,
}

impl Export {
    pub(crate) fn run(self, out: &mut impl Write) -> anyhow::Result<()> {
        let spec = parse_schedule(&self.spec)?;
        if spec.is_schedule_free() {
            return Err(Error::Invalid(
                "`schedule-free` is another form of the optimizer, not a \
                 table of rates: train with `SGDScheduleFree` or \
                 `AdamWScheduleFree` of the package schedulefree, or \
                 `optax.contrib.schedule_free`, at its `lr_ratio` times the \
                 peak"
                    .to_owned(),
            )
            .into());
        }
        if spec.averages() {
            return Err(Error::Invalid(
                "`average` is no part of a rate: export the schedule without \
                 it and average the weights in the training, with \
                 `AveragedModel` and `update_bn` of torch.optim.swa_utils or \
                 `optax.ema`"
                    .to_owned(),
            )
            .into());
        }
        let label = spec.label();
        let rates = spec.rates(self.peak, self.steps).map_err(Error::from)?;
        let formula = spec.formula(self.steps).map_err(Error::from)?;
        let momentum = spec.momentum(self.steps).map_err(Error::from)?;
        let mut evidence = vec![];
        if let Some(dir) = &self.results {
            let folder = Folder::open(dir)?;
            let runs = Runs::read(&folder.runs()?, None)?;
            let protocol = Protocol {
                control: folder.outline().control,
                ..Protocol::default()
            };
            let ranking =
                Ranking::of(&runs.observations, &runs.column, &protocol)?;
            let rows = ranking.leaderboard();
            let row = rows.iter().find(|row| row.schedule == label);
            let row = row.ok_or_else(|| {
                let labels: Vec<_> =
                    rows.iter().map(|row| row.schedule.as_str()).collect();
                Error::Invalid(format!(
                    "{} has no schedule `{label}`, it has {}",
                    dir.display(),
                    labels.join(", ")
                ))
            })?;
            evidence.push(ranked(row, rows.len(), &dir.display().to_string()));
        }
        evidence.extend(predicted(&rates, self.peak));
        // A comment is one line.
        let words: Vec<_> = self.spec.split_whitespace().collect();
        let export = code::Export {
            label: &label,
            spec: &words.join(" "),
            formula: &formula,
            momentum: momentum.as_ref(),
            peak: self.peak,
            steps: self.steps,
            evidence: &evidence,
        };
        let target = Target::ALL.into_iter().find(|t| t.name() == self.target);
        let target = target.expect("clap lets no other name pass");
        out.write_all(export.source(target).as_bytes())?;
        Ok(())
    }
}

/// What a leaderboard says.
fn ranked(row: &LeaderboardRow, of: usize, folder: &str) -> String {
    format!(
        "{} in {folder}: place {} of {of}, mean rank {:.2}, {} runs",
        row.verdict.name(),
        row.place,
        row.mean_rank,
        row.runs
    )
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        export: Export,
    }

    /// What `lrscout export ...` prints.
    fn printed(arguments: &[&str]) -> anyhow::Result<String> {
        let command = Command::try_parse_from(
            std::iter::once("export").chain(arguments.iter().copied()),
        )?;
        let mut out = vec![];
        command.export.run(&mut out)?;
        Ok(String::from_utf8(out)?)
    }

    #[test]
    fn the_header_says_what_it_is_and_how_to_rescale() {
        let spec = "{ kind = \"cosine\", end_ratio = 0.1 }";
        let got = printed(&[
            spec, "--peak", "0.1", "--steps", "100", "--target", "torch",
        ]);
        let want = "\
# The learning-rate schedule cosine(end_ratio=0.1), for torch.
#
# peak      0.1, the highest learning rate
# steps     100 optimizer updates, counted from 0
# evidence  convex bound 0.2031 (linear 0.2036), best peak expected at 0.91 \
of linear's; no training
# rescale   another model or batch: change PEAK alone, the shape is free of \
it;
#           another budget: write the file again, shares of the steps follow \
it
#           and lengths in steps stay:
#           lrscout export '{ kind = \"cosine\", end_ratio = 0.1 }' --peak \
0.1 --steps 100 --target torch

import math

from torch.optim.lr_scheduler import LambdaLR

PEAK = 0.1
STEPS = 100


def cosine_at(t):
    end_ratio = 0.1
    cycles = 0.5
    steps = 100.0
    p = t / steps
    return end_ratio + (1.0 - end_ratio) * \
((1.0 + math.cos(math.pi * (2.0 * cycles * p))) / 2.0)


def factor(step):
    \"\"\"Share of the peak at update `step`, from 0; the last one holds.\"\"\"
    return cosine_at(float(min(step, STEPS - 1)))


def lr(step):
    \"\"\"Learning rate of update `step`.\"\"\"
    return PEAK * factor(step)


def scheduler(optimizer):
    \"\"\"For an optimizer made with `lr=PEAK`; step it after each update.\"\"\"
    return LambdaLR(optimizer, factor)
";
        assert_eq!(got.expect("stands"), want);
    }

    #[test]
    fn the_place_on_a_leaderboard_is_evidence() {
        let folder = tempfile::tempdir().expect("a folder");
        let rows = (0..40).map(|seed| format!("w,linear,{seed},1.5\n"));
        let rows: String = rows.collect();
        let runs = format!("workload,schedule,seed,valid_loss\n{rows}");
        let path = folder.path().join("runs.csv");
        std::fs::write(path, runs).expect("writable");
        let dir = folder.path().to_str().expect("UTF-8");
        let run = |kind: &str| {
            let spec = format!("{{ kind = \"{kind}\" }}");
            let rest = ["--peak", "1", "--steps", "9", "--target", "candle"];
            printed(
                &[&[spec.as_str()][..], &rest, &["--results", dir]].concat(),
            )
        };
        let got = run("linear").expect("stands");
        let want = format!("//! evidence  control in {dir}: place 1 of 1");
        assert!(got.contains(&want), "{got}");
        let error = run("rex").expect_err("not on the board").to_string();
        assert!(error.ends_with("no schedule `rex`, it has linear"), "{error}");
    }
}
