//! Checks of data sets from code, which may consist of any tensors.

use super::{Dataset, Split, Task};
use crate::error::{Error, Result};
use candle_core::{DType, Tensor};

impl Dataset {
    /// Refuses parts that do not fit each other or the task, and values that no
    /// model can be trained on.
    ///
    /// # Errors
    ///
    /// If there is such a fault, or a tensor cannot be read back.
    pub(crate) fn check(&self) -> Result<()> {
        let parts = [
            ("training", &self.train),
            ("validation", &self.valid),
            ("test", &self.test),
        ];
        for (name, split) in parts {
            let misfit = self.misfit(split);
            let fault = match misfit {
                Some(fault) => Some(fault),
                None => self
                    .bad_value(split)
                    .map_err(Error::tensor("checking the data set"))?,
            };
            if let Some(fault) = fault {
                return Err(Error::Invalid(format!(
                    "{name} part of the data set: {fault}"
                )));
            }
        }
        Ok(())
    }

    /// The fault of the shapes and types of `split`, if there is one.
    fn misfit(&self, split: &Split) -> Option<String> {
        let (inputs, targets) = (&split.inputs, &split.targets);
        let example = self.input_shape();
        if example.is_empty() || self.features() == 0 {
            return Some(format!(
                "the training inputs have shape {:?}, expected (examples, \
                 features) or more",
                self.train.inputs.dims()
            ));
        }
        if split.is_empty() {
            return Some("there are no examples in it".to_owned());
        }
        if inputs.dims()[1..] != example {
            return Some(format!(
                "its examples have shape {:?}, those of the training part \
                 {example:?}",
                &inputs.dims()[1..]
            ));
        }
        let n = split.len();
        let (shape, type_, of_inputs): (_, _, &[DType]) = match self.task {
            Task::Classify { .. } => {
                (vec![n], DType::U32, &[DType::F32, DType::U32])
            }
            Task::Regress { width } => {
                (vec![n, width], DType::F32, &[DType::F32, DType::U32])
            }
            Task::NextToken { .. } => {
                (inputs.dims().to_vec(), DType::U32, &[DType::U32])
            }
        };
        if targets.dims() != shape {
            return Some(format!(
                "its targets have shape {:?}, expected {shape:?}",
                targets.dims()
            ));
        }
        let convert = |what, got: DType, right: DType| {
            let (got, right) = (got.as_str(), right.as_str());
            Some(format!(
                "its {what} are {got}, expected {right}: convert them with \
                 `to_dtype`"
            ))
        };
        if !of_inputs.contains(&inputs.dtype()) {
            return convert("inputs", inputs.dtype(), of_inputs[0]);
        }
        if targets.dtype() != type_ {
            return convert("targets", targets.dtype(), type_);
        }
        None
    }

    /// The first invalid value in `split`, in words.
    fn bad_value(&self, split: &Split) -> candle_core::Result<Option<String>> {
        let (inputs, targets) = (&split.inputs, &split.targets);
        let in_inputs = match self.task {
            Task::NextToken { vocabulary, .. } => {
                beyond("inputs", inputs, vocabulary, None)?
            }
            _ => infinite("inputs", inputs)?,
        };
        if in_inputs.is_some() {
            return Ok(in_inputs);
        }
        match self.task {
            Task::Classify { classes } => {
                beyond("targets", targets, classes, None)
            }
            Task::Regress { .. } => infinite("targets", targets),
            Task::NextToken { vocabulary, .. } => {
                beyond("targets", targets, vocabulary, Some(u32::MAX))
            }
        }
    }
}

/// The first value that is not finite.
fn infinite(
    what: &str,
    tensor: &Tensor,
) -> candle_core::Result<Option<String>> {
    if tensor.dtype() != DType::F32 {
        return Ok(None);
    }
    let values = tensor.flatten_all()?.to_vec1::<f32>()?;
    let bad = values.iter().find(|x| !x.is_finite());
    Ok(bad
        .map(|x| format!("its {what} hold {x}: replace it by a finite number")))
}

/// The first index of at least `limit` that is not `allowed`.
fn beyond(
    what: &str,
    tensor: &Tensor,
    limit: usize,
    allowed: Option<u32>,
) -> candle_core::Result<Option<String>> {
    let values = tensor.flatten_all()?.to_vec1::<u32>()?;
    let bad =
        values.iter().find(|&&i| i as usize >= limit && Some(i) != allowed);
    Ok(bad.map(|i| {
        format!("its {what} hold {i}, but only {limit} are declared, from 0")
    }))
}
