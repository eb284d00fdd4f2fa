//! Checks that the values make a valid model or data set, and that these fit
//! together.

use super::{DatasetSpec, ModelSpec, TableTask};
use crate::error::Problem;
use std::path::{Path, PathBuf};

/// Widest layer: one zero too many must not exhaust the memory.
const WIDEST: usize = 16_384;
/// What a folder of MNIST or Fashion-MNIST holds.
pub(crate) const MNIST_FILES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// What a folder of CIFAR-10 holds.
pub(crate) const CIFAR_FILES: [&str; 6] = [
    "data_batch_1.bin",
    "data_batch_2.bin",
    "data_batch_3.bin",
    "data_batch_4.bin",
    "data_batch_5.bin",
    "test_batch.bin",
];

/// The form of a data set's inputs, as far as it matters to models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inputs {
    /// Features without order.
    Rows,
    /// A signal of so many points.
    Signal(usize),
    /// Square pictures of so many pixels a side.
    Image(usize),
    /// Characters.
    Text,
    /// Known to the user's binary only.
    Unknown,
}

/// What a data set asks of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Targets {
    /// A class each.
    Classes,
    /// A number each.
    Values,
    /// The next character.
    Characters,
    /// To be seen when the data set is loaded.
    Unknown,
}

impl ModelSpec {
    /// The first value that makes no model.
    pub(crate) fn problem(&self) -> Option<Problem> {
        match self {
            Self::Mlp { hidden } => widths("hidden", hidden, 0),
            Self::Cnn { channels, kernels, stride, padding, pool, hidden } => {
                let many =
                    kernels.len() != 1 && kernels.len() != channels.len();
                widths("channels", channels, 1)
                    .or_else(|| widths("kernels", kernels, 1))
                    .or_else(|| {
                        many.then(|| {
                            Problem::at(
                                "kernels",
                                format!(
                                    "`kernels` has {} widths for {} \
                                     convolutions, give one, or one for each",
                                    kernels.len(),
                                    channels.len()
                                ),
                            )
                        })
                    })
                    .or_else(|| size("stride", *stride, 1, 64))
                    .or_else(|| size("padding", padding.unwrap_or(0), 0, 64))
                    .or_else(|| size("pool", *pool, 1, 64))
                    .or_else(|| widths("hidden", hidden, 0))
            }
            Self::Resnet { channels, blocks } => {
                widths("channels", channels, 1)
                    .or_else(|| size("blocks", *blocks, 1, 64))
            }
            Self::Transformer { width, layers, heads } => {
                let uneven = |heads| {
                    Problem::at(
                        "width",
                        format!(
                            "`width` must be a multiple of `heads`, got \
                             {width} for {heads} heads; the next is {}",
                            width.next_multiple_of(heads)
                        ),
                    )
                };
                size("width", *width, 1, WIDEST)
                    .or_else(|| size("layers", *layers, 1, 64))
                    .or_else(|| size("heads", *heads, 1, 64))
                    .or_else(|| (width % heads != 0).then(|| uneven(*heads)))
            }
            Self::Gru { hidden, layers, embedding } => {
                size("hidden", *hidden, 1, WIDEST)
                    .or_else(|| size("layers", *layers, 1, 64))
                    .or_else(|| size("embedding", *embedding, 1, WIDEST))
            }
            Self::Registered { .. } => None,
        }
    }

    /// Why this model cannot learn from `dataset`, with a model that can.
    pub(crate) fn misfit(&self, dataset: &DatasetSpec) -> Option<Problem> {
        let (kind, name, inputs) =
            (self.kind(), dataset.name(), dataset.inputs());
        let refuse = |needs: &str| {
            let given = match inputs {
                Inputs::Rows => "rows of features, which want `mlp`",
                Inputs::Signal(_) => {
                    "signals, which want `cnn`, `gru` or `mlp`"
                }
                Inputs::Image(_) => {
                    "pictures, which want `cnn`, `resnet` or `mlp`"
                }
                Inputs::Text => "text, which wants `transformer` or `gru`",
                Inputs::Unknown => "inputs of its own",
            };
            let message = format!(
                "model `{kind}` needs {needs}, but `{name}` has {given}"
            );
            Some(Problem::whole(message))
        };
        match (self, inputs) {
            (Self::Mlp { .. }, Inputs::Text) => {
                refuse("inputs of a fixed size")
            }
            (Self::Cnn { .. }, Inputs::Rows | Inputs::Text) => {
                refuse("pictures or signals")
            }
            (Self::Cnn { .. }, Inputs::Signal(side) | Inputs::Image(side)) => {
                self.vanishes(side).map(|layer| {
                    Problem::whole(format!(
                        "convolution {layer} of `{kind}` has no output, because \
                         `{name}` has only {side} points a side; lower \
                         `stride`, `pool` or the number of `channels`"
                    ))
                })
            }
            (
                Self::Resnet { .. },
                Inputs::Rows | Inputs::Signal(_) | Inputs::Text,
            ) => refuse("pictures"),
            (
                Self::Transformer { .. },
                Inputs::Rows | Inputs::Signal(_) | Inputs::Image(_),
            ) => refuse("text"),
            (Self::Gru { .. }, Inputs::Rows | Inputs::Image(_)) => {
                refuse("text or signals")
            }
            _ => None,
        }
    }

