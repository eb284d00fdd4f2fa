//! The grid file as TOML, with the position of every key and value.
//!
//! serde loses positions inside tagged enums, but error messages need them.
//! The grid therefore walks this tree, and passes to serde only tables that it
//! has checked key by key.

use crate::error::{Error, Result};
use crate::schedule;
use crate::synonyms;
use crate::text::{either, excerpt, unknown_in};
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value and its position.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Byte offset in the text.
    pub(super) at: usize,
    /// The value.
    pub(super) value: Value,
}

/// A TOML value; tables in file order.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// A string.
    Text(String),
    /// An integer.
    Whole(i64),
    /// A float.
    Number(f64),
    /// A boolean.
    Flag(bool),
    /// An array, or an array of tables.
    List(Vec<Node>),
    /// A table of either form.
    Table(Table),
}

/// A table: its entries in file order.
pub(super) type Table = Vec<Entry>;

/// A key, its position, and its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The key.
    pub(super) key: String,
    /// Byte offset of the key.
    pub(super) at: usize,
    /// The value.
    pub(super) node: Node,
}

/// A text and its name, for error messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    /// Path for messages; data files are relative to its folder.
    pub(super) path: &'a Path,
    /// The text that offsets refer to.
    pub(super) text: &'a str,
}

impl Source<'_> {
    /// An error at byte `at`.
    pub(super) fn error(&self, at: usize, message: impl Into<String>) -> Error {
        Error::input(self.path, self.text, at, message)
    }

    /// Line and column of byte `at`, as `line 3, column 7`.
    pub(super) fn place(&self, at: usize) -> String {
        match self.error(at, "") {
            Error::Input { line, column, .. } => {
                format!("line {line}, column {column}")
            }
            other => other.to_string(),
        }
    }

    /// Parses the whole text.
    pub(super) fn document(&self) -> Result<Table> {
        let root = DeTable::parse(self.text).map_err(|e| self.syntax(&e))?;
        self.table(root.into_inner())
    }

    /// Parses a text that is one value, such as an inline table.
    pub(super) fn value(&self) -> Result<Node> {
        let value = DeValue::parse(self.text).map_err(|e| self.syntax(&e))?;
        self.node(value)
    }

    /// The file named under `key`, which must exist; paths are relative to the
    /// folder of the grid.
    pub(super) fn file(
        &self,
        at: usize,
        key: &str,
        path: &Path,
    ) -> Result<PathBuf> {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let file = folder.join(path);
        let shown = file.display();
        if file.is_file() {
            Ok(file)
        } else if file.is_dir() {
            let message = format!("`{shown}` is a folder, name a file in it");
            Err(self.error(at, message))
        } else {
            let message = format!(
                "missing file: `{shown}`; put it there or correct `{key}` (it \
                 is relative to the folder of the grid)"
            );
            Err(self.error(at, message))
        }
    }

    fn syntax(&self, error: &toml::de::Error) -> Error {
        let at = error.span().map_or(self.text.len(), |span| span.start);
        let remedy = match error.message() {
            "duplicate key" => {
                "; keep one (repeated tables have headers in double brackets, \
                 as in `[[workload]]`)"
            }
            _ => "",
        };
        let message = format!("not valid TOML: {}{remedy}", error.message());
        self.error(at, message)
    }

    fn table(&self, table: DeTable<'_>) -> Result<Table> {
        let mut entries = table
            .into_iter()
            .map(|(key, value)| {
                Ok(Entry {
                    at: key.span().start,
                    key: key.into_inner().into_owned(),
                    node: self.node(value)?,
                })
            })
            .collect::<Result<Table>>()?;
        entries.sort_by_key(|entry| entry.at);
        Ok(entries)
    }

    fn node(&self, value: Spanned<DeValue<'_>>) -> Result<Node> {
        let at = value.span().start;
        let value = match value.into_inner() {
            DeValue::String(text) => Value::Text(text.into_owned()),
            DeValue::Integer(whole) => {
                let parsed = i64::from_str_radix(whole.as_str(), whole.radix());
                Value::Whole(parsed.map_err(|_| {
                    let most = i64::MAX;
                    let shown = excerpt(&whole.to_string());
                    self.error(
                        at,
                        format!(
                            "{shown} is out of range, a whole number here is \
                             at most {most}"
                        ),
                    )
                })?)
            }
            DeValue::Float(number) => {
                let text = number.as_str();
                let parsed: f64 = text.parse().map_err(|_| {
                    self.error(at, format!("{} is not a number", excerpt(text)))
                })?;
                if parsed.is_infinite() && !text.contains("inf") {
                    let message = format!(
                        "{} is out of range, a number here is at most 1e308",
                        excerpt(text)
                    );
                    return Err(self.error(at, message));
                }
                Value::Number(parsed)
            }
            DeValue::Boolean(flag) => Value::Flag(flag),
            DeValue::Datetime(_) => {
                let message = "no key of a grid takes a date or time, put it \
                               in quotes if it is a name";
                return Err(self.error(at, message));
            }
            DeValue::Array(items) => Value::List(
                items
                    .into_iter()
                    .map(|item| self.node(item))
                    .collect::<Result<_>>()?,
            ),
            DeValue::Table(table) => Value::Table(self.table(table)?),
        };
        Ok(Node { at, value })
    }

    /// Refuses keys of `table` that are not in `known`; `home` is the name of
    /// the table, such as `` `[lr_find]` ``.
    pub(super) fn keys(
        &self,
        table: &Table,
        home: &str,
        known: &[&str],
    ) -> Result<()> {
        for entry in table {
            if !known.contains(&entry.key.as_str()) {
                let message = unknown_key(&entry.key, home, known);
                return Err(self.error(entry.at, message));
            }
        }
        Ok(())
    }

    /// The error that `node` is not `wanted`: "a string", "a list of steps".
    pub(super) fn mismatch(
        &self,
        key: &str,
        node: &Node,
        wanted: &str,
    ) -> Error {
        let got = node.shown();
        self.error(node.at, format!("`{key}` must be {wanted}, got {got}"))
    }

    /// A string.
    pub(super) fn text<'n>(
        &self,
        key: &str,
        node: &'n Node,
        wanted: &str,
    ) -> Result<&'n str> {
        match &node.value {
            Value::Text(text) => Ok(text),
            _ => Err(self.mismatch(key, node, wanted)),
        }
    }

    /// A whole number of at least `least` and at most `most`.
    pub(super) fn whole(
        &self,
        key: &str,
        node: &Node,
        least: usize,
        most: usize,
    ) -> Result<usize> {
        let wanted = format!("a whole number from {least} to {most}");
        let Value::Whole(whole) = node.value else {
            return Err(self.mismatch(key, node, &wanted));
        };
        usize::try_from(whole)
            .ok()
            .filter(|whole| (least..=most).contains(whole))
            .ok_or_else(|| self.mismatch(key, node, &wanted))
    }

    /// A number that satisfies `holds`; `wanted` describes it.
    pub(super) fn number(
        &self,
        key: &str,
        node: &Node,
        wanted: &str,
        holds: impl Fn(f64) -> bool,
    ) -> Result<f64> {
        node.number()
            .filter(|&number| number.is_finite() && holds(number))
            .ok_or_else(|| self.mismatch(key, node, wanted))
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, key: &str, node: &Node) -> Result<bool> {
        match node.value {
            Value::Flag(flag) => Ok(flag),
            _ => Err(self.mismatch(key, node, "`true` or `false`")),
        }
    }

    /// A list.
    pub(super) fn list<'n>(
        &self,
        key: &str,
        node: &'n Node,
        wanted: &str,
    ) -> Result<&'n [Node]> {
        match &node.value {
            Value::List(items) => Ok(items),
            _ => Err(self.mismatch(key, node, wanted)),
        }
    }

    /// One of a few names; `choices` pairs them with their meaning.
    pub(super) fn choice<T: Copy>(
        &self,
        key: &str,
        node: &Node,
        choices: &[(&str, T)],
    ) -> Result<T> {
        let names: Vec<&str> = choices.iter().map(|&(name, _)| name).collect();
        let wanted = either(&names);
        let text = self.text(key, node, &wanted)?;
        choices
            .iter()
            .find(|&&(name, _)| name == text)
            .map(|&(_, meaning)| meaning)
            .ok_or_else(|| {
                let home = format!("`{key}`");
                self.error(node.at, unknown_in("value", text, &home, &names))
            })
    }
}

