//! A schedule's parameters: how each is read from a value and written to one.

use super::Problem;
use super::value::ParamValue;
use std::path::PathBuf;

/// A parameter's type: how it is read from a [`ParamValue`] and written to one.
pub(super) trait Field: Sized {
    /// What a file may say, for messages: `a number`.
    const WANTED: &'static str;

    /// The value, or `None` where it is of another type.
    fn read(value: &ParamValue) -> Option<Self>;

    /// The value to write; `None` if it may be left out of the file.
    fn value(&self) -> Option<ParamValue>;
}

macro_rules! fields {
    ($($type:ty, $wanted:literal, $value:ident => $read:expr;)+) => {$(
        impl Field for $type {
            const WANTED: &'static str = $wanted;

            fn read($value: &ParamValue) -> Option<Self> {
                $read
            }

            fn value(&self) -> Option<ParamValue> {
                Some(self.clone().into())
            }
        }
    )+};
}

fields! {
    f64, "a number", value => match value {
        ParamValue::Float(value) => Some(*value),
        ParamValue::Integer(value) => Some(*value as f64),
        _ => None,
    };
    usize, "a whole number, 0 or more", value => match value {
        ParamValue::Integer(value) => (*value).try_into().ok(),
        _ => None,
    };
    bool, "true or false", value => match value {
        ParamValue::Bool(value) => Some(*value),
        _ => None,
    };
    String, "a string", value => match value {
        ParamValue::Text(value) => Some(value.clone()),
        _ => None,
    };
    PathBuf, "a file's path as a string", value => {
        String::read(value).map(Self::from)
    };
    [f64; 2], "a pair of numbers [low, high]", value => {
        Vec::<f64>::read(value)?.try_into().ok()
    };
}

impl<T: Field> Field for Option<T> {
    const WANTED: &'static str = T::WANTED;

    fn read(value: &ParamValue) -> Option<Self> {
        T::read(value).map(Some)
    }

    fn value(&self) -> Option<ParamValue> {
        self.as_ref().and_then(Field::value)
    }
}

/// An element of a list. An empty list may be left out of the file.
trait Element: Field + Clone + Into<ParamValue> {
    /// What a file may say for the list.
    const LIST_WANTED: &'static str;
}

impl Element for f64 {
    const LIST_WANTED: &'static str = "a list of numbers";
}

impl Element for [f64; 2] {
    const LIST_WANTED: &'static str = "a list of pairs [share, ratio]";
}

impl<T: Element> Field for Vec<T> {
    const WANTED: &'static str = T::LIST_WANTED;

    fn read(value: &ParamValue) -> Option<Self> {
        match value {
            ParamValue::List(items) => items.iter().map(T::read).collect(),
            _ => None,
        }
    }

    fn value(&self) -> Option<ParamValue> {
        (!self.is_empty()).then(|| self.clone().into())
    }
}

/// Whether `key` takes shares of the steps or ratios of the peak, which may be
/// in per cent.
fn is_share(key: &str) -> bool {
    matches!(
        key,
        "average_from"
            | "cooldown"
            | "decay"
            | "explore"
            | "inc_fraction"
            | "milestones"
            | "pct_start"
            | "points"
            | "share"
            | "tau"
    ) || key.ends_with("_ratio")
}

/// The entries of one schedule's table, taken out one by one.
pub(super) struct Fields {
    entries: Vec<(String, ParamValue)>,
}

impl Fields {
    pub(super) fn new(entries: Vec<(String, ParamValue)>) -> Self {
        Self { entries }
    }

    /// Whether `key` still stands here.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|(other, _)| other == key)
    }

    /// Takes out `key` as it stands.
    pub(super) fn take(&mut self, key: &str) -> Option<ParamValue> {
        let at = self.entries.iter().position(|(other, _)| other == key)?;
        Some(self.entries.remove(at).1)
    }

    /// Takes out `key`, or gives its default.
    pub(super) fn read<T: Field>(
        &mut self,
        key: &str,
        default: T,
    ) -> Result<T, Problem> {
        let Some(value) = self.take(key) else { return Ok(default) };
        let share = is_share(key);
        let value = if share { value.percent_as_share(key) } else { value };
        T::read(&value).ok_or_else(|| {
            let (wanted, shown) = match value {
                ParamValue::Float(number)
                    if (0.0..1e9).contains(&number)
                        && number.fract() == 0.0
                        && T::read(&ParamValue::Integer(1)).is_some() =>
                {
                    let whole = format!("a whole number such as {number}");
                    (whole, format!("{number:?}"))
                }
                _ if share => {
                    let percent = "also in per cent, as \"20%\"";
                    (format!("{} ({percent})", T::WANTED), value.shown())
                }
                _ => (T::WANTED.to_owned(), value.shown()),
            };
            Problem::at(key, format!("`{key}` takes {wanted}, not {shown}"))
        })
    }

    /// The first key that nobody took.
    pub(super) fn left(&self) -> Option<&str> {
        self.entries.first().map(|(key, _)| key.as_str())
    }
}
