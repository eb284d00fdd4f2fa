//! Any CSV table with a header: numbers are standardised, words one-hot.

use super::DATA_SEED;
use super::plain::{Plain, Scale, standardise_targets};
use crate::error::{Error, Result};
use crate::results::{Row, Sheet};
use crate::seed;
use crate::spec::TableTask;
use crate::text::{excerpt, quoted, unknown, unknown_in};
use rand::seq::SliceRandom as _;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Largest number of categories of a column.
const MOST_CATEGORIES: usize = 50;

/// Whole-numbered targets with at most this many values are classes, unless
/// the grid says `task = "regress"`.
const MOST_GUESSED_CLASSES: usize = 20;

/// Smallest number of rows that can be split into three parts.
const FEWEST_ROWS: usize = 30;

/// Cells that mean a missing value.
const MISSING: [&str; 7] = ["", "NA", "N/A", "NaN", "nan", "null", "?"];

/// Reads `file`, to predict column `target` from all others except those in
/// `drop`. Rows are shuffled by a fixed seed and split by `split` (validation,
/// test).
///
/// A column of numbers becomes one input; missing numbers are replaced by the
/// mean. Other columns become one input per word. All inputs are standardised
/// by the training rows; constant inputs become 0.
///
/// # Errors
///
/// If the file cannot be read or is not a valid data set; with line and
/// column.
pub(super) fn load(
    file: &Path,
    target: &str,
    drop: &[String],
    task: Option<TableTask>,
    split: [f64; 2],
) -> Result<Plain> {
    let table = Table::new(Sheet::read(file)?, drop)?;
    plain(&table, target, drop, task, split)
}

/// [`load`], of a table in memory.
fn plain(
    table: &Table,
    target: &str,
    drop: &[String],
    task: Option<TableTask>,
    split: [f64; 2],
) -> Result<Plain> {
    let names: Vec<&str> = table.0.names().collect();
    let target_column = names
        .iter()
        .position(|name| *name == target)
        .ok_or_else(|| table.fault(unknown("column", target, &names)))?;
    if let Some(name) = drop.iter().find(|name| !names.contains(&name.as_str()))
    {
        let message = unknown_in("column", name, "`drop`", &names);
        return Err(table.fault(message));
    }
    let is_dropped = |column: usize| drop.iter().any(|d| d == names[column]);
    if is_dropped(target_column) {
        return Err(table.fault(format!(
            "`drop` has the target {}: leave one of them out",
            excerpt(target)
        )));
    }
    let rows = table.rows();
    let n = rows.len();
    if n < FEWEST_ROWS {
        let message = format!("{n} rows are too few, {FEWEST_ROWS} are needed");
        return Err(table.0.too_short(message));
    }
    let parts = split_rows(n, split).ok_or_else(|| {
        table.fault(format!(
            "`split` {split:?} leaves a part of {n} rows empty: give it more"
        ))
    })?;
    let mut columns = vec![];
    let is_input = |&i: &usize| i != target_column && !is_dropped(i);
    for column in (0..names.len()).filter(is_input) {
        columns.extend(table.encode(column, &parts[0])?);
    }
    if columns.is_empty() {
        let message = "the table has no column besides the target";
        return Err(table.fault(message));
    }
    let inputs = parts.clone().map(|rows| {
        rows.iter()
            .flat_map(|&row| columns.iter().map(move |column| column[row]))
            .collect::<Vec<f32>>()
    });
    let width = columns.len();
    if let Some(row) = table.rows().find(|r| is_missing(r.text(target_column)))
    {
        return Err(row.fault(format!(
            "target {} is missing here: fill it or drop the row",
            quoted(target)
        )));
    }
    let numbers = table.numbers(target_column);
    let task =
        task.unwrap_or_else(|| guess(table, target_column, numbers.is_ok()));
    match task {
        TableTask::Classify => {
            let labels = table.labels(target_column)?;
            let classes: Vec<u32> =
                table.cells(target_column).map(|cell| labels[cell]).collect();
            let targets =
                parts.map(|rows| rows.iter().map(|&i| classes[i]).collect());
            Ok(Plain::classify(vec![width], labels.len(), inputs, targets))
        }
        TableTask::Regress => {
            let numbers = numbers.map_err(|row| {
                row.error(
                    target_column,
                    "correct this number, or take `task = \"classify\"`",
                )
            })?;
            let targets = parts.map(|rows| {
                rows.iter().map(|&row| numbers[row]).collect::<Vec<f64>>()
            });
            if Scale::of(targets[0].iter().copied()).is_constant() {
                return Err(table.fault(format!(
                    "target {} has one value only in the training rows: \
                     name another",
                    quoted(target)
                )));
            }
            Ok(Plain::regress(width, inputs, standardise_targets(targets, 1)))
        }
    }
}

/// Shuffled row numbers of training, validation and test part; `None` if one
/// would be empty.
fn split_rows(n: usize, split: [f64; 2]) -> Option<[Vec<usize>; 3]> {
    let mut rows: Vec<usize> = (0..n).collect();
    rows.shuffle(&mut seed::stream(DATA_SEED, "table split"));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "shares of a length"
    )]
    let [valid, test] = split.map(|share| (share * n as f64).round() as usize);
    let train = n.checked_sub(valid.checked_add(test)?)?;
    if train == 0 || valid == 0 || test == 0 {
        return None;
    }
    let (first, rest) = rows.split_at(train);
    let (second, third) = rest.split_at(valid);
    Some([first.to_vec(), second.to_vec(), third.to_vec()])
}

