//! The dialects of CSV: what stands between cells, decimal commas, comments.

use csv::StringRecord;
use std::borrow::Cow;

/// How a text is divided into cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// Between two cells.
    pub(super) separator: u8,
    /// Bytes before the header: a `sep=` line and comments.
    start: usize,
    /// Whether the header is a comment line: `# lr loss`.
    pub(super) hashed: bool,
    /// Whether numbers may have a comma in place of the point.
    commas: bool,
}

/// What may stand between cells; the first of equals is taken.
const SEPARATORS: [u8; 4] = [b',', b'\t', b';', b'|'];

/// Lines that the separator is looked for in.
const SAMPLE: usize = 50;

impl Dialect {
    /// Commas, and nothing else.
    pub(crate) fn comma() -> Self {
        Self { separator: b',', start: 0, hashed: false, commas: false }
    }

    /// What `text` is written in: by its `sep=` line, else by the separator
    /// that parts its first lines into equally many cells.
    pub(crate) fn of(text: &str) -> Self {
        let (mut start, mut named) = (0, None);
        while let Some(line) = text[start..].split_inclusive('\n').next() {
            let plain = line.trim();
            let rest = &text[start + line.len()..];
            if let Some(separator) = separator_line(line) {
                named = Some(separator);
            } else if !(plain.is_empty()
                || plain.starts_with('#') && !is_header(plain, rest))
            {
                break;
            }
            start += line.len();
        }
        let separator = named.unwrap_or_else(|| separator_of(&text[start..]));
        Self {
            separator,
            start,
            hashed: text[start..].starts_with('#'),
            commas: separator != b',',
        }
    }

    /// The name of the separators, in a sentence.
    pub(crate) fn separators(&self) -> &'static str {
        match self.separator {
            b'\t' => "tabs",
            b';' => "semicolons",
            b'|' => "`|`",
            _ => "commas",
        }
    }

    /// `text` with line ends in place of each byte that belongs to no cell:
    /// what is left keeps its place.
    pub(super) fn uncommented<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let plain = *self == Self::comma();
        let has_comments = !plain && text[self.start..].contains("\n#");
        if self.start == 0 && !has_comments {
            return Cow::Borrowed(text);
        }
        let mut read = "\n".repeat(self.start);
        let (mut quoted, mut columns) = (false, None);
        for line in text[self.start..].split_inclusive('\n') {
            let cells = self.cells(line);
            let columns = *columns.get_or_insert(cells);
            // A cell may start with `#`, too.
            if has_comments
                && !quoted
                && line.starts_with('#')
                && (cells != columns || columns == 1)
            {
                read.push_str(&"\n".repeat(line.len()));
            } else {
                quoted ^= line.matches('"').count() % 2 == 1;
                read.push_str(line);
            }
        }
        Cow::Owned(read)
    }

    /// Cells of a line.
    fn cells(&self, line: &str) -> usize {
        1 + count(line, self.separator)
    }

    /// Writes decimal commas as points, in columns that have nothing but
    /// numbers, some of them with commas; not in a table that has decimal
    /// points elsewhere, where a comma may part thousands.
    pub(super) fn with_points<'a>(
        &self,
        records: impl Iterator<Item = &'a mut StringRecord>,
    ) {
        if !self.commas {
            return;
        }
        let mut records: Vec<&mut StringRecord> = records.collect();
        let columns = records.first().map_or(0, |record| record.len());
        let kinds: Vec<Kind> = (0..columns)
            .map(|i| Kind::of(records.iter().map(|record| record[i].trim())))
            .collect();
        if kinds.contains(&Kind::Points) || !kinds.contains(&Kind::Commas) {
            return;
        }
        for record in &mut records {
            let point = |(i, cell): (usize, &str)| match kinds[i] {
                Kind::Commas => cell.replace(',', "."),
                _ => cell.to_owned(),
            };
            **record = record.iter().enumerate().map(point).collect();
        }
    }
}

/// What the cells of a column are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Numbers with a point, and whole ones.
    Points,
    /// Numbers with a comma, and whole ones.
    Commas,
    /// Whole numbers only, none, or text.
    Other,
}

impl Kind {
    fn of<'a>(cells: impl Iterator<Item = &'a str>) -> Self {
        let (mut points, mut commas) = (false, false);
        for cell in cells.filter(|cell| !cell.is_empty()) {
            let commas_here = cell.matches(',').count();
            let is_number = commas_here < 2
                && !(commas_here == 1 && cell.contains('.'))
                && cell.replace(',', ".").parse::<f64>().is_ok();
            if !is_number {
                return Self::Other;
            }
            commas |= commas_here == 1;
            points |= cell.contains('.');
        }
        match (points, commas) {
            (true, false) => Self::Points,
            (false, true) => Self::Commas,
            _ => Self::Other,
        }
    }
}

/// The separator that a line `sep=;` names, as spreadsheets write it.
fn separator_line(line: &str) -> Option<u8> {
    let line = line.trim_end_matches(['\r', '\n']).trim_matches('"');
    let named = line.strip_prefix("sep=").or(line.strip_prefix("SEP="))?;
    match named.as_bytes() {
        [one] => Some(*one),
        _ => None,
    }
}

