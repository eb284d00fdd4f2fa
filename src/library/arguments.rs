//! The arguments of a call, bound to the parameters of its entry.

use super::literal::{Call, Literal, signature};
use crate::error::Problem;
use crate::text::{either, excerpt, unknown_in};

/// Names that a script gives to its optimizer, which calls leave out.
const OPTIMIZERS: [&str; 4] = ["optimizer", "opt", "optim", "self.optimizer"];

/// Words in the names of arguments that set rates: of a signature that ends in
/// `**others`, an unknown one with such a word is no other.
const OF_RATES: [&str; 8] = [
    "lr",
    "learning",
    "rate",
    "warmup",
    "rampup",
    "schedule",
    "scheduler",
    "schedulers",
];

/// Arguments by the name of their parameter, defaults filled in.
#[derive(Clone, Debug)]
pub(crate) struct Arguments {
    name: String,
    configured: bool,
    values: Vec<Argument>,
}

#[derive(Clone, Debug)]
struct Argument {
    key: String,
    /// `None` where a parameter without a default is not given.
    value: Option<Literal>,
    given: bool,
}

impl Arguments {
    /// Binds `call` to a signature, with the rules of Python. An optimizer in
    /// the first place is passed over, and so is the one named `optimizer`.
    /// A signature that ends in `**others` is that of a whole training, whose
    /// other arguments are passed over.
    ///
    /// # Errors
    ///
    /// If it has an argument that the signature lacks, too many, or one twice.
    /// A missing one is an error where it is asked for.
    pub(super) fn bind(parameters: &str, call: &Call) -> Result<Self, Problem> {
        let mut values: Vec<Argument> = signature(parameters)
            .into_iter()
            .map(|(key, value)| Argument { key, value, given: false })
            .collect();
        let is_optimizer = |value: &Literal| matches!(value, Literal::Name(name) if OPTIMIZERS.contains(&name.as_str()));
        let skipped =
            usize::from(call.positional.first().is_some_and(is_optimizer));
        let positional = &call.positional[skipped..];
        if positional.len() > values.len() {
            let message = format!(
                "{} takes at most {} arguments, {} are given",
                excerpt(&call.name),
                values.len(),
                positional.len()
            );
            return Err(Problem::whole(message));
        }
        for (argument, value) in values.iter_mut().zip(positional) {
            argument.value = Some(value.clone());
            argument.given = true;
        }
        let others = parameters.contains("**");
        let known: Vec<String> =
            values.iter().map(|argument| argument.key.clone()).collect();
        for (key, value) in &call.keyword {
            match values.iter_mut().find(|argument| argument.key == *key) {
                Some(argument) if argument.given => {
                    let message = format!("{} is given twice", excerpt(key));
                    return Err(Problem::at(key, message));
                }
                Some(argument) => {
                    argument.value = Some(value.clone());
                    argument.given = true;
                }
                None if key == "optimizer" => {}
                None if others
                    && !key.split('_').any(|word| OF_RATES.contains(&word)) => {
                }
                None => {
                    let known: Vec<&str> =
                        known.iter().map(String::as_str).collect();
                    let message =
                        unknown_in("argument", key, &call.name, &known);
                    return Err(Problem::at(key, message));
                }
            }
        }
        let Call { name, configured, .. } = call;
        Ok(Self { name: name.clone(), configured: *configured, values })
    }

    fn find(&self, key: &str) -> &Argument {
        let found = self.values.iter().find(|argument| argument.key == key);
        found.unwrap_or_else(|| panic!("{} has no `{key}`", self.name))
    }

