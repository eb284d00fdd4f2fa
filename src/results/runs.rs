//! Runs as the ranking sees them, from one long CSV: ours or another tool's.

use super::sheet::{Row, Sheet};
use crate::error::{Error, Result};
use crate::record::Observation;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::{Path, PathBuf};

/// The runs of several CSV files, one after the other, and the name of the
/// score column.
///
/// A file needs the columns `workload`, `schedule`, `seed` and one of scores:
/// `score`, if given, else `valid_loss`, else `score`. It may have `cluster`,
/// `budget`, `lr_multiple` and `outcome`; further ones are ignored. A run
/// whose score is empty, `nan` or infinite, or whose outcome is anything but
/// `completed`, has no score; `stopped` is the outcome of a run that a race
/// left out.
///
/// # Errors
///
/// If a file cannot be read, lacks a column or rows, has a cell that cannot
/// be understood, or a run is there twice; all but the first with line and
/// column.
pub(crate) fn read_all(
    paths: &[PathBuf],
    score: Option<&str>,
) -> Result<(Vec<Observation>, String)> {
    let mut observations: Vec<Observation> = vec![];
    let mut files: Vec<&Path> = vec![];
    let mut column: Option<String> = None;
    for path in paths {
        let sheet = Sheet::read(path)?;
        let (runs, used) = sheet.observations(score)?;
        if let Some(other) = column.replace(used.clone())
            && other != used
        {
            return Err(sheet.error(
                0,
                format!(
                    "the score column here is `{used}`, in the files before \
                     it `{other}`; name one with `--score`"
                ),
            ));
        }
        files.extend(runs.iter().map(|_| path.as_path()));
        observations.extend(runs);
    }
    no_duplicates(&observations, &files)?;
    // Without a file there is no column either, and nothing to rank.
    Ok((observations, column.unwrap_or_default()))
}

impl Sheet {
    /// The runs and the name of their score column; see [`read_all`].
    ///
    /// # Errors
    ///
    /// As [`read_all`], but for runs that are there twice.
    pub(crate) fn observations(
        &self,
        score: Option<&str>,
    ) -> Result<(Vec<Observation>, String)> {
        let columns = Columns::of(self, score)?;
        let rows = self.records().map(|row| columns.observation(row));
        let runs = rows.collect::<Result<Vec<Observation>>>()?;
        if runs.is_empty() {
            return Err(self.too_short("there are no rows below the header"));
        }
        Ok((runs, self.name(columns.score).to_owned()))
    }
}

/// Where the fields of an observation stand.
struct Columns {
    workload: usize,
    schedule: usize,
    seed: usize,
    score: usize,
    cluster: Option<usize>,
    budget: Option<usize>,
    lr_multiple: Option<usize>,
    outcome: Option<usize>,
}

impl Columns {
    fn of(sheet: &Sheet, score: Option<&str>) -> Result<Self> {
        let score = match score {
            Some(name) => sheet.needed(name)?,
            None => sheet
                .column("valid_loss")?
                .map_or_else(|| sheet.column("score"), |at| Ok(Some(at)))?
                .ok_or_else(|| {
                    sheet.lacks(
                        "there is no column `valid_loss` or `score`; name \
                         the scores with `--score`",
                    )
                })?,
        };
        Ok(Self {
            workload: sheet.needed("workload")?,
            schedule: sheet.needed("schedule")?,
            seed: sheet.needed("seed")?,
            score,
            cluster: sheet.column("cluster")?,
            budget: sheet.column("budget")?,
            lr_multiple: sheet.column("lr_multiple")?,
            outcome: sheet.column("outcome")?,
        })
    }

    fn observation(&self, row: Row<'_>) -> Result<Observation> {
        let given = |column: &usize| !row.text(*column).is_empty();
        let workload = row.name(self.workload)?;
        let cluster = row.optional(self.cluster).unwrap_or(&workload);
        let score = row.number(
            self.score,
            "it must be a number, or `nan` or empty for a run that diverged",
        )?;
        let outcome = self.outcome.map(|column| row.text(column));
        let completed = outcome.is_none_or(|o| o == "completed");
        Ok(Observation {
            cluster: cluster.to_owned(),
            schedule: row.name(self.schedule)?,
            seed: row.whole(self.seed)?,
            budget: self
                .budget
                .filter(given)
                .map(|column| row.whole(column))
                .transpose()?,
            lr_multiple: self
                .lr_multiple
                .filter(given)
                .map(|column| row.positive(column))
                .transpose()?,
            score: Some(score).filter(|s| completed && s.is_finite()),
            stopped: outcome == Some("stopped"),
            line: row.line(),
            workload,
        })
    }
}

fn no_duplicates(runs: &[Observation], files: &[&Path]) -> Result<()> {
    let mut seen = HashMap::with_capacity(runs.len());
    for (i, run) in runs.iter().enumerate() {
        let key = (
            run.workload.as_str(),
            run.budget,
            run.lr_multiple.map(f64::to_bits),
            run.schedule.as_str(),
            run.seed,
        );
        let first = match seen.entry(key) {
            Entry::Vacant(place) => {
                place.insert(i);
                continue;
            }
            Entry::Occupied(place) => *place.get(),
        };
        let file = if files[first] == files[i] {
            String::new()
        } else {
            format!(" of {}", files[first].display())
        };
        return Err(Error::Input {
            path: files[i].to_owned(),
            line: run.line,
            column: 1,
            message: format!(
                "schedule `{}` with seed {} on workload `{}` is already in \
                 line {}{file}; keep one of the two",
                run.schedule, run.seed, run.workload, runs[first].line
            ),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
