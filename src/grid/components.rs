//! Models, data sets and optimizers as a workload names them: a name, a
//! table with a `kind`, or a list of those.

use super::axes;
use super::keys::{Family, Form, Kind};
use super::wire::{Entry, Node, Source, Table, Value, find, plain};
use crate::error::{Error, Problem, Result};
use crate::text::{either, excerpt, unknown, unknown_in};
use serde::de::DeserializeOwned;

/// A model, data set or optimizer, and its position.
#[derive(Clone, Debug)]
pub(super) struct Component<T> {
    /// The component.
    pub(super) spec: T,
    /// Byte offset of its name or table.
    at: usize,
    /// Its keys, for their positions.
    table: Table,
}

impl<T> Component<T> {
    /// Byte offset of the value of `key`, or of the component.
    pub(super) fn place(&self, key: Option<&str>) -> usize {
        key.and_then(|key| find(&self.table, key))
            .map_or(self.at, |entry| entry.node.at)
    }

    /// `problem` as an error at its position.
    pub(super) fn error(&self, source: Source<'_>, problem: Problem) -> Error {
        source.error(self.place(problem.key.as_deref()), problem.message)
    }
}

/// Reads the components in `node`. `own` are the names that the user's binary
/// registered; they take precedence, as in its registry.
pub(super) fn read<T: DeserializeOwned>(
    source: Source<'_>,
    family: &Family,
    node: &Node,
    own: &[String],
    register: impl Fn(&str) -> T,
) -> Result<Vec<Component<T>>> {
    let items = match &node.value {
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let mut components = vec![];
    for item in items {
        let tables = match &item.value {
            Value::Text(_) => vec![vec![Entry {
                key: "kind".to_owned(),
                at: item.at,
                node: item.clone(),
            }]],
            Value::Table(table) => axes::expand(source, table)?,
            _ => {
                let noun = family.noun;
                let message = format!(
                    "a {noun} is a name or a table such as {{ kind = \"{}\" \
                     }}, got {}",
                    (family.names)()[0],
                    item.shown()
                );
                return Err(source.error(item.at, message));
            }
        };
        for table in tables {
            let spec = read_one(source, family, item, &table, own, &register)?;
            components.push(Component { spec, at: item.at, table });
        }
    }
    if components.is_empty() {
        let message =
            format!("the list of {}s is empty, name at least one", family.noun);
        return Err(source.error(node.at, message));
    }
    Ok(components)
}

fn read_one<T: DeserializeOwned>(
    source: Source<'_>,
    family: &Family,
    item: &Node,
    table: &Table,
    own: &[String],
    register: impl Fn(&str) -> T,
) -> Result<T> {
    let mut names = (family.names)().to_vec();
    names.extend(own.iter().map(String::as_str));
    let noun = family.noun;
    let Some(kind) = find(table, "kind") else {
        let message = format!(
            "this {noun} has no `kind`, name one: {}",
            names.join(", ")
        );
        return Err(source.error(item.at, message));
    };
    let name = source.text("kind", &kind.node, "a string")?;
    let home = format!("{noun} {}", excerpt(name));
    if own.iter().any(|own| own == name) {
        source.keys(table, &home, &["kind"])?;
        return Ok(register(name));
    }
    let Some(known) = family.kind(name) else {
        return Err(source.error(kind.node.at, unknown(noun, name, &names)));
    };
    check(source, &known, &home, item, table)?;
    let mut plain = plain(table);
    for key in known.keys {
        if let (Form::Shares, Some(entry)) = (key.form, find(table, key.name))
            && let Value::List(items) = &entry.node.value
        {
            let shares = items.iter().filter_map(Node::share);
            let shares = shares.map(toml::Value::Float).collect();
            plain.insert(key.name.to_owned(), toml::Value::Array(shares));
        }
    }
    plain.try_into().map_err(|error: toml::de::Error| {
        // A value that serde refuses is out of the range of its type.
        source.error(item.at, error.message().to_owned())
    })
}

/// Refuses unknown keys, missing keys and values of the wrong form.
fn check(
    source: Source<'_>,
    kind: &Kind,
    home: &str,
    item: &Node,
    table: &Table,
) -> Result<()> {
    let mut names = vec!["kind"];
    names.extend(kind.keys.iter().map(|key| key.name));
    source.keys(table, home, &names)?;
    for key in kind.keys {
        match find(table, key.name) {
            Some(entry) => form(source, key.name, key.form, &entry.node)?,
            None if key.required => {
                let name = key.name;
                let message = format!("{home} needs the key `{name}`");
                return Err(source.error(item.at, message));
            }
            None => {}
        }
    }
    Ok(())
}

fn form(source: Source<'_>, key: &str, form: Form, node: &Node) -> Result<()> {
    let whole = |node: &Node| matches!(node.value, Value::Whole(0..));
    let fits = match (form, &node.value) {
        (Form::Choice(names), Value::Text(text)) => {
            if !names.contains(&text.as_str()) {
                let home = format!("`{key}`");
                let message = unknown_in("value", text, &home, names);
                return Err(source.error(node.at, message));
            }
            true
        }
        (Form::Whole, _) => whole(node),
        (Form::Number, _) => node.number().is_some_and(f64::is_finite),
        (Form::Flag, value) => matches!(value, Value::Flag(_)),
        (Form::Text, value) => matches!(value, Value::Text(_)),
        (Form::Wholes, Value::List(items)) => {
            if let Some(item) = items.iter().find(|item| !whole(item)) {
                let wanted = form.wanted();
                let got = item.shown();
                let message =
                    format!("`{key}` must be {wanted}, got {got} in it");
                return Err(source.error(item.at, message));
            }
            true
        }
        (Form::Texts, Value::List(items)) => {
            items.iter().all(|item| matches!(item.value, Value::Text(_)))
        }
        (Form::Shares, Value::List(items)) => {
            items.len() == 2
                && items
                    .iter()
                    .all(|item| item.share().is_some_and(f64::is_finite))
        }
        (Form::Numbers, Value::Table(entries)) => {
            let finite =
                |entry: &Entry| entry.node.number().is_some_and(f64::is_finite);
            entries.iter().all(finite)
        }
        (
            Form::Choice(_)
            | Form::Wholes
            | Form::Texts
            | Form::Shares
            | Form::Numbers,
            _,
        ) => false,
    };
    if fits {
        return Ok(());
    }
    Err(match form {
        Form::Choice(names) => source.mismatch(key, node, &either(names)),
        _ => source.mismatch(key, node, form.wanted()),
    })
}
