//! JSON with the place of each value, and with what Python adds: `NaN`,
//! `Infinity`, and dictionaries as `repr` prints them.

use crate::error::{Error, Result};
use crate::text::excerpt;
use std::path::Path;

/// A value and the byte at which it starts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Value {
    pub(super) at: usize,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Null,
    /// A number or truth value, as it stands.
    Plain(String),
    Text(String),
    List(Vec<Value>),
    /// In the order of the file.
    Object(Vec<(String, Value)>),
}

/// Values inside of values: more is no table.
const DEEPEST: usize = 64;

impl Value {
    /// The value of a key of an object.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.object()?.iter().find(|(name, _)| name == key).map(|(_, v)| v)
    }

    pub(super) fn object(&self) -> Option<&[(String, Value)]> {
        match &self.kind {
            Kind::Object(fields) => Some(fields),
            _ => None,
        }
    }

    pub(super) fn list(&self) -> Option<&[Value]> {
        match &self.kind {
            Kind::List(values) => Some(values),
            _ => None,
        }
    }

    /// Its text as a cell: null is empty, lists and objects are in brackets.
    pub(super) fn cell(&self) -> String {
        match &self.kind {
            Kind::Null => String::new(),
            Kind::Plain(text) | Kind::Text(text) => text.clone(),
            Kind::List(values) => {
                let cells: Vec<String> =
                    values.iter().map(Value::cell).collect();
                format!("[{}]", cells.join(", "))
            }
            Kind::Object(fields) => {
                let cell = |(name, value): &(String, Value)| {
                    format!("{name}: {}", value.cell())
                };
                let cells: Vec<String> = fields.iter().map(cell).collect();
                format!("{{{}}}", cells.join(", "))
            }
        }
    }
}

/// Whether a text is meant as JSON.
pub(super) fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
}

/// All values of a text, one after the other: one, or JSON lines.
///
/// # Errors
///
/// If it is no JSON; with line and column.
pub(super) fn parse_all(path: &Path, text: &str) -> Result<Vec<Value>> {
    let mut reader = Reader { text, at: 0 };
    let mut values = vec![];
    loop {
        reader.blanks();
        if reader.at == text.len() {
            return Ok(values);
        }
        let value = reader.value(0);
        values.push(
            value.map_err(|message| {
                Error::input(path, text, reader.at, message)
            })?,
        );
    }
}

/// The one value of a text inside of a cell; `None` if it is none.
pub(super) fn parse_cell(text: &str) -> Option<Value> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(0).ok()?;
    reader.blanks();
    (reader.at == text.len()).then_some(value)
}

/// A place in a text.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

type Parsed<T> = std::result::Result<T, String>;

