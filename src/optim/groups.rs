//! Weights with a learning rate of their own, as a multiple of the run's.

use super::Optim;
use candle_core::{Result, bail};

impl Optim {
    /// Gives the weights, called `names` in their order, the multiples of the
    /// learning rate that the spec has for parts of their names.
    ///
    /// # Errors
    ///
    /// If the spec names a part that no weight has.
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

/// Whether the words of `part`, between dots, stand in `name` one after the
/// other.
fn has(name: &str, part: &str) -> bool {
    format!(".{name}.").contains(&format!(".{part}."))
}
