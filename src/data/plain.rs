//! Data sets as vectors, before they become tensors.

use super::{Dataset, Split, Task};
use crate::spec::{Form, Set, Target};
use candle_core::{Device, Result, Tensor};

/// Standardised inputs are clipped at this many standard deviations: real
/// tables contain a few absurd measurements.
const CLIP: f32 = 6.0;

/// Columns that vary by less, relative to their mean, are rounding errors.
const CONSTANT: f64 = 1e-12;

/// A data set before it becomes tensors.
#[derive(Debug)]
pub(super) struct Plain {
    /// Shape of one example.
    pub(super) shape: Vec<usize>,
    pub(super) task: Task,
    /// Training, validation, test.
    pub(super) parts: [Part; 3],
    pub(super) optimum: Option<f64>,
}

/// Inputs and targets, row-major.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) inputs: Values,
    pub(super) targets: Values,
}

#[derive(Debug)]
pub(super) enum Values {
    Real(Vec<f32>),
    Index(Vec<u32>),
}

/// What is predicted of each row.
pub(super) enum Targets {
    /// A class.
    Classes(Vec<u32>),
    /// One value or more.
    Values(Vec<f64>),
}

impl Plain {
    /// `set` from all its rows, the training rows first, then validation and
    /// test. Columns of tables are standardised each by itself, pictures and
    /// signals as a whole, values each by itself.
    pub(super) fn cut(set: &Set, inputs: &[f32], targets: &Targets) -> Self {
        fn parts<T: Clone>(set: &Set, rows: &[T]) -> [Vec<T>; 3] {
            let width = rows.len() / set.rows.iter().sum::<usize>();
            let mut next = 0;
            set.rows.map(|n| {
                let from = next;
                next += n * width;
                rows[from..next].to_vec()
            })
        }
        let mut inputs = parts(set, inputs);
        match set.form {
            Form::Rows(width) => standardise_columns(&mut inputs, width),
            Form::Switches(_) => {}
            _ => standardise_all(&mut inputs),
        }
        let shape = set.form.shape();
        match (targets, set.target) {
            (Targets::Classes(labels), Target::Classes(classes)) => {
                Self::classify(shape, classes, inputs, parts(set, labels))
            }
            (Targets::Values(values), Target::Values(width)) => {
                let targets = standardise_targets(parts(set, values), width);
                let targets = targets.map(Values::Real);
                Self::new(shape, Task::Regress { width }, inputs, targets)
            }
            _ => unreachable!("the catalogue has other targets for {set:?}"),
        }
    }

    /// Classification.
    pub(super) fn classify(
        shape: Vec<usize>,
        classes: usize,
        inputs: [Vec<f32>; 3],
        targets: [Vec<u32>; 3],
    ) -> Self {
        let targets = targets.map(Values::Index);
        Self::new(shape, Task::Classify { classes }, inputs, targets)
    }

    /// One value each from `width` inputs.
    pub(super) fn regress(
        width: usize,
        inputs: [Vec<f32>; 3],
        targets: [Vec<f32>; 3],
    ) -> Self {
        let targets = targets.map(Values::Real);
        Self::new(vec![width], Task::Regress { width: 1 }, inputs, targets)
    }

    fn new(
        shape: Vec<usize>,
        task: Task,
        inputs: [Vec<f32>; 3],
        targets: [Values; 3],
    ) -> Self {
        let mut targets = targets.into_iter();
        let parts = inputs.map(|inputs| Part {
            inputs: Values::Real(inputs),
            targets: targets.next().expect("as many as inputs"),
        });
        Self { shape, task, parts, optimum: None }
    }

    /// Next tokens of `rows`, each `context` long and filled up with the symbol
    /// `start`. The inputs of a row are `start` and all its tokens but the
    /// last; its first `given` tokens are no targets.
    pub(super) fn sequences(
        context: usize,
        vocabulary: usize,
        start: u32,
        given: usize,
        rows: [Vec<u32>; 3],
    ) -> Self {
        let part = |tokens: Vec<u32>| {
            let mut inputs = vec![start; tokens.len()];
            let mut targets = vec![u32::MAX; tokens.len()];
            for at in 0..tokens.len() {
                let place = at % context;
                if tokens[at] != start && place > 0 {
                    inputs[at] = tokens[at - 1];
                }
                if tokens[at] != start && place >= given {
                    targets[at] = tokens[at];
                }
            }
            Part {
                inputs: Values::Index(inputs),
                targets: Values::Index(targets),
            }
        };
        Self {
            shape: vec![context],
            task: Task::NextToken { vocabulary, padding: Some(start) },
            parts: rows.map(part),
            optimum: None,
        }
    }

