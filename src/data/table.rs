//! Any CSV table with a header: numbers are standardised, words one-hot.

use super::plain::{Plain, Scale, standardise_targets};
use super::{DATA_SEED, text_of};
use crate::error::{Error, Result};
use crate::seed;
use crate::spec::TableTask;
use crate::text::{excerpt, unknown, unknown_in};
use rand::seq::SliceRandom as _;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Most different words of a column; more make a name, not a category.
const MOST_CATEGORIES: usize = 50;

/// Whole-numbered targets with at most this many values are classes, unless
/// the grid says `task = "regress"`.
const MOST_GUESSED_CLASSES: usize = 20;

/// Fewest rows that can be split into three parts worth anything.
const FEWEST_ROWS: usize = 30;

/// Cells that say there is no value.
const MISSING: [&str; 7] = ["", "NA", "N/A", "NaN", "nan", "null", "?"];

/// Reads `file` and predicts column `target` from the others but those that
/// `drop` names. Rows are shuffled by a fixed seed and split by `split`
/// (validation, test).
///
/// Columns with only numbers become one input each, a missing number the
/// mean; other columns become one input a word. All inputs are standardised
/// by the training rows; constant ones say nothing and become 0.
///
/// # Errors
///
/// If the file cannot be read or makes no data set; with line and column.
pub(super) fn load(
    file: &Path,
    target: &str,
    drop: &[String],
    task: Option<TableTask>,
    split: [f64; 2],
) -> Result<Plain> {
    let text = &text_of(file)?;
    plain(text, target, drop, task, split).map_err(|fault| {
        let Fault { at, message } = fault;
        Error::input(file, text, at, message)
    })
}

/// What is wrong with a table, at a byte of its text.
struct Fault {
    at: usize,
    message: String,
}

impl Fault {
    /// A fault of a column or of the whole: the header is shown.
    fn whole(message: impl Into<String>) -> Self {
        Self { at: 0, message: message.into() }
    }
}

