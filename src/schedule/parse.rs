//! From a table in a file to a spec and back, and to a label.

use super::Problem;
use super::average::Averaging;
use super::field::{Field, Fields};
use super::kinds::{Kind, MODIFIERS, Rise, Shape, kinds};
use super::spec::{
    Cooldown, Form, Part, PartLength, ScheduleSpec, Warmup, WarmupLength,
};
use super::value::{ParamValue, percent};
use crate::synonyms;
use crate::text::nearest;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

impl ScheduleSpec {
    /// Reads a schedule's table.
    ///
    /// # Errors
    ///
    /// If a key is unknown or belongs to another kind, or a value is of the
    /// wrong type; not if it is out of range, see [`problem`](Self::problem).
    pub(crate) fn read(value: ParamValue) -> Result<Self, Problem> {
        let ParamValue::Table(entries) = value else {
            let wanted = "a schedule is a table such as { kind = \"cosine\" }";
            return Err(Problem::whole(wanted));
        };
        let mut fields = Fields::new(entries);
        let spec = Self::take(&mut fields)?;
        match fields.left() {
            None => Ok(spec),
            Some(key) => Err(spec.unknown_key(key)),
        }
    }

    /// Takes a schedule's keys out of `fields`, which may hold others too.
    fn take(fields: &mut Fields) -> Result<Self, Problem> {
        let form = match (fields.take("kind"), fields.take("join")) {
            (Some(ParamValue::Text(kind)), None) => {
                Form::Kind(Kind::read(&kind, fields)?)
            }
            (None, Some(ParamValue::List(parts))) => Form::Join(
                (1..).zip(parts).map(Part::read).collect::<Result<_, _>>()?,
            ),
            (Some(_), Some(_)) => {
                let message = "a schedule has `kind` or `join`, leave one out";
                return Err(Problem::at("join", message));
            }
            (Some(_), None) => {
                let message = "`kind` takes a name such as \"cosine\"";
                return Err(Problem::at("kind", message));
            }
            (None, Some(_)) => {
                let message = "`join` takes a list of schedules";
                return Err(Problem::at("join", message));
            }
            (None, None) => {
                let names: Vec<_> = kinds().iter().map(|k| k.name).collect();
                return Err(Problem::whole(format!(
                    "this schedule has no `kind`, name one of {}",
                    names.join(", ")
                )));
            }
        };
        let warmup = Self::take_warmup(fields)?;
        let cooldown = Self::take_cooldown(fields)?;
        let average = Averaging::take(fields)?;
        Ok(Self { form, warmup, cooldown, average, name: None })
    }

    fn take_warmup(fields: &mut Fields) -> Result<Option<Warmup>, Problem> {
        needs(fields, "warmup", &["warmup_shape", "warmup_start_ratio"])?;
        let length = fields.read("warmup", WarmupLength::Steps(0))?;
        let shape = fields.read("warmup_shape", Rise::Linear)?;
        let start_ratio = fields.read("warmup_start_ratio", None)?;
        // No warm-up has no shape either: `warmup = [0, 50]` may be an axis.
        Ok((length != WarmupLength::Steps(0)).then_some(Warmup {
            length,
            shape,
            start_ratio,
        }))
    }

    fn take_cooldown(fields: &mut Fields) -> Result<Option<Cooldown>, Problem> {
        needs(fields, "cooldown", &["cooldown_shape", "cooldown_end_ratio"])?;
        let share = fields.read("cooldown", 0.0)?;
        let shape = fields.read("cooldown_shape", Shape::Linear)?;
        let end_ratio = fields.read("cooldown_end_ratio", None)?;
        Ok((share != 0.0).then_some(Cooldown { share, shape, end_ratio }))
    }

    fn unknown_key(&self, key: &str) -> Problem {
        let kind = self.kind();
        let own = kinds().iter().find(|info| info.name == kind);
        let own = own.into_iter().flat_map(|info| &info.keys).map(|k| k.name);
        let keys: Vec<&str> =
            own.chain(MODIFIERS.iter().map(|&(name, _)| name)).collect();
        let owners: Vec<String> = kinds()
            .iter()
            .filter(|info| info.keys.iter().any(|k| k.name == key))
            .map(|info| format!("`{}`", info.name))
            .collect();
        let has = |other: &str| keys.contains(&other);
        let remedy = if let Some(here) = synonyms::of_key(key, has) {
            format!("here it is {here}")
        } else if !owners.is_empty() {
            format!("it belongs to {}; leave it out", owners.join(", "))
        } else if let Some(near) = nearest(key, &keys) {
            format!("did you mean `{near}`?")
        } else {
            format!("it takes {}", keys.join(", "))
        };
        Problem::at(key, format!("`{kind}` has no key `{key}`, {remedy}"))
    }

    /// Every key with its value and its default.
    fn entries(
        &self,
    ) -> Vec<(&'static str, Option<ParamValue>, Option<ParamValue>)> {
        let mut entries = vec![];
        if let Form::Kind(kind) = &self.form {
            let own = kind.entries().into_iter();
            entries.extend(own.map(|e| (e.key, e.value, e.default)));
        }
        if let Some(Warmup { length, shape, start_ratio }) = &self.warmup {
            let linear = Rise::Linear.value();
            entries.push(("warmup", length.value(), None));
            entries.push(("warmup_shape", shape.value(), linear));
            entries.push(("warmup_start_ratio", start_ratio.value(), None));
        }
        if let Some(Cooldown { share, shape, end_ratio }) = &self.cooldown {
            let linear = Shape::Linear.value();
            entries.push(("cooldown", share.value(), None));
            entries.push(("cooldown_shape", shape.value(), linear));
            entries.push(("cooldown_end_ratio", end_ratio.value(), None));
        }
        entries.extend(self.average.into_iter().flat_map(Averaging::entries));
        entries
    }

