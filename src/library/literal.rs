//! Python literals and calls, as a training script or a configuration has
//! them. JSON is read by the same rules.

use crate::error::Problem;
use crate::text::{excerpt, quoted};

/// The deepest nesting that is read.
const DEEPEST: usize = 32;

/// A value as a script writes it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    /// `None` or `null`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// A number without a point.
    Whole(i64),
    /// A number with one.
    Real(f64),
    /// Text between quotation marks.
    Text(String),
    /// A list or a tuple.
    List(Vec<Self>),
    /// A dictionary or a JSON object.
    Dict(Vec<(Self, Self)>),
    /// A call.
    Call(Call),
    /// A name, such as `optimizer`.
    Name(String),
}

/// `Name(1, key=2)`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Call {
    /// The last part of its name: `StepLR` of `torch.optim.lr_scheduler.StepLR`.
    pub(crate) name: String,
    /// Arguments without a name.
    pub(crate) positional: Vec<Literal>,
    /// Arguments with one.
    pub(crate) keyword: Vec<(String, Literal)>,
    /// Whether a configuration stands for it, with `type` as its name.
    pub(crate) configured: bool,
}

impl Literal {
    /// Reads `text` whole.
    ///
    /// # Errors
    ///
    /// If it is no literal or call; with the character at which that shows.
    pub(crate) fn read(text: &str) -> Result<Self, Problem> {
        let mut reader = Reader::of(text);
        let value = reader.sum(0)?;
        reader.end()?;
        Ok(value)
    }

    /// What it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Bool(_) => "a truth value",
            Self::Whole(_) => "a whole number",
            Self::Real(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Dict(_) => "a dictionary",
            Self::Call(_) => "a call",
            Self::Name(_) => "a name",
        }
    }

    /// As a number; truth values count 1 and 0, as in Python.
    pub(crate) fn number(&self) -> Option<f64> {
        match *self {
            Self::Whole(value) => Some(value as f64),
            Self::Real(value) => Some(value),
            Self::Bool(value) => Some(f64::from(u8::from(value))),
            _ => None,
        }
    }
}

/// Parameters with their defaults, as in the head of a Python function; a
/// `*` alone is passed over, `**others` at the end too.
pub(super) fn signature(text: &str) -> Vec<(String, Option<Literal>)> {
    let mut reader = Reader::of(text);
    let mut all = vec![];
    while let Some(next) = reader.peek() {
        if reader.eat_text("**") {
            break;
        }
        if next == '*' || next == ',' {
            reader.at += 1;
            continue;
        }
        let name = reader.word();
        let default = reader.eat('=').then(|| reader.sum(0));
        assert!(!name.is_empty(), "a signature of ours reads `{text}`");
        all.push((name, default.map(|value| value.expect("a literal"))));
    }
    all
}

/// A line of flags, `--lr-decay-style cosine --no-x`, as a call of `name`: a
/// hyphen becomes an underscore, a flag without a value is true, several
/// values are a list.
///
/// # Errors
///
/// If a word stands where a flag is expected.
pub(super) fn flags(name: &str, text: &str) -> Result<Call, Problem> {
    let mut call = Call { name: name.to_owned(), ..Call::default() };
    let words = text.split_whitespace().flat_map(|word| {
        let (flag, value) = match word.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => {
                (flag, Some(value))
            }
            _ => (word, None),
        };
        std::iter::once(flag).chain(value)
    });
    for word in words {
        if let Some(flag) = word.strip_prefix("--") {
            call.keyword.push((flag.replace('-', "_"), Literal::Bool(true)));
            continue;
        }
        let value = match Literal::read(word) {
            Ok(Literal::Name(_)) | Err(_) => Literal::Text(word.to_owned()),
            Ok(value) => value,
        };
        match call.keyword.last_mut().map(|(_, last)| last) {
            Some(last) if *last == Literal::Bool(true) => *last = value,
            Some(Literal::List(all)) => all.push(value),
            Some(last) => {
                let first = std::mem::replace(last, Literal::None);
                *last = Literal::List(vec![first, value]);
            }
            None => {
                let message = format!("expected a flag, not {}", excerpt(word));
                return Err(Problem::whole(message));
            }
        }
    }
    Ok(call)
}

struct Reader<'a> {
    text: &'a str,
    /// The next byte.
    at: usize,
}

