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
    ] {
        rows.extend(database.rows(query)?);
    }
    let objectives = Objectives::of(database)?;
    for row in database.rows(
        "SELECT trial_id, study_id, objective, \
         CASE value_type WHEN 'INF_POS' THEN 'inf' WHEN 'INF_NEG' THEN '-inf' \
         ELSE value END FROM trial_values JOIN trials USING (trial_id) \
         ORDER BY objective",
    )? {
        let [trial, study, objective, value] = row.as_slice() else { continue };
        let name = objectives.name(study, objective);
        rows.push(vec![trial.clone(), name, value.clone()]);
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
    let directions = objectives.directions();
    let sheet = table(database.path(), "trial_id", &rows);
    Ok(Piece { directions, ..Piece::of(Tool::Optuna, sheet, Rows::EachARun) })
}

/// What the studies of a storage are judged by.
struct Objectives {
    /// Study, number and direction of each.
    all: Vec<Vec<String>>,
    /// Study, and the names of its objectives as JSON, where they have some.
    names: Vec<Vec<String>>,
}

impl Objectives {
    fn of(database: &Database) -> Result<Self> {
        Ok(Self {
            all: database.rows(
                "SELECT study_id, objective, direction FROM study_directions \
                 ORDER BY study_id, objective",
            )?,
            names: database.rows(
                "SELECT study_id, value_json FROM study_system_attributes \
                 WHERE key = 'study:metric_names'",
            )?,
        })
    }

    /// The name of an objective in `trials_dataframe`.
    fn name(&self, study: &str, objective: &str) -> String {
        let several = self.all.iter().filter(|one| one[0] == study).count() > 1;
        let names = self.names.iter().find(|names| names[0] == study);
        let name = || {
            let names = parse_cell(&names?[1])?;
            let at: usize = objective.parse().ok()?;
            names.list()?.get(at).map(Value::cell)
        };
        match (several, name()) {
            (false, None) => "value".to_owned(),
            (false, Some(name)) => format!("value_{name}"),
            (true, None) => format!("values_{objective}"),
            (true, Some(name)) => format!("values_{name}"),
        }
    }

    fn directions(&self) -> Vec<(String, Direction)> {
        let direction = |word: &str| match word {
            "MINIMIZE" => Some(Direction::Lower),
            "MAXIMIZE" => Some(Direction::Higher),
            _ => None,
        };
        let all = self.all.iter().filter_map(|one| {
            Some((self.name(&one[0], &one[1]), direction(&one[2])?))
        });
        all.collect()
    }
}

/// A categorical value is kept as its index among the choices.
fn choice(value: &str, distribution: &str) -> Option<String> {
    let distribution = parse_cell(distribution)?;
    let choices = distribution.get("attributes")?.get("choices")?;
    let index: usize = value.parse().ok()?;
    choices.list()?.get(index).map(Value::cell)
}
