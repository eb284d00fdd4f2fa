use super::Format;
use super::wanted::{OfLibrary, Wanted};
use crate::audit::{
    Finding, Intended, Log, Named, Planned, Rates, Verdict, against, alone,
    named,
};
use crate::error::{Error, Result};
use crate::import::{RateLog, read_rates};
use crate::report::plot::rates_of_a_log;
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;

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
    #[arg(long, allow_negative_numbers = true, requires = "spec")]
    peak: Option<f64>,
    /// The updates that were planned.
    #[arg(long, requires = "spec")]
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
    pub(crate) fn run(self, out: &mut impl Write) -> anyhow::Result<Verdict> {
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
        Ok(finding.verdict)
    }
}

/// The finding of a log against what was wanted, and the rates of that.
fn compared(log: &Log, wanted: &Wanted<'_>) -> Result<(Finding, Vec<f64>)> {
    let steps = wanted.steps;
    // One more than the log has, which may be read after the scheduler's step.
    // Some libraries raise an error past the end of their plan.
    let logged = usize::try_from(log.last() + 1).unwrap_or(steps);
    let most = steps.max(logged) + 1;
    let rate = wanted
        .rates(most)
        .or_else(|_| wanted.rates(most - 1))
        .or_else(|_| wanted.rates(steps))?;
    let planned = |plan: u64| -> Option<Rates> {
        let steps = usize::try_from(plan).ok()?;
        Wanted { steps, ..*wanted }.rates(steps).ok()
    };
    let planned: Planned<'_> = &planned;
    // A call has its plan in it.
    let planned = (!wanted.is_call()).then_some(planned);
    let intended = Intended::new(steps as u64, &*rate, planned);
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        audit: Audit,
    }

    /// The verdict on a log of `rates`, and what is printed.
    fn audited(
        text: &str,
        arguments: &[&str],
    ) -> anyhow::Result<(Verdict, String)> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("log.csv");
        std::fs::write(&path, text)?;
        let path = path.to_str().expect("UTF-8");
        let command = Command::try_parse_from(
            ["audit", path].iter().chain(arguments).copied(),
        )?;
        let mut out = vec![];
        let verdict = command.audit.run(&mut out)?;
        Ok((verdict, String::from_utf8(out)?))
    }

    /// A log of 40 updates of a cosine.
    fn cosine() -> String {
        let spec = crate::grid::parse_schedule("cosine").expect("a spec");
        let rates = spec.rates(0.1, 40).expect("rates");
        let rows = rates.iter().enumerate().map(|(i, r)| format!("{i},{r}\n"));
        std::iter::once("step,lr\n".to_owned()).chain(rows).collect()
    }

    const PLAN: [&str; 4] = ["--peak", "0.1", "--steps", "40"];

    #[test]
    fn a_call_is_compared_also_where_its_library_raises_after_its_end() {
        let call = "OneCycleLR(max_lr=1, total_steps=40)";
        let values = crate::library::Package::named("torch").expect("torch");
        let run = crate::library::Run {
            peak: 1.0,
            steps: 40,
            version: None,
            epoch: None,
            processes: 1,
        };
        let read = values.read(call).expect("a call");
        let rates = values.rates(&read, &run).expect("rates");
        let rows = rates.iter().enumerate().map(|(i, r)| format!("{i},{r}\n"));
        let log: String =
            std::iter::once("step,lr\n".to_owned()).chain(rows).collect();
        let asked = ["--spec", call, "--compat", "torch"];
        let arguments = [&asked[..], &PLAN].concat();
        let (verdict, _) = audited(&log, &arguments).expect("an answer");
        assert_eq!(verdict, Verdict::AsIntended);
    }

    #[test]
    fn the_object_has_what_scripts_read() {
        let arguments =
            [&["--spec", "linear", "--format", "json"][..], &PLAN].concat();
        let (verdict, text) =
            audited(&cosine(), &arguments).expect("an answer");
        assert_eq!(verdict, Verdict::Differs);
        let answer: serde_json::Value =
            serde_json::from_str(&text).expect("JSON");
        assert_eq!(answer["verdict"], "differs");
        assert_eq!(answer["kind"], "linear");
        assert_eq!(answer["first_update"], 1);
        assert_eq!(answer["spec"], "{ kind = \"cosine\" }");
    }

    #[test]
    fn flags_that_would_do_nothing_are_refused() {
        for arguments in [
            &["--steps", "40"][..],
            &["--peak", "0.1"],
            &["--compat", "torch"],
            &["--spec", "cosine"],
        ] {
            audited(&cosine(), arguments).expect_err("a flag alone");
        }
        let arguments =
            [&["--spec", "cosine", "--compat", "hf@5.0"][..], &PLAN].concat();
        let error = audited(&cosine(), &arguments).expect_err("a version");
        assert!(error.to_string().starts_with("only a call has a version"));
        let call = ["--spec", "StepLR(3)", "--compat", "torch"];
        let none = ["--processes", "0"];
        let arguments = [&call[..], &none, &PLAN].concat();
        let error = audited(&cosine(), &arguments).expect_err("no process");
        assert_eq!(error.to_string(), "--processes must be 1 or more");
    }

    #[test]
    fn a_log_that_says_nothing_is_no_guess() {
        for text in ["step,lr\n", "step,lr\n0,0.1\n1,0.1\n"] {
            let (verdict, _) = audited(text, &[]).expect("an answer");
            assert_eq!(verdict, Verdict::CannotTell, "{text}");
        }
        for text in ["", "step,lr\n0,inf\n", "step,lr\n-1,0.1\n", "\0\u{1}"] {
            audited(text, &[]).expect_err("no log");
        }
    }

    #[test]
    fn a_warm_up_before_the_first_row_is_not_invented() {
        let log = "epoch,lr\n0,0.1\n1,0.09\n2,0.08\n3,0.07\n";
        let (_, text) =
            audited(log, &["--updates-per-epoch", "100"]).expect("an answer");
        assert!(!text.contains("warmup"), "{text}");
    }
}