/// The message that `key` is unknown in `home`, with the remedy.
pub(super) fn unknown_key(key: &str, home: &str, known: &[&str]) -> String {
    match synonyms::of_key(key, |other| known.contains(&other)) {
        Some(here) => {
            format!("unknown key {} in {home}, here it is {here}", excerpt(key))
        }
        None => unknown_in("key", key, home, known),
    }
}

impl Node {
    /// The value as a number, if it is one; integers are included.
    pub(super) fn number(&self) -> Option<f64> {
        match self.value {
            Value::Number(number) => Some(number),
            Value::Whole(whole) => Some(whole as f64),
            _ => None,
        }
    }

    /// The value as a number, if it is one or is in per cent: "20%" is 0.2.
    pub(super) fn share(&self) -> Option<f64> {
        match &self.value {
            Value::Text(text) => {
                schedule::percent(text).map(|percent| percent / 100.0)
            }
            _ => self.number(),
        }
    }

    /// The value in words, for "got ...".
    pub(super) fn shown(&self) -> String {
        match &self.value {
            Value::Text(text) => {
                format!("the string \"{}\"", excerpt(text).trim_matches('`'))
            }
            Value::Whole(whole) => whole.to_string(),
            Value::Number(number) => format!("{number:?}"),
            Value::Flag(flag) => flag.to_string(),
            Value::List(items) => match items.len() {
                0 => "an empty list".to_owned(),
                1 => "a list of one".to_owned(),
                more => format!("a list of {more}"),
            },
            Value::Table(_) => "a table".to_owned(),
        }
    }

    /// Lists around the first innermost value: 0 for a scalar or a table.
    pub(super) fn depth(&self) -> usize {
        match &self.value {
            Value::List(items) => 1 + items.first().map_or(0, Self::depth),
            _ => 0,
        }
    }

    /// The same value for serde, without positions.
    pub(super) fn plain(&self) -> toml::Value {
        match &self.value {
            Value::Text(text) => toml::Value::String(text.clone()),
            Value::Whole(whole) => toml::Value::Integer(*whole),
            Value::Number(number) => toml::Value::Float(*number),
            Value::Flag(flag) => toml::Value::Boolean(*flag),
            Value::List(items) => {
                toml::Value::Array(items.iter().map(Self::plain).collect())
            }
            Value::Table(table) => toml::Value::Table(plain(table)),
        }
    }
}

/// The same table for serde, without positions.
pub(super) fn plain(table: &[Entry]) -> toml::Table {
    table.iter().map(|entry| (entry.key.clone(), entry.node.plain())).collect()
}

/// The entry of `key`.
pub(super) fn find<'t>(table: &'t [Entry], key: &str) -> Option<&'t Entry> {
    table.iter().find(|entry| entry.key == key)
}
