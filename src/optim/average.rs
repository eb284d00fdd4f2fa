//! Averages of the weights, taken beside a training that knows nothing of them.

use crate::kernels::update;
use crate::schedule::Average;
use candle_core::{
    CpuStorage, Device, InplaceOp2, Layout, Result, Tensor, Var, bail,
};

/// An average of weights along a training, and how far it has come.
#[derive(Clone, Debug)]
pub(crate) struct WeightAverage {
    pub(crate) kind: Average,
    /// Weights that were averaged so far.
    pub(crate) taken: u32,
    /// In the order of the weights; empty if none was taken.
    pub(crate) values: Vec<Tensor>,
}

impl WeightAverage {
    /// An average of nothing so far.
    pub(crate) fn new(kind: Average) -> Self {
        Self { kind, taken: 0, values: vec![] }
    }

    /// Takes the weights after update `done`, counted from 1.
    ///
    /// # Errors
    ///
    /// If the device fails.
    pub(crate) fn take(&mut self, done: usize, vars: &[Var]) -> Result<()> {
        let share = match self.kind {
            // The optimizer keeps it.
            Average::ScheduleFree => return Ok(()),
            Average::Swa { after } if done <= after => return Ok(()),
            Average::Swa { .. } => 1.0 / (f64::from(self.taken) + 1.0),
            Average::Ema { decay } => 1.0 - decay,
        };
        if self.taken == 0 {
            let copy = |var: &Var| var.as_detached_tensor().copy();
            self.values = vars.iter().map(copy).collect::<Result<_>>()?;
        } else {
            for (value, var) in self.values.iter_mut().zip(vars) {
                let weight = var.as_detached_tensor();
                if value.device().is_cpu() {
                    value.inplace_op2(&weight, &Approach { share })?;
                } else {
                    *value = (&*value + ((weight - &*value)? * share)?)?;
                }
            }
        }
        self.taken = self.taken.saturating_add(1);
        Ok(())
    }

    /// A copy in main memory, which further updates leave as it is.
    ///
    /// # Errors
    ///
    /// If the device fails.
    pub(crate) fn saved(&self) -> Result<Self> {
        let copy = |value: &Tensor| value.to_device(&Device::Cpu)?.copy();
        let values = self.values.iter().map(copy).collect::<Result<_>>()?;
        Ok(Self { values, ..*self })
    }

    /// Goes on from `saved`.
    ///
    /// # Errors
    ///
    /// If the device fails.
    pub(crate) fn restore(
        &mut self,
        saved: &Self,
        device: &Device,
    ) -> Result<()> {
        let copy = |value: &Tensor| value.to_device(device)?.copy();
        self.values = saved.values.iter().map(copy).collect::<Result<_>>()?;
        self.taken = saved.taken;
        Ok(())
    }
}

/// Moves values by `share` of the way to others.
struct Approach {
    share: f64,
}

impl InplaceOp2 for Approach {
    fn name(&self) -> &'static str {
        "average_of_weights"
    }

    #[expect(clippy::cast_possible_truncation, reason = "kernels are f32")]
    fn cpu_fwd(
        &self,
        value: &mut CpuStorage,
        value_at: &Layout,
        weight: &CpuStorage,
        weight_at: &Layout,
    ) -> Result<()> {
        let (CpuStorage::F32(value), CpuStorage::F32(weight)) = (value, weight)
        else {
            bail!("weights are f32")
        };
        let (Some((from, to)), Some((start, end))) =
            (value_at.contiguous_offsets(), weight_at.contiguous_offsets())
        else {
            bail!("weights are contiguous")
        };
        let weight = &weight[start..end];
        update::approach(&mut value[from..to], weight, self.share as f32);
        Ok(())
    }
}
