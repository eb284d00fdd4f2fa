//! The schedulers that come with a framework, where they give our rates.
//!
//! A framework's formula is written down here in its own frame: which update
//! gets which value. Its settings are used only if it gives the rates of the
//! schedule at every update; nothing is taken for equal by its name.

pub(super) mod deepspeed;
mod hf;
pub(super) mod megatron;
#[cfg(test)]
mod tests;

use super::{Export, Target};

/// How far from the peak's share a rate may be: the rounding of two ways to
/// evaluate one formula.
const ROUNDING: f64 = 1e-12;

/// A scheduler of a framework with its settings.
pub(super) struct Own {
    /// What the framework calls it.
    pub(super) name: String,
    /// Its settings, as the framework spells names and values.
    pub(super) settings: Vec<(&'static str, String)>,
    /// Share of the peak that it gives at an update, from 0.
    factor: Box<dyn Fn(usize) -> f64>,
}

impl Own {
    fn new(
        name: &str,
        settings: impl IntoIterator<Item = (&'static str, String)>,
        factor: impl Fn(usize) -> f64 + 'static,
    ) -> Self {
        Self {
            name: name.to_owned(),
            settings: settings.into_iter().collect(),
            factor: Box::new(factor),
        }
    }

    /// Every setting as `write` puts it, with `between` between two.
    pub(super) fn listed(
        &self,
        between: &str,
        write: impl Fn(&str, &str) -> String,
    ) -> String {
        let settings = self.settings.iter();
        let lines: Vec<String> =
            settings.map(|(key, value)| write(key, value)).collect();
        lines.join(between)
    }

    /// The largest distance to `factors`, as a share of the peak.
    fn distance(&self, factors: &[f64]) -> f64 {
        let distance = |(step, want): (usize, &f64)| {
            let distance = ((self.factor)(step) - want).abs();
            if distance.is_nan() { f64::INFINITY } else { distance }
        };
        factors.iter().enumerate().map(distance).fold(0.0, f64::max)
    }
}

/// The scheduler of `target` that gives the schedule exactly, if it has one.
pub(super) fn exact(export: &Export<'_>, target: Target) -> Option<Own> {
    if export.momentum.is_some() {
        return None;
    }
    let candidates = match target {
        Target::Hf => hf::candidates(export),
        Target::Deepspeed => deepspeed::candidates(export),
        Target::Megatron => megatron::candidates(export),
        _ => return None,
    };
    let factors = export.factors();
    candidates.into_iter().find(|own| own.distance(&factors) <= ROUNDING)
}

/// Half a cosine from 1 at 0 to 0 at 1.
fn half_cosine(x: f64) -> f64 {
    f64::midpoint(1.0, (std::f64::consts::PI * x).cos())
}

/// From 1 to `end` as `x` goes from 1 to 0.
fn down_to(end: f64, x: f64) -> f64 {
    end + (1.0 - end) * x
}

/// Updates of the warm-up, and the factor of the first update.
fn rise(export: &Export<'_>) -> (usize, f64) {
    let warmup = export.spec.warmup_steps(export.steps).unwrap_or(0);
    (warmup, export.formula.at(0.0))
}

/// The last updates in which a `wsd` decays; `None` if they are no whole
/// number.
fn decay_steps(export: &Export<'_>) -> Option<usize> {
    let (warmup, _) = rise(export);
    let after = export.steps - warmup;
    let decay = after as f64 * export.spec.number("decay")?;
    (0..=after).find(|&n| (decay - n as f64).abs() < 1e-9 * after as f64)
}