/// Whether the line `# lr loss` names the columns of the numbers below it.
fn is_header(line: &str, rest: &str) -> bool {
    let next = rest.lines().find(|line| !line.trim().is_empty());
    let Some(next) = next else { return false };
    let separator = separator_of(next);
    let numbers = |text: &str| {
        let mut cells = text.split(char::from(separator));
        cells.all(|cell| cell.trim().replace(',', ".").parse::<f64>().is_ok())
    };
    let there = count(next, separator);
    there > 0 && count(line, separator) == there && numbers(next)
}

/// The separator that parts most of the first lines of `text` as it does
/// the header.
fn separator_of(text: &str) -> u8 {
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        .take(SAMPLE)
        .collect();
    let Some(header) = text.lines().find(|line| !line.trim().is_empty()) else {
        return SEPARATORS[0];
    };
    let rated = SEPARATORS.iter().rev().map(|&separator| {
        let cells = count(header, separator);
        let alike = lines.iter().filter(|l| count(l, separator) == cells);
        (if cells == 0 { 0 } else { alike.count() }, cells, separator)
    });
    // The last of equals, which is the first of the list.
    rated
        .max_by_key(|&(alike, cells, _)| (alike, cells))
        .filter(|&(alike, ..)| alike > 0)
        .map_or(SEPARATORS[0], |(.., separator)| separator)
}

/// How often `separator` stands in `line` outside of quotes.
fn count(line: &str, separator: u8) -> usize {
    let (mut quoted, mut found) = (false, 0);
    for byte in line.bytes() {
        quoted ^= byte == b'"';
        found += usize::from(byte == separator && !quoted);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Sheet;
    use std::path::Path;

    fn rows(text: &str) -> Vec<Vec<String>> {
        let path = Path::new("t.csv");
        let dialect = Dialect::of(text);
        let sheet =
            Sheet::parse_as(path, text.to_owned(), &dialect).expect("a table");
        let own = |cells: Vec<&str>| -> Vec<String> {
            cells.into_iter().map(str::to_owned).collect()
        };
        let header = own(sheet.names().collect());
        let rows = sheet.records().map(|row| own(row.cells().collect()));
        [header].into_iter().chain(rows).collect()
    }

    #[test]
    fn every_dialect_gives_the_same_table() {
        let wanted = [["lr", "loss"], ["0.001", "2.5"], ["0.01", "1"]];
        for text in [
            "lr,loss\n0.001,2.5\n0.01,1\n",
            "lr;loss\r\n0.001;2.5\r\n0.01;1\r\n",
            "lr\tloss\n0.001\t2.5\n0.01\t1\n",
            "lr|loss\n0.001|2.5\n0.01|1\n",
            "lr;loss\n0,001;2,5\n0,01;1\n",
            "lr\tloss\n0,001\t2,5\n0,01\t1\n",
            "sep=;\nlr;loss\n0.001;2.5\n0.01;1\n",
            "sep=,\nlr,loss\n0.001,2.5\n0.01,1",
            "\"sep=;\"\r\nlr;loss\r\n0,001;2,5\r\n0,01;1\r\n",
            "# by me, today\n\n#\nlr,loss\n0.001,2.5\n# a gap\n0.01,1\n",
        ] {
            assert_eq!(rows(text), wanted, "{text:?}");
        }
        let gnuplot = rows("# made by x\n#lr,loss\n0.001,2.5\n0.01,1\n");
        assert_eq!(gnuplot, wanted);
    }

    #[test]
    fn commas_in_text_are_no_decimal_commas() {
        // Thousands beside decimal points, lists, and quoted cells.
        let text = "n;x;note\n1,000;0.5;1,2,3\n2,000;0.25;\n";
        assert_eq!(rows(text)[1], ["1,000", "0.5", "1,2,3"]);
        let text = "a,\"b;c\",d\n1,\"2;3\",4\n#5,6,7\n";
        assert_eq!(rows(text)[2], ["#5", "6", "7"]);
        // A German version number does not turn a column of numbers.
        let text = "x;note\n0,5;a.b\n0,25;1.2.3\n";
        assert_eq!(rows(text)[2], ["0.25", "1.2.3"]);
    }

    #[test]
    fn places_survive_comments_and_separators() {
        let text = "sep=;\n# note\nw;seed\na;1\n# gap; and more; of it\nb;x\n";
        let path = Path::new("t.csv");
        let sheet = Sheet::parse_as(path, text.to_owned(), &Dialect::of(text))
            .expect("a table");
        let row = sheet.records().nth(1).expect("two rows");
        assert_eq!(row.line(), 6);
        let said = row.whole(1).expect_err("no number").to_string();
        assert!(said.starts_with("t.csv:6:3: `seed` is `x`"), "{said}");
        let text = "a;b\n1;2;3\n".to_owned();
        let dialect = Dialect::of(&text);
        let said = Sheet::parse_as(path, text, &dialect).err();
        let said = said.expect("uneven rows").to_string();
        assert!(said.ends_with("cells that contain semicolons"), "{said}");
    }
}
