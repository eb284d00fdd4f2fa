//! The events by which a program reports its training.

use crate::record::AnyFloat;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// One event.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub(super) enum Event {
    /// The first event.
    Hello {
        /// Version of the protocol of the program.
        protocol: u64,
    },
    /// An update.
    Train {
        /// Updates before it.
        step: usize,
        /// Loss of the batch, measured before the update.
        loss: AnyFloat,
        /// The rate in the optimizer.
        lr: AnyFloat,
        /// The momentum, if the schedule cycles it.
        momentum: Option<AnyFloat>,
        /// Norm of the gradient, if the task requires it.
        grad_norm: Option<AnyFloat>,
    },
    /// An evaluation.
    Eval {
        /// Updates before it.
        step: usize,
        /// Mean loss over the part.
        loss: AnyFloat,
        /// Other measurements.
        #[serde(default)]
        metrics: Map<String, Value>,
        /// The evaluated part of the data.
        #[serde(default)]
        split: Part,
        /// Who made it, in a script: `on_eval`, `report`, `trainer`, ...
        source: Option<String>,
    },
    /// What the launcher has seen of a script that trains undisturbed.
    Script {
        /// Seconds since its first update began.
        trained: f64,
        /// Seconds of an update.
        pace: f64,
        /// Updates that it makes by itself, if that is known.
        updates: Option<usize>,
        /// Those of an epoch.
        epoch: Option<usize>,
        /// Who will evaluate, if anybody: `on_eval`, `report`, `trainer`, ...
        evaluates: Option<String>,
        /// Whether a scheduler sets its rates.
        scheduled: bool,
    },
    /// The last event.
    Done {
        /// What the reader of the results should know.
        #[serde(default)]
        notes: Vec<String>,
    },
    /// The training cannot be used.
    Error {
        /// One word for the kind of fault.
        status: String,
        /// What is wrong and what to do.
        message: String,
    },
}

/// Part of the data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Part {
    /// The validation part, by which schedules are chosen.
    #[default]
    Valid,
    /// The test part, which no choice depends on.
    Test,
}

/// Parses a line. Numbers may be `NaN`, `Infinity` and `-Infinity`, as Python
/// writes them.
///
/// # Errors
///
/// A message, if the line is not an event.
pub(super) fn parse(line: &str) -> Result<Event, String> {
    serde_json::from_str(&quoted(line)).map_err(|error| error.to_string())
}

/// `line`, with quotes around the numbers that JSON does not have.
fn quoted(line: &str) -> Cow<'_, str> {
    const WORDS: [&str; 3] = ["-Infinity", "Infinity", "NaN"];
    if !WORDS.iter().any(|word| line.contains(word)) {
        return Cow::Borrowed(line);
    }
    let mut text = String::with_capacity(line.len() + 8);
    let (mut inside, mut escaped) = (false, false);
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let word = WORDS.iter().find(|word| rest.starts_with(**word));
        if let (false, Some(word)) = (inside, word) {
            text.extend(["\"", word, "\""]);
            rest = &rest[word.len()..];
            continue;
        }
        if !escaped && c == '"' {
            inside = !inside;
        }
        escaped = inside && !escaped && c == '\\';
        text.push(c);
        rest = &rest[c.len_utf8()..];
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_number_is_read() {
        for (written, value) in [
            ("0.5", 0.5),
            ("1", 1.0),
            ("1e-7", 1e-7),
            ("\"inf\"", f64::INFINITY),
            ("\"-inf\"", f64::NEG_INFINITY),
            ("Infinity", f64::INFINITY),
            ("-Infinity", f64::NEG_INFINITY),
        ] {
            let line = format!(
                "{{\"event\": \"train\", \"step\": 3, \"loss\": {written}, \
                 \"lr\": 0.1, \"name\": \"a \\\" NaN Infinity\"}}"
            );
            let read = parse(&line).expect(&line);
            let Event::Train { step, loss, lr, momentum, .. } = read else {
                unreachable!("{line}");
            };
            assert_eq!((step, loss, lr), (3, AnyFloat(value), AnyFloat(0.1)));
            assert_eq!(momentum, None);
        }
        for written in ["NaN", "\"nan\""] {
            let line =
                format!("{{\"event\":\"eval\",\"step\":1,\"loss\":{written}}}");
            let read = parse(&line).expect(&line);
            assert!(matches!(
                read,
                Event::Eval { loss: AnyFloat(x), split: Part::Valid, .. }
                    if x.is_nan()
            ));
        }
    }

    #[test]
    fn what_is_no_event_says_why() {
        for (line, part) in [
            (r#"{"event":"train","step":0,"loss":1.0}"#, "`lr`"),
            (r#"{"event":"train","step":-1,"loss":1,"lr":1}"#, "-1"),
            (r#"{"event":"trian"}"#, "trian"),
            (r#"{"event":"hello"}"#, "`protocol`"),
            (r#"{"event":"eval","step":0,"loss":1,"split":"x"}"#, "`x`"),
            (r#"{"event":"done""#, "EOF"),
            (r#"{"event":"train","step":0,"loss":"one","lr":1}"#, "a number"),
            (r#"{"event":"train","step":0,"loss":null,"lr":1}"#, "a number"),
        ] {
            let why = parse(line).expect_err(line);
            assert!(why.contains(part), "{line}: {why}");
        }
        let done = parse(r#"{"event":"done","extra":[1,{"a":NaN}]}"#);
        assert_eq!(done, Ok(Event::Done { notes: vec![] }));
    }
}
