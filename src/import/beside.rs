//! Settings of a run that stand in a file beside its history.

use super::flat::flattened;
use super::json::{Value, parse_all};
use std::fs;
use std::path::Path;

/// Names and values.
pub(super) type Settings = Vec<(String, String)>;

/// The entries of a flat YAML file; those of other forms, and a file that is
/// not there, say nothing.
pub(super) fn yaml(path: &Path) -> Settings {
    let text = fs::read_to_string(path).unwrap_or_default();
    let entry = |line: &str| {
        let (name, value) = line.split_once(": ")?;
        let value = value.trim();
        let value = value.trim_matches(['\'', '"']);
        let is_plain = !name.starts_with([' ', '#', '-']);
        let is_value = !value.is_empty() && !value.starts_with(['!', '{', '[']);
        (is_plain && is_value).then(|| (name.to_owned(), value.to_owned()))
    };
    text.lines().filter_map(entry).collect()
}

/// The entries of a JSON file, those of inner objects with a point in their
/// names; a file that is not there says nothing.
pub(super) fn json(path: &Path) -> Settings {
    let text = fs::read_to_string(path).unwrap_or_default();
    let values = parse_all(path, &text).unwrap_or_default();
    let fields = values.first().and_then(Value::object).unwrap_or_default();
    let entry = |(name, value): (String, Value)| (name, value.cell());
    flattened(fields).into_iter().map(entry).collect()
}
