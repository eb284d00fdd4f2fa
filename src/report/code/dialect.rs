//! Expressions as text: Python, Rust, and formulas for people.

use crate::schedule::{Binary, Expr, Formula, Less, Unary};
use std::fmt::Write as _;
use std::sync::Arc;

/// A way of writing expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Python,
    Rust,
    /// For people.
    Plain,
}

/// How tightly a text binds: whether it needs brackets inside another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tightness {
    Choice,
    Sum,
    Product,
    Power,
    Atom,
}

/// The functions of a schedule, those that are called before their callers.
pub(super) struct Functions {
    dialect: Dialect,
    all: Vec<(String, Arc<Formula>)>,
    tables: Vec<Arc<Vec<f64>>>,
}

/// A formula for people, a line for each named step on the way.
pub(crate) fn formula(of: &Formula) -> String {
    let functions = Functions::new(Dialect::Plain);
    let mut lines: Vec<String> = Names::of(&of.value)
        .locals
        .iter()
        .map(|(name, value)| format!("{name} = {}", functions.text(value)))
        .collect();
    let mut value = &of.value;
    while let Expr::Choice(less, parts) = value {
        let [left, right, then, otherwise] = &**parts;
        let condition = functions.condition(*less, left, right);
        lines.push(format!("f = {} where {condition}", functions.text(then)));
        value = otherwise;
    }
    let rest = if lines.last().is_some_and(|l| l.starts_with("f =")) {
        " elsewhere"
    } else {
        ""
    };
    lines.push(format!("f = {}{rest}", functions.text(value)));
    lines.join("\n")
}

impl Functions {
    /// No functions yet.
    pub(super) fn new(dialect: Dialect) -> Self {
        Self { dialect, all: vec![], tables: vec![] }
    }

    /// Adds `formula` after all functions that it needs; gives its name.
    pub(super) fn entry(&mut self, formula: &Arc<Formula>) -> String {
        self.add(formula);
        self.name(formula).to_owned()
    }

    fn add(&mut self, formula: &Arc<Formula>) {
        if self.all.iter().any(|(_, known)| Arc::ptr_eq(known, formula)) {
            return;
        }
        each(&formula.value, &mut |expr| match expr {
            Expr::Call(inner, _) => self.add(inner),
            Expr::Row(rows, _) if self.table_of(rows).is_none() => {
                self.tables.push(Arc::clone(rows));
            }
            _ => {}
        });
        let base = format!("{}_at", formula.name.replace('-', "_"));
        let taken = |name: &str| self.all.iter().any(|(n, _)| n == name);
        let numbered = (2..).map(|number| format!("{base}_{number}"));
        let mut names = std::iter::once(base.clone()).chain(numbered);
        let name = names.find(|name| !taken(name)).unwrap_or(base);
        self.all.push((name, Arc::clone(formula)));
    }

    /// Number of a table that is there.
    fn table_of(&self, rows: &Arc<Vec<f64>>) -> Option<usize> {
        self.tables.iter().position(|known| Arc::ptr_eq(known, rows))
    }

    /// The name of a function that is there.
    fn name<'a>(&'a self, formula: &'a Arc<Formula>) -> &'a str {
        let same =
            |(_, other): &&(String, Arc<Formula>)| Arc::ptr_eq(other, formula);
        self.all.iter().find(same).map_or(formula.name, |(name, _)| name)
    }

    /// The tables and functions as code.
    pub(super) fn code(&self) -> String {
        let tables = (0..self.tables.len()).map(|table| self.table(table));
        let functions = self.all.iter().map(|(name, f)| self.function(name, f));
        let between = match self.dialect {
            Dialect::Python => "\n\n",
            Dialect::Rust | Dialect::Plain => "\n",
        };
        tables.chain(functions).collect::<Vec<_>>().join(between)
    }

    fn table(&self, table: usize) -> String {
        let rows = &self.tables[table];
        let open = match self.dialect {
            Dialect::Rust => {
                format!("const ROWS_{table}: [f64; {}] = [", rows.len())
            }
            Dialect::Python | Dialect::Plain => format!("ROWS_{table} = ["),
        };
        let mut text = open;
        for row in rows.chunks(3) {
            let row: Vec<String> =
                row.iter().map(|row| format!("{row:?}")).collect();
            let _ = write!(text, "\n    {},", row.join(", "));
        }
        text + if self.dialect == Dialect::Rust { "\n];\n" } else { "\n]\n" }
    }

