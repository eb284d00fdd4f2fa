//! The kinds of models, data sets and optimizers and their keys: what the
//! grid accepts and what the editor's schema offers, in one place.

use crate::spec::{AdjustLr, DatasetSpec, ModelSpec, OptimizerSpec};

/// Components of one sort.
#[derive(Debug)]
pub(super) struct Family {
    /// "model", for messages.
    pub(super) noun: &'static str,
    /// Names of the built-in kinds.
    pub(super) names: fn() -> &'static [&'static str],
    /// Those that have keys.
    pub(super) keyed: &'static [Kind],
}

/// A kind and its keys, `kind` itself left out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    /// The name in the file.
    pub(super) name: &'static str,
    /// Its keys.
    pub(super) keys: &'static [Key],
}

/// A key and what may stand there.
#[derive(Debug)]
pub(super) struct Key {
    /// The name in the file.
    pub(super) name: &'static str,
    /// What may stand there.
    pub(super) form: Form,
    /// Whether there is no default.
    pub(super) required: bool,
}

/// The form of a value; ranges are checked on the finished component.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// A whole number from 0.
    Whole,
    /// A finite number.
    Number,
    /// `true` or `false`.
    Flag,
    /// A string.
    Text,
    /// A list of whole numbers.
    Wholes,
    /// A list of strings.
    Texts,
    /// A list of two shares, as numbers or in per cent.
    Shares,
    /// A table of numbers.
    Numbers,
    /// One of these strings.
    Choice(&'static [&'static str]),
}

impl Form {
    /// The form in words, for "must be ...".
    pub(super) fn wanted(self) -> &'static str {
        match self {
            Self::Whole => "a whole number from 0",
            Self::Number => "a finite number",
            Self::Flag => "`true` or `false`",
            Self::Text => "a string",
            Self::Wholes => "a list of whole numbers such as [64, 32]",
            Self::Texts => "a list of names such as [\"id\"]",
            Self::Shares => {
                "a list of two shares such as [0.1, 0.2] or [\"10%\", \"20%\"]"
            }
            Self::Numbers => "a table of numbers such as { bias = 0.5 }",
            Self::Choice(_) => "a name",
        }
    }
}

impl Family {
    /// The kind called `name`.
    pub(super) fn kind(&self, name: &str) -> Option<Kind> {
        self.kinds().find(|kind| kind.name == name)
    }

    /// All kinds.
    pub(super) fn kinds(&self) -> impl Iterator<Item = Kind> {
        (self.names)().iter().map(|&name| {
            let keyed = self.keyed.iter().find(|kind| kind.name == name);
            keyed.copied().unwrap_or(Kind { name, keys: &[] })
        })
    }
}

const fn key(name: &'static str, form: Form) -> Key {
    Key { name, form, required: false }
}

const fn need(name: &'static str, form: Form) -> Key {
    Key { name, form, required: true }
}

/// The models.
pub(super) const MODELS: Family = Family {
    noun: "model",
    names: ModelSpec::kinds,
    keyed: &[
        Kind { name: "mlp", keys: &[key("hidden", Form::Wholes)] },
        Kind {
            name: "cnn",
            keys: &[
                key("channels", Form::Wholes),
                key("kernels", Form::Wholes),
                key("stride", Form::Whole),
                key("padding", Form::Whole),
                key("pool", Form::Whole),
                key("hidden", Form::Wholes),
            ],
        },
        Kind {
            name: "resnet",
            keys: &[key("channels", Form::Wholes), key("blocks", Form::Whole)],
        },
        Kind {
            name: "transformer",
            keys: &[
                key("width", Form::Whole),
                key("layers", Form::Whole),
                key("heads", Form::Whole),
            ],
        },
        Kind {
            name: "gru",
            keys: &[
                key("hidden", Form::Whole),
                key("layers", Form::Whole),
                key("embedding", Form::Whole),
            ],
        },
    ],
};

const FOLDER: &[Key] = &[key("dir", Form::Text)];

/// The data sets.
pub(super) const DATASETS: Family = Family {
    noun: "data set",
    names: DatasetSpec::kinds,
    keyed: &[
        Kind { name: "teacher-student", keys: &[key("noise", Form::Number)] },
        Kind {
            name: "power-law",
            keys: &[key("noise", Form::Number), key("exponent", Form::Number)],
        },
        Kind { name: "mnist", keys: FOLDER },
        Kind { name: "fashion-mnist", keys: FOLDER },
        Kind { name: "cifar-10", keys: FOLDER },
        Kind {
            name: "csv",
            keys: &[
                need("file", Form::Text),
                need("target", Form::Text),
                key("drop", Form::Texts),
                key("task", Form::Choice(&["classify", "regress"])),
                key("split", Form::Shares),
            ],
        },
        Kind {
            name: "text",
            keys: &[
                need("file", Form::Text),
                key("context", Form::Whole),
                key("split", Form::Shares),
            ],
        },
    ],
};

/// The keys of Adam, whatever its weight decay does.
const ADAM: &[Key] = &[
    key("beta1", Form::Number),
    key("beta2", Form::Number),
    key("eps", Form::Number),
    key("weight_decay", Form::Number),
    key("clip_norm", Form::Number),
    key("lr_multipliers", Form::Numbers),
];

/// The optimizers.
pub(super) const OPTIMIZERS: Family = Family {
    noun: "optimizer",
    names: OptimizerSpec::kinds,
    keyed: &[
        Kind {
            name: "sgd",
            keys: &[
                key("momentum", Form::Number),
                key("nesterov", Form::Flag),
                key("weight_decay", Form::Number),
                key("clip_norm", Form::Number),
                key("lr_multipliers", Form::Numbers),
            ],
        },
        Kind { name: "adamw", keys: ADAM },
        Kind { name: "adam", keys: ADAM },
        Kind {
            name: "rmsprop",
            keys: &[
                key("alpha", Form::Number),
                key("eps", Form::Number),
                key("momentum", Form::Number),
                key("weight_decay", Form::Number),
                key("clip_norm", Form::Number),
                key("lr_multipliers", Form::Numbers),
            ],
        },
        Kind {
            name: "lion",
            keys: &[
                key("beta1", Form::Number),
                key("beta2", Form::Number),
                key("weight_decay", Form::Number),
                key("clip_norm", Form::Number),
                key("lr_multipliers", Form::Numbers),
            ],
        },
        Kind {
            name: "muon",
            keys: &[
                key("momentum", Form::Number),
                key("nesterov", Form::Flag),
                key("ns_steps", Form::Whole),
                key("adjust_lr_fn", Form::Choice(AdjustLr::NAMES)),
                key("weight_decay", Form::Number),
                key("adamw_for", Form::Texts),
                key("adamw_lr_ratio", Form::Number),
                key("adamw_weight_decay", Form::Number),
                key("beta1", Form::Number),
                key("beta2", Form::Number),
                key("eps", Form::Number),
                key("clip_norm", Form::Number),
                key("lr_multipliers", Form::Numbers),
            ],
        },
    ],
};

/// Lists around the value that `name` takes by nature in a table of this
/// `kind`; one more list is an axis.
pub(super) fn natural_depth(name: &str, kind: Option<&str>) -> usize {
    match name {
        "hidden" if kind == Some("gru") => 0,
        "hidden" | "channels" | "kernels" | "drop" | "split" | "milestones"
        | "factors" | "momenta" | "join" | "cycle_momentum" | "adamw_for" => 1,
        "points" => 2,
        _ => 0,
    }
}
