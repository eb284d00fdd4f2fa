//! The learning rates that a training logged, by their steps.

use super::curve::{FULL, digits, is_nothing, rate_column, step_columns};
use super::{files, tools};
use crate::error::Result;
use crate::results::Sheet;
use crate::text::excerpt;
use std::path::Path;

/// What a rate of 0 may be below 0: single precision subtracts near it.
const NOISE: f64 = 1e-7;

/// The highest step: a plan is looked at update by update.
const MOST: u64 = 10_000_000;

/// A log of learning rates, in the order of the file.
#[derive(Clone, Debug)]
pub(crate) struct RateLog {
    /// The rows that have a rate.
    pub(crate) rows: Vec<RateRow>,
    /// What was understood, in a few words.
    pub(crate) said: String,
}

/// A row with a rate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RateRow {
    /// The step as logged; the number of the row where the file has none.
    pub(crate) step: u64,
    /// The rate.
    pub(crate) rate: f64,
    /// What the rate may be off by, because of the digits that it has.
    pub(crate) rounding: f64,
}

/// The rates in the file at `path`, in its column `lr` if one is named: a
/// table as CSV, JSON or JSON lines, `trainer_state.json`, or an event file of
/// TensorBoard. A folder or pattern stands for the one file in it. A file that
/// counts in epochs has `epoch` updates in each.
///
/// # Errors
///
/// If the file cannot be read or has no such column; with line and column.
pub(crate) fn read_rates(
    path: &Path,
    lr: Option<&str>,
    epoch: Option<u64>,
) -> Result<RateLog> {
    let sheet = tools::sheet(&files::one(path)?)?;
    let lr = rate_column(&sheet, lr)?;
    let steps = steps_of(&sheet);
    if let Some((column, true)) = steps
        && epoch.is_none()
    {
        let name = excerpt(sheet.name(column));
        let message = format!(
            "the only count is {name}: give the updates of an epoch with \
             `--updates-per-epoch`"
        );
        return Err(sheet.error(0, message));
    }
    let mut texts = vec![];
    let mut rows = vec![];
    for (number, row) in sheet.records().enumerate() {
        let text = row.text(lr).trim();
        if is_nothing(text) || text.eq_ignore_ascii_case("nan") {
            continue;
        }
        let wanted = "it must be a finite number from 0 up";
        let rate = row.number(lr, wanted)?;
        if !(rate.is_finite() && rate >= -NOISE) {
            return Err(row.error(lr, wanted));
        }
        let rate = rate.max(0.0);
        let step = match steps {
            Some((column, counts_epochs)) => {
                let count = row.whole(column)?;
                let step = match epoch {
                    // The rate at the end of an epoch is that of its last
                    // update.
                    Some(each) if counts_epochs => {
                        count.saturating_add(1).saturating_mul(each) - 1
                    }
                    _ => count,
                };
                if step > MOST {
                    let message = format!("it must be at most {MOST} updates");
                    return Err(row.error(column, &message));
                }
                step
            }
            None => number as u64,
        };
        texts.push(text);
        rows.push(RateRow { step, rate, rounding: 0.0 });
    }
    let digits = Digits::of(&texts);
    for (row, text) in rows.iter_mut().zip(&texts) {
        row.rounding = digits.rounding(text);
    }
    let by = match steps {
        Some((column, _)) => excerpt(sheet.name(column)),
        None => "the number of the row".to_owned(),
    };
    let rates = excerpt(sheet.name(lr));
    let said = format!("{} rates in {rates}, steps in {by}", rows.len());
    Ok(RateLog { rows, said })
}

/// The column of the steps, and whether these are epochs.
fn steps_of(sheet: &Sheet) -> Option<(usize, bool)> {
    let filled = |column: usize| {
        sheet.records().any(|row| !row.text(column).trim().is_empty())
    };
    let mut columns = step_columns(sheet).filter(|&column| filled(column));
    columns.next().map(|column| {
        (column, sheet.name(column).trim().eq_ignore_ascii_case("epoch"))
    })
}

/// The digits that the rates of a file have.
#[derive(Clone, Copy, Debug)]
struct Digits {
    /// Significant digits of the longest.
    significant: usize,
    /// The power of ten of the last digit, where all rates have the same.
    place: Option<i32>,
}