    /// Its tensors on `device`.
    pub(super) fn into_dataset(self, device: &Device) -> Result<Dataset> {
        let (task, shape) = (self.task, self.shape);
        let features: usize = shape.iter().product();
        let split = |part: Part| -> Result<Split> {
            let n = part.inputs.len() / features;
            let mut inputs_shape = vec![n];
            inputs_shape.extend(&shape);
            let targets_shape = match task {
                Task::Classify { .. } => vec![n],
                Task::Regress { width } => vec![n, width],
                Task::NextToken { .. } => inputs_shape.clone(),
            };
            Ok(Split {
                inputs: part.inputs.tensor(inputs_shape, device)?,
                targets: part.targets.tensor(targets_shape, device)?,
            })
        };
        let [train, valid, test] = self.parts.map(split);
        let (train, valid, test) = (train?, valid?, test?);
        Ok(Dataset { train, valid, test, task, optimum: self.optimum })
    }
}

impl Values {
    fn len(&self) -> usize {
        match self {
            Self::Real(values) => values.len(),
            Self::Index(values) => values.len(),
        }
    }

    fn tensor(self, shape: Vec<usize>, device: &Device) -> Result<Tensor> {
        match self {
            Self::Real(values) => Tensor::from_vec(values, shape, device),
            Self::Index(values) => Tensor::from_vec(values, shape, device),
        }
    }
}

/// Columns of `parts` (each row-major, `width` wide) to mean 0 and deviation
/// 1 over the first part; constant columns become 0; clipped at 6.
pub(super) fn standardise_columns(parts: &mut [Vec<f32>; 3], width: usize) {
    for column in 0..width {
        let train = parts[0].iter().skip(column).step_by(width);
        let scale = Scale::of(train.map(|&x| f64::from(x)));
        for part in parts.iter_mut() {
            for x in part.iter_mut().skip(column).step_by(width) {
                *x = scale.clipped(f64::from(*x));
            }
        }
    }
}

/// Standardises `parts` by the mean and deviation of the first part, over all
/// columns together.
pub(super) fn standardise_all(parts: &mut [Vec<f32>; 3]) {
    standardise_columns(parts, 1);
}

/// Targets, `width` a row, each to mean 0 and deviation 1 over the first part.
/// Nothing is clipped: large errors are what a loss is about.
pub(super) fn standardise_targets(
    parts: [Vec<f64>; 3],
    width: usize,
) -> [Vec<f32>; 3] {
    let column = |i| parts[0].iter().skip(i).step_by(width).copied();
    let scales: Vec<Scale> = (0..width).map(|i| Scale::of(column(i))).collect();
    parts.map(|part| {
        let scaled = part.iter().zip(scales.iter().cycle());
        scaled.map(|(&y, scale)| scale.apply(y)).collect()
    })
}

/// Mean and deviation of a column of the training part.
pub(super) struct Scale {
    mean: f64,
    deviation: f64,
}

impl Scale {
    /// Of the values, of which there is at least one.
    pub(super) fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        let n = values.clone().count() as f64;
        let mean = values.clone().sum::<f64>() / n;
        let square = values.map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        let deviation = square.sqrt();
        // A constant column has no information: all its values become 0.
        let varies = deviation > CONSTANT * mean.abs();
        Self { mean, deviation: if varies { deviation } else { f64::INFINITY } }
    }

    /// Deviations from the mean.
    #[expect(clippy::cast_possible_truncation, reason = "tensors are f32")]
    pub(super) fn apply(&self, x: f64) -> f32 {
        ((x - self.mean) / self.deviation) as f32
    }

    /// The same for inputs.
    pub(super) fn clipped(&self, x: f64) -> f32 {
        self.apply(x).clamp(-CLIP, CLIP)
    }

    /// Whether all values were the same.
    pub(super) fn is_constant(&self) -> bool {
        self.deviation.is_infinite()
    }
}
