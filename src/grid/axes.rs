//! Lists in place of single values: each is an axis, and a table expands to the
//! product of its axes.

use super::keys::natural_depth;
use super::wire::{Entry, Node, Source, Table, Value, find};
use crate::error::Result;

/// The kind of component that `table` describes, if it is one.
fn kind_of(table: &Table) -> Option<&str> {
    match &find(table, "kind")?.node.value {
        Value::Text(kind) => Some(kind),
        _ => None,
    }
}

/// The values of an axis in a table of this kind, or the single value.
fn values<'t>(entry: &'t Entry, kind: Option<&str>) -> &'t [Node] {
    match &entry.node.value {
        Value::List(items)
            if entry.node.depth() > natural_depth(&entry.key, kind) =>
        {
            items
        }
        _ => std::slice::from_ref(&entry.node),
    }
}

/// The same, with at least one value.
pub(super) fn some_values<'t>(
    source: Source<'_>,
    entry: &'t Entry,
) -> Result<&'t [Node]> {
    some_values_of(source, entry, None)
}

/// The same in a table of this kind.
fn some_values_of<'t>(
    source: Source<'_>,
    entry: &'t Entry,
    kind: Option<&str>,
) -> Result<&'t [Node]> {
    let values = values(entry, kind);
    if values.is_empty() {
        let message = format!(
            "`{}` has no values, give at least one or leave the key out",
            entry.key
        );
        return Err(source.error(entry.node.at, message));
    }
    Ok(values)
}

/// The number of tables that `table` expands to.
pub(super) fn count(table: &Table) -> u128 {
    let kind = kind_of(table);
    table.iter().fold(1, |product, entry| {
        let len = values(entry, kind).len() as u128;
        product.saturating_mul(len)
    })
}

/// The number of components in `node`: a name, a table, or a list of those.
pub(super) fn count_components(node: &Node) -> u128 {
    match &node.value {
        Value::List(items) => items
            .iter()
            .fold(0, |sum, item| sum.saturating_add(count_components(item))),
        Value::Table(table) => count(table),
        _ => 1,
    }
}

/// The tables that `table` expands to, the last axis fastest. Call it only
/// after [`count`].
pub(super) fn expand(source: Source<'_>, table: &Table) -> Result<Vec<Table>> {
    let mut tables = vec![vec![]];
    for entry in table {
        let values = some_values_of(source, entry, kind_of(table))?;
        tables = tables
            .into_iter()
            .flat_map(|start: Table| {
                values.iter().map(move |value| {
                    let mut table = start.clone();
                    let (key, at) = (entry.key.clone(), entry.at);
                    table.push(Entry { key, at, node: value.clone() });
                    table
                })
            })
            .collect();
    }
    Ok(tables)
}