/// Whether the target has classes: words, or a few distinct integers.
fn guess(table: &Table, column: usize, numeric: bool) -> TableTask {
    let values: BTreeSet<&str> = table.cells(column).collect();
    let whole = |cell: &str| cell.parse().is_ok_and(|x: f64| x.fract() == 0.0);
    let few = values.len() <= MOST_GUESSED_CLASSES
        && values.iter().all(|cell| whole(cell));
    if numeric && !few { TableTask::Regress } else { TableTask::Classify }
}

fn is_missing(cell: &str) -> bool {
    MISSING.contains(&cell)
}

/// A file with distinct column names.
struct Table(Sheet);

impl Table {
    fn new(sheet: Sheet, drop: &[String]) -> Result<Self> {
        let table = Self(sheet);
        table.check_header(drop)?;
        // For the reader, an unclosed quote is a cell that extends to the end
        // of the file.
        let broken = table.rows().find(|r| r.cells().any(|c| c.contains('\n')));
        match broken {
            Some(row) => Err(row.fault(
                "a cell of this row goes on over several lines: close its \
                 quotes, or put it on one line",
            )),
            None => Ok(table),
        }
    }

    /// Checks that column names are distinct, except those to `drop`.
    fn check_header(&self, drop: &[String]) -> Result<()> {
        let names: Vec<&str> = self.0.names().collect();
        let separator =
            names[0].chars().find(|c| names.len() == 1 && ";\t|".contains(*c));
        if let Some(separator) = separator {
            return Err(self.fault(format!(
                "columns are separated by {separator:?}: save the table with \
                 commas"
            )));
        }
        // Row numbers of a sorted table would reveal the target.
        let stays = |name: &&str| drop.iter().all(|other| other != name);
        let nameless = |name: &&str| name.is_empty() && stays(name);
        if let Some(i) = names.iter().position(nameless) {
            return Err(self.fault(format!(
                "column {} has no name: name it, or leave it out (`drop = \
                 [\"\"]`) if it only numbers the rows",
                i + 1
            )));
        }
        let mut seen = BTreeSet::new();
        match names.into_iter().filter(stays).find(|&n| !seen.insert(n)) {
            Some(name) => Err(self.fault(format!(
                "two columns are named {}: rename or drop one",
                quoted(name)
            ))),
            None => Ok(()),
        }
    }

    /// An error at the header: of a column, or of the whole table.
    fn fault(&self, message: impl Into<String>) -> Error {
        self.0.error(0, message)
    }

    fn rows(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        self.0.records()
    }

    /// The cells of a column.
    fn cells(&self, column: usize) -> impl Iterator<Item = &str> {
        self.rows().map(move |row| row.text(column))
    }

    /// The column as numbers, with NaN for missing cells; otherwise the first
    /// row that is not a number.
    fn numbers(&self, column: usize) -> std::result::Result<Vec<f64>, Row<'_>> {
        let number = |row: Row<'_>| match row.text(column) {
            cell if is_missing(cell) => Some(f64::NAN),
            // Numbers beyond f32 would be infinite in a tensor.
            cell => cell
                .parse()
                .ok()
                .filter(|x: &f64| x.abs() <= f64::from(f32::MAX)),
        };
        self.rows().map(|row| number(row).ok_or(row)).collect()
    }

    /// The column as one standardised input, or one for each of its words.
    fn encode(&self, column: usize, train: &[usize]) -> Result<Vec<Vec<f32>>> {
        let no_number = match self.numbers(column) {
            Ok(numbers) => return Ok(vec![standardised(&numbers, train)]),
            Err(row) => row,
        };
        let words: BTreeSet<&str> = self.cells(column).collect();
        if words.len() > MOST_CATEGORIES {
            let wanted = format!(
                "correct this number, or leave the column out (`drop = \
                 [{:?}]`), whose {} different words are too many for a \
                 category (at most {MOST_CATEGORIES})",
                self.0.name(column),
                words.len()
            );
            return Err(no_number.error(column, &wanted));
        }
        let one_hot = |word: &str| {
            let column: Vec<f64> = self
                .cells(column)
                .map(|cell| f64::from(u8::from(cell == word)))
                .collect();
            standardised(&column, train)
        };
        Ok(words.into_iter().map(one_hot).collect())
    }

    /// Number of each class, in the order of their words, or of their values
    /// where all are numbers.
    fn labels(&self, column: usize) -> Result<BTreeMap<&str, u32>> {
        let mut words: Vec<&str> =
            self.cells(column).collect::<BTreeSet<_>>().into_iter().collect();
        let value = |word: &str| word.parse().unwrap_or(f64::NAN);
        if words.iter().all(|word| !value(word).is_nan()) {
            words.sort_by(|a, b| value(a).total_cmp(&value(b)));
        }
        let name = excerpt(self.0.name(column));
        if words.len() < 2 {
            return Err(self.fault(format!(
                "target {name} has one value only: name another"
            )));
        }
        let rows = self.rows().len();
        if words.len() > rows / 2 {
            return Err(self.fault(format!(
                "target {name} has {} different values in {rows} rows, too \
                 many for classes: name another, or take `task = \"regress\"` \
                 if they are numbers",
                words.len(),
            )));
        }
        Ok(words.into_iter().zip(0..).collect())
    }
}

/// Standardised values, by the known training rows; 0 where missing.
fn standardised(column: &[f64], train: &[usize]) -> Vec<f32> {
    let known = train.iter().map(|&row| column[row]).filter(|x| !x.is_nan());
    let scale = Scale::of(known);
    let value = |&x: &f64| if x.is_nan() { 0.0 } else { scale.clipped(x) };
    column.iter().map(value).collect()
}
