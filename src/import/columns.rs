//! Which column of a foreign table is what.

mod names;
mod scores;

use super::Asked;
use super::ours::kept_rate;
use crate::error::{Error, Result};
use crate::record::Outcome;
use crate::results::Sheet;
use crate::text::{either, quoted};
use names::{
    BUDGETS, DATA, MODELS, OUTCOMES, RATES, RUNS, SCHEDULES, SEEDS, STEPS,
    WORKLOADS, is_schedule, last_part, plain,
};
pub(super) use names::{bare, is_of_runs, stem};
use scores::Scores;

/// Where the fields of a run stand.
#[derive(Debug, Default)]
pub(super) struct Columns {
    /// One, or a data set and a model, or none.
    pub(super) workload: Vec<usize>,
    pub(super) cluster: Option<usize>,
    pub(super) schedule: Schedules,
    pub(super) seed: Option<usize>,
    pub(super) budget: Option<usize>,
    pub(super) lr: Option<usize>,
    pub(super) outcome: Option<usize>,
    pub(super) run: Option<usize>,
    pub(super) step: Option<usize>,
    /// Its name, without what the tool puts around it.
    pub(super) score: String,
}

/// Where schedules and scores are.
#[derive(Debug)]
pub(super) enum Schedules {
    /// A column of schedules and one of scores.
    Long { schedule: usize, score: usize },
    /// A column of scores for each schedule.
    Wide(Vec<usize>),
}

impl Default for Schedules {
    fn default() -> Self {
        Self::Wide(vec![])
    }
}

impl Columns {
    /// The columns of `sheet`, those that were `asked` for first. A score
    /// that is not said to be of other data is of the `training` set.
    ///
    /// # Errors
    ///
    /// If one that was asked for is not there, or there is no schedule or
    /// score, or more than one could be it.
    pub(super) fn of(
        sheet: &Sheet,
        asked: &Asked,
        training: bool,
    ) -> Result<Self> {
        let named = |name: &Option<String>| {
            name.as_deref().map(|name| find(sheet, name)).transpose()
        };
        let role = |asked: Option<usize>, words, option| match asked {
            Some(column) => Ok(Some(column)),
            None => pick(sheet, words, option),
        };
        let schedule = role(named(&asked.schedule)?, SCHEDULES, "--schedule")?;
        let seed = role(named(&asked.seed)?, SEEDS, "--seed")?;
        let mut columns = Self {
            workload: match named(&asked.workload)? {
                Some(column) => vec![column],
                None => workload(sheet)?,
            },
            cluster: role(named(&asked.cluster)?, &["cluster"], "--cluster")?,
            seed,
            budget: first(sheet, BUDGETS),
            lr: first(sheet, RATES).or(kept_rate(sheet)),
            outcome: outcome(sheet),
            run: first(sheet, RUNS),
            step: first(sheet, STEPS),
            ..Self::default()
        };
        let taken = columns.taken(schedule);
        let score = match &asked.score {
            // The name of the scores of a wide table is nobody's column.
            Some(name) if schedule.is_none() => find(sheet, name).ok(),
            Some(name) => Some(find(sheet, name)?),
            None => None,
        };
        let scores = Scores::of(sheet, &taken, training);
        match (schedule, score) {
            (Some(schedule), Some(score)) => {
                columns.long(sheet, schedule, score);
            }
            (Some(schedule), None) => {
                let score = scores.best(sheet)?;
                columns.long(sheet, schedule, score);
            }
            (None, None) if scores.are_none() => {
                let wide = numeric(sheet, &taken);
                // Columns of numbers alone may be anything.
                let sure = columns.seed.is_some()
                    || !columns.workload.is_empty()
                    || wide.iter().any(|&i| is_schedule(sheet.name(i)));
                if wide.len() < 2 || !sure {
                    return Err(lacks_schedule(sheet));
                }
                let name = asked.score.clone();
                columns.score = name.unwrap_or_else(|| "score".to_owned());
                columns.schedule = Schedules::Wide(wide);
            }
            (None, _) => return Err(lacks_schedule(sheet)),
        }
        Ok(columns)
    }

    fn long(&mut self, sheet: &Sheet, schedule: usize, score: usize) {
        bare(sheet.name(score)).clone_into(&mut self.score);
        self.schedule = Schedules::Long { schedule, score };
    }

    fn taken(&self, schedule: Option<usize>) -> Vec<usize> {
        let Self { workload, cluster, seed, budget, lr, .. } = self;
        let one = [schedule, *cluster, *seed, *budget, *lr, self.outcome];
        let rest = [self.run, self.step];
        let all = one.into_iter().chain(rest).flatten();
        all.chain(workload.iter().copied()).collect()
    }
}