impl Reader<'_> {
    fn blanks(&mut self) {
        let rest = self.rest().trim_start_matches([' ', '\t', '\r', '\n']);
        self.at = self.text.len() - rest.len();
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn next(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Goes past `c`, if it is next.
    fn take(&mut self, c: char) -> bool {
        let is_next = self.next() == Some(c);
        if is_next {
            self.at += c.len_utf8();
        }
        is_next
    }

    fn value(&mut self, depth: usize) -> Parsed<Value> {
        self.blanks();
        let at = self.at;
        if depth > DEEPEST {
            return Err(format!(
                "values are nested more than {DEEPEST} deep; a table is \
                 expected"
            ));
        }
        let kind = match self.next() {
            Some('{') => self.object(depth)?,
            Some('[') => self.list(depth)?,
            Some('"' | '\'') => Kind::Text(self.string()?),
            Some(_) => self.word()?,
            None => return Err(END.to_owned()),
        };
        Ok(Value { at, kind })
    }

    fn object(&mut self, depth: usize) -> Parsed<Kind> {
        self.take('{');
        let mut fields = vec![];
        loop {
            self.blanks();
            if self.take('}') {
                return Ok(Kind::Object(fields));
            }
            let name = match self.next() {
                Some('"' | '\'') => self.string()?,
                // Python's dictionaries have numbers as keys, too.
                Some(c) if c.is_alphanumeric() || c == '-' => self.bare(),
                _ => return Err(self.unexpected("a name between quotes")),
            };
            self.blanks();
            if !self.take(':') {
                return Err(self.unexpected("`:` after a name"));
            }
            let value = self.value(depth + 1)?;
            fields.push((name, value));
            self.blanks();
            if !self.take(',') && self.next() != Some('}') {
                return Err(self.unexpected("`,` or `}`"));
            }
        }
    }

    fn list(&mut self, depth: usize) -> Parsed<Kind> {
        self.take('[');
        let mut values = vec![];
        loop {
            self.blanks();
            if self.take(']') {
                return Ok(Kind::List(values));
            }
            values.push(self.value(depth + 1)?);
            self.blanks();
            if !self.take(',') && self.next() != Some(']') {
                return Err(self.unexpected("`,` or `]`"));
            }
        }
    }

    /// Letters and digits of a word or number.
    fn bare(&mut self) -> String {
        let rest = self.rest();
        let inside = |c: char| c.is_alphanumeric() || "+-._".contains(c);
        let end = rest.find(|c| !inside(c)).unwrap_or(rest.len());
        let word = rest[..end].to_owned();
        self.at += end;
        word
    }

    fn word(&mut self) -> Parsed<Kind> {
        let at = self.at;
        let word = self.bare();
        Ok(match word.as_str() {
            "null" | "None" => Kind::Null,
            "true" | "True" => Kind::Plain("true".to_owned()),
            "false" | "False" => Kind::Plain("false".to_owned()),
            "NaN" | "nan" => Kind::Plain("nan".to_owned()),
            "Infinity" | "inf" | "+Infinity" => Kind::Plain("inf".to_owned()),
            "-Infinity" | "-inf" => Kind::Plain("-inf".to_owned()),
            number if number.parse::<f64>().is_ok() => Kind::Plain(word),
            _ => {
                self.at = at;
                return Err(self.unexpected("a value"));
            }
        })
    }

    fn string(&mut self) -> Parsed<String> {
        let quote = self.next().unwrap_or('"');
        self.take(quote);
        let mut text = String::new();
        loop {
            let Some(c) = self.next() else { return Err(END.to_owned()) };
            self.at += c.len_utf8();
            match c {
                c if c == quote => return Ok(text),
                '\\' => text.push(self.escape()?),
                c => text.push(c),
            }
        }
    }

    fn escape(&mut self) -> Parsed<char> {
        let Some(c) = self.next() else { return Err(END.to_owned()) };
        self.at += c.len_utf8();
        Ok(match c {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'u' => {
                let first = self.unit()?;
                let pair = if (0xd800..0xdc00).contains(&first)
                    && self.rest().starts_with("\\u")
                {
                    self.at += 2;
                    vec![first, self.unit()?]
                } else {
                    vec![first]
                };
                let mut decoded = char::decode_utf16(pair);
                match decoded.next() {
                    Some(Ok(c)) => c,
                    _ => char::REPLACEMENT_CHARACTER,
                }
            }
            c => c,
        })
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Parsed<u16> {
        let digits = self.rest().get(..4).unwrap_or_default();
        let unit = u16::from_str_radix(digits, 16);
        let unit = unit.map_err(|_| self.unexpected("four digits"))?;
        self.at += 4;
        Ok(unit)
    }

    fn unexpected(&self, wanted: &str) -> String {
        match self.rest().split(char::is_whitespace).next() {
            None | Some("") if self.rest().is_empty() => END.to_owned(),
            found => format!(
                "not JSON: {wanted} is expected here, not {}",
                excerpt(found.unwrap_or_default())
            ),
        }
    }
}

const END: &str = "the JSON ends here, before it is complete; was the file \
                   cut off?";
