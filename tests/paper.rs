//! Every number of docs/answer.md and README.md that comes from a shipped
//! table is the table's. `PAPER=write cargo test --test paper` writes them.
//!
//! A number stands between `<!--n FILE WHERE COLUMN FORMAT-->` and `<!--/-->`,
//! a table between `<!--t FILE WHERE ROWS COLUMNS-->` and `<!--/-->`. WHERE is
//! `all` or conditions such as `schedule=linear&kind=`, a column has its format
//! after a colon. Formats: `text`, `.3` (decimals), `+.3` (with a sign), `%`
//! (per cent of a share), `p` (a p value), `count` (rows, for numbers alone).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const TEXTS: [&str; 2] = ["README.md", "docs/answer.md"];

/// The end of a mark.
const CLOSE: &str = "<!--/-->";

/// The rows of a table, each by the names of its columns.
type Rows = Vec<BTreeMap<String, String>>;

fn rows(file: &str) -> Rows {
    let read = csv::Reader::from_path(file);
    let mut reader = read.unwrap_or_else(|error| panic!("{file}: {error}"));
    reader.deserialize().map(|row| row.expect("a row of a table")).collect()
}

fn select<'a>(
    rows: &'a Rows,
    wanted: &str,
) -> Vec<&'a BTreeMap<String, String>> {
    if wanted == "all" {
        return rows.iter().collect();
    }
    let conditions: Vec<(&str, &str)> = wanted
        .split('&')
        .map(|one| one.split_once('=').expect("column=value"))
        .collect();
    let holds = |row: &&BTreeMap<String, String>| {
        conditions.iter().all(|(column, value)| cell(row, column) == *value)
    };
    rows.iter().filter(holds).collect()
}

fn cell<'a>(row: &'a BTreeMap<String, String>, column: &str) -> &'a str {
    row.get(column).unwrap_or_else(|| panic!("no column `{column}`"))
}

fn shown(text: &str, format: &str) -> String {
    if text.is_empty() {
        return "-".to_owned();
    }
    let number = || text.parse::<f64>().expect("a number");
    match format {
        "text" => text.replace('|', "\\|"),
        "%" => format!("{:.0} %", 100.0 * number()),
        "p" if number() < 0.0005 => "< 0.001".to_owned(),
        "p" => format!("{:.3}", number()),
        _ => {
            let (sign, decimals) = match format.strip_prefix('+') {
                Some(rest) => (true, rest),
                None => (false, format),
            };
            let decimals = decimals.strip_prefix('.').expect("a format");
            let decimals = decimals.parse().expect("decimals");
            if sign {
                format!("{:+.decimals$}", number())
            } else {
                format!("{:.decimals$}", number())
            }
        }
    }
}

/// What should stand at the mark `words`.
fn right(words: &[&str]) -> String {
    match words {
        ["n", file, wanted, "count"] => {
            select(&rows(file), wanted).len().to_string()
        }
        ["n", file, wanted, column, format] => {
            let rows = rows(file);
            let found = select(&rows, wanted);
            let [row] = found.as_slice() else {
                panic!("{file}: {} rows with {wanted}", found.len());
            };
            shown(cell(row, column), format)
        }
        ["t", file, wanted, most, columns @ ..] => {
            let rows = rows(file);
            let most: usize = most.parse().expect("a number of rows");
            let columns: Vec<(&str, &str)> = columns
                .iter()
                .map(|column| {
                    column.split_once(':').unwrap_or((column, "text"))
                })
                .collect();
            let line =
                |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
            let names = columns.iter().map(|(name, _)| name.replace('_', " "));
            let mut text = format!("\n{}", line(names.collect()));
            let rules = columns.iter().map(|(_, format)| match *format {
                "text" => "---".to_owned(),
                _ => "---:".to_owned(),
            });
            text += &line(rules.collect());
            for row in select(&rows, wanted).into_iter().take(most) {
                let cells = columns
                    .iter()
                    .map(|(column, format)| shown(cell(row, column), format));
                text += &line(cells.collect());
            }
            text
        }
        _ => panic!("no such mark: {words:?}"),
    }
}

/// `text` with what should stand at every mark.
fn corrected(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) =
        ["<!--n ", "<!--t "].iter().filter_map(|mark| rest.find(mark)).min()
    {
        let body = &rest[start + "<!--".len()..];
        let end = body.find("-->").expect("a mark ends with -->");
        let words: Vec<&str> = body[..end].split_whitespace().collect();
        let after = &body[end + "-->".len()..];
        let close = after.find(CLOSE).expect("a mark is closed");
        let right = right(&words);
        let mark = &body[..end];
        out += &[&rest[..start], "<!--", mark, "-->", &right, CLOSE].concat();
        rest = &after[close + CLOSE.len()..];
    }
    out + rest
}

#[test]
fn numbers_in_texts_are_those_of_the_tables() {
    for name in TEXTS {
        let path = Path::new(name);
        let text = fs::read_to_string(path).expect("a text of the project");
        let corrected = corrected(&text);
        if std::env::var_os("PAPER").is_some_and(|word| word == "write") {
            fs::write(path, &corrected).expect("writable");
            continue;
        }
        for (line, (is, should)) in
            (1..).zip(text.lines().zip(corrected.lines()))
        {
            assert_eq!(is, should, "{name}:{line}; PAPER=write corrects it");
        }
        assert_eq!(text.len(), corrected.len(), "{name}: rows of a table");
    }
}

#[test]
fn a_wrong_number_is_noticed() {
    let file = "results/standard/leaderboard.csv";
    let text = format!("a <!--n {file} place=1 place .0-->7<!--/--> b");
    let want = format!("a <!--n {file} place=1 place .0-->1<!--/--> b");
    assert_eq!(corrected(&text), want);
}
