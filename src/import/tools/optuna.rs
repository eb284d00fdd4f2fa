//! Optuna: `trials_dataframe` as CSV, and the SQLite storage. Made from
//! Optuna 5.0.0.

use super::{Piece, Rows, Tool, has, starts};
use crate::error::Result;
use crate::import::database::{Database, table};
use crate::import::json::{Value, parse_cell};
use crate::ranking::Direction;
use std::path::Path;

pub(super) fn is_one(_: &Path, names: &[&str]) -> bool {
    has(names, &["number", "state"]) && starts(names, "params_")
}

pub(super) fn is_storage(database: &Database) -> Result<bool> {
    database.has_tables(&["studies", "trials", "trial_params", "trial_values"])
}

/// The trials, with the columns of `trials_dataframe`.
pub(super) fn storage(database: &Database) -> Result<Piece> {
    let mut rows = database.rows(
        "SELECT trial_id, 'state', state FROM trials ORDER BY trial_id",
    )?;
    for query in [
        "SELECT trial_id, 'number', number FROM trials",
        "SELECT trial_id, 'study', study_name FROM trials \
         JOIN studies USING (study_id)",
        "SELECT trial_id, \
         CASE WHEN objective = 0 THEN 'value' ELSE 'values_' || objective END, \
         CASE value_type WHEN 'INF_POS' THEN 'inf' WHEN 'INF_NEG' THEN '-inf' \
         ELSE value END FROM trial_values ORDER BY objective",
    ] {
        rows.extend(database.rows(query)?);
    }
    for row in database.rows(
        "SELECT trial_id, 'params_' || param_name, param_value, \
         distribution_json FROM trial_params ORDER BY param_id",
    )? {
        let [trial, name, value, distribution] = row.as_slice() else {
            continue;
        };
        let value = choice(value, distribution).unwrap_or(value.clone());
        rows.push(vec![trial.clone(), name.clone(), value]);
    }
    for row in database.rows(
        "SELECT trial_id, 'user_attrs_' || key, value_json \
         FROM trial_user_attributes ORDER BY key",
    )? {
        let [trial, name, json] = row.as_slice() else { continue };
        let value = parse_cell(json).map(|value| value.cell());
        let value = value.unwrap_or(json.clone());
        rows.push(vec![trial.clone(), name.clone(), value]);
    }
    let directions = database.rows(
        "SELECT DISTINCT direction FROM study_directions \
         WHERE objective = 0",
    )?;
    let known =
        [("MINIMIZE", Direction::Lower), ("MAXIMIZE", Direction::Higher)];
    let said = known.into_iter().filter(|(word, _)| {
        directions.iter().flatten().any(|direction| direction == word)
    });
    let directions = said.map(|(_, direction)| direction).collect();
    let sheet = table(database.path(), "trial_id", &rows);
    Ok(Piece { directions, ..Piece::of(Tool::Optuna, sheet, Rows::EachARun) })
}

/// A categorical value is kept as its index among the choices.
fn choice(value: &str, distribution: &str) -> Option<String> {
    let distribution = parse_cell(distribution)?;
    let choices = distribution.get("attributes")?.get("choices")?;
    let index: usize = value.parse().ok()?;
    choices.list()?.get(index).map(Value::cell)
}
