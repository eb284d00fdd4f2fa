//! Which column is the score, where nobody says.

use super::names::{bare, plain};
use super::{ambiguous, numeric};
use crate::error::Result;
use crate::ranking::{Direction, meaning};
use crate::results::Sheet;
use crate::text::quoted;

/// Scores that only a tool's own direction gives a meaning.
const OBJECTIVES: &[&str] =
    &["score", "value", "values0", "values1", "values2", "objective"];

/// Columns that may be the score, the best choice first.
pub(super) struct Scores(Vec<(u8, usize)>);

impl Scores {
    pub(super) fn of(sheet: &Sheet, taken: &[usize], training: bool) -> Self {
        let rated = numeric(sheet, taken).into_iter().filter_map(|column| {
            Some((grade(sheet.name(column), training)?, column))
        });
        let mut scores: Vec<(u8, usize)> = rated.collect();
        scores.sort_unstable();
        Self(scores)
    }

    pub(super) fn are_none(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn best(&self, sheet: &Sheet) -> Result<usize> {
        let Some(&(grade, best)) = self.0.first() else {
            return Err(sheet.lacks(
                "no column of numbers has the name of a score; name it with \
                 `--score`",
            ));
        };
        if grade == TRAINING {
            let name = sheet.name(best);
            return Err(sheet.error(
                0,
                format!(
                    "the only score is {}, of the training set; `--score \
                     {name}` ranks by it all the same",
                    quoted(name)
                ),
            ));
        }
        let equal: Vec<usize> = self
            .0
            .iter()
            .filter(|(other, _)| *other == grade)
            .map(|(_, column)| *column)
            .collect();
        if equal.len() > 1 {
            return Err(ambiguous(sheet, "score", &equal, "--score"));
        }
        Ok(best)
    }
}

/// The grade of scores of the training set.
const TRAINING: u8 = 9;

/// How good a choice a column is as the score; `None` if it is none.
fn grade(name: &str, training: bool) -> Option<u8> {
    let name = bare(name);
    let word = plain(name);
    let is = |words: &[&str]| words.iter().any(|w| word.contains(w));
    match word.as_str() {
        "validloss" => return Some(0),
        word if OBJECTIVES.contains(&word) => return Some(1),
        _ => {}
    }
    let found = meaning(name)?;
    let is_loss = found.direction == Direction::Lower && word.contains("loss");
    Some(if is(&["train"]) {
        TRAINING
    } else if is(&["val", "dev"]) {
        if is_loss { 2 } else { 3 }
    } else if is(&["test"]) {
        if is_loss { 6 } else { 7 }
    } else if training {
        TRAINING
    } else if is_loss {
        4
    } else {
        5
    })
}