    /// The first convolution (from 1) whose output has no points.
    fn vanishes(&self, mut side: usize) -> Option<usize> {
        let Self::Cnn { channels, kernels, stride, padding, pool, .. } = self
        else {
            return None;
        };
        for layer in 0..channels.len() {
            let kernel = *kernels.get(layer).or(kernels.first())?;
            let padding = padding.unwrap_or(kernel / 2);
            let room = (side + 2 * padding).checked_sub(kernel);
            side = room.map_or(0, |room| (room / stride + 1) / pool);
            if side == 0 {
                return Some(layer + 1);
            }
        }
        None
    }
}

impl DatasetSpec {
    /// What a model gets to see.
    pub(crate) fn inputs(&self) -> Inputs {
        match self {
            Self::Named(set) => set.kind.inputs(),
            Self::TeacherStudent { .. }
            | Self::PowerLaw { .. }
            | Self::Csv { .. } => Inputs::Rows,
            Self::Mnist { .. } | Self::FashionMnist { .. } => Inputs::Image(28),
            Self::Cifar10 { .. } => Inputs::Image(32),
            Self::Text { .. } => Inputs::Text,
            Self::Registered { .. } => Inputs::Unknown,
        }
    }

    /// What a model has to say.
    pub(crate) fn targets(&self) -> Targets {
        match self {
            Self::Named(set) => set.kind.targets(),
            Self::TeacherStudent { .. }
            | Self::PowerLaw { .. }
            | Self::Csv { task: Some(TableTask::Regress), .. } => {
                Targets::Values
            }
            Self::Text { .. } => Targets::Characters,
            Self::Csv { task: None, .. } | Self::Registered { .. } => {
                Targets::Unknown
            }
            _ => Targets::Classes,
        }
    }

    /// The first invalid value; files are not checked.
    pub(crate) fn problem(&self) -> Option<Problem> {
        match self {
            Self::TeacherStudent { noise } => {
                real("noise", *noise, "from 0 to 100", |x| {
                    (0.0..=100.0).contains(&x)
                })
            }
            Self::PowerLaw { noise, exponent } => {
                real("noise", *noise, "from 0 to 100", |x| {
                    (0.0..=100.0).contains(&x)
                })
                .or_else(|| {
                    real("exponent", *exponent, "above 0, at most 10", |x| {
                        x > 0.0 && x <= 10.0
                    })
                })
            }
            Self::Csv { split, .. } => shares(*split),
            Self::Text { context, split, .. } => {
                size("context", *context, 2, 4096).or_else(|| shares(*split))
            }
            _ => None,
        }
    }

    /// The files of the data set, as written, and the key that names them;
    /// `None` for a set that is embedded or downloaded.
    pub(crate) fn files(&self) -> Option<(&'static str, Vec<PathBuf>)> {
        let within = |dir: &Path, names: &[&str]| {
            ("dir", names.iter().map(|name| dir.join(name)).collect())
        };
        match self {
            Self::Mnist { dir } | Self::FashionMnist { dir } => {
                Some(within(dir.as_ref()?, &MNIST_FILES))
            }
            Self::Cifar10 { dir } => Some(within(dir.as_ref()?, &CIFAR_FILES)),
            Self::Csv { file, .. } | Self::Text { file, .. } => {
                Some(("file", vec![file.clone()]))
            }
            _ => None,
        }
    }
}

pub(super) fn size(
    key: &'static str,
    got: usize,
    least: usize,
    most: usize,
) -> Option<Problem> {
    (!(least..=most).contains(&got)).then(|| {
        Problem::at(
            key,
            format!("`{key}` must be from {least} to {most}, got {got}"),
        )
    })
}

fn widths(key: &'static str, got: &[usize], least: usize) -> Option<Problem> {
    size_of_list(key, got.len(), least).or_else(|| {
        let wrong = got.iter().find(|width| !(1..=WIDEST).contains(width))?;
        let message = format!(
            "every entry of `{key}` must be from 1 to {WIDEST}, got {wrong}"
        );
        Some(Problem::at(key, message))
    })
}

fn size_of_list(
    key: &'static str,
    len: usize,
    least: usize,
) -> Option<Problem> {
    (!(least..=64).contains(&len)).then(|| {
        Problem::at(
            key,
            format!("`{key}` must have {least} to 64 entries, got {len}"),
        )
    })
}

pub(super) fn real(
    key: &'static str,
    got: f64,
    range: &str,
    holds: impl Fn(f64) -> bool,
) -> Option<Problem> {
    (!holds(got)).then(|| {
        Problem::at(key, format!("`{key}` must be {range}, got {got}"))
    })
}

fn shares(split: [f64; 2]) -> Option<Problem> {
    let [valid, test] = split;
    let fits = valid > 0.0 && test > 0.0 && valid + test < 1.0;
    (!fits).then(|| {
        Problem::at(
            "split",
            format!(
                "`split` must leave rows for validation, test and training: \
                 two shares above 0 with a sum below 1, as in [0.1, 0.2], got \
                 [{valid}, {test}]"
            ),
        )
    })
}
