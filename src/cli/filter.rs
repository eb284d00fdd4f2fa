//! Conditions that select runs of a grid.

use crate::error::{Error, Result};
use crate::grid::{Baseline, Experiment};
use crate::plan::RunCell;
use crate::runner::Prepared;
use crate::schedule::ScheduleSpec;
use std::collections::HashSet;
use std::str::FromStr;

/// The keys of conditions.
const KEYS: [&str; 8] = [
    "workload",
    "model",
    "dataset",
    "optimizer",
    "schedule",
    "budget",
    "multiple",
    "seed",
];

/// Operators of two characters come first, because `<=` begins with `<`.
const OPERATORS: [&str; 6] = ["!=", "<=", ">=", "=", "<", ">"];

/// Conditions that must all hold.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug)]
struct Condition {
    key: &'static str,
    operator: &'static str,
    value: String,
}

/// The value of a key.
enum CellValue {
    /// Names; the condition holds if any of them matches.
    Names(Vec<String>),
    Number(f64),
}

impl FromStr for Filter {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let conditions = split(text)
            .map(Condition::parse)
            .collect::<std::result::Result<_, _>>()?;
        Ok(Self { conditions })
    }
}

impl Filter {
    /// Ids of the selected runs, and of the cells that these depend on.
    ///
    /// # Errors
    ///
    /// If no run is selected.
    pub(super) fn ids(
        &self,
        experiment: &Experiment,
        prepared: &Prepared,
    ) -> Result<HashSet<String>> {
        let plan = &prepared.plan;
        let mut ids = HashSet::new();
        for cell in &plan.runs {
            let holds = |condition: &Condition| {
                condition.holds(&value(experiment, cell, condition.key))
            };
            if self.conditions.iter().all(holds) {
                ids.insert(cell.id.clone());
                ids.insert(plan.finds[cell.find].id.clone());
                ids.extend(cell.pilot.map(|i| plan.pilots[i].id.clone()));
            }
        }
        if ids.is_empty() {
            return Err(Error::Invalid(format!(
                "`--filter` selects none of the {} runs of `{}`",
                plan.runs.len(),
                experiment.name
            )));
        }
        Ok(ids)
    }
}

impl Condition {
    fn parse(text: &str) -> std::result::Result<Self, String> {
        let wrong = |what: String| {
            format!("{what}; conditions look like `model=mlp, seed<3`")
        };
        let at = text.find(['!', '<', '>', '=']).unwrap_or(text.len());
        let (key, rest) = text.split_at(at);
        let operator = OPERATORS.into_iter().find(|o| rest.starts_with(o));
        let Some(operator) = operator else {
            return Err(wrong(format!("`{}` has no operator", text.trim())));
        };
        let Some(key) = KEYS.into_iter().find(|known| *known == key.trim())
        else {
            let known = KEYS.join(", ");
            let key = key.trim();
            return Err(wrong(format!("`{key}` is not one of {known}")));
        };
        let value = rest[operator.len()..].trim().to_owned();
        let ordered = operator.contains(['<', '>']);
        let number = matches!(key, "budget" | "multiple" | "seed");
        if ordered && !number {
            return Err(wrong(format!("`{key}` is a name, not a number")));
        }
        if number && value.parse::<f64>().is_err() {
            return Err(wrong(format!(
                "`{key}` needs a number, not `{value}`"
            )));
        }
        Ok(Self { key, operator, value })
    }

    fn holds(&self, value: &CellValue) -> bool {
        match value {
            CellValue::Names(names) => {
                let any = names.iter().any(|name| matches(&self.value, name));
                any == (self.operator == "=")
            }
            CellValue::Number(number) => {
                let bound: f64 = self.value.parse().unwrap_or(f64::NAN);
                match self.operator {
                    "=" => *number == bound,
                    "!=" => *number != bound,
                    "<" => *number < bound,
                    "<=" => *number <= bound,
                    ">" => *number > bound,
                    _ => *number >= bound,
                }
            }
        }
    }
}

fn value(experiment: &Experiment, cell: &RunCell, key: &str) -> CellValue {
    let workload = &experiment.workloads[cell.workload];
    let schedule = || {
        let kind = experiment.schedules.get(cell.schedule);
        let kind = kind.map_or(Baseline::LABEL, ScheduleSpec::kind);
        vec![kind.to_owned(), experiment.label(cell.schedule)]
    };
    let names = match key {
        "budget" => return CellValue::Number(cell.budget as f64),
        "multiple" => return CellValue::Number(cell.lr_multiple),
        "seed" => return CellValue::Number(cell.seed as f64),
        "model" | "dataset" | "optimizer" => workload.spec.names(key),
        "schedule" => schedule(),
        _ => vec![workload.name.clone()],
    };
    CellValue::Names(names)
}

/// The conditions of `text`, separated by commas. Commas in parentheses do
/// not separate: labels of schedules contain them.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0;
    text.split(move |c| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    })
}

/// Whether `text` matches `pattern`, in which `*` matches any text.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let (between, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    let Some(mut text) =
        text.strip_prefix(first).and_then(|text| text.strip_suffix(last))
    else {
        return false;
    };
    // The first match leaves the longest rest for the other parts.
    between.split('*').all(|part| match text.find(part) {
        Some(at) => {
            text = &text[at + part.len()..];
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, text, expected) in [
            ("mlp", "mlp", true),
            ("mlp", "mlp2", false),
            ("ml*", "mlp", true),
            ("*cosine*", "cosine(warmup=5%)", true),
            ("*a*b", "xayb", true),
            ("*a*b", "xbya", false),
            ("", "x", false),
            ("*", "", true),
            ("a*a", "a", false),
            ("a*b*c", "abbc", true),
            ("a*b*c", "acb", false),
            ("*ß*", "groß", true),
            (&"*a".repeat(40), &"a".repeat(40), true),
            (&("*a".repeat(40) + "b"), &"a".repeat(400), false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn commas_in_labels_do_not_separate() {
        let parts: Vec<&str> =
            split("schedule=wsd(decay=0.6,warmup=5%), seed<3").collect();
        assert_eq!(parts, ["schedule=wsd(decay=0.6,warmup=5%)", " seed<3"]);
    }

    #[test]
    fn wrong_conditions_say_what_would_be_right() {
        for (text, part) in [
            ("model", "has no operator"),
            ("", "has no operator"),
            ("layers=3", "not one of workload, model"),
            ("model<3", "is a name"),
            ("seed<x", "`seed` needs a number, not `x`"),
        ] {
            let why = text.parse::<Filter>().expect_err("wrong");
            assert!(why.contains(part), "{why}");
        }
    }

    #[test]
    fn numbers_are_compared_as_numbers() {
        let of = |text: &str| {
            let filter: Filter = text.parse().expect("right");
            move |number| filter.conditions[0].holds(&CellValue::Number(number))
        };
        assert!(of("seed<3")(2.0) && !of("seed<3")(3.0));
        assert!(of("seed <= 3")(3.0) && !of("seed>=3")(2.0));
        assert!(of("multiple=0.25")(0.25) && of("multiple!=1")(0.25));
    }
}
