//! JSON as a table: which value is a row, and which a column.

use super::json::{Kind, Value};
use crate::error::{Error, Result};
use crate::results::{Cells, Header, Sheet, Source};
use crate::text::{count, quoted};
use std::collections::HashMap;
use std::path::Path;

/// A row: names of columns and their values.
pub(super) type Fields = Vec<(String, Value)>;

/// The table of the values of a file: an array of objects, an object of
/// columns, or an object a line.
///
/// # Errors
///
/// If they are no table.
pub(super) fn sheet_of(
    path: &Path,
    text: String,
    values: &[Value],
) -> Result<Sheet> {
    let rows = match rows_of(values) {
        Ok(rows) => rows,
        Err((at, message)) => {
            return Err(Error::input(path, &text, at, message));
        }
    };
    Ok(sheet_of_rows(path, text, &rows))
}

/// A table of rows, with the columns in the order in which they appear.
pub(super) fn sheet_of_rows(
    path: &Path,
    text: String,
    rows: &[(usize, Fields)],
) -> Sheet {
    let mut header = Header::default();
    for (name, _) in rows.iter().flat_map(|(_, fields)| fields) {
        header.column(name);
    }
    let width = header.names().len();
    let cells = |(at, fields): &(usize, Fields)| {
        let mut cells = vec![(String::new(), *at); width];
        for (name, value) in fields {
            cells[header.column(name)] = (value.cell(), value.at);
        }
        Cells { source: 0, at: *at, cells }
    };
    let cells = rows.iter().map(cells).collect();
    let source = Source { path: path.to_owned(), text: Some(text) };
    Sheet::of_cells(vec![source], header.names(), cells)
}

/// Where it is, and why it is no table.
type Wrong = (usize, String);

fn rows_of(
    values: &[Value],
) -> std::result::Result<Vec<(usize, Fields)>, Wrong> {
    let lines = |values: &[Value]| {
        let row = |value: &Value| match value.object() {
            Some(fields) => Ok((value.at, flattened(fields))),
            None => Err((
                value.at,
                "a row must be a JSON object: `{\"lr\": 0.1, ...}`".to_owned(),
            )),
        };
        values.iter().map(row).collect()
    };
    let [one] = values else { return lines(values) };
    match &one.kind {
        Kind::List(rows) if rows.is_empty() => {
            Err((one.at, "the JSON has no rows".to_owned()))
        }
        Kind::List(rows) if rows.iter().all(|row| row.list().is_some()) => {
            of_lists(rows, None)
        }
        Kind::List(rows) => lines(rows),
        Kind::Object(fields) => of_object(one.at, fields),
        _ => Err((one.at, "a table must be an array or object".to_owned())),
    }
}

/// An object: of columns, of rows, with rows in it, or one row.
fn of_object(
    at: usize,
    fields: &[(String, Value)],
) -> std::result::Result<Vec<(usize, Fields)>, Wrong> {
    let get = |key: &str| fields.iter().find(|f| f.0 == key).map(|f| &f.1);
    if let (Some(columns), Some(data)) = (
        get("columns").and_then(Value::list),
        get("data").and_then(Value::list),
    ) {
        return of_lists(data, Some(columns));
    }
    let has_objects = |value: &Value| {
        let list = value.list().unwrap_or_default();
        !list.is_empty() && list.iter().all(|row| row.object().is_some())
    };
    let mut tables = fields.iter().filter(|(_, value)| has_objects(value));
    if let (Some((_, table)), None) = (tables.next(), tables.next()) {
        return rows_of(std::slice::from_ref(table));
    }
    let is_list = |(_, value): &(String, Value)| value.list().is_some();
    if fields.iter().any(is_list) {
        return of_columns(at, fields);
    }
    let inner: Vec<&[(String, Value)]> =
        fields.iter().filter_map(|(_, value)| value.object()).collect();
    if inner.len() == fields.len() && !inner.is_empty() {
        let is_index = |name: &str| name.parse::<u64>().is_ok();
        let all_index = |fields: &[(String, Value)]| {
            !fields.is_empty() && fields.iter().all(|(name, _)| is_index(name))
        };
        if inner.iter().all(|fields| all_index(fields)) {
            return Ok(of_indexed(fields));
        }
        let mut rows = vec![];
        for (name, value) in fields {
            let key = Kind::Text(name.clone());
            let key = ("key".to_owned(), Value { at: value.at, kind: key });
            let own = value.object().map(flattened).unwrap_or_default();
            let key = if all_index(fields) { None } else { Some(key) };
            rows.push((value.at, key.into_iter().chain(own).collect()));
        }
        return Ok(rows);
    }
    Ok(vec![(at, flattened(fields))])
}