    fn function(&self, name: &str, formula: &Formula) -> String {
        let mut lines = vec![];
        let names = Names::of(&formula.value);
        let constants = names.constants.iter();
        let constants =
            constants.map(|(name, value)| (*name, self.number(*value)));
        let locals = names.locals.iter();
        let locals = locals.map(|(name, value)| (*name, self.text(value)));
        for (name, value) in constants.chain(locals) {
            lines.push(match self.dialect {
                Dialect::Rust => format!("let {name}: f64 = {value};"),
                Dialect::Python | Dialect::Plain => format!("{name} = {value}"),
            });
        }
        let mut value = &formula.value;
        while let Expr::Choice(less, parts) = value {
            let [left, right, then, otherwise] = &**parts;
            let condition = self.condition(*less, left, right);
            let then = self.text(then);
            lines.extend(match self.dialect {
                Dialect::Rust => vec![
                    format!("if {condition} {{"),
                    format!("    return {then};"),
                    "}".to_owned(),
                ],
                Dialect::Python | Dialect::Plain => {
                    vec![
                        format!("if {condition}:"),
                        format!("    return {then}"),
                    ]
                }
            });
            value = otherwise;
        }
        let value = self.text(value);
        let body = |lines: Vec<String>| -> String {
            format!("    {}\n", lines.join("\n    "))
        };
        if self.dialect == Dialect::Rust {
            lines.push(value);
            let t = if names.time { "t" } else { "_t" };
            format!("fn {name}({t}: f64) -> f64 {{\n{}}}\n", body(lines))
        } else {
            lines.push(format!("return {value}"));
            format!("def {name}(t):\n{}", body(lines))
        }
    }

    fn text(&self, expr: &Expr) -> String {
        self.write(expr).0
    }

    fn condition(&self, less: Less, left: &Expr, right: &Expr) -> String {
        let sign = match less {
            Less::Strictly => "<",
            Less::OrEqual => "<=",
        };
        format!("{} {sign} {}", self.text(left), self.text(right))
    }

    /// The text of `expr`, in brackets where it binds less than `wanted`.
    fn inside(&self, expr: &Expr, wanted: Tightness) -> String {
        let (text, tightness) = self.write(expr);
        if tightness < wanted { format!("({text})") } else { text }
    }

    fn write(&self, expr: &Expr) -> (String, Tightness) {
        let atom = |text: String| (text, Tightness::Atom);
        match expr {
            Expr::Time => atom("t".to_owned()),
            Expr::Number(value) if *value < 0.0 => {
                (self.number(*value), Tightness::Choice)
            }
            Expr::Number(value) => atom(self.number(*value)),
            Expr::Pi => atom(
                match self.dialect {
                    Dialect::Python => "math.pi",
                    Dialect::Rust => "std::f64::consts::PI",
                    Dialect::Plain => "pi",
                }
                .to_owned(),
            ),
            Expr::Named(name, _) | Expr::Local(name, _) => {
                atom((*name).to_owned())
            }
            Expr::Unary(function, x) => atom(self.unary(*function, x)),
            Expr::Binary(function, pair) => self.binary(*function, pair),
            Expr::Power(base, exponent) => match self.dialect {
                Dialect::Python => {
                    let base = self.inside(base, Tightness::Atom);
                    (format!("{base} ** {exponent}"), Tightness::Power)
                }
                Dialect::Rust => {
                    atom(format!("{}.powi({exponent})", self.receiver(base)))
                }
                Dialect::Plain => {
                    let base = self.inside(base, Tightness::Atom);
                    (format!("{base}^{exponent}"), Tightness::Power)
                }
            },
            Expr::Choice(less, parts) => {
                let [left, right, then, otherwise] = &**parts;
                let condition = self.condition(*less, left, right);
                let (then, otherwise) = (self.text(then), self.text(otherwise));
                let text = match self.dialect {
                    Dialect::Rust => format!(
                        "if {condition} {{ {then} }} else {{ {otherwise} }}"
                    ),
                    Dialect::Python | Dialect::Plain => {
                        format!("{then} if {condition} else {otherwise}")
                    }
                };
                (text, Tightness::Choice)
            }
            Expr::Row(rows, time) => atom(self.row(rows, time)),
            Expr::Call(formula, time) => {
                let (name, time) = (self.name(formula), self.text(time));
                atom(format!("{name}({time})"))
            }
        }
    }

    fn unary(&self, function: Unary, x: &Expr) -> String {
        let name = match function {
            Unary::Sqrt => "sqrt",
            Unary::Cos => "cos",
            Unary::Tanh => "tanh",
            Unary::Ln if self.dialect == Dialect::Python => "log",
            Unary::Ln => "ln",
            Unary::Floor => "floor",
        };
        match self.dialect {
            Dialect::Python => format!("math.{name}({})", self.text(x)),
            Dialect::Rust => format!("{}.{name}()", self.receiver(x)),
            Dialect::Plain => format!("{name}({})", self.text(x)),
        }
    }

