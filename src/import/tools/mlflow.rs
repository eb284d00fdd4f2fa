//! MLflow: `search_runs` as CSV, and the SQLite store of MLflow 3. Made from
//! MLflow 3.17.2.

use super::{Piece, Rows, Tool, has, starts};
use crate::error::Result;
use crate::import::database::{Database, table};
use std::path::Path;

pub(super) fn is_one(_: &Path, names: &[&str]) -> bool {
    has(names, &["run_id"])
        && (starts(names, "metrics.") || starts(names, "params."))
}

pub(super) fn is_store(database: &Database) -> Result<bool> {
    database.has_tables(&["runs", "params", "latest_metrics", "tags"])
}

/// The runs that are not deleted, with the columns of `search_runs`: the
/// last value of each metric. The store keeps NaN as 0 with a mark.
pub(super) fn store(database: &Database) -> Result<Piece> {
    let mut rows = database.rows(
        "SELECT run_uuid, 'status', status FROM runs \
         WHERE lifecycle_stage = 'active' ORDER BY start_time, run_uuid",
    )?;
    for query in [
        "SELECT run_uuid, 'experiment', experiments.name FROM runs \
         JOIN experiments USING (experiment_id)",
        "SELECT run_uuid, 'params.' || key, value FROM params",
        "SELECT run_uuid, 'metrics.' || key, \
         CASE WHEN is_nan THEN 'nan' ELSE value END FROM latest_metrics \
         ORDER BY key",
        "SELECT run_uuid, 'tags.' || key, value FROM tags \
         WHERE key = 'mlflow.runName'",
    ] {
        rows.extend(database.rows(query)?);
    }
    let sheet = table(database.path(), "run_id", &rows);
    Ok(Piece::of(Tool::Mlflow, sheet, Rows::EachARun))
}