/// `{"lr": [...], "loss": [...]}`; single values stand in every row.
fn of_columns(
    at: usize,
    fields: &[(String, Value)],
) -> std::result::Result<Vec<(usize, Fields)>, Wrong> {
    let mut length: Option<(&str, usize)> = None;
    for (name, value) in fields {
        let Some(list) = value.list() else { continue };
        match length {
            Some((other, there)) if there != list.len() => {
                return Err((
                    value.at,
                    format!(
                        "{} has {} and {} has {}; all columns of a table must \
                         have the same length",
                        quoted(name),
                        count(list.len(), "value", "values"),
                        quoted(other),
                        there
                    ),
                ));
            }
            _ => length = Some((name, list.len())),
        }
    }
    let rows = length.map_or(0, |(_, length)| length);
    let row = |i: usize| {
        let mut start = at;
        let mut own = vec![];
        for (name, value) in fields {
            match value.list() {
                Some(list) => {
                    if start == at {
                        start = list[i].at;
                    }
                    own.push((name.clone(), list[i].clone()));
                }
                None => own.push((name.clone(), value.clone())),
            }
        }
        (start, flattened(&own))
    };
    Ok((0..rows).map(row).collect())
}

/// `{"lr": {"0": ..., "1": ...}, ...}`, as `DataFrame.to_json` writes.
fn of_indexed(columns: &[(String, Value)]) -> Vec<(usize, Fields)> {
    let mut order: Vec<&str> = vec![];
    let mut rows: HashMap<&str, (usize, Fields)> = HashMap::new();
    for (column, value) in columns {
        for (index, value) in value.object().unwrap_or_default() {
            let row = rows.entry(index).or_insert_with(|| {
                order.push(index);
                (value.at, vec![])
            });
            row.1.push((column.clone(), value.clone()));
        }
    }
    let rows = order.iter().filter_map(|index| rows.remove(index));
    rows.map(|(at, fields)| (at, flattened(&fields))).collect()
}

/// Rows that are arrays; their names are given or in the first of them.
fn of_lists(
    rows: &[Value],
    names: Option<&[Value]>,
) -> std::result::Result<Vec<(usize, Fields)>, Wrong> {
    let Some(first) = rows.first() else {
        return Err((0, "the JSON has no rows".to_owned()));
    };
    let is_name = |value: &Value| matches!(value.kind, Kind::Text(_));
    let own = first.list().unwrap_or_default();
    let (names, rows) = match names {
        Some(names) => (names, rows),
        None if own.iter().all(is_name) => (own, &rows[1..]),
        None => {
            let message = "the first array must have the names of the columns";
            return Err((first.at, message.to_owned()));
        }
    };
    let row = |row: &Value| {
        let cells = row.list().unwrap_or_default();
        if cells.len() != names.len() {
            return Err((
                row.at,
                format!(
                    "this row has {} and the table {}",
                    count(cells.len(), "value", "values"),
                    count(names.len(), "column", "columns")
                ),
            ));
        }
        let names = names.iter().map(Value::cell);
        Ok((row.at, names.zip(cells.iter().cloned()).collect()))
    };
    rows.iter().map(row).collect()
}

/// The fields of an object and of the objects in it, named `outer.inner`.
pub(super) fn flattened(fields: &[(String, Value)]) -> Fields {
    let mut flat = vec![];
    for (name, value) in fields {
        match value.object() {
            Some(inner) if !inner.is_empty() => {
                let inner = flattened(inner).into_iter();
                flat.extend(inner.map(|(n, v)| (format!("{name}.{n}"), v)));
            }
            _ => flat.push((name.clone(), value.clone())),
        }
    }
    flat
}