impl Digits {
    /// Zeros at the end may be lost. Rates of as many decimals have fewer
    /// significant digits the smaller they are.
    fn of(texts: &[&str]) -> Self {
        let all: Vec<(usize, i32)> =
            texts.iter().map(|text| digits(text)).collect();
        let significant = all.iter().map(|part| part.0).max().unwrap_or(0);
        let place = all.iter().map(|part| part.1).min().unwrap_or(0);
        // The power of ten above its first digit.
        let above = |&(digits, place): &(usize, i32)| {
            place + i32::try_from(digits).unwrap_or(i32::MAX)
        };
        let filled = || all.iter().filter(|part| part.0 > 0);
        let lowest = filled().map(above).min().unwrap_or(0);
        let highest = filled().map(above).max().unwrap_or(0);
        let small = filled().filter(|part| above(part) == lowest);
        let of_small = small.map(|part| part.0).max().unwrap_or(0);
        let fixed = of_small < significant && lowest < highest;
        Self { significant, place: fixed.then_some(place) }
    }

    /// Half a unit in the last place of `text`.
    fn rounding(self, text: &str) -> f64 {
        if self.significant >= FULL {
            return 0.0;
        }
        if let Some(place) = self.place {
            return 0.5 * 10_f64.powi(place);
        }
        let value: f64 = text.parse().unwrap_or(0.0);
        if value == 0.0 {
            return 0.0;
        }
        let first = value.abs().log10().floor();
        0.5 * 10_f64.powf(first + 1.0 - self.significant as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str) -> Result<RateLog> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        read_rates(&path, None, None)
    }

    fn pairs(log: &RateLog) -> Vec<(u64, f64)> {
        log.rows.iter().map(|row| (row.step, row.rate)).collect()
    }

    #[test]
    fn rows_without_a_rate_are_passed_over() {
        let text = "step,lr,val_loss\n0,0.1,\n5,,0.7\n10,0.05,\n";
        let log = read("log.csv", text).expect("a log");
        assert_eq!(pairs(&log), [(0, 0.1), (10, 0.05)]);
        assert_eq!(log.said, "2 rates in `lr`, steps in `step`");
    }

    #[test]
    fn a_trainer_state_has_its_history() {
        let text = r#"{"global_step": 20, "log_history": [
            {"step": 10, "learning_rate": 0.001, "loss": 1.0, "epoch": 0.1},
            {"step": 20, "eval_loss": 1.0, "epoch": 0.2},
            {"step": 20, "learning_rate": 0.0005, "loss": 1.0, "epoch": 0.2}]}"#;
        let log = read("trainer_state.json", text).expect("a log");
        assert_eq!(pairs(&log), [(10, 0.001), (20, 0.0005)]);
    }

    #[test]
    fn the_digits_say_what_a_rate_may_be_off_by() {
        let rounding = |text: &str| {
            let log = read("log.csv", text).expect("a log");
            log.rows.iter().map(|row| row.rounding).collect::<Vec<_>>()
        };
        let near = |got: Vec<f64>, want: &[f64]| {
            for (got, want) in got.iter().zip(want) {
                assert!((got - want).abs() <= 1e-9 * want, "{got} {want}");
            }
        };
        near(rounding("step,lr\n0,1.00e-03\n1,9.87e-04\n"), &[5e-6, 5e-7]);
        near(rounding("step,lr\n0,0.01\n1,0.00098\n2,0.00005\n"), &[5e-6; 3]);
        near(rounding("step,lr\n0,0.1\n1,0.09999999747378752\n"), &[0.0, 0.0]);
        near(rounding("step,lr\n0,1e-3\n1,9.87e-04\n"), &[5e-6, 5e-7]);
    }

    #[test]
    fn a_file_that_counts_in_epochs_needs_their_updates() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log.csv");
        std::fs::write(&path, "epoch,lr\n0,0.1\n1,0.05\n").expect("written");
        let error = read_rates(&path, None, None).expect_err("no updates");
        let asked = "the only count is `epoch`: give the updates of an epoch \
                     with `--updates-per-epoch`";
        assert!(error.to_string().ends_with(asked), "{error}");
        let log = read_rates(&path, None, Some(100)).expect("a log");
        assert_eq!(pairs(&log), [(99, 0.1), (199, 0.05)]);
    }

    #[test]
    fn what_is_no_rate_names_its_place() {
        let error =
            read("log.csv", "step,lr\n0,fast\n").expect_err("no number");
        assert!(error.to_string().contains(":2:3"), "{error}");
        let far = "step,lr\n0,0.1\n1e12,0.1\n";
        let error = read("log.csv", far).expect_err("too far");
        assert!(error.to_string().contains(":3:1"), "{error}");
        let error = read("log.csv", "step,loss\n0,1\n").expect_err("no rate");
        assert!(error.to_string().contains("--lr COLUMN"), "{error}");
    }
}
