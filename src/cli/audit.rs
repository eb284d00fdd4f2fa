use super::Format;
use super::wanted::{OfLibrary, Wanted};
use crate::audit::{
    Finding, Intended, Log, Named, Rates, Verdict, against, alone, named,
};
use crate::error::{Error, Result};
use crate::import::{RateLog, read_rates};
use crate::report::plot::rates_of_a_log;
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Say what the learning rates of a training really did.
///
/// LOG has the rates that the training logged: CSV, JSON, JSON lines,
/// `trainer_state.json`, an export of W&B, metrics.csv of Lightning or an event
/// file of TensorBoard. Some of the updates are enough.
///
/// With --spec, --peak and --steps, the rates are compared with the schedule
/// that was intended. Without them, lrscout names the schedule that has these
/// rates, and says what looks wrong.
///
/// A log of the steps 0, 10, 20 or 9, 19, 29 counts from 0, one of 1, 2, 3 or
/// 10, 20, 30 from 1. Exit codes: 0 as intended, 1 the rates differ, 2 the log
/// does not show it, 65 the log cannot be read.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    lrscout audit outputs/checkpoint-900/trainer_state.json\n  \
    lrscout audit log.csv --spec '{ kind = \"cosine\", warmup = \"5%\" }' \
    --peak 3e-4 --steps 1000 --plot audit.svg\n  \
    lrscout audit metrics.csv --format json \
    --spec 'get_linear_schedule_with_warmup(num_warmup_steps=50, \
    num_training_steps=1000)' --compat hf --peak 5e-5 --steps 1000")]
pub(crate) struct Audit {
    /// The log of a training.
    log: PathBuf,
    /// The schedule that was intended: an inline TOML table, or a call of the
    /// library that --compat names.
    #[arg(long, value_name = "SPEC|CALL", requires = "peak")]
    #[arg(requires = "steps", allow_hyphen_values = true)]
    spec: Option<String>,
    /// Its highest learning rate; of a call, the rate of the optimizer.
    #[arg(long, allow_negative_numbers = true)]
    peak: Option<f64>,
    /// The updates that were planned.
    #[arg(long)]
    steps: Option<usize>,
    #[command(flatten)]
    library: OfLibrary,
    /// The column of the learning rates.
    #[arg(long, value_name = "COLUMN")]
    lr: Option<String>,
    /// Write the intended and the logged rates to this file as SVG.
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Lines for reading, or an object for scripts.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

impl Audit {
    pub(crate) fn run(self, out: &mut impl Write) -> anyhow::Result<ExitCode> {
        let epoch = self.library.updates_per_epoch.map(|each| each as u64);
        let read = read_rates(&self.log, self.lr.as_deref(), epoch)?;
        let log = Log::of(&read);
        let name = named(&log);
        let (finding, intended) = match (&self.spec, self.peak, self.steps) {
            (Some(spec), Some(peak), Some(steps)) => {
                let library = &self.library;
                let wanted = Wanted { spec, peak, steps, library };
                let (finding, rates) = compared(&log, &wanted)?;
                (finding, Some((wanted.kind()?, rates)))
            }
            _ => (alone(&log, name.as_ref()), None),
        };
        if let Some(path) = &self.plot {
            let logged: Vec<(f64, f64)> = log
                .points
                .iter()
                .map(|point| (point.update as f64, point.rate))
                .collect();
            let rates = intended.as_ref().map(|(_, rates)| rates.as_slice());
            let svg = rates_of_a_log(&logged, rates.unwrap_or_default());
            std::fs::write(path, svg).map_err(Error::io(path))?;
        }
        let kind = intended.as_ref().map(|(kind, _)| kind.as_str());
        let kind = kind.or(name.as_ref().map(|name| name.kind));
        match self.format {
            Format::Json => {
                let answer =
                    as_json(&finding, kind, name.as_ref(), &log, &read);
                writeln!(out, "{}", serde_json::to_string_pretty(&answer)?)?;
            }
            Format::Text => say(out, &finding, name.as_ref(), &log, &read)?,
        }
        Ok(ExitCode::from(match finding.verdict {
            Verdict::AsIntended => 0,
            Verdict::Differs => 1,
            Verdict::CannotTell => 2,
        }))
    }
}

/// The finding of a log against what was wanted, and the rates of that.
fn compared(log: &Log, wanted: &Wanted<'_>) -> Result<(Finding, Vec<f64>)> {
    let steps = wanted.steps;
    // Also for schedulers that are stepped too often.
    let updates = steps.max(usize::try_from(log.last()).unwrap_or(steps)) + 2;
    let rates = wanted.rates(updates)?;
    let held = !wanted.is_call();
    let rate = |update: u64| {
        let update = usize::try_from(update).unwrap_or(usize::MAX);
        rates.at(if held { update.min(steps) } else { update })
    };
    let planned = |plan: u64| -> Option<Rates> {
        let steps = usize::try_from(plan).ok()?;
        let rates = Wanted { steps, ..*wanted }.rates(steps).ok()?;
        Some(Box::new(move |update: u64| {
            rates.at(usize::try_from(update.min(plan)).unwrap_or(steps))
        }))
    };
    // A warm-up that ends later than the last update has no peak.
    let peak = (0..steps as u64).map(&rate).fold(0.0, f64::max);
    let intended = Intended {
        steps: steps as u64,
        peak,
        rate: &rate,
        planned: held.then_some(&planned as &dyn Fn(u64) -> Option<Rates>),
    };
    let finding = against(log, &intended);
    Ok((finding, (0..steps as u64).map(rate).collect()))
}

fn as_json(
    finding: &Finding,
    kind: Option<&str>,
    named: Option<&Named>,
    log: &Log,
    read: &RateLog,
) -> serde_json::Value {
    let rates = finding.rates;
    json!({
        "verdict": finding.verdict,
        "kind": kind,
        "first_update": finding.first_update,
        "fault": finding.fault,
        "said": finding.said,
        "logged": rates.map(|(logged, _)| logged),
        "intended": rates.map(|(_, intended)| intended),
        "spec": named.map(|named| &named.spec),
        "peak": named.map(|named| named.peak),
        "steps": named.and_then(|named| named.steps),
        "read": read.said,
        "updates": {
            "first": log.points.first().map(|point| point.update),
            "last": log.points.last().map(|point| point.update),
            "every": log.every,
            "logged_from": u8::from(log.from_one),
        },
    })
}

fn say(
    out: &mut impl Write,
    finding: &Finding,
    named: Option<&Named>,
    log: &Log,
    read: &RateLog,
) -> std::io::Result<()> {
    let verdict = match finding.verdict {
        Verdict::AsIntended => "as intended",
        Verdict::Differs => "differs",
        Verdict::CannotTell => "cannot tell",
    };
    writeln!(out, "{verdict}: {}", finding.said)?;
    if let Some(update) = finding.first_update {
        let rates = finding.rates.map(|(logged, intended)| {
            format!(": logged {logged:e}, intended {intended:e}")
        });
        let rates = rates.unwrap_or_default();
        writeln!(out, "first update: {update}{rates}")?;
    }
    if let Some(Named { spec, peak, steps, .. }) = named {
        let over = steps.map(|steps| format!(" over {steps} updates"));
        let over = over.unwrap_or_default();
        writeln!(out, "schedule of the log: {spec}, peak {peak:e}{over}")?;
    }
    let (last, every) = (log.last(), log.every);
    let from = if log.from_one { ", counted from 1" } else { "" };
    writeln!(out, "read: {}{from}, every {every}, to update {last}", read.said)
}