    fn binary(
        &self,
        function: Binary,
        pair: &[Expr; 2],
    ) -> (String, Tightness) {
        let [left, right] = pair;
        // Left to right, as numbers are rounded that way.
        let (sign, own, after) = match function {
            Binary::Add => ("+", Tightness::Sum, Tightness::Product),
            Binary::Sub => ("-", Tightness::Sum, Tightness::Product),
            Binary::Mul => ("*", Tightness::Product, Tightness::Power),
            Binary::Div => ("/", Tightness::Product, Tightness::Power),
            Binary::Pow => return self.pow(left, right),
            Binary::Min => return self.extreme("min", left, right),
            Binary::Max => return self.extreme("max", left, right),
        };
        let left = self.inside(left, own);
        let right = self.inside(right, after);
        (format!("{left} {sign} {right}"), own)
    }

    fn pow(&self, base: &Expr, exponent: &Expr) -> (String, Tightness) {
        if self.dialect == Dialect::Rust {
            let (base, exponent) = (self.receiver(base), self.text(exponent));
            return (format!("{base}.powf({exponent})"), Tightness::Atom);
        }
        let base = self.inside(base, Tightness::Atom);
        let exponent = self.inside(exponent, Tightness::Atom);
        let sign = if self.dialect == Dialect::Python { " ** " } else { "^" };
        (format!("{base}{sign}{exponent}"), Tightness::Power)
    }

    fn extreme(
        &self,
        name: &str,
        left: &Expr,
        right: &Expr,
    ) -> (String, Tightness) {
        let right = self.text(right);
        let text = if self.dialect == Dialect::Rust {
            format!("{}.{name}({right})", self.receiver(left))
        } else {
            format!("{name}({}, {right})", self.text(left))
        };
        (text, Tightness::Atom)
    }

    fn row(&self, rows: &Arc<Vec<f64>>, time: &Expr) -> String {
        let table = self.table_of(rows).unwrap_or(0);
        let last = rows.len().saturating_sub(1);
        match self.dialect {
            Dialect::Python => {
                format!("ROWS_{table}[min(int({}), {last})]", self.text(time))
            }
            Dialect::Rust => format!(
                "ROWS_{table}[({} as usize).min({last})]",
                self.inside(time, Tightness::Atom)
            ),
            Dialect::Plain => format!("row {} of the file", self.text(time)),
        }
    }

    /// What a method is called on: Rust wants to know a literal's type.
    fn receiver(&self, expr: &Expr) -> String {
        let text = self.inside(expr, Tightness::Atom);
        match expr {
            Expr::Number(_) => format!("{text}_f64"),
            _ => text,
        }
    }

    /// The shortest decimal that reads back as `value`.
    fn number(&self, value: f64) -> String {
        if self.dialect == Dialect::Plain {
            return value.to_string();
        }
        format!("{value:?}")
    }
}

/// What a function has to define before its value.
#[derive(Default)]
struct Names<'a> {
    /// Parameters, in the order in which they are met.
    constants: Vec<(&'static str, f64)>,
    /// Steps on the way, each after those that it needs.
    locals: Vec<(&'static str, &'a Expr)>,
    /// Whether the time itself is used.
    time: bool,
}

impl<'a> Names<'a> {
    fn of(value: &'a Expr) -> Self {
        let mut names = Self::default();
        each(value, &mut |expr| match expr {
            Expr::Time => names.time = true,
            Expr::Named(name, value)
                if names.constants.iter().all(|(other, _)| other != name) =>
            {
                names.constants.push((name, *value));
            }
            Expr::Local(name, value)
                if names.locals.iter().all(|(other, _)| other != name) =>
            {
                names.locals.push((name, value));
            }
            _ => {}
        });
        names
    }
}

/// Calls `visit` with every part of `expr` and then with itself; not with
/// what it calls.
fn each<'a>(expr: &'a Expr, visit: &mut impl FnMut(&'a Expr)) {
    match expr {
        Expr::Time | Expr::Number(_) | Expr::Pi | Expr::Named(..) => {}
        Expr::Local(_, x)
        | Expr::Unary(_, x)
        | Expr::Power(x, _)
        | Expr::Row(_, x)
        | Expr::Call(_, x) => each(x, visit),
        Expr::Binary(_, pair) => {
            for part in &**pair {
                each(part, visit);
            }
        }
        Expr::Choice(_, parts) => {
            for part in &**parts {
                each(part, visit);
            }
        }
    }
    visit(expr);
}