impl<'a> Reader<'a> {
    fn of(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// The next character that is no space, which it comes to.
    fn peek(&mut self) -> Option<char> {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
        self.rest().chars().next()
    }

    fn eat(&mut self, token: char) -> bool {
        let here = self.peek() == Some(token);
        if here {
            self.at += token.len_utf8();
        }
        here
    }

    fn eat_text(&mut self, token: &str) -> bool {
        self.peek();
        let here = self.rest().starts_with(token);
        if here {
            self.at += token.len();
        }
        here
    }

    fn word(&mut self) -> String {
        self.peek();
        let inside = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        let rest = self.rest();
        let end = rest.find(|c| !inside(c)).unwrap_or(rest.len());
        self.at += end;
        rest[..end].to_owned()
    }

    fn wrong(&mut self, expected: &str) -> Problem {
        let found = match self.peek() {
            Some(next) => format!("not {}", quoted(&next.to_string())),
            None => "but it ends".to_owned(),
        };
        let before = self.text[..self.at].chars().count();
        let place = before + 1;
        let message =
            format!("character {place}: expected {expected}, {found}");
        Problem::whole(message)
    }

    fn end(&mut self) -> Result<(), Problem> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.wrong("the end")),
        }
    }

    fn sum(&mut self, depth: usize) -> Result<Literal, Problem> {
        let mut left = self.product(depth)?;
        loop {
            let Some(sign @ ('+' | '-')) = self.peek() else {
                return Ok(left);
            };
            self.at += 1;
            let right = self.product(depth)?;
            left = self.combined(sign, &left, &right)?;
        }
    }

    fn product(&mut self, depth: usize) -> Result<Literal, Problem> {
        let mut left = self.signed(depth)?;
        loop {
            let sign = match self.peek() {
                Some(_) if self.rest().starts_with("**") => return Ok(left),
                Some(sign @ ('*' | '/' | '%')) => sign,
                _ => return Ok(left),
            };
            self.at += 1;
            let sign = if sign == '/' && self.eat('/') { '|' } else { sign };
            let right = self.signed(depth)?;
            left = self.combined(sign, &left, &right)?;
        }
    }

    fn signed(&mut self, depth: usize) -> Result<Literal, Problem> {
        if depth > DEEPEST {
            return Err(self.wrong("less nesting"));
        }
        if self.eat('-') {
            let value = self.signed(depth + 1)?;
            return self.combined('-', &Literal::Whole(0), &value);
        }
        if self.eat('+') {
            return self.signed(depth + 1);
        }
        let base = self.atom(depth)?;
        if self.eat_text("**") {
            let power = self.signed(depth + 1)?;
            return self.combined('^', &base, &power);
        }
        Ok(base)
    }

    /// `left sign right` as in Python: whole numbers stay whole but under `/`.
    fn combined(
        &mut self,
        sign: char,
        left: &Literal,
        right: &Literal,
    ) -> Result<Literal, Problem> {
        if let (Literal::Whole(a), Literal::Whole(b)) = (left, right) {
            let whole = match sign {
                '+' => a.checked_add(*b),
                '-' => a.checked_sub(*b),
                '*' => a.checked_mul(*b),
                '|' if *b != 0 => Some(a.div_euclid(*b)),
                '%' if *b > 0 => Some(a.rem_euclid(*b)),
                '^' => u32::try_from(*b).ok().and_then(|b| a.checked_pow(b)),
                _ => None,
            };
            if let Some(whole) = whole {
                return Ok(Literal::Whole(whole));
            }
        }
        let (Some(a), Some(b)) = (left.number(), right.number()) else {
            return Err(self.wrong("a number on both sides of the operator"));
        };
        let value = match sign {
            '+' => a + b,
            // Not 0 - b, which loses the sign of 0.
            '-' if *left == Literal::Whole(0) => -b,
            '-' => a - b,
            '*' => a * b,
            '/' => a / b,
            '|' => (a / b).floor(),
            '%' => a - b * (a / b).floor(),
            _ => a.powf(b),
        };
        if value.is_finite() {
            return Ok(Literal::Real(value));
        }
        Err(self.wrong("a finite number"))
    }

    fn atom(&mut self, depth: usize) -> Result<Literal, Problem> {
        match self.peek() {
            Some('(') => {
                self.at += 1;
                let (mut items, comma) = self.items(')', depth)?;
                match items.pop() {
                    Some(one) if items.is_empty() && !comma => Ok(one),
                    last => {
                        items.extend(last);
                        Ok(Literal::List(items))
                    }
                }
            }
            Some('[') => {
                self.at += 1;
                Ok(Literal::List(self.items(']', depth)?.0))
            }
            Some('{') => self.dict(depth),
            Some(quote @ ('"' | '\'')) => self.string(quote),
            Some(c) if c.is_ascii_digit() || c == '.' => self.numeral(),
            Some(c) if c.is_alphabetic() || c == '_' => self.named(depth),
            _ => Err(self.wrong("a value")),
        }
    }

    /// Values with commas between them, up to `close`, and whether the last
    /// one has a comma after it.
    fn items(
        &mut self,
        close: char,
        depth: usize,
    ) -> Result<(Vec<Literal>, bool), Problem> {
        let mut items = vec![];
        let mut comma = false;
        while !self.eat(close) {
            items.push(self.sum(depth + 1)?);
            comma = self.eat(',');
            if !comma && self.peek() != Some(close) {
                return Err(self.wrong(&format!("`,` or `{close}`")));
            }
        }
        Ok((items, comma))
    }

    fn dict(&mut self, depth: usize) -> Result<Literal, Problem> {
        self.at += 1;
        let mut pairs = vec![];
        while !self.eat('}') {
            let key = self.sum(depth + 1)?;
            if !self.eat(':') {
                return Err(self.wrong("`:`"));
            }
            pairs.push((key, self.sum(depth + 1)?));
            if !self.eat(',') && self.peek() != Some('}') {
                return Err(self.wrong("`,` or `}`"));
            }
        }
        Ok(Literal::Dict(pairs))
    }

    fn string(&mut self, quote: char) -> Result<Literal, Problem> {
        self.at += 1;
        let mut text = String::new();
        let mut escaped = false;
        for (index, c) in self.rest().char_indices() {
            if !escaped && c == quote {
                self.at += index + 1;
                return Ok(Literal::Text(text));
            }
            escaped = !escaped && c == '\\';
            if !escaped {
                text.push(c);
            }
        }
        self.at = self.text.len();
        Err(self.wrong(&format!("a closing `{quote}`")))
    }

    fn numeral(&mut self) -> Result<Literal, Problem> {
        let rest = self.rest();
        let mut before = ' ';
        let end = rest
            .find(|c: char| {
                let exponent = matches!(c, '+' | '-') && before == 'e';
                let inside = c.is_ascii_digit()
                    || matches!(c, '.' | '_' | 'e' | 'E')
                    || exponent;
                before = c.to_ascii_lowercase();
                !inside
            })
            .unwrap_or(rest.len());
        let digits = rest[..end].replace('_', "");
        let value = if digits.contains(['.', 'e', 'E']) {
            let number: Option<f64> = digits.parse().ok();
            number.filter(|number| number.is_finite()).map(Literal::Real)
        } else {
            digits.parse().ok().map(Literal::Whole)
        };
        match value {
            Some(value) => {
                self.at += end;
                Ok(value)
            }
            None => Err(self.wrong("a number")),
        }
    }

    fn named(&mut self, depth: usize) -> Result<Literal, Problem> {
        let word = self.word();
        match word.as_str() {
            "lambda" => {
                let message = "a function of the script cannot be read here: \
                               write its rates to a file and use `kind = \
                               \"table\"`";
                return Err(Problem::whole(message));
            }
            "None" | "null" => return Ok(Literal::None),
            "True" | "true" => return Ok(Literal::Bool(true)),
            "False" | "false" => return Ok(Literal::Bool(false)),
            _ => {}
        }
        let name = word.rsplit('.').next().unwrap_or_default().to_owned();
        if !self.eat('(') {
            return Ok(Literal::Name(name));
        }
        let mut call = Call { name, ..Call::default() };
        while !self.eat(')') {
            match self.key() {
                Some(key) => {
                    let value = self.sum(depth + 1)?;
                    if call.keyword.iter().any(|(known, _)| *known == key) {
                        let key = excerpt(&key);
                        let message = format!("{key} is given twice");
                        return Err(Problem::whole(message));
                    }
                    call.keyword.push((key, value));
                }
                None if call.keyword.is_empty() => {
                    call.positional.push(self.sum(depth + 1)?);
                }
                None => return Err(self.wrong("`name=value`")),
            }
            if !self.eat(',') && self.peek() != Some(')') {
                return Err(self.wrong("`,` or `)`"));
            }
        }
        Ok(Literal::Call(call))
    }

    /// `key` of `key=`, which it passes; `None` where none stands here.
    fn key(&mut self) -> Option<String> {
        self.peek();
        let start = self.at;
        let word = self.word();
        let begins = |c: char| c.is_alphabetic() || c == '_';
        if word.starts_with(begins) && self.eat('=') {
            return Some(word);
        }
        self.at = start;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Literal {
        Literal::read(text).unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    #[test]
    fn literals_are_those_of_python_and_json() {
        for (text, value) in [
            ("1_000", Literal::Whole(1000)),
            ("-1e-3", Literal::Real(-1e-3)),
            (".5", Literal::Real(0.5)),
            ("1/4", Literal::Real(0.25)),
            ("2 * 3 + 1", Literal::Whole(7)),
            ("7 // 2", Literal::Whole(3)),
            ("-2 ** 2", Literal::Whole(-4)),
            ("10 ** -1", Literal::Real(0.1)),
            ("(1)", Literal::Whole(1)),
            ("(1,)", Literal::List(vec![Literal::Whole(1)])),
            ("null", Literal::None),
            ("'it\\'s'", Literal::Text("it's".into())),
            ("optimizer", Literal::Name("optimizer".into())),
        ] {
            assert_eq!(read(text), value, "{text}");
        }
        let json = r#"{"type": "WarmupLR", "params": {"n": 1, "x": [true]}}"#;
        let python = "{'type': 'WarmupLR', 'params': {'n': 1, 'x': (True,)},}";
        assert_eq!(read(json), read(python));
    }

    #[test]
    fn calls_have_positional_and_named_arguments() {
        let Literal::Call(call) = read("a.b.StepLR(opt, 30, gamma=0.1,)")
        else {
            panic!("a call");
        };
        assert_eq!(call.name, "StepLR");
        let opt = Literal::Name("opt".into());
        assert_eq!(call.positional, [opt, Literal::Whole(30)]);
        assert_eq!(call.keyword, [("gamma".into(), Literal::Real(0.1))]);
    }

    #[test]
    fn what_cannot_be_read_names_the_character() {
        for (text, message) in [
            ("StepLR(3", "character 9: expected `,` or `)`, but it ends"),
            ("[1; 2]", "character 3: expected `,` or `]`, not `;`"),
            ("f(a=1, 2)", "character 8: expected `name=value`, not `2`"),
            ("f(a=1, a=2)", "`a` is given twice"),
            ("'x", "character 3: expected a closing `'`, but it ends"),
            ("1 2", "character 3: expected the end, not `2`"),
            ("1/0", "character 4: expected a finite number, but it ends"),
            ("9e999", "character 1: expected a number, not `9`"),
            (
                "lambda x: 1",
                "a function of the script cannot be read here: write its rates \
                 to a file and use `kind = \"table\"`",
            ),
        ] {
            let got = Literal::read(text).expect_err(text);
            assert_eq!(got.to_string(), message, "{text}");
        }
        assert!(Literal::read(&"[".repeat(1 << 20)).is_err());
        assert!(Literal::read(&"-".repeat(1 << 20)).is_err());
    }

    #[test]
    fn flags_have_values_or_are_true() {
        let call = flags(
            "megatron",
            "--lr-decay-style cosine --min-lr=1e-5 --x --y 1 b",
        )
        .expect("flags");
        let text = |text: &str| Literal::Text(text.into());
        assert_eq!(
            call.keyword,
            [
                ("lr_decay_style".into(), text("cosine")),
                ("min_lr".into(), Literal::Real(1e-5)),
                ("x".into(), Literal::Bool(true)),
                ("y".into(), Literal::List(vec![Literal::Whole(1), text("b")])),
            ]
        );
        let error = flags("megatron", "2 --a 1").expect_err("no flag");
        assert_eq!(error.to_string(), "expected a flag, not `2`");
    }
}
