//! Values as a file gives them, before a schedule says what they mean.
//!
//! Reading goes through these rather than through derived code because a
//! derived reader cannot say which kind an unknown key belongs to, nor which
//! known key is nearest.

use super::Problem;
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::path::PathBuf;

/// A value of a schedule's parameter, as TOML or JSON writes it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction or an exponent.
    Float(f64),
    /// A string.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// A table, in the order of its keys in the file.
    Table(Vec<(String, Value)>),
}

impl Value {
    /// The same with every "20%" in it as 0.2, where `key` takes shares.
    fn percent_as_share(self, key: &str) -> Self {
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

    /// What stands there, for messages: `the string "x"`.
    fn shown(&self) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Integer(value) => value.to_string(),
            Self::Float(value) => short(*value),
            Self::Text(value) => format!("the string {value:?}"),
            Self::List(_) => "a list".to_owned(),
            Self::Table(_) => "a table".to_owned(),
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

/// Whether `key` takes shares of the steps or ratios of the peak, which may
/// stand in per cent.
fn is_share(key: &str) -> bool {
    const SHARES: &[&str] = &[
        "cooldown",
        "decay",
        "explore",
        "inc_fraction",
        "milestones",
        "pct_start",
        "points",
        "share",
        "tau",
    ];
    SHARES.contains(&key) || key.ends_with("_ratio")
}

/// The shortest decimal that reads back as `value`: `0.1`, `1e-7`, `10000`.
pub(super) fn short(value: f64) -> String {
    if value != 0.0 && (value.abs() < 1e-4 || value.abs() >= 1e7) {
        format!("{value:e}")
    } else {
        value.to_string()
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        i64::try_from(value).map_or(Self::Float(value as f64), Self::Integer)
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl<T: Into<Self>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Self>, const N: usize> From<[T; N]> for Value {
    fn from(items: [T; N]) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(value) => to.serialize_bool(*value),
            Self::Integer(value) => to.serialize_i64(*value),
            Self::Float(value) => to.serialize_f64(*value),
            Self::Text(value) => to.serialize_str(value),
            Self::List(items) => {
                let mut list = to.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
            Self::Table(entries) => {
                let mut table = to.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    table.serialize_entry(key, value)?;
                }
                table.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, string, list or table")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(i64::try_from(value)
            .map_or(Value::Float(value as f64), Value::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(
        self,
        mut from: A,
    ) -> Result<Value, A::Error> {
        let mut items = vec![];
        while let Some(item) = from.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(
        self,
        mut from: A,
    ) -> Result<Value, A::Error> {
        let mut entries: Vec<(String, Value)> = vec![];
        while let Some((key, value)) = from.next_entry::<String, Value>()? {
            if entries.iter().any(|(other, _)| *other == key) {
                return Err(A::Error::custom(format!(
                    "`{key}` stands twice, keep one"
                )));
            }
            entries.push((key, value));
        }
        Ok(Value::Table(entries))
    }
}

/// A parameter's type: how it is read from a [`Value`] and written to one.
pub(super) trait Field: Sized {
    /// What a file may say, for messages: `a number`.
    const WANTED: &'static str;

    /// The value, or `None` where it is of another type.
    fn read(value: &Value) -> Option<Self>;

    /// The value to write; `None` for what the file need not say.
    fn value(&self) -> Option<Value>;
}

impl Field for f64 {
    const WANTED: &'static str = "a number";

    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Float(value) => Some(*value),
            Value::Integer(value) => Some(*value as f64),
            _ => None,
        }
    }

    fn value(&self) -> Option<Value> {
        Some((*self).into())
    }
}

impl Field for usize {
    const WANTED: &'static str = "a whole number, 0 or more";

    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Integer(value) => (*value).try_into().ok(),
            _ => None,
        }
    }

    fn value(&self) -> Option<Value> {
        Some((*self).into())
    }
}

impl Field for bool {
    const WANTED: &'static str = "true or false";

    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(value) => Some(*value),
            _ => None,
        }
    }

    fn value(&self) -> Option<Value> {
        Some((*self).into())
    }
}

impl Field for PathBuf {
    const WANTED: &'static str = "a file's path as a string";

    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Text(value) => Some(value.into()),
            _ => None,
        }
    }

    fn value(&self) -> Option<Value> {
        Some(self.to_string_lossy().into_owned().into())
    }
}

impl Field for String {
    const WANTED: &'static str = "a string";

    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Text(value) => Some(value.clone()),
            _ => None,
        }
    }

    fn value(&self) -> Option<Value> {
        Some(self.as_str().into())
    }
}

impl Field for [f64; 2] {
    const WANTED: &'static str = "a pair of numbers [low, high]";

    fn read(value: &Value) -> Option<Self> {
        Vec::<f64>::read(value)?.try_into().ok()
    }

    fn value(&self) -> Option<Value> {
        Some((*self).into())
    }
}

impl<T: Field> Field for Option<T> {
    const WANTED: &'static str = T::WANTED;

    fn read(value: &Value) -> Option<Self> {
        T::read(value).map(Some)
    }

    fn value(&self) -> Option<Value> {
        self.as_ref().and_then(Field::value)
    }
}

impl Field for Vec<f64> {
    const WANTED: &'static str = "a list of numbers";

    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::List(items) => items.iter().map(f64::read).collect(),
            _ => None,
        }
    }

    fn value(&self) -> Option<Value> {
        (!self.is_empty()).then(|| self.clone().into())
    }
}

impl Field for Vec<[f64; 2]> {
    const WANTED: &'static str = "a list of pairs [share, ratio]";

    fn read(value: &Value) -> Option<Self> {
        let pair = |item: &Value| Vec::<f64>::read(item)?.try_into().ok();
        match value {
            Value::List(items) => items.iter().map(pair).collect(),
            _ => None,
        }
    }

    fn value(&self) -> Option<Value> {
        (!self.is_empty()).then(|| self.clone().into())
    }
}

/// The entries of one schedule's table, taken out one by one.
pub(super) struct Fields {
    entries: Vec<(String, Value)>,
}

impl Fields {
    pub(super) fn new(entries: Vec<(String, Value)>) -> Self {
        Self { entries }
    }

    /// Whether `key` still stands here.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|(other, _)| other == key)
    }

    /// Takes out `key` as it stands.
    pub(super) fn take(&mut self, key: &str) -> Option<Value> {
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
                Value::Float(number)
                    if (0.0..1e9).contains(&number)
                        && number.fract() == 0.0
                        && T::read(&Value::Integer(1)).is_some() =>
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
