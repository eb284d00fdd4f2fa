//! Runs as the ranking sees them, from one long CSV: ours or another tool's.

use super::sheet::{Row, Sheet};
use crate::error::{Error, Result};
use crate::record::{Observation, Outcome};
use crate::text::{either, quoted, unknown};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;

/// Which scores of a table to read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted<'a> {
    /// Their column; `valid_loss`, else `score`, if not given.
    pub(crate) score: Option<&'a str>,
    /// Only rows with this word in the column `metric`.
    pub(crate) metric: Option<&'a str>,
}

/// The runs of several tables, one after the other, and the name of the
/// score.
///
/// A table needs the columns `workload`, `schedule`, `seed` and one of scores.
/// It may have `cluster`, `budget`, `lr_multiple` and `outcome`; further ones
/// are ignored. A score that is `nan` or infinite is that of a run that
/// diverged, an empty one is none. An empty outcome is that of a run that
/// completed; what else it may be, [`Outcome::named`] says.
///
/// The scores `valid_metric` and `test_metric` are of what the column
/// `metric` says, and have its name. They are of one kind: different metrics
/// have neither a unit nor a direction in common.
///
/// # Errors
///
/// If a table lacks a column or rows, has a cell that cannot be understood,
/// has several metrics, or a run is there twice; with line and column.
pub(crate) fn read_all(
    sheets: &[Sheet],
    wanted: Wanted<'_>,
) -> Result<(Vec<Observation>, String)> {
    let mut observations: Vec<Observation> = vec![];
    let mut files: Vec<&Path> = vec![];
    let mut column: Option<String> = None;
    for sheet in sheets {
        let (rows, used) = sheet.rows_of(wanted)?;
        if let Some(other) = column.replace(used.clone())
            && other != used
        {
            return Err(sheet.error(
                0,
                format!(
                    "the score here is {}, in the files before it {}; name \
                     one with `--score` or `--metric`",
                    quoted(&used),
                    quoted(&other)
                ),
            ));
        }
        for (run, file) in rows {
            observations.push(run);
            files.push(file);
        }
    }
    no_duplicates(&observations, &files)?;
    // Without a file there is no column either, and nothing to rank.
    Ok((observations, column.unwrap_or_default()))
}

impl Sheet {
    /// The runs and the name of their score; see [`read_all`].
    ///
    /// # Errors
    ///
    /// As [`read_all`].
    pub(crate) fn observations(
        &self,
        wanted: Wanted<'_>,
    ) -> Result<(Vec<Observation>, String)> {
        read_all(std::slice::from_ref(self), wanted)
    }

    /// The same with the file of each run, which may be there twice.
    fn rows_of(
        &self,
        wanted: Wanted<'_>,
    ) -> Result<(Vec<(Observation, &Path)>, String)> {
        let columns = Columns::of(self, wanted.score)?;
        if self.records().len() == 0 {
            return Err(self.too_short("there are no rows below the header"));
        }
        let metric = columns.one_metric(self, wanted.metric)?;
        let runs = self
            .records()
            .filter(|row| {
                let own = row.optional(columns.metric);
                wanted.metric.is_none_or(|metric| own == Some(metric))
            })
            .map(|row| Ok((columns.observation(row)?, row.path())))
            .collect::<Result<Vec<_>>>()?;
        let name = metric.unwrap_or_else(|| self.name(columns.score));
        Ok((runs, name.to_owned()))
    }
}

/// Columns of scores that are of what the column [`METRIC`] says.
const OF_METRIC: &[&str] = &["valid_metric", "test_metric"];
const METRIC: &str = "metric";

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
    /// What the scores are of, if that is in a column.
    metric: Option<usize>,
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
            metric: if OF_METRIC.contains(&sheet.name(score)) {
                sheet.column(METRIC)?
            } else {
                None
            },
        })
    }

    /// The one metric of all rows, or the one `asked` for; `None` where the
    /// scores are not those of a metric.
    fn one_metric<'a>(
        &self,
        sheet: &'a Sheet,
        asked: Option<&str>,
    ) -> Result<Option<&'a str>> {
        let Some(column) = self.metric else {
            return match asked {
                None => Ok(None),
                Some(_) => Err(sheet.error(
                    0,
                    format!(
                        "`--metric` picks among the scores of {}, which have \
                         a column `{METRIC}` beside them; the score here is {}",
                        either(OF_METRIC),
                        quoted(sheet.name(self.score))
                    ),
                )),
            };
        };
        let mut found = None;
        for row in sheet.records() {
            // A run that failed may have none.
            let Some(metric) = row.optional(Some(column)) else { continue };
            if asked.is_some_and(|asked| asked != metric) {
                continue;
            }
            let first = *found.get_or_insert(metric);
            if first != metric {
                return Err(row.error(
                    column,
                    &format!(
                        "above it is {}: different metrics are not ranked \
                         together, take one with `--metric`",
                        quoted(first)
                    ),
                ));
            }
        }
        if let (None, Some(asked)) = (found, asked) {
            let mut there: Vec<&str> = sheet
                .records()
                .filter_map(|row| row.optional(Some(column)))
                .collect();
            there.sort_unstable();
            there.dedup();
            return Err(sheet.error(0, unknown("metric", asked, &there)));
        }
        Ok(found)
    }

    fn observation(&self, row: Row<'_>) -> Result<Observation> {
        let given = |column: &usize| !row.text(*column).is_empty();
        let workload = row.name(self.workload)?;
        let cluster = row.optional(self.cluster).unwrap_or(&workload);
        let score = if given(&self.score) {
            Some(row.number(
                self.score,
                "it must be a number, `nan` for a run that diverged, or empty \
                 for one without a score",
            )?)
        } else {
            None
        };
        let outcome = match self.outcome.filter(given) {
            Some(column) => {
                Outcome::named(row.text(column)).map_err(|known| {
                    row.error(column, &format!("the known words are: {known}"))
                })?
            }
            None => Outcome::Completed,
        };
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
            score,
            outcome,
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
                 line {}{file}; keep one of the two, let `--row` choose, or name \
                 the column of the workloads with `--workload`",
                run.schedule, run.seed, run.workload, runs[first].line
            ),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