fn lacks_schedule(sheet: &Sheet) -> Error {
    sheet.lacks(
        "nothing says which schedule a run had: name its column with \
         `--schedule`, or the parts of the file's path with `--path \
         '{schedule}-{seed}'`",
    )
}

/// The column `name`: exactly, in other letters, or as the end of one name.
///
/// # Errors
///
/// If there is none, or more than one.
fn find(sheet: &Sheet, name: &str) -> Result<usize> {
    if let Some(column) = sheet.column(name)? {
        return Ok(column);
    }
    let wanted = plain(name);
    let matching = |is_it: &dyn Fn(&str) -> bool| -> Vec<usize> {
        let names = sheet.names().enumerate();
        names.filter(|(_, name)| is_it(name)).map(|(i, _)| i).collect()
    };
    for found in [
        matching(&|name| plain(bare(name)) == wanted),
        matching(&|name| last_part(name) == wanted),
        matching(&|name| plain(name).ends_with(&wanted)),
    ] {
        match found.as_slice() {
            [] => {}
            [one] => return Ok(*one),
            several => return Err(ambiguous(sheet, name, several, "")),
        }
    }
    Err(sheet.lacks(&format!("there is no column {}", quoted(name))))
}

fn ambiguous(
    sheet: &Sheet,
    what: &str,
    columns: &[usize],
    option: &str,
) -> Error {
    let names: Vec<&str> =
        columns.iter().take(4).map(|&column| sheet.name(column)).collect();
    let with = if option.is_empty() {
        "give the whole name".to_owned()
    } else {
        format!("name one with `{option}`")
    };
    let names = either(&names);
    sheet.error(0, format!("{} may be {names}; {with}", quoted(what)))
}

/// The column that one of `words` names, the first word first.
///
/// # Errors
///
/// If two columns of different content have the same word.
fn pick(sheet: &Sheet, words: &[&str], option: &str) -> Result<Option<usize>> {
    type Name = fn(&str) -> String;
    let whole: Name = |name| plain(bare(name));
    for of in [whole, last_part] {
        for word in words {
            let names = sheet.names().enumerate();
            let found: Vec<usize> = names
                .filter(|(_, name)| of(name) == *word)
                .map(|(column, _)| column)
                .collect();
            let Some(&one) = found.first() else { continue };
            let alike = |other: &usize| {
                sheet.records().all(|row| row.text(one) == row.text(*other))
            };
            if !option.is_empty() && !found.iter().all(alike) {
                return Err(ambiguous(sheet, words[0], &found, option));
            }
            return Ok(Some(one));
        }
    }
    Ok(None)
}

/// The first column that one of `words` names.
fn first(sheet: &Sheet, words: &[&str]) -> Option<usize> {
    pick(sheet, words, "").ok().flatten()
}

/// The workload, or data set and model.
fn workload(sheet: &Sheet) -> Result<Vec<usize>> {
    if let Some(one) = pick(sheet, WORKLOADS, "--workload")? {
        return Ok(vec![one]);
    }
    let data = pick(sheet, DATA, "--workload")?;
    let varies = |column: &usize| {
        let mut cells = sheet.records().map(|row| row.text(*column));
        let first = cells.next();
        cells.any(|cell| Some(cell) != first)
    };
    let model = first(sheet, MODELS).filter(varies);
    Ok(data.into_iter().chain(model).collect())
}

/// A column in which every cell says how a run ended.
fn outcome(sheet: &Sheet) -> Option<usize> {
    let column = first(sheet, OUTCOMES)?;
    let known = |text: &str| text.is_empty() || Outcome::named(text).is_ok();
    let sure = plain(sheet.name(column)) == "outcome";
    let all = sheet.records().all(|row| known(row.text(column)));
    (sure || all).then_some(column)
}

/// Columns of numbers that are none of `taken`.
fn numeric(sheet: &Sheet, taken: &[usize]) -> Vec<usize> {
    let is_index = |name: &str| {
        name.is_empty() || name.to_lowercase().starts_with("unnamed")
    };
    let free = |column: &usize| {
        !taken.contains(column) && !is_index(sheet.name(*column))
    };
    let all = (0..sheet.names().count()).filter(free);
    all.filter(|&column| {
        let mut cells = sheet
            .records()
            .map(|row| row.text(column))
            .filter(|text| !text.is_empty())
            .peekable();
        cells.peek().is_some() && cells.all(|c| c.parse::<f64>().is_ok())
    })
    .collect()
}
