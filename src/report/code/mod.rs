//! A schedule as source code for other frameworks.
//!
//! Every file that comes out stands alone: a header, the closed forms as
//! functions of the update, `factor` and `lr`, and what the framework wants
//! around them. The forms are those that runs here evaluate, so the rates
//! are the same. Where a framework's own scheduler gives the same rates at
//! every update, its settings are written instead.
//!
//! `frameworks` puts a file together, `python` has the wrappers of the Python
//! frameworks, `own` their own schedulers, `dialect` the expressions.

mod dialect;
mod frameworks;
mod own;
mod python;
#[cfg(test)]
mod tests;

use crate::error::{Error, Result};
use crate::schedule::{Formula, ScheduleSpec};
pub(crate) use dialect::formula;
use std::sync::Arc;

/// A framework to write a schedule for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Torch,
    Hf,
    Lightning,
    Accelerate,
    Deepspeed,
    Composer,
    Megatron,
    Optax,
    Keras,
    Mxnet,
    Candle,
    Burn,
}

impl Target {
    /// All of them.
    pub(crate) const ALL: [Self; 12] = [
        Self::Torch,
        Self::Hf,
        Self::Lightning,
        Self::Accelerate,
        Self::Deepspeed,
        Self::Composer,
        Self::Megatron,
        Self::Optax,
        Self::Keras,
        Self::Mxnet,
        Self::Candle,
        Self::Burn,
    ];

    /// Name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Torch => "torch",
            Self::Hf => "hf",
            Self::Lightning => "lightning",
            Self::Accelerate => "accelerate",
            Self::Deepspeed => "deepspeed",
            Self::Composer => "composer",
            Self::Megatron => "megatron",
            Self::Optax => "optax",
            Self::Keras => "keras",
            Self::Mxnet => "mxnet",
            Self::Candle => "candle",
            Self::Burn => "burn",
        }
    }

    fn is_rust(self) -> bool {
        matches!(self, Self::Candle | Self::Burn)
    }
}

/// How a file with a constant `PEAK` is used at another peak.
const CODE: &str = "change PEAK alone, the shape is free of it;";
/// How a file of settings is.
const SETTINGS: &str = "write the file again with its peak;";

/// A schedule to write out.
pub(crate) struct Export<'a> {
    /// Its label.
    pub(crate) label: &'a str,
    /// Its spec on one line, as the command line takes it.
    pub(crate) text: &'a str,
    /// The spec itself.
    pub(crate) spec: &'a ScheduleSpec,
    /// Its factor on the peak.
    pub(crate) formula: &'a Arc<Formula>,
    /// Its momentum, where it cycles that too.
    pub(crate) momentum: Option<&'a Arc<Formula>>,
    /// Its highest learning rate.
    pub(crate) peak: f64,
    /// Its budget, in updates.
    pub(crate) steps: usize,
    /// What speaks for or against it, a line each.
    pub(crate) evidence: &'a [String],
}

impl Export<'_> {
    /// The source code for `target`.
    ///
    /// # Errors
    ///
    /// If the target has nothing but a scheduler of its own, which cannot
    /// give these rates: the message says what comes nearest.
    pub(crate) fn source(&self, target: Target) -> Result<String> {
        let own = own::exact(self, target);
        match (target, own) {
            (Target::Deepspeed, Some(own)) => {
                Ok(own::deepspeed::file(&own, &self.header(target, SETTINGS)))
            }
            (Target::Megatron, Some(own)) => {
                let body = own::megatron::file(&own);
                Ok(self.under_header(target, SETTINGS, &body))
            }
            (Target::Megatron, None) => {
                Err(Error::Invalid(own::megatron::refusal(self)))
            }
            (_, own) => {
                let body = frameworks::body(self, target, own.as_ref());
                Ok(self.under_header(target, CODE, &body))
            }
        }
    }

    fn under_header(
        &self,
        target: Target,
        rescale: &str,
        body: &str,
    ) -> String {
        let mark = if target.is_rust() { "//!" } else { "#" };
        let lines = self.header(target, rescale).into_iter();
        let lines: Vec<String> =
            lines.map(|line| format!("{mark} {line}")).collect();
        let header: Vec<&str> = lines.iter().map(|l| l.trim_end()).collect();
        format!("{}\n\n{body}", header.join("\n"))
    }

    /// The factor of every update.
    fn factors(&self) -> Vec<f64> {
        (0..self.steps).map(|step| self.formula.at(step as f64)).collect()
    }

    /// What a reader has to know before using the code, a line each.
    fn header(&self, target: Target, rescale: &str) -> Vec<String> {
        let Self { label, text, peak, steps, evidence, .. } = self;
        let mut lines = vec![
            format!(
                "The learning-rate schedule {label}, for {}.",
                target.name()
            ),
            String::new(),
            format!("peak      {peak:?}, the highest learning rate"),
            format!("steps     {steps} optimizer updates, counted from 0"),
        ];
        let first = std::iter::once("evidence").chain(std::iter::repeat(""));
        let evidence = first.zip(*evidence);
        lines.extend(evidence.map(|(key, line)| format!("{key:8}  {line}")));
        lines.extend([
            format!("rescale   another model or batch: {rescale}"),
            "          another budget: write the file again, shares of the \
             steps follow it"
                .to_owned(),
            "          and lengths in steps stay:".to_owned(),
        ]);
        // The words of the command line, quoted for a shell.
        let quoted = text.replace('\'', "'\\''");
        lines.push(format!(
            "          lrscout export '{quoted}' --peak {peak:?} --steps \
             {steps} --target {}",
            target.name()
        ));
        // The name of a table's file may hold anything; a comment is one line.
        let lines = lines.into_iter();
        lines.map(|line| line.replace(char::is_control, " ")).collect()
    }
}