    /// The name of the call.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether the signature has it.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.values.iter().any(|argument| argument.key == key)
    }

    /// The arguments of the call that are not among `own`, by their name.
    pub(crate) fn others(&self, own: &[&str]) -> Vec<(String, Literal)> {
        let given = self.values.iter().filter(|argument| {
            argument.given && !own.contains(&argument.key.as_str())
        });
        given.filter_map(|a| Some((a.key.clone(), a.value.clone()?))).collect()
    }

    /// Whether they stand in a configuration, not in a call.
    pub(crate) fn configured(&self) -> bool {
        self.configured
    }

    /// Whether the call has it.
    pub(crate) fn given(&self, key: &str) -> bool {
        self.find(key).given
    }

    /// Its value.
    ///
    /// # Errors
    ///
    /// If it has no default and is not given.
    pub(crate) fn literal(&self, key: &str) -> Result<&Literal, Problem> {
        self.find(key).value.as_ref().ok_or_else(|| {
            let message = format!("{} needs `{key}`", excerpt(&self.name));
            Problem::at(key, message)
        })
    }

    /// That `key` of this call must be `expected`.
    pub(crate) fn wrong(&self, key: &str, expected: &str) -> Problem {
        let found =
            self.find(key).value.as_ref().map_or("nothing", Literal::kind);
        let name = excerpt(&self.name);
        let message =
            format!("{name}: `{key}` must be {expected}, not {found}");
        Problem::at(key, message)
    }

    /// That the library cannot train so: `why` says what it does.
    pub(crate) fn refused(&self, key: &str, why: &str) -> Problem {
        Problem::at(key, format!("{}: {why}", excerpt(&self.name)))
    }

    /// A number.
    ///
    /// # Errors
    ///
    /// If it is missing or no number.
    pub(crate) fn number(&self, key: &str) -> Result<f64, Problem> {
        let value = self.literal(key)?.number();
        value.ok_or_else(|| self.wrong(key, "a number"))
    }

    /// A number, or `otherwise` where the call does not give one.
    ///
    /// # Errors
    ///
    /// If it is given and no number.
    pub(crate) fn number_or(
        &self,
        key: &str,
        otherwise: f64,
    ) -> Result<f64, Problem> {
        if self.given(key) { self.number(key) } else { Ok(otherwise) }
    }

    /// A number with a point, where the library takes no other.
    ///
    /// # Errors
    ///
    /// If it is missing or no such number.
    pub(crate) fn real(&self, key: &str) -> Result<f64, Problem> {
        match *self.literal(key)? {
            Literal::Real(value) => Ok(value),
            _ => Err(self.wrong(key, "a number with a point")),
        }
    }

    /// That the schedule starts anew: `key`, the count before its first step,
    /// is -1.
    ///
    /// # Errors
    ///
    /// If it is another.
    pub(crate) fn anew(&self, key: &str) -> Result<(), Problem> {
        if self.whole(key)? == -1 {
            return Ok(());
        }
        let why = "a scheduler that resumes is not read here, only -1";
        Err(self.refused(key, why))
    }

    /// A number, or `None`.
    ///
    /// # Errors
    ///
    /// If it is missing or neither.
    pub(crate) fn number_or_none(
        &self,
        key: &str,
    ) -> Result<Option<f64>, Problem> {
        match self.literal(key)? {
            Literal::None => Ok(None),
            _ => self.number(key).map(Some),
        }
    }

    /// A whole number.
    ///
    /// # Errors
    ///
    /// If it is missing or no whole number.
    pub(crate) fn whole(&self, key: &str) -> Result<i64, Problem> {
        match *self.literal(key)? {
            Literal::Whole(value) => Ok(value),
            Literal::Bool(value) => Ok(i64::from(value)),
            _ => Err(self.wrong(key, "a whole number")),
        }
    }

    /// A whole number, or `None`.
    ///
    /// # Errors
    ///
    /// If it is missing or neither.
    pub(crate) fn whole_or_none(
        &self,
        key: &str,
    ) -> Result<Option<i64>, Problem> {
        match self.literal(key)? {
            Literal::None => Ok(None),
            _ => self.whole(key).map(Some),
        }
    }

    /// A whole number from 1 on.
    ///
    /// # Errors
    ///
    /// If it is missing or no such number.
    pub(crate) fn count(&self, key: &str) -> Result<usize, Problem> {
        Ok(usize::try_from(self.positive(key)?).unwrap_or(usize::MAX))
    }

    /// The same, to count with below 0.
    ///
    /// # Errors
    ///
    /// If it is missing or no such number.
    pub(crate) fn positive(&self, key: &str) -> Result<i64, Problem> {
        let value = Some(self.whole(key)?).filter(|&value| value > 0);
        let why = format!("`{key}` must be 1 or more");
        value.ok_or_else(|| self.refused(key, &why))
    }

    /// A truth value.
    ///
    /// # Errors
    ///
    /// If it is missing or none.
    pub(crate) fn flag(&self, key: &str) -> Result<bool, Problem> {
        match *self.literal(key)? {
            Literal::Bool(value) => Ok(value),
            _ => Err(self.wrong(key, "True or False")),
        }
    }

    /// Text.
    ///
    /// # Errors
    ///
    /// If it is missing or no text.
    pub(crate) fn text(&self, key: &str) -> Result<&str, Problem> {
        match self.literal(key)? {
            Literal::Text(text) => Ok(text),
            _ => Err(self.wrong(key, "text")),
        }
    }

    /// Text that is one of `words`, by its index.
    ///
    /// # Errors
    ///
    /// If it is missing or none of them.
    pub(crate) fn word(
        &self,
        key: &str,
        words: &[&str],
    ) -> Result<usize, Problem> {
        let text = self.text(key)?;
        words.iter().position(|&word| word == text).ok_or_else(|| {
            let known = either(words);
            let text = excerpt(text);
            let why = format!("`{key}` must be {known}, not {text}");
            self.refused(key, &why)
        })
    }

    /// The items of a list.
    ///
    /// # Errors
    ///
    /// If it is missing or no list.
    pub(crate) fn list(&self, key: &str) -> Result<&[Literal], Problem> {
        match self.literal(key)? {
            Literal::List(items) => Ok(items),
            _ => Err(self.wrong(key, "a list")),
        }
    }

    /// A list of numbers.
    ///
    /// # Errors
    ///
    /// If it is missing or none.
    pub(crate) fn numbers(&self, key: &str) -> Result<Vec<f64>, Problem> {
        let items = self.list(key)?.iter().map(Literal::number);
        let numbers: Option<Vec<f64>> = items.collect();
        numbers.ok_or_else(|| self.wrong(key, "a list of numbers"))
    }

    /// A list of whole numbers.
    ///
    /// # Errors
    ///
    /// If it is missing or none.
    pub(crate) fn wholes(&self, key: &str) -> Result<Vec<i64>, Problem> {
        let whole = |item: &Literal| match *item {
            Literal::Whole(value) => Some(value),
            _ => None,
        };
        let numbers: Option<Vec<i64>> =
            self.list(key)?.iter().map(whole).collect();
        numbers.ok_or_else(|| self.wrong(key, "a list of whole numbers"))
    }

    /// A call.
    ///
    /// # Errors
    ///
    /// If it is missing or none.
    pub(crate) fn call(&self, key: &str) -> Result<&Call, Problem> {
        match self.literal(key)? {
            Literal::Call(call) => Ok(call),
            _ => Err(self.wrong(key, "a call")),
        }
    }

    /// A list of calls.
    ///
    /// # Errors
    ///
    /// If it is missing or none.
    pub(crate) fn calls(&self, key: &str) -> Result<Vec<&Call>, Problem> {
        let items = self.list(key)?.iter();
        let calls: Option<Vec<&Call>> = items
            .map(|item| match item {
                Literal::Call(call) => Some(call),
                _ => None,
            })
            .collect();
        calls.ok_or_else(|| self.wrong(key, "a list of calls"))
    }
}
