//! A schedule as source code for other frameworks.
//!
//! Every file that comes out stands alone: a header, the closed forms as
//! functions of the update, `factor` and `lr`, and what the framework wants
//! around them. The forms are those that runs here evaluate, so the rates
//! are the same.

mod dialect;
mod frameworks;
#[cfg(test)]
mod tests;

use crate::schedule::Formula;
pub(crate) use dialect::formula;
use std::sync::Arc;

/// A framework to write a schedule for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Torch,
    Optax,
    Keras,
    Mxnet,
    Candle,
    Burn,
}

impl Target {
    /// All of them.
    pub(crate) const ALL: [Self; 6] = [
        Self::Torch,
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

/// A schedule to write out.
pub(crate) struct Export<'a> {
    /// Its label.
    pub(crate) label: &'a str,
    /// Its spec on one line, as the command line takes it.
    pub(crate) spec: &'a str,
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
    pub(crate) fn source(&self, target: Target) -> String {
        let mark = if target.is_rust() { "//!" } else { "#" };
        let lines = self.header(target).into_iter();
        // The name of a table's file may hold anything; a comment is one line.
        let lines = lines.map(|line| line.replace(char::is_control, " "));
        let lines: Vec<String> =
            lines.map(|line| format!("{mark} {line}")).collect();
        let header: Vec<&str> = lines.iter().map(|l| l.trim_end()).collect();
        let header = header.join("\n");
        format!("{header}\n\n{}", frameworks::body(self, target))
    }

    /// What a reader has to know before using the code.
    fn header(&self, target: Target) -> Vec<String> {
        let Self { label, spec, peak, steps, evidence, .. } = self;
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
        lines.extend(
            [
                "rescale   another model or batch: change PEAK alone, the \
                 shape is free of it;",
                "          another budget: write the file again, shares of \
                 the steps follow it",
                "          and lengths in steps stay:",
            ]
            .map(str::to_owned),
        );
        // The words of the command line, quoted for a shell.
        let quoted = spec.replace('\'', "'\\''");
        lines.push(format!(
            "          lrscout export '{quoted}' --peak {peak:?} --steps \
             {steps} --target {}",
            target.name()
        ));
        lines
    }
}
