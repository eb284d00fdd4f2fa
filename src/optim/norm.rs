//! Norms of the gradients.

use super::{Gradients, Optim};
use candle_core::Result;

impl Optim {
    /// The norm of all gradients that `refined` schedules of this optimizer
    /// use: L2 for SGD, L1 for the others.
    ///
    /// # Errors
    ///
    /// If the device fails.
    pub(crate) fn refining_norm(
        &self,
        gradients: &Gradients<'_>,
    ) -> Result<f64> {
        self.norm(gradients, if self.spec.is_adaptive() { 1 } else { 2 })
    }

    /// The L1 or L2 norm of all gradients together.
    pub(super) fn norm(
        &self,
        gradients: &Gradients<'_>,
        power: i32,
    ) -> Result<f64> {
        let sum: f64 = match gradients {
            Gradients::Slices(all) => {
                let all = all.iter().flatten().flat_map(|g| g.iter());
                all.map(|&g| f64::from(g).abs().powi(power)).sum()
            }
            Gradients::Tensors(store) => {
                let mut sum = 0.0;
                for var in &self.vars {
                    if let Some(gradient) = store.get(var.as_tensor()) {
                        let gradient = gradient.detach();
                        let each = match power {
                            1 => gradient.abs()?,
                            _ => gradient.sqr()?,
                        };
                        let part = each.sum_all()?.to_scalar::<f32>()?;
                        sum += f64::from(part);
                    }
                }
                sum
            }
        };
        Ok(if power == 1 { sum } else { sum.sqrt() })
    }
}