    /// The number of the parameter `key`, given or by default; `None` if it has
    /// none, or is no number.
    pub(crate) fn number(&self, key: &str) -> Option<f64> {
        match self.parameter(key)? {
            ParamValue::Integer(value) => Some(value as f64),
            ParamValue::Float(value) => Some(value),
            _ => None,
        }
    }

    /// The word of the parameter `key`, likewise.
    pub(crate) fn word(&self, key: &str) -> Option<String> {
        match self.parameter(key)? {
            ParamValue::Text(word) => Some(word),
            _ => None,
        }
    }

    fn parameter(&self, key: &str) -> Option<ParamValue> {
        let mut entries = self.entries().into_iter();
        let (_, value, default) = entries.find(|(name, ..)| *name == key)?;
        value.or(default)
    }

    pub(super) fn to_value(&self) -> ParamValue {
        let first = match &self.form {
            Form::Kind(kind) => ("kind", kind.name().into()),
            Form::Join(parts) => {
                let parts = parts.iter().map(Part::to_value).collect();
                ("join", ParamValue::List(parts))
            }
        };
        let set = |(key, value, _)| Some((key, value?));
        let rest = self.entries().into_iter().filter_map(set);
        let all = std::iter::once(first).chain(rest);
        ParamValue::Table(all.map(|(k, v)| (k.to_owned(), v)).collect())
    }

    /// The kind, then what differs from its defaults: `wsd(decay=0.6)`. The
    /// baseline of a choice is called `baseline`.
    pub fn label(&self) -> String {
        if let Some(name) = &self.name {
            return name.clone();
        }
        let mut words = match &self.form {
            Form::Kind(_) => vec![],
            Form::Join(parts) => parts.iter().map(Part::label).collect(),
        };
        for (key, value, default) in self.entries() {
            let Some(value) = value.filter(|v| Some(v) != default.as_ref())
            else {
                continue;
            };
            let value = match value {
                // A table of thousands of numbers is no name.
                ParamValue::List(_) if key == "momenta" => continue,
                ParamValue::List(rows) if key == "factors" => {
                    if self.table_file().is_some() {
                        continue;
                    }
                    words.push(format!("rows={}", rows.len()));
                    continue;
                }
                value => value.label(),
            };
            words.push(format!("{key}={value}"));
        }
        match words.as_slice() {
            [] => self.kind().to_owned(),
            words => format!("{}({})", self.kind(), words.join(",")),
        }
    }
}

/// Refuses `keys`, which describe what `key` switches on, if `key` is missing.
fn needs(fields: &Fields, key: &str, keys: &[&str]) -> Result<(), Problem> {
    match keys.iter().find(|other| fields.has(other) && !fields.has(key)) {
        None => Ok(()),
        Some(other) => {
            let message = format!("`{other}` needs `{key}`, add it");
            Err(Problem::at(other, message))
        }
    }
}

impl Part {
    fn read((number, value): (usize, ParamValue)) -> Result<Self, Problem> {
        Self::read_inside(value).map_err(|problem| {
            let message = format!("part {number} of `join`: {problem}");
            Problem::at("join", message)
        })
    }

    fn read_inside(value: ParamValue) -> Result<Self, Problem> {
        let ParamValue::Table(entries) = value else {
            let message = "give a table such as \
                           { kind = \"linear\", share = 0.5 }";
            return Err(Problem::whole(message));
        };
        let mut fields = Fields::new(entries);
        let steps = fields.read("steps", None::<usize>)?;
        let share = fields.read("share", None::<f64>)?;
        let length = match (steps, share) {
            (Some(steps), None) => PartLength::Steps(steps),
            (None, Some(share)) => PartLength::Share(share),
            _ => {
                let message = "give it either `steps` or `share`";
                return Err(Problem::at("steps", message));
            }
        };
        let spec = ScheduleSpec::take(&mut fields)?;
        match fields.left() {
            None => Ok(Self { spec, length }),
            Some(key) => Err(spec.unknown_key(key)),
        }
    }

    fn length(&self) -> (&'static str, ParamValue) {
        match self.length {
            PartLength::Steps(steps) => ("steps", steps.into()),
            PartLength::Share(share) => ("share", share.into()),
        }
    }

    fn to_value(&self) -> ParamValue {
        let mut value = self.spec.to_value();
        if let ParamValue::Table(entries) = &mut value {
            let (key, length) = self.length();
            entries.push((key.to_owned(), length));
        }
        value
    }

    /// The part's own label with its length: `linear(warmup=5,steps=50)`.
    fn label(&self) -> String {
        let (key, length) = self.length();
        let length = format!("{key}={}", length.label());
        let label = self.spec.label();
        match label.strip_suffix(')') {
            Some(open) => format!("{open},{length})"),
            None => format!("{label}({length})"),
        }
    }
}

impl Serialize for ScheduleSpec {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(to)
    }
}

impl<'de> Deserialize<'de> for ScheduleSpec {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::read(ParamValue::deserialize(from)?).map_err(D::Error::custom)
    }
}

impl Field for WarmupLength {
    const WANTED: &'static str =
        "a whole number of steps or a share of the budget such as \"5%\"";

    fn read(value: &ParamValue) -> Option<Self> {
        match value {
            ParamValue::Text(text) => percent(text).map(Self::Percent),
            other => usize::read(other).map(Self::Steps),
        }
    }

    fn value(&self) -> Option<ParamValue> {
        Some(match self {
            Self::Steps(steps) => (*steps).into(),
            Self::Percent(percent) => format!("{percent}%").into(),
        })
    }
}
