//! Values as a file gives them, before a schedule says what they mean.
//!
//! Reading goes through these rather than through derived code because a
//! derived reader cannot say which kind an unknown key belongs to, nor which
//! known key is nearest.

use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::path::PathBuf;

/// A value of a schedule's parameter, as TOML or JSON writes it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ParamValue {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction or an exponent.
    Float(f64),
    /// A string.
    Text(String),
    /// A list.
    List(Vec<ParamValue>),
    /// A table, in the order of its keys in the file.
    Table(#[serde(serialize_with = "as_map")] Vec<(String, ParamValue)>),
}

impl ParamValue {
    /// The same with every "20%" in it as 0.2, where `key` takes shares.
    pub(super) fn percent_as_share(self, key: &str) -> Self {
        match self {
            Self::Text(text) => match percent(&text) {
                // A milestone of 1 or more is a step.
                Some(100.0) if key == "milestones" => Self::Text(text),
                Some(percent @ 0.0..=100.0) => Self::Float(percent / 100.0),
                _ => Self::Text(text),
            },
            Self::List(items) => {
                let share = |item: Self| item.percent_as_share(key);
                Self::List(items.into_iter().map(share).collect())
            }
            other => other,
        }
    }

    /// The value, for messages: `the string "x"`.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Integer(value) => value.to_string(),
            Self::Float(value) => short(*value),
            Self::Text(value) => format!("the string {value:?}"),
            Self::List(_) => "this list".to_owned(),
            Self::Table(_) => "this table".to_owned(),
        }
    }

    /// The value in a label: no quotes, no spaces.
    pub(super) fn label(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::List(items) => {
                let items: Vec<_> = items.iter().map(Self::label).collect();
                format!("[{}]", items.join(","))
            }
            other => other.shown(),
        }
    }
}

/// The number before the sign in a text such as "20%".
pub(crate) fn percent(text: &str) -> Option<f64> {
    let number = text.trim().strip_suffix('%')?.trim_end();
    number.parse().ok().filter(|number: &f64| number.is_finite())
}

/// The shortest decimal that reads back as `value`: `0.1`, `1e-7`, `10000`.
pub(super) fn short(value: f64) -> String {
    if value != 0.0 && (value.abs() < 1e-4 || value.abs() >= 1e7) {
        format!("{value:e}")
    } else {
        value.to_string()
    }
}

impl From<bool> for ParamValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<usize> for ParamValue {
    fn from(value: usize) -> Self {
        i64::try_from(value).map_or(Self::Float(value as f64), Self::Integer)
    }
}

impl From<i32> for ParamValue {
    fn from(value: i32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<f64> for ParamValue {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for ParamValue {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<PathBuf> for ParamValue {
    fn from(value: PathBuf) -> Self {
        Self::Text(value.to_string_lossy().into_owned())
    }
}

impl From<String> for ParamValue {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl<T: Into<Self>> From<Vec<T>> for ParamValue {
    fn from(items: Vec<T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Self>, const N: usize> From<[T; N]> for ParamValue {
    fn from(items: [T; N]) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

fn as_map<S: Serializer>(
    entries: &[(String, ParamValue)],
    to: S,
) -> Result<S::Ok, S::Error> {
    to.collect_map(entries.iter().map(|(key, value)| (key, value)))
}

impl<'de> Deserialize<'de> for ParamValue {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = ParamValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, string, list or table")
    }

    fn visit_bool<E>(self, value: bool) -> Result<ParamValue, E> {
        Ok(ParamValue::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<ParamValue, E> {
        Ok(ParamValue::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<ParamValue, E> {
        Ok(i64::try_from(value)
            .map_or(ParamValue::Float(value as f64), ParamValue::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<ParamValue, E> {
        Ok(ParamValue::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<ParamValue, E> {
        Ok(ParamValue::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(
        self,
        mut from: A,
    ) -> Result<ParamValue, A::Error> {
        let mut items = vec![];
        while let Some(item) = from.next_element()? {
            items.push(item);
        }
        Ok(ParamValue::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(
        self,
        mut from: A,
    ) -> Result<ParamValue, A::Error> {
        let mut entries: Vec<(String, ParamValue)> = vec![];
        while let Some((key, value)) =
            from.next_entry::<String, ParamValue>()?
        {
            if entries.iter().any(|(other, _)| *other == key) {
                return Err(A::Error::custom(format!(
                    "`{key}` appears twice, keep one"
                )));
            }
            entries.push((key, value));
        }
        Ok(ParamValue::Table(entries))
    }
}
