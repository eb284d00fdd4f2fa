//! Learning rates of single weights, as multiples of the rate of the run.

use super::Optim;
use candle_core::{Result, bail};

impl Optim {
    /// Assigns the weights with these `names` the multiples of the learning
    /// rate that the spec gives for parts of names.
    ///
    /// # Errors
    ///
    /// If the spec has a part that matches no weight.
    pub(crate) fn named(mut self, names: &[String]) -> Result<Self> {
        let all = self.spec.lr_multipliers();
        for part in all.keys() {
            if !names.iter().any(|name| has(name, part)) {
                bail!(
                    "`lr_multipliers` has `{part}`, which is part of no \
                     weight's name; they are {}",
                    names.join(", ")
                );
            }
        }
        let multiplier = |name: &String| {
            let own = all.iter().filter(|(part, _)| has(name, part));
            let longest = own.max_by_key(|(part, _)| part.len());
            longest.map_or(1.0, |(_, &multiplier)| multiplier)
        };
        self.multipliers = names.iter().map(multiplier).collect();
        Ok(self)
    }
}

/// Whether the words of `part`, separated by dots, occur in `name` one after
/// the other.
fn has(name: &str, part: &str) -> bool {
    format!(".{name}.").contains(&format!(".{part}."))
}
