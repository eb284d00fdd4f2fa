//! Grids that nobody would write: any text is a grid or an error with its
//! place, soon.

use super::super::{Experiment, Known, schema};
use crate::error::Error;
use crate::seed;
use rand::{Rng, RngExt as _};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

/// What mutations start from: grids, then grids of files that are not there.
/// All keys stand in one of them.
const SEEDS: [&str; 7] = [
    include_str!("../../../experiments/smoke.toml"),
    include_str!("../../../experiments/standard.toml"),
    include_str!("../../../benches/peers.toml"),
    include_str!("all.toml"),
    include_str!("averages.toml"),
    include_str!("../../../benches/finder.toml"),
    include_str!("files.toml"),
];

/// How many of them are valid as they stand.
const GRIDS: usize = 5;

/// Pieces that mean something somewhere, or should not.
const PIECES: [&str; 44] = [
    "0",
    "-1",
    "1e308",
    "-0.0",
    "nan",
    "inf",
    "-inf",
    "1e-400",
    "9223372036854775807",
    "18446744073709551616",
    "0.5",
    "\"5%\"",
    "\"500%\"",
    "\"-5%\"",
    "\"%\"",
    "\"\"",
    "\"\\u0000\"",
    "true",
    "[]",
    "[[]]",
    "[1, 2, 3]",
    "{}",
    "{ kind = 1 }",
    "\"mlp\"",
    "\"linear\"",
    "[[schedule]]",
    "[[workload]]",
    "[schedule]",
    "[lr_find]",
    "kind",
    "=",
    ".",
    "\n",
    "\"",
    "'''",
    "\"\"\"",
    "#",
    "🦀",
    "\u{202e}",
    "1979-05-27",
    "0x7fffffffffffffff",
    "[1e9, 2e9]",
    "../../etc/passwd",
    "{dataset}",
];

fn mutated(rng: &mut impl Rng) -> String {
    let mut text = SEEDS[rng.random_range(0..SEEDS.len())].to_owned();
    for _ in 0..rng.random_range(1..6) {
        let boundary = |text: &str, mut at: usize| {
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let from = boundary(&text, rng.random_range(0..=text.len()));
        let piece = PIECES[rng.random_range(0..PIECES.len())];
        match rng.random_range(0..8) {
            0 => text.insert_str(from, piece),
            1 => {
                let length = rng.random_range(0..40);
                let to = boundary(&text, (from + length).min(text.len()));
                text.replace_range(from.min(to)..to, "");
            }
            2 => text.truncate(from),
            3 => {
                // Another value after the next equals sign.
                let Some(equals) = text[from..].find('=') else { continue };
                let start = from + equals + 1;
                let end = text[start..].find('\n').unwrap_or(0) + start;
                text.replace_range(start..end, &format!(" {piece}"));
            }
            4 => {
                let lines: Vec<&str> = text.lines().collect();
                let line = lines[rng
                    .random_range(0..lines.len().max(1))
                    .min(lines.len().saturating_sub(1))];
                let line = format!("\n{line}\n");
                text.insert_str(from, &line);
            }
            5 => {
                let byte = rng.random_range(1..127_u8);
                text.insert(from, char::from(byte));
            }
            6 => {
                let mut bytes = text.into_bytes();
                if let Some(byte) = bytes.get_mut(from) {
                    *byte ^= 1 << rng.random_range(0..8);
                }
                text = String::from_utf8_lossy(&bytes).into_owned();
            }
            _ => {
                let lines: Vec<&str> = text.lines().collect();
                let count = lines.len().max(1);
                let gone = rng.random_range(0..count);
                let kept = lines.iter().enumerate();
                let kept = kept.filter(|(i, _)| *i != gone).map(|(_, l)| *l);
                text = kept.collect::<Vec<_>>().join("\n");
            }
        }
        if text.is_empty() {
            break;
        }
    }
    text
}

fn noise(rng: &mut impl Rng) -> String {
    let length = rng.random_range(0..200);
    let bytes: Vec<u8> = (0..length).map(|_| rng.random()).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn any_text_is_a_grid_or_an_error(cases: u64) {
    let known = Known::default();
    let (mut grids, mut slowest) = (0, Duration::ZERO);
    for case in 0..cases {
        let mut rng = seed::stream(case, "fuzz");
        let text = match case % 10 {
            0 => noise(&mut rng),
            _ => mutated(&mut rng),
        };
        let began = Instant::now();
        match Experiment::parse(Path::new("odd.toml"), &text, &known) {
            Ok(_) => grids += 1,
            Err(Error::Input { line, column, message, .. }) => {
                let lines = text.lines().count() + 1;
                assert!(line >= 1 && line <= lines, "{case}: line {line}");
                assert!(column >= 1 && !message.is_empty(), "{case}");
                assert!(message.len() < 2000, "{case}: {message}");
            }
            Err(other) => panic!("case {case} has no place: {other}\n{text}"),
        }
        let time = began.elapsed();
        slowest = slowest.max(time);
        assert!(time < Duration::from_secs(1), "case {case} takes {time:?}");
    }
    assert!(grids > cases / 100, "{grids} of {cases} are grids");
    eprintln!("{grids} of {cases} are grids, slowest {slowest:?}");
}

#[test]
fn seeds_are_grids_but_for_files_and_have_all_keys() {
    let known = Known::default();
    for (i, text) in SEEDS.iter().enumerate() {
        let grid = Experiment::parse(Path::new("odd.toml"), text, &known);
        match grid {
            Ok(_) => assert!(i < GRIDS, "{i}"),
            Err(error) => {
                assert!(i >= GRIDS, "{i}: {error}");
                assert!(error.to_string().contains("missing file"), "{error}");
            }
        }
    }
    for key in keys_of(&schema()) {
        let (value, table) = (format!("{key} = "), format!("[[{key}]]"));
        let has = |text: &&str| text.contains(&value) || text.contains(&table);
        assert!(SEEDS.iter().any(has), "no seed has `{key}`");
    }
}

/// All keys that a schema knows, at any depth.
fn keys_of(schema: &Value) -> BTreeSet<&str> {
    let own = schema["properties"].as_object().into_iter().flatten();
    let own = own.map(|(key, _)| key.as_str());
    let inner: Vec<&Value> = match schema {
        Value::Array(items) => items.iter().collect(),
        Value::Object(fields) => fields.values().collect(),
        _ => vec![],
    };
    own.chain(inner.into_iter().flat_map(keys_of)).collect()
}

#[test]
fn ten_thousand_odd_texts_are_grids_or_errors() {
    any_text_is_a_grid_or_an_error(10_000);
}

#[test]
#[ignore = "takes minutes: make torture"]
fn a_million_odd_texts_are_grids_or_errors() {
    any_text_is_a_grid_or_an_error(1_000_000);
}