/// [`load`], of the text of a file.
fn plain(
    text: &str,
    target: &str,
    drop: &[String],
    task: Option<TableTask>,
    split: [f64; 2],
) -> std::result::Result<Plain, Fault> {
    let table = Table::parse(text, drop)?;
    let known: Vec<&str> = table.names.iter().map(String::as_str).collect();
    let target_column = known
        .iter()
        .position(|&name| name == target)
        .ok_or_else(|| Fault::whole(unknown("column", target, &known)))?;
    if let Some(name) = drop.iter().find(|name| !known.contains(&name.as_str()))
    {
        let message = unknown_in("column", name, "`drop`", &known);
        return Err(Fault::whole(message));
    }
    let is_dropped = |column: usize| drop.contains(&table.names[column]);
    if is_dropped(target_column) {
        return Err(Fault::whole(format!(
            "`drop` has the target {}: leave one of them out",
            excerpt(target)
        )));
    }
    let n = table.rows.len();
    if n < FEWEST_ROWS {
        let message = format!("{n} rows are too few, {FEWEST_ROWS} are needed");
        return Err(Fault { at: text.len(), message });
    }
    let parts = split_rows(n, split).ok_or_else(|| {
        Fault::whole(format!(
            "`split` {split:?} leaves a part of {n} rows empty: give it more"
        ))
    })?;
    let mut columns = vec![];
    let is_input = |&i: &usize| i != target_column && !is_dropped(i);
    for column in (0..table.names.len()).filter(is_input) {
        columns.extend(table.encode(column, &parts[0])?);
    }
    if columns.is_empty() {
        return Err(Fault::whole("the table has no column besides the target"));
    }
    let inputs = parts.clone().map(|rows| {
        rows.iter()
            .flat_map(|&row| columns.iter().map(move |column| column[row]))
            .collect::<Vec<f32>>()
    });
    let width = columns.len();
    if let Some(row) = table.cells(target_column).position(is_missing) {
        let message = format!(
            "target {} is missing here: fill it or drop the row",
            excerpt(target)
        );
        return Err(Fault { at: table.starts[row], message });
    }
    let numbers = table.numbers(target_column);
    let task =
        task.unwrap_or_else(|| guess(&table, target_column, numbers.is_ok()));
    match task {
        TableTask::Classify => {
            let labels = table.labels(target_column)?;
            let targets = parts.map(|rows| {
                rows.iter()
                    .map(|&row| labels[table.rows[row][target_column].as_str()])
                    .collect()
            });
            Ok(Plain::classify(vec![width], labels.len(), inputs, targets))
        }
        TableTask::Regress => {
            let numbers = numbers.map_err(|mut fault| {
                fault.message.push_str(" or take `task = \"classify\"`");
                fault
            })?;
            let targets = parts.map(|rows| {
                rows.iter().map(|&row| numbers[row]).collect::<Vec<f64>>()
            });
            if Scale::of(targets[0].iter().copied()).is_constant() {
                return Err(Fault::whole(format!(
                    "target {} has one value only in the training rows: \
                     name another",
                    excerpt(target)
                )));
            }
            Ok(Plain::regress(width, inputs, standardise_targets(targets)))
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

/// Words are classes, and so are few whole numbers.
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

/// A parsed file: every row as long as the header.
struct Table {
    names: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Byte at which each row starts.
    starts: Vec<usize>,
}

impl Table {
    fn parse(text: &str, drop: &[String]) -> std::result::Result<Self, Fault> {
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let strings = |record: &csv::StringRecord| -> Vec<String> {
            record.iter().map(str::to_owned).collect()
        };
        let names = strings(reader.headers().map_err(|error| fault(&error))?);
        check_header(&names, drop)?;
        let (mut rows, mut starts) = (vec![], vec![]);
        for record in reader.records() {
            let record = record.map_err(|error| fault(&error))?;
            let at = byte(record.position());
            // The reader takes a quote that is never closed for a cell that
            // goes on to the end of the file.
            if record.iter().any(|cell| cell.contains('\n')) {
                let message = "a cell of this row goes on over several lines: \
                               close its quotes, or put it on one line";
                return Err(Fault { at, message: message.to_owned() });
            }
            rows.push(strings(&record));
            starts.push(at);
        }
        Ok(Self { names, rows, starts })
    }

    /// The cells of a column.
    fn cells(&self, column: usize) -> impl Iterator<Item = &str> + Clone {
        self.rows.iter().map(move |row| row[column].as_str())
    }

    /// The column as numbers, NaN where a cell is missing; else the first
    /// cell that holds anything else.
    fn numbers(&self, column: usize) -> std::result::Result<Vec<f64>, Fault> {
        let number = |(row, cell): (usize, &str)| {
            let value = if is_missing(cell) {
                Some(f64::NAN)
            } else {
                // Numbers beyond f32 would be infinite in a tensor.
                let most = f64::from(f32::MAX);
                cell.parse().ok().filter(|x: &f64| x.abs() <= most)
            };
            value.ok_or_else(|| Fault {
                at: self.starts[row],
                message: format!(
                    "{} in column {} is no finite number: mend the cell",
                    excerpt(cell),
                    excerpt(&self.names[column])
                ),
            })
        };
        self.cells(column).enumerate().map(number).collect()
    }

    /// The column as one standardised input, or one for each of its words.
    fn encode(
        &self,
        column: usize,
        train: &[usize],
    ) -> std::result::Result<Vec<Vec<f32>>, Fault> {
        let not_a_number = match self.numbers(column) {
            Ok(numbers) => return Ok(vec![standardised(&numbers, train)]),
            Err(fault) => fault,
        };
        let words: BTreeSet<&str> = self.cells(column).collect();
        if words.len() > MOST_CATEGORIES {
            let message = format!(
                "{} or leave the column out (`drop = [{:?}]`), whose {} \
                 different words are too many for a category (at most \
                 {MOST_CATEGORIES})",
                not_a_number.message,
                self.names[column],
                words.len()
            );
            return Err(Fault { message, ..not_a_number });
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
    fn labels(
        &self,
        column: usize,
    ) -> std::result::Result<BTreeMap<&str, u32>, Fault> {
        let mut words: Vec<&str> =
            self.cells(column).collect::<BTreeSet<_>>().into_iter().collect();
        let value = |word: &str| word.parse().unwrap_or(f64::NAN);
        if words.iter().all(|word| !value(word).is_nan()) {
            words.sort_by(|a, b| value(a).total_cmp(&value(b)));
        }
        let name = excerpt(&self.names[column]);
        if words.len() < 2 {
            return Err(Fault::whole(format!(
                "target {name} has one value only: name another"
            )));
        }
        if words.len() > self.rows.len() / 2 {
            return Err(Fault::whole(format!(
                "target {name} has {} different values in {} rows, too many \
                 for classes: name another, or take `task = \"regress\"` if \
                 they are numbers",
                words.len(),
                self.rows.len()
            )));
        }
        Ok(words.into_iter().zip(0..).collect())
    }
}

/// Every column has a name of its own, but those to `drop`.
fn check_header(
    names: &[String],
    drop: &[String],
) -> std::result::Result<(), Fault> {
    if names.iter().all(String::is_empty) {
        return Err(Fault::whole("the table is empty: it needs a header"));
    }
    let separator =
        names[0].chars().find(|c| names.len() == 1 && ";\t|".contains(*c));
    if let Some(separator) = separator {
        return Err(Fault::whole(format!(
            "columns are separated by {separator:?}: save the table with \
             commas"
        )));
    }
    // Row numbers of a sorted table would give the target away.
    let stays = |name: &&String| !drop.contains(name);
    let nameless = |name: &String| name.is_empty() && stays(&name);
    if let Some(i) = names.iter().position(nameless) {
        return Err(Fault::whole(format!(
            "column {} has no name: name it, or leave it out (`drop = \
             [\"\"]`) if it only numbers the rows",
            i + 1
        )));
    }
    let mut seen = BTreeSet::new();
    match names.iter().filter(stays).find(|&name| !seen.insert(name)) {
        Some(name) => Err(Fault::whole(format!(
            "two columns are named {}: rename or drop one",
            excerpt(name)
        ))),
        None => Ok(()),
    }
}

/// Deviations from the mean of the known training rows; 0 where missing.
fn standardised(column: &[f64], train: &[usize]) -> Vec<f32> {
    let known = train.iter().map(|&row| column[row]).filter(|x| !x.is_nan());
    let scale = Scale::of(known);
    let value = |&x: &f64| if x.is_nan() { 0.0 } else { scale.clipped(x) };
    column.iter().map(value).collect()
}

fn fault(error: &csv::Error) -> Fault {
    let message = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => format!(
            "a row of {len} cells under a header of {expected_len}: mend it"
        ),
        _ => error.to_string(),
    };
    Fault { at: byte(error.position()), message }
}

fn byte(position: Option<&csv::Position>) -> usize {
    let offset = position.map_or(0, csv::Position::byte);
    usize::try_from(offset).unwrap_or(0)
}
