//! Rows of a foreign table as runs.

use super::columns::{Columns, Schedules, bare};
use crate::error::Result;
use crate::results::{Row, Sheet};

/// A cell: its text, and the byte at which it stands.
pub(super) type Cell = (String, usize);

/// What one row says, or several of one run.
#[derive(Clone, Debug)]
pub(super) struct Run {
    /// Its file and place there.
    pub(super) source: usize,
    pub(super) at: usize,
    /// What the tool calls it; empty if it has no name.
    pub(super) name: String,
    pub(super) workload: Option<Cell>,
    pub(super) cluster: Option<Cell>,
    pub(super) schedule: Cell,
    pub(super) seed: Option<Cell>,
    pub(super) budget: Option<u64>,
    pub(super) lr: Option<f64>,
    pub(super) outcome: Option<Cell>,
    pub(super) step: Option<f64>,
    /// `None` for one without; NaN for one that diverged.
    pub(super) score: Option<f64>,
    pub(super) score_at: usize,
}

/// The runs of a table, and how many rows have no schedule.
///
/// # Errors
///
/// If a score is no number.
pub(super) fn runs_of(
    sheet: &Sheet,
    columns: &Columns,
) -> Result<(Vec<Run>, usize)> {
    let (mut runs, mut unnamed) = (vec![], 0);
    for row in sheet.records() {
        match &columns.schedule {
            Schedules::Long { schedule, score } => {
                let label = cell(row, *schedule);
                if label.0.is_empty() {
                    unnamed += 1;
                } else {
                    runs.push(run(row, columns, label, *score)?);
                }
            }
            Schedules::Wide(wide) => {
                for &column in wide {
                    if row.text(column).is_empty() {
                        continue;
                    }
                    let name = bare(sheet.name(column)).to_owned();
                    let label = (name, row.place_of(column));
                    runs.push(run(row, columns, label, column)?);
                }
            }
        }
    }
    Ok((runs, unnamed))
}

fn run(
    row: Row<'_>,
    columns: &Columns,
    schedule: Cell,
    score: usize,
) -> Result<Run> {
    let given = |column: Option<usize>| {
        column.filter(|&column| !row.text(column).is_empty())
    };
    let (source, at) = row.place();
    let wanted = "it must be a number, `nan` for a run that diverged, or \
                  empty for one without a score";
    let number = |column| row.text(column).parse::<f64>().ok();
    let workload: Vec<&str> =
        columns.workload.iter().map(|&column| row.text(column)).collect();
    Ok(Run {
        source,
        at,
        name: columns.run.map_or(String::new(), |c| row.text(c).to_owned()),
        workload: columns
            .workload
            .first()
            .map(|&column| (workload.join("/"), row.place_of(column))),
        cluster: given(columns.cluster).map(|column| cell(row, column)),
        schedule,
        seed: columns.seed.map(|column| cell(row, column)),
        budget: given(columns.budget)
            .map(|column| {
                let wanted = "it must be a whole number of steps, epochs or \
                              seconds (`500`, `10 epochs`, `90 min`, \
                              `1:30:00`)";
                let amount = amount(row.text(column));
                amount.ok_or_else(|| row.error(column, wanted))
            })
            .transpose()?,
        lr: given(columns.lr).and_then(number).filter(|lr| *lr > 0.0),
        outcome: given(columns.outcome).map(|column| cell(row, column)),
        step: given(columns.step).and_then(number),
        score: match given(Some(score)) {
            Some(column) => Some(infinite(row.number(column, wanted)?)),
            None => None,
        },
        score_at: row.place_of(score),
    })
}

/// MLflow's databases have no infinity: the largest number stands for it.
fn infinite(score: f64) -> f64 {
    if score.abs() == f64::MAX { score * 2.0 } else { score }
}

fn cell(row: Row<'_>, column: usize) -> Cell {
    (row.text(column).to_owned(), row.place_of(column))
}

/// A budget: a number with a unit or without, times in seconds.
fn amount(text: &str) -> Option<u64> {
    let text = text.trim();
    let is_millions = text.ends_with('M');
    let text = text.to_lowercase();
    let clock: Vec<&str> = text.split(':').collect();
    if clock.len() == 3 {
        let [hours, minutes, seconds] =
            [clock[0], clock[1], clock[2]].map(str::parse::<f64>);
        return whole(
            3600.0 * hours.ok()? + 60.0 * minutes.ok()? + seconds.ok()?,
        );
    }
    let end = text
        .rfind(|c: char| c.is_ascii_digit() || c == '.')
        .map_or(0, |at| at + 1);
    let number: f64 = text[..end].parse().ok()?;
    let factor = match text[end..].trim() {
        "" | "s" | "sec" | "seconds" | "step" | "steps" | "updates"
        | "epoch" | "epochs" | "ep" | "iters" | "iterations" => 1.0,
        "k" => 1e3,
        "m" if is_millions => 1e6,
        "m" | "min" | "mins" | "minutes" => 60.0,
        "h" | "hour" | "hours" => 3600.0,
        "d" | "day" | "days" => 86400.0,
        _ => return None,
    };
    whole(number * factor)
}

/// A number that is whole, but for the rounding of its factor: `2.3h`.
fn whole(number: f64) -> Option<u64> {
    let nearest = number.round();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be in range"
    )]
    ((0.0..1e15).contains(&number) && (number - nearest).abs() <= 1e-9 * number)
        .then_some(nearest as u64)
}

#[cfg(test)]
mod tests {
    use super::amount;

    #[test]
    fn budgets_are_amounts_of_anything() {
        for (text, number) in [
            ("500", Some(500)),
            ("500.0", Some(500)),
            ("10 epochs", Some(10)),
            ("90 min", Some(5400)),
            ("2h", Some(7200)),
            ("1:30:00", Some(5400)),
            ("10k", Some(10_000)),
            ("1M", Some(1_000_000)),
            ("1m", Some(60)),
            ("2.3h", Some(8280)),
            ("0.5", None),
            ("1.5 epochs", None),
            ("1e3", Some(1000)),
            ("long", None),
            ("-5", None),
        ] {
            assert_eq!(amount(text), number, "{text}");
        }
    }
}
