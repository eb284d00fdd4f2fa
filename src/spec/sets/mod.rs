//! The catalogue of the data sets that come with the program: what each is,
//! without its numbers. `data` loads them, and checks that this is true.
//!
//! `real` has those that are embedded, `generated` the others.

mod generated;
mod real;

use super::check::{Inputs, Targets};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A data set that comes with the program.
#[derive(Debug, PartialEq)]
pub(crate) struct Set {
    /// The name in grids.
    pub(crate) name: &'static str,
    /// The kind of task.
    pub(crate) kind: SetKind,
    /// What one example is.
    pub(crate) form: Form,
    /// What is predicted.
    pub(crate) target: Target,
    /// Examples of the training, validation and test part.
    pub(crate) rows: [usize; 3],
    /// The task in a few words.
    pub(crate) about: &'static str,
    /// Where it is from: authors or archive; "generated".
    pub(crate) source: &'static str,
    /// The licence of the data; "none needed" if they are generated.
    pub(crate) licence: &'static str,
    /// What it has in common with other sets; sets of one family are not
    /// independent evidence.
    pub(crate) family: Option<&'static str>,
}

/// A set as grids name it, without keys.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Named {
    /// The set.
    #[serde(serialize_with = "name_of", deserialize_with = "called")]
    pub(crate) kind: &'static Set,
}

/// Sorts of tasks, by what the examples are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SetKind {
    /// Classes from the columns of a table.
    Table,
    /// Values from the columns of a table, or from a function's arguments.
    Regression,
    /// Classes or values of points in a few dimensions.
    Points,
    /// A rule over bits, cards or pieces.
    Algorithm,
    /// Classes of words, whose letters are the columns, or of texts, whose
    /// words are.
    Word,
    /// Classes of pictures.
    Picture,
    /// Classes of signals.
    Signal,
    /// The later value of a series.
    Forecast,
    /// The next character of natural text or code.
    Text,
    /// The next token of a formal language.
    Sequence,
}

/// What one example is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// So many features without order.
    Rows(usize),
    /// So many zeros and ones, which are not standardised.
    Switches(usize),
    /// Channels and length.
    Signal(usize, usize),
    /// A grey picture of so many pixels a side.
    Picture(usize),
    /// A sequence of so many characters.
    Text(usize),
}

/// What is predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// One of so many classes.
    Classes(usize),
    /// So many values.
    Values(usize),
    /// The next of so many characters, those of the vocabulary.
    Characters(usize),
}

impl SetKind {
    /// As tables name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Regression => "regression",
            Self::Points => "points",
            Self::Algorithm => "algorithm",
            Self::Word => "word",
            Self::Picture => "picture",
            Self::Signal => "signal",
            Self::Forecast => "forecast",
            Self::Text => "text",
            Self::Sequence => "sequence",
        }
    }
}

impl Form {
    /// The shape of one example.
    pub(crate) fn shape(self) -> Vec<usize> {
        match self {
            Self::Rows(features) | Self::Switches(features) => vec![features],
            Self::Signal(channels, length) => vec![channels, length],
            Self::Picture(side) => vec![1, side, side],
            Self::Text(context) => vec![context],
        }
    }
}

impl Set {
    /// All sets, the embedded ones first.
    pub(crate) fn all() -> impl Iterator<Item = &'static Self> {
        real::SETS.iter().chain(generated::SETS)
    }

    /// The set called `name`.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        Self::all().find(|set| set.name == name)
    }

    /// Whether it is made by a program, and not collected.
    pub(crate) fn is_generated(&self) -> bool {
        self.source == GENERATED
    }

    /// The other sets of its family.
    pub(crate) fn cousins(&self) -> impl Iterator<Item = &'static str> {
        let (name, family) = (self.name, self.family);
        Self::all()
            .filter(move |set| family.is_some() && set.family == family)
            .map(|set| set.name)
            .filter(move |other| *other != name)
    }

    /// What a model gets to see.
    pub(super) fn inputs(&self) -> Inputs {
        match self.form {
            Form::Rows(_) | Form::Switches(_) => Inputs::Rows,
            Form::Signal(_, length) => Inputs::Signal(length),
            Form::Picture(side) => Inputs::Image(side),
            Form::Text(_) => Inputs::Text,
        }
    }

    /// What a model has to say.
    pub(super) fn targets(&self) -> Targets {
        match self.target {
            Target::Classes(_) => Targets::Classes,
            Target::Values(_) => Targets::Values,
            Target::Characters(_) => Targets::Characters,
        }
    }

    const fn like(self, family: &'static str) -> Self {
        Self { family: Some(family), ..self }
    }

    const fn cite(self, source: &'static str, licence: &'static str) -> Self {
        Self { source, licence, ..self }
    }

    const fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }
}

fn name_of<S: Serializer>(set: &Set, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(set.name)
}

fn called<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<&'static Set, D::Error> {
    let name = String::deserialize(from)?;
    Set::named(&name).ok_or_else(|| D::Error::custom("no such data set"))
}

/// The source of a set that no one collected.
const GENERATED: &str = "generated";

/// A generated set; see [`Set::cite`] for the others.
const fn set(
    kind: SetKind,
    name: &'static str,
    form: Form,
    target: Target,
    rows: [usize; 3],
) -> Set {
    Set {
        name,
        kind,
        form,
        target,
        rows,
        about: "",
        source: GENERATED,
        licence: "none needed",
        family: None,
    }
}
