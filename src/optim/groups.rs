//! What single weights have of their own: multiples of the learning rate, and
//! with Muon which of two optimizers trains them.

use super::{Optim, Part};
use crate::spec::{EMBEDDINGS_AND_HEADS, OptimizerSpec};
use candle_core::{Result, Var, bail};

/// The parts of weights without names: with Muon, those of fewer than two
/// dimensions are for the other optimizer.
pub(super) fn parts(spec: &OptimizerSpec, vars: &[Var]) -> Vec<Part> {
    let all = vars.iter();
    all.map(|var| part(spec, var.rank() < 2, 1.0)).collect()
}

fn part(spec: &OptimizerSpec, is_rest: bool, multiplier: f64) -> Part {
    match spec.rest() {
        Some((_, ratio)) if is_rest => {
            Part { multiplier: multiplier * ratio, is_rest }
        }
        _ => Part { multiplier, is_rest: false },
    }
}

impl Optim {
    /// Assigns the weights with these `names` what the spec says of parts of
    /// names: multiples of the learning rate, and whether they are embeddings
    /// or heads.
    ///
    /// # Errors
    ///
    /// If the spec has a part that matches no weight.
    pub(crate) fn named(mut self, names: &[String]) -> Result<Self> {
        let all = self.spec.lr_multipliers();
        let own = match &self.spec {
            OptimizerSpec::Muon { adamw_for, .. } => adamw_for.as_deref(),
            _ => None,
        };
        let multiplied = all.keys().map(|part| ("lr_multipliers", part));
        let listed = own.into_iter().flatten();
        for (key, part) in
            multiplied.chain(listed.map(|part| ("adamw_for", part)))
        {
            if !names.iter().any(|name| has(name, part)) {
                bail!(
                    "`{key}` has `{part}`, which is part of no weight's \
                     name; they are {}",
                    names.join(", ")
                );
            }
        }
        let is_listed = |name: &str| match own {
            Some(own) => own.iter().any(|part| has(name, part)),
            None => EMBEDDINGS_AND_HEADS.iter().any(|part| has(name, part)),
        };
        let multiplier = |name: &String| {
            let own = all.iter().filter(|(part, _)| has(name, part));
            let longest = own.max_by_key(|(part, _)| part.len());
            longest.map_or(1.0, |(_, &multiplier)| multiplier)
        };
        let each = names.iter().zip(&self.vars).map(|(name, var)| {
            let is_rest = var.rank() < 2 || is_listed(name);
            part(&self.spec, is_rest, multiplier(name))
        });
        self.parts = each.collect();
        Ok(self)
    }
}

/// Whether the words of `part`, separated by dots, occur in `name` one after
/// the other.
fn has(name: &str, part: &str) -> bool {
    format!(".{name}.").contains(&format!(".{part}."))
}
